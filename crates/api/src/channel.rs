//! An account of a channel, and a message that came in through one.

use std::time::Duration;

use channels::{
    Account, AccountStatus, Health, Identity, Incoming, Links, Provider, ReceivesBy, Registered, UnreadBody,
    UnreadCount, WebhookObservation,
};
use domain::{
    AccountName, ChannelName, ChatType, ExposeSecret, InboundId, InboundKind, InboundMedia, MessageOrigin,
    Timestamp, Words,
};
use serde::{Deserialize, Serialize};
use store::{InboundFile, StoredInbound};
use utoipa::ToSchema;

use crate::received_message::{MessageDirection, Reaction};
use crate::schemas;

const fn private() -> ChatType {
    ChatType::Private
}

/// An account of a channel.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Channel {
    /// Its name.
    #[schema(value_type = String, example = "shop")]
    pub name: AccountName,
    /// Its channel.
    #[schema(value_type = String, example = "avito")]
    pub channel: ChannelName,
    /// `ready`, `paused` (by a person), `held` (the provider wants nothing for a while), `stopped` (its owner has to do something),
    /// `error` (the last call failed), `not_receiving` (what customers write does not arrive), `starting`, or `after_restart` (the settings have it, and the server takes it up at its next start).
    #[schema(example = "ready")]
    pub state: String,
    /// Why it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Until when it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// What it is at its provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<ChannelIdentity>,
    /// How it receives what customers write: `webhook`, `poll`, `nothing` or `starting`.
    #[schema(example = "webhook")]
    pub receives_by: String,
    /// When a genuine post of its provider came last, a handshake among them; none where none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_post_at: Option<Timestamp>,
    /// When a customer wrote last.
    pub last_in_at: Option<Timestamp>,
    /// When something was sent last.
    pub last_out_at: Option<Timestamp>,
    /// How it was switched by hand: `on` or `paused`. While it is paused, nothing is sent through it, and its messages wait.
    #[serde(default)]
    #[schema(example = "on")]
    pub switch: String,
    /// Whether the settings have it no more: the server lets it go at its next start.
    #[serde(default)]
    pub is_removed: bool,
    /// So many messages wait to be sent through it, those among them that are scheduled.
    #[serde(default)]
    pub waiting: u64,
    /// What went wrong with it.
    #[serde(default)]
    pub errors: ChannelErrors,
    /// Where its provider posts to, as it said when it was asked last; none where it cannot be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<ChannelWebhookState>,
    /// When its token ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_expires_at: Option<Timestamp>,
    /// How far the files of its messages are.
    #[serde(default)]
    pub files: ChannelFiles,
    /// What it carries.
    pub can: ChannelAbilities,
}

/// The state of an account that the server has not started with.
const AFTER_RESTART: &str = "after_restart";

/// What went wrong with an account: sends, checks, and asking for what came in.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct ChannelErrors {
    /// How often within the last hour, to ten minutes.
    pub last_hour: u64,
    /// How often within the last day, to ten minutes.
    pub last_day: u64,
    /// What went wrong last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    /// What the provider reported that became no message.
    #[serde(default)]
    pub unread: Vec<ChannelUnread>,
    /// The last bodies of it that a customer may have written, without secrets: ten within a week, of each the first 4 KB.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_bodies: Vec<ChannelUnreadBody>,
}

/// What a provider said that cannot be read.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChannelUnreadBody {
    /// When.
    pub at: Timestamp,
    /// What it is, as in `unread`.
    pub what: String,
    /// What the provider said.
    #[schema(value_type = String, extensions(("x-words" = json!(true))))]
    pub body: Words,
}

/// What a provider reported that became no message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChannelUnread {
    /// What it is, such as a notice or a kind of update that is not known.
    pub what: String,
    /// How often it came.
    pub count: u64,
    /// When it came last.
    pub last_at: Timestamp,
    /// Whether a customer may have written it: then it counts as an error, too.
    pub is_lost: bool,
}

