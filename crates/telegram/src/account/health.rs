//! What is true of an account as a whole, whichever of its lines found it out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use ambient::{Chance, Clock};
use domain::account::{AccountState, Reason};
use domain::{AccountName, Timestamp, UserId};
use store::SelfUser;
use tokio::sync::watch;

use crate::calls::Calls;
use ambient::lock::{Mutex, RwLock};

/// Notifies all waiters that an account may have become able to do more.
#[derive(Clone, Default)]
pub(crate) struct Changes(Arc<watch::Sender<u64>>);

impl Changes {
    pub(crate) fn tell(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

const NO_LINE: usize = usize::MAX;

/// The lines of an account, as bits by their index, and which of them reads the updates.
#[derive(Debug, Default)]
struct Lines {
    ready: u64,
    connecting: u64,
    texts: u64,
    reader: Option<usize>,
}

impl Lines {
    fn show(&mut self, line: usize, state: AccountState, texts: bool) {
        let set = |bits: &mut u64, on| *bits = if on { *bits | bit(line) } else { *bits & !bit(line) };
        set(&mut self.ready, state == AccountState::Ready);
        set(&mut self.connecting, state == AccountState::Connecting);
        set(&mut self.texts, texts);
        self.reader = self.elect();
    }

    /// The one that reads goes on while it is ready: a session that was subscribed stays so. Another takes over at once, by
    /// preference one for texts: what is sent over the reader comes to it as a result and is not pushed. At the beginning
    /// such a line is waited for while it connects.
    fn elect(&self) -> Option<usize> {
        let first = |bits: u64| (bits != 0).then_some(bits.trailing_zeros() as usize);
        let goes_on = self.reader.filter(|reader| self.ready & bit(*reader) != 0);
        let waits = self.reader.is_none() && self.connecting & self.texts != 0;
        goes_on.or_else(|| first(self.ready & self.texts)).or_else(|| first(self.ready).filter(|_| !waits))
    }
}

fn bit(line: usize) -> u64 {
    1_u64.checked_shl(u32::try_from(line).unwrap_or(u32::MAX)).unwrap_or(0)
}

/// The account's own facts. Lines write them, everyone reads them.
pub(crate) struct AccountHealth {
    pub(crate) name: AccountName,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) changes: Changes,
    lines: Mutex<Lines>,
    /// Whether any of them is ready, and which reads; [`NO_LINE`] is none.
    is_up: AtomicBool,
    reader: AtomicUsize,
    /// Updates were lost on the way from a line to the reader.
    pub(crate) gap: AtomicBool,
    pub(crate) calls: Calls,
    operations: AtomicU64,
    errors: AtomicU64,
    in_flight: AtomicU32,
    last_active: AtomicI64,
    last_error: Mutex<Option<String>>,
    restriction: RwLock<Option<(Reason, Timestamp)>>,
    person: RwLock<Option<SelfUser>>,
}

/// Lines of different people in one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongUser;

impl AccountHealth {
    pub(crate) fn new(name: AccountName, clock: Clock, chance: Chance, changes: Changes) -> Self {
        Self {
            name,
            clock,
            chance,
            changes,
            lines: Mutex::default(),
            is_up: AtomicBool::new(false),
            reader: AtomicUsize::new(NO_LINE),
            gap: AtomicBool::new(false),
            calls: Calls::default(),
            operations: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            in_flight: AtomicU32::new(0),
            last_active: AtomicI64::new(0),
            last_error: Mutex::new(None),
            restriction: RwLock::new(None),
            person: RwLock::new(None),
        }
    }

    /// Takes in the state of a line, and whether it is one for texts that may connect. Returns whether another line reads the
    /// updates now, or the same one after it was away.
    pub(crate) fn show_line(&self, line: usize, state: AccountState, texts: bool) -> bool {
        let mut lines = self.lines.lock();
        let before = lines.reader;
        lines.show(line, state, texts);
        self.reader.store(lines.reader.unwrap_or(NO_LINE), Ordering::Release);
        self.is_up.store(lines.ready != 0, Ordering::Release);
        lines.reader.is_some() && lines.reader != before
    }

    /// Whether any line is ready.
    pub(crate) fn is_up(&self) -> bool {
        self.is_up.load(Ordering::Acquire)
    }

    /// The line that reads the updates: the only one whose session is subscribed to them.
    pub(crate) fn reader(&self) -> Option<usize> {
        Some(self.reader.load(Ordering::Acquire)).filter(|line| *line != NO_LINE)
    }

    pub(crate) fn count_call(&self, at: Timestamp) {
        self.operations.fetch_add(1, Ordering::Relaxed);
        self.last_active.store(at.as_micros(), Ordering::Relaxed);
    }

    pub(crate) fn count_error(&self, error: String) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        *self.last_error.lock() = Some(error);
    }

    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    pub(crate) fn last_error(&self) -> Option<String> {
        self.last_error.lock().clone()
    }

    pub(crate) fn last_active(&self) -> Option<Timestamp> {
        Some(self.last_active.load(Ordering::Relaxed)).filter(|at| *at != 0).map(Timestamp::from_micros)
    }

