//! What a clearing does next, by what it has done. Pure; the runner stores it after each step.

use std::time::Duration;

use domain::{AccountName, Service, Timestamp};
use store::StoredClearing;

use super::{Clearing, ClearingView, Phase};

/// How long nothing is asked of Telegram.
pub(crate) const SILENCE: Duration = Duration::from_mins(5);
/// How far apart services are started.
pub(crate) const APART: Duration = Duration::from_mins(1);
/// How long what is on the wire may take to end before the lines are closed.
pub(crate) const WIND_DOWN: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) how: Clearing,
    pub(crate) phase: Phase,
    pub(crate) by: String,
    pub(crate) started_at: Timestamp,
    pub(crate) until: Option<Timestamp>,
    /// What is left is done at once.
    pub(crate) hurry: bool,
    /// Services that are still to be started, in this order.
    pub(crate) waiting: Vec<Service>,
    pub(crate) done: Vec<Service>,
    /// Services that nothing is asked of Telegram for.
    pub(crate) silent: Vec<Service>,
    pub(crate) pauses: Vec<(AccountName, Timestamp)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Stop the services that wait, then let what is on the wire end, then be silent.
    Stop,
    /// Wait until the time that was noted.
    Wait,
    /// Start this service.
    Start(Service),
    /// Let this account work again.
    Resume(AccountName),
    Over,
}

impl Run {
    /// All services are stopped and started again one by one; `running` are those that run now.
    pub(crate) fn stop_all(running: Vec<Service>, by: &str, now: Timestamp) -> Self {
        Self {
            how: Clearing::StopAll,
            phase: Phase::Stopping,
            by: by.to_owned(),
            started_at: now,
            until: None,
            hurry: false,
            waiting: running,
            done: Vec::new(),
            // Those that were stopped before have lines too, and these ask whether they are still there.
            silent: Vec::new(),
            pauses: Vec::new(),
        }
    }

    pub(crate) fn pause_flooded(
        mut flooded: Vec<(AccountName, Timestamp)>,
        by: &str,
        now: Timestamp,
    ) -> Self {
        flooded.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
        Self {
            how: Clearing::PauseFlooded,
            phase: Phase::Paused,
            until: flooded.first().map(|(_, until)| *until),
            waiting: Vec::new(),
            pauses: flooded,
            ..Self::stop_all(Vec::new(), by, now)
        }
    }

    /// What is next; `due` says whether the time that was noted has come.
    pub(crate) fn next(&self, due: bool) -> Next {
        match self.phase {
            Phase::Stopping if self.hurry => self.start_first(),
            Phase::Stopping => Next::Stop,
            Phase::Silent | Phase::Starting if due || self.hurry => self.start_first(),
            Phase::Silent | Phase::Starting if self.waiting.is_empty() => Next::Over,
            Phase::Silent | Phase::Starting => Next::Wait,
            Phase::Paused => match self.pauses.first() {
                None => Next::Over,
                Some((account, _)) if due || self.hurry => Next::Resume(account.clone()),
                Some(_) => Next::Wait,
            },
        }
    }

    fn start_first(&self) -> Next {
        self.waiting.first().map_or(Next::Over, |service| Next::Start(*service))
    }

    /// The services are stopped: the silence begins. Its end is in `until`.
    pub(crate) fn fall_silent(&mut self, now: Timestamp) {
        self.phase = Phase::Silent;
        self.silent = Service::ALL.to_vec();
        self.until = Some(now.plus(SILENCE));
    }

    /// A service runs again, by this clearing or by hand. Only what is still to be started stays silent.
    pub(crate) fn started(&mut self, service: Service, now: Timestamp, by_hand: bool) {
        let first = self.waiting.first() == Some(&service);
        self.waiting.retain(|waiting| *waiting != service);
        if !self.done.contains(&service) {
            self.done.push(service);
        }
        self.silent.retain(|silent| self.waiting.contains(silent) || (by_hand && *silent != service));
        if by_hand {
            // The silence of the others goes on as it was.
            return;
        }
        debug_assert!(first, "they are started in their order");
        self.phase = Phase::Starting;
        self.until = Some(now.plus(APART)).filter(|_| !self.waiting.is_empty());
    }

    pub(crate) fn stopped_by_hand(&mut self, service: Service) {
        self.waiting.retain(|waiting| *waiting != service);
        self.done.retain(|done| *done != service);
    }

    /// An account works again, or someone switched it by hand: it is no concern of the clearing any more.
    pub(crate) fn let_go(&mut self, account: &AccountName) {
        self.pauses.retain(|(paused, _)| paused != account);
        if self.phase == Phase::Paused {
            self.until = self.pauses.first().map(|(_, until)| *until);
        }
    }

    /// How long the wait may be at most: a time of day that was set meanwhile makes it no longer.
    pub(crate) fn longest_wait(&self) -> Option<Duration> {
        match self.phase {
            Phase::Silent => Some(SILENCE),
            Phase::Starting => Some(APART),
            Phase::Stopping | Phase::Paused => None,
        }
    }

    pub(crate) fn view(&self) -> ClearingView {
        ClearingView {
            how: self.how,
            phase: self.phase,
            by: self.by.clone(),
            started_at: self.started_at,
            until: self.until,
            next: self.waiting.first().copied(),
            done: self.done.clone(),
            waiting: self.waiting.clone(),
            accounts: self.pauses.clone(),
        }
    }

