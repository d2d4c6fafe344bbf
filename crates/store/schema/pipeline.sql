-- The pipeline: clients, their appeals, and the turns that bring what they write to an answer.

-- People who write, as far as Switchboard knows that they are one person.
CREATE TABLE pipeline_clients (
    id BLOB NOT NULL PRIMARY KEY,
    name TEXT,
    -- E.164.
    phone TEXT,
    email TEXT,
    -- private: a person. group: the conversation of a group, which is never merged with a person.
    chat_type TEXT NOT NULL DEFAULT 'private',
    -- Of a group: when programs answer there (never, when_mentioned or always).
    group_answers TEXT,
    -- The client that this one was merged into.
    merged_into BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Of a client that an import brought (imports.sql): its id in the old program, the import, and what the import did, as the sum
    -- of 1 made the row, 2 filled the name, 4 the phone, 8 the email.
    outside_id TEXT,
    import_run BLOB,
    import_made INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_clients_by_name ON pipeline_clients (name) WHERE name IS NOT NULL;
-- Each turn asks which clients were merged into its own.
CREATE INDEX pipeline_clients_merged ON pipeline_clients (merged_into) WHERE merged_into IS NOT NULL;
CREATE UNIQUE INDEX pipeline_clients_outside ON pipeline_clients (outside_id) WHERE outside_id IS NOT NULL;
CREATE INDEX pipeline_clients_of_an_import ON pipeline_clients (import_run) WHERE import_run IS NOT NULL;

-- The ids and contacts of clients, each with its proof. A proved one is of one client alone, and decides whose a message is. Of one that
-- is not proved, several clients may have the same.
CREATE TABLE pipeline_identities (
    -- The name of a channel, phone, email or group.
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    client BLOB NOT NULL,
    -- How it was proved that it is the client's (ContactProof).
    proof TEXT NOT NULL,
    at INTEGER NOT NULL,
    import_run BLOB,
    PRIMARY KEY (kind, value, client)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX pipeline_identities_proved ON pipeline_identities (kind, value)
    WHERE proof IN ('channel_id', 'provider', 'mail');
CREATE INDEX pipeline_identities_of_a_client ON pipeline_identities (client);

-- Merges of two clients. A merge can be undone.
CREATE TABLE pipeline_merges (
    id BLOB NOT NULL PRIMARY KEY,
    -- The client that stays, and the one that is merged into it.
    master BLOB NOT NULL,
    merged BLOB NOT NULL,
    -- JSON: what was moved from one to the other.
    moved TEXT NOT NULL,
    merged_by TEXT NOT NULL,
    at INTEGER NOT NULL,
    undone_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_merges_of_a_client ON pipeline_merges (master, at);

-- Pairs of clients that may be one person. A person decides.
CREATE TABLE pipeline_suggestions (
    one BLOB NOT NULL,
    other BLOB NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL,
    dismissed_at INTEGER,
    PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;

-- The words by which a client is found: of messages, notes, tags, names, numbers and addresses.
CREATE TABLE pipeline_words (
    word TEXT NOT NULL,
    client BLOB NOT NULL,
    PRIMARY KEY (word, client)
) STRICT, WITHOUT ROWID;

-- Matters that clients write about.
CREATE TABLE pipeline_appeals (
    id BLOB NOT NULL PRIMARY KEY,
    client BLOB NOT NULL,
    -- 0 new, 1 open, 2 waiting for the client, 3 waiting for us, 10 closed.
    state INTEGER NOT NULL,
    -- The chat in which it began.
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- Who answers: ai, webhook, redis, human or off. NULL: as the settings say.
    responder TEXT,
    -- The user who takes care of it.
    assignee TEXT,
    -- JSON.
    tags TEXT,
    -- JSON: the advertisement that the client came from.
    ad TEXT,
    -- Messages of the client that no person has seen.
    unread INTEGER NOT NULL DEFAULT 0,
    -- Set aside until then, or until the client writes.
    snoozed_until INTEGER,
    opened_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    closed_at INTEGER,
    -- Since when the client waits for an answer.
    waiting_since INTEGER,
    -- The waiting_since that people were notified of, and after how much waiting.
    told_since INTEGER,
    told_after INTEGER,
    -- Since when the client's question has no answer, also if the appeal is closed.
    asked_at INTEGER,
    -- The first answer and its author, as in pipeline_messages; the last answer.
    first_answer_at INTEGER,
    first_author INTEGER,
    answered_at INTEGER,
    -- How long the client waited for the first answer. NULL: we wrote first.
    first_wait INTEGER,
    -- How many answers came after the first, and how long the client waited for all of them.
    next_answers INTEGER NOT NULL DEFAULT 0,
    next_wait INTEGER NOT NULL DEFAULT 0,
    -- Of an appeal that an import brought (imports.sql): its id in the old program, the import, and the state that the import set.
    outside_id TEXT,
    import_run BLOB,
    import_state INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_appeals_of_a_client ON pipeline_appeals (client, opened_at);
CREATE INDEX pipeline_appeals_lately ON pipeline_appeals (updated_at, id);
CREATE INDEX pipeline_appeals_open ON pipeline_appeals (updated_at, id) WHERE state < 10;
CREATE INDEX pipeline_appeals_opened ON pipeline_appeals (opened_at);
CREATE INDEX pipeline_appeals_waiting ON pipeline_appeals (waiting_since, id) WHERE state < 10 AND waiting_since IS NOT NULL;
CREATE INDEX pipeline_appeals_of_an_assignee ON pipeline_appeals (assignee, updated_at, id) WHERE state < 10;
CREATE INDEX pipeline_appeals_unread ON pipeline_appeals (assignee) WHERE state < 10 AND unread > 0;
CREATE UNIQUE INDEX pipeline_appeals_outside ON pipeline_appeals (outside_id) WHERE outside_id IS NOT NULL;
CREATE INDEX pipeline_appeals_of_an_import ON pipeline_appeals (import_run) WHERE import_run IS NOT NULL;

-- What people noted about an appeal.
CREATE TABLE pipeline_notes (
    appeal BLOB NOT NULL,
    at INTEGER NOT NULL,
    written_by TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (appeal, at)
) STRICT, WITHOUT ROWID;

-- The chats of clients, and the batch of messages that waits in each for silence.
CREATE TABLE pipeline_chats (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    client BLOB,
    -- private or group, and the whole group where the chat is one topic of it.
    chat_type TEXT NOT NULL,
    chat_group TEXT,
    -- The customer, as the provider shows them, and how it was proved that the id, the number and the address are theirs. Of a group:
    -- who wrote last, and its title.
    user_id TEXT,
    sender_proof TEXT NOT NULL,
    name TEXT,
    phone TEXT,
    phone_proof TEXT,
    email TEXT,
    email_proof TEXT,
    -- JSON: the advertisement that the customer came from.
    ad TEXT,
    -- The batch: when it began, and when it is complete.
    first_at INTEGER,
    due_at INTEGER,
    -- A person who wrote after the batch began: 2 here, 4 in the provider's app, where that was the last word.
    answered_by INTEGER,
    -- The turn under way, and how many turns in a row were discarded because the client wrote more.
    turn BLOB,
    discards INTEGER NOT NULL,
    import_run BLOB,
    PRIMARY KEY (channel, account, chat)
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_chats_due ON pipeline_chats (due_at) WHERE turn IS NULL AND due_at IS NOT NULL;
CREATE INDEX pipeline_chats_of_a_client ON pipeline_chats (client);
CREATE INDEX pipeline_chats_of_an_import ON pipeline_chats (import_run) WHERE import_run IS NOT NULL;

-- Turns: batches of messages on their way to an answer.
CREATE TABLE pipeline_turns (
    id BLOB NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- 0 resolve, 1 appeal, 2 respond, 3 send, 10 answered, 11 handed over, 12 discarded; and since when.
    stage INTEGER NOT NULL,
    stage_at INTEGER NOT NULL,
    client BLOB,
    appeal BLOB,
    responder TEXT,
    -- How many turns before this one were discarded.
    discards INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- The next attempt, and how many failed.
    due_at INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    answer TEXT,
    -- The answer as JSON, where some of it is bold, a link and so on.
    formatted TEXT,
    -- Whether a person approves the answer first.
    needs_approval INTEGER NOT NULL,
    -- Why the turn ended so, or what the answer is based on.
    why TEXT,
    -- The answer in the outbox.
    outbox_id BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX pipeline_turns_open ON pipeline_turns (stage, due_at, id) WHERE stage < 10;
CREATE INDEX pipeline_turns_of_an_appeal ON pipeline_turns (appeal, id);
CREATE INDEX pipeline_turns_over ON pipeline_turns (stage_at) WHERE stage >= 10;
-- Turns that a program was to answer and did not.
CREATE INDEX pipeline_turns_failed ON pipeline_turns (id) WHERE stage = 11 AND responder IN ('ai', 'webhook', 'redis');

-- The messages of conversations with clients.
CREATE TABLE pipeline_messages (
    -- The number of the event that reported the message. An imported message has a free number near its own time.
    seq INTEGER NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- 0 the client, 1 a model, 2 a person here, 3 another program, 4 a person in the provider's app.
    author INTEGER NOT NULL,
    client BLOB,
    appeal BLOB,
    -- The turn, or the import that brought the message. NULL: the message waits for silence, or needs no answer.
    turn BLOB,
    -- The id here (rcv_…, msg_…, or old_… with the id in the old program), and at the provider.
    message TEXT NOT NULL,
    external_id TEXT,
    text TEXT NOT NULL,
    -- JSON.
    media TEXT,
    -- Of a client's message: what its writer is called, where several people write; how it was proved who wrote it; and whether it
    -- mentions the account.
    sender TEXT,
    sender_proof TEXT NOT NULL DEFAULT 'channel_id',
    mentions_us INTEGER NOT NULL DEFAULT 0,
    -- Until when the batch waits for the transcript of a voice message.
    voice_until INTEGER,
    at INTEGER NOT NULL,
    edited_at INTEGER,
    deleted_at INTEGER
) STRICT;

CREATE UNIQUE INDEX pipeline_messages_by_id ON pipeline_messages (message);
CREATE INDEX pipeline_messages_waiting ON pipeline_messages (channel, account, chat) WHERE turn IS NULL AND author = 0;
CREATE INDEX pipeline_messages_of_a_turn ON pipeline_messages (turn, seq);
CREATE INDEX pipeline_messages_of_a_client ON pipeline_messages (client, seq);
CREATE INDEX pipeline_voices ON pipeline_messages (voice_until, seq) WHERE voice_until IS NOT NULL;
-- The last voice of a chat, however many messages wait there.
CREATE INDEX pipeline_voices_of_a_chat ON pipeline_messages (channel, account, chat, voice_until)
    WHERE turn IS NULL AND author = 0 AND voice_until IS NOT NULL;

-- Reply templates.
CREATE TABLE pipeline_templates (
    name TEXT NOT NULL PRIMARY KEY,
    -- With variables, such as {{client.name}}.
    text TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What models cost on each day.
CREATE TABLE pipeline_spent (
    -- Such as 2026-01-31.
    day TEXT NOT NULL PRIMARY KEY,
    tokens INTEGER NOT NULL,
    -- Millionths of the currency of the prices.
    money INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
