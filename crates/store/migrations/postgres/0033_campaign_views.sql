-- The same, where the name is free: a table of another program is never touched.
DO $$
BEGIN
IF to_regclass('profiles') IS NULL THEN
CREATE VIEW profiles AS
    SELECT sender AS profile_id, campaign AS group_id,
        CASE WHEN state = 0 THEN 1 ELSE 0 END AS is_active,
        CASE WHEN state = 1 THEN 1 ELSE 0 END AS is_blocked,
        CASE WHEN state = 2 THEN 1 ELSE 0 END AS is_logged_out
    FROM campaign_senders;
END IF;
IF to_regclass('tasks') IS NULL THEN
CREATE VIEW tasks AS
    SELECT campaign AS group_id, chat AS chat_username,
        CASE WHEN state = 1 THEN 'blocked' ELSE 'pending' END AS status, cycles
    FROM campaign_tasks;
END IF;
IF to_regclass('task_attempts') IS NULL THEN
CREATE VIEW task_attempts AS
    SELECT chat AS task_id, campaign AS group_id, sender AS profile_id, run_id, cycle,
        CASE state WHEN 0 THEN 'claimed' WHEN 10 THEN 'failed' WHEN 11 THEN 'skipped' WHEN 12 THEN 'unknown' ELSE 'sent' END
            AS status, code, claimed_at, ended_at
    FROM campaign_attempts;
END IF;
IF to_regclass('messages') IS NULL THEN
CREATE VIEW messages AS
    SELECT campaign AS group_id, number, text, uses AS usage_count FROM campaign_messages;
END IF;
IF to_regclass('send_log') IS NULL THEN
CREATE VIEW send_log AS
    SELECT sender AS profile_id, chat AS chat_username, campaign AS group_id,
        CASE state WHEN 10 THEN 'failed' WHEN 11 THEN 'skipped' WHEN 12 THEN 'unknown' ELSE 'sent' END AS status,
        code, ended_at
    FROM campaign_attempts WHERE state <> 0;
END IF;
IF to_regclass('task_progress') IS NULL THEN
CREATE VIEW task_progress AS
    SELECT campaign AS group_id, CASE WHEN state = 1 THEN 'blocked' ELSE 'pending' END AS status, count(*) AS tasks
    FROM campaign_tasks GROUP BY campaign, CASE WHEN state = 1 THEN 'blocked' ELSE 'pending' END;
END IF;
IF to_regclass('group_stats') IS NULL THEN
CREATE VIEW group_stats AS
    SELECT campaign AS group_id,
        sum(CASE WHEN state = 20 THEN 1 ELSE 0 END) AS sent,
        sum(CASE WHEN state = 10 THEN 1 ELSE 0 END) AS failed,
        sum(CASE WHEN state = 11 THEN 1 ELSE 0 END) AS skipped,
        sum(CASE WHEN state = 12 THEN 1 ELSE 0 END) AS unknown
    FROM campaign_attempts GROUP BY campaign;
END IF;
IF to_regclass('profile_stats') IS NULL THEN
CREATE VIEW profile_stats AS
    SELECT sender AS profile_id,
        sum(CASE WHEN state = 20 THEN 1 ELSE 0 END) AS sent,
        sum(CASE WHEN state = 10 THEN 1 ELSE 0 END) AS failed,
        sum(CASE WHEN state = 11 THEN 1 ELSE 0 END) AS skipped,
        sum(CASE WHEN state = 12 THEN 1 ELSE 0 END) AS unknown
    FROM campaign_attempts GROUP BY sender;
END IF;
IF to_regclass('profile_daily_stats') IS NULL THEN
CREATE VIEW profile_daily_stats AS
    SELECT sender AS profile_id, ended_at / 86400000000 AS day_number,
        sum(CASE WHEN state = 20 THEN 1 ELSE 0 END) AS sent,
        sum(CASE WHEN state = 10 THEN 1 ELSE 0 END) AS failed
    FROM campaign_attempts WHERE state <> 0 GROUP BY sender, ended_at / 86400000000;
END IF;
END
$$;
