//! How each account names the files that the provider has.

use domain::media::Sha256;
use domain::{AccessHash, AccountName};

use super::statements as sql;
use super::{FileReference, RemoteKind};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, params};

pub(super) fn read(
    connection: &Connection,
    account: &AccountName,
    sha256: Sha256,
    form: &str,
) -> Result<Option<FileReference>, StoreError> {
    connection.first(sql::REFERENCE, params![account.as_str(), sha256.0, form], |row| {
        let columns = Columns::new(row, "telegram_file_references");
        Ok(FileReference {
            kind: columns.word(0, "kind of file", RemoteKind::from_word)?,
            id: columns.get(1)?,
            access_hash: AccessHash(columns.get(2)?),
            file_reference: columns.get(3)?,
            saved_at: columns.time(4)?,
        })
    })
}
