//! The statements about files that the provider has, or is about to have.

use crate::statement::statements;

statements! {
    REFERENCE = "
        SELECT kind, file_id, access_hash, file_reference, saved_at FROM telegram_file_references
        WHERE account = $1 AND sha256 = $2 AND form = $3";
    SAVE_REFERENCE = "
        INSERT INTO telegram_file_references
            (account, sha256, form, kind, file_id, access_hash, file_reference, saved_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (account, sha256, form) DO UPDATE SET
            kind = excluded.kind, file_id = excluded.file_id, access_hash = excluded.access_hash,
            file_reference = excluded.file_reference, saved_at = excluded.saved_at";
    FORGET_REFERENCE = "
        DELETE FROM telegram_file_references WHERE account = $1 AND sha256 = $2 AND form = $3";
    /// With a session that is new to the account, what an earlier one named or brought up may not be there for it.
    FORGET_REFERENCES_OF_OTHERS = "
        DELETE FROM telegram_file_references WHERE account = $1
            AND NOT EXISTS (SELECT 1 FROM telegram_sessions WHERE account = $1 AND fingerprint = $2)";
    FORGET_UPLOADS_OF_OTHERS = "
        DELETE FROM telegram_uploads WHERE account = $1
            AND NOT EXISTS (SELECT 1 FROM telegram_sessions WHERE account = $1 AND fingerprint = $2)";
    DROP_REFERENCES = "
        DELETE FROM telegram_file_references WHERE (account, sha256, form) IN (
            SELECT account, sha256, form FROM telegram_file_references WHERE saved_at <= $1 LIMIT $2)";
    UPLOAD = "
        SELECT file_id, size, part_size, parts_done, started_at FROM telegram_uploads
        WHERE account = $1 AND sha256 = $2";
    SAVE_UPLOAD = "
        INSERT INTO telegram_uploads (account, sha256, file_id, size, part_size, parts_done, started_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (account, sha256) DO UPDATE SET
            file_id = excluded.file_id, size = excluded.size, part_size = excluded.part_size,
            parts_done = excluded.parts_done, started_at = excluded.started_at";
    FORGET_UPLOAD = "DELETE FROM telegram_uploads WHERE account = $1 AND sha256 = $2";
    DROP_UPLOADS = "
        DELETE FROM telegram_uploads WHERE (account, sha256) IN (
            SELECT account, sha256 FROM telegram_uploads WHERE started_at <= $1 LIMIT $2)";
}
