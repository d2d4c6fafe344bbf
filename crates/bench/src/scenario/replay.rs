//! A replay of all events to one webhook: whether each is posted once, how little of it is in memory, and how long new
//! events take meanwhile.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use ambient::Ids;
use anyhow::{Context, Result};
use domain::{EventFilter, EventId, Timestamp, WebhookId};
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::webhooks::{Post, endpoint, produce, webhook};
use super::{Folders, OURS, SQLITE, Stage, open_store};
use crate::contender;
use crate::http;
use crate::latency::{Latencies, Summary};
use crate::program::empty_folder;
use crate::report::{Goal, Measured, megabytes, milliseconds, table};
use crate::usage;
use crate::world::World;

/// The most anonymous memory that a replay may take, in kilobytes, however long it is.
const MEMORY: u64 = 48 * 1024;

/// How long a new event may take to the webhook meanwhile, in microseconds.
const P99: u32 = 1_000_000;

/// The time between two messages that are sent meanwhile.
const BETWEEN: Duration = Duration::from_millis(100);

/// Posts between two looks at the memory.
const LOOK: usize = 5_000;

/// Until when the next old event comes.
const LIMIT: Duration = Duration::from_mins(1);

/// How long the endpoint hears nothing more at an end.
const QUIET: Duration = Duration::from_secs(2);

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Replay {
    pub(crate) events: usize,
    /// Of them, those that were posted.
    pub(crate) posted: usize,
    /// From the call to the last of them.
    pub(crate) seconds: f64,
    /// Messages sent meanwhile, each with an event.
    pub(crate) sent: usize,
    /// From before the call that sends one to the post of its event.
    pub(crate) times: Summary,
    /// Events posted more than once, old or new.
    pub(crate) repeated: usize,
    /// Kilobytes before, and the most while it went on.
    pub(crate) before: u64,
    pub(crate) most: u64,
}

impl Replay {
    #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
    fn a_second(&self) -> f64 {
        self.posted as f64 / self.seconds
    }
}

