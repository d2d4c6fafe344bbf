//! An account: its lines, what it knows and what holds it back, as one thing that can be asked and switched.

pub(crate) mod health;
pub(crate) mod restrictions;
pub(crate) mod view;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use delivery::pace::Pace;
use domain::account::{AccountState, Operation, Reason, shown_state};
use domain::saga::RegistryChange;
use domain::secret::ExposeSecret;
use domain::{AccountName, ChatId, ChatKind, Purpose, Timestamp};
use futures::FutureExt;
use futures::future::BoxFuture;
use grammers_tl_types::{RemoteCall, enums, functions};
use store::{Hold, KeyFingerprint, Store, StoredPeer, Switch};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::account::health::AccountHealth;
use crate::account::view::Gap;
use crate::calls::classify::CallError;
use crate::files::{Fetching, FileState};
use crate::limits::flood_waits::FloodWaits;
use crate::line::{Arrived, Line, Origin, Status};
use crate::live::Watch;
use crate::peers::parsing::{self, PeerUpdate};
use crate::peers::{Names, PeerRelation, Peers};
use crate::roster::{Definition, StoredKey, shares};
use crate::routing::registry::Registry;
use crate::routing::router::Usable;
use crate::sending::recently_sent::RecentlySent;
use crate::session::SignedIn;
use crate::steps::recent_invites::RecentInvites;
use ambient::lock::{Mutex, RwLock};

/// How often the newest dialogs are read out of turn at most.
const NEWEST_EVERY: Duration = Duration::from_secs(30);

/// How long a call that only reads may take.
const READ: Duration = Duration::from_secs(10);

pub(crate) struct Account {
    pub(crate) index: usize,
    pub(crate) name: AccountName,
    priority: AtomicU16,
    in_pool: AtomicBool,
    definition: RwLock<Arc<Definition>>,
    /// Its sessions of the store, and what each is for.
    stored: Mutex<Vec<StoredKey>>,
    pub(crate) arrived: mpsc::Sender<Arrived>,
    pub(crate) health: Arc<AccountHealth>,
    lines: RwLock<Arc<[Arc<Line>]>>,
    pub(crate) closing: CancellationToken,
    pub(crate) watch: Watch,
    pub(crate) peers: Peers,
    pub(crate) names: Arc<Names>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) flood_waits: FloodWaits,
    pub(crate) pace: Arc<Pace>,
    pub(crate) recently_sent: RecentlySent,
    pub(crate) recent_invites: RecentInvites,
    pub(crate) file_state: FileState,
    pub(crate) fetching: Fetching,
    pub(crate) store: Store,
    /// The first reading of the dialogs is done.
    pub(crate) dialogs_complete: AtomicBool,
    /// How many dialogs Telegram says there are; negative until it was asked.
    dialogs_total: AtomicI64,
    pub(crate) reload: AtomicBool,
    pub(crate) refresh: Notify,
    /// Updates that were taken, and those that are known to have been missed.
    pub(crate) updates_received: AtomicU64,
    pub(crate) updates_missed: AtomicU64,
    /// The latest stretches of updates that were left out, oldest first.
    pub(crate) gaps: Mutex<VecDeque<Gap>>,
    /// Some are to be read from histories.
    pub(crate) gap_noted: Notify,
    switch: AtomicU8,
    switched_at: AtomicI64,
    /// Anyone who reads the newest dialogs out of turn.
    pub(crate) newest_turn: Semaphore,
    /// When that was last done, and why it went wrong if it did.
    newest: Mutex<Option<(Timestamp, Result<(), String>)>>,
}

pub(crate) struct AccountParts {
    pub(crate) index: usize,
    pub(crate) definition: Arc<Definition>,
    pub(crate) stored: Vec<StoredKey>,
    pub(crate) health: Arc<AccountHealth>,
    pub(crate) lines: Vec<Arc<Line>>,
    pub(crate) arrived: mpsc::Sender<Arrived>,
    pub(crate) names: Arc<Names>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) store: Store,
    pub(crate) switch: Switch,
    pub(crate) closing: CancellationToken,
    pub(crate) watch: Watch,
}

