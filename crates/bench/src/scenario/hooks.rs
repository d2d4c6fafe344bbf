//! Posts of providers: how many a second are kept before they are answered, beside `FastAPI` with Redis and n8n.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{CLIENTS, Folders, OURS, Stage};
use crate::contender;
use crate::http::{self, Connection};
use crate::latency::{Latencies, Summary};
use crate::program::{Program, free_port, isolated_command};
use crate::report::{Goal, Measured, milliseconds, table};
use crate::world::World;

/// Posts that are kept in a second, at least.
const A_SECOND: u32 = 5_000;
/// How long one may take at half of that, in microseconds.
const P99: u32 = 50_000;
/// Connections of the provider.
const CALLERS: usize = 32;
/// The account that is posted to.
const ACCOUNT: &str = "phone";
/// How long the old servers may take to be ready.
const STARTING: Duration = Duration::from_secs(90);
/// Its answer is given before the workflow goes on.
const WORKFLOW: &str = r#"[{"id": "benchHook", "name": "bench", "active": false, "settings": {}, "connections": {}, "nodes": [
    {"id": "1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "position": [0, 0], "webhookId": "bench",
     "parameters": {"path": "bench", "httpMethod": "POST", "responseMode": "onReceived"}}]}]"#;

/// What was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Hooks {
    pub(crate) ours: Side,
    /// `FastAPI`, which pushes to a list of Redis.
    pub(crate) fastapi: Side,
    pub(crate) n8n: Side,
    /// Ours at half of the goal.
    pub(crate) half: Summary,
    /// Posts that were answered with 200.
    pub(crate) accepted: usize,
    /// Messages on the disk after the program was killed.
    pub(crate) kept: usize,
}

/// What one server does when it is asked as fast as it answers.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Side {
    pub(crate) a_second: f64,
    pub(crate) times: Summary,
}

impl Measured for Hooks {
    fn text(&self) -> String {
        let Self { ours, fastapi, n8n, half, .. } = self;
        let row = |what: &str, of: &dyn Fn(&Side) -> String| {
            format!("| {what} | {} | {} | {} |", of(ours), of(fastapi), of(n8n))
        };
        let rows = [
            row("posts a second", &|side| format!("{:.0}", side.a_second)),
            row("p50, ms", &|side| milliseconds(side.times.p50)),
            row("p99, ms", &|side| milliseconds(side.times.p99)),
            format!("| p99 at {} a second, ms | {} | | |", A_SECOND / 2, milliseconds(half.p99)),
        ];
        format!(
            "## Posts of providers\n\n{CALLERS} connections post messages of {CLIENTS} chats of WhatsApp. Switchboard answers once a \
             message is on the disk: {} were answered, the program was killed, {} are in the store. FastAPI pushes to a list of \
             Redis, which syncs once a second; n8n answers before its workflow goes on.\n\n{}",
            self.accepted,
            self.kept,
            table("| | Switchboard | FastAPI + Redis | n8n |", rows)
        )
    }

    fn goals(&self) -> Vec<Goal> {
        let (rate, goal) = (self.ours.a_second, f64::from(A_SECOND));
        vec![
            Goal::new(
                "posts of providers, kept",
                format!("≥ {goal:.0}/s"),
                format!("{rate:.0}/s"),
                rate >= goal,
            ),
            Goal::new(
                "posts of providers at half of that, p99",
                format!("< {} ms", milliseconds(P99)),
                format!("{} ms", milliseconds(self.half.p99)),
                self.half.count > 0 && self.half.p99 < P99,
            ),
            Goal::new("posts kept over a kill", self.accepted, self.kept, self.accepted == self.kept),
        ]
    }
}

