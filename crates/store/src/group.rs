//! One group of writes, committed together: a failing one is undone alone, a full disk frees the reserve.

use rusqlite::Connection;

use crate::StoreError;
use crate::disk::Space;
use crate::write::{Pending, Transaction};

/// How one try to run a group ended.
enum Try {
    Committed,
    /// Rolled back because a write failed while none had a savepoint.
    NeedsSavepoints,
    /// Rolled back as a whole by the failure of this write.
    Lost {
        index: usize,
        error: StoreError,
    },
    /// The group as such could not begin or end.
    Failed(StoreError),
}

struct Member {
    pending: Box<dyn Pending>,
    /// It has its error and takes no part any more.
    refused: bool,
}

/// Runs a group and answers everybody in it. `ended` hears whether it is on the disk, before anybody else does.
///
/// First all writes run bare. Only when one fails is the group run again with a savepoint round each: copying
/// the pages that a savepoint needs would cost more than the writes do, and failures are rare.
pub(crate) fn run(
    connection: &Connection,
    space: &mut Space,
    pending: Vec<Box<dyn Pending>>,
    ended: impl FnOnce(bool),
) {
    let mut members: Vec<Member> =
        pending.into_iter().map(|pending| Member { pending, refused: false }).collect();
    let mut savepoints = false;
    // Each turn but the last turns savepoints on, releases the reserve or refuses a member, so this ends.
    let outcome = loop {
        let intake_open =
            members.iter().any(|member| member.pending.is_intake()) && intake_open(connection, space);
        match try_once(connection, &mut members, savepoints, intake_open) {
            Try::Committed => break Ok(()),
            Try::NeedsSavepoints => savepoints = true,
            Try::Lost { index, error } => {
                let reprieved = error == StoreError::StorageFull
                    && !members[index].pending.is_intake()
                    && release_reserve(connection, space);
                if !reprieved {
                    members[index].pending.refuse(error);
                    members[index].refused = true;
                }
            }
            Try::Failed(error) => {
                if error != StoreError::StorageFull || !release_reserve(connection, space) {
                    break Err(error);
                }
                // The reserve is for outcomes; new work has to wait for room.
                for member in members.iter_mut().filter(|member| member.pending.is_intake()) {
                    member.pending.refuse(StoreError::StorageFull);
                    member.refused = true;
                }
            }
        }
    };
    ended(outcome.is_ok());
    for member in members {
        member.pending.settle(if member.refused { &Ok(()) } else { &outcome });
    }
}

fn try_once(connection: &Connection, members: &mut [Member], savepoints: bool, intake_open: bool) -> Try {
    if let Err(error) = run_sql(connection, "BEGIN IMMEDIATE") {
        return Try::Failed(error);
    }
    let transaction = Transaction::new(connection, intake_open);
    for (index, member) in members.iter_mut().enumerate().filter(|(_, member)| !member.refused) {
        if let Err(error) = apply(connection, &transaction, member, savepoints) {
            roll_back(connection);
            return if savepoints { Try::Lost { index, error } } else { Try::NeedsSavepoints };
        }
    }
    match run_sql(connection, "COMMIT") {
        Ok(()) => Try::Committed,
        Err(error) => {
            roll_back(connection);
            Try::Failed(error)
        }
    }
}

/// Runs one write. An error means that the whole transaction has to go.
fn apply(
    connection: &Connection,
    transaction: &Transaction<'_>,
    member: &mut Member,
    savepoints: bool,
) -> Result<(), StoreError> {
    if !savepoints {
        return member.pending.apply(transaction);
    }
    run_sql(connection, "SAVEPOINT one_write")?;
    if let Err(error) = member.pending.apply(transaction) {
        // SQLite answers some errors, a full disk among them, by rolling back everything.
        let reprieve = error == StoreError::StorageFull && !member.pending.is_intake();
        if connection.is_autocommit() || reprieve {
            return Err(error);
        }
        run_sql(connection, "ROLLBACK TO one_write")?;
    }
    run_sql(connection, "RELEASE one_write")
}

fn intake_open(connection: &Connection, space: &mut Space) -> bool {
    let before = space.max_pages();
    let open = space.intake_open();
    if space.max_pages() != before {
        limit_pages(connection, space);
    }
    open
}

fn release_reserve(connection: &Connection, space: &mut Space) -> bool {
    let released = space.release_reserve();
    if released {
        limit_pages(connection, space);
    }
    released
}

/// Tells SQLite how large the database may become, where there is a limit.
pub(crate) fn limit_pages(connection: &Connection, space: &Space) {
    if let Some(pages) = space.max_pages() {
        let set = connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
        if let Err(error) = set {
            tracing::warn!(%error, "cannot limit the size of the database");
        }
    }
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = run_sql(connection, "ROLLBACK")
    {
        tracing::error!(%error, "cannot roll back");
    }
}

