//! Moves between two network namespaces: under load nothing is lost, nothing is doubled and the gap is short; a link that goes down
//! is waited for.
//!
//! Each test runs itself once more as root of namespaces of its own: those of the machine, or those of a user who may make some.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Start, World};

use super::relay::Relay;
use super::{LONG, Sides, fine};
use crate::binary;
use crate::shell::cli::{Cli, cli_on};

/// Set where a test runs in namespaces of its own.
const INSIDE: &str = "SWITCHBOARD_TEST_INSIDE";

/// What the machine of the pretend Telegram is called in them.
const ADDRESS: &str = "10.77.0.1";

/// Whether this is the run in namespaces of its own; else the test of this name is run there, and must pass.
fn is_inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut refusals = Vec::new();
    for flags in ["--net --mount", "--map-root-user --net --mount"] {
        let within = |script: &str, words: &[&str]| {
            let mut command = Command::new("unshare");
            command.args(flags.split(' ')).args(["sh", "-ec", script, "sh"]).args(words);
            command
        };
        // `ip` keeps the names of namespaces in /run.
        let made = "mount -t tmpfs tmpfs /run && ip link set lo up && ip netns add tried && nsenter --net=/run/netns/tried true";
        match within(made, &[]).output() {
            Ok(tried) if tried.status.success() => {
                let mut run = within(
                    "mount -t tmpfs tmpfs /run; ip link set lo up; exec \"$@\"",
                    &[
                        std::env::current_exe().expect("a path").to_str().expect("UTF-8"),
                        &format!("moving::namespaces::{test}"),
                        "--exact",
                        "--nocapture",
                    ],
                );
                let ran = run.env(INSIDE, "1").output().expect("it runs");
                let output =
                    [&ran.stdout, &ran.stderr].map(|output| String::from_utf8_lossy(output)).concat();
                assert!(ran.status.success() && output.contains("1 passed"), "{output}");
                // What it measured.
                for line in output.lines().filter(|line| line.starts_with("downtime ")) {
                    eprintln!("{line}");
                }
                return false;
            }
            Ok(tried) => {
                refusals.push(format!("unshare {flags}: {}", String::from_utf8_lossy(&tried.stderr).trim()));
            }
            Err(error) => refusals.push(format!("unshare {flags}: {error}")),
        }
    }
    panic!(
        "this machine lets no one make network namespaces, so that no move between two of them can be driven ({}); run the test as \
         root, or where users may make namespaces, with `ip` (Debian: iproute2), `unshare` and `nsenter` (util-linux) installed",
        refusals.join("; ")
    );
}

/// Two namespaces, each with a line to the first one, in which the pretend Telegram has an address.
struct Namespaces;

fn ip(words: &str) {
    let ran = Command::new("ip").args(words.split_whitespace()).output().expect("ip runs");
    assert!(ran.status.success(), "ip {words}: {}", String::from_utf8_lossy(&ran.stderr));
}

impl Namespaces {
    const NAMES: [&str; 2] = ["side-a", "side-b"];

    fn make() -> Self {
        ip(&format!("address add {ADDRESS}/32 dev lo"));
        for (place, name) in Self::NAMES.into_iter().enumerate() {
            let (ours, theirs) = (format!("10.77.1.{}", 5 + 4 * place), format!("10.77.1.{}", 6 + 4 * place));
            for words in [
                format!("netns add {name}"),
                format!("link add name {name} type veth peer name eth0 netns {name}"),
                format!("address add {ours}/30 dev {name}"),
                format!("link set dev {name} up"),
                format!("-n {name} link set lo up"),
                format!("-n {name} address add {theirs}/30 dev eth0"),
                format!("-n {name} link set eth0 up"),
                format!("-n {name} route add default via {ours}"),
            ] {
                ip(&words);
            }
        }
        Self
    }

    /// What precedes a command of a namespace.
    fn enter(place: usize) -> [String; 2] {
        ["nsenter".to_owned(), format!("--net=/run/netns/{}", Self::NAMES[place])]
    }

    /// A program that is this one within a namespace.
    fn program(place: usize, folder: &Path) -> String {
        let file = folder.join(format!("switchboard-{place}"));
        let text =
            format!("#!/bin/sh\nexec {} {} \"$@\"\n", Self::enter(place).join(" "), binary().display());
        fs::write(&file, text).expect("writes");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
        file.to_str().expect("UTF-8").to_owned()
    }
}

/// Two sides in namespaces; the old one serves, and all accounts are ready.
struct Drill {
    sides: Arc<Sides>,
    programs: [String; 2],
    _namespaces: Namespaces,
    /// The server of the old side ends with it.
    _begun: testkit::Standby,
}

fn text(path: PathBuf) -> String {
    path.into_os_string().into_string().expect("UTF-8")
}

