//! All accounts of channels: a sender for the delivery, and how each of them is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ambient::lock::Mutex;
use ambient::{Clock, Handle};
use config::ChannelFields;
use delivery::{
    Attempt, Candidate, Candidates, Capabilities, Dedup, Evidence, MessageLookup, Query, Readiness,
    RefusalKind, Sender,
};
use domain::media::{FileKey, MediaSource};
use domain::message::{Content, PartItem};
use domain::outcome::{HoldScope, Refusal, RejectionCode};
use domain::text::FormattedText;
use domain::{
    AccountName, Address, ChannelChat, ChannelName, ChatRef, ExternalChat, Outcome, SecretText, Timestamp,
};
use futures::future::{BoxFuture, FutureExt, ready};
use tokio::sync::watch;

use crate::arrival::{Arrival, CatchUp};
use crate::bucket::Bucket;
use crate::error::CallError;
use crate::health::{Health, WebhookObservation};
use crate::http::Http;
use crate::provider::{AlbumFile, Outgoing, OutgoingFile, Provider};
use crate::received_files::FilesStatus;
use crate::registering::Attempted;
use crate::renewal::TokenLife;
use crate::unclear::UnclearSends;

/// The chats of an account whose pace and holds are remembered at most; those that may be sent to are forgotten first.
const MOST_CHATS: usize = 20_000;
/// What was given to an account as it was paused is chosen for again after this.
const PAUSED: Duration = Duration::from_secs(5);
/// How far apart clocks that agree may seem to be: a date has whole seconds, and its answer takes a moment.
const DATE_ROUNDING: Duration = Duration::from_secs(2);
/// The most messages of which is remembered what was prepared and not sent yet.
const MOST_PREPARED: usize = 1_000;

/// Where a file of a message is stored, and the address of ours at which a provider can fetch it.
pub trait OutgoingFiles: Send + Sync + 'static {
    /// Where it is stored.
    fn path(&self, key: &FileKey) -> std::path::PathBuf;

    /// An address at which it can be fetched for an hour; none without `public_url`.
    fn link(&self, key: &FileKey, name: &str, mime: &str) -> Option<String>;
}

/// One account of a channel.
pub struct Account {
    /// What the settings say.
    pub fields: ChannelFields,
    /// Its channel.
    pub channel: ChannelName,
    /// What speaks to its provider.
    pub provider: Arc<dyn Provider>,
    hook_secret: SecretText,
    /// What its calls go out through, where that is known.
    http: Option<Http>,
    state: Mutex<State>,
}

/// How an account is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountStatus {
    /// It is not sent through before this.
    pub held_until: Option<Timestamp>,
    /// Nothing works until its owner does something: why, and since when.
    pub stopped: Option<(CallError, Timestamp)>,
    /// The last call that failed, and when; none since one went well.
    pub last_error: Option<(CallError, Timestamp)>,
    /// Another program was heard in its place when it asked last for what came in: what was said, and when.
    pub rival: Option<(CallError, Timestamp)>,
    /// When something was sent last.
    pub last_out: Option<Timestamp>,
    /// When it was found well last.
    pub checked_at: Option<Timestamp>,
    /// What it is called at its provider.
    pub identity: Option<crate::Identity>,
    /// Whether it hears by being posted to, by asking, or not at all.
    pub receives_by: ReceivesBy,
    /// How far the files of its messages are.
    pub files: FilesStatus,
    /// Whether a person paused it: nothing is sent through it, and what comes in is received.
    pub paused: bool,
    /// What went wrong within a day.
    pub health: Health,
    /// Where its provider posts to, as it said last.
    pub webhook: Option<WebhookObservation>,
    /// The last attempt to have it post here again.
    pub registering: Option<Attempted>,
    /// Whether posts arrive at our address, by the last call of it; none where nothing posts.
    pub arrival: Option<Arrival>,
    /// Whether nothing of the provider has come to an address that its owner was to enter there.
    pub(crate) is_unproved: bool,
    /// How far histories are read of what was not posted here.
    pub(crate) catch_up: CatchUp,
    /// When it was looked last whether what customers write arrives.
    pub(crate) looked_at: Option<Timestamp>,
    /// How many looks in a row found that it does not.
    pub(crate) losses: u32,
}

