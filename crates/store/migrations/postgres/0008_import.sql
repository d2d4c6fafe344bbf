CREATE TABLE imported_lines (
    digest BYTEA NOT NULL PRIMARY KEY,
    imported_at BIGINT NOT NULL
);
