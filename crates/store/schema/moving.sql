-- Moves to another machine: which side holds the Telegram sessions.

-- At most one row, written by the first move. Of two fences the one with the larger number holds.
CREATE TABLE fences (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    -- The side that may open the sessions, and the side that gave them up: the id and the name of each.
    holder TEXT NOT NULL,
    holder_name TEXT NOT NULL,
    giver TEXT NOT NULL,
    giver_name TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Accounts whose sessions the holder opens one by one.
CREATE TABLE session_fences (
    account TEXT NOT NULL PRIMARY KEY,
    -- The number of the fence.
    number INTEGER NOT NULL,
    -- NULL: the holder has not opened the session yet.
    opened_at INTEGER
) STRICT, WITHOUT ROWID;
