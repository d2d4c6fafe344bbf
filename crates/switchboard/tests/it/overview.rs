//! The overview of a real program: over the API, from the command line, and red where something is wrong.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Seat, Start, World};

use crate::binary;
use crate::shell::cli::{command, ran};

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
fn asked(world: &World, arguments: &[&str]) -> (bool, String) {
    let (code, printed) = ran(&mut command(world, "data", arguments));
    (code == Some(0), printed)
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
    // A minute may just have begun.
    let latest = [&store["strip"][118]["answer"], &store["strip"][119]["answer"]];
    assert!(latest.iter().any(|answer| **answer == "answered"), "{store}");
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

    let (fine, shown) = asked(&world, &["top", "--once"]);
    assert!(fine && shown.contains("■ account:main") && shown.contains("session_revoked"), "{shown}");
    let (fine, json) = asked(&world, &["top", "--json", "--trouble"]);
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert!(fine && card(&json, "account:main")["reason"] == "session_revoked");
    let (fine, refused) = asked(&world, &["flood", "clear"]);
    assert!(!fine && refused.contains("no account has a flood wait"), "{refused}");
    let (fine, begun) = asked(&world, &["flood", "clear", "--stop-all"]);
    assert!(fine && begun.contains("Stopping all services"), "{begun}");
    let (fine, _) = asked(&world, &["flood", "cancel"]);
    assert!(fine);
    let (fine, status) = asked(&world, &["flood", "status"]);
    assert!(fine && status.contains("not being cleared"), "{status}");
}

/// Where a message stands between its account and the wire.
const STANDS: &str = "telegram.send.before";

