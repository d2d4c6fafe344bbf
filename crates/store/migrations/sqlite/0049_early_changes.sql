-- What became of a message of a channel before it came in: it is applied once that is stored, and forgotten after a week.
CREATE TABLE early_changes (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    external_id TEXT NOT NULL,
    changes TEXT NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, external_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX early_changes_by_time ON early_changes (kept_at);
