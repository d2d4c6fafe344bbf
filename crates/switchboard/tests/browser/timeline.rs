//! The page of a message that went another way than usual: who was passed over and why, what was tried again, who sent it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::chromium::Tab;
use crate::stage::Stage;

const SEND: &str = "messages.sendMessage";

/// A group that all accounts of the pool are in.
const GROUP: &str = "-1002000000001";

/// The steps on the page, each with its heading and what is told below.
async fn steps(tab: &Tab) -> Vec<(String, String)> {
    let steps = tab
        .tell(
            "[...document.querySelectorAll('ol.why > li')].map((one) => {
               const [heading, took] = [one.querySelector('h3'), one.querySelector('.took')];
               return [heading.textContent.slice(0, heading.textContent.length - (took?.textContent.length || 0)),
                 one.querySelector('p')?.textContent || '']; })",
        )
        .await;
    serde_json::from_value(steps).expect("headings and details")
}

/// What the page shows of a time of the API, to the second.
async fn clock(tab: &Tab, detail: &str) -> String {
    let times = format!(
        "[...document.querySelectorAll('ol.why p time')].filter((one) => Date.parse(one.dateTime) === Date.parse('{detail}'))
           .map((one) => one.textContent)[0]"
    );
    tab.text(&times).await
}

fn id(told: &Value) -> &str {
    told["id"].as_str().expect("an id")
}

