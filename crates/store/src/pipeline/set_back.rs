//! Times of a clock that was ahead and is set back: what began then would wait until then.

use std::time::Duration;

use super::rows::PipelineRules;
use super::{Pipeline, statements as sql};
use crate::database::params;
use crate::write::Transaction;
use crate::{StoreError, point};

/// What began so much later than now, began by a clock that was ahead.
const AHEAD: Duration = Duration::from_mins(1);
/// Longer than any turn waits: a program has a day to answer.
const LONGEST_WAIT: Duration = Duration::from_hours(25);

impl Pipeline<'_> {
    /// What began later than now begins now, and waits as long as it would have waited then. How many batches and turns those were.
    pub async fn clock_was_set_back(&self, rules: &PipelineRules) -> Result<usize, StoreError> {
        let now = self.store.now();
        let (ahead, latest) = (now.plus(AHEAD).as_micros(), now.plus(LONGEST_WAIT).as_micros());
        let now = now.as_micros();
        // A look first: most of the time there is nothing to write. Batches that another program ends are named by when they began.
        let has_batches = !rules.outside.batch
            && self.store.first(sql::HAS_BATCH_AHEAD, [ahead], |_| Ok(())).await?.is_some();
        let has_turns = self.store.first(sql::HAS_TURN_AHEAD, (ahead, latest), |_| Ok(())).await?.is_some();
        if !has_batches && !has_turns {
            return Ok(0);
        }
        let change = move |transaction: &Transaction<'_>| {
            let turns = transaction.execute(sql::TURNS_AHEAD, params![ahead, now, latest])?;
            let batches =
                if has_batches { transaction.execute(sql::BATCHES_AHEAD, params![now, ahead])? } else { 0 };
            Ok(turns + batches)
        };
        self.store.change(point::PIPELINE_ADVANCE, change).await
    }
}
