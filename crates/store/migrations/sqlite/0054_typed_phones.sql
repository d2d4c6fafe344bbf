-- Numbers that anyone could have typed only suggest who a client is, and so do names.
ALTER TABLE channel_messages ADD COLUMN phone_is_typed INTEGER NOT NULL DEFAULT 0;
UPDATE channel_messages SET phone_is_typed = 1 WHERE channel = 'form';

CREATE INDEX pipeline_clients_by_name ON pipeline_clients (name) WHERE name IS NOT NULL;
