//! What a provider must be able to do for one account of ours. Each folder of a channel implements it once.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use delivery::{Capabilities, MessageLookup};
use domain::media::MediaForm;
use domain::message::Writer;
use domain::text::FormattedText;
use domain::{ExternalChat, InboundEvent, InboundMedia, Outcome, ProviderId, SecretText, Timestamp};
use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream::{self, BoxStream, StreamExt};
use outbound::Body;
use outbound::multipart::Part;
use serde_json::Value;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use crate::charset;
use crate::error::CallError;
use crate::histories::ReadingHistories;
use crate::login::{LogIn, LogInAnswer};
use crate::old_call::OldCall;
use crate::posting::Registered;

/// One account at a provider.
///
/// No method waits without a limit. None repeats a call that may have had an effect: what follows an unclear one is decided by
/// the delivery, from [`Capabilities::dedup`].
pub trait Provider: Send + Sync + 'static {
    /// What it carries.
    fn capabilities(&self) -> Capabilities;

    /// What comes in. What is not here the provider does not report, or this program does not keep.
    fn receives(&self) -> &'static [Incoming];

    /// The size of its largest post, in bytes, where it has the files of messages in it.
    fn largest_post(&self) -> Option<usize> {
        None
    }

    /// How often the provider may be sent to.
    fn pacing(&self) -> Pacing;

    /// [`Pacing::account`], where some messages have another one.
    fn account_interval(&self, outgoing: &Outgoing) -> Duration {
        let _ = outgoing;
        self.pacing().account
    }

    /// [`Pacing::chat`], where some chats have another one.
    fn chat_interval(&self, chat: &ExternalChat) -> Duration {
        let _ = chat;
        self.pacing().chat
    }

    /// Does what takes long before a file is sent and that no one sees, such as uploading it; what comes of it goes into
    /// [`Outgoing::prepared`]. Never called for a text.
    ///
    /// # Errors
    /// An outcome that proves that nothing was sent.
    fn prepare<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<Option<String>, Outcome>> {
        let _ = outgoing;
        ready(Ok(None)).boxed()
    }

    /// Sends one message, once. The id of [`Outcome::Sent`] is a text: what [`domain::InboundMessage::external_id`] would say of
    /// it, were it to come in.
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome>;

    /// Looks whether a message arrived that may have been sent since then. Where [`Capabilities::dedup`] is
    /// [`delivery::Dedup::None`], only that it is there ends a doubt.
    fn find<'a>(&'a self, outgoing: &'a Outgoing, since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        let _ = (outgoing, since);
        ready(MessageLookup::CannotTell).boxed()
    }

    /// How long after a send that had no clear answer it may still have an effect: until then, that [`Provider::find`] sees no message
    /// does not say that there will be none.
    fn settles(&self, outgoing: &Outgoing) -> Duration {
        let _ = outgoing;
        Duration::ZERO
    }

    /// Does something to a chat or a message; only what [`Capabilities::actions`] names.
    ///
    /// # Errors
    /// The provider refuses it, or no answer came.
    fn act<'a>(&'a self, chat: &'a ExternalChat, deed: &'a Deed) -> BoxFuture<'a, Result<(), CallError>> {
        let _ = (chat, deed);
        ready(Err(CallError::refused("not_supported", "this channel has no such call"))).boxed()
    }

    /// Makes a call of the server that had a port for this channel: what the provider answered to it.
    ///
    /// # Errors
    /// The provider refuses it, or no answer came; [`CallError::Refused`] with `not_supported` where it is another channel's.
    fn old_call<'a>(&'a self, call: &'a OldCall) -> BoxFuture<'a, Result<Value, CallError>> {
        let _ = call;
        ready(Err(CallError::refused("not_supported", "this channel has no such call"))).boxed()
    }

    /// Asks for what [`Provider::hook`] needs to read a genuine post. Where no answer comes, it refuses the post until later.
    fn look_up<'a>(&'a self, post: &'a HookPost) -> BoxFuture<'a, ()> {
        let _ = post;
        ready(()).boxed()
    }

    /// Reads what the provider posted, or asked for, at the address that is registered there. No I/O.
    ///
    /// # Errors
    /// It is not the provider's, or cannot be read.
    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal>;

    /// Asks for what came in since `cursor`; none where the provider cannot be asked. It may wait for up to
    /// [`LONGEST_POLL`] for the first.
    ///
    /// # Errors
    /// The provider refuses it, or no answer came.
    fn poll<'a>(&'a self, cursor: Option<&'a str>) -> Option<BoxFuture<'a, Result<Polled, CallError>>> {
        let _ = cursor;
        None
    }

    /// Reads what came in since then, from the histories of the provider; none where it has no such call, or [`Provider::poll`] reads
    /// them. What is reported twice changes nothing. `known` has the chats in which customers wrote last, for a provider that lists none.
    ///
    /// # Errors
    /// The provider refuses it, or no answer came. A chat whose history fails is no error.
    fn missed(&self, since: Timestamp, known: Vec<ExternalChat>) -> ReadingHistories<'_> {
        let _ = (since, known);
        None
    }

    /// Whether it is asked, once a minute, also while it posts: for what it reports only then, and for what it failed to post.
    fn polls_beside_posts(&self) -> bool {
        false
    }

    /// Reads what was set aside when it came, because the provider did not say whose it is, as far as that is known by now; none where
    /// nothing is set aside. Once the events are kept, [`Provider::forget_recalled`] follows.
    fn recall(&self) -> Option<BoxFuture<'_, Vec<InboundEvent>>> {
        None
    }

    /// Forgets what [`Provider::recall`] read.
    ///
    /// # Errors
    /// The store cannot be written: it is read again.
    fn forget_recalled(&self) -> BoxFuture<'_, Result<(), CallError>> {
        ready(Ok(())).boxed()
    }

    /// Whether it refuses to be asked while an address is registered there.
    fn refuses_polls_while_registered(&self) -> bool {
        false
    }

    /// Makes what came in whole: names that only a call returns, links to recordings. What cannot be had is left out.
    fn complete(&self, events: Vec<InboundEvent>) -> BoxFuture<'_, Vec<InboundEvent>> {
        ready(events).boxed()
    }

    /// Begins to fetch a file that came in, of at most `most` bytes.
    ///
    /// # Errors
    /// It is gone ([`CallError::NotFound`]), too large ([`CallError::is_too_large`]), or no answer came.
    fn fetch<'a>(&'a self, media: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>>;

    /// A real call that changes nothing: who the account is.
    ///
    /// # Errors
    /// The provider refuses it, or no answer came.
    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>>;

    /// Where the provider posts to; none where it has no such question.
    fn registered(&self) -> Option<BoxFuture<'_, Result<Registered, CallError>>> {
        None
    }

    /// Why the provider does not post all that customers write, where it shows that and no address; see [`Identity::gap`].
    fn gap(&self) -> Option<BoxFuture<'_, Result<Option<String>, CallError>>> {
        None
    }

    /// Has the provider post to this address from now on. What [`Provider::registered`] showed before is replaced; where it cannot
    /// be asked, all that it has calls for is done, and a person enters the address in its pages.
    ///
    /// # Errors
    /// The provider refuses it, or no answer came; [`CallError::Refused`] with `by_hand` where it has no such call and a person
    /// does it in its pages.
    fn register<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        let _ = url;
        ready(Err(CallError::by_hand())).boxed()
    }

    /// Whether it calls an address that its owner enters there, to see that the address is right.
    fn confirms_addresses(&self) -> bool {
        false
    }

    /// What follows the path of the address that it posts to, where it asks for something there.
    fn hook_query(&self) -> &'static str {
        ""
    }

    /// The word that its pages ask for beside our address, where the settings have none.
    fn verify_token(&self) -> Option<SecretText> {
        None
    }

    /// The path of the address that is shown in place of [`Provider::register`]'s: pages that anyone reads post there, and it has no
    /// secret in it. None where it is the same.
    fn public_path(&self) -> Option<String> {
        None
    }

    /// Has the provider post nowhere.
    ///
    /// # Errors
    /// As with [`Provider::register`].
    fn unregister<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        let _ = url;
        ready(Err(CallError::by_hand())).boxed()
    }

    /// Gets a new token now, where tokens are renewed.
    ///
    /// # Errors
    /// The provider refuses it, or no answer came; [`CallError::Refused`] with `not_supported` where tokens do not expire.
    fn renew_token(&self) -> BoxFuture<'_, Result<(), CallError>> {
        ready(Err(CallError::refused("not_supported", "tokens of this channel are not renewed"))).boxed()
    }

    /// When the token ends; none where it does not, or that is not known.
    fn token_expires(&self) -> Option<Timestamp> {
        None
    }

    /// The first characters of the token, to distinguish it from others: at most this number, and no more than half of it.
    /// Nothing is asked; none where there is no token yet, or it is not shown.
    fn token_start(&self, _: usize) -> Option<String> {
        None
    }

    /// How long a new token lives; none where there is none, or it does not end. [`Provider::renew_token`] is called in time then.
    fn token_lives(&self) -> Option<Duration> {
        None
    }

    /// How the owner logs in now. Nothing is changed by that. `back` is the address of ours to which a browser comes back.
    ///
    /// # Errors
    /// The provider refuses it, or no answer came; [`CallError::Refused`] with `not_supported` where the settings have all it
    /// takes.
    fn log_in<'a>(&'a self, back: Option<&'a str>) -> BoxFuture<'a, Result<LogIn, CallError>> {
        let _ = back;
        ready(Err(no_log_in())).boxed()
    }

    /// Takes what the browser brought back from the provider, where [`Provider::log_in`] gave a link. It counts once.
    ///
    /// # Errors
    /// It is not the answer to a link of ours, or the provider refuses it, or no answer came.
    fn finish_log_in<'a>(
        &'a self,
        answer: &'a LogInAnswer,
        back: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        let _ = (answer, back);
        ready(Err(no_log_in())).boxed()
    }

    /// Logs the account out at its provider; it is not used before someone logs in again.
    ///
    /// # Errors
    /// As with [`Provider::log_in`].
    fn log_out(&self) -> BoxFuture<'_, Result<(), CallError>> {
        ready(Err(no_log_in())).boxed()
    }

    /// Has the provider start the account again.
    ///
    /// # Errors
    /// The provider refuses it, or no answer came; [`CallError::Refused`] with `not_supported` where it has no such call.
    fn restart(&self) -> BoxFuture<'_, Result<(), CallError>> {
        ready(Err(CallError::refused("not_supported", "this channel has no such call"))).boxed()
    }

    /// Where someone is written to who has not written, by what a person knows of them.
    ///
    /// # Errors
    /// A customer has to write first here, or cannot be reached by that: why.
    fn first_chat(&self, who: &str) -> Result<FirstChat, NoFirstChat> {
        let _ = who;
        Err(NoFirstChat::TheyWriteFirst)
    }

    /// Whether one address is registered for several accounts of an app, so that what is posted there may be for any of them.
    /// [`Provider::hook`] of each takes what is for it.
    fn shares_hook(&self) -> bool {
        false
    }

    /// The id of the account in what is posted, where [`Provider::shares_hook`] and once it is known.
    fn own_id(&self) -> Option<String> {
        None
    }
}

