-- The do-not-contact list: contacts that want no advertising, or may get no message and no invitation.

CREATE TABLE do_not_contact (
    id BLOB NOT NULL PRIMARY KEY,
    -- chat_id, username, phone or address, and its value.
    kind TEXT NOT NULL,
    contact TEXT NOT NULL,
    -- paused, advertising or all: what it refuses.
    level TEXT NOT NULL,
    -- api, page, cli, import or opt_out: where the entry comes from.
    source TEXT NOT NULL,
    reason TEXT,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX do_not_contact_by_contact ON do_not_contact (kind, contact);
