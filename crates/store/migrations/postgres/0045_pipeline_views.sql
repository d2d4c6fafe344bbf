-- The same, where the name is free: a table of another program is never touched.
DO $$
BEGIN
IF to_regclass('clients') IS NULL THEN
CREATE VIEW clients AS
    SELECT encode(c.id, 'hex') AS id,
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
IF to_regclass('appeals') IS NULL THEN
CREATE VIEW appeals AS
    SELECT encode(a.id, 'hex') AS id,
        encode(a.client, 'hex') AS client_id,
        a.channel, a.account AS channel_account, a.chat AS external_chat_id,
        CASE a.state WHEN 0 THEN 'new' WHEN 1 THEN 'open' WHEN 2 THEN 'waiting_client' WHEN 3 THEN 'waiting_us' ELSE 'closed' END
            AS status,
        a.assignee, a.opened_at, a.first_answer_at, a.closed_at, a.updated_at
    FROM pipeline_appeals AS a;
END IF;
IF to_regclass('messages_history') IS NULL THEN
CREATE VIEW messages_history AS
    SELECT m.seq AS id, m.channel, m.account AS channel_account,
        CASE m.author WHEN 0 THEN 'client' WHEN 1 THEN 'ai' WHEN 3 THEN 'program' ELSE 'agent' END AS message_type,
        m.text AS message_text, m.chat AS external_chat_id, m.external_id AS external_message_id,
        CASE WHEN m.appeal IS NULL THEN NULL ELSE encode(m.appeal, 'hex') END AS appeal_id,
        CASE WHEN m.client IS NULL THEN NULL ELSE encode(m.client, 'hex') END AS client_id,
        m.at AS created_at
    FROM pipeline_messages AS m WHERE m.deleted_at IS NULL;
END IF;
END
$$;
