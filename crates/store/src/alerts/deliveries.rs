//! Notices and their deliveries: one row for each target, until it has the notice.

use domain::{AlertNoticeId, MessageId, Timestamp};
use rusqlite::{Row, params};
use uuid::Uuid;

use super::{cut, notice_id, statements as sql};
use crate::StoreError;
use crate::column::Columns;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

const TABLE: &str = "alert_deliveries";

/// Deliveries that wait for one target at most; of more, the oldest are given up.
const MOST_WAITING: u32 = 500;

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotice {
    /// Its id, by which a receiver knows a repeat.
    pub id: AlertNoticeId,
    /// When it was made.
    pub at: Timestamp,
    /// What is told, as JSON.
    pub payload: String,
    /// Who is told: the names of targets, each with whether it has it already.
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
    /// What is told, as JSON.
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

fn key(id: &AlertNoticeId) -> &[u8; 16] {
    id.as_uuid().as_bytes()
}

pub(super) fn read(row: &Row<'_>) -> Result<AlertDelivery, StoreError> {
    let columns = Columns::new(row, TABLE);
    let message: Option<[u8; 16]> = columns.get(4)?;
    Ok(AlertDelivery {
        target: columns.get(0)?,
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
        target: columns.get(0)?,
        count: columns.count(1)?,
        first: notice_id(&columns, 2)?,
        since: columns.time(3)?,
    })
}

/// Adds a notice with a delivery for each target, as a part of the write that it came with.
pub(super) fn save(transaction: &Transaction<'_>, notice: &NewNotice) -> Result<(), StoreError> {
    let at = notice.at.as_micros();
    transaction.execute(sql::SAVE_NOTICE, params![key(&notice.id), at, notice.payload])?;
    for (target, has_it) in &notice.targets {
        transaction.execute(sql::SAVE_DELIVERY, params![target, key(&notice.id), has_it, at])?;
        let error = format!("more than {MOST_WAITING} newer ones wait for the target");
        transaction.execute(sql::TRIM, params![error, at, target, MOST_WAITING])?;
    }
    Ok(())
}

pub(super) struct Delivered {
    pub(super) target: String,
    pub(super) notice: AlertNoticeId,
    pub(super) at: Timestamp,
}

impl Write for Delivered {
    type Answer = ();
    const POINT: Option<Point> = Some(point::ALERT_DELIVERED);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Self { target, notice, at } = self;
        transaction.execute(sql::DELIVERED, params![at.as_micros(), target, key(notice)])?;
        transaction.execute(sql::TOLD, params![target, at.as_micros()])?;
        Ok(())
    }
}

pub(super) struct Told {
    pub(super) target: String,
    pub(super) at: Timestamp,
}

impl Write for Told {
    type Answer = ();
    const POINT: Option<Point> = Some(point::ALERT_TOLD);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        transaction.execute(sql::TOLD, params![self.target, self.at.as_micros()])?;
        Ok(())
    }
}

pub(super) struct PutOff {
    pub(super) target: String,
    pub(super) notice: AlertNoticeId,
    pub(super) tried: Option<String>,
    pub(super) message: Option<MessageId>,
    pub(super) at: Timestamp,
    pub(super) next_at: Timestamp,
}

impl Write for PutOff {
    type Answer = ();
    const POINT: Option<Point> = Some(point::ALERT_PUT_OFF);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Self { target, notice, tried, message, at, next_at } = self;
        let error = tried.as_deref().map(cut);
        let message = message.as_ref().map(|id| id.as_uuid().as_bytes());
        let row =
            params![u32::from(tried.is_some()), error, next_at.as_micros(), message, target, key(notice)];
        transaction.execute(sql::PUT_OFF, row)?;
        if error.is_some() {
            transaction.execute(sql::FAILED, params![target, at.as_micros(), error, None::<i64>])?;
        }
        Ok(())
    }
}

pub(super) struct GiveUp {
    pub(super) target: String,
    pub(super) notice: AlertNoticeId,
    pub(super) error: String,
    pub(super) at: Timestamp,
}

impl Write for GiveUp {
    type Answer = ();
    const POINT: Option<Point> = Some(point::ALERT_GIVEN_UP);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Self { target, notice, error, at } = self;
        let error = cut(error);
        transaction.execute(sql::GIVE_UP, params![error, at.as_micros(), target, key(notice)])?;
        transaction.execute(sql::FAILED, params![target, at.as_micros(), error, None::<i64>])?;
        Ok(())
    }
}

pub(super) struct GiveUpAll {
    pub(super) target: String,
    pub(super) error: String,
    pub(super) off: bool,
    pub(super) at: Timestamp,
}

impl Write for GiveUpAll {
    type Answer = ();
    const POINT: Option<Point> = Some(point::ALERT_TARGET_OFF);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Self { target, error, off, at } = self;
        let error = cut(error);
        transaction.execute(sql::GIVE_UP_ALL, params![error, at.as_micros(), target])?;
        let off_at = off.then_some(at.as_micros());
        transaction.execute(sql::FAILED, params![target, at.as_micros(), error, off_at])?;
        Ok(())
    }
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
        transaction.execute(sql::DROP_DELIVERIES, params![before, self.most])?;
        transaction.execute(sql::DROP_NOTICES, params![before, self.most])
    }
}
