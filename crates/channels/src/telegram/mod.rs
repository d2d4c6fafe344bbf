//! A Telegram bot, over the Bot API: in private chats, groups, and chats of a personal account that it is attached to.

mod aside;
mod client;
mod content;
mod inbound;
mod outgoing;
mod permitted;
mod place;
mod refusal;

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use ambient::lock::Mutex;
use delivery::{Action, Album, Capabilities, Dedup, MediaKind};
use domain::media::MediaForm;
use domain::outcome::{HoldScope, RejectionCode};
use domain::secret::ExposeSecret;
use domain::text::{MOST_ENTITIES, ParseMode, TextLimit, Unit};
use domain::{
    AccountName, ExternalChat, InboundChange, InboundEvent, InboundMedia, Outcome, ProviderId, SecretText,
    Timestamp,
};
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use outbound::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::aside::SetAside;
use self::client::Client;
use self::inbound::Own;
use self::outgoing::Target;
use self::permitted::Permitted;
use self::refusal::Failure;
use crate::error::CallError;
use crate::nature::{self, Nature, Registering};
use crate::posting::{Posting, Registered, kinds_left_out};
use crate::provider::{
    Deed, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, LONGEST_POLL, Outgoing, OutgoingFile,
    Pacing, Polled, Provider,
};
use crate::setup::{Setup, SetupError, is_same};
use crate::stored_values::StoredValues;

/// The header in which a post has the secret.
const SECRET: &str = "x-telegram-bot-api-secret-token";
/// The largest picture and the largest file that the Bot API takes.
const LARGEST_PHOTO: u64 = 10 * 1024 * 1024;
const LARGEST_FILE: u64 = 50 * 1024 * 1024;
/// Between two messages to a group, which with a burst are 20 a minute.
const IN_GROUPS: Duration = Duration::from_millis(3_530);
/// The longest that answers to presses may take, all together.
const ANSWERS: Duration = Duration::from_secs(5);
/// The longest that a poll, and a post, waits to learn the persons of connections.
const LEARNING: Duration = Duration::from_secs(5);
const LEARNING_IN_POST: Duration = Duration::from_millis(700);
/// The most presses that are answered at once.
const AT_ONCE: usize = 8;

/// A bot.
struct TelegramBot {
    client: Client,
    clock: Clock,
    secret: SecretText,
    /// The chat that was to wait last, and until when.
    held: Mutex<Option<(ExternalChat, Timestamp)>>,
    /// Who it is, as groups mention it.
    own: Mutex<Own>,
    /// What it is called in the settings.
    name: AccountName,
    permitted: Mutex<Permitted>,
    aside: Mutex<SetAside>,
    /// What is set aside is written by one at a time.
    keeping: tokio::sync::Mutex<()>,
    kept: StoredValues,
}

/// A message that was sent.
#[derive(Deserialize)]
struct Sent {
    message_id: i64,
}

/// What a send answers: a message, or those of an album.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answered {
    One(Sent),
    Album(Vec<Sent>),
}

#[derive(Deserialize)]
struct Me {
    id: i64,
    #[serde(default)]
    first_name: String,
    username: Option<String>,
}

#[derive(Deserialize)]
struct WebhookInfo {
    #[serde(default)]
    url: String,
    pending_update_count: Option<u64>,
    last_error_date: Option<i64>,
    last_error_message: Option<String>,
    allowed_updates: Option<Vec<String>>,
}

/// The kinds of updates that Telegram leaves out where no kinds were named.
const ONLY_NAMED: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

impl WebhookInfo {
    /// Which of the kinds that are read here Telegram does not post. The person of a connection can be asked for.
    fn gap(&self) -> Option<String> {
        let named = self.allowed_updates.as_ref().filter(|named| !named.is_empty());
        kinds_left_out(&inbound::ALLOWED, |kind| match named {
            Some(named) => kind == inbound::CONNECTION || named.iter().any(|one| one == kind),
            None => !ONLY_NAMED.contains(&kind),
        })
    }
}

