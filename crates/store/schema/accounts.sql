-- Telegram user accounts: what their owner set, their sessions and logins, what holds them back, and their update state.
-- `account` is the name of an account, of this table or of the settings.

-- Accounts that were added at runtime. Those of the settings have no row.
CREATE TABLE telegram_accounts (
    name TEXT NOT NULL PRIMARY KEY,
    -- Lower numbers are used first.
    priority INTEGER NOT NULL,
    -- Whether the account carries work that names no account.
    in_pool INTEGER NOT NULL,
    -- The Telegram application. The hash, the phone number and the address of the proxy are sealed.
    api_id INTEGER NOT NULL,
    api_hash BLOB NOT NULL,
    phone BLOB,
    proxy BLOB,
    -- Sending limits of the owner. NULL: no limit.
    messages_per_hour INTEGER,
    messages_per_day INTEGER,
    -- JSON: which received messages are kept. NULL: the default.
    keep TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What people noted about an account.
CREATE TABLE account_notes (
    account TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The sessions of each account.
CREATE TABLE telegram_sessions (
    account TEXT NOT NULL,
    -- Identifies the key.
    fingerprint BLOB NOT NULL,
    -- What the session does: words of create_chat, send_text, send_media and leave_chat, joined by `+`.
    -- NULL: the settings say it, or the session is only kept.
    purposes TEXT,
    -- The data centre that issued the key, and the sealed key.
    dc_id INTEGER NOT NULL,
    auth_key BLOB NOT NULL,
    -- The signed-in user.
    user_id INTEGER,
    username TEXT,
    display_name TEXT,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (account, fingerprint)
) STRICT, WITHOUT ROWID;

-- Sessions that belong to no account. They are kept and never connected.
CREATE TABLE telegram_ownerless_sessions (
    fingerprint BLOB NOT NULL PRIMARY KEY,
    dc_id INTEGER NOT NULL,
    -- Sealed.
    auth_key BLOB NOT NULL,
    user_id INTEGER,
    username TEXT,
    display_name TEXT,
    -- In words: where the session came from.
    origin TEXT NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Logins under way.
CREATE TABLE telegram_logins (
    account TEXT NOT NULL PRIMARY KEY,
    -- Sealed JSON: the whole state of the login.
    record BLOB NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Accounts that a person paused or stopped. No row: the account is on.
CREATE TABLE telegram_switches (
    account TEXT NOT NULL PRIMARY KEY,
    -- on, paused (connected, without work) or stopped (not connected).
    switch TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Accounts that Telegram restricts as a whole, until a person starts them again.
CREATE TABLE telegram_restrictions (
    account TEXT NOT NULL PRIMARY KEY,
    -- peer_flood or frozen.
    reason TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Flood waits: until when an account must not make calls of one kind.
CREATE TABLE telegram_floods (
    account TEXT NOT NULL,
    -- The kind of call, such as send_message or resolve_peer.
    operation TEXT NOT NULL,
    held_until INTEGER NOT NULL,
    PRIMARY KEY (account, operation)
) STRICT, WITHOUT ROWID;

-- Slow modes: until when an account must not write in a chat.
CREATE TABLE telegram_slow_modes (
    account TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    held_until INTEGER NOT NULL,
    PRIMARY KEY (account, chat_id)
) STRICT, WITHOUT ROWID;

-- Chats in which an account may not write, with the error of Telegram and its time.
CREATE TABLE telegram_marks (
    account TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    why TEXT NOT NULL,
    refused_at INTEGER NOT NULL,
    PRIMARY KEY (account, chat_id)
) STRICT, WITHOUT ROWID;

-- The position of an account in Telegram's updates, in Telegram's own counters.
CREATE TABLE telegram_update_state (
    account TEXT NOT NULL PRIMARY KEY,
    -- Private dialogs and basic groups.
    pts INTEGER NOT NULL,
    -- Secret chats and bots.
    qts INTEGER NOT NULL,
    -- Telegram's time of the last update, in seconds since 1970.
    date INTEGER NOT NULL,
    -- Sequences of updates.
    seq INTEGER NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The same for each channel and supergroup.
CREATE TABLE telegram_channel_state (
    account TEXT NOT NULL,
    -- The bare id, without the prefix -100.
    channel_id INTEGER NOT NULL,
    pts INTEGER NOT NULL,
    PRIMARY KEY (account, channel_id)
) STRICT, WITHOUT ROWID;

-- Accounts with a sending limit: each part that they send is counted in sent_counts.
CREATE TABLE counted_accounts (account TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;

-- How many parts a counted account sent in each minute of the last day.
CREATE TABLE sent_counts (
    account TEXT NOT NULL,
    -- Minutes since 1970.
    minute INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (account, minute)
) STRICT, WITHOUT ROWID;
