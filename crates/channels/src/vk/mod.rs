//! Messages of a VK community.

mod client;
mod content;
mod history;
mod inbound;
mod long_poll;
mod outcome;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ambient::lock::Mutex;
use delivery::{Action, Album, Capabilities, Dedup, MediaKind, MessageLookup};
use domain::outcome::SentIds;
use domain::secret::ExposeSecret;
use domain::text::{TextLimit, Unit};
use domain::{
    AccountName, ExternalChat, InboundChange, InboundEvent, InboundMedia, MessageState, Outcome, ProviderId,
    SecretText, Timestamp,
};
use futures::future::{BoxFuture, FutureExt, join};
use serde_json::{Value, json};

use crate::error::CallError;
use crate::histories::ReadingHistories;
use crate::http::ANSWER;
use crate::nature::{self, Nature, Registering};
use crate::old_call::OldCall;
use crate::posting::{Posting, PostingState, Registered, kinds_left_out};
use crate::provider::{
    Deed, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Polled, Provider,
};
use crate::setup::{Setup, SetupError, ends_with_secret, is_same, lacks_secret};
use crate::shared_hook::check_addressee;
use crate::stored_values::StoredValues;
use client::{Client, VERSION, attachment};
use inbound::{KINDS, PRESS, events, external_id, parts};
use long_poll::LongPoll;
use outcome::refusal;

/// How long VK knows the key of a message.
const KEY_LIFETIME: Duration = Duration::from_hours(1);
/// How long presses are answered: what came in is not held up for them.
const PRESSES: Duration = Duration::from_secs(1);
/// The most servers that a community has.
const MOST_SERVERS: usize = 10;
/// The name of our server in the pages of the community.
const TITLE: &str = "switchboard";
/// How long the name of a person is good, and how many are remembered.
const NAME_GOOD: Duration = Duration::from_hours(24);
const MOST_NAMES: usize = 10_000;
/// From this number on a peer is a chat of several.
const FIRST_CHAT: i64 = 2_000_000_000;
/// The rights that the key of a community needs, and what for.
const RIGHTS: [(&str, &str); 4] = [
    ("messages", "to read and send messages"),
    ("photos", "to send pictures"),
    ("docs", "to send files and voice messages"),
    ("manage", "to register the address that VK posts to"),
];

/// How VK refuses the buttons of a message: they are wrong, or the abilities of bots are off.
const WRONG_BUTTONS: &str = "911";
const NO_BOTS: &str = "912";
/// What is missing then.
const BOTS: &str = "the abilities of bots, for buttons under messages: Manage, Messages, settings of the bot";

/// What its owner does at the provider, step by step, in English and in Russian.
const STEPS: &[[&str; 2]] = &[
    [
        "In the community: Manage, Messages: switch messages on; in their settings, the abilities of bots too.",
        "В сообществе: Управление, Сообщения: включите сообщения, а в их настройках — возможности ботов.",
    ],
    [
        "Manage, API usage, Access keys: make a key with management, messages, photos and documents; it is token.",
        "Управление, Работа с API, Ключи доступа: создайте ключ с правами на управление, сообщения, фото и документы; это token.",
    ],
    [
        "The number of the community, from its address club100, is group_id.",
        "Номер сообщества из адреса вида club100 — это group_id.",
    ],
];

/// What is true of all its accounts.
pub(crate) const NATURE: Nature = Nature {
    steps: STEPS,
    token: ["The access key of the community.", "Ключ доступа сообщества."],
    chat_type: inbound::chat_type,
    user: nature::number_of_user,
    registering: Registering {
        by: "VK",
        how: "add the expected address as a server under Manage, API usage, Callback API of the community",
        credentials: "what the community shows under Manage, API usage: its number, and a key with the right `manage`",
        place: Some("group_id"),
        secret_has_rights: true,
        without_secret: "give the server a secret key in the community's settings, and have the receiver compare it",
        ..Registering::PLAIN
    },
    unread_answer: Some("ok"),
    ..Nature::PLAIN
};

/// An account.
///
/// # Errors
/// A key is missing or wrong.
pub(crate) fn make(setup: Setup) -> Result<Arc<dyn Provider>, SetupError> {
    Ok(Arc::new(Vk {
        client: Client::new(&setup)?,
        secret: setup.header_secret(),
        name: setup.fields.name,
        lacks_bots: AtomicBool::default(),
        old_hook: setup.fields.old_hook,
        hook_secret: setup.hook_secret,
        stored: setup.kept,
        long_poll: LongPoll::default(),
        names: Mutex::default(),
    }))
}

