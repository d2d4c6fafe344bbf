//! The schema's way forward: numbered steps, each in a transaction of its own, never back.

use std::path::Path;

use domain::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::OpenError;
use crate::database::sqlite::failed;

/// Every step, in order. A step that was released is never changed.
const STEPS: [(i64, &str, &str); 16] = [
    (1, "outbox", include_str!("../migrations/sqlite/0001_outbox.sql")),
    (2, "accounts", include_str!("../migrations/sqlite/0002_accounts.sql")),
    (3, "api_keys", include_str!("../migrations/sqlite/0003_api_keys.sql")),
    (4, "chats", include_str!("../migrations/sqlite/0004_chats.sql")),
    (5, "names", include_str!("../migrations/sqlite/0005_names.sql")),
    (6, "media", include_str!("../migrations/sqlite/0006_media.sql")),
    (7, "roster", include_str!("../migrations/sqlite/0007_roster.sql")),
    (8, "import", include_str!("../migrations/sqlite/0008_import.sql")),
    (9, "health", include_str!("../migrations/sqlite/0009_health.sql")),
    (10, "alerts", include_str!("../migrations/sqlite/0010_alerts.sql")),
    (11, "access", include_str!("../migrations/sqlite/0011_access.sql")),
    (12, "files_by_name", include_str!("../migrations/sqlite/0012_files_by_name.sql")),
    (13, "audit_bounds", include_str!("../migrations/sqlite/0013_audit_bounds.sql")),
    (14, "sending_limits", include_str!("../migrations/sqlite/0014_sending_limits.sql")),
    (15, "phones", include_str!("../migrations/sqlite/0015_phones.sql")),
    (16, "repeats", include_str!("../migrations/sqlite/0016_repeats.sql")),
];

const OWN_TABLES: &str = "
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS store_facts (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;";

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
    for (version, name, sql) in STEPS.into_iter().filter(|(version, ..)| *version > found) {
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
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema").unwrap();
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
