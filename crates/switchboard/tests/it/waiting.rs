//! How far things are that take long: the first reading of the dialogs, and an import, at a terminal and over pipes.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Seat, Start, World};

use crate::binary;
use crate::importing::stage;

fn arguments(world: &World, given: &[&str]) -> Vec<String> {
    let path = |path: std::path::PathBuf| path.to_str().expect("UTF-8").to_owned();
    let place = [
        "--config".to_owned(),
        path(world.settings_file()),
        "--data-dir".to_owned(),
        path(world.data_dir("data")),
    ];
    ["account"].iter().chain(given).map(|word| (*word).to_owned()).chain(place).collect()
}

fn seat(world: &World, given: &[&str]) -> Seat {
    let arguments = arguments(world, given);
    Seat::at(binary(), &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Runs a command over pipes: the exit code, and what it printed on both.
async fn run(world: &World, given: &[&str]) -> (Option<i32>, String, String) {
    let mut command = tokio::process::Command::new(binary());
    let output = command.args(arguments(world, given)).stdin(Stdio::null()).output().await.expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

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
async fn how_far_the_first_reading_is_can_be_seen_and_waited_for() {
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
    let (code, listed, _) = run(&world, &["list"]).await;
    let row = listed.lines().find(|line| line.contains(" main ")).expect("its row").to_owned();
    assert!(code == Some(0) && row.contains(&format!(" of {}", grouped(total))), "{listed}");

    let (code, said, errors) = run(&world, &["wait", "main", "--timeout", "10ms"]).await;
    assert_eq!(code, Some(1), "{said}{errors}");
    assert!(errors.contains("main: ") && errors.contains(" dialogs"), "{errors}");

    let mut watching = seat(&world, &["wait", "main"]);
    watching.shows("main [", 1).await;
    watching.shows(&format!(" of {} dialogs", grouped(total)), 1).await;
    let waiting = async {
        let lines = run(&world, &["wait", "main", "backup_1"]);
        let json = run(&world, &["wait", "--json"]);
        tokio::join!(lines, json, watching.ended())
    };
    let ((code, lines, errors), json, watched) =
        program.as_time_goes_by(Duration::from_secs(1), waiting).await;
    assert_eq!((code, errors.as_str()), (Some(0), ""), "{lines}");
    assert!(lines.contains(&format!(" of {} dialogs", grouped(total))), "{lines}");
    assert!(lines.lines().any(|line| line.starts_with("backup_1: ready, ")), "{lines}");
    assert!(lines.lines().count() < 40, "{lines}");
    assert_eq!(watched, Some(0), "{}", watching.screen());
    assert!(watching.screen().contains("ready, "), "{}", watching.screen());
    assert_eq!((json.0, json.2.as_str()), (Some(0), ""), "{}", json.1);
    let said: Value = serde_json::from_str(&json.1).expect("JSON");
    assert_eq!((&said["ready"], said["items"].as_array().map(Vec::len)), (&json!(true), Some(5)), "{said}");
    let (_, account) = program.get("/v1/accounts/main").await;
    assert!(account["dialogs_read"].as_u64() >= Some(total), "{account}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_when_the_time_is_over_is_said() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    assert_eq!(program.post("/v1/accounts/fifth/actions/stop", &Value::Null).await.0, 200);
    program.account_is("fifth", "offline").await;
    let (code, said, errors) = run(&world, &["wait", "fifth", "--timeout", "300ms", "--json"]).await;
    assert_eq!(code, Some(1), "{said}{errors}");
    assert!(errors.contains("300ms") && errors.contains("fifth: offline"), "{errors}");
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&said["ready"], &said["items"][0]["state"]), (&json!(false), &json!("offline")), "{said}");
    for (name, word) in [("nobody", "there are: "), ("No Name", "NAMES")] {
        let (code, _, errors) = run(&world, &["wait", name]).await;
        assert!(code != Some(0) && errors.contains(word), "{code:?} {errors}");
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
    let given = ["import", &text, "--yes", "--api-id", "1000001", "--api-hash-file", &hash_text];
    let mut importing = seat(&world, &given);
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
    let (code, said, errors) = run(&world, &given).await;
    assert!(code == Some(0) && !said.contains("account wait"), "{said}{errors}");
    assert!(!errors.contains("Import ["), "{errors}");
}
