-- Events: what other programs read. An event is written in the transaction of the change that it reports.

CREATE TABLE events (
    -- The id: the microsecond of the commit, or one more than the event before. Its order is the order of the commits.
    seq INTEGER NOT NULL PRIMARY KEY,
    -- Counts all events, removed ones included.
    nth INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    account TEXT,
    -- The chat's id where it is known, otherwise the chat as the caller named it.
    chat TEXT,
    -- JSON, without texts of messages and without secrets.
    data TEXT NOT NULL
) STRICT;
