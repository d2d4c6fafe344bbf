CREATE TABLE flood_clearing (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    how TEXT COLLATE "C" NOT NULL,
    phase TEXT COLLATE "C" NOT NULL,
    asked_by TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    until BIGINT,
    hurry BIGINT NOT NULL,
    waiting TEXT COLLATE "C" NOT NULL,
    done TEXT COLLATE "C" NOT NULL,
    silent TEXT COLLATE "C" NOT NULL
);

CREATE TABLE flood_pauses (
    account TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);
