//! A run of an import, undone piece by piece. What has gone on since stays: a client who wrote, an appeal that was answered.

use domain::{ImportId, MergeId, Timestamp};
use uuid::Uuid;

use super::imports::{EMAIL, MADE, NAME, PHONE, present};
use super::{clients, import_statements as sql, rows};
use crate::StoreError;
use crate::column::Columns;
use crate::database::params;
use crate::write::Transaction;

/// What a piece of undoing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportUndone {
    /// Whether there is nothing left to undo.
    pub finished: bool,
    /// Rows that are gone, or as they were before.
    pub removed: u64,
    /// Clients, chats and appeals that stay: something has been written there since.
    pub kept: u64,
}

/// Undoes at most this number of rows of a run.
pub(super) fn undo(
    transaction: &Transaction<'_>,
    id: &ImportId,
    most: u32,
    now: Timestamp,
) -> Result<ImportUndone, StoreError> {
    present(transaction, id)?;
    let run = id.as_uuid().as_bytes();
    let mut done = ImportUndone::default();
    for phase in [merges, messages, appeals, chats, clients_of] {
        let ImportUndone { removed, kept, .. } = phase(transaction, id, most, now)?;
        done.removed += removed;
        done.kept += kept;
        if removed + kept > 0 {
            return Ok(done);
        }
    }
    transaction.run(sql::END_IMPORT, params![now.as_micros(), run])?;
    Ok(ImportUndone { finished: true, ..done })
}

fn merges(
    transaction: &Transaction<'_>,
    id: &ImportId,
    most: u32,
    now: Timestamp,
) -> Result<ImportUndone, StoreError> {
    let found = transaction.all(sql::MERGES_OF_IMPORT, params![id.to_string(), most], |row| {
        Columns::new(row, "pipeline_merges").get::<[u8; 16]>(0)
    })?;
    let mut done = ImportUndone::default();
    for merge in found {
        clients::part(transaction, &MergeId::from_uuid(Uuid::from_bytes(merge)), now)?;
        transaction.run(sql::DROP_MERGE, [merge])?;
        done.removed += 1;
    }
    Ok(done)
}

fn messages(
    transaction: &Transaction<'_>,
    id: &ImportId,
    most: u32,
    _: Timestamp,
) -> Result<ImportUndone, StoreError> {
    let removed = transaction.execute(sql::DROP_PAST_MESSAGES, params![id.as_uuid().as_bytes(), most])?;
    Ok(ImportUndone { removed: removed as u64, ..ImportUndone::default() })
}

fn appeals(
    transaction: &Transaction<'_>,
    id: &ImportId,
    most: u32,
    _: Timestamp,
) -> Result<ImportUndone, StoreError> {
    let of_run = params![id.as_uuid().as_bytes(), most];
    let mut done = ImportUndone::default();
    for appeal in transaction.all(sql::APPEALS_OF_IMPORT, of_run, rows::only_appeal)? {
        let key = *appeal.as_uuid().as_bytes();
        let goes_on = transaction.first(sql::APPEAL_GOES_ON, [key], |_| Ok(()))?.is_some();
        done.count(goes_on);
        transaction.run(if goes_on { sql::KEEP_APPEAL } else { sql::DROP_APPEAL }, [key])?;
    }
    Ok(done)
}

fn chats(
    transaction: &Transaction<'_>,
    id: &ImportId,
    most: u32,
    _: Timestamp,
) -> Result<ImportUndone, StoreError> {
    let read = |row: &crate::database::Row<'_>| rows::address(&Columns::new(row, "pipeline_chats"), 0);
    let mut done = ImportUndone::default();
    for chat in transaction.all(sql::CHATS_OF_IMPORT, params![id.as_uuid().as_bytes(), most], read)? {
        let key = params![chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str()];
        let goes_on = transaction.first(sql::CHAT_GOES_ON, key, |_| Ok(()))?.is_some();
        done.count(goes_on);
        transaction.run(if goes_on { sql::KEEP_CHAT } else { sql::DROP_CHAT }, key)?;
    }
    Ok(done)
}

fn clients_of(
    transaction: &Transaction<'_>,
    id: &ImportId,
    most: u32,
    _: Timestamp,
) -> Result<ImportUndone, StoreError> {
    let run = id.as_uuid().as_bytes();
    let found = transaction.all(sql::CLIENTS_OF_IMPORT, params![run, most], |row| {
        let columns = Columns::new(row, "pipeline_clients");
        Ok((columns.get::<[u8; 16]>(0)?, columns.get::<Option<i64>>(1)?.unwrap_or_default()))
    })?;
    let mut done = ImportUndone::default();
    for (key, made) in found {
        if made & MADE == 0 {
            transaction.run(sql::DROP_IDENTITIES, params![key, run])?;
            transaction.run(sql::PART_CLIENT, params![made & NAME, made & PHONE, made & EMAIL, key])?;
            done.removed += 1;
            continue;
        }
        let goes_on = transaction.first(sql::CLIENT_GOES_ON, [key], |_| Ok(()))?.is_some();
        done.count(goes_on);
        if goes_on {
            transaction.run(sql::KEEP_IDENTITIES, [key])?;
            transaction.run(sql::KEEP_CLIENT, [key])?;
        } else {
            transaction.run(sql::DROP_IDENTITIES, params![key, run])?;
            transaction.run(sql::DROP_CLIENT, [key])?;
        }
    }
    Ok(done)
}

impl ImportUndone {
    fn count(&mut self, stays: bool) {
        if stays {
            self.kept += 1;
        } else {
            self.removed += 1;
        }
    }
}
