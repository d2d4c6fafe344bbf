//! How far things are that take long: the first reading of the dialogs, and an import, at a terminal and over pipes.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;
use crate::importing::stage;
use crate::shell::cli::cli;

/// A program that reads many dialogs, page by page, as time goes by.
async fn reading() -> (World, Program) {
    let world = World::start_with(binary(), &["--dialogs", "5000"]).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    let known = || async { program.get("/v1/accounts/main").await.1["dialogs_total"].is_u64() };
    program.until("Telegram tells how many dialogs there are", known).await;
    (world, program)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_reading_shows_progress_and_is_waited_for() {
    let (world, program) = reading().await;
    let (_, account) = program.get("/v1/accounts/main").await;
    let count = |field: &str| account[field].as_u64().expect("a count");
    let (read, total) = (count("dialogs_read"), count("dialogs_total"));
    assert_eq!(account["dialogs_complete"], false, "{account}");
    assert!(read < total && total > 300, "{account}");
    let grouped = |number: u64| match number {
        1_000.. => format!("{},{:03}", number / 1_000, number % 1_000),
        _ => number.to_string(),
    };
    let listed = cli(&world, &["account", "list"]).fine();
    let row = listed.lines().find(|line| line.contains(" main ")).expect("its row").to_owned();
    assert!(row.contains(&format!(" of {}", grouped(total))), "{listed}");

    let late = cli(&world, &["account", "wait", "main", "--timeout", "10ms"]).run();
    assert_eq!(late.code, Some(1), "{late:?}");
    assert!(late.err.contains("main: ") && late.err.contains(" dialogs"), "{late:?}");

    let mut watching = cli(&world, &["account", "wait", "main"]).pty();
    watching.shows("main [", 1).await;
    watching.shows(&format!(" of {} dialogs", grouped(total)), 1).await;
    let waiting = async {
        let lines = cli(&world, &["account", "wait", "main", "backup_1"]).beside();
        let json = cli(&world, &["account", "wait", "--json"]).beside();
        tokio::join!(lines, json, watching.ended())
    };
    let (lines, json, watched) = program.as_time_goes_by(Duration::from_secs(1), waiting).await;
    assert_eq!(lines.err, "");
    let lines = lines.fine();
    assert!(lines.contains(&format!(" of {} dialogs", grouped(total))), "{lines}");
    assert!(lines.lines().any(|line| line.starts_with("backup_1: ready, ")), "{lines}");
    assert!(lines.lines().count() < 40, "{lines}");
    assert_eq!(watched, Some(0), "{}", watching.screen());
    assert!(watching.screen().contains("ready, "), "{}", watching.screen());
    assert_eq!(json.err, "");
    let report = json.json();
    assert_eq!(
        (&report["ready"], report["items"].as_array().map(Vec::len)),
        (&json!(true), Some(5)),
        "{report}"
    );
    let (_, account) = program.get("/v1/accounts/main").await;
    assert!(account["dialogs_read"].as_u64() >= Some(total), "{account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_names_what_is_missing() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    assert_eq!(program.post("/v1/accounts/fifth/actions/stop", &Value::Null).await.0, 200);
    program.account_is("fifth", "offline").await;
    let late = cli(&world, &["account", "wait", "fifth", "--timeout", "300ms", "--json"]).run();
    assert_eq!(late.code, Some(1), "{late:?}");
    assert!(late.err.contains("300ms") && late.err.contains("fifth: offline"), "{late:?}");
    let report: Value = serde_json::from_str(&late.out).expect("JSON");
    assert_eq!(
        (&report["ready"], &report["items"][0]["state"]),
        (&json!(false), &json!("offline")),
        "{report}"
    );
    for (name, word) in [("nobody", "there are: "), ("No Name", "NAMES")] {
        let refused = cli(&world, &["account", "wait", name]).run();
        assert!(refused.code != Some(0) && refused.err.contains(word), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_shows_how_far_it_is_and_names_what_comes_next() {
    let world = stage::world().await;
    let program = Start::on(&world, binary(), "data").ready().await;
    let (file, text) = stage::path(&world, "moving.session");
    stage::file(&world, &file, &[]).await;
    let progress = || async { program.get("/v1/accounts/import").await };
    let rest = json!({ "running": false, "step": null, "done": 0, "of": 0, "now": null });
    assert_eq!(progress().await, (200, rest.clone()));
    assert_eq!(program.status_with("nobody's key", "/v1/accounts/import").await, 401);
    world
        .fault(
            "delay",
            json!({ "account": stage::MOVING, "method": "users.getUsers", "seconds": 3600, "times": 1 }),
        )
        .await;
    let (hash, hash_text) = stage::path(&world, "api_hash");
    std::fs::write(&hash, "0123456789abcdef0123456789abcdef").expect("writes");
    let given = ["account", "import", &text, "--yes", "--api-id", "1000001", "--api-hash-file", &hash_text];
    let mut importing = cli(&world, &given).pty();
    program
        .until("Telegram is asked", || async {
            let (_, progress) = progress().await;
            progress["step"] == "asking" && progress["of"] == 1 && progress["now"] == text.as_str()
        })
        .await;
    importing.shows("Import [", 1).await;
    importing.shows("0 of 1 moving.session, Telegram is asked", 1).await;
    world.delete("/faults").await;
    assert_eq!(importing.ended().await, Some(0), "{}", importing.screen());
    importing.shows("wait for that with: switchboard account wait ", 1).await;
    assert_eq!(progress().await, (200, rest));
    // Nothing is new the second time, so there is nothing to wait for; and over pipes there is no bar.
    let again = cli(&world, &given).run();
    assert!(again.code == Some(0) && !again.out.contains("account wait"), "{again:?}");
    assert!(!again.err.contains("Import ["), "{again:?}");
}