/// Where the provider of an account posts to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChannelWebhookState {
    /// `here`, `elsewhere`, `not_registered`, or `lapsed`: it was here and is nowhere now.
    #[schema(example = "here")]
    pub state: String,
    /// The hosts of other programs that it posts to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["https://n8n.example.com/…"]))]
    pub elsewhere: Vec<String>,
    /// What went wrong there last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// So many posts wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// When it was asked.
    pub checked_at: Timestamp,
    /// Whether posts arrive here: the last call of this program to the registered address did, or this provider or that of another
    /// account has posted since such calls fail; none where there was no call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrives: Option<bool>,
    /// Why that call did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival_error: Option<String>,
}

/// What the store knows of an account.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoredFacts {
    pub last_in_at: Option<Timestamp>,
    pub last_out_at: Option<Timestamp>,
    pub waiting: u64,
}

/// An address without its path, in which a secret may be.
pub fn without_path(url: &str) -> String {
    let end = url.find("://").and_then(|start| url[start + 3..].find('/').map(|end| start + 3 + end));
    format!("{}/…", &url[..end.unwrap_or(url.len())])
}

/// Who an account is at its provider.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChannelIdentity {
    /// Its id there.
    #[schema(example = "1000001")]
    pub id: String,
    /// What people see.
    #[schema(example = "Demo shop")]
    pub name: String,
    /// What is missing for it to work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// How far the files of an account's messages are.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct ChannelFiles {
    /// Files that are to be fetched and stored.
    pub waiting: u64,
    /// Why none is fetched now: `disk_full`, `disk_failed`, `limited` (the provider wants no calls for a while) or `stopped` (so is
    /// the account).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "disk_full")]
    pub stopped: Option<String>,
}

/// What a channel carries.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct ChannelAbilities {
    /// Whether messages can be sent through it; false where they only come in.
    #[serde(default)]
    #[schema(example = true)]
    pub sends: bool,
    /// Whether a message can answer another; where it cannot, it is sent by itself.
    #[serde(default)]
    #[schema(example = true)]
    pub reply: bool,
    /// What comes in, and by which ways: `poll` and `webhook`; kinds of messages, such as `text` and `image`; what else customers do,
    /// such as `edit` and `reaction`. The table in the manual has all of them.
    #[serde(default)]
    #[schema(example = json!(["webhook", "text", "image", "reply", "reaction"]))]
    pub receives: Vec<String>,
    /// The longest text of one message.
    #[schema(example = 1000)]
    pub text: usize,
    /// What that is counted in: `utf16`, `characters` or `bytes`.
    #[schema(example = "characters")]
    pub unit: String,
    /// The files that it takes.
    pub media: Vec<String>,
    /// So many pictures of a message arrive together at most; the others follow, each by itself or as many again.
    #[serde(default)]
    #[schema(example = 10)]
    pub album: usize,
    /// What it can do besides sending.
    pub actions: Vec<String>,
    /// What it reports about messages that were sent.
    pub states: Vec<String>,
    /// What it has against doubles: `key`, `read_back` or `none`.
    #[schema(example = "read_back")]
    pub dedup: String,
}

/// Where the provider of an account posts to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChannelWebhook {
    /// The address to be registered there; none without the setting `public_url`, and where nothing posts.
    pub url: Option<String>,
    /// The word that its pages ask for beside the address, where the settings have no `verify_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify_token: Option<String>,
    /// Whether the provider posts there; none where it cannot be asked.
    pub is_registered: Option<bool>,
    /// Where it posts to.
    pub registered: Vec<String>,
    /// What went wrong there last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// So many posts wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
    /// Whether posts arrive here: the last call of this program to the registered address did, or this provider or that of another
    /// account has posted since such calls fail; none where there was no call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrives: Option<bool>,
    /// Why that call did not arrive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival_error: Option<String>,
}

