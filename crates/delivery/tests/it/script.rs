//! A sender that does what a test says, and remembers like a provider does: a `random_id` has its effect once, and an
//! album arrives as a whole.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ambient::Clock;
use delivery::pace::{Pace, Sent};
use delivery::{
    Attempt, Candidate, Candidates, Capabilities, Dedup, Delivery, Evidence, Limits, MediaKind,
    MessageLookup, Query, Readiness, RefusalKind, Sender, Submission,
};
use domain::account::SendingLimits;
use domain::media::{FileKey, Media, MediaForm, MediaSource, Sha256};
use domain::message::{Content, Mention, OutboundMessage, PartItem};
use domain::outcome::{HoldScope, Refusal, SentIds};
use domain::text::{FormattedText, ParseMode, TextLimit, Unit};
use domain::timeline::Entry;
use domain::{AccountName, Address, ChannelName, ChatId, ChatRef, MessageId, Outcome, Timestamp, UserId};
use futures::future::BoxFuture;
use store::{Binding, Store};
use tokio::sync::{Semaphore, watch};

use crate::folder::{self, Folder};

/// What one preparation does.
#[derive(Debug, Clone)]
pub(crate) enum Prepares {
    /// It is done at once, as it is without a script.
    Done,
    /// It cannot be done, for this reason.
    Fails(Outcome),
    /// Goes on for ever, until someone drops it.
    Uploads,
}

/// What one call does.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Takes effect and says so.
    Send,
    /// Takes effect, and the answer is lost.
    SendSilently,
    /// Takes effect and answers this.
    SendAnd(Outcome),
    /// Takes effect, and waits for ever, until the program dies.
    SendAndHang,
    /// Takes no effect and answers this.
    Refuse(Outcome),
    /// Takes effect and says so once [`Script::answer_late`] says so.
    SendLate,
    /// Takes no effect and answers this once [`Script::answer_late`] says so.
    RefuseLate(Outcome),
    /// Waits for ever, until the program dies.
    Hang,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) account: AccountName,
    pub(crate) address: Address,
    pub(crate) random_id: i64,
    pub(crate) text: String,
    /// The place of its media in the message.
    pub(crate) media: Option<u16>,
    pub(crate) at: Timestamp,
}

#[derive(Default)]
struct Provider {
    effects: Vec<Effect>,
    ids: HashMap<(AccountName, Address, i64), (i64, Timestamp)>,
    script: HashMap<AccountName, VecDeque<Act>>,
    preparing: HashMap<AccountName, VecDeque<Prepares>>,
    prepared: Vec<(AccountName, i64)>,
    mentions_refused: VecDeque<Outcome>,
    held: HashMap<AccountName, Timestamp>,
    limits: HashMap<AccountName, SendingLimits>,
    paces: HashMap<AccountName, Arc<Pace>>,
    gone: Vec<AccountName>,
    calls: u32,
    on_the_wire: u32,
    hanging: u32,
    blind: bool,
    unnamed: bool,
    look_ups: Option<Arc<Semaphore>>,
    testimony: Option<Evidence>,
    looks: u32,
    bound_to: Option<AccountName>,
    migrated: HashMap<ChatId, ChatId>,
    rebound: Vec<AccountName>,
}

/// What the pretend provider takes, unless a test says otherwise: as much as Telegram.
pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    text: TextLimit::new(4_096, Unit::Utf16),
    caption: Some(TextLimit::new(1_024, Unit::Utf16)),
    sends: true,
    reply: true,
    album: delivery::Album::of_one_kind(10),
    parse_modes: &[ParseMode::Html, ParseMode::Markdown],
    media: &MediaKind::ALL,
    actions: &[],
    states: &[],
    dedup: Dedup::Key { window: None },
};

impl Provider {
    /// The ids of a part that is there.
    fn ids_of(&self, attempt: &Attempt<'_>) -> Option<SentIds> {
        let key = |item: &PartItem| (attempt.account.clone(), attempt.address.clone(), item.random_id);
        attempt.part.items.iter().map(|item| self.ids.get(&key(item)).map(|(id, _)| Some(*id))).collect()
    }

