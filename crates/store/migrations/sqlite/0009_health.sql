-- The clearing of flood waits that runs, if one does. Beats are not here: they have a file of their own.

CREATE TABLE flood_clearing (
    -- One at a time.
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    -- stop_all or pause_flooded.
    how TEXT NOT NULL,
    phase TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    -- When the next thing is due.
    until INTEGER,
    -- What is left is done at once.
    hurry INTEGER NOT NULL,
    -- Services joined by `+`, each in the order of starting: those still to be started, those started again, and those
    -- that nothing is asked for.
    waiting TEXT NOT NULL,
    done TEXT NOT NULL,
    silent TEXT NOT NULL
) STRICT;

-- Accounts that it has paused, each until its deadline.
CREATE TABLE flood_pauses (
    account TEXT NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
