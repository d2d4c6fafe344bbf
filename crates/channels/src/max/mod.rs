//! MAX: a bot of the messenger, by its Bot API.

mod client;
mod deeds;
mod format;
mod forward;
mod history;
mod inbound;
mod look;
mod outcome;
mod recipient;
mod sending;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use ambient::lock::Mutex;
use delivery::{Action, Album, Capabilities, Dedup, MediaKind, MessageLookup};
use domain::outcome::SentIds;
use domain::secret::ExposeSecret;
use domain::text::{ParseMode, TextLimit, Unit};
use domain::{ExternalChat, InboundEvent, InboundKind, InboundMedia, Outcome, ProviderId, Timestamp};
use futures::future::{BoxFuture, FutureExt};
use outbound::Method;
use serde_json::{Value, json};

use crate::error::CallError;
use crate::histories::ReadingHistories;
use crate::nature::{self, Nature, Registering};
use crate::old_call::OldCall;
use crate::posting::{Posting, Registered, kinds_left_out};
use crate::provider::{
    Deed, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Polled, Provider,
};
use crate::recent::Recent;
use crate::setup::{Setup, SetupError, is_same, lacks_secret};
use client::{Client, Subscription};

/// What a text may be, also below a file.
const TEXT: TextLimit = TextLimit::new(4_000, Unit::Utf16);
/// The header in which a post has the secret of its subscription.
const SECRET_HEADER: &str = "x-max-bot-api-secret";
/// The updates that are asked for.
const UPDATES: [&str; 8] = [
    "message_created",
    "message_callback",
    "message_edited",
    "message_removed",
    "bot_started",
    "bot_stopped",
    "dialog_removed",
    "dialog_cleared",
];
/// How long a poll waits for the first update.
const POLL: Duration = Duration::from_secs(40);
/// The most updates of one poll.
const MOST_UPDATES: &str = "100";
/// So long after a call that had no clear answer it may still have an effect.
const SETTLES: Duration = Duration::from_secs(10);
/// The least time between two polls.
const BETWEEN_POLLS: Duration = Duration::from_millis(300);

/// What its owner does at the provider, step by step, in English and in Russian.
const STEPS: &[[&str; 2]] = &[
    [
        "On business.max.ru confirm the organization, and make a bot under Chat bots.",
        "На business.max.ru подтвердите организацию и создайте бота в разделе «Чат-боты».",
    ],
    [
        "Once the bot has passed moderation, take its token under Integration as token.",
        "Когда бот пройдёт модерацию, возьмите токен в разделе «Интеграция» как token.",
    ],
    [
        "If its certificate is not trusted here, name the file with the root that signs it as ca_file.",
        "Если сертификат сервиса здесь не признаётся, укажите файл его корневого сертификата как ca_file.",
    ],
];

/// What is true of all its accounts.
pub(crate) const NATURE: Nature = Nature {
    steps: STEPS,
    token: ["The token of the bot.", "Токен бота."],
    chat_type: recipient::chat_type,
    user: |chat| nature::number_of_user(chat.strip_prefix(recipient::USER)?),
    registering: Registering {
        by: "MAX",
        how: "post the expected address, and the secret that its receiver checks, to /subscriptions of MAX",
        command: Some(registers),
        credentials: "the token that business.max.ru shows under Chat-bots, Integration",
        unreached: "look at the network; the certificate of MAX is issued by the Russian Ministry of Digital \
                    Development, whose root this machine must trust",
        ..Registering::PLAIN
    },
    legacy: |stored, links| Some(forward::legacy(stored, links).to_string()),
    unread_answer: Some(""),
    ..Nature::PLAIN
};

/// The command that registers an address.
fn registers(token: &str, address: &str, api: &str) -> String {
    format!(
        r#"curl --silent "{api}/subscriptions" --header "Authorization: {token}" --header "Content-Type: application/json" --data "{{\"url\":\"{address}\"}}""#
    )
}

/// An account of it.
///
/// # Errors
/// The token is missing or no header can carry it.
pub(crate) fn make(setup: Setup) -> Result<Arc<dyn Provider>, SetupError> {
    let client = Client::new(&setup)?;
    let recent = Recent::of(&setup.kept);
    Ok(Arc::new(Max { client, setup, recent, polled: Mutex::default() }))
}

