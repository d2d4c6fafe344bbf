-- Telegram chats: what each account knows of them, the account that each chat goes through, and the registry of chats made here.

-- Chats and people as an account knows them.
CREATE TABLE telegram_peers (
    account TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    -- What Telegram wants of this account to address the peer.
    access_hash INTEGER NOT NULL,
    -- user, bot, own_user, group, supergroup or channel.
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    -- The public name, and when Telegram last confirmed it.
    username TEXT,
    named_at INTEGER,
    -- The phone number of a person, digits only, where Telegram shows it to the account.
    phone TEXT,
    -- Whether the account has a dialog with the peer or is a member.
    dialog INTEGER NOT NULL,
    -- Whether the peer is in the account's contacts.
    contact INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, chat_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX telegram_peers_by_name ON telegram_peers (account, username) WHERE username IS NOT NULL;
-- The accounts that are in a chat.
CREATE INDEX telegram_peers_by_chat ON telegram_peers (chat_id, account) WHERE dialog = 1;
-- The names and phone numbers by which the do-not-contact list may name a chat.
CREATE INDEX telegram_peers_known_as ON telegram_peers (chat_id) WHERE username IS NOT NULL OR phone IS NOT NULL;

-- How far an account has read its dialogs for the first time.
CREATE TABLE telegram_fills (
    account TEXT NOT NULL PRIMARY KEY,
    complete INTEGER NOT NULL,
    -- Where the reading continues: the date (seconds since 1970), id and chat of the last message seen.
    offset_date INTEGER NOT NULL,
    offset_id INTEGER NOT NULL,
    offset_peer INTEGER,
    -- When the account last read its newest dialogs.
    refreshed_at INTEGER
) STRICT, WITHOUT ROWID;

-- The account that a chat goes through.
CREATE TABLE chat_bindings (
    chat_id INTEGER NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    bound_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The registry: chats that were made, changed or left here.
CREATE TABLE chats (
    chat_id INTEGER NOT NULL PRIMARY KEY,
    -- As in telegram_peers.
    kind TEXT,
    title TEXT,
    about TEXT,
    invite_link TEXT,
    -- The operation that made the chat.
    operation BLOB,
    created_at INTEGER,
    left_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX chats_by_title ON chats (title, chat_id) WHERE created_at IS NOT NULL;
CREATE INDEX chats_left ON chats (chat_id) WHERE left_at IS NOT NULL;

-- Basic groups that became supergroups.
CREATE TABLE chat_migrations (
    from_id INTEGER NOT NULL PRIMARY KEY,
    to_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Chats that no account finds.
CREATE TABLE unresolved_chats (
    chat TEXT NOT NULL PRIMARY KEY,
    -- How many messages and operations ended for this.
    count INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    -- JSON: what each account answered last.
    accounts TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX unresolved_chats_by_time ON unresolved_chats (last_at, chat);

-- The callers who asked for them.
CREATE TABLE unresolved_callers (
    chat TEXT NOT NULL,
    listener TEXT NOT NULL,
    -- Empty, not NULL, where there is none.
    api_key BLOB NOT NULL,
    address TEXT NOT NULL,
    count INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (chat, listener, api_key, address)
) STRICT, WITHOUT ROWID;

-- Work that went to another account than its first choice.
CREATE TABLE failovers (
    seq INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    chat_id INTEGER,
    from_account TEXT NOT NULL,
    to_account TEXT NOT NULL,
    -- In words.
    reason TEXT NOT NULL,
    -- The id of the message or operation, as the API shows it; by_hand where a person moved the chat.
    subject TEXT NOT NULL
) STRICT;

CREATE INDEX failovers_by_time ON failovers (at, seq);