impl ChannelWebhook {
    /// Our address of an account, and where its provider posts to.
    pub fn new(account: &Account, url: Option<String>, registered: Option<Registered>) -> Self {
        let verify_token = account.provider.verify_token().map(|word| word.expose_secret().to_owned());
        let is_registered =
            registered.as_ref().map(|found| url.as_ref().is_some_and(|url| found.urls.contains(url)));
        let Registered { urls, last_error, waiting, .. } = registered.unwrap_or_default();
        let status = account.status();
        let arrives = status.arrival.is_some().then(|| status.not_arriving().is_none());
        let arrival_error = status.arrival.and_then(|arrival| arrival.error);
        Self {
            url,
            verify_token,
            is_registered,
            registered: urls,
            last_error,
            waiting,
            arrives,
            arrival_error,
        }
    }
}

impl ChannelErrors {
    fn of(health: &Health, now: Timestamp) -> Self {
        let last = health.last_error();
        Self {
            last_hour: health.errors_within(Duration::from_hours(1), now),
            last_day: health.errors_within(Duration::from_hours(24), now),
            last: last.map(|last| last.words.clone()),
            last_at: last.map(|last| last.at),
            unread: health.unread().iter().map(ChannelUnread::from).collect(),
            unread_bodies: health.unread_bodies().iter().rev().map(ChannelUnreadBody::from).collect(),
        }
    }
}

impl From<&UnreadBody> for ChannelUnreadBody {
    fn from(kept: &UnreadBody) -> Self {
        let UnreadBody { at, what, body } = kept.clone();
        Self { at, what, body }
    }
}

impl From<(&String, &UnreadCount)> for ChannelUnread {
    fn from((what, counted): (&String, &UnreadCount)) -> Self {
        let UnreadCount { count, last_at, is_lost } = *counted;
        Self { what: what.clone(), count, last_at, is_lost }
    }
}

impl ChannelWebhookState {
    fn of(seen: &WebhookObservation, status: &AccountStatus, ours: &str) -> Self {
        let WebhookObservation { state, registered, at, .. } = seen;
        let others = registered.urls.iter().filter(|url| !url.contains(ours));
        Self {
            state: <&str>::from(state).to_owned(),
            elsewhere: others.map(|url| without_path(url)).collect(),
            last_error: registered.last_error.clone(),
            waiting: registered.waiting,
            checked_at: *at,
            arrives: status.arrival.is_some().then(|| status.not_arriving().is_none()),
            arrival_error: status.arrival.as_ref().and_then(|arrival| arrival.error.clone()),
        }
    }
}

impl Channel {
    pub fn new(account: &Account, stored: StoredFacts, now: Timestamp) -> Self {
        let status = account.status();
        let held_until = status.held_until.filter(|until| *until > now);
        let (state, detail) = match (&status.stopped, status.last_error.as_ref().or(status.rival.as_ref())) {
            (Some((why, _)), _) => ("stopped", Some(why.to_string())),
            (None, _) if held_until.is_some() => ("held", None),
            (None, Some((why, _))) => ("error", Some(why.to_string())),
            (None, None) if status.checked_at.is_none() => ("starting", None),
            (None, None) => match status.webhook_loss(account.fields.receive) {
                Some(loss) => ("not_receiving", Some(loss.to_string())),
                None if status.paused => ("paused", None),
                None => ("ready", None),
            },
        };
        let webhook = status.webhook.as_ref();
        let webhook = webhook.map(|seen| ChannelWebhookState::of(seen, &status, &account.hook_path()));
        let identity = |Identity { id, name, missing, .. }| ChannelIdentity { id, name, missing };
        let receives_by: &'static str = ReceivesBy::into(status.receives_by);
        Self {
            name: account.name().clone(),
            channel: account.channel.clone(),
            state: state.to_owned(),
            detail,
            held_until,
            identity: status.identity.map(identity),
            receives_by: receives_by.to_owned(),
            last_post_at: status.health.last_post_at,
            last_in_at: stored.last_in_at,
            last_out_at: status.last_out.max(stored.last_out_at),
            switch: if status.paused { "paused" } else { "on" }.to_owned(),
            is_removed: false,
            waiting: stored.waiting,
            errors: ChannelErrors::of(&status.health, now),
            webhook,
            token_expires_at: account.provider.token_expires(),
            files: ChannelFiles {
                waiting: status.files.waiting,
                stopped: status.files.stopped.map(str::to_owned),
            },
            can: ChannelAbilities::new(&*account.provider),
        }
    }

