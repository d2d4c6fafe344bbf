-- Where messages of ours stand in their conversations: they are there once they have ended, soon after it. One that was sent again
-- has a row for each of its ends; the last one counts.
CREATE TABLE outbox_places (
    chat_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (chat_id, at, id)
) STRICT, WITHOUT ROWID;

INSERT INTO outbox_places (chat_id, at, id)
    SELECT chat_id, coalesce(finished_at, updated_at), id FROM outbox WHERE state >= 10 AND chat_id IS NOT NULL;
INSERT INTO store_facts (name, value)
    SELECT 'conversations filled up to', unhex(printf('%016x', max(seq))) FROM events HAVING count(*) > 0;
DROP INDEX outbox_by_chat;
