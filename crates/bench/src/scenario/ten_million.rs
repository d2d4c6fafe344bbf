//! Ten million messages in the outbox, on both stores: what a new one costs then, and how long the start takes.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use super::{Folders, OURS, SQLITE, Stage, bare_library};
use crate::contender::{self, Switchboard, authorization};
use crate::latency::Summary;
use crate::load::{self, Door, Stretch};
use crate::postgres::Database;
use crate::report::{Goal, Measured, milliseconds, table, times};
use crate::world::World;

/// Callers: enough to be warm, few enough that no one waits for another.
const CALLERS: usize = 4;

/// Rows that one statement makes.
const PIECE: u64 = 500_000;

/// At most so many times the p99 of an empty store.
const TAIL: f64 = 2.0;

/// The start takes less than this.
const START: Duration = Duration::from_secs(2);

/// Tables of a message and their column that holds its id.
const TABLES: [(&str, &str); 2] = [("outbox", "id"), ("outbox_parts", "message_id")];

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct TenMillion {
    pub(crate) stored: u64,
    pub(crate) sqlite: Store,
    pub(crate) postgres: Store,
}

/// One store, empty and full; latencies in microseconds.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Store {
    pub(crate) empty: Summary,
    pub(crate) full: Summary,
    /// Milliseconds from the start with a full store to ready.
    pub(crate) start: u128,
    /// The size of the database, in bytes.
    pub(crate) bytes: u64,
    pub(crate) failures: usize,
}

impl Store {
    fn row(&self, name: &str) -> String {
        let tail = times(f64::from(self.full.p99), f64::from(self.empty.p99));
        let [empty, full] = [self.empty.p99, self.full.p99].map(milliseconds);
        format!("| {name} | {empty} | {full} | {tail} | {} | {} |", self.start, self.bytes / 1_000_000)
    }

    fn goals(&self, name: &str) -> [Goal; 3] {
        let (empty, full) = (f64::from(self.empty.p99), f64::from(self.full.p99));
        let start = START.as_millis();
        [
            Goal::new(
                format!("p99 of POST /v1/messages with a full outbox on {name}, of an empty one's"),
                format!("≤ {TAIL}×"),
                times(full, empty),
                self.full.count > 0 && full <= empty * TAIL,
            ),
            Goal::new(
                format!("start with a full outbox on {name}"),
                format!("< {start} ms"),
                format!("{} ms", self.start),
                self.start > 0 && self.start < start,
            ),
            Goal::new(format!("sends that failed on {name}"), "0", self.failures, self.failures == 0),
        ]
    }
}