struct Max {
    client: Client,
    setup: Setup,
    /// What was sent lately.
    recent: Recent,
    /// When the last poll ended, by the clock's running time.
    polled: Mutex<Option<Duration>>,
}

impl Max {
    /// The bot's own id, where it is known.
    fn own_id(&self) -> Option<i64> {
        self.setup.kept.text(client::OWN_ID)?.parse().ok()
    }

    /// An update that names who its message is of and for has to name this bot.
    fn check_bot(&self, update: &Value) -> Result<(), HookRefusal> {
        let unknown = || HookRefusal::NotYet(self.setup.fields.name.to_string());
        let own = self.own_id().ok_or_else(unknown)?;
        let named = |side: &str| update.pointer(side).and_then(Value::as_i64);
        match named("/message/recipient/user_id") {
            Some(user) if user != own && named("/message/sender/user_id") != Some(own) => {
                Err(HookRefusal::OtherAccount(format!("{user} instead of {own}")))
            }
            _ => Ok(()),
        }
    }

    fn read(&self, update: &Value) -> Vec<InboundEvent> {
        let secret = self.client.token();
        inbound::read(
            update,
            &inbound::Reader { own: self.own_id(), token: secret, now: self.setup.clock.now() },
        )
    }

    async fn ask_updates(&self, cursor: Option<&str>) -> Result<Polled, CallError> {
        let last = *self.polled.lock();
        if let Some(last) = last {
            self.setup.clock.sleep((last + BETWEEN_POLLS).saturating_sub(self.setup.clock.running())).await;
        }
        let (timeout, types) = (POLL.as_secs().to_string(), UPDATES.join(","));
        let mut query = vec![("limit", MOST_UPDATES), ("timeout", &timeout), ("types", &types)];
        query.extend(cursor.map(|marker| ("marker", marker)));
        let result =
            self.client.call_within(Method::GET, "/updates", &query, POLL + crate::http::ANSWER).await;
        *self.polled.lock() = Some(self.setup.clock.running());
        let reply = result?;
        let updates = reply.get("updates").and_then(Value::as_array);
        let updates = updates.ok_or_else(|| CallError::Unreadable("updates without a list".to_owned()))?;
        let events = updates.iter().flat_map(|update| self.read(update)).collect();
        let marker = reply.get("marker").and_then(Value::as_i64).map(|marker| marker.to_string());
        Ok(Polled { events, cursor: marker.or_else(|| cursor.map(str::to_owned)), more: true })
    }

    /// The address of the best film of a message.
    async fn film(&self, token: &str) -> Result<String, CallError> {
        let reply = self
            .client
            .call(Method::GET, &format!("/videos/{}", recipient::escaped(token)), &[], None)
            .await?;
        inbound::best_film(&reply).ok_or_else(|| CallError::NotFound("the film has no address".to_owned()))
    }
}

