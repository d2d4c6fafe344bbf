//! Avito's messenger: texts and pictures in the chats that buyers begin.

mod client;
mod forward;
mod inbound;
mod outcome;
mod poll;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ambient::lock::Mutex;
use delivery::{Action, Capabilities, Dedup, MediaKind, MessageLookup};
use domain::media::MediaForm;
use domain::outcome::SentIds;
use domain::text::{TextLimit, Unit};
use domain::{
    AccountName, AdSource, ExternalChat, InboundChange, InboundEvent, InboundKind, InboundMedia,
    InboundMessage, MessageOrigin, MessageState, Outcome, ProviderId, Timestamp, lenient,
};
use futures::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::CallError;
use crate::nature::{Nature, Registering};
use crate::old_call::OldCall;
use crate::posting::{Posting, Registered};
use crate::provider::{
    Deed, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Polled, Provider,
};
use crate::recent::Recent;
use crate::setup::{Setup, SetupError};
use crate::shared_hook::check_addressee;
use client::Client;
use outcome::About;

/// How long a token lives.
const TOKEN_LIVES: Duration = Duration::from_hours(24);
/// The largest picture.
const LARGEST_IMAGE: u64 = 24 * 1024 * 1024;
/// How far Avito's clock may be behind ours.
const CLOCKS: i64 = 5;
/// How long is looked which message another answers: the rest of what is known of it is not to be lost for that.
const QUOTE: Duration = Duration::from_millis(600);
/// The most chats that are remembered.
const REMEMBERED: usize = 10_000;

/// What its owner does at the provider, step by step, in English and in Russian.
const STEPS: &[[&str; 2]] = &[
    [
        "On avito.ru look whether the tariff has the messenger API; without it calls answer 402.",
        "На avito.ru проверьте, есть ли в тарифе API мессенджера; без него запросы отвечают 402.",
    ],
    [
        "In the profile, under API for developers, take the client_id and the client_secret.",
        "В профиле, в разделе API для разработчиков, возьмите client_id и client_secret.",
    ],
    ["Check here: the answer names the account.", "Нажмите здесь «Проверить»: в ответе будет имя аккаунта."],
];

/// What is true of all its accounts.
pub(crate) const NATURE: Nature = Nature {
    steps: STEPS,
    registering: Registering {
        by: "Avito",
        how: "post the expected address to /messenger/v3/webhook of Avito's API",
        credentials: "what Avito's cabinet shows for the application",
        secret: "client_secret",
        ..Registering::PLAIN
    },
    legacy: |stored, _| forward::legacy(stored),
    unread_answer: Some(""),
    ..Nature::PLAIN
};

/// An account.
///
/// # Errors
/// A key is missing or wrong.
pub(crate) fn make(setup: Setup) -> Result<Arc<dyn Provider>, SetupError> {
    let (name, recent) = (setup.fields.name.clone(), Recent::of(&setup.kept));
    Ok(Arc::new(Avito { client: Client::new(setup)?, name, chats: Mutex::default(), recent }))
}

struct Avito {
    client: Client,
    /// What it is called in the settings.
    name: AccountName,
    /// Who is on the other side, and what it is about, by chat.
    chats: Mutex<HashMap<String, ChatPeer>>,
    /// What was sent lately.
    recent: Recent,
}

/// The other side of a chat.
#[derive(Debug, Clone, Default)]
struct ChatPeer {
    user: Option<String>,
    name: Option<String>,
    item: Option<String>,
}

/// A picture that was uploaded.
#[derive(Debug, Serialize, Deserialize)]
struct Uploaded {
    image: String,
    #[serde(default)]
    urls: Vec<String>,
}

