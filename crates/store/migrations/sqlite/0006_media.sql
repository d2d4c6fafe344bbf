-- What messages carry beside their texts, and what is known of these files at the provider.

-- NULL: the part is one text, and its random_id says all. Else each message that it becomes at the provider, as JSON, with
-- its random_id and the place of its media in the content.
ALTER TABLE outbox_parts ADD COLUMN items TEXT;
-- NULL: provider_id says all. Else the id of each item at the provider, as JSON.
ALTER TABLE outbox_parts ADD COLUMN provider_ids TEXT;

-- The files that wait to be sent, by the messages that carry them. No row for messages without any.
CREATE TABLE outbox_files (
    message_id BLOB NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (message_id, file)
) STRICT, WITHOUT ROWID;

-- How an account names a file that it has uploaded, or that the provider has given it. The form is what it was sent as: a
-- document cannot be sent again as a photo.
CREATE TABLE telegram_file_references (
    account TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    form TEXT NOT NULL,
    kind TEXT NOT NULL,
    file_id INTEGER NOT NULL,
    access_hash INTEGER NOT NULL,
    file_reference BLOB NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (account, sha256, form)
) STRICT, WITHOUT ROWID;

-- Uploads on their way: the provider has all pieces before parts_done.
CREATE TABLE telegram_uploads (
    account TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    file_id INTEGER NOT NULL,
    size INTEGER NOT NULL,
    part_size INTEGER NOT NULL,
    parts_done INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    PRIMARY KEY (account, sha256)
) STRICT, WITHOUT ROWID;
