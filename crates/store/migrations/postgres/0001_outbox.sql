-- The schema of ../sqlite, step by step under the same numbers: what tables and columns hold is written there.
-- Every number is a BIGINT, truth is 0 or 1, and texts are compared by their bytes.

-- What the statements use of SQLite and PostgreSQL lacks: lists of numbers, and the least of some bytes (built in since 18).
CREATE FUNCTION json_each(list TEXT) RETURNS TABLE (value BIGINT) LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT number::BIGINT FROM json_array_elements_text(list::JSON) AS numbers (number)';
CREATE FUNCTION lesser(one BYTEA, other BYTEA) RETURNS BYTEA LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS 'SELECT CASE WHEN one < other THEN one ELSE other END';
CREATE AGGREGATE min (BYTEA) (SFUNC = lesser, STYPE = BYTEA, SORTOP = <, PARALLEL = SAFE, COMBINEFUNC = lesser);

CREATE TABLE outbox (
    id BYTEA NOT NULL PRIMARY KEY,
    state BIGINT NOT NULL,
    chat TEXT COLLATE "C" NOT NULL,
    chat_id BIGINT,
    pin TEXT COLLATE "C",
    account TEXT COLLATE "C",
    on_flood BIGINT NOT NULL,
    send_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    finished_at BIGINT,
    join_fingerprint BYTEA,
    listener TEXT COLLATE "C" NOT NULL,
    api_key BYTEA,
    address TEXT COLLATE "C",
    failure TEXT COLLATE "C",
    content TEXT COLLATE "C" NOT NULL
);

CREATE INDEX outbox_open ON outbox (id, state) WHERE state < 20;

CREATE TABLE outbox_parts (
    message_id BYTEA NOT NULL,
    part BIGINT NOT NULL,
    random_id BIGINT NOT NULL,
    state BIGINT NOT NULL,
    provider_id BIGINT,
    text TEXT COLLATE "C",
    PRIMARY KEY (message_id, part)
);

CREATE TABLE outbox_timeline (
    message_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    step BIGINT NOT NULL,
    part BIGINT,
    account TEXT COLLATE "C",
    outcome TEXT COLLATE "C",
    detail TEXT COLLATE "C",
    PRIMARY KEY (message_id, seq)
);

CREATE TABLE idempotency_keys (
    scope BYTEA NOT NULL PRIMARY KEY,
    fingerprint BYTEA NOT NULL,
    message_id BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE outbox_joins (
    fingerprint BYTEA NOT NULL,
    message_id BYTEA NOT NULL,
    repeats BIGINT NOT NULL,
    open BIGINT NOT NULL,
    PRIMARY KEY (fingerprint, message_id)
);
