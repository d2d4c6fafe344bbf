//! The tables of a store, their rows in pages, and the sum over them.

use std::path::Path;

use domain::Timestamp;
use sha2::{Digest, Sha256};

use super::{CopyError, NOTE};
use crate::database::{Connection, OwnedValue};
use crate::{StoreError, migrations};

/// Rows in one page: what is in memory at a time, and what is copied again after a copy was broken off.
pub(super) const PAGE: usize = 2000;
const TABLES: &str = "
    SELECT t.name, c.name, c.pk FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
    WHERE t.type = 'table' AND t.name <> 'schema_migrations'
    ORDER BY t.name = 'store_facts', (SELECT count(*) FROM pragma_foreign_key_list(t.name)), t.name, c.cid";

/// A table, as both engines have it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<String>,
    /// Which of the columns are its key, in their order.
    key: Vec<usize>,
}

/// All tables of the newest schema, each behind those that it refers to.
pub(super) fn tables() -> Result<Vec<Table>, StoreError> {
    let mut made = rusqlite::Connection::open_in_memory()?;
    migrations::run(&mut made, Path::new(":memory:"), Timestamp::default())
        .map_err(|error| StoreError::Unavailable(error.to_string()))?;
    let mut columns = made.prepare(TABLES)?;
    let mut rows = columns.query([])?;
    let mut tables: Vec<(Table, Vec<(i64, usize)>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, column, key): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if tables.last().is_none_or(|(table, _)| table.name != name) {
            tables.push((Table { name, columns: Vec::new(), key: Vec::new() }, Vec::new()));
        }
        if let Some((table, keys)) = tables.last_mut() {
            if key > 0 {
                keys.push((key, table.columns.len()));
            }
            table.columns.push(column);
        }
    }
    let ordered = tables.into_iter().map(|(table, mut keys)| {
        keys.sort_unstable();
        Table { key: keys.into_iter().map(|(_, index)| index).collect(), ..table }
    });
    Ok(ordered.collect())
}

impl Table {
    fn page(&self, is_first: bool) -> String {
        let key = listed(self.key.iter().filter_map(|index| self.columns.get(*index)));
        let mut conditions = Vec::new();
        if !is_first {
            conditions.push(format!("({key}) > ({})", numbered(self.key.len())));
        }
        if self.name == "store_facts" {
            conditions.push(format!("name <> '{NOTE}'"));
        }
        let conditions =
            if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
        let (name, columns) = (&self.name, listed(self.columns.iter()));
        format!("SELECT {columns} FROM \"{name}\" {conditions} ORDER BY {key} LIMIT {PAGE}")
    }

    pub(super) fn insert(&self) -> String {
        let (name, columns) = (&self.name, listed(self.columns.iter()));
        format!("INSERT INTO \"{name}\" ({columns}) VALUES ({})", numbered(self.columns.len()))
    }

    /// The next rows behind a key.
    pub(super) fn read(
        &self,
        connection: &Connection,
        after: Option<&[OwnedValue]>,
    ) -> Result<Vec<Vec<OwnedValue>>, CopyError> {
        let sql = self.page(after.is_none());
        let read = connection.all(&sql, after.unwrap_or_default(), |row| {
            let value = |index| {
                row.value(index)
                    .map(OwnedValue::from)
                    .map_err(|what| StoreError::corrupt("the database", row.column_name(index), "?", what))
            };
            (0..self.columns.len()).map(value).collect()
        });
        read.map_err(self.rows_failed())
    }

    pub(super) fn key_of(&self, row: &[OwnedValue]) -> Vec<OwnedValue> {
        self.key.iter().filter_map(|index| row.get(*index).cloned()).collect()
    }

    pub(super) fn rows_failed(&self) -> impl Fn(StoreError) -> CopyError + use<> {
        let table = self.name.clone();
        move |source| CopyError::Rows { table: table.clone(), source }
    }
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

fn numbered(count: usize) -> String {
    (1..=count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// How many rows a table has and the sum over them, which does not depend on their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) sum: u128,
}

impl Tally {
    pub(super) fn add(&mut self, row: &[OwnedValue]) {
        let mut hash = Sha256::new();
        for value in row {
            let text;
            let (kind, bytes): (u8, &[u8]) = match value {
                OwnedValue::Null => (0, &[]),
                OwnedValue::Integer(number) => (1, &number.to_be_bytes()),
                // PostgreSQL has it so.
                OwnedValue::Text(with) if with.contains('\0') => {
                    text = with.replace('\0', "\u{fffd}");
                    (2, text.as_bytes())
                }
                OwnedValue::Text(text) => (2, text.as_bytes()),
                OwnedValue::Blob(bytes) => (3, bytes),
            };
            hash.update([kind]);
            hash.update(bytes.len().to_be_bytes());
            hash.update(bytes);
        }
        let sum = hash.finalize().iter().take(16).fold(0, |sum: u128, byte| (sum << 8) | u128::from(*byte));
        self.sum = self.sum.wrapping_add(sum);
        self.rows += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_is_behind_those_that_it_refers_to() {
        let tables = tables().unwrap();
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        assert!(names.len() > 40 && names.last() == Some(&"store_facts"), "{names:?}");
        assert!(tables.iter().all(|table| !table.key.is_empty()));
        let mut made = rusqlite::Connection::open_in_memory().unwrap();
        migrations::run(&mut made, Path::new("test.db"), Timestamp::default()).unwrap();
        let at = |wanted: &str| names.iter().position(|name| *name == wanted).unwrap();
        let sql = r#"SELECT t.name, f."table" FROM sqlite_schema AS t, pragma_foreign_key_list(t.name) AS f"#;
        let mut statement = made.prepare(sql).unwrap();
        let pairs = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let pairs: Vec<(String, String)> = pairs.map(Result::unwrap).collect();
        assert!(!pairs.is_empty());
        for (name, other) in pairs {
            assert!(at(&other) < at(&name), "{name} before {other}");
        }
    }

    #[test]
    fn a_sum_tells_values_apart_and_not_their_order() {
        let text = |text: &str| vec![OwnedValue::Text(text.to_owned()), OwnedValue::Integer(1)];
        let of = |rows: &[Vec<OwnedValue>]| {
            let mut tally = Tally::default();
            for row in rows {
                tally.add(row);
            }
            tally
        };
        assert_eq!(of(&[text("a"), text("b")]), of(&[text("b"), text("a")]));
        assert_ne!(of(&[text("a")]), of(&[text("b")]));
        assert_ne!(of(&[text("a"), text("a")]), of(&[text("b"), text("b")]));
        assert_ne!(of(&[vec![OwnedValue::Null]]), of(&[vec![OwnedValue::Blob(Vec::new())]]));
        assert_eq!(of(&[text("a\0b")]), of(&[text("a\u{fffd}b")]));
    }
}
