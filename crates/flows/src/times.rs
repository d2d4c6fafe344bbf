//! How long the stages of runs took. Pure.

use domain::{FlowMoment, FlowStage};

/// What is measured.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimedStage {
    /// From the update to when it was known that it begins a run.
    Match,
    /// From the update to the first press.
    Press,
    /// From a press to its answer.
    Answer,
    /// From a press to the text that was expected of it.
    Expect,
    /// From the update to the end.
    Run,
}

domain::enum_words!(TimedStage);

/// The upper end of the first bar of a histogram, in microseconds; each further one reaches twice as far.
const FIRST_BAR: u64 = 64;

/// Bars of a histogram; the last one has no upper end.
const BARS: usize = 24;

/// How long one stage took, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageTimes {
    pub stage: TimedStage,
    pub count: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub most: u64,
    /// How many took at most [`FIRST_BAR`] doubled as often as the place of the bar, and more than half of that.
    pub histogram: Vec<u64>,
}

/// Measures runs; a stage that none of them had is left out.
pub fn stage_times<'a>(runs: impl Iterator<Item = &'a [FlowMoment]>) -> Vec<StageTimes> {
    let mut times = TimedStage::ALL.map(|stage| (stage, Vec::new()));
    for moments in runs {
        for (stage, times) in &mut times {
            times.extend(measured(*stage, moments));
        }
    }
    times.into_iter().filter_map(|(stage, times)| summed(stage, times)).collect()
}

/// How long a stage took in one run, each time that it had it.
pub(crate) fn measured(stage: TimedStage, moments: &[FlowMoment]) -> Vec<u64> {
    let first = |wanted| moments.iter().find(|moment| moment.stage == wanted).map(|moment| moment.at_us);
    // From the last press of a step to its result.
    let since_press = |wanted| {
        let ends = moments.iter().enumerate().filter(move |(_, moment)| moment.stage == wanted);
        ends.filter_map(|(place, end)| {
            let mut before = moments[..place].iter().rev();
            let press =
                before.find(|moment| moment.stage == FlowStage::Pressed && moment.step == end.step)?;
            Some(end.at_us.saturating_sub(press.at_us))
        })
    };
    match stage {
        TimedStage::Match => first(FlowStage::Matched).into_iter().collect(),
        TimedStage::Press => first(FlowStage::Pressed).into_iter().collect(),
        TimedStage::Answer => since_press(FlowStage::Answered).collect(),
        TimedStage::Expect => since_press(FlowStage::Expected).collect(),
        TimedStage::Run => first(FlowStage::Ended).into_iter().collect(),
    }
}

fn summed(stage: TimedStage, mut times: Vec<u64>) -> Option<StageTimes> {
    times.sort_unstable();
    let most = *times.last()?;
    let at = |percent: usize| {
        let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times.get(place).copied().unwrap_or(most)
    };
    let mut histogram = vec![0; BARS];
    for time in &times {
        let mut bar = 0;
        let mut end = FIRST_BAR;
        while *time > end && bar + 1 < BARS {
            bar += 1;
            end = end.saturating_mul(2);
        }
        if let Some(count) = histogram.get_mut(bar) {
            *count += 1;
        }
    }
    while histogram.last() == Some(&0) {
        histogram.pop();
    }
    Some(StageTimes {
        stage,
        count: times.len() as u64,
        p50: at(50),
        p90: at(90),
        p99: at(99),
        most,
        histogram,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn moment(at_us: u64, stage: FlowStage, step: Option<u16>) -> FlowMoment {
        FlowMoment { at_us, stage, step, note: None }
    }

    #[test]
    fn each_stage_is_measured_from_what_it_waits_for() {
        let run = [
            moment(0, FlowStage::Seen, None),
            moment(50, FlowStage::Matched, None),
            moment(90, FlowStage::Pressed, Some(1)),
            moment(500, FlowStage::Pressed, Some(2)),
            moment(700, FlowStage::Answered, Some(1)),
            moment(900, FlowStage::Expected, Some(2)),
            moment(1000, FlowStage::Ended, None),
        ];
        let times = stage_times([&run[..]].into_iter());
        let most: Vec<_> = times.iter().map(|times| (times.stage.as_str(), times.most)).collect();
        assert_eq!(most, [("match", 50), ("press", 90), ("answer", 610), ("expect", 400), ("run", 1000)]);
        assert_eq!(times[1].histogram, [0, 1]);
        assert_eq!(stage_times(std::iter::empty()), []);
    }

    proptest! {
        #[test]
        fn every_time_is_in_one_bar_and_percentiles_are_in_order(times in prop::collection::vec(any::<u64>(), 1..50)) {
            let summed = summed(TimedStage::Run, times.clone()).expect("some");
            prop_assert_eq!(summed.histogram.iter().sum::<u64>(), times.len() as u64);
            prop_assert!(summed.p50 <= summed.p90 && summed.p90 <= summed.p99 && summed.p99 <= summed.most);
        }
    }
}
