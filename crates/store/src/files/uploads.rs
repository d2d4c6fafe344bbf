//! Uploads that are on their way, so that one that is broken off goes on where it was.

use domain::AccountName;
use domain::media::Sha256;

use super::UploadState;
use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, params};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

pub(super) fn read(
    connection: &Connection,
    account: &AccountName,
    sha256: Sha256,
) -> Result<Option<UploadState>, StoreError> {
    connection.first(sql::UPLOAD, params![account.as_str(), sha256.0], |row| {
        let columns = Columns::new(row, "telegram_uploads");
        Ok(UploadState {
            file_id: columns.get(0)?,
            size: columns.count(1)?,
            part_size: columns.get(2)?,
            parts_done: columns.get(3)?,
            started_at: columns.time(4)?,
        })
    })
}

/// How far an upload is by now; none when it is over.
pub(crate) struct SaveUpload {
    pub(super) account: AccountName,
    pub(super) sha256: Sha256,
    pub(super) state: Option<UploadState>,
}

impl SaveUpload {
    /// Whether this makes an earlier one pointless: it is about the same upload.
    pub(crate) fn replaces(&self, earlier: &Self) -> bool {
        (&self.account, self.sha256) == (&earlier.account, earlier.sha256)
    }
}

impl Write for SaveUpload {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_UPLOAD);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let account = self.account.as_str();
        let Some(UploadState { file_id, size, part_size, parts_done, started_at }) = self.state else {
            transaction.run(sql::FORGET_UPLOAD, params![account, self.sha256.0])?;
            return Ok(());
        };
        // No file is that large; a number that the column cannot hold must not become another one.
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        transaction.run(
            sql::SAVE_UPLOAD,
            params![account, self.sha256.0, file_id, size, part_size, parts_done, started_at.as_micros()],
        )?;
        Ok(())
    }
}
