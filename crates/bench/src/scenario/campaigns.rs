//! A campaign with a million chats, on both stores: how long the import takes and what it costs in memory, how fast workers get
//! their next chat, and how long the forecast and the numbers of a run take.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ambient::Ids;
use anyhow::{Context, Result, bail};
use domain::{AttemptState, CampaignAttemptId, CampaignRunId, CampaignRunState, CampaignSender, SenderCaps};
use serde::Serialize;
use serde_json::{Value, json};
use store::{AttemptEnd, Claim, Claiming, NewRun, NextTurn, RunChange};
use tokio::task::JoinSet;

use super::{Folders, OURS, SQLITE, Stage, open_store};
use crate::contender::{self, authorization};
use crate::postgres::Database;
use crate::program::empty_folder;
use crate::report::{Goal, Measured, megabytes, table};
use crate::world::World;
use crate::{http, usage};

/// Workers that ask for their next chat at once, each for a sender of its own.
const WORKERS: usize = 50;

/// What a million chats may take.
const IMPORT: Duration = Duration::from_secs(30);
const CLAIMS_A_SECOND: u128 = 2_000;
const MEMORY: u64 = 100_000;
const FORECAST: Duration = Duration::from_secs(2);
const NUMBERS: Duration = Duration::from_millis(300);

/// The name of the campaign, and where it is.
const NAME: &str = "bench";
const PATH: &str = "/v1/campaigns/bench";

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Campaigns {
    pub(crate) chats: usize,
    pub(crate) claims: usize,
    pub(crate) sqlite: Store,
    /// None where there is no server.
    pub(crate) postgres: Option<Store>,
}

/// One store; times in milliseconds, those of answers the fastest of three.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Store {
    pub(crate) import: u128,
    /// Kilobytes that the server had more at most while it imported and foresaw.
    pub(crate) memory: u64,
    pub(crate) forecast: u128,
    /// Claims a second; each attempt was ended too.
    pub(crate) claims_a_second: u128,
    /// The slowest of the calls that the page of a campaign makes whose run has written to all chats.
    pub(crate) numbers: u128,
}

impl Store {
    fn row(&self, name: &str) -> String {
        let Self { import, memory, forecast, claims_a_second, numbers } = self;
        let memory = megabytes(*memory);
        format!("| {name} | {import} | {memory} | {forecast} | {claims_a_second} | {numbers} |")
    }

    fn goals(&self, name: &str) -> [Goal; 5] {
        let time = |what: &str, limit: Duration, took: u128| {
            let limit = limit.as_millis();
            Goal::new(
                format!("{what} of a large campaign on {name}"),
                format!("< {limit} ms"),
                format!("{took} ms"),
                took < limit,
            )
        };
        [
            time("import", IMPORT, self.import),
            Goal::memory(format!("memory that a large campaign takes on {name}"), MEMORY, self.memory),
            time("forecast", FORECAST, self.forecast),
            Goal::new(
                format!("claims a second of {WORKERS} workers on {name}"),
                format!("≥ {CLAIMS_A_SECOND}"),
                self.claims_a_second,
                self.claims_a_second >= CLAIMS_A_SECOND,
            ),
            time("numbers of a run", NUMBERS, self.numbers),
        ]
    }
}

