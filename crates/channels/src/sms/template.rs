//! Any other gateway over HTTP: what it is posted is a template, and a rule says which answers are a success.

use delivery::{Capabilities, Dedup};
use domain::outcome::SentIds;
use domain::secret::ExposeSecret;
use domain::{InboundMedia, Outcome, ProviderId};
use futures::future::{BoxFuture, FutureExt, ready};
use outbound::{Method, Url};
use serde_json::Value;

use crate::error::CallError;
use crate::http::{Answer, Http};
use crate::provider::{Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Provider};
use crate::setup::{Setup, SetupError};

/// What is posted where the settings name nothing else.
const USUAL: &str = "to={to}&text={text}&from={sender}";
/// What a template may name.
const NAMES: [&str; 6] = ["{to}", "{digits}", "{text}", "{sender}", "{login}", "{token}"];

pub(super) struct Template {
    http: Http,
    url: String,
    request: String,
    /// The values of `{sender}`, `{login}` and `{token}`.
    own: [String; 3],
    success: Option<Rule>,
    message_id: Option<String>,
}

/// A place in the answer and what is there once the message was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    pointer: String,
    value: String,
}

impl Rule {
    /// Reads `/status=ok`: a JSON pointer (RFC 6901), and the value there.
    fn read(text: &str) -> Option<Self> {
        let (pointer, value) = text.split_once('=')?;
        let rule = Self { pointer: pointer.trim().to_owned(), value: value.trim().to_owned() };
        (rule.pointer.is_empty() || rule.pointer.starts_with('/')).then_some(rule)
    }

    fn is_met(&self, answer: &Value) -> bool {
        match answer.pointer(&self.pointer) {
            Some(Value::String(text)) => *text == self.value,
            Some(other) => serde_json::from_str::<Value>(&self.value).is_ok_and(|wanted| wanted == *other),
            None => self.value == "null",
        }
    }
}

impl Template {
    pub(super) fn new(setup: &Setup) -> Result<Self, SetupError> {
        let fields = &setup.fields;
        let wrong =
            |field: &'static str, message: &str| SetupError::Field { field, message: message.to_owned() };
        let request = fields.request.clone().unwrap_or_else(|| USUAL.to_owned());
        let is_json = is_json(&request);
        if is_json && serde_json::from_str::<Value>(&request).is_err() {
            return Err(wrong(
                "request",
                "begins as JSON and is none; placeholders stand in quotes, such as \"{text}\"",
            ));
        }
        if !request.contains("{text}") || !(request.contains("{to}") || request.contains("{digits}")) {
            return Err(wrong("request", "must have {text}, and {to} or {digits}"));
        }
        let success = fields.success.as_deref().map(|text| {
            Rule::read(text).ok_or_else(|| {
                wrong("success", "must be a place in a JSON answer and its value, such as /status=ok")
            })
        });
        let secret = fields.token.as_ref().map(|token| token.expose_secret().to_owned());
        Ok(Self {
            http: setup.http.clone(),
            url: setup.needed("api", &fields.api)?,
            request,
            own: [fields.sender.clone(), fields.login.clone(), secret].map(Option::unwrap_or_default),
            success: success.transpose()?,
            message_id: fields.message_id.clone(),
        })
    }

