-- Runs of flows. States: 0 running, 10 done, 11 failed, 12 stopped, 13 cut by the end of the program.
CREATE TABLE flow_runs (
    id BLOB NOT NULL PRIMARY KEY,
    flow TEXT NOT NULL,
    account TEXT NOT NULL,
    -- The message that began it.
    chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    state INTEGER NOT NULL,
    -- Why it ended before its last step.
    code TEXT,
    -- The step that it is at, from 1.
    step INTEGER NOT NULL,
    -- What happened, JSON.
    moments TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX flow_runs_of_a_flow ON flow_runs (flow, account, began_at);
CREATE INDEX flow_runs_running ON flow_runs (id) WHERE state = 0;
CREATE INDEX flow_runs_over ON flow_runs (ended_at) WHERE state <> 0;

-- Flows that were stopped, or started again, on one account.
CREATE TABLE flow_switches (
    flow TEXT NOT NULL,
    account TEXT NOT NULL,
    -- Why it is stopped; nothing where it was started.
    stopped TEXT,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (flow, account)
) STRICT, WITHOUT ROWID;
