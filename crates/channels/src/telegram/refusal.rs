//! How a call of the Bot API fails, and what that says about a message.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{CallError, NO_NUMBER};
use crate::http::Answer;
use crate::telegram_bot::error::Refusal;

/// Why a call failed. All but [`Failure::Call`] say what to do instead, and that nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The group is a supergroup by now, with this id.
    Moved(i64),
    /// The formatting is not taken.
    Formatting(String),
    /// A message with media has a caption and no text.
    NoText(String),
    /// The message is as it is wanted already.
    NotModified,
    /// There is no such method for this token, or no such token.
    Missing(String),
    /// The rest.
    Call(CallError),
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Moved(_) => refused("CHAT_MOVED", "the group has become a supergroup"),
            Failure::Formatting(why) => refused("ENTITIES_INVALID", &why),
            Failure::NoText(why) => refused("NO_TEXT", &why),
            Failure::NotModified => refused("NOT_MODIFIED", ""),
            Failure::Missing(why) => Self::Token(why),
            Failure::Call(error) => error,
        }
    }
}

#[derive(Deserialize)]
struct Done<T> {
    ok: bool,
    result: Option<T>,
}

/// What an answer says.
///
/// # Errors
/// It is a refusal, or cannot be read.
pub(super) fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    if let Ok(Done { ok: true, result: Some(result) }) = serde_json::from_slice(&answer.body)
        && answer.is_success()
    {
        return Ok(result);
    }
    let status = answer.status;
    let refusal = serde_json::from_slice::<Refusal>(&answer.body).ok().filter(|it| it.error_code.is_some());
    Err(match refusal {
        _ if status >= 500 => CallError::Server(format!("{status}")).into(),
        Some(refusal) if !answer.is_success() => judge(refusal),
        _ if status == 429 => CallError::wait(answer.retry_after.unwrap_or(NO_NUMBER)).into(),
        // A server before Telegram's own refuses a body by its length.
        _ if status == 413 => refused("FILE_TOO_BIG", "the file is larger than the Bot API takes").into(),
        _ => CallError::Unreadable(format!("{status} with a body of another form")).into(),
    })
}

/// What a refusal means. Descriptions are for people and change: they are looked through for a few words, in small letters.
fn judge(refusal: Refusal) -> Failure {
    let (code, wait) = (refusal.error_code.unwrap_or_default(), refusal.wait().unwrap_or(NO_NUMBER));
    if let Some(moved) = refusal.parameters.migrate_to_chat_id {
        return Failure::Moved(moved);
    }
    let why = refusal.description;
    let lower = why.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    match code {
        401 => CallError::Token(why).into(),
        404 => Failure::Missing(why),
        409 => CallError::Conflict(why).into(),
        429 => CallError::wait(wait).into(),
        413 => refused("FILE_TOO_BIG", &why).into(),
        500.. => CallError::Server(format!("{code}")).into(),
        403 => CallError::Forbidden(why).into(),
        _ if has(&["message is not modified"]) => Failure::NotModified,
        _ if has(&["can't parse", "entities"]) => Failure::Formatting(why),
        _ if has(&["there is no text in the message"]) => Failure::NoText(why),
        _ if has(&["chat not found", "peer_id_invalid", "user not found", "chat_id is empty"]) => {
            CallError::NotFound(why).into()
        }
        _ if has(&FORBIDDEN) => CallError::Forbidden(why).into(),
        _ if has(&["too long"]) => refused("MESSAGE_TOO_LONG", &why).into(),
        _ if has(&["too big", "too large"]) => refused("FILE_TOO_BIG", &why).into(),
        _ => refused(&code.to_string(), &why).into(),
    }
}

/// Words of a 400 that says that the chat does not take it from this bot.
const FORBIDDEN: [&str; 8] = [
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "chat_write_forbidden",
    "chat_restricted",
    "voice_messages_forbidden",
    "business connection not found",
    "business_",
];

