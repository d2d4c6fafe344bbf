CREATE TABLE telegram_accounts (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    priority BIGINT NOT NULL,
    in_pool BIGINT NOT NULL,
    api_id BIGINT NOT NULL,
    api_hash BYTEA NOT NULL,
    phone BYTEA,
    proxy BYTEA,
    created_at BIGINT NOT NULL
);

ALTER TABLE telegram_sessions ADD COLUMN purposes TEXT COLLATE "C";

CREATE TABLE telegram_ownerless_sessions (
    fingerprint BYTEA NOT NULL PRIMARY KEY,
    dc_id BIGINT NOT NULL,
    auth_key BYTEA NOT NULL,
    user_id BIGINT,
    username TEXT COLLATE "C",
    display_name TEXT COLLATE "C",
    origin TEXT COLLATE "C" NOT NULL,
    saved_at BIGINT NOT NULL
);

CREATE TABLE telegram_logins (
    account TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    record BYTEA NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE telegram_restrictions (
    account TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    reason TEXT COLLATE "C" NOT NULL,
    since BIGINT NOT NULL
);
