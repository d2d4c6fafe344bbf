//! What is true of an account as a whole, whichever of its lines found it out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};

use ambient::{Chance, Clock};
use domain::account::Reason;
use domain::{AccountName, Timestamp};
use store::SelfUser;
use tokio::sync::watch;

use crate::calls::Calls;
use crate::lock::{Mutex, RwLock};

/// Tells everyone who waits that an account may have become able to do more.
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

/// The account's own facts. Lines write them, everyone reads them.
pub(crate) struct AccountHealth {
    pub(crate) name: AccountName,
    pub(crate) clock: Clock,
    pub(crate) chance: Chance,
    pub(crate) changes: Changes,
    /// Which lines are ready, as bits by their index.
    ready: AtomicU64,
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
            ready: AtomicU64::new(0),
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

    pub(crate) fn set_ready(&self, line: usize, ready: bool) {
        let bit = 1_u64.checked_shl(u32::try_from(line).unwrap_or(u32::MAX)).unwrap_or(0);
        if ready {
            self.ready.fetch_or(bit, Ordering::AcqRel);
        } else {
            self.ready.fetch_and(!bit, Ordering::AcqRel);
        }
    }

    /// The first line that is up: it reads the updates.
    pub(crate) fn reader(&self) -> Option<usize> {
        let ready = self.ready.load(Ordering::Acquire);
        (ready != 0).then_some(ready.trailing_zeros() as usize)
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

    pub(crate) fn user_id(&self) -> Option<i64> {
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
        SelfUser { user_id, username: None, display_name: "Ann".into() }
    }

    #[test]
    fn the_first_line_that_is_up_reads_the_updates() {
        let health = health();
        assert_eq!(health.reader(), None);
        health.set_ready(2, true);
        assert_eq!(health.reader(), Some(2));
        health.set_ready(0, true);
        assert_eq!(health.reader(), Some(0));
        health.set_ready(0, false);
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
