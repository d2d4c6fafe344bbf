//! PostgreSQL: a client on a runtime of its own, for a thread that may block.
//!
//! Statements whose count is not asked for wait until a row, a count or the commit is: then all of them go out at once, and
//! the server works while the next is on its way.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::time::Duration;

use futures::future;
use tokio::runtime::{self, Runtime};
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::database::{NotCommitted, Parameters, Row, Value, tls};
use crate::error::table_named;
use crate::{OpenError, StoreError};

/// No statement and no attempt to connect takes longer.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The lock that every group of writes takes, and that a migration takes: "switchbd" as a number.
const LOCK: i64 = i64::from_be_bytes(*b"switchbd");

const TAKE_LOCK: &str = "SELECT pg_advisory_xact_lock($1)";
/// The server writes what was committed so within three times its `wal_writer_delay`, 0.6 s unless it is set otherwise.
pub(super) const COMMIT_SOON: &str = "SET LOCAL synchronous_commit = off";
const ID: &str = "SELECT pg_current_xact_id()::text";
const ID_AND_EPOCH: &str =
    "SELECT pg_current_xact_id()::text, (SELECT epoch FROM store_leases WHERE name = 'store')";

/// Limits of a session, in milliseconds: on the server, so that they hold when this program is stopped.
const SESSION: &str = "
    SET statement_timeout = 30000; SET lock_timeout = 30000; SET idle_in_transaction_session_timeout = 60000;
    SET synchronous_commit = on; SET client_min_messages = warning";

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
    limit: Duration,
    transaction: Cell<State>,
    /// The session did not answer in time and is replaced.
    unanswered: Cell<bool>,
    /// The id that the server gave the transaction, as it writes it.
    id: RefCell<String>,
    /// Not sent yet.
    waiting: RefCell<Vec<(Statement, Vec<Bound>)>>,
    runtime: Runtime,
}

struct Session {
    client: Client,
    prepared: HashMap<Box<str>, Statement>,
}

/// Why there is no answer to work with.
enum Failed {
    Answered(tokio_postgres::Error),
    Unanswered,
}

impl From<Failed> for StoreError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Answered(error) => Self::from(&error),
            Failed::Unanswered => gone("it does not answer"),
        }
    }
}

/// Whether what the server refuses now it may take later: it starts, stops, or has no connection left.
fn is_passing(code: &SqlState) -> bool {
    ["57P", "53", "08"].iter().any(|class| code.code().starts_with(class))
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    None,
    Open,
    /// It was open on a session that is lost.
    Lost,
}

