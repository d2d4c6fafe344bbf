-- Which side of a move holds the sessions: one row, once there was a move. Of two fences the larger number holds.
CREATE TABLE fences (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    -- The sides, each by its id and its name.
    holder TEXT NOT NULL,
    holder_name TEXT NOT NULL,
    giver TEXT NOT NULL,
    giver_name TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The accounts whose sessions were given up with a fence. NULL: the new holder has not opened them yet.
CREATE TABLE session_fences (
    account TEXT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    opened_at INTEGER
) STRICT, WITHOUT ROWID;
