//! Moving end to end: two data directories, a line between them, real servers; what waits is sent once, and no session is ever
//! open on two sides.

mod bad_days;
mod carried;
mod display;
mod flows;
mod killed;
mod line;
mod namespaces;
mod relay;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, Start, World};

use crate::binary;
use crate::shell::cli::{Cli, Ran, cli_on};

/// How long a server may take to do what a test waits for.
const LONG: Duration = Duration::from_mins(2);

/// Two sides in a world; servers that a move started end with it.
struct Sides {
    world: World,
    program: Option<Program>,
}

impl Drop for Sides {
    fn drop(&mut self) {
        for side in ["old", "new"] {
            if let Some(pid) = self.holder(side) {
                let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
            }
        }
    }
}

impl Sides {
    /// The old side serves, all accounts are ready, and a message waits for an hour.
    async fn begin() -> Self {
        Self::begin_in(World::start(binary()).await).await
    }

    async fn begin_in(world: World) -> Self {
        let program = Start::on(&world, binary(), "old").ready().await;
        for account in ACCOUNTS {
            program.account_is(account, "ready").await;
        }
        let flood = json!({ "account": "main", "method": "messages.sendMessage", "seconds": 3, "times": 1 });
        world.fault("flood_wait", flood).await;
        let order = json!({ "chat": "@client_1", "text": "it waits", "account": "main", "wait": 0 });
        let (status, waiting) = program.post("/v1/messages", &order).await;
        assert_eq!(status, 202, "{waiting}");
        Self { world, program: Some(program) }
    }

    fn folder(&self, side: &str) -> PathBuf {
        self.world.data_dir(side)
    }

    /// `switchboard move …` on the old side.
    fn cli(&self, words: &[&str]) -> Cli {
        cli_on(&self.world, "old", &[&["move"], words].concat())
    }

    fn run(&self) -> Cli {
        self.run_with(&[])
    }

    fn run_with(&self, more: &[&str]) -> Cli {
        let (new, settings) = (self.folder("new"), self.world.settings_file());
        let words = [
            "run",
            "--to",
            new.to_str().expect("UTF-8"),
            "--to-config",
            settings.to_str().expect("UTF-8"),
            "--listen",
            "127.0.0.1:0",
            "--watch",
            "0s",
            "--yes",
            "--json",
        ];
        self.cli(&[&words, more].concat())
    }

    fn rollback(&self) -> Cli {
        self.cli(&["rollback", "--yes", "--json"])
    }

    /// The process that has the data directory of a side.
    fn holder(&self, side: &str) -> Option<u32> {
        let file = fs::File::open(self.folder(side).join("switchboard.lock")).ok()?;
        match file.try_lock() {
            Ok(()) => None,
            Err(_) => {
                fs::read_to_string(self.folder(side).join("switchboard.lock")).ok()?.trim().parse().ok()
            }
        }
    }

    /// What the API of a side answers.
    async fn get(&self, side: &str, path: &str) -> Option<Value> {
        let socket = self.folder(side).join("control.sock");
        let client = reqwest::Client::builder()
            .tls_certs_only([])
            .unix_socket(socket)
            .timeout(LONG)
            .build()
            .expect("a client");
        let answer = client.get(format!("http://localhost{path}")).send().await.ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }

    async fn post(&self, side: &str, path: &str, body: &Value) -> Option<Value> {
        let socket = self.folder(side).join("control.sock");
        let client = reqwest::Client::builder()
            .tls_certs_only([])
            .unix_socket(socket)
            .timeout(LONG)
            .build()
            .expect("a client");
        let request =
            client.post(format!("http://localhost{path}")).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await.ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }

    /// The old side answers.
    async fn old_serves(&self) {
        let ready = self.get("old", "/health/ready").await;
        assert!(ready.is_some_and(|ready| ready["status"] != "stopping"), "the old side serves");
    }

    /// This side alone serves: all accounts are ready, which none would be whose key was used twice; what waited is sent once,
    /// and the other side refuses to start.
    async fn is_served_by(&self, side: &str) {
        let other = if side == "old" { "new" } else { "old" };
        assert_eq!(self.holder(other), None, "{other} does not run");
        let begun = Instant::now();
        loop {
            let accounts = self.get(side, "/v1/accounts?limit=200").await.unwrap_or_default();
            let items = accounts["items"].as_array().cloned().unwrap_or_default();
            let state = |account: &Value| account["state"].as_str().unwrap_or_default().to_owned();
            let is_well = |account: &Value| ["ready", "flood_wait"].contains(&state(account).as_str());
            let sent = self.world.sent().await.iter().filter(|text| *text == "it waits").count();
            assert!(sent <= 1, "sent {sent} times");
            let lost =
                items.iter().find(|account| ["needs_login", "banned"].contains(&state(account).as_str()));
            assert!(lost.is_none(), "a session is lost: {lost:?}");
            if items.len() == ACCOUNTS.len() && items.iter().all(is_well) && sent == 1 {
                break;
            }
            assert!(begun.elapsed() < LONG, "{side} does not serve: {accounts}, sent {sent}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let order = json!({ "chat": "@client_2", "text": format!("by the {side} side"), "wait": 60 });
        let sent = self.post(side, "/v1/messages", &order).await.expect("an answer");
        assert_eq!(sent["state"], "sent", "{sent}");
        // On a server it stands by for the lease, and is refused when it gets it.
        let is_in_a_file = self.folder("old").join("switchboard.db").exists();
        if is_in_a_file && self.folder(other).join("side.json").exists() {
            let start = Start { data_dir: self.folder(other), ..Start::on(&self.world, binary(), other) };
            let (code, output) = start.refused().await;
            assert!(code == Some(2) && output.contains("has given its sessions up"), "{code:?} {output}");
        }
        self.world.assert_nothing_unknown().await;
    }
}

/// The processes below one, itself included.
fn family(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        at += 1;
        for entry in fs::read_dir("/proc").expect("processes").flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let status = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let above = status
                .rsplit_once(") ")
                .and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
            // A server that was started outlives the move, and is in a group of its own.
            let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let is_server = words.split(|byte| *byte == 0).any(|word| word == b"up");
            if above == Some(parent) && !is_server {
                found.push(pid);
            }
        }
    }
    found
}