struct Vk {
    client: Client,
    name: AccountName,
    /// Whether VK refused buttons last because the abilities of bots are off.
    lacks_bots: AtomicBool,
    /// What each post has in it.
    secret: SecretText,
    /// Whether posts to the address of the old server are taken, which have another secret.
    old_hook: bool,
    hook_secret: SecretText,
    stored: StoredValues,
    long_poll: LongPoll,
    /// What people are called, and until when that is good.
    names: Mutex<HashMap<i64, (String, Timestamp)>>,
}

/// The status of a server that VK posts to no more.
const FAILED: &str = "failed";

/// An address that VK posts to.
struct CallbackServer {
    id: i64,
    url: String,
    secret: String,
    status: String,
}

impl CallbackServer {
    fn posting(&self, gap: Option<String>) -> Posting {
        let state = match self.status.as_str() {
            "unconfigured" | "wait" => PostingState::Unconfirmed,
            FAILED => PostingState::Failed,
            _ => PostingState::Works,
        };
        Posting { state, has_secret: Some(!self.secret.is_empty()), gap }
    }
}

impl Provider for Vk {
    fn capabilities(&self) -> Capabilities {
        let text = TextLimit::new(4_096, Unit::Characters);
        Capabilities {
            text,
            caption: Some(text),
            sends: true,
            reply: true,
            album: Album { mixed: true, ..Album::of_one_kind(10) },
            parse_modes: &[],
            // Films leave as documents: a community has no other upload for them, and none for music.
            media: &[
                MediaKind::Photo,
                MediaKind::Video,
                MediaKind::Animation,
                MediaKind::Voice,
                MediaKind::Document,
            ],
            actions: &[Action::Edit, Action::Delete, Action::MarkRead, Action::Typing],
            states: &[MessageState::Read],
            // An attempt may wait for its turn, and then for its answer; and both once more without its buttons.
            dedup: Dedup::Key { window: Some(KEY_LIFETIME.saturating_sub(ANSWER.saturating_mul(4))) },
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[
            Incoming::Poll,
            Incoming::Webhook,
            Incoming::Text,
            Incoming::Image,
            Incoming::Voice,
            Incoming::Document,
            Incoming::Sticker,
            Incoming::Reply,
            Incoming::Edit,
            Incoming::Reaction,
            Incoming::Press,
            Incoming::Owner,
            Incoming::Reachable,
        ]
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::from_millis(70), chat: Duration::from_millis(500), burst: 5 }
    }

    fn prepare<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Option<String>, Outcome>> {
        async move {
            let Some(file) = &outgoing.file else { return Ok(None) };
            let failed = |error: CallError| error.before_send().outcome(self.client.clock().now());
            let content = file.part().await?;
            let uploaded = self.client.upload(outgoing.chat.as_str(), file, content).await;
            uploaded.map(Some).map_err(failed)
        }
        .boxed()
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        async move {
            match self.deliver(outgoing).await {
                Ok(id) => Outcome::Sent(SentIds::one(Some(ProviderId::Text(id.into())))),
                Err(error) => error.outcome(self.client.clock().now()),
            }
        }
        .boxed()
    }