fn run_sql(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use crate::write::{Waiting, Write};
    use ambient::Clock;
    use tokio::sync::oneshot;

    /// Inserts a row, and another one with the same key when it is to fail.
    struct Put {
        key: i64,
        fails: bool,
    }

    impl Write for Put {
        type Answer = i64;

        fn apply(&self, transaction: &Transaction<'_>) -> Result<i64, StoreError> {
            for _ in 0..=i32::from(self.fails) {
                transaction.execute("INSERT INTO numbers (key) VALUES ($1)", [self.key])?;
            }
            Ok(self.key)
        }
    }

    /// New work that needs room.
    struct Fill {
        key: i64,
    }

    impl Write for Fill {
        type Answer = ();
        const INTAKE: bool = true;

        fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
            let sql = "INSERT INTO numbers (key, filling) VALUES ($1, zeroblob(1000000))";
            transaction.execute(sql, [self.key]).map(|_| ())
        }
    }

    struct Bench {
        dir: tempfile::TempDir,
        connection: Connection,
        space: Space,
    }

    fn bench(disk: Disk) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let connection = Connection::open(dir.path().join("test.db")).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; CREATE TABLE numbers (key INTEGER PRIMARY KEY, filling BLOB);",
            )
            .unwrap();
        let space = Space::new(dir.path(), disk, Clock::system());
        limit_pages(&connection, &space);
        Bench { dir, connection, space }
    }

    impl Bench {
        fn keys(&self) -> Vec<i64> {
            statement_keys(&self.connection)
        }
    }

    fn statement_keys(connection: &Connection) -> Vec<i64> {
        crate::statement::all(connection, "SELECT key FROM numbers ORDER BY key", [], |row| Ok(row.get(0)?))
            .unwrap()
    }

    type Answered<W> = oneshot::Receiver<Result<<W as Write>::Answer, StoreError>>;

    fn member<W: Write>(write: W) -> (Box<dyn Pending>, Answered<W>) {
        let (reply, answer) = oneshot::channel();
        (Box::new(Waiting::answering(write, reply)), answer)
    }

    impl Bench {
        /// Runs a group and says whether it was committed.
        fn run(&mut self, members: Vec<Box<dyn Pending>>) -> bool {
            let mut is_committed = false;
            run(&self.connection, &mut self.space, members, |committed| is_committed = committed);
            is_committed
        }
    }

    /// How many writes share a commit where many are needed: each commit waits for the disk.
    const GROUP: usize = 256;

    fn group(first: i64) -> Vec<(Box<dyn Pending>, Answered<Put>)> {
        (first..).take(GROUP).map(|key| member(Put { key, fails: false })).collect()
    }

    #[test]
    fn a_failing_write_is_undone_alone() {
        let mut bench = bench(Disk::default());
        let (members, answers): (Vec<_>, Vec<_>) =
            (0..5).map(|key| member(Put { key, fails: key == 2 })).unzip();
        assert!(bench.run(members));
        for (key, mut answer) in (0..).zip(answers) {
            let answer = answer.try_recv().unwrap();
            assert_eq!(answer.is_err(), key == 2, "{answer:?}");
        }
        assert_eq!(bench.keys(), [0, 1, 3, 4]);
    }

    #[test]
    fn a_full_disk_refuses_new_work_and_opens_the_reserve_for_outcomes() {
        let mut bench = bench(Disk::default().with_max_pages(64));
        let reserve = bench.dir.path().join("reserve");
        assert_eq!(std::fs::metadata(&reserve).unwrap().len(), crate::disk::RESERVE);

        // Far more than 64 pages: the new message is refused, what came with it is written.
        let (fill, mut refused) = member(Fill { key: 100 });
        let (first, mut written) = member(Put { key: 1, fails: false });
        assert!(bench.run(vec![first, fill]));
        assert_eq!(refused.try_recv().unwrap(), Err(StoreError::StorageFull));
        assert_eq!(written.try_recv().unwrap(), Ok(1));
        assert!(reserve.exists());

        // Outcomes until every page is taken, and on.
        for first in (2..40_000).step_by(GROUP) {
            let (puts, answers): (Vec<_>, Vec<_>) = group(first).into_iter().unzip();
            bench.run(puts);
            for (key, mut answer) in (first..).zip(answers) {
                assert_eq!(answer.try_recv().unwrap(), Ok(key));
            }
            if !reserve.exists() {
                return;
            }
        }
        panic!("the reserve was never needed");
    }

    #[test]
    fn when_even_the_reserve_is_gone_everybody_is_told() {
        let mut bench = bench(Disk::default().with_max_pages(64));
        assert!(bench.space.release_reserve());
        limit_pages(&bench.connection, &bench.space);
        bench.connection.pragma_update_and_check(None, "max_page_count", 4, |_| Ok(())).unwrap();
        let mut told = false;
        for first in (0..40_000).step_by(GROUP) {
            let (puts, answers): (Vec<_>, Vec<_>) = group(first).into_iter().unzip();
            bench.run(puts);
            for mut answer in answers {
                if let Err(error) = answer.try_recv().unwrap() {
                    assert_eq!(error, StoreError::StorageFull);
                    told = true;
                }
            }
            if told {
                break;
            }
        }
        assert!(told && bench.connection.is_autocommit());
    }
}
