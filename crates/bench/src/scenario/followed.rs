//! Sends that others hear of: with a webhook and a reader of the events against without, by turns on one program.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::received::{line, message_of, reader};
use super::webhooks::{Post, endpoint};
use super::{Folders, OURS, Stage, bare_library};
use crate::contender::{self, Switchboard};
use crate::http;
use crate::latency::{Latencies, Summary};
use crate::ledger::Audit;
use crate::load::{self, Door, LoadReport, Stretch};
use crate::report::{Goal, Measured, milliseconds, table, times};
use crate::world::World;

/// People who send at once.
const CALLERS: usize = 32;

/// The time between two sends of one of them: together 320 a second, which no side has to queue for.
const EVERY: Duration = Duration::from_millis(100);

/// At most so many times the p50 without.
const MOST: f64 = 1.5;

/// Events that are kept, more than there are.
const EVENTS: usize = 1_000_000;

/// What others hear of each send.
const KIND: &str = "message.accepted";

/// Until when the last of a round is heard of.
const LIMIT: Duration = Duration::from_secs(30);

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Followed {
    /// While no one hears of the sends.
    pub(crate) alone: Summary,
    /// While a webhook and a reader do.
    pub(crate) heard: Summary,
    /// Messages that were sent while both did, and how many of them each heard of.
    pub(crate) sent: usize,
    pub(crate) posted: usize,
    pub(crate) read: usize,
    pub(crate) failures: usize,
    pub(crate) audit: Audit,
}

impl Followed {
    fn ratio(&self) -> f64 {
        f64::from(self.heard.p50) / f64::from(self.alone.p50.max(1))
    }
}

