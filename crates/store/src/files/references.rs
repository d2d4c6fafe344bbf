//! How each account names the files that the provider has.

use domain::media::Sha256;
use domain::{AccountName, Timestamp};
use rusqlite::{Connection, params};

use super::statements as sql;
use super::{FileReference, RemoteKind};
use crate::column::Columns;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, statement};

pub(super) fn read(
    connection: &Connection,
    account: &AccountName,
    sha256: Sha256,
    form: &str,
) -> Result<Option<FileReference>, StoreError> {
    statement::first(connection, sql::REFERENCE, params![account.as_str(), sha256.0, form], |row| {
        let columns = Columns::new(row, "telegram_file_references");
        Ok(FileReference {
            kind: columns.word(0, "kind of file", RemoteKind::from_word)?,
            id: columns.get(1)?,
            access_hash: columns.get(2)?,
            file_reference: columns.get(3)?,
            saved_at: columns.time(4)?,
        })
    })
}

pub(super) struct SaveReference {
    pub(super) account: AccountName,
    pub(super) sha256: Sha256,
    pub(super) form: String,
    pub(super) reference: FileReference,
}

impl Write for SaveReference {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_REFERENCE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let FileReference { kind, id, access_hash, file_reference, saved_at } = &self.reference;
        transaction.execute(
            sql::SAVE_REFERENCE,
            params![
                self.account.as_str(),
                self.sha256.0,
                self.form,
                kind.as_str(),
                id,
                access_hash,
                file_reference,
                saved_at.as_micros()
            ],
        )?;
        Ok(())
    }
}

pub(super) struct ForgetReference {
    pub(super) account: AccountName,
    pub(super) sha256: Sha256,
    pub(super) form: String,
}

impl Write for ForgetReference {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::FORGET_REFERENCE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let params = params![self.account.as_str(), self.sha256.0, self.form];
        Ok(transaction.execute(sql::FORGET_REFERENCE, params)? > 0)
    }
}

/// Removes references that were saved too long ago.
pub(crate) struct DropReferences {
    pub(crate) before: Timestamp,
    pub(crate) most: u32,
}

impl Write for DropReferences {
    type Answer = usize;
    const POINT: Option<Point> = Some(point::DROP_REFERENCES);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        transaction.execute(sql::DROP_REFERENCES, params![self.before.as_micros(), self.most])
    }
}