impl Measured for Replay {
    fn text(&self) -> String {
        let rows = [
            format!("| events a second | {:.0} |", self.a_second()),
            format!("| posted more than once | {} |", self.repeated),
            format!("| anonymous memory before, MB | {} |", megabytes(self.before)),
            format!("| … at most meanwhile, MB | {} |", megabytes(self.most)),
            format!("| new event to endpoint, p50, ms | {} |", milliseconds(self.times.p50)),
            format!("| … p99, ms | {} |", milliseconds(self.times.p99)),
        ];
        format!(
            "## A replay\n\n{} events of the past are posted to a fast endpoint on this machine, after \
             `POST /v1/webhooks/{{id}}/replay`; meanwhile {} messages are sent, ten a second, whose events go to it too. The \
             times begin before the call that sends.\n\n{}",
            self.events,
            self.sent,
            table("| | Switchboard |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let whole = self.posted == self.events && self.times.count == self.sent && self.repeated == 0;
        let more = self.most.saturating_sub(self.before);
        vec![
            Goal::all("events of a replay and new ones, each posted once", whole),
            Goal::memory(
                format!("anonymous memory that a replay of {} events takes", self.events),
                MEMORY,
                more,
            ),
            Goal::new(
                "new event to webhook beside a replay, p99",
                format!("< {} ms", milliseconds(P99)),
                format!("{} ms", milliseconds(self.times.p99)),
                self.times.count > 0 && self.times.p99 < P99,
            ),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Replay> {
    let folders = Folders::fresh(&stage.work, "replay")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let events = stage.pace.replayed;
    world.keep_events(2 * events)?;
    let (address, mut posts) = endpoint().await?;
    empty_folder(&folders.data)?;
    let past = fill(&folders.data, address, events).await?;
    let ours =
        contender::switchboard_again(&stage.switchboard, &world, &[OURS], &folders.data, &folders.logs)
            .await?;
    // The events of the start itself.
    while timeout(QUIET, posts.recv()).await.is_ok() {}
    let measured = replay(&ours, &past, events, &mut posts).await?;
    ours.contender.program.stop().await?;
    world.stop().await?;
    Ok(measured)
}

/// What there was before the program started.
struct Past {
    webhook: WebhookId,
    /// When the first of the events was made.
    since: Timestamp,
    /// The last of them.
    last: EventId,
}

/// Makes so many events in a store, and then a webhook that hears of them and of accepted messages.
async fn fill(data: &Path, address: SocketAddr, events: usize) -> Result<Past> {
    let (store, clock) = open_store((data, SQLITE)).await?;
    let since = clock.now();
    produce(store.clone(), clock.clone(), events).await?;
    let mut webhook = webhook(&Ids::new(clock.clone()), &clock, address);
    let types = vec!["account.state".parse()?, "message.accepted".parse()?];
    webhook.filter = EventFilter { types, ..EventFilter::default() };
    store.webhooks().add(&webhook).await?;
    let last = *store.events().newest().borrow();
    store.close().await;
    Ok(Past { webhook: webhook.id, since, last })
}

async fn replay(
    ours: &contender::Switchboard,
    Past { webhook, since, last }: &Past,
    events: usize,
    posts: &mut mpsc::Receiver<Post>,
) -> Result<Replay> {
    let pid = ours.contender.program.pid();
    let before = usage::memory(pid)?.anonymous;
    let path = format!("/v1/webhooks/{webhook}/replay?since={since}");
    http::send(ours.main, "POST", &path, &contender::authorization()).await?;
    let began = Instant::now();
    let mut seconds = 0.0;
    let (mut seen, mut posted): (HashMap<EventId, usize>, _) = (HashMap::new(), 0);
    let (mut sent, mut times, mut most) = (HashMap::new(), Latencies::default(), before);
    let mut count = 0;
    let mut next = interval(BETWEEN);
    next.set_missed_tick_behavior(MissedTickBehavior::Skip);
    // The end is quiet: nothing comes a second time.
    loop {
        let is_over = posted == events && count == sent.len();
        let limit = if is_over { QUIET } else { LIMIT };
        tokio::select! {
            _ = next.tick(), if posted < events => {
                // What has not come for so long is lost.
                if began.elapsed().as_secs_f64() - seconds > LIMIT.as_secs_f64() {
                    break;
                }
                let at = Instant::now();
                let message = json!({ "chat": "@client_1", "text": "meanwhile", "wait": 0 });
                let accepted = http::post(ours.main, "/v1/messages", &contender::authorization(), &message).await?;
                sent.insert(accepted["id"].as_str().context("a message without an id")?.to_owned(), at);
            }
            post = timeout(limit, posts.recv()) => {
                let Ok(post) = post else { break };
                let post = post.context("the endpoint is gone")?;
                let id = post.id.parse()?;
                let often = seen.entry(id).or_default();
                *often += 1;
                if *often > 1 {
                    continue;
                }
                match post.message {
                    Some(message) => {
                        let at = sent.get(&message).context("a message that was not sent")?;
                        times.add(at.elapsed());
                        count += 1;
                    }
                    // The state of an account may have changed meanwhile.
                    None if id > *last => {}
                    None => {
                        posted += 1;
                        seconds = began.elapsed().as_secs_f64();
                    }
                }
                if seen.len().is_multiple_of(LOOK) {
                    most = most.max(usage::memory(pid)?.anonymous);
                }
            }
        }
    }
    let repeated = seen.values().filter(|often| **often > 1).count();
    Ok(Replay { events, posted, seconds, sent: sent.len(), times: times.summary(), repeated, before, most })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn loss_memory_and_delay_are_judged() {
        let times = Summary { count: 3, p99: P99 - 1, ..Summary::default() };
        let whole = Replay {
            events: 9,
            posted: 9,
            seconds: 1.0,
            sent: 3,
            times,
            repeated: 0,
            before: 10,
            most: MEMORY + 9,
        };
        assert_missed(&whole, 0);
        let late = Summary { p99: P99, ..times };
        assert_missed(&Replay { posted: 8, most: MEMORY + 10, times: late, ..whole }, 3);
    }
}
