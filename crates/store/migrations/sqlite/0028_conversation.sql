-- Only what has ended stands in a conversation: a row enters the index once, when its message ends.
DROP INDEX outbox_by_chat;
CREATE INDEX outbox_by_chat ON outbox (chat_id, (coalesce(finished_at, updated_at)), id) WHERE state >= 10;

-- What an account may be sending into a chat at this moment.
CREATE INDEX outbox_sending ON outbox (chat_id) WHERE state = 3;
