-- Endpoints of other programs that events are posted to.
CREATE TABLE webhooks (
    id BLOB NOT NULL PRIMARY KEY,
    -- Sealed with the master key: the address, the secret, the one before it, the headers.
    record BLOB NOT NULL,
    description TEXT,
    -- Which events, JSON.
    filter TEXT NOT NULL,
    -- Whether the events of one chat are posted one after another.
    ordered INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    paused_at INTEGER,
    disabled_at INTEGER,
    disabled_reason TEXT,
    -- Events up to this one have their deliveries.
    cursor INTEGER NOT NULL,
    -- Events of a replay that still get deliveries once more: behind the first, up to the second.
    replay_after INTEGER,
    replay_until INTEGER,
    delivered_at INTEGER,
    -- Since when every attempt failed, and how many did.
    failing_since INTEGER,
    failures INTEGER NOT NULL,
    -- Until when posts are signed with the secret before, too.
    previous_until INTEGER,
    last_error TEXT
) STRICT, WITHOUT ROWID;

-- What became of one event for one webhook. States: 0 waiting, 1 dead, 2 delivered.
CREATE TABLE webhook_deliveries (
    webhook BLOB NOT NULL,
    event INTEGER NOT NULL,
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
    PRIMARY KEY (webhook, event)
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_deliveries_waiting ON webhook_deliveries (webhook, next_at, event) WHERE state = 0;
CREATE INDEX webhook_deliveries_in_order ON webhook_deliveries (webhook, chat, event) WHERE state = 0 AND chat IS NOT NULL;
CREATE INDEX webhook_deliveries_dead ON webhook_deliveries (webhook, event) WHERE state = 1;
CREATE INDEX webhook_deliveries_over ON webhook_deliveries (tried_at) WHERE state <> 0;
