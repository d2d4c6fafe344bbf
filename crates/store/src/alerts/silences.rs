//! Silence: cards that are muted for a while, and maintenance windows.

use domain::{MaintenanceId, Timestamp};
use uuid::Uuid;

use crate::StoreError;
use crate::column::Columns;
use crate::database::Row;

/// A card of which no one wants to be notified for a while.
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
