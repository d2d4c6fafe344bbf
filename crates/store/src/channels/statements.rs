//! The statements of channels.

use crate::statement::statements;

statements! {
    /// The last number, and what became of a message before it came in.
    LAST = "
        SELECT (SELECT coalesce(max(seq), 0) FROM channel_messages),
            (SELECT changes FROM early_changes WHERE channel = $1 AND account = $2 AND external_id = $3)";
    EARLY = "SELECT changes FROM early_changes WHERE channel = $1 AND account = $2 AND external_id = $3";
    SAVE_EARLY = "
        INSERT INTO early_changes (channel, account, external_id, changes, kept_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (channel, account, external_id) DO UPDATE SET changes = excluded.changes";
    REMOVE_EARLY = "DELETE FROM early_changes WHERE channel = $1 AND account = $2 AND external_id = $3";
    DROP_EARLY = "
        DELETE FROM early_changes WHERE (channel, account, external_id) IN (
            SELECT channel, account, external_id FROM early_changes WHERE kept_at < $1 ORDER BY kept_at LIMIT $2)";
    /// Where a customer's message is and what it says. One that was edited or taken back may have other words than at first.
    UNCHANGED = "
        SELECT chat, text FROM channel_messages
        WHERE channel = $1 AND account = $2 AND external_id = $3 AND origin = 0
          AND edited_at IS NULL AND deleted_at IS NULL";
    IS_STORED = "SELECT seq FROM channel_messages WHERE channel = $1 AND account = $2 AND external_id = $3";
    NOTE_EVENT = "
        INSERT INTO channel_events (channel, account, event_key, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (channel, account, event_key) DO NOTHING";
    DROP_EVENTS = "
        DELETE FROM channel_events WHERE at < $1 AND event_key IN (
            SELECT event_key FROM channel_events WHERE at < $1 ORDER BY at LIMIT $2)";
    INSERT = "
        INSERT INTO channel_messages (seq, channel, account, chat, external_id, origin, user_id, name, phone, email, text,
            media, reply_to, ad, raw, sent_at, place, phone_proof, email_proof, sender_proof, chat_type, chat_group,
            mentions_us, chat_title, subject, whole_text, is_for_people)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
            $25, $26, $27)
        ON CONFLICT (channel, account, external_id) DO NOTHING";
    EDIT = "
        UPDATE channel_messages SET text = $1, edited_at = $2
        WHERE channel = $3 AND account = $4 AND external_id = $5 AND (edited_at IS NULL OR edited_at < CAST($2 AS BIGINT))";
    DELETED = "
        UPDATE channel_messages SET deleted_at = $1
        WHERE channel = $2 AND account = $3 AND external_id = $4 AND deleted_at IS NULL";
    REACTIONS = "
        SELECT reactions FROM channel_messages WHERE channel = $1 AND account = $2 AND external_id = $3";
    SAVE_REACTIONS = "
        UPDATE channel_messages SET reactions = $1 WHERE channel = $2 AND account = $3 AND external_id = $4";
    SENT_REACTIONS = "
        SELECT reactions FROM provider_messages WHERE channel = $1 AND account = $2 AND provider_id = $3";
    SAVE_SENT_REACTIONS = "
        UPDATE provider_messages SET reactions = $1 WHERE channel = $2 AND account = $3 AND provider_id = $4";
    BY_EXTERNAL_ID = "
        SELECT seq, channel, account, chat, external_id, origin, user_id, name, phone, email, text, media, reply_to, ad, raw,
            sent_at, edited_at, deleted_at, place, reactions, phone_proof, email_proof, sender_proof, chat_type,
            chat_group, mentions_us, chat_title, subject, whole_text, is_for_people
        FROM channel_messages WHERE channel = $1 AND account = $2 AND external_id = $3 AND origin <> 4";
    GET = "
        SELECT seq, channel, account, chat, external_id, origin, user_id, name, phone, email, text, media, reply_to, ad, raw,
            sent_at, edited_at, deleted_at, place, reactions, phone_proof, email_proof, sender_proof, chat_type,
            chat_group, mentions_us, chat_title, subject, whole_text, is_for_people
        FROM channel_messages WHERE seq = $1 AND origin <> 4";
    SCAN = "
        SELECT seq, channel, account, chat, external_id, origin, user_id, name, phone, email, text, media, reply_to, ad, raw,
            sent_at, edited_at, deleted_at, place, reactions, phone_proof, email_proof, sender_proof, chat_type,
            chat_group, mentions_us, chat_title, subject, whole_text, is_for_people
        FROM channel_messages WHERE seq < $1 AND seq >= $2 AND origin <> 4 ORDER BY seq DESC LIMIT $3";
    UNSETTLED = "
        SELECT seq, channel, account, chat, external_id, CAST(2 AS BIGINT), user_id, name, phone, email, text, media, reply_to, ad,
            raw, sent_at, edited_at, deleted_at, place, reactions, phone_proof, email_proof, sender_proof, chat_type,
            chat_group, mentions_us, chat_title, subject, whole_text, is_for_people
        FROM channel_messages WHERE channel = $1 AND account = $2 AND origin = 4 ORDER BY seq LIMIT 1000";
    SETTLE = "UPDATE channel_messages SET origin = 2 WHERE seq = $1";
    REMOVE = "DELETE FROM channel_messages WHERE seq = $1";
    /// 3: being sent.
    IS_SENDING = "SELECT id FROM outbox WHERE state = 3 AND chat = $1 LIMIT 1";
    IS_OURS = "SELECT message_id FROM provider_messages WHERE channel = $1 AND account = $2 AND provider_id = $3";
    LAST_IN = "
        SELECT seq FROM channel_messages WHERE channel = $1 AND account = $2 AND origin = 0 ORDER BY seq DESC LIMIT 1";
    /// Of the last messages, and of those that are being sent, which may have been accepted long ago. 3: being sent.
    LAST_SENT = "
        SELECT provider_id FROM (
            SELECT provider_id FROM provider_messages WHERE channel = $1 AND account = $2
            ORDER BY message_id DESC LIMIT 1000) AS latest
        UNION
        SELECT provider_id FROM provider_messages
        WHERE channel = $1 AND account = $2
            AND message_id IN (SELECT id FROM outbox WHERE state = 3)";
    /// The latest of the last ten messages: one that waited may have left after a later one.
    LAST_OUT = "
        SELECT max(at) FROM (
            SELECT coalesce(o.finished_at, o.updated_at) AS at
            FROM provider_messages AS p INNER JOIN outbox AS o ON o.id = p.message_id
            WHERE p.channel = $1 AND p.account = $2 ORDER BY p.message_id DESC LIMIT 10) AS latest";
    /// 0: waiting, 1: scheduled.
    WAITING = "
        SELECT (SELECT count(*) FROM outbox WHERE state = 0 AND chat >= $1 AND chat < $2)
            + (SELECT count(*) FROM outbox WHERE state = 1 AND chat >= $1 AND chat < $2)";
    HEALTH = "SELECT health FROM channel_health WHERE channel = $1 AND account = $2";
    SAVE_HEALTH = "
        INSERT INTO channel_health (channel, account, health) VALUES ($1, $2, $3)
        ON CONFLICT (channel, account) DO UPDATE SET health = excluded.health";
    UNREAD = "
        SELECT p.provider_id FROM outbox AS o INNER JOIN provider_messages AS p ON p.message_id = o.id
        WHERE o.chat = $1 AND o.chat_id IS NULL AND o.state >= 10 AND coalesce(o.finished_at, o.updated_at) <= $2
            AND p.channel = $3 AND p.account = $4 AND p.receipt < 2
        ORDER BY coalesce(o.finished_at, o.updated_at) DESC, o.id DESC LIMIT 100";
    CURSOR = "SELECT cursor FROM channel_cursors WHERE channel = $1 AND account = $2";
    SAVE_CURSOR = "
        INSERT INTO channel_cursors (channel, account, cursor, at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (channel, account) DO UPDATE SET cursor = excluded.cursor, at = excluded.at";
    CHAT = "
        SELECT chat, user_id, name, phone, last_in_at, unreachable_at FROM channel_chats
        WHERE channel = $1 AND account = $2 AND chat = $3";
    CHATS = "
        SELECT chat, user_id, name, phone, last_in_at, unreachable_at FROM channel_chats
        WHERE channel = $1 AND account = $2 ORDER BY coalesce(last_in_at, 0) DESC, chat LIMIT $3 OFFSET $4";
    SAVE_CHAT = "
        INSERT INTO channel_chats (channel, account, chat, user_id, name, phone, last_in_at, unreachable_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)
        ON CONFLICT (channel, account, chat) DO UPDATE SET
            user_id = CASE WHEN CAST($8 AS BIGINT) = 1 THEN coalesce(excluded.user_id, channel_chats.user_id)
                ELSE coalesce(channel_chats.user_id, excluded.user_id) END,
            name = coalesce(excluded.name, channel_chats.name),
            phone = coalesce(excluded.phone, channel_chats.phone),
            last_in_at = coalesce(excluded.last_in_at, channel_chats.last_in_at),
            unreachable_at = CASE WHEN excluded.last_in_at IS NULL THEN channel_chats.unreachable_at END";
    SET_REACHABLE = "
        INSERT INTO channel_chats (channel, account, chat, unreachable_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (channel, account, chat) DO UPDATE SET unreachable_at = excluded.unreachable_at";
    VALUES_OF = "SELECT name, value FROM channel_values WHERE channel = $1 AND account = $2";
    REMOVE_VALUES = "DELETE FROM channel_values WHERE channel = $1 AND account = $2";
    SAVE_VALUE = "
        INSERT INTO channel_values (channel, account, name, value) VALUES ($1, $2, $3, $4)
        ON CONFLICT (channel, account, name) DO UPDATE SET value = excluded.value";
    /// The newest of those that are beyond this number.
    NTH_LAST = "SELECT seq FROM channel_messages ORDER BY seq DESC LIMIT 1 OFFSET $1";
    /// The newest row stays: numbers go on from it.
    DROP_OLD = "
        DELETE FROM channel_messages WHERE seq IN (
            SELECT seq FROM channel_messages
            WHERE seq <= $1 AND seq < (SELECT max(seq) FROM channel_messages) ORDER BY seq LIMIT $2)";
    RECEIVED_BEFORE = "
        SELECT seq, channel, account, chat, external_id, origin, user_id, name, phone, email, text, media, reply_to, ad, raw,
            sent_at, edited_at, deleted_at, place, reactions, phone_proof, email_proof, sender_proof, chat_type,
            chat_group, mentions_us, chat_title, subject, whole_text, is_for_people
        FROM channel_messages
        WHERE channel = $1 AND account = $2 AND chat = $3 AND origin <> 4 AND (place, seq) < ($4, $5)
        ORDER BY place DESC, seq DESC LIMIT $6";
    RECEIVED_AFTER = "
        SELECT seq, channel, account, chat, external_id, origin, user_id, name, phone, email, text, media, reply_to, ad, raw,
            sent_at, edited_at, deleted_at, place, reactions, phone_proof, email_proof, sender_proof, chat_type,
            chat_group, mentions_us, chat_title, subject, whole_text, is_for_people
        FROM channel_messages
        WHERE channel = $1 AND account = $2 AND chat = $3 AND origin <> 4 AND (place, seq) > ($4, $5)
        ORDER BY place, seq LIMIT $6";
    SENT_BEFORE = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content,
            coalesce(finished_at, updated_at)
        FROM outbox
        WHERE chat = $1 AND chat_id IS NULL AND state >= 10 AND (coalesce(finished_at, updated_at), id) < ($2, $3)
        ORDER BY coalesce(finished_at, updated_at) DESC, id DESC LIMIT $4";
    SENT_AFTER = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content,
            coalesce(finished_at, updated_at)
        FROM outbox
        WHERE chat = $1 AND chat_id IS NULL AND state >= 10 AND (coalesce(finished_at, updated_at), id) > ($2, $3)
        ORDER BY coalesce(finished_at, updated_at), id LIMIT $4";
    POSITION = "SELECT place, seq FROM channel_messages WHERE seq = $1";
}
