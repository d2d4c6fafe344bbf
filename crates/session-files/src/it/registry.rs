//! The registry of the old scripts, whole and with holes.

use std::fs;

use domain::{ChatId, Timestamp};
use session_files::{AssignmentStatus, Direction, OperationStatus, Table, Unreadable, legacy_registry};

use crate::it::fixture::{change, database};

const SCHEMA: &str = "
    CREATE TABLE chat_assignments (chat_id TEXT PRIMARY KEY, account_name TEXT, title TEXT, invite_link TEXT,
                                   created_at REAL, status TEXT);
    CREATE TABLE operations_log (id INTEGER PRIMARY KEY, ts REAL, account_name TEXT, chat_id TEXT, operation TEXT,
                                 status TEXT, detail TEXT);
    CREATE TABLE failover_log (id INTEGER PRIMARY KEY, ts REAL, chat_id TEXT, from_account TEXT, to_account TEXT,
                               reason TEXT);
    CREATE TABLE failed_requests (id INTEGER PRIMARY KEY, ts REAL, service TEXT, direction TEXT, endpoint TEXT,
                                  request_payload TEXT, error TEXT, status TEXT, retry_count INTEGER,
                                  last_retry_ts REAL, last_retry_error TEXT);
    INSERT INTO chat_assignments VALUES
        ('-1001234567890', 'main', 'Demo', 'https://t.me/+abc', 1700000000.25, 'active'),
        ('-1002000000000', 'backup_1', NULL, NULL, NULL, 'left'),
        ('nonsense', 'main', 'Odd', NULL, 1700000000, 'active');
    INSERT INTO operations_log VALUES
        (1, 1700000001.5, 'main', '-1001234567890', 'send_text', 'ok', NULL),
        (2, 1700000002.5, 'main', NULL, 'create_chat', 'flood_wait', '30 s');
    INSERT INTO failover_log VALUES (1, 1700000003.0, '-1001234567890', 'main', 'backup_1', 'FloodWait');
    INSERT INTO failed_requests VALUES
        (7, 1700000004.0, 'send_text', 'inbound', '/send_text', '{\"chat\":\"-1001234567890\"}', 'timeout', 'pending',
         2, 1700000005.0, 'again'),
        (8, 1700000004.0, 'create_chat', 'sideways', '/', NULL, NULL, NULL, NULL, NULL, NULL);";

fn chat(id: i64) -> ChatId {
    ChatId::new(id).expect("an id")
}

fn micros(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::as_micros)
}

#[test]
fn a_whole_registry_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let registry = legacy_registry(&database(folder.path(), "registry.db", SCHEMA)).expect("a registry");
    assert_eq!(registry.missing, []);
    let [demo, left] = registry.assignments.as_slice() else { panic!("{registry:?}") };
    assert_eq!((demo.chat_id, demo.account_name.as_deref()), (chat(-1_001_234_567_890), Some("main")));
    assert_eq!(
        (demo.title.as_deref(), demo.invite_link.as_deref()),
        (Some("Demo"), Some("https://t.me/+abc"))
    );
    assert_eq!(
        (micros(demo.created_at), &demo.status),
        (Some(1_700_000_000_250_000), &AssignmentStatus::Active)
    );
    assert_eq!((left.created_at, &left.status), (None, &AssignmentStatus::Left));
    let [sent, waits] = registry.operations.as_slice() else { panic!("{registry:?}") };
    assert_eq!((micros(sent.at), &sent.status), (Some(1_700_000_001_500_000), &OperationStatus::Ok));
    assert_eq!((waits.chat_id, &waits.status), (None, &OperationStatus::FloodWait));
    let [failover] = registry.failovers.as_slice() else { panic!("{registry:?}") };
    assert_eq!(
        (micros(failover.at), failover.to_account.as_deref()),
        (Some(1_700_000_003_000_000), Some("backup_1"))
    );
    let [failed] = registry.failed_requests.as_slice() else { panic!("{registry:?}") };
    assert_eq!((failed.id, failed.direction, failed.retry_count), (7, Direction::Inbound, 2));
    assert_eq!(
        (failed.status.as_str(), micros(failed.last_retry_at)),
        ("pending", Some(1_700_000_005_000_000))
    );
    assert_eq!(failed.request_payload.as_deref(), Some("{\"chat\":\"-1001234567890\"}"));
    let odd: Vec<_> = registry.odd.iter().map(|odd| (odd.table, odd.number)).collect();
    assert_eq!(odd, [(Table::Assignments, 3), (Table::FailedRequests, 2)]);
}

#[test]
fn missing_registry_tables_are_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = database(
        folder.path(),
        "registry.db",
        "CREATE TABLE chat_assignments (chat_id INTEGER, account_name TEXT);
         INSERT INTO chat_assignments VALUES (-1001234567890, 'main'), (-77, NULL);
         CREATE TABLE failed_requests (id INTEGER, request_payload TEXT);
         INSERT INTO failed_requests VALUES (1, '{}');",
    );
    let registry = legacy_registry(&path).expect("a registry");
    assert_eq!(registry.missing, [Table::Operations, Table::Failovers]);
    let chats: Vec<_> = registry.assignments.iter().map(|assignment| assignment.chat_id).collect();
    assert_eq!(chats, [chat(-1_001_234_567_890), chat(-77)]);
    assert!(registry.assignments.iter().all(|assignment| assignment.status == AssignmentStatus::Active));
    assert_eq!(registry.failed_requests[0].status, "pending");
    assert_eq!(registry.odd, []);
}

#[test]
fn invalid_registries_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = database(folder.path(), "other.db", "CREATE TABLE x (y)");
    assert!(matches!(legacy_registry(&path), Err(Unreadable::NotTheRegistry)));
    change(&path, "CREATE TABLE failover_log (id INTEGER)");
    assert!(legacy_registry(&path).is_ok());
    fs::write(&path, b"hello").expect("a file");
    assert!(matches!(legacy_registry(&path), Err(Unreadable::NotSqlite)));
    fs::write(&path, b"").expect("a file");
    assert!(matches!(legacy_registry(&path), Err(Unreadable::Empty)));
    assert!(matches!(legacy_registry(folder.path()), Err(Unreadable::NotAFile)));
}
