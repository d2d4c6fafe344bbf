//! What answers mean. Errors differ by `code` and `error_subcode`; the status of HTTP varies.

use std::time::Duration;

use serde_json::Value;

use crate::error::CallError;
use crate::http::Answer;

use super::client::word;

/// The wait where there were too many calls and no time is given.
const TOO_MANY: Duration = Duration::from_mins(4);
/// The longest wait that is believed.
const LONGEST: Duration = Duration::from_hours(24);
/// The most that is shown of the words of an error.
const LONGEST_DETAIL: usize = 200;

/// How the refusal begins that comes once anything may no longer be sent.
const WINDOW_OVER: &str = "the 24 hours after the customer's last message are over";

/// Whether a refusal says that anything may no longer be sent.
pub(super) fn is_window_over(error: &CallError) -> bool {
    matches!(error, CallError::Forbidden(why) if why.starts_with(WINDOW_OVER))
}

/// A refusal of a message that is marked as written by a person. What the app lacks for that is no fault of the account.
pub(super) fn of_human_agent(error: CallError) -> CallError {
    match error {
        CallError::Forbidden(_) if is_window_over(&error) => CallError::Forbidden(
            "the 7 days in which a person may answer the customer's last message are over: wait until the customer writes again"
                .to_owned(),
        ),
        CallError::Account(why) => CallError::Forbidden(format!(
            "{WINDOW_OVER}, and the app is not approved for \"Human Agent\", with which a person may answer for 7 days ({why})"
        )),
        error => error,
    }
}

/// Reads an answer. `jitter` makes a wait a little shorter, differently each time.
pub(super) fn read(answer: &Answer, jitter: impl Fn(Duration) -> Duration) -> Result<Value, CallError> {
    let reply: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let error = reply.as_ref().map(|reply| &reply["error"]).filter(|error| error.is_object());
    match error {
        Some(error) => Err(of_error(answer.status, error, wait(answer, jitter))),
        None if answer.status == 429 => Err(CallError::wait(wait(answer, jitter))),
        None if answer.status >= 500 => Err(CallError::Server(answer.status.to_string())),
        None => match reply.filter(|reply| reply.is_object() && answer.is_success()) {
            Some(reply) => Ok(reply),
            None => Err(CallError::Unreadable(format!("{} with a body of another form", answer.status))),
        },
    }
}

fn wait(answer: &Answer, jitter: impl Fn(Duration) -> Duration) -> Duration {
    let usage = answer.headers.get("x-business-use-case-usage").and_then(|usage| usage.to_str().ok());
    usage
        .and_then(minutes_to_regain)
        .map(|minutes| Duration::from_secs(minutes.saturating_mul(60)))
        .or(answer.retry_after)
        .unwrap_or_else(|| jitter(TOO_MANY))
        .min(LONGEST)
}

/// The largest `estimated_time_to_regain_access` of the header, which is in minutes.
fn minutes_to_regain(usage: &str) -> Option<u64> {
    let usage: Value = serde_json::from_str(usage).ok()?;
    let all = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    all.filter_map(|entry| entry["estimated_time_to_regain_access"].as_u64()).max().filter(|it| *it > 0)
}

fn of_error(status: u16, error: &Value, wait: Duration) -> CallError {
    let code = error["code"].as_i64().unwrap_or_default();
    let subcode = error["error_subcode"].as_i64().unwrap_or_default();
    let name = if subcode == 0 { code.to_string() } else { format!("{code}/{subcode}") };
    let message = word(error, "message").unwrap_or_default();
    let message: String = message.chars().take(LONGEST_DETAIL).collect();
    let trace = word(error, "fbtrace_id").map(|id| format!(" (trace {id})")).unwrap_or_default();
    let detail = format!("{name} {message}{trace}");
    match (code, subcode) {
        (_, 2_534_022 | 2_018_278) => CallError::Forbidden(format!(
            "{WINDOW_OVER}: only a person may answer, for 7 days (\"written_by\": \"person\"); else wait until the customer \
             writes again ({detail})"
        )),
        (_, 2_534_014) => CallError::NotFound(detail),
        (_, 2_534_001) | (551, _) => CallError::Forbidden(detail),
        (190, _) => CallError::Token(format!("{}{detail}", token_words(subcode))),
        (368 | 10 | 200 | 3, _) => CallError::Account(detail),
        (4 | 17 | 32 | 613 | 80_002, _) => CallError::wait(wait),
        (1 | 2 | 1_200, _) => CallError::Server(detail),
        _ if error["is_transient"].as_bool() == Some(true) => CallError::Server(detail),
        (0, _) if status == 429 => CallError::wait(wait),
        (0, _) if status < 500 => CallError::Unreadable(detail),
        (0, _) => CallError::Server(detail),
        _ if status >= 500 && code != 100 => CallError::Server(detail),
        _ => CallError::refused(name, format!("{message}{trace}")),
    }
}

