//! Reading sagas back: one, those to take up again, or those of the log.

use domain::OperationId;
use domain::saga::Saga;

use super::statements as sql;
use super::{TABLE, key};
use crate::column::Columns;
use crate::database::{Connection, Parameters, Row, params};
use crate::outbox::{LONGEST_BATCH, Origin};
use crate::unreadable::Unfinished;
use crate::write::Transaction;
use crate::{StoreError, codes};

pub(super) fn get(connection: &Connection, id: OperationId) -> Result<Option<Saga>, StoreError> {
    connection.first(sql::GET, [key(&id)], saga)
}

/// A saga, inside a write.
pub(super) fn one(transaction: &Transaction<'_>, id: &OperationId) -> Result<Option<Saga>, StoreError> {
    transaction.first(sql::GET, [key(id)], saga)
}

pub(super) fn origin(connection: &Connection, id: OperationId) -> Result<Option<Origin>, StoreError> {
    connection.first(sql::ORIGIN, [key(&id)], |row| Origin::read(&Columns::new(row, TABLE), 0))
}

pub(super) fn unfinished(
    connection: &Connection,
    after: Option<OperationId>,
    limit: u32,
) -> Result<Unfinished<OperationId, Saga>, StoreError> {
    let after = after.map_or([0; 16], |id| *key(&id));
    let params = params![after, limit.clamp(1, LONGEST_BATCH)];
    let rows = connection
        .all(sql::UNFINISHED, params, |row| Ok((Columns::new(row, TABLE).operation_id(0)?, saga(row))))?;
    Unfinished::of(rows)
}

/// The sagas that a statement of the log finds.
pub(crate) fn logged(
    connection: &Connection,
    statement: &str,
    params: impl Parameters,
) -> Result<Vec<Saga>, StoreError> {
    connection.all(statement, params, saga)
}

/// The same, inside a write.
pub(super) fn unfinished_in(
    transaction: &Transaction<'_>,
    after: [u8; 16],
    limit: u32,
) -> Result<Vec<Saga>, StoreError> {
    transaction.all(sql::UNFINISHED, params![after, limit], saga)
}

fn saga(row: &Row<'_>) -> Result<Saga, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(Saga {
        id: columns.operation_id(0)?,
        state: columns.coded(1, "state", codes::saga)?,
        task: columns.json(2)?,
        pin: columns.maybe_account(3)?,
        on_flood: columns.coded(4, "way to meet floods", codes::on_flood)?,
        patient_until: columns.time(5)?,
        account: columns.maybe_account(6)?,
        chat_id: columns.maybe_chat_id(7)?,
        begun: columns.maybe_json(8)?,
        progress: columns.json(9)?,
        failure: columns.maybe_json(10)?,
        created_at: columns.time(11)?,
        updated_at: columns.time(12)?,
    })
}
