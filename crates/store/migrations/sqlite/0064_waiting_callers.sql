-- Callers without a key that wait for their message: one row for all that a group took in, not one for each.
CREATE TABLE waiting_callers (
    first_message BLOB NOT NULL PRIMARY KEY,
    -- For each caller the fingerprint of its request, the message, and for how many microseconds it can be joined.
    callers BLOB NOT NULL
) STRICT, WITHOUT ROWID;