    pub(crate) fn load(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a message as being sent until the guard is dropped.
    pub(crate) fn sending(&self) -> Sending<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Sending(&self.in_flight)
    }

    /// What Telegram, or a mix-up of sessions, keeps the whole account from. Stays until someone restarts it.
    pub(crate) fn restriction(&self) -> Option<Reason> {
        self.restricted().map(|(reason, _)| reason)
    }

    /// The same, and since when.
    pub(crate) fn restricted(&self) -> Option<(Reason, Timestamp)> {
        *self.restriction.read()
    }

    pub(crate) fn restrict(&self, reason: Reason) {
        let mut restriction = self.restriction.write();
        // A frozen account that also answers PEER_FLOOD is still frozen.
        if restriction.is_none_or(|(known, _)| weight(reason) > weight(known)) {
            *restriction = Some((reason, self.clock.now()));
        }
        drop(restriction);
        self.changes.tell();
    }

    /// Forgets restriction, person and the last calls: they are found out again.
    pub(crate) fn start_over(&self) {
        self.calls.traffic.forget();
        *self.restriction.write() = None;
        *self.person.write() = None;
    }

    /// An earlier run knew it already.
    pub(crate) fn restore(&self, reason: Reason, since: Timestamp) {
        *self.restriction.write() = Some((reason, since));
    }

    /// Forgets what only the sessions were to blame for: there are others now.
    pub(crate) fn forgive_sessions(&self) {
        let mut restriction = self.restriction.write();
        let lasts = |reason| matches!(reason, Reason::PeerFlood | Reason::Frozen);
        *restriction = restriction.filter(|(reason, _)| lasts(*reason));
    }

    pub(crate) fn person(&self) -> Option<SelfUser> {
        self.person.read().clone()
    }

    pub(crate) fn user_id(&self) -> Option<UserId> {
        self.person.read().as_ref().map(|person| person.user_id)
    }

    pub(crate) fn meet(&self, person: SelfUser) -> Result<(), WrongUser> {
        let mut known = self.person.write();
        if known.as_ref().is_some_and(|known| known.user_id != person.user_id) {
            drop(known);
            self.restrict(Reason::WrongUser);
            return Err(WrongUser);
        }
        *known = Some(person);
        Ok(())
    }
}

const fn weight(reason: Reason) -> u8 {
    match reason {
        Reason::PeerFlood => 0,
        Reason::Frozen => 1,
        Reason::WrongUser => 2,
        _ => 3,
    }
}

pub(crate) struct Sending<'a>(&'a AtomicU32);

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health() -> AccountHealth {
        let name = "main".parse().expect("a name");
        AccountHealth::new(name, Clock::system(), Chance::from_seed(1), Changes::default())
    }

    fn person(user_id: i64) -> SelfUser {
        let user_id = UserId::new(user_id).expect("an id");
        SelfUser { user_id, username: None, display_name: "Ann".into() }
    }

    #[test]
    fn a_line_reads_until_it_is_down_and_one_for_texts_first() {
        use AccountState::{Connecting, Error, Ready};
        let health = health();
        let show = |line, state| health.show_line(line, state, line == 1);
        // It is waited for while it connects.
        assert!(![0, 1, 2].map(|line| show(line, Connecting)).contains(&true));
        assert!(!show(2, Ready));
        assert_eq!((health.is_up(), health.reader()), (true, None));
        assert!(show(1, Ready));
        assert!(!show(0, Ready));
        assert_eq!(health.reader(), Some(1));
        // Another takes over at once, and keeps it.
        assert!(show(1, Connecting));
        assert_eq!(health.reader(), Some(0));
        assert!(!show(1, Ready));
        assert_eq!(health.reader(), Some(0));
        assert!(!show(2, Error));
        assert!(show(0, Error));
        assert_eq!(health.reader(), Some(1));
        assert!(!show(1, Error));
        assert_eq!((health.is_up(), health.reader()), (false, None));
        // One that cannot connect is not waited for.
        assert!(show(2, Ready));
        assert_eq!(health.reader(), Some(2));
    }

    #[test]
    fn two_people_in_one_account_stop_it_until_it_is_restarted() {
        let health = health();
        assert_eq!(health.meet(person(1)), Ok(()));
        assert_eq!(health.meet(person(1)), Ok(()));
        assert_eq!(health.meet(person(2)), Err(WrongUser));
        assert_eq!(health.restriction(), Some(Reason::WrongUser));
        health.start_over();
        assert_eq!((health.restriction(), health.user_id()), (None, None));
        assert_eq!(health.meet(person(2)), Ok(()));
    }

    #[test]
    fn being_frozen_outweighs_a_peer_flood() {
        let health = health();
        health.restrict(Reason::PeerFlood);
        health.restrict(Reason::Frozen);
        health.restrict(Reason::PeerFlood);
        assert_eq!(health.restriction(), Some(Reason::Frozen));
        health.restrict(Reason::Banned);
        assert_eq!(health.restriction(), Some(Reason::Banned));
    }

    #[test]
    fn load_counts_what_is_being_sent() {
        let health = health();
        let one = health.sending();
        let two = health.sending();
        assert_eq!(health.load(), 2);
        drop((one, two));
        assert_eq!(health.load(), 0);
    }
}
