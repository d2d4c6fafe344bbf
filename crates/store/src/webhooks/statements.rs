//! The statements about webhooks and their deliveries, the posts of kind 0.

use crate::statement::statements;

statements! {
    LIST = "
        SELECT id, record, description, filter, ordered, created_at, created_by, paused_at, disabled_at, disabled_reason,
            cursor, replay_after, replay_until, delivered_at, failing_since, failures, last_error
        FROM webhooks ORDER BY id LIMIT $1";
    GET = "
        SELECT id, record, description, filter, ordered, created_at, created_by, paused_at, disabled_at, disabled_reason,
            cursor, replay_after, replay_until, delivered_at, failing_since, failures, last_error
        FROM webhooks WHERE id = $1";
    COUNT = "SELECT count(*) FROM webhooks";
    /// It hears what happens from now on.
    ADD = "
        INSERT INTO webhooks (id, record, description, filter, ordered, created_at, created_by, failures, cursor)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0, (SELECT coalesce(max(seq), 0) FROM events))";
    CHANGE = "
        UPDATE webhooks SET record = $1, description = $2, filter = $3, ordered = $4 WHERE id = $5";
    PAUSE = "UPDATE webhooks SET paused_at = coalesce(paused_at, $1) WHERE id = $2";
    RESUME = "
        UPDATE webhooks SET paused_at = NULL, disabled_at = NULL, disabled_reason = NULL, failing_since = NULL, failures = 0,
            last_error = NULL
        WHERE id = $1";
    DISABLE = "
        UPDATE webhooks SET disabled_at = $1, disabled_reason = $2 WHERE id = $3 AND disabled_at IS NULL";
    REMOVE = "DELETE FROM webhooks WHERE id = $1";
    HOLD_BACK = "UPDATE webhooks SET paused_at = $1 WHERE paused_at IS NULL";
    IS_FAILING = "SELECT 1 FROM webhooks WHERE id = $1 AND failing_since IS NOT NULL";
    /// What was missed for good stays said: no success makes up for it.
    SUCCEEDED = "
        UPDATE webhooks SET delivered_at = $1, failing_since = NULL, failures = 0,
            last_error = CASE WHEN failing_since IS NULL THEN last_error END
        WHERE id = $2";
    MISSED = "UPDATE webhooks SET last_error = $1 WHERE id = $2";
    FAILED = "
        UPDATE webhooks SET failing_since = coalesce(failing_since, $1), failures = failures + $2, last_error = $3
        WHERE id = $4";
    FAILURES = "SELECT failing_since, failures FROM webhooks WHERE id = $1";

    ADVANCE = "UPDATE webhooks SET cursor = $1 WHERE id = $2 AND cursor = $3";
    BEGIN_REPLAY = "UPDATE webhooks SET replay_after = $1, replay_until = cursor WHERE id = $2";
    ADVANCE_REPLAY = "
        UPDATE webhooks SET replay_after = $1, replay_until = $2 WHERE id = $3 AND replay_after = $4";
    /// In the order of the index of what waits: without one PostgreSQL begins with the table, and all that was delivered.
    WAITING = "
        SELECT count(*), min(event) FROM (
            SELECT event FROM posts WHERE kind = 0 AND receiver = $1 AND state = 0 ORDER BY next_at LIMIT $2) AS waiting";
    DEAD = "
        SELECT count(*) FROM (
            SELECT 1 AS one FROM posts WHERE kind = 0 AND receiver = $1 AND state = 1 LIMIT $2) AS dead";
    RECENT = "
        SELECT count(*), count(CASE state WHEN 2 THEN 1 END) FROM (
            SELECT state FROM posts WHERE kind = 0 AND receiver = $1 AND attempts > 0 ORDER BY event DESC LIMIT $2) AS recent";
    /// A replay posts what was delivered or given up once more.
    ADD_DELIVERY = "
        INSERT INTO posts (kind, receiver, event, item, state, chat, attempts, next_at)
        VALUES (0, $1, $2, $3, 0, $4, 0, $5)
        ON CONFLICT (receiver, kind, event, item) DO UPDATE SET state = 0, attempts = 0, next_at = excluded.next_at
        WHERE posts.state <> 0";
    DUE = "
        SELECT d.event, d.attempts, e.at, e.type, e.account, e.chat, e.data
        FROM posts AS d LEFT JOIN events AS e ON e.seq = d.event
        WHERE d.kind = 0 AND d.receiver = $1 AND d.state = 0 AND d.next_at <= $2
          AND (d.chat IS NULL OR NOT EXISTS (
            SELECT 1 FROM posts AS earlier
            WHERE earlier.kind = 0 AND earlier.receiver = d.receiver AND earlier.chat = d.chat AND earlier.event < d.event
              AND earlier.state = 0 AND earlier.chat IS NOT NULL))
        ORDER BY d.next_at, d.event LIMIT $3";
    NEXT_DUE = "
        SELECT next_at FROM posts WHERE kind = 0 AND receiver = $1 AND state = 0 AND next_at > $2
        ORDER BY next_at LIMIT 1";
    DELIVERED = "
        UPDATE posts SET state = 2, attempts = attempts + 1, tried_at = $1, status = $2, answer = $3, latency = $4,
            error = NULL
        WHERE kind = 0 AND receiver = $5 AND event = $6 AND state = 0";
    PUT_OFF = "
        UPDATE posts SET next_at = $1, attempts = attempts + 1, tried_at = $2, status = $3, answer = $4,
            latency = $5, error = $6
        WHERE kind = 0 AND receiver = $7 AND event = $8 AND state = 0";
    GIVE_UP = "
        UPDATE posts SET state = 1, attempts = attempts + 1, tried_at = $1, status = $2, answer = $3, latency = $4,
            error = $5
        WHERE kind = 0 AND receiver = $6 AND event = $7 AND state = 0";
    /// What failed before is tried as soon as the endpoint takes something again.
    HURRY = "UPDATE posts SET next_at = $1 WHERE kind = 0 AND receiver = $2 AND state = 0 AND next_at > $1";
    /// Where the event is still kept: without it there is nothing to post.
    RETRY = "
        UPDATE posts SET attempts = CASE state WHEN 0 THEN attempts ELSE 0 END, state = 0, next_at = $1
        WHERE kind = 0 AND receiver = $2 AND event = $3 AND EXISTS (SELECT 1 FROM events WHERE seq = $3)";
    RETRY_DEAD = "
        UPDATE posts SET state = 0, attempts = 0, next_at = $1
        WHERE kind = 0 AND receiver = $2 AND event IN (
            SELECT d.event FROM posts AS d INNER JOIN events AS e ON e.seq = d.event
            WHERE d.kind = 0 AND d.receiver = $2 AND d.state = 1 ORDER BY d.event LIMIT $3)";
    DELIVERIES = "
        SELECT d.event, d.state, d.attempts, d.next_at, d.tried_at, d.status, d.answer, d.latency, d.error,
            e.at, e.type, e.account, e.chat, e.data
        FROM posts AS d LEFT JOIN events AS e ON e.seq = d.event
        WHERE d.kind = 0 AND d.receiver = $1 AND d.event < $2 ORDER BY d.event DESC LIMIT $3";
    DELIVERIES_IN = "
        SELECT d.event, d.state, d.attempts, d.next_at, d.tried_at, d.status, d.answer, d.latency, d.error,
            e.at, e.type, e.account, e.chat, e.data
        FROM posts AS d LEFT JOIN events AS e ON e.seq = d.event
        WHERE d.kind = 0 AND d.receiver = $1 AND d.event < $2 AND d.state = $3 ORDER BY d.event DESC LIMIT $4";
    DROP_OF = "
        DELETE FROM posts WHERE kind = 0 AND receiver = $1 AND event IN (
            SELECT event FROM posts WHERE kind = 0 AND receiver = $1 ORDER BY event LIMIT $2)";
    OLDEST_RETAINED = "
        SELECT event FROM posts WHERE kind = 0 AND receiver = $1 AND state = $2 ORDER BY event DESC LIMIT 1 OFFSET $3";
    TRIM = "
        DELETE FROM posts WHERE kind = 0 AND receiver = $1 AND event IN (
            SELECT event FROM posts WHERE kind = 0 AND receiver = $1 AND state = $2 AND event < $3 ORDER BY event LIMIT $4)";
    DROP_OLD = "
        DELETE FROM posts WHERE kind = 0 AND (receiver, event) IN (
            SELECT receiver, event FROM posts WHERE kind = 0 AND state <> 0 AND tried_at <= $1
            ORDER BY tried_at LIMIT $2)";
}
