//! What came of the last calls of an account, by what they were for: real calls show what a probe cannot.

use std::collections::VecDeque;
use std::time::Duration;

use domain::account::Operation;

use crate::calls::CallResult;
use ambient::lock::Mutex;

/// How many calls of a kind are looked back on.
const LOOKED_BACK_ON: usize = 10;

const COUNTS: Duration = Duration::from_mins(5);

/// How calls ended of which no one knows what they did, or that Telegram could not do.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallTrouble {
    /// Telegram answered that something is wrong on its own side.
    ServerErrors,
    /// No answer came in time.
    #[strum(serialize = "calls_unanswered")]
    NoAnswers,
    /// The connection was lost before the answer.
    #[strum(serialize = "calls_cut_off")]
    CutOff,
    /// An answer came that could not be read.
    #[strum(serialize = "answers_unreadable")]
    Unreadable,
}

domain::enum_words!(CallTrouble);

impl CallTrouble {
    /// What the end of a call says. A refusal and a flood wait are answers. Whether a connection is made, and whether
    /// it answers at all, is shown by the line's state.
    fn of(operation: Operation, result: CallResult) -> Option<Self> {
        match result {
            CallResult::Answered | CallResult::FloodWait | CallResult::Refused => None,
            CallResult::ServerError => Some(Self::ServerErrors),
            CallResult::TimedOut => (operation != Operation::Connect).then_some(Self::NoAnswers),
            CallResult::Lost => (operation != Operation::Connect).then_some(Self::CutOff),
        }
    }
}

/// The last calls of one kind, at most ten of the last five minutes, of which some went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastCalls {
    pub operation: Operation,
    pub calls: usize,
    pub wrong: usize,
    /// How many of the latest in a row went well.
    pub well_since: usize,
    /// Between the first and the last that went wrong.
    pub wrong_for: Duration,
    /// How the last one that did went wrong.
    pub trouble: CallTrouble,
}

/// The last calls of an account.
#[derive(Debug, Default)]
pub(crate) struct Traffic(Mutex<[VecDeque<End>; Operation::ALL.len()]>);

/// When a call ended, by the monotonic clock, and what was wrong with it.
type End = (Duration, Option<CallTrouble>);

impl Traffic {
    pub(crate) fn note(&self, operation: Operation, result: CallResult, at: Duration) {
        let trouble = CallTrouble::of(operation, result);
        self.with(operation, |ends| {
            if ends.len() == LOOKED_BACK_ON {
                ends.pop_front();
            }
            ends.push_back((at, trouble));
        });
    }

    /// The answer to the latest call that went well cannot be read: it shows nothing.
    pub(crate) fn unreadable(&self, operation: Operation) {
        self.with(operation, |ends| {
            if let Some((_, trouble)) = ends.iter_mut().rev().find(|(_, trouble)| trouble.is_none()) {
                *trouble = Some(CallTrouble::Unreadable);
            }
        });
    }

    pub(crate) fn troubles(&self, now: Duration) -> Vec<LastCalls> {
        let all = self.0.lock();
        let kinds = Operation::ALL.into_iter().zip(all.iter());
        kinds.filter_map(|(operation, ends)| last_calls(operation, ends, now)).collect()
    }

    pub(crate) fn forget(&self) {
        for ends in self.0.lock().iter_mut() {
            ends.clear();
        }
    }

    fn with(&self, operation: Operation, change: impl FnOnce(&mut VecDeque<End>)) {
        let mut all = self.0.lock();
        let place = Operation::ALL.iter().position(|known| *known == operation);
        if let Some(ends) = place.and_then(|place| all.get_mut(place)) {
            change(ends);
        }
    }
}

fn last_calls(operation: Operation, ends: &VecDeque<End>, now: Duration) -> Option<LastCalls> {
    let counted = || ends.iter().filter(|(at, _)| now.saturating_sub(*at) <= COUNTS);
    let mut wrong = counted().filter_map(|(at, trouble)| trouble.map(|trouble| (*at, trouble)));
    let (first, trouble) = wrong.next()?;
    let (count, last, trouble) =
        wrong.fold((1, first, trouble), |(count, ..), (at, trouble)| (count + 1, at, trouble));
    Some(LastCalls {
        operation,
        calls: counted().count(),
        wrong: count,
        well_since: counted().rev().take_while(|(_, trouble)| trouble.is_none()).count(),
        wrong_for: last.saturating_sub(first),
        trouble,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn refusals_are_answers_and_kinds_are_distinguished() {
        let traffic = Traffic::default();
        for result in [CallResult::Answered, CallResult::FloodWait, CallResult::Refused] {
            traffic.note(Operation::SendMessage, result, at(1));
        }
        traffic.note(Operation::Connect, CallResult::TimedOut, at(2));
        assert_eq!(traffic.troubles(at(3)), []);
        traffic.note(Operation::SendMessage, CallResult::TimedOut, at(20));
        traffic.note(Operation::SendMessage, CallResult::ServerError, at(40));
        traffic.note(Operation::Read, CallResult::Answered, at(41));
        let expected = LastCalls {
            operation: Operation::SendMessage,
            calls: 5,
            wrong: 2,
            well_since: 0,
            wrong_for: at(20),
            trouble: CallTrouble::ServerErrors,
        };
        assert_eq!(traffic.troubles(at(42)), [expected]);
        assert_eq!(traffic.troubles(at(341)), [], "what is over for five minutes counts no more");
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_none() {
        let traffic = Traffic::default();
        traffic.unreadable(Operation::SendMessage);
        traffic.note(Operation::SendMessage, CallResult::Answered, at(1));
        traffic.unreadable(Operation::SendMessage);
        let seen = traffic.troubles(at(2));
        assert_eq!(
            seen.iter().map(|one| (one.wrong, one.trouble)).collect::<Vec<_>>(),
            [(1, CallTrouble::Unreadable)]
        );
    }

    proptest! {
        /// Whatever comes of calls: ten at most are counted, and the numbers agree with each other.
        #[test]
        fn trouble_counts_match_the_calls(results in prop::collection::vec(prop::sample::select(CallResult::ALL.to_vec()), 0..40)) {
            let traffic = Traffic::default();
            for (second, result) in (0..).zip(&results) {
                traffic.note(Operation::SendMessage, *result, at(second));
            }
            let now = at(results.len() as u64);
            let last: Vec<bool> = results.iter().rev().take(LOOKED_BACK_ON)
                .map(|result| CallTrouble::of(Operation::SendMessage, *result).is_none()).collect();
            let wrong = last.iter().filter(|well| !**well).count();
            match traffic.troubles(now).as_slice() {
                [] => prop_assert_eq!(wrong, 0),
                [seen] => {
                    prop_assert_eq!((seen.calls, seen.wrong), (last.len(), wrong));
                    prop_assert_eq!(seen.well_since, last.iter().take_while(|well| **well).count());
                    prop_assert!(seen.wrong_for < at(LOOKED_BACK_ON as u64));
                }
                more => prop_assert!(false, "{more:?}"),
            }
        }
    }
}