impl Measured for TenMillion {
    fn text(&self) -> String {
        let rows = [self.sqlite.row("SQLite"), self.postgres.row("PostgreSQL")];
        format!(
            "## {} messages in the outbox\n\n`POST /v1/messages`, {CALLERS} callers, warm: with an empty store, and with so many sent \
             messages in it, which were written past the program.\n\n{}",
            self.stored,
            table("| | p99 empty, ms | p99 full, ms | ratio | start, ms | database, MB |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        self.sqlite.goals("SQLite").into_iter().chain(self.postgres.goals("PostgreSQL")).collect()
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<TenMillion> {
    let folders = Folders::fresh(&stage.work, "ten_million")?;
    let database = Database::fresh(stage.postgres.as_deref(), "bench_full").await?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (library, clients) = bare_library(&world).await?;
    drop(library);
    let chats: Vec<i64> = clients.iter().map(|client| client.user_id).collect();

    let file = folders.data.join("switchboard.db");
    let mut sqlite = Store::default();
    let place = (folders.data.as_path(), SQLITE);
    one(stage, &world, (place, &folders.logs), &chats, &mut sqlite, async || {
        let (file, stored) = (file.clone(), stage.pace.stored);
        tokio::task::spawn_blocking(move || fill_file(&file, stored)).await?
    })
    .await
    .context("SQLite")?;
    // Room for the other one.
    std::fs::remove_file(&file)?;

    let data = folders.data.with_extension("postgres");
    let mut postgres = Store::default();
    let place = (data.as_path(), database.url.as_str());
    one(stage, &world, (place, &folders.logs), &chats, &mut postgres, async || {
        fill_server(&database, stage.pace.stored).await
    })
    .await
    .context("PostgreSQL")?;
    world.stop().await?;
    Ok(TenMillion { stored: stage.pace.stored, sqlite, postgres })
}

/// Measures a store while it is empty, fills it, and measures it again.
async fn one(
    stage: &Stage,
    world: &World,
    (place, logs): ((&Path, &str), &Path),
    chats: &[i64],
    store: &mut Store,
    fill: impl AsyncFnOnce() -> Result<u64>,
) -> Result<()> {
    let start = async || contender::switchboard_on(&stage.switchboard, world, &[OURS], place, logs).await;
    let empty = start().await?;
    store.empty = sent(stage, &empty, chats, "empty", store).await?;
    empty.contender.program.stop().await?;
    store.bytes = fill().await.context("cannot fill it")?;
    let stored = start().await?;
    store.start = stored.contender.ready_after.as_millis();
    store.full = sent(stage, &stored, chats, "full", store).await?;
    stored.contender.program.stop().await
}

/// The latencies of sends, after as many that are not measured.
async fn sent(
    stage: &Stage,
    program: &Switchboard,
    chats: &[i64],
    label: &str,
    store: &mut Store,
) -> Result<Summary> {
    let stretch = |label: String| Stretch {
        address: program.main,
        door: Door::Messages,
        headers: authorization(),
        callers: CALLERS,
        keep: true,
        lasts: stage.pace.round,
        at_most: usize::MAX,
        label,
    };
    load::run(stretch(format!("{label}-warm")), chats).await?;
    let seen = load::run(stretch(label.to_owned()), chats).await?;
    store.failures += seen.failures;
    Ok(seen.latencies.summary())
}

/// A statement that makes rows like the newest one, each with an id of its own; `id` is the expression of the id.
fn filling(table: &str, columns: &[String], key: &str, id: &str, numbers: &str) -> String {
    let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
    let values: Vec<String> = columns
        .iter()
        .map(|column| if column == key { id.to_owned() } else { format!("one.\"{column}\"") })
        .collect();
    format!(
        "INSERT INTO {table} ({}) SELECT {} FROM {numbers}, (SELECT * FROM {table} ORDER BY {key} DESC LIMIT 1) AS one",
        names.join(", "),
        values.join(", ")
    )
}

/// Fills a file; its size.
fn fill_file(file: &Path, stored: u64) -> Result<u64> {
    let connection = rusqlite::Connection::open(file)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000;")?;
    for first in pieces(stored) {
        for (table, key) in TABLES {
            let columns: Vec<String> = connection
                .prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            // A day ago and on, in the order of the ids, as the program makes them.
            let id = "unhex(printf('%012x%020x', CAST((julianday('now', '-1 day') - 2440587.5) * 86400000 AS INTEGER), n.i))";
            let numbers = format!(
                "(WITH RECURSIVE numbers (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM numbers WHERE i < {}) SELECT i FROM numbers) AS n",
                first + PIECE.min(stored) - 1
            );
            connection.execute_batch(&filling(table, &columns, key, id, &numbers))?;
        }
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL;")?;
    drop(connection);
    std::fs::File::open(file)?.sync_all()?;
    Ok(std::fs::metadata(file)?.len())
}

/// Fills a database; its size.
async fn fill_server(database: &Database, stored: u64) -> Result<u64> {
    for first in pieces(stored) {
        for (table, key) in TABLES {
            let columns = database
                .ask(&format!(
                    "SELECT column_name FROM information_schema.columns
                     WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
                ))
                .await?;
            let id =
                "decode(lpad(to_hex((extract(epoch FROM now() - interval '1 day') * 1000)::bigint), 12, '0')
                || lpad(to_hex(n.i), 20, '0'), 'hex')";
            let last = first + PIECE.min(stored) - 1;
            let numbers = format!("generate_series({first}::bigint, {last}::bigint) AS n (i)");
            database.ask(&filling(table, &columns, key, id, &numbers)).await?;
        }
    }
    for (table, _) in TABLES {
        database.ask(&format!("VACUUM (ANALYZE) {table}")).await?;
    }
    database.ask("CHECKPOINT").await?;
    let size = database.ask("SELECT pg_database_size(current_database())::text").await?;
    size.first().context("no size")?.parse().context("a size")
}

/// The first number of each piece.
fn pieces(stored: u64) -> impl Iterator<Item = u64> {
    let step = usize::try_from(PIECE.min(stored.max(1))).unwrap_or(usize::MAX);
    (1..=stored).step_by(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn slow_sends_and_slow_starts_miss_the_goal() {
        let store = |p99, start| Store {
            empty: Summary { count: 1, p99: 1000, ..Summary::default() },
            full: Summary { count: 1, p99, ..Summary::default() },
            start,
            bytes: 3_000_000,
            failures: 0,
        };
        let of =
            |p99, start| TenMillion { stored: 5, sqlite: store(2000, 1999), postgres: store(p99, start) };
        assert_missed(&of(2000, 1999), 0);
        assert_missed(&of(2001, 2000), 2);
        assert!(
            of(2000, 100).text().contains("| PostgreSQL | 1.00 | 2.00 | 2.00× | 100 | 3 |"),
            "{}",
            of(2000, 100).text()
        );
    }

    #[test]
    fn pieces_make_all_rows() {
        assert_eq!(pieces(200_000).collect::<Vec<_>>(), [1]);
        assert_eq!(pieces(10_000_000).count(), 20);
    }
}