/// SIGKILL for a command and the sides that it talks with.
fn kill(child: &mut Child) {
    for pid in family(child.id()) {
        let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
    }
    let _ = child.wait();
}

#[expect(clippy::needless_pass_by_value, reason = "the call makes it")]
fn fine(ran: Ran) -> Value {
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.all()))
}

/// A backup that a step names, which is there.
fn archive(named: &Value) -> PathBuf {
    let file = PathBuf::from(named.as_str().expect("a file"));
    assert!(file.is_file(), "{} is not there", file.display());
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_there_and_back_loses_and_doubles_nothing() {
    let mut sides = Sides::begin().await;
    let planned = sides.cli(&[
        "plan",
        "--to",
        sides.folder("new").to_str().expect("UTF-8"),
        "--listen",
        "127.0.0.1:0",
        "--json",
    ]);
    let planned = planned.beside().await.json();
    assert_eq!(planned["objections"], json!([]), "{planned}");
    assert!(
        !sides.folder("new").exists() && !sides.folder("old").join("side.json").exists(),
        "a plan changes nothing"
    );

    let moved = fine(sides.run_with(&["--canary", "@client_3"]).beside().await);
    assert!(moved["downtime"]["ms"].as_u64().is_some_and(|ms| ms < 30_000), "{}", moved["downtime"]);
    // The least important first.
    let opened =
        moved["journal"]["records"]["open"]["facts"]["accounts"].as_array().expect("accounts").clone();
    let names: Vec<_> = opened.iter().map(|one| one["account"].as_str().expect("a name")).collect();
    let mut reversed = ACCOUNTS;
    reversed.reverse();
    assert_eq!(names, reversed);
    assert_eq!(
        sides.program.as_mut().expect("it ran").terminate().await,
        Some(0),
        "the old server ended by itself"
    );
    sides.is_served_by("new").await;
    let old_side = &moved["journal"]["records"]["audit_old"]["facts"];
    assert_eq!(moved["journal"]["records"]["audit_new"]["facts"]["packages"], old_side["packages"]);
    // Two backups, the last one after the stop.
    let record = |step: &str| moved["journal"]["records"][step].clone();
    let backups = ["first_backup", "last_backup"].map(|step| archive(&record(step)["facts"]["file"]));
    assert_ne!(backups[0], backups[1]);
    let at = |step: &str, when: &str| record(step)[when].as_str().expect("a time").to_owned();
    assert!(at("first_backup", "done_at") < at("stop", "begun_at"), "{moved}");
    assert!(at("stop", "done_at") <= at("last_backup", "begun_at"), "{moved}");
    let canaries = sides.world.effects("messages.sendMessage").await;
    let canaries: Vec<_> = canaries
        .iter()
        .filter(|row| row["text"].as_str().is_some_and(|text| text.starts_with("The move from ")))
        .map(|row| row["chat_id"].as_str())
        .collect();
    assert_eq!(canaries, [Some("6000000003")], "the owner's chat has the message once");
    let journal = moved.to_string();
    let key = fs::read_to_string(sides.folder("new").join("master.key")).expect("the key");
    assert!(!journal.contains(key.trim()), "the journal has no secrets");

    let back = fine(sides.rollback().beside().await);
    assert_eq!(back["journal"]["progress"]["direction"], "back", "{back}");
    sides.is_served_by("old").await;
    let sent = sides.world.sent().await;
    let mut once = sent.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), sent.len(), "{sent:?}");

    // And once more, to stay.
    fine(sides.run().beside().await);
    sides.is_served_by("new").await;
    let finished = fine(sides.cli(&["finish", "--yes", "--json"]).beside().await);
    assert!(!sides.folder("old").join("master.key").exists());
    let retired = finished["journal"]["records"]["retire"]["facts"].clone();
    // Not the settings, which are those of both sides.
    let wiped: Vec<_> = retired["wiped"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(wiped.len() == 1 && wiped[0].ends_with("old/master.key"), "{wiped:?}");
    assert!(sides.world.settings_file().exists(), "{retired}");
    archive(&retired["archive"]);
    let record = fs::read_to_string(sides.folder("old").join("move/record.md")).expect("a record");
    assert!(
        record.contains("| 10 | retirement of the old side |") && record.contains("master.key"),
        "{record}"
    );
    sides.is_served_by("new").await;
    let refused = sides.rollback().beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("no way back"), "{}", refused.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_on_postgresql_stays_where_it_is() {
    let world = World::start(binary()).await.with_store_on(crate::postgres::database().await);
    let sides = Sides::begin_in(world).await;
    fine(sides.run().beside().await);
    sides.is_served_by("new").await;
    fine(sides.rollback().beside().await);
    sides.is_served_by("old").await;
}
