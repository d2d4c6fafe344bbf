CREATE TABLE do_not_contact (
    id BYTEA NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    contact TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    added_by TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    added_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX do_not_contact_by_contact ON do_not_contact (kind, contact);

CREATE INDEX telegram_peers_known_as ON telegram_peers (chat_id) WHERE username IS NOT NULL OR phone IS NOT NULL;
