-- How many messages of its client no person has seen, until when it is set aside, and who answered first.
ALTER TABLE pipeline_appeals ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pipeline_appeals ADD COLUMN snoozed_until INTEGER;
ALTER TABLE pipeline_appeals ADD COLUMN first_author INTEGER;

CREATE INDEX pipeline_appeals_waiting ON pipeline_appeals (waiting_since, id) WHERE state < 10 AND waiting_since IS NOT NULL;
CREATE INDEX pipeline_appeals_of_an_assignee ON pipeline_appeals (assignee, updated_at, id) WHERE state < 10;
CREATE INDEX pipeline_appeals_unread ON pipeline_appeals (assignee) WHERE state < 10 AND unread > 0;
CREATE INDEX pipeline_appeals_opened ON pipeline_appeals (opened_at);

-- The words by which a client is found: of messages, notes, names, numbers and addresses.
CREATE TABLE pipeline_words (
    word TEXT NOT NULL,
    client BLOB NOT NULL,
    PRIMARY KEY (word, client)
) STRICT, WITHOUT ROWID;

-- Answers that are written once and used often.
CREATE TABLE pipeline_templates (
    name TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    updated_by TEXT NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