    /// Takes a part that was sent at `called`, each of its items once for as long as their keys are known.
    fn take(&mut self, attempt: &Attempt<'_>, dedup: Dedup, called: Timestamp, now: Timestamp) -> SentIds {
        let is_known = |at: Timestamp| match dedup {
            Dedup::Key { window: None } => true,
            // An attempt that was made in time may come in a little later.
            Dedup::Key { window: Some(window) } => called < at.plus(window + Duration::from_mins(1)),
            Dedup::ReadBack | Dedup::None => false,
        };
        let mut ids = Vec::new();
        for (place, item) in attempt.part.items.iter().enumerate() {
            let key = (attempt.account.clone(), attempt.address.clone(), item.random_id);
            let next = i64::try_from(self.effects.len()).expect("small") + 1;
            let known = self.ids.get(&key).filter(|(_, at)| is_known(*at)).map(|(id, _)| *id);
            if known.is_none() {
                self.ids.insert(key, (next, now));
                self.effects.push(Effect {
                    account: attempt.account.clone(),
                    address: attempt.address.clone(),
                    random_id: item.random_id,
                    text: if place == 0 { attempt.part.text.text.clone() } else { String::new() },
                    media: item.media,
                    at: now,
                });
            }
            ids.push(Some(known.unwrap_or(next)));
        }
        ids.into_iter().collect()
    }
}

/// The scripted sender: accounts, by default `main` and `backup` of Telegram, which know every chat.
pub(crate) struct Script {
    capabilities: Capabilities,
    provider: Arc<Mutex<Provider>>,
    clock: Clock,
    changed: watch::Sender<u64>,
    late: Semaphore,
    accounts: Vec<AccountName>,
    channel: Option<ChannelName>,
}

impl Script {
    pub(crate) fn new(clock: &Clock, capabilities: Capabilities) -> Arc<Self> {
        Self::with(clock, capabilities, &["main", "backup"], None)
    }

    /// The sender of a channel, with these accounts.
    pub(crate) fn of_channel(
        clock: &Clock,
        capabilities: Capabilities,
        channel: &str,
        accounts: &[&str],
    ) -> Arc<Self> {
        Self::with(clock, capabilities, accounts, Some(channel.parse().expect("a name")))
    }

    fn with(
        clock: &Clock,
        capabilities: Capabilities,
        accounts: &[&str],
        channel: Option<ChannelName>,
    ) -> Arc<Self> {
        Arc::new(Self {
            capabilities,
            accounts: accounts.iter().map(|account| name(account)).collect(),
            channel,
            provider: Arc::default(),
            clock: clock.clone(),
            changed: watch::Sender::new(0),
            late: Semaphore::new(0),
        })
    }

    pub(crate) fn act(&self, account: &str, acts: impl IntoIterator<Item = Act>) {
        self.provider.lock().expect("lock").script.entry(name(account)).or_default().extend(acts);
    }

    /// From now on all goes well.
    pub(crate) fn calm(&self) {
        self.provider.lock().expect("lock").script.clear();
    }

    pub(crate) fn prepare(&self, account: &str, acts: impl IntoIterator<Item = Prepares>) {
        self.provider.lock().expect("lock").preparing.entry(name(account)).or_default().extend(acts);
    }

    /// What comes of placing a mention, before any is placed.
    pub(crate) fn refuse_mentions(&self, outcomes: impl IntoIterator<Item = Outcome>) {
        self.provider.lock().expect("lock").mentions_refused.extend(outcomes);
    }

    /// Which parts were prepared, or were about to be, by whom and with which first `random_id`.
    pub(crate) fn prepared(&self) -> Vec<(AccountName, i64)> {
        self.provider.lock().expect("lock").prepared.clone()
    }

    pub(crate) fn effects(&self) -> Vec<Effect> {
        self.provider.lock().expect("lock").effects.clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.effects().into_iter().map(|effect| effect.text).collect()
    }

    pub(crate) fn calls(&self) -> u32 {
        self.provider.lock().expect("lock").calls
    }

