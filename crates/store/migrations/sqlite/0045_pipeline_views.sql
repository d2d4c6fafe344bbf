-- What other programs query of conversations, by the names that they know; ids are UUIDs in hexadecimal digits, times microseconds since 1970.
CREATE VIEW clients AS
    SELECT lower(hex(c.id)) AS id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'telegram') AS telegram_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'avito') AS avito_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'vk') AS vk_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'whatsapp') AS whatsapp_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'max') AS max_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'instagram') AS instagram_id,
        (SELECT min(i.value) FROM pipeline_identities AS i WHERE i.client = c.id AND i.kind = 'telegram_account') AS telegram_account_id,
        c.phone, c.name, c.email, c.created_at, c.updated_at
    FROM pipeline_clients AS c WHERE c.merged_into IS NULL;
CREATE VIEW appeals AS
    SELECT lower(hex(a.id)) AS id,
        lower(hex(a.client)) AS client_id,
        a.channel, a.account AS channel_account, a.chat AS external_chat_id,
        CASE a.state WHEN 0 THEN 'new' WHEN 1 THEN 'open' WHEN 2 THEN 'waiting_client' WHEN 3 THEN 'waiting_us' ELSE 'closed' END
            AS status,
        a.assignee, a.opened_at, a.first_answer_at, a.closed_at, a.updated_at
    FROM pipeline_appeals AS a;
CREATE VIEW messages_history AS
    SELECT m.seq AS id, m.channel, m.account AS channel_account,
        CASE m.author WHEN 0 THEN 'client' WHEN 1 THEN 'ai' WHEN 3 THEN 'program' ELSE 'agent' END AS message_type,
        m.text AS message_text, m.chat AS external_chat_id, m.external_id AS external_message_id,
        CASE WHEN m.appeal IS NULL THEN NULL ELSE lower(hex(m.appeal)) END AS appeal_id,
        CASE WHEN m.client IS NULL THEN NULL ELSE lower(hex(m.client)) END AS client_id,
        m.at AS created_at
    FROM pipeline_messages AS m WHERE m.deleted_at IS NULL;
