-- Channels: messages that customers wrote to accounts of other providers, and what the provider says of those we sent.

CREATE TABLE channel_messages (
    -- The microsecond of writing, or one more than the row before.
    seq INTEGER NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- The provider's id.
    external_id TEXT NOT NULL,
    -- 0 a person, 1 a bot, 2 the account with another app, 3 a notice of the provider. 4: the account, with another app or with
    -- Switchboard. A row of 4 stays hidden until the send has ended and decides.
    origin INTEGER NOT NULL,
    -- private, group, channel or broadcast; the whole group, where the chat is one topic of it; the title of the group; and whether
    -- a message of a group mentions the account.
    chat_type TEXT NOT NULL,
    chat_group TEXT,
    chat_title TEXT,
    mentions_us INTEGER NOT NULL,
    -- The writer, and how it was proved that the id, the number and the address are theirs (ContactProof).
    user_id TEXT,
    sender_proof TEXT NOT NULL,
    name TEXT,
    phone TEXT,
    phone_proof TEXT,
    email TEXT,
    email_proof TEXT,
    -- Of a mail that begins a thread or calls it otherwise.
    subject TEXT,
    text TEXT NOT NULL,
    -- All of the text, where `text` is without what it quotes.
    whole_text TEXT,
    -- Whether no program may answer the message.
    is_for_people INTEGER NOT NULL DEFAULT 0,
    -- JSON. NULL: none.
    media TEXT,
    reply_to TEXT,
    -- JSON: the advertisement that the customer came from.
    ad TEXT,
    -- JSON: the reactions, by who gave them.
    reactions TEXT,
    -- The provider's own record.
    raw TEXT,
    -- The provider's time.
    sent_at INTEGER NOT NULL,
    -- The place in the conversation: `seq` where the message came at once, otherwise `sent_at`.
    place INTEGER NOT NULL,
    edited_at INTEGER,
    deleted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX channel_messages_by_id ON channel_messages (channel, account, external_id);
CREATE INDEX channel_messages_by_chat ON channel_messages (channel, account, chat, place, seq);
CREATE INDEX channel_messages_by_account ON channel_messages (channel, account, seq);
CREATE INDEX channel_messages_unsettled ON channel_messages (channel, account) WHERE origin = 4;

-- The files of channel_messages. `seq` is that of the message, `place` the file's place in `media`.
CREATE TABLE channel_files (
    seq INTEGER NOT NULL,
    place INTEGER NOT NULL,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    -- 0 waiting, 1 stored, 2 gone at the provider, 3 too large.
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    -- The next attempt.
    due_at INTEGER NOT NULL,
    -- The name in the folder of received files, the content, and the type where it is known.
    file TEXT,
    sha256 BLOB,
    mime TEXT,
    -- Why it is not stored.
    failure TEXT,
    PRIMARY KEY (seq, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX channel_files_due ON channel_files (channel, account, due_at) WHERE state = 0;

-- The chats of an account of a channel.
CREATE TABLE channel_chats (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- The customer.
    user_id TEXT,
    name TEXT,
    phone TEXT,
    -- The customer's last message.
    last_in_at INTEGER,
    -- Since when the chat takes no messages.
    unreachable_at INTEGER,
    PRIMARY KEY (channel, account, chat)
) STRICT, WITHOUT ROWID;

-- Events of providers that were processed. A provider that repeats one changes nothing.
CREATE TABLE channel_events (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    event_key TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, event_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX channel_events_by_time ON channel_events (at);

-- Edits, deletions and reactions that came before their message. They are applied to it, and dropped after a week.
CREATE TABLE early_changes (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    external_id TEXT NOT NULL,
    -- JSON.
    changes TEXT NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, external_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX early_changes_by_time ON early_changes (kept_at);

-- Where polling a provider continues.
CREATE TABLE channel_cursors (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    cursor TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- Renewed tokens and generated secrets of an account.
CREATE TABLE channel_values (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Sealed.
    value BLOB NOT NULL,
    PRIMARY KEY (channel, account, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE channel_health (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    -- JSON: the errors of the last day, counted by ten minutes, and the last one.
    health TEXT NOT NULL,
    PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- The provider's ids of messages of the outbox.
CREATE TABLE provider_messages (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    -- The message, the part, and the item of the part.
    message_id BLOB NOT NULL,
    part INTEGER NOT NULL,
    item INTEGER NOT NULL,
    -- 0 sent, 1 delivered, 2 read.
    receipt INTEGER NOT NULL,
    -- JSON: the reactions, by who gave them.
    reactions TEXT,
    PRIMARY KEY (channel, account, provider_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX provider_messages_of_message ON provider_messages (message_id);
-- What an account sent last: ids of messages grow with time.
CREATE INDEX provider_messages_by_account ON provider_messages (channel, account, message_id);

-- Failures that came before the outcome of their send was stored. They are applied to it, and dropped after a week.
CREATE TABLE early_failures (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, provider_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX early_failures_by_time ON early_failures (kept_at);
