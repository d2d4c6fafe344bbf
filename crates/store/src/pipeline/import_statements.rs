//! The statements of runs that take over what an older program has.

use crate::statement::statements;

statements! {
    ADD_IMPORT = "
        INSERT INTO pipeline_imports (id, source, began_at, clients, appeals, messages) VALUES ($1, $2, $3, 0, 0, 0)";
    IMPORT = "SELECT id, source, began_at, undone_at, clients, appeals, messages FROM pipeline_imports WHERE id = $1";
    IMPORTS = "
        SELECT id, source, began_at, undone_at, clients, appeals, messages FROM pipeline_imports ORDER BY id DESC LIMIT 1000";
    COUNT_IMPORT = "
        UPDATE pipeline_imports SET clients = clients + $1, appeals = appeals + $2, messages = messages + $3 WHERE id = $4";
    END_IMPORT = "UPDATE pipeline_imports SET undone_at = $1 WHERE id = $2 AND undone_at IS NULL";
    PAST_CLIENT = "SELECT id, merged_into FROM pipeline_clients WHERE outside_id = $1";
    PAST_APPEAL = "
        SELECT id, client, channel, account, chat, state, import_state FROM pipeline_appeals WHERE outside_id = $1";
    HAS_OUTSIDE = "SELECT 1 FROM pipeline_clients WHERE id = $1 AND outside_id IS NOT NULL";
    STORED_MESSAGE = "SELECT 1 FROM pipeline_messages WHERE message = $1";
    WERE_MERGED = "SELECT 1 FROM pipeline_merges WHERE master = $1 AND merged = $2 LIMIT 1";
    ADD_PAST_CLIENT = "
        INSERT INTO pipeline_clients (id, name, phone, email, created_at, updated_at, outside_id, import_run, import_made)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    JOIN_CLIENT = "
        UPDATE pipeline_clients SET name = coalesce(name, $1), phone = coalesce(phone, $2), email = coalesce(email, $3),
            outside_id = $4, import_run = $5, import_made = $6
        WHERE id = $7";
    ADD_PAST_IDENTITY = "
        INSERT INTO pipeline_identities (kind, value, client, proof, at, import_run) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT DO NOTHING";
    ADD_PAST_CHAT = "
        INSERT INTO pipeline_chats (channel, account, chat, sender_proof, chat_type, client, discards, import_run)
        VALUES ($1, $2, $3, 'channel_id', 'private', $4, 0, $5) ON CONFLICT (channel, account, chat) DO NOTHING";
    ADD_PAST_APPEAL = "
        INSERT INTO pipeline_appeals (id, client, state, channel, account, chat, assignee, opened_at, closed_at, updated_at,
            outside_id, import_run, import_state)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $3)";
    MOVE_PAST_APPEAL = "
        UPDATE pipeline_appeals SET state = $1, import_state = $1, closed_at = $2, updated_at = $3 WHERE id = $4";
    ADD_PAST_MESSAGE = "
        INSERT INTO pipeline_messages (seq, channel, account, chat, author, client, appeal, turn, message, external_id, text, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (seq) DO NOTHING";
    NUMBERS_FROM = "SELECT seq FROM pipeline_messages WHERE seq >= $1 ORDER BY seq LIMIT 1000";
    /// What a run did, to be undone.
    MERGES_OF_IMPORT = "SELECT id FROM pipeline_merges WHERE merged_by = $1 AND undone_at IS NULL ORDER BY id DESC LIMIT $2";
    DROP_MERGE = "DELETE FROM pipeline_merges WHERE id = $1";
    DROP_PAST_MESSAGES = "
        DELETE FROM pipeline_messages WHERE seq IN (SELECT seq FROM pipeline_messages WHERE turn = $1 ORDER BY seq LIMIT $2)";
    APPEALS_OF_IMPORT = "SELECT id FROM pipeline_appeals WHERE import_run = $1 LIMIT $2";
    APPEAL_GOES_ON = "
        SELECT 1 FROM pipeline_appeals AS a WHERE a.id = $1 AND (
            EXISTS (SELECT 1 FROM pipeline_messages AS m WHERE m.client = a.client AND m.appeal = a.id)
            OR EXISTS (SELECT 1 FROM pipeline_turns AS t WHERE t.appeal = a.id)
            OR EXISTS (SELECT 1 FROM pipeline_notes AS n WHERE n.appeal = a.id))";
    KEEP_APPEAL = "UPDATE pipeline_appeals SET import_run = NULL WHERE id = $1";
    DROP_APPEAL = "DELETE FROM pipeline_appeals WHERE id = $1";
    CHATS_OF_IMPORT = "SELECT channel, account, chat FROM pipeline_chats WHERE import_run = $1 LIMIT $2";
    CHAT_GOES_ON = "
        SELECT 1 FROM pipeline_chats AS c WHERE c.channel = $1 AND c.account = $2 AND c.chat = $3 AND (
            c.turn IS NOT NULL OR c.due_at IS NOT NULL OR EXISTS (
                SELECT 1 FROM pipeline_messages AS m
                WHERE m.client = c.client AND m.channel = c.channel AND m.account = c.account AND m.chat = c.chat))";
    KEEP_CHAT = "UPDATE pipeline_chats SET import_run = NULL WHERE channel = $1 AND account = $2 AND chat = $3";
    DROP_CHAT = "DELETE FROM pipeline_chats WHERE channel = $1 AND account = $2 AND chat = $3";
    CLIENTS_OF_IMPORT = "SELECT id, import_made FROM pipeline_clients WHERE import_run = $1 LIMIT $2";
    CLIENT_GOES_ON = "
        SELECT 1 FROM pipeline_clients AS c WHERE c.id = $1 AND (c.merged_into IS NOT NULL
            OR EXISTS (SELECT 1 FROM pipeline_appeals AS a WHERE a.client = c.id)
            OR EXISTS (SELECT 1 FROM pipeline_messages AS m WHERE m.client = c.id)
            OR EXISTS (SELECT 1 FROM pipeline_chats AS o WHERE o.client = c.id)
            OR EXISTS (SELECT 1 FROM pipeline_merges AS p WHERE p.master = c.id AND p.undone_at IS NULL))";
    KEEP_CLIENT = "UPDATE pipeline_clients SET import_run = NULL, import_made = NULL WHERE id = $1";
    KEEP_IDENTITIES = "UPDATE pipeline_identities SET import_run = NULL WHERE client = $1";
    PART_CLIENT = "
        UPDATE pipeline_clients SET import_run = NULL, import_made = NULL, outside_id = NULL,
            name = CASE WHEN CAST($1 AS BIGINT) = 0 THEN name END, phone = CASE WHEN CAST($2 AS BIGINT) = 0 THEN phone END,
            email = CASE WHEN CAST($3 AS BIGINT) = 0 THEN email END
        WHERE id = $4";
    DROP_CLIENT = "DELETE FROM pipeline_clients WHERE id = $1";
    DROP_IDENTITIES = "DELETE FROM pipeline_identities WHERE client = $1 AND import_run = $2";
}
