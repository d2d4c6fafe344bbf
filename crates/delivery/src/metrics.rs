//! What came of messages and sagas since the start, in numbers. Counting is an addition; nothing waits for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::measure::{Histogram, LONG_TIMES, SHORT_TIMES, Spread};
use domain::message::{MessageState, OutboundMessage};
use domain::outcome::Failure;
use domain::saga::{SagaState, TaskKind};

/// The codes of failures; each failed message is counted under one.
const CODES: [&str; 11] = [
    "chat_not_found",
    "no_rights",
    "rejected",
    "media_gone",
    "media_expired",
    "flood_wait",
    "limit_reached",
    "provider_error",
    "no_account",
    "do_not_contact",
    "restored",
];

/// What came of messages since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagesCounted {
    /// Accepted as new ones; repeats of a request are not.
    pub accepted: u64,
    /// Taken up from an earlier run.
    pub resumed: u64,
    /// Ended sent. A doubt that ends later is not counted again.
    pub sent: u64,
    /// Ended cancelled.
    pub cancelled: u64,
    /// Ended in doubt.
    pub in_doubt: u64,
    /// Ended failed, by the code of the failure; every code is there.
    pub failed: Vec<(&'static str, u64)>,
    /// Went to another account than their first choice.
    pub failovers: u64,
    /// Microseconds from the acceptance, or from the time a message was scheduled for, until the store had it as sent.
    pub times: Spread,
    /// Microseconds of these that were not spent in calls to the provider; only of messages that found their lane
    /// empty and an account ready, and of which no part had to be tried again.
    pub own_times: Spread,
}

/// What came of sagas since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagasCounted {
    /// Accepted as new ones, by kind; every kind is there.
    pub accepted: Vec<(TaskKind, u64)>,
    /// Ended, by kind and state; every kind is there with every final state.
    pub ended: Vec<(TaskKind, SagaState, u64)>,
    /// Went to another account than their first choice.
    pub failovers: u64,
}

/// Counts messages.
#[derive(Debug)]
pub(crate) struct MessageMetrics {
    accepted: AtomicU64,
    resumed: AtomicU64,
    sent: AtomicU64,
    cancelled: AtomicU64,
    in_doubt: AtomicU64,
    failed: [AtomicU64; CODES.len()],
    failovers: AtomicU64,
    times: Histogram,
    own_times: Histogram,
}

impl Default for MessageMetrics {
    fn default() -> Self {
        Self {
            accepted: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            in_doubt: AtomicU64::new(0),
            failed: Default::default(),
            failovers: AtomicU64::new(0),
            times: Histogram::new(LONG_TIMES),
            own_times: Histogram::new(SHORT_TIMES),
        }
    }
}

impl MessageMetrics {
    pub(crate) fn accepted(&self) {
        one_more(&self.accepted);
    }

    pub(crate) fn resumed(&self, messages: usize) {
        self.resumed.fetch_add(messages as u64, Ordering::Relaxed);
    }

    pub(crate) fn failed_over(&self) {
        one_more(&self.failovers);
    }

    /// A message was ended by someone before it was begun.
    pub(crate) fn cancelled(&self) {
        one_more(&self.cancelled);
    }

    /// A message has become final.
    pub(crate) fn ended(&self, message: &OutboundMessage) {
        match message.state {
            MessageState::Sent | MessageState::Delivered | MessageState::Read => one_more(&self.sent),
            MessageState::Cancelled => one_more(&self.cancelled),
            MessageState::InDoubt => one_more(&self.in_doubt),
            MessageState::Failed => {
                let code = message.failure.as_ref().map(Failure::code);
                let index = CODES.iter().position(|known| Some(*known) == code);
                if let Some(counter) = index.and_then(|index| self.failed.get(index)) {
                    one_more(counter);
                }
            }
            MessageState::Queued
            | MessageState::Scheduled
            | MessageState::AwaitingApproval
            | MessageState::Sending => {}
        }
    }

    /// A message was sent, so long after it could have left; `on_the_wire` of that in calls, if nothing else held it up.
    pub(crate) fn sent_after(&self, time: Duration, on_the_wire: Option<Duration>) {
        self.times.add_time(time);
        if let Some(on_the_wire) = on_the_wire {
            self.own_times.add_time(time.saturating_sub(on_the_wire));
        }
    }

