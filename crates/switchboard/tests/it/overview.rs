//! The overview of a real program: over the API, from the command line, and red where something is wrong.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Pty, Start, World};

use crate::binary;
use crate::shell::cli::cli;

fn card<'a>(overview: &'a Value, id: &str) -> &'a Value {
    let found = overview["items"].as_array().and_then(|all| all.iter().find(|card| card["id"] == id));
    found.unwrap_or(&Value::Null)
}

async fn overview(program: &Program, query: &str) -> Value {
    let (status, overview) = program.get(&format!("/v1/overview{query}")).await;
    assert_eq!(status, 200, "{overview}");
    overview
}

/// Asks the running program from the command line; whether it went well, and all it printed.
fn command_output(world: &World, arguments: &[&str]) -> (bool, String) {
    let ran = cli(world, arguments).run();
    (ran.code == Some(0), ran.all())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_well_and_a_revoked_session_is_on_top_within_a_minute() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    program
        .until("everything is good", || async {
            // Not in leaps: the account must be well afterwards as well.
            program.pass_calmly(60).await;
            let seen = overview(&program, "?kind=service,port,store,queue").await;
            seen["items"].as_array().is_some_and(|all| all.iter().all(|card| card["lamp"] == "good"))
        })
        .await;
    let seen = overview(&program, "").await;
    assert_eq!(card(&seen, "port:main")["state"], "listening", "{seen:#}");
    assert_eq!(card(&seen, "port:control")["state"], "listening");
    assert_eq!(card(&seen, "account:main")["state"], "ready");
    let (status, store) = program.get("/v1/cards/store").await;
    assert_eq!((status, store["strip"].as_array().map(Vec::len)), (200, Some(120)), "{store}");
    program
        .until("the store answered this minute or the one before", || async {
            program.pass_calmly(20).await;
            let (_, store) = program.get("/v1/cards/store").await;
            [118, 119].iter().any(|minute| store["strip"][minute]["answer"] == "answered")
        })
        .await;
    assert_eq!(program.get("/v1/cards/store:x").await.0, 404);
    assert_eq!(program.get("/v1/overview?kind=nothing").await.0, 422);
    let page = overview(&program, "?limit=2").await;
    let next = page["next_cursor"].as_str().expect("more").to_owned();
    let second = overview(&program, &format!("?limit=2&cursor={next}")).await;
    assert_ne!(page["items"], second["items"]);

    world.fault("session_revoked", json!({"account": "main"})).await;
    let (mut passed, begun) = (0, std::time::Instant::now());
    loop {
        if passed < 60 {
            program.advance(Duration::from_secs(10)).await;
            passed += 10;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let (_, card) = program.get("/v1/cards/account:main").await;
        let red = &card["strip"][119]["answer"] == "failed" || &card["strip"][118]["answer"] == "failed";
        if red && card["reason"] == "session_revoked" {
            break;
        }
        // By the program's clock; a slow machine has the time it needs to answer.
        assert!(begun.elapsed() < Duration::from_mins(1), "not red within a minute: {card}");
    }
    let trouble = overview(&program, "?trouble=true&q=session_revoked").await;
    assert_eq!(trouble["items"][0]["lamp"], "trouble", "{trouble:#}");

    let (fine, shown) = command_output(&world, &["top", "--once"]);
    assert!(fine && shown.contains("■ account:main") && shown.contains("session_revoked"), "{shown}");
    let (fine, json) = command_output(&world, &["top", "--json", "--trouble"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert!(fine && card(&json, "account:main")["reason"] == "session_revoked");
    let (fine, refused) = command_output(&world, &["flood", "clear"]);
    assert!(!fine && refused.contains("no account has a flood wait"), "{refused}");
    let (fine, begun) = command_output(&world, &["flood", "clear", "--stop-all"]);
    assert!(fine && begun.contains("Stopping all services"), "{begun}");
    let (fine, _) = command_output(&world, &["flood", "cancel"]);
    assert!(fine);
    let (fine, status) = command_output(&world, &["flood", "status"]);
    assert!(fine && status.contains("not being cleared"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn terminal_overview_is_live_until_quit() {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    let data_dir = world.data_dir("data");
    let top = ["top", "--data-dir", data_dir.to_str().expect("UTF-8")];
    let mut pty = Pty::at_a_screen(binary(), &top, (100, 30));
    pty.shows("account:main", 1).await;
    world.fault("session_revoked", json!({ "account": "main" })).await;
    program
        .until("it is on the screen", || async {
            program.advance(Duration::from_secs(20)).await;
            pty.screen().contains("session_revoked")
        })
        .await;
    // A server that is gone is waited for; any key looks at once, `q` ends it and gives the terminal back.
    program.kill();
    pty.shows("no answer: ", 1).await;
    pty.types("q");
    assert_eq!(pty.ended().await, Some(0));
    assert!(pty.screen().ends_with("\u{1b}[?25h\u{1b}[?1049l"), "{:?}", pty.screen());
}
