-- What other programs query is to be read only. PostgreSQL writes through a view of one table into that table, unless a trigger says no.
-- A view that is made again needs the trigger again.
CREATE FUNCTION refuse_writes_to_views() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is to be read only; what is changed goes through the API', TG_TABLE_NAME USING ERRCODE = '42501';
END
$$;

DO $$
DECLARE
    ours regclass;
BEGIN
FOR ours IN
    SELECT c.oid::regclass
    FROM unnest(ARRAY['clients', 'appeals', 'messages_history', 'profiles', 'tasks', 'task_attempts', 'messages', 'send_log',
            'task_progress', 'group_stats', 'profile_stats', 'profile_daily_stats', 'screenshots', 'proxy_assignments']) AS n (name)
        JOIN pg_class AS c ON c.oid = to_regclass(n.name)
    WHERE c.relkind = 'v' AND (pg_get_viewdef(c.oid) LIKE '%pipeline\_%' OR pg_get_viewdef(c.oid) LIKE '%campaign\_%')
LOOP
EXECUTE format('CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION refuse_writes_to_views()',
    ours);
END LOOP;
END
$$;
