//! The migrations of the schema: numbered steps, each in a transaction of its own, never back.

use std::path::Path;

use domain::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::database::Postgres;
use crate::database::sqlite::failed;
use crate::{OpenError, StoreError, lease};

/// Every step, in order: its number, its name and its statements for SQLite and for PostgreSQL, as `build.rs` finds them. A step
/// that was released is never changed.
const STEPS: &[(i64, &str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

const OWN_TABLES: &str = "
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS store_facts (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;";

const OWN_TABLES_ON_SERVER: &str = "
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version BIGINT NOT NULL PRIMARY KEY, name TEXT COLLATE \"C\" NOT NULL, applied_at BIGINT NOT NULL
    );
    CREATE TABLE IF NOT EXISTS store_facts (name TEXT COLLATE \"C\" NOT NULL PRIMARY KEY, value BYTEA NOT NULL);";

/// The newest version that this program knows.
pub(crate) fn newest() -> i64 {
    STEPS.last().map_or(0, |(version, ..)| *version)
}

/// Brings the schema to the newest version this program knows.
pub(crate) fn run(connection: &mut Connection, file: &Path, now: Timestamp) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| failed(file, &error);
    connection.execute_batch(OWN_TABLES).map_err(failed)?;
    let found: i64 = connection
        .query_row("SELECT coalesce(max(version), 0) FROM schema_migrations", [], |row| row.get(0))
        .map_err(failed)?;
    let known = newest();
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for (version, name, sql, _) in STEPS.iter().filter(|(version, ..)| *version > found) {
        let step = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(sql)?;
            transaction.execute(
                "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)",
                params![version, name, now.as_micros()],
            )?;
            transaction.commit()
        };
        let mut step = step;
        step().map_err(failed)?;
    }
    Ok(())
}

/// Makes the schema of an address and the tables that a server has before any step.
pub(crate) fn prepare_server(connection: &Postgres) -> Result<(), OpenError> {
    let prepare = || {
        connection.begin()?;
        make_schema(connection)?;
        connection.batch(OWN_TABLES_ON_SERVER)?;
        connection.batch(lease::TABLE)?;
        Ok(connection.commit()?)
    };
    prepare().map_err(|error: StoreError| connection.open_error(&error))
}

/// Makes the schema that the options of an address name as the search path, where it is not there: in a database that is shared
/// with other programs all tables are in it.
fn make_schema(connection: &Postgres) -> Result<(), StoreError> {
    let Some(schema) = schema_of(connection.options()) else { return Ok(()) };
    let is_there = "SELECT 1::bigint FROM pg_namespace WHERE nspname = $1";
    if connection.first(is_there, &[schema], |row| row.get::<i64>(0))?.is_none() {
        connection.batch(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))?;
    }
    Ok(())
}

/// The first schema of a search path, where its name needs no quotes.
fn schema_of(options: &str) -> Option<&str> {
    let (_, path) = options.split_once("search_path=")?;
    let name = path.split([',', ' ']).next()?;
    let is_plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.bytes().all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == b'_');
    is_plain.then_some(name)
}

