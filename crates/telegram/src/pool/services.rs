//! The services: what the accounts do for whom, each of which counts and can be stopped.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use domain::{Outcome, Service, Timestamp};

use ambient::lock::Mutex;

/// A service as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceView {
    pub service: Service,
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
pub(crate) struct Services([Switch; 4]);

/// Whether a service is stopped, and what it did.
#[derive(Debug)]
struct Switch {
    service: Service,
    stopped: AtomicBool,
    since: AtomicI64,
    operations: AtomicU64,
    errors: AtomicU64,
    last_error: Mutex<Option<String>>,
}

impl Services {
    /// `stopped` are those that an earlier run stopped, and since when.
    pub(crate) fn new(stopped: &[(Service, Timestamp)], now: Timestamp) -> Self {
        Self(Service::ALL.map(|service| {
            let since = stopped.iter().find(|(one, _)| *one == service).map(|(_, since)| *since);
            Switch {
                service,
                stopped: AtomicBool::new(since.is_some()),
                since: AtomicI64::new(since.unwrap_or(now).as_micros()),
                operations: AtomicU64::new(0),
                errors: AtomicU64::new(0),
                last_error: Mutex::default(),
            }
        }))
    }

    fn get(&self, service: Service) -> Option<&Switch> {
        self.0.iter().find(|switch| switch.service == service)
    }

    pub(crate) fn is_stopped(&self, service: Service) -> bool {
        self.get(service).is_some_and(|switch| switch.stopped.load(Ordering::Acquire))
    }

    pub(crate) fn switch(&self, service: Service, action: ServiceAction, now: Timestamp) {
        let Some(switch) = self.get(service) else { return };
        let stop = action == ServiceAction::Stop;
        let was_stopped = switch.stopped.swap(stop, Ordering::AcqRel);
        if action == ServiceAction::Restart {
            switch.operations.store(0, Ordering::Relaxed);
            switch.errors.store(0, Ordering::Relaxed);
            *switch.last_error.lock() = None;
        }
        if was_stopped != stop || action == ServiceAction::Restart {
            switch.since.store(now.as_micros(), Ordering::Release);
        }
    }

    pub(crate) fn count(&self, service: Service, error: Option<String>) {
        let Some(switch) = self.get(service) else { return };
        switch.operations.fetch_add(1, Ordering::Relaxed);
        if error.is_some() {
            switch.errors.fetch_add(1, Ordering::Relaxed);
            *switch.last_error.lock() = error;
        }
    }

    pub(crate) fn view(&self, service: Service, cache_size: usize) -> ServiceView {
        let switch = self.get(service);
        let count = |counter: fn(&Switch) -> &AtomicU64| {
            switch.map_or(0, |switch| counter(switch).load(Ordering::Relaxed))
        };
        ServiceView {
            service,
            running: !self.is_stopped(service),
            since: Timestamp::from_micros(switch.map_or(0, |switch| switch.since.load(Ordering::Acquire))),
            operations: count(|switch| &switch.operations),
            errors: count(|switch| &switch.errors),
            last_error: switch.and_then(|switch| switch.last_error.lock().clone()),
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
        let services = Services::new(&[(Service::LeaveChat, at(5))], at(9));
        let view = |service| services.view(service, 3);
        let left = view(Service::LeaveChat);
        assert_eq!((left.running, left.since, left.cache_size), (false, at(5), 3));
        services.switch(Service::LeaveChat, ServiceAction::Start, at(10));
        assert!(!services.is_stopped(Service::LeaveChat));
        assert_eq!(view(Service::LeaveChat).since, at(10));
        services.switch(Service::LeaveChat, ServiceAction::Start, at(11));
        assert_eq!(view(Service::LeaveChat).since, at(10));
        services.count(Service::SendText, None);
        services.count(Service::SendText, error_of(&Outcome::Restricted(domain::account::Reason::PeerFlood)));
        let text = view(Service::SendText);
        assert_eq!((text.operations, text.errors), (2, 1));
        assert_eq!(text.last_error.as_deref(), Some("peer_flood"));
        assert_eq!(view(Service::CreateChat).operations, 0);
        services.switch(Service::SendText, ServiceAction::Restart, at(12));
        let text = view(Service::SendText);
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