impl Provider for Avito {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TextLimit::new(1_000, Unit::Characters),
            caption: None,
            sends: true,
            reply: false,
            album: delivery::Album::NONE,
            parse_modes: &[],
            media: &[MediaKind::Photo],
            actions: &[Action::Delete, Action::MarkRead],
            states: &[MessageState::Read],
            dedup: Dedup::ReadBack,
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[
            Incoming::Poll,
            Incoming::Webhook,
            Incoming::Text,
            Incoming::Image,
            Incoming::Voice,
            Incoming::Reply,
            Incoming::Delete,
            Incoming::Owner,
        ]
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::from_millis(200), chat: Duration::from_secs(1), burst: 3 }
    }

    fn prepare<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Option<String>, Outcome>> {
        async move {
            let Some(file) = &outgoing.file else { return Ok(None) };
            let failed = |error: CallError| error.before_send().outcome(self.client.clock().now());
            if !matches!(file.form, MediaForm::Photo { .. }) || file.size > LARGEST_IMAGE {
                return Err(failed(CallError::refused("file", "Avito takes pictures of up to 24 MB only")));
            }
            let content = file.read().await?;
            let (image, urls) = self.client.upload(file, &content).await.map_err(failed)?;
            Ok(serde_json::to_string(&Uploaded { image, urls }).ok())
        }
        .boxed()
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        async move {
            match self.deliver(outgoing).await {
                Ok(id) => {
                    self.recent.add(&id);
                    Outcome::Sent(SentIds::one(Some(ProviderId::Text(id.into()))))
                }
                Err(error) => error.outcome(self.client.clock().now()),
            }
        }
        .boxed()
    }

    fn settles(&self, _: &Outgoing) -> Duration {
        poll::SETTLES
    }

    fn find<'a>(&'a self, outgoing: &'a Outgoing, since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        async move {
            let from = self.client.http().by_its_clock(since).as_seconds() - CLOCKS;
            let messages = poll::history(&self.client, outgoing.chat.as_str(), from).await;
            let Ok(messages) = messages else { return MessageLookup::CannotTell };
            let id = |message: &Value| message["id"].as_str().map(str::to_owned);
            let is_known = |message: &Value| id(message).is_some_and(|id| self.recent.has(&id));
            let own = messages.iter().rev().filter(|it| it["direction"] == "out" && !is_known(it));
            let mut is_unsure = false;
            let (is_picture, uploaded) = (outgoing.file.is_some(), uploaded(outgoing));
            let is_it = |message: &Value| match &uploaded {
                Some(it) if is_picture => inbound::is_picture(message, &it.image, &it.urls),
                _ if is_picture => false,
                _ => message["content"]["text"].as_str().map(str::trim) == Some(outgoing.text.text.trim()),
            };
            let kind = if is_picture { "image" } else { "text" };
            for message in own {
                if message["type"] == kind && is_it(message) {
                    return MessageLookup::Here(SentIds::one(
                        id(message).map(|id| ProviderId::Text(id.into())),
                    ));
                }
                // Another picture may be this one, and so may be what is no longer shown.
                is_unsure |= message["type"] == "deleted" || (is_picture && message["type"] == kind);
            }
            if is_unsure { MessageLookup::CannotTell } else { MessageLookup::NotThere }
        }
        .boxed()
    }

    fn act<'a>(&'a self, chat: &'a ExternalChat, deed: &'a Deed) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let chat = chat.as_str();
            let path = match deed {
                Deed::Delete { external_id } => vec!["chats", chat, "messages", external_id],
                Deed::MarkRead { .. } => vec!["chats", chat, "read"],
                Deed::Edit { .. } | Deed::Typing => {
                    return Err(CallError::refused("not_supported", "Avito has no such call"));
                }
            };
            let url = self.client.messenger("v1", &path).await?;
            self.client.post(About::Chat, &url, None).await.map(drop)
        }
        .boxed()
    }

    fn old_call<'a>(&'a self, call: &'a OldCall) -> BoxFuture<'a, Result<Value, CallError>> {
        async move {
            let OldCall::Block { user, because } = call else {
                return Err(CallError::refused("not_supported", "Avito has no such call"));
            };
            let mut blocked = json!({ "user_id": user });
            if let Some((item, reason)) = because {
                blocked["context"] = json!({ "item_id": item, "reason_id": reason });
            }
            let url = self.client.messenger("v2", &["blacklist"]).await?;
            // The answer is empty.
            self.client.post(About::Account, &url, Some(&json!({ "users": [blocked] }))).await?;
            Ok(Value::Null)
        }
        .boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        let unreadable = |why: &str| HookRefusal::Unreadable(why.to_owned());
        let posted: Value = lenient::json(&post.body).map_err(|_| unreadable("it is no JSON"))?;
        let payload = &posted["payload"];
        let message = &payload["value"];
        let Some(user) = lenient::number(&message["user_id"]) else {
            return Err(unreadable("it has no user_id"));
        };
        // Posts carry a signature whose key is not published: the address is the secret, and the account is checked.
        check_addressee(&self.name, self.client.cached_owner().map(|owner| owner.id), &user)?;
        if payload["type"] != "message" {
            let kind = payload["type"].as_str().unwrap_or("unknown");
            return Ok(Hook::events(vec![InboundEvent::notice(format!("a post of the kind {kind}"))]));
        }
        let chat = lenient::id(&message["chat_id"]).unwrap_or_default();
        let raw = String::from_utf8_lossy(&post.body);
        Ok(Hook::events(inbound::events(message, &chat, user, &raw, self.client.clock().now())))
    }

    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> Option<BoxFuture<'a, Result<Polled, CallError>>> {
        Some(poll::poll(&self.client, cursor).boxed())
    }

    /// It posts neither that a message was read nor that one was deleted later on.
    fn polls_beside_posts(&self) -> bool {
        true
    }

    fn complete(&self, mut events: Vec<InboundEvent>) -> BoxFuture<'_, Vec<InboundEvent>> {
        async move {
            for event in &mut events {
                if let InboundChange::Message(message) = &mut event.change {
                    self.complete_message(message).await;
                    if message.origin == MessageOrigin::Person && inbound::is_posted(message) {
                        let asking = poll::quoted(&self.client, message);
                        let found = self.client.clock().timeout(QUOTE, asking).await;
                        message.reply_to = found.ok().and_then(Result::ok).flatten();
                    }
                }
            }
            events
        }
        .boxed()
    }

    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        async move {
            let gone = || CallError::NotFound("Avito gives no address of the file".to_owned());
            let url = match (&media.file_id, media.kind) {
                // Its addresses die within an hour: it gets a new one.
                (Some(id), InboundKind::Voice) => self.voice(id).await?,
                _ => media.url.clone(),
            };
            let http = self.client.http();
            http.download(http.get(&url.ok_or_else(gone)?), most).await
        }
        .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        async move {
            let owner = self.client.ask_owner().await?;
            let mut url = self.client.messenger("v2", &["chats"]).await?;
            url.query_pairs_mut().append_pair("limit", "1");
            let missing = match self.client.get(About::Account, &url).await {
                Ok(_) => Vec::new(),
                Err(CallError::Account(why)) => vec![format!("reading messages: {why}")],
                Err(error) => return Err(error),
            };
            Ok(Identity { id: owner.id.to_string(), name: owner.name, missing, gap: None })
        }
        .boxed()
    }

    fn registered(&self) -> Option<BoxFuture<'_, Result<Registered, CallError>>> {
        let registered = async move {
            let urls = self.subscriptions().await?;
            // It takes no secret when an address is registered.
            let postings = vec![Posting::BARE; urls.len()];
            Ok(Registered { urls, postings, ..Registered::default() })
        };
        Some(registered.boxed())
    }

    fn register<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            // Posts are held against whose account it is.
            self.client.owner().await?;
            let known = self.subscriptions().await?;
            if !known.iter().any(|known| known == url) {
                let call = self.client.url(&["messenger", "v3", "webhook"]);
                self.client.post(About::Account, &call, Some(&json!({ "url": url }))).await?;
            }
            for other in known.iter().filter(|known| *known != url) {
                self.unregister(other).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn unregister<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let call = self.client.url(&["messenger", "v1", "webhook", "unsubscribe"]);
            self.client.post(About::Account, &call, Some(&json!({ "url": url }))).await.map(drop)
        }
        .boxed()
    }

    fn renew_token(&self) -> BoxFuture<'_, Result<(), CallError>> {
        self.client.renew_token().boxed()
    }

    fn token_expires(&self) -> Option<Timestamp> {
        self.client.token_expires()
    }

    fn token_start(&self, most: usize) -> Option<String> {
        self.client.token_start(most)
    }

    /// The first call gets the first one.
    fn token_lives(&self) -> Option<Duration> {
        self.client.token_expires().map(|_| TOKEN_LIVES)
    }
}