/// Why someone cannot be written to who has not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoFirstChat {
    #[error("customers write first in this channel; their chats can be answered")]
    TheyWriteFirst,
    #[error("is {0}")]
    Wrong(&'static str),
}

/// The chat with someone who has not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstChat {
    pub chat: ExternalChat,
    /// The number that the chat stands for.
    pub phone: Option<String>,
    /// The address that the chat stands for.
    pub email: Option<String>,
}

impl FirstChat {
    /// The chat of a number, as a channel writes it: with these before and after its digits.
    ///
    /// # Errors
    /// It is no number.
    pub(crate) fn of_number(who: &str, (before, after): (&str, &str)) -> Result<Self, NoFirstChat> {
        const WRONG: NoFirstChat = NoFirstChat::Wrong("no number of a phone; write it as +70000000001");
        let written = format!("+{}", who.trim().trim_start_matches('+'));
        let Ok(domain::NamedChat::Phone(phone)) = written.parse() else { return Err(WRONG) };
        let digits = phone.digits();
        let chat = ExternalChat::new(&format!("{before}{digits}{after}")).ok_or(WRONG)?;
        Ok(Self { chat, phone: Some(format!("+{digits}")), email: None })
    }
}

fn no_log_in() -> CallError {
    CallError::refused("not_supported", "no one logs in at this channel: the settings have all it takes")
}

