-- Whom an account wrote to first: people who had not written to it before.

CREATE TABLE first_contacts (
    -- The account; channel:account of a channel; profile:NAME of a browser profile.
    account TEXT NOT NULL,
    -- The id of the user, or the chat of the channel.
    person TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX first_contacts_lately ON first_contacts (account, at);
