//! The calls that an account made, counted by what they were for and what came of them.

pub(crate) mod classify;
pub(crate) mod last_calls;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::AccountName;
use domain::account::Operation;
use domain::measure::{Histogram, SHORT_TIMES, Spread};
use mtproto::RequestError;

use crate::calls::classify::CallError;
use crate::calls::last_calls::Traffic;

#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallResult {
    Answered,
    /// Telegram asked to wait.
    FloodWait,
    Refused,
    /// Telegram answered that something is wrong on its own side.
    ServerError,
    /// No answer came in time.
    TimedOut,
    /// The connection was lost before the answer.
    Lost,
}

domain::enum_words!(CallResult);

impl CallResult {
    /// What an error means; nothing for a call that was never made.
    pub(crate) fn of(error: &CallError) -> Option<Self> {
        Some(match error {
            CallError::NotConnected(_) | CallError::Failed(RequestError::Unsendable(_)) => return None,
            CallError::TimedOut => Self::TimedOut,
            CallError::Failed(RequestError::Rpc(_)) if error.flood().is_some() => Self::FloodWait,
            CallError::Failed(RequestError::Rpc(error)) if (0..500).contains(&error.code) => Self::Refused,
            CallError::Failed(RequestError::Rpc(_)) => Self::ServerError,
            CallError::Failed(_) => Self::Lost,
        })
    }
}

/// The calls of one account since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallsCounted {
    pub account: AccountName,
    /// How many there were of each kind that came to this; what is not named has none.
    pub calls: Vec<(Operation, CallResult, u64)>,
    /// Microseconds until the answer, of those that were answered with whatever.
    pub times: Spread,
}

#[derive(Debug)]
pub(crate) struct Calls {
    counts: [[AtomicU64; CallResult::ALL.len()]; Operation::ALL.len()],
    times: Histogram,
    pub(crate) traffic: Traffic,
}

impl Default for Calls {
    fn default() -> Self {
        Self { counts: Default::default(), times: Histogram::new(SHORT_TIMES), traffic: Traffic::default() }
    }
}

impl Calls {
    /// Counts a call that took so long and ended at this reading of the monotonic clock.
    pub(crate) fn count(&self, operation: Operation, result: CallResult, took: Duration, at: Duration) {
        self.traffic.note(operation, result, at);
        let place = Operation::ALL.iter().position(|known| *known == operation);
        let end = CallResult::ALL.iter().position(|known| *known == result);
        if let (Some(place), Some(end)) = (place, end)
            && let Some(counter) = self.counts.get(place).and_then(|ends| ends.get(end))
        {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if !matches!(result, CallResult::TimedOut | CallResult::Lost) {
            self.times.add_time(took);
        }
    }

    pub(crate) fn counted(&self, account: &AccountName) -> CallsCounted {
        let mut calls = Vec::new();
        for (operation, ends) in Operation::ALL.into_iter().zip(&self.counts) {
            let ends =
                CallResult::ALL.into_iter().zip(ends.iter().map(|count| count.load(Ordering::Relaxed)));
            calls.extend(
                ends.filter(|(_, count)| *count > 0).map(|(result, count)| (operation, result, count)),
            );
        }
        CallsCounted { account: account.clone(), calls, times: self.times.spread() }
    }
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::types;

    use super::*;
    use mtproto::{Loss, RpcError};

    fn rpc(code: i32, message: &str) -> CallError {
        let error = types::RpcError { error_code: code, error_message: message.to_owned() };
        CallError::Failed(RequestError::Rpc(RpcError::from(error)))
    }

    #[test]
    fn each_error_is_counted_as_what_it_is() {
        let table = [
            (rpc(420, "FLOOD_WAIT_3"), Some(CallResult::FloodWait)),
            (rpc(420, "FROZEN_METHOD_INVALID"), Some(CallResult::Refused)),
            (rpc(400, "PEER_FLOOD"), Some(CallResult::Refused)),
            (rpc(500, "INTERNAL"), Some(CallResult::ServerError)),
            (rpc(-503, "TIMEOUT"), Some(CallResult::ServerError)),
            (CallError::TimedOut, Some(CallResult::TimedOut)),
            (
                CallError::Failed(RequestError::Lost { loss: Loss::Ended, written: true }),
                Some(CallResult::Lost),
            ),
            (CallError::NotConnected("connecting".into()), None),
        ];
        for (error, expected) in table {
            assert_eq!(CallResult::of(&error), expected, "{error}");
        }
    }

    #[test]
    fn only_what_happened_is_listed_and_only_answers_have_a_time() {
        let (calls, took) = (Calls::default(), Duration::from_millis(3));
        let at = Duration::ZERO;
        calls.count(Operation::SendMessage, CallResult::Answered, took, at);
        calls.count(Operation::SendMessage, CallResult::Answered, took, at);
        calls.count(Operation::Read, CallResult::TimedOut, Duration::from_secs(10), at);
        let counted = calls.counted(&"main".parse().expect("a name"));
        assert_eq!(
            counted.calls,
            [(Operation::SendMessage, CallResult::Answered, 2), (Operation::Read, CallResult::TimedOut, 1),]
        );
        assert_eq!((counted.times.count(), counted.times.sum), (2, 6_000));
    }
}
