-- What other programs hear of, in the order of the commits. `seq` is the microsecond of the commit, or one more than the row
-- before; `nth` counts the rows, those that were removed too. `chat` is the chat's id once that is known, else as the caller
-- named it. `data` is JSON without texts of messages and without secrets.
CREATE TABLE events (
    seq INTEGER NOT NULL PRIMARY KEY,
    nth INTEGER NOT NULL,
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    account TEXT,
    chat TEXT,
    data TEXT NOT NULL
) STRICT;
