//! The statements of the outbox. Numbers of states are those of `codes.rs`.
//!
//! Messages: 0 queued, 1 scheduled, 2 awaiting approval, 3 sending, 10 in doubt, 11 failed, 12 cancelled, 20 sent.
//! Parts: 0 waiting, 1 begun, 2 sent.
//!
//! The statements of every message have no lists with IN and no questions inside a change: SQLite builds a temporary
//! table for them, which costs more than the change.

use crate::statement::statements;

statements! {
    // ---- accept
    /// A key that was never used before.
    NEW_KEY = "
        INSERT INTO idempotency_keys (scope, fingerprint, subject_id, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (scope) DO NOTHING";
    FIND_KEY = "
        SELECT k.fingerprint, k.subject_id, k.created_at, o.state
        FROM idempotency_keys AS k LEFT JOIN outbox AS o ON o.id = k.subject_id
        WHERE k.scope = $1";
    SAVE_KEY = "
        INSERT INTO idempotency_keys (scope, fingerprint, subject_id, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (scope) DO UPDATE SET
            fingerprint = excluded.fingerprint, subject_id = excluded.subject_id,
            created_at = excluded.created_at";
    FAILURE_OF = "SELECT failure FROM outbox WHERE id = $1";
    SENT_PART = "SELECT 1 FROM outbox_parts WHERE message_id = $1 AND state = 2 LIMIT 1";
    OPEN_JOINS = "SELECT 1 FROM request_joins WHERE open = 1 LIMIT 1";
    /// The oldest whose caller has no answer and will get none.
    FIND_JOIN = "
        SELECT j.subject_id
        FROM request_joins AS j INNER JOIN outbox AS o ON o.id = j.subject_id
        WHERE j.fingerprint = $1 AND j.open = 1 AND (o.finished_at IS NULL OR o.finished_at > $2)
        ORDER BY j.subject_id LIMIT 1";
    /// Those of a group that wait for an answer.
    SAVE_WAITING_CALLERS = "
        INSERT INTO waiting_callers (first_message, callers) VALUES ($1, $2)
        ON CONFLICT (first_message) DO UPDATE SET callers = excluded.callers";
    DROP_WAITING_CALLERS = "DELETE FROM waiting_callers WHERE first_message = $1";
    WAITING_CALLERS = "SELECT first_message, callers FROM waiting_callers";
    DROP_ALL_WAITING_CALLERS = "DELETE FROM waiting_callers";
    INSERT_MESSAGE = "
        INSERT INTO outbox
            (id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at,
             join_fingerprint, listener, api_key, address, content, queue, media)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)";
    INSERT_PART = "
        INSERT INTO outbox_parts (message_id, part, random_id, state, provider_id, text, items, provider_ids)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    INSERT_FILE = "
        INSERT INTO outbox_files (message_id, file) VALUES ($1, $2) ON CONFLICT (message_id, file) DO NOTHING";

    // ---- sending
    STATE_OF = "SELECT state FROM outbox WHERE id = $1";
    CHAT_OF = "SELECT chat, listener FROM outbox WHERE id = $1";
    /// What an event says of a message.
    EVENT_OF = "SELECT state, chat, chat_id, account, failure, id FROM outbox WHERE id = $1";
    IDS_OF = "SELECT provider_id, provider_ids, message_id FROM outbox_parts WHERE message_id = $1 ORDER BY part";
    BEGUN_PARTS = "
        SELECT p.part, o.account, p.message_id
        FROM outbox_parts AS p INNER JOIN outbox AS o ON o.id = p.message_id
        WHERE p.message_id = $1 AND p.state = 1";
    /// `+ 0` keeps PostgreSQL from the index of what is open, which it would read as a whole, to the one of the id.
    BEGIN_MESSAGE = "
        UPDATE outbox SET state = 3, account = $1, chat_id = $2, updated_at = $3
        WHERE id = $4 AND (state + 0 <= 1 OR state + 0 = 3)";
    /// When none is under way.
    BEGIN_WAITING_PART = "
        UPDATE outbox_parts SET state = 1
        WHERE message_id = $1 AND part = $2 AND state = 0
          AND NOT EXISTS (SELECT 1 FROM outbox_parts AS other WHERE other.message_id = $1 AND other.state = 1)";
    BEGIN_PART = "
        UPDATE outbox_parts SET state = 1 WHERE message_id = $1 AND part = $2 AND state <> 2";
    PLANNED_PARTS = "
        SELECT part, random_id, state, items, message_id FROM outbox_parts WHERE message_id = $1 ORDER BY part";
    DROP_PARTS = "DELETE FROM outbox_parts WHERE message_id = $1";
    PART_STATE = "SELECT state, message_id FROM outbox_parts WHERE message_id = $1 AND part = $2";
    PART_SENT = "
        UPDATE outbox_parts SET state = 2, provider_id = $1, provider_ids = $2
        WHERE message_id = $3 AND part = $4 AND state <> 2";
    UNSENT_PART = "SELECT 1 FROM outbox_parts WHERE message_id = $1 AND state <> 2 LIMIT 1";
    /// When no part is left. A question about other rows inside this statement would double what it costs, and every
    /// message passes here. `+ 0` as in `BEGIN_MESSAGE`.
    FINISH = "
        UPDATE outbox SET state = 20, account = $1, chat_id = $2, updated_at = $3, finished_at = $3
        WHERE id = $4 AND (state + 0 <= 3 OR state + 0 = 10)";
    /// A part of a message that has others to come.
    GO_ON = "UPDATE outbox SET account = $1, chat_id = $2, updated_at = $3 WHERE id = $4 AND state <= 3";
    /// The same of one in doubt. Evidence ends a doubt only when no other part is doubtful, and lets the parts behind it
    /// leave only when they were not held back: a failure beside a doubt is that it was. What stays in doubt keeps its place in its
    /// conversation.
    GO_ON_FROM_DOUBT = "
        UPDATE outbox SET account = $1, chat_id = $2,
            updated_at = CASE WHEN EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $3 AND state = 1)
                THEN updated_at ELSE CAST($4 AS BIGINT) END,
            state = CASE WHEN EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $3 AND state = 1) THEN 10
                WHEN failure IS NULL THEN 0 ELSE 11 END,
            finished_at = CASE WHEN failure IS NULL
                OR EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $3 AND state = 1)
                THEN NULL ELSE CAST($4 AS BIGINT) END
        WHERE id = $3 AND state = 10";
    PART_WAITS = "
        UPDATE outbox_parts SET state = 0 WHERE message_id = $1 AND part = $2 AND state <> 2";
    /// An account that has sent a part has to send the rest, and one that has a part must stay known.
    REQUEUE = "
        UPDATE outbox SET state = 0, updated_at = $1,
            account = CASE WHEN EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $2 AND state <> 0)
                THEN account ELSE $3 END
        WHERE id = $2 AND (state <= 1 OR state = 3)";
    DOUBT = "
        UPDATE outbox SET state = 10, updated_at = $1
        WHERE id = $2 AND state IN (0, 1, 3)
          AND EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $2 AND state = 1)";

    // ---- ending
    FAIL = "
        UPDATE outbox SET state = 11, failure = $1, updated_at = $2, finished_at = $2
        WHERE id = $3 AND state IN (0, 1, 2, 3)
          AND NOT EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $3 AND state = 1)";
    CANCEL = "
        UPDATE outbox SET state = 12, updated_at = $1, finished_at = $1
        WHERE id = $2 AND state IN (0, 1, 2)
          AND NOT EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $2 AND state <> 0)";
    /// The account stays only where it has sent a part already. What was scheduled waits for its time again.
    RETRY = "
        UPDATE outbox SET state = CASE WHEN send_at > $1 THEN 1 ELSE 0 END,
            failure = NULL, finished_at = NULL, updated_at = $1,
            account = CASE WHEN EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $2 AND state = 2)
                THEN account ELSE NULL END
        WHERE id = $2 AND state IN (11, 12)";
    /// What was scheduled waits for its time.
    APPROVE = "
        UPDATE outbox SET state = CASE WHEN send_at > $1 THEN 1 ELSE 0 END, updated_at = $1 WHERE id = $2 AND state = 2";
    REJECT = "
        UPDATE outbox SET state = 12, updated_at = $1, finished_at = $1 WHERE id = $2 AND state = 2";
    DOUBTFUL_PARTS_SENT = "UPDATE outbox_parts SET state = 2 WHERE message_id = $1 AND state = 1";
    DOUBTFUL_PARTS_WAIT = "UPDATE outbox_parts SET state = 0 WHERE message_id = $1 AND state = 1";
    RESOLVE_SENT = "
        UPDATE outbox SET state = 20, failure = NULL, updated_at = $1, finished_at = $1
        WHERE id = $2 AND state = 10
          AND NOT EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $2 AND state <> 2)";
    RESOLVE_QUEUED = "
        UPDATE outbox SET state = 0, updated_at = $1 WHERE id = $2 AND state = 10 AND failure IS NULL";
    /// What was said of the doubtful part says nothing of those behind it, which were held back.
    RESOLVE_HELD_BACK = "
        UPDATE outbox SET state = 11, updated_at = $1, finished_at = $1
        WHERE id = $2 AND state = 10 AND failure IS NOT NULL";
    RESOLVE_RESEND = "
        UPDATE outbox SET state = 0, failure = NULL, updated_at = $1,
            account = CASE WHEN EXISTS (SELECT 1 FROM outbox_parts WHERE message_id = $2 AND state = 2)
                THEN account ELSE NULL END
        WHERE id = $2 AND state = 10";
    JOIN_OF = "SELECT join_fingerprint FROM outbox WHERE id = $1";
    FORGET_JOIN = "
        DELETE FROM request_joins
        WHERE fingerprint = (SELECT join_fingerprint FROM outbox WHERE id = $1) AND subject_id = $1";
    /// Its caller waited.
    SAVE_OPEN_JOIN = "
        INSERT INTO request_joins (fingerprint, subject_id, repeats, open) VALUES ($1, $2, $3, 1)
        ON CONFLICT (fingerprint, subject_id) DO UPDATE SET open = 1";
    OPEN_JOIN = "UPDATE request_joins SET open = 1 WHERE fingerprint = $1 AND subject_id = $2";
    /// The callers of a process that has ended are gone.
    OPEN_ALL_JOINS = "UPDATE request_joins SET open = 1 WHERE open = 0";

    /// Whom to name when no one finds the chat.
    REQUEST_ORIGIN = "SELECT chat, listener, api_key, address FROM outbox WHERE id = $1";

    // ---- holding back
    /// What waits, and what is in doubt already; `state < 20` leads to the index.
    WAITING = "
        SELECT id, state FROM outbox WHERE id > $1 AND state <= 10 AND state < 20 ORDER BY id LIMIT $2";
    HOLD_IN_DOUBT = "UPDATE outbox SET state = 10, failure = $1, updated_at = $2 WHERE id = $3 AND state <= 3";
    /// Its doubt is as old as before, and evidence is looked for as long.
    MARK_DOUBT = "UPDATE outbox SET failure = $1 WHERE id = $2 AND state = 10 AND failure IS NULL";

    // ---- timeline
    INSERT_FIRST_STEP = "
        INSERT INTO outbox_timeline (message_id, seq, at, step, part, account) VALUES ($1, 0, $2, $3, $4, $5)";
    INSERT_STEP = "
        INSERT INTO outbox_timeline (message_id, seq, at, step, part, account, outcome, detail)
        VALUES ($1, (SELECT coalesce(max(seq), -1) + 1 FROM outbox_timeline WHERE message_id = $1),
            $2, $3, $4, $5, $6, $7)";
    STEPS = "SELECT count(*) FROM outbox_timeline WHERE message_id = $1";
    LAST_STEPS = "SELECT seq, step FROM outbox_timeline WHERE message_id = $1 ORDER BY seq DESC LIMIT 14";
    DROP_STEP = "DELETE FROM outbox_timeline WHERE message_id = $1 AND seq = $2";
    TIMELINE = "
        SELECT at, step, part, account, outcome, detail FROM outbox_timeline
        WHERE message_id = $1 ORDER BY seq";

    // ---- reading
    GET = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content
        FROM outbox WHERE id = $1";
    /// Who sent what the provider has under this id in this chat, the newest first: private chats count by account. Asked
    /// now and then, so it reads the parts from the newest on; an index would cost every message that is sent. `$3` is the
    /// id between two commas, for albums.
    SENT_BY = "
        SELECT o.account
        FROM outbox_parts AS p INNER JOIN outbox AS o ON o.id = p.message_id
        WHERE p.state = 2 AND o.chat_id = $1 AND o.account IS NOT NULL
          AND (p.provider_id = $2 OR (p.provider_ids IS NOT NULL
              AND replace(replace(p.provider_ids, '[', ','), ']', ',') LIKE $3))
        ORDER BY p.message_id DESC LIMIT 1";
    /// 1: scheduled.
    LANE = "SELECT chat, chat_id, pin, id FROM outbox WHERE id = $1 AND state <> 1";
    ORIGIN = "SELECT listener, api_key, address FROM outbox WHERE id = $1";
    PARTS_OF = "
        SELECT part, random_id, state, provider_id, text, items, provider_ids, message_id
        FROM outbox_parts WHERE message_id = $1 ORDER BY part";
    LIST = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content
        FROM outbox
        WHERE id < $1 AND (CAST($2 AS BIGINT) IS NULL OR state = $2)
          AND (CAST($3 AS TEXT) IS NULL OR account = $3)
          AND (CAST($4 AS TEXT) IS NULL OR chat_id IN (SELECT value FROM json_each($4)))
        ORDER BY id DESC LIMIT $5";
    /// The same for states that few messages are in; `state < 20` leads to their index.
    LIST_OPEN = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content
        FROM outbox
        WHERE id < $1 AND state = $2 AND state < 20 AND (CAST($3 AS TEXT) IS NULL OR account = $3)
          AND (CAST($4 AS TEXT) IS NULL OR chat_id IN (SELECT value FROM json_each($4)))
        ORDER BY id DESC LIMIT $5";
    /// Rows to look into, newest first; what they have in them is decided by anyone who reads them.
    SCAN = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content
        FROM outbox
        WHERE id < $1 AND id >= $2
        ORDER BY id DESC LIMIT $3";
    SCAN_OPEN = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content
        FROM outbox
        WHERE id < $1 AND id >= $2 AND state = $3 AND state < 20
        ORDER BY id DESC LIMIT $4";
    /// 0 and 1: queued and scheduled, 3: sending, 10: in doubt, 11: failed.
    SCAN_UNDELIVERED = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content
        FROM outbox
        WHERE id < $1 AND id >= $2 AND state IN (0, 1, 3, 10, 11) AND state < 20
        ORDER BY id DESC LIMIT $3";
    /// 11: failed. Nothing changes a message that failed but trying it again, so it was changed last when it failed.
    FAILED = "
        SELECT id FROM outbox
        WHERE id > $1 AND state = 11 AND state < 20 AND (CAST($2 AS TEXT) IS NULL OR account = $2)
          AND (CAST($3 AS TEXT) IS NULL OR chat_id IN (SELECT value FROM json_each($3)))
          AND (CAST($4 AS BIGINT) IS NULL OR created_at >= $4) AND (CAST($5 AS BIGINT) IS NULL OR created_at < $5)
          AND updated_at < $6
        ORDER BY id LIMIT $7";
    /// For the log of all work: in another order of conditions, and by what is open.
    LOG = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content
        FROM outbox
        WHERE id < $1
          AND (CAST($2 AS TEXT) IS NULL OR account = $2)
          AND (CAST($3 AS TEXT) IS NULL OR chat_id IN (SELECT value FROM json_each($3)))
          AND (CAST($4 AS BIGINT) IS NULL OR (state <= 10) = ($4 = 1)) AND (CAST($5 AS BIGINT) = 0 OR state = 10)
        ORDER BY id DESC LIMIT $6";
    LOG_OPEN = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content
        FROM outbox
        WHERE id < $1 AND state <= 10 AND state < 20 AND (CAST($2 AS TEXT) IS NULL OR account = $2)
          AND (CAST($3 AS TEXT) IS NULL OR chat_id IN (SELECT value FROM json_each($3)))
          AND (CAST($4 AS BIGINT) IS NULL OR (state <= 10) = ($4 = 1)) AND (CAST($5 AS BIGINT) = 0 OR state = 10)
        ORDER BY id DESC LIMIT $6";
    UNFINISHED = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content
        FROM outbox
        WHERE id > $1 AND state IN (0, 1, 3) AND state < 20
        ORDER BY id LIMIT $2";

    /// The files of messages that may still have to be sent: those that are not over, and those that ended unsent or in
    /// doubt so lately that a person may want them sent after all. `state < 20` leads to the index.
    FILES_IN_USE = "
        SELECT f.file
        FROM outbox AS o INNER JOIN outbox_files AS f ON f.message_id = o.id
        WHERE o.state < 20 AND (o.state <= 3 OR o.updated_at > $1)";
    /// The files of one message, without those that a message needs still, by the same rule.
    FILES_DONE_WITH = "
        SELECT f.file
        FROM outbox_files AS f
        WHERE f.message_id = $1 AND NOT EXISTS (
            SELECT 1
            FROM outbox_files AS other INNER JOIN outbox AS o ON o.id = other.message_id
            WHERE other.file = f.file AND o.state < 20 AND (o.state <= 3 OR o.updated_at > $2))";

    /// Messages that ended; looked for among those accepted since an id. To group them, SQLite would sort them all in memory.
    ENDED_SINCE = "
        SELECT finished_at / 60000000, account, state, media FROM outbox
        WHERE id > $1 AND id <= $2 AND finished_at > $3";

    // ---- receipts
    /// Where a provider gives an id away twice, the later message has it.
    SAVE_PROVIDER_ID = "
        INSERT INTO provider_messages (channel, account, provider_id, message_id, part, item, receipt)
        VALUES ($1, $2, $3, $4, $5, $6, 0)
        ON CONFLICT (channel, account, provider_id) DO UPDATE SET
            message_id = excluded.message_id, part = excluded.part, item = excluded.item, receipt = 0, reactions = NULL";
    REACTIONS_OF = "
        SELECT reactions FROM provider_messages
        WHERE message_id = $1 AND reactions IS NOT NULL ORDER BY part, item LIMIT 100";
    RECEIPT_FOR = "
        SELECT message_id FROM provider_messages WHERE channel = $1 AND account = $2 AND provider_id = $3";
    SAVE_RECEIPT = "
        UPDATE provider_messages SET receipt = $1
        WHERE channel = $2 AND account = $3 AND provider_id = $4 AND receipt < $1";
    /// How far the least of a message is, how many of its parts have an id, and how many there are.
    RECEIPTS_OF = "
        SELECT min(r.receipt), count(DISTINCT r.part),
            (SELECT count(*) FROM outbox_parts AS p WHERE p.message_id = $1)
        FROM provider_messages AS r WHERE r.message_id = $1";
    /// 20: sent, 21: delivered, 22: read.
    ARRIVED = "UPDATE outbox SET state = $1, updated_at = $2 WHERE id = $3 AND state >= 20 AND state < $1";
    /// The parts of what an account sent into a chat and was not read, among the last that ended there.
    UNREAD_PARTS = "
        SELECT p.message_id, p.provider_id, p.provider_ids
        FROM (SELECT id FROM outbox_places WHERE chat_id = $1 ORDER BY at DESC, id DESC LIMIT $2) AS s
        INNER JOIN outbox AS o ON o.id = s.id
        INNER JOIN outbox_parts AS p ON p.message_id = o.id
        WHERE o.account = $3 AND o.chat_id = $1 AND o.state = 20";
    /// The same of one message.
    UNREAD_PARTS_OF = "
        SELECT p.message_id, p.provider_id, p.provider_ids
        FROM outbox AS o INNER JOIN outbox_parts AS p ON p.message_id = o.id
        WHERE o.id = $1 AND o.account = $2 AND o.chat_id = $3 AND o.state = 20";
    /// 20: sent; 21 and later had arrived.
    UNDELIVERED = "UPDATE outbox SET state = $1, failure = $2, updated_at = $3 WHERE id = $4 AND state = 20";

    KEEP_FAILURE = "
        INSERT INTO early_failures (channel, account, provider_id, why, at, kept_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (channel, account, provider_id) DO NOTHING";
    EARLY_FAILURE = "
        SELECT f.why, f.at FROM provider_messages AS p INNER JOIN early_failures AS f
            ON f.channel = p.channel AND f.account = p.account AND f.provider_id = p.provider_id
        WHERE p.message_id = $1 ORDER BY f.at LIMIT 1";
    /// Those of which nothing was sent here, too.
    DROP_FAILURES = "
        DELETE FROM early_failures WHERE (channel, account, provider_id) IN (
            SELECT channel, account, provider_id FROM early_failures WHERE kept_at < $1 ORDER BY kept_at LIMIT $2)";

    // ---- retention
    OLD_MESSAGES = "
        SELECT id, finished_at, 0 FROM outbox WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3";
    COUNT_BETWEEN = "SELECT count(*) FROM outbox WHERE id > $1 AND id <= $2";
    NTH_AFTER = "SELECT id FROM outbox WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2";
    /// All places that it had: its end is the last of them.
    DROP_INDEX_ENTRIES = "
        DELETE FROM outbox_places
        WHERE chat_id = (SELECT chat_id FROM outbox WHERE id = $1)
            AND at >= (SELECT created_at FROM outbox WHERE id = $1)
            AND at <= (SELECT finished_at FROM outbox WHERE id = $1 AND finished_at <= $2) AND id = $1";
    DROP_MESSAGE = "DELETE FROM outbox WHERE id = $1 AND finished_at <= $2";
    DROP_PROVIDER_IDS = "DELETE FROM provider_messages WHERE message_id = $1";
    DROP_FILES = "DELETE FROM outbox_files WHERE message_id = $1";
    DROP_TIMELINE = "DELETE FROM outbox_timeline WHERE message_id = $1";
    KEYS = "SELECT scope, created_at FROM idempotency_keys WHERE scope > $1 ORDER BY scope LIMIT $2";
    DROP_KEY = "DELETE FROM idempotency_keys WHERE scope = $1 AND created_at <= $2";
    DROP_JOINS = "
        DELETE FROM request_joins WHERE (fingerprint, subject_id) IN (
            SELECT j.fingerprint, j.subject_id
            FROM request_joins AS j
                LEFT JOIN outbox AS o ON o.id = j.subject_id
                LEFT JOIN operations AS s ON s.id = j.subject_id
            WHERE (o.id IS NULL AND s.id IS NULL)
                OR coalesce(o.finished_at, s.finished_at) + j.repeats <= $1
            LIMIT $2)";
}
