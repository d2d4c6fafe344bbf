//! PostgreSQL: a client on a runtime of its own, for a thread that may block.
//!
//! Statements whose count is not asked for wait until a row, a count or the commit is: then all of them go out at once, and
//! the server works while the next is on its way. The beginning of a group's transaction waits with them, and a statement
//! that many writes run for a row of theirs is sent once, for all rows.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use futures::future;
use tokio::runtime::{self, Runtime};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::database::failed::{Failed, description, gone};
use crate::database::pipeline::{Pipeline, Waiting};
use crate::database::{NotCommitted, Parameters, Row, Value, tls};
use crate::write::Durability;
use crate::{OpenError, StoreError};

/// No statement and no attempt to connect takes longer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// No step of the schema takes longer.
const MIGRATION_TIMEOUT: Duration = Duration::from_hours(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The lock that every group of writes takes, and that a migration takes: "switchbd" as a number.
const LOCK: i64 = i64::from_be_bytes(*b"switchbd");

const TAKE_LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
/// The server writes what was committed so within three times its `wal_writer_delay`, 0.6 s unless it is set otherwise.
const COMMIT_SOON: &str = "SET LOCAL synchronous_commit = off";
const ID: &str = "SELECT pg_current_xact_id()::text";
/// The server itself breaks a transaction off whose number is not that of the lease: by a division by zero.
const ID_UNDER_LEASE: &str = "
    SELECT pg_current_xact_id()::text, 1 / (SELECT count(*) FROM store_leases WHERE name = 'store' AND epoch = $1)";

/// Limits of a session, in milliseconds: on the server, so that they hold when this program is stopped.
const SESSION: &str = "
    SET statement_timeout = 30000; SET lock_timeout = 30000; SET idle_in_transaction_session_timeout = 60000;
    SET synchronous_commit = on; SET client_min_messages = warning";

/// Statements that write find their rows by an index, whatever is bound to them and however small a table was when they were
/// planned: a plan is kept for as long as the session. So a row costs much, and its position nothing. A process that is
/// stopped within a transaction holds its locks no longer than the lease.
const SESSION_THAT_WRITES: &str = "
    SET idle_in_transaction_session_timeout = 10000; SET plan_cache_mode = force_generic_plan; SET jit = off; SET enable_seqscan = off; SET enable_bitmapscan = off;
    SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off;
    SET cpu_tuple_cost = 1; SET random_page_cost = 0; SET seq_page_cost = 0";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Writing,
    Reading,
}

/// A connection that is made again when it was lost.
pub(crate) struct Postgres {
    // Before the runtime: what it sends when it is dropped needs one.
    session: RefCell<Option<Session>>,
    config: Config,
    tls: Option<MakeRustlsConnect>,
    usage: Use,
    /// The number of the lease that each transaction is made under.
    epoch: Option<i64>,
    /// How long it waits for an answer.
    limit: Cell<Duration>,
    transaction: Cell<State>,
    /// The session did not answer in time and is replaced.
    unanswered: Cell<bool>,
    /// What went wrong last may go right later.
    is_passing: Cell<bool>,
    /// The id that the server gave the transaction, as it writes it.
    id: RefCell<String>,
    /// What begins the transaction, where that is not sent yet.
    opening: RefCell<Option<Opening>>,
    /// Not sent yet.
    pipeline: RefCell<Pipeline>,
    runtime: Runtime,
}

struct Session {
    client: Client,
    prepared: HashMap<Box<str>, Statement>,
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    None,
    Open,
    /// It was open on a session that is lost.
    Lost,
}

/// The beginning of a transaction: the last of them is asked after the lock is held, as a statement sees what was committed
/// before it began.
struct Opening {
    begin: Waiting,
    lock: Waiting,
    id: Waiting,
}

impl Opening {
    /// The id of the transaction.
    async fn run(&self, client: &Client) -> Result<Option<tokio_postgres::Row>, tokio_postgres::Error> {
        let (begun, locked) = (self.begin.execute(client), self.lock.execute(client));
        let (begun, locked, id) = future::join3(begun, locked, self.id.query(client)).await;
        begun.and(locked)?;
        Ok(id?.pop())
    }
}

