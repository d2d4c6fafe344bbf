//! What an error of a call means: for the message that was being sent, and for the line it came through. Pure.

use std::time::Duration;

use domain::account::Reason;
use domain::outcome::{HoldScope, Unclear};
use domain::{Outcome, Timestamp};
use grammers_tl_types::Identifiable;
use grammers_tl_types::functions::{InitConnection, InvokeWithLayer};
use mtproto::{Loss, RequestError, RpcError};

/// What a wait lasts whose length cannot be read.
const UNREADABLE_WAIT: Duration = Duration::from_mins(1);

#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The line is not connected: nothing was written.
    #[error("not connected: {0}")]
    NotConnected(String),
    #[error("no answer in time")]
    TimedOut,
    #[error(transparent)]
    Failed(RequestError),
}

impl CallError {
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Failed(RequestError::Rpc(error)) => Some(&error.name),
            _ => None,
        }
    }

    pub(crate) fn name_and_value(&self) -> Option<(&str, Option<u32>)> {
        match self {
            Self::Failed(RequestError::Rpc(error)) => Some((&error.name, error.value)),
            _ => None,
        }
    }

    /// How long Telegram asks to wait, if it does.
    pub(crate) fn flood(&self) -> Option<Duration> {
        match self {
            Self::Failed(RequestError::Rpc(error)) if error.code == 420 && !is_frozen(error) => {
                Some(wait_of(error))
            }
            _ => None,
        }
    }
}

/// What an error says about the line and its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ErrorEffect {
    /// Nothing: only the call is concerned.
    Nothing,
    /// The session or account is of no use until a person does something.
    Dead(Reason),
    /// Telegram lets the account do less.
    Restricted(Reason),
    /// The connection is gone.
    Lost,
    /// The connection is there, and Telegram has forgotten how it was opened: only a new one helps.
    Forgotten,
    /// The connection may be gone: ask it something.
    Doubtful,
}

pub(crate) fn effect(error: &CallError) -> ErrorEffect {
    let error = match error {
        CallError::NotConnected(_) => return ErrorEffect::Nothing,
        CallError::TimedOut => return ErrorEffect::Doubtful,
        CallError::Failed(error) => error,
    };
    match error {
        RequestError::Rpc(error) => effect_of_rpc(error),
        RequestError::KeyUnknown => ErrorEffect::Dead(Reason::KeyUnknown),
        // Anyone who closed it may have made another one since.
        RequestError::Lost { loss: Loss::Closed, .. }
        | RequestError::Unreadable(_)
        | RequestError::Unpackable
        | RequestError::NotTaken(_) => ErrorEffect::Doubtful,
        RequestError::Lost { .. } | RequestError::Unreachable(_) => ErrorEffect::Lost,
        RequestError::Unsendable(_) => ErrorEffect::Nothing,
    }
}

fn effect_of_rpc(error: &RpcError) -> ErrorEffect {
    if let Some(reason) = dead(error) {
        ErrorEffect::Dead(reason)
    } else if is_frozen(error) {
        ErrorEffect::Restricted(Reason::Frozen)
    } else if error.name == "PEER_FLOOD" {
        ErrorEffect::Restricted(Reason::PeerFlood)
    } else if matches!(error.name.as_str(), "CONNECTION_NOT_INITED" | "CONNECTION_LAYER_INVALID") {
        ErrorEffect::Forgotten
    } else {
        ErrorEffect::Nothing
    }
}

/// Whether the error answers the opening of the connection and not the request that caused it.
fn is_of_the_connection(error: &RpcError) -> bool {
    matches!(
        error.caused_by,
        Some(InvokeWithLayer::<Inner>::CONSTRUCTOR_ID | InitConnection::<Inner>::CONSTRUCTOR_ID)
    )
}

/// Any request: the constructor ids of the wrappers do not depend on it.
type Inner = grammers_tl_types::functions::help::GetConfig;