impl Drill {
    async fn begin() -> Self {
        let namespaces = Namespaces::make();
        let world = World::start_at(binary(), ADDRESS, &[]).await;
        let folder = world.data_dir("");
        let programs = [0, 1].map(|place| Namespaces::program(place, &folder));
        let mut begun = Start::on(&world, Path::new(&programs[0]), "old").begun();
        begun.said("API ").await;
        let sides = Arc::new(Sides { world, program: None });
        let begun_at = Instant::now();
        loop {
            let accounts = sides.get("old", "/v1/accounts?limit=200").await.unwrap_or_default();
            let items = accounts["items"].as_array().into_iter().flatten();
            if items.filter(|one| one["state"] == "ready").count() == ACCOUNTS.len() {
                break;
            }
            assert!(begun_at.elapsed() < LONG, "not ready: {accounts}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Self { sides, programs, _namespaces: namespaces, _begun: begun }
    }

    /// The move, from a third place; `to` leads to the new side.
    fn run(&self, to: &str) -> Cli {
        let (settings, [old_dir, new_dir]) = (
            text(self.sides.world.settings_file()),
            ["old", "new"].map(|side| text(self.sides.folder(side))),
        );
        let from = format!("exec:{}", self.programs[0]);
        let words = [
            ["move", "run", "--from", &from, "--from-data-dir", &old_dir, "--from-config", &settings]
                .as_slice(),
            &["--to", to, "--to-data-dir", &new_dir, "--to-config", &settings, "--watch", "0s"],
            &["--canary", "@client_3", "--yes", "--json"],
        ]
        .concat();
        cli_on(&self.sides.world, "third", &words)
    }

    async fn no_session_was_lost(&self) {
        let accounts = self.sides.get("new", "/v1/accounts?limit=200").await.expect("an answer");
        let states: Vec<_> =
            accounts["items"].as_array().expect("items").iter().map(|one| one["state"].clone()).collect();
        assert!(states.len() == ACCOUNTS.len() && states.iter().all(|state| state == "ready"), "{states:?}");
    }
}

/// One caller of an account: each text under a key of its own, asked for until a side has taken it; the longest wait.
async fn caller(sides: &Sides, account: &str, stop: &AtomicBool) -> (Vec<String>, Duration) {
    let (mut texts, mut longest) = (Vec::new(), Duration::ZERO);
    while !stop.load(Ordering::Relaxed) {
        let text = format!("{account}-{}", texts.len());
        let body = json!({ "chat": "@client_1", "text": text, "account": account, "wait": 0 });
        let begun = Instant::now();
        'taken: loop {
            for side in ["old", "new"] {
                let client = reqwest::Client::builder()
                    .unix_socket(sides.folder(side).join("control.sock"))
                    .timeout(Duration::from_secs(20))
                    .build()
                    .expect("a client");
                let request = client
                    .post("http://localhost/v1/messages")
                    .header("content-type", "application/json")
                    .header("idempotency-key", &text)
                    .body(body.to_string());
                if let Ok(answer) = request.send().await
                    && answer.status().is_success()
                {
                    break 'taken;
                }
            }
            assert!(begun.elapsed() < LONG, "no side takes {text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        longest = longest.max(begun.elapsed());
        texts.push(text);
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    (texts, longest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_between_namespaces_under_load() {
    if !is_inside("a_move_between_namespaces_under_load") {
        return;
    }
    let drill = Drill::begin().await;
    let stop = Arc::new(AtomicBool::new(false));
    let callers = ACCOUNTS.map(|account| {
        let (sides, stop) = (Arc::clone(&drill.sides), Arc::clone(&stop));
        tokio::spawn(async move { caller(&sides, account, &stop).await })
    });
    let moved: Value = fine(drill.run(&format!("exec:{}", drill.programs[1])).beside().await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let (mut requested, mut longest) = (Vec::new(), Duration::ZERO);
    for caller in callers {
        let (texts, waited) = caller.await.expect("it ends");
        requested.extend(texts);
        longest = longest.max(waited);
    }
    let downtime = &moved["downtime"];
    println!("downtime {downtime}; {} messages, the longest wait of a caller {longest:?}", requested.len());
    assert!(downtime["ms"].as_u64().is_some_and(|ms| ms < 30_000), "{downtime}");
    let begun_at = Instant::now();
    loop {
        let sent = drill.sides.world.sent().await;
        let counts: Vec<usize> =
            requested.iter().map(|text| sent.iter().filter(|one| *one == text).count()).collect();
        assert!(counts.iter().all(|count| *count <= 1), "doubled");
        if counts.iter().all(|count| *count == 1) {
            break;
        }
        let lost: Vec<_> = requested.iter().zip(&counts).filter(|(_, count)| **count == 0).collect();
        assert!(begun_at.elapsed() < LONG, "lost: {lost:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drill.no_session_was_lost().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_goes_down_delays_a_move() {
    if !is_inside("a_link_that_goes_down_delays_a_move") {
        return;
    }
    let drill = Drill::begin().await;
    let (folder, new) = (drill.sides.world.data_dir(""), drill.sides.folder("new"));
    let side = [
        Namespaces::enter(1).as_slice(),
        &[text(binary().to_owned()), "move".to_owned(), "serve".to_owned(), "--data-dir".to_owned()],
        &[text(new.clone()), "--config".to_owned(), text(drill.sides.world.settings_file())],
    ]
    .concat();
    let relay = Relay::to(side).await;
    // The one who conducts is in the namespace whose link goes down; the relay is beyond it.
    let line = relay.connector(&folder, &Namespaces::enter(0));
    let run = tokio::spawn(drill.run(&format!("exec:{}", line.display())).beside());
    let begun_at = Instant::now();
    while !new.join("move/incoming").exists() {
        assert!(begun_at.elapsed() < LONG && !run.is_finished(), "nothing comes over");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    ip("link set dev side-a down");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(!run.is_finished());
    ip("link set dev side-a up");
    fine(run.await.expect("it ends"));
    drill.no_session_was_lost().await;
}
