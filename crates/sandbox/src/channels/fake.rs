//! What a pretend provider of a channel must be able to do: answer calls as the real one answers them, and post what customers do.

use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::{Reply, Request};

/// A pretend provider. Its calls are made one after the other; nothing in it waits.
pub(crate) trait Fake: Send {
    /// Answers a call; `None` where its credentials are of no account here. It may be any call at all: what the real provider refuses
    /// is refused.
    fn answer(&mut self, request: &Request, outside: &mut Outside) -> Option<Reply>;

    /// The address of a file that the provider fetches before it answers this call: it is in [`Request::fetched`] then.
    fn fetches(&self, request: &Request) -> Option<String> {
        let _ = request;
        None
    }

    /// The owner types an address to post to in the provider's pages, where there is no call for that.
    ///
    /// # Errors
    /// It has a call, or the order is wrong, in words.
    fn type_hook(&mut self, order: &HookOrder, outside: &mut Outside) -> Result<(), String> {
        let _ = (order, outside);
        Err("this provider has a call for that".to_owned())
    }

    /// The address that was typed, once the provider has taken it.
    fn typed_hook(&self, account: &str) -> Option<String> {
        let _ = account;
        None
    }

    /// A customer does something in a chat with an account.
    ///
    /// # Errors
    /// What is wrong with the order, in words.
    fn customer(&mut self, deed: &CustomerDeed, outside: &mut Outside) -> Result<CustomerDone, String>;

    /// A post of this provider was answered, or was not (`None`).
    fn posted(&mut self, post: &Post, answer: Option<&PostAnswer>, outside: &mut Outside) {
        let _ = (post, answer, outside);
    }

    /// Whether a post that was not taken is sent again as it is.
    fn repeats(&self, post: &Post) -> bool {
        let _ = post;
        true
    }

    /// The answer of the provider when there are too many calls; it wants none for so long.
    fn too_many(&self, seconds: u64) -> Reply {
        let mut reply = Reply::text(429, "too many requests");
        reply.headers.push(("retry-after", seconds.to_string()));
        reply
    }

    /// All access tokens end now.
    fn expire_tokens(&mut self) {}

    /// A table `[[channels]]` for each account of the demo world, without `api`, which is added: `name`, `channel` and credentials.
    fn settings(&self) -> Vec<toml::Table>;

    /// Its accounts.
    fn accounts(&self) -> Vec<String>;
}

/// What a fake sees of the rest, and what it wants done.
pub(crate) struct Outside {
    /// The time.
    pub(crate) now: Timestamp,
    /// The address of this provider's API, without a slash at its end.
    pub(crate) base: String,
    pub(crate) files: Vec<ProviderFile>,
    pub(crate) effects: Vec<ChannelEffect>,
    pub(crate) posts: Vec<Post>,
}

impl Outside {
    /// The number of seconds since 1970.
    pub(crate) const fn seconds(&self) -> i64 {
        self.now.as_seconds()
    }

    /// The number of milliseconds since 1970.
    pub(crate) const fn millis(&self) -> i64 {
        self.now.as_micros() / 1_000
    }

    /// Something that the product did is written into the ledger.
    pub(crate) fn record(&mut self, effect: ChannelEffect) {
        self.effects.push(effect);
    }

    /// The product is posted to.
    pub(crate) fn post(&mut self, post: Post) {
        self.posts.push(post);
    }

    /// Keeps a file and says where it can be fetched.
    pub(crate) fn keep(&mut self, file: ProviderFile) -> String {
        let id = format!("{:016x}{}", self.now.as_micros(), self.files.len());
        let url = format!("{}/files/{id}", self.base);
        self.files.push(ProviderFile { id, ..file });
        url
    }

    /// A file that was kept, by the address that [`Outside::keep`] gave or the last part of it.
    pub(crate) fn file(&self, url: &str) -> Option<&ProviderFile> {
        let id = url.rsplit('/').next()?;
        self.files.iter().find(|file| file.id == id)
    }
}

/// A file at a provider.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProviderFile {
    /// Given by [`Outside::keep`].
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) mime: String,
    pub(crate) content: Vec<u8>,
    /// After this it is gone.
    pub(crate) until: Option<Timestamp>,
}

/// An effect that the product had at a provider.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChannelEffect {
    /// The channel, as in settings.
    pub provider: String,
    /// The account.
    pub account: String,
    /// The provider's name for the call.
    pub method: String,
    /// The chat, as in the address that the product sends to.
    pub chat_id: String,
    /// Plain text; a caption.
    pub text: String,
    /// What is bold in it and the like, as the provider writes it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Value>,
    /// The provider's id of the message.
    pub external_id: Option<String>,
    /// The provider's id of the message that it answers.
    pub reply_to: Option<String>,
    /// Of a file: what it is, such as `image`.
    pub media: Option<String>,
    /// Of a file: the MD5 of its content in hexadecimal; of several those of all, with commas between them.
    pub md5: Option<String>,
}