fn is_frozen(error: &RpcError) -> bool {
    error.name.starts_with("FROZEN")
}

/// The reason an account or session is of no use, if the error says so.
fn dead(error: &RpcError) -> Option<Reason> {
    match (error.code, error.name.as_str()) {
        (_, "AUTH_KEY_DUPLICATED") => Some(Reason::AuthKeyDuplicated),
        (_, "USER_DEACTIVATED_BAN") => Some(Reason::Banned),
        (401 | 403, "USER_DEACTIVATED") => Some(Reason::Deactivated),
        (401, "AUTH_KEY_INVALID" | "AUTH_KEY_PERM_EMPTY")
        | (303, "USER_MIGRATE" | "PHONE_MIGRATE" | "NETWORK_MIGRATE") => Some(Reason::KeyUnknown),
        // A step of signing in: the key is alive, and no one is signed in with it.
        (401, "SESSION_PASSWORD_NEEDED") => Some(Reason::NoSession),
        (401, _) => Some(Reason::SessionRevoked),
        _ => None,
    }
}

/// How long a code 420 asks to wait. A number that is missing, negative or broken counts as a minute.
fn wait_of(error: &RpcError) -> Duration {
    let readable =
        error.name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    match error.value {
        Some(seconds) if readable => Duration::from_secs(u64::from(seconds.max(1))),
        _ => UNREADABLE_WAIT,
    }
}

/// What became of a message, by the error its call ended with.
pub(crate) fn outcome(error: &CallError, now: Timestamp) -> Outcome {
    let error = match error {
        CallError::NotConnected(why) => return Outcome::Unavailable(why.clone()),
        CallError::TimedOut => return Outcome::Unknown("no answer in time".into()),
        CallError::Failed(error) => error,
    };
    match error {
        RequestError::Rpc(error) => outcome_rpc(error, now),
        // It comes from the opening of a connection: the message was not written.
        RequestError::KeyUnknown => Outcome::SessionLost(Reason::KeyUnknown),
        RequestError::Unreachable(_) | RequestError::Lost { written: false, .. } => {
            Outcome::Unavailable(error.to_string())
        }
        RequestError::Unsendable(_) => Outcome::Rejected { code: "REQUEST_TOO_LONG".into() },
        RequestError::Unreadable(_) | RequestError::Unpackable => {
            Outcome::Unknown(Unclear::Unreadable(error.to_string()))
        }
        RequestError::Lost { written: true, .. } | RequestError::NotTaken(_) => {
            Outcome::Unknown(Unclear::NoAnswer(error.to_string()))
        }
    }
}

fn outcome_rpc(error: &RpcError, now: Timestamp) -> Outcome {
    if let Some(reason) = dead(error) {
        return match reason {
            Reason::Banned | Reason::Deactivated => Outcome::Banned(reason),
            _ => Outcome::SessionLost(reason),
        };
    }
    if is_frozen(error) {
        return Outcome::Banned(Reason::Frozen);
    }
    if is_of_the_connection(error) {
        return Outcome::Unavailable(format!("the connection was refused: {} {}", error.code, error.name));
    }
    let name = error.name.as_str();
    match name {
        "RANDOM_ID_DUPLICATE" => return Outcome::InProgress,
        "PEER_FLOOD" => return Outcome::Restricted(Reason::PeerFlood),
        // About a call that this one had to wait for, with 400 or 500 (core.telegram.org/api/errors): it says nothing of this one.
        "MSG_WAIT_FAILED" | "MSG_WAIT_TIMEOUT" => {
            return Outcome::Unknown(Unclear::NoAnswer(format!("{} {name}", error.code)));
        }
        _ => {}
    }
    match error.code {
        420 if name.starts_with("SLOWMODE_WAIT") => {
            Outcome::Held { until: now.plus(wait_of(error)), scope: HoldScope::Chat }
        }
        420 => Outcome::held(now.plus(wait_of(error))),
        code @ 500.. => Outcome::Unknown(Unclear::ServerError(format!("{code} {name}"))),
        // Of Telegram's own inside, such as -503 Timeout: it may be done later.
        code @ ..0 => Outcome::Unknown(Unclear::NoAnswer(format!("{code} {name}"))),
        _ if is_not_found(name) => Outcome::NotFound(name.to_owned()),
        _ if is_about_membership(name) => Outcome::NotInChat(name.to_owned()),
        _ if is_forbidden(name) => Outcome::Forbidden(name.to_owned()),
        403 => Outcome::Forbidden(name.to_owned()),
        _ if is_about_the_program(name) => Outcome::Unavailable(name.to_owned()),
        _ => Outcome::Rejected { code: name.into() },
    }
}

