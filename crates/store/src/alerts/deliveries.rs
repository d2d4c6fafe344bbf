//! Notices and their deliveries: one row for each target, until it has the notice.

use domain::{AlertNoticeId, MessageId, Timestamp};
use uuid::Uuid;

use super::{cut, notice_id, statements as sql};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

const TABLE: &str = "posts";

/// Deliveries that wait for one target at most; of more, the oldest are given up.
const MOST_WAITING: u32 = 500;

/// A notice that is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// Its id, by which a receiver knows a repeat.
    pub id: AlertNoticeId,
    /// When it was made.
    pub at: Timestamp,
    /// What it says, as JSON.
    pub payload: String,
    /// Who is notified: the names of targets, each with whether it has it already.
    pub targets: Vec<(String, bool)>,
}

/// One notice on its way to one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertDelivery {
    /// The target's name.
    pub target: String,
    /// The notice.
    pub notice: AlertNoticeId,
    /// How often it was tried in vain.
    pub attempts: u32,
    /// When it is to be looked at.
    pub next_at: Timestamp,
    /// The message that carries it, where the target is a chat.
    pub message: Option<MessageId>,
    /// When the notice was made.
    pub at: Timestamp,
    /// What the notice says, as JSON.
    pub payload: String,
}

/// How much waits for a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveriesWaiting {
    /// The target's name.
    pub target: String,
    /// How many notices.
    pub count: u64,
    /// The first of them.
    pub first: AlertNoticeId,
    /// When the oldest was made.
    pub since: Timestamp,
}

pub(super) fn key(id: &AlertNoticeId) -> &[u8; 16] {
    id.as_uuid().as_bytes()
}

pub(super) fn read(row: &Row<'_>) -> Result<AlertDelivery, StoreError> {
    let columns = Columns::new(row, TABLE);
    let message: Option<[u8; 16]> = columns.get(4)?;
    Ok(AlertDelivery {
        target: target(&columns)?,
        notice: notice_id(&columns, 1)?,
        attempts: columns.get(2)?,
        next_at: columns.time(3)?,
        message: message.map(|bytes| MessageId::from_uuid(Uuid::from_bytes(bytes))),
        at: columns.time(5)?,
        payload: columns.get(6)?,
    })
}

pub(super) fn read_waiting(row: &Row<'_>) -> Result<DeliveriesWaiting, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(DeliveriesWaiting {
        target: target(&columns)?,
        count: columns.count(1)?,
        first: notice_id(&columns, 2)?,
        since: columns.time(3)?,
    })
}

/// The name of the target, from the first column.
fn target(columns: &Columns<'_>) -> Result<String, StoreError> {
    let receiver: Vec<u8> = columns.get(0)?;
    String::from_utf8(receiver)
        .map_err(|error| columns.strange(0, "name of a target", String::from_utf8_lossy(error.as_bytes())))
}

/// Adds a notice with a delivery for each target, as a part of the write that it came with.
pub(super) fn save(transaction: &Transaction<'_>, notice: &NewNotice) -> Result<(), StoreError> {
    let at = notice.at.as_micros();
    transaction.run(sql::SAVE_NOTICE, params![key(&notice.id), at, notice.payload])?;
    for (target, has_it) in &notice.targets {
        let row = params![target.as_bytes(), key(&notice.id), has_it, at, target];
        transaction.run(sql::SAVE_DELIVERY, row)?;
        let error = format!("more than {MOST_WAITING} newer ones wait for the target");
        transaction.run(sql::TRIM, params![error, at, target.as_bytes(), MOST_WAITING])?;
    }
    Ok(())
}

/// Gives up every notice that waits, without a try. Few do: each target has a bound.
pub(crate) struct HoldNotices {
    pub(crate) error: String,
    pub(crate) at: Timestamp,
}

impl Write for HoldNotices {
    type Answer = usize;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        transaction.execute(sql::HOLD_BACK, params![cut(&self.error), self.at.as_micros()])
    }
}

/// Removes notices that were made long ago, with their deliveries, so many at once.
pub(crate) struct DropNotices {
    pub(crate) before: Timestamp,
    pub(crate) most: u32,
}

impl Write for DropNotices {
    type Answer = usize;
    const POINT: Option<Point> = Some(point::DROP_ALERT_NOTICES);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        let before = self.before.as_micros();
        transaction.run(sql::DROP_DELIVERIES, params![before, self.most])?;
        transaction.execute(sql::DROP_NOTICES, params![before, self.most])
    }
}