    fn find<'a>(&'a self, outgoing: &'a Outgoing, since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        async move {
            let parameters = [("peer_id", outgoing.chat.as_str()), ("count", "200")];
            let Ok(reply) = self.client.call("messages.getHistory", &parameters).await else {
                return MessageLookup::CannotTell;
            };
            let Some(all) = reply["items"].as_array() else { return MessageLookup::CannotTell };
            let key = i64::from(random_id(outgoing.key));
            let found = all.iter().find(|it| it["out"] == 1 && it["random_id"].as_i64() == Some(key));
            let reaches_back = all.len() < 200
                || all
                    .last()
                    .and_then(|it| it["date"].as_i64())
                    .is_some_and(|date| date < since.as_seconds());
            match found {
                Some(message) => {
                    let id = long_poll::id_of(message).map(|id| ProviderId::Text(id.into()));
                    MessageLookup::Here(SentIds::one(id))
                }
                None if reaches_back => MessageLookup::NotThere,
                None => MessageLookup::CannotTell,
            }
        }
        .boxed()
    }

    fn act<'a>(&'a self, chat: &'a ExternalChat, deed: &'a Deed) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let peer = ("peer_id", chat.as_str());
            match deed {
                Deed::Edit { external_id, text } => self.edit(chat, external_id, text).await,
                Deed::Delete { external_id } => {
                    let parameters =
                        [peer, ("cmids", number_in(chat, external_id)?), ("delete_for_all", "1")];
                    deleted(&self.client.call("messages.delete", &parameters).await?)
                }
                Deed::MarkRead { external_id } => {
                    let mut parameters = vec![peer, ("mark_conversation_as_read", "1")];
                    if let Some(id) = external_id {
                        parameters.push(("up_to_cmid", number_in(chat, id)?));
                    }
                    self.client.call("messages.markAsRead", &parameters).await.map(drop)
                }
                Deed::Typing => {
                    self.client.call("messages.setActivity", &[peer, ("type", "typing")]).await.map(drop)
                }
            }
        }
        .boxed()
    }

    fn old_call<'a>(&'a self, call: &'a OldCall) -> BoxFuture<'a, Result<Value, CallError>> {
        async move {
            match call {
                OldCall::ConfirmationCode => {
                    let reply = self.client.of_group("groups.getCallbackConfirmationCode", &[]).await?;
                    let code = reply["code"].as_str();
                    let code = code.ok_or_else(|| CallError::Unreadable("no code in it".to_owned()))?;
                    Ok(json!({ "code": code }))
                }
                OldCall::CallbackSettings { url, events } => self.set_events(url, events).await,
                _ => Err(CallError::refused("not_supported", "VK has no such call")),
            }
        }
        .boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        let unreadable = |why: &str| HookRefusal::Unreadable(why.to_owned());
        let update: Value = domain::lenient::json(&post.body).map_err(|_| unreadable("it is no JSON"))?;
        let is_old = self.old_hook && lacks_secret(post, &self.hook_secret);
        let secret = update["secret"].as_str().unwrap_or_default();
        if !is_old && !is_same(self.secret.expose_secret().as_bytes(), secret.as_bytes()) {
            return Err(HookRefusal::NotGenuine);
        }
        let group = self.client.group();
        check_addressee(&self.name, Some(Value::from(group)), &update["group_id"])?;
        if update["type"] == "confirmation" {
            let code = self.stored.text("confirmation");
            return code.map(Hook::text).ok_or_else(|| unreadable("no address was registered from here"));
        }
        let events = events(&update, group, self.client.clock().now());
        Ok(Hook { events, answer: Hook::text("ok").answer })
    }

    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> Option<BoxFuture<'a, Result<Polled, CallError>>> {
        Some(long_poll::poll(&self.client, &self.long_poll, cursor).boxed())
    }

    fn missed(&self, since: Timestamp, _: Vec<ExternalChat>) -> ReadingHistories<'_> {
        Some(history::since(&self.client, since).boxed())
    }

    fn complete(&self, mut events: Vec<InboundEvent>) -> BoxFuture<'_, Vec<InboundEvent>> {
        async move {
            let person = |event: &InboundEvent| match &event.change {
                InboundChange::Message(message) => {
                    message.user.as_deref()?.parse().ok().filter(|id| (1..FIRST_CHAT).contains(id))
                }
                _ => None,
            };
            let ids: Vec<i64> = events.iter().filter_map(person).collect();
            let presses = self.client.clock().timeout(PRESSES, self.answer_presses(&events));
            let ((), _) = join(self.learn_names(&ids), presses).await;
            let names = self.names.lock();
            for event in &mut events {
                let name = person(event).and_then(|id| names.get(&id)).map(|(name, _)| name.clone());
                if let InboundChange::Message(message) = &mut event.change {
                    message.name = name;
                }
            }
            drop(names);
            events
        }
        .boxed()
    }

    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        async move {
            let gone = || CallError::NotFound("VK gives no address of the file".to_owned());
            let http = self.client.http();
            http.download(http.get(media.url.as_deref().ok_or_else(gone)?), most).await
        }
        .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        async move {
            let reply = self.client.of_group("groups.getById", &[]).await?;
            let group = &reply["groups"][0];
            let id = group["id"].as_i64().ok_or_else(|| CallError::Unreadable("no id in it".to_owned()))?;
            let rights = self.client.of_group("groups.getTokenPermissions", &[]).await?;
            let has = |right: &str| {
                rights["permissions"].as_array().is_some_and(|all| all.iter().any(|it| it["name"] == right))
            };
            let missing = RIGHTS.iter().filter(|(right, _)| !has(right));
            let missing = missing.map(|(right, what_for)| format!("the right `{right}`, {what_for}"));
            let bots = self.lacks_bots.load(Ordering::Relaxed).then(|| BOTS.to_owned());
            Ok(Identity {
                id: id.to_string(),
                name: group["name"].as_str().unwrap_or_default().to_owned(),
                missing: missing.chain(bots).collect(),
                gap: None,
            })
        }
        .boxed()
    }

    fn registered(&self) -> Option<BoxFuture<'_, Result<Registered, CallError>>> {
        let registered = async move {
            let servers = self.servers().await?;
            let bad = servers.iter().find(|server| server.status == FAILED);
            let mut postings = Vec::with_capacity(servers.len());
            for server in &servers {
                postings.push(server.posting(self.gap(server).await));
            }
            Ok(Registered {
                // The path of its address is a secret.
                last_error: bad.map(|server| format!("VK gave up on its server of number {}", server.id)),
                postings,
                urls: servers.into_iter().map(|server| server.url).collect(),
                ..Registered::default()
            })
        };
        Some(registered.boxed())
    }

    fn register<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let unreadable = || CallError::Unreadable("no code or server_id in it".to_owned());
            let reply = self.client.of_group("groups.getCallbackConfirmationCode", &[]).await?;
            let code = reply["code"].as_str().ok_or_else(unreadable)?.to_owned();
            let kept = self.stored.put(vec![("confirmation", code.into())]).await;
            kept.map_err(|error| CallError::refused("store", error.to_string()))?;
            let secret = self.secret.expose_secret();
            let mut known = self.servers().await?;
            // One that VK gave up on stays so: another one is added in its place.
            let is_same = |server: &CallbackServer| {
                server.url == url && server.secret == secret && server.status != FAILED
            };
            let same = known.iter().position(is_same);
            let id = if let Some(place) = same {
                known.remove(place).id
            } else {
                if known.len() >= MOST_SERVERS {
                    self.remove(&known.remove(0)).await?;
                }
                let parameters = [("url", url), ("title", TITLE), ("secret_key", secret)];
                let reply = self.client.of_group("groups.addCallbackServer", &parameters).await?;
                reply["server_id"].as_i64().ok_or_else(unreadable)?
            };
            let id = id.to_string();
            let kinds = KINDS.iter().map(|kind| (*kind, "1"));
            let settings: Vec<(&str, &str)> =
                [("server_id", id.as_str()), ("api_version", VERSION)].into_iter().chain(kinds).collect();
            self.client.of_group("groups.setCallbackSettings", &settings).await?;
            for other in &known {
                self.remove(other).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn unregister<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            for server in self.servers().await?.iter().filter(|server| server.url == url) {
                self.remove(server).await?;
            }
            Ok(())
        }
        .boxed()
    }
}

