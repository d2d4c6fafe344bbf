-- Cards that stayed red, who is told about them, and when nobody wants to be.

CREATE TABLE alerts (
    id BLOB NOT NULL PRIMARY KEY,
    card TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The card that this one is a part of.
    parent TEXT,
    -- open, cleared, joined, gone.
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT,
    raised_at INTEGER NOT NULL,
    closed_at INTEGER,
    -- The alert of the parent, which speaks for this one.
    joined_to BLOB,
    told_at INTEGER,
    reminded_at INTEGER,
    -- Set once it is closed and there is nothing left to tell about it.
    finished_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX alerts_unfinished ON alerts (id) WHERE finished_at IS NULL;
CREATE INDEX alerts_finished ON alerts (finished_at) WHERE finished_at IS NOT NULL;

-- What is told at one time; JSON.
CREATE TABLE alert_notices (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    payload TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_notices_by_time ON alert_notices (at);

-- States: 0 waiting, 1 given up, 2 delivered.
CREATE TABLE alert_deliveries (
    target TEXT NOT NULL,
    notice BLOB NOT NULL,
    state INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    -- The message that carries it, where a target is a chat.
    message BLOB,
    done_at INTEGER,
    PRIMARY KEY (target, notice)
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_deliveries_waiting ON alert_deliveries (target, notice) WHERE state = 0;

-- Targets that are not in the settings.
CREATE TABLE alert_targets (
    name TEXT NOT NULL PRIMARY KEY,
    -- Sealed with the master key: addresses often carry a secret.
    record BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What is known of each target, wherever it was declared.
CREATE TABLE alert_target_standings (
    name TEXT NOT NULL PRIMARY KEY,
    told_at INTEGER,
    failed_at INTEGER,
    last_error TEXT,
    -- Since when it wants nothing more.
    off_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE alert_mutes (
    card TEXT NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL,
    muted_at INTEGER NOT NULL,
    muted_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE maintenance_windows (
    id BLOB NOT NULL PRIMARY KEY,
    -- When and what for; JSON.
    record TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
