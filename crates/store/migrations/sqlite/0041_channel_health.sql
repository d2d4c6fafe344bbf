-- What went wrong with an account of a channel, counted by tens of minutes for a day: JSON.
CREATE TABLE channel_health (
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    health TEXT NOT NULL,
    PRIMARY KEY (channel, account)
) STRICT, WITHOUT ROWID;

-- What an account sent last: ids of messages grow with time.
CREATE INDEX provider_messages_by_account ON provider_messages (channel, account, message_id);