    /// One that the settings have and the server has not started with.
    pub fn after_restart(name: AccountName, channel: ChannelName) -> Self {
        let (unit, dedup) = ("characters".to_owned(), "none".to_owned());
        Self {
            name,
            channel,
            state: AFTER_RESTART.to_owned(),
            detail: None,
            held_until: None,
            identity: None,
            receives_by: <&str>::from(ReceivesBy::Nothing).to_owned(),
            last_post_at: None,
            last_in_at: None,
            last_out_at: None,
            switch: "on".to_owned(),
            is_removed: false,
            waiting: 0,
            errors: ChannelErrors::default(),
            webhook: None,
            token_expires_at: None,
            files: ChannelFiles::default(),
            can: ChannelAbilities { unit, dedup, ..ChannelAbilities::default() },
        }
    }

    /// Whether the server has started with it.
    pub fn is_started(&self) -> bool {
        self.state != AFTER_RESTART
    }

    /// Whether its provider can post to it.
    pub fn takes_posts(&self) -> bool {
        self.can.receives.iter().any(|method| method == "webhook")
    }
}

impl ChannelAbilities {
    pub fn new(provider: &dyn Provider) -> Self {
        let capabilities = provider.capabilities();
        let unit = match capabilities.text.unit() {
            domain::text::Unit::Utf16 => "utf16",
            domain::text::Unit::Characters => "characters",
            domain::text::Unit::Bytes => "bytes",
        };
        let action = |action: &delivery::Action| match action {
            delivery::Action::Edit => "edit",
            delivery::Action::Delete => "delete",
            delivery::Action::MarkRead => "mark_read",
            delivery::Action::Typing => "typing",
        };
        let dedup = match capabilities.dedup {
            delivery::Dedup::Key { .. } => "key",
            delivery::Dedup::ReadBack => "read_back",
            delivery::Dedup::None => "none",
        };
        let word = |incoming: &Incoming| <&str>::from(incoming).to_owned();
        Self {
            sends: capabilities.sends,
            reply: capabilities.reply,
            receives: provider.receives().iter().map(word).collect(),
            text: capabilities.text.most(),
            unit: unit.to_owned(),
            album: capabilities.album.visual,
            media: capabilities.media.iter().map(ToString::to_string).collect(),
            actions: capabilities.actions.iter().map(action).map(str::to_owned).collect(),
            states: capabilities.states.iter().map(|state| state.as_str().to_owned()).collect(),
            dedup: dedup.to_owned(),
        }
    }
}

