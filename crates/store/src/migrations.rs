//! The schema in numbered steps, each run once and in a transaction of its own, never back.

use std::path::Path;

use domain::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::database::Postgres;
use crate::database::sqlite::failed;
use crate::{OpenError, StoreError, lease};

/// A step of the schema, with its statements for each engine. A released step never changes.
struct Step {
    version: i64,
    name: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// Every step, in order, as `build.rs` makes them of the folder `schema`.
const STEPS: &[Step] = include!(concat!(env!("OUT_DIR"), "/steps.rs"));

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

const APPLIED: &str = "INSERT INTO schema_migrations (version, name, applied_at) VALUES ($1, $2, $3)";

/// The newest version that this program knows.
pub(crate) fn newest() -> i64 {
    newest_of(STEPS)
}

fn newest_of(steps: &[Step]) -> i64 {
    steps.last().map_or(0, |step| step.version)
}

/// Brings the schema to the newest version this program knows.
pub(crate) fn run(connection: &mut Connection, file: &Path, now: Timestamp) -> Result<(), OpenError> {
    run_steps(STEPS, connection, file, now)
}

fn run_steps(
    steps: &[Step],
    connection: &mut Connection,
    file: &Path,
    now: Timestamp,
) -> Result<(), OpenError> {
    let failed = |error: rusqlite::Error| failed(file, &error);
    connection.execute_batch(OWN_TABLES).map_err(failed)?;
    let found: i64 = connection
        .query_row("SELECT coalesce(max(version), 0) FROM schema_migrations", [], |row| row.get(0))
        .map_err(failed)?;
    let known = newest_of(steps);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for step in steps.iter().filter(|step| step.version > found) {
        let mut apply = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(step.sqlite)?;
            transaction.execute(APPLIED, params![step.version, step.name, now.as_micros()])?;
            transaction.commit()
        };
        apply().map_err(failed)?;
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
    run_steps_on_server(STEPS, connection, now)
}

fn run_steps_on_server(steps: &[Step], connection: &Postgres, now: Timestamp) -> Result<(), OpenError> {
    let server = |error: StoreError| connection.open_error(&error);
    let found = || {
        connection
            .first("SELECT coalesce(max(version), 0) FROM schema_migrations", &(), |row| row.get::<i64>(0))
    };
    let (known, found) = (newest_of(steps), found().map_err(server)?.unwrap_or_default());
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for step in steps.iter().filter(|step| step.version > found) {
        let apply = || {
            connection.begin()?;
            connection.migrate(step.postgres)?;
            connection.run(APPLIED, &(step.version, step.name, now.as_micros()))?;
            Ok(connection.commit()?)
        };
        apply().map_err(server)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use testkit::postgres::Database;

    use crate::database::postgres::Use;
    use crate::database::{self, FromValue};

    const FIRST: Step = Step {
        version: 1,
        name: "schema",
        sqlite: "CREATE TABLE one (x INTEGER NOT NULL) STRICT; INSERT INTO one (x) VALUES (5);",
        postgres: "CREATE TABLE one (x BIGINT NOT NULL); INSERT INTO one (x) VALUES (5);",
    };
    const SECOND: Step = Step {
        version: 2,
        name: "doubles",
        sqlite: "ALTER TABLE one ADD COLUMN y INTEGER; UPDATE one SET y = 2 * x;",
        postgres: "ALTER TABLE one ADD COLUMN y BIGINT; UPDATE one SET y = 2 * x;",
    };
    const THIRD: Step = Step {
        version: 3,
        name: "more",
        sqlite: "CREATE TABLE two (x INTEGER NOT NULL) STRICT; UPDATE one SET x = 7;",
        postgres: "CREATE TABLE two (x BIGINT NOT NULL); UPDATE one SET x = 7;",
    };
    const BROKEN: Step = Step {
        sqlite: "CREATE TABLE two (x INTEGER NOT NULL) STRICT; UPDATE one SET x = 7; UPDATE nothing SET x = 7;",
        postgres: "CREATE TABLE two (x BIGINT NOT NULL); UPDATE one SET x = 7; UPDATE nothing SET x = 7;",
        ..THIRD
    };

    /// Runs a test on a new database of each engine.
    fn on_both(test: impl Fn(&mut database::Connection)) {
        test(&mut database::Connection::Sqlite(Connection::open_in_memory().unwrap()));
        let database = Database::empty();
        let server = Postgres::connect(&database.url().parse().unwrap(), Use::Writing).unwrap();
        prepare_server(&server).unwrap();
        test(&mut database::Connection::Postgres(Box::new(server)));
    }

    fn migrate(connection: &mut database::Connection, steps: &[Step]) -> Result<(), OpenError> {
        match connection {
            database::Connection::Sqlite(file) => {
                run_steps(steps, file, Path::new("test.db"), Timestamp::default())
            }
            database::Connection::Postgres(server) => {
                let migrated = run_steps_on_server(steps, server, Timestamp::default());
                // A start that fails ends the connection.
                if migrated.is_err() {
                    server.roll_back().unwrap();
                }
                migrated
            }
        }
    }

    fn column<T: FromValue>(connection: &database::Connection, sql: &str) -> Vec<T> {
        connection.all(sql, (), |row| row.get(0)).unwrap()
    }

    fn versions(connection: &database::Connection) -> Vec<i64> {
        column(connection, "SELECT version FROM schema_migrations ORDER BY version")
    }

    #[test]
    fn versions_count_up_from_one() {
        assert!(STEPS.iter().zip(1..).all(|(step, expected)| step.version == expected));
    }

    #[test]
    fn a_step_runs_once_and_keeps_the_rows() {
        on_both(|connection| {
            for steps in [&[FIRST][..], &[FIRST], &[FIRST, SECOND], &[FIRST, SECOND]] {
                migrate(connection, steps).unwrap();
            }
            assert_eq!(versions(connection), [1, 2]);
            assert_eq!(column::<i64>(connection, "SELECT y FROM one"), [10]);
        });
    }

    #[test]
    fn a_step_that_fails_is_undone_and_the_next_start_continues() {
        on_both(|connection| {
            migrate(connection, &[FIRST, SECOND, BROKEN]).unwrap_err();
            assert_eq!(versions(connection), [1, 2]);
            assert_eq!(column::<i64>(connection, "SELECT x FROM one"), [5]);
            migrate(connection, &[FIRST, SECOND, THIRD]).unwrap();
            assert_eq!(versions(connection), [1, 2, 3]);
            assert_eq!(column::<i64>(connection, "SELECT x FROM one"), [7]);
        });
    }

    #[test]
    fn a_database_of_a_newer_program_is_left_alone() {
        on_both(|connection| {
            migrate(connection, &[FIRST, SECOND]).unwrap();
            let refused = migrate(connection, &[FIRST]).unwrap_err();
            assert!(matches!(refused, OpenError::Newer { found: 2, known: 1 }));
            assert_eq!(versions(connection), [1, 2]);
        });
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
