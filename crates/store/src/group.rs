//! One group of writes, committed together: a failing one is undone alone, a full disk frees the reserve.
//!
//! A commit that failed may come back. Its frames may be in the log of the database, the mark of the commit with them, when
//! the disk refuses what follows: to sync them, to let the index of the log grow. SQLite forgets them then, and the next
//! commit writes over them; but a program that is killed before that finds them at its next start, and they count. A caller
//! that was answered meanwhile that nothing was written got a wrong answer. So after a commit that failed no one learns
//! anything before another one has written something.

use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::StoreError;
use crate::conversations::index::{ConversationIndex, Filled};
use crate::database::{Connection, NotCommitted, Prepared};
use crate::disk::Space;
use crate::events::{EventLog, Last, NewEvent};
use crate::identity::Mark;
use crate::outbox::callers::WaitingCallers;
use crate::write::{Durability, Pending, Remembered, Transaction};

/// After so long within a group, threads that wait for this processor have their turn: a group takes longer than a press of a
/// button may wait, and a thread that wakes up does not always displace the one that works.
const TURN: Duration = Duration::from_micros(100);

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
    pending: Pending,
    /// It has its error and takes no part any more.
    refused: bool,
}

/// Where groups are committed.
pub(crate) struct WriteConnection {
    pub(crate) connection: Connection,
    pub(crate) space: Space,
    /// The last commit failed, and may come back.
    pub(crate) may_come_back: bool,
    /// What was committed is not all on the disk.
    pub(crate) is_unsynced: bool,
    /// What commits were last set to: SQLite parses it each time.
    durability: Option<Durability>,
    /// How many statements writes have run.
    pub(crate) statements: u64,
    /// Nothing after a group that was not committed: what it has read may have been undone.
    remembered: Remembered,
    /// Numbers the events.
    events: EventLog,
    index: ConversationIndex,
    callers: WaitingCallers,
    /// Counts the commits that may have changed what someone may do.
    rights: watch::Sender<u64>,
    /// Set after a commit that may have been made: what is remembered of the tables is read again.
    is_unclear: bool,
    mark: Mark,
}

impl WriteConnection {
    pub(crate) fn new(
        connection: Connection,
        space: Space,
        events: EventLog,
        index: ConversationIndex,
        mark: Mark,
    ) -> Self {
        Self {
            connection,
            space,
            may_come_back: false,
            is_unsynced: false,
            durability: None,
            statements: 0,
            remembered: Remembered::default(),
            events,
            index,
            callers: WaitingCallers::default(),
            rights: watch::Sender::new(0),
            is_unclear: false,
            mark,
        }
    }

    /// Ends the generation, so that a copy that was made while this program ran is known to be older. A server may be away, and is
    /// not asked.
    pub(crate) fn finish(&mut self) {
        let is_in_place = self.mark.check_place();
        if let Err(error) = &is_in_place {
            tracing::error!(%error, "the store is lost");
        }
        if matches!(self.connection, Connection::Sqlite(_))
            && is_in_place.is_ok()
            && self.mark.end()
            && let Err(error) = self.sync()
        {
            tracing::warn!(%error, "the last generation of the store is not written");
        }
        self.mark.put_file_back();
        if let Err(error) = self.mark.sync() {
            tracing::warn!(%error, "the identity of the store is not on the disk");
        }
    }

    /// See [`crate::Store::rights_changes`].
    pub(crate) fn rights(&self) -> watch::Receiver<u64> {
        self.rights.subscribe()
    }

    /// Syncs what was committed, by one more commit.
    pub(crate) fn sync(&mut self) -> Result<(), StoreError> {
        match self.try_once(&mut [], false, false, Durability::Synced) {
            Try::Failed(error) | Try::Lost { error, .. } => Err(error),
            Try::Committed | Try::NeedsSavepoints => Ok(()),
        }
    }

