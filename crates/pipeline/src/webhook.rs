//! Another program that answers: what it is posted, and how its answer is read.

use std::time::Duration;

use ambient::Clock;
use channels::CallError;
use channels::http::{Http, NoClient, Route};
use config::PipelineWebhookSettings;
use domain::secret::ExposeSecret;
use domain::{SpokenText, TurnId, Unspoken, spoken};
use events::SigningKey;
use serde::Deserialize;
use serde_json::Value;
use store::{ClientFields, TurnAnswer};

/// The greatest answer that is read.
const LARGEST: u64 = 1024 * 1024;
/// How long one post waits for its answer.
const AT_ONCE: Duration = Duration::from_mins(1);

/// What a program says to a batch. Empty fields are taken as absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WebhookReply {
    /// What is sent to the client; `message_text` and `answer` are read as well.
    #[serde(alias = "message_text", alias = "answer", alias = "output", deserialize_with = "lenient")]
    pub text: Option<String>,
    /// Anything but `false` and nothing: a person is to answer.
    #[serde(alias = "handover", alias = "handOver", alias = "hand-over", deserialize_with = "flag")]
    pub hand_over: Option<String>,
    /// Anything but `false` and nothing: the appeal is over.
    #[serde(deserialize_with = "flag")]
    pub close: Option<String>,
    /// Why.
    #[serde(deserialize_with = "lenient")]
    pub reason: Option<String>,
    /// Why the model behind the program stopped, where the program passes it on.
    #[serde(alias = "stop_reason", alias = "done_reason", deserialize_with = "lenient")]
    pub finish_reason: Option<String>,
    #[serde(alias = "client_name", deserialize_with = "lenient")]
    pub name: Option<String>,
    #[serde(alias = "client_phone", deserialize_with = "lenient")]
    pub phone: Option<String>,
    #[serde(alias = "client_email", deserialize_with = "lenient")]
    pub email: Option<String>,
}

/// Texts, numbers and booleans as text; nothing where it is empty, null or `false`.
fn lenient<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if text.trim().is_empty() || text == "false" => None,
        Value::String(text) => Some(text),
        Value::Bool(true) => Some("true".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The same, where a list or an object that has something in it is a yes.
fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => (!items.is_empty()).then(|| "true".to_owned()),
        Value::Object(fields) => (!fields.is_empty()).then(|| "true".to_owned()),
        other => lenient(other).unwrap_or_default(),
    })
}

impl WebhookReply {
    /// What it comes to; nothing where the answer comes later. The text may be the words of a model, so it passes the same gate.
    pub fn answer(&self, needs_approval: bool) -> Option<TurnAnswer> {
        let why = || self.reason.clone();
        let closes = self.close.is_some();
        match (self.spoken(), &self.hand_over) {
            (proposed, Some(_)) => Some(TurnAnswer::HandOver {
                why: why().unwrap_or_else(|| "asked".to_owned()),
                proposed: proposed.and_then(Result::ok),
            }),
            (Some(Ok(text)), None) => Some(TurnAnswer::Text { text, needs_approval, why: why(), closes }),
            (Some(Err(why)), None) => {
                Some(TurnAnswer::HandOver { why: why.word().to_owned(), proposed: None })
            }
            (None, None) if closes => {
                Some(TurnAnswer::Close { why: why().unwrap_or_else(|| "asked".to_owned()) })
            }
            (None, None) => None,
        }
    }

    fn spoken(&self) -> Option<Result<SpokenText, Unspoken>> {
        let text = self.text.as_ref()?;
        let finished = self.finish_reason.as_deref().map_or(Ok(()), |reason| spoken::finished(Some(reason)));
        Some(finished.and_then(|()| SpokenText::read(text)))
    }

    /// What it found out about the client.
    pub fn fields(&self) -> ClientFields {
        ClientFields { name: self.name.clone(), phone: self.phone.clone(), email: self.email.clone() }
    }
}

/// Reads the body of an answer: an object, or a list with one, as n8n answers. `None` where it is neither.
pub fn read(body: &[u8]) -> Option<WebhookReply> {
    let body = body.trim_ascii();
    if body.is_empty() {
        return Some(WebhookReply::default());
    }
    let value: Value = serde_json::from_slice(body).ok()?;
    let value = match value {
        Value::Array(items) => items.into_iter().next().unwrap_or(Value::Object(serde_json::Map::new())),
        other => other,
    };
    if value.is_object() { serde_json::from_value(value).ok() } else { None }
}