/// How an account receives what customers write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ReceivesBy {
    /// Not yet known.
    #[default]
    Starting,
    /// The provider posts.
    Webhook,
    /// The provider is asked.
    Poll,
    /// Not at all.
    Nothing,
}

#[derive(Default)]
struct State {
    status: AccountStatus,
    /// When its hold began. One of a later time than now is from before the clock was set back, and does not count.
    held_since: Timestamp,
    bucket: Bucket,
    chats: HashMap<ExternalChat, ChatState>,
    prepared: HashMap<i64, String>,
    unclear: UnclearSends,
}

#[derive(Default, Clone, Copy)]
struct ChatState {
    bucket: Bucket,
    held_until: Option<Timestamp>,
    /// As that of the account.
    held_since: Timestamp,
}

impl Account {
    /// An account that nothing is known of yet.
    pub fn new(
        fields: ChannelFields,
        channel: ChannelName,
        provider: Arc<dyn Provider>,
        hook_secret: SecretText,
    ) -> Self {
        Self { fields, channel, provider, hook_secret, http: None, state: Mutex::default() }
    }

    /// The same account, whose calls go out through this.
    #[must_use]
    pub fn through(self, http: Http) -> Self {
        Self { http: Some(http), ..self }
    }

    /// How many seconds the provider's clock is ahead of this one; nothing before an answer showed it.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.http.as_ref().and_then(Http::clock_ahead)
    }

    /// Its name.
    pub const fn name(&self) -> &AccountName {
        &self.fields.name
    }

    /// The last part of the address that is registered at its provider.
    pub const fn hook_secret(&self) -> &SecretText {
        &self.hook_secret
    }

    /// The path of that address.
    pub fn hook_path(&self) -> String {
        crate::hook_path(&self.channel, self.name(), &self.hook_secret)
    }

    /// How long its token lives, and when it ends; none without one, or where it does not end.
    pub fn token_life(&self) -> Option<TokenLife> {
        let lives = self.provider.token_lives()?;
        Some(TokenLife { lives, ends: self.provider.token_expires() })
    }

    /// How it is.
    pub fn status(&self) -> AccountStatus {
        self.state.lock().status.clone()
    }

    /// As it was before the program started: what went wrong with it, and whether it is paused.
    pub fn restore(&self, health: Option<Health>, paused: bool) {
        self.change(|status| (status.health, status.paused) = (health.unwrap_or_default(), paused));
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut AccountStatus)) {
        change(&mut self.state.lock().status);
    }

    /// Notes how a call went that is no send.
    pub(crate) fn note(&self, result: Result<(), &CallError>, now: Timestamp) {
        let mut state = self.state.lock();
        let status = &mut state.status;
        match result {
            Ok(()) => {
                status.last_error = None;
                status.stopped = None;
            }
            Err(error) => {
                status.health.note(&error.to_string(), now);
                status.last_error = Some((error.clone(), now));
                if error.stops_account() && status.stopped.is_none() {
                    status.stopped = Some((error.clone(), now));
                }
            }
        }
    }

    /// When it may send to a chat.
    fn readiness(&self, chat: &ExternalChat, now: Timestamp) -> Readiness {
        let state = &mut *self.state.lock();
        if state.status.paused {
            return Readiness::Paused;
        }
        let mut unknown = ChatState::default();
        let of_chat = state.chats.get_mut(chat).unwrap_or(&mut unknown);
        if now < state.held_since {
            state.status.held_until = None;
        }
        if now < of_chat.held_since {
            of_chat.held_until = None;
        }
        let pacing = self.provider.pacing();
        let holds = [
            state.status.held_until.filter(|until| *until > now),
            of_chat.held_until.filter(|until| *until > now),
            state.bucket.next(now, pacing.account, pacing.burst),
            of_chat.bucket.next(now, self.provider.chat_interval(chat), pacing.burst),
        ];
        holds.into_iter().flatten().max().map_or(Readiness::Ready, Readiness::HeldUntil)
    }

    /// Takes a place among what the provider is sent; the instant of the next one where there is none.
    fn admit(&self, outgoing: &Outgoing, now: Timestamp) -> Result<(), Timestamp> {
        let chat = &outgoing.chat;
        match self.readiness(chat, now) {
            Readiness::HeldUntil(until) | Readiness::LimitedUntil(until) => return Err(until),
            // It was paused after it was chosen: chosen again, it waits until it is resumed.
            Readiness::Paused => return Err(now.plus(PAUSED)),
            Readiness::Ready | Readiness::Connecting => {}
        }
        let (of_account, of_chat) =
            (self.provider.account_interval(outgoing), self.provider.chat_interval(chat));
        let mut state = self.state.lock();
        state.bucket.take(now, of_account);
        if state.chats.len() >= MOST_CHATS {
            state.chats.retain(|_, chat| {
                !chat.bucket.is_full(now) || chat.held_until.is_some_and(|until| until > now)
            });
        }
        state.chats.entry(chat.clone()).or_default().bucket.take(now, of_chat);
        Ok(())
    }

    /// An album has at most as many files as are kept.
    fn keep_prepared(&self, key: i64, handle: String) {
        let mut state = self.state.lock();
        if state.prepared.len() >= MOST_PREPARED {
            state.prepared.clear();
        }
        state.prepared.insert(key, handle);
    }

    fn note_outcome(&self, chat: &ExternalChat, outcome: &Outcome, now: Timestamp) {
        let mut state = self.state.lock();
        if !matches!(outcome, Outcome::Sent(_) | Outcome::InProgress | Outcome::Held { .. }) {
            let words = outcome.detail().unwrap_or_else(|| outcome.word().to_owned());
            state.status.health.note(&format!("a send: {words}"), now);
        }
        match outcome {
            Outcome::Sent(_) => {
                state.status.last_out = Some(now);
                state.status.last_error = None;
            }
            Outcome::Held { until, scope: HoldScope::Account } => {
                (state.status.held_until, state.held_since) = (Some(*until), now);
            }
            Outcome::Held { until, scope: HoldScope::Chat } => {
                let of_chat = state.chats.entry(chat.clone()).or_default();
                (of_chat.held_until, of_chat.held_since) = (Some(*until), now);
            }
            Outcome::SessionLost(_) | Outcome::Banned(_) => {
                let why = CallError::Token("a send was refused".to_owned());
                state.status.stopped.get_or_insert((why, now));
            }
            _ => {}
        }
    }
}

