CREATE TABLE telegram_sessions (
    account TEXT COLLATE "C" NOT NULL,
    fingerprint BYTEA NOT NULL,
    dc_id BIGINT NOT NULL,
    auth_key BYTEA NOT NULL,
    user_id BIGINT,
    username TEXT COLLATE "C",
    display_name TEXT COLLATE "C",
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (account, fingerprint)
);

CREATE TABLE telegram_update_state (
    account TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    pts BIGINT NOT NULL,
    qts BIGINT NOT NULL,
    date BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    saved_at BIGINT NOT NULL
);

CREATE TABLE telegram_channel_state (
    account TEXT COLLATE "C" NOT NULL,
    channel_id BIGINT NOT NULL,
    pts BIGINT NOT NULL,
    PRIMARY KEY (account, channel_id)
);

CREATE TABLE telegram_floods (
    account TEXT COLLATE "C" NOT NULL,
    operation TEXT COLLATE "C" NOT NULL,
    held_until BIGINT NOT NULL,
    PRIMARY KEY (account, operation)
);

CREATE TABLE telegram_slow_modes (
    account TEXT COLLATE "C" NOT NULL,
    chat_id BIGINT NOT NULL,
    held_until BIGINT NOT NULL,
    PRIMARY KEY (account, chat_id)
);

CREATE TABLE telegram_marks (
    account TEXT COLLATE "C" NOT NULL,
    chat_id BIGINT NOT NULL,
    why TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (account, chat_id)
);

CREATE TABLE telegram_switches (
    account TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    switch TEXT COLLATE "C" NOT NULL
);

CREATE TABLE chat_bindings (
    chat_id BIGINT NOT NULL PRIMARY KEY,
    account TEXT COLLATE "C" NOT NULL,
    bound_at BIGINT NOT NULL
);

CREATE TABLE telegram_peers (
    account TEXT COLLATE "C" NOT NULL,
    chat_id BIGINT NOT NULL,
    access_hash BIGINT NOT NULL,
    username TEXT COLLATE "C",
    title TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    dialog BIGINT NOT NULL,
    PRIMARY KEY (account, chat_id)
);

CREATE INDEX telegram_peers_by_name ON telegram_peers (account, username) WHERE username IS NOT NULL;

CREATE TABLE telegram_fills (
    account TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    complete BIGINT NOT NULL,
    offset_date BIGINT NOT NULL,
    offset_id BIGINT NOT NULL,
    offset_peer BIGINT,
    refreshed_at BIGINT
);