    fn take(&self, attempt: &Attempt<'_>, called: Timestamp) -> SentIds {
        let mut provider = self.provider.lock().expect("lock");
        if attempt.binding == Binding::Replaced {
            provider.rebound.push(attempt.account.clone());
            provider.bound_to = Some(attempt.account.clone());
        }
        provider.take(attempt, self.capabilities.dedup, called, self.clock.now())
    }

    async fn hang<T>(&self) -> T {
        self.provider.lock().expect("lock").hanging += 1;
        std::future::pending().await
    }

    /// The calls that hang go down with the program; waits for those that do not.
    async fn dies(&self) {
        for _ in 0..1_000 {
            {
                let mut provider = self.provider.lock().expect("lock");
                if provider.on_the_wire <= provider.hanging {
                    (provider.on_the_wire, provider.hanging) = (0, 0);
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets one late answer come.
    pub(crate) fn answer_late(&self) {
        self.late.add_permits(1);
    }

    /// Whether calls wait for the program to die.
    pub(crate) fn hangs(&self) -> bool {
        self.provider.lock().expect("lock").hanging > 0
    }

    /// Chats cannot be read from now on.
    pub(crate) fn blind(&self) {
        self.provider.lock().expect("lock").blind = true;
    }

    /// How often the chat was looked at.
    pub(crate) fn looks(&self) -> u32 {
        self.provider.lock().expect("lock").looks
    }

    pub(crate) fn hold(&self, account: &str, until: Timestamp) {
        self.provider.lock().expect("lock").held.insert(name(account), until);
    }

    /// A program starts on this store: what each account may send, and what it has.
    async fn opens(&self, store: &Store) {
        for account in &self.accounts {
            let changed = self.changed.clone();
            let freed = move || changed.send_modify(|n| *n += 1);
            let pace = Pace::new(account.clone(), store.clone(), self.clock.clone(), freed);
            let limits = self.provider.lock().expect("lock").limits.get(account).copied();
            pace.limit(limits.unwrap_or_default()).await.expect("counts");
            self.provider.lock().expect("lock").paces.insert(account.clone(), pace);
        }
    }

    /// The account may send so many messages within any hour, in this run and in later ones.
    pub(crate) async fn limit(&self, account: &str, per_hour: u32) {
        let limits = SendingLimits { per_hour: NonZeroU32::new(per_hour), per_day: None };
        self.provider.lock().expect("lock").limits.insert(name(account), limits);
        if let Some(pace) = self.pace(&name(account)) {
            pace.limit(limits).await.expect("counts");
        }
    }

    /// What it has sent, as its limits see it.
    pub(crate) fn sent(&self, account: &str) -> Sent {
        self.pace(&name(account)).expect("a program runs").sent()
    }

    pub(crate) fn lose(&self, account: &str) {
        self.provider.lock().expect("lock").gone.push(name(account));
        self.changed.send_modify(|n| *n += 1);
    }

    /// Every chat is bound to this account.
    pub(crate) fn bind(&self, account: &str) {
        self.provider.lock().expect("lock").bound_to = Some(name(account));
    }

    /// A basic group has become a supergroup; it is not noticed until someone asks.
    pub(crate) fn migrate(&self, from: ChatId, to: ChatId) {
        self.provider.lock().expect("lock").migrated.insert(from, to);
    }

    /// Who took chats over.
    pub(crate) fn rebound(&self) -> Vec<AccountName> {
        self.provider.lock().expect("lock").rebound.clone()
    }

    /// Someone else taught the names.
    pub(crate) fn learn_names(&self) {
        self.provider.lock().expect("lock").unnamed = false;
    }

    /// What others in the chat say from now on.
    pub(crate) fn testify(&self, testimony: Evidence) {
        self.provider.lock().expect("lock").testimony = Some(testimony);
    }

    /// Look-ups wait for a permit.
    pub(crate) fn hold_look_ups(&self) -> Arc<Semaphore> {
        let gate = Arc::new(Semaphore::new(0));
        self.provider.lock().expect("lock").look_ups = Some(gate.clone());
        gate
    }

    /// Names are not known until someone asks.
    pub(crate) fn forget_names(&self) {
        self.provider.lock().expect("lock").unnamed = true;
    }
}

impl Sender for Script {
    fn knows(&self, account: &AccountName) -> bool {
        self.accounts.contains(account)
    }

    fn accounts(&self) -> Vec<AccountName> {
        self.accounts.clone()
    }

    fn serves(&self, chat: &ChatRef) -> bool {
        match chat {
            ChatRef::Id(_) | ChatRef::Username(_) => self.channel.is_none(),
            ChatRef::Channel(chat) => self.channel.as_ref() == Some(&chat.channel),
        }
    }

    fn locate(&self, chat: &ChatRef) -> Option<Address> {
        match chat {
            ChatRef::Username(_) if self.provider.lock().expect("lock").unnamed => None,
            ChatRef::Username(_) => ChatId::user(777).map(Address::Telegram),
            chat => Address::written(chat),
        }
    }

    fn capabilities(&self, _: &ChatRef) -> Capabilities {
        self.capabilities
    }

    fn candidates_now(&self, query: &Query) -> Option<Candidates> {
        let address = self.locate(&query.chat)?;
        let provider = self.provider.lock().expect("lock");
        let moved = address.chat_id().and_then(|chat_id| provider.migrated.get(&chat_id));
        let address = moved.map_or(address, |moved| Address::Telegram(*moved));
        let mut candidates = Candidates { address: Some(address), ..Candidates::default() };
        candidates.preferred = provider.bound_to.clone().or_else(|| self.accounts.first().cloned());
        candidates.lost = provider.bound_to.as_ref().is_some_and(|bound| provider.gone.contains(bound));
        for account in self.accounts.iter().cloned() {
            if query.pin.as_ref().is_some_and(|pin| *pin != account) {
                continue;
            }
            if provider.gone.contains(&account) {
                candidates.refused.push((Refusal { account, why: "gone".into() }, RefusalKind::Unusable));
                continue;
            }
            let readiness = match provider.held.get(&account) {
                Some(until) if *until > self.clock.now() => Readiness::HeldUntil(*until),
                _ => Readiness::Ready,
            };
            candidates.able.push(Candidate { account, readiness });
        }
        Some(candidates)
    }

    fn pace(&self, account: &AccountName) -> Option<Arc<Pace>> {
        self.provider.lock().expect("lock").paces.get(account).cloned()
    }

    fn candidates<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Candidates> {
        Box::pin(async move {
            let gate = self.provider.lock().expect("lock").look_ups.clone();
            if let Some(gate) = gate {
                gate.acquire().await.expect("open").forget();
            }
            self.provider.lock().expect("lock").unnamed = false;
            self.candidates_now(query).expect("now they are known")
        })
    }

    fn place_mention<'a>(
        &'a self,
        _: &'a AccountName,
        _: &'a Address,
        content: &'a Content,
    ) -> BoxFuture<'a, Result<FormattedText, Outcome>> {
        let anna = UserId::new(42).expect("an id");
        let refusal = self.provider.lock().expect("lock").mentions_refused.pop_front();
        Box::pin(async move {
            let placed = || domain::text::with_mention(content.text.clone(), anna, "Anna");
            refusal.map_or_else(|| Ok(placed()), Err)
        })
    }

    fn prepare<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<(), Outcome>> {
        Box::pin(async move {
            assert!(attempt.part.is_media(), "texts need no preparation");
            let act = {
                let mut provider = self.provider.lock().expect("lock");
                provider.prepared.push((attempt.account.clone(), attempt.part.random_id()));
                provider.preparing.get_mut(attempt.account).and_then(VecDeque::pop_front)
            };
            tokio::task::yield_now().await;
            failpoint::reach("script.prepare.before").await;
            let prepared = match act.unwrap_or(Prepares::Done) {
                Prepares::Done => Ok(()),
                Prepares::Fails(outcome) => Err(outcome),
                Prepares::Uploads => std::future::pending().await,
            };
            failpoint::reach("script.prepare.after").await;
            prepared
        })
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            let called = self.clock.now();
            let act = {
                let mut provider = self.provider.lock().expect("lock");
                provider.calls += 1;
                provider.on_the_wire += 1;
                provider.script.get_mut(attempt.account).and_then(VecDeque::pop_front).unwrap_or(Act::Send)
            };
            // Gives other tasks their turn, as a real wire does.
            tokio::task::yield_now().await;
            failpoint::reach("script.send.before").await;
            if matches!(act, Act::RefuseLate(_)) {
                self.late.acquire().await.expect("open").forget();
            }
            let outcome = match act {
                Act::Hang => self.hang().await,
                Act::Refuse(outcome) | Act::RefuseLate(outcome) => {
                    let mut provider = self.provider.lock().expect("lock");
                    match &outcome {
                        Outcome::Held { until, scope: HoldScope::Account } => {
                            provider.held.insert(attempt.account.clone(), *until);
                        }
                        Outcome::Banned(_) | Outcome::SessionLost(_) => {
                            provider.gone.push(attempt.account.clone());
                        }
                        _ => {}
                    }
                    outcome
                }
                Act::Send => Outcome::Sent(self.take(&attempt, called)),
                Act::SendLate => {
                    let ids = self.take(&attempt, called);
                    self.late.acquire().await.expect("open").forget();
                    Outcome::Sent(ids)
                }
                Act::SendSilently => {
                    self.take(&attempt, called);
                    Outcome::Unknown("the connection was lost".into())
                }
                Act::SendAnd(outcome) => {
                    self.take(&attempt, called);
                    outcome
                }
                Act::SendAndHang => {
                    self.take(&attempt, called);
                    self.hang().await
                }
            };
            self.provider.lock().expect("lock").on_the_wire -= 1;
            failpoint::reach("script.send.after").await;
            outcome
        })
    }

