//! An account that is held back for a year, with all that waits for it: what that costs those who send through another one.

use std::path::Path;
use std::time::Duration;

use ambient::Ids;
use anyhow::{Context, Result, bail};
use domain::account::Operation;
use domain::message::{Content, MessageState, OnFlood, OutboundMessage, Part};
use domain::text::{FormattedText, ParseMode};
use domain::{ChatId, ChatRef, Timestamp};
use serde::Serialize;
use store::{Accept, Hold, Origin, Queue};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{Folders, OURS, SQLITE, Stage, THEIRS, bare_library, open_store};
use crate::contender::{self, authorization};
use crate::latency::{Latencies, Summary};
use crate::load::{self, Door, Stretch};
use crate::postgres::Database;
use crate::program::empty_folder;
use crate::report::{Goal, Measured, megabytes, milliseconds, table};
use crate::usage;
use crate::world::World;

/// Callers that send at once.
const CALLERS: usize = 4;

/// Messages that are written beside each other.
const TOGETHER: usize = 1_024;

/// How long the account is held back.
const HELD: Duration = Duration::from_hours(365 * 24);

/// How many times slower the slowest of a hundred requests may become.
const SLOWER: f64 = 2.0;

/// Until when it takes requests, whatever waits.
const START: Duration = Duration::from_secs(2);

/// Memory that all that waits may take, in kilobytes.
const MEMORY: u64 = 30_000;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct DeadChannel {
    pub(crate) waiting: usize,
    pub(crate) scheduled: usize,
    pub(crate) sqlite: Sides,
    /// None where there is no server.
    pub(crate) postgres: Option<Sides>,
}

/// A store before and after.
#[derive(Debug, Serialize)]
pub(crate) struct Sides {
    pub(crate) without: Side,
    pub(crate) with: Side,
}

/// A run with what waits, or without.
#[derive(Debug, Serialize)]
pub(crate) struct Side {
    /// From the start until it takes requests, in milliseconds.
    pub(crate) ready_after: u128,
    /// Kilobytes after a rest, without pages of files.
    pub(crate) memory: u64,
    pub(crate) times: Summary,
    /// Requests that were not answered with "sent".
    pub(crate) failures: usize,
}

impl Sides {
    fn slower(&self) -> f64 {
        f64::from(self.with.times.p99) / f64::from(self.without.times.p99.max(1))
    }

    fn rows(&self, name: &str) -> [String; 5] {
        let Self { without, with } = self;
        let [less, more] = [without, with].map(|side| (megabytes(side.memory), side.times));
        [
            format!("| {name}: start to ready, ms | {} | {} |", without.ready_after, with.ready_after),
            format!("| … anonymous memory after a rest, MB | {} | {} |", less.0, more.0),
            format!("| … p50, ms | {} | {} |", milliseconds(less.1.p50), milliseconds(more.1.p50)),
            format!("| … p99, ms | {} | {} |", milliseconds(less.1.p99), milliseconds(more.1.p99)),
            format!("| … not sent | {} | {} |", without.failures, with.failures),
        ]
    }

    fn goals(&self, name: &str) -> [Goal; 4] {
        let Self { without, with } = self;
        let slower = self.slower();
        let start = START.as_millis();
        let more = with.memory.saturating_sub(without.memory);
        [
            Goal::new(
                format!("p99 of `POST /v1/messages` beside a dead channel on {name}"),
                format!("≤ {SLOWER}×"),
                format!("{slower:.2}×"),
                with.times.count > 0 && slower <= SLOWER,
            ),
            Goal::new(
                format!("start beside a dead channel on {name}"),
                format!("< {start} ms"),
                format!("{} ms", with.ready_after),
                with.ready_after < start,
            ),
            Goal::memory(format!("anonymous memory that a dead channel takes on {name}"), MEMORY, more),
            Goal::new(
                format!("requests refused beside a dead channel on {name}"),
                0,
                with.failures,
                with.failures == 0,
            ),
        ]
    }
}

