//! Webhooks: how many events a second reach a fast endpoint while another is dead, and how long one takes.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ambient::{Chance, Clock, Ids};
use anyhow::{Context, Result, bail};
use domain::event::AccountEvent;
use domain::{AccountName, AccountState, EventFilter, EventId, WebhookId};
use events::{Links, Webhooks, WebhooksParts};
use ipnet::IpNet;
use outbound::{AllowList, Allowed};
use serde::Serialize;
use store::{Store, StoredWebhook, WebhookSecrets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{Folders, Stage};
use crate::latency::{Latencies, Summary};
use crate::report::{Goal, Measured, milliseconds, table};

/// Events that are made by one write.
const AT_ONCE: usize = 500;

/// Deliveries that a fast endpoint takes in a second, at least.
const A_SECOND: f64 = 5_000.0;

/// How long an event takes to its endpoint, in microseconds.
const P50: u32 = 5_000;

/// Until when everything has come.
const LIMIT: Duration = Duration::from_mins(5);

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct WebhookTimes {
    pub(crate) events: usize,
    pub(crate) seconds: f64,
    /// Posts that came more than once.
    pub(crate) repeated: usize,
    /// Of single events, from before their write.
    pub(crate) times: Summary,
}

impl WebhookTimes {
    #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
    fn a_second(&self) -> f64 {
        self.events as f64 / self.seconds
    }
}

impl Measured for WebhookTimes {
    fn text(&self) -> String {
        let rows = [
            format!("| deliveries a second | {:.0} |", self.a_second()),
            format!("| posted more than once | {} |", self.repeated),
            format!("| event to endpoint, p50, ms | {} |", milliseconds(self.times.p50)),
            format!("| event to endpoint, p99, ms | {} |", milliseconds(self.times.p99)),
        ];
        format!(
            "## Webhooks\n\n{} events go to a fast endpoint on this machine while another one takes no connection; then single \
             events. The times begin before the event is written. The endpoint runs in the same process.\n\n{}",
            self.events,
            table("| | Switchboard |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let rate = self.a_second();
        vec![
            Goal::new(
                "webhook deliveries beside a dead endpoint",
                format!("≥ {A_SECOND:.0}/s"),
                format!("{rate:.0}/s"),
                rate >= A_SECOND,
            ),
            Goal::new(
                "event to webhook, p50",
                format!("< {} ms", milliseconds(P50)),
                format!("{} ms", milliseconds(self.times.p50)),
                self.times.count > 0 && self.times.p50 < P50,
            ),
            Goal::new("webhook deliveries repeated", 0, self.repeated, self.repeated == 0),
        ]
    }
}

/// Runs the scenario, on threads of its own.
pub(crate) async fn run(stage: &Stage) -> Result<WebhookTimes> {
    let data = Folders::fresh(&stage.work, "webhooks")?.data;
    let (events, single) = (stage.pace.waiting.0, stage.pace.sends);
    tokio::task::spawn_blocking(move || {
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        threads.block_on(measure(data, events, single))
    })
    .await?
}

async fn measure(data: PathBuf, events: usize, single: usize) -> Result<WebhookTimes> {
    let (store, clock) = super::open_store((&data, super::SQLITE)).await?;
    let (address, mut posts) = endpoint().await?;
    let closed = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let ids = Ids::new(clock.clone());
    for address in [address, closed] {
        store.webhooks().add(&webhook(&ids, &clock, address)).await?;
    }
    let loopback: IpNet = "127.0.0.0/8".parse()?;
    let webhooks = Webhooks::start(WebhooksParts {
        store: store.clone(),
        clock: clock.clone(),
        chance: Chance::from_system(),
        allowed: Allowed::new(AllowList::Events, vec![loopback]),
        vouched: Vec::new(),
        links: Links::new(None, "made-up".into(), clock.clone()),
    });
    let began = Instant::now();
    let producer = tokio::spawn(produce(store.clone(), clock.clone(), events));
    let mut seen: HashMap<String, usize> = HashMap::new();
    while seen.len() < events {
        let post = tokio::time::timeout(LIMIT, posts.recv()).await?.context("the endpoint is gone")?;
        *seen.entry(post.id).or_default() += 1;
    }
    let seconds = began.elapsed().as_secs_f64();
    producer.await??;
    let mut latencies = Latencies::default();
    for _ in 0..single {
        let began = Instant::now();
        produce(store.clone(), clock.clone(), 1).await?;
        loop {
            let post = tokio::time::timeout(LIMIT, posts.recv()).await?.context("the endpoint is gone")?;
            let times = seen.entry(post.id).or_default();
            *times += 1;
            if *times == 1 {
                break;
            }
        }
        latencies.add(began.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    webhooks.stop(LIMIT).await;
    store.close().await;
    let repeated = seen.values().filter(|times| **times > 1).count();
    Ok(WebhookTimes { events, seconds, repeated, times: latencies.summary() })
}

/// Makes so many events.
pub(super) async fn produce(store: Store, clock: Clock, mut events: usize) -> Result<()> {
    let name: AccountName = "main".parse()?;
    let change = AccountEvent { state: AccountState::Ready, was: None };
    while events > 0 {
        let count = events.min(AT_ONCE);
        let changes = vec![(name.clone(), change.clone()); count];
        store.events().account_states(changes, clock.now()).await?;
        events -= count;
    }
    Ok(())
}

pub(super) fn webhook(ids: &Ids, clock: &Clock, address: SocketAddr) -> StoredWebhook {
    StoredWebhook {
        id: WebhookId::from_uuid(ids.next()),
        secrets: WebhookSecrets {
            url: format!("http://{address}/hook").into(),
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned().into(),
            previous: Vec::new(),
            headers: Vec::new(),
            form: None,
        },
        description: None,
        filter: EventFilter::default(),
        ordered: false,
        created_at: clock.now(),
        created_by: "bench".to_owned(),
        paused_at: None,
        disabled: None,
        cursor: EventId::ZERO,
        replay: None,
        delivered_at: None,
        failing_since: None,
        failures: 0,
        last_error: None,
    }
}

/// What an endpoint took.
pub(super) struct Post {
    /// The id of the event.
    pub(super) id: String,
    /// The message that was accepted; none of other events.
    pub(super) message: Option<String>,
}

/// An endpoint that takes everything at once, and what it takes.
pub(super) async fn endpoint() -> Result<(SocketAddr, mpsc::Receiver<Post>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (received, posts) = mpsc::channel(10_000);
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(take(connection, received.clone()));
        }
    });
    Ok((address, posts))
}

async fn take(mut connection: TcpStream, received: mpsc::Sender<Post>) -> Result<()> {
    let mut request = Vec::with_capacity(4096);
    loop {
        let (post, length) = loop {
            if let Some(found) = whole(&request)? {
                break found;
            }
            if connection.read_buf(&mut request).await? == 0 {
                return Ok(());
            }
        };
        request.drain(..length);
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await?;
        received.send(post).await?;
    }
}

/// A post that has come as a whole, and how long it is.
fn whole(request: &[u8]) -> Result<Option<(Post, usize)>> {
    let Some(end) = request.windows(4).position(|piece| piece == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&request[..end])?;
    let header = |wanted: &str| {
        head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    let length: usize = header("content-length").context("a post without a length")?.parse()?;
    let Some(id) = header("webhook-id") else { bail!("a post without an id") };
    let Some(body) = request.get(end + 4..end + 4 + length) else { return Ok(None) };
    Ok(Some((Post { id, message: accepted(body)? }, end + 4 + length)))
}

/// The message that an event reports as accepted. Most are of other types: they are not read as JSON.
fn accepted(body: &[u8]) -> Result<Option<String>> {
    const BEGINNING: &[u8] = br#"{"type":"message.accepted""#;
    if !body.starts_with(BEGINNING) {
        return Ok(None);
    }
    let event: serde_json::Value = serde_json::from_slice(body)?;
    Ok(Some(event["data"]["message_id"].as_str().context("an event without a message")?.to_owned()))
}
