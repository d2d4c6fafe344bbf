//! How many messages an account may send by the word of its owner, through whichever provider, and how many it has.
//!
//! A part takes its place before it is begun and keeps it until it has an outcome. What was sent, or may have been, is counted in
//! the write that says so; what was begun and has no outcome is in the outbox. So a start reads both and counts nothing again.

mod meter;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ambient::Clock;
use domain::account::SendingLimits;
use domain::{AccountName, Timestamp};
use store::{Store, StoreError};

use meter::Meter;

/// The limits of one account, and what it has sent.
pub struct Pace {
    account: AccountName,
    store: Store,
    clock: Clock,
    freed: Box<dyn Fn() + Send + Sync>,
    /// In microseconds; in the past while it may send. Anyone who chooses among a thousand accounts reads this alone.
    free_at: AtomicI64,
    meter: Mutex<Meter>,
}

/// How much an account has sent, and how much it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Its limits.
    pub limits: SendingLimits,
    /// Within the last hour; what it is sending is among them.
    pub last_hour: u32,
    /// Within the last 24 hours.
    pub last_day: u32,
    /// When it may send again, if it may not now.
    pub free_at: Option<Timestamp>,
}

impl Pace {
    /// One without limits. `freed` is called when a place comes free before its time.
    pub fn new(
        account: AccountName,
        store: Store,
        clock: Clock,
        freed: impl Fn() + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            account,
            store,
            clock,
            freed: Box::new(freed),
            free_at: AtomicI64::new(i64::MIN),
            meter: Mutex::default(),
        })
    }

    /// Takes up the limits of its owner, with what it has sent so far; called at the start, and one call after the other.
    ///
    /// The first limit ever looks through all messages that are kept. While there is none, nothing is counted.
    ///
    /// # Errors
    /// The store cannot be read or written; the limits are as before.
    pub async fn limit(&self, limits: SendingLimits) -> Result<(), StoreError> {
        let now = self.clock.now();
        {
            let mut meter = self.lock();
            if meter.is_counting {
                meter.limits = limits;
                self.publish(&mut meter, now);
                return Ok(());
            }
            // What is sent while the store is read is counted here.
            meter.is_counting = !limits.is_none();
        }
        if limits.is_none() {
            return self.store.sent_counts().end(&self.account).await;
        }
        let sent = self.begin_counting(now).await.inspect_err(|_| self.lock().clear())?;
        let mut meter = self.lock();
        for (at, parts) in sent {
            meter.count(at, parts);
        }
        meter.limits = limits;
        self.publish(&mut meter, self.clock.now());
        Ok(())
    }

    async fn begin_counting(&self, now: Timestamp) -> Result<store::ByMinute, StoreError> {
        let counts = self.store.sent_counts();
        if let Some(sent) = counts.kept(&self.account).await? {
            return Ok(sent);
        }
        let sent = counts.look_through(&self.account, now).await?;
        counts.begin(&self.account, sent.clone(), now).await?;
        Ok(sent)
    }

    /// Until when its limits keep it from sending.
    pub fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        if self.free_at.load(Ordering::Acquire) <= now.as_micros() {
            return None;
        }
        // The clock may have been set back since it was published.
        self.publish(&mut self.lock(), now)
    }

    /// What it has sent.
    pub fn sent(&self) -> Sent {
        let now = self.clock.now();
        let mut meter = self.lock();
        if meter.limits.is_none() {
            return Sent::default();
        }
        let (last_hour, last_day) = meter.sent_lately(now);
        Sent { limits: meter.limits, last_hour, last_day, free_at: meter.free_at(now) }
    }

    /// A place for a part that is about to be begun.
    ///
    /// # Errors
    /// There is none before this instant.
    pub(crate) fn take(self: &Arc<Self>) -> Result<Slot, Timestamp> {
        let now = self.clock.now();
        let mut meter = self.lock();
        let taken = meter.take(now);
        self.publish(&mut meter, now);
        taken.map(|()| Slot(Some(Arc::clone(self))))
    }

    /// Places for parts that an earlier run had begun.
    pub(crate) fn resume(&self, parts: u32) {
        let mut meter = self.lock();
        meter.resume(parts);
        self.publish(&mut meter, self.clock.now());
    }

    /// The place of a part that was begun before.
    pub(crate) fn adopt(self: &Arc<Self>) -> Slot {
        let mut meter = self.lock();
        meter.adopt();
        self.publish(&mut meter, self.clock.now());
        Slot(Some(Arc::clone(self)))
    }

    fn publish(&self, meter: &mut Meter, now: Timestamp) -> Option<Timestamp> {
        let until = if meter.limits.is_none() { None } else { meter.free_at(now) };
        self.free_at.store(until.map_or(i64::MIN, Timestamp::as_micros), Ordering::Release);
        until
    }

    fn lock(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among what an account may send. It is free again when this is dropped, unless it was used.
#[must_use]
pub(crate) struct Slot(Option<Arc<Pace>>);

impl Slot {
    /// Whether the outcome of its part is to be counted in the store.
    pub(crate) fn is_counted(&self) -> bool {
        self.0.as_ref().is_some_and(|pace| pace.lock().is_counting)
    }

    /// The part was sent, or may have been, at this instant at the latest.
    pub(crate) fn used(mut self, at: Timestamp) {
        if let Some(pace) = self.0.take() {
            let mut meter = pace.lock();
            meter.sent(at);
            pace.publish(&mut meter, pace.clock.now());
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(pace) = self.0.take() else { return };
        let is_limited = {
            let mut meter = pace.lock();
            meter.give_back();
            pace.publish(&mut meter, pace.clock.now());
            !meter.limits.is_none()
        };
        if is_limited {
            // Anyone who waits for a place would sleep until the next one comes free by itself.
            (pace.freed)();
        }
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.0.as_ref().map(|pace| &pace.account)).finish()
    }
}
