-- Messages on their way out, and what keeps one request from becoming two messages.
-- Times are microseconds since 1970; ids are 16 bytes that sort by time; state numbers are those of src/codes.rs.
-- Parts and steps are written only together with their message and removed only with it, in one transaction, so they
-- carry no foreign key: its check would cost a look-up for each row on the hottest way of the program.

CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY,
    state INTEGER NOT NULL,
    chat TEXT NOT NULL,
    chat_id INTEGER,
    pin TEXT,
    account TEXT,
    on_flood INTEGER NOT NULL,
    send_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Set while the message is final and nothing about it is in doubt.
    finished_at INTEGER,
    join_fingerprint BLOB,
    listener TEXT NOT NULL,
    api_key BLOB,
    address TEXT,
    failure TEXT,
    content TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Everything but what was sent (20 and up): small, since nearly all messages leave it within a second.
CREATE INDEX outbox_open ON outbox (id, state) WHERE state < 20;

CREATE TABLE outbox_parts (
    message_id BLOB NOT NULL,
    part INTEGER NOT NULL,
    random_id INTEGER NOT NULL,
    state INTEGER NOT NULL,
    provider_id INTEGER,
    -- NULL: the text of the message as a whole.
    text TEXT,
    PRIMARY KEY (message_id, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox_timeline (
    message_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    step INTEGER NOT NULL,
    part INTEGER,
    account TEXT,
    outcome TEXT,
    detail TEXT,
    PRIMARY KEY (message_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    scope BLOB NOT NULL PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    message_id BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Messages of requests without a key whose callers have no answer yet. Gone once the caller was answered.
CREATE TABLE outbox_joins (
    fingerprint BLOB NOT NULL,
    message_id BLOB NOT NULL,
    repeats INTEGER NOT NULL,
    -- 0 while the caller waits; 1 when it is gone or was left in doubt, so that the same body joins the message.
    open INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, message_id)
) STRICT, WITHOUT ROWID;
