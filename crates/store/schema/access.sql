-- Users of the dashboard, their sessions, keys of the HTTP API, and the audit log.

CREATE TABLE users (
    name TEXT NOT NULL PRIMARY KEY,
    -- agent, viewer, operator or admin.
    role TEXT NOT NULL,
    -- Sealed: the Argon2id text of the password.
    password BLOB NOT NULL,
    -- When the password was set.
    password_at INTEGER NOT NULL,
    -- Sealed: the TOTP secret in force, and one that was offered and is not confirmed yet.
    factor BLOB,
    offered BLOB,
    -- The TOTP time step of the last accepted code. Codes of this step and earlier ones are refused.
    factor_step INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    signed_in_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE recovery_codes (
    "user" TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    -- SHA-256 of the code.
    hash BLOB NOT NULL,
    PRIMARY KEY ("user", hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_sessions (
    -- SHA-256 of the token in the cookie.
    token BLOB NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    "user" TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    -- The last use, to the minute.
    seen_at INTEGER NOT NULL,
    -- The IP address of the last use, and the User-Agent of the first.
    address TEXT,
    browser TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX user_sessions_by_user ON user_sessions ("user", created_at);

-- Browsers in which a user has signed in. Wrong passwords from elsewhere do not delay sign-ins from these.
CREATE TABLE user_devices (
    -- SHA-256 of the token in the cookie.
    token BLOB NOT NULL PRIMARY KEY,
    "user" TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    -- The last sign-in.
    signed_in_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX user_devices_by_user ON user_devices ("user", signed_in_at);

CREATE TABLE api_keys (
    id BLOB NOT NULL PRIMARY KEY,
    -- SHA-256 of the key.
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- Words of send, read, operate and admin, separated by spaces.
    scopes TEXT NOT NULL,
    -- JSON: the accounts, chats and channels that the key may use. NULL: all.
    limits TEXT,
    -- For how long a request with the same body repeats the first one. NULL: every request is new.
    repeats INTEGER,
    -- How many requests it may make, such as 600/m, and how many of them at once. NULL: as the settings say.
    rate TEXT,
    burst INTEGER,
    -- 1: the environment named this key at start. At most one such key is valid.
    bootstrap INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    -- The last use, and the IP address that it came from.
    used_at INTEGER,
    used_from TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_log (
    seq INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    -- Who acted: user, api_key, machine, program or nobody; then the name of the user or the id of the key.
    kind TEXT NOT NULL,
    who TEXT,
    -- What was done, such as create_key, and to what.
    action TEXT NOT NULL,
    subject TEXT,
    -- JSON: more fields, all safe to show.
    details TEXT NOT NULL,
    -- The IP address of the caller.
    address TEXT,
    -- done, refused, failed or unknown; the problem code where it was not done.
    result TEXT NOT NULL,
    code TEXT,
    -- How often the same action was repeated shortly afterwards, this one included, and when the last time was.
    times INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_log_by_time ON audit_log (at);
-- Finds the entry that a repeated action increments.
CREATE INDEX audit_log_same ON audit_log (action, kind, who, subject, address, result, code, at);
-- Counts the entries of each kind of actor and result: each has its own maximum.
CREATE INDEX audit_log_by_result ON audit_log (kind, result, seq);