/// Something that comes in through a provider, or a way by which it does.
#[derive(strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// It can be asked: [`Provider::poll`].
    Poll,
    /// It posts: [`Provider::hook`].
    Webhook,
    /// Texts.
    Text,
    /// Pictures, with their content, as with all media.
    Image,
    /// Voice messages.
    Voice,
    /// Music or speech.
    Audio,
    /// Films.
    Video,
    /// Files.
    Document,
    /// Stickers.
    Sticker,
    /// Which message is answered.
    Reply,
    /// That a message was changed by its writer.
    Edit,
    /// That a message was taken back by its writer.
    Delete,
    /// That someone reacted to a message, or took that back.
    Reaction,
    /// That a button was pressed.
    Press,
    /// What the owner of the account writes in the provider's own app.
    Owner,
    /// Whether a chat takes messages.
    Reachable,
    /// That a message of ours was not delivered.
    Undelivered,
}

/// The longest wait of a poll.
pub const LONGEST_POLL: Duration = Duration::from_secs(50);

/// How often the provider of an account may be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pacing {
    /// The least time between two messages of the account, once `burst` are used up.
    pub account: Duration,
    /// The least time between two messages to one chat, once `burst` are used up.
    pub chat: Duration,
    /// The most messages that leave at once.
    pub burst: u32,
}

