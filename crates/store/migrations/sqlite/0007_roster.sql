-- Telegram accounts that were added while the program ran, their sessions, and how far somebody is with signing in.

CREATE TABLE telegram_accounts (
    name TEXT NOT NULL PRIMARY KEY,
    priority INTEGER NOT NULL,
    in_pool INTEGER NOT NULL,
    api_id INTEGER NOT NULL,
    -- These three are sealed with the master key.
    api_hash BLOB NOT NULL,
    phone BLOB,
    proxy BLOB,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a session is used for, its purposes joined by `+`. NULL: it is only remembered, as those of the settings are.
ALTER TABLE telegram_sessions ADD COLUMN purposes TEXT;

-- Sessions that belong to no account: kept, and not connected.
CREATE TABLE telegram_ownerless_sessions (
    fingerprint BLOB NOT NULL PRIMARY KEY,
    dc_id INTEGER NOT NULL,
    -- Sealed with the master key.
    auth_key BLOB NOT NULL,
    user_id INTEGER,
    username TEXT,
    display_name TEXT,
    -- Where it came from, in words.
    origin TEXT NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE telegram_logins (
    account TEXT NOT NULL PRIMARY KEY,
    -- Everything about it, sealed with the master key.
    record BLOB NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What Telegram keeps a whole account from, until it is started over by hand.
CREATE TABLE telegram_restrictions (
    account TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
