CREATE TABLE alerts (
    id BYTEA NOT NULL PRIMARY KEY,
    card TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C",
    raised_at BIGINT NOT NULL,
    closed_at BIGINT,
    joined_to BYTEA,
    told_at BIGINT,
    reminded_at BIGINT,
    finished_at BIGINT
);

CREATE INDEX alerts_unfinished ON alerts (id) WHERE finished_at IS NULL;
CREATE INDEX alerts_finished ON alerts (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE alert_notices (
    id BYTEA NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    payload TEXT COLLATE "C" NOT NULL
);

CREATE INDEX alert_notices_by_time ON alert_notices (at);

CREATE TABLE alert_deliveries (
    target TEXT COLLATE "C" NOT NULL,
    notice BYTEA NOT NULL,
    state BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    last_error TEXT COLLATE "C",
    message BYTEA,
    done_at BIGINT,
    PRIMARY KEY (target, notice)
);

CREATE INDEX alert_deliveries_waiting ON alert_deliveries (target, notice) WHERE state = 0;

CREATE TABLE alert_targets (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    record BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL
);

CREATE TABLE alert_target_standings (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    told_at BIGINT,
    failed_at BIGINT,
    last_error TEXT COLLATE "C",
    off_at BIGINT
);

CREATE TABLE alert_mutes (
    card TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL,
    muted_at BIGINT NOT NULL,
    muted_by TEXT COLLATE "C" NOT NULL
);

CREATE TABLE maintenance_windows (
    id BYTEA NOT NULL PRIMARY KEY,
    record TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL
);
