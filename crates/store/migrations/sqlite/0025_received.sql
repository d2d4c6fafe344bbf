-- What came in, in the order in which it was written: `seq` is the microsecond of that, or one more than the row before. One
-- row a message: `owner` is empty in supergroups and channels, and else the account whose number `message_id` is; `account` is
-- the one that was told of it first. What this program sent has no row: it is in the outbox.
CREATE TABLE received_messages (
    seq INTEGER NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    account TEXT NOT NULL,
    -- 0 a person, 1 a bot, 2 an account with another app, 3 a notice of Telegram; 4 an account with another app or this program:
    -- seen once the send is over, and not shown before.
    origin INTEGER NOT NULL,
    sender_id INTEGER,
    sender_name TEXT,
    text TEXT NOT NULL,
    -- JSON, NULL where there is nothing: entities, media, where it was forwarded from, reactions.
    entities TEXT,
    media TEXT,
    forward TEXT,
    reactions TEXT,
    -- What happened, where it tells of a change of the chat.
    service TEXT,
    reply_to INTEGER,
    -- The messages of one album have the same.
    album INTEGER,
    -- By Telegram's clock.
    sent_at INTEGER NOT NULL,
    -- Where it stands in the conversation: `seq` where it came at once, as Telegram's clock has whole seconds, else `sent_at`.
    place INTEGER NOT NULL,
    edited_at INTEGER,
    -- When it was heard of.
    deleted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX received_messages_by_number ON received_messages (owner, message_id, chat_id);
CREATE INDEX received_messages_by_chat ON received_messages (chat_id, place, seq);
CREATE INDEX received_messages_unsettled ON received_messages (account) WHERE origin = 4;

-- What was sent into a chat, for its conversation, and to tell it from what an account writes with another app.
CREATE INDEX outbox_by_chat ON outbox (chat_id, (coalesce(finished_at, updated_at)), id) WHERE chat_id IS NOT NULL;

-- Which messages that come in an account keeps, JSON; NULL: as without a word.
ALTER TABLE telegram_accounts ADD COLUMN keep TEXT;
