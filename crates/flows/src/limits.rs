//! How often a flow runs on one account. Pure; counted by the clock that no one sets.

use std::collections::VecDeque;
use std::time::Duration;

use config::FlowLimits;
use domain::{ChatId, TelegramMessageId};

const HOUR: Duration = Duration::from_hours(1);

/// The most messages with which runs began that are remembered.
const MOST_BEGUN: usize = 10_000;

/// Why no run begins.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skip {
    /// As many runs were under way as may be, until the message was too old.
    Busy,
    /// It is not one of the hours.
    Hours,
    /// As many runs as may began within the hour.
    PerHour,
    /// The last run ended a moment ago.
    Cooldown,
    /// The message is too old.
    Stale,
    /// A run under way took the message while it waited.
    OtherRun,
    /// The flow stopped while the message waited.
    Stopped,
}

domain::enum_words!(Skip);

impl Skip {
    /// Whether an offer was missed against the owner's wish.
    pub(crate) const fn is_missed(self) -> bool {
        match self {
            Self::Busy | Self::PerHour | Self::Cooldown | Self::Stale => true,
            Self::Hours | Self::OtherRun | Self::Stopped => false,
        }
    }
}

/// The message that a run began with.
pub(crate) type RunMessage = (ChatId, TelegramMessageId);

/// A run that an earlier run of the program began within the last hour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EarlierRun {
    pub(crate) begun_ago: Duration,
    pub(crate) message: RunMessage,
    /// Whether it pressed or sent something.
    pub(crate) has_acted: bool,
}

/// The runs that count, all at readings of the running clock in microseconds; below zero before it ran.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunsCounted {
    /// Within the last hour, oldest first, with the messages that they began with.
    begun: VecDeque<(i64, RunMessage)>,
    /// When runs did their first deed within the last hour, oldest first. Runs that did nothing use no limit up.
    acted: VecDeque<i64>,
    /// When the last run ended that did something.
    ended: Option<i64>,
    /// Those that came to their end since the flow was started.
    done: u32,
}

impl RunsCounted {
    /// Takes in what an earlier run of the program wrote down.
    pub(crate) fn restore(
        &mut self,
        earlier: &[EarlierRun],
        ended_ago: Option<Duration>,
        done: u32,
        now: Duration,
    ) {
        let at = |ago: Duration| micros(now).saturating_sub(micros(ago));
        let mut earlier = earlier.to_vec();
        earlier.sort_unstable_by_key(|run| std::cmp::Reverse(run.begun_ago));
        self.begun = earlier.iter().map(|run| (at(run.begun_ago), run.message)).collect();
        self.acted = earlier.iter().filter(|run| run.has_acted).map(|run| at(run.begun_ago)).collect();
        self.ended = ended_ago.map(at);
        self.done = done;
    }

    /// Returns why no run may begin now, if so.
    pub(crate) fn refusal(&mut self, limits: &FlowLimits, now: Duration) -> Option<Skip> {
        if self.is_hour_full(limits, now) {
            Some(Skip::PerHour)
        } else if self.cooldown_ends(limits).is_some_and(|end| now < end) {
            Some(Skip::Cooldown)
        } else {
            None
        }
    }

    /// Whether as many runs as may did something within the hour.
    pub(crate) fn is_hour_full(&mut self, limits: &FlowLimits, now: Duration) -> bool {
        self.forget(now);
        let most = limits.per_hour.map(|most| usize::try_from(most.get()).unwrap_or(usize::MAX));
        most.is_some_and(|most| self.acted.len() >= most)
    }

    /// When the cooldown after the last run ends.
    pub(crate) fn cooldown_ends(&self, limits: &FlowLimits) -> Option<Duration> {
        let end = self.ended?.saturating_add(micros(limits.cooldown));
        u64::try_from(end).ok().map(Duration::from_micros)
    }

    /// Counts the runs that did something within the hour.
    pub(crate) fn acted(&mut self, now: Duration) -> usize {
        self.forget(now);
        self.acted.len()
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
        while self.acted.front().is_some_and(|acted| ago(*acted) >= micros(HOUR)) {
            self.acted.pop_front();
        }
    }

    pub(crate) fn begin(&mut self, message: RunMessage, now: Duration) {
        if self.begun.len() >= MOST_BEGUN {
            self.begun.pop_front();
        }
        self.begun.push_back((micros(now), message));
    }

    /// A run does its first deed.
    pub(crate) fn act(&mut self, now: Duration) {
        self.acted.push_back(micros(now));
    }

    /// The deeds of a run, the first of which was at this time, are proved not to have been done.
    pub(crate) fn take_back(&mut self, acted: Duration) {
        if let Some(place) = self.acted.iter().rposition(|at| *at == micros(acted)) {
            self.acted.remove(place);
        }
    }

    /// A run that did something, or nothing, is over. Returns whether the flow stops with it.
    pub(crate) fn end(
        &mut self,
        limits: &FlowLimits,
        has_acted: bool,
        was_done: bool,
        now: Duration,
    ) -> bool {
        if has_acted {
            self.ended = Some(micros(now));
        }
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
                per_hour: NonZeroU32::new(per_hour), cooldown: Duration::from_secs(cooldown), ..FlowLimits::default()
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
                    counted.act(now);
                    begun.push(now);
                    counted.end(&limits, true, true, now);
                }
            }
            for (place, first) in begun.iter().enumerate() {
                let within = begun[place..].iter().filter(|at| at.saturating_sub(*first) < HOUR).count();
                prop_assert!(within <= usize::try_from(per_hour).unwrap());
            }
        }

        #[test]
        fn runs_that_acted_before_a_restart_count(ago in 0_u64..7200, now in 0_u64..100, has_acted in any::<bool>()) {
            let limits = FlowLimits { per_hour: NonZeroU32::new(1), ..FlowLimits::default() };
            let (ago, now) = (Duration::from_secs(ago), Duration::from_secs(now));
            let mut counted = RunsCounted::default();
            counted.restore(&[EarlierRun { begun_ago: ago, message: message(), has_acted }], None, 0, now);
            prop_assert_eq!(counted.refusal(&limits, now).is_some(), has_acted && ago < HOUR);
            prop_assert_eq!(counted.has_begun_with(message(), now), ago < HOUR);
        }
    }

    #[test]
    fn a_run_that_did_nothing_uses_no_limit_up() {
        let limits = FlowLimits {
            per_hour: NonZeroU32::new(1),
            cooldown: Duration::from_secs(30),
            ..FlowLimits::default()
        };
        let (mut counted, now) = (RunsCounted::default(), Duration::from_secs(100));
        counted.begin(message(), now);
        counted.end(&limits, false, false, now);
        assert_eq!(counted.refusal(&limits, now), None);
        counted.act(now);
        assert_eq!(counted.refusal(&limits, now), Some(Skip::PerHour));
        counted.take_back(now);
        assert_eq!(counted.refusal(&limits, now), None);
        counted.end(&limits, true, true, now);
        assert_eq!(counted.refusal(&limits, now), Some(Skip::Cooldown));
        assert_eq!(counted.refusal(&limits, now + Duration::from_secs(30)), None);
    }

    #[test]
    fn it_stops_after_so_many_that_were_done() {
        let limits = FlowLimits { stop_after: NonZeroU32::new(2), ..FlowLimits::default() };
        let mut counted = RunsCounted::default();
        let ends = [true, false, true].map(|was_done| counted.end(&limits, true, was_done, Duration::ZERO));
        assert_eq!(ends, [false, false, true]);
        counted.start();
        assert!(!counted.end(&limits, true, true, Duration::ZERO));
    }
}