impl Vk {
    /// Sends a message: its id.
    async fn deliver(&self, outgoing: &Outgoing) -> Result<String, CallError> {
        let peer = outgoing.chat.as_str();
        if peer.parse::<i64>().is_err() {
            return Err(CallError::NotFound("the number of a chat was expected".to_owned()));
        }
        let key = random_id(outgoing.key).to_string();
        // With `peer_ids` the answer has the number of the message in its chat.
        let mut parameters = vec![("peer_ids", peer), ("random_id", key.as_str())];
        let text = outgoing.text.text.as_str();
        if !text.is_empty() {
            parameters.push(("message", text));
        }
        let unprepared = || CallError::Unprepared("the file is not uploaded".to_owned());
        let attached: Option<Vec<&str>> = outgoing.files().map(|(_, prepared)| prepared).collect();
        let option = |name: &str| outgoing.provider_options.as_ref()?.get(name)?.as_str();
        let attached = attached.ok_or_else(unprepared)?.into_iter().chain(option("attachment"));
        let attached = attached.collect::<Vec<_>>().join(",");
        if !attached.is_empty() {
            parameters.push(("attachment", &attached));
        }
        let buttons = option("keyboard").map(|keyboard| ("keyboard", keyboard));
        parameters.extend(buttons);
        if !outgoing.preview {
            parameters.push(("dont_parse_links", "1"));
        }
        let answered = outgoing.reply_to.as_ref().map(ToString::to_string);
        let forward = answered.as_deref().and_then(parts).map(|(peer, number)| {
            let ids: Vec<i64> = number.parse().into_iter().collect();
            json!({ "peer_id": peer.parse::<i64>().ok(), "conversation_message_ids": ids, "is_reply": true })
                .to_string()
        });
        if let Some(forward) = &forward {
            parameters.push(("forward", forward));
        }
        let sent = self.post(&parameters).await;
        if buttons.is_none() {
            return sent;
        }
        match sent {
            Err(CallError::Refused { code, .. }) if matches!(code.as_str(), WRONG_BUTTONS | NO_BOTS) => {
                tracing::warn!(account = %self.name, %code, "VK refuses the buttons of a message; it is sent without them");
                self.lacks_bots.fetch_or(code == NO_BOTS, Ordering::Relaxed);
                parameters.retain(|(name, _)| *name != "keyboard");
                self.post(&parameters).await
            }
            sent => {
                self.lacks_bots.fetch_and(sent.is_err(), Ordering::Relaxed);
                sent
            }
        }
    }