/// All accounts of channels. Cheap to clone.
#[derive(Clone)]
pub struct Channels(Handle<Inner>);

struct Inner {
    accounts: BTreeMap<AccountName, Arc<Account>>,
    files: Option<Arc<dyn OutgoingFiles>>,
    clock: Clock,
    changed: watch::Sender<u64>,
}

impl Channels {
    /// These accounts; without `files` they send texts alone.
    pub fn new(accounts: Vec<Account>, files: Option<Arc<dyn OutgoingFiles>>, clock: Clock) -> Self {
        let named = |account: Account| (account.name().clone(), Arc::new(account));
        let accounts = accounts.into_iter().map(named).collect();
        Self(Handle::new(Inner { accounts, files, clock, changed: watch::Sender::new(0) }))
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.0.accounts.values()
    }

    /// One, by its name.
    pub fn get(&self, name: &AccountName) -> Option<&Arc<Account>> {
        self.0.accounts.get(name)
    }

    /// The accounts of a channel.
    pub fn of<'a>(&'a self, channel: &'a ChannelName) -> impl Iterator<Item = &'a Arc<Account>> {
        self.all().filter(move |account| account.channel == *channel)
    }

    /// Something may have become able: a hold was lifted, an account is well again.
    pub(crate) fn touch(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The account that serves an address.
    fn serving(&self, chat: &ChannelChat) -> Option<&Arc<Account>> {
        self.get(&chat.account).filter(|account| account.channel == chat.channel)
    }

    /// A part as its provider sends it.
    fn outgoing(
        &self,
        account: &Account,
        attempt: &Attempt<'_>,
        chat: &ExternalChat,
    ) -> Result<Outgoing, Outcome> {
        let rejected = |code: &str| Outcome::Rejected { code: RejectionCode::Provider(code.to_owned()) };
        let [first, others @ ..] = attempt.part.items.as_slice() else { return Err(rejected("EMPTY_PART")) };
        if others.len() >= account.provider.capabilities().album.most() {
            return Err(rejected("ALBUM_NOT_SUPPORTED"));
        }
        let file = |item: &PartItem| {
            let media = item.media.and_then(|place| attempt.content.media.get(usize::from(place)));
            match media.map(|media| (media, &media.source)) {
                None => Ok(None),
                Some((media, MediaSource::File { key, size, .. })) => {
                    let files = self.0.files.as_ref().ok_or_else(|| rejected("FILES_NOT_SUPPORTED"))?;
                    Ok(Some(OutgoingFile {
                        form: media.form.clone(),
                        name: media.name.clone(),
                        mime: media.mime.clone(),
                        size: *size,
                        path: files.path(key),
                        link: files.link(key, &media.name, &media.mime),
                    }))
                }
                Some((_, MediaSource::Post { .. } | MediaSource::FileId { .. })) => {
                    Err(rejected("MEDIA_SOURCE_NOT_SUPPORTED"))
                }
            }
        };
        let prepared = |item: &PartItem| account.state.lock().prepared.get(&item.random_id).cloned();
        let mut album = Vec::with_capacity(others.len());
        for item in others {
            let file = file(item)?.ok_or_else(|| rejected("ALBUM_NOT_SUPPORTED"))?;
            album.push(AlbumFile { key: item.random_id, file, prepared: prepared(item) });
        }
        let is_first = attempt.part.index == 0;
        Ok(Outgoing {
            chat: chat.clone(),
            text: attempt.part.text.clone(),
            file: file(first)?,
            reply_to: attempt.content.reply_to.clone().filter(|_| is_first),
            written_by: attempt.content.written_by,
            silent: attempt.content.silent,
            preview: attempt.content.preview,
            key: first.random_id,
            prepared: prepared(first),
            album,
            provider_options: attempt.content.provider_options.clone().filter(|_| is_first),
        })
    }

    /// The account and the part of an attempt.
    fn attempt(&self, attempt: &Attempt<'_>) -> Result<(Arc<Account>, Outgoing), Outcome> {
        let Address::Channel(chat) = attempt.address else {
            return Err(Outcome::NotFound("this is a chat of Telegram".to_owned()));
        };
        let account = self.get(attempt.account).cloned();
        let account =
            account.ok_or_else(|| Outcome::Unavailable("there is no such account any more".to_owned()))?;
        let outgoing = self.outgoing(&account, attempt, &chat.chat)?;
        Ok((account, outgoing))
    }
}

impl Sender for Channels {
    fn knows(&self, account: &AccountName) -> bool {
        self.0.accounts.contains_key(account)
    }

