//! The statements of the pipeline.

use crate::statement::statements;

statements! {
    CURSOR = "SELECT value FROM store_facts WHERE name = $1";
    SAVE_CURSOR = "
        INSERT INTO store_facts (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    DROP_CURSOR = "DELETE FROM store_facts WHERE name = $1";
    MOVE_CURSOR = "UPDATE store_facts SET value = $1 WHERE name = $2 AND value = $3";
    STORED_CHATS = "
        SELECT channel, account, chat FROM pipeline_chats
        WHERE channel = $1 AND account = $2 AND chat IN (SELECT value FROM json_each($3, '$'))";
    STORED_MESSAGES = "
        SELECT message FROM pipeline_messages WHERE message IN (SELECT value FROM json_each($1, '$'))";
    CHAT = "
        SELECT c.channel, c.account, c.chat, c.user_id, c.name, c.phone, c.phone_proof, c.email, c.ad, c.client, c.turn,
            c.discards, t.stage, c.answered_by, c.email_proof, c.sender_proof, c.chat_type, c.chat_group
        FROM pipeline_chats AS c LEFT JOIN pipeline_turns AS t ON t.id = c.turn
        WHERE c.channel = $1 AND c.account = $2 AND c.chat = $3";
    /// The time of a batch: so long after the last message, and never longer than that after the first one.
    SAVE_CHAT = "
        INSERT INTO pipeline_chats (channel, account, chat, user_id, name, phone, phone_proof, email, email_proof, ad, discards,
            first_at, due_at, sender_proof, chat_type, chat_group)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13, $14, $15)
        ON CONFLICT (channel, account, chat) DO UPDATE SET
            user_id = excluded.user_id, name = coalesce(excluded.name, pipeline_chats.name),
            phone = coalesce(excluded.phone, pipeline_chats.phone),
            phone_proof = CASE WHEN excluded.phone IS NULL THEN pipeline_chats.phone_proof ELSE excluded.phone_proof END,
            email = coalesce(excluded.email, pipeline_chats.email),
            email_proof = CASE WHEN excluded.email IS NULL THEN pipeline_chats.email_proof ELSE excluded.email_proof END,
            ad = coalesce(excluded.ad, pipeline_chats.ad), sender_proof = excluded.sender_proof,
            first_at = coalesce(pipeline_chats.first_at, excluded.first_at),
            answered_by = CASE WHEN pipeline_chats.answered_by IS NULL THEN NULL ELSE 2 END,
            due_at = CASE
                WHEN pipeline_chats.first_at IS NOT NULL AND pipeline_chats.first_at + $16 < excluded.due_at
                    THEN pipeline_chats.first_at + $16
                ELSE excluded.due_at END";
    BECOME_GROUP = "
        UPDATE pipeline_chats SET chat_type = 'group', client = NULL, turn = NULL, name = NULL, phone = NULL, phone_proof = NULL,
            email = NULL, email_proof = NULL
        WHERE channel = $1 AND account = $2 AND chat = $3";
    /// A chat in which a client is written to first: nothing waits there.
    MEET = "
        INSERT INTO pipeline_chats (channel, account, chat, user_id, name, phone, phone_proof, email, email_proof, discards,
            sender_proof, chat_type)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11)
        ON CONFLICT (channel, account, chat) DO UPDATE SET
            user_id = coalesce(pipeline_chats.user_id, excluded.user_id), name = coalesce(pipeline_chats.name, excluded.name),
            phone_proof = CASE WHEN pipeline_chats.phone IS NULL THEN excluded.phone_proof ELSE pipeline_chats.phone_proof END,
            phone = coalesce(pipeline_chats.phone, excluded.phone),
            email_proof = CASE WHEN pipeline_chats.email IS NULL THEN excluded.email_proof ELSE pipeline_chats.email_proof END,
            email = coalesce(pipeline_chats.email, excluded.email)";
    ADD_MESSAGE = "
        INSERT INTO pipeline_messages (seq, channel, account, chat, author, client, appeal, message, external_id, text, media, at,
            voice_until, sender, sender_proof, mentions_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT DO NOTHING";
    WORDS_OF = "
        SELECT text FROM pipeline_messages
        WHERE message = $1 AND channel = $2 AND account = $3 AND chat = $4 AND deleted_at IS NULL";
    /// The message of an account that Telegram calls so, among the last that ended in a chat. `$5` is the id between two commas.
    SENT_AS = "
        SELECT p.message_id
        FROM (SELECT id, at FROM outbox_places WHERE chat_id = $1 ORDER BY at DESC, id DESC LIMIT $2) AS s
        INNER JOIN outbox AS o ON o.id = s.id
        INNER JOIN outbox_parts AS p ON p.message_id = s.id
        WHERE o.account = $3
          AND (p.provider_id = $4 OR (p.provider_ids IS NOT NULL
              AND replace(replace(p.provider_ids, '[', ','), ']', ',') LIKE $5))
        ORDER BY s.at DESC LIMIT 1";
    /// The same of one message.
    IS_SENT_AS = "
        SELECT p.message_id
        FROM outbox AS o INNER JOIN outbox_parts AS p ON p.message_id = o.id
        WHERE o.id = $1 AND o.account = $2
          AND (p.provider_id = $3 OR (p.provider_ids IS NOT NULL
              AND replace(replace(p.provider_ids, '[', ','), ']', ',') LIKE $4)) LIMIT 1";
    /// Voices whose text is waited for.
    VOICES = "
        SELECT message, voice_until FROM pipeline_messages WHERE voice_until IS NOT NULL ORDER BY voice_until, seq LIMIT $1";
    VOICE = "
        SELECT channel, account, chat, text FROM pipeline_messages WHERE message = $1 AND voice_until IS NOT NULL";
    TRANSCRIBED = "UPDATE pipeline_messages SET text = $1, voice_until = NULL WHERE message = $2";
    /// What waits in a chat: when it was last written, and until when the text of a voice is waited for.
    WAITS_UNTIL = "
        SELECT max(at), max(voice_until) FROM pipeline_messages
        WHERE channel = $1 AND account = $2 AND chat = $3 AND turn IS NULL AND author = 0";
    /// The second of these alone, for each message that comes in: a chat may have thousands that wait.
    VOICE_UNTIL = "
        SELECT voice_until FROM pipeline_messages
        WHERE channel = $1 AND account = $2 AND chat = $3 AND turn IS NULL AND author = 0 AND voice_until > 0
        ORDER BY voice_until DESC LIMIT 1";
    SET_DUE = "
        UPDATE pipeline_chats SET due_at = CASE WHEN first_at + $1 < $2 THEN first_at + $1 ELSE $2 END
        WHERE channel = $3 AND account = $4 AND chat = $5 AND due_at IS NOT NULL";
    EDIT_MESSAGE = "UPDATE pipeline_messages SET text = $1, edited_at = $2 WHERE message = $3";
    DELETE_MESSAGE = "UPDATE pipeline_messages SET deleted_at = $1 WHERE message = $2";
    DUE = "
        SELECT channel, account, chat, user_id, name, phone, phone_proof, email, ad, client, turn, discards, CAST(NULL AS BIGINT),
            answered_by, email_proof, sender_proof, chat_type, chat_group
        FROM pipeline_chats WHERE turn IS NULL AND due_at IS NOT NULL AND due_at <= $1 ORDER BY due_at LIMIT $2";
    NEXT_DUE = "SELECT min(due_at) FROM pipeline_chats WHERE turn IS NULL AND due_at IS NOT NULL";
    ADD_TURN = "
        INSERT INTO pipeline_turns (id, channel, account, chat, stage, discards, created_at, stage_at, due_at, tries, needs_approval)
        VALUES ($1, $2, $3, $4, 0, $5, $6, $6, $6, 0, 0)";
    FILL_TURN = "
        UPDATE pipeline_messages SET turn = $1
        WHERE channel = $2 AND account = $3 AND chat = $4 AND turn IS NULL AND author = 0";
    BEGIN_TURN = "
        UPDATE pipeline_chats SET turn = $1, first_at = NULL, due_at = NULL WHERE channel = $2 AND account = $3 AND chat = $4";
    /// Also where the turn has no appeal yet: the stage that finds it says who answers.
    PERSON_WROTE = "
        UPDATE pipeline_chats SET answered_by = $1
        WHERE channel = $2 AND account = $3 AND chat = $4 AND ((turn IS NULL AND due_at IS NOT NULL)
            OR EXISTS (SELECT 1 FROM pipeline_turns AS t WHERE t.id = pipeline_chats.turn AND t.stage < 2))";
    FORGET_PERSON = "UPDATE pipeline_chats SET answered_by = NULL WHERE channel = $1 AND account = $2 AND chat = $3";
    /// What was said before its client was known.
    OURS_OF_CHAT = "
        UPDATE pipeline_messages SET client = $1, appeal = $2
        WHERE channel = $3 AND account = $4 AND chat = $5 AND author <> 0 AND client IS NULL";
    END_TURN = "
        UPDATE pipeline_chats SET turn = NULL, discards = $1 WHERE channel = $2 AND account = $3 AND chat = $4 AND turn = $5";
    EMPTY_TURN = "UPDATE pipeline_messages SET turn = NULL WHERE turn = $1";
    /// What is discarded waits from now on.
    WAIT_AGAIN = "UPDATE pipeline_chats SET first_at = NULL WHERE channel = $1 AND account = $2 AND chat = $3";
    TURN = "
        SELECT id, channel, account, chat, stage, client, appeal, responder, discards, created_at, stage_at, due_at, tries, answer,
            needs_approval, why, outbox_id, formatted
        FROM pipeline_turns WHERE id = $1";
    AT_STAGE = "
        SELECT id, channel, account, chat, stage, client, appeal, responder, discards, created_at, stage_at, due_at, tries, answer,
            needs_approval, why, outbox_id, formatted
        FROM pipeline_turns WHERE stage = $1 AND stage < 10 AND due_at <= $2 ORDER BY due_at, id LIMIT $3";
    TURNS_OF = "
        SELECT id, channel, account, chat, stage, client, appeal, responder, discards, created_at, stage_at, due_at, tries, answer,
            needs_approval, why, outbox_id, formatted
        FROM pipeline_turns WHERE appeal = $1 ORDER BY id DESC LIMIT $2";
    /// The answers of programs to a client in a channel since then.
    ANSWERS_SINCE = "
        SELECT count(*) FROM pipeline_appeals AS a INNER JOIN pipeline_turns AS t ON t.appeal = a.id
        WHERE a.client = $1 AND t.channel = $2 AND t.stage = 10 AND t.answer IS NOT NULL AND t.stage_at > $3";
    /// Turns that no program answered though one was to, whose client still waits.
    FAILED_TURNS = "
        SELECT t.id, t.channel, t.account, t.chat, t.stage, t.client, t.appeal, t.responder, t.discards, t.created_at, t.stage_at,
            t.due_at, t.tries, t.answer, t.needs_approval, t.why, t.outbox_id, t.formatted
        FROM pipeline_turns AS t INNER JOIN pipeline_appeals AS a ON a.id = t.appeal
        WHERE t.stage = 11 AND t.responder IN ('ai', 'webhook', 'redis') AND t.why <> 'asked' AND t.outbox_id IS NULL AND t.id < $1
            AND a.state < 10 AND a.waiting_since IS NOT NULL AND (a.answered_at IS NULL OR a.answered_at < t.created_at)
        ORDER BY t.id DESC LIMIT $2";
    /// The chat and the turn of what a client wrote.
    WRITTEN = "SELECT channel, account, chat, turn FROM pipeline_messages WHERE message = $1 AND author = 0";
    /// What waits in a chat and was not taken back, the newest first.
    LEFT_WAITING = "
        SELECT text, media FROM pipeline_messages
        WHERE channel = $1 AND account = $2 AND chat = $3 AND turn IS NULL AND author = 0 AND deleted_at IS NULL
        ORDER BY seq DESC LIMIT $4";
    STOP_WAITING = "
        UPDATE pipeline_chats SET first_at = NULL, due_at = NULL
        WHERE channel = $1 AND account = $2 AND chat = $3 AND turn IS NULL";
    WAIT_AT_ONCE = "
        UPDATE pipeline_chats SET first_at = coalesce(first_at, $1), due_at = coalesce(due_at, $1)
        WHERE channel = $2 AND account = $3 AND chat = $4";
    HAS_NUMBER = "SELECT seq FROM pipeline_messages WHERE seq = $1";
    /// What waits in a chat is a batch at once.
    WAIT_NO_LONGER = "
        UPDATE pipeline_chats SET first_at = coalesce(first_at, $1), due_at = coalesce(due_at, $1), discards = 0
        WHERE channel = $2 AND account = $3 AND chat = $4";
    NEXT_TRY = "SELECT min(due_at) FROM pipeline_turns WHERE stage < 10 AND due_at > $1";
    /// Messages that wait for the end of their batch, with the batch.
    WAITING_MESSAGES = "
        SELECT c.channel, c.account, c.chat, c.first_at, CAST(CASE WHEN c.turn IS NULL THEN 0 ELSE 1 END AS BIGINT),
            m.text, m.message, m.external_id, m.at, m.media, c.user_id, c.name, c.phone, c.email,
            c.sender_proof, m.sender_proof, c.chat_type
        FROM pipeline_chats AS c INNER JOIN pipeline_messages AS m
            ON m.channel = c.channel AND m.account = c.account AND m.chat = c.chat AND m.turn IS NULL AND m.author = 0
        WHERE c.first_at IS NOT NULL AND c.due_at IS NOT NULL AND m.deleted_at IS NULL ORDER BY c.first_at, m.seq LIMIT $1";
    WRITTEN_AFTER = "
        SELECT seq, channel, account, chat, at FROM pipeline_messages WHERE seq > $1 AND author = 0 ORDER BY seq LIMIT $2";
    OPEN_TURNS = "
        SELECT id, channel, account, chat, stage, client, appeal, responder, discards, created_at, stage_at, due_at, tries, answer,
            needs_approval, why, outbox_id, formatted
        FROM pipeline_turns WHERE stage < 10 ORDER BY stage, due_at, id LIMIT $1";
    BATCH_OF = "
        SELECT channel, account, chat, user_id, name, phone, phone_proof, email, ad, client, turn, discards, CAST(NULL AS BIGINT),
            answered_by, email_proof, sender_proof, chat_type, chat_group
        FROM pipeline_chats
        WHERE channel = $1 AND account = $2 AND chat = $3 AND first_at = $4 AND turn IS NULL AND due_at IS NOT NULL";
    HAS_BATCH_AHEAD = "
        SELECT 1 FROM pipeline_chats
        WHERE turn IS NULL AND due_at IS NOT NULL AND due_at > $1 AND first_at > $1 AND due_at >= first_at LIMIT 1";
    BATCHES_AHEAD = "
        UPDATE pipeline_chats SET due_at = due_at - first_at + $1, first_at = $1
        WHERE turn IS NULL AND due_at IS NOT NULL AND due_at > $2 AND first_at > $2 AND due_at >= first_at";
    HAS_TURN_AHEAD = "
        SELECT 1 FROM pipeline_turns WHERE stage < 10 AND due_at > $1 AND (stage_at > $1 OR due_at > $2) LIMIT 1";
    TURNS_AHEAD = "
        UPDATE pipeline_turns SET
            due_at = CASE WHEN stage_at > $1 AND due_at >= stage_at THEN due_at - stage_at + $2 ELSE $2 END,
            stage_at = CASE WHEN stage_at > $1 THEN $2 ELSE stage_at END
        WHERE stage < 10 AND due_at > $1 AND (stage_at > $1 OR due_at > $3)";
    /// A turn at a stage that the store does.
    HAS_MOVABLE = "SELECT stage FROM pipeline_turns WHERE stage < 10 AND stage < 2 LIMIT 1";
    STAGES = "SELECT stage, count(*), min(stage_at) FROM pipeline_turns WHERE stage < 10 GROUP BY stage";
    WAITING = "SELECT count(*), min(first_at) FROM pipeline_chats WHERE due_at IS NOT NULL";
    SET_CLIENT = "UPDATE pipeline_turns SET stage = 1, stage_at = $1, due_at = $1, client = $2 WHERE id = $3";
    SET_APPEAL = "
        UPDATE pipeline_turns SET stage = $1, stage_at = $2, due_at = $2, appeal = $3, responder = $4, why = $5 WHERE id = $6";
    SET_STAGE = "UPDATE pipeline_turns SET stage = $1, stage_at = $2, why = coalesce($3, why) WHERE id = $4";
    SET_ANSWER = "
        UPDATE pipeline_turns SET stage = 3, stage_at = $1, due_at = $1, answer = $2, formatted = $3,
            needs_approval = $4, why = $5 WHERE id = $6";
    SET_PROPOSED = "UPDATE pipeline_turns SET answer = $1, formatted = $2 WHERE id = $3";
    APPEAL_OF_MESSAGE = "SELECT appeal FROM pipeline_messages WHERE message = $1 AND appeal IS NOT NULL";
    /// Whether a message of ours has ever failed, been in doubt, or been cancelled or refused.
    WAS_UNSENT = "SELECT seq FROM outbox_timeline WHERE message_id = $1 AND step IN (7, 8, 9, 16) LIMIT 1";
    /// A message that a person sent again did not arrive again: that is news.
    NOTICE_AGAIN = "
        UPDATE pipeline_appeals SET told_since = NULL
        WHERE id = $1 AND EXISTS (SELECT 1 FROM outbox_timeline WHERE message_id = $2 AND step IN (10, 12))";
    SET_OUTBOX = "UPDATE pipeline_turns SET outbox_id = $1 WHERE id = $2";
    PUT_OFF = "UPDATE pipeline_turns SET tries = tries + 1, due_at = $1 WHERE id = $2 AND stage = $3";
    CLIENT_OF_CHAT = "UPDATE pipeline_chats SET client = $1 WHERE channel = $2 AND account = $3 AND chat = $4";
    CLIENT_OF_MESSAGES = "UPDATE pipeline_messages SET client = $1 WHERE turn = $2";
    APPEAL_OF_MESSAGES = "UPDATE pipeline_messages SET appeal = $1 WHERE turn = $2";
    /// The client whose proved id or contact it is.
    BY_IDENTITY = "
        SELECT client FROM pipeline_identities
        WHERE kind = $1 AND value = $2 AND proof IN ('channel_id', 'provider', 'mail')";
    /// The clients that have it, proved or not.
    WITH_CONTACT = "SELECT client FROM pipeline_identities WHERE kind = $1 AND value = $2 ORDER BY client LIMIT $3";
    PROOF_OF = "SELECT proof FROM pipeline_identities WHERE kind = $1 AND value = $2 AND client = $3";
    OF_NAME = "
        SELECT id FROM pipeline_clients WHERE name = $1 AND id <> $2 AND merged_into IS NULL ORDER BY id LIMIT 4";
    /// One that another client has proved stays that one's.
    ADD_IDENTITY = "
        INSERT INTO pipeline_identities (kind, value, client, proof, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    PROVE_IDENTITY = "UPDATE pipeline_identities SET proof = $1, at = $2 WHERE kind = $3 AND value = $4 AND client = $5";
    MOVE_IDENTITY = "
        UPDATE pipeline_identities SET client = $1 WHERE kind = $2 AND value = $3 AND client = $4
            AND NOT EXISTS (SELECT 1 FROM pipeline_identities AS o WHERE o.kind = $2 AND o.value = $3 AND o.client = $1)";
    /// What another client proves takes the place of the same contact that is not proved.
    DROP_UNPROVED = "
        DELETE FROM pipeline_identities WHERE kind = $1 AND value = $2 AND client = $3
            AND proof NOT IN ('channel_id', 'provider', 'mail') AND EXISTS (
                SELECT 1 FROM pipeline_identities AS o WHERE o.kind = $1 AND o.value = $2 AND o.client = $4
                    AND o.proof IN ('channel_id', 'provider', 'mail'))";
    IDENTITIES = "
        SELECT kind, value, proof, at FROM pipeline_identities WHERE client = $1 ORDER BY kind, value LIMIT 1000";
    ADD_CLIENT = "
        INSERT INTO pipeline_clients (id, name, phone, email, created_at, updated_at, chat_type, group_answers)
        VALUES ($1, $2, $3, $4, $5, $5, $6, $7)";
    /// A proved contact takes the place of one that a person typed.
    PROVE_PHONE = "
        UPDATE pipeline_clients SET phone = $1 WHERE id = $2 AND EXISTS (
            SELECT 1 FROM pipeline_identities AS i
            WHERE i.client = $2 AND i.kind = 'phone' AND i.value = pipeline_clients.phone AND i.proof = 'typed')";
    PROVE_EMAIL = "
        UPDATE pipeline_clients SET email = $1 WHERE id = $2 AND EXISTS (
            SELECT 1 FROM pipeline_identities AS i
            WHERE i.client = $2 AND i.kind = 'email' AND i.value = lower(pipeline_clients.email) AND i.proof = 'typed')";
    SET_GROUP_ANSWERS = "
        UPDATE pipeline_clients SET group_answers = $1, updated_at = $2 WHERE id = $3 AND chat_type = 'group'";
    FILL_CLIENT = "
        UPDATE pipeline_clients SET name = coalesce(name, $1), phone = coalesce(phone, $2), email = coalesce(email, $3),
            updated_at = $4
        WHERE id = $5";
    /// What a client was filled with, and still has, is not its own.
    EMPTY_CLIENT = "
        UPDATE pipeline_clients SET name = nullif(name, $1), phone = nullif(phone, $2), email = nullif(email, $3),
            updated_at = $4
        WHERE id = $5";
    CHANGE_CLIENT = "
        UPDATE pipeline_clients SET name = coalesce($1, name), phone = coalesce($2, phone), email = coalesce($3, email),
            updated_at = $4
        WHERE id = $5";
    CLIENT = "
        SELECT id, name, phone, email, merged_into, created_at, updated_at, chat_type, group_answers
        FROM pipeline_clients WHERE id = $1";
    CLIENT_BY_OLD_ID = "
        SELECT id, name, phone, email, merged_into, created_at, updated_at, chat_type, group_answers
        FROM pipeline_clients WHERE outside_id = $1";
    CLIENTS = "
        SELECT id, name, phone, email, merged_into, created_at, updated_at, chat_type, group_answers
        FROM pipeline_clients
        WHERE merged_into IS NULL AND id < $1 ORDER BY id DESC LIMIT $2";
    CHATS_OF = "
        SELECT channel, account, chat, user_id, name, phone, phone_proof, email, ad, client, turn, discards, CAST(NULL AS BIGINT),
            answered_by, email_proof, sender_proof, chat_type, chat_group
        FROM pipeline_chats WHERE client = $1 ORDER BY channel, account, chat LIMIT 1000";
    MERGE_INTO = "UPDATE pipeline_clients SET merged_into = $1, updated_at = $2 WHERE id = $3 AND merged_into IS NULL";
    UNMERGE = "UPDATE pipeline_clients SET merged_into = NULL, updated_at = $1 WHERE id = $2";
    APPEALS_OF = "SELECT id FROM pipeline_appeals WHERE client = $1 ORDER BY opened_at LIMIT 10000";
    /// Those that a chat began since a time.
    MOVE_APPEALS_SINCE = "
        UPDATE pipeline_appeals SET client = $1
        WHERE client = $2 AND channel = $3 AND account = $4 AND chat = $5 AND opened_at >= $6";
    MOVE_APPEAL = "UPDATE pipeline_appeals SET client = $1 WHERE id = $2";
    MOVE_MESSAGES = "
        UPDATE pipeline_messages SET client = $1 WHERE channel = $2 AND account = $3 AND chat = $4 AND client = $5";
    MOVE_TURNS = "
        UPDATE pipeline_turns SET client = $1 WHERE stage < 10 AND channel = $2 AND account = $3 AND chat = $4 AND client = $5";
    /// The last message of a client that is in an appeal of another one.
    LAST_APART = "
        SELECT m.seq, m.channel, m.account, m.chat, m.author, m.client, m.appeal, m.turn, m.message, m.external_id, m.text, m.media,
            m.at, m.edited_at, m.deleted_at, m.sender, m.sender_proof, m.mentions_us
        FROM pipeline_messages AS m INNER JOIN pipeline_appeals AS a ON a.id = m.appeal
        WHERE m.client = $1 AND a.client = $2 ORDER BY m.seq DESC LIMIT 1";
    MESSAGES_APART = "
        UPDATE pipeline_messages SET appeal = $1
        WHERE client = $2 AND appeal IN (SELECT id FROM pipeline_appeals WHERE client = $3)";
    TURNS_APART = "
        UPDATE pipeline_turns SET appeal = $1
        WHERE id IN (SELECT turn FROM pipeline_messages WHERE client = $2 AND turn IS NOT NULL)
            AND appeal IN (SELECT id FROM pipeline_appeals WHERE client = $3)";
    ADD_MERGE = "
        INSERT INTO pipeline_merges (id, master, merged, moved, merged_by, at) VALUES ($1, $2, $3, $4, $5, $6)";
    MERGE = "SELECT id, master, merged, moved, merged_by, at, undone_at FROM pipeline_merges WHERE id = $1";
    MERGES_OF = "
        SELECT id, master, merged, moved, merged_by, at, undone_at FROM pipeline_merges WHERE master = $1 ORDER BY at DESC LIMIT 100";
    UNDO_MERGE = "UPDATE pipeline_merges SET undone_at = $1 WHERE id = $2 AND undone_at IS NULL";
    SUGGEST = "
        INSERT INTO pipeline_suggestions (one, other, why, at) VALUES ($1, $2, $3, $4) ON CONFLICT (one, other) DO NOTHING";
    SUGGESTIONS_OF = "
        SELECT one, other, why FROM pipeline_suggestions WHERE dismissed_at IS NULL AND (one = $1 OR other = $1)
        ORDER BY at DESC LIMIT 100";
    DISMISS = "UPDATE pipeline_suggestions SET dismissed_at = $1 WHERE one = $2 AND other = $3";
    /// One whose client waits before others that are open, and those before what is over.
    LAST_APPEAL = "
        SELECT id, client, state, channel, account, chat, responder, assignee, tags, ad, opened_at, waiting_since, first_answer_at,
            answered_at, closed_at, updated_at, unread, snoozed_until, first_author, asked_at, first_wait, next_answers, next_wait
        FROM pipeline_appeals WHERE client = $1
        ORDER BY CASE WHEN state >= 10 THEN 2 WHEN waiting_since IS NULL THEN 1 ELSE 0 END, opened_at DESC, id DESC LIMIT 1";
    /// A client that another one was merged into may have several that are open.
    OPEN_BESIDE = "
        SELECT id, client, state, channel, account, chat, responder, assignee, tags, ad, opened_at, waiting_since, first_answer_at,
            answered_at, closed_at, updated_at, unread, snoozed_until, first_author, asked_at, first_wait, next_answers, next_wait
        FROM pipeline_appeals WHERE client = $1 AND id <> $2 AND state < 10 LIMIT 100";
    APPEAL = "
        SELECT id, client, state, channel, account, chat, responder, assignee, tags, ad, opened_at, waiting_since, first_answer_at,
            answered_at, closed_at, updated_at, unread, snoozed_until, first_author, asked_at, first_wait, next_answers, next_wait
        FROM pipeline_appeals WHERE id = $1";
    APPEAL_BY_OLD_ID = "
        SELECT id, client, state, channel, account, chat, responder, assignee, tags, ad, opened_at, waiting_since, first_answer_at,
            answered_at, closed_at, updated_at, unread, snoozed_until, first_author, asked_at, first_wait, next_answers, next_wait
        FROM pipeline_appeals WHERE outside_id = $1";
    APPEALS_OF_CLIENT = "
        SELECT id, client, state, channel, account, chat, responder, assignee, tags, ad, opened_at, waiting_since, first_answer_at,
            answered_at, closed_at, updated_at, unread, snoozed_until, first_author, asked_at, first_wait, next_answers, next_wait
        FROM pipeline_appeals WHERE client = $1
        ORDER BY CASE WHEN state >= 10 THEN 2 WHEN waiting_since IS NULL THEN 1 ELSE 0 END, opened_at DESC, id DESC LIMIT $2";
    APPEALS = "
        SELECT id, client, state, channel, account, chat, responder, assignee, tags, ad, opened_at, waiting_since, first_answer_at,
            answered_at, closed_at, updated_at, unread, snoozed_until, first_author, asked_at, first_wait, next_answers, next_wait
        FROM pipeline_appeals WHERE (updated_at, id) < ($1, $2) ORDER BY updated_at DESC, id DESC LIMIT $3";
    OPEN_APPEALS = "
        SELECT id, client, state, channel, account, chat, responder, assignee, tags, ad, opened_at, waiting_since, first_answer_at,
            answered_at, closed_at, updated_at, unread, snoozed_until, first_author, asked_at, first_wait, next_answers, next_wait
        FROM pipeline_appeals WHERE state < 10 AND (updated_at, id) < ($1, $2) ORDER BY updated_at DESC, id DESC LIMIT $3";
    ADD_APPEAL = "
        INSERT INTO pipeline_appeals (id, client, state, channel, account, chat, ad, opened_at, waiting_since, updated_at, asked_at)
        VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $7, $7, $7)";
    CHANGE_APPEAL = "
        UPDATE pipeline_appeals SET state = $1, responder = $2, assignee = $3, tags = $4, waiting_since = $5, first_answer_at = $6,
            answered_at = $7, closed_at = $8, updated_at = $9, snoozed_until = $10, first_author = $11, asked_at = $12,
            first_wait = $13, next_answers = $14, next_wait = $15
        WHERE id = $16";
    MARK_READ = "UPDATE pipeline_appeals SET unread = 0 WHERE client = $1 AND unread > 0";
    ADD_UNREAD = "UPDATE pipeline_appeals SET unread = unread + $1 WHERE id = $2";
    /// What a discarded turn brought to its appeal before is counted.
    UNCOUNTED = "SELECT count(*) FROM pipeline_messages WHERE turn = $1 AND appeal IS NULL";
    UNREAD = "
        SELECT count(*), coalesce(sum(CASE WHEN assignee IS NULL THEN 1 ELSE 0 END), 0)
        FROM pipeline_appeals WHERE state < 10 AND unread > 0";
    OF_ASSIGNEE = "
        SELECT id, client, state, channel, account, chat, responder, assignee, tags, ad, opened_at, waiting_since, first_answer_at,
            answered_at, closed_at, updated_at, unread, snoozed_until, first_author, asked_at, first_wait, next_answers, next_wait
        FROM pipeline_appeals WHERE assignee = $1 AND state < 10 AND (updated_at, id) < ($2, $3)
        ORDER BY updated_at DESC, id DESC LIMIT $4";
    OPEN_OF_ASSIGNEE = "SELECT id FROM pipeline_appeals WHERE assignee = $1 AND state < 10";
    LONGEST_WAITING = "
        SELECT id, client, state, channel, account, chat, responder, assignee, tags, ad, opened_at, waiting_since, first_answer_at,
            answered_at, closed_at, updated_at, unread, snoozed_until, first_author, asked_at, first_wait, next_answers, next_wait
        FROM pipeline_appeals WHERE state < 10 AND waiting_since IS NOT NULL AND (waiting_since, id) > ($1, $2)
        ORDER BY waiting_since, id LIMIT $3";
    /// Those that wait for a person, and have not had all notices.
    UNNOTIFIED = "
        SELECT id, client, assignee, waiting_since, CASE WHEN told_since = waiting_since THEN told_after ELSE 0 END
        FROM pipeline_appeals
        WHERE state < 10 AND state = 3 AND waiting_since IS NOT NULL AND waiting_since <= $1
            AND (snoozed_until IS NULL OR snoozed_until <= $2)
            AND (told_since IS NULL OR told_since <> waiting_since OR told_after < $3)
        ORDER BY waiting_since, id LIMIT $4";
    NOTIFIED = "
        UPDATE pipeline_appeals SET told_since = waiting_since, told_after = $1
        WHERE id = $2 AND waiting_since = $3 AND (told_since IS NULL OR told_since <> waiting_since OR told_after < $1)";
    OPENED = "
        SELECT channel, opened_at, first_answer_at, first_author, first_wait, next_answers, next_wait FROM pipeline_appeals
        WHERE opened_at >= $1 AND opened_at < $2 ORDER BY opened_at LIMIT $3";
    /// A text with fewer words has its last one more than once.
    ADD_WORDS = "
        INSERT INTO pipeline_words (client, word) VALUES ($1, $2), ($1, $3), ($1, $4), ($1, $5), ($1, $6), ($1, $7), ($1, $8), ($1, $9)
        ON CONFLICT (word, client) DO NOTHING";
    DROP_WORD = "DELETE FROM pipeline_words WHERE word = $1 AND client = $2";
    WITH_WORD = "SELECT client FROM pipeline_words WHERE word >= $1 AND word < $2 LIMIT $3";
    CLIENT_OF_MESSAGE = "SELECT client FROM pipeline_messages WHERE message = $1 AND client IS NOT NULL";
    SAVE_TEMPLATE = "
        INSERT INTO pipeline_templates (name, text, updated_by, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET text = excluded.text, updated_by = excluded.updated_by, updated_at = excluded.updated_at";
    TEMPLATES = "SELECT name, text, updated_by, updated_at FROM pipeline_templates ORDER BY name LIMIT 1000";
    TEMPLATE = "SELECT name, text, updated_by, updated_at FROM pipeline_templates WHERE name = $1";
    DROP_TEMPLATE = "DELETE FROM pipeline_templates WHERE name = $1";
    MERGED_INTO = "SELECT id FROM pipeline_clients WHERE merged_into = $1 LIMIT 1000";
    ERASE_NOTES = "DELETE FROM pipeline_notes WHERE appeal IN (SELECT id FROM pipeline_appeals WHERE client = $1)";
    ERASE_TURNS = "
        DELETE FROM pipeline_turns WHERE appeal IN (SELECT id FROM pipeline_appeals WHERE client = $1)
            OR (channel, account, chat) IN (SELECT channel, account, chat FROM pipeline_chats WHERE client = $1)";
    ERASE_UNRESOLVED = "
        DELETE FROM pipeline_messages WHERE turn IS NULL AND author = 0
            AND (channel, account, chat) IN (SELECT channel, account, chat FROM pipeline_chats WHERE client = $1)";
    ERASE_MESSAGES = "DELETE FROM pipeline_messages WHERE client = $1";
    ERASE_APPEALS = "DELETE FROM pipeline_appeals WHERE client = $1";
    ERASE_CHATS = "DELETE FROM pipeline_chats WHERE client = $1";
    ERASE_IDENTITIES = "DELETE FROM pipeline_identities WHERE client = $1";
    ERASE_SUGGESTIONS = "DELETE FROM pipeline_suggestions WHERE one = $1 OR other = $1";
    ERASE_MERGES = "DELETE FROM pipeline_merges WHERE master = $1 OR merged = $1";
    /// The notes on a client's appeals, and their tags.
    NOTED_OF = "
        SELECT text FROM pipeline_notes WHERE appeal IN (SELECT id FROM pipeline_appeals WHERE client = $1)
        UNION ALL SELECT tags FROM pipeline_appeals WHERE client = $1 AND tags IS NOT NULL LIMIT $2";
    /// Over all words: it is asked for once in a while.
    ERASE_WORDS = "DELETE FROM pipeline_words WHERE client = $1";
    ERASE_CLIENT = "DELETE FROM pipeline_clients WHERE id = $1";
    ADD_NOTE = "
        INSERT INTO pipeline_notes (appeal, at, written_by, text) VALUES ($1, $2, $3, $4) ON CONFLICT (appeal, at) DO NOTHING";
    NOTES = "SELECT at, written_by, text FROM pipeline_notes WHERE appeal = $1 ORDER BY at LIMIT 1000";
    IS_FOR_PEOPLE = "
        SELECT 1 FROM pipeline_messages AS p INNER JOIN channel_messages AS m
            ON m.channel = p.channel AND m.account = p.account AND m.external_id = p.external_id
        WHERE p.turn = $1 AND p.author = 0 AND m.is_for_people = 1 LIMIT 1";
    OF_TURN = "
        SELECT seq, channel, account, chat, author, client, appeal, turn, message, external_id, text, media, at, edited_at,
            deleted_at, sender, sender_proof, mentions_us
        FROM pipeline_messages WHERE turn = $1 ORDER BY seq LIMIT 1000";
    OF_CLIENT = "
        SELECT seq, channel, account, chat, author, client, appeal, turn, message, external_id, text, media, at, edited_at,
            deleted_at, sender, sender_proof, mentions_us
        FROM pipeline_messages WHERE client = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3";
    /// What was written before in one chat of a client.
    OF_CHAT = "
        SELECT seq, channel, account, chat, author, client, appeal, turn, message, external_id, text, media, at, edited_at,
            deleted_at, sender, sender_proof, mentions_us
        FROM pipeline_messages WHERE client = $1 AND channel = $2 AND account = $3 AND chat = $4 ORDER BY seq DESC LIMIT $5";
    ON_CHANNEL = "SELECT client FROM pipeline_chats WHERE channel = $1 AND client IS NOT NULL LIMIT $2";
    LAST_CHAT = "
        SELECT channel, account, chat FROM pipeline_messages WHERE client = $1 AND author = 0 ORDER BY seq DESC LIMIT 1";
    SPEND = "
        INSERT INTO pipeline_spent (day, tokens, money) VALUES ($1, $2, $3)
        ON CONFLICT (day) DO UPDATE SET tokens = pipeline_spent.tokens + excluded.tokens,
            money = pipeline_spent.money + excluded.money";
    LAST_SPENT = "SELECT day, tokens, money FROM pipeline_spent WHERE day <= $1 ORDER BY day DESC LIMIT 1";
    /// In a restored store.
    HOLD_TURNS = "UPDATE pipeline_turns SET stage = 11, stage_at = $1, why = 'restored' WHERE stage < 10";
    HOLD_CHATS = "
        UPDATE pipeline_chats SET turn = NULL, first_at = NULL, due_at = NULL WHERE turn IS NOT NULL OR due_at IS NOT NULL";
    HOLD_APPEALS = "
        UPDATE pipeline_appeals SET state = 3, responder = 'human', updated_at = $1
        WHERE state < 10 AND waiting_since IS NOT NULL";
    OLD_MESSAGES = "SELECT seq, client, text FROM pipeline_messages WHERE seq < $1 ORDER BY seq LIMIT $2";
    DROP_MESSAGE = "DELETE FROM pipeline_messages WHERE seq = $1";
    DROP_TURNS = "
        DELETE FROM pipeline_turns WHERE id IN (
            SELECT id FROM pipeline_turns WHERE stage >= 10 AND stage_at < $1 ORDER BY stage_at LIMIT $2)";
}
