//! Running statements: prepared once per connection, rows read into what the caller wants.

use rusqlite::{Connection, Params, Row};

use crate::StoreError;

/// Declares statements as constants and lists them, so that a test can prepare every one.
///
/// They are written for SQLite and PostgreSQL alike. SQLite numbers `$1`, `$2`, … by their first appearance, so they
/// must first appear in that order; the same test sees to it.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: &str = $text;)*

        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
pub(crate) use statements;

/// Runs a statement that answers no rows; says how many it changed.
pub(crate) fn execute(connection: &Connection, sql: &str, params: impl Params) -> Result<usize, StoreError> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}

/// The first row, if there is one.
pub(crate) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// All rows.
pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn migrated() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::migrations::run(&mut connection, Path::new("test.db"), domain::Timestamp::default()).unwrap();
        connection
    }

    fn plan(connection: &Connection, sql: &str) -> String {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let mut rows = statement.raw_query();
        let mut plan = String::new();
        while let Some(row) = rows.next().unwrap() {
            plan.push_str(&row.get::<_, String>(3).unwrap());
            plan.push('\n');
        }
        plan
    }

    #[test]
    fn every_statement_is_prepared_and_numbers_its_parameters_by_first_appearance() {
        let connection = migrated();
        let lists = [
            crate::outbox::statements::ALL,
            crate::accounts::statements::ALL,
            crate::peers::ALL,
            crate::api_keys::ALL,
        ];
        for (name, sql) in lists.into_iter().flatten() {
            let statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{name}: {error}"));
            for index in 1..=statement.parameter_count() {
                let expected = format!("${index}");
                assert_eq!(statement.parameter_name(index), Some(expected.as_str()), "{name}");
            }
        }
    }

    #[test]
    fn what_is_asked_often_never_reads_a_whole_table() {
        let connection = migrated();
        let large = ["outbox ", "outbox_parts", "outbox_timeline", "idempotency_keys", "telegram_peers"];
        for (name, sql) in crate::outbox::statements::ALL.iter().chain(crate::peers::ALL) {
            let plan = plan(&connection, sql);
            for line in plan.lines().filter(|line| line.starts_with("SCAN")) {
                assert!(!large.iter().any(|table| format!("{line} ").contains(table)), "{name}: {plan}");
            }
        }
        for sql in [crate::outbox::statements::UNFINISHED, crate::outbox::statements::LIST_OPEN] {
            let plan = plan(&connection, sql);
            assert!(plan.contains("outbox_open") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
