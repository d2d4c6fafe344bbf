//! A move between two network namespaces under load: nothing is lost, nothing is doubled, and the gap is short.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Start, World};

use super::{LONG, Sides, fine};
use crate::binary;
use crate::shell::cli::cli_on;

/// Two namespaces, each with a line to this machine, on which the pretend Telegram has an address.
struct Namespaces {
    names: [String; 2],
    address: String,
}

fn ip(words: &str) -> Result<(), String> {
    let ran =
        Command::new("ip").args(words.split_whitespace()).output().map_err(|error| error.to_string())?;
    if ran.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned()) }
}

impl Namespaces {
    fn make() -> Result<Self, String> {
        let pid = std::process::id();
        let net = format!("10.{}.{}", 64 + pid % 64, pid / 64 % 256);
        let made =
            Self { names: ["a", "b"].map(|end| format!("swb{pid}{end}")), address: format!("{net}.1") };
        ip(&format!("address add {}/32 dev lo", made.address))?;
        for (place, name) in made.names.iter().enumerate() {
            let (ours, theirs) = (format!("{net}.{}", 5 + 4 * place), format!("{net}.{}", 6 + 4 * place));
            for words in [
                format!("netns add {name}"),
                format!("link add {name} type veth peer name eth0 netns {name}"),
                format!("address add {ours}/30 dev {name}"),
                format!("link set {name} up"),
                format!("-n {name} link set lo up"),
                format!("-n {name} address add {theirs}/30 dev eth0"),
                format!("-n {name} link set eth0 up"),
                format!("-n {name} route add default via {ours}"),
            ] {
                ip(&words).map_err(|why| format!("ip {words}: {why}"))?;
            }
        }
        Ok(made)
    }

    /// A program that is this one within a namespace.
    fn program(&self, place: usize, folder: &Path) -> String {
        let file = folder.join(format!("switchboard-{place}"));
        let text =
            format!("#!/bin/sh\nexec ip netns exec {} {} \"$@\"\n", self.names[place], binary().display());
        fs::write(&file, text).expect("writes");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
        file.to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in &self.names {
            let _ = ip(&format!("link delete {name}"));
            let _ = ip(&format!("netns delete {name}"));
        }
        let _ = ip(&format!("address delete {}/32 dev lo", self.address));
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
    let namespaces = match Namespaces::make() {
        Ok(namespaces) => namespaces,
        Err(why) => {
            eprintln!(
                "NOT TRIED: this machine allows no network namespaces ({why}); a move between them was not driven"
            );
            return;
        }
    };
    let world = World::start_at(binary(), &namespaces.address, &[]).await;
    let folder = world.data_dir("");
    let [old, new] = [0, 1].map(|place| namespaces.program(place, &folder));
    let mut begun = Start::on(&world, Path::new(&old), "old").begun();
    begun.said("API ").await;
    let sides = Arc::new(Sides { world, program: None });
    let begun_at = Instant::now();
    loop {
        let accounts = sides.get("old", "/v1/accounts?limit=200").await.unwrap_or_default();
        let ready =
            accounts["items"].as_array().into_iter().flatten().filter(|one| one["state"] == "ready").count();
        if ready == ACCOUNTS.len() {
            break;
        }
        assert!(begun_at.elapsed() < LONG, "not ready: {accounts}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let callers = ACCOUNTS.map(|account| {
        let (sides, stop) = (Arc::clone(&sides), Arc::clone(&stop));
        tokio::spawn(async move { caller(&sides, account, &stop).await })
    });
    let path = |path: std::path::PathBuf| path.to_str().expect("UTF-8").to_owned();
    let (settings, [old_dir, new_dir]) =
        (path(sides.world.settings_file()), ["old", "new"].map(|side| path(sides.folder(side))));
    let (from, to) = (format!("exec:{old}"), format!("exec:{new}"));
    let words = [
        "move",
        "run",
        "--from",
        &from,
        "--from-data-dir",
        &old_dir,
        "--from-config",
        &settings,
        "--to",
        &to,
        "--to-data-dir",
        &new_dir,
        "--to-config",
        &settings,
        "--watch",
        "0s",
        "--canary",
        "@client_3",
        "--yes",
        "--json",
    ];
    let moved: Value = fine(cli_on(&sides.world, "third", &words).beside().await);
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let (mut asked, mut longest) = (Vec::new(), Duration::ZERO);
    for caller in callers {
        let (texts, waited) = caller.await.expect("it ends");
        asked.extend(texts);
        longest = longest.max(waited);
    }
    let downtime = &moved["downtime"];
    eprintln!("downtime {downtime}; {} messages, the longest wait of a caller {longest:?}", asked.len());
    assert!(downtime["ms"].as_u64().is_some_and(|ms| ms < 30_000), "{downtime}");
    let begun_at = Instant::now();
    loop {
        let sent = sides.world.sent().await;
        let mut counts: Vec<usize> = Vec::new();
        for text in &asked {
            counts.push(sent.iter().filter(|one| *one == text).count());
        }
        assert!(counts.iter().all(|count| *count <= 1), "doubled");
        if counts.iter().all(|count| *count == 1) {
            break;
        }
        assert!(
            begun_at.elapsed() < LONG,
            "lost: {:?}",
            asked.iter().zip(&counts).filter(|(_, count)| **count == 0).collect::<Vec<_>>()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let accounts = sides.get("new", "/v1/accounts?limit=200").await.expect("an answer");
    let states: Vec<_> =
        accounts["items"].as_array().expect("items").iter().map(|one| one["state"].clone()).collect();
    assert!(states.iter().all(|state| state == "ready"), "no session was lost: {states:?}");
}
