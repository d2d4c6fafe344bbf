CREATE TABLE users (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    role TEXT COLLATE "C" NOT NULL,
    password BYTEA NOT NULL,
    password_at BIGINT NOT NULL,
    factor BYTEA,
    offered BYTEA,
    factor_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    signed_in_at BIGINT
);

CREATE TABLE recovery_codes (
    "user" TEXT COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    hash BYTEA NOT NULL,
    PRIMARY KEY ("user", hash)
);

CREATE TABLE user_sessions (
    token BYTEA NOT NULL PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    "user" TEXT COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    address TEXT COLLATE "C",
    browser TEXT COLLATE "C"
);

CREATE INDEX user_sessions_by_user ON user_sessions ("user", created_at);

CREATE TABLE audit_log (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    who TEXT COLLATE "C",
    action TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C",
    details TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C",
    result TEXT COLLATE "C" NOT NULL,
    code TEXT COLLATE "C",
    times BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);

CREATE INDEX audit_log_by_action ON audit_log (action, seq);
CREATE INDEX audit_log_by_time ON audit_log (at);