impl Measured for DeadChannel {
    fn text(&self) -> String {
        let postgres = self.postgres.iter().flat_map(|sides| sides.rows("PostgreSQL"));
        format!(
            "## A dead channel\n\nAn account is held back for a year; {} messages wait for it and {} more for their time. \
             {CALLERS} callers send by `POST /v1/messages` through another account, before and after a start with all of \
             that.\n\n{}",
            self.waiting,
            self.scheduled,
            table(
                "| | nothing waits | all of it waits |",
                self.sqlite.rows("SQLite").into_iter().chain(postgres)
            )
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let postgres = self.postgres.iter().flat_map(|sides| sides.goals("PostgreSQL"));
        self.sqlite.goals("SQLite").into_iter().chain(postgres).collect()
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<DeadChannel> {
    let folders = Folders::fresh(&stage.work, "dead_channel")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (library, clients) = bare_library(&world).await?;
    drop(library);
    let chats: Vec<i64> = clients.iter().map(|client| client.user_id).collect();
    let sqlite =
        sides(stage, &world, (&folders.data, None), &folders.logs, &chats).await.context("SQLite")?;
    let postgres = match stage.postgres.as_deref() {
        None => None,
        server => {
            let database = Database::fresh(server, "bench_dead_channel").await?;
            let data = folders.data.with_extension("postgres");
            let location = (data.as_path(), Some(&database));
            Some(sides(stage, &world, location, &folders.logs, &chats).await.context("PostgreSQL")?)
        }
    };
    world.stop().await?;
    let (waiting, scheduled) = stage.pace.waiting;
    Ok(DeadChannel { waiting, scheduled, sqlite, postgres })
}

/// Both sides of a store: its folder, and its database on PostgreSQL.
async fn sides(
    stage: &Stage,
    world: &World,
    (folder, database): (&Path, Option<&Database>),
    logs: &Path,
    chats: &[i64],
) -> Result<Sides> {
    let location = (folder, database.map_or(SQLITE, |database| database.url.as_str()));
    empty_folder(folder)?;
    let accounts = [OURS, THEIRS];
    // The first run reads the dialogs.
    let mut first = contender::switchboard_on(&stage.switchboard, world, &accounts, location, logs).await?;
    first.all_read().await?;
    first.contender.program.stop().await?;
    hold(location).await?;
    let without = side(stage, world, location, logs, chats, "without").await?;
    let (waiting, scheduled) = stage.pace.waiting;
    fill(location, chats, waiting, scheduled).await?;
    if let Some(database) = database {
        // As autovacuum does within a minute of so many rows.
        database.ask("VACUUM (ANALYZE)").await?;
    }
    let with = side(stage, world, location, logs, chats, "with").await?;
    Ok(Sides { without, with })
}

async fn side(
    stage: &Stage,
    world: &World,
    location: (&Path, &str),
    logs: &Path,
    chats: &[i64],
    label: &str,
) -> Result<Side> {
    let accounts = [OURS, THEIRS];
    let ours = contender::switchboard_on(&stage.switchboard, world, &accounts, location, logs).await?;
    let mut times = Latencies::default();
    let mut failures = 0;
    for round in 0..=stage.pace.rounds {
        let stretch = Stretch {
            address: ours.main,
            door: Door::Messages,
            headers: authorization(),
            callers: CALLERS,
            keep: true,
            lasts: if round == 0 { stage.pace.warm_up } else { stage.pace.round },
            at_most: usize::MAX,
            label: format!("{label}-{round}"),
        };
        let seen = load::run(stretch, chats).await?;
        if let Some(failure) = seen.first_failure {
            bail!("{} requests failed, first: {failure}", seen.failures);
        }
        // The first one is the warm-up.
        if round > 0 {
            times.extend(&seen.latencies);
            failures += seen.failures;
        }
    }
    sleep(stage.pace.rest).await;
    let memory = usage::memory(ours.contender.program.pid())?.anonymous;
    let ready_after = ours.contender.ready_after.as_millis();
    ours.contender.program.stop().await?;
    Ok(Side { ready_after, memory, times: times.summary(), failures })
}

/// Holds the account back.
async fn hold(location: (&Path, &str)) -> Result<()> {
    let (store, clock) = open_store(location).await?;
    let hold = Hold::Flood {
        account: THEIRS.parse()?,
        operation: Operation::SendMessage,
        until: clock.now().plus(HELD),
    };
    store.accounts().save_hold(hold).await?;
    store.close().await;
    Ok(())
}

/// Accepts so many messages for the account, some of them with a time to come.
async fn fill(location: (&Path, &str), chats: &[i64], waiting: usize, scheduled: usize) -> Result<()> {
    let (store, clock) = open_store(location).await?;
    let ids = Ids::new(clock.clone());
    let mut writes = JoinSet::new();
    for number in 0..waiting + scheduled {
        let user = chats.get(number % chats.len()).context("no chats")?;
        let user = ChatId::new(*user).context("no chat id")?;
        let send_at = (number >= waiting).then(|| clock.now().plus(HELD));
        let message = message(&ids, user, clock.now(), send_at)?;
        let accept = Accept {
            message,
            origin: Origin { listener: "v1".into(), api_key: None, address: None },
            idempotency: None,
            join: None,
            queue: Queue::Pinned(THEIRS.parse()?),
        };
        let store = store.clone();
        writes.spawn(async move { store.outbox().accept(accept).await });
        while writes.len() >= TOGETHER {
            writes.join_next().await.context("none is written")???;
        }
    }
    while let Some(written) = writes.join_next().await {
        written??;
    }
    store.close().await;
    Ok(())
}

fn message(ids: &Ids, chat: ChatId, now: Timestamp, send_at: Option<Timestamp>) -> Result<OutboundMessage> {
    let text = FormattedText::plain("Your parcel is on its way, as soon as someone can write to you again.");
    let id = ids.next();
    Ok(OutboundMessage {
        id: domain::MessageId::from_uuid(id),
        chat: ChatRef::Id(chat),
        address: Some(domain::Address::Telegram(chat)),
        pin: Some(THEIRS.parse()?),
        account: None,
        content: Content {
            text: text.clone(),
            parse_mode: ParseMode::None,
            reply_to: None,
            mention: None,
            mention_optional: false,
            written_by: domain::message::Writer::Program,
            silent: false,
            preview: false,
            media: Vec::new(),
            provider_options: None,
        },
        parts: vec![Part::of_text(
            0,
            text,
            i64::from_le_bytes(std::array::from_fn(|n| id.as_bytes()[8 + n])),
        )],
        state: if send_at.is_some() { MessageState::Scheduled } else { MessageState::Queued },
        failure: None,
        on_flood: OnFlood::Wait,
        send_at,
        created_at: now,
        updated_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    fn side(ready_after: u128, memory: u64, p99: u32, failures: usize) -> Side {
        Side { ready_after, memory, times: Summary { count: 1, p99, ..Summary::default() }, failures }
    }

    #[test]
    fn slowing_others_by_a_dead_channel_misses_the_goals() {
        let without = || side(300, 20_000, 900, 0);
        let of = |with, postgres| DeadChannel {
            waiting: 2,
            scheduled: 1,
            sqlite: Sides { without: without(), with },
            postgres,
        };
        assert_missed(&of(side(400, 30_000, 1_700, 0), None), 0);
        let dear = Sides { without: without(), with: side(2_400, 90_000, 2_000, 3) };
        let both = of(side(400, 30_000, 1_700, 0), Some(dear));
        assert_missed(&both, 4);
        assert!(both.text().contains("| PostgreSQL: start to ready, ms | 300 | 2400 |"), "{}", both.text());
    }
}
