//! Messages that waited when a backup was made: none of them leaves by itself.

use domain::message::MessageState;
use domain::outcome::Failure;
use domain::timeline::Step;
use domain::{MessageId, Timestamp};

use super::statements as sql;
use super::{TABLE, events, key, timeline};
use crate::column::{Columns, to_json};
use crate::database::params;
use crate::write::{Transaction, Write};
use crate::{StoreError, codes, sent_counts};

/// Holds back a number of messages behind this one.
pub(crate) struct HoldMessages {
    failure: String,
    doubt: String,
    at: Timestamp,
    after: [u8; 16],
    most: u32,
}

/// What was held back at once.
#[derive(Debug, Default)]
pub(crate) struct MessagesHeld {
    pub(crate) failed: u64,
    pub(crate) in_doubt: u64,
    /// The last one that was looked at; nothing when there was none.
    pub(crate) last: Option<[u8; 16]>,
}

impl HoldMessages {
    pub(crate) fn new(
        made_at: Timestamp,
        at: Timestamp,
        after: [u8; 16],
        most: u32,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            failure: to_json(TABLE, &Failure::Restored { made_at })?,
            doubt: format!("it was under way when the backup of {} was made", made_at.to_the_second()),
            at,
            after,
            most,
        })
    }

    fn hold(
        &self,
        transaction: &Transaction<'_>,
        id: &MessageId,
        held: &mut MessagesHeld,
    ) -> Result<(), StoreError> {
        let at = self.at.as_micros();
        if transaction.execute(sql::FAIL, params![self.failure, at, key(id)])? > 0 {
            held.failed += 1;
            return failed(transaction, id, self.at);
        }
        // A part is with an account, and the same call again, though under the same number, is for a person to decide:
        // the provider forgets those numbers.
        transaction.execute(sql::HOLD_IN_DOUBT, params![self.failure, at, key(id)])?;
        sent_counts::add_begun(transaction, id, self.at)?;
        held.in_doubt += 1;
        let entry = timeline::plain(self.at, Step::InDoubt, Some(self.doubt.clone()));
        timeline::add(transaction, id, &entry)?;
        events::changed(transaction, id, self.at)
    }
}

impl Write for HoldMessages {
    type Answer = MessagesHeld;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<MessagesHeld, StoreError> {
        let waiting = transaction.all(sql::WAITING, params![self.after, self.most], |row| {
            let columns = Columns::new(row, TABLE);
            Ok((columns.message_id(0)?, columns.coded(1, "state", codes::message)?))
        })?;
        let mut held = MessagesHeld::default();
        for (id, state) in &waiting {
            if *state == MessageState::InDoubt {
                transaction.run(sql::MARK_DOUBT, params![self.failure, key(id)])?;
            } else {
                self.hold(transaction, id, &mut held)?;
            }
        }
        held.last = waiting.last().map(|(id, _)| *key(id));
        Ok(held)
    }
}

/// Adds the step to the timeline of a message that was held back and is not in doubt, or is no more.
pub(super) fn failed(transaction: &Transaction<'_>, id: &MessageId, at: Timestamp) -> Result<(), StoreError> {
    timeline::add(transaction, id, &timeline::plain(at, Step::Failed, Some(Failure::RESTORED.to_owned())))?;
    events::changed(transaction, id, at)
}