/// A request of a provider to the product.
#[derive(Debug, Clone, Default)]
pub(crate) struct Post {
    /// The channel, as in settings.
    pub(crate) provider: &'static str,
    pub(crate) account: String,
    pub(crate) url: String,
    /// `POST` if empty.
    pub(crate) method: &'static str,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// The answer that counts; any 2xx without one.
    pub(crate) wants_body: Option<&'static str>,
    /// How long it waits for the answer; the poster's own limit without one.
    pub(crate) within_ms: Option<u64>,
    /// It is sent again after each of these, in milliseconds, until it is taken. The real provider's gaps, made short.
    pub(crate) retries: Vec<u64>,
    /// The header that says, from the second time on, how often it was sent before.
    pub(crate) counts_tries: Option<&'static str>,
    /// How often it was sent before.
    pub(crate) tries: usize,
}

impl Post {
    /// A JSON body, sent again a few times within half a minute.
    pub(crate) fn json(
        provider: &'static str,
        account: impl Into<String>,
        url: impl Into<String>,
        body: &Value,
    ) -> Self {
        Self {
            provider,
            account: account.into(),
            url: url.into(),
            content_type: "application/json",
            body: body.to_string().into_bytes(),
            retries: vec![250, 500, 1_000, 2_000, 4_000, 8_000, 16_000],
            ..Self::default()
        }
    }

    /// With this header.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What the product answered to a post.
#[derive(Debug, Clone)]
pub(crate) struct PostAnswer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// An address that is typed in the pages of a provider.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HookOrder {
    pub(crate) channel: String,
    pub(crate) account: String,
    pub(crate) url: String,
    /// The word that the provider asks the address with.
    pub(crate) verify_token: Option<String>,
}

/// What a customer does. `account` may be left out where the channel has one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CustomerDeed {
    pub(crate) channel: String,
    pub(crate) account: Option<String>,
    /// What: `write` if left out.
    pub(crate) action: CustomerAction,
    /// Who: the customer's id at the provider, a number or a word; a number of a phone, an address for email.
    #[serde(deserialize_with = "number_or_word")]
    pub(crate) from: String,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) media: Vec<CustomerMedia>,
    /// The message that is edited, deleted, answered or read, as the provider names it.
    #[serde(deserialize_with = "maybe_number_or_word")]
    pub(crate) message_id: Option<String>,
    /// The subject of a mail; the name of a form; the advertisement.
    pub(crate) subject: Option<String>,
    /// The post comes so often; 1 if left out.
    pub(crate) times: Option<usize>,
    /// With a wrong signature or secret.
    pub(crate) forged: bool,
    /// More, as each fake reads it.
    pub(crate) extra: Value,
}

/// What is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CustomerAction {
    /// A message is written.
    #[default]
    Write,
    /// A message is changed.
    Edit,
    /// A message is taken back.
    Delete,
    /// All of the account's messages are read.
    Read,
    /// What was sent last, or `message_id`, arrives.
    Deliver,
    /// What was sent last, or `message_id`, cannot be delivered.
    Undeliver,
    /// The account is blocked.
    Block,
    /// It is let in again.
    Unblock,
    /// `message_id` gets `text` as the one reaction, or none.
    React,
    /// A button is pressed: `text` is its data.
    Press,
    /// The owner of the account answers in the provider's own app: `from` is the customer.
    OwnerWrites,
}

/// A file that a customer sends.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CustomerMedia {
    /// `image`, `voice`, `audio`, `video`, `document` or `sticker`.
    pub(crate) kind: String,
    pub(crate) name: Option<String>,
    pub(crate) mime: Option<String>,
    /// In base64; a few bytes of its own if left out.
    pub(crate) content: Option<String>,
}

impl CustomerMedia {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        use base64::Engine as _;
        let given =
            self.content.as_deref().and_then(|it| base64::engine::general_purpose::STANDARD.decode(it).ok());
        given.unwrap_or_else(|| format!("a pretend {}", self.kind).into_bytes())
    }
}

/// What a deed of a customer led to.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct CustomerDone {
    pub(crate) channel: String,
    pub(crate) account: String,
    /// The chat, as the product answers it.
    pub(crate) chat_id: String,
    /// The provider's id of the message, as the product keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
}

fn number_or_word<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    })
}

fn maybe_number_or_word<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    number_or_word(deserializer).map(|text| Some(text).filter(|text| !text.is_empty()))
}

/// How long an answer to a post is waited for.
pub(crate) const ANSWER: Duration = Duration::from_secs(10);