/// A message that came in through a channel.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChannelMessage {
    /// `in`: it was received.
    pub direction: MessageDirection,
    /// Its id.
    #[schema(value_type = String, example = "rcv_2001jvzvd2br00")]
    pub id: InboundId,
    /// The channel.
    #[schema(value_type = String, example = "avito")]
    pub channel: ChannelName,
    /// The account of ours there.
    #[schema(value_type = String, example = "shop")]
    pub channel_account: AccountName,
    /// The chat, as `POST /v1/messages` takes it.
    #[schema(example = "avito:shop/u2i-1")]
    pub chat: String,
    /// The chat as its provider names it.
    #[schema(example = "u2i-1")]
    pub external_chat_id: String,
    /// The provider's id of the message.
    #[schema(example = "m-2")]
    pub external_message_id: String,
    /// The customer's id at the provider.
    #[schema(example = "2000002")]
    pub external_user_id: Option<String>,
    /// What the customer is called.
    #[schema(example = "Anna")]
    pub client_name: Option<String>,
    /// The customer's number, where the provider vouches for it.
    #[schema(example = "+70000000001")]
    pub client_phone: Option<String>,
    /// The customer's address for email.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_email: Option<String>,
    /// `private`, `group`, `channel` or `broadcast`.
    #[serde(default = "private")]
    #[schema(value_type = String, example = "private")]
    pub chat_type: ChatType,
    /// Who wrote it.
    #[schema(schema_with = schemas::message_origin)]
    pub origin: MessageOrigin,
    /// What a mail is about, where it begins a thread or calls it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub subject: Option<String>,
    /// Its text or caption. Of an answer by mail it is without what it quotes.
    #[schema(value_type = String)]
    pub text: Words,
    /// All of its text, where `text` leaves something out; in single messages alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub whole_text: Option<Words>,
    /// Whether a person has to answer it: no program may, as with a mail that came through a list.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_for_people: bool,
    /// What is attached.
    pub media: ChannelMedia,
    /// The files that are attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ChannelFile>,
    /// The provider's id of the message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// What that message says, where the provider shows it; of long texts the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(extensions(("x-words" = json!(true))))]
    pub reply_text: Option<String>,
    /// Where the customer came from.
    pub meta: ChannelMeta,
    /// When it was written, by the provider's clock.
    pub timestamp: Timestamp,
    /// When it was received here.
    pub received_at: Timestamp,
    /// What people think of it. VK has no emoji for its reactions, only numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// When its writer changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was heard of that it was taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
}

impl Channel {
    /// What its owner does at its provider, step by step, in English and in Russian.
    pub fn steps(&self) -> &'static [[&'static str; 2]] {
        channels::Nature::named(self.channel.as_str()).steps
    }
}

/// What is attached to a message, in the one form of all channels.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the one format of all channels has them")]
pub struct ChannelMedia {
    pub has_voice: bool,
    /// Where it can be read without a key for a day; without the setting `public_url` as `url` in `files`.
    pub voice_url: Option<String>,
    /// Filled once there is a transcription.
    pub voice_transcribed_text: Option<String>,
    pub has_images: bool,
    pub images: Vec<ChannelImage>,
    pub has_video: bool,
    pub has_document: bool,
    /// What all of it is, also what is no file, such as `location` or `order`; its words are in the text.
    #[schema(value_type = Vec<String>, example = json!(["location"]))]
    #[serde(default)]
    pub kinds: Vec<InboundKind>,
}

/// A picture that is attached.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct ChannelImage {
    /// Where it can be read without a key for a day; without the setting `public_url` as `url` in `files`.
    pub url: String,
    pub file_id: Option<String>,
    pub caption: Option<String>,
}

/// A file that is attached.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ChannelFile {
    /// What it is, such as `image` or `voice`.
    #[schema(value_type = String, example = "image")]
    pub kind: InboundKind,
    /// What its sender called it.
    pub name: Option<String>,
    /// Its type, where it was given.
    pub mime: Option<String>,
    /// Its size in bytes, where it was given.
    pub size: Option<u64>,
    /// Where to read it.
    #[schema(example = "/v1/messages/rcv_2001jvzvd2br00/media/0")]
    pub url: String,
    /// Whether it is stored here: `wanted` (it will be), `stored`, `gone` (its provider does not have it) or `too_large`; in single
    /// messages alone, and none where it is fetched when it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "stored")]
    pub state: Option<String>,
}

/// Where a customer came from.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct ChannelMeta {
    pub ad_channel: Option<String>,
    pub ad_id: Option<String>,
    /// What the provider said; in single messages alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<serde_json::Value>,
}

