-- What an account was not told of and reads from the histories of its chats: a row for each of them, and how far that is.
CREATE TABLE received_gaps (
    account TEXT NOT NULL,
    -- 0: which private chats and basic groups it concerns is to be seen yet.
    chat_id INTEGER NOT NULL,
    -- What was written before this, by Telegram's clock, was told.
    since INTEGER NOT NULL,
    -- The newest message that was read.
    reached INTEGER,
    -- How many were read.
    messages INTEGER NOT NULL,
    noticed_at INTEGER NOT NULL,
    -- Why the rest is not read.
    failure TEXT,
    failed_at INTEGER,
    PRIMARY KEY (account, chat_id)
) STRICT, WITHOUT ROWID;