impl Measured for Followed {
    fn text(&self) -> String {
        let Self { alone, heard: followed, .. } = self;
        let row = |name: &str, alone: u32, followed: u32| {
            let ratio = times(f64::from(followed), f64::from(alone));
            format!("| {name}, ms | {} | {} | {ratio} |", milliseconds(alone), milliseconds(followed))
        };
        let rows = [
            row("p50", alone.p50, followed.p50),
            row("p90", alone.p90, followed.p90),
            row("p99", alone.p99, followed.p99),
            format!("| sent | {} | {} | |", alone.count, followed.count),
            format!("| heard of by the webhook | – | {} | |", self.posted),
            format!("| heard of by the reader | – | {} | |", self.read),
        ];
        format!(
            "## Sends that others hear of\n\n`POST /v1/messages`, {CALLERS} callers with {} ms between two sends of each; by turns \
             with a webhook and a reader of `GET /v1/events`, both of which hear of each message, and without. The endpoint and the \
             reader run in the process of the load.\n\n{}",
            EVERY.as_millis(),
            table("| | without | with both | ratio |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let ratio = self.ratio();
        vec![
            Goal::new(
                "sends that others hear of, p50, of that without",
                format!("≤ {MOST}×"),
                times(f64::from(self.heard.p50), f64::from(self.alone.p50)),
                self.alone.count > 0 && self.heard.count > 0 && ratio <= MOST,
            ),
            Goal::all(
                "sends that a webhook and a reader hear of",
                self.sent > 0 && self.posted >= self.sent && self.read >= self.sent,
            ),
            Goal::new("sends beside them that failed", "0", self.failures, self.failures == 0),
            Goal::once("sends beside them, in the ledger exactly once", &self.audit),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Followed> {
    let folders = Folders::fresh(&stage.work, "followed")?;
    let mut world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let (library, clients) = bare_library(&world).await?;
    drop(library);
    let chats: Vec<i64> = clients.iter().map(|client| client.user_id).collect();
    world.keep_events(EVENTS)?;
    let ours =
        contender::switchboard(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs).await?;
    let mut measured = Followed::default();
    let (mut alone, mut followed) = (Latencies::default(), Latencies::default());
    load(ours.main, "warm", stage.pace.warm_up, &chats).await?;
    world.new_rows().await?;
    for round in 0..stage.pace.rounds {
        for turn in 0..2 {
            let is_followed = (round + turn) % 2 == 1;
            let followers = if is_followed { Some(Followers::begin(&ours).await?) } else { None };
            let seen = load(ours.main, &format!("{round}-{turn}"), stage.pace.round, &chats).await?;
            measured.failures += seen.failures;
            measured.audit.add(&Audit::of(&seen.claims, &world.new_rows().await?));
            if let Some(followers) = followers {
                let sent = seen.claims.len();
                let (posted, read) = followers.end(&ours, sent).await?;
                measured.sent += sent;
                measured.posted += posted.min(sent);
                measured.read += read.min(sent);
                followed.extend(&seen.latencies);
            } else {
                alone.extend(&seen.latencies);
            }
        }
    }
    (measured.alone, measured.heard) = (alone.summary(), followed.summary());
    ours.contender.program.stop().await?;
    world.stop().await?;
    Ok(measured)
}

/// All callers send for a while.
async fn load(address: SocketAddr, label: &str, lasts: Duration, chats: &[i64]) -> Result<LoadReport> {
    let stretch = Stretch {
        address,
        door: Door::Messages,
        headers: contender::authorization(),
        callers: CALLERS,
        keep: true,
        lasts,
        at_most: usize::MAX,
        label: format!("f{label}"),
    };
    load::run_paced(stretch, chats, EVERY).await
}

/// A webhook and a reader, each of which counts the messages that it hears of.
struct Followers {
    webhook: String,
    posted: Arc<AtomicUsize>,
    read: Arc<AtomicUsize>,
    /// They end with this.
    _tasks: JoinSet<Result<()>>,
}

impl Followers {
    async fn begin(ours: &Switchboard) -> Result<Self> {
        let (address, posts) = endpoint().await?;
        let hook = json!({ "url": format!("http://{address}/hook"), "events": [KIND] });
        let made: Value = http::post(ours.main, "/v1/webhooks", &contender::authorization(), &hook).await?;
        let webhook = made["id"].as_str().context("a webhook without an id")?.to_owned();
        let connection = reader(ours.main, KIND).await?;
        let (posted, read) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(count_posts(posts, Arc::clone(&posted)));
        tasks.spawn(count_lines(connection, Arc::clone(&read)));
        Ok(Self { webhook, posted, read, _tasks: tasks })
    }

    /// Waits until both have heard of so many messages, and removes them. How many each has heard of.
    async fn end(self, ours: &Switchboard, sent: usize) -> Result<(usize, usize)> {
        let counts = || (self.posted.load(Ordering::Relaxed), self.read.load(Ordering::Relaxed));
        let all = async {
            while counts().0 < sent || counts().1 < sent {
                sleep(Duration::from_millis(10)).await;
            }
        };
        // One that does not hear of all by then misses its goal.
        let _ = timeout(LIMIT, all).await;
        let path = format!("/v1/webhooks/{}", self.webhook);
        http::send(ours.main, "DELETE", &path, &contender::authorization()).await?;
        Ok(counts())
    }
}

/// Counts the messages that are posted, each once.
async fn count_posts(mut posts: mpsc::Receiver<Post>, count: Arc<AtomicUsize>) -> Result<()> {
    let mut seen = HashSet::new();
    while let Some(post) = posts.recv().await {
        if post.message.is_some_and(|message| seen.insert(message)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
    bail!("the endpoint is gone")
}

/// Counts the messages in a stream of events, each once.
async fn count_lines(mut connection: TcpStream, count: Arc<AtomicUsize>) -> Result<()> {
    let (mut seen, mut unread) = (HashSet::new(), String::new());
    loop {
        let line = line(&mut connection, &mut unread).await?;
        if message_of(&line).is_some_and(|message| seen.insert(message)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn delay_loss_and_failures_are_judged() {
        let times = |p50| Summary { count: 10, p50, ..Summary::default() };
        let audit = |missing| Audit { confirmed: 20, missing, ..Audit::default() };
        let well = Followed {
            alone: times(1_000),
            heard: times(1_500),
            sent: 10,
            posted: 10,
            read: 10,
            failures: 0,
            audit: audit(0),
        };
        assert_missed(&well, 0);
        assert!(well.text().contains("| p50, ms | 1.00 | 1.50 | 1.50× |"));
        let ill =
            Followed { heard: times(1_501), read: 9, failures: 1, audit: audit(1), ..Followed::default() };
        assert_missed(&Followed { alone: times(1_000), sent: 10, posted: 10, ..ill }, 4);
        assert_missed(&Followed::default(), 3);
    }
}