    /// Has VK send what is asked for: the id of the message.
    async fn post(&self, parameters: &[(&str, &str)]) -> Result<String, CallError> {
        let reply = self.client.call("messages.send", parameters).await?;
        let sent = &reply[0];
        let error = &sent["error"];
        if let Some(code) = error["code"].as_i64() {
            return Err(refusal(code, error["description"].as_str().unwrap_or_default()));
        }
        match (sent["peer_id"].as_i64(), sent["conversation_message_id"].as_i64()) {
            (Some(peer), Some(number)) if number > 0 => Ok(external_id(peer, number)),
            _ => Err(CallError::Unreadable("no number of the message in it".to_owned())),
        }
    }

    /// Changes the text of a message. What is attached to it stays: VK removes what is not named again.
    async fn edit(&self, chat: &ExternalChat, external_id: &str, text: &str) -> Result<(), CallError> {
        let (peer, number) = (chat.as_str(), number_in(chat, external_id)?);
        let parameters = [("peer_id", peer), ("conversation_message_ids", number)];
        let reply = self.client.call("messages.getByConversationMessageId", &parameters).await?;
        let attached = reply["items"][0]["attachments"].as_array().into_iter().flatten();
        let names = attached.filter_map(|it| {
            let kind = it["type"].as_str()?;
            attachment(kind, &it[kind])
        });
        let attached = names.collect::<Vec<_>>().join(",");
        let mut parameters = vec![("peer_id", peer), ("cmid", number), ("message", text)];
        if !attached.is_empty() {
            parameters.push(("attachment", &attached));
        }
        self.client.call("messages.edit", &parameters).await.map(drop)
    }

    /// Says which events are posted to an address. What this program reads stays on: an address without it would be deaf.
    async fn set_events(&self, url: &str, events: &[(String, bool)]) -> Result<Value, CallError> {
        if let Some((kind, _)) = events.iter().find(|(kind, is_on)| !is_on && KINDS.contains(&kind.as_str()))
        {
            let detail = format!("`{kind}` stays on: messages come in by it");
            return Err(CallError::refused("needed", detail));
        }
        let servers = self.servers().await?;
        let server = servers.iter().find(|server| server.url == url);
        let server = server.ok_or_else(|| CallError::NotFound("no server has this address".to_owned()))?;
        let id = server.id.to_string();
        let needed = KINDS.iter().map(|kind| (*kind, "1"));
        let others = events.iter().filter(|(kind, _)| !KINDS.contains(&kind.as_str()));
        let others = others.map(|(kind, is_on)| (kind.as_str(), if *is_on { "1" } else { "0" }));
        let settings: Vec<(&str, &str)> = [("server_id", id.as_str()), ("api_version", VERSION)]
            .into_iter()
            .chain(needed)
            .chain(others)
            .collect();
        self.client.of_group("groups.setCallbackSettings", &settings).await
    }

    async fn servers(&self) -> Result<Vec<CallbackServer>, CallError> {
        let reply = self.client.of_group("groups.getCallbackServers", &[]).await?;
        let all =
            reply["items"].as_array().ok_or_else(|| CallError::Unreadable("no items in it".to_owned()))?;
        let word = |server: &Value, name: &str| server[name].as_str().unwrap_or_default().to_owned();
        let server = |it: &Value| {
            let (url, secret, status) = (word(it, "url"), word(it, "secret_key"), word(it, "status"));
            Some(CallbackServer { id: it["id"].as_i64()?, url, secret, status })
        };
        Ok(all.iter().filter_map(server).collect())
    }

