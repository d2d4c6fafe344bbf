-- People of the dashboard, their sessions, and what was done by whom.

CREATE TABLE users (
    name TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    -- Sealed: the Argon2id text of the password.
    password BLOB NOT NULL,
    password_at INTEGER NOT NULL,
    -- Sealed: the secret of the second factor in force, and one that was offered and not confirmed yet.
    factor BLOB,
    offered BLOB,
    -- The step of the last code that was taken; none of it or before it is taken again.
    factor_step INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    signed_in_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    -- SHA-256 of the code.
    hash BLOB NOT NULL,
    PRIMARY KEY (user, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_sessions (
    -- SHA-256 of the token in the cookie.
    token BLOB NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    address TEXT,
    browser TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX user_sessions_by_user ON user_sessions (user, created_at);

CREATE TABLE audit_log (
    seq INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    -- user, api_key, machine, program or nobody; who of them, where there are several.
    kind TEXT NOT NULL,
    who TEXT,
    action TEXT NOT NULL,
    subject TEXT,
    details TEXT NOT NULL,
    address TEXT,
    result TEXT NOT NULL,
    code TEXT,
    -- The same again soon after is counted, not repeated.
    times INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_log_by_action ON audit_log (action, seq);
CREATE INDEX audit_log_by_time ON audit_log (at);
