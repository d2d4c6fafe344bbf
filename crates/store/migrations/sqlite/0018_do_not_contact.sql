-- Contacts that are not to be written to.
CREATE TABLE do_not_contact (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    contact TEXT NOT NULL,
    source TEXT NOT NULL,
    added_by TEXT NOT NULL,
    reason TEXT,
    added_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX do_not_contact_by_contact ON do_not_contact (kind, contact);

-- By which public names and phones a chat may be among them.
CREATE INDEX telegram_peers_known_as ON telegram_peers (chat_id) WHERE username IS NOT NULL OR phone IS NOT NULL;