impl Account {
    pub(crate) fn new(parts: AccountParts) -> Self {
        let started = parts.health.clock.now().as_micros();
        let changes = parts.health.changes.clone();
        let pace = Pace::new(
            parts.definition.name.clone(),
            parts.store.clone(),
            parts.health.clock.clone(),
            move || changes.tell(),
        );
        Self {
            index: parts.index,
            name: parts.definition.name.clone(),
            priority: AtomicU16::new(parts.definition.priority),
            in_pool: AtomicBool::new(parts.definition.in_pool),
            definition: RwLock::new(parts.definition),
            stored: Mutex::new(parts.stored),
            arrived: parts.arrived,
            flood_waits: FloodWaits::new(&parts.health.clock),
            health: parts.health,
            lines: RwLock::new(parts.lines.into()),
            closing: parts.closing,
            watch: parts.watch,
            peers: Peers::default(),
            names: parts.names,
            registry: parts.registry,
            pace,
            recently_sent: RecentlySent::default(),
            recent_invites: RecentInvites::default(),
            file_state: FileState::default(),
            fetching: Fetching::default(),
            store: parts.store,
            dialogs_complete: AtomicBool::new(false),
            dialogs_total: AtomicI64::new(-1),
            reload: AtomicBool::new(false),
            refresh: Notify::new(),
            updates_received: AtomicU64::new(0),
            updates_missed: AtomicU64::new(0),
            gaps: Mutex::default(),
            gap_noted: Notify::new(),
            switched_at: AtomicI64::new(started),
            newest_turn: Semaphore::new(1),
            newest: Mutex::default(),
            switch: AtomicU8::new(code(parts.switch)),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.health.clock.now()
    }

    /// How many dialogs Telegram says there are, once it was asked.
    pub(crate) fn dialogs_total(&self) -> Option<u32> {
        u32::try_from(self.dialogs_total.load(Ordering::Relaxed)).ok()
    }

    pub(crate) fn count_dialogs(&self, total: u32) {
        self.dialogs_total.store(i64::from(total), Ordering::Relaxed);
    }

    /// Lower numbers are used first.
    pub(crate) fn priority(&self) -> u16 {
        self.priority.load(Ordering::Acquire)
    }

    /// Whether it does work that does not name it.
    pub(crate) fn in_pool(&self) -> bool {
        self.in_pool.load(Ordering::Acquire)
    }

    /// Its phone number, masked.
    pub(crate) fn phone(&self) -> Option<String> {
        self.definition().phone.as_ref().map(|phone| masked(phone.expose_secret()))
    }

    pub(crate) fn definition(&self) -> Arc<Definition> {
        Arc::clone(&self.definition.read())
    }

    pub(crate) fn define(&self, definition: Definition) {
        self.priority.store(definition.priority, Ordering::Release);
        self.in_pool.store(definition.in_pool, Ordering::Release);
        *self.definition.write() = Arc::new(definition);
        self.fetching.wake();
    }

    pub(crate) fn stored(&self) -> Vec<StoredKey> {
        self.stored.lock().clone()
    }

    pub(crate) fn stored_key(&self, fingerprint: KeyFingerprint) -> Option<Arc<SignedIn>> {
        self.stored().into_iter().map(|stored| stored.key).find(|key| key.fingerprint() == fingerprint)
    }

    pub(crate) fn shares(&self) -> Vec<(Origin, Vec<Purpose>)> {
        let definition = self.definition();
        let settings: Vec<_> = definition.sessions.iter().map(|(_, purposes)| purposes.clone()).collect();
        let stored = self.stored().into_iter().map(|stored| (stored.key.fingerprint(), stored.purposes));
        shares(&settings, &stored.collect::<Vec<_>>())
    }

    pub(crate) fn set_stored(&self, stored: Vec<StoredKey>) {
        *self.stored.lock() = stored;
    }

    /// Its lines are these, by their index.
    pub(crate) fn set_lines(&self, mut lines: Vec<Arc<Line>>) {
        lines.sort_by_key(|line| line.index());
        *self.lines.write() = lines.into();
    }

    /// Whether someone has to sign in or give it a session.
    pub(crate) fn wants_session(&self) -> bool {
        let lines = self.lines();
        lines.is_empty() || lines.iter().any(|line| line.state() == AccountState::NeedsLogin)
    }

    pub(crate) fn lines(&self) -> Arc<[Arc<Line>]> {
        Arc::clone(&self.lines.read())
    }

    pub(crate) fn switch(&self) -> Switch {
        match self.switch.load(Ordering::Acquire) {
            1 => Switch::Paused,
            2 => Switch::Stopped,
            _ => Switch::On,
        }
    }

    pub(crate) fn set_switch(&self, switch: Switch) {
        self.switch.store(code(switch), Ordering::Release);
        self.switched_at.store(self.now().as_micros(), Ordering::Release);
        self.health.changes.tell();
    }

    /// Whether it can be used at all: for any purpose, as its lines stand in for each other.
    pub(crate) fn usable(&self) -> Usable {
        match self.switch() {
            Switch::Paused => return Usable::No(AccountState::Paused, None),
            Switch::Stopped => return Usable::No(AccountState::Offline, None),
            Switch::On => {}
        }
        if let Some(reason) = self.health.restriction().filter(|reason| *reason != Reason::PeerFlood) {
            return Usable::No(reason.state(), Some(reason));
        }
        if self.health.is_up() {
            return Usable::Now;
        }
        let is_coming = self.lines().iter().any(|line| line.is_coming());
        // One that came up since the first look is no longer coming.
        if self.health.is_up() {
            return Usable::Now;
        }
        // A data centre that does not answer, or answers with an error, is tried again until it lets the line in: work waits
        // for it, and is not given up.
        if is_coming || self.is_being_arranged() {
            return Usable::Connecting;
        }
        let worst =
            self.lines().iter().rev().map(|line| line.state_and_reason()).max_by_key(|(state, _)| *state);
        let (state, reason) = worst.unwrap_or((AccountState::NeedsLogin, Some(Reason::NoSession)));
        Usable::No(state, reason)
    }

    /// Whether it can still find out what became of a message: its session is alive, or may be.
    pub(crate) fn can_still_tell(&self) -> bool {
        let closed = matches!(self.health.restriction(), Some(Reason::Banned | Reason::Deactivated));
        let lost = |line: &Arc<Line>| matches!(line.state(), AccountState::Banned | AccountState::NeedsLogin);
        !closed && (!self.lines().iter().all(lost) || self.is_being_arranged())
    }

    /// Banned, deactivated or signed out by Telegram: it does not come back by itself.
    pub(crate) fn is_lost(&self) -> bool {
        let closed = |reason| matches!(reason, Some(Reason::Banned | Reason::Deactivated));
        let signed_out = |reason| {
            matches!(reason, Some(Reason::SessionRevoked | Reason::AuthKeyDuplicated | Reason::KeyUnknown))
        };
        let lines = self.lines();
        let is_over = |line: &Arc<Line>| {
            let (_, reason) = line.state_and_reason();
            closed(reason) || signed_out(reason)
        };
        closed(self.health.restriction()) || (!lines.is_empty() && lines.iter().all(is_over))
    }

    pub(crate) fn away_since(&self) -> Option<Timestamp> {
        let frozen = self.health.restricted().filter(|(reason, _)| *reason == Reason::Frozen);
        match self.switch() {
            Switch::On => frozen.map(|(_, since)| since),
            Switch::Paused | Switch::Stopped => {
                Some(Timestamp::from_micros(self.switched_at.load(Ordering::Acquire)))
            }
        }
    }

    /// Whether one of its sessions takes the place of another at this moment: nothing is connected, and soon will be.
    fn is_being_arranged(&self) -> bool {
        self.lines().is_empty() && !self.shares().is_empty()
    }

    /// The state shown, with its reason, its detail and its beginning.
    pub(crate) fn shown(&self) -> Status {
        let now = self.now();
        let line = self.worst_line();
        let restricted = self.health.restricted();
        let paused = self.switch() == Switch::Paused;
        let mut states = vec![line.state];
        states.extend(restricted.map(|(reason, _)| reason.state()));
        states.extend(paused.then_some(AccountState::Paused));
        let state = shown_state(states, self.flood_waits.floods(now), now);
        if state == line.state {
            return line;
        }
        let plain = |since| Status { state, reason: None, detail: None, since };
        match restricted.filter(|(reason, _)| reason.state() == state) {
            Some((reason, since)) => Status { reason: Some(reason), ..plain(since) },
            None if state == AccountState::FloodWait => Status {
                detail: Some("Telegram asked it to wait".to_owned()),
                ..plain(self.flood_waits.flooded_since(now).unwrap_or(line.since))
            },
            None => plain(Timestamp::from_micros(self.switched_at.load(Ordering::Acquire))),
        }
    }

    fn worst_line(&self) -> Status {
        let no_session = || Status {
            state: AccountState::NeedsLogin,
            reason: Some(Reason::NoSession),
            detail: Some("it has no session yet".to_owned()),
            since: Timestamp::from_micros(self.switched_at.load(Ordering::Acquire)),
        };
        // Of two that are equally bad the first one is shown.
        let worst = self.lines().iter().rev().map(|line| line.status()).max_by_key(|status| status.state);
        worst.unwrap_or_else(no_session)
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.lines().iter().all(|line| line.state() != AccountState::Connecting)
    }

    /// What came of reading the newest dialogs out of turn, if that was just now: it is not done again and again for
    /// every id that no one knows.
    pub(crate) fn newest(&self) -> Option<Result<(), CallError>> {
        let newest = self.newest.lock();
        let (_, result) = newest.as_ref().filter(|(at, _)| self.now().since(*at) < NEWEST_EVERY)?;
        Some(result.clone().map_err(|why| CallError::NotConnected(format!("a moment ago: {why}"))))
    }

    /// Keeps what came of it. Where nothing was asked, nothing came of it.
    pub(crate) fn note_newest(&self, result: &Result<(), CallError>) {
        if !matches!(result, Err(CallError::NotConnected(_))) {
            let result = result.as_ref().map_err(ToString::to_string).copied();
            *self.newest.lock() = Some((self.now(), result));
        }
    }

    /// The line for a purpose; any other that is up stands in for it.
    pub(crate) fn line_for(&self, purpose: Purpose) -> Option<Arc<Line>> {
        let lines = self.lines();
        let mut up = lines.iter().filter(|line| line.state() == AccountState::Ready);
        let first = up.next()?;
        let serves = |line: &&Arc<Line>| line.serves(purpose);
        let line = if serves(&first) { first } else { up.find(serves).unwrap_or(first) };
        Some(Arc::clone(line))
    }

    fn line_at(&self, index: usize) -> Option<Arc<Line>> {
        self.lines().iter().find(|line| line.index() == index).cloned()
    }

    /// A call that only reads. Floods are kept, and respected by the next one.
    pub(crate) async fn read<R: RemoteCall>(
        &self,
        operation: Operation,
        request: &R,
    ) -> Result<R::Return, CallError> {
        if let Some(until) = self.flood_waits.flood(operation, self.now()) {
            return Err(CallError::NotConnected(format!("flood wait until {}", until.to_the_second())));
        }
        let reader = self.health.reader().and_then(|index| self.line_at(index));
        let Some(line) = reader.or_else(|| self.line_for(Purpose::SendText)) else {
            return Err(CallError::NotConnected("no line is up".to_owned()));
        };
        let result = line.call(operation, request, READ).await;
        if let Some(wait) = result.as_ref().err().and_then(CallError::flood) {
            self.keep_flood(operation, self.now().plus(wait)).await;
        }
        result
    }

    /// How many seconds Telegram's clock is ahead of ours.
    pub(crate) async fn telegram_ahead(&self) -> Result<i64, CallError> {
        let request = functions::help::GetConfig {};
        let enums::Config::Config(config) = self.read(Operation::Read, &request).await?;
        Ok(i64::from(config.date).saturating_sub(self.now().as_seconds()))
    }

    async fn keep_flood(&self, operation: Operation, until: Timestamp) {
        self.flood_waits.keep_flood(operation, until, self.now());
        let hold = Hold::Flood { account: self.name.clone(), operation, until };
        if let Err(error) = self.store.accounts().save_hold(hold).await {
            tracing::warn!(account = %self.name, %error, "a flood wait could not be stored");
        }
    }

    /// Takes in users and chats of an answer; `dialogs` are those among them that the account has a dialog with.
    pub(crate) async fn learn(&self, users: &[enums::User], chats: &[enums::Chat], dialogs: &[ChatId]) {
        let mut learned = self.sort_out(users, chats, dialogs);
        learned.returned = self.returned(&learned.peers);
        learned.peers = self.peers.learn(&self.names, learned.peers, self.now());
        self.store_learned(learned).await;
    }

    /// Chats that were left and that this account is in again: anyone who invited it wants them served. Asked before the
    /// peers are learned. During the first reading everything is new, and says nothing about a return.
    pub(crate) fn returned(&self, peers: &[StoredPeer]) -> Vec<ChatId> {
        if !self.dialogs_complete.load(Ordering::Acquire) {
            return Vec::new();
        }
        let is_back = |peer: &&StoredPeer| {
            peer.dialog
                && peer.chat_id.kind() != ChatKind::User
                && self.registry.is_left(peer.chat_id)
                && self.peers.relation(peer.chat_id) != PeerRelation::Dialog
        };
        let returned: Vec<ChatId> = peers.iter().filter(is_back).map(|peer| peer.chat_id).collect();
        for chat_id in &returned {
            self.registry.change(&self.bound_here(*chat_id), |_| Some(self.index));
        }
        returned
    }

    fn bound_here(&self, chat_id: ChatId) -> RegistryChange {
        RegistryChange::Bound { chat_id, account: self.name.clone() }
    }

    /// Which peers an answer mentions, which chats the account is no longer in, and which became others.
    pub(crate) fn sort_out(
        &self,
        users: &[enums::User],
        chats: &[enums::Chat],
        dialogs: &[ChatId],
    ) -> Learned {
        let mut learned = Learned::default();
        learned.peers.extend(users.iter().filter_map(parsing::user));
        for peer in &mut learned.peers {
            peer.dialog |= dialogs.contains(&peer.chat_id);
        }
        let mut supergroups = Vec::new();
        for seen in chats.iter().filter_map(parsing::chat) {
            match seen {
                PeerUpdate::Gone(chat_id) => learned.gone.push(chat_id),
                PeerUpdate::Peer(peer) => {
                    if !peer.dialog {
                        learned.gone.push(peer.chat_id);
                    }
                    learned.peers.push(peer);
                }
                PeerUpdate::Migrated(from, today) => {
                    learned.gone.push(from);
                    learned.migrated.push((from, today.chat_id));
                    supergroups.push(today);
                }
            }
        }
        // What the answer says of the supergroup itself says more than what the group says of it.
        supergroups.retain(|today| {
            self.peers.get(today.chat_id).is_none()
                && learned.peers.iter().all(|peer| peer.chat_id != today.chat_id)
        });
        learned.peers.extend(supergroups);
        learned.gone.retain(|chat_id| self.peers.leave(*chat_id));
        learned.migrated.retain(|(from, to)| self.registry.migrated(*from, *to));
        learned
    }

    /// Boxed: it is a small part of many callers, and a large future.
    pub(crate) fn store_learned(&self, learned: Learned) -> BoxFuture<'_, ()> {
        self.write_learned(learned).boxed()
    }

