//! Silence: cards that are muted for a while, and maintenance windows.

use domain::{MaintenanceId, Timestamp};
use rusqlite::{Row, params};
use uuid::Uuid;

use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

/// A card of which nobody wants to be told for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMute {
    /// The card.
    pub card: String,
    /// Until when.
    pub until: Timestamp,
    /// Since when.
    pub muted_at: Timestamp,
    /// Who wanted it.
    pub muted_by: String,
}

/// A maintenance window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWindow {
    /// Its id.
    pub id: MaintenanceId,
    /// When and what for, as JSON.
    pub record: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

pub(super) fn read_mute(row: &Row<'_>) -> Result<StoredMute, StoreError> {
    let columns = Columns::new(row, "alert_mutes");
    Ok(StoredMute {
        card: columns.get(0)?,
        until: columns.time(1)?,
        muted_at: columns.time(2)?,
        muted_by: columns.get(3)?,
    })
}

pub(super) fn read_window(row: &Row<'_>) -> Result<StoredWindow, StoreError> {
    let columns = Columns::new(row, "maintenance_windows");
    Ok(StoredWindow {
        id: MaintenanceId::from_uuid(Uuid::from_bytes(columns.get(0)?)),
        record: columns.get(1)?,
        created_at: columns.time(2)?,
        created_by: columns.get(3)?,
    })
}

pub(super) struct SaveMute(pub(super) StoredMute);

impl Write for SaveMute {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_ALERT_MUTE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let StoredMute { card, until, muted_at, muted_by } = &self.0;
        // Those that are over go with the next one that comes.
        transaction.execute(sql::DROP_MUTES, [muted_at.as_micros()])?;
        let row = params![card, until.as_micros(), muted_at.as_micros(), muted_by];
        transaction.execute(sql::SAVE_MUTE, row)?;
        Ok(())
    }
}

pub(super) struct ForgetMute(pub(super) String);

impl Write for ForgetMute {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::FORGET_ALERT_MUTE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        Ok(transaction.execute(sql::FORGET_MUTE, [&self.0])? > 0)
    }
}

pub(super) struct AddWindow(pub(super) StoredWindow);

impl Write for AddWindow {
    type Answer = ();
    const POINT: Option<Point> = Some(point::ADD_MAINTENANCE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let StoredWindow { id, record, created_at, created_by } = &self.0;
        let row = params![id.as_uuid().as_bytes(), record, created_at.as_micros(), created_by];
        transaction.execute(sql::ADD_WINDOW, row)?;
        Ok(())
    }
}

pub(super) struct RemoveWindow(pub(super) MaintenanceId);

impl Write for RemoveWindow {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::REMOVE_MAINTENANCE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        Ok(transaction.execute(sql::REMOVE_WINDOW, [self.0.as_uuid().as_bytes()])? > 0)
    }
}
