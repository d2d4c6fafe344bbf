//! What is wrong with the machine, brought about for real: a disk that is nearly full, a
//! clock that is off, a store of another version. The machine's own clock and disk are left alone.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::World;

use super::{MACHINE, closed_world, examined, finding, section, well, wrong};
use crate::binary;

/// What a section says of something.
fn fact<'a>(report: &'a Value, area: &str, name: &str) -> &'a str {
    let facts = section(report, area)["facts"].as_array().expect("facts");
    let fact = facts.iter().find(|fact| fact["name"] == name);
    fact.and_then(|fact| fact["value"].as_str()).unwrap_or_else(|| panic!("no {name}: {facts:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn newer_store_is_an_error_older_store_a_note() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let mut program = well(&world).await;
    program.terminate().await;
    let database =
        || rusqlite::Connection::open(world.data_dir("data").join("switchboard.db")).expect("opens");
    let newest: i64 = database()
        .query_row("SELECT max(version) FROM schema_migrations", [], |row| row.get(0))
        .expect("a version");
    let write = |sql: &str, version: i64| {
        assert_eq!(database().execute(sql, [version]).expect("written"), 1);
    };
    write("INSERT INTO schema_migrations (version, name, applied_at) VALUES (?1, 'later', 0)", newest + 1);
    let (code, report) = examined(&world, &["--offline"]).await;
    let newer = finding(&report, "store_newer");
    assert_eq!((code, &newer["severity"]), (Some(1), &json!("error")), "{report:#}");
    let summary = newer["summary"].as_str().expect("a text");
    assert!(
        summary.contains(&(newest + 1).to_string()) && summary.contains(&newest.to_string()),
        "{summary}"
    );

    write("DELETE FROM schema_migrations WHERE version = ?1", newest + 1);
    write("DELETE FROM schema_migrations WHERE version = ?1", newest);
    let (_, report) = examined(&world, &["--offline"]).await;
    let behind = finding(&report, "store_behind");
    assert_eq!(behind["severity"], "note", "{behind:#}");
    assert!(
        behind["summary"].as_str().is_some_and(|text| text.contains(&format!("this program has {newest}"))),
        "{behind:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_is_detected_by_telegram_and_the_store() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let mut program = well(&world).await;
    // The clock of the program stands in for that of the machine, which must not be set here.
    // Not by whole minutes: between the two readings a second may end.
    program.set_back(Duration::from_secs(190)).await;
    let (code, report) = examined(&world, &["--offline"]).await;
    assert_eq!((code, wrong(&report)), (Some(1), vec!["clock_wrong"]), "{report:#}");
    let off = finding(&report, "clock_wrong");
    assert_eq!(
        (&off["severity"], &off["fix"]["command"]),
        (&json!("error"), &json!("timedatectl set-ntp true"))
    );
    let summary = off["summary"].as_str().expect("a text");
    assert!(
        summary.starts_with("The clock is 3 min ") && summary.ends_with(" behind Telegram's."),
        "{summary}"
    );
    assert!(fact(&report, "clock", "Telegram's clock").starts_with("+1"), "{report:#}");

    // No server runs, and the store was written at a time in the future.
    program.terminate().await;
    let database = fs::File::options().write(true).open(world.data_dir("data").join("switchboard.db"));
    let later = |file: &fs::File| file.metadata()?.modified().map(|at| at + Duration::from_hours(1));
    database.and_then(|file| file.set_modified(later(&file)?)).expect("set");
    let (_, report) = examined(&world, &["--offline"]).await;
    let off = finding(&report, "clock_wrong");
    assert!(off["summary"].as_str().is_some_and(|text| text.contains("in the future")), "{off:#}");
}

/// The doctor's findings on a disk of this size, which is there for this one process and goes with it.
fn on_a_disk_of(world: &World, size: &str) -> Value {
    let folder = world.data_dir("small");
    fs::create_dir_all(&folder).expect("made");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let script = "mount -t tmpfs -o size=\"$1\",mode=0700 tmpfs \"$2\" && exec \"$3\" doctor --offline --json --config \"$4\" --data-dir \"$2\"";
    let words = ["-c", script, "sh", size, &path(&folder), &path(binary()), &path(&world.settings_file())]
        .map(str::to_owned);
    let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let namespaces: &[&str] = if root { &["--mount"] } else { &["--mount", "--user", "--map-root-user"] };
    let ran = Command::new("unshare").args(namespaces).arg("sh").args(words).stdin(Stdio::null()).output();
    let ran = ran.expect("unshare runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    serde_json::from_str(&text(&ran.stdout)).unwrap_or_else(|_| {
        panic!(
            "this test mounts a small disk in a namespace of its own, which needs root or namespaces of users: {}",
            text(&ran.stderr)
        )
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn low_disk_space_is_reported_before_it_is_full() {
    let _machine = MACHINE.write().await;
    let world = closed_world().await;
    for (size, severity, words) in [
        ("48m", "error", "nothing new is accepted until there is more"),
        ("300m", "warning", "below 64 MiB nothing new is accepted"),
    ] {
        let report = on_a_disk_of(&world, size);
        let low = finding(&report, "disk_low");
        assert_eq!(low["severity"], severity, "{low:#}");
        assert!(low["summary"].as_str().is_some_and(|text| text.contains(words)), "{low:#}");
        let folder = world.data_dir("small");
        assert_eq!(low["fix"]["command"], format!("du -xh --max-depth=2 {}", folder.display()), "{low:#}");
    }
    let (_, report) = examined(&world, &["--offline"]).await;
    assert_eq!(section(&report, "disk")["looked"], "wholly");
}
