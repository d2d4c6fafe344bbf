-- The files of messages that came in through channels which are stored here. `seq` is that of the message, `place` that of the file in
-- its `media`.
CREATE TABLE channel_files (
    seq INTEGER NOT NULL,
    place INTEGER NOT NULL,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    -- 0 wanted, 1 stored, 2 gone at the provider, 3 too large.
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    -- Not before this.
    due_at INTEGER NOT NULL,
    -- Its name in the folder of received files, its content, and its type as far as it is known.
    file TEXT,
    sha256 BLOB,
    mime TEXT,
    -- Why it is not stored.
    failure TEXT,
    PRIMARY KEY (seq, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX channel_files_due ON channel_files (channel, account, due_at) WHERE state = 0;
