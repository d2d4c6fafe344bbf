//! The health strip: two hours, a dot for each minute, drawn as a few paths. Pure.

use std::fmt::Write;
use std::time::Duration;

use domain::Timestamp;

use health::{Answer, Minute, STRIP};

/// How wide a minute is drawn, in units of the picture: a dot and the gap after it.
const STEP: usize = 2;

/// The picture of a strip. Read by height, then by colour: dot = answered, middle bar = slow, tall bar = failed, thin
/// dash = nobody asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Strip {
    /// The paths of the four answers, in the order of [`Answer::ALL`].
    pub(crate) paths: [String; 4],
    /// How many minutes have which answer, in the same order.
    pub(crate) counts: [u32; 4],
}

impl Strip {
    /// How wide the picture is.
    pub(crate) const WIDTH: usize = STRIP * STEP;

    /// Draws minutes, oldest first. With fewer than two hours the picture begins further right.
    pub(crate) fn of(minutes: &[Minute]) -> Self {
        let minutes = minutes.get(minutes.len().saturating_sub(STRIP)..).unwrap_or_default();
        let mut strip = Self::default();
        let mut place = STRIP - minutes.len();
        for run in minutes.chunk_by(|one, next| one.answer == next.answer) {
            let Some(first) = run.first() else { continue };
            let kind = first.answer as usize;
            if let (Some(path), Some(count)) = (strip.paths.get_mut(kind), strip.counts.get_mut(kind)) {
                // A stroke with dashes as long as a dot; each stroke begins with a dash, so dots keep their places.
                let _ = write!(path, "M{} 9h{}", place * STEP, run.len() * STEP);
                *count += u32::try_from(run.len()).unwrap_or(u32::MAX);
            }
            place += run.len();
        }
        strip
    }

    /// The classes of the paths, in the same order.
    pub(crate) const CLASSES: [&'static str; 4] = ["n", "a", "s", "f"];

    /// The paths that have anything in them, with their classes.
    pub(crate) fn drawn(&self) -> impl Iterator<Item = (&'static str, &str)> {
        Self::CLASSES
            .into_iter()
            .zip(self.paths.iter().map(String::as_str))
            .filter(|(_, path)| !path.is_empty())
    }
}

/// Minutes in a row that were not fine for the same reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spell<'a> {
    /// When the first of them began.
    pub(crate) from: Timestamp,
    /// When the last of them began.
    pub(crate) to: Timestamp,
    /// How many there are.
    pub(crate) minutes: usize,
    /// The one with the longest wait.
    pub(crate) worst: &'a Minute,
}

impl Spell<'_> {
    /// How long it lasted.
    pub(crate) fn lasted(&self) -> Duration {
        Duration::from_secs(60 * self.minutes as u64)
    }
}

/// The spells in which something was slow or failed, oldest first.
pub(crate) fn spells(minutes: &[Minute]) -> Vec<Spell<'_>> {
    minutes
        .chunk_by(|one, next| one.answer == next.answer && one.reason == next.reason)
        .filter_map(|run| {
            let (first, last) = (run.first()?, run.last()?);
            let worst = run.iter().max_by_key(|minute| minute.latency)?;
            let notable = matches!(first.answer, Answer::Slow | Answer::Failed);
            notable.then_some(Spell { from: first.at, to: last.at, minutes: run.len(), worst })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn minutes(answers: &[Answer]) -> Vec<Minute> {
        let at = Timestamp::default();
        answers.iter().map(|answer| Minute { at, answer: *answer, latency: None, reason: None }).collect()
    }

    #[test]
    fn a_run_of_equal_minutes_is_one_stroke() {
        let mut answers = vec![Answer::Answered; 118];
        answers.extend([Answer::Failed, Answer::NotAsked]);
        let strip = Strip::of(&minutes(&answers));
        assert_eq!(strip.paths, ["M238 9h2", "M0 9h236", "", "M236 9h2"]);
        assert_eq!(strip.counts, [1, 118, 0, 1]);
        assert_eq!(Strip::of(&minutes(&[Answer::Slow])).paths[2], "M238 9h2");
        assert_eq!(Strip::of(&[]), Strip::default());
    }

    /// The minutes that a path covers.
    fn covered(path: &str) -> Vec<usize> {
        let strokes = path.split('M').skip(1);
        strokes
            .flat_map(|stroke| {
                let (from, length) = stroke.split_once(" 9h").expect("a stroke");
                let from = from.parse::<usize>().expect("a place") / STEP;
                let length = length.parse::<usize>().expect("a length") / STEP;
                from..from + length
            })
            .collect()
    }

    proptest! {
        #[test]
        fn every_minute_is_drawn_once_in_its_place(
            answers in proptest::collection::vec(select(Answer::ALL.to_vec()), 0..300),
        ) {
            let strip = Strip::of(&minutes(&answers));
            let shown = &answers[answers.len().saturating_sub(STRIP)..];
            let mut drawn = vec![None; STRIP];
            for answer in Answer::ALL {
                for place in covered(&strip.paths[answer as usize]) {
                    prop_assert_eq!(drawn[place].replace(answer), None);
                }
            }
            let expected: Vec<_> =
                vec![None; STRIP - shown.len()].into_iter().chain(shown.iter().copied().map(Some)).collect();
            prop_assert_eq!(drawn, expected);
            let notable = answers.iter().filter(|answer| matches!(answer, Answer::Slow | Answer::Failed)).count();
            let minutes = minutes(&answers);
            prop_assert_eq!(spells(&minutes).iter().map(|spell| spell.minutes).sum::<usize>(), notable);
            prop_assert_eq!(strip.counts.iter().sum::<u32>() as usize, shown.len());
        }
    }
}
