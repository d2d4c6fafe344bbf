//! One drawing of the board for everyone who looks at the same, made again when something changed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::Alert;
use domain::Timestamp;
use health::Health;

use crate::overview::{Board, Snapshot, Undelivered, ViewKey};

/// How many different drawings are kept: filters, languages, zones and roles that are looked at together.
const MOST_CACHED: usize = 32;

/// A drawing is made again after this long though nothing changed: the ages in it grow.
const OLDEST: Duration = Duration::from_secs(30);

/// The drawings that are looked at.
#[derive(Default)]
pub(crate) struct RenderCache(Mutex<Vec<CachedBoard>>);

struct CachedBoard {
    viewer: ViewKey,
    version: u64,
    made_at: Timestamp,
    alerted: Arc<Vec<Alert>>,
    undelivered: Undelivered,
    board: Arc<Board>,
}

impl RenderCache {
    /// The board as it is now. `version` is that of the last change; anyone who asks for the same again before the next one
    /// gets the same drawing.
    ///
    /// # Errors
    /// Only what a template itself can fail with.
    pub(crate) fn board(
        &self,
        health: &Health,
        viewer: &ViewKey,
        alerted: &Arc<Vec<Alert>>,
        undelivered: Undelivered,
        now: Timestamp,
    ) -> Result<Arc<Board>, askama::Error> {
        let version = *health.changes().borrow();
        let is_fresh = |cached: &CachedBoard| {
            let is_young = now >= cached.made_at && now.since(cached.made_at) < OLDEST;
            let is_same = cached.version == version && cached.undelivered == undelivered;
            is_young && is_same && Arc::ptr_eq(&cached.alerted, alerted)
        };
        // Anyone who else wants the same waits the few milliseconds and then has it.
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cached.iter().find(|cached| cached.viewer == *viewer && is_fresh(cached)) {
            return Ok(Arc::clone(&found.board));
        }
        let overview = health.overview(&viewer.filter.wanted());
        let sight = Snapshot { undelivered, ..overview.into() };
        let board = Arc::new(Board::draw(viewer, &sight, alerted, |id| health.strip(id))?);
        cached.retain(|one| one.viewer != *viewer);
        if cached.len() >= MOST_CACHED {
            cached.remove(0);
        }
        cached.push(CachedBoard {
            viewer: viewer.clone(),
            version,
            made_at: now,
            alerted: Arc::clone(alerted),
            undelivered,
            board: Arc::clone(&board),
        });
        Ok(board)
    }
}
