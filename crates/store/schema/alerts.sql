-- Alerts about cards of the health page that stay red, the notices about them, and who receives those.
-- How the delivery of a notice to a target goes is a row of posts, of kind 2 (webhooks.sql).

CREATE TABLE alerts (
    id BLOB NOT NULL PRIMARY KEY,
    -- The card, such as account:main; the kind of thing it shows, and what people call that.
    card TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    -- The card that this one is a part of.
    parent TEXT,
    -- open; cleared: the card is well again; joined: the alert of the parent speaks for this one; gone: the card is no more.
    state TEXT NOT NULL,
    -- Why the card is red: a word, and a sentence.
    reason TEXT NOT NULL,
    detail TEXT,
    raised_at INTEGER NOT NULL,
    -- When the targets were notified, and reminded last.
    told_at INTEGER,
    reminded_at INTEGER,
    -- When it was open no more.
    closed_at INTEGER,
    -- The alert of the parent, where the state is joined.
    joined_to BLOB,
    -- When it was closed and nothing was left to report.
    finished_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX alerts_unfinished ON alerts (id) WHERE finished_at IS NULL;
CREATE INDEX alerts_finished ON alerts (finished_at) WHERE finished_at IS NOT NULL;

-- What the targets are notified of at one time.
CREATE TABLE alert_notices (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    -- JSON.
    payload TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_notices_by_time ON alert_notices (at);

-- Targets that were added at runtime. Those of the settings have no row.
CREATE TABLE alert_targets (
    name TEXT NOT NULL PRIMARY KEY,
    -- Sealed JSON: the kind of target, its address and passwords.
    record BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The health of each target, of this store or of the settings.
CREATE TABLE alert_target_standings (
    name TEXT NOT NULL PRIMARY KEY,
    -- The last delivery.
    told_at INTEGER,
    -- The last failure since then.
    failed_at INTEGER,
    last_error TEXT,
    -- When the target refused all further notices.
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
    -- JSON: when, and what for.
    record TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
