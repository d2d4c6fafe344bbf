-- Work on chats that takes several steps, the chats themselves, and what went wrong with either.

-- Keys and joins stand for messages and operations alike; both are found by their 16 bytes.
ALTER TABLE idempotency_keys RENAME COLUMN message_id TO subject_id;
ALTER TABLE outbox_joins RENAME TO request_joins;
ALTER TABLE request_joins RENAME COLUMN message_id TO subject_id;

-- State numbers are those of src/codes.rs. JSON where only the program reads it.
CREATE TABLE operations (
    id BLOB NOT NULL PRIMARY KEY,
    state INTEGER NOT NULL,
    kind TEXT NOT NULL,
    -- The chat it is about, as the caller wrote it.
    chat TEXT,
    chat_id INTEGER,
    pin TEXT,
    account TEXT,
    on_flood INTEGER NOT NULL,
    patient_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Set while the operation is final and nothing about it is in doubt.
    finished_at INTEGER,
    join_fingerprint BLOB,
    listener TEXT NOT NULL,
    api_key BLOB,
    address TEXT,
    task TEXT NOT NULL,
    progress TEXT NOT NULL,
    begun TEXT,
    failure TEXT,
    -- What a retry begins with again.
    start TEXT NOT NULL,
    -- The request, where it is kept when the operation ends badly.
    keep TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX operations_open ON operations (id, state) WHERE state <= 10;

CREATE TABLE operation_steps (
    operation_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    what TEXT NOT NULL,
    account TEXT,
    outcome TEXT,
    detail TEXT,
    PRIMARY KEY (operation_id, seq)
) STRICT, WITHOUT ROWID;

-- Chats that were made, changed or left here.
CREATE TABLE chats (
    chat_id INTEGER NOT NULL PRIMARY KEY,
    title TEXT,
    about TEXT,
    kind TEXT,
    invite_link TEXT,
    -- The operation that made it.
    operation BLOB,
    created_at INTEGER,
    left_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX chats_by_title ON chats (title, chat_id) WHERE created_at IS NOT NULL;
CREATE INDEX chats_left ON chats (chat_id) WHERE left_at IS NOT NULL;

-- Who is in a chat.
CREATE INDEX telegram_peers_by_chat ON telegram_peers (chat_id, account) WHERE dialog = 1;

-- Basic groups that became supergroups.
CREATE TABLE chat_migrations (
    from_id INTEGER NOT NULL PRIMARY KEY,
    to_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Chats that no account finds, and who asks for them. An empty key or address stands for none.
CREATE TABLE unresolved_chats (
    chat TEXT NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    accounts TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX unresolved_chats_by_time ON unresolved_chats (last_at, chat);

CREATE TABLE unresolved_callers (
    chat TEXT NOT NULL,
    listener TEXT NOT NULL,
    api_key BLOB NOT NULL,
    address TEXT NOT NULL,
    count INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (chat, listener, api_key, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE failovers (
    seq INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    chat_id INTEGER,
    from_account TEXT NOT NULL,
    to_account TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- The text form of the id of a message or an operation.
    subject TEXT NOT NULL
) STRICT;

CREATE INDEX failovers_by_time ON failovers (at, seq);

-- Services that are stopped.
CREATE TABLE service_switches (
    service TEXT NOT NULL PRIMARY KEY,
    stopped_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE callbacks (
    id BLOB NOT NULL PRIMARY KEY,
    state INTEGER NOT NULL,
    operation BLOB NOT NULL,
    client_tg_id TEXT NOT NULL,
    invite_link TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    -- Set once it was delivered.
    delivered_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX callbacks_waiting ON callbacks (next_at, id) WHERE state = 0;
CREATE INDEX callbacks_delivered ON callbacks (delivered_at) WHERE delivered_at IS NOT NULL;

-- The id is that of the operation or callback behind it.
CREATE TABLE failed_requests (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    service TEXT NOT NULL,
    direction TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    payload TEXT NOT NULL,
    error TEXT NOT NULL,
    state TEXT NOT NULL,
    retry_count INTEGER NOT NULL,
    last_retry_at INTEGER,
    last_retry_error TEXT,
    operation BLOB,
    callback BLOB,
    -- Set while nobody has to do anything about it.
    settled_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX failed_requests_by_state ON failed_requests (state, id);
CREATE INDEX failed_requests_settled ON failed_requests (settled_at) WHERE settled_at IS NOT NULL;