/// The same as [`run`] for PostgreSQL.
pub(crate) fn run_on_server(connection: &Postgres, now: Timestamp) -> Result<(), OpenError> {
    let server = |error: StoreError| connection.open_error(&error);
    let found = || {
        connection
            .first("SELECT coalesce(max(version), 0) FROM schema_migrations", &(), |row| row.get::<i64>(0))
    };
    let (known, found) = (newest(), found().map_err(server)?.unwrap_or_default());
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for (version, name, _, sql) in STEPS.iter().filter(|(version, ..)| *version > found) {
        let step = || {
            connection.begin()?;
            connection.migrate(sql)?;
            let add = "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)";
            connection.run(add, &(*version, *name, now.as_micros()))?;
            Ok(connection.commit()?)
        };
        step().map_err(server)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn versions_count_up_from_one_and_run_once() {
        assert!(STEPS.iter().zip(1..).all(|((version, ..), expected)| *version == expected));
        let mut connection = Connection::open_in_memory().unwrap();
        for _ in 0..2 {
            run(&mut connection, Path::new("test.db"), Timestamp::default()).unwrap();
        }
        let rows: i64 =
            connection.query_row("SELECT count(*) FROM schema_migrations", [], |row| row.get(0)).unwrap();
        assert_eq!(usize::try_from(rows), Ok(STEPS.len()));
    }

    #[test]
    fn waiting_posts_move_into_one_table() {
        let connection = Connection::open_in_memory().unwrap();
        let up_to = |versions: std::ops::RangeInclusive<i64>| {
            for (_, _, sql, _) in STEPS.iter().filter(|(version, ..)| versions.contains(version)) {
                connection.execute_batch(sql).unwrap();
            }
        };
        connection.execute_batch(OWN_TABLES).unwrap();
        up_to(1..=54);
        connection
            .execute_batch(
                "INSERT INTO webhook_deliveries VALUES (x'01', 7, 1, 'c', 2, 30, 40, 500, 'no', 12, 'it said 500');
                 INSERT INTO callbacks VALUES (x'02', 2, x'03', '5', 'https://example.com/+a', 1, 31, NULL, 41);
                 INSERT INTO alert_deliveries VALUES ('owner', x'04', 0, 3, 32, 'away', x'05', NULL);",
            )
            .unwrap();
        up_to(55..=newest());
        let rows = connection
            .prepare(
                "SELECT concat_ws(' ', kind, hex(receiver), event, hex(item), state, attempts, next_at, error, tried_at)
                 FROM posts ORDER BY kind",
            )
            .unwrap()
            .query_map([], |row| row.get::<_, String>(0))
            .unwrap()
            .collect::<Result<Vec<_>, _>>()
            .unwrap();
        assert_eq!(
            rows,
            ["0 01 7  1 2 30 it said 500 40", "1  0 02 2 1 31 41", "2 6F776E6572 0 04 0 3 32 away"]
        );
        let link: String =
            connection.query_row("SELECT invite_link FROM callbacks", [], |row| row.get(0)).unwrap();
        assert_eq!(link, "https://example.com/+a");
    }

    #[test]
    fn no_type_of_sqlite_is_left_for_postgresql() {
        // The first has functions beside its tables.
        for (_, name, _, sql) in STEPS.iter().skip(1) {
            for word in [" STRICT", "WITHOUT ROWID", " INTEGER", " BLOB"] {
                assert!(!sql.contains(word), "{name}: {word}");
            }
            assert_eq!(sql.matches(" TEXT").count(), sql.matches(" TEXT COLLATE \"C\"").count(), "{name}");
        }
    }

    #[test]
    fn a_database_of_a_newer_program_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, Path::new("test.db"), Timestamp::default()).unwrap();
        connection.execute("INSERT INTO schema_migrations VALUES (99, 'later', 0)", []).unwrap();
        let refused = run(&mut connection, Path::new("test.db"), Timestamp::default()).unwrap_err();
        assert!(matches!(refused, OpenError::Newer { found: 99, known } if known == STEPS.last().unwrap().0));
    }

    #[test]
    fn names_that_outsiders_use_stay_free() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, Path::new("test.db"), Timestamp::default()).unwrap();
        // Views of ours have those names; on a server they are made where a name is free.
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
        let mut statement = connection.prepare(tables).unwrap();
        let names: BTreeSet<String> =
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        for taken in [
            "messages",
            "tasks",
            "profiles",
            "task_attempts",
            "screenshots",
            "send_log",
            "proxy_assignments",
            "profile_daily_stats",
            "profile_stats",
            "task_progress",
            "group_stats",
            "clients",
            "appeals",
            "messages_history",
        ] {
            assert!(!names.contains(taken), "{taken}");
        }
        assert!(names.contains("outbox"));
    }
}