impl Avito {
    /// Sends a message: its id.
    async fn deliver(&self, outgoing: &Outgoing) -> Result<String, CallError> {
        let chat = outgoing.chat.as_str();
        let (path, body) = if outgoing.file.is_some() {
            let unprepared = || CallError::Unprepared("the picture is not uploaded".to_owned());
            let image = uploaded(outgoing).ok_or_else(unprepared)?.image;
            (vec!["chats", chat, "messages", "image"], json!({ "image_id": image }))
        } else {
            let body = json!({ "type": "text", "message": { "text": outgoing.text.text } });
            (vec!["chats", chat, "messages"], body)
        };
        let url = self.client.messenger("v1", &path).await.map_err(CallError::before_send)?;
        let reply: Value = self.client.post(About::Chat, &url, Some(&body)).await?.json()?;
        let id = reply["id"].as_str().filter(|id| !id.is_empty());
        id.map(str::to_owned).ok_or_else(|| CallError::Unreadable("no id in it".to_owned()))
    }

    async fn subscriptions(&self) -> Result<Vec<String>, CallError> {
        let url = self.client.url(&["messenger", "v1", "subscriptions"]);
        let reply: Value = self.client.post(About::Account, &url, None).await?.json()?;
        let all = reply["subscriptions"].as_array();
        let all = all.ok_or_else(|| CallError::Unreadable("no subscriptions in it".to_owned()))?;
        Ok(all.iter().filter_map(|one| one["url"].as_str().map(str::to_owned)).collect())
    }

