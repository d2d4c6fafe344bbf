-- Clients, appeals and history taken over from an older program, by run.
CREATE TABLE pipeline_imports (
    id BLOB NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    undone_at INTEGER,
    clients INTEGER NOT NULL,
    appeals INTEGER NOT NULL,
    messages INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The id in the older program, the run that brought it, and what the run did to the row. The messages of a run have its id as
-- their turn and `old_` with the older id as their own.
ALTER TABLE pipeline_clients ADD COLUMN outside_id TEXT;
ALTER TABLE pipeline_clients ADD COLUMN import_run BLOB;
ALTER TABLE pipeline_clients ADD COLUMN import_made INTEGER;
ALTER TABLE pipeline_identities ADD COLUMN import_run BLOB;
ALTER TABLE pipeline_chats ADD COLUMN import_run BLOB;
ALTER TABLE pipeline_appeals ADD COLUMN outside_id TEXT;
ALTER TABLE pipeline_appeals ADD COLUMN import_run BLOB;
ALTER TABLE pipeline_appeals ADD COLUMN import_state INTEGER;

CREATE UNIQUE INDEX pipeline_clients_outside ON pipeline_clients (outside_id) WHERE outside_id IS NOT NULL;
CREATE INDEX pipeline_clients_of_an_import ON pipeline_clients (import_run) WHERE import_run IS NOT NULL;
CREATE INDEX pipeline_chats_of_an_import ON pipeline_chats (import_run) WHERE import_run IS NOT NULL;
CREATE UNIQUE INDEX pipeline_appeals_outside ON pipeline_appeals (outside_id) WHERE outside_id IS NOT NULL;
CREATE INDEX pipeline_appeals_of_an_import ON pipeline_appeals (import_run) WHERE import_run IS NOT NULL;

-- What came from an older program has its id there.
DROP VIEW clients;
CREATE VIEW clients AS
    SELECT coalesce(c.outside_id, lower(hex(c.id))) AS id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'telegram') AS telegram_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'avito') AS avito_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'vk') AS vk_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'whatsapp') AS whatsapp_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'max') AS max_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'instagram') AS instagram_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'telegram_account') AS telegram_account_id,
        c.phone, c.name, c.email, c.created_at, c.updated_at
    FROM pipeline_clients AS c WHERE c.merged_into IS NULL;
DROP VIEW appeals;
CREATE VIEW appeals AS
    SELECT coalesce(a.outside_id, lower(hex(a.id))) AS id,
        coalesce((SELECT c.outside_id FROM pipeline_clients AS c WHERE c.id = a.client), lower(hex(a.client))) AS client_id,
        a.channel, a.account AS channel_account, a.chat AS external_chat_id,
        CASE a.state WHEN 0 THEN 'new' WHEN 1 THEN 'open' WHEN 2 THEN 'waiting_client' WHEN 3 THEN 'waiting_us' ELSE 'closed' END
            AS status,
        a.assignee, a.opened_at, a.first_answer_at, a.closed_at, a.updated_at
    FROM pipeline_appeals AS a;
DROP VIEW messages_history;
CREATE VIEW messages_history AS
    SELECT CASE WHEN substr(m.message, 1, 4) = 'old_' THEN substr(m.message, 5) ELSE CAST(m.seq AS TEXT) END AS id,
        m.channel, m.account AS channel_account,
        CASE m.author WHEN 0 THEN 'client' WHEN 1 THEN 'ai' WHEN 3 THEN 'program' ELSE 'agent' END AS message_type,
        m.text AS message_text, m.chat AS external_chat_id, m.external_id AS external_message_id,
        coalesce((SELECT a.outside_id FROM pipeline_appeals AS a WHERE a.id = m.appeal), lower(hex(m.appeal))) AS appeal_id,
        coalesce((SELECT c.outside_id FROM pipeline_clients AS c WHERE c.id = m.client), lower(hex(m.client))) AS client_id,
        m.at AS created_at
    FROM pipeline_messages AS m WHERE m.deleted_at IS NULL;
