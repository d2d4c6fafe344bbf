//! How often a flow runs on one account. Pure; counted by the clock that no one sets.

use std::collections::VecDeque;
use std::time::Duration;

use config::FlowLimits;
use domain::{ChatId, TelegramMessageId};

const HOUR: Duration = Duration::from_hours(1);

/// Why no run begins.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// A run is under way.
    Busy,
    /// It is not one of the hours.
    Hours,
    /// As many runs as may began within the hour.
    PerHour,
    /// The last run ended a moment ago.
    Cooldown,
    /// The message is too old.
    Stale,
}

domain::enum_words!(Skip);

/// The message that a run began with.
pub(crate) type RunMessage = (ChatId, TelegramMessageId);

/// The runs that count, all at readings of the running clock in microseconds; below zero before it ran.
#[derive(Debug, Default)]
pub(crate) struct RunsCounted {
    /// Within the last hour, oldest first, with the messages that they began with.
    begun: VecDeque<(i64, RunMessage)>,
    ended: Option<i64>,
    /// Those that came to their end since the flow was started.
    done: u32,
}

impl RunsCounted {
    /// What an earlier run of the program knows: how long ago runs began, how long ago the last one ended, how many were
    /// done.
    pub(crate) fn restore(
        &mut self,
        begun_ago: &[(Duration, RunMessage)],
        ended_ago: Option<Duration>,
        done: u32,
        now: Duration,
    ) {
        let at = |ago: &Duration| micros(now).saturating_sub(micros(*ago));
        let mut begun: Vec<_> = begun_ago.iter().map(|(ago, message)| (at(ago), *message)).collect();
        begun.sort_unstable_by_key(|(at, _)| *at);
        self.begun = begun.into();
        self.ended = ended_ago.as_ref().map(at);
        self.done = done;
    }

    /// Why no run may begin now, if so.
    pub(crate) fn refusal(&mut self, limits: &FlowLimits, now: Duration) -> Option<Skip> {
        let ago = |at: i64| micros(now).saturating_sub(at);
        self.forget(now);
        let most = limits.per_hour.map(|most| usize::try_from(most.get()).unwrap_or(usize::MAX));
        if self.ended.is_some_and(|ended| ago(ended) < micros(limits.cooldown)) {
            Some(Skip::Cooldown)
        } else if most.is_some_and(|most| self.begun.len() >= most) {
            Some(Skip::PerHour)
        } else {
            None
        }
    }

    /// How many began within the hour.
    pub(crate) fn begun(&mut self, now: Duration) -> usize {
        self.forget(now);
        self.begun.len()
    }

    /// Whether one of them began with this message.
    pub(crate) fn has_begun_with(&mut self, message: RunMessage, now: Duration) -> bool {
        self.forget(now);
        self.begun.iter().any(|(_, begun)| *begun == message)
    }

    fn forget(&mut self, now: Duration) {
        let ago = |at: i64| micros(now).saturating_sub(at);
        while self.begun.front().is_some_and(|(begun, _)| ago(*begun) >= micros(HOUR)) {
            self.begun.pop_front();
        }
    }

    pub(crate) fn begin(&mut self, message: RunMessage, now: Duration) {
        self.begun.push_back((micros(now), message));
    }

    /// A run is over. Says whether the flow stops with it.
    pub(crate) fn end(&mut self, limits: &FlowLimits, was_done: bool, now: Duration) -> bool {
        self.ended = Some(micros(now));
        self.done = self.done.saturating_add(u32::from(was_done));
        limits.stop_after.is_some_and(|most| self.done >= most.get())
    }

    /// Someone starts the flow: what was done before counts no more.
    pub(crate) const fn start(&mut self) {
        self.done = 0;
    }

    pub(crate) const fn done(&self) -> u32 {
        self.done
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    fn message() -> RunMessage {
        (ChatId::user(7).expect("an id"), TelegramMessageId::new(1).expect("an id"))
    }

    proptest! {
        #[test]
        fn no_hour_has_more_runs_than_may_be(
            waits in prop::collection::vec(0_u64..2000, 1..60), per_hour in 1_u32..6, cooldown in 0_u64..600,
        ) {
            let limits = FlowLimits {
                per_hour: NonZeroU32::new(per_hour), cooldown: Duration::from_secs(cooldown), stop_after: None,
            };
            let mut counted = RunsCounted::default();
            let (mut now, mut begun) = (Duration::ZERO, Vec::new());
            for wait in waits {
                now += Duration::from_secs(wait);
                if counted.refusal(&limits, now).is_none() {
                    if let Some(last) = begun.last() {
                        prop_assert!(now.saturating_sub(*last) >= limits.cooldown);
                    }
                    counted.begin(message(), now);
                    begun.push(now);
                    counted.end(&limits, true, now);
                }
            }
            for (place, first) in begun.iter().enumerate() {
                let within = begun[place..].iter().filter(|at| at.saturating_sub(*first) < HOUR).count();
                prop_assert!(within <= usize::try_from(per_hour).unwrap());
            }
        }

        #[test]
        fn runs_begun_before_a_restart_count(ago in 0_u64..7200, now in 0_u64..100) {
            let limits = FlowLimits { per_hour: NonZeroU32::new(1), ..FlowLimits::default() };
            let (ago, now) = (Duration::from_secs(ago), Duration::from_secs(now));
            let mut counted = RunsCounted::default();
            counted.restore(&[(ago, message())], None, 0, now);
            prop_assert_eq!(counted.refusal(&limits, now).is_some(), ago < HOUR);
        }
    }

    #[test]
    fn it_stops_after_so_many_that_were_done() {
        let limits = FlowLimits { stop_after: NonZeroU32::new(2), ..FlowLimits::default() };
        let mut counted = RunsCounted::default();
        let ends = [true, false, true].map(|was_done| counted.end(&limits, was_done, Duration::ZERO));
        assert_eq!(ends, [false, false, true]);
        counted.start();
        assert!(!counted.end(&limits, true, Duration::ZERO));
    }
}