impl Measured for Campaigns {
    fn text(&self) -> String {
        let postgres = self.postgres.iter().map(|store| store.row("PostgreSQL"));
        format!(
            "## A campaign with {} chats\n\nThe chats come in one `POST /v1/campaigns/{{name}}/tasks`; the forecast, and the numbers of \
             a run that has written to all of them, come over the API, the numbers as the slowest of the four calls of the campaign's \
             page. {WORKERS} workers, which are its senders then, claim {} chats and end each attempt, in the \
             store.\n\n{}",
            self.chats,
            self.claims,
            table(
                "| | import, ms | memory, MB more | forecast, ms | claims a second | numbers of a run, ms |",
                [self.sqlite.row("SQLite")].into_iter().chain(postgres)
            )
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let postgres = self.postgres.iter().flat_map(|store| store.goals("PostgreSQL"));
        self.sqlite.goals("SQLite").into_iter().chain(postgres).collect()
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Campaigns> {
    let folders = Folders::fresh(&stage.work, "campaigns")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (chats, claims) = stage.pace.campaign;
    let list = folders.logs.join("chats.txt");
    let lines: Vec<_> = (1..=chats).map(|number| format!("@client_of_ours_{number}")).collect();
    std::fs::write(&list, lines.join("\n"))?;
    let of = async |data: &Path, database: Option<&Database>| {
        one(stage, &world, (data, database), &folders.logs, &list).await
    };
    let sqlite = of(&folders.data, None).await.context("SQLite")?;
    let postgres = match stage.postgres.as_deref() {
        None => None,
        server => {
            let database = Database::fresh(server, "bench_campaigns").await?;
            let data = folders.data.with_extension("postgres");
            Some(of(&data, Some(&database)).await.context("PostgreSQL")?)
        }
    };
    world.stop().await?;
    Ok(Campaigns { chats, claims, sqlite, postgres })
}

async fn one(
    stage: &Stage,
    world: &World,
    (data, database): (&Path, Option<&Database>),
    logs: &Path,
    list: &Path,
) -> Result<Store> {
    let location = (data, database.map_or(SQLITE, |database| database.url.as_str()));
    empty_folder(data)?;
    let start = async || contender::switchboard_on(&stage.switchboard, world, &[OURS], location, logs).await;
    let mut measured = Store::default();
    let (chats, claims) = stage.pace.campaign;

    let ours = start().await?;
    make(ours.main).await?;
    let pid = ours.contender.program.pid();
    let before = usage::memory_from_now_on(pid)?.now;
    let begun = Instant::now();
    let imported = http::post_file(ours.main, &format!("{PATH}/tasks"), &authorization(), list).await?;
    measured.import = begun.elapsed().as_millis();
    if imported["added"] != chats {
        bail!("not all chats were taken: {imported}");
    }
    let (took, foreseen) = fastest(ours.main, &format!("{PATH}/forecast")).await?;
    measured.forecast = took;
    if foreseen["recipients"] != chats {
        bail!("not all chats were foreseen: {foreseen}");
    }
    measured.memory = usage::memory(pid)?.highest.saturating_sub(before);
    ours.contender.program.stop().await?;

    measured.claims_a_second = claim(location, claims).await?;
    fill(data, database).await?;
    let ours = start().await?;
    let (took, shown) = fastest(ours.main, PATH).await?;
    measured.numbers = took;
    for (rest, list) in [("/attempts?limit=50", "items"), ("/hours", "hours"), ("/runs?limit=10", "items")] {
        let (took, shown) = fastest(ours.main, &format!("{PATH}{rest}")).await?;
        measured.numbers = measured.numbers.max(took);
        if shown[list].as_array().is_none_or(|rows| rows.iter().all(|row| row["sent"] == 0)) {
            bail!("{rest} shows nothing: {shown}");
        }
    }
    ours.contender.program.stop().await?;
    if shown["run"]["attempts"]["sent"] != chats {
        bail!("not all attempts were counted: {shown}");
    }
    Ok(measured)
}

/// A campaign with a sender and a message.
async fn make(main: SocketAddr) -> Result<()> {
    for (path, body) in [
        ("/v1/campaigns", json!({ "name": NAME })),
        ("/v1/campaigns/bench/senders", json!({ "accounts": [OURS] })),
        ("/v1/campaigns/bench/messages", json!({ "file": "[\"Hello, {{name|client}}\"]" })),
    ] {
        http::post(main, path, &authorization(), &body).await?;
    }
    Ok(())
}

/// The fastest of three answers, in milliseconds.
async fn fastest(main: SocketAddr, path: &str) -> Result<(u128, Value)> {
    let mut best = None::<(u128, Value)>;
    for _ in 0..3 {
        let requested_at = Instant::now();
        let answer = http::get(main, path, &authorization()).await?;
        let took = requested_at.elapsed().as_millis();
        if best.as_ref().is_none_or(|(best, _)| took < *best) {
            best = Some((took, answer));
        }
    }
    best.context("it was not asked for")
}

/// Lets the workers claim so many chats and end the attempts; claims a second. The run is over then, and they are senders of the
/// campaign.
async fn claim(location: (&Path, &str), claims: usize) -> Result<u128> {
    let (store, clock) = open_store(location).await?;
    let ids = Ids::new(clock.clone());
    let (run, now) = (CampaignRunId::from_uuid(ids.next()), clock.now());
    let new = NewRun { id: run, campaign: NAME.to_owned(), cycles: 1, canary: None, now, starts_at: now };
    store.campaigns().begin(new).await?;
    let named = |worker: usize| -> Result<CampaignSender> {
        Ok(CampaignSender::Account(format!("worker_{worker}").parse()?))
    };
    let senders = (0..WORKERS).map(named).collect::<Result<Vec<_>>>()?;
    let left = Arc::new(AtomicUsize::new(claims));
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for sender in senders.clone() {
        let (store, clock, ids, left) = (store.clone(), clock.clone(), ids.clone(), Arc::clone(&left));
        workers.spawn(async move {
            let take = |left: usize| left.checked_sub(1);
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
                let claiming = Claiming {
                    run,
                    sender: sender.clone(),
                    id: CampaignAttemptId::from_uuid(ids.next()),
                    // No worker is to wait for its cap.
                    caps: SenderCaps { hour: u32::MAX, day: u32::MAX },
                    person: None,
                    counted_with: Vec::new(),
                    between_cycles: Duration::ZERO,
                    now: clock.now(),
                };
                let Claim::Task(attempt) = store.campaigns().claim(claiming).await? else {
                    bail!("there was no chat for a worker");
                };
                let end = AttemptEnd {
                    attempt: *attempt,
                    state: AttemptState::Sent,
                    code: None,
                    detail: None,
                    outbox_id: None,
                    next: NextTurn::NextCycle,
                    sender: None,
                    now: clock.now(),
                };
                store.campaigns().end(end).await?;
            }
            Ok(())
        });
    }
    while let Some(worked) = workers.join_next().await {
        worked??;
    }
    let took = begun.elapsed().as_millis().max(1);
    store.campaigns().add_senders(NAME, senders, clock.now()).await?;
    let over = RunChange { state: CampaignRunState::Stopped, reason: None, canary: None, now: clock.now() };
    store.campaigns().change_run(run, over).await?.context("no run")?;
    store.close().await;
    Ok(u128::try_from(claims)? * 1_000 / took)
}

/// What the program counts while it writes attempts.
const COUNT: &str = "UPDATE campaign_counts SET attempts = (
    SELECT count(*) FROM campaign_attempts AS one WHERE one.run_id = campaign_counts.run_id)";

/// How long before the last attempt that of a chat ended, in microseconds: as fast as the daily ceiling of all workers allows.
const BEFORE: &str = "task.place * CAST(3456000 AS BIGINT)";

/// Writes past the program what the run would have of all other chats: attempts like those that were made, of all workers.
async fn fill(data: &Path, database: Option<&Database>) -> Result<()> {
    let names = "id, run_id, campaign, cycle, chat, sender, state, code, detail, peer, message, text, parse_mode, \
                 outbox_id, claimed_at, ended_at";
    let values = format!(
        "run_id, one.campaign, cycle, task.chat, 'account:worker_' || (task.place % {WORKERS}), 20, NULL, NULL, NULL, NULL, NULL, \
         NULL, NULL, claimed_at - {BEFORE}, ended_at - {BEFORE}"
    );
    let rest = "campaign_tasks AS task, (SELECT * FROM campaign_attempts ORDER BY id DESC LIMIT 1) AS one
        WHERE task.turn = 0";
    match database {
        None => {
            let file = data.join("switchboard.db");
            let statement = format!(
                "INSERT INTO campaign_attempts ({names}) SELECT randomblob(16), {values} FROM {rest}"
            );
            tokio::task::spawn_blocking(move || -> Result<()> {
                let connection = rusqlite::Connection::open(file)?;
                connection.execute_batch(&statement)?;
                Ok(connection.execute_batch(COUNT)?)
            })
            .await??;
        }
        Some(database) => {
            let id = "decode(replace(gen_random_uuid()::text, '-', ''), 'hex')";
            database
                .ask(&format!("INSERT INTO campaign_attempts ({names}) SELECT {id}, {values} FROM {rest}"))
                .await?;
            database.ask(COUNT).await?;
            // As autovacuum does within a minute of so many rows.
            database.ask("VACUUM (ANALYZE)").await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn slow_or_large_results_miss_the_goals() {
        let good = || Store {
            import: 29_999,
            memory: 99_999,
            forecast: 1_999,
            claims_a_second: 2_000,
            numbers: 299,
        };
        let of = |postgres| Campaigns { chats: 1, claims: 1, sqlite: good(), postgres };
        assert_missed(&of(Some(good())), 0);
        let bad =
            Store { import: 30_000, memory: 100_000, forecast: 2_000, claims_a_second: 1_999, numbers: 300 };
        let both = of(Some(bad));
        assert_missed(&both, 5);
        assert!(both.text().contains("| PostgreSQL | 30000 | 97.6 | 2000 | 1999 | 300 |"), "{}", both.text());
    }
}
