CREATE TABLE outbox_places (
    chat_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    id BYTEA NOT NULL,
    PRIMARY KEY (chat_id, at, id)
);

INSERT INTO outbox_places (chat_id, at, id)
    SELECT chat_id, coalesce(finished_at, updated_at), id FROM outbox WHERE state >= 10 AND chat_id IS NOT NULL;
INSERT INTO store_facts (name, value)
    SELECT 'conversations filled up to', decode(lpad(to_hex(max(seq)), 16, '0'), 'hex') FROM events HAVING count(*) > 0;
DROP INDEX outbox_by_chat;