    /// The body and its type.
    fn body(&self, digits: &str, text: &str) -> (&'static str, String) {
        let [sender, login, token] = &self.own;
        let values = [&format!("+{digits}"), digits, text, sender, login, token];
        if is_json(&self.request) {
            let escaped = |value: &str| {
                let quoted = Value::from(value).to_string();
                quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
            };
            ("application/json", filled(&self.request, &values.map(escaped)))
        } else {
            let escaped = |value: &str| form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>();
            ("application/x-www-form-urlencoded", filled(&self.request, &values.map(escaped)))
        }
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<Option<String>, CallError> {
        let (kind, body) = self.body(super::digits(&outgoing.chat)?, &outgoing.text.text);
        let mut request = self.http.post(&self.url).header("content-type", kind).body(body);
        let [.., token] = &self.own;
        if !token.is_empty() && !self.request.contains("{token}") {
            request = request.bearer_auth(token);
        }
        self.read(&self.http.call(request).await?)
    }

    /// The id of the message, where the settings say where it is.
    fn read(&self, answer: &Answer) -> Result<Option<String>, CallError> {
        let status = answer.status;
        match status {
            200..300 => {}
            401 => return Err(CallError::Token(status.to_string())),
            403 => return Err(CallError::Account(status.to_string())),
            429 => return Err(CallError::wait(answer.retry_after.unwrap_or(super::COOL_DOWN))),
            400..500 => return Err(CallError::refused(status.to_string(), "")),
            _ => return Err(CallError::Server(status.to_string())),
        }
        if self.success.is_none() && self.message_id.is_none() {
            return Ok(None);
        }
        let json = answer.json::<Value>()?;
        if let Some(rule) = self.success.as_ref().filter(|rule| !rule.is_met(&json)) {
            let found = json.pointer(&rule.pointer).map_or_else(|| "nothing".to_owned(), Value::to_string);
            let found: String = found.chars().take(100).collect();
            return Err(CallError::refused("no_success", format!("{} is {found}", rule.pointer)));
        }
        Ok(self.message_id.as_ref().and_then(|pointer| super::word(json.pointer(pointer)?)))
    }
}

fn is_json(template: &str) -> bool {
    let template = template.trim_start();
    template.starts_with(['{', '[']) && !NAMES.iter().any(|name| template.starts_with(name))
}

/// A template with its values, none of which is looked at for names again.
fn filled(template: &str, values: &[String; 6]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        let named = NAMES.iter().position(|name| rest.starts_with(name));
        let length = if let Some(place) = named {
            text.push_str(&values[place]);
            NAMES[place].len()
        } else {
            text.push(first);
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    text
}

impl Provider for Template {
    fn capabilities(&self) -> Capabilities {
        super::texts(Dedup::None, &[])
    }

    fn receives(&self) -> &'static [Incoming] {
        &[]
    }

    fn first_chat(&self, who: &str) -> Result<crate::FirstChat, crate::NoFirstChat> {
        crate::FirstChat::of_number(who, ("+", ""))
    }

    fn pacing(&self) -> Pacing {
        super::pacing()
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        async {
            match self.deliver(outgoing).await {
                Ok(None) => Outcome::Sent(SentIds::one(None::<ProviderId>)),
                sent => super::outcome(sent.map(Option::unwrap_or_default), self.http.clock().now()),
            }
        }
        .boxed()
    }

    fn hook(&self, _: &HookPost) -> Result<Hook, HookRefusal> {
        Err(HookRefusal::Unreadable("what this gateway posts has no form that is known".to_owned()))
    }

    fn fetch<'a>(&'a self, _: &'a InboundMedia, _: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        ready(Err(CallError::NotFound("short messages have no files".to_owned()))).boxed()
    }

    /// Whether the gateway answers at all: no call is known that any of them has.
    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        async {
            let host = Url::parse(&self.url).and_then(|url| url.join("/"));
            let host = host.map_err(|error| CallError::Unreached(error.to_string()))?;
            self.http.call(self.http.request(Method::HEAD, host.as_str())).await?;
            let name = host.host_str().unwrap_or_default().to_owned();
            let [sender, ..] = &self.own;
            Ok(Identity { id: sender.clone(), name, ..Identity::default() })
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rule_is_a_pointer_and_a_value() {
        let answer = serde_json::json!({"status": "ok", "errors": [], "result": {"code": 0}});
        for (rule, met) in [
            ("/status=ok", true),
            ("/status=OK", false),
            ("/result/code=0", true),
            ("/errors=[]", true),
            ("/error=null", true),
            ("/result/code=1", false),
        ] {
            assert_eq!(Rule::read(rule).unwrap().is_met(&answer), met, "{rule}");
        }
        assert_eq!((Rule::read("status=ok"), Rule::read("/status")), (None, None));
    }

    proptest! {
        #[test]
        fn values_stay_values(text in any::<String>()) {
            let values = || ["+7".to_owned(), "7".to_owned(), text.clone(), String::new(), String::new(), "planted".to_owned()];
            // A text that names a placeholder stays what it is.
            prop_assert_eq!(filled("{text}", &values()), text.clone());
            let quoted = Value::from(text.as_str()).to_string();
            let mut escaped = values();
            escaped[2] = quoted[1..quoted.len() - 1].to_owned();
            let json: Value = serde_json::from_str(&filled(r#"{"t": "{text}"}"#, &escaped)).unwrap();
            prop_assert_eq!(&json["t"], &Value::from(text.as_str()));
        }
    }
}