/// What its owner does at the provider, step by step, in English and in Russian.
const STEPS: &[[&str; 2]] = &[
    [
        "In Telegram open @BotFather, send /newbot, and choose a name.",
        "В Telegram откройте @BotFather, отправьте /newbot и выберите имя.",
    ],
    [
        "Take the token that it answers, such as 123456:AA…, as token.",
        "Возьмите токен из ответа, вида 123456:AA…, как token.",
    ],
    [
        "For a bot in groups: /setprivacy, Disable, so that it sees all messages.",
        "Для бота в группах: /setprivacy, Disable, чтобы он видел все сообщения.",
    ],
    [
        "For a bot that answers in your personal account: write your id in Telegram into business_accounts. For direct messages to \
         your channel: write the id of their chat into direct_message_channels.",
        "Если бот отвечает от вашего личного аккаунта, укажите свой id в Telegram в business_accounts. Для личных сообщений \
         канала укажите id их чата в direct_message_channels.",
    ],
    [
        "If another program uses the bot, stop it there first: a token has one receiver.",
        "Если ботом пользуется другая программа, сначала остановите её: у токена один получатель.",
    ],
];

/// What is true of all its accounts.
pub(crate) const NATURE: Nature = Nature {
    steps: STEPS,
    token: ["The token of the bot.", "Токен бота."],
    chat_type: place::chat_type,
    user: nature::number_of_user,
    group: place::group,
    registering: Registering {
        by: "Telegram",
        how: "call setWebhook of the Bot API with the expected address",
        command: Some(registers),
        first: "where a program fetches the updates itself (getUpdates), nothing may be registered: take the webhook out of the \
                settings; a receiver that registers itself, as n8n does when a workflow is activated, does it best; one that \
                checks a secret_token needs --data-urlencode \"secret_token=…\" too",
        instead: "a bot has one webhook, so this takes it from its present receiver: find out first what that is and whether it is \
                  still needed; if it is right, write its address as `expect`; a receiver that registers itself, as n8n does when a \
                  workflow is activated, does it best; one that checks a secret_token needs --data-urlencode \"secret_token=…\" too",
        credentials: "the token that @BotFather shows; one that was revoked is gone for good",
        ..Registering::PLAIN
    },
    unread_answer: Some(""),
    ..Nature::PLAIN
};

