//! Alerts end to end: an account breaks, its owner learns of it in Telegram by another account, by webhook,
//! and by a program that is dead.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::{ACCOUNTS, Receiver, World};

use crate::binary;
use crate::shell::cli::{cli, running};

/// Runs a command with the address of a webhook in its environment; its exit code, and all it printed.
fn command(world: &World, arguments: &[&str]) -> (Option<i32>, String) {
    let ran = cli(world, arguments).env("ALERT_HOOK", "https://example.com/planted-in-url").run();
    (ran.code, ran.all())
}

fn fine(world: &World, arguments: &[&str]) -> String {
    let (code, printed) = command(world, arguments);
    assert_eq!(code, Some(0), "{arguments:?}: {printed}");
    printed
}

/// Declares an alert target.
fn declare(world: &World, target: &str) {
    world.edit_settings(|text| format!("{text}\n[[alerts.targets]]\n{target}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_account_is_reported_by_chat_and_webhook() {
    let world = World::start(binary()).await;
    let receiver = Receiver::start().await;
    declare(&world, &format!("name = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"", receiver.address()));
    declare(&world, "name = \"owner\"\nkind = \"telegram\"\nchat = \"@client_1\"\naccount = \"main\"");
    let program = running(&world, &ACCOUNTS).await;
    world.fault("session_revoked", json!({ "account": "main" })).await;
    let both_are_notified = || async {
        let sent = world.sent().await;
        sent.iter().any(|text| text.contains("account main is in trouble"))
            && receiver.bodies().iter().any(|body| body["data"]["raised_total"] != 0)
    };
    let waiting = program.until("both are notified", both_are_notified);
    program.as_time_goes_by(Duration::from_secs(5), waiting).await;
    let raised: Vec<Value> = receiver.bodies();
    // The leaps of the clock may cost another account an answer.
    let main = raised.iter().find(|body| body["data"].to_string().contains("\"account:main\""));
    let cards: Vec<&str> = main.expect("answered")["data"]["raised"]
        .as_array()
        .expect("alerts")
        .iter()
        .filter_map(|alert| alert["card"].as_str())
        .collect();
    assert!(cards.contains(&"account:main"), "{cards:?}");
    assert!(!cards.iter().any(|card| card.starts_with("line:main")), "its lines are sent with it: {cards:?}");
    let listed = fine(&world, &["alert", "list"]);
    assert!(listed.contains("account:main"), "{listed}");
    fine(&world, &["alert", "mute", "account:main", "--for", "1h"]);
    assert!(fine(&world, &["alert", "list"]).contains("mute"));
    fine(&world, &["alert", "unmute", "account:main"]);
    let targets = fine(&world, &["alert", "targets", "list"]);
    assert!(
        targets.contains("hook") && targets.contains("settings") && !targets.contains("/hook "),
        "{targets}"
    );
}

/// What a text says of a card below one of its headings.
fn line_about<'a>(text: &'a str, heading: &str, title: &str) -> Option<&'a str> {
    let (_, below) = text.split_once(&format!("\n{heading}\n"))?;
    let own = format!("- {title}: ");
    below.lines().take_while(|line| line.starts_with("- ")).find_map(|line| line.strip_prefix(&own))
}

#[tokio::test(flavor = "multi_thread")]
async fn open_alert_is_repeated_until_resolved() {
    const CARD: &str = "account:backup_1";
    const EVERY: Duration = Duration::from_mins(5);
    const STEP: Duration = Duration::from_secs(5);
    let world = World::start(binary()).await;
    let receiver = Receiver::start().await;
    world.edit_settings(|text| format!("{text}\n[alerts]\nremind_every = \"5m\"\n"));
    declare(&world, &format!("name = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"", receiver.address()));
    declare(&world, "name = \"owner\"\nkind = \"telegram\"\nchat = \"@client_1\"\naccount = \"main\"");
    let program = running(&world, &ACCOUNTS).await;
    // The notices that have the card in this part, each with when that was. One whose answer a leap of the clock passes is
    // posted once more.
    let notices = |part: &str| -> Vec<Timestamp> {
        let has = |body: &&Value| {
            body["data"][part].as_array().expect("alerts").iter().any(|alert| alert["card"] == CARD)
        };
        let bodies = receiver.bodies();
        let of_it = bodies.iter().filter(has);
        let times =
            of_it.map(|body| body["timestamp"].as_str().expect("a time").parse().expect("an instant"));
        times.collect::<BTreeSet<_>>().into_iter().collect()
    };
    let until = async |what: &str, part: &str, count: usize| {
        let waiting = program.until(what, || async { notices(part).len() >= count });
        program.as_time_goes_by(STEP, waiting).await;
    };

    // It is there and answers nothing, until it does again.
    world.fault("deaf", json!({ "account": "backup_1" })).await;
    until("it is sent", "raised", 1).await;
    until("there are two reminders", "still", 2).await;
    let (raised, still) = (notices("raised"), notices("still"));
    assert_eq!(raised.len(), 1, "{:?}", receiver.bodies());
    for (before, after) in [(raised[0], still[0]), (still[0], still[1])] {
        let apart = after.since(before);
        // A round of beats comes every 20 s.
        assert!(
            apart >= EVERY && apart < EVERY + Duration::from_mins(2),
            "{apart:?} are between {before} and {after}"
        );
    }
    assert_eq!(notices("cleared"), []);

    world.delete("/faults").await;
    until("it is well again", "cleared", 1).await;
    program.account_is("backup_1", "ready").await;
    let reminders = notices("still").len();
    program.pass_calmly(EVERY.as_secs() + 60).await;
    assert_eq!((notices("cleared").len(), notices("still").len()), (1, reminders), "{:?}", receiver.bodies());

    // The chat has the same in words, and each once.
    let texts = world.sent().await;
    let lines = |heading: &str| -> Vec<&str> {
        texts.iter().filter_map(|text| line_about(text, heading, "account backup_1")).collect()
    };
    let (in_trouble, reminded, well) =
        (lines("In trouble:"), lines("Still in trouble:"), lines("Well again:"));
    assert_eq!((in_trouble.len(), reminded.len(), well.len()), (1, reminders, 1), "{texts:#?}");
    assert!(in_trouble[0].starts_with("no_answer, since "), "{texts:#?}");
    assert!(reminded[0].starts_with("no_answer, since "), "{texts:#?}");
    assert!(well[0].starts_with("was no_answer for "), "{texts:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_alert_is_sent_while_all_is_well() {
    let world = World::start(binary()).await;
    let receiver = Receiver::start().await;
    declare(&world, &format!("name = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"", receiver.address()));
    let program = running(&world, &ACCOUNTS).await;
    program.pass_calmly(240).await;
    let (_, alerts) = program.get("/v1/alerts").await;
    assert_eq!((alerts["items"].as_array().map(Vec::len), receiver.bodies().len()), (Some(0), 0), "{alerts}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_program_is_reported_without_it() {
    let world = World::start(binary()).await;
    let receiver = Receiver::start().await;
    declare(&world, &format!("name = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"", receiver.address()));
    let mut program = running(&world, &ACCOUNTS).await;
    // Made while it runs, and sealed beside the store.
    let made =
        fine(&world, &["alert", "targets", "add", "pager", "--kind", "webhook", "--url-env", "ALERT_HOOK"]);
    assert!(made.contains("alert targets test pager"), "{made}");
    program.kill();
    let mirror = world.data_dir("data").join("alert-targets.json");
    let sealed = std::fs::read_to_string(&mirror).expect("the mirror");
    assert!(sealed.contains("pager") && !sealed.contains("planted"), "{sealed}");
    fine(&world, &["alert", "targets", "remove", "pager"]);

    let send = ["alert", "send", "--unit", "switchboard.service"];
    let output = fine(&world, &send);
    assert!(output.contains("hook: notified"), "{output}");
    let body = receiver.bodies().remove(0);
    assert_eq!(
        (&body["type"], &body["data"]["unit"]),
        (&json!("program.dead"), &json!("switchboard.service"))
    );
    assert!(body["data"]["text"].as_str().is_some_and(|text| text.contains("systemctl")), "{body}");

    // Wrong settings may be what it died of: their targets are notified, and what is wrong is said and no success.
    world.edit_settings(|text| format!("lisen = 1\n{text}"));
    let (code, output) = command(&world, &send);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("lisen") && output.contains("hook: notified"), "{output}");
    assert_eq!(receiver.bodies().len(), 2);
    // Of what is not TOML nothing can be known.
    world.edit_settings(|text| format!("[[[\n{text}"));
    let (code, output) = command(&world, &send);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("there is no alert target") && receiver.bodies().len() == 2, "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_and_windows_are_seen_to_while_no_server_runs() {
    let world = World::start(binary()).await;
    let chat = ["alert", "targets", "add", "owner", "--kind", "telegram", "--chat", "@client_1"];
    fine(&world, &chat);
    let (code, output) = command(&world, &chat);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("already"), "{output}");
    let (code, output) = command(&world, &["alert", "targets", "test", "owner"]);
    assert!(code == Some(1) && output.contains("switchboard up"), "{output}");
    fine(&world, &["alert", "maintenance", "add", "--for", "2h", "--note", "new disk"]);
    fine(
        &world,
        &[
            "alert",
            "maintenance",
            "add",
            "--days",
            "sat,sun",
            "--start",
            "02:00",
            "--minutes",
            "90",
            "--utc-offset",
            "-03:00",
        ],
    );
    let windows: Value =
        serde_json::from_str(&fine(&world, &["alert", "maintenance", "list", "--json"])).expect("JSON");
    assert_eq!(windows["items"][0]["note"], "new disk");
    assert_eq!(windows["items"][1]["utc_offset"], "-03:00");
    fine(&world, &["alert", "maintenance", "remove", windows["items"][0]["id"].as_str().expect("an id")]);
    fine(&world, &["alert", "targets", "remove", "owner"]);
    assert!(fine(&world, &["alert", "targets", "list"]).contains("No one is notified"));
}