    /// Where a recording can be fetched for an hour.
    async fn voice(&self, id: &str) -> Result<Option<String>, CallError> {
        let mut url = self.client.messenger("v1", &["getVoiceFiles"]).await?;
        url.query_pairs_mut().append_pair("voice_ids", id);
        let reply = self.client.get(About::Account, &url).await?;
        Ok(reply["voices_urls"][id].as_str().map(str::to_owned))
    }

    /// The name of the customer, what the chat is about, addresses of recordings.
    async fn complete_message(&self, message: &mut InboundMessage) {
        if let Some(peer) = self.peer(message.chat.as_str()).await {
            message.name = peer.name;
            if message.origin == MessageOrigin::Owner {
                message.user = peer.user;
            }
            if message.ad.is_none() {
                message.ad = peer.item.map(|id| AdSource { channel: "avito".to_owned(), id: Some(id) });
            }
        }
        for media in &mut message.media {
            if let (InboundKind::Voice, None, Some(id)) = (media.kind, &media.url, &media.file_id) {
                media.url = self.voice(id).await.ok().flatten();
            }
        }
    }

    /// The other side of a chat; asked once.
    async fn peer(&self, chat: &str) -> Option<ChatPeer> {
        if let Some(known) = self.chats.lock().get(chat) {
            return Some(known.clone());
        }
        let owner = self.client.owner().await.ok()?.id;
        let url = self.client.messenger("v2", &["chats", chat]).await.ok()?;
        let reply = self.client.get(About::Chat, &url).await.ok()?;
        let other =
            reply["users"].as_array()?.iter().find(|user| lenient::number(&user["id"]) != Some(owner));
        let peer = ChatPeer {
            user: other.and_then(|user| lenient::id(&user["id"])),
            name: other.and_then(|user| user["name"].as_str()).map(str::to_owned),
            item: lenient::id(&reply["context"]["value"]["id"]),
        };
        let mut chats = self.chats.lock();
        if chats.len() >= REMEMBERED {
            chats.clear();
        }
        chats.insert(chat.to_owned(), peer.clone());
        Some(peer)
    }
}

/// The picture that was made ready.
fn uploaded(outgoing: &Outgoing) -> Option<Uploaded> {
    serde_json::from_str(outgoing.prepared.as_deref()?).ok()
}
