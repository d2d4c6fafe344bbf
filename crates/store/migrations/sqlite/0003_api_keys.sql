-- Keys of the HTTP API, as SHA-256 of their text.

CREATE TABLE api_keys (
    id BLOB NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    -- Made from the environment at start; at most one is in force.
    bootstrap INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
