-- Campaigns: a group of recipients, messages and senders.
CREATE TABLE campaigns (
    name TEXT NOT NULL PRIMARY KEY,
    -- JSON.
    settings TEXT NOT NULL,
    -- The number of its last cycle, over all runs.
    turn INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- States: 0 active, 1 blocked, 2 logged out.
CREATE TABLE campaign_senders (
    campaign TEXT NOT NULL,
    sender TEXT NOT NULL,
    state INTEGER NOT NULL,
    why TEXT,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (campaign, sender)
) STRICT, WITHOUT ROWID;

-- The recipients. States: 0 open, 1 blocked.
CREATE TABLE campaign_tasks (
    campaign TEXT NOT NULL,
    chat TEXT NOT NULL,
    -- The order of the import.
    place INTEGER NOT NULL,
    -- JSON.
    variables TEXT NOT NULL,
    state INTEGER NOT NULL,
    why TEXT,
    -- The cycle in which it had its turn last.
    turn INTEGER NOT NULL,
    -- How often in a row it failed.
    tries INTEGER NOT NULL,
    -- In how many cycles it was sent to.
    cycles INTEGER NOT NULL,
    -- Not before.
    next_at INTEGER NOT NULL,
    PRIMARY KEY (campaign, chat)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX campaign_tasks_by_place ON campaign_tasks (campaign, place);
CREATE INDEX campaign_tasks_due ON campaign_tasks (campaign, turn, next_at, place) WHERE state = 0;

CREATE TABLE campaign_messages (
    campaign TEXT NOT NULL,
    number INTEGER NOT NULL,
    text TEXT NOT NULL,
    parse_mode TEXT NOT NULL,
    weight INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    -- How often it was sent.
    uses INTEGER NOT NULL,
    PRIMARY KEY (campaign, number)
) STRICT, WITHOUT ROWID;

-- States: 0 running, 1 paused, 10 done, 11 stopped.
CREATE TABLE campaign_runs (
    id BLOB NOT NULL PRIMARY KEY,
    campaign TEXT NOT NULL,
    state INTEGER NOT NULL,
    reason TEXT,
    -- The cycle it is in, from 1; 0 before the first. And how many there are to be.
    cycle INTEGER NOT NULL,
    cycles INTEGER NOT NULL,
    -- The number of that cycle over all runs of the campaign.
    turn INTEGER NOT NULL,
    -- How many recipients it takes before it pauses.
    canary INTEGER,
    -- When the next cycle begins, between two.
    next_cycle_at INTEGER,
    began_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX campaign_runs_open ON campaign_runs (campaign) WHERE state < 10;
CREATE INDEX campaign_runs_of_a_campaign ON campaign_runs (campaign, id);

-- What was tried. States: 0 claimed, 10 failed, 11 skipped, 12 unknown, 20 sent.
CREATE TABLE campaign_attempts (
    id BLOB NOT NULL PRIMARY KEY,
    run_id BLOB NOT NULL,
    campaign TEXT NOT NULL,
    cycle INTEGER NOT NULL,
    chat TEXT NOT NULL,
    sender TEXT NOT NULL,
    state INTEGER NOT NULL,
    code TEXT,
    detail TEXT,
    -- Whose chat it is, once that is known.
    peer TEXT,
    -- The message and what it says to this recipient.
    message INTEGER,
    text TEXT,
    parse_mode TEXT,
    -- The message of the outbox.
    outbox_id BLOB,
    claimed_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;

-- No one is written to twice in a cycle, however the chat is named.
CREATE UNIQUE INDEX campaign_attempts_once ON campaign_attempts (run_id, cycle, peer)
    WHERE peer IS NOT NULL AND state <> 10 AND state <> 11;
CREATE INDEX campaign_attempts_open ON campaign_attempts (sender, id) WHERE state = 0;
CREATE INDEX campaign_attempts_lately ON campaign_attempts (sender, ended_at) WHERE state >= 12;
CREATE INDEX campaign_attempts_of_a_run ON campaign_attempts (run_id, id);
