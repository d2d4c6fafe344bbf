//! Sagas that waited or ran when a backup was made: none of them goes on by itself.

use domain::outcome::Failure;
use domain::saga::{Saga, SagaEvent, SagaState, Step};
use domain::{OperationId, Timestamp};

use super::change::Prepared;
use super::ending::start_of;
use super::statements as sql;
use super::{SagaChange, TABLE, history, key, reading};
use crate::StoreError;
use crate::column::Columns;
use crate::database::params;
use crate::write::{Transaction, Write};

/// Holds back a number of sagas behind this one.
pub(crate) struct HoldSagas {
    pub(crate) made_at: Timestamp,
    pub(crate) at: Timestamp,
    pub(crate) after: [u8; 16],
    pub(crate) most: u32,
}

/// What was held back at once.
#[derive(Debug, Default)]
pub(crate) struct SagasHeld {
    pub(crate) failed: u64,
    pub(crate) in_doubt: u64,
    /// The last one that was looked at; nothing when there was none.
    pub(crate) last: Option<[u8; 16]>,
}

impl HoldSagas {
    /// The saga as it is held back. In doubt only with a step that a person has to speak about: a chat is made, or left.
    /// The others may be taken twice, and the one who tries the saga again takes them where it was.
    fn held(&self, saga: Saga) -> SagaChange {
        let made_at = self.made_at;
        let in_doubt =
            matches!(&saga.begun, Some(begun) if matches!(begun.step, Step::Create { .. } | Step::Leave));
        let mut saga = Saga { updated_at: self.at, ..saga };
        let mut entries = Vec::new();
        if in_doubt {
            let detail = format!("it was under way when the backup of {} was made", made_at.to_the_second());
            let mut entry = history::plain(self.at, SagaEvent::InDoubt, Some(&detail));
            entry.account.clone_from(&saga.account);
            entries.push(entry);
            saga.state = SagaState::InDoubt;
        } else {
            (saga.state, saga.begun) = (SagaState::Failed, None);
            saga.failure = Some(Failure::Restored { made_at });
        }
        SagaChange { saga, entries, hold: None, registry: Vec::new(), failover: None, callback: None }
    }
}

impl Write for HoldSagas {
    type Answer = SagasHeld;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<SagasHeld, StoreError> {
        let mut held = SagasHeld::default();
        for saga in reading::unfinished_in(transaction, self.after, self.most)? {
            held.last = Some(*key(&saga.id));
            let change = self.held(saga);
            if change.saga.state == SagaState::InDoubt {
                held.in_doubt += 1;
            } else {
                held.failed += 1;
            }
            Prepared::new(change)?.apply(transaction)?;
        }
        Ok(held)
    }
}

/// Whether a saga failed because it was held back: it may have been done since the backup was made.
pub(super) fn was(transaction: &Transaction<'_>, id: &OperationId) -> Result<bool, StoreError> {
    let failure = transaction
        .first(sql::FAILURE_OF, [key(id)], |row| Columns::new(row, TABLE).maybe_json::<Failure>(0))?;
    Ok(matches!(failure, Some(Some(Failure::Restored { .. }))))
}

/// Lets a saga that was held back after some of its steps go on behind them. False for any other.
pub(super) fn take_up(
    transaction: &Transaction<'_>,
    id: &OperationId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    if !was(transaction, id)? {
        return Ok(false);
    }
    let start = start_of(transaction, id)?;
    let has_begun = reading::one(transaction, id)?
        .is_some_and(|saga| saga.progress != start.progress || saga.chat_id != start.chat_id);
    let params = params![start.patient_until(at).as_micros(), at.as_micros(), key(id)];
    Ok(has_begun && transaction.execute(sql::TAKE_UP, params)? > 0)
}
