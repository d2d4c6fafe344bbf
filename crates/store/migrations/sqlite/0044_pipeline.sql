-- People who write, as far as it is known that they are one person.
CREATE TABLE pipeline_clients (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT,
    phone TEXT,
    email TEXT,
    -- The client that this one was merged into.
    merged_into BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What tells who someone is: an id in a channel, a verified number, an address of email.
CREATE TABLE pipeline_identities (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    client BLOB NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_identities_of_a_client ON pipeline_identities (client);

-- Clients that were merged, with what was moved: JSON.
CREATE TABLE pipeline_merges (
    id BLOB NOT NULL PRIMARY KEY,
    master BLOB NOT NULL,
    merged BLOB NOT NULL,
    moved TEXT NOT NULL,
    merged_by TEXT NOT NULL,
    at INTEGER NOT NULL,
    undone_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_merges_of_a_client ON pipeline_merges (master, at);

-- Clients that may be one person: a person decides.
CREATE TABLE pipeline_suggestions (
    one BLOB NOT NULL,
    other BLOB NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL,
    dismissed_at INTEGER,
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;

-- Matters that clients write about. States: 0 new, 1 open, 2 waiting for the client, 3 waiting for us, 10 closed.
CREATE TABLE pipeline_appeals (
    id BLOB NOT NULL PRIMARY KEY,
    client BLOB NOT NULL,
    state INTEGER NOT NULL,
    -- Where it began.
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- Who answers it, where that is not as the settings say.
    responder TEXT,
    assignee TEXT,
    -- JSON.
    tags TEXT,
    ad TEXT,
    opened_at INTEGER NOT NULL,
    -- Since when the client waits for an answer.
    waiting_since INTEGER,
    first_answer_at INTEGER,
    answered_at INTEGER,
    closed_at INTEGER,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_appeals_of_a_client ON pipeline_appeals (client, opened_at);
CREATE INDEX pipeline_appeals_lately ON pipeline_appeals (updated_at, id);
CREATE INDEX pipeline_appeals_open ON pipeline_appeals (updated_at, id) WHERE state < 10;

-- Notes of people about appeals.
CREATE TABLE pipeline_notes (
    appeal BLOB NOT NULL,
    at INTEGER NOT NULL,
    written_by TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (appeal, at)
) STRICT, WITHOUT ROWID;

-- The chats of clients: who is there, and since when and until when their messages wait for silence.
CREATE TABLE pipeline_chats (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    user_id TEXT,
    name TEXT,
    phone TEXT,
    -- Whether the provider vouches for the number.
    phone_verified INTEGER NOT NULL,
    email TEXT,
    -- JSON.
    ad TEXT,
    client BLOB,
    -- The turn that is not over.
    turn BLOB,
    -- How many turns were discarded in a row because more was written.
    discards INTEGER NOT NULL,
    first_at INTEGER,
    due_at INTEGER,
    PRIMARY KEY (channel, account, chat)
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_chats_due ON pipeline_chats (due_at) WHERE turn IS NULL AND due_at IS NOT NULL;
CREATE INDEX pipeline_chats_of_a_client ON pipeline_chats (client);

-- Batches of messages on their way to an answer. Stages: 0 resolve, 1 appeal, 2 respond, 3 send; 10 answered, 11 handed over,
-- 12 discarded.
CREATE TABLE pipeline_turns (
    id BLOB NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    stage INTEGER NOT NULL,
    client BLOB,
    appeal BLOB,
    responder TEXT,
    discards INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    stage_at INTEGER NOT NULL,
    -- Not before this.
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    answer TEXT,
    -- Whether a person approves the answer first.
    needs_approval INTEGER NOT NULL,
    -- Why it ended so, or what the answer rests on.
    why TEXT,
    -- The answer in the outbox.
    outbox_id BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_turns_open ON pipeline_turns (stage, due_at, id) WHERE stage < 10;
CREATE INDEX pipeline_turns_of_an_appeal ON pipeline_turns (appeal, id);
CREATE INDEX pipeline_turns_over ON pipeline_turns (stage_at) WHERE stage >= 10;

-- What was written in conversations with clients: `seq` is the number of the event that told of it. Authors: 0 the client, 1 a model,
-- 2 a person here, 3 another program, 4 a person in the provider's app.
CREATE TABLE pipeline_messages (
    seq INTEGER NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    author INTEGER NOT NULL,
    client BLOB,
    appeal BLOB,
    turn BLOB,
    -- The id of the message here, and at its provider.
    message TEXT NOT NULL,
    external_id TEXT,
    text TEXT NOT NULL,
    -- JSON.
    media TEXT,
    at INTEGER NOT NULL,
    edited_at INTEGER,
    deleted_at INTEGER
) STRICT;

CREATE INDEX pipeline_messages_waiting ON pipeline_messages (channel, account, chat) WHERE turn IS NULL AND author = 0;
CREATE INDEX pipeline_messages_of_a_turn ON pipeline_messages (turn, seq);
CREATE INDEX pipeline_messages_of_a_client ON pipeline_messages (client, seq);
CREATE UNIQUE INDEX pipeline_messages_by_id ON pipeline_messages (message);

-- What models cost, by day.
CREATE TABLE pipeline_spent (
    day TEXT NOT NULL PRIMARY KEY,
    tokens INTEGER NOT NULL,
    -- Millionths of what prices are in.
    money INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
