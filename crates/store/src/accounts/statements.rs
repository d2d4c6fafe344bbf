//! The statements of the accounts' tables.

use crate::statement::statements;

statements! {
    SAVE_SESSION = "
        INSERT INTO telegram_sessions
            (account, fingerprint, dc_id, auth_key, user_id, username, display_name, saved_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (account, fingerprint) DO UPDATE SET
            dc_id = excluded.dc_id, auth_key = excluded.auth_key, user_id = excluded.user_id,
            username = excluded.username, display_name = excluded.display_name, saved_at = excluded.saved_at";
    SESSION = "
        SELECT account, fingerprint, dc_id, auth_key, user_id, username, display_name
        FROM telegram_sessions WHERE account = $1 AND fingerprint = $2";
    SESSIONS = "
        SELECT account, fingerprint, dc_id, auth_key, user_id, username, display_name
        FROM telegram_sessions ORDER BY account, saved_at, fingerprint";

    UPDATE_STATE = "
        SELECT pts, qts, date, seq, saved_at FROM telegram_update_state WHERE account = $1";
    CHANNEL_STATES = "
        SELECT channel_id, pts FROM telegram_channel_state WHERE account = $1 ORDER BY channel_id";
    SAVE_UPDATE_STATE = "
        INSERT INTO telegram_update_state (account, pts, qts, date, seq, saved_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (account) DO UPDATE SET
            pts = excluded.pts, qts = excluded.qts, date = excluded.date, seq = excluded.seq,
            saved_at = excluded.saved_at";
    SAVE_PRIMARY = "
        INSERT INTO telegram_update_state (account, pts, qts, date, seq, saved_at)
        VALUES ($1, $2, 0, $3, $4, $5)
        ON CONFLICT (account) DO UPDATE SET
            pts = excluded.pts, date = excluded.date, seq = excluded.seq, saved_at = excluded.saved_at";
    SAVE_SECONDARY = "
        INSERT INTO telegram_update_state (account, pts, qts, date, seq, saved_at)
        VALUES ($1, 0, $2, 0, 0, $3)
        ON CONFLICT (account) DO UPDATE SET qts = excluded.qts, saved_at = excluded.saved_at";
    FORGET_CHANNELS = "DELETE FROM telegram_channel_state WHERE account = $1";
    SAVE_CHANNEL = "
        INSERT INTO telegram_channel_state (account, channel_id, pts) VALUES ($1, $2, $3)
        ON CONFLICT (account, channel_id) DO UPDATE SET pts = excluded.pts";

    FLOODS = "
        SELECT account, operation, held_until FROM telegram_floods WHERE held_until > $1
        ORDER BY account, operation";
    SLOW_MODES = "
        SELECT account, chat_id, held_until FROM telegram_slow_modes WHERE held_until > $1
        ORDER BY account, chat_id";
    MARKS = "SELECT account, chat_id, why FROM telegram_marks ORDER BY account, chat_id";
    SAVE_FLOOD = "
        INSERT INTO telegram_floods (account, operation, held_until) VALUES ($1, $2, $3)
        ON CONFLICT (account, operation) DO UPDATE SET held_until = excluded.held_until
        WHERE excluded.held_until > telegram_floods.held_until";
    SAVE_SLOW_MODE = "
        INSERT INTO telegram_slow_modes (account, chat_id, held_until) VALUES ($1, $2, $3)
        ON CONFLICT (account, chat_id) DO UPDATE SET held_until = excluded.held_until
        WHERE excluded.held_until > telegram_slow_modes.held_until";
    SAVE_MARK = "
        INSERT INTO telegram_marks (account, chat_id, why) VALUES ($1, $2, $3)
        ON CONFLICT (account, chat_id) DO UPDATE SET why = excluded.why";
    LIFT_MARK = "DELETE FROM telegram_marks WHERE account = $1 AND chat_id = $2";
    FORGET_FLOODS = "DELETE FROM telegram_floods WHERE held_until <= $1";
    FORGET_SLOW_MODES = "DELETE FROM telegram_slow_modes WHERE held_until <= $1";

    BINDINGS = "SELECT chat_id, account FROM chat_bindings ORDER BY chat_id";
    BIND = "
        INSERT INTO chat_bindings (chat_id, account, bound_at) VALUES ($1, $2, $3)
        ON CONFLICT (chat_id) DO NOTHING";
    REBIND = "
        INSERT INTO chat_bindings (chat_id, account, bound_at) VALUES ($1, $2, $3)
        ON CONFLICT (chat_id) DO UPDATE SET
            account = excluded.account, bound_at = excluded.bound_at
        WHERE chat_bindings.account <> excluded.account";
    UNBIND = "DELETE FROM chat_bindings WHERE chat_id = $1";
    MOVE_BINDING = "
        INSERT INTO chat_bindings (chat_id, account, bound_at)
        SELECT $1, account, bound_at FROM chat_bindings WHERE chat_id = $2
        ON CONFLICT (chat_id) DO NOTHING";

    SWITCHES = "SELECT account, switch FROM telegram_switches ORDER BY account";
    SAVE_SWITCH = "
        INSERT INTO telegram_switches (account, switch) VALUES ($1, $2)
        ON CONFLICT (account) DO UPDATE SET switch = excluded.switch";
    FORGET_SWITCH = "DELETE FROM telegram_switches WHERE account = $1";
}