    async fn write_learned(&self, mut learned: Learned) {
        let peers = self.store.peers();
        let mut result = Ok(());
        // What is written is the present state: some of it may have waited while the account left or came back, and
        // whatever changes from here on is written after it.
        for peer in &mut learned.peers {
            peer.dialog &= self.peers.relation(peer.chat_id) == PeerRelation::Dialog;
            peer.contact = self.peers.has_contact(peer.chat_id);
        }
        if !learned.peers.is_empty() {
            result = peers.save(&self.name, learned.peers).await;
        }
        for chat_id in learned.gone {
            if self.peers.relation(chat_id) == PeerRelation::Dialog {
                continue;
            }
            result = result.and(peers.left(&self.name, chat_id).await);
        }
        for (from, to) in learned.migrated {
            result = result.and(peers.migrated(from, to).await);
        }
        if !learned.returned.is_empty() {
            let back = learned.returned.into_iter().map(|chat_id| self.bound_here(chat_id)).collect();
            result = result.and(self.store.chats().change(back, self.now()).await);
        }
        if let Err(error) = result {
            tracing::warn!(account = %self.name, %error, "the dialog cache could not be stored");
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    /// Users and chats, each with whether the account has a dialog with it.
    pub(crate) peers: Vec<StoredPeer>,
    pub(crate) gone: Vec<ChatId>,
    /// Basic groups, each with the supergroup that it became.
    pub(crate) migrated: Vec<(ChatId, ChatId)>,
    /// Chats that were left and that the account is in again.
    pub(crate) returned: Vec<ChatId>,
}

impl Learned {
    pub(crate) fn len(&self) -> usize {
        self.peers.len() + self.gone.len() + self.migrated.len() + self.returned.len()
    }

    pub(crate) fn append(&mut self, more: Self) {
        self.peers.extend(more.peers);
        self.gone.extend(more.gone);
        self.migrated.extend(more.migrated);
        self.returned.extend(more.returned);
    }
}

const fn code(switch: Switch) -> u8 {
    match switch {
        Switch::On => 0,
        Switch::Paused => 1,
        Switch::Stopped => 2,
    }
}

/// A phone number of which only both ends are shown.
pub(crate) fn masked(phone: &str) -> String {
    let digits = || phone.chars().filter(char::is_ascii_digit);
    let count = digits().count();
    // Of a short number the ends would be nearly all of it.
    let ends = if count < 7 { 0 } else { count - 2 };
    let mut shown = String::with_capacity(1 + '•'.len_utf8() * count);
    shown.push('+');
    for (place, digit) in digits().enumerate() {
        shown.push(if ends > 0 && (place == 0 || place >= ends) { digit } else { '•' });
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_phone_number_only_the_ends_are_shown() {
        assert_eq!(masked("+70000000001"), "+7••••••••01");
        assert_eq!(masked("+7 000 000-00-01"), "+7••••••••01");
        assert_eq!(masked(""), "+");
        assert_eq!(masked("123"), "+•••");
    }
}
