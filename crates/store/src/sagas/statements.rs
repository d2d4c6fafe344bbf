//! The statements of sagas. Numbers of states are those of `codes.rs`: 0 queued, 1 running, 10 in doubt, 11 failed,
//! 12 cancelled, 20 done.

use crate::statement::statements;

statements! {
    // ---- accept
    FIND_KEY = "
        SELECT k.fingerprint, k.subject_id, k.created_at, o.state
        FROM idempotency_keys AS k LEFT JOIN operations AS o ON o.id = k.subject_id
        WHERE k.scope = $1";
    /// The oldest whose caller has no answer and will get none.
    FIND_JOIN = "
        SELECT j.subject_id
        FROM request_joins AS j INNER JOIN operations AS o ON o.id = j.subject_id
        WHERE j.fingerprint = $1 AND j.open = 1 AND (o.finished_at IS NULL OR o.finished_at > $2)
        ORDER BY j.subject_id LIMIT 1";
    INSERT_SAGA = "
        INSERT INTO operations
            (id, state, kind, chat, chat_id, pin, account, on_flood, patient_until, created_at, updated_at,
             join_fingerprint, listener, api_key, address, task, progress, start, keep)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";

    FAILURE_OF = "SELECT failure FROM operations WHERE id = $1";

    // ---- change
    STORED = "
        SELECT state, account, chat_id, progress, begun, failure, updated_at, listener, api_key, address, keep
        FROM operations WHERE id = $1";
    CHANGE = "
        UPDATE operations SET
            state = $1, account = $2, chat_id = $3, patient_until = $4, progress = $5, begun = $6, failure = $7,
            updated_at = $8, finished_at = $9
        WHERE id = $10 AND state <= 1";

    // ---- ending
    STATE_OF = "SELECT state FROM operations WHERE id = $1";
    CANCEL = "
        UPDATE operations SET state = 12, updated_at = $1, finished_at = $1 WHERE id = $2 AND state = 0";
    START_AGAIN = "
        UPDATE operations SET
            state = 0, account = NULL, chat_id = $1, progress = $2, begun = NULL, failure = NULL,
            patient_until = $3, updated_at = $4, finished_at = NULL
        WHERE id = $5 AND state IN (10, 11, 12)";
    /// One that was held back after some of its steps: another beginning would make another chat.
    TAKE_UP = "
        UPDATE operations SET state = 1, failure = NULL, patient_until = $1, updated_at = $2, finished_at = NULL
        WHERE id = $3 AND state = 11";
    GO_ON = "
        UPDATE operations SET
            state = 1, chat_id = coalesce($1, chat_id), begun = NULL, patient_until = $2, updated_at = $3
        WHERE id = $4 AND state = 10";
    START = "SELECT start FROM operations WHERE id = $1";
    STORED_KEEP = "SELECT keep FROM operations WHERE id = $1";
    SAVE_JOIN = "
        INSERT INTO request_joins (fingerprint, subject_id, repeats, open) VALUES ($1, $2, $3, 0)";
    JOIN_OF = "SELECT join_fingerprint FROM operations WHERE id = $1";
    FORGET_JOIN = "
        DELETE FROM request_joins
        WHERE fingerprint = (SELECT join_fingerprint FROM operations WHERE id = $1) AND subject_id = $1";

    // ---- history
    INSERT_STEP = "
        INSERT INTO operation_steps (operation_id, seq, at, what, account, outcome, detail)
        VALUES ($1, (SELECT coalesce(max(seq), -1) + 1 FROM operation_steps WHERE operation_id = $1),
            $2, $3, $4, $5, $6)";
    LAST_STEP = "SELECT coalesce(max(seq), -1) FROM operation_steps WHERE operation_id = $1";
    STEPS = "
        SELECT at, what, account, outcome, detail, operation_id FROM operation_steps WHERE operation_id = $1 ORDER BY seq";
    LAST_STEPS = "
        SELECT at, what, account, outcome, detail, operation_id FROM operation_steps WHERE operation_id = $1
        ORDER BY seq DESC LIMIT $2";

    // ---- reading
    GET = "
        SELECT id, state, task, pin, on_flood, patient_until, account, chat_id, begun, progress, failure,
            created_at, updated_at
        FROM operations WHERE id = $1";
    ORIGIN = "SELECT listener, api_key, address FROM operations WHERE id = $1";
    UNFINISHED = "
        SELECT id, state, task, pin, on_flood, patient_until, account, chat_id, begun, progress, failure,
            created_at, updated_at
        FROM operations WHERE id > $1 AND state <= 1 AND state <= 10 ORDER BY id LIMIT $2";
    LOG = "
        SELECT id, state, task, pin, on_flood, patient_until, account, chat_id, begun, progress, failure,
            created_at, updated_at
        FROM operations
        WHERE id < $1 AND (CAST($2 AS TEXT) IS NULL OR account = $2)
          AND (CAST($3 AS TEXT) IS NULL OR chat_id IN (SELECT value FROM json_each($3)))
          AND (CAST($4 AS BIGINT) IS NULL OR (state <= 10) = ($4 = 1)) AND (CAST($5 AS TEXT) IS NULL OR kind = $5)
          AND (CAST($6 AS BIGINT) = 0 OR state = 10)
        ORDER BY id DESC LIMIT $7";
    /// The same for what has not ended; `state <= 10` leads to its index.
    LOG_OPEN = "
        SELECT id, state, task, pin, on_flood, patient_until, account, chat_id, begun, progress, failure,
            created_at, updated_at
        FROM operations
        WHERE id < $1 AND state <= 10 AND (CAST($2 AS TEXT) IS NULL OR account = $2)
          AND (CAST($3 AS TEXT) IS NULL OR chat_id IN (SELECT value FROM json_each($3)))
          AND (CAST($4 AS BIGINT) IS NULL OR (state <= 10) = ($4 = 1)) AND (CAST($5 AS TEXT) IS NULL OR kind = $5)
          AND (CAST($6 AS BIGINT) = 0 OR state = 10)
        ORDER BY id DESC LIMIT $7";

    // ---- retention
    OLD_SAGAS = "
        SELECT o.id, o.finished_at, CASE WHEN f.id IS NOT NULL AND f.settled_at IS NULL THEN 1 ELSE 0 END
        FROM operations AS o LEFT JOIN failed_requests AS f ON f.id = o.id
        WHERE o.id > $1 AND o.id < $2 ORDER BY o.id LIMIT $3";
    DROP_SAGA = "DELETE FROM operations WHERE id = $1 AND finished_at <= $2";
    DROP_STEPS = "DELETE FROM operation_steps WHERE operation_id = $1";
}