impl Provider for Max {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TEXT,
            caption: Some(TEXT),
            sends: true,
            reply: true,
            album: Album { visual: 10, ..Album::NONE },
            parse_modes: &[ParseMode::Html, ParseMode::Markdown],
            media: &[
                MediaKind::Photo,
                MediaKind::Video,
                MediaKind::Animation,
                MediaKind::Voice,
                MediaKind::Audio,
                MediaKind::Document,
            ],
            actions: &[Action::Edit, Action::Delete, Action::MarkRead, Action::Typing],
            states: &[],
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
            Incoming::Video,
            Incoming::Document,
            Incoming::Sticker,
            Incoming::Reply,
            Incoming::Edit,
            Incoming::Delete,
            Incoming::Press,
            Incoming::Reachable,
        ]
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::from_millis(40), chat: Duration::from_millis(700), burst: 3 }
    }

    fn prepare<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Option<String>, Outcome>> {
        async move {
            let Some(file) = &outgoing.file else { return Ok(None) };
            upload::upload(&self.client, file, self.setup.clock.now()).await.map(Some)
        }
        .boxed()
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        async move {
            match sending::send(&self.client, outgoing).await {
                Ok(mid) => {
                    self.recent.add(&mid);
                    Outcome::Sent(SentIds::one(Some(ProviderId::from(mid.as_str()))))
                }
                Err(error) => error.outcome(self.setup.clock.now()),
            }
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
        async move { deeds::act(&self.client, chat, deed).await }.boxed()
    }

    fn old_call<'a>(&'a self, call: &'a OldCall) -> BoxFuture<'a, Result<Value, CallError>> {
        deeds::old_call(&self.client, call).boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        let is_old = self.setup.fields.old_hook && lacks_secret(post, &self.setup.hook_secret);
        let given = post.header(SECRET_HEADER).unwrap_or_default();
        if !is_old && !is_same(self.setup.header_secret().expose_secret().as_bytes(), given) {
            return Err(HookRefusal::NotGenuine);
        }
        let update: Value =
            domain::lenient::json(&post.body).map_err(|_| HookRefusal::Unreadable("no JSON".to_owned()))?;
        if update.get("update_type").and_then(Value::as_str).is_none() {
            return Err(HookRefusal::Unreadable("no update".to_owned()));
        }
        if is_old {
            self.check_bot(&update)?;
        }
        Ok(Hook::events(self.read(&update)))
    }

    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> Option<BoxFuture<'a, Result<Polled, CallError>>> {
        Some(self.ask_updates(cursor).boxed())
    }

    fn missed(&self, since: Timestamp, known: Vec<ExternalChat>) -> ReadingHistories<'_> {
        Some(history::since(self, since, known).boxed())
    }

    fn refuses_polls_while_registered(&self) -> bool {
        true
    }

    fn complete(&self, mut events: Vec<InboundEvent>) -> BoxFuture<'_, Vec<InboundEvent>> {
        async move {
            for media in events.iter_mut().flat_map(inbound::media_of) {
                let token = media.file_id.as_ref().filter(|_| media.kind == InboundKind::Video);
                let Some(token) = token else { continue };
                // Without one it is asked for again once the film is fetched.
                media.url = self.film(token).await.ok();
            }
            events
        }
        .boxed()
    }

    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        async move {
            let film = media.file_id.as_ref().filter(|_| media.kind == InboundKind::Video);
            let url = match film {
                Some(token) => Some(self.film(token).await?),
                None => media.url.clone(),
            };
            let url = url.ok_or_else(|| CallError::NotFound("the file has no address".to_owned()))?;
            self.client.fetch(&url, most).await
        }
        .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        async move {
            let me = self.client.me().await?;
            let mut missing = Vec::new();
            if me.get("is_bot").and_then(Value::as_bool) == Some(false) {
                missing.push("the token is not of a bot".to_owned());
            }
            let id = me.get("user_id").map(ToString::to_string).unwrap_or_default();
            Ok(Identity { id, name: inbound::name_of(&me).unwrap_or_default(), missing, gap: None })
        }
        .boxed()
    }

    fn registered(&self) -> Option<BoxFuture<'_, Result<Registered, CallError>>> {
        let asking = async move {
            let subscriptions = self.client.subscriptions().await?;
            let gap = |one: &Subscription| kinds_left_out(&UPDATES, |kind| one.posts(kind));
            let postings = subscriptions.iter().map(|one| Posting::with(gap(one))).collect();
            let urls = subscriptions.into_iter().map(|one| one.url).collect();
            Ok(Registered { urls, postings, ..Registered::default() })
        };
        Some(asking.boxed())
    }

    fn register<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            // The bot's own id distinguishes its messages from those of people.
            if self.own_id().is_none() {
                self.client.me().await?;
            }
            let secret = self.setup.header_secret();
            let body = json!({ "url": url, "update_types": UPDATES, "secret": secret.expose_secret() });
            self.client.call(Method::POST, "/subscriptions", &[], Some(&body)).await?;
            for other in self.client.subscriptions().await?.iter().filter(|other| other.url != url) {
                self.client.call(Method::DELETE, "/subscriptions", &[("url", &other.url)], None).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn unregister<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move { self.client.call(Method::DELETE, "/subscriptions", &[("url", url)], None).await.map(drop) }.boxed()
    }
}