/// Runs the scenario.
pub(crate) async fn run(stage: &Stage) -> Result<Hooks> {
    let folders = Folders::fresh(&stage.work, "hooks")?;
    let world = World::start(&stage.switchboard, &folders.world, &folders.logs, super::DIALOGS).await?;
    let ours =
        contender::switchboard(&stage.switchboard, &world, &[OURS, ACCOUNT], &folders.data, &folders.logs)
            .await?;
    let shown: Value =
        http::get(ours.main, &format!("/v1/channels/{ACCOUNT}/webhook"), &contender::authorization()).await?;
    let url = shown["url"].as_str().with_context(|| format!("{ACCOUNT} has no address: {shown}"))?;
    let path =
        url.strip_prefix(&format!("http://{}", ours.main)).context("the address is another program's")?;
    let next = Arc::new(AtomicUsize::new(0));
    let target =
        |address: SocketAddr, path: &str| Target { address, path: path.to_owned(), next: next.clone() };
    let goes = |target: Target, every: Duration| load(target, every, stage.pace.round);

    goes(target(ours.main, path), Duration::ZERO).await.context("warming up")?;
    let fast = goes(target(ours.main, path), Duration::ZERO).await?;
    let callers = u32::try_from(CALLERS)?;
    let half = goes(target(ours.main, path), Duration::from_secs(1) * callers / (A_SECOND / 2)).await?;
    let accepted = next.load(Ordering::Relaxed);
    // Killed with all that it holds in memory.
    drop(ours);
    let kept = stored_posts(&folders.data).await?;

    let (_redis, server, address) = fastapi(stage, &folders.logs).await.context("FastAPI with Redis")?;
    let of_fastapi = goes(target(address, "/webhook"), Duration::ZERO).await.context("FastAPI")?;
    drop(server);
    let (server, address) = n8n(stage, &folders.logs).await.context("n8n")?;
    let of_n8n = goes(target(address, "/webhook/bench"), Duration::ZERO).await.context("n8n")?;
    drop(server);
    world.stop().await?;
    Ok(Hooks { ours: fast, fastapi: of_fastapi, n8n: of_n8n, half: half.times, accepted, kept })
}

/// Where is posted, and the number of the next message.
struct Target {
    address: SocketAddr,
    path: String,
    next: Arc<AtomicUsize>,
}

/// All callers post for a while, each no sooner than this after it posted before. Each post must be answered with 200.
async fn load(target: Target, every: Duration, lasts: Duration) -> Result<Side> {
    let target = Arc::new(target);
    let began = Instant::now();
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let target = Arc::clone(&target);
        callers.spawn(async move {
            let mut connection = Connection::open(target.address).await?;
            let mut latencies = Latencies::default();
            // Not all at the same moment.
            let mut due = began + every * u32::try_from(number)? / u32::try_from(CALLERS)?;
            while began.elapsed() < lasts {
                if !every.is_zero() {
                    tokio::time::sleep_until(due.into()).await;
                    due = Instant::now().max(due + every);
                }
                let body = post(target.next.fetch_add(1, Ordering::Relaxed));
                let request = http::request("POST", &target.path, "", Some(&body), true);
                let requested_at = Instant::now();
                let answer = connection.exchange(&request).await?;
                if answer.status != 200 {
                    bail!("answered {} {}", answer.status, http::excerpt(&answer.body));
                }
                latencies.add(requested_at.elapsed());
            }
            anyhow::Ok(latencies)
        });
    }
    let mut all = Latencies::default();
    while let Some(caller) = callers.join_next().await {
        all.extend(&caller??);
    }
    let took = began.elapsed().as_secs_f64();
    let times = all.summary();
    #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
    Ok(Side { a_second: times.count as f64 / took, times })
}

/// What Wappi posts of a message.
fn post(number: usize) -> Vec<u8> {
    let phone = format!("7000000{:04}@c.us", number % CLIENTS);
    let message = json!({
        "wh_type": "incoming_message", "profile_id": "1a2b3c4d-5e6f", "id": format!("BENCH{number:012}"), "type": "chat",
        "body": "Is it still there? I could come by this evening.", "from": phone, "to": "70000000009@c.us", "chatId": phone,
        "senderName": "Anna", "contact_name": "Anna", "is_me": false, "time": 1_760_000_500, "isReply": false,
        "is_edited": false, "is_deleted": false, "stanza_id": "",
    });
    json!({ "messages": [message] }).to_string().into_bytes()
}

