-- What the providers of channels call what was sent there, and how far that is: 0 sent, 1 delivered, 2 read.
CREATE TABLE provider_messages (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    message_id BLOB NOT NULL,
    part INTEGER NOT NULL,
    item INTEGER NOT NULL,
    receipt INTEGER NOT NULL,
    PRIMARY KEY (channel, account, provider_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX provider_messages_of_message ON provider_messages (message_id);