fn token_words(subcode: i64) -> &'static str {
    match subcode {
        458 => "the app was removed from the account: ",
        459 | 464 => "Instagram wants the owner to sign in once: ",
        460 => "the password was changed: ",
        463 => "the token has ended: ",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer {
        let body = body.to_string().into_bytes();
        let headers = outbound::header::HeaderMap::new();
        Answer { status, body, content_type: None, retry_after: None, headers }
    }

    fn error(status: u16, code: i64, subcode: i64) -> CallError {
        let error = json!({"message": "no", "code": code, "error_subcode": subcode, "fbtrace_id": "A1"});
        read(&answer(status, &json!({"error": error})), |wait| wait).unwrap_err()
    }

    #[test]
    fn each_error_has_its_meaning() {
        for (code, subcode, wanted) in [
            (190, 463, "token"),
            (190, 460, "token"),
            (10, 2_534_022, "forbidden"),
            (100, 2_534_022, "forbidden"),
            (10, 2_018_278, "forbidden"),
            (10, 0, "account"),
            (200, 0, "account"),
            (3, 0, "account"),
            (100, 2_534_014, "not_found"),
            (100, 33, "refused"),
            (100, 0, "refused"),
            (230, 0, "refused"),
            (551, 1_545_041, "forbidden"),
            (4, 0, "wait"),
            (17, 0, "wait"),
            (32, 0, "wait"),
            (613, 0, "wait"),
            (80_002, 0, "wait"),
            (1, 0, "server"),
            (2, 1_545_133, "server"),
            (1_200, 0, "server"),
            (368, 0, "account"),
            (100, 2_534_001, "forbidden"),
            (10_903, 2_534_025, "refused"),
        ] {
            for status in [400, 403] {
                let error = error(status, code, subcode);
                let meaning = match &error {
                    CallError::Token(_) => "token",
                    CallError::Account(_) => "account",
                    CallError::Wait { .. } => "wait",
                    CallError::NotFound(_) => "not_found",
                    CallError::Forbidden(_) => "forbidden",
                    CallError::Refused { .. } => "refused",
                    CallError::Server(_) => "server",
                    _ => "another",
                };
                assert_eq!(meaning, wanted, "{code}/{subcode}: {error}");
            }
        }
        assert!(error(400, 190, 463).to_string().contains("trace A1"));
    }

    #[test]
    fn a_missing_app_approval_stops_no_account() {
        assert!(is_window_over(&error(403, 10, 2_534_022)));
        assert!(!is_window_over(&error(400, 551, 1_545_041)));
        for (refused, wanted) in [
            (error(403, 10, 2_534_022), "the 7 days in which"),
            (error(403, 10, 0), "not approved for \"Human Agent\""),
        ] {
            let error = of_human_agent(refused);
            assert!(matches!(&error, CallError::Forbidden(why) if why.contains(wanted)), "{error}");
        }
        assert!(matches!(of_human_agent(error(400, 190, 463)), CallError::Token(_)));
    }

    #[test]
    fn unclear_answers_prove_nothing() {
        let transient = json!({"error": {"code": 9_999, "is_transient": true}});
        for (status, body) in [
            (200, json!([])),
            (200, json!("fine")),
            (404, json!({})),
            (500, json!({})),
            (500, json!({"error": {"code": 9_999}})),
            (400, json!({"error": {}})),
            (400, transient),
        ] {
            let error = read(&answer(status, &body), |wait| wait).unwrap_err();
            assert!(!error.proves_nothing_done(), "{status} {body}: {error}");
        }
    }

    #[test]
    fn a_wait_is_as_long_as_the_header_says() {
        let mut limited = answer(400, &json!({"error": {"code": 613}}));
        let usage = r#"{"1":[{"estimated_time_to_regain_access":0},{"estimated_time_to_regain_access":7}]}"#;
        limited.headers.insert("x-business-use-case-usage", usage.parse().unwrap());
        assert_eq!(read(&limited, |wait| wait).unwrap_err(), CallError::wait(Duration::from_mins(7)));
        limited.headers.clear();
        assert_eq!(read(&limited, |wait| wait / 2).unwrap_err(), CallError::wait(TOO_MANY / 2));
    }
}
