-- What was taken over from old programs.

-- Lines of the old account registry that were imported, so that none is imported twice.
CREATE TABLE imported_lines (
    -- The first half of a SHA-256 over the fields of the line.
    digest BLOB NOT NULL PRIMARY KEY,
    imported_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Imports of clients, appeals and history (pipeline.sql), and how many rows of each they brought.
CREATE TABLE pipeline_imports (
    id BLOB NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    undone_at INTEGER,
    clients INTEGER NOT NULL,
    appeals INTEGER NOT NULL,
    messages INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
