//! WhatsApp, through Wappi: a number that is signed in as on a second device.

mod client;
mod content;
mod forward;
mod history;
mod inbound;
mod login;
mod look;
mod outcome;
mod sending;

use std::sync::Arc;
use std::time::Duration;

use delivery::{Action, Capabilities, Dedup, MediaKind, MessageLookup};
use domain::secret::ExposeSecret;
use domain::text::{TextLimit, Unit};
use domain::{
    ExternalChat, InboundChange, InboundEvent, InboundMedia, InboundReceipt, MessageState, Outcome, Timestamp,
};
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};

use crate::error::CallError;
use crate::histories::ReadingHistories;
use crate::login::LogIn;
use crate::nature::{self, Nature, Posts, Registering};
use crate::old_call::OldCall;
use crate::posting::{Posting, Registered, kinds_left_out};
use crate::provider::{
    Deed, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Provider,
};
use crate::recent::Recent;
use crate::setup::{Setup, SetupError, is_same, lacks_secret};
use client::{Client, Download};

/// The longest text.
const TEXT: TextLimit = TextLimit::new(4_096, Unit::Utf16);
/// The longest caption.
const CAPTION: TextLimit = TextLimit::new(1_024, Unit::Utf16);
/// The largest post, in bytes: customers' files are in it.
const LARGEST_POST: usize = 32 * 1024 * 1024;
/// What is posted to us.
const TYPES: [&str; 6] = [
    "incoming_message",
    "outgoing_message_api",
    "outgoing_message_phone",
    "delivery_status",
    "authorization_status",
    "application_status",
];
/// So long after a call that had no clear answer it may still have an effect.
const SETTLES: Duration = Duration::from_secs(30);
/// How long nothing is sent after WhatsApp has banned the number for a while.
const BAN: Duration = Duration::from_hours(6);
/// Under which name the end of that is kept, in microseconds.
const HELD_UNTIL: &str = "held_until";

/// What its owner does at the provider, step by step, in English and in Russian.
const STEPS: &[[&str; 2]] = &[
    [
        "In the cabinet of wappi.pro add a profile of WhatsApp and pay for it.",
        "В кабинете wappi.pro добавьте профиль WhatsApp и оплатите его.",
    ],
    [
        "On the phone: WhatsApp, Linked devices, Link a device; scan the code of the profile.",
        "На телефоне: WhatsApp, Связанные устройства, Привязка устройства; отсканируйте код профиля.",
    ],
    [
        "Take the token of the cabinet as token, and the id of the profile as profile_id.",
        "Возьмите токен кабинета как token и номер профиля как profile_id.",
    ],
];

/// What its owner does to log in.
const LOG_IN: &[[&str; 2]] = &[
    ["Open WhatsApp on the phone of this number.", "Откройте WhatsApp на телефоне с этим номером."],
    ["Settings, Linked devices, Link a device.", "Настройки, Связанные устройства, Привязка устройства."],
    ["Point the camera at the code.", "Наведите камеру на код."],
];

/// What is true of all its accounts.
pub(crate) const NATURE: Nature = Nature {
    steps: STEPS,
    token: ["The token of the cabinet.", "Токен кабинета."],
    log_in: LOG_IN,
    restarts: true,
    number: inbound::number,
    chat_type: inbound::chat_type,
    user: |chat| nature::number_of_user(chat.strip_suffix("@c.us").unwrap_or(chat)),
    posts: Posts::Only,
    registering: Registering {
        by: "Wappi",
        how: "set the expected address as the webhook of the profile in the cabinet of Wappi",
        credentials: "what the cabinet of Wappi shows for the profile",
        place: Some("profile_id"),
        ..Registering::PLAIN
    },
    legacy: |stored, links| Some(forward::legacy(stored, links).to_string()),
    unread_answer: Some(""),
    ..Nature::PLAIN
};

/// An account of it.
///
/// # Errors
/// A key is missing, or no header can carry the token.
pub(crate) fn make(setup: Setup) -> Result<Arc<dyn Provider>, SetupError> {
    let client = Client::new(&setup)?;
    let recent = Recent::of(&setup.kept);
    Ok(Arc::new(Whatsapp { client, setup, recent }))
}

struct Whatsapp {
    client: Client,
    setup: Setup,
    /// What was sent lately.
    recent: Recent,
}

impl Whatsapp {
    fn now(&self) -> Timestamp {
        self.setup.clock.now()
    }

    /// Until when nothing is sent, where the number is banned.
    fn held_until(&self) -> Option<Timestamp> {
        let until = self.setup.kept.text(HELD_UNTIL)?.parse().ok().map(Timestamp::from_micros)?;
        let now = self.now();
        // A later one was kept before the clock was set back.
        (until > now && until <= now.plus(BAN)).then_some(until)
    }