    /// How an address of ours differs from what is registered from here; nothing of other addresses, or where VK does not say it.
    async fn gap(&self, server: &CallbackServer) -> Option<String> {
        let is_own = ends_with_secret(&server.url, &self.hook_secret);
        let has_our_secret = server.secret == self.secret.expose_secret();
        if is_own && !has_our_secret {
            return Some("its secret key is another".to_owned());
        }
        if !has_our_secret && !self.old_hook {
            return None;
        }
        let id = server.id.to_string();
        let settings =
            self.client.of_group("groups.getCallbackSettings", &[("server_id", &id)]).await.ok()?;
        kinds_left_out(&KINDS, |kind| settings["events"][kind] != 0)
    }

    async fn remove(&self, server: &CallbackServer) -> Result<(), CallError> {
        let id = server.id.to_string();
        self.client.of_group("groups.deleteCallbackServer", &[("server_id", &id)]).await.map(drop)
    }

    /// Answers presses, so that those who pressed no longer wait. Whether it works is of no matter.
    async fn answer_presses(&self, events: &[InboundEvent]) {
        for event in events {
            let InboundChange::Message(message) = &event.change else { continue };
            let (Some((_, id)), Some(user)) = (message.external_id.split_once(PRESS), &message.user) else {
                continue;
            };
            let parameters =
                [("event_id", id), ("user_id", user.as_str()), ("peer_id", message.chat.as_str())];
            if let Err(error) = self.client.call("messages.sendMessageEventAnswer", &parameters).await {
                tracing::debug!(%error, "a press is not answered");
            }
        }
    }

    /// Asks what these people are called, unless that is known.
    async fn learn_names(&self, ids: &[i64]) {
        let now = self.client.clock().now();
        let missing = {
            let names = self.names.lock();
            let is_known = |id: &i64| names.get(id).is_some_and(|(_, until)| now < *until);
            let mut missing: Vec<i64> = ids.iter().copied().filter(|id| !is_known(id)).collect();
            missing.sort_unstable();
            missing.dedup();
            missing.truncate(1_000);
            missing
        };
        if missing.is_empty() {
            return;
        }
        let missing = missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let Ok(reply) = self.client.call("users.get", &[("user_ids", &missing)]).await else { return };
        let mut names = self.names.lock();
        if names.len() > MOST_NAMES {
            names.clear();
        }
        for user in reply.as_array().into_iter().flatten() {
            let word = |name: &str| user[name].as_str().unwrap_or_default();
            let name = format!("{} {}", word("first_name"), word("last_name")).trim().to_owned();
            if let (Some(id), false) = (user["id"].as_i64(), name.is_empty()) {
                names.insert(id, (name, now.plus(NAME_GOOD)));
            }
        }
    }
}

/// The number of a message that is of this chat.
fn number_in<'a>(chat: &ExternalChat, external_id: &'a str) -> Result<&'a str, CallError> {
    let parts = parts(external_id);
    let (peer, number) =
        parts.ok_or_else(|| CallError::NotFound("this is no id of a message of VK".to_owned()))?;
    if peer == chat.as_str() {
        Ok(number)
    } else {
        Err(CallError::refused("no_message", "the message is of another chat"))
    }
}

/// Whether a message was deleted: the answer has it for each.
fn deleted(reply: &Value) -> Result<(), CallError> {
    let first = reply.get(0).or_else(|| reply.as_object()?.values().next()).unwrap_or(reply);
    let error = &first["error"];
    if let Some(code) = error["code"].as_i64() {
        return Err(refusal(code, error["description"].as_str().unwrap_or_default()));
    }
    if *first == 1 || first["response"] == 1 {
        Ok(())
    } else {
        Err(CallError::refused("delete", "the message is not deleted"))
    }
}

/// The key of a message as VK takes it: never 0, which would be none.
fn random_id(key: i64) -> i32 {
    let bytes = key.to_be_bytes();
    let half = |at: usize| i32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    match half(0) ^ half(4) {
        0 => 1,
        key => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_a_number_in_its_own_chat_alone() {
        let chat = ExternalChat::new("2001").expect("a chat");
        assert_eq!(number_in(&chat, "2001:17"), Ok("17"));
        for other in ["2002:17", "02001:17"] {
            assert!(matches!(number_in(&chat, other), Err(CallError::Refused { .. })), "{other}");
        }
        assert!(matches!(number_in(&chat, "17"), Err(CallError::NotFound(_))));
    }
}
