//! Targets that are not in the settings, sealed, and the health of each target.

use domain::secret::ExposeSecret;
use domain::{SecretText, Timestamp};

use super::{secret, statements as sql};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::point::{self, Point};
use crate::vault::{Sealed, Vault};
use crate::write::{Transaction, Write};

pub(super) const TABLE: &str = "alert_targets";

/// A target that is not in the settings.
#[derive(Debug, Clone)]
pub struct StoredTarget {
    /// Its name.
    pub name: String,
    /// What and where it is: addresses and passwords, so it is sealed.
    pub record: SecretText,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
}

/// What is known of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// The target's name.
    pub name: String,
    /// When it took something last.
    pub notified_at: Option<Timestamp>,
    /// When it did not, since then.
    pub failed_at: Option<Timestamp>,
    /// Why it did not.
    pub last_error: Option<String>,
    /// Since when it wants nothing more.
    pub off_at: Option<Timestamp>,
}

/// A target as stored in its table.
pub(super) struct SealedTarget {
    pub(super) name: String,
    pub(super) record: Sealed,
    created_at: Timestamp,
    created_by: String,
}

impl SealedTarget {
    pub(super) fn open(self, vault: &Vault) -> Result<StoredTarget, StoreError> {
        let Self { name, record, created_at, created_by } = self;
        let record =
            open(vault, &name, &record).map_err(|what| StoreError::corrupt(TABLE, "record", &name, what))?;
        Ok(StoredTarget { name, record, created_at, created_by })
    }
}

/// Opens the record of a target.
pub(super) fn open(vault: &Vault, name: &str, record: &[u8]) -> Result<SecretText, String> {
    let plain = vault.open(TABLE, name, record).map_err(|error| format!("{name}: {error}"))?;
    String::from_utf8(plain).map(secret).map_err(|_| format!("{name}: is no text"))
}

pub(super) fn read(row: &Row<'_>) -> Result<SealedTarget, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(SealedTarget {
        name: columns.get(0)?,
        record: columns.get(1)?,
        created_at: columns.time(2)?,
        created_by: columns.get(3)?,
    })
}

pub(super) fn read_health(row: &Row<'_>) -> Result<TargetHealth, StoreError> {
    let columns = Columns::new(row, "alert_target_standings");
    Ok(TargetHealth {
        name: columns.get(0)?,
        notified_at: columns.maybe_time(1)?,
        failed_at: columns.maybe_time(2)?,
        last_error: columns.get(3)?,
        off_at: columns.maybe_time(4)?,
    })
}

pub(super) struct AddTarget(SealedTarget);

impl AddTarget {
    pub(super) fn new(target: &StoredTarget, vault: &Vault) -> Result<Self, StoreError> {
        let record = vault
            .seal(TABLE, &target.name, target.record.expose_secret().as_bytes())
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let StoredTarget { name, created_at, created_by, .. } = target.clone();
        Ok(Self(SealedTarget { name, record, created_at, created_by }))
    }
}

impl Write for AddTarget {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::ADD_ALERT_TARGET);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let SealedTarget { name, record, created_at, created_by } = &self.0;
        let row = params![name, record, created_at.as_micros(), created_by];
        let added = transaction.execute(sql::ADD_TARGET, row)? > 0;
        if added {
            // What was known of an earlier one of this name says nothing of this one.
            transaction.execute(sql::FORGET_HEALTH, [name])?;
        }
        Ok(added)
    }
}
