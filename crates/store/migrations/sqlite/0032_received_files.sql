-- The files of messages that came in which are fetched without being asked for, by the rule of the account. `seq` is that of
-- the message.
CREATE TABLE received_files (
    seq INTEGER NOT NULL PRIMARY KEY,
    -- The account that fetches it.
    account TEXT NOT NULL,
    -- 0 to be fetched, 1 it lies here, 2 given up.
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    -- Not before this.
    due_at INTEGER NOT NULL,
    -- Its name in the folder of received files, and its content.
    file TEXT,
    sha256 BLOB,
    -- Why it was given up.
    failure TEXT
) STRICT;

CREATE INDEX received_files_due ON received_files (account, due_at) WHERE state = 0;