/// A value that outlives the call that bound it.
#[derive(Debug)]
enum Bound {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Postgres {
    /// Connects.
    pub(crate) fn connect(config: &Config, usage: Use) -> Result<Self, OpenError> {
        let mut config = config.clone();
        config.connect_timeout(CONNECT_TIMEOUT).application_name("switchboard");
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
            limit: TIMEOUT,
            transaction: Cell::new(State::None),
            unanswered: Cell::new(false),
            id: RefCell::default(),
            waiting: RefCell::default(),
            runtime,
        };
        let (session, refused) = (new.session(), |error: &tokio_postgres::Error| {
            let is_final = error.as_db_error().is_some_and(|refused| !is_passing(refused.code()));
            if is_final { server(told(error)) } else { OpenError::Unreachable { what: told(error) } }
        });
        let session = session.map_err(|failed| match failed {
            Failed::Answered(error) => refused(&error),
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
        Self { limit, ..self }
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
        self.waiting.borrow_mut().push((statement, bound(parameters)));
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
        let (statement, values) = (self.prepare(sql)?, bound(parameters));
        let waiting = self.waiting.take();
        self.on_session(async |client| {
            let before =
                future::try_join_all(waiting.iter().map(|(sql, values)| execute(client, sql, values)));
            let values: Vec<_> = values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            let (before, rows) = future::join(before, client.query(&statement, &values)).await;
            before.and(rows)
        })
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
        let waiting = self.waiting.take();
        if waiting.is_empty() {
            return Ok(Vec::new());
        }
        self.on_session(async |client| {
            // The first error is the cause: those after it only say that the transaction is broken off.
            let all = waiting.iter().map(|(sql, values)| execute(client, sql, values));
            future::join_all(all).await.into_iter().collect()
        })
    }

    /// Begins a transaction that no other program writes beside.
    pub(crate) fn begin(&self) -> Result<(), StoreError> {
        // A connection that was lost while it had nothing to do shows it only now.
        self.begin_once().or_else(|error| if self.is_lost() { self.begin_once() } else { Err(error) })
    }

    fn begin_once(&self) -> Result<(), StoreError> {
        self.transaction.set(State::None);
        self.waiting.borrow_mut().clear();
        self.run("BEGIN", &())?;
        self.transaction.set(State::Open);
        self.run(TAKE_LOCK, &[LOCK])?;
        // Asked for after the lock is held: a statement sees what was committed before it began.
        let asked = if self.epoch.is_some() { ID_AND_EPOCH } else { ID };
        let begun = self.first(asked, &(), |row| {
            *self.id.borrow_mut() = row.get(0)?;
            match self.epoch {
                Some(ours) if row.get::<Option<i64>>(1)? != Some(ours) => {
                    Err(gone("another process has taken the store over"))
                }
                _ => Ok(()),
            }
        });
        if begun.is_err() {
            // What could not be begun is rolled back as far as the connection allows it.
            let _ = self.roll_back();
        }
        begun.map(|_| ())
    }

    /// Begins a transaction that sees one moment of the database.
    pub(crate) fn begin_reading(&self) -> Result<(), StoreError> {
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
        self.transaction.set(State::Open);
        Ok(())
    }

    /// Commits, after what waits.
    pub(crate) fn commit(&self) -> Result<(), NotCommitted> {
        let committed = self.execute("COMMIT", &());
        let state = self.transaction.replace(State::None);
        match committed {
            Ok(_) => Ok(()),
            Err(error) if state == State::Open => Err(NotCommitted::Undone(error)),
            Err(error) => self.was_committed().unwrap_or(Err(NotCommitted::Unclear(error))),
        }
    }

    /// Asks the server on a new connection whether the last transaction was committed; none where it cannot be said.
    fn was_committed(&self) -> Option<Result<(), NotCommitted>> {
        let id = self.id.borrow().clone();
        let mut status = None;
        self.each("SELECT pg_xact_status($1::xid8)", &[id], &mut |row| {
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
        self.waiting.borrow_mut().clear();
        match self.transaction.replace(State::None) {
            State::Open => self.execute("ROLLBACK", &()).map(|_| ()),
            State::None | State::Lost => Ok(()),
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
        if self.transaction.get() == State::Open {
            self.transaction.set(State::Lost);
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
            if self.usage == Use::Reading {
                client.batch_execute("SET default_transaction_read_only = on").await?;
            }
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
        let limited = async { tokio::time::timeout(self.limit, work).await };
        if let Ok(answer) = self.runtime.block_on(limited) {
            return answer.map_err(Failed::Answered);
        }
        // Its answer may still come; no one waits for it.
        self.unanswered.set(true);
        Err(Failed::Unanswered)
    }
}

/// Lets a connection work until it ends.
async fn driven(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!(error = %told(&error), "a connection to PostgreSQL ended");
    }
}

async fn execute(
    client: &Client,
    statement: &Statement,
    values: &[Bound],
) -> Result<u64, tokio_postgres::Error> {
    client.execute_raw(statement, values).await
}

fn bound(parameters: &impl Parameters) -> Vec<Bound> {
    let mut bound = Vec::new();
    parameters.each(&mut |value| {
        bound.push(match value {
            Value::Null => Bound::Null,
            Value::Integer(number) => Bound::Integer(number),
            // PostgreSQL stores no such character in a text.
            Value::Text(text) if text.contains('\0') => Bound::Text(text.replace('\0', "\u{fffd}")),
            Value::Text(text) => Bound::Text(text.to_owned()),
            Value::Blob(bytes) => Bound::Blob(bytes.to_owned()),
        });
    });
    bound
}

impl ToSql for Bound {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) if *kind == Type::INT4 => i32::try_from(*number)?.to_sql(kind, out),
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Blob(bytes) => bytes.to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
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

fn gone(what: &str) -> StoreError {
    StoreError::Unavailable(format!("PostgreSQL: {what}"))
}

/// An error with its cause; it holds no password.
fn told(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl From<&tokio_postgres::Error> for StoreError {
    fn from(error: &tokio_postgres::Error) -> Self {
        let Some(refused) = error.as_db_error() else { return gone(&told(error)) };
        let (table, what) = (table_named(refused.table().unwrap_or_default()), words(refused));
        match refused.code() {
            code if *code == SqlState::UNIQUE_VIOLATION => Self::conflict(table, what),
            code if *code == SqlState::DISK_FULL => Self::StorageFull,
            // Data exceptions and violations of a constraint.
            code if code.code().starts_with("22") || code.code().starts_with("23") => {
                Self::Invalid { table, what }
            }
            _ => gone(&what),
        }
    }
}

/// What the server says, without the values of the row.
fn words(refused: &DbError) -> String {
    let constraint = refused.constraint().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("{}{constraint}", refused.message())
}