/// The command that registers an address.
fn registers(token: &str, address: &str, api: &str) -> String {
    format!(r#"curl --silent "{api}/bot{token}/setWebhook" --data-urlencode "url={address}""#)
}

/// An account of it.
///
/// # Errors
/// A key is missing or wrong.
pub(crate) fn make(setup: &Setup) -> Result<Arc<dyn Provider>, SetupError> {
    let token = setup.needed("token", &setup.fields.token)?;
    Ok(Arc::new(TelegramBot {
        client: Client::new(setup.http.clone(), setup.api(), token.clone()),
        clock: setup.clock.clone(),
        secret: setup.header_secret(),
        held: Mutex::new(None),
        // A token begins with the bot's id.
        own: Mutex::new(Own {
            id: token.expose_secret().split(':').next().and_then(|id| id.parse().ok()),
            username: None,
        }),
        name: setup.fields.name.clone(),
        permitted: Mutex::new(Permitted::of(&setup.fields)),
        aside: Mutex::new(TelegramBot::kept_aside(&setup.kept)),
        keeping: tokio::sync::Mutex::default(),
        kept: setup.kept.clone(),
    }))
}

impl TelegramBot {
    async fn deliver(&self, outgoing: &Outgoing) -> Outcome {
        let Some(mut target) = Target::of(outgoing.chat.as_str()) else {
            return Outcome::NotFound(outgoing::ADDRESSES.to_owned());
        };
        if let Err(error) = self.permit(&target).await {
            return error.before_send().outcome(self.clock.now());
        }
        for (file, _) in outgoing.files() {
            if let Err(refused) = fits(file) {
                return refused;
            }
        }
        let (mut is_formatted, mut has_moved) = (!outgoing.text.entities.is_empty(), false);
        // Each refusal that is followed by another attempt says that nothing was sent, and is followed once.
        loop {
            let fields = outgoing::fields(outgoing, &target, is_formatted);
            let sent = match &outgoing.file {
                Some(file) => match form(fields, outgoing).await {
                    Ok(form) if outgoing.album.is_empty() => {
                        self.client.upload(outgoing::method(&file.form).0, form).await
                    }
                    Ok(form) => self.client.upload(outgoing::ALBUM, form).await,
                    Err(gone) => return gone,
                },
                None => self.client.call("sendMessage", &Value::Object(fields)).await,
            };
            match sent {
                Ok(answered) => {
                    let sent = match answered {
                        Answered::One(sent) => vec![sent],
                        Answered::Album(sent) => sent,
                    };
                    let id = |sent: Sent| ProviderId::from(target.external_id(sent.message_id).as_str());
                    return Outcome::Sent(sent.into_iter().map(id).map(Some).collect());
                }
                Err(Failure::Moved(chat)) if !has_moved => {
                    target.chat = chat;
                    has_moved = true;
                }
                Err(Failure::Formatting(_)) if is_formatted => is_formatted = false,
                Err(failure) => {
                    let now = self.clock.now();
                    return self.narrowed(&outgoing.chat, failure.into(), now).outcome(now);
                }
            }
        }
    }

    /// Checks that a chat is one of the owner's.
    ///
    /// # Errors
    /// It is another's, or no answer came.
    async fn permit(&self, target: &Target) -> Result<(), CallError> {
        let unknown = target.business.as_deref().filter(|id| !self.permitted.lock().knows(id));
        if let Some(connection) = unknown {
            self.learn(connection).await?;
        }
        if self.permitted.lock().allows(target) {
            return Ok(());
        }
        Err(CallError::Forbidden("the settings do not list its personal account or channel".to_owned()))
    }

    /// Reads an update. Of one for a personal account or channel that is not listed it is only counted that it came.
    fn read(&self, update: &Value) -> Option<(i64, Vec<InboundEvent>)> {
        let is_taken = self.permitted.lock().takes(update);
        let (number, events) = inbound::read(update, &self.own.lock().clone(), self.clock.now())?;
        let ignored = || vec![InboundEvent::notice("an update for an account or channel that is not listed")];
        Some((number, if is_taken { events } else { ignored() }))
    }

    /// Whether a post has the secret.
    fn is_genuine(&self, post: &HookPost) -> bool {
        is_same(self.secret.expose_secret().as_bytes(), post.header(SECRET).unwrap_or_default())
    }

    /// A wait after a send is about its chat. While one chat waits, another that is to wait as well says that it is the bot.
    fn narrowed(&self, chat: &ExternalChat, error: CallError, now: Timestamp) -> CallError {
        let CallError::Wait { wait, .. } = error else { return error };
        let mut held = self.held.lock();
        let is_other = held.as_ref().is_some_and(|(other, until)| other != chat && *until > now);
        *held = Some((chat.clone(), now.plus(wait)));
        CallError::Wait { wait, scope: if is_other { HoldScope::Account } else { HoldScope::Chat } }
    }

    async fn edit(&self, target: &Target, message: i64, text: &str) -> Result<(), Failure> {
        let with = |name: &str| {
            let mut fields = target.fields();
            fields.insert("message_id".to_owned(), message.into());
            fields.insert(name.to_owned(), text.into());
            Value::Object(fields)
        };
        let edited = match self.client.call::<Value>("editMessageText", &with("text")).await {
            Err(Failure::NoText(_)) => {
                self.client.call::<Value>("editMessageCaption", &with("caption")).await
            }
            edited => edited,
        };
        match edited {
            Ok(_) | Err(Failure::NotModified) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    async fn delete(&self, target: &Target, message: i64) -> Result<(), Failure> {
        let mut fields = target.fields();
        let method = if target.business.is_some() {
            fields.remove("chat_id");
            fields.insert("message_ids".to_owned(), json!([message]));
            "deleteBusinessMessages"
        } else {
            fields.insert("message_id".to_owned(), message.into());
            "deleteMessage"
        };
        self.client.call::<bool>(method, &Value::Object(fields)).await.map(|_| ())
    }

    async fn perform(&self, chat: &ExternalChat, deed: &Deed) -> Result<(), CallError> {
        let target = Target::of(chat.as_str()).ok_or_else(|| CallError::NotFound(chat.to_string()))?;
        self.permit(&target).await?;
        let message = |id: &str| {
            let unknown = || CallError::refused("NO_SUCH_MESSAGE", "it is no message of this chat");
            target.message(id).ok_or_else(unknown)
        };
        match deed {
            Deed::Edit { external_id, text } => Ok(self.edit(&target, message(external_id)?, text).await?),
            Deed::Delete { external_id } => Ok(self.delete(&target, message(external_id)?).await?),
            // The Bot API has no such call for direct messages to a channel.
            Deed::Typing if target.is_direct() => Ok(()),
            Deed::Typing => {
                let mut fields = target.fields();
                fields.insert("action".to_owned(), "typing".into());
                Ok(self.client.call::<bool>("sendChatAction", &Value::Object(fields)).await.map(|_| ())?)
            }
            Deed::MarkRead { .. } => {
                Err(CallError::refused("not_supported", "a bot does not mark messages as read"))
            }
        }
    }

    /// Answers presses, so that those who pressed no longer wait. Whether it works is of no matter.
    async fn answer_presses(&self, events: &[InboundEvent]) {
        let press = |event: &InboundEvent| match &event.change {
            InboundChange::Message(message) => {
                message.external_id.strip_prefix(inbound::PRESS).map(str::to_owned)
            }
            _ => None,
        };
        let answers: Vec<_> = events.iter().filter_map(press).map(|id| self.answer_press(id)).collect();
        let all = futures::stream::iter(answers).buffer_unordered(AT_ONCE).collect::<Vec<()>>();
        let _ = self.clock.timeout(ANSWERS, all).await;
    }

    async fn answer_press(&self, id: String) {
        let body = json!({ "callback_query_id": id });
        if let Err(failure) = self.client.call::<bool>("answerCallbackQuery", &body).await {
            tracing::debug!(error = %CallError::from(failure), "a press is not answered");
        }
    }
}

/// Whether the Bot API takes a file of this size.
fn fits(file: &OutgoingFile) -> Result<(), Outcome> {
    let is_photo = matches!(file.form, MediaForm::Photo { .. });
    let most = if is_photo { LARGEST_PHOTO } else { LARGEST_FILE };
    if file.size <= most {
        return Ok(());
    }
    let code = format!("FILE_TOO_BIG: a bot sends at most {} MB of this kind", most / 1024 / 1024);
    Err(Outcome::Rejected { code: RejectionCode::Provider(code) })
}

/// The form that carries a file.
async fn form(fields: Map<String, Value>, outgoing: &Outgoing) -> Result<Form, Outcome> {
    let mut form = Form::new();
    for (name, value) in fields {
        let written = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        form = form.text(name, written);
    }
    for (place, (file, _)) in outgoing.files().enumerate() {
        let is_type = Part::text("").mime_str(file.mime()).is_ok();
        let mime = if is_type { file.mime() } else { "application/octet-stream" };
        let name: String = file.name.chars().map(|one| if one.is_control() { '_' } else { one }).collect();
        let part = file.part().await?.file_name(name);
        let part = part.mime_str(mime).map_err(|_| Outcome::MediaGone("its type is no type".to_owned()))?;
        let field = outgoing::method(&file.form).1.to_owned();
        form = form.part(if outgoing.album.is_empty() { field } else { outgoing::album_part(place) }, part);
    }
    Ok(form)
}

impl Provider for TelegramBot {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TextLimit::new(4_096, Unit::Utf16).with_entities(MOST_ENTITIES),
            caption: Some(TextLimit::new(1_024, Unit::Utf16).with_entities(MOST_ENTITIES)),
            sends: true,
            reply: true,
            album: Album { bytes: Some(LARGEST_FILE), ..Album::of_one_kind(10) },
            parse_modes: &[ParseMode::Html, ParseMode::Markdown],
            media: &[
                MediaKind::Photo,
                MediaKind::Video,
                MediaKind::Animation,
                MediaKind::Voice,
                MediaKind::Audio,
                MediaKind::Document,
            ],
            actions: &[Action::Edit, Action::Delete, Action::Typing],
            states: &[],
            dedup: Dedup::None,
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[
            Incoming::Poll,
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
            Incoming::Press,
            Incoming::Owner,
            Incoming::Reachable,
        ]
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::from_millis(34), chat: Duration::from_secs(1), burst: 3 }
    }

    fn chat_interval(&self, chat: &ExternalChat) -> Duration {
        if chat.as_str().starts_with('-') { IN_GROUPS } else { self.pacing().chat }
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        self.deliver(outgoing).boxed()
    }

    fn act<'a>(&'a self, chat: &'a ExternalChat, deed: &'a Deed) -> BoxFuture<'a, Result<(), CallError>> {
        self.perform(chat, deed).boxed()
    }

    fn look_up<'a>(&'a self, post: &'a HookPost) -> BoxFuture<'a, ()> {
        async move {
            let Ok(update) = domain::lenient::json(&post.body) else { return };
            if !self.is_genuine(post) {
                return;
            }
            let kept = match self.sets_aside(&update, LEARNING_IN_POST).await {
                Ok(true) => self.keep_aside().await,
                aside => aside.map(drop),
            };
            if let Err(error) = kept {
                tracing::warn!(account = %self.name, %error, "an update is to be posted again");
            }
        }
        .boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        if !self.is_genuine(post) {
            return Err(HookRefusal::NotGenuine);
        }
        let update: Value = domain::lenient::json(&post.body)
            .map_err(|_| HookRefusal::Unreadable("it is no JSON".to_owned()))?;
        if self.aside.lock().holds(&update) {
            return Ok(Hook::events(Vec::new()));
        }
        if self.permitted.lock().awaits(&update) {
            return Err(HookRefusal::NotYet(self.name.to_string()));
        }
        let (_, events) =
            self.read(&update).ok_or_else(|| HookRefusal::Unreadable("it has no update_id".to_owned()))?;
        Ok(Hook::events(events))
    }

    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> Option<BoxFuture<'a, Result<Polled, CallError>>> {
        let asking = async move {
            let offset = cursor.and_then(|cursor| cursor.parse::<i64>().ok());
            let updates = self.client.updates(offset, LONGEST_POLL, &inbound::ALLOWED).await?;
            let (mut events, mut last) = (Vec::new(), None);
            let (until, mut is_any_aside) = (self.clock.running() + LEARNING, false);
            for update in &updates {
                let limit = until.saturating_sub(self.clock.running());
                let is_aside = match self.sets_aside(update, limit).await {
                    Ok(is_aside) => is_aside,
                    Err(error) if last.is_none() => return Err(error),
                    Err(_) => break,
                };
                let Some((number, happened)) = self.read(update) else { continue };
                last = last.max(Some(number));
                if is_aside {
                    is_any_aside = true;
                } else {
                    events.extend(happened);
                }
            }
            if is_any_aside {
                self.keep_aside().await?;
            }
            // Telegram begins at a lower number at times: only what came now counts.
            let next = last.and_then(|last| last.checked_add(1)).or(offset);
            Ok(Polled { events, cursor: next.map(|next| next.to_string()), more: true })
        };
        Some(asking.boxed())
    }

    fn refuses_polls_while_registered(&self) -> bool {
        true
    }

    fn recall(&self) -> Option<BoxFuture<'_, Vec<InboundEvent>>> {
        self.has_set_aside().then(|| self.recall_set_aside().boxed())
    }

    fn forget_recalled(&self) -> BoxFuture<'_, Result<(), CallError>> {
        self.forget_set_aside().boxed()
    }

    fn complete(&self, events: Vec<InboundEvent>) -> BoxFuture<'_, Vec<InboundEvent>> {
        async move {
            self.answer_presses(&events).await;
            events
        }
        .boxed()
    }

    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        async move {
            let Some(id) = &media.file_id else {
                return Err(CallError::refused("FILE_GONE", "the file has no id"));
            };
            self.client.file(id, most).await
        }
        .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        async move {
            let me: Me = self.client.call("getMe", &json!({})).await?;
            *self.own.lock() = Own { id: Some(me.id), username: me.username.clone() };
            let name = me.username.map_or(me.first_name, |username| format!("@{username}"));
            let missing = self.permitted.lock().ignored();
            Ok(Identity { id: me.id.to_string(), name, missing, gap: None })
        }
        .boxed()
    }

    fn registered(&self) -> Option<BoxFuture<'_, Result<Registered, CallError>>> {
        let asking = async move {
            let info: WebhookInfo = self.client.call("getWebhookInfo", &json!({})).await?;
            let postings = vec![Posting::with(info.gap())];
            let urls = Some(info.url).filter(|url| !url.is_empty()).into_iter().collect();
            let at = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
            Ok(Registered {
                urls,
                postings,
                last_error: info.last_error_message,
                last_error_at: info.last_error_date.map(at),
                waiting: info.pending_update_count,
                ..Registered::default()
            })
        };
        Some(asking.boxed())
    }

    fn register<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let body = json!({
                "url": url,
                "secret_token": self.secret.expose_secret(),
                "allowed_updates": inbound::ALLOWED,
                // One after the other, so that an edit does not come before its message.
                "max_connections": 1,
            });
            Ok(self.client.call::<bool>("setWebhook", &body).await.map(|_| ())?)
        }
        .boxed()
    }

    fn unregister<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        let _ = url;
        async move { Ok(self.client.call::<bool>("deleteWebhook", &json!({})).await.map(|_| ())?) }.boxed()
    }
}
