//! The ends of a message, and the ways back from them.

use domain::outcome::Failure;
use domain::timeline::Step;
use domain::{MessageId, MessageState, Timestamp};

use super::callers::{CallerChange, WaitingCaller};
use super::statements as sql;
use super::{
    Approval, Fail, Origin, Resolution, TABLE, events, held_back, key, no_such_message, state_of, timeline,
};
use crate::StoreError;
use crate::chats::{Missed, count};
use crate::column::{Columns, to_json};
use crate::database::params;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

pub(super) struct FailWrite {
    fail: Fail,
    failure: String,
}

impl FailWrite {
    pub(super) fn new(fail: Fail) -> Result<Self, StoreError> {
        Ok(Self { failure: to_json(TABLE, &fail.failure)?, fail })
    }
}

impl Write for FailWrite {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::FAIL);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let Fail { id, failure, at } = &self.fail;
        let changed = transaction.execute(sql::FAIL, params![self.failure, at.as_micros(), key(id)])?;
        if changed > 0 {
            count_unresolved(transaction, id, failure, *at)?;
        }
        ended(transaction, id, changed, *at, Step::Failed, Some(failure.code_and_refusals()))
    }
}

/// Remembers who asked for a chat that no account finds, or that none is in.
pub(super) fn count_unresolved(
    transaction: &Transaction<'_>,
    id: &MessageId,
    failure: &Failure,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (Failure::ChatNotFound { asked } | Failure::NotInChat { asked }) = failure else { return Ok(()) };
    let found = transaction.first(sql::REQUEST_ORIGIN, [key(id)], |row| {
        let columns = Columns::new(row, TABLE);
        Ok((columns.get::<String>(0)?, Origin::read(&columns, 1)?))
    })?;
    let Some((chat, origin)) = found else { return Ok(()) };
    count(transaction, &Missed { chat: &chat, origin: &origin, refusals: asked, at })
}

pub(super) fn cancel(
    transaction: &Transaction<'_>,
    id: &MessageId,
    at: Timestamp,
    detail: Option<String>,
) -> Result<bool, StoreError> {
    let changed = transaction.execute(sql::CANCEL, params![at.as_micros(), key(id)])?;
    ended(transaction, id, changed, at, Step::Cancelled, detail)
}

pub(super) fn retry(
    transaction: &Transaction<'_>,
    id: &MessageId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    let changed = transaction.execute(sql::RETRY, params![at.as_micros(), key(id)])?;
    ended(transaction, id, changed, at, Step::Retried, None)
}

/// Ends the wait for a person's word: the message may leave, or never does.
pub(super) fn decide(
    transaction: &Transaction<'_>,
    id: &MessageId,
    approval: Approval,
    at: Timestamp,
    by: &str,
) -> Result<bool, StoreError> {
    let (change, step) = match approval {
        Approval::Approved => (sql::APPROVE, Step::Approved),
        Approval::Rejected => (sql::REJECT, Step::Rejected),
    };
    let changed = transaction.execute(change, params![at.as_micros(), key(id)])?;
    ended(transaction, id, changed, at, step, Some(by.to_owned()))
}

pub(super) struct ResolveWrite {
    pub(super) id: MessageId,
    pub(super) resolution: Resolution,
    pub(super) at: Timestamp,
}

impl Write for ResolveWrite {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::RESOLVE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let id = key(&self.id);
        if state_of(transaction, &self.id)? != MessageState::InDoubt {
            return Ok(false);
        }
        let at = self.at.as_micros();
        let (detail, is_held_back) = match self.resolution {
            Resolution::Sent => {
                transaction.run(sql::DOUBTFUL_PARTS_SENT, [id])?;
                let goes_on = transaction.execute(sql::RESOLVE_SENT, params![at, id])? > 0
                    || transaction.execute(sql::RESOLVE_QUEUED, params![at, id])? > 0;
                ("sent", !goes_on && transaction.execute(sql::RESOLVE_HELD_BACK, params![at, id])? > 0)
            }
            Resolution::Resend => {
                transaction.run(sql::DOUBTFUL_PARTS_WAIT, [id])?;
                transaction.run(sql::RESOLVE_RESEND, params![at, id])?;
                ("resend", false)
            }
        };
        let entry = timeline::plain(self.at, Step::Resolved, Some(detail.to_owned()));
        timeline::add(transaction, &self.id, &entry)?;
        if is_held_back {
            held_back::failed(transaction, &self.id, self.at)?;
        } else {
            events::changed(transaction, &self.id, self.at)?;
        }
        Ok(true)
    }
}

pub(crate) struct AnsweredWrite(pub(super) MessageId);

impl Write for AnsweredWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::ANSWERED);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let id = key(&self.0);
        if transaction.waiting_caller(id).is_none() {
            return transaction.run(sql::FORGET_JOIN, [id]);
        }
        transaction.caller_changes(CallerChange::Left(*id));
        Ok(())
    }
}

pub(super) fn unanswered(transaction: &Transaction<'_>, id: &MessageId) -> Result<(), StoreError> {
    if let Some(WaitingCaller { fingerprint, message, repeats }) = transaction.waiting_caller(key(id)) {
        transaction.open_joins_changed();
        transaction.caller_changes(CallerChange::Left(message));
        return transaction.run(sql::SAVE_OPEN_JOIN, params![fingerprint, message, repeats]);
    }
    // By the row through which the same body finds the message, if its request had no key.
    let fingerprint = transaction
        .first(sql::JOIN_OF, [key(id)], |row| Columns::new(row, TABLE).get::<Option<[u8; 32]>>(0))?
        .ok_or_else(|| no_such_message(id))?;
    if let Some(fingerprint) = fingerprint {
        transaction.open_joins_changed();
        transaction.run(sql::OPEN_JOIN, params![fingerprint, key(id)])?;
    }
    Ok(())
}

/// Adds the step if the state was changed; else says no, or that the message is gone.
fn ended(
    transaction: &Transaction<'_>,
    id: &MessageId,
    changed: usize,
    at: Timestamp,
    step: Step,
    detail: Option<String>,
) -> Result<bool, StoreError> {
    if changed == 0 {
        return state_of(transaction, id).map(|_| false);
    }
    timeline::add(transaction, id, &timeline::plain(at, step, detail))?;
    events::changed(transaction, id, at)?;
    Ok(true)
}
