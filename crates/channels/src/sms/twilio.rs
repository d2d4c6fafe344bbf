//! Twilio: short messages, and messages with a file where the country has them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use delivery::{Capabilities, Dedup, MediaKind};
use domain::secret::ExposeSecret;
use domain::{
    ContactProof, ExternalChat, InboundChange, InboundEvent, InboundKind, InboundMedia, InboundMessage,
    InboundReceipt, MessageState, Outcome, ProvedContact, SecretText, Timestamp,
};
use futures::future::{BoxFuture, FutureExt};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;

use crate::error::CallError;
use crate::http::Http;
use crate::provider::{Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Provider};
use crate::setup::{Setup, SetupError};

/// The version of the API.
const VERSION: &str = "2010-04-01";
/// The largest file.
const LARGEST_FILE: u64 = 5 * 1024 * 1024;
/// The most files of a message.
const MOST_FILES: usize = 10;

pub(super) struct Twilio {
    http: Http,
    api: String,
    sid: String,
    token: SecretText,
    sender: String,
    /// What becomes of a message is posted there.
    hook_url: Option<String>,
}

impl Twilio {
    pub(super) fn new(setup: &Setup) -> Result<Self, SetupError> {
        let fields = &setup.fields;
        Ok(Self {
            http: setup.http.clone(),
            api: setup.api(),
            sid: setup.needed("login", &fields.login)?,
            token: setup.needed("token", &fields.token)?,
            sender: setup.needed("sender", &fields.sender)?,
            hook_url: setup.hook_url.clone(),
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{VERSION}/Accounts/{}{path}", self.api, self.sid)
    }

    async fn call(&self, request: outbound::RequestBuilder) -> Result<Value, CallError> {
        let request = request.basic_auth(&self.sid, Some(self.token.expose_secret()));
        let (status, reply) = super::call(&self.http, request).await?;
        if (200..300).contains(&status) {
            return Ok(reply);
        }
        let message = super::detail(&reply["message"]);
        match super::whole(&reply["code"]) {
            Some(code) => Err(refusal(code, message)),
            None if status == 401 => Err(CallError::Token(message)),
            None => Err(CallError::Unreadable(format!("{status} without a code"))),
        }
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<String, CallError> {
        let to = format!("+{}", super::digits(&outgoing.chat)?);
        let from = if self.sender.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let mut form = vec![("To", to), (from, self.sender.clone())];
        if !outgoing.text.text.is_empty() {
            form.push(("Body", outgoing.text.text.clone()));
        }
        if let Some(file) = &outgoing.file {
            if file.size > LARGEST_FILE {
                return Err(CallError::refused("media_size", "Twilio takes at most 5 MB"));
            }
            let link = file.link.clone().ok_or_else(|| {
                let detail = "Twilio fetches files from an address of ours; set `public_url`";
                CallError::refused("no_public_url", detail)
            })?;
            form.push(("MediaUrl", link));
        }
        form.extend(self.hook_url.clone().map(|url| ("StatusCallback", url)));
        let reply = self.call(self.http.post(&self.url("/Messages.json")).form(&form)).await?;
        if let Some(code) = super::whole(&reply["error_code"]) {
            return Err(refusal(code, super::detail(&reply["error_message"])));
        }
        super::word(&reply["sid"])
            .ok_or_else(|| CallError::Unreadable("201 without the id of a message".to_owned()))
    }

    async fn who(&self) -> Result<Identity, CallError> {
        let reply = self.call(self.http.get(&self.url(".json"))).await?;
        let id = super::word(&reply["sid"])
            .ok_or_else(|| CallError::Unreadable("200 without the id of the account".to_owned()))?;
        let name = super::word(&reply["friendly_name"]).unwrap_or_default();
        let status = reply["status"].as_str().unwrap_or("active");
        let missing = if status == "active" { Vec::new() } else { vec![format!("the account is {status}")] };
        Ok(Identity { id, name, missing, gap: None })
    }

    /// The signature is of the address as it was called, in which a port may be left out on either side.
    fn is_genuine(&self, post: &HookPost, form: &[(String, String)]) -> bool {
        let given = post.header("x-twilio-signature").and_then(|text| STANDARD.decode(text).ok());
        let Some(given) = given else { return false };
        let mut pairs: Vec<_> = form.iter().collect();
        pairs.sort();
        pairs.dedup();
        let is_of = |url: String| {
            let mac = Hmac::<Sha1>::new_from_slice(self.token.expose_secret().as_bytes()).ok();
            mac.is_some_and(|mut mac| {
                mac.update(url.as_bytes());
                for (name, value) in &pairs {
                    mac.update(name.as_bytes());
                    mac.update(value.as_bytes());
                }
                mac.verify_slice(&given).is_ok()
            })
        };
        addresses(&post.url).into_iter().fold(false, |found, url| found | is_of(url))
    }

    fn read(&self, post: &HookPost) -> Result<Vec<InboundEvent>, HookRefusal> {
        let form = if post.method == "GET" { post.query() } else { post.form() };
        let signed: &[(String, String)] = if post.method == "GET" { &[] } else { &form };
        if !self.is_genuine(post, signed) {
            return Err(HookRefusal::NotGenuine);
        }
        Ok(events(&form, &self.sid, self.http.clock().now()))
    }

    async fn file(&self, media: &InboundMedia, most: u64) -> Result<Fetched, CallError> {
        let url = media.url.as_deref().filter(|url| url.starts_with("http"));
        let url = url.ok_or_else(|| CallError::NotFound("Twilio gave no address of the file".to_owned()))?;
        let request = self.http.get(url);
        // Nothing but Twilio is shown the token.
        let is_theirs = url.strip_prefix(&self.api).is_some_and(|rest| rest.starts_with('/'));
        let request =
            if is_theirs { request.basic_auth(&self.sid, Some(self.token.expose_secret())) } else { request };
        self.http.download(request, most).await
    }
}

fn refusal(code: i64, message: String) -> CallError {
    let detail = format!("{code} {message}");
    match code {
        20_003 => CallError::Token(detail),
        30_002 => CallError::Account(detail),
        20_429 => CallError::wait(super::COOL_DOWN),
        21_211 | 21_614 => CallError::NotFound(detail),
        30_003 | 30_005 | 30_006 => CallError::Forbidden(format!("the number cannot be reached ({detail})")),
        21_610 => CallError::Forbidden(format!("the customer wants no messages ({detail})")),
        _ => CallError::refused(code.to_string(), message),
    }
}

/// An address with its port and without.
fn addresses(url: &str) -> Vec<String> {
    let mut all = vec![url.to_owned()];
    let Some((scheme, rest)) = url.split_once("://") else { return all };
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if let Some((name, _)) =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
    {
        all.push(format!("{scheme}://{name}{path}"));
    } else {
        let port = if scheme == "https" { 443 } else { 80 };
        all.push(format!("{scheme}://{host}:{port}{path}"));
    }
    all
}

fn events(form: &[(String, String)], sid: &str, now: Timestamp) -> Vec<InboundEvent> {
    let value = |name: &str| {
        let found = form.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    };
    let Some(id) = value("MessageSid").or_else(|| value("SmsSid")) else { return Vec::new() };
    if value("AccountSid").is_some_and(|of| of != sid) {
        return Vec::new();
    }
    let status = value("MessageStatus").or_else(|| value("SmsStatus")).unwrap_or_default();
    let mut events = Vec::new();
    if let Some(receipt) = receipt(status, value("ErrorCode")) {
        let change = InboundChange::Receipt { external_id: id.to_owned(), receipt, at: now };
        events.push(InboundEvent { key: format!("status:{id}:{status}"), change });
    }
    let is_incoming = status.is_empty() || status == "received";
    let Some(from) = value("From").filter(|_| is_incoming) else { return events };
    let phone = super::number(from);
    let Some(chat) = ExternalChat::new(&phone) else { return events };
    let number = value("NumMedia").and_then(|number| number.parse().ok()).unwrap_or(0_usize);
    let media = (0..number.min(MOST_FILES)).filter_map(|place| {
        let mime = value(&format!("MediaContentType{place}")).map(str::to_owned);
        let kind = kind(mime.as_deref().unwrap_or_default());
        let url = value(&format!("MediaUrl{place}"))?;
        Some(InboundMedia { mime, ..InboundMedia::at(kind, url) })
    });
    let raw = form.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let message = InboundMessage {
        user: Some(phone.clone()),
        phone: phone.starts_with('+').then(|| ProvedContact::new(phone, ContactProof::ChannelId)),
        media: media.collect(),
        raw: Some(Value::Object(raw).to_string()),
        ..InboundMessage::private(chat.clone(), id, value("Body").unwrap_or_default(), now)
    };
    events.push(InboundEvent { key: format!("in:{id}"), change: InboundChange::Message(Box::new(message)) });
    let can = match value("OptOutType") {
        Some("STOP") => false,
        Some("START") => true,
        _ => return events,
    };
    events.push(InboundEvent {
        key: format!("opt:{id}"),
        change: InboundChange::Reachable { chat, can, at: now },
    });
    events
}

fn receipt(status: &str, error: Option<&str>) -> Option<InboundReceipt> {
    match status {
        "delivered" => Some(InboundReceipt::Delivered),
        "undelivered" | "failed" => {
            let error = error.unwrap_or("none is named");
            Some(InboundReceipt::Failed(format!("it cannot be delivered (error {error})")))
        }
        _ => None,
    }
}

fn kind(mime: &str) -> InboundKind {
    match mime.split('/').next().unwrap_or_default() {
        "image" => InboundKind::Image,
        "audio" => InboundKind::Audio,
        "video" => InboundKind::Video,
        _ => InboundKind::Document,
    }
}

impl Provider for Twilio {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            caption: Some(super::LONGEST),
            media: &[
                MediaKind::Photo,
                MediaKind::Video,
                MediaKind::Animation,
                MediaKind::Voice,
                MediaKind::Audio,
                MediaKind::Document,
            ],
            ..super::texts(Dedup::None, &[MessageState::Delivered])
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[
            Incoming::Webhook,
            Incoming::Text,
            Incoming::Image,
            Incoming::Audio,
            Incoming::Video,
            Incoming::Document,
            Incoming::Reachable,
            Incoming::Undelivered,
        ]
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

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        self.read(post).map(Hook::events)
    }

    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        self.file(media, most).boxed()
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
        for (codes, wanted) in [
            (vec![20_003], "Token"),
            (vec![30_002], "Account"),
            (vec![20_429], "Wait"),
            (vec![21_211, 21_614], "NotFound"),
            (vec![21_612, 30_007], "Refused"),
            (vec![30_003, 30_005, 30_006, 21_610], "Forbidden"),
        ] {
            for code in codes {
                let error = refusal(code, "no".to_owned());
                assert!(format!("{error:?}").starts_with(wanted), "{code}: {error:?}");
            }
        }
    }

    #[test]
    fn an_address_is_tried_with_and_without_port() {
        for (url, other) in [
            ("https://example.com/a?b=1", "https://example.com:443/a?b=1"),
            ("http://example.com", "http://example.com:80"),
            ("https://example.com:8443/a", "https://example.com/a"),
        ] {
            assert_eq!(addresses(url), [url, other]);
        }
    }

    proptest! {
        #[test]
        fn no_form_panics(
            url in any::<String>(),
            form in prop::collection::vec(
                (prop_oneof!["MessageSid|From|Body|NumMedia|MediaUrl0|SmsStatus|OptOutType", any::<String>()], "[a-z0-9+]{0,20}"),
                0..6,
            ),
        ) {
            addresses(&url);
            events(&form, "AC1", Timestamp::from_micros(0));
        }
    }
}