/// Why a webhook cannot be posted to.
#[derive(Debug, thiserror::Error)]
pub enum WrongWebhook {
    #[error(transparent)]
    NoClient(#[from] NoClient),
    #[error("`pipeline.webhook.secret`: the key after whsec_ is no base64")]
    Secret,
}

/// The program that answers.
pub(crate) struct Webhook {
    http: Http,
    url: String,
    key: Option<SigningKey>,
    pub(crate) within: Duration,
}

impl Webhook {
    /// # Errors
    /// The settings cannot be used.
    pub(crate) fn new(settings: &PipelineWebhookSettings, clock: Clock) -> Result<Self, WrongWebhook> {
        let http = Http::new(clock, &settings.url, &Route::default())?;
        let key = settings.secret.as_ref().map(|secret| SigningKey::of(secret.expose_secret()));
        let key = key.transpose().map_err(|_| WrongWebhook::Secret)?;
        Ok(Self { http, url: settings.url.clone(), key, within: settings.answer_within })
    }

    /// Posts a batch.
    ///
    /// # Errors
    /// There is no answer, or it is none that can be read.
    pub(crate) async fn ask(&self, turn: TurnId, body: &Value) -> Result<WebhookReply, CallError> {
        let (id, body) = (turn.to_string(), body.to_string());
        let at = self.http.clock().now().as_seconds();
        let mut request = self
            .http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", at.to_string());
        if let Some(key) = &self.key {
            request = request.header("webhook-signature", key.sign(&id, at, &body));
        }
        let answer = self.http.call_within(request.body(body), AT_ONCE.min(self.within), LARGEST).await?;
        if !answer.is_success() {
            return Err(CallError::Unreadable(format!("status {}", answer.status)));
        }
        // "Accepted" and "no content" say that the answer comes later, whatever their body is.
        if matches!(answer.status, 202 | 204) {
            return Ok(WebhookReply::default());
        }
        read(&answer.body).ok_or_else(|| CallError::Unreadable("no JSON object".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer_of(body: &str) -> Option<TurnAnswer> {
        read(body.as_bytes()).unwrap().answer(false)
    }

    #[test]
    fn an_answer_is_read_as_programs_write_it() {
        let text = |text: &str, closes| {
            let text = SpokenText::read(text).unwrap();
            Some(TurnAnswer::Text { text, needs_approval: false, why: None, closes })
        };
        assert_eq!(answer_of(r#"{"text":"Yes"}"#), text("Yes", false));
        assert_eq!(answer_of(r#"[{"output":"Yes","hand_over":"","close":"false"}]"#), text("Yes", false));
        assert_eq!(answer_of(r#"{"message_text":"Bye","close":true}"#), text("Bye", true));
        assert_eq!(answer_of(r#"{"text":""}"#), None);
        assert_eq!(answer_of(""), None);
        let over = TurnAnswer::HandOver { why: "angry".to_owned(), proposed: None };
        for yes in [r#""true""#, "true", "1", r#"{"reason":"angry"}"#, r#"["angry"]"#] {
            let body = format!(r#"{{"hand_over":{yes},"reason":"angry"}}"#);
            assert_eq!(answer_of(&body).as_ref(), Some(&over), "{body}");
        }
        for no in ["{}", "[]", "null", "false", r#""""#] {
            assert_eq!(
                answer_of(&format!(r#"{{"output":"Yes","hand_over":{no}}}"#)),
                text("Yes", false),
                "{no}"
            );
        }
        assert_eq!(answer_of(r#"{"close":1}"#), Some(TurnAnswer::Close { why: "asked".to_owned() }));
        let withheld = |word: &str| Some(TurnAnswer::HandOver { why: word.to_owned(), proposed: None });
        assert_eq!(answer_of(r#"{"output":"<think>Hm</think>Yes"}"#), text("Yes", false));
        assert_eq!(answer_of(r#"{"output":"Yes <tool_call>"}"#), withheld("tool_markup"));
        assert_eq!(answer_of(r#"{"output":"Ye","finish_reason":"length"}"#), withheld("truncated"));
        assert_eq!(read(b"Yes"), None);
        assert_eq!(read(b"\"Yes\""), None);
    }
}
