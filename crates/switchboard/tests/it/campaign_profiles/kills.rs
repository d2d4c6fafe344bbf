//! Killed at each write of a browser's attempt, one after the other: no chat is written to twice, and each has one row.

use serde_json::json;
use testkit::Start;

use super::{SEND, attempts, is, logged_in, made, start, world, written};
use crate::binary;

const CLIENTS: usize = 8;
const POINTS: [&str; 6] = [
    "store.claim_campaign_task.before",
    "store.claim_campaign_task.after",
    "store.ready_campaign_attempt.before",
    "store.ready_campaign_attempt.after",
    "store.end_campaign_attempt.before",
    "store.end_campaign_attempt.after",
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
