//! How a call of the Bot API fails. No error has the token, nor the address, which has the token in it.

use std::time::Duration;

use serde::Deserialize;

/// The wait that is assumed when a flood has no number.
const FLOOD: Duration = Duration::from_secs(30);

/// Why a call failed. What was sent has certainly no effect after all but
/// [`BotError::NoAnswer`], [`BotError::Broken`] and [`BotError::Unclear`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BotError {
    /// 401, 404: nothing works with this token any more.
    #[error("the Bot API does not know the token; take a new one from @BotFather")]
    Token,
    /// 429.
    #[error("the Bot API wants no call for {} s", .0.as_secs())]
    Flood(Duration),
    /// 409: another program polls, or a webhook is set.
    #[error("the bot serves another program, or has a webhook: {0}")]
    Conflict(String),
    /// 403: the person has blocked the bot, or never wrote to it.
    #[error("the bot may not write there: {0}")]
    Forbidden(String),
    /// 400: the text and the buttons are what they were.
    #[error("the message is as it was")]
    NotModified,
    /// 400: a press was answered too late, or twice.
    #[error("the press is answered, or too old")]
    TooOld,
    /// Any other refusal.
    #[error("the Bot API refuses: {code} {description}")]
    Refused { code: i64, description: String },
    /// No connection.
    #[error("the Bot API cannot be reached: {0}")]
    Unreached(String),
    /// It may have been done.
    #[error("no answer from the Bot API within {} s", .0.as_secs())]
    NoAnswer(Duration),
    /// It may have been done.
    #[error("the connection to the Bot API broke: {0}")]
    Broken(String),
    /// It may have been done.
    #[error("the Bot API answered something that cannot be read ({0})")]
    Unclear(u16),
    /// No client for HTTP.
    #[error("calls cannot be made; install the system's certificates (ca-certificates)")]
    NoClient,
}

/// An answer as the Bot API writes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) error_code: Option<i64>,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) parameters: Parameters,
}

/// What a program can go by.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    pub(crate) retry_after: Option<i64>,
    /// The id that a group has since it became a supergroup.
    pub(crate) migrate_to_chat_id: Option<i64>,
}

impl Refusal {
    /// The wait that is wanted, if a number of seconds is.
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.parameters.retry_after.and_then(|it| u64::try_from(it).ok()).map(Duration::from_secs)
    }
}

/// What a refusal means. Descriptions are for people and change: they are looked through for a few words, in small letters.
pub(super) fn refused(status: u16, refusal: Refusal) -> BotError {
    let code = refusal.error_code.unwrap_or(i64::from(status));
    let wait = refusal.wait().unwrap_or(FLOOD);
    let description = refusal.description;
    let has = |words: &str| description.to_lowercase().contains(words);
    match code {
        401 | 404 => BotError::Token,
        429 => BotError::Flood(wait),
        409 => BotError::Conflict(description),
        403 => BotError::Forbidden(description),
        400 if has("message is not modified") => BotError::NotModified,
        400 if has("query is too old") || has("query_id_invalid") => BotError::TooOld,
        500.. => BotError::Unclear(status),
        _ => BotError::Refused { code, description },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_read_by_their_code_and_few_words() {
        let read = |body: serde_json::Value| refused(400, serde_json::from_value(body).unwrap());
        let refusal = |code: i64, description: &str| {
            read(serde_json::json!({"error_code": code, "description": description}))
        };
        assert_eq!(refusal(401, "Unauthorized"), BotError::Token);
        assert_eq!(refusal(404, "Not Found"), BotError::Token);
        assert_eq!(refusal(400, "Bad Request: message is not modified: x"), BotError::NotModified);
        assert_eq!(refusal(400, "Bad Request: query is too old and so on"), BotError::TooOld);
        assert_eq!(refusal(403, "blocked"), BotError::Forbidden("blocked".to_owned()));
        assert_eq!(refusal(429, "Too Many Requests"), BotError::Flood(FLOOD));
        assert_eq!(refusal(502, "Bad Gateway"), BotError::Unclear(400));
        assert_eq!(refusal(400, "x"), BotError::Refused { code: 400, description: "x".to_owned() });
        // A wait may be longer than two bytes hold.
        let long = serde_json::json!({"error_code": 429, "parameters": {"retry_after": 90_000}});
        assert_eq!(read(long), BotError::Flood(Duration::from_hours(25)));
        let odd = serde_json::json!({"error_code": 429, "parameters": {"retry_after": -1}});
        assert_eq!(read(odd), BotError::Flood(FLOOD));
    }
}
