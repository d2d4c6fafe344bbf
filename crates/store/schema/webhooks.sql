-- Webhooks, and the deliveries of everything that is posted to other programs.

CREATE TABLE webhooks (
    id BLOB NOT NULL PRIMARY KEY,
    description TEXT,
    -- Sealed JSON: the address, the signing secret and those of before, the headers.
    record BLOB NOT NULL,
    -- JSON: which events it wants.
    filter TEXT NOT NULL,
    -- Whether the events of one chat are posted one after another.
    ordered INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    -- Paused by a person.
    paused_at INTEGER,
    -- Switched off by Switchboard, and why.
    disabled_at INTEGER,
    disabled_reason TEXT,
    -- Events up to this one have their rows in posts.
    cursor INTEGER NOT NULL,
    -- A replay under way: events after the first number, up to the second.
    replay_after INTEGER,
    replay_until INTEGER,
    -- The last successful delivery.
    delivered_at INTEGER,
    -- Since when every attempt failed, how many did, and the last error.
    failing_since INTEGER,
    failures INTEGER NOT NULL,
    last_error TEXT
) STRICT, WITHOUT ROWID;

-- Deliveries: one row for each thing and each receiver. A row is kept for some time after its end.
CREATE TABLE posts (
    -- 0 an event for a webhook, 1 an invite callback, 2 a notice about alerts.
    kind INTEGER NOT NULL,
    -- The id of the webhook, or the name of the alert target. Empty for a callback: the settings name its receiver.
    receiver BLOB NOT NULL,
    -- The event. 0 for a callback and a notice.
    event INTEGER NOT NULL,
    -- The id of the callback or notice. Empty for an event.
    item BLOB NOT NULL,
    -- 0 waiting, 1 given up, 2 delivered.
    state INTEGER NOT NULL,
    -- The chat whose order is kept, where the webhook is ordered.
    chat TEXT,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    -- The last attempt: its time, the HTTP status and the beginning of the answer, its duration in milliseconds, the error.
    tried_at INTEGER,
    status INTEGER,
    answer TEXT,
    latency INTEGER,
    error TEXT,
    -- The message of the outbox that carries a notice to a chat.
    message BLOB,
    -- The event stands before the kind: otherwise SQLite reads this key, with all that was delivered, in place of the indexes below.
    PRIMARY KEY (receiver, event, kind, item)
) STRICT, WITHOUT ROWID;

-- Each kind has indexes of its own, so that no query reads the rows of another kind.
CREATE INDEX posts_events ON posts (receiver, next_at, event) WHERE kind = 0 AND state = 0;
-- The condition ends with the state: so SQLite answers from the index alone.
CREATE INDEX posts_in_order ON posts (receiver, chat, event) WHERE chat IS NOT NULL AND kind = 0 AND state = 0;
CREATE INDEX posts_given_up ON posts (receiver, event) WHERE kind = 0 AND state = 1;
CREATE INDEX posts_callbacks ON posts (next_at, item) WHERE kind = 1 AND state = 0;
CREATE INDEX posts_notices ON posts (receiver, item) WHERE kind = 2 AND state = 0;
CREATE INDEX posts_items ON posts (kind, item) WHERE event = 0;
CREATE INDEX posts_over ON posts (kind, tried_at) WHERE state <> 0;