    fn try_once(
        &mut self,
        members: &mut [Member],
        savepoints: bool,
        intake_open: bool,
        durability: Durability,
    ) -> Try {
        let connection = &self.connection;
        // What is written to a file that was removed or replaced is lost.
        if durability == Durability::Synced
            && let Err(error) = self.mark.check_place()
        {
            return Try::Failed(error);
        }
        if self.durability != Some(durability) {
            if let Err(error) = connection.set_durability(durability) {
                return Try::Failed(error);
            }
            self.durability = Some(durability);
        }
        let begun = if savepoints || members.is_empty() {
            connection.begin(durability)
        } else {
            connection.begin_with_the_first(durability)
        };
        if let Err(error) = begun {
            return Try::Failed(error);
        }
        if self.is_unclear {
            if let Err(error) = read_again(connection, &mut self.events, &mut self.index, &mut self.callers) {
                connection.roll_back();
                return Try::Failed(error);
            }
            self.is_unclear = false;
        }
        let before = connection.changes();
        let remembered = std::mem::take(&mut self.remembered);
        let transaction = Transaction::of_group(
            connection,
            intake_open,
            !savepoints,
            remembered,
            (Some(&self.callers), self.index.lately().clone()),
        );
        let mut turn = Instant::now();
        for (index, member) in members.iter_mut().enumerate().filter(|(_, member)| !member.refused) {
            if turn.elapsed() > TURN {
                thread::yield_now();
                turn = Instant::now();
            }
            if let Err(error) = apply(connection, &transaction, member, savepoints) {
                connection.roll_back();
                return if savepoints { Try::Lost { index, error } } else { Try::NeedsSavepoints };
            }
        }
        self.statements += transaction.statements();
        let events = transaction.take_events();
        let most = (!transaction.fills_conversations()).then_some(members.len());
        let changed = self.callers.write(transaction.prepared(), &transaction.take_caller_changes());
        let appended = changed.and_then(|changed| {
            let appended = append(transaction.prepared(), (&mut self.events, &self.index), &events, most)?;
            Ok((changed, appended))
        });
        let (changed, (filled, written, last)) = match appended {
            Ok(appended) => appended,
            Err(error) => {
                connection.roll_back();
                // It may be the error of what was run before.
                return if savepoints { Try::Failed(error) } else { Try::NeedsSavepoints };
            }
        };
        let advances = durability == Durability::Synced && self.mark.is_due();
        if advances && let Err(error) = self.mark.advance(connection) {
            connection.roll_back();
            // It may be the error of what was run before.
            return if savepoints || members.is_empty() { Try::Failed(error) } else { Try::NeedsSavepoints };
        }
        // A commit that changes nothing syncs nothing.
        let is_empty = savepoints || connection.changes() == before;
        let syncs = durability == Durability::Synced && self.is_unsynced && is_empty;
        if (self.may_come_back || syncs)
            && let Err(error) = connection.write_over()
        {
            connection.roll_back();
            return Try::Failed(error);
        }
        let committed = connection.commit();
        self.may_come_back = matches!(committed, Err(NotCommitted::Unclear(_)));
        if transaction.changes_rights() && (committed.is_ok() || self.may_come_back) {
            self.rights.send_modify(|count| *count += 1);
        }
        match committed {
            Ok(()) => {
                self.remembered = transaction.absences();
                self.is_unsynced = match durability {
                    Durability::Synced => false,
                    Durability::Soon => self.is_unsynced || connection.changes() != before,
                };
                self.events.committed(written);
                if durability == Durability::Synced {
                    self.mark.committed(advances, self.events.cached().map(|last| last.seq));
                }
                self.index.committed(filled, &events, last);
                self.callers.committed(changed);
                Try::Committed
            }
            Err(NotCommitted::Undone(_)) if !savepoints => Try::NeedsSavepoints,
            Err(NotCommitted::Undone(error) | NotCommitted::Unclear(error)) => {
                self.is_unclear |= self.may_come_back;
                connection.roll_back();
                Try::Failed(error)
            }
        }
    }
}

