//! The health strip: two hours as cells of one minute or of three, drawn as a few paths. Pure.

use std::fmt::Write;
use std::time::Duration;

use domain::Timestamp;

use health::{Minute, ProbeOutcome, STRIP};

/// How wide a cell is drawn, in units of the picture: two of a dot and one of the gap after it.
const STEP: usize = 3;

/// How many minutes a cell is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell {
    /// One, where there is room for a dot each.
    Minute,
    ThreeMinutes,
}

impl Cell {
    const fn minutes(self) -> usize {
        match self {
            Self::Minute => 1,
            Self::ThreeMinutes => 3,
        }
    }

    /// How many cells two hours are.
    pub(crate) const fn many(self) -> usize {
        STRIP / self.minutes()
    }

    pub(crate) const fn width(self) -> usize {
        self.many() * STEP
    }

    /// The cell that so many cells are of.
    pub(crate) fn of(many: usize) -> Self {
        if many == Self::ThreeMinutes.many() { Self::ThreeMinutes } else { Self::Minute }
    }

    /// The worst minute of each cell, oldest first. Cells begin at the same times of day whenever someone looks.
    pub(crate) fn worst(self, minutes: &[Minute]) -> Vec<&Minute> {
        let length = i64::try_from(self.minutes()).unwrap_or(1);
        let number = |minute: &Minute| (minute.at.as_seconds() + 30).div_euclid(60).div_euclid(length);
        let cells = minutes.chunk_by(|one, next| length > 1 && number(one) == number(next));
        // Of equally bad ones the first.
        let worst = cells.filter_map(|cell| cell.iter().rev().max_by_key(|minute| minute.answer));
        let mut worst: Vec<_> = worst.collect();
        worst.drain(..worst.len().saturating_sub(self.many()));
        worst
    }
}

/// The picture of a strip. Read by height, then by colour: dot = answered, middle bar = slow, tall bar = failed, thin
/// dash = no one asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strip {
    cell: Cell,
    /// The paths of the four answers, in the order of [`ProbeOutcome::ALL`].
    paths: [String; 4],
    /// How many minutes have which answer, in the same order.
    pub(crate) counts: [u32; 4],
}

impl Strip {
    /// Draws minutes, oldest first. With fewer than two hours the picture begins further right.
    pub(crate) fn of(minutes: &[Minute], cell: Cell) -> Self {
        let minutes = minutes.get(minutes.len().saturating_sub(STRIP)..).unwrap_or_default();
        let mut strip = Self { cell, paths: Default::default(), counts: [0; 4] };
        for minute in minutes {
            if let Some(count) = strip.counts.get_mut(minute.answer as usize) {
                *count += 1;
            }
        }
        let cells = cell.worst(minutes);
        let mut place = cell.many() - cells.len();
        for run in cells.chunk_by(|one, next| one.answer == next.answer) {
            let Some(first) = run.first() else { continue };
            if let Some(path) = strip.paths.get_mut(first.answer as usize) {
                // A stroke with dashes as long as a dot; each stroke begins with a dash, so dots keep their places.
                let _ = write!(path, "M{} 9h{}", place * STEP, run.len() * STEP);
            }
            place += run.len();
        }
        strip
    }

    pub(crate) const fn width(&self) -> usize {
        self.cell.width()
    }

    /// The classes of the paths, in the same order.
    const CLASSES: [&'static str; 4] = ["n", "a", "s", "f"];

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
            let notable = matches!(first.answer, ProbeOutcome::Slow | ProbeOutcome::Failed);
            notable.then_some(Spell { from: first.at, to: last.at, minutes: run.len(), worst })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn minutes(answers: &[ProbeOutcome]) -> Vec<Minute> {
        let at = |place: usize| Timestamp::default().plus(Duration::from_mins(place as u64));
        let minute = |(place, answer): (usize, &ProbeOutcome)| Minute {
            at: at(place),
            answer: *answer,
            latency: None,
            reason: None,
        };
        answers.iter().enumerate().map(minute).collect()
    }

    #[test]
    fn a_run_of_equal_cells_is_one_stroke() {
        let mut answers = vec![ProbeOutcome::Answered; 118];
        answers.extend([ProbeOutcome::Failed, ProbeOutcome::NotAsked]);
        let strip = Strip::of(&minutes(&answers), Cell::Minute);
        assert_eq!(strip.paths, ["M357 9h3", "M0 9h354", "", "M354 9h3"]);
        assert_eq!(strip.counts, [1, 118, 0, 1]);
        assert_eq!(Strip::of(&minutes(&[ProbeOutcome::Slow]), Cell::Minute).paths[2], "M357 9h3");
        assert!(Strip::of(&[], Cell::ThreeMinutes).drawn().next().is_none());
    }

    #[test]
    fn a_cell_of_three_minutes_shows_the_worst_of_them() {
        let mut answers = vec![ProbeOutcome::Answered; 117];
        answers.extend([
            ProbeOutcome::NotAsked,
            ProbeOutcome::Failed,
            ProbeOutcome::Failed,
            ProbeOutcome::Answered,
        ]);
        let (minutes, cell) = (minutes(&answers), Cell::ThreeMinutes);
        let strip = Strip::of(&minutes, cell);
        // The last cell has begun with the last minute; the first minute of all is out of sight.
        assert_eq!(strip.paths, ["", "M0 9h114M117 9h3", "", "M114 9h3"]);
        assert_eq!((strip.counts, strip.width()), ([1, 117, 0, 2], 120));
        let worst = cell.worst(&minutes);
        assert_eq!((worst.len(), worst[38].at), (40, minutes[118].at));
    }

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
        fn every_cell_is_drawn_once_at_its_position(
            answers in proptest::collection::vec(select(ProbeOutcome::ALL.to_vec()), 0..300),
            cell in select(vec![Cell::Minute, Cell::ThreeMinutes]),
        ) {
            let minutes = minutes(&answers);
            let shown = &minutes[minutes.len().saturating_sub(STRIP)..];
            let strip = Strip::of(&minutes, cell);
            let mut drawn = vec![None; cell.many()];
            for answer in ProbeOutcome::ALL {
                for place in covered(&strip.paths[answer as usize]) {
                    prop_assert_eq!(drawn[place].replace(answer), None);
                }
            }
            let worst = cell.worst(shown);
            let expected: Vec<_> =
                vec![None; cell.many() - worst.len()].into_iter().chain(worst.iter().map(|one| Some(one.answer))).collect();
            prop_assert_eq!(drawn, expected);
            let notable = answers.iter().filter(|answer| matches!(answer, ProbeOutcome::Slow | ProbeOutcome::Failed)).count();
            prop_assert_eq!(spells(&minutes).iter().map(|spell| spell.minutes).sum::<usize>(), notable);
            prop_assert_eq!(strip.counts.iter().sum::<u32>() as usize, shown.len());
        }
    }
}