/// One message on its way out.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The chat.
    pub chat: ExternalChat,
    /// Its text; with a file its caption, often empty.
    pub text: FormattedText,
    /// The file, if it is one.
    pub file: Option<OutgoingFile>,
    /// The message that it answers, as the provider names it.
    pub reply_to: Option<ProviderId>,
    /// Who wrote it.
    pub written_by: Writer,
    /// Without a sound.
    pub silent: bool,
    /// With a preview of the first link.
    pub preview: bool,
    /// The same for every attempt of this message, and for no other: a key against doubles where the provider takes one.
    pub key: i64,
    /// What [`Provider::prepare`] made.
    pub prepared: Option<String>,
    /// What only this provider has, as it takes it; see [`domain::message::Content::provider_options`].
    pub provider_options: Option<Value>,
    /// The files that arrive together with `file`; none where [`Capabilities::album`] lets each arrive alone.
    pub album: Vec<AlbumFile>,
}

impl Outgoing {
    /// All of its files, with what [`Provider::prepare`] made of each.
    pub fn files(&self) -> impl Iterator<Item = (&OutgoingFile, Option<&str>)> {
        let others = self.album.iter().map(|one| (&one.file, one.prepared.as_deref()));
        self.file.iter().map(|file| (file, self.prepared.as_deref())).chain(others)
    }
}

/// A file after the first of an album.
#[derive(Debug, Clone)]
pub struct AlbumFile {
    /// The same for every attempt of this file, and for no other.
    pub key: i64,
    /// The file.
    pub file: OutgoingFile,
    /// What [`Provider::prepare`] made of it, which is asked for each file by itself.
    pub prepared: Option<String>,
}

/// A file on its way out.
#[derive(Debug, Clone)]
pub struct OutgoingFile {
    /// As what it is sent.
    pub form: MediaForm,
    /// What its receiver sees.
    pub name: String,
    /// Its type; empty where it is not known.
    pub mime: String,
    /// In bytes.
    pub size: u64,
    /// Where it is on this machine.
    pub path: PathBuf,
    /// An address of ours at which the provider can fetch it for an hour; none without `public_url`.
    pub link: Option<String>,
}

impl OutgoingFile {
    /// Its content.
    ///
    /// # Errors
    /// An outcome that says that the file is gone.
    pub async fn read(&self) -> Result<Vec<u8>, Outcome> {
        tokio::fs::read(&self.path).await.map_err(|error| self.gone(&error))
    }

    /// Its content as a part of a form. It is read as it goes out: a file may be larger than the memory.
    ///
    /// # Errors
    /// An outcome that says that the file is gone.
    pub async fn part(&self) -> Result<Part, Outcome> {
        let opened = async {
            let file = File::open(&self.path).await?;
            let length = file.metadata().await?.len();
            io::Result::Ok((file, length))
        };
        let (file, length) = opened.await.map_err(|error| self.gone(&error))?;
        Ok(Part::stream_with_length(Body::wrap_stream(ReaderStream::new(file)), length))
    }