/// Runs a group and answers everybody in it. `ended` hears whether it was committed, before anybody else does. Gives back
/// those that no one waits for when it was not.
///
/// First all writes run bare. Only when one fails is the group run again with a savepoint round each: copying
/// the pages that a savepoint needs would cost more than the writes do, and failures are rare.
pub(crate) fn run(
    target: &mut WriteConnection,
    pending: Vec<Pending>,
    ended: impl FnOnce(Option<Durability>),
) -> Vec<Pending> {
    let mut members: Vec<Member> =
        pending.into_iter().map(|pending| Member { pending, refused: false }).collect();
    let mut savepoints = false;
    // Each turn but the last turns savepoints on, releases the reserve or refuses a member, so this ends.
    let outcome = loop {
        let intake_open = members.iter().any(|member| member.pending.is_intake())
            && intake_open(&target.connection, &mut target.space);
        let taking_part = members.iter().filter(|member| !member.refused);
        let durability = taking_part.map(|member| member.pending.durability()).max();
        let durability = durability.unwrap_or(Durability::Soon);
        match target.try_once(&mut members, savepoints, intake_open, durability) {
            Try::Committed => break Ok(durability),
            Try::NeedsSavepoints => savepoints = true,
            Try::Lost { index, error } => {
                let reprieved = error == StoreError::StorageFull
                    && !members[index].pending.is_intake()
                    && release_reserve(&target.connection, &mut target.space);
                if !reprieved {
                    members[index].pending.refuse(error);
                    members[index].refused = true;
                }
            }
            Try::Failed(error) => {
                let is_full = error == StoreError::StorageFull;
                // The reserve is for outcomes; new work has to wait for room.
                let new_work =
                    |member: &&mut Member| is_full && !member.refused && member.pending.is_intake();
                let mut refused = false;
                for member in members.iter_mut().filter(new_work) {
                    member.pending.refuse(StoreError::StorageFull);
                    member.refused = true;
                    refused = true;
                }
                let has_room = refused || is_full && release_reserve(&target.connection, &mut target.space);
                if !has_room {
                    break Err(error);
                }
            }
        }
    };
    ended(outcome.as_ref().ok().copied());
    let outcome = outcome.map(|_| ());
    let mut left_over = Vec::new();
    for Member { pending, .. } in members {
        if outcome.is_err() && pending.is_silent() {
            left_over.push(pending);
        } else {
            // What a member was refused for is true of what was read before a commit that failed, too; but no one may
            // learn it yet.
            pending.settle(&outcome);
        }
    }
    left_over
}

/// Reads what is remembered of the tables, as at a start.
fn read_again(
    connection: &Connection,
    events: &mut EventLog,
    index: &mut ConversationIndex,
    callers: &mut WaitingCallers,
) -> Result<(), StoreError> {
    let last = events.open(connection)?;
    index.open(connection, last)?;
    *callers = WaitingCallers::read(connection)?;
    Ok(())
}

