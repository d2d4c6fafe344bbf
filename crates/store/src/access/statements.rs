//! The statements on people, their sessions and the audit log.

use crate::statement::statements;

statements! {
    ADD_USER = "
        INSERT INTO users (name, role, password, password_at, factor_step, created_at)
        VALUES ($1, $2, $3, $4, 0, $4) ON CONFLICT (name) DO NOTHING";
    COUNT_USERS = "SELECT count(*) FROM users";
    GET_USER = "
        SELECT u.name, u.role, u.password, u.password_at, u.factor, u.offered, u.factor_step,
            u.created_at, u.signed_in_at,
            (SELECT count(*) FROM recovery_codes c WHERE c.\"user\" = u.name),
            (SELECT count(*) FROM user_sessions s WHERE s.\"user\" = u.name)
        FROM users u WHERE u.name = $1";
    LIST_USERS = "
        SELECT u.name, u.role, u.password, u.password_at, u.factor, u.offered, u.factor_step,
            u.created_at, u.signed_in_at,
            (SELECT count(*) FROM recovery_codes c WHERE c.\"user\" = u.name),
            (SELECT count(*) FROM user_sessions s WHERE s.\"user\" = u.name)
        FROM users u ORDER BY u.name";
    ROLE_OF = "SELECT role FROM users WHERE name = $1";
    OTHER_ADMINS = "SELECT count(*) FROM users WHERE role = 'admin' AND name <> $1";
    SET_ROLE = "UPDATE users SET role = $1 WHERE name = $2";
    REMOVE_USER = "DELETE FROM users WHERE name = $1";
    SET_PASSWORD = "UPDATE users SET password = $1, password_at = $2 WHERE name = $3";
    SIGNED_IN = "UPDATE users SET signed_in_at = $1 WHERE name = $2 AND password_at = $3";
    OFFER_FACTOR = "UPDATE users SET offered = $1 WHERE name = $2 AND factor IS NULL";
    CONFIRM_FACTOR = "
        UPDATE users SET factor = offered, factor_step = $1, offered = NULL
        WHERE name = $2 AND offered = $3";
    HAS_FACTOR = "SELECT 1 FROM users WHERE name = $1 AND factor IS NOT NULL";
    DROP_FACTOR = "UPDATE users SET factor = NULL, offered = NULL WHERE name = $1 AND factor IS NOT NULL";
    USE_STEP = "
        UPDATE users SET factor_step = $1 WHERE name = $2 AND factor IS NOT NULL AND factor_step < $1";
    DROP_CODES = "DELETE FROM recovery_codes WHERE \"user\" = $1";
    ADD_CODE = "INSERT INTO recovery_codes (\"user\", hash) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    USE_CODE = "DELETE FROM recovery_codes WHERE \"user\" = $1 AND hash = $2";

    BEGIN_SESSION = "
        INSERT INTO user_sessions (token, id, \"user\", created_at, seen_at, address, browser)
        VALUES ($1, $2, $3, $4, $4, $5, $6)";
    OLDEST_SESSIONS = "
        DELETE FROM user_sessions WHERE \"user\" = $1 AND token NOT IN (
            SELECT token FROM user_sessions WHERE \"user\" = $1 ORDER BY created_at DESC, token LIMIT $2)";
    FIND_SESSION = "
        SELECT s.id, s.\"user\", s.created_at, s.seen_at, s.address, s.browser, u.role,
            CASE WHEN u.factor IS NULL THEN 0 ELSE 1 END
        FROM user_sessions s JOIN users u ON u.name = s.\"user\" WHERE s.token = $1";
    LIST_SESSIONS = "
        SELECT s.id, s.\"user\", s.created_at, s.seen_at, s.address, s.browser, u.role,
            CASE WHEN u.factor IS NULL THEN 0 ELSE 1 END
        FROM user_sessions s JOIN users u ON u.name = s.\"user\" WHERE s.\"user\" = $1
        ORDER BY s.created_at DESC, s.id";
    SEE_SESSION = "
        UPDATE user_sessions SET seen_at = $1, address = $2 WHERE id = $3 AND seen_at < $1";
    END_SESSION = "DELETE FROM user_sessions WHERE \"user\" = $1 AND id = $2";
    END_OTHER_SESSIONS = "DELETE FROM user_sessions WHERE \"user\" = $1 AND id <> $2";
    END_ALL_SESSIONS = "DELETE FROM user_sessions";
    KNOWS_DEVICE = "SELECT 1 FROM user_devices WHERE token = $1 AND \"user\" = $2 AND signed_in_at > $3";
    REMEMBER_DEVICE = "INSERT INTO user_devices (token, \"user\", signed_in_at) VALUES ($1, $2, $3)";
    FADE_DEVICE = "UPDATE user_devices SET signed_in_at = $1 WHERE token = $2 AND signed_in_at > $1";
    FORGET_DEVICES = "DELETE FROM user_devices WHERE \"user\" = $1";
    FORGET_ALL_DEVICES = "DELETE FROM user_devices";
    OLDEST_DEVICES = "
        DELETE FROM user_devices WHERE \"user\" = $1 AND token NOT IN (
            SELECT token FROM user_devices WHERE \"user\" = $1 ORDER BY signed_in_at DESC, token LIMIT $2)";
    DROP_SESSIONS = "
        DELETE FROM user_sessions WHERE token IN (
            SELECT token FROM user_sessions WHERE seen_at <= $1 LIMIT $2)";

    REPEAT_AUDIT = "
        UPDATE audit_log SET times = times + $1, last_at = $2 WHERE seq = (
            SELECT seq FROM audit_log
            WHERE action = $3 AND at > $4 AND kind = $5 AND who IS NOT DISTINCT FROM $6
              AND subject IS NOT DISTINCT FROM $7 AND address IS NOT DISTINCT FROM $8
              AND result = $9 AND code IS NOT DISTINCT FROM $10 AND details = $11
            ORDER BY at DESC LIMIT 1)";
    ADD_AUDIT = "
        INSERT INTO audit_log (seq, at, kind, who, action, subject, details, address, result, code, times, last_at)
        VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM audit_log), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $1)";
    LIST_AUDIT = "
        SELECT seq, at, kind, who, action, subject, details, address, result, code, times, last_at FROM audit_log
        WHERE seq < $1 AND (CAST($2 AS TEXT) IS NULL OR who = $2 OR kind = $2)
          AND (CAST($3 AS TEXT) IS NULL OR action = $3) AND (CAST($4 AS TEXT) IS NULL OR subject = $4)
          AND (CAST($5 AS TEXT) IS NULL OR result = $5) AND (CAST($6 AS TEXT) IS NULL OR address = $6)
          AND last_at >= $7 AND at < $8
        ORDER BY seq DESC LIMIT $9";
    NEWEST_AUDIT = "SELECT coalesce(max(seq), 0) FROM audit_log";
    BOUND_AUDIT = "
        DELETE FROM audit_log WHERE kind = $1 AND result = $2 AND seq <= (
            SELECT seq FROM audit_log WHERE kind = $1 AND result = $2 ORDER BY seq DESC LIMIT 1 OFFSET $3)";
    DROP_AUDIT = "
        DELETE FROM audit_log WHERE seq IN (SELECT seq FROM audit_log WHERE at <= $1 ORDER BY at LIMIT $2)";
}
