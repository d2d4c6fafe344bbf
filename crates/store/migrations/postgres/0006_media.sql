ALTER TABLE outbox_parts ADD COLUMN items TEXT COLLATE "C";
ALTER TABLE outbox_parts ADD COLUMN provider_ids TEXT COLLATE "C";

CREATE TABLE outbox_files (
    message_id BYTEA NOT NULL,
    file TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (message_id, file)
);

CREATE TABLE telegram_file_references (
    account TEXT COLLATE "C" NOT NULL,
    sha256 BYTEA NOT NULL,
    form TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    file_id BIGINT NOT NULL,
    access_hash BIGINT NOT NULL,
    file_reference BYTEA NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (account, sha256, form)
);

CREATE TABLE telegram_uploads (
    account TEXT COLLATE "C" NOT NULL,
    sha256 BYTEA NOT NULL,
    file_id BIGINT NOT NULL,
    size BIGINT NOT NULL,
    part_size BIGINT NOT NULL,
    parts_done BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    PRIMARY KEY (account, sha256)
);
