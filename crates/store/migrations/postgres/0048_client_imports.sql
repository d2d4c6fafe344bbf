-- Clients, appeals and history taken over from an older program, by run.
CREATE TABLE pipeline_imports (
    id BYTEA NOT NULL PRIMARY KEY,
    source TEXT COLLATE "C" NOT NULL,
    began_at BIGINT NOT NULL,
    undone_at BIGINT,
    clients BIGINT NOT NULL,
    appeals BIGINT NOT NULL,
    messages BIGINT NOT NULL
);

-- The id in the older program, the run that brought it, and what the run did to the row. The messages of a run have its id as
-- their turn and `old_` with the older id as their own.
ALTER TABLE pipeline_clients ADD COLUMN outside_id TEXT COLLATE "C";
ALTER TABLE pipeline_clients ADD COLUMN import_run BYTEA;
ALTER TABLE pipeline_clients ADD COLUMN import_made BIGINT;
ALTER TABLE pipeline_identities ADD COLUMN import_run BYTEA;
ALTER TABLE pipeline_chats ADD COLUMN import_run BYTEA;
ALTER TABLE pipeline_appeals ADD COLUMN outside_id TEXT COLLATE "C";
ALTER TABLE pipeline_appeals ADD COLUMN import_run BYTEA;
ALTER TABLE pipeline_appeals ADD COLUMN import_state BIGINT;

CREATE UNIQUE INDEX pipeline_clients_outside ON pipeline_clients (outside_id) WHERE outside_id IS NOT NULL;
CREATE INDEX pipeline_clients_of_an_import ON pipeline_clients (import_run) WHERE import_run IS NOT NULL;
CREATE INDEX pipeline_chats_of_an_import ON pipeline_chats (import_run) WHERE import_run IS NOT NULL;
CREATE UNIQUE INDEX pipeline_appeals_outside ON pipeline_appeals (outside_id) WHERE outside_id IS NOT NULL;
CREATE INDEX pipeline_appeals_of_an_import ON pipeline_appeals (import_run) WHERE import_run IS NOT NULL;

-- What came from an older program has its id there. A table or view of another program is never touched.
DO $$
BEGIN
IF EXISTS (
    SELECT 1 FROM pg_class WHERE oid = to_regclass('clients') AND relkind = 'v' AND pg_get_viewdef(oid) LIKE '%pipeline\_%'
) THEN
DROP VIEW clients;
END IF;
IF to_regclass('clients') IS NULL THEN
CREATE VIEW clients AS
    SELECT coalesce(c.outside_id, encode(c.id, 'hex')) AS id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'telegram') AS telegram_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'avito') AS avito_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'vk') AS vk_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'whatsapp') AS whatsapp_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'max') AS max_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'instagram') AS instagram_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'telegram_account') AS telegram_account_id,
        c.phone, c.name, c.email, c.created_at, c.updated_at
    FROM pipeline_clients AS c WHERE c.merged_into IS NULL;
END IF;
IF EXISTS (
    SELECT 1 FROM pg_class WHERE oid = to_regclass('appeals') AND relkind = 'v' AND pg_get_viewdef(oid) LIKE '%pipeline\_%'
) THEN
DROP VIEW appeals;
END IF;
IF to_regclass('appeals') IS NULL THEN
CREATE VIEW appeals AS
    SELECT coalesce(a.outside_id, encode(a.id, 'hex')) AS id,
        coalesce((SELECT c.outside_id FROM pipeline_clients AS c WHERE c.id = a.client), encode(a.client, 'hex')) AS client_id,
        a.channel, a.account AS channel_account, a.chat AS external_chat_id,
        CASE a.state WHEN 0 THEN 'new' WHEN 1 THEN 'open' WHEN 2 THEN 'waiting_client' WHEN 3 THEN 'waiting_us' ELSE 'closed' END
            AS status,
        a.assignee, a.opened_at, a.first_answer_at, a.closed_at, a.updated_at
    FROM pipeline_appeals AS a;
END IF;
IF EXISTS (
    SELECT 1 FROM pg_class WHERE oid = to_regclass('messages_history') AND relkind = 'v' AND pg_get_viewdef(oid) LIKE '%pipeline\_%'
) THEN
DROP VIEW messages_history;
END IF;
IF to_regclass('messages_history') IS NULL THEN
CREATE VIEW messages_history AS
    SELECT CASE WHEN substr(m.message, 1, 4) = 'old_' THEN substr(m.message, 5) ELSE m.seq::text END AS id,
        m.channel, m.account AS channel_account,
        CASE m.author WHEN 0 THEN 'client' WHEN 1 THEN 'ai' WHEN 3 THEN 'program' ELSE 'agent' END AS message_type,
        m.text AS message_text, m.chat AS external_chat_id, m.external_id AS external_message_id,
        coalesce((SELECT a.outside_id FROM pipeline_appeals AS a WHERE a.id = m.appeal), encode(m.appeal, 'hex')) AS appeal_id,
        coalesce((SELECT c.outside_id FROM pipeline_clients AS c WHERE c.id = m.client), encode(m.client, 'hex')) AS client_id,
        m.at AS created_at
    FROM pipeline_messages AS m WHERE m.deleted_at IS NULL;
END IF;
END
$$;
