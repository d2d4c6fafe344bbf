//! What VK's answers mean. Errors come with 200 as well.

use std::time::Duration;

use domain::outcome::HoldScope;
use serde_json::Value;

use crate::error::{CallError, NO_NUMBER};
use crate::http::Answer;

/// How long a chat is left alone after too many of the same.
const FLOOD: Duration = Duration::from_mins(5);
/// How long a method is left alone once its quota is used up.
const QUOTA: Duration = Duration::from_hours(1);

/// The response in an answer.
pub(super) fn read(answer: &Answer) -> Result<Value, CallError> {
    match answer.status {
        200..300 => {}
        429 => return Err(CallError::wait(answer.retry_after.unwrap_or(NO_NUMBER))),
        413 => return Err(CallError::refused("413", "it is too large")),
        status @ 500.. => return Err(CallError::Server(status.to_string())),
        status => return Err(CallError::Unreadable(status.to_string())),
    }
    let mut reply: Value = answer.json()?;
    let error = &reply["error"];
    if let Some(code) = error["error_code"].as_i64() {
        return Err(refusal(code, error["error_msg"].as_str().unwrap_or_default()));
    }
    match reply.get_mut("response").map(Value::take) {
        Some(response) => Ok(response),
        None => Err(CallError::Unreadable("neither a response nor an error in it".to_owned())),
    }
}

/// The meaning of an error of VK.
pub(super) fn refusal(code: i64, message: &str) -> CallError {
    let detail = || format!("{code} {}", message.chars().take(200).collect::<String>());
    match code {
        1 | 10 => CallError::Server(detail()),
        5 | 27 | 28 => CallError::Token(detail()),
        6 => CallError::wait(Duration::from_secs(1)),
        9 => CallError::Wait { wait: FLOOD, scope: HoldScope::Chat },
        29 => CallError::wait(QUOTA),
        // A captcha, a confirmation, a right that is missing: its owner does something.
        7 | 14 | 15 | 17 | 24 => CallError::Account(detail()),
        22 | 105 | 118 | 121 | 129 => CallError::Unprepared(detail()),
        18 | 30 | 900..=902 | 917 | 925 | 943..=946 | 950 | 984 | 985 | 1021 => {
            CallError::Forbidden(detail())
        }
        936 => CallError::NotFound(detail()),
        _ => CallError::refused(code.to_string(), message.chars().take(200).collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let headers = outbound::header::HeaderMap::new();
        Answer { status, body: body.as_bytes().to_vec(), content_type: None, retry_after: None, headers }
    }

    #[test]
    fn each_code_has_its_meaning() {
        let is = |code: i64, wanted: fn(&CallError) -> bool| {
            let body = format!(r#"{{"error":{{"error_code":{code},"error_msg":"no"}}}}"#);
            let error = read(&answer(200, &body)).unwrap_err();
            assert!(wanted(&error), "{code} {error:?}");
        };
        for code in [1, 10] {
            is(code, |error| matches!(error, CallError::Server(_)));
        }
        for code in [5, 27, 28] {
            is(code, |error| matches!(error, CallError::Token(_)));
        }
        is(6, |error| *error == CallError::wait(Duration::from_secs(1)));
        is(9, |error| matches!(error, CallError::Wait { scope: HoldScope::Chat, .. }));
        is(29, |error| *error == CallError::wait(QUOTA));
        for code in [7, 14, 15, 17, 24] {
            is(code, |error| matches!(error, CallError::Account(_)));
        }
        for code in [3, 8, 100, 113, 909, 911, 912, 913, 914, 12_345] {
            is(code, |error| matches!(error, CallError::Refused { .. }));
        }
        for code in [22, 105, 118, 121, 129] {
            is(code, |error| matches!(error, CallError::Unprepared(_)));
        }
        for code in [18, 30, 900, 901, 902, 917, 925, 943, 944, 945, 946, 950, 984, 985, 1021] {
            is(code, |error| matches!(error, CallError::Forbidden(_)));
        }
        is(936, |error| matches!(error, CallError::NotFound(_)));
    }

    #[test]
    fn a_reply_that_is_not_of_the_api_is_unclear() {
        for (status, body) in [(200, "<html>"), (200, "{}"), (200, ""), (500, ""), (502, "<html>"), (404, "")]
        {
            let error = read(&answer(status, body)).unwrap_err();
            assert!(!error.proves_nothing_done(), "{status} {body} {error:?}");
        }
        assert_eq!(read(&answer(200, r#"{"response":1}"#)), Ok(Value::from(1)));
        assert_eq!(read(&answer(429, "")), Err(CallError::wait(NO_NUMBER)));
    }
}
