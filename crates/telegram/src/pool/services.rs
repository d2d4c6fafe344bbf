//! The services: what the accounts do for whom, counted by purpose, each of which can be stopped.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use domain::{Outcome, Purpose, Timestamp};
use serde::Serialize;

use crate::lock::Mutex;

/// A service as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceView {
    pub purpose: Purpose,
    /// Whether it works; a stopped one takes no work and lets nothing out.
    pub running: bool,
    pub since: Timestamp,
    /// Calls it made since the start or the last restart.
    pub operations: u64,
    pub errors: u64,
    /// What went wrong last.
    pub last_error: Option<String>,
    pub cache_size: usize,
}

/// What can be done to a service.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceAction {
    /// Let it work again.
    Start,
    /// Let nothing more out, until it is started again.
    Stop,
    /// Start it and count from nothing.
    Restart,
}

domain::enum_words!(ServiceAction);

#[derive(Debug)]
pub(crate) struct Services([Service; 4]);

#[derive(Debug)]
struct Service {
    purpose: Purpose,
    stopped: AtomicBool,
    since: AtomicI64,
    operations: AtomicU64,
    errors: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Services {
    /// `stopped` are those that an earlier run stopped, and since when.
    pub(crate) fn new(stopped: &[(Purpose, Timestamp)], now: Timestamp) -> Self {
        Self(Purpose::ALL.map(|purpose| {
            let since = stopped.iter().find(|(one, _)| *one == purpose).map(|(_, since)| *since);
            Service {
                purpose,
                stopped: AtomicBool::new(since.is_some()),
                since: AtomicI64::new(since.unwrap_or(now).as_micros()),
                operations: AtomicU64::new(0),
                errors: AtomicU64::new(0),
                last_error: Mutex::default(),
            }
        }))
    }

    fn get(&self, purpose: Purpose) -> Option<&Service> {
        self.0.iter().find(|service| service.purpose == purpose)
    }

    pub(crate) fn is_stopped(&self, purpose: Purpose) -> bool {
        self.get(purpose).is_some_and(|service| service.stopped.load(Ordering::Acquire))
    }

    pub(crate) fn switch(&self, purpose: Purpose, action: ServiceAction, now: Timestamp) {
        let Some(service) = self.get(purpose) else { return };
        let stop = action == ServiceAction::Stop;
        let was_stopped = service.stopped.swap(stop, Ordering::AcqRel);
        if action == ServiceAction::Restart {
            service.operations.store(0, Ordering::Relaxed);
            service.errors.store(0, Ordering::Relaxed);
            *service.last_error.lock() = None;
        }
        if was_stopped != stop || action == ServiceAction::Restart {
            service.since.store(now.as_micros(), Ordering::Release);
        }
    }

    pub(crate) fn count(&self, purpose: Purpose, error: Option<String>) {
        let Some(service) = self.get(purpose) else { return };
        service.operations.fetch_add(1, Ordering::Relaxed);
        if error.is_some() {
            service.errors.fetch_add(1, Ordering::Relaxed);
            *service.last_error.lock() = error;
        }
    }

    pub(crate) fn view(&self, purpose: Purpose, cache_size: usize) -> ServiceView {
        let service = self.get(purpose);
        let count = |counter: fn(&Service) -> &AtomicU64| {
            service.map_or(0, |service| counter(service).load(Ordering::Relaxed))
        };
        ServiceView {
            purpose,
            running: !self.is_stopped(purpose),
            since: Timestamp::from_micros(service.map_or(0, |service| service.since.load(Ordering::Acquire))),
            operations: count(|service| &service.operations),
            errors: count(|service| &service.errors),
            last_error: service.and_then(|service| service.last_error.lock().clone()),
            cache_size,
        }
    }
}

/// What went wrong, in words, for those outcomes in which something did.
pub(crate) fn error_of(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::Sent(_) => None,
        other => Some(match other.detail() {
            Some(detail) => format!("{}: {detail}", other.word()),
            None => other.word().to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn a_service_is_stopped_and_started_and_counts_for_itself() {
        let services = Services::new(&[(Purpose::LeaveChat, at(5))], at(9));
        let view = |purpose| services.view(purpose, 3);
        let left = view(Purpose::LeaveChat);
        assert_eq!((left.running, left.since, left.cache_size), (false, at(5), 3));
        services.switch(Purpose::LeaveChat, ServiceAction::Start, at(10));
        assert!(!services.is_stopped(Purpose::LeaveChat));
        assert_eq!(view(Purpose::LeaveChat).since, at(10));
        services.switch(Purpose::LeaveChat, ServiceAction::Start, at(11));
        assert_eq!(view(Purpose::LeaveChat).since, at(10));
        services.count(Purpose::SendText, None);
        services.count(Purpose::SendText, error_of(&Outcome::Restricted(domain::account::Reason::PeerFlood)));
        let text = view(Purpose::SendText);
        assert_eq!((text.operations, text.errors), (2, 1));
        assert_eq!(text.last_error.as_deref(), Some("peer_flood"));
        assert_eq!(view(Purpose::CreateChat).operations, 0);
        services.switch(Purpose::SendText, ServiceAction::Restart, at(12));
        let text = view(Purpose::SendText);
        assert_eq!((text.running, text.operations, text.last_error, text.since), (true, 0, None, at(12)));
    }

    #[test]
    fn actions_are_read_by_name() {
        for action in ServiceAction::ALL {
            assert_eq!(ServiceAction::from_word(action.as_str()), Some(action));
        }
        assert_eq!(ServiceAction::from_word("pause"), None);
    }
}
