//! smsc.ru: errors come with 200, and a message is known by our number of it and the phone.

use delivery::{Capabilities, Dedup, MessageLookup};
use domain::outcome::SentIds;
use domain::secret::ExposeSecret;
use domain::{
    ContactProof, ExternalChat, InboundChange, InboundEvent, InboundMedia, InboundMessage, InboundReceipt,
    MessageState, Outcome, ProvedContact, ProviderId, SecretText, Timestamp,
};
use futures::future::{BoxFuture, FutureExt, ready};
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::charset;
use crate::error::CallError;
use crate::http::Http;
use crate::provider::{Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Provider};
use crate::setup::{Setup, SetupError, is_same};

/// The status of a message that is not known there.
const NOT_FOUND: i64 = -3;
/// The error of the question for a status that says the same.
const NO_SUCH_MESSAGE: i64 = 3;
/// The same was asked for within a minute, or too much at once.
const REPEATED: i64 = 9;

pub(super) struct Smsc {
    http: Http,
    api: String,
    login: Option<String>,
    key: SecretText,
    sender: Option<String>,
    /// What posts are signed with, where they are.
    secret: Option<SecretText>,
}

/// How a call failed: by a number of the gateway, or otherwise.
enum Failed {
    Code(i64, String),
    Call(CallError),
}

impl Smsc {
    pub(super) fn new(setup: &Setup) -> Result<Self, SetupError> {
        let fields = &setup.fields;
        Ok(Self {
            http: setup.http.clone(),
            api: setup.api(),
            login: fields.login.clone(),
            key: setup.needed("token", &fields.token)?,
            sender: fields.sender.clone(),
            secret: fields.client_secret.clone(),
        })
    }

    async fn call(&self, path: &str, more: &[(&str, &str)]) -> Result<Value, Failed> {
        let key = self.key.expose_secret();
        let mut form = match &self.login {
            Some(login) => vec![("login", login.as_str()), ("psw", key)],
            None => vec![("apikey", key)],
        };
        form.extend([("fmt", "3"), ("charset", "utf-8")]);
        form.extend(more);
        let request = self.http.post(&format!("{}/sys/{path}", self.api)).form(&form);
        let (_, reply) = super::call(&self.http, request).await.map_err(Failed::Call)?;
        match super::whole(&reply["error_code"]) {
            Some(code) => Err(Failed::Code(code, super::detail(&reply["error"]))),
            None => Ok(reply),
        }
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<String, CallError> {
        let phone = super::digits(&outgoing.chat)?;
        let id = own_id(outgoing.key).to_string();
        let mut form =
            vec![("phones", phone), ("mes", outgoing.text.text.as_str()), ("id", id.as_str()), ("cost", "3")];
        form.extend(self.sender.iter().map(|sender| ("sender", sender.as_str())));
        match self.call("send.php", &form).await {
            Ok(reply) => {
                let id = super::word(&reply["id"])
                    .ok_or_else(|| CallError::Unreadable("200 without the id of a message".to_owned()))?;
                Ok(external_id(&id, phone))
            }
            // What is refused as a repeat may be this very message, of an attempt before.
            Err(Failed::Code(REPEATED, _)) => match self.is_there(&id, phone).await {
                Some(true) => Ok(external_id(&id, phone)),
                Some(false) => Err(super::repeated()),
                None => Err(CallError::Server("error 9, and the status cannot be asked for".to_owned())),
            },
            Err(failed) => Err(failed.into()),
        }
    }

    /// Whether the gateway has a message; none where it does not say.
    async fn is_there(&self, id: &str, phone: &str) -> Option<bool> {
        match self.call("status.php", &[("phone", phone), ("id", id)]).await {
            Ok(reply) => super::whole(&reply["status"]).map(|status| status != NOT_FOUND),
            Err(Failed::Code(NO_SUCH_MESSAGE, _)) => Some(false),
            Err(_) => None,
        }
    }

    async fn look(&self, outgoing: &Outgoing) -> MessageLookup {
        let Ok(phone) = super::digits(&outgoing.chat) else { return MessageLookup::NotThere };
        let id = own_id(outgoing.key).to_string();
        match self.is_there(&id, phone).await {
            Some(true) => {
                let id = ProviderId::Text(external_id(&id, phone).into());
                MessageLookup::Here(SentIds::one(Some(id)))
            }
            Some(false) => MessageLookup::NotThere,
            None => MessageLookup::CannotTell,
        }
    }

    async fn who(&self) -> Result<Identity, CallError> {
        let reply = self.call("balance.php", &[]).await?;
        let balance = super::word(&reply["balance"])
            .ok_or_else(|| CallError::Unreadable("200 without a balance".to_owned()))?;
        let is_empty = balance.parse::<f64>().is_ok_and(|balance| balance <= 0.0);
        let missing =
            if is_empty { vec!["there is no money left at the gateway".to_owned()] } else { Vec::new() };
        let id = self.login.clone().unwrap_or_else(|| "smsc".to_owned());
        let name = self.sender.clone().unwrap_or_else(|| id.clone());
        Ok(Identity { id, name, missing, gap: None })
    }

    fn read(&self, post: &HookPost) -> Result<Vec<InboundEvent>, HookRefusal> {
        let posted = Posted::read(post)?;
        if let Some(secret) = &self.secret
            && !posted.is_genuine(secret)
        {
            return Err(HookRefusal::NotGenuine);
        }
        Ok(posted.event(self.http.clock().now()).into_iter().collect())
    }
}

impl From<Failed> for CallError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Code(code, message) => refusal(code, message),
            Failed::Call(error) => error,
        }
    }
}

