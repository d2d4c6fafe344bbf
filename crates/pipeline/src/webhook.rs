//! Another program that answers: what it is posted, and how its answer is read.

use std::time::Duration;

use ambient::Clock;
use channels::CallError;
use channels::http::{Http, NoClient, Route};
use config::PipelineWebhookSettings;
use domain::secret::ExposeSecret;
use domain::{SpokenText, TurnId, Unspoken, lenient, spoken};
use events::SigningKey;
use serde_json::Value;
use store::{ClientFields, TurnAnswer};

use crate::fields::{Field, Findings, is_given, is_yes};

/// The greatest answer that is read.
const LARGEST: u64 = 1024 * 1024;
/// How long one post waits for its answer.
const AT_ONCE: Duration = Duration::from_mins(1);

/// How deep a program may wrap its answer, as n8n does in `json` and `output`.
const DEEPEST: u32 = 4;
/// The most names of unknown fields that are kept, and the most characters of one.
const MOST_NAMES: usize = 8;
const LONGEST_NAME: usize = 32;

/// What a program says to a batch. Empty fields are taken as absent, and names count in any spelling.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookReply {
    /// What is sent to the client: `text`, `message_text`, `answer` or `output`.
    text: Option<String>,
    /// `close`, read as a flag too: the appeal is over.
    closes: bool,
    /// Why.
    reason: Option<String>,
    name: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    /// What the other fields say: that the text is none to send, or that a person is wanted.
    found: Findings,
    /// The names of fields that say nothing here.
    unknown: Vec<String>,
}

impl WebhookReply {
    /// What it comes to; nothing where the answer comes later. The text may be the words of a model, so it passes the same gate.
    pub fn answer(&self, needs_approval: bool) -> Option<TurnAnswer> {
        let why = || self.reason.clone();
        let spoken = self.text.as_deref().map(SpokenText::read);
        // Without a text, a program that is at work answers later.
        let is_begun = (self.found.goes_on && spoken.is_some()).then(|| spoken::unfinished("in_progress"));
        let flaw = self.found.flaw.clone().or(is_begun);
        if self.found.wants_person {
            let proposed = spoken.filter(|_| flaw.is_none()).and_then(Result::ok);
            return Some(TurnAnswer::HandOver { why: why().unwrap_or_else(|| "asked".to_owned()), proposed });
        }
        match (flaw, spoken) {
            (Some(flaw), _) => Some(TurnAnswer::HandOver { why: flaw.word().to_owned(), proposed: None }),
            (None, Some(Ok(text))) => {
                Some(TurnAnswer::Text { text, needs_approval, why: why(), closes: self.closes })
            }
            (None, Some(Err(why))) => {
                Some(TurnAnswer::HandOver { why: why.word().to_owned(), proposed: None })
            }
            (None, None) if self.closes => {
                Some(TurnAnswer::Close { why: why().unwrap_or_else(|| "asked".to_owned()) })
            }
            (None, None) => None,
        }
    }

    /// What it found out about the client.
    pub fn fields(&self) -> ClientFields {
        ClientFields { name: self.name.clone(), phone: self.phone.clone(), email: self.email.clone() }
    }

    /// The names of fields that say nothing here, for a log.
    pub(crate) fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Adds what an object says, or each object of a list; false where something else stands there.
    fn add(&mut self, value: &Value, depth: u32) -> bool {
        match value {
            Value::Array(items) => depth > 0 && items.iter().all(|item| self.add(item, depth - 1)),
            Value::Object(fields) => {
                self.found.add(value);
                fields.iter().all(|(name, value)| self.take(name, value, depth))
            }
            _ => false,
        }
    }

    fn take(&mut self, name: &str, value: &Value, depth: u32) -> bool {
        match Field::of(name) {
            Field::Text | Field::Wrapper if value.is_object() => {
                return depth > 0 && self.add(value, depth - 1);
            }
            Field::Text => {
                let text = stated(value);
                let is_another = self.text.is_some() && text.is_some() && self.text != text;
                // A list has no order of sending.
                if is_another || value.is_array() && is_given(value) {
                    self.found.flaw.get_or_insert(Unspoken::Several);
                }
                self.text = self.text.take().or(text);
            }
            Field::Calls if is_given(value) => {
                self.found.flaw.get_or_insert(Unspoken::ToolMarkup);
            }
            Field::Close => self.closes |= is_yes(value),
            Field::Reason => self.reason = self.reason.take().or(stated(value)),
            Field::Name => self.name = self.name.take().or(stated(value)),
            Field::Phone => self.phone = self.phone.take().or(stated(value)),
            Field::Email => self.email = self.email.take().or(stated(value)),
            Field::Person => {}
            _ if self.unknown.len() < MOST_NAMES => {
                self.unknown.push(name.chars().take(LONGEST_NAME).collect());
            }
            _ => {}
        }
        true
    }
}

