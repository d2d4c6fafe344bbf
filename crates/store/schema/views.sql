-- Views for other programs, under the names that they already query. They are read-only.
-- Times are microseconds since 1970; a day is counted from there. An id is a UUID in hexadecimal digits, or the id in the old
-- program where an import brought the row.

-- Conversations.
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

CREATE VIEW appeals AS
    SELECT coalesce(a.outside_id, lower(hex(a.id))) AS id,
        coalesce((SELECT c.outside_id FROM pipeline_clients AS c WHERE c.id = a.client), lower(hex(a.client))) AS client_id,
        a.channel, a.account AS channel_account, a.chat AS external_chat_id,
        CASE a.state WHEN 0 THEN 'new' WHEN 1 THEN 'open' WHEN 2 THEN 'waiting_client' WHEN 3 THEN 'waiting_us' ELSE 'closed' END
            AS status,
        a.assignee, a.opened_at, a.first_answer_at, a.closed_at, a.updated_at
    FROM pipeline_appeals AS a;

CREATE VIEW messages_history AS
    SELECT CASE WHEN substr(m.message, 1, 4) = 'old_' THEN substr(m.message, 5) ELSE CAST(m.seq AS TEXT) END AS id,
        m.channel, m.account AS channel_account,
        CASE m.author WHEN 0 THEN 'client' WHEN 1 THEN 'ai' WHEN 3 THEN 'program' ELSE 'agent' END AS message_type,
        m.text AS message_text, m.chat AS external_chat_id, m.external_id AS external_message_id,
        coalesce((SELECT a.outside_id FROM pipeline_appeals AS a WHERE a.id = m.appeal), lower(hex(m.appeal))) AS appeal_id,
        coalesce((SELECT c.outside_id FROM pipeline_clients AS c WHERE c.id = m.client), lower(hex(m.client))) AS client_id,
        m.at AS created_at
    FROM pipeline_messages AS m WHERE m.deleted_at IS NULL;

-- Campaigns.
CREATE VIEW profiles AS
    SELECT sender AS profile_id, campaign AS group_id,
        CASE WHEN state = 0 THEN 1 ELSE 0 END AS is_active,
        CASE WHEN state = 1 THEN 1 ELSE 0 END AS is_blocked,
        CASE WHEN state = 2 THEN 1 ELSE 0 END AS is_logged_out
    FROM campaign_senders;

CREATE VIEW tasks AS
    SELECT campaign AS group_id, chat AS chat_username,
        CASE WHEN state = 1 THEN 'blocked' ELSE 'pending' END AS status, cycles
    FROM campaign_tasks;

CREATE VIEW task_attempts AS
    SELECT chat AS task_id, campaign AS group_id, sender AS profile_id, run_id, cycle,
        CASE state WHEN 0 THEN 'claimed' WHEN 10 THEN 'failed' WHEN 11 THEN 'skipped' WHEN 12 THEN 'unknown' ELSE 'sent' END
            AS status, code, claimed_at, ended_at
    FROM campaign_attempts;

CREATE VIEW messages AS
    SELECT campaign AS group_id, number, text, uses AS usage_count FROM campaign_messages;

CREATE VIEW send_log AS
    SELECT sender AS profile_id, chat AS chat_username, campaign AS group_id,
        CASE state WHEN 10 THEN 'failed' WHEN 11 THEN 'skipped' WHEN 12 THEN 'unknown' ELSE 'sent' END AS status,
        code, ended_at
    FROM campaign_attempts WHERE state <> 0;

CREATE VIEW task_progress AS
    SELECT campaign AS group_id, CASE WHEN state = 1 THEN 'blocked' ELSE 'pending' END AS status, count(*) AS tasks
    FROM campaign_tasks GROUP BY campaign, CASE WHEN state = 1 THEN 'blocked' ELSE 'pending' END;

CREATE VIEW group_stats AS
    SELECT campaign AS group_id,
        sum(CASE WHEN state = 20 THEN 1 ELSE 0 END) AS sent,
        sum(CASE WHEN state = 10 THEN 1 ELSE 0 END) AS failed,
        sum(CASE WHEN state = 11 THEN 1 ELSE 0 END) AS skipped,
        sum(CASE WHEN state = 12 THEN 1 ELSE 0 END) AS unknown
    FROM campaign_attempts GROUP BY campaign;

CREATE VIEW profile_stats AS
    SELECT sender AS profile_id,
        sum(CASE WHEN state = 20 THEN 1 ELSE 0 END) AS sent,
        sum(CASE WHEN state = 10 THEN 1 ELSE 0 END) AS failed,
        sum(CASE WHEN state = 11 THEN 1 ELSE 0 END) AS skipped,
        sum(CASE WHEN state = 12 THEN 1 ELSE 0 END) AS unknown
    FROM campaign_attempts GROUP BY sender;

CREATE VIEW profile_daily_stats AS
    SELECT sender AS profile_id, ended_at / 86400000000 AS day_number,
        sum(CASE WHEN state = 20 THEN 1 ELSE 0 END) AS sent,
        sum(CASE WHEN state = 10 THEN 1 ELSE 0 END) AS failed
    FROM campaign_attempts WHERE state <> 0 GROUP BY sender, ended_at / 86400000000;

CREATE VIEW screenshots AS
    SELECT 'profile:' || p.profile AS profile_id, a.chat AS chat_username, a.campaign AS group_id, p.file, p.taken_at
    FROM campaign_pictures AS p LEFT JOIN campaign_attempts AS a ON a.id = p.attempt;

CREATE VIEW proxy_assignments AS
    SELECT 'profile:' || p.name AS profile_id, p.proxy, p.proxy_since AS assigned_at,
        CASE x.health WHEN 1 THEN 'healthy' WHEN 2 THEN 'sick' ELSE 'untested' END AS health
    FROM campaign_profiles AS p LEFT JOIN campaign_proxies AS x ON x.name = p.proxy WHERE p.proxy IS NOT NULL;