fn refusal(code: i64, message: String) -> CallError {
    match code {
        2 => CallError::Token(format!("2 {message}")),
        3 => CallError::Account(format!("there is no money left at the gateway (3 {message})")),
        4 => CallError::wait(super::COOL_DOWN),
        7 => CallError::NotFound(format!("7 {message}")),
        8 => CallError::Forbidden(format!("the number cannot be reached (8 {message})")),
        REPEATED => super::repeated(),
        _ => CallError::refused(code.to_string(), message),
    }
}

/// Our number of a message: from 1 to 2147483647, as the gateway takes it.
fn own_id(key: i64) -> u32 {
    let folded = (key ^ (key >> 32)) & 0x7FFF_FFFF;
    u32::try_from(folded).unwrap_or_default().max(1)
}

/// Our numbers are unique for each phone alone.
fn external_id(id: &str, phone: &str) -> String {
    format!("{id}-{}", phone.trim_start_matches('+'))
}

/// The fields of a post.
struct Posted(Vec<(String, Vec<u8>)>);

impl Posted {
    fn read(post: &HookPost) -> Result<Self, HookRefusal> {
        let body = post.body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&post.body);
        if body.trim_ascii_start().starts_with(b"{") {
            let posted: Value = domain::lenient::json(&post.body)
                .map_err(|_| HookRefusal::Unreadable("the body is neither a form nor JSON".to_owned()))?;
            let pairs = posted.as_object().into_iter().flatten();
            let pairs =
                pairs.filter_map(|(name, value)| Some((name.clone(), super::word(value)?.into_bytes())));
            return Ok(Self(pairs.collect()));
        }
        let form = if post.method == "GET" { post.query.as_bytes() } else { &post.body };
        Ok(Self(charset::fields(form)))
    }

    fn bytes(&self, name: &str) -> &[u8] {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice()).unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<String> {
        Some(charset::text(self.bytes(name))).filter(|text| !text.is_empty())
    }

    fn is_incoming(&self) -> bool {
        self.0.iter().any(|(name, _)| name == "mes") && self.text("status").is_none()
    }

    fn is_genuine(&self, secret: &SecretText) -> bool {
        let names = if self.is_incoming() { ["phone", "mes", "to"] } else { ["id", "phone", "status"] };
        let mut digest = Sha1::new();
        for name in names {
            digest.update(self.bytes(name));
            digest.update(b":");
        }
        digest.update(secret.expose_secret());
        let wanted = hex::encode(digest.finalize());
        is_same(wanted.as_bytes(), self.bytes("sha1").to_ascii_lowercase().as_slice())
    }

    fn event(&self, now: Timestamp) -> Option<InboundEvent> {
        let phone = self.text("phone")?;
        let at = super::at_second(self.text("ts").as_deref(), now);
        if self.is_incoming() {
            return self.message(&super::number(&phone), at);
        }
        let (id, status) = (self.text("id")?, self.text("status")?);
        let receipt = receipt(status.trim().parse().ok()?, self.text("err").as_deref())?;
        let external_id = external_id(&id, &phone);
        let key = format!("status:{external_id}:{status}");
        Some(InboundEvent { key, change: InboundChange::Receipt { external_id, receipt, at } })
    }

    fn message(&self, phone: &str, at: Timestamp) -> Option<InboundEvent> {
        let text = self.text("mes").unwrap_or_default();
        let id = self.text("sms_id").or_else(|| self.text("id")).unwrap_or_else(|| {
            let content = ["phone", "to", "time", "ts", "mes"].map(|name| self.bytes(name)).join(&b'\n');
            hex::encode(Sha256::digest(content))
        });
        let fields: serde_json::Map<String, Value> = self
            .0
            .iter()
            .filter(|(name, _)| name != "sha1")
            .map(|(name, value)| (name.clone(), charset::text(value).into()))
            .collect();
        let message = InboundMessage {
            user: Some(phone.to_owned()),
            phone: phone.starts_with('+').then(|| ProvedContact::new(phone, ContactProof::ChannelId)),
            raw: Some(Value::Object(fields).to_string()),
            ..InboundMessage::private(ExternalChat::new(phone)?, format!("in-{id}"), text, at)
        };
        let key = format!("in:{id}");
        Some(InboundEvent { key, change: InboundChange::Message(Box::new(message)) })
    }
}

