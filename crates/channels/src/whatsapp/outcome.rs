//! What an answer of Wappi means: its status and, as a refusal may come with 200, its words. Pure.

use serde_json::Value;

use crate::error::{CallError, NO_NUMBER};
use crate::http::Answer;

/// As much is kept of what Wappi says about a refusal.
const LONGEST_DETAIL: usize = 200;
/// The words that an answer has for what was done.
const DONE: [&str; 7] = ["done", "ok", "success", "sent", "queued", "delivered", "processing"];

/// Reads an answer.
///
/// # Errors
/// It is a refusal, or cannot be read.
pub(super) fn read(answer: &Answer) -> Result<Value, CallError> {
    if !answer.is_success() {
        return Err(refusal(answer));
    }
    let reply: Value = answer.json()?;
    if !reply.is_object() {
        return Err(CallError::Unreadable(format!("{} with a body of another form", answer.status)));
    }
    match reply.get("status") {
        None => Ok(reply),
        Some(status) => match status.as_str().map(str::to_lowercase).as_deref() {
            Some("error" | "fail" | "failed") => Err(meaning("error", &detail(&reply))),
            Some(word) if DONE.contains(&word) => Ok(reply),
            _ => Err(CallError::Unreadable(format!("{} with a status that is not known", answer.status))),
        },
    }
}

fn refusal(answer: &Answer) -> CallError {
    let detail = detail(&serde_json::from_slice(&answer.body).unwrap_or_default());
    match answer.status {
        401 => CallError::Token(or(&detail, "status 401")),
        402 => CallError::Account("the profile is not paid for: pay for it in Wappi's cabinet".to_owned()),
        408 => CallError::Server("status 408".to_owned()),
        429 => CallError::wait(answer.retry_after.unwrap_or(NO_NUMBER)),
        status @ 400..=499 => meaning(&format!("http_{status}"), &detail),
        status @ 500..=599 => CallError::Server(format!("status {status}")),
        status => CallError::Unreadable(format!("status {status}")),
    }
}

/// What the words of a refusal mean.
fn meaning(code: &str, detail: &str) -> CallError {
    let lower = detail.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    // Such words do not say that nothing was done.
    if has(&["timeout", "timed out", "internal", "busy", "таймаут"]) {
        return CallError::Server(detail.to_owned());
    }
    if has(&["temporary ban"]) {
        return CallError::wait(super::BAN);
    }
    if has(&["authori", "авториз", "logged out", "scan"]) {
        return CallError::Token(format!("{detail}; scan the QR code in Wappi's cabinet"));
    }
    if has(&["profile", "профил"]) {
        return CallError::Account(detail.to_owned());
    }
    if has(&["recipient", "phone", "number", "whatsapp", "chat", "номер", "получател"]) {
        return CallError::NotFound(detail.to_owned());
    }
    CallError::refused(code, detail)
}

fn detail(reply: &Value) -> String {
    let words = ["detail", "error", "message"].iter().find_map(|name| match reply.get(name)? {
        Value::String(words) if !words.is_empty() => Some(words.clone()),
        other @ (Value::Object(_) | Value::Array(_)) => Some(other.to_string()),
        _ => None,
    });
    words.unwrap_or_default().chars().take(LONGEST_DETAIL).collect()
}

fn or(text: &str, other: &str) -> String {
    if text.is_empty() { other.to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_means_what_its_status_and_words_say() {
        let error = |words: &str| format!(r#"{{"status":"error","detail":"{words}"}}"#);
        let unread = |words: &str| CallError::Unreadable(words.to_owned());
        for (status, body, wanted) in [
            (401, error("unauthorized"), CallError::Token("unauthorized".to_owned())),
            (
                402,
                String::new(),
                CallError::Account("the profile is not paid for: pay for it in Wappi's cabinet".to_owned()),
            ),
            (404, error("profile not found"), CallError::Account("profile not found".to_owned())),
            (400, error("bad recipient"), CallError::NotFound("bad recipient".to_owned())),
            (400, error("b64_file is empty"), CallError::refused("http_400", "b64_file is empty")),
            (404, "<html>".to_owned(), CallError::refused("http_404", "")),
            (408, String::new(), CallError::Server("status 408".to_owned())),
            (429, String::new(), CallError::wait(NO_NUMBER)),
            (500, error("recipient"), CallError::Server("status 500".to_owned())),
            (302, String::new(), unread("status 302")),
            (200, error("not on WhatsApp"), CallError::NotFound("not on WhatsApp".to_owned())),
            (200, error("Timeout of the phone"), CallError::Server("Timeout of the phone".to_owned())),
            (200, error("temporary ban"), CallError::wait(super::super::BAN)),
            (200, error("file too large"), CallError::refused("error", "file too large")),
            (
                200,
                error("profile is not authorized"),
                CallError::Token("profile is not authorized; scan the QR code in Wappi's cabinet".to_owned()),
            ),
            (200, r#"{"status":"shrug"}"#.to_owned(), unread("200 with a status that is not known")),
            (200, r#"{"status":7}"#.to_owned(), unread("200 with a status that is not known")),
            (200, "[]".to_owned(), unread("200 with a body of another form")),
            (200, "<html>".to_owned(), unread("200 with a body of another form")),
        ] {
            let answer = Answer {
                status,
                body: body.clone().into(),
                content_type: None,
                retry_after: None,
                headers: outbound::header::HeaderMap::default(),
            };
            assert_eq!(read(&answer), Err(wanted), "{status} {body}");
        }
        for body in [r#"{"status":"done"}"#, r#"{"status":"Queued"}"#, "{}"] {
            let answer = Answer {
                status: 200,
                body: body.into(),
                content_type: None,
                retry_after: None,
                headers: outbound::header::HeaderMap::default(),
            };
            assert!(read(&answer).is_ok(), "{body}");
        }
    }
}