/// Writes some places of what ended before, and the events of the group as its last statements. Says what it wrote, and the last
/// event there is, if that is known.
fn append(
    prepared: &Prepared<'_>,
    (log, index): (&mut EventLog, &ConversationIndex),
    events: &[NewEvent],
    most: Option<usize>,
) -> Result<(Filled, Option<Last>, Option<Last>), StoreError> {
    let last = if most.is_none() { Some(log.last(prepared.connection())?) } else { log.cached() };
    let filled = index.write(prepared, most, last)?;
    let written = log.append(prepared, events)?;
    Ok((filled, written, written.or(last)))
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
    connection.run("SAVEPOINT one_write", ())?;
    let mark = transaction.mark();
    if let Err(error) = member.pending.apply(transaction).and_then(|()| connection.flush()) {
        member.pending.refuse(error.clone());
        // SQLite answers some errors, a full disk among them, by rolling back everything.
        let reprieve = error == StoreError::StorageFull && !member.pending.is_intake();
        if !connection.is_in_transaction() || reprieve {
            return Err(error);
        }
        // Waited for: until it is done, PostgreSQL prepares no other statement.
        connection.execute("ROLLBACK TO one_write", ())?;
        transaction.truncate(mark);
    }
    connection.run("RELEASE one_write", ())
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

/// Limits the size of a SQLite database, where there is a limit.
pub(crate) fn limit_pages(connection: &Connection, space: &Space) {
    if let Some(pages) = space.max_pages()
        && let Err(error) = connection.limit_pages(pages)
    {
        tracing::warn!(%error, "cannot limit the size of the database");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use crate::write::{Settled, Write, answer_of, any_write};
    use ambient::Clock;
    use std::marker::PhantomData;
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

    /// Names a number that is not there, which the commit finds out.
    struct Orphan;

    impl Write for Orphan {
        type Answer = ();

        fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
            transaction.execute("INSERT INTO orphans (number) VALUES (1)", ()).map(|_| ())
        }
    }

    /// Finds nothing that it could change.
    struct Miss;

    impl Write for Miss {
        type Answer = ();

        fn apply(&self, _: &Transaction<'_>) -> Result<(), StoreError> {
            Err(StoreError::not_found("numbers", "there is none"))
        }
    }

    struct Bench {
        dir: tempfile::TempDir,
        target: WriteConnection,
    }

    fn bench(disk: Disk) -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("test.db");
        let connection = Connection::Sqlite(rusqlite::Connection::open(file).unwrap());
        connection.batch(
            "PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON;
                 CREATE TABLE numbers (key INTEGER PRIMARY KEY, filling BLOB);
                 CREATE TABLE orphans (number INTEGER REFERENCES numbers (key) DEFERRABLE INITIALLY DEFERRED);
                 CREATE TABLE store_facts (name TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT;
                 CREATE TABLE events (seq INTEGER PRIMARY KEY, nth, at, type, account, chat, data);
                 CREATE TABLE waiting_callers (first_message BLOB PRIMARY KEY, callers BLOB NOT NULL) STRICT;",
        );
        let space = Space::new(dir.path(), disk, Clock::system());
        limit_pages(&connection, &space);
        Bench {
            dir,
            target: WriteConnection::new(
                connection,
                space,
                EventLog::new(Clock::system()),
                ConversationIndex::default(),
                Mark::for_test(),
            ),
        }
    }

    impl Bench {
        fn keys(&self) -> Vec<i64> {
            let sql = "SELECT key FROM numbers ORDER BY key";
            self.target.connection.all(sql, (), |row| row.get(0)).unwrap()
        }

        fn length_of_log(&self) -> u64 {
            std::fs::metadata(self.dir.path().join("test.db-wal")).unwrap().len()
        }
    }

    /// Receives the answer of a write.
    struct Answered<W>(oneshot::Receiver<Settled>, PhantomData<W>);

    impl<W: Write> Answered<W> {
        fn try_recv(&mut self) -> Option<Result<W::Answer, StoreError>> {
            self.0.try_recv().ok().map(answer_of::<W>)
        }
    }

    fn member<W: Write>(write: W) -> (Pending, Answered<W>) {
        let (reply, answer) = oneshot::channel();
        (Pending::answering(any_write(write), reply), Answered(answer, PhantomData))
    }

    impl Bench {
        /// Runs a group and says whether it was committed.
        fn run(&mut self, members: Vec<Pending>) -> bool {
            let mut is_committed = false;
            let left_over = run(&mut self.target, members, |committed| is_committed = committed.is_some());
            assert!(left_over.is_empty());
            is_committed
        }
    }

    /// How many writes share a commit where many are needed: each commit waits for the disk.
    const GROUP: usize = 256;

    fn group(first: i64) -> Vec<(Pending, Answered<Put>)> {
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
    fn a_failed_commit_leaves_no_memory_for_the_next() {
        let mut bench = bench(Disk::default());
        assert!(bench.run(vec![member(Put { key: 7, fails: false }).0]));
        let before = bench.length_of_log();
        let (orphan, mut failed) = member(Orphan);
        let (miss, mut missed) = member(Miss);
        assert!(!bench.run(vec![orphan, miss]));
        let why = failed.try_recv().unwrap().unwrap_err();
        assert_eq!(missed.try_recv().unwrap().unwrap_err(), why, "not that there is none");

        let (miss, mut missed) = member(Miss);
        assert!(bench.run(vec![miss]));
        assert!(missed.try_recv().unwrap().unwrap_err().to_string().contains("there is none"));
        let written_over = bench.length_of_log();
        assert!(written_over > before, "something was written");
        // Once is enough.
        assert!(bench.run(vec![member(Miss).0]));
        assert_eq!(bench.length_of_log(), written_over);
    }

    #[test]
    fn a_failed_commit_gives_back_unawaited_writes() {
        let mut bench = bench(Disk::default());
        let silent = Pending::silent(Put { key: 5, fails: false });
        let left_over = run(&mut bench.target, vec![silent, member(Orphan).0], |_| {});
        assert_eq!((left_over.len(), bench.keys()), (1, Vec::new()));
        assert!(bench.run(left_over));
        assert_eq!(bench.keys(), [5]);
    }

    #[test]
    fn a_full_disk_refuses_intake_and_opens_the_outcome_reserve() {
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
    fn without_the_reserve_every_write_reports_a_full_disk() {
        let mut bench = bench(Disk::default().with_max_pages(64));
        assert!(bench.target.space.release_reserve());
        limit_pages(&bench.target.connection, &bench.target.space);
        bench.target.connection.limit_pages(4).unwrap();
        let mut is_refused = false;
        for first in (0..40_000).step_by(GROUP) {
            let (puts, answers): (Vec<_>, Vec<_>) = group(first).into_iter().unzip();
            bench.run(puts);
            for mut answer in answers {
                if let Err(error) = answer.try_recv().unwrap() {
                    assert_eq!(error, StoreError::StorageFull);
                    is_refused = true;
                }
            }
            if is_refused {
                break;
            }
        }
        assert!(is_refused && !bench.target.connection.is_in_transaction());
    }
}
