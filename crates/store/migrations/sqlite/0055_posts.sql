-- What is posted to others: one row for each receiver, until it was taken or given up, and some time after.
CREATE TABLE posts (
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
    PRIMARY KEY (receiver, kind, event, item)
) STRICT, WITHOUT ROWID;

INSERT INTO posts (kind, receiver, event, item, state, chat, attempts, next_at, tried_at, status, answer, latency, error)
SELECT 0, webhook, event, CAST('' AS BLOB), state, chat, attempts, next_at, tried_at, status, answer, latency, error
FROM webhook_deliveries;

INSERT INTO posts (kind, receiver, event, item, state, attempts, next_at, tried_at, error)
SELECT 1, CAST('' AS BLOB), 0, id, state, attempts, next_at, delivered_at, last_error FROM callbacks;

INSERT INTO posts (kind, receiver, event, item, state, attempts, next_at, tried_at, error, message)
SELECT 2, CAST(target AS BLOB), 0, notice, state, attempts, next_at, done_at, last_error, message FROM alert_deliveries;

DROP TABLE webhook_deliveries;
DROP TABLE alert_deliveries;
DROP INDEX callbacks_waiting;
DROP INDEX callbacks_delivered;
ALTER TABLE callbacks DROP COLUMN state;
ALTER TABLE callbacks DROP COLUMN attempts;
ALTER TABLE callbacks DROP COLUMN next_at;
ALTER TABLE callbacks DROP COLUMN last_error;
ALTER TABLE callbacks DROP COLUMN delivered_at;

-- Each kind has its own, so that none reads the rows of another.
CREATE INDEX posts_events ON posts (receiver, next_at, event) WHERE kind = 0 AND state = 0;
CREATE INDEX posts_in_order ON posts (receiver, chat, event) WHERE kind = 0 AND state = 0 AND chat IS NOT NULL;
CREATE INDEX posts_given_up ON posts (receiver, event) WHERE kind = 0 AND state = 1;
CREATE INDEX posts_callbacks ON posts (next_at, item) WHERE kind = 1 AND state = 0;
CREATE INDEX posts_notices ON posts (receiver, item) WHERE kind = 2 AND state = 0;
CREATE INDEX posts_items ON posts (kind, item) WHERE event = 0;
CREATE INDEX posts_over ON posts (kind, tried_at) WHERE state <> 0;
