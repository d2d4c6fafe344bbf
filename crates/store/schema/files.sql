-- Files that go out through Telegram: those that Telegram has, and uploads under way.

-- How an account names a file that Telegram has.
CREATE TABLE telegram_file_references (
    account TEXT NOT NULL,
    -- The content.
    sha256 BLOB NOT NULL,
    -- What the file was sent as: a document cannot be sent again as a photo.
    form TEXT NOT NULL,
    -- photo or document: the provider's kind of file.
    kind TEXT NOT NULL,
    -- The provider's id, and what this account must show to use it. The reference expires.
    file_id INTEGER NOT NULL,
    access_hash INTEGER NOT NULL,
    file_reference BLOB NOT NULL,
    saved_at INTEGER NOT NULL,
    PRIMARY KEY (account, sha256, form)
) STRICT, WITHOUT ROWID;

-- Uploads under way.
CREATE TABLE telegram_uploads (
    account TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    -- The id under which Telegram collects the parts.
    file_id INTEGER NOT NULL,
    -- Bytes of the file, and of each part but the last one.
    size INTEGER NOT NULL,
    part_size INTEGER NOT NULL,
    -- Telegram has the parts before this one, counted from 0.
    parts_done INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    PRIMARY KEY (account, sha256)
) STRICT, WITHOUT ROWID;
