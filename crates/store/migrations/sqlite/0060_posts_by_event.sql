-- The event stands before the kind in the key of posts. With the kind behind the receiver, SQLite takes the key of the whole
-- table, with all that was delivered, for a question that an index of what waits answers; the predicate of `posts_in_order`
-- ends with the state, so that SQLite knows the state of its rows and need not look at the table.
CREATE TABLE posts_by_event (
    -- 0 an event, to a webhook; 1 an invite callback; 2 a notice about alerts.
    kind INTEGER NOT NULL,
    -- The id of the webhook, the name of the target; empty for a callback, whose receiver is in the settings.
    receiver BLOB NOT NULL,
    -- The number of the event; 0 for what is no event.
    event INTEGER NOT NULL,
    -- The id of the callback or the notice; empty for an event.
    item BLOB NOT NULL,
    -- 0 waiting, 1 given up, 2 delivered.
    state INTEGER NOT NULL,
    -- The chat whose order is kept, where that is asked for.
    chat TEXT,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    -- Of the last attempt: when it was, the status and the beginning of the answer, how long it took in milliseconds, why it failed.
    tried_at INTEGER,
    status INTEGER,
    answer TEXT,
    latency INTEGER,
    error TEXT,
    -- The message that carries a notice, where its target is a chat.
    message BLOB,
    PRIMARY KEY (receiver, event, kind, item)
) STRICT, WITHOUT ROWID;

INSERT INTO posts_by_event (
    kind, receiver, event, item, state, chat, attempts, next_at, tried_at, status, answer, latency, error, message)
SELECT kind, receiver, event, item, state, chat, attempts, next_at, tried_at, status, answer, latency, error, message FROM posts;

DROP TABLE posts;
ALTER TABLE posts_by_event RENAME TO posts;

CREATE INDEX posts_events ON posts (receiver, next_at, event) WHERE kind = 0 AND state = 0;
CREATE INDEX posts_in_order ON posts (receiver, chat, event) WHERE chat IS NOT NULL AND kind = 0 AND state = 0;
CREATE INDEX posts_given_up ON posts (receiver, event) WHERE kind = 0 AND state = 1;
CREATE INDEX posts_callbacks ON posts (next_at, item) WHERE kind = 1 AND state = 0;
CREATE INDEX posts_notices ON posts (receiver, item) WHERE kind = 2 AND state = 0;
CREATE INDEX posts_items ON posts (kind, item) WHERE event = 0;
CREATE INDEX posts_over ON posts (kind, tried_at) WHERE state <> 0;
