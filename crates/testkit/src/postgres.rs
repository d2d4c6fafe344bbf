//! Databases on the PostgreSQL that `cargo xtask test` starts, each for one test.

use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::shared::Shared;

/// Names the server: the address of a database from which others can be made.
const SERVER: &str = "SWITCHBOARD_TEST_POSTGRES";

/// PostgreSQL's own database without tables.
const EMPTY: &str = "template0";

/// The database that the run copies. No process can have its name: a system gives a number of an ended process to another one.
const MIGRATED: &str = "migrated";

/// How long a statement may take. Machines that build at the same time are slow.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A row of texts, as PostgreSQL writes its values.
pub type Row = Vec<Option<String>>;

/// A database that is dropped with this.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// A new one, without tables.
    pub fn empty() -> Self {
        Self::made_from(EMPTY)
    }

    /// A new one as a store leaves it that was never used. The first test of the run opens and closes a store at the address that
    /// it is given; all others get a copy.
    pub async fn migrated(open_and_close: impl AsyncFnOnce(String)) -> Self {
        static ONE: OnceCell<Database> = OnceCell::const_new();
        let fill = async |database: Self| {
            open_and_close(database.url()).await;
            // Each store has a master key and a lease of its own.
            database.query("DELETE FROM store_facts; DELETE FROM store_leases");
            database
        };
        let Some(shared) = Shared::lock("migrated-postgres") else {
            return Self::made_from(&ONE.get_or_init(|| fill(Self::empty())).await.name);
        };
        if shared.found().is_none() {
            // It stays until the server of the run ends.
            let _ = ManuallyDrop::new(fill(Self::made(MIGRATED.to_owned(), EMPTY)).await);
            shared.keep(MIGRATED.as_bytes());
        }
        Self::made_from(MIGRATED)
    }

    fn made_from(template: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Self::made(format!("test_{}_{count}", std::process::id()), template)
    }

    /// A database of that name which an ended process left is dropped.
    fn made(name: String, template: &str) -> Self {
        let server = server();
        query(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).expect("dropped");
        query(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).expect("made");
        Self { server, name }
    }

    /// Its address.
    pub fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').expect("the address of a database");
        format!("{server}/{}", self.name)
    }

    /// Does what ten seconds do to the lease of a store that was killed, or of which a handle is left.
    pub fn end_lease(&self) {
        // A store that was never opened has none.
        let _ = self.try_query("UPDATE store_leases SET expires_at = now()");
    }

    /// Runs statements and returns the rows that they find.
    pub fn query(&self, sql: &str) -> Vec<Row> {
        self.try_query(sql).unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    /// The same, or what PostgreSQL says against it.
    pub fn try_query(&self, sql: &str) -> Result<Vec<Row>, String> {
        query(&self.url(), sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let dropped = query(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        if let Err(error) = dropped {
            eprintln!("{} stays: {error}", self.name);
        }
    }
}

/// The address of a database on the server that all tests share.
pub(crate) fn server() -> String {
    std::env::var(SERVER)
        .unwrap_or_else(|_| panic!("{SERVER} names no PostgreSQL; `cargo xtask test` starts one"))
}

/// On a connection and in a runtime of its own, so that tests of every kind may ask.
pub(crate) fn query(url: &str, sql: &str) -> Result<Vec<Row>, String> {
    let ask = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let probe = tokio::time::timeout(TIMEOUT, async {
                let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
                let (found, _) = tokio::join!(
                    async {
                        let found = client.simple_query(sql).await;
                        drop(client);
                        found
                    },
                    connection
                );
                found
            });
            probe.await.map_err(|elapsed| elapsed.to_string())?.map_err(|error| described(&error))
        })
    };
    let found = thread::scope(|scope| scope.spawn(ask).join().expect("it does not panic"))?;
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
        }
        _ => None,
    };
    Ok(found.into_iter().filter_map(row).collect())
}

/// What the server says, or what is wrong with the connection.
fn described(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}
