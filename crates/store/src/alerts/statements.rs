//! The statements on alerts, notices, their deliveries (the posts of kind 2), targets, mutes and maintenance windows.

use crate::statement::statements;

statements! {
    SAVE = "
        INSERT INTO alerts (id, card, kind, name, parent, state, reason, detail, raised_at, closed_at, joined_to,
            told_at, reminded_at, finished_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        ON CONFLICT (id) DO UPDATE SET
            name = excluded.name, parent = excluded.parent, state = excluded.state, reason = excluded.reason,
            detail = excluded.detail, closed_at = excluded.closed_at, joined_to = excluded.joined_to,
            told_at = excluded.told_at, reminded_at = excluded.reminded_at, finished_at = excluded.finished_at";
    UNFINISHED = "
        SELECT id, card, kind, name, parent, state, reason, detail, raised_at, closed_at, joined_to, told_at,
            reminded_at, finished_at
        FROM alerts WHERE finished_at IS NULL ORDER BY id LIMIT $1";
    GET = "
        SELECT id, card, kind, name, parent, state, reason, detail, raised_at, closed_at, joined_to, told_at,
            reminded_at, finished_at
        FROM alerts WHERE id = $1";
    LIST = "
        SELECT id, card, kind, name, parent, state, reason, detail, raised_at, closed_at, joined_to, told_at,
            reminded_at, finished_at
        FROM alerts WHERE id < $1 AND (CAST($2 AS BIGINT) IS NULL OR (state = 'open') = ($2 = 1))
          AND (CAST($3 AS TEXT) IS NULL OR card = $3)
        ORDER BY id DESC LIMIT $4";
    DROP_OLD = "
        DELETE FROM alerts WHERE id IN (
            SELECT id FROM alerts WHERE finished_at <= $1 ORDER BY finished_at LIMIT $2)";
    SAVE_NOTICE = "
        INSERT INTO alert_notices (id, at, payload) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";
    /// A target that wants nothing more gets nothing more: for it the delivery is given up from the beginning.
    SAVE_DELIVERY = "
        INSERT INTO posts (kind, receiver, event, item, state, attempts, next_at, tried_at, error)
        SELECT 2, $1, 0, $2, CASE WHEN CAST($3 AS BIGINT) = 1 THEN 2 WHEN off.name IS NULL THEN 0 ELSE 1 END, 0, $4,
            CASE WHEN $3 = 1 OR off.name IS NOT NULL THEN CAST($4 AS BIGINT) END,
            CASE WHEN $3 = 0 AND off.name IS NOT NULL THEN 'it wants nothing more' END
        FROM (SELECT CAST($5 AS TEXT) AS target) AS t
        LEFT JOIN alert_target_standings AS off ON off.name = t.target AND off.off_at IS NOT NULL
        WHERE true
        ON CONFLICT (receiver, kind, event, item) DO UPDATE SET state = excluded.state, tried_at = excluded.tried_at
        WHERE excluded.state = 2";
    /// Leaves so many of a target's waiting deliveries, the latest.
    TRIM = "
        UPDATE posts SET state = 1, error = $1, tried_at = $2
        WHERE kind = 2 AND receiver = $3 AND state = 0 AND item NOT IN (
            SELECT item FROM posts WHERE kind = 2 AND receiver = $3 AND state = 0 ORDER BY item DESC LIMIT $4)";
    /// The first that waits of each target: a target is notified in order.
    FIRST_WAITING = "
        SELECT d.receiver, d.item, d.attempts, d.next_at, d.message, n.at, n.payload
        FROM (
            SELECT receiver, min(item) AS item FROM posts WHERE kind = 2 AND state = 0 GROUP BY receiver) AS f
        JOIN posts AS d ON d.kind = 2 AND d.receiver = f.receiver AND d.event = 0 AND d.item = f.item
        JOIN alert_notices AS n ON n.id = d.item
        ORDER BY d.next_at, d.receiver";
    WAITING = "
        SELECT d.receiver, count(*), min(d.item), min(n.at)
        FROM posts AS d JOIN alert_notices AS n ON n.id = d.item
        WHERE d.kind = 2 AND d.state = 0 GROUP BY d.receiver ORDER BY d.receiver";
    DELIVERED = "
        UPDATE posts SET state = 2, attempts = attempts + 1, tried_at = $1, error = NULL
        WHERE kind = 2 AND receiver = $2 AND event = 0 AND item = $3 AND state = 0";
    PUT_OFF = "
        UPDATE posts SET attempts = attempts + $1, error = $2, next_at = $3, message = $4
        WHERE kind = 2 AND receiver = $5 AND event = 0 AND item = $6 AND state = 0";
    GIVE_UP = "
        UPDATE posts SET state = 1, attempts = attempts + 1, error = $1, tried_at = $2
        WHERE kind = 2 AND receiver = $3 AND event = 0 AND item = $4 AND state = 0";
    GIVE_UP_ALL = "
        UPDATE posts SET state = 1, error = $1, tried_at = $2 WHERE kind = 2 AND receiver = $3 AND state = 0";
    /// It was not tried.
    HOLD_BACK = "UPDATE posts SET state = 1, error = $1, tried_at = $2 WHERE kind = 2 AND state = 0";
    DROP_DELIVERIES = "
        DELETE FROM posts WHERE kind = 2 AND event = 0 AND item IN (
            SELECT id FROM alert_notices WHERE at <= $1 ORDER BY at, id LIMIT $2)";
    DROP_NOTICES = "
        DELETE FROM alert_notices WHERE id IN (
            SELECT id FROM alert_notices WHERE at <= $1 ORDER BY at, id LIMIT $2)";
    TARGETS = "SELECT name, record, created_at, created_by FROM alert_targets ORDER BY name";
    ADD_TARGET = "
        INSERT INTO alert_targets (name, record, created_at, created_by) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO NOTHING";
    REMOVE_TARGET = "DELETE FROM alert_targets WHERE name = $1";
    TARGET_HEALTH = "SELECT name, told_at, failed_at, last_error, off_at FROM alert_target_standings ORDER BY name";
    RECEIVED = "
        INSERT INTO alert_target_standings (name, told_at) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET told_at = excluded.told_at, failed_at = NULL, last_error = NULL,
            off_at = NULL";
    FAILED = "
        INSERT INTO alert_target_standings (name, failed_at, last_error, off_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET failed_at = excluded.failed_at, last_error = excluded.last_error,
            off_at = excluded.off_at";
    FORGET_HEALTH = "DELETE FROM alert_target_standings WHERE name = $1";
    MUTES = "SELECT card, until, muted_at, muted_by FROM alert_mutes ORDER BY card LIMIT $1";
    SAVE_MUTE = "
        INSERT INTO alert_mutes (card, until, muted_at, muted_by) VALUES ($1, $2, $3, $4)
        ON CONFLICT (card) DO UPDATE SET until = excluded.until, muted_at = excluded.muted_at,
            muted_by = excluded.muted_by";
    FORGET_MUTE = "DELETE FROM alert_mutes WHERE card = $1";
    DROP_MUTES = "DELETE FROM alert_mutes WHERE until <= $1";
    WINDOWS = "SELECT id, record, created_at, created_by FROM maintenance_windows ORDER BY id LIMIT $1";
    ADD_WINDOW = "
        INSERT INTO maintenance_windows (id, record, created_at, created_by) VALUES ($1, $2, $3, $4)";
    REMOVE_WINDOW = "DELETE FROM maintenance_windows WHERE id = $1";
}
