//! Flows that are written while the program runs, beside those of the settings.

use domain::Timestamp;

use crate::column::Columns;
use crate::database::{Row, params};
use crate::statement::statements;
use crate::write::Transaction;
use crate::{Store, StoreError, point};

/// Flows that may be kept.
const MOST: u32 = 1000;

const TABLE: &str = "flow_definitions";

statements! {
    EVERY = "SELECT name, definition, changed_at, changed_by FROM flow_definitions ORDER BY name LIMIT $1";
    CHANGED = "SELECT changed_at FROM flow_definitions WHERE name = $1";
    COUNT = "SELECT count(*) FROM flow_definitions";
    SAVE = "
        INSERT INTO flow_definitions (name, definition, changed_at, changed_by) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET
            definition = excluded.definition, changed_at = excluded.changed_at, changed_by = excluded.changed_by";
    REMOVE = "DELETE FROM flow_definitions WHERE name = $1";
}

/// A flow as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowDefinition {
    pub name: String,
    /// One flow, TOML.
    pub text: String,
    /// Later with each change.
    pub changed_at: Timestamp,
    pub changed_by: String,
}

/// What became of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefinitionSaved {
    /// It is kept; when it was changed.
    Saved(Timestamp),
    /// It is another one than the writer read: it was changed, made or removed since.
    Changed,
    /// As many as may be are kept already.
    TooMany,
}

/// The definitions' part of a store.
#[derive(Clone, Copy)]
pub struct FlowDefinitions<'a> {
    pub(crate) store: &'a Store,
}

impl FlowDefinitions<'_> {
    /// All of them, by name.
    pub async fn all(&self) -> Result<Vec<FlowDefinition>, StoreError> {
        self.store.all(EVERY, [MOST], read).await
    }

    /// Keeps a definition in the place of the one that was changed at `replaces`; of none, where that is nothing.
    pub async fn save(
        &self,
        definition: FlowDefinition,
        replaces: Option<Timestamp>,
    ) -> Result<DefinitionSaved, StoreError> {
        let change = move |transaction: &Transaction<'_>| {
            let FlowDefinition { name, text, changed_at, changed_by } = &definition;
            let time = |row: &Row<'_>| Columns::new(row, TABLE).time(0);
            let found = transaction.first(CHANGED, [name.as_str()], time)?;
            if found != replaces {
                return Ok(DefinitionSaved::Changed);
            }
            let count = transaction.first(COUNT, (), |row| Columns::new(row, TABLE).count(0))?;
            if found.is_none() && count.unwrap_or_default() >= u64::from(MOST) {
                return Ok(DefinitionSaved::TooMany);
            }
            // A clock that is set back must not make a change look like the one before.
            let least = found.map_or(*changed_at, |found| Timestamp::from_micros(found.as_micros() + 1));
            let changed_at = least.max(*changed_at);
            transaction.run(SAVE, params![name, text, changed_at.as_micros(), changed_by])?;
            Ok(DefinitionSaved::Saved(changed_at))
        };
        self.store.change(point::SAVE_FLOW_DEFINITION, change).await
    }

    /// Removes a definition; whether there was one.
    pub async fn remove(&self, name: String) -> Result<bool, StoreError> {
        let change =
            move |transaction: &Transaction<'_>| Ok(transaction.execute(REMOVE, [name.as_str()])? > 0);
        self.store.change(point::REMOVE_FLOW_DEFINITION, change).await
    }
}

fn read(row: &Row<'_>) -> Result<FlowDefinition, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(FlowDefinition {
        name: columns.get(0)?,
        text: columns.get(1)?,
        changed_at: columns.time(2)?,
        changed_by: columns.get(3)?,
    })
}