    fn accounts(&self) -> Vec<AccountName> {
        self.0.accounts.keys().cloned().collect()
    }

    fn serves(&self, chat: &ChatRef) -> bool {
        matches!(chat, ChatRef::Channel(chat) if self.serving(chat).is_some())
    }

    fn locate(&self, chat: &ChatRef) -> Option<Address> {
        Address::written(chat).filter(|_| self.serves(chat))
    }

    fn capabilities(&self, chat: &ChatRef) -> Capabilities {
        let account = match chat {
            ChatRef::Channel(chat) => self.serving(chat),
            ChatRef::Id(_) | ChatRef::Username(_) => None,
        };
        let mut capabilities = account.map_or(crate::NOTHING, |account| account.provider.capabilities());
        if self.0.files.is_none() {
            capabilities.media = &[];
        }
        capabilities
    }

    fn candidates_now(&self, query: &Query) -> Option<Candidates> {
        let ChatRef::Channel(chat) = &query.chat else { return Some(Candidates::default()) };
        let Some(account) = self.serving(chat) else { return Some(Candidates::default()) };
        let (name, now) = (account.name().clone(), self.0.clock.now());
        let address = Some(Address::Channel(chat.clone()));
        if query.pin.as_ref().is_some_and(|pin| *pin != name) {
            let why = "the chat belongs to another account".to_owned();
            let refused = query
                .pin
                .iter()
                .cloned()
                .map(|account| (Refusal { account, why: why.clone() }, RefusalKind::NotFound));
            return Some(Candidates { address, refused: refused.collect(), ..Candidates::default() });
        }
        let stopped = account.status().stopped;
        let (mut able, mut refused) = (Vec::new(), Vec::new());
        match stopped {
            None => {
                able.push(Candidate { account: name.clone(), readiness: account.readiness(&chat.chat, now) });
            }
            Some((error, _)) => {
                refused
                    .push((Refusal { account: name.clone(), why: error.to_string() }, RefusalKind::Unusable));
            }
        }
        Some(Candidates { address, able, refused, preferred: Some(name), ..Candidates::default() })
    }