fn told(steps: &[(&str, String)]) -> Vec<(String, String)> {
    steps.iter().map(|(heading, detail)| ((*heading).to_owned(), detail.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_tells_who_was_passed_over_and_until_when_what_was_tried_again_and_who_sent_it() {
    let stage = Stage::start().await;
    let flood = json!({ "account": "main", "method": SEND, "seconds": 5400 });
    stage.world.fault("flood_wait", flood).await;
    let (status, first) = stage.program.send(GROUP, "To the group.").await;
    assert_eq!((status, &first["account"]), (200, &json!("backup_1")), "{first}");
    let (_, main) = stage.program.get("/v1/cards/account:main").await;
    assert_eq!(main["state"], "flood_wait", "{main}");
    let detail = first["attempts"][0]["detail"].as_str().expect("a detail");
    let until = detail.strip_prefix("until ").expect("a deadline");

    let tab = stage.tab().await;
    tab.open(&format!("/messages/{}", id(&first))).await;
    let at = clock(&tab, until).await;
    assert!(at.contains(&until[14..19]), "minutes and seconds of {until}: {at}");
    let sent = format!("message {}", first["message_ids"][0]);
    let wanted = [
        ("Accepted and stored", String::new()),
        ("Given to main", String::new()),
        ("main: flood wait", format!("until {at}")),
        ("Given to backup_1", format!("instead of main (flood wait until {at})")),
        ("Sent by backup_1", sent.clone()),
    ];
    assert_eq!(steps(&tab).await, told(&wanted));
    // It hops to the lane of the other account, where it is sent; nothing is red on its way.
    let hops =
        "[...document.querySelectorAll('ol.why > li')].map((one) => one.querySelector('.hop') !== null)";
    assert_eq!(tab.tell(hops).await, json!([false, false, false, true, false]));
    let facts = tab.text("document.querySelector('aside dl').innerText").await;
    assert!(facts.contains("backup_1") && facts.contains(&first["message_ids"][0].to_string()), "{facts}");
    assert!(tab.text("document.querySelector('h1').textContent").await.contains("backup_1"));
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.cookie("language", "ru").await;
    tab.open(&format!("/messages/{}", id(&first))).await;
    let headings: Vec<String> = steps(&tab).await.into_iter().map(|(heading, _)| heading).collect();
    let russian = [
        "Принято и сохранено",
        "Передано аккаунту main",
        "main: ожидание по требованию Telegram",
        "Передано аккаунту backup_1",
        "Отправил аккаунт backup_1",
    ];
    assert_eq!(headings, russian);
    tab.cookie("language", "en").await;

    // The next is not even given to who waits; what is not known to have arrived is tried again by the same account.
    let failure =
        json!({ "account": "backup_1", "method": SEND, "times": 2, "code": 500, "message": "INTERNAL" });
    stage.world.fault("rpc_error", failure).await;
    let order = json!({ "chat": GROUP, "text": "Once more.", "wait": 0 });
    let (_, second) = stage.program.post("/v1/messages", &order).await;
    let path = format!("/v1/messages/{}", id(&second));
    let is_sent = || async { stage.program.get(&path).await.1["state"] == "sent" };
    let sent_at_last = stage.program.until("it is sent", is_sent);
    stage.program.as_time_goes_by(Duration::from_secs(1), sent_at_last).await;
    let (_, second) = stage.program.get(&path).await;
    tab.open(&format!("/messages/{}", id(&second))).await;
    let unknown = "backup_1: Telegram answered 500";
    let (mut shown, mut given_up) = (steps(&tab).await, Vec::new());
    shown.retain(|step| {
        let waits = step.0 == "Waiting";
        given_up.extend(waits.then(|| step.1.clone()));
        !waits
    });
    let wanted = [
        ("Accepted and stored", String::new()),
        ("Given to backup_1", format!("instead of main (flood wait until {at})")),
        (unknown, "500 INTERNAL".to_owned()),
        (unknown, "500 INTERNAL".to_owned()),
        ("Sent by backup_1", format!("message {}", second["message_ids"][0])),
    ];
    assert_eq!(shown, told(&wanted));
    assert!(given_up.len() == 1 && given_up[0].contains("until"), "when it is given up: {given_up:?}");
    // How long it waited between its tries is told beside them.
    let took = tab
        .text("[...document.querySelectorAll('ol.why > li')].at(-1).querySelector('.took').textContent")
        .await;
    assert!(took.trim().ends_with("ms") || took.trim().ends_with('s'), "{took}");
    assert_eq!(stage.world.sent().await, ["To the group.", "Once more."]);
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_may_send_yet_tells_that_it_waits_and_until_when() {
    let stage = Stage::start().await;
    let flood = json!({ "account": "fifth", "method": SEND, "seconds": 600 });
    stage.world.fault("flood_wait", flood).await;
    let order = json!({ "chat": "@client_1", "text": "By name.", "account": "fifth", "wait": 0 });
    let (_, waiting) = stage.program.post("/v1/messages", &order).await;
    stage.program.account_is("fifth", "flood_wait").await;
    let path = format!("/v1/messages/{}/why", id(&waiting));
    let waits = || async { stage.program.get(&path).await.1["timeline"].to_string().contains("\"waiting\"") };
    stage.program.until("it waits", waits).await;
    let (_, why) = stage.program.get(&path).await;
    let tab = stage.tab().await;
    tab.open(&format!("/messages/{}", id(&waiting))).await;
    let shown = steps(&tab).await;
    let headings: Vec<_> = shown.iter().map(|(heading, _)| heading.as_str()).collect();
    assert_eq!(headings, ["Accepted and stored", "Given to fifth", "fifth: flood wait", "Waiting"], "{why}");
    assert!(
        shown[2].1.starts_with("until ") && shown[3].1.contains(&shown[2].1["until ".len()..]),
        "{shown:?}"
    );
    stage.world.delete("/faults").await;
    stage.pass(601).await;
    let sent = format!("/v1/messages/{}", id(&waiting));
    stage.program.until("it is sent", || async { stage.program.get(&sent).await.1["state"] == "sent" }).await;
    tab.open(&format!("/messages/{}", id(&waiting))).await;
    let last = steps(&tab).await.pop().expect("steps");
    assert!(last.0 == "Sent by fifth" && last.1.starts_with("message "), "{last:?}");
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}