impl ChannelMessage {
    /// The same with where its files are.
    #[must_use]
    pub fn with_files(mut self, files: &[(u32, InboundFile)]) -> Self {
        for (place, file) in files {
            let shown = usize::try_from(*place).ok().and_then(|place| self.files.get_mut(place));
            if let Some(shown) = shown {
                let state = match file {
                    InboundFile::Wanted => "wanted",
                    InboundFile::Stored(_) => "stored",
                    InboundFile::Gone(_) => "gone",
                    InboundFile::TooLarge(_) => "too_large",
                };
                shown.state = Some(state.to_owned());
            }
        }
        self
    }

    /// As lists show it, or whole, with what the provider said.
    pub fn new(stored: &StoredInbound, is_whole: bool, links: &Links) -> Self {
        let StoredInbound { id, address, message, edited_at, deleted_at, reactions } = stored;
        let url = |place: u32| format!("/v1/messages/{id}/media/{place}");
        let link = |place: u32| links.to_received(*id, place).unwrap_or_else(|| url(place));
        let file = |(place, media): (u32, &InboundMedia)| ChannelFile {
            kind: media.kind,
            name: media.name.clone(),
            mime: media.mime.clone(),
            size: media.size,
            url: url(place),
            state: None,
        };
        let attached = || message.media.iter().filter(|media| media.kind != InboundKind::Reply);
        let has = |kind: InboundKind| message.media.iter().any(|media| media.kind == kind);
        let image = |(place, media): (u32, &InboundMedia)| ChannelImage {
            url: link(place),
            file_id: media.file_id.clone(),
            caption: Some(message.text.to_string()).filter(|text| !text.is_empty()),
        };
        let placed = || (0_u32..).zip(&message.media);
        let raw = message.raw.as_deref().filter(|_| is_whole);
        Self {
            direction: MessageDirection::In,
            id: *id,
            channel: address.channel.clone(),
            channel_account: address.account.clone(),
            chat: address.to_string(),
            external_chat_id: address.chat.to_string(),
            external_message_id: message.external_id.clone(),
            external_user_id: message.user.clone(),
            client_name: message.name.clone(),
            client_phone: message.phone.as_ref().map(|phone| phone.value.clone()),
            client_email: message.email.as_ref().map(|email| email.value.clone()),
            chat_type: message.chat_type,
            origin: message.origin,
            subject: message.subject.clone(),
            text: message.text.clone(),
            whole_text: message.whole_text.clone().filter(|_| is_whole),
            is_for_people: message.is_for_people,
            media: ChannelMedia {
                has_voice: has(InboundKind::Voice),
                voice_url: placed()
                    .find(|(_, media)| media.kind == InboundKind::Voice)
                    .map(|(place, _)| link(place)),
                voice_transcribed_text: message
                    .media
                    .iter()
                    .find_map(|media| media.transcript.as_deref().map(str::to_owned)),
                has_images: has(InboundKind::Image),
                images: placed().filter(|(_, media)| media.kind == InboundKind::Image).map(image).collect(),
                has_video: has(InboundKind::Video),
                has_document: has(InboundKind::Document),
                kinds: attached().map(|media| media.kind).collect(),
            },
            // What is no file follows the files.
            files: placed().take_while(|(_, media)| media.kind.is_file()).map(file).collect(),
            reply_to: message.reply_to.clone(),
            reply_text: InboundMedia::reply_text(&message.media).map(str::to_owned),
            meta: ChannelMeta {
                ad_channel: message.ad.as_ref().map(|ad| ad.channel.clone()),
                ad_id: message.ad.as_ref().and_then(|ad| ad.id.clone()),
                raw: raw.and_then(|raw| serde_json::from_str(raw).ok()),
            },
            timestamp: message.sent_at,
            received_at: stored.received_at(),
            reactions: reactions.counted().iter().map(Reaction::from).collect(),
            edited_at: *edited_at,
            deleted_at: *deleted_at,
        }
    }
}
