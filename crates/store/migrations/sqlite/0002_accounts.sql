-- Telegram user accounts: sessions, where their updates stand, what holds them back, whom they know.

CREATE TABLE telegram_sessions (
    account TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    dc_id INTEGER NOT NULL,
    -- Sealed with the master key.
    auth_key BLOB NOT NULL,
    user_id INTEGER,
    username TEXT,
    display_name TEXT,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (account, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE telegram_update_state (
    account TEXT NOT NULL PRIMARY KEY,
    pts INTEGER NOT NULL,
    qts INTEGER NOT NULL,
    date INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE telegram_channel_state (
    account TEXT NOT NULL,
    channel_id INTEGER NOT NULL,
    pts INTEGER NOT NULL,
    PRIMARY KEY (account, channel_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE telegram_floods (
    account TEXT NOT NULL,
    operation TEXT NOT NULL,
    held_until INTEGER NOT NULL,
    PRIMARY KEY (account, operation)
) STRICT, WITHOUT ROWID;

CREATE TABLE telegram_slow_modes (
    account TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    held_until INTEGER NOT NULL,
    PRIMARY KEY (account, chat_id)
) STRICT, WITHOUT ROWID;

-- Chats that an account may not write in.
CREATE TABLE telegram_marks (
    account TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (account, chat_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE telegram_switches (
    account TEXT NOT NULL PRIMARY KEY,
    switch TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The account that a chat is used to.
CREATE TABLE chat_bindings (
    chat_id INTEGER NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    bound_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE telegram_peers (
    account TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    access_hash INTEGER NOT NULL,
    username TEXT,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    dialog INTEGER NOT NULL,
    PRIMARY KEY (account, chat_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX telegram_peers_by_name ON telegram_peers (account, username) WHERE username IS NOT NULL;

-- How far the first reading of an account's dialogs is.
CREATE TABLE telegram_fills (
    account TEXT NOT NULL PRIMARY KEY,
    complete INTEGER NOT NULL,
    offset_date INTEGER NOT NULL,
    offset_id INTEGER NOT NULL,
    offset_peer INTEGER,
    refreshed_at INTEGER
) STRICT, WITHOUT ROWID;
