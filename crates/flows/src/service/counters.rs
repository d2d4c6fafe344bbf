//! What flows did since the program started, in numbers. Their names are those of the flows that are in use.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::measure::{Histogram, SHORT_TIMES, Spread};
use domain::{FlowMoment, FlowRunState};
use telegram::PressAnswer;

use super::Flows;
use super::instance::Instance;
use crate::control::FlowState;
use crate::limits::Skip;
use crate::times::{TimedStage, measured};
use ambient::lock::Mutex;

/// What became of a press.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PressOutcome {
    /// The bot has it and answered.
    Answered,
    /// The bot has it and did not answer in time.
    NoResponse,
    /// The connection ended before the answer.
    NotKnown,
    /// The message is gone, or has other buttons.
    MessageGone,
    /// The message has no such button any more.
    DataInvalid,
    /// Telegram asks to wait.
    FloodWait,
    /// It was not sent: no connection.
    NotWritten,
    /// Telegram refused it otherwise.
    Refused,
}

domain::enum_words!(PressOutcome);

impl PressOutcome {
    const fn of(answer: &PressAnswer) -> Self {
        match answer {
            PressAnswer::Answered { .. } => Self::Answered,
            PressAnswer::NoResponse => Self::NoResponse,
            PressAnswer::Unknown(_) => Self::NotKnown,
            PressAnswer::MessageGone => Self::MessageGone,
            PressAnswer::DataInvalid => Self::DataInvalid,
            PressAnswer::Flood(_) => Self::FloodWait,
            PressAnswer::NotWritten(_) => Self::NotWritten,
            PressAnswer::Refused(_) => Self::Refused,
        }
    }
}

/// One flow in numbers, on all its accounts.
#[derive(Debug, Default)]
pub(crate) struct FlowCounters {
    ended: [AtomicU64; FlowRunState::ALL.len()],
    presses: [AtomicU64; PressOutcome::ALL.len()],
}

impl FlowCounters {
    pub(super) fn end(&self, state: FlowRunState) {
        add(&self.ended, state as usize);
    }

    pub(super) fn press(&self, answer: &PressAnswer) {
        add(&self.presses, PressOutcome::of(answer) as usize);
    }
}

fn add(counts: &[AtomicU64], place: usize) {
    if let Some(count) = counts.get(place) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn read<T: Copy, const N: usize>(words: [T; N], counts: &[AtomicU64; N]) -> Vec<(T, u64)> {
    let counts = counts.iter().map(|count| count.load(Ordering::Relaxed));
    words.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect()
}

/// All flows in numbers.
pub(super) struct Counters {
    flows: Mutex<HashMap<String, Arc<FlowCounters>>>,
    times: [Histogram; TimedStage::ALL.len()],
}

impl Default for Counters {
    fn default() -> Self {
        Self { flows: Mutex::default(), times: TimedStage::ALL.map(|_| Histogram::new(SHORT_TIMES)) }
    }
}

impl Counters {
    pub(super) fn of(&self, flow: &str) -> Arc<FlowCounters> {
        Arc::clone(self.flows.lock().entry(flow.to_owned()).or_default())
    }

    /// Forgets the flows that are no longer in use.
    pub(super) fn retain(&self, used: &[Arc<Instance>]) {
        self.flows.lock().retain(|name, _| used.iter().any(|instance| instance.flow_name == *name));
    }

    /// Takes in how long the stages of a run took that ended.
    pub(super) fn time(&self, moments: &[FlowMoment]) {
        for (stage, times) in TimedStage::ALL.into_iter().zip(&self.times) {
            for time in measured(stage, moments) {
                times.add(time);
            }
        }
    }
}

/// All flows in numbers, since the program started.
#[derive(Debug, Clone)]
pub struct FlowsCounted {
    pub flows: BTreeMap<String, OneFlowCounted>,
    /// How long the stages of runs took that ended, in microseconds.
    pub times: Vec<(TimedStage, Spread)>,
    /// How many there are in each state, each account of a flow by itself.
    pub states: Vec<(FlowState, usize)>,
}

/// One flow in numbers; what never happened is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OneFlowCounted {
    pub ended: Vec<(FlowRunState, u64)>,
    pub presses: Vec<(PressOutcome, u64)>,
    /// Messages that began no run, though they fit.
    pub skipped: BTreeMap<Skip, u64>,
}

impl Flows {
    /// What flows did since the program started.
    pub fn counted(&self) -> FlowsCounted {
        let (inner, now) = (&self.0, self.0.now());
        let mut flows = BTreeMap::<String, OneFlowCounted>::new();
        let mut states = FlowState::ALL.map(|state| (state, 0));
        for instance in &inner.roster().all {
            let view = instance.view(now);
            let counted = flows.entry(instance.flow_name.clone()).or_insert_with(|| OneFlowCounted {
                ended: read(FlowRunState::ALL, &instance.counters.ended),
                presses: read(PressOutcome::ALL, &instance.counters.presses),
                skipped: BTreeMap::new(),
            });
            // Of this start alone, as a counter is.
            let skipped = instance.machine.lock().skipped().0;
            for (skip, count) in skipped {
                *counted.skipped.entry(skip).or_default() += count;
            }
            for (_, count) in states.iter_mut().filter(|(state, _)| *state == view.state) {
                *count += 1;
            }
        }
        let times = TimedStage::ALL.into_iter().zip(inner.counters.times.iter().map(Histogram::spread));
        FlowsCounted { flows, times: times.collect(), states: states.into() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::FlowStage;

    use super::*;

    #[test]
    fn presses_runs_and_times_are_counted_by_what_came_of_them() {
        let counters = Counters::default();
        let trip = counters.of("trip");
        for answer in [
            PressAnswer::Answered { text: None, is_alert: false, url: None },
            PressAnswer::Flood(Duration::from_secs(1)),
            PressAnswer::Flood(Duration::from_secs(2)),
        ] {
            counters.of("trip").press(&answer);
        }
        trip.end(FlowRunState::Done);
        assert_eq!(
            read(PressOutcome::ALL, &trip.presses),
            [(PressOutcome::Answered, 1), (PressOutcome::FloodWait, 2)]
        );
        assert_eq!(read(FlowRunState::ALL, &trip.ended), [(FlowRunState::Done, 1)]);
        let moment = |at_us, stage| FlowMoment { at_us, stage, step: Some(1), note: None };
        counters.time(&[moment(90, FlowStage::Pressed), moment(400, FlowStage::Answered)]);
        let sums: Vec<_> = counters.times.iter().map(|times| times.spread().sum).collect();
        assert_eq!(sums, [0, 90, 310, 0, 0]);
        counters.retain(&[]);
        assert!(counters.flows.lock().is_empty());
    }
}
