-- Flows that are written while the program runs, beside those of the settings.
CREATE TABLE flow_definitions (
    name TEXT NOT NULL PRIMARY KEY,
    -- One flow, TOML.
    definition TEXT NOT NULL,
    -- Grows with each change.
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