impl Postgres {
    /// Connects.
    pub(crate) fn connect(config: &Config, usage: Use) -> Result<Self, OpenError> {
        let mut config = config.clone();
        config
            .connect_timeout(CONNECT_TIMEOUT)
            .application_name("switchboard")
            .keepalives_idle(CONNECT_TIMEOUT)
            .tcp_user_timeout(TIMEOUT);
        let server = |what: String| OpenError::Server { what };
        let tls = tls::connector(&mut config)
            .map_err(|error| server(format!("the certificates of the system cannot be read: {error}")))?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| server(format!("no runtime: {error}")))?;
        let new = Self {
            session: RefCell::default(),
            config,
            tls,
            usage,
            epoch: None,
            limit: Cell::new(TIMEOUT),
            transaction: Cell::new(State::None),
            unanswered: Cell::new(false),
            is_passing: Cell::new(false),
            id: RefCell::default(),
            opening: RefCell::default(),
            pipeline: RefCell::default(),
            runtime,
        };
        let session = new.session().map_err(|failed| match &failed {
            Failed::Answered(error) if failed.is_passing() => {
                OpenError::Unreachable { what: description(error) }
            }
            Failed::Answered(error) => server(description(error)),
            Failed::Unanswered => OpenError::Unreachable { what: "it took too long to connect".to_owned() },
        })?;
        *new.session.borrow_mut() = Some(session);
        Ok(new)
    }

    /// The same connection, for the holder of a lease: its transactions fail when another one holds it.
    pub(crate) fn under(self, epoch: i64) -> Self {
        Self { epoch: Some(epoch), ..self }
    }

    /// The same connection, given up where an answer takes longer than this.
    pub(crate) fn answering_within(self, limit: Duration) -> Self {
        self.limit.set(limit);
        self
    }

    /// Runs a statement and says how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, parameters: &impl Parameters) -> Result<usize, StoreError> {
        self.run(sql, parameters)?;
        let counts = self.flush()?;
        Ok(counts.last().map_or(0, |count| usize::try_from(*count).unwrap_or(usize::MAX)))
    }

    /// Runs a statement with what follows it. Its error is the error of that.
    pub(crate) fn run(&self, sql: &str, parameters: &impl Parameters) -> Result<(), StoreError> {
        let statement = self.prepare(sql)?;
        self.pipeline.borrow_mut().put(statement, parameters);
        Ok(())
    }

    /// The same for a statement that no other one that waits has to do with.
    pub(crate) fn run_beside(&self, sql: &str, parameters: &impl Parameters) -> Result<(), StoreError> {
        let statement = self.prepare(sql)?;
        self.pipeline.borrow_mut().put_beside(statement, parameters);
        Ok(())
    }

    /// The same for a statement about one row, which no other that waits is about: it is sent once, for the rows of all who run
    /// it, in the place of the first. `is_exact`: that it changes no row is an error.
    pub(crate) fn run_row(
        &self,
        sql: &'static str,
        parameters: &impl Parameters,
        is_exact: bool,
    ) -> Result<(), StoreError> {
        if let Some(waiting) = self.pipeline.borrow_mut().of_rows(sql) {
            waiting.add(parameters);
            return Ok(());
        }
        let statement = self.prepare(sql)?;
        self.pipeline.borrow_mut().put_row(sql, statement, parameters, is_exact);
        Ok(())
    }

    /// Reads row after row until there is none or one was enough.
    pub(crate) fn each(
        &self,
        sql: &str,
        parameters: &impl Parameters,
        read: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let outside = self.transaction.get() == State::None;
        let rows = match self.rows(sql, parameters) {
            // A connection that was lost while it had nothing to do shows it only now.
            Err(_) if outside && self.is_lost() => self.rows(sql, parameters)?,
            rows => rows?,
        };
        for row in &rows {
            if read(&Row::Postgres(row))?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn rows(&self, sql: &str, parameters: &impl Parameters) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let question = Waiting::new(self.prepare(sql)?, parameters);
        self.send(Some(&question)).map(|(_, rows)| rows)
    }

    /// The first row, if there is one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        parameters: &impl Parameters,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let (mut read, mut found) = (Some(read), None);
        self.each(sql, parameters, &mut |row| {
            found = read.take().map(|read| read(row)).transpose()?;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// Sends what waits and answers how many rows each of them changed.
    pub(crate) fn flush(&self) -> Result<Vec<u64>, StoreError> {
        if self.pipeline.borrow().is_empty() {
            return Ok(Vec::new());
        }
        self.send(None).map(|(counts, _)| counts)
    }

    /// Sends what waits and a question behind it: how many rows each of them changed, and the rows that are found.
    fn send(&self, question: Option<&Waiting>) -> Result<(Vec<u64>, Vec<tokio_postgres::Row>), StoreError> {
        let mut waiting = self.pipeline.borrow_mut().take();
        for one in &mut waiting {
            if let Some(sql) = one.for_many() {
                one.become_one_for_many(self.prepare(&sql)?);
            }
        }
        let opening = self.opening.take();
        let (id, counts, rows) = self.on_session(async |client| {
            let opened = async {
                match &opening {
                    Some(opening) => opening.run(client).await,
                    None => Ok(None),
                }
            };
            let counts = future::join_all(waiting.iter().map(|one| one.execute(client)));
            let rows = async {
                match question {
                    Some(question) => question.query(client).await,
                    None => Ok(Vec::new()),
                }
            };
            let (opened, counts, rows) = future::join3(opened, counts, rows).await;
            // The first error is the cause: those after it only say that the transaction is broken off.
            let (id, counts) = (opened?, counts.into_iter().collect::<Result<Vec<_>, _>>()?);
            Ok((id, counts, rows?))
        })?;
        if let Some(id) = id {
            *self.id.borrow_mut() = Row::Postgres(&id).get(0)?;
        }
        if waiting.iter().zip(&counts).all(|(one, count)| one.is_right(*count)) {
            Ok((counts, rows))
        } else {
            // The group is run again: no caller hears of this.
            Err(gone("a row is not there, or in another state"))
        }
    }

    /// Begins a transaction that no other program writes beside.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        let begin = || self.begin_with_the_first().and_then(|()| self.send(None).map(|_| ()));
        // A connection that was lost while it had nothing to do shows it only now.
        let answer = begin().or_else(|error| if self.is_lost() { begin() } else { Err(error) });
        if answer.is_err() {
            // What could not be begun is rolled back as far as the connection allows it.
            let _ = self.roll_back();
        }
        answer
    }

    /// The same, sent with the first that is run in it: an error of its beginning is an error of that.
    pub(crate) fn begin_with_the_first(&self) -> Result<(), StoreError> {
        self.transaction.set(State::None);
        self.pipeline.borrow_mut().clear();
        let id = match self.epoch {
            Some(epoch) => Waiting::new(self.prepare(ID_UNDER_LEASE)?, &[epoch]),
            None => Waiting::new(self.prepare(ID)?, &()),
        };
        let begin = Waiting::new(self.prepare("BEGIN")?, &());
        let lock = Waiting::new(self.prepare(TAKE_LOCK)?, &[LOCK]);
        *self.opening.borrow_mut() = Some(Opening { begin, lock, id });
        self.transaction.set(State::Open);
        Ok(())
    }

    /// Whether the commit of the transaction waits for the disk.
    pub(super) fn commit_soon(&self, durability: Durability) -> Result<(), StoreError> {
        match durability {
            Durability::Synced => Ok(()),
            Durability::Soon => self.run(COMMIT_SOON, &()),
        }
    }

    /// Begins a transaction that sees one moment of the database.
    pub(crate) fn begin_reading(&self) -> Result<(), StoreError> {
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        self.transaction.set(State::Open);
        Ok(())
    }

    /// Commits, after what waits.
    pub(crate) fn commit(&self) -> Result<(), NotCommitted> {
        // What is not as it must be is not committed, and the id of what is must be known.
        if (self.opening.borrow().is_some() || self.pipeline.borrow().has_exact())
            && let Err(error) = self.send(None)
        {
            let _ = self.roll_back();
            return Err(NotCommitted::Undone(error));
        }
        let committed = self.execute("COMMIT", &());
        let state = self.transaction.replace(State::None);
        match committed {
            Ok(_) => Ok(()),
            Err(error) if state == State::Open => Err(NotCommitted::Undone(error)),
            Err(error) => {
                let committed = self.was_committed().unwrap_or(Err(NotCommitted::Unclear(error)));
                self.is_passing.set(true);
                committed
            }
        }
    }

    /// Asks the server on a new connection whether the last transaction was committed; none where it cannot be said.
    fn was_committed(&self) -> Option<Result<(), NotCommitted>> {
        let id = self.id.borrow().clone();
        let mut status = None;
        self.each("SELECT pg_xact_status($1::text::xid8)", &[id], &mut |row| {
            status = row.get::<Option<String>>(0)?;
            Ok(ControlFlow::Break(()))
        })
        .ok()?;
        match status?.as_str() {
            "committed" => Some(Ok(())),
            "aborted" => Some(Err(NotCommitted::Undone(gone("the connection was lost")))),
            _ => None,
        }
    }

    pub(crate) fn roll_back(&self) -> Result<(), StoreError> {
        self.pipeline.borrow_mut().clear();
        let is_sent = self.opening.take().is_none();
        match self.transaction.replace(State::None) {
            State::Open if is_sent => {
                // Of what it is undone for, not of the answer to this.
                let is_passing = self.is_passing.get();
                let undone = self.execute("ROLLBACK", &()).map(|_| ());
                self.is_passing.set(is_passing);
                undone
            }
            State::None | State::Open | State::Lost => Ok(()),
        }
    }

    fn is_lost(&self) -> bool {
        self.unanswered.get()
            || self.session.borrow().as_ref().is_none_or(|session| session.client.is_closed())
    }

    /// Whether a transaction is open. One of a lost session is none.
    pub(crate) fn is_in_transaction(&self) -> bool {
        self.transaction.get() == State::Open
    }

    /// Runs statements that have no parameters.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), StoreError> {
        self.on_session(async |client| client.batch_execute(sql).await)
    }

    /// The same for a step of the schema, in a transaction: a large table takes it longer than any other statement.
    pub(crate) fn migrate(&self, sql: &str) -> Result<(), StoreError> {
        let limit = self.limit.replace(MIGRATION_TIMEOUT);
        let migrated =
            self.batch(&format!("SET LOCAL statement_timeout = {}; {sql}", MIGRATION_TIMEOUT.as_millis()));
        self.limit.set(limit);
        migrated
    }

    /// The options that its address gives the server.
    pub(crate) fn options(&self) -> &str {
        self.config.get_options().unwrap_or_default()
    }

    /// The error of an opening that failed with this: one to wait for, or one to end with.
    pub(crate) fn open_error(&self, error: &StoreError) -> OpenError {
        let what = match error {
            StoreError::Unavailable(what) => what.trim_start_matches("PostgreSQL: ").to_owned(),
            error => error.to_string(),
        };
        if self.is_passing.get() { OpenError::Unreachable { what } } else { OpenError::Server { what } }
    }

    /// The statement, prepared once per session.
    fn prepare(&self, sql: &str) -> Result<Statement, StoreError> {
        self.connected()?;
        let known = self.session.borrow().as_ref().and_then(|session| session.prepared.get(sql).cloned());
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.on_session(async |client| client.prepare(sql).await)?;
        if let Some(session) = self.session.borrow_mut().as_mut() {
            session.prepared.insert(sql.into(), statement.clone());
        }
        Ok(statement)
    }

    /// Makes a session where there is none. In a transaction a lost one is an error: what was done in it is gone.
    fn connected(&self) -> Result<(), StoreError> {
        if !self.is_lost() {
            return Ok(());
        }
        if self.transaction.get() != State::None {
            self.transaction.set(State::Lost);
            self.is_passing.set(true);
            return Err(gone("the connection was lost"));
        }
        let session = self.session()?;
        *self.session.borrow_mut() = Some(session);
        self.unanswered.set(false);
        Ok(())
    }

    /// A new session.
    fn session(&self) -> Result<Session, Failed> {
        self.limited(async {
            let client = match &self.tls {
                None => {
                    let (client, connection) = self.config.connect(NoTls).await?;
                    tokio::spawn(driven(connection));
                    client
                }
                Some(tls) => {
                    let (client, connection) = self.config.connect(tls.clone()).await?;
                    tokio::spawn(driven(connection));
                    client
                }
            };
            client.batch_execute(SESSION).await?;
            client
                .batch_execute(match self.usage {
                    Use::Reading => "SET default_transaction_read_only = on",
                    Use::Writing => SESSION_THAT_WRITES,
                })
                .await?;
            Ok(Session { client, prepared: HashMap::new() })
        })
    }

    fn on_session<T>(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        self.connected()?;
        let session = self.session.borrow();
        let session = session.as_ref().ok_or_else(|| gone("there is no connection"))?;
        let done = self.limited(work(&session.client)).map_err(StoreError::from);
        if (self.unanswered.get() || session.client.is_closed()) && self.transaction.get() == State::Open {
            self.transaction.set(State::Lost);
        }
        done
    }

    /// Waits for an answer, but not for ever.
    fn limited<T>(&self, work: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Failed> {
        let limited = async { tokio::time::timeout(self.limit.get(), work).await };
        let answer = if let Ok(answer) = self.runtime.block_on(limited) {
            answer.map_err(Failed::Answered)
        } else {
            // Its answer may still come; no one waits for it.
            self.unanswered.set(true);
            Err(Failed::Unanswered)
        };
        self.is_passing.set(answer.as_ref().is_err_and(Failed::is_passing));
        answer
    }
}

/// Lets a connection work until it ends.
async fn driven(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(error = %description(&error), "a connection to PostgreSQL ended");
    }
}

