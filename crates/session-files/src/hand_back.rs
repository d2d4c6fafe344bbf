//! Chats that were made here, added to an old registry for the scripts that go on with it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use crate::registry::Assignment;
use crate::unreadable::Unwritable;

/// Adds assignments to an old registry that no program has open; a chat that it has already stays as it is. How many were added.
///
/// # Errors
///
/// It is no old registry, or cannot be written: nothing was added then.
pub fn add_assignments(path: &Path, assignments: &[Assignment]) -> Result<usize, Unwritable> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    let transaction = connection.transaction()?;
    let mut added = 0;
    for Assignment { chat_id, account_name, title, invite_link, created_at, .. } in assignments {
        let created_at = created_at.map(|at| at.since(domain::Timestamp::default()).as_secs_f64());
        added += transaction.execute(
            "INSERT INTO chat_assignments (chat_id, account_name, title, invite_link, created_at, status) \
             SELECT ?1, ?2, ?3, ?4, ?5, 'active' \
             WHERE NOT EXISTS (SELECT 1 FROM chat_assignments WHERE CAST(chat_id AS TEXT) = ?1)",
            params![chat_id.to_string(), account_name, title, invite_link, created_at],
        )?;
    }
    transaction.commit()?;
    Ok(added)
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;
    use crate::registry::{AssignmentStatus, legacy_registry};

    #[test]
    fn added_assignments_are_read_and_added_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("registry.db");
        Connection::open(&file)
            .unwrap()
            .execute_batch(
                "CREATE TABLE chat_assignments (chat_id TEXT PRIMARY KEY, account_name TEXT, title TEXT,
                     invite_link TEXT, created_at REAL, status TEXT);
                 INSERT INTO chat_assignments VALUES ('-1001', 'main', 'Kept', NULL, 1.0, 'left');",
            )
            .unwrap();
        let made = |chat: &str| Assignment {
            chat_id: chat.parse().unwrap(),
            account_name: Some("main".into()),
            title: Some("Made".into()),
            invite_link: None,
            created_at: Some(Timestamp::from_micros(1_893_456_000_500_000)),
            status: AssignmentStatus::Active,
        };
        let made = [made("-1001"), made("-1002")];
        assert_eq!(add_assignments(&file, &made).unwrap(), 1);
        assert_eq!(add_assignments(&file, &made).unwrap(), 0);
        let read = legacy_registry(&file).unwrap().assignments;
        assert_eq!(read.len(), 2);
        assert_eq!(read.iter().find(|one| one.chat_id == made[1].chat_id), Some(&made[1]));
        assert!(add_assignments(&folder.path().join("none.db"), &made).is_err());
    }
}