fn is_not_found(name: &str) -> bool {
    matches!(
        name,
        "PEER_ID_INVALID"
            | "CHANNEL_INVALID"
            | "CHAT_ID_INVALID"
            | "CHAT_INVALID"
            | "USER_ID_INVALID"
            | "USERNAME_NOT_OCCUPIED"
            | "USERNAME_INVALID"
            | "INPUT_USER_DEACTIVATED"
    )
}

/// Whether the account is not in the chat, or no longer, whatever rights it would have.
pub(crate) fn is_about_membership(name: &str) -> bool {
    matches!(name, "CHANNEL_PRIVATE" | "CHAT_FORBIDDEN")
}

fn is_forbidden(name: &str) -> bool {
    matches!(
        name,
        "CHAT_WRITE_FORBIDDEN"
            | "CHAT_ADMIN_REQUIRED"
            | "CHAT_RESTRICTED"
            | "CHAT_GUEST_SEND_FORBIDDEN"
            | "USER_BANNED_IN_CHANNEL"
            | "USER_NOT_PARTICIPANT"
            | "USER_IS_BLOCKED"
            | "USER_PRIVACY_RESTRICTED"
            | "YOU_BLOCKED_USER"
            | "CHANNEL_PUBLIC_GROUP_NA"
            | "PRIVACY_PREMIUM_REQUIRED"
            | "TOPIC_CLOSED"
    ) || (name.starts_with("CHAT_SEND_") && name.ends_with("_FORBIDDEN"))
        || name.starts_with("ALLOW_PAYMENT_REQUIRED")
}

