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
    MARKS = "SELECT account, chat_id, why, refused_at FROM telegram_marks ORDER BY account, chat_id";
    SAVE_FLOOD = "
        INSERT INTO telegram_floods (account, operation, held_until) VALUES ($1, $2, $3)
        ON CONFLICT (account, operation) DO UPDATE SET held_until = excluded.held_until
        WHERE excluded.held_until > telegram_floods.held_until";
    SAVE_SLOW_MODE = "
        INSERT INTO telegram_slow_modes (account, chat_id, held_until) VALUES ($1, $2, $3)
        ON CONFLICT (account, chat_id) DO UPDATE SET held_until = excluded.held_until
        WHERE excluded.held_until > telegram_slow_modes.held_until";
    SAVE_MARK = "
        INSERT INTO telegram_marks (account, chat_id, why, refused_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account, chat_id) DO UPDATE SET why = excluded.why, refused_at = excluded.refused_at";
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

    ACCOUNTS = "
        SELECT name, priority, in_pool, api_id, api_hash, phone, proxy, messages_per_hour, messages_per_day, keep
        FROM telegram_accounts ORDER BY name";
    ADD_ACCOUNT = "
        INSERT INTO telegram_accounts
            (name, priority, in_pool, api_id, api_hash, phone, proxy, messages_per_hour, messages_per_day, keep, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (name) DO NOTHING";
    CHANGE_ACCOUNT = "
        INSERT INTO telegram_accounts
            (name, priority, in_pool, api_id, api_hash, phone, proxy, messages_per_hour, messages_per_day, keep, created_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, created_at FROM telegram_accounts WHERE name = $1
        ON CONFLICT (name) DO UPDATE SET
            priority = excluded.priority, in_pool = excluded.in_pool, api_id = excluded.api_id,
            api_hash = excluded.api_hash, phone = excluded.phone, proxy = excluded.proxy,
            messages_per_hour = excluded.messages_per_hour, messages_per_day = excluded.messages_per_day,
            keep = excluded.keep";
    REMOVE_ACCOUNT = "DELETE FROM telegram_accounts WHERE name = $1";
    OPEN_MESSAGES = "
        SELECT count(*) FROM outbox WHERE state <= 10 AND state < 20 AND (account = $1 OR pin = $1)";
    OPEN_OPERATIONS = "SELECT count(*) FROM operations WHERE state <= 10 AND (account = $1 OR pin = $1)";
    SESSIONS_IN_USE = "
        SELECT account, fingerprint, dc_id, auth_key, user_id, username, display_name, purposes
        FROM telegram_sessions WHERE purposes IS NOT NULL ORDER BY account, saved_at, fingerprint";
    USE_SESSION = "
        INSERT INTO telegram_sessions
            (account, fingerprint, dc_id, auth_key, user_id, username, display_name, saved_at, purposes)
        SELECT $1, $2, dc_id, auth_key, user_id, username, display_name, saved_at, $3
        FROM telegram_sessions WHERE account = $1 AND fingerprint = $2
        ON CONFLICT (account, fingerprint) DO UPDATE SET purposes = excluded.purposes";
    FORGET_SESSION = "DELETE FROM telegram_sessions WHERE account = $1 AND fingerprint = $2";
    OWNERLESS = "
        SELECT fingerprint, dc_id, auth_key, user_id, username, display_name, origin
        FROM telegram_ownerless_sessions ORDER BY saved_at, fingerprint";
    SAVE_OWNERLESS = "
        INSERT INTO telegram_ownerless_sessions
            (fingerprint, dc_id, auth_key, user_id, username, display_name, origin, saved_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (fingerprint) DO UPDATE SET
            dc_id = excluded.dc_id, auth_key = excluded.auth_key, user_id = excluded.user_id,
            username = excluded.username, display_name = excluded.display_name, origin = excluded.origin,
            saved_at = excluded.saved_at";
    FORGET_OWNERLESS = "DELETE FROM telegram_ownerless_sessions WHERE fingerprint = $1";
    LOGINS = "SELECT account, record FROM telegram_logins ORDER BY account";
    SAVE_LOGIN = "
        INSERT INTO telegram_logins (account, record, updated_at) VALUES ($1, $2, $3)
        ON CONFLICT (account) DO UPDATE SET record = excluded.record, updated_at = excluded.updated_at";
    FORGET_LOGIN = "DELETE FROM telegram_logins WHERE account = $1";
    RESTRICTIONS = "SELECT account, reason, since FROM telegram_restrictions ORDER BY account";
    SAVE_RESTRICTION = "
        INSERT INTO telegram_restrictions (account, reason, since) VALUES ($1, $2, $3)
        ON CONFLICT (account) DO UPDATE SET reason = excluded.reason, since = excluded.since";
    LIFT_RESTRICTION = "DELETE FROM telegram_restrictions WHERE account = $1";

    NOTE = "SELECT text, updated_at, updated_by FROM account_notes WHERE account = $1";
    SAVE_NOTE = "
        INSERT INTO account_notes (account, text, updated_at, updated_by) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account) DO UPDATE SET
            text = excluded.text, updated_at = excluded.updated_at, updated_by = excluded.updated_by";
    FORGET_NOTE = "DELETE FROM account_notes WHERE account = $1";

    FORGET_SESSIONS = "DELETE FROM telegram_sessions WHERE account = $1";
    FORGET_UPDATE_STATE = "DELETE FROM telegram_update_state WHERE account = $1";
    FORGET_ALL_FLOODS = "DELETE FROM telegram_floods WHERE account = $1";
    FORGET_ALL_SLOW_MODES = "DELETE FROM telegram_slow_modes WHERE account = $1";
    FORGET_MARKS = "DELETE FROM telegram_marks WHERE account = $1";
    FORGET_PEERS = "DELETE FROM telegram_peers WHERE account = $1";
    FORGET_FILL = "DELETE FROM telegram_fills WHERE account = $1";
    FORGET_GAPS = "DELETE FROM received_gaps WHERE account = $1";
    FORGET_WANTED_FILES = "DELETE FROM received_files WHERE account = $1 AND state = 0";
}

/// Everything that is known only through one account.
pub(super) const OF_AN_ACCOUNT: [&str; 14] = [
    FORGET_SESSIONS,
    FORGET_UPDATE_STATE,
    FORGET_CHANNELS,
    FORGET_ALL_FLOODS,
    FORGET_ALL_SLOW_MODES,
    FORGET_MARKS,
    FORGET_PEERS,
    FORGET_FILL,
    FORGET_GAPS,
    FORGET_WANTED_FILES,
    FORGET_SWITCH,
    FORGET_LOGIN,
    LIFT_RESTRICTION,
    FORGET_NOTE,
];