/// How many messages the store of a killed program has.
async fn stored_posts(data: &Path) -> Result<usize> {
    let file = data.join("switchboard.db");
    let count = "SELECT count(*) FROM channel_messages WHERE account = ?1";
    let read =
        move || rusqlite::Connection::open(file)?.query_row(count, [ACCOUNT], |row| row.get::<_, i64>(0));
    Ok(usize::try_from(tokio::task::spawn_blocking(read).await??)?)
}

/// Starts a Redis that keeps nothing for longer than it runs but what it syncs once a second; with its port.
pub(crate) fn redis(logs: &Path) -> Result<(Program, u16)> {
    let port = free_port()?.port();
    let mut command = isolated_command(Path::new("redis-server"));
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes"]);
    command.arg("--dir").arg(logs);
    Ok((Program::start("redis", command, logs)?, port))
}

/// Starts the server of the old channels.
async fn fastapi(stage: &Stage, logs: &Path) -> Result<(Program, Program, SocketAddr)> {
    let (redis, stored) = redis(logs)?;
    let listens = free_port()?;
    let mut command = isolated_command(&stage.python);
    command
        .current_dir(&stage.baseline)
        .args([
            "-m",
            "uvicorn",
            "--no-access-log",
            "--host",
            "127.0.0.1",
            "--port",
            &listens.port().to_string(),
        ])
        .arg("hooks:application")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("BASELINE_REDIS_PORT", stored.to_string());
    let mut server = Program::start("fastapi", command, logs)?;
    server.ready(STARTING, || async { http::send(listens, "GET", "/health", "").await }).await?;
    Ok((redis, server, listens))
}

/// Starts n8n with one workflow that a webhook begins.
async fn n8n(stage: &Stage, logs: &Path) -> Result<(Program, SocketAddr)> {
    let folder = stage.n8n.as_deref().context("n8n is not there; `cargo xtask bench` installs it")?;
    let (listens, workflow) = (free_port()?, logs.join("workflow.json"));
    std::fs::write(&workflow, WORKFLOW)?;
    let command = || {
        let mut command = isolated_command(Path::new("node"));
        command.arg(folder.join("node_modules/n8n/bin/n8n")).env("N8N_USER_FOLDER", logs);
        for (name, value) in [
            // The other engine needs what npm builds at installation.
            ("N8N_EXPRESSION_ENGINE", "legacy"),
            ("N8N_RUNNERS_ENABLED", "false"),
            ("N8N_DIAGNOSTICS_ENABLED", "false"),
            ("N8N_VERSION_NOTIFICATIONS_ENABLED", "false"),
            ("N8N_LISTEN_ADDRESS", "127.0.0.1"),
            ("EXECUTIONS_DATA_SAVE_ON_SUCCESS", "none"),
        ] {
            command.env(name, value);
        }
        command.env("N8N_PORT", listens.port().to_string());
        command
    };
    let import = format!("--input={}", workflow.display());
    for arguments in
        [["import:workflow", &*import, ""], ["update:workflow", "--id=benchHook", "--active=true"]]
    {
        let mut command = tokio::process::Command::from(command());
        let made = command.args(arguments.iter().filter(|one| !one.is_empty())).output().await?;
        if !made.status.success() {
            bail!("{}: {}", arguments[0], String::from_utf8_lossy(&made.stderr).trim());
        }
    }
    let mut start = command();
    start.arg("start");
    let mut server = Program::start("n8n", start, logs)?;
    let empty = json!({ "messages": [] });
    server.ready(STARTING, || async { http::post(listens, "/webhook/bench", "", &empty).await }).await?;
    Ok((server, listens))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn rate_latency_and_loss_are_judged() {
        let times = Summary { count: 1, p99: 49_999, ..Summary::default() };
        let of = |a_second, p99, kept| Hooks {
            ours: Side { a_second, times },
            fastapi: Side::default(),
            n8n: Side::default(),
            half: Summary { p99, ..times },
            accepted: 9,
            kept,
        };
        assert_missed(&of(5_000.0, 49_999, 9), 0);
        assert_missed(&of(4_999.0, 50_000, 8), 3);
    }
}
