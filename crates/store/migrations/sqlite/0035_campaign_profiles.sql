-- Browser profiles that send for campaigns. States: 0 active, 1 blocked, 2 logged out.
CREATE TABLE campaign_profiles (
    name TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    -- Where its browser is, JSON. Sealed with the master key.
    record BLOB NOT NULL,
    -- The name of its proxy, and since when it has it.
    proxy TEXT,
    proxy_since INTEGER NOT NULL,
    state INTEGER NOT NULL,
    why TEXT,
    -- Who is logged in there, once that is known.
    user_id INTEGER,
    -- What went wrong last.
    error TEXT,
    error_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_profiles_of_a_person ON campaign_profiles (user_id) WHERE user_id IS NOT NULL;

-- The proxies that profiles get. Health: 0 untested, 1 healthy, 2 sick.
CREATE TABLE campaign_proxies (
    -- Its address without the password.
    name TEXT NOT NULL PRIMARY KEY,
    -- Its address. Sealed with the master key.
    address BLOB NOT NULL,
    health INTEGER NOT NULL,
    why TEXT,
    checked_at INTEGER,
    added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pictures of what went wrong in a browser. The file is in the folder of pictures.
CREATE TABLE campaign_pictures (
    file TEXT NOT NULL PRIMARY KEY,
    profile TEXT NOT NULL,
    attempt BLOB,
    taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_pictures_of_an_attempt ON campaign_pictures (attempt) WHERE attempt IS NOT NULL;
CREATE INDEX campaign_pictures_of_a_profile ON campaign_pictures (profile, taken_at);
CREATE INDEX campaign_pictures_by_time ON campaign_pictures (taken_at);

-- What other programs query, by the names that they know. Times are microseconds since 1970.
CREATE VIEW screenshots AS
    SELECT 'profile:' || p.profile AS profile_id, a.chat AS chat_username, a.campaign AS group_id, p.file, p.taken_at
    FROM campaign_pictures AS p LEFT JOIN campaign_attempts AS a ON a.id = p.attempt;
CREATE VIEW proxy_assignments AS
    SELECT 'profile:' || p.name AS profile_id, p.proxy, p.proxy_since AS assigned_at,
        CASE x.health WHEN 1 THEN 'healthy' WHEN 2 THEN 'sick' ELSE 'untested' END AS health
    FROM campaign_profiles AS p LEFT JOIN campaign_proxies AS x ON x.name = p.proxy WHERE p.proxy IS NOT NULL;
