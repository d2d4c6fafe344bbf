//! The program, its browser or its driver is killed at each write of a browser's attempt, one after the other: no chat is written to
//! twice.

use std::time::Duration;

use serde_json::json;
use testkit::{Program, Start};

use super::{Browser, SEND, attempts, end, is, logged_in, made, profile, start, world, written};
use crate::binary;

const CLIENTS: usize = 8;
/// Before the first and after the last nothing is under way.
const POINTS: [&str; 4] = [
    "store.claim_campaign_task.after",
    "store.ready_campaign_attempt.before",
    "store.ready_campaign_attempt.after",
    "store.end_campaign_attempt.before",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_killed_at_each_write_and_sends_nothing_twice() {
    let (world, _browser) = world().await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    logged_in(&world, &program, "backup_1").await;
    made(&program, json!({"profiles": ["shop"]}), CLIENTS, json!({"delay_seconds": 0})).await;
    for (at, point) in POINTS.into_iter().enumerate() {
        program.arm(point, 0).await;
        if at == 0 {
            start(&program).await;
        }
        program.until(point, || program.stopped_at(point)).await;
        program.kill();
        program = Start::on(&world, binary(), "data").ready().await;
    }
    is(&program, "done").await;
    let (sent, unknown) = (attempts(&program, "sent").await, attempts(&program, "unknown").await);
    let all = program.get("/v1/campaigns/spring/attempts?limit=500").await.1;
    assert_eq!(all["items"].as_array().map(Vec::len), Some(CLIENTS), "{all}");
    // Killed after it was written down and before the button was pressed, one stays unknown.
    assert_eq!((sent.len(), unknown.len()), (CLIENTS - 1, 1), "{sent:?} {unknown:?}");
    let written = written(&world).await;
    assert!(written.len() == sent.len() && written.values().all(|times| *times == 1), "{written:?}");
    assert_eq!(world.effects(SEND).await.len(), CLIENTS - 1);
}

async fn is_missed(program: &Program) -> bool {
    profile(program).await["last_error"].is_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_or_driver_killed_at_each_write_doubles_nothing() {
    const CLIENTS: usize = 10;
    let (world, browser) = world().await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    logged_in(&world, &program, "backup_1").await;
    made(&program, json!({"profiles": ["shop"]}), CLIENTS, json!({"delay_seconds": 0})).await;
    let mut is_begun = false;
    for victim in [Browser::process, Browser::driver] {
        for point in POINTS {
            program.arm(point, 0).await;
            if !is_begun {
                start(&program).await;
                is_begun = true;
            }
            program.until(point, || program.stopped_at(point)).await;
            end(&victim(&browser).expect("it runs"));
            program.release(point).await;
            program.until("it is missed", || is_missed(&program)).await;
            // It is opened again after a while that doubles.
            program.advance(Duration::from_mins(1)).await;
        }
    }
    // Its profile is removed while it has a chat: that goes to another sender.
    let point = "store.claim_campaign_task.after";
    program.arm(point, 0).await;
    program.until(point, || program.stopped_at(point)).await;
    program.kill();
    end(&browser.process().expect("it runs"));
    world.edit_settings(|text| text.replacen("\nchromium = \"", "\nchromium = \"/nowhere/", 1));
    program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    program.until("it is missed", || is_missed(&program)).await;
    let removed = program.request("DELETE", "/v1/campaign-profiles/shop").send().await;
    assert_eq!(removed.expect("an answer").status(), 204);
    program.advance(Duration::from_mins(1)).await;
    is(&program, "paused").await;
    program.post("/v1/campaigns/spring/senders", &json!({"accounts": ["fifth"]})).await;
    program.post("/v1/campaigns/spring/resume", &json!({})).await;
    is(&program, "done").await;
    let (sent, unknown) = (attempts(&program, "sent").await, attempts(&program, "unknown").await);
    assert_eq!(sent.len() + unknown.len(), CLIENTS, "{sent:?} {unknown:?}");
    let written = written(&world).await;
    assert!(written.values().all(|times| *times == 1), "{written:?}");
    assert!((sent.len()..=CLIENTS).contains(&written.len()), "{written:?} {sent:?}");
}