/// The settings or the connection are wrong, not the request.
pub(crate) fn is_about_the_program(name: &str) -> bool {
    matches!(
        name,
        "CONNECTION_NOT_INITED"
            | "CONNECTION_LAYER_INVALID"
            | "CONNECTION_API_ID_INVALID"
            | "INPUT_LAYER_INVALID"
            | "API_ID_INVALID"
            | "API_ID_PUBLISHED_FLOOD"
    )
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::types;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn rpc(code: i32, message: &str) -> CallError {
        let error = types::RpcError { error_code: code, error_message: message.to_owned() };
        CallError::Failed(RequestError::Rpc(RpcError::from(error).caused_by(&[1, 0, 0, 0])))
    }

    fn lost(loss: Loss, written: bool) -> CallError {
        CallError::Failed(RequestError::Lost { loss, written })
    }

    fn seconds(count: u64) -> Timestamp {
        NOW.plus(Duration::from_secs(count))
    }

    #[test]
    fn each_answer_has_its_outcome() {
        let forbidden = |name: &str| Outcome::Forbidden(name.to_owned());
        let not_found = |name: &str| Outcome::NotFound(name.to_owned());
        let table = [
            (420, "FLOOD_WAIT_31", Outcome::held(seconds(31))),
            (420, "FLOOD_PREMIUM_WAIT_7", Outcome::held(seconds(7))),
            (420, "FLOOD_WAIT_0", Outcome::held(seconds(1))),
            (420, "FLOOD_WAIT", Outcome::held(seconds(60))),
            (420, "FLOOD_WAIT_-5", Outcome::held(seconds(60))),
            (420, "FLOOD_WAIT_1.5", Outcome::held(seconds(60))),
            (420, "FLOOD_WAIT_99999999999", Outcome::held(seconds(60))),
            (420, "SLOWMODE_WAIT_9", Outcome::Held { until: seconds(9), scope: HoldScope::Chat }),
            (420, "FROZEN_METHOD_INVALID", Outcome::Banned(Reason::Frozen)),
            (400, "PEER_FLOOD", Outcome::Restricted(Reason::PeerFlood)),
            (401, "SESSION_REVOKED", Outcome::SessionLost(Reason::SessionRevoked)),
            (401, "SESSION_EXPIRED", Outcome::SessionLost(Reason::SessionRevoked)),
            (401, "AUTH_KEY_UNREGISTERED", Outcome::SessionLost(Reason::SessionRevoked)),
            (401, "AUTH_KEY_INVALID", Outcome::SessionLost(Reason::KeyUnknown)),
            (401, "SESSION_PASSWORD_NEEDED", Outcome::SessionLost(Reason::NoSession)),
            (401, "USER_DEACTIVATED", Outcome::Banned(Reason::Deactivated)),
            (401, "USER_DEACTIVATED_BAN", Outcome::Banned(Reason::Banned)),
            (406, "AUTH_KEY_DUPLICATED", Outcome::SessionLost(Reason::AuthKeyDuplicated)),
            (303, "USER_MIGRATE_4", Outcome::SessionLost(Reason::KeyUnknown)),
            (500, "RANDOM_ID_DUPLICATE", Outcome::InProgress),
            (400, "RANDOM_ID_DUPLICATE", Outcome::InProgress),
            (400, "MSG_WAIT_FAILED", Outcome::Unknown("400 MSG_WAIT_FAILED".into())),
            (400, "CHAT_ADMIN_REQUIRED", forbidden("CHAT_ADMIN_REQUIRED")),
            (400, "USER_BANNED_IN_CHANNEL", forbidden("USER_BANNED_IN_CHANNEL")),
            (400, "YOU_BLOCKED_USER", forbidden("YOU_BLOCKED_USER")),
            (400, "USER_IS_BLOCKED", forbidden("USER_IS_BLOCKED")),
            (406, "CHANNEL_PRIVATE", Outcome::NotInChat("CHANNEL_PRIVATE".to_owned())),
            (403, "CHAT_SEND_PLAIN_FORBIDDEN", forbidden("CHAT_SEND_PLAIN_FORBIDDEN")),
            (403, "CHAT_WRITE_FORBIDDEN", forbidden("CHAT_WRITE_FORBIDDEN")),
            (403, "SOMETHING_NEW", forbidden("SOMETHING_NEW")),
            (400, "PEER_ID_INVALID", not_found("PEER_ID_INVALID")),
            (400, "CHANNEL_INVALID", not_found("CHANNEL_INVALID")),
            (400, "CHAT_ID_INVALID", not_found("CHAT_ID_INVALID")),
            (400, "USERNAME_NOT_OCCUPIED", not_found("USERNAME_NOT_OCCUPIED")),
            (400, "INPUT_USER_DEACTIVATED", not_found("INPUT_USER_DEACTIVATED")),
            (400, "MESSAGE_TOO_LONG", Outcome::Rejected { code: "MESSAGE_TOO_LONG".into() }),
            (400, "ENTITY_BOUNDS_INVALID", Outcome::Rejected { code: "ENTITY_BOUNDS_INVALID".into() }),
            (406, "UPDATE_APP_TO_LOGIN", Outcome::Rejected { code: "UPDATE_APP_TO_LOGIN".into() }),
            (400, "CONNECTION_NOT_INITED", Outcome::Unavailable("CONNECTION_NOT_INITED".into())),
        ];
        for (code, message, expected) in table {
            assert_eq!(outcome(&rpc(code, message), NOW), expected, "{code} {message}");
        }
    }

    #[test]
    fn possible_effects_are_unknown() {
        let doubtful = [
            rpc(500, "INTERNAL"),
            rpc(502, "BAD_GATEWAY"),
            rpc(-503, "TIMEOUT"),
            rpc(-500, "SOMETHING"),
            CallError::TimedOut,
            lost(Loss::Broken("reset".to_owned()), true),
            lost(Loss::Closed, true),
            lost(Loss::Status(404), true),
            CallError::Failed(RequestError::NotTaken(64)),
            CallError::Failed(RequestError::Unpackable),
        ];
        for error in doubtful {
            assert!(matches!(outcome(&error, NOW), Outcome::Unknown(_)), "{error}");
        }
    }

    #[test]
    fn unwritten_requests_are_not_in_doubt() {
        let unsent = [
            CallError::NotConnected("connecting".into()),
            CallError::Failed(RequestError::Unreachable("refused".to_owned())),
            lost(Loss::Ended, false),
            lost(Loss::Closed, false),
        ];
        for error in unsent {
            assert!(matches!(outcome(&error, NOW), Outcome::Unavailable(_)), "{error}");
        }
        let refused = types::RpcError { error_code: 500, error_message: "INTERNAL".to_owned() };
        let opening =
            RpcError::from(refused).caused_by(&InvokeWithLayer::<Inner>::CONSTRUCTOR_ID.to_le_bytes());
        let opening = CallError::Failed(RequestError::Rpc(opening));
        assert!(matches!(outcome(&opening, NOW), Outcome::Unavailable(_)));
    }

    #[test]
    fn each_error_has_its_effect_on_the_line() {
        let table = [
            (rpc(401, "SESSION_REVOKED"), ErrorEffect::Dead(Reason::SessionRevoked)),
            (rpc(401, "USER_DEACTIVATED_BAN"), ErrorEffect::Dead(Reason::Banned)),
            (rpc(406, "AUTH_KEY_DUPLICATED"), ErrorEffect::Dead(Reason::AuthKeyDuplicated)),
            (rpc(406, "CHANNEL_PRIVATE"), ErrorEffect::Nothing),
            (rpc(303, "USER_MIGRATE_4"), ErrorEffect::Dead(Reason::KeyUnknown)),
            (rpc(420, "FROZEN_METHOD_INVALID"), ErrorEffect::Restricted(Reason::Frozen)),
            (rpc(400, "PEER_FLOOD"), ErrorEffect::Restricted(Reason::PeerFlood)),
            (rpc(400, "CONNECTION_NOT_INITED"), ErrorEffect::Forgotten),
            (rpc(420, "FLOOD_WAIT_3"), ErrorEffect::Nothing),
            (rpc(500, "INTERNAL"), ErrorEffect::Nothing),
            (CallError::TimedOut, ErrorEffect::Doubtful),
            (CallError::NotConnected(String::new()), ErrorEffect::Nothing),
            (CallError::Failed(RequestError::Unreachable("refused".to_owned())), ErrorEffect::Lost),
            (lost(Loss::Ended, true), ErrorEffect::Lost),
            (lost(Loss::Status(429), false), ErrorEffect::Lost),
            (lost(Loss::Closed, true), ErrorEffect::Doubtful),
            (CallError::Failed(RequestError::KeyUnknown), ErrorEffect::Dead(Reason::KeyUnknown)),
            (CallError::Failed(RequestError::NotTaken(64)), ErrorEffect::Doubtful),
        ];
        for (error, expected) in table {
            assert_eq!(effect(&error), expected, "{error}");
        }
    }

    #[test]
    fn a_frozen_account_is_no_flood() {
        assert_eq!(rpc(420, "FROZEN_METHOD_INVALID").flood(), None);
        assert_eq!(rpc(420, "FLOOD_WAIT_3").flood(), Some(Duration::from_secs(3)));
        assert_eq!(rpc(400, "FLOOD_WAIT_3").flood(), None);
    }
}
