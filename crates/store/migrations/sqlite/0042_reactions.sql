-- The reactions to a message, by who gave them: JSON, NULL where there were none.
ALTER TABLE channel_messages ADD COLUMN reactions TEXT;
ALTER TABLE provider_messages ADD COLUMN reactions TEXT;
