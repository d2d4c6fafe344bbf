-- Messages that Telegram accounts received, their files, and what an account missed.

-- One row for each message. Messages that Switchboard sent have no row: they are in the outbox.
CREATE TABLE received_messages (
    -- The microsecond of writing, or one more than the row before.
    seq INTEGER NOT NULL PRIMARY KEY,
    -- The account that counts `message_id`. Empty in supergroups and channels, where all accounts see the same number.
    owner TEXT NOT NULL,
    chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    -- The account that received the message first.
    account TEXT NOT NULL,
    -- 0 a person, 1 a bot, 2 an account with another app, 3 a service message. 4: an account, with another app or with Switchboard.
    -- A row of 4 stays hidden until the send has ended and decides.
    origin INTEGER NOT NULL,
    sender_id INTEGER,
    sender_name TEXT,
    text TEXT NOT NULL,
    -- JSON. NULL: none.
    entities TEXT,
    media TEXT,
    forward TEXT,
    reactions TEXT,
    -- A change of the chat that a service message reports.
    service TEXT,
    reply_to INTEGER,
    -- The same number for all messages of an album.
    album INTEGER,
    -- Telegram's time, in whole seconds.
    sent_at INTEGER NOT NULL,
    -- The place in the conversation: `seq` where the message came at once, otherwise `sent_at`.
    place INTEGER NOT NULL,
    edited_at INTEGER,
    -- When Switchboard learned of the deletion.
    deleted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX received_messages_by_number ON received_messages (owner, message_id, chat_id);
CREATE INDEX received_messages_by_chat ON received_messages (chat_id, place, seq);
CREATE INDEX received_messages_unsettled ON received_messages (account) WHERE origin = 4;

-- Files that an account fetches because its keep rule says so. `seq` is that of the message.
CREATE TABLE received_files (
    seq INTEGER NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    -- 0 waiting, 1 stored, 2 given up.
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    -- The next attempt.
    due_at INTEGER NOT NULL,
    -- The name in the folder of received files, and the content.
    file TEXT,
    sha256 BLOB,
    -- Why it was given up.
    failure TEXT
) STRICT;

CREATE INDEX received_files_due ON received_files (account, due_at) WHERE state = 0;

-- What an account missed and reads from the history of each chat.
CREATE TABLE received_gaps (
    account TEXT NOT NULL,
    -- 0: which private chats and basic groups are concerned is not known yet.
    chat_id INTEGER NOT NULL,
    -- Everything before this was received, by Telegram's time.
    since INTEGER NOT NULL,
    -- The newest message that was read, and how many were.
    reached INTEGER,
    messages INTEGER NOT NULL,
    noticed_at INTEGER NOT NULL,
    -- Why the rest is not read.
    failure TEXT,
    failed_at INTEGER,
    PRIMARY KEY (account, chat_id)
) STRICT, WITHOUT ROWID;
