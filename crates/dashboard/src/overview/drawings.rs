//! One drawing of the board for everybody who looks at the same, made anew when something changed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use health::Health;

use crate::overview::{Alerted, Beholder, Board, Sight, Undelivered};

/// How many different drawings are kept: filters, languages, zones and roles that are looked at together.
const KEPT: usize = 32;

/// A drawing is made anew after this long though nothing changed: the ages in it grow.
const OLDEST: Duration = Duration::from_secs(30);

/// The drawings that are looked at.
#[derive(Default)]
pub(crate) struct Drawings(Mutex<Vec<Kept>>);

struct Kept {
    beholder: Beholder,
    version: u64,
    made_at: Timestamp,
    alerted: Arc<Vec<Alerted>>,
    undelivered: Undelivered,
    board: Arc<Board>,
}

impl Drawings {
    /// The board as it is now. `version` is that of the last change; whoever asks for the same again before the next one
    /// gets the same drawing.
    ///
    /// # Errors
    /// Only what a template itself can fail with.
    pub(crate) fn board(
        &self,
        health: &Health,
        beholder: &Beholder,
        alerted: &Arc<Vec<Alerted>>,
        undelivered: Undelivered,
        now: Timestamp,
    ) -> Result<Arc<Board>, askama::Error> {
        let version = *health.changes().borrow();
        let is_fresh = |kept: &Kept| {
            let is_young = now >= kept.made_at && now.since(kept.made_at) < OLDEST;
            let is_same = kept.version == version && kept.undelivered == undelivered;
            is_young && is_same && Arc::ptr_eq(&kept.alerted, alerted)
        };
        // Whoever else wants the same waits the few milliseconds and then has it.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.iter().find(|kept| kept.beholder == *beholder && is_fresh(kept)) {
            return Ok(Arc::clone(&found.board));
        }
        let overview = health.overview(&beholder.filter.wanted());
        let sight = Sight { undelivered, ..overview.into() };
        let board = Arc::new(Board::draw(beholder, &sight, alerted, |id| health.strip(id))?);
        kept.retain(|one| one.beholder != *beholder);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Kept {
            beholder: beholder.clone(),
            version,
            made_at: now,
            alerted: Arc::clone(alerted),
            undelivered,
            board: Arc::clone(&board),
        });
        Ok(board)
    }
}
