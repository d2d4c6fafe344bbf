-- The outbox: messages that go out, their parts and steps, and what keeps one request from becoming two messages.

CREATE TABLE outbox (
    id BLOB NOT NULL PRIMARY KEY,
    -- 0 queued, 1 scheduled, 2 awaiting approval, 3 sending, 10 in doubt, 11 failed, 12 cancelled, 20 sent, 21 delivered, 22 read.
    -- Up to 3 there is work to do; below 20 a person may want to look; from 20 on the provider has the message.
    state INTEGER NOT NULL,
    chat TEXT NOT NULL,
    -- NULL: the chat is not resolved yet, or it is a chat of a channel.
    chat_id INTEGER,
    -- The account that the caller asked for.
    pin TEXT,
    -- The account that sends the message, or will.
    account TEXT,
    -- Where the message waits: pin:NAME, account:NAME, or pool for any account.
    queue TEXT NOT NULL DEFAULT 'pool',
    -- What sends it: 0 send_text, 1 send_media, 2 a channel.
    media INTEGER NOT NULL DEFAULT 0,
    -- When all accounts are rate-limited: 0 wait, 1 fail.
    on_flood INTEGER NOT NULL,
    send_at INTEGER,
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
    -- JSON: why the message failed. In state 10: the parts behind the doubtful one were held back.
    failure TEXT,
    -- JSON: the text, the media and how they are shown.
    content TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Everything that was not sent. It stays small: nearly every message leaves it within a second.
CREATE INDEX outbox_open ON outbox (id, state) WHERE state < 20;
-- What waits, in the order of acceptance, by queue and by lane. A message that begins in the write that accepts it never enters these.
CREATE INDEX outbox_waiting ON outbox (queue, id, media, api_key, listener) WHERE state = 0;
CREATE INDEX outbox_waiting_by_chat ON outbox (chat, (coalesce(pin, '')), id) WHERE state = 0;
CREATE INDEX outbox_waiting_by_chat_id ON outbox (chat_id, (coalesce(pin, '')), id) WHERE state = 0;
CREATE INDEX outbox_scheduled ON outbox (send_at, id, queue, media, api_key, listener) WHERE state = 1;
-- What an account may be sending into a chat at this moment.
CREATE INDEX outbox_sending ON outbox (chat_id) WHERE state = 3;
-- What was sent to a chat of a channel, for its conversation.
CREATE INDEX outbox_by_address ON outbox (chat, (coalesce(finished_at, updated_at)), id) WHERE chat_id IS NULL AND state >= 10;

-- The parts of a message: one for each message that it becomes at the provider, or for each album.
CREATE TABLE outbox_parts (
    message_id BLOB NOT NULL,
    -- Counted from 0.
    part INTEGER NOT NULL,
    -- 0 waiting, 1 begun, 2 sent.
    state INTEGER NOT NULL,
    -- Telegram ignores a second message with the same number. For media, `items` has one for each item.
    random_id INTEGER NOT NULL,
    -- The id at the provider, where the part has one item and its id is a number. Otherwise JSON: the id of each item.
    provider_id INTEGER,
    provider_ids TEXT,
    -- JSON: each item, with its random_id and its place in the media of the content. NULL: the part is one text.
    items TEXT,
    -- The text of the part. NULL: the text of the whole message.
    text TEXT,
    PRIMARY KEY (message_id, part)
) STRICT, WITHOUT ROWID;

-- The steps of a message.
CREATE TABLE outbox_timeline (
    message_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- 0 accepted, 1 begun, 2 attempted, 3 waiting, 4 moved to another account, 5 joined, 6 sent, 7 failed, 8 cancelled, 9 in doubt,
    -- 10 resolved, 11 resumed, 12 retried, 13 delivered, 14 read, 15 approved, 16 rejected, 17 accepted and begun.
    step INTEGER NOT NULL,
    part INTEGER,
    account TEXT,
    -- The outcome of an attempt: a word.
    outcome TEXT,
    detail TEXT,
    PRIMARY KEY (message_id, seq)
) STRICT, WITHOUT ROWID;

-- The files that a message carries. They are kept as long as a message may need them.
CREATE TABLE outbox_files (
    message_id BLOB NOT NULL,
    -- Its name in the folder of outgoing files.
    file TEXT NOT NULL,
    PRIMARY KEY (message_id, file)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_files_by_file ON outbox_files (file);

-- The place of a message in its conversation, written soon after it ended. A message that was sent again has a row for each end;
-- the last one counts.
CREATE TABLE outbox_places (
    chat_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (chat_id, at, id)
) STRICT, WITHOUT ROWID;

-- Idempotency keys. `subject_id` is the message or operation that the first request made.
CREATE TABLE idempotency_keys (
    -- A hash of the key and of everything it is valid for.
    scope BLOB NOT NULL PRIMARY KEY,
    -- A hash of the request.
    fingerprint BLOB NOT NULL,
    subject_id BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Requests without a key whose callers have no answer. The same request again joins the message or operation of the first.
CREATE TABLE request_joins (
    -- A hash of the port and the body.
    fingerprint BLOB NOT NULL,
    subject_id BLOB NOT NULL,
    -- For how long after its end the message or operation can be joined.
    repeats INTEGER NOT NULL,
    -- 1: the caller is gone. 0: it still waits, and the same request is a new one.
    open INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, subject_id)
) STRICT, WITHOUT ROWID;

-- Nearly all requests have an answer, and each one without a key asks whether any has not.
CREATE INDEX open_joins ON request_joins (open) WHERE open = 1;

-- Callers without a key that wait for their message: one row for all callers of a group of writes.
CREATE TABLE waiting_callers (
    first_message BLOB NOT NULL PRIMARY KEY,
    -- 56 bytes for each caller: the fingerprint of the request (32), the id of its message (16), `repeats` as above (8, big-endian).
    callers BLOB NOT NULL
) STRICT, WITHOUT ROWID;