    fn candidates<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Candidates> {
        ready(self.candidates_now(query).unwrap_or_default()).boxed()
    }

    fn place_mention<'a>(
        &'a self,
        _account: &'a AccountName,
        _address: &'a Address,
        _content: &'a Content,
    ) -> BoxFuture<'a, Result<FormattedText, Outcome>> {
        let code = RejectionCode::Provider("MENTION_NOT_SUPPORTED".to_owned());
        ready(Err(Outcome::Rejected { code })).boxed()
    }

    fn prepare<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<(), Outcome>> {
        async move {
            let (account, mut outgoing) = self.attempt(&attempt)?;
            let others = std::mem::take(&mut outgoing.album).into_iter();
            let others = others.map(|AlbumFile { key, file, prepared }| Outgoing {
                key,
                file: Some(file),
                prepared,
                ..outgoing.clone()
            });
            for alone in std::iter::once(outgoing.clone()).chain(others) {
                if alone.file.is_none() || alone.prepared.is_some() {
                    continue;
                }
                if let Some(handle) = account.provider.prepare(&alone).await? {
                    account.keep_prepared(alone.key, handle);
                }
            }
            Ok(())
        }
        .boxed()
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Outcome> {
        async move {
            let (account, outgoing) = match self.attempt(&attempt) {
                Ok(found) => found,
                Err(outcome) => return outcome,
            };
            if let Err(until) = account.admit(&outgoing, self.0.clock.now()) {
                return Outcome::held(until);
            }
            let outcome = account.provider.send(&outgoing).await;
            account.note_outcome(&outgoing.chat, &outcome, self.0.clock.now());
            if matches!(outcome, Outcome::Unknown(_)) {
                account.state.lock().unclear.note(outgoing.key, self.0.clock.running());
            }
            if matches!(outcome, Outcome::Sent(_) | Outcome::Unprepared(_) | Outcome::Rejected { .. }) {
                let mut state = account.state.lock();
                for key in std::iter::once(outgoing.key).chain(outgoing.album.iter().map(|one| one.key)) {
                    state.prepared.remove(&key);
                }
            }
            outcome
        }
        .boxed()
    }

    fn find<'a>(&'a self, attempt: Attempt<'a>, since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        async move {
            let Ok((account, outgoing)) = self.attempt(&attempt) else { return MessageLookup::CannotTell };
            let behind = || account.http.as_ref().map(Http::clock_behind).unwrap_or_default();
            let assumed = behind();
            // Of an attempt of an earlier run only its beginning is known.
            let ended = account.state.lock().unclear.ended(outgoing.key);
            let over_for = match ended {
                Some(ended) => self.0.clock.running().saturating_sub(ended),
                None => self.0.clock.now().since(since),
            };
            let may_come = over_for < account.provider.settles(&outgoing);
            let found = account.provider.find(&outgoing, since).await;
            // The provider may have given the message an earlier time than was looked for.
            let may_be_earlier =
                since > self.0.clock.now() || behind() > assumed.saturating_add(DATE_ROUNDING);
            match found {
                MessageLookup::NotThere if may_come || may_be_earlier => MessageLookup::CannotTell,
                found => found,
            }
        }
        .boxed()
    }

    /// Looks where the provider may keep what it took, such as a mailbox its sent mails. That it is not there proves nothing.
    fn peer_check<'a>(&'a self, attempt: Attempt<'a>, since: Timestamp) -> BoxFuture<'a, Evidence> {
        async move {
            let Ok((account, outgoing)) = self.attempt(&attempt) else { return Evidence::None };
            if account.provider.capabilities().dedup != Dedup::None {
                return Evidence::None;
            }
            match account.provider.find(&outgoing, since).await {
                MessageLookup::Here(ids) => Evidence::Present(Some(ids)),
                MessageLookup::NotThere | MessageLookup::CannotTell => Evidence::None,
            }
        }
        .boxed()
    }

    fn can_still_tell(&self, account: &AccountName) -> bool {
        self.get(account).is_some_and(|account| account.status().stopped.is_none())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }
}
