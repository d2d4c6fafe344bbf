-- What the attempts of a run that have ended came to, counted in the writes that end them.
CREATE TABLE campaign_counts (
    run_id BLOB NOT NULL,
    state INTEGER NOT NULL,
    -- Empty where there is none.
    code TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    PRIMARY KEY (run_id, state, code)
) STRICT, WITHOUT ROWID;

INSERT INTO campaign_counts (run_id, state, code, attempts)
    SELECT run_id, state, coalesce(code, ''), count(*) FROM campaign_attempts WHERE state <> 0
    GROUP BY run_id, state, coalesce(code, '');

-- How many recipients have their turn in its cycle before them. Without it they are counted when that is asked for.
ALTER TABLE campaign_runs ADD COLUMN pending INTEGER;

CREATE INDEX campaign_attempts_open_of_a_run ON campaign_attempts (run_id, id) WHERE state = 0;
CREATE INDEX campaign_tasks_blocked ON campaign_tasks (campaign, place) WHERE state <> 0;
