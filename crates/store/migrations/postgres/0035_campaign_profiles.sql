-- Browser profiles that send for campaigns. States: 0 active, 1 blocked, 2 logged out.
CREATE TABLE campaign_profiles (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    -- Where its browser is, JSON. Sealed with the master key.
    record BYTEA NOT NULL,
    -- The name of its proxy, and since when it has it.
    proxy TEXT COLLATE "C",
    proxy_since BIGINT NOT NULL,
    state BIGINT NOT NULL,
    why TEXT COLLATE "C",
    -- Who is logged in there, once that is known.
    user_id BIGINT,
    -- What went wrong last.
    error TEXT COLLATE "C",
    error_at BIGINT,
    created_at BIGINT NOT NULL
);

CREATE INDEX campaign_profiles_of_a_person ON campaign_profiles (user_id) WHERE user_id IS NOT NULL;

-- The proxies that profiles get. Health: 0 untested, 1 healthy, 2 sick.
CREATE TABLE campaign_proxies (
    -- Its address without the password.
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Its address. Sealed with the master key.
    address BYTEA NOT NULL,
    health BIGINT NOT NULL,
    why TEXT COLLATE "C",
    checked_at BIGINT,
    added_at BIGINT NOT NULL
);

-- Pictures of what went wrong in a browser. The file is in the folder of pictures.
CREATE TABLE campaign_pictures (
    file TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    profile TEXT COLLATE "C" NOT NULL,
    attempt BYTEA,
    taken_at BIGINT NOT NULL
);

CREATE INDEX campaign_pictures_of_an_attempt ON campaign_pictures (attempt) WHERE attempt IS NOT NULL;
CREATE INDEX campaign_pictures_of_a_profile ON campaign_pictures (profile, taken_at);
CREATE INDEX campaign_pictures_by_time ON campaign_pictures (taken_at);

-- The views of other programs, where the name is free: a table of another program is never touched.
DO $$
BEGIN
IF to_regclass('screenshots') IS NULL THEN
CREATE VIEW screenshots AS
    SELECT 'profile:' || p.profile AS profile_id, a.chat AS chat_username, a.campaign AS group_id, p.file, p.taken_at
    FROM campaign_pictures AS p LEFT JOIN campaign_attempts AS a ON a.id = p.attempt;
END IF;
IF to_regclass('proxy_assignments') IS NULL THEN
CREATE VIEW proxy_assignments AS
    SELECT 'profile:' || p.name AS profile_id, p.proxy, p.proxy_since AS assigned_at,
        CASE x.health WHEN 1 THEN 'healthy' WHEN 2 THEN 'sick' ELSE 'untested' END AS health
    FROM campaign_profiles AS p LEFT JOIN campaign_proxies AS x ON x.name = p.proxy WHERE p.proxy IS NOT NULL;
END IF;
END
$$;