/// A column of a row, or what is wrong with it.
pub(crate) fn value(row: &tokio_postgres::Row, index: usize) -> Result<Value<'_>, String> {
    let column = row.columns().get(index).ok_or_else(|| format!("there is no column {index}"))?;
    let wrong = |error: tokio_postgres::Error| error.to_string();
    let value = match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(index).map_err(wrong)?.map(Value::Integer),
        Type::INT4 => row.try_get::<_, Option<i32>>(index).map_err(wrong)?.map(|n| Value::Integer(n.into())),
        Type::BYTEA => row.try_get::<_, Option<&[u8]>>(index).map_err(wrong)?.map(Value::Blob),
        _ => row.try_get::<_, Option<&str>>(index).map_err(wrong)?.map(Value::Text),
    };
    Ok(value.unwrap_or(Value::Null))
}

#[cfg(test)]
impl Postgres {
    /// The types of a statement's parameters.
    pub(crate) fn takes(&self, sql: &str) -> Result<Vec<Type>, StoreError> {
        Ok(self.prepare(sql)?.params().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use testkit::postgres::Database;

    use super::*;

    const INSERT: &str = "INSERT INTO numbers (number) VALUES ($1)";
    const RAISE: &str = "UPDATE numbers SET number = number + $1 WHERE number = $2";

    struct Bench {
        // Before the database that it is on.
        connection: Postgres,
        database: Database,
    }

    fn bench() -> Bench {
        let database = Database::empty();
        database.query("CREATE TABLE numbers (number BIGINT NOT NULL PRIMARY KEY)");
        let connection = Postgres::connect(&database.url().parse().unwrap(), Use::Writing).unwrap();
        connection.batch(crate::lease::TABLE).unwrap();
        Bench { connection, database }
    }

    impl Bench {
        fn numbers(&self) -> Vec<String> {
            let rows = self.database.query("SELECT number::text FROM numbers ORDER BY number");
            rows.into_iter().flatten().flatten().collect()
        }
    }

    #[test]
    fn one_statement_changes_the_rows_of_many_or_nothing() {
        let Bench { connection, .. } = &bench();
        connection.begin_with_the_first().unwrap();
        for number in [10, 20, 30] {
            connection.run_row(INSERT, &[number], false).unwrap();
        }
        assert_eq!(connection.flush().unwrap(), [3]);
        connection.commit().unwrap();

        for (by, numbers) in [([1, 2], [10, 20]), ([1, 2], [11, 20])] {
            connection.begin_with_the_first().unwrap();
            for (by, number) in by.into_iter().zip(numbers) {
                connection.run_row(RAISE, &(by, number), true).unwrap();
            }
            assert_eq!(connection.commit().is_ok(), numbers[0] == 10, "22 is no 20");
        }
    }

    #[test]
    fn a_holder_whose_lease_is_another_one_s_commits_nothing() {
        let Bench { connection, database } = bench();
        database.query("INSERT INTO store_leases VALUES ('store', 'another', 8, now())");
        let bench = Bench { connection: connection.under(7), database };
        bench.connection.begin_with_the_first().unwrap();
        bench.connection.run(INSERT, &[1]).unwrap();
        let refused = StoreError::from(bench.connection.commit().unwrap_err());
        assert!(refused.to_string().contains("has taken the store over"), "{refused}");
        assert_eq!(bench.numbers(), Vec::<String>::new());
        assert!(bench.connection.begin().is_err());
    }

    #[test]
    fn what_may_pass_is_distinguished_from_what_stays() {
        let Bench { connection, .. } = &bench();
        let raise = |code: &str| format!("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$");
        let is_waited_for = |sql: &str| {
            let error = connection.batch(sql).unwrap_err();
            matches!(connection.open_error(&error), OpenError::Unreachable { .. })
        };
        for code in ["57P01", "53100", "25006"] {
            assert!(is_waited_for(&raise(code)), "{code}");
        }
        assert!(!is_waited_for("SELECT * FROM nothing") && !is_waited_for(&raise("42501")));
        connection.begin().unwrap();
        let error = connection.batch(&raise("25006")).unwrap_err();
        connection.roll_back().unwrap();
        assert!(matches!(connection.open_error(&error), OpenError::Unreachable { .. }));
        connection.begin().unwrap();
        assert!(is_waited_for("SELECT pg_terminate_backend(pg_backend_pid())"), "the connection ends");
        assert!(is_waited_for("SELECT 1"), "no other connection goes on with a transaction");
        let undone = StoreError::from(connection.commit().unwrap_err());
        assert!(matches!(connection.open_error(&undone), OpenError::Unreachable { .. }));
    }

    #[test]
    fn a_migration_takes_longer_than_a_statement_may() {
        let Bench { connection, .. } = &bench();
        let long = "SELECT pg_sleep(0.4)";
        connection.batch("SET statement_timeout = 200").unwrap();
        connection.begin().unwrap();
        connection.limit.set(Duration::from_millis(200));
        connection.migrate(long).unwrap();
        assert_eq!(connection.limit.replace(TIMEOUT), Duration::from_millis(200));
        connection.commit().unwrap();
        assert!(connection.batch(long).is_err(), "the server breaks it off");
    }

    #[test]
    fn a_commit_without_an_answer_is_looked_up() {
        let bench = bench();
        let connection = &bench.connection;
        connection.begin().unwrap();
        connection.run(INSERT, &[1]).unwrap();
        connection.commit().unwrap();
        assert!(matches!(connection.was_committed(), Some(Ok(()))));

        connection.begin().unwrap();
        connection.execute(INSERT, &[2]).unwrap();
        bench.database.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'switchboard'",
        );
        let undone = connection.commit();
        assert!(matches!(undone, Err(NotCommitted::Undone(_))), "{undone:?}");
        assert_eq!(bench.numbers(), ["1"]);
    }

    #[test]
    fn the_server_ends_an_idle_transaction() {
        let bench = bench();
        let connection = &bench.connection;
        let limit = |connection: &Postgres| {
            let text = |row: &Row<'_>| row.get::<String>(0);
            connection.first("SHOW idle_in_transaction_session_timeout", &(), text).unwrap()
        };
        let reading = Postgres::connect(&bench.database.url().parse().unwrap(), Use::Reading).unwrap();
        assert_eq!([limit(connection), limit(&reading)], [Some("10s".to_owned()), Some("1min".to_owned())]);
        drop(reading);

        connection.begin().unwrap();
        connection.run("SET LOCAL idle_in_transaction_session_timeout = 50", &()).unwrap();
        connection.execute(INSERT, &[1]).unwrap();
        let sessions = "SELECT 1 FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'switchboard'";
        while !bench.database.query(sessions).is_empty() {
            std::thread::yield_now();
        }
        let undone = connection.commit();
        assert!(matches!(undone, Err(NotCommitted::Undone(_))), "{undone:?}");
        connection.begin().unwrap();
        connection.execute(INSERT, &[2]).unwrap();
        connection.commit().unwrap();
        assert_eq!(bench.numbers(), ["2"]);
    }
}