    pub(crate) fn counted(&self) -> MessagesCounted {
        MessagesCounted {
            accepted: load(&self.accepted),
            resumed: load(&self.resumed),
            sent: load(&self.sent),
            cancelled: load(&self.cancelled),
            in_doubt: load(&self.in_doubt),
            failed: CODES.into_iter().zip(self.failed.iter().map(load)).collect(),
            failovers: load(&self.failovers),
            times: self.times.spread(),
            own_times: self.own_times.spread(),
        }
    }
}

/// The states that a saga ends in.
const ENDS: [SagaState; 4] = [SagaState::Done, SagaState::Failed, SagaState::Cancelled, SagaState::InDoubt];

/// Counts sagas.
#[derive(Debug, Default)]
pub(crate) struct SagaMetrics {
    accepted: [AtomicU64; TaskKind::ALL.len()],
    ended: [[AtomicU64; ENDS.len()]; TaskKind::ALL.len()],
    failovers: AtomicU64,
}

impl SagaMetrics {
    pub(crate) fn accepted(&self, kind: TaskKind) {
        if let Some(counter) = index(kind).and_then(|index| self.accepted.get(index)) {
            one_more(counter);
        }
    }

    /// A saga has become final.
    pub(crate) fn ended(&self, kind: TaskKind, state: SagaState) {
        let end = ENDS.iter().position(|end| *end == state);
        if let (Some(index), Some(end)) = (index(kind), end)
            && let Some(counter) = self.ended.get(index).and_then(|ends| ends.get(end))
        {
            one_more(counter);
        }
    }

    pub(crate) fn failed_over(&self) {
        one_more(&self.failovers);
    }

    pub(crate) fn counted(&self) -> SagasCounted {
        let of_kind = |(kind, ends): (TaskKind, &[AtomicU64; ENDS.len()])| {
            ENDS.into_iter()
                .zip(ends.iter().map(load))
                .map(|(end, count)| (kind, end, count))
                .collect::<Vec<_>>()
        };
        SagasCounted {
            accepted: TaskKind::ALL.into_iter().zip(self.accepted.iter().map(load)).collect(),
            ended: TaskKind::ALL.into_iter().zip(&self.ended).flat_map(of_kind).collect(),
            failovers: load(&self.failovers),
        }
    }
}

fn index(kind: TaskKind) -> Option<usize> {
    TaskKind::ALL.iter().position(|known| *known == kind)
}

fn one_more(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;

    #[test]
    fn every_failure_has_its_counter() {
        let failures = [
            Failure::ChatNotFound { asked: Vec::new() },
            Failure::NoRights { asked: Vec::new() },
            Failure::Rejected { provider_code: "MESSAGE_EMPTY".into() },
            Failure::MediaGone { detail: String::new() },
            Failure::MediaExpired { detail: String::new() },
            Failure::FloodWait { until: Timestamp::default() },
            Failure::LimitReached { until: Timestamp::default() },
            Failure::ProviderError { detail: String::new() },
            Failure::NoAccount { asked: Vec::new() },
            Failure::DoNotContact { entry: domain::DoNotContactId::MIN },
            Failure::Restored { made_at: Timestamp::default() },
        ];
        assert_eq!(failures.each_ref().map(Failure::code), CODES);
    }

    #[test]
    fn own_time_is_what_the_calls_leave_of_the_whole() {
        let metrics = MessageMetrics::default();
        let (whole, calls) = (Duration::from_millis(30), Duration::from_millis(29));
        metrics.sent_after(whole, Some(calls));
        metrics.sent_after(whole, None);
        let counted = metrics.counted();
        assert_eq!((counted.times.count(), counted.times.sum), (2, 60_000));
        assert_eq!((counted.own_times.count(), counted.own_times.sum), (1, 1_000));
    }

    #[test]
    fn sagas_are_counted_by_kind_and_end_and_never_while_they_run() {
        let metrics = SagaMetrics::default();
        metrics.accepted(TaskKind::CreateChat);
        for state in SagaState::ALL {
            metrics.ended(TaskKind::LeaveChat, state);
        }
        let counted = metrics.counted();
        assert_eq!(counted.accepted.iter().map(|(_, count)| count).sum::<u64>(), 1);
        assert_eq!(counted.accepted[0], (TaskKind::CreateChat, 1));
        assert_eq!(counted.ended.len(), TaskKind::ALL.len() * ENDS.len());
        for (kind, state, count) in counted.ended {
            assert_eq!(count, u64::from(kind == TaskKind::LeaveChat), "{kind:?} {state:?}");
            assert!(state.is_final());
        }
    }
}