#[tokio::test(flavor = "multi_thread")]
async fn listener_counts_requests_not_health_checks() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    program.has_read_dialogs("main").await;
    let port = world.legacy_port(5022);
    let order = |text: &str| json!({ "chat": "client_1", "text": text });
    for text in ["one", "two"] {
        assert_eq!(program.legacy(port, "/send_text", &order(text)).await.0, 200);
    }
    assert_eq!(program.legacy(port, "/send_text", &json!({})).await.0, 400);
    let refusal =
        json!({ "method": "messages.sendMessage", "code": 400, "message": "MESSAGE_TOO_LONG", "times": 1 });
    world.fault("rpc_error", refusal).await;
    assert_eq!(program.legacy(port, "/send_text", &order("three")).await.0, 500);
    // Its health was asked many times by now.
    let id = format!("port:{port}");
    let counted = |seen: &Value| {
        let card = card(seen, &id);
        let hours = card["sends"].as_array().into_iter().flatten().filter_map(Value::as_u64);
        (card["operations"].clone(), card["errors"].clone(), hours.sum::<u64>())
    };
    program
        .until("the listener has counted", || async {
            program.advance(Duration::from_secs(5)).await;
            counted(&overview(&program, "").await) == (json!(4), json!(1), 3)
        })
        .await;
    let seen = overview(&program, "").await;
    assert_eq!(card(&seen, &id)["queue"], 0, "{seen:#}");
    let shares: f64 = seen["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter(|one| one["kind"] == "port")
        .map(|one| one["share"].as_f64().expect("a share"))
        .sum();
    assert!((shares - 1.0).abs() < 0.001, "{shares}: {seen:#}");
    // What is being answered is its queue.
    program.arm(STANDS, 0).await;
    let last = order("four");
    let asked = program.legacy(port, "/send_text", &last);
    let looked = async {
        program.until("it stands", || program.stopped_at(STANDS)).await;
        let counted = || async { card(&overview(&program, "").await, &id)["queue"] == 1 };
        program.until("it is being answered", counted).await;
        program.release(STANDS).await;
    };
    let ((status, _), ()) = tokio::join!(asked, looked);
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_count_what_really_happened() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    program.has_read_dialogs("main").await;
    let before = overview(&program, "").await;
    let number = |seen: &Value, id: &str, field: &str| card(seen, id)[field].as_u64().expect("a number");
    let sends = |seen: &Value, id: &str| {
        card(seen, id)["sends"].as_array().into_iter().flatten().filter_map(Value::as_u64).sum::<u64>()
    };
    for text in ["one", "two", "three"] {
        let order = json!({ "chat": "@client_1", "text": text, "account": "main" });
        assert_eq!(program.post("/v1/messages", &order).await.0, 200);
    }
    let refusal = json!({ "account": "main", "method": "messages.sendMessage", "code": 400, "message": "MESSAGE_TOO_LONG", "times": 1 });
    world.fault("rpc_error", refusal).await;
    let order = json!({ "chat": "@client_1", "text": "four", "account": "main" });
    assert_eq!(program.post("/v1/messages", &order).await.0, 422, "the provider does not want it");
    program
        .until("the cards have counted", || async {
            program.advance(Duration::from_secs(5)).await;
            let seen = overview(&program, "").await;
            sends(&seen, "account:main") == sends(&before, "account:main") + 3
                && number(&seen, "service:send_text", "queue") == 0
                && number(&seen, "account:main", "queue") == 0
        })
        .await;
    let seen = overview(&program, "").await;
    for id in ["account:main", "service:send_text"] {
        assert_eq!(sends(&seen, id), sends(&before, id) + 3, "{id}: {seen:#}");
        assert!(number(&seen, id, "operations") >= number(&before, id, "operations") + 4, "{id}");
        // More where the leaps of the clock cost an answer to a probe.
        assert!(number(&seen, id, "errors") > number(&before, id, "errors"), "{id}");
        assert!(
            card(&seen, id)["last_error"].as_str().is_some_and(|error| error.contains("MESSAGE_TOO_LONG")),
            "{id}"
        );
        assert_eq!(number(&seen, id, "queue"), 0, "{id}");
    }
    assert_eq!(sends(&seen, "account:backup_1"), 0);
    assert!(number(&seen, "account:main", "cache_size") > 10, "it knows its dialogs");
    let share = |id: &str| card(&seen, id)["share"].as_f64().expect("a share");
    assert!(share("account:main") > share("account:backup_1"), "{seen:#}");
    assert_eq!(seen["facts"]["sent_last_hour"], 3, "{}", seen["facts"]);
    // Its lines have their part of that, each what went over it.
    program
        .until("the lines have what their account has", || async {
            let seen = overview(&program, "").await;
            let items = seen["items"].as_array().expect("items");
            let lines: Vec<_> = items.iter().filter(|item| item["parent"] == "account:main").collect();
            assert_eq!(lines.len(), 4, "{seen:#}");
            let total =
                |field: &str| lines.iter().map(|line| line[field].as_u64().expect("a number")).sum::<u64>();
            ["operations", "errors"].iter().all(|field| total(field) == number(&seen, "account:main", field))
        })
        .await;
    for (id, fields) in
        [("store", &["operations", "queue", "sends"][..]), ("line:main:send_text", &["queue", "sends"])]
    {
        assert!(fields.iter().all(|field| card(&seen, id)[*field].is_null()), "{id}: {seen:#}");
    }
    // Of what the program takes each has the part that it has in the calls.
    let part = |whole: &Value| whole.as_f64().expect("measured") * share("account:main");
    for (whole, own) in [("memory_bytes", "memory_bytes"), ("cpu", "cpu")] {
        let (due, shown) = (part(&seen["process"][whole]), &card(&seen, "account:main")[own]);
        assert!(
            (shown.as_f64().expect("a part") - due).abs() <= due * 0.01 + 1.0,
            "{whole}: {shown} of {due}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_tells_what_waits_for_it_alone_and_how_long_it_is_up() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    let up = card(&overview(&program, "").await, "account:main")["up_since"].clone();
    assert!(up.is_string(), "{up}");
    let flood = json!({ "account": "main", "method": "messages.sendMessage", "seconds": 3600, "times": 1 });
    world.fault("flood_wait", flood).await;
    for text in ["one", "two"] {
        let order = json!({ "chat": "@client_1", "text": text, "account": "main", "wait": 0 });
        assert_eq!(program.post("/v1/messages", &order).await.0, 202);
    }
    program
        .until("both wait", || async {
            program.advance(Duration::from_secs(5)).await;
            let seen = overview(&program, "").await;
            card(&seen, "account:main")["queue"] == 2 && card(&seen, "service:send_text")["queue"] == 2
        })
        .await;
    let seen = overview(&program, "").await;
    assert_eq!(card(&seen, "account:backup_1")["queue"], 0, "it may not send them: {seen:#}");
    let main = card(&seen, "account:main");
    assert_eq!((&main["state"], main["up_since"].is_string()), (&json!("flood_wait"), true), "{main:#}");
    let moved =
        |at: &Value| at.as_str().expect("an instant").parse::<domain::Timestamp>().expect("an instant");
    let apart = moved(&main["up_since"]).since(moved(&up)).max(moved(&up).since(moved(&main["up_since"])));
    assert!(apart < Duration::from_secs(1), "a flood wait does not end its being up: {up} {main:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn terminal_overview_is_live_until_quit() {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    let data_dir = world.data_dir("data");
    let top = ["top", "--data-dir", data_dir.to_str().expect("UTF-8")];
    let mut seat = Seat::at_a_screen(binary(), &top, (100, 30));
    seat.shows("account:main", 1).await;
    world.fault("session_revoked", json!({ "account": "main" })).await;
    program
        .until("it is on the screen", || async {
            program.advance(Duration::from_secs(20)).await;
            seat.screen().contains("session_revoked")
        })
        .await;
    // A server that is gone is waited for; any key looks at once, `q` ends it and gives the terminal back.
    program.kill();
    seat.shows("no answer: ", 1).await;
    seat.types("q");
    assert_eq!(seat.ended().await, Some(0));
    assert!(seat.screen().ends_with("\u{1b}[?25h\u{1b}[?1049l"), "{:?}", seat.screen());
}