    pub(crate) fn stored(&self) -> StoredClearing {
        StoredClearing {
            how: self.how.as_str().to_owned(),
            phase: self.phase.as_str().to_owned(),
            by: self.by.clone(),
            started_at: self.started_at,
            until: self.until,
            hurry: self.hurry,
            waiting: self.waiting.clone(),
            done: self.done.clone(),
            silent: self.silent.clone(),
            pauses: self.pauses.clone(),
        }
    }

    /// A clearing as an earlier run left it; nothing if this program does not know its words.
    pub(crate) fn from_stored(stored: StoredClearing) -> Option<Self> {
        Some(Self {
            how: Clearing::from_word(&stored.how)?,
            phase: Phase::ALL.into_iter().find(|phase| phase.as_str() == stored.phase)?,
            by: stored.by,
            started_at: stored.started_at,
            until: stored.until,
            hurry: stored.hurry,
            waiting: stored.waiting,
            done: stored.done,
            silent: stored.silent,
            pauses: stored.pauses,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default().plus(Duration::from_secs(seconds))
    }

    /// Carries a run out with a clock that jumps to the next deadline; returns when each service was started.
    fn carry_out(
        run: &mut Run,
        mut now: Timestamp,
        mut step: impl FnMut(&mut Run, Timestamp),
    ) -> Vec<(Service, Timestamp)> {
        let mut started = Vec::new();
        for _ in 0..50 {
            step(run, now);
            let due = run.until.is_some_and(|until| until <= now);
            match run.next(due) {
                Next::Stop => run.fall_silent(now),
                Next::Wait => now = run.until.expect("a time"),
                Next::Start(service) => {
                    run.started(service, now, false);
                    started.push((service, now));
                }
                Next::Resume(account) => run.let_go(&account),
                Next::Over => return started,
            }
        }
        panic!("it never ends: {run:?}");
    }

    #[test]
    fn five_minutes_of_silence_and_a_minute_between_services() {
        let mut run =
            Run::stop_all(vec![Service::CreateChat, Service::SendText, Service::LeaveChat], "anna", at(0));
        let started = carry_out(&mut run, at(0), |_, _| {});
        assert_eq!(
            started,
            [(Service::CreateChat, at(300)), (Service::SendText, at(360)), (Service::LeaveChat, at(420))]
        );
        assert_eq!((run.waiting.len(), run.silent.len()), (0, 0));
    }

    #[test]
    fn manual_starts_and_stops_are_respected() {
        let mut run = Run::stop_all(Service::ALL.to_vec(), "anna", at(0));
        run.fall_silent(at(0));
        run.started(Service::SendMedia, at(10), true);
        run.stopped_by_hand(Service::LeaveChat);
        assert_eq!(run.silent, [Service::CreateChat, Service::SendText, Service::LeaveChat]);
        assert_eq!(run.until, Some(at(300)), "the silence of the others goes on");
        let started = carry_out(&mut run, at(10), |_, _| {});
        assert_eq!(started, [(Service::CreateChat, at(300)), (Service::SendText, at(360))]);
        assert_eq!(run.done, [Service::SendMedia, Service::CreateChat, Service::SendText]);
    }

    #[test]
    fn paused_accounts_go_on_at_their_own_deadlines() {
        let (one, two): (AccountName, AccountName) =
            ("main".parse().expect("a name"), "backup".parse().expect("a name"));
        let mut run = Run::pause_flooded(vec![(one.clone(), at(90)), (two.clone(), at(30))], "anna", at(0));
        assert_eq!((run.until, run.next(false)), (Some(at(30)), Next::Wait));
        assert_eq!(run.next(true), Next::Resume(two.clone()));
        run.let_go(&two);
        assert_eq!((run.until, run.next(false)), (Some(at(90)), Next::Wait));
        run.let_go(&one);
        assert_eq!(run.next(false), Next::Over);
    }

    fn services() -> impl Strategy<Value = Vec<Service>> {
        prop::sample::subsequence(Service::ALL.to_vec(), 0..=4)
    }

    proptest! {
        /// Killed at any step and taken up from what was written, cancelled at any step: it ends, starts what ran before
        /// and nothing else, each once and in order; and unless it was cancelled the silence and the minutes are kept.
        #[test]
        fn clearing_ends_and_restarts_the_running_services(
            running in services(), kills in prop::collection::vec(any::<bool>(), 50), cancel in prop::option::of(0_usize..12),
        ) {
            let mut run = Run::stop_all(running.clone(), "anna", at(0));
            let mut steps = 0;
            let started = carry_out(&mut run, at(0), |run, _| {
                if kills.get(steps).copied().unwrap_or(false) {
                    *run = Run::from_stored(run.stored()).expect("known words");
                }
                run.hurry |= cancel == Some(steps);
                steps += 1;
            });
            let order: Vec<_> = started.iter().map(|(service, _)| *service).collect();
            prop_assert_eq!(&order, &running);
            prop_assert_eq!(&run.done, &running);
            if cancel.is_none_or(|cancel| cancel >= steps) {
                for (place, (_, at)) in started.iter().enumerate() {
                    let place = u32::try_from(place).expect("few");
                    prop_assert_eq!(at.since(Timestamp::default()), SILENCE + APART * place);
                }
            }
        }
    }
}