    fn gone(&self, error: &io::Error) -> Outcome {
        Outcome::MediaGone(format!("the file {:?} cannot be read: {error}", self.name))
    }

    /// Its type, or that of any bytes.
    pub fn mime(&self) -> &str {
        if self.mime.is_empty() { "application/octet-stream" } else { &self.mime }
    }
}

/// What can be done to a chat or a message besides sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// The text of a message of ours is changed.
    Edit { external_id: String, text: String },
    /// A message of ours is removed.
    Delete { external_id: String },
    /// What the customer wrote is marked as read, up to this message where the provider counts so.
    MarkRead { external_id: Option<String> },
    /// The customer sees that something is being written.
    Typing,
}

/// A request to the address that is registered at a provider.
#[derive(Debug, Clone)]
pub struct HookPost {
    /// `GET` or `POST`.
    pub method: String,
    /// The whole address as the caller wrote it, under `public_url`: some providers sign it.
    pub url: String,
    /// What follows the `?`.
    pub query: String,
    /// The headers, their names in small letters.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl HookPost {
    /// The header of this name, in small letters.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    /// The pairs of the query.
    pub fn query(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }

    /// The pairs of a form in the body, in UTF-8 or windows-1251.
    pub fn form(&self) -> Vec<(String, String)> {
        let fields = charset::fields(&self.body).into_iter();
        fields.map(|(name, value)| (name, charset::text(&value))).collect()
    }
}

/// What a request to the registered address comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hook {
    /// What happened. The answer is given once all of it is on disk.
    pub events: Vec<InboundEvent>,
    /// The answer that the provider wants.
    pub answer: HookAnswer,
}

impl Hook {
    /// These events and an empty 200.
    pub fn events(events: Vec<InboundEvent>) -> Self {
        Self { events, answer: HookAnswer::default() }
    }

    /// Nothing happened; the answer is a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { events: Vec::new(), answer: HookAnswer::text(text) }
    }
}

/// The answer to a provider, with 200.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HookAnswer {
    /// The type of the body; empty without one.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl HookAnswer {
    /// A plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content_type: "text/plain; charset=utf-8", body: text.into() }
    }

    /// JSON.
    pub fn json(text: impl Into<String>) -> Self {
        Self { content_type: "application/json", body: text.into() }
    }
}

/// Why a request to the registered address is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HookRefusal {
    /// The signature or secret is missing or wrong: 401.
    #[error("the signature is missing or wrong")]
    NotGenuine,
    /// It is for another account: 403.
    #[error("it is for another account: {0}")]
    OtherAccount(String),
    /// It cannot be read: 400.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// For which account it is cannot be said yet: 503, so that it is posted again.
    #[error("the account {0} does not know yet whether it is for it")]
    NotYet(String),
}

/// What a poll brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Polled {
    /// What happened.
    pub events: Vec<InboundEvent>,
    /// Where to go on, kept in the write of the events.
    pub cursor: Option<String>,
    /// Whether more waits, so that the next poll is to follow at once. A long poll always has it.
    pub more: bool,
}

/// A file that is being fetched.
pub struct Fetched {
    /// Its type, where the answer had it.
    pub mime: Option<String>,
    /// Its size in bytes, where the answer had it.
    pub size: Option<u64>,
    /// Its content, piece by piece. A larger one than was asked for ends with an error. Its reader limits the wait for each.
    pub content: BoxStream<'static, Result<Bytes, CallError>>,
}

impl Fetched {
    /// One that is here already.
    pub fn whole(content: Vec<u8>, mime: Option<String>) -> Self {
        let size = Some(content.len() as u64);
        Self { mime, size, content: stream::iter([Ok(content.into())]).boxed() }
    }
}

/// Who an account is at its provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Its id there.
    pub id: String,
    /// What people see.
    pub name: String,
    /// What is missing for it to work, in words for its owner, such as a right.
    pub missing: Vec<String>,
    /// Why it does not post all that customers write; [`crate::Posting::gap`] says it of providers that show their address.
    pub gap: Option<String>,
}
