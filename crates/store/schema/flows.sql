-- Flows: buttons of bots that an account presses as soon as they appear.

-- Flows that were written at runtime. Those of the settings have no row.
CREATE TABLE flow_definitions (
    name TEXT NOT NULL PRIMARY KEY,
    -- TOML: one flow.
    definition TEXT NOT NULL,
    -- Grows with each change.
    changed_at INTEGER NOT NULL,
    changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Flows that a person, or a limit, stopped on an account, or that were started again.
CREATE TABLE flow_switches (
    flow TEXT NOT NULL,
    account TEXT NOT NULL,
    -- Why the flow is stopped. NULL: it was started.
    stopped TEXT,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (flow, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE flow_runs (
    id BLOB NOT NULL PRIMARY KEY,
    flow TEXT NOT NULL,
    account TEXT NOT NULL,
    -- The message that triggered the run.
    chat_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    -- 0 running, 10 done, 11 failed, 12 stopped, 13 cut by the end of the program.
    state INTEGER NOT NULL,
    -- Why the run ended before its last step.
    code TEXT,
    -- The current step, counted from 1.
    step INTEGER NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER,
    -- JSON: what happened, in order.
    moments TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX flow_runs_of_a_flow ON flow_runs (flow, account, began_at);
CREATE INDEX flow_runs_running ON flow_runs (id) WHERE state = 0;
CREATE INDEX flow_runs_over ON flow_runs (ended_at) WHERE state <> 0;