    async fn hold(&self, since: Timestamp) {
        let until = since.plus(BAN);
        if self.held_until().is_some_and(|known| known >= until) {
            return;
        }
        let value = until.as_micros().to_string();
        if let Err(error) = self.setup.kept.put(vec![(HELD_UNTIL, value.into())]).await {
            tracing::error!(%error, "WhatsApp has banned the number for a while, and that is not kept");
        }
    }

    /// Asks for the links of what has none.
    async fn link(&self, media: &mut InboundMedia) {
        let Some(id) = media.file_id.as_ref().filter(|_| media.url.is_none()) else { return };
        if let Ok(Download::Link { url, name, mime }) = self.client.download(id, crate::http::LARGEST).await {
            media.url = Some(url);
            media.name = media.name.take().or(name);
            media.mime = media.mime.take().or(mime);
        }
    }
}

impl Provider for Whatsapp {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TEXT,
            caption: Some(CAPTION),
            sends: true,
            reply: true,
            album: delivery::Album::NONE,
            parse_modes: &[],
            media: &[
                MediaKind::Photo,
                MediaKind::Video,
                MediaKind::Animation,
                MediaKind::Voice,
                MediaKind::Audio,
                MediaKind::Document,
            ],
            actions: &[Action::Delete, Action::MarkRead, Action::Typing],
            states: &[MessageState::Delivered, MessageState::Read],
            dedup: Dedup::ReadBack,
        }
    }

    fn largest_post(&self) -> Option<usize> {
        Some(LARGEST_POST)
    }

    fn receives(&self) -> &'static [Incoming] {
        &[
            Incoming::Webhook,
            Incoming::Text,
            Incoming::Image,
            Incoming::Voice,
            Incoming::Audio,
            Incoming::Video,
            Incoming::Document,
            Incoming::Sticker,
            Incoming::Reply,
            Incoming::Edit,
            Incoming::Delete,
            Incoming::Reaction,
            Incoming::Owner,
            Incoming::Undelivered,
        ]
    }

    fn first_chat(&self, who: &str) -> Result<crate::FirstChat, crate::NoFirstChat> {
        crate::FirstChat::of_number(who, ("", "@c.us"))
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::from_millis(1_500), chat: Duration::from_millis(1_500), burst: 1 }
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        async move {
            if let Some(until) = self.held_until() {
                return Outcome::Held { until, scope: domain::outcome::HoldScope::Account };
            }
            sending::send(&self.client, &self.recent, outgoing).await
        }
        .boxed()
    }

    fn settles(&self, _: &Outgoing) -> Duration {
        SETTLES
    }

    fn find<'a>(&'a self, outgoing: &'a Outgoing, since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        async move { look::find(&self.client, &self.recent, outgoing, since).await }.boxed()
    }

    fn act<'a>(&'a self, chat: &'a ExternalChat, deed: &'a Deed) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let (path, query, body) = match deed {
                Deed::Delete { external_id } => {
                    ("/api/sync/message/delete", vec![], json!({ "message_id": external_id }))
                }
                // The message stands for its chat, all of which becomes read.
                Deed::MarkRead { external_id: Some(id) } => {
                    ("/api/sync/message/mark/read", vec![("mark_all", "true")], json!({ "message_id": id }))
                }
                Deed::Typing => {
                    let recipient = sending::recipient(chat)?;
                    ("/api/sync/chat/typing/start", vec![], json!({ "recipient": recipient }))
                }
                Deed::MarkRead { external_id: None } => {
                    return Err(CallError::refused(
                        "no_message",
                        "a message must be named to mark its chat as read",
                    ));
                }
                Deed::Edit { .. } => {
                    return Err(CallError::refused("not_supported", "Wappi has no call to edit a message"));
                }
            };
            self.client.post(path, &query, &body, crate::http::ANSWER).await.map(drop)
        }
        .boxed()
    }

    fn old_call<'a>(&'a self, call: &'a OldCall) -> BoxFuture<'a, Result<Value, CallError>> {
        async move {
            let OldCall::CheckNumber { digits } = call else {
                return Err(CallError::refused("not_supported", "Wappi has no such call"));
            };
            let reply = self.client.get("/api/sync/contact/check", &[("phone", digits)]).await?;
            let is_there = reply.get("on_whatsapp").and_then(Value::as_bool);
            let is_there =
                is_there.ok_or_else(|| CallError::Unreadable("no on_whatsapp in it".to_owned()))?;
            Ok(json!({ "on_whatsapp": is_there }))
        }
        .boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        // Not every cabinet sends the header. The secret in the address is there always.
        let secret = self.setup.header_secret();
        if post
            .header("authorization")
            .is_some_and(|given| !is_same(secret.expose_secret().as_bytes(), given))
        {
            return Err(HookRefusal::NotGenuine);
        }
        let body: Value =
            domain::lenient::json(&post.body).map_err(|_| HookRefusal::Unreadable("no JSON".to_owned()))?;
        let has_secret = !(self.setup.fields.old_hook && lacks_secret(post, &self.setup.hook_secret));
        let own = (&self.setup.fields.name, self.client.profile());
        inbound::read(&body, own, has_secret, self.now()).map(Hook::events)
    }

    fn complete(&self, mut events: Vec<InboundEvent>) -> BoxFuture<'_, Vec<InboundEvent>> {
        async move {
            for event in &mut events {
                match &mut event.change {
                    InboundChange::Message(message) => {
                        for media in &mut message.media {
                            self.link(media).await;
                        }
                    }
                    InboundChange::Receipt { receipt: InboundReceipt::Failed(why), at, .. }
                        if why == inbound::BANNED =>
                    {
                        self.hold(*at).await;
                    }
                    _ => {}
                }
            }
            events
        }
        .boxed()
    }

    fn missed(&self, since: Timestamp, _: Vec<ExternalChat>) -> ReadingHistories<'_> {
        Some(history::since(&self.client, since).boxed())
    }

    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        async move {
            let by_link = match &media.url {
                Some(url) => self.client.fetch(url, most).await,
                None => Err(CallError::NotFound("the file has no address".to_owned())),
            };
            // A link ends after some days; the message has a new one then.
            match (by_link, &media.file_id) {
                (Err(CallError::NotFound(_)), Some(id)) => match self.client.download(id, most).await? {
                    Download::Whole(fetched) => Ok(fetched),
                    Download::Link { url, .. } => self.client.fetch(&url, most).await,
                },
                (fetched, _) => fetched,
            }
        }
        .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        async move {
            let reply = self.client.status().await?;
            let word = |name: &str| reply.get(name).and_then(Value::as_str).unwrap_or_default();
            let mut missing = Vec::new();
            if reply.get("authorized").and_then(Value::as_bool) != Some(true) {
                let name = &self.setup.fields.name;
                missing.push(format!(
                    "the number is not signed in: scan the QR code (`switchboard channel login {name}`, or Wappi's cabinet)"
                ));
            }
            if !matches!(word("app_status"), "" | "open") {
                missing.push(format!("WhatsApp on the phone is {:?}: open it there", word("app_status")));
            }
            let name = if word("phone").is_empty() { String::new() } else { format!("+{}", word("phone")) };
            Ok(Identity { id: self.client.profile().to_owned(), name, missing, gap: None })
        }
        .boxed()
    }

    fn registered(&self) -> Option<BoxFuture<'_, Result<Registered, CallError>>> {
        let request = async move {
            let reply = self.client.status().await?;
            let url = reply.get("webhook_url").and_then(Value::as_str).filter(|url| !url.is_empty());
            let types = reply.get("webhook_types").and_then(Value::as_array);
            let is_posted = |kind: &str| types.is_none_or(|types| types.iter().any(|one| one == kind));
            // Which header goes along it does not say.
            let posting = Posting { gap: kinds_left_out(&TYPES, is_posted), ..Posting::BARE };
            Ok(Registered {
                urls: url.map(str::to_owned).into_iter().collect(),
                postings: vec![posting],
                signed_out: reply.get("authorized").and_then(Value::as_bool) == Some(false),
                ..Registered::default()
            })
        };
        Some(request.boxed())
    }

    fn register<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let secret = self.setup.header_secret();
            let query = [("url", url), ("auth", secret.expose_secret())];
            self.client.post("/api/webhook/url/set", &query, &Value::Null, crate::http::ANSWER).await?;
            self.client
                .post("/api/webhook/types/set", &[], &json!(TYPES), crate::http::ANSWER)
                .await
                .map(drop)
        }
        .boxed()
    }

    fn unregister<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let reply = self.client.status().await?;
            if reply.get("webhook_url").and_then(Value::as_str) != Some(url) {
                return Ok(());
            }
            self.client
                .post("/api/webhook/url/delete", &[], &Value::Null, crate::http::ANSWER)
                .await
                .map(drop)
        }
        .boxed()
    }

    fn log_in<'a>(&'a self, _back: Option<&'a str>) -> BoxFuture<'a, Result<LogIn, CallError>> {
        login::log_in(&self.client).boxed()
    }

    fn log_out(&self) -> BoxFuture<'_, Result<(), CallError>> {
        login::profile(&self.client, "logout").boxed()
    }

    fn restart(&self) -> BoxFuture<'_, Result<(), CallError>> {
        login::profile(&self.client, "restart").boxed()
    }
}