/// Texts, numbers and booleans as text; nothing where it is empty, null or `false`.
fn stated(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let is_none = text.trim().is_empty() || text.trim().eq_ignore_ascii_case("false");
            Some(text.clone()).filter(|_| !is_none)
        }
        Value::Bool(true) => Some("true".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads the body of an answer: an object, or a list of such, as n8n answers. `None` where it is neither.
pub fn read(body: &[u8]) -> Option<WebhookReply> {
    let body = body.trim_ascii();
    let mut reply = WebhookReply::default();
    if body.is_empty() {
        return Some(reply);
    }
    let value = lenient::json(body).ok()?;
    reply.add(&value, DEEPEST).then_some(reply)
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
        assert_eq!(answer_of(r#"{"output":"No","close":0,"hand_over":"0"}"#), text("No", false));
        assert_eq!(answer_of(r#"{"close":1}"#), Some(TurnAnswer::Close { why: "asked".to_owned() }));
        let withheld = |word: &str| Some(TurnAnswer::HandOver { why: word.to_owned(), proposed: None });
        assert_eq!(answer_of(r#"{"output":"<think>Hm</think>Yes"}"#), text("Yes", false));
        assert_eq!(answer_of(r#"{"output":"Yes <tool_call>"}"#), withheld("tool_markup"));
        assert_eq!(answer_of(r#"{"output":"Ye","finish_reason":"length"}"#), withheld("truncated"));
        assert!(read("\u{feff}{\"text\":\"Yes\"}".as_bytes()).is_some());
        assert_eq!(read(b"Yes"), None);
        assert_eq!(read(b"\"Yes\""), None);
        assert_eq!(read(br#"[{"text":"Yes"},"No"]"#), None);
    }

    #[test]
    fn a_wish_for_a_person_is_read_in_any_spelling() {
        for name in ["handover", "handOver", "hand-over", "Hand_Over", "needs_human", "transferToOperator"] {
            for body in [
                format!(r#"{{"text":"Yes","{name}":true}}"#),
                format!(r#"[{{"text":"Yes"}},{{"{name}":true}}]"#),
                format!(r#"{{"json":{{"output":"Yes","{name}":1}}}}"#),
                format!(r#"{{"output":{{"text":"Yes","{name}":"now"}}}}"#),
            ] {
                let Some(TurnAnswer::HandOver { why, proposed: Some(text) }) = answer_of(&body) else {
                    panic!("{body}")
                };
                assert_eq!((why.as_str(), text.plain().as_str()), ("asked", "Yes"), "{body}");
            }
        }
    }

    #[test]
    fn a_wish_for_a_person_is_read_in_any_field() {
        for wish in [
            r#""data":{"hand_over":true}"#,
            r#""metadata":{"escalate":true}"#,
            r#""action":"handoff""#,
            r#""intent":"transfer_to_operator""#,
            r#""status":"escalated""#,
            r#""operator":true"#,
            r#""route":"human""#,
        ] {
            let answer = answer_of(&format!(r#"{{"text":"Yes",{wish}}}"#));
            let Some(TurnAnswer::HandOver { proposed: Some(_), .. }) = answer else { panic!("{wish}") };
        }
        // The whole text is the name of an action.
        let asked = TurnAnswer::HandOver { why: "asked".to_owned(), proposed: None };
        assert_eq!(answer_of(r#"{"text":"TRANSFER_TO_AGENT"}"#), Some(asked));
        // What was posted to the program and comes back says nothing.
        let batch = r#""chat_type":"private","appeal":{"status":"waiting_us","tags":["call_manager"]},"meta":{"ad_channel":"handoff"}"#;
        assert!(matches!(
            answer_of(&format!(r#"{{"text":"Yes",{batch}}}"#)),
            Some(TurnAnswer::Text { closes: false, .. })
        ));
    }

    #[test]
    fn what_is_no_whole_answer_is_for_a_person() {
        for (body, word) in [
            (r#"{"output":"Ye","finishReason":"MAX_TOKENS"}"#, "truncated"),
            (r#"{"output":"Ye","finish_reason":"stop","stop_reason":"max_tokens"}"#, "truncated"),
            (r#"{"output":"Ye","finish_reason":["length"]}"#, "truncated"),
            (r#"{"output":"Ye","finish_reason":{"reason":"length"}}"#, "truncated"),
            (r#"{"output":"Ye","done":false}"#, "unfinished"),
            (r#"{"output":"Ye","error":"overloaded"}"#, "unfinished"),
            (r#"{"error":{"message":"overloaded"}}"#, "unfinished"),
            (r#"{"output":"Ye","is_error":true}"#, "unfinished"),
            (r#"{"output":"Ye","success":false}"#, "unfinished"),
            (r#"{"output":"Ye","tool_calls":[{"function":{"name":"hand_over"}}]}"#, "tool_markup"),
            (r#"{"text":"Yes","output":"No"}"#, "several"),
            (r#"[{"text":"Yes"},{"text":"No"}]"#, "several"),
            (r#"{"text":["Yes"]}"#, "several"),
            (r#"{"output":"Agent stopped due to max iterations."}"#, "unfinished"),
            (r#"{"text":"Error in workflow: the service is down"}"#, "unfinished"),
            (r#"{"text":"undefined"}"#, "markup"),
            (r#"{"text":true}"#, "markup"),
            (r#"{"text":"..."}"#, "empty"),
            (r#"{"text":"Ye","status":"in_progress"}"#, "unfinished"),
        ] {
            let expected = TurnAnswer::HandOver { why: word.to_owned(), proposed: None };
            assert_eq!(answer_of(body), Some(expected), "{body}");
        }
        for later in [
            r#"{"message":"Workflow was started"}"#,
            r#"{"status":"ok","success":true}"#,
            r#"{"status":"in_progress"}"#,
            "[]",
        ] {
            assert_eq!(answer_of(later), None, "{later}");
        }
        assert_eq!(read(br#"{"choices":[],"close":false}"#).unwrap().unknown(), ["choices"]);
        assert!(answer_of(r#"{"text":"Yes","output":"Yes","finish_reason":"stop"}"#).is_some());
    }
}
