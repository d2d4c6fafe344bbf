-- Campaigns: messages to lists of chats. `sender` is account:NAME or profile:NAME.
-- A campaign counts its cycles over all its runs; the columns `turn` hold that count.

CREATE TABLE campaigns (
    -- A slug. Addresses and the other tables use it.
    name TEXT NOT NULL PRIMARY KEY,
    -- The name as people gave it, in any script; and the same without case, by which it is found.
    title TEXT NOT NULL,
    folded_title TEXT NOT NULL,
    -- JSON.
    settings TEXT NOT NULL,
    -- The last cycle.
    turn INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX campaigns_by_title ON campaigns (folded_title);

CREATE TABLE campaign_senders (
    campaign TEXT NOT NULL,
    sender TEXT NOT NULL,
    -- 0 active, 1 blocked, 2 logged out; why, and since when.
    state INTEGER NOT NULL,
    why TEXT,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (campaign, sender)
) STRICT, WITHOUT ROWID;

-- The recipients of a campaign.
CREATE TABLE campaign_tasks (
    campaign TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- The order of the list.
    place INTEGER NOT NULL,
    -- JSON: what templates say about the recipient.
    variables TEXT NOT NULL,
    -- 0 open, 1 blocked; and why.
    state INTEGER NOT NULL,
    why TEXT,
    -- The id of the chat that was last written to, to notice when the name belongs to another chat.
    peer TEXT,
    -- The last cycle in which the recipient had a turn, and in how many cycles it got a message.
    turn INTEGER NOT NULL,
    cycles INTEGER NOT NULL,
    -- How many attempts in a row failed, and when the next one may be.
    tries INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    PRIMARY KEY (campaign, chat)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX campaign_tasks_by_place ON campaign_tasks (campaign, place);
CREATE INDEX campaign_tasks_due ON campaign_tasks (campaign, turn, next_at, place) WHERE state = 0;
CREATE INDEX campaign_tasks_blocked ON campaign_tasks (campaign, place) WHERE state <> 0;

CREATE TABLE campaign_messages (
    campaign TEXT NOT NULL,
    number INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    -- How often the message is drawn, relative to the others, and how often it was sent.
    weight INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    -- A template.
    text TEXT NOT NULL,
    parse_mode TEXT NOT NULL,
    -- JSON. The files are in the folder of outgoing files.
    media TEXT,
    PRIMARY KEY (campaign, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaign_runs (
    id BLOB NOT NULL PRIMARY KEY,
    campaign TEXT NOT NULL,
    -- 0 running, 1 paused, 10 done, 11 stopped; and why it is paused.
    state INTEGER NOT NULL,
    reason TEXT,
    -- The cycle of this run, counted from 1 (0 before the first), and how many there are.
    cycle INTEGER NOT NULL,
    cycles INTEGER NOT NULL,
    -- The same cycle, counted over all runs of the campaign.
    turn INTEGER NOT NULL,
    -- Recipients without a turn in this cycle so far. NULL: they are counted when someone asks.
    pending INTEGER,
    -- How many more recipients the run takes before it pauses.
    canary INTEGER,
    -- Between two cycles: when the next one begins.
    next_cycle_at INTEGER,
    began_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX campaign_runs_open ON campaign_runs (campaign) WHERE state < 10;
CREATE INDEX campaign_runs_of_a_campaign ON campaign_runs (campaign, id);

CREATE TABLE campaign_attempts (
    id BLOB NOT NULL PRIMARY KEY,
    run_id BLOB NOT NULL,
    campaign TEXT NOT NULL,
    cycle INTEGER NOT NULL,
    chat TEXT NOT NULL,
    -- The id of the chat, once it is known.
    peer TEXT,
    sender TEXT NOT NULL,
    -- 0 claimed, 10 failed, 11 skipped, 12 unknown, 20 sent. From 12 on the message may have arrived.
    state INTEGER NOT NULL,
    -- Why it was not sent: a word, and a sentence.
    code TEXT,
    detail TEXT,
    claimed_at INTEGER NOT NULL,
    ended_at INTEGER,
    -- The number of the message, and what it says to this recipient.
    message INTEGER,
    text TEXT,
    parse_mode TEXT,
    -- The message of the outbox.
    outbox_id BLOB
) STRICT, WITHOUT ROWID;

-- A chat gets one message in a cycle, whatever name the list has for it.
CREATE UNIQUE INDEX campaign_attempts_once ON campaign_attempts (run_id, cycle, peer)
    WHERE peer IS NOT NULL AND state <> 10 AND state <> 11;
-- What a person got lately, over all campaigns.
CREATE INDEX campaign_attempts_of_a_peer ON campaign_attempts (peer, claimed_at)
    WHERE peer IS NOT NULL AND state <> 10 AND state <> 11;
CREATE INDEX campaign_attempts_open ON campaign_attempts (sender, id) WHERE state = 0;
CREATE INDEX campaign_attempts_open_of_a_run ON campaign_attempts (run_id, id) WHERE state = 0;
CREATE INDEX campaign_attempts_lately ON campaign_attempts (sender, ended_at) WHERE state >= 12;
CREATE INDEX campaign_attempts_of_a_run ON campaign_attempts (run_id, id);

-- The ended attempts of a run by state and code, counted in the writes that end them.
CREATE TABLE campaign_counts (
    run_id BLOB NOT NULL,
    state INTEGER NOT NULL,
    -- Empty, not NULL, where there is none.
    code TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (run_id, state, code)
) STRICT, WITHOUT ROWID;

-- The attempts of a sender that may have arrived, by the hour in which they ended, counted in the writes that end them.
CREATE TABLE campaign_sent (
    sender TEXT NOT NULL,
    -- Hours since 1970.
    hour INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (sender, hour)
) STRICT, WITHOUT ROWID;

-- Browser profiles that send for campaigns.
CREATE TABLE campaign_profiles (
    name TEXT NOT NULL PRIMARY KEY,
    -- The kind of browser.
    kind TEXT NOT NULL,
    -- Sealed JSON: where the browser is.
    record BLOB NOT NULL,
    -- The name of the proxy, and since when the profile has it.
    proxy TEXT,
    proxy_since INTEGER NOT NULL,
    -- 0 active, 1 blocked, 2 logged out; and why.
    state INTEGER NOT NULL,
    why TEXT,
    -- The Telegram user who is logged in there.
    user_id INTEGER,
    -- The last error.
    error TEXT,
    error_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_profiles_of_a_person ON campaign_profiles (user_id) WHERE user_id IS NOT NULL;

-- Proxies that profiles use.
CREATE TABLE campaign_proxies (
    -- The address without the password.
    name TEXT NOT NULL PRIMARY KEY,
    -- Sealed: the address.
    address BLOB NOT NULL,
    -- 0 untested, 1 healthy, 2 sick; and why.
    health INTEGER NOT NULL,
    why TEXT,
    checked_at INTEGER,
    added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Screenshots of failures in a browser.
CREATE TABLE campaign_pictures (
    -- The name in the folder of pictures.
    file TEXT NOT NULL PRIMARY KEY,
    profile TEXT NOT NULL,
    attempt BLOB,
    taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_pictures_of_an_attempt ON campaign_pictures (attempt) WHERE attempt IS NOT NULL;
CREATE INDEX campaign_pictures_of_a_profile ON campaign_pictures (profile, taken_at);
CREATE INDEX campaign_pictures_by_time ON campaign_pictures (taken_at);