fn refused(code: &str, why: &str) -> CallError {
    CallError::refused(code, why.trim_start_matches("Bad Request: "))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, body: &str) -> Failure {
        let body = body.as_bytes().to_vec();
        read::<Value>(&Answer {
            status,
            body,
            content_type: None,
            retry_after: None,
            headers: outbound::header::HeaderMap::default(),
        })
        .unwrap_err()
    }

    fn refusal(code: u16, description: &str) -> Failure {
        answer(code, &json!({"ok": false, "error_code": code, "description": description}).to_string())
    }

    #[test]
    fn each_refusal_says_what_to_do() {
        let call = |code: u16, description: &str| match refusal(code, description) {
            Failure::Call(error) => error,
            other => panic!("{other:?}"),
        };
        let named = |code: u16, description: &str| match call(code, description) {
            CallError::Refused { code, .. } => code,
            other => panic!("{other:?}"),
        };
        for (code, description) in [(401, "Unauthorized"), (404, "Not Found")] {
            let error = CallError::from(refusal(code, description));
            assert!(matches!(error, CallError::Token(_)), "{code}");
        }
        for description in [
            "Forbidden: bot was blocked by the user",
            "Forbidden: user is deactivated",
            "Forbidden: bot can't initiate conversation with a user",
            "Forbidden: bot was kicked from the group chat",
        ] {
            assert!(matches!(call(403, description), CallError::Forbidden(_)), "{description}");
        }
        for description in ["not enough rights to send text messages", "VOICE_MESSAGES_FORBIDDEN"] {
            let error = call(400, &format!("Bad Request: {description}"));
            assert!(matches!(error, CallError::Forbidden(_)), "{description}");
        }
        for description in ["Bad Request: chat not found", "Bad Request: PEER_ID_INVALID"] {
            assert!(matches!(call(400, description), CallError::NotFound(_)), "{description}");
        }
        assert_eq!(named(400, "Bad Request: message is too long"), "MESSAGE_TOO_LONG");
        assert_eq!(named(400, "Bad Request: message caption is too long"), "MESSAGE_TOO_LONG");
        assert_eq!(named(400, "Bad Request: file is too big"), "FILE_TOO_BIG");
        assert_eq!(named(413, "Request Entity Too Large"), "FILE_TOO_BIG");
        assert_eq!(named(400, "Bad Request: wrong file identifier specified"), "400");
        assert!(matches!(call(409, "Conflict: terminated"), CallError::Conflict(_)));
        assert!(matches!(refusal(400, "Bad Request: can't parse entities: x"), Failure::Formatting(_)));
        assert!(matches!(refusal(400, "there is no text in the message to edit"), Failure::NoText(_)));
        assert_eq!(refusal(400, "Bad Request: message is not modified: x"), Failure::NotModified);
        let moved = json!({"error_code": 400, "parameters": {"migrate_to_chat_id": -1_001_234_567_890_i64}});
        assert_eq!(answer(400, &moved.to_string()), Failure::Moved(-1_001_234_567_890));
        // A wait may be longer than two bytes hold, and have no number.
        let flood = json!({"error_code": 429, "parameters": {"retry_after": 90_000}});
        assert_eq!(answer(429, &flood.to_string()), CallError::wait(Duration::from_hours(25)).into());
        assert_eq!(call(429, "Too Many Requests"), CallError::wait(NO_NUMBER));
    }

    #[test]
    fn a_reply_that_proves_no_refusal_is_unclear() {
        let page = "<html>We will be back soon.</html>";
        let bodies = [
            (200, page),
            (200, r#"{"ok":true}"#),
            (200, r#"{"ok":false,"error_code":400,"description":"x"}"#),
            (302, ""),
            (400, page),
            (401, "{}"),
            (500, r#"{"ok":false,"error_code":500,"description":"Internal Server Error"}"#),
            (502, page),
            (502, r#"{"ok":true,"result":{"message_id":1}}"#),
        ];
        for (status, body) in bodies {
            let Failure::Call(error) = answer(status, body) else { panic!("{status} {body}") };
            assert!(!error.proves_nothing_done(), "{status} {body}: {error}");
        }
        assert!(matches!(answer(413, page), Failure::Call(CallError::Refused { .. })));
    }
}
