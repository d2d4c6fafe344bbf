-- What came in through channels, in the order in which it was written: `seq` is the microsecond of that, or one more than the row
-- before.
CREATE TABLE channel_messages (
    seq INTEGER NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- The provider's.
    external_id TEXT NOT NULL,
    -- 0 a person, 1 a bot, 2 the account with another app, 3 a notice of the provider; 4 the account with another app or this program:
    -- seen once the send is over, and not shown before.
    origin INTEGER NOT NULL,
    user_id TEXT,
    name TEXT,
    phone TEXT,
    email TEXT,
    text TEXT NOT NULL,
    -- JSON, NULL where there is nothing.
    media TEXT,
    reply_to TEXT,
    ad TEXT,
    -- What the provider said.
    raw TEXT,
    -- By the provider's clock.
    sent_at INTEGER NOT NULL,
    -- Where it stands in the conversation: `seq` where it came at once, else `sent_at`.
    place INTEGER NOT NULL,
    edited_at INTEGER,
    deleted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX channel_messages_by_id ON channel_messages (channel, account, external_id);
CREATE INDEX channel_messages_by_chat ON channel_messages (channel, account, chat, place, seq);
CREATE INDEX channel_messages_by_account ON channel_messages (channel, account, seq);
CREATE INDEX channel_messages_unsettled ON channel_messages (channel, account) WHERE origin = 4;

-- What providers told, by what is the same when they tell it again.
CREATE TABLE channel_events (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    event_key TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, event_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX channel_events_by_time ON channel_events (at);

-- Where asking a provider goes on.
CREATE TABLE channel_cursors (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    cursor TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- The chats of channels: who is there, when they wrote last, and whether they take messages.
CREATE TABLE channel_chats (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    user_id TEXT,
    name TEXT,
    phone TEXT,
    last_in_at INTEGER,
    unreachable_at INTEGER,
    PRIMARY KEY (channel, account, chat)
) STRICT, WITHOUT ROWID;

-- Tokens that were renewed and secrets that were made, sealed with the master key.
CREATE TABLE channel_values (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (channel, account, name)
) STRICT, WITHOUT ROWID;

-- What was sent to a chat of a channel, for its conversation.
CREATE INDEX outbox_by_address ON outbox (chat, (coalesce(finished_at, updated_at)), id) WHERE chat_id IS NULL AND state >= 10;
