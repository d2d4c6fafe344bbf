-- Services that are stopped, and the clearing of flood waits that is under way.
-- A service is create_chat, send_text, send_media or leave_chat.

-- Services that a person stopped.
CREATE TABLE service_switches (
    service TEXT NOT NULL PRIMARY KEY,
    stopped_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The clearing under way: at most one row.
CREATE TABLE flood_clearing (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    -- stop_all or pause_flooded.
    how TEXT NOT NULL,
    -- The phase, and when the next one begins.
    phase TEXT NOT NULL,
    until INTEGER,
    -- Whether the rest is done without waiting.
    hurry INTEGER NOT NULL,
    -- Services joined by `+`: still to be started, in that order; running again; those that make no calls to Telegram.
    waiting TEXT NOT NULL,
    done TEXT NOT NULL,
    silent TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    asked_by TEXT NOT NULL
) STRICT;

-- Accounts that the clearing paused.
CREATE TABLE flood_pauses (
    account TEXT NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
