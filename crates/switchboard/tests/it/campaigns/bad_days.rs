//! Bad days of a campaign: chats that do not exist, two programs on it, a stop on the way, a database that is away. The ledger has each
//! chat once.

use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::{Program, Start, World, without_account};

use super::{SEND, attempts, campaign, is, made, reasons, start, written};
use crate::binary;
use crate::postgres::{database, hasty, link_to, one_of_several};
use crate::shell::cli::{cli, started};

/// Holds the next message of anyone on the wire until the faults are taken away.
async fn hold_the_next(world: &World) {
    world.fault("delay", json!({"method": SEND, "seconds": 3600, "times": 1})).await;
    world.delete("/calls").await;
}

async fn one_is_on_the_wire(world: &World, program: &Program) {
    program.until("one is on the wire", || async { world.calls(SEND).await > 0 }).await;
}

async fn each_was_written_to_once(world: &World, clients: usize) {
    let written = written(world).await;
    assert!(written.len() == clients && written.values().all(|times| *times == 1), "{written:?}");
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_chats_that_do_not_exist_are_blocked_one_by_one() {
    const CHATS: usize = 1000;
    let (world, program) = started(&["main", "fifth"]).await;
    made(&program, &["main", "fifth"], 1, json!({"delay_seconds": 0})).await;
    let chats: Vec<_> = (0..CHATS).map(|number| format!("@nobody_at_all_{number}")).collect();
    program.post("/v1/campaigns/spring/tasks", &json!({"file": chats.join("\n")})).await;
    start(&program).await;
    is(&program, "done").await;
    let shown = campaign(&program).await;
    assert_eq!(shown["run"]["reasons"]["chat_not_found"], CHATS, "{shown}");
    assert_eq!((&shown["blocked"], &shown["run"]["attempts"]["sent"]), (&json!(CHATS), &json!(1)));
    each_was_written_to_once(&world, 1).await;
    let page = program.get("/v1/campaigns/spring/attempts?log=failed_chats&limit=1").await.1;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
    let file = world.data_dir("data").join("campaign-logs/failed_chats.log");
    let lines = std::fs::read_to_string(file).expect("a log file");
    assert_eq!(lines.lines().filter(|line| line.contains("chat_not_found")).count(), CHATS);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_starts_of_a_campaign_follow_one_run() {
    let (world, program) = started(&["main", "fifth"]).await;
    made(&program, &["main", "fifth"], 12, json!({"delay_seconds": 0})).await;
    let typed = || cli(&world, &["campaign", "start", "spring", "--json"]).beside();
    let (first, second) = tokio::join!(typed(), typed());
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{first:?} {second:?}");
    is(&program, "done").await;
    each_was_written_to_once(&world, 12).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_during_a_run_counts_before_the_next_message() {
    let (world, program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 3, json!({"delay_seconds": 0})).await;
    hold_the_next(&world).await;
    start(&program).await;
    one_is_on_the_wire(&world, &program).await;
    let stop = json!({"from": "@client_2", "chat": "@demo_fifth", "text": "Stop!"});
    world.post("/telegram/messages", &stop).await;
    let received = || async {
        let found = program.get("/v1/messages?direction=in&text=Stop!").await.1;
        found["items"].as_array().is_some_and(|items| !items.is_empty())
    };
    program.until("it is received", received).await;
    // Who calls the API meanwhile does not wait behind the campaign.
    assert_eq!(program.send("@client_5", "an answer").await.0, 200);
    world.delete("/faults").await;
    is(&program, "done").await;
    let skipped = reasons(&attempts(&program).await, "skipped");
    assert_eq!(skipped, [("@client_2".to_owned(), "opt_out".to_owned())]);
    each_was_written_to_once(&world, 3).await;
}

/// Telegram stops an account in the middle of a run: its chats go to the other one.
async fn stopped_in_the_middle(fault: &str, reason: &str) {
    let (world, program) = started(&["main", "fifth"]).await;
    let settings = json!({"delay_seconds": 0, "max_messages_per_hour": 60});
    made(&program, &["main", "fifth"], 40, settings).await;
    start(&program).await;
    program.until("some are sent", || async { world.effects(SEND).await.len() >= 4 }).await;
    world.fault(fault, json!({"account": "main", "method": SEND})).await;
    is(&program, "done").await;
    let shown = campaign(&program).await;
    assert_eq!(shown["run"]["attempts"]["sent"], 40, "{shown}");
    let main = shown["senders"].as_array().expect("senders").iter().find(|row| row["account"] == "main");
    let main = main.expect("main");
    assert_eq!((&main["state"], &main["reason"]), (&json!("blocked"), &json!(reason)), "{shown}");
    each_was_written_to_once(&world, 40).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_banned_midway_leaves_its_chats_to_another() {
    stopped_in_the_middle("banned", "banned").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_restricted_midway_leaves_its_chats_to_another() {
    stopped_in_the_middle("peer_flood", "restricted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_of_a_removed_account_go_to_another() {
    let (world, mut program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 2, json!({"delay_seconds": 0})).await;
    let point = "store.claim_campaign_task.after";
    program.arm(point, 0).await;
    start(&program).await;
    program.until(point, || program.stopped_at(point)).await;
    program.kill();
    world.edit_settings(|text| without_account(&text, "fifth"));
    program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    is(&program, "paused").await;
    let failed = [("@client_1".to_owned(), "unknown_account".to_owned())];
    assert_eq!(reasons(&attempts(&program).await, "failed"), failed);
    program.post("/v1/campaigns/spring/senders", &json!({"accounts": ["main"]})).await;
    program.post("/v1/campaigns/spring/resume", &json!({})).await;
    is(&program, "done").await;
    each_was_written_to_once(&world, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_account_was_removed_pauses_and_says_so() {
    let (world, mut program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 2, json!({"delay_seconds": 0, "max_messages_per_hour": 1})).await;
    start(&program).await;
    program.until("one is sent", || async { reasons(&attempts(&program).await, "sent").len() == 1 }).await;
    program.kill();
    world.edit_settings(|text| without_account(&text, "fifth"));
    program = Start::on(&world, binary(), "data").ready().await;
    is(&program, "paused").await;
    let shown = campaign(&program).await;
    assert_eq!(shown["senders"][0]["reason"], "unknown_account", "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_added_to_a_run_takes_part_in_it() {
    let (world, program) = started(&["main", "fifth"]).await;
    made(&program, &["fifth"], 2, json!({"delay_seconds": 0, "max_messages_per_hour": 1})).await;
    start(&program).await;
    program.until("one is sent", || async { world.effects(SEND).await.len() == 1 }).await;
    program.post("/v1/campaigns/spring/senders", &json!({"accounts": ["main"]})).await;
    program.as_time_goes_by(Duration::from_secs(4), is(&program, "done")).await;
    let senders: Vec<_> = attempts(&program).await.iter().map(|row| row["account"].clone()).collect();
    assert_eq!(senders, [json!("main"), json!("fifth")]);
    each_was_written_to_once(&world, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_or_a_pause_cuts_no_delay_short() {
    let (world, mut program) = started(&["fifth"]).await;
    made(&program, &["fifth"], 3, json!({"delay_seconds": 60, "delay_randomness": 0})).await;
    start(&program).await;
    program.until("one is sent", || async { reasons(&attempts(&program).await, "sent").len() == 1 }).await;
    program.kill();
    program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    let two = || async { reasons(&attempts(&program).await, "sent").len() == 2 };
    program.as_time_goes_by(Duration::from_secs(4), program.until("two are sent", two)).await;
    program.post("/v1/campaigns/spring/pause", &json!({})).await;
    program.post("/v1/campaigns/spring/resume", &json!({})).await;
    program.as_time_goes_by(Duration::from_secs(4), is(&program, "done")).await;
    let rows = attempts(&program).await;
    let time = |row: &Value, field: &str| -> Timestamp {
        row[field].as_str().expect("a time").parse().expect("a time")
    };
    let gap = |pair: &[Value]| time(&pair[0], "claimed_at").since(time(&pair[1], "ended_at"));
    let gaps: Vec<_> = rows.windows(2).map(gap).collect();
    assert!(gaps.len() == 2 && gaps.iter().all(|gap| gap.as_secs() >= 60), "{gaps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_senders_at_once_count_in_the_run_at_work() {
    let (world, program) = started(&["main", "fifth"]).await;
    made(&program, &["main", "fifth"], 4, json!({"delay_seconds": 3600, "workers": 1})).await;
    start(&program).await;
    program.until("one is sent", || async { world.effects(SEND).await.len() == 1 }).await;
    let changed = program.request("PATCH", "/v1/campaigns/spring").json(&json!({"workers": 2})).send().await;
    assert_eq!(changed.expect("an answer").status(), 200);
    program.until("two are sent", || async { world.effects(SEND).await.len() == 2 }).await;
    let senders: Vec<_> = attempts(&program).await.iter().map(|row| row["account"].clone()).collect();
    assert!(senders.len() == 2 && senders[0] != senders[1], "{senders:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_takes_a_campaign_over_and_doubles_nothing() {
    let (world, database) = (World::start(binary()).await, database().await);
    let mut first = one_of_several(&world, &database.url(), "first").ready().await;
    first.account_is("fifth", "ready").await;
    made(&first, &["fifth"], 6, json!({"delay_seconds": 0})).await;
    hold_the_next(&world).await;
    start(&first).await;
    one_is_on_the_wire(&world, &first).await;
    // As long as the first has the lease, the second one does nothing.
    let mut second = one_of_several(&world, &database.url(), "second").standing_by().await;
    second.said("Waiting ").await;
    first.kill();
    world.delete("/faults").await;
    database.end_lease();
    let second = second.listening().await;
    is(&second, "done").await;
    each_was_written_to_once(&world, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_goes_on_when_its_database_is_back() {
    let (world, database) = (World::start(binary()).await, database().await);
    let link = link_to(&database).await;
    let program = hasty(&world, &link.url(&database.url())).ready().await;
    program.account_is("fifth", "ready").await;
    made(&program, &["fifth"], 6, json!({"delay_seconds": 0})).await;
    hold_the_next(&world).await;
    start(&program).await;
    one_is_on_the_wire(&world, &program).await;
    link.cut();
    program.advance(Duration::from_mins(1)).await;
    program
        .until("it has begun again", || async { program.output().matches("TEST BUILD").count() == 2 })
        .await;
    world.delete("/faults").await;
    let standby = program.as_standby();
    link.mend();
    let program = standby.listening().await;
    is(&program, "done").await;
    each_was_written_to_once(&world, 6).await;
}
