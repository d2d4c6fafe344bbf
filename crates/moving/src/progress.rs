//! How far a move is, and what comes next: a pure function of the steps that were begun and done.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::step::Step;

/// Whether a move goes on or is undone.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    #[default]
    Forward,
    Back,
}

domain::enum_words!(Direction);

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// All that needs no stop is done.
    Prepared,
    /// Until the new side serves and was compared with the old one.
    Compared,
    /// The old side is retired too.
    Retired,
}

/// There is no way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the old side is retired and its secrets may be wiped; there is no way back but another move")]
pub struct Retired;

/// The steps that were begun and those that were done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub direction: Direction,
    begun: BTreeSet<Step>,
    done: BTreeSet<Step>,
}

impl Progress {
    pub fn begin(&mut self, step: Step) {
        self.begun.insert(step);
    }

    pub fn end(&mut self, step: Step) {
        self.begun.insert(step);
        self.done.insert(step);
    }

    pub fn is_begun(&self, step: Step) -> bool {
        self.begun.contains(&step)
    }

    pub fn is_done(&self, step: Step) -> bool {
        self.done.contains(&step)
    }

    /// The step to do now; it may have been begun before. None when there is nothing left to do.
    pub fn next(&self, until: Until) -> Option<Step> {
        let left = |steps: &[Step]| steps.iter().copied().find(|step| !self.is_done(*step));
        match self.direction {
            Direction::Forward => left(&Step::FORWARD).filter(|step| match until {
                Until::Prepared => *step < Step::Stop,
                Until::Compared => *step < Step::Retire,
                Until::Retired => true,
            }),
            Direction::Back => left(self.rollback_steps()),
        }
    }

    /// What undoes the steps that were begun.
    pub fn rollback_steps(&self) -> &'static [Step] {
        if self.is_begun(Step::Place) {
            // From here on a server may have run on the new side, even one that a person or a boot started: what it did goes along.
            &[Step::StopNew, Step::GiveBack, Step::TransferBack, Step::PlaceBack, Step::Restart, Step::Clear]
        } else if self.is_begun(Step::GiveUp) {
            &[Step::Renounce, Step::TakeBack, Step::Restart, Step::Clear]
        } else if self.is_begun(Step::Stop) {
            &[Step::Restart, Step::Clear]
        } else {
            &[Step::Clear]
        }
    }

    /// From now on it is undone.
    ///
    /// # Errors
    /// The old side is being retired.
    pub fn turn_back(&mut self) -> Result<(), Retired> {
        if self.is_begun(Step::Retire) {
            return Err(Retired);
        }
        self.direction = Direction::Back;
        Ok(())
    }

    /// Whether nothing of it is left to do or to undo.
    pub fn is_over(&self) -> bool {
        self.next(Until::Retired).is_none()
    }

    /// What both sides know together: a step that either knows as begun may have been begun.
    #[must_use]
    pub fn together(&self, other: &Self) -> Self {
        Self {
            direction: self.direction.max(other.direction),
            begun: self.begun.union(&other.begun).copied().collect(),
            done: self.done.union(&other.done).copied().collect(),
        }
    }
}
