-- Lines of an older program's records that were taken over, by a digest of what they say, so that none is taken twice.

CREATE TABLE imported_lines (
    digest BLOB NOT NULL PRIMARY KEY,
    imported_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