/// How far a message is; none while it is on its way.
fn receipt(status: i64, error: Option<&str>) -> Option<InboundReceipt> {
    let why = match status {
        1 => return Some(InboundReceipt::Delivered),
        2 => return Some(InboundReceipt::Read),
        3 => "it expired on its way",
        20 => "it cannot be delivered",
        22 => "the number is wrong",
        23 => "it is forbidden",
        24 => "there is no money left at the gateway",
        25 => "the number is not available",
        _ => return None,
    };
    let error = error.filter(|error| *error != "0").map(|error| format!(" (error {error})"));
    Some(InboundReceipt::Failed(format!("{why}{}", error.unwrap_or_default())))
}

impl Provider for Smsc {
    fn capabilities(&self) -> Capabilities {
        super::texts(Dedup::ReadBack, &[MessageState::Delivered, MessageState::Read])
    }

    fn receives(&self) -> &'static [Incoming] {
        &[Incoming::Webhook, Incoming::Text, Incoming::Undelivered]
    }

    fn first_chat(&self, who: &str) -> Result<crate::FirstChat, crate::NoFirstChat> {
        crate::FirstChat::of_number(who, ("+", ""))
    }

    fn pacing(&self) -> Pacing {
        super::pacing()
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        async { super::outcome(self.deliver(outgoing).await, self.http.clock().now()) }.boxed()
    }

    fn find<'a>(&'a self, outgoing: &'a Outgoing, _since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        self.look(outgoing).boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        self.read(post).map(Hook::events)
    }

    /// It signs its posts, and writes them in UTF-8, where the address asks for it.
    fn hook_query(&self) -> &'static str {
        "?charset=utf-8&sha1=1"
    }

    fn fetch<'a>(
        &'a self,
        _media: &'a InboundMedia,
        _most: u64,
    ) -> BoxFuture<'a, Result<Fetched, CallError>> {
        ready(Err(CallError::NotFound("short messages have no files".to_owned()))).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        self.who().boxed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_error_has_its_meaning() {
        for (code, wanted) in [
            (1, "Refused"),
            (2, "Token"),
            (3, "Account"),
            (4, "Wait"),
            (5, "Refused"),
            (6, "Refused"),
            (7, "NotFound"),
            (8, "Forbidden"),
            (9, "Wait"),
        ] {
            let error = refusal(code, "no".to_owned());
            assert!(format!("{error:?}").starts_with(wanted), "{code}: {error:?}");
        }
    }

    #[test]
    fn intermediate_statuses_are_passed_over() {
        for status in [-3, -1, 0, 7] {
            assert_eq!(receipt(status, None), None);
        }
        assert_eq!(receipt(1, Some("0")), Some(InboundReceipt::Delivered));
        assert_eq!(receipt(2, None), Some(InboundReceipt::Read));
        for status in [3, 20, 22, 23, 24, 25] {
            assert!(
                matches!(receipt(status, Some("7")), Some(InboundReceipt::Failed(why)) if why.contains('7'))
            );
        }
    }

    proptest! {
        #[test]
        fn own_ids_are_what_the_gateway_takes(key in any::<i64>()) {
            prop_assert!((1..=0x7FFF_FFFF).contains(&own_id(key)));
        }

        #[test]
        fn no_post_panics(body in prop_oneof![any::<Vec<u8>>(), "[{}a-z=&:\", ]{0,40}".prop_map(String::into_bytes)]) {
            let post = HookPost { method: "POST".to_owned(), url: String::new(), query: String::new(), headers: Vec::new(), body };
            if let Ok(posted) = Posted::read(&post) {
                posted.event(Timestamp::from_micros(0));
                posted.is_genuine(&"planted".into());
            }
        }
    }
}
