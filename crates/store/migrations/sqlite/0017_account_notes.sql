-- What people note about an account, and who wrote it, as the API shows them.
CREATE TABLE account_notes (
    account TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
