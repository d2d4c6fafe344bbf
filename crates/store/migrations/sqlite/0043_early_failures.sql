-- That something was not delivered, told before the outcome of its send is stored: it is applied once that is, and forgotten after a
-- week.
CREATE TABLE early_failures (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, provider_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX early_failures_by_time ON early_failures (kept_at);
