-- How many parts an account has sent, by the minute since 1970: only those of counted accounts, and for a day.
CREATE TABLE sent_counts (
    account TEXT NOT NULL,
    minute INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (account, minute)
) STRICT, WITHOUT ROWID;

-- Accounts of which each part has been counted since they were first limited.
CREATE TABLE counted_accounts (account TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
