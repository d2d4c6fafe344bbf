ALTER TABLE idempotency_keys RENAME COLUMN message_id TO subject_id;
ALTER TABLE outbox_joins RENAME TO request_joins;
ALTER TABLE request_joins RENAME COLUMN message_id TO subject_id;

CREATE TABLE operations (
    id BYTEA NOT NULL PRIMARY KEY,
    state BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    chat TEXT COLLATE "C",
    chat_id BIGINT,
    pin TEXT COLLATE "C",
    account TEXT COLLATE "C",
    on_flood BIGINT NOT NULL,
    patient_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT,
    join_fingerprint BYTEA,
    listener TEXT COLLATE "C" NOT NULL,
    api_key BYTEA,
    address TEXT COLLATE "C",
    task TEXT COLLATE "C" NOT NULL,
    progress TEXT COLLATE "C" NOT NULL,
    begun TEXT COLLATE "C",
    failure TEXT COLLATE "C",
    start TEXT COLLATE "C" NOT NULL,
    keep TEXT COLLATE "C"
);

CREATE INDEX operations_open ON operations (id, state) WHERE state <= 10;

CREATE TABLE operation_steps (
    operation_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    what TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C",
    outcome TEXT COLLATE "C",
    detail TEXT COLLATE "C",
    PRIMARY KEY (operation_id, seq)
);

CREATE TABLE chats (
    chat_id BIGINT NOT NULL PRIMARY KEY,
    title TEXT COLLATE "C",
    about TEXT COLLATE "C",
    kind TEXT COLLATE "C",
    invite_link TEXT COLLATE "C",
    operation BYTEA,
    created_at BIGINT,
    left_at BIGINT
);

CREATE INDEX chats_by_title ON chats (title, chat_id) WHERE created_at IS NOT NULL;
CREATE INDEX chats_left ON chats (chat_id) WHERE left_at IS NOT NULL;

CREATE INDEX telegram_peers_by_chat ON telegram_peers (chat_id, account) WHERE dialog = 1;

CREATE TABLE chat_migrations (
    from_id BIGINT NOT NULL PRIMARY KEY,
    to_id BIGINT NOT NULL
);

CREATE TABLE unresolved_chats (
    chat TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    accounts TEXT COLLATE "C" NOT NULL
);

CREATE INDEX unresolved_chats_by_time ON unresolved_chats (last_at, chat);

CREATE TABLE unresolved_callers (
    chat TEXT COLLATE "C" NOT NULL,
    listener TEXT COLLATE "C" NOT NULL,
    api_key BYTEA NOT NULL,
    address TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (chat, listener, api_key, address)
);

CREATE TABLE failovers (
    seq BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    chat_id BIGINT,
    from_account TEXT COLLATE "C" NOT NULL,
    to_account TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL
);

CREATE INDEX failovers_by_time ON failovers (at, seq);

CREATE TABLE service_switches (
    service TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    stopped_at BIGINT NOT NULL
);

CREATE TABLE callbacks (
    id BYTEA NOT NULL PRIMARY KEY,
    state BIGINT NOT NULL,
    operation BYTEA NOT NULL,
    client_tg_id TEXT COLLATE "C" NOT NULL,
    invite_link TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_error TEXT COLLATE "C",
    delivered_at BIGINT
);

CREATE INDEX callbacks_waiting ON callbacks (next_at, id) WHERE state = 0;
CREATE INDEX callbacks_delivered ON callbacks (delivered_at) WHERE delivered_at IS NOT NULL;

CREATE TABLE failed_requests (
    id BYTEA NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    service TEXT COLLATE "C" NOT NULL,
    direction TEXT COLLATE "C" NOT NULL,
    endpoint TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL,
    error TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    retry_count BIGINT NOT NULL,
    last_retry_at BIGINT,
    last_retry_error TEXT COLLATE "C",
    operation BYTEA,
    callback BYTEA,
    settled_at BIGINT
);

CREATE INDEX failed_requests_by_state ON failed_requests (state, id);
CREATE INDEX failed_requests_settled ON failed_requests (settled_at) WHERE settled_at IS NOT NULL;