    fn find<'a>(&'a self, attempt: Attempt<'a>, _: Timestamp) -> BoxFuture<'a, MessageLookup> {
        Box::pin(async move {
            let mut provider = self.provider.lock().expect("lock");
            provider.looks += 1;
            let is_seen = !provider.blind && self.capabilities.dedup != Dedup::None;
            match provider.ids_of(&attempt) {
                _ if !is_seen => MessageLookup::CannotTell,
                Some(ids) => MessageLookup::Here(ids),
                None => MessageLookup::NotThere,
            }
        })
    }

    fn peer_check<'a>(&'a self, _: Attempt<'a>, _: Timestamp) -> BoxFuture<'a, Evidence> {
        Box::pin(
            async move { self.provider.lock().expect("lock").testimony.clone().unwrap_or(Evidence::None) },
        )
    }

    fn can_still_tell(&self, account: &AccountName) -> bool {
        !self.provider.lock().expect("lock").gone.contains(account)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// A delivery with its store in a folder of its own.
pub(crate) struct Bench {
    pub(crate) folder: Folder,
    pub(crate) clock: Clock,
    pub(crate) script: Arc<Script>,
    pub(crate) store: Store,
    pub(crate) delivery: Delivery,
    limits: Limits,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(CAPABILITIES).await
    }

    /// Of a provider that takes this.
    pub(crate) async fn with(capabilities: Capabilities) -> Self {
        let clock = Clock::system();
        let script = Script::new(&clock, capabilities);
        Self::open(Folder::on_sqlite(), clock, script, Limits::default()).await
    }

    pub(crate) async fn limited(limits: Limits) -> Self {
        let clock = Clock::system();
        let script = Script::new(&clock, CAPABILITIES);
        Self::open(Folder::on_sqlite(), clock, script, limits).await
    }

    /// With its store on PostgreSQL.
    pub(crate) async fn on_postgres() -> Self {
        let clock = Clock::system();
        let script = Script::new(&clock, CAPABILITIES);
        Self::open(Folder::on_postgres().await, clock, script, Limits::default()).await
    }

    /// Of a channel with one account, `shop`.
    pub(crate) async fn of_channel(channel: &str) -> Self {
        let clock = Clock::system();
        let script = Script::of_channel(&clock, CAPABILITIES, channel, &["shop"]);
        Self::open(Folder::on_sqlite(), clock, script, Limits::default()).await
    }

    async fn open(folder: Folder, clock: Clock, script: Arc<Script>, limits: Limits) -> Self {
        let (delivery, store) = Self::run(&folder, &clock, &script, limits).await;
        Self { folder, clock, script, store, delivery, limits }
    }

    /// What runs on this folder, and its store.
    pub(crate) async fn run(
        folder: &Folder,
        clock: &Clock,
        script: &Arc<Script>,
        limits: Limits,
    ) -> (Delivery, Store) {
        // They keep the store of the program before open.
        script.provider.lock().expect("lock").paces.clear();
        let store = folder.store(clock).await;
        script.opens(&store).await;
        let ambient = folder::ambient(clock);
        let delivery = Delivery::new(store.clone(), script.clone(), ambient, limits);
        (delivery, store)
    }

    /// As after a crash: what hung, hung; the store is what counts.
    pub(crate) async fn restart(self) -> Self {
        self.restart_on(None).await
    }

    /// The same, after a power cut where this was on the disk.
    pub(crate) async fn restart_on(self, disk: Option<Folder>) -> Self {
        self.delivery.drain(Duration::from_millis(10)).await;
        self.script.dies().await;
        drop(self.delivery);
        self.store.close().await;
        let folder = disk.unwrap_or(self.folder);
        let next = Self::open(folder, self.clock, self.script, self.limits).await;
        next.delivery.resume().await.expect("resumes");
        next
    }

    /// As after a restore from a backup that was made at this moment.
    pub(crate) async fn restore(self) -> Self {
        self.delivery.drain(Duration::from_millis(10)).await;
        drop(self.delivery);
        self.store.close().await;
        let store = self.folder.store(&self.clock).await;
        store.hold_back(self.clock.now()).await.expect("holds back");
        store.close().await;
        let next = Self::open(self.folder, self.clock, self.script, self.limits).await;
        assert_eq!(next.delivery.resume().await, Ok(0), "nothing is taken up");
        next
    }

    pub(crate) async fn submit(&self, submission: Submission) -> MessageId {
        self.delivery.submit(submission).await.expect("accepted").id
    }

    /// Ended and, as a read waits for that, committed.
    pub(crate) async fn settled(&self, id: MessageId) -> OutboundMessage {
        self.delivery.settled(id, Duration::from_mins(1)).await.expect("reads");
        self.store.outbox().get(id).await.expect("reads").expect("exists")
    }

    /// The attempts at a message, as its timeline has them.
    pub(crate) async fn attempts(&self, id: MessageId) -> Vec<Entry> {
        let timeline = self.store.outbox().timeline(id).await.expect("reads");
        timeline.into_iter().filter(|entry| entry.outcome.is_some()).collect()
    }

    /// Lets everything that can run do so.
    pub(crate) async fn breathe(&self) {
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

pub(crate) fn name(text: &str) -> AccountName {
    text.parse().expect("a name")
}

pub(crate) fn group(number: i64) -> ChatRef {
    ChatRef::Id(ChatId::channel(number).expect("a chat"))
}

pub(crate) fn text(chat: ChatRef, text: &str) -> Submission {
    Submission::plain(chat, text, "v1")
}

pub(crate) fn mentioning(chat: ChatRef, words: &str) -> Submission {
    let mut submission = text(chat, words);
    submission.content.mention = Some(Mention::User { user_id: 42 });
    submission
}

/// A photo of its own.
pub(crate) fn photo(number: u8) -> Media {
    let key: FileKey = format!("file_{}", format!("{number:02x}").repeat(16)).parse().expect("a name");
    Media {
        source: MediaSource::File { key, size: 1, sha256: Sha256([number; 32]) },
        form: MediaForm::Photo { width: 1, height: 1 },
        name: format!("{number}.jpg"),
        mime: "image/jpeg".into(),
    }
}

/// So many photos and a text.
pub(crate) fn album(chat: ChatRef, photos: usize, words: &str) -> Submission {
    let mut submission = text(chat, words);
    submission.content.media = (0..=u8::MAX).take(photos).map(photo).collect();
    submission
}
