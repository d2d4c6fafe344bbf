-- Operations (sagas): work on chats that takes several steps, the callbacks about them, and requests that failed.

CREATE TABLE operations (
    id BLOB NOT NULL PRIMARY KEY,
    -- 0 queued, 1 running, 10 in doubt, 11 failed, 12 cancelled, 20 done.
    state INTEGER NOT NULL,
    -- create_chat, leave_chat, add_members, remove_members or edit_chat.
    kind TEXT NOT NULL,
    chat TEXT,
    chat_id INTEGER,
    -- The account that the caller asked for, and the one that does the work.
    pin TEXT,
    account TEXT,
    -- When all accounts are rate-limited: 0 wait, 1 fail.
    on_flood INTEGER NOT NULL,
    -- Until when a later step waits for a flood wait to end.
    patient_until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Set while the state is final and not in doubt.
    finished_at INTEGER,
    -- Where the request came from: the listener, the API key and the IP address.
    listener TEXT NOT NULL,
    api_key BLOB,
    address TEXT,
    -- Of a request without an idempotency key: the hash of its port and body.
    join_fingerprint BLOB,
    -- JSON: what was asked for.
    task TEXT NOT NULL,
    -- JSON: the results of the steps so far.
    progress TEXT NOT NULL,
    -- JSON: the step under way, written before it is taken.
    begun TEXT,
    -- JSON: why the operation failed.
    failure TEXT,
    -- JSON: what a retry starts with.
    start TEXT NOT NULL,
    -- JSON: the request, which becomes a failed request if the operation fails or is cancelled.
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

-- Callbacks that tell another program the invite link of a new chat.
-- How the delivery goes is a row of posts, of kind 1 (webhooks.sql).
CREATE TABLE callbacks (
    id BLOB NOT NULL PRIMARY KEY,
    operation BLOB NOT NULL,
    -- The client that the chat is for, as the caller wrote it.
    client_tg_id TEXT NOT NULL,
    invite_link TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests that failed and that a person may try again.
CREATE TABLE failed_requests (
    -- The id of the operation or callback.
    id BLOB NOT NULL PRIMARY KEY,
    -- The first failure.
    at INTEGER NOT NULL,
    -- The service, or form: a form of a site that was refused.
    service TEXT NOT NULL,
    -- inbound or outbound.
    direction TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    -- JSON: the body.
    payload TEXT NOT NULL,
    error TEXT NOT NULL,
    -- pending: waits for a person; retried: is tried again; done; dropped: by a person.
    state TEXT NOT NULL,
    retry_count INTEGER NOT NULL,
    last_retry_at INTEGER,
    last_retry_error TEXT,
    operation BLOB,
    callback BLOB,
    -- Set while no person has to act.
    settled_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX failed_requests_by_state ON failed_requests (state, id);
CREATE INDEX failed_requests_settled ON failed_requests (settled_at) WHERE settled_at IS NOT NULL;
