//! What Avito's answers mean.

use std::time::Duration;

use domain::outcome::HoldScope;
use serde_json::Value;

use crate::error::{CallError, NO_NUMBER};
use crate::http::Answer;

/// How long its firewall is left alone.
const FIREWALL: Duration = Duration::from_mins(5);

/// What a call is about: it says whose fault a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// The account as a whole.
    Account,
    /// One chat.
    Chat,
}

/// Whether the token may be the reason of a refusal.
pub(super) fn is_token_refused(answer: &Answer) -> bool {
    matches!(answer.status, 401 | 403) && !is_page(answer)
}

/// The answer, if it is a success.
pub(super) fn read(answer: Answer, about: About) -> Result<Answer, CallError> {
    if answer.is_success() {
        return Ok(answer);
    }
    let detail = detail(&answer.body);
    Err(match (answer.status, is_page(&answer), about) {
        (403 | 429, true, _) => CallError::wait(FIREWALL),
        (429, false, _) => {
            CallError::Wait { wait: answer.retry_after.unwrap_or(NO_NUMBER), scope: HoldScope::Account }
        }
        (401, false, _) => CallError::Token(detail),
        (402, _, _) => CallError::Account("the tariff has no messenger API".to_owned()),
        (403, false, About::Chat) => CallError::Forbidden(detail),
        (403, false, About::Account) => CallError::Account(detail),
        (404, false, _) => CallError::NotFound(detail),
        (status @ (400 | 405..=499), false, _) => CallError::refused(status.to_string(), detail),
        (status @ 500.., _, _) => CallError::Server(status.to_string()),
        (status, ..) => CallError::Unreadable(status.to_string()),
    })
}

/// The words of a refusal, shortened.
fn detail(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &value["error"];
    let words = error["message"].as_str().or_else(|| value["error_description"].as_str());
    let words = words.or_else(|| error.as_str()).or_else(|| value["message"].as_str());
    words.unwrap_or("no reason is given").chars().take(200).collect()
}

/// Whether it is a page for people, which the firewall shows.
fn is_page(answer: &Answer) -> bool {
    let kind = answer.content_type.as_deref().unwrap_or_default();
    kind.contains("html") || answer.body.trim_ascii_start().first() == Some(&b'<')
}

/// The token in an answer to `/token`, with how many seconds it lives. It refuses with 200 too.
pub(super) fn granted(answer: Answer) -> Result<(String, u64), CallError> {
    let words = detail(&answer.body);
    if matches!(answer.status, 400 | 401 | 403) && !is_page(&answer) {
        return Err(CallError::Token(words));
    }
    let value: Value = read(answer, About::Account)?.json()?;
    match value["access_token"].as_str() {
        Some(token) if !token.is_empty() => {
            Ok((token.to_owned(), value["expires_in"].as_u64().unwrap_or(86_400)))
        }
        _ if value["error"].is_null() => Err(CallError::Unreadable("no token in it".to_owned())),
        _ => Err(CallError::Token(words)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let content_type = Some("application/json".to_owned());
        let headers = outbound::header::HeaderMap::new();
        Answer { status, body: body.as_bytes().to_vec(), content_type, retry_after: None, headers }
    }

    #[test]
    fn each_status_has_its_meaning() {
        let error = |status, body: &str, about| read(answer(status, body), about).unwrap_err();
        let no = r#"{"error":{"code":1,"message":"no"}}"#;
        let words = || "no".to_owned();
        for (status, about, wanted) in [
            (400, About::Chat, CallError::refused("400", "no")),
            (413, About::Chat, CallError::refused("413", "no")),
            (401, About::Chat, CallError::Token(words())),
            (403, About::Chat, CallError::Forbidden(words())),
            (403, About::Account, CallError::Account(words())),
            (402, About::Chat, CallError::Account("the tariff has no messenger API".to_owned())),
            (404, About::Chat, CallError::NotFound(words())),
            (429, About::Chat, CallError::wait(NO_NUMBER)),
            (500, About::Chat, CallError::Server("500".to_owned())),
            (503, About::Chat, CallError::Server("503".to_owned())),
            (302, About::Chat, CallError::Unreadable("302".to_owned())),
        ] {
            assert_eq!(error(status, no, about), wanted, "{status}");
        }
        for status in [403, 429] {
            assert_eq!(error(status, "<html>", About::Chat), CallError::wait(FIREWALL), "{status}");
        }
        assert!(!error(404, "<html>", About::Chat).proves_nothing_done());
        let late = Answer { retry_after: Some(Duration::from_secs(7)), ..answer(429, no) };
        assert_eq!(read(late, About::Chat).unwrap_err(), CallError::wait(Duration::from_secs(7)));
    }

    #[test]
    fn a_token_is_refused_with_200_too() {
        assert_eq!(granted(answer(200, r#"{"access_token":"a","expires_in":9}"#)), Ok(("a".to_owned(), 9)));
        let refused = r#"{"error":"invalid_client","error_description":"wrong"}"#;
        assert_eq!(granted(answer(200, refused)), Err(CallError::Token("wrong".to_owned())));
        assert_eq!(granted(answer(401, refused)), Err(CallError::Token("wrong".to_owned())));
        assert!(matches!(granted(answer(200, "{}")), Err(CallError::Unreadable(_))));
        assert!(matches!(granted(answer(200, "<html>")), Err(CallError::Unreadable(_))));
        assert!(matches!(granted(answer(500, "")), Err(CallError::Server(_))));
    }
}
