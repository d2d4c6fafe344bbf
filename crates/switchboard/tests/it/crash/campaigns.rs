//! Killed while a campaign is made, begun, or carried: it ends with each chat written to once.

use serde_json::json;
use testkit::{Program, Start};

use super::{act, stopped};
use crate::binary;
use crate::postgres::world;

const SEND: &str = "messages.sendMessage";

pub(super) fn reaches(write: &str) -> bool {
    matches!(
        write,
        "store.save_campaign"
            | "store.add_campaign_tasks"
            | "store.change_campaign_run"
            | "store.claim_campaign_task"
            | "store.ready_campaign_attempt"
            | "store.end_campaign_attempt"
    )
}

/// All that makes the campaign run; whatever is there already stays.
async fn ask(program: &Program) {
    let settings = json!({"delay_seconds": 0});
    for (path, body) in [
        ("", json!({"name": "spring", "settings": settings})),
        ("/spring/senders", json!({"accounts": ["fifth"]})),
        ("/spring/messages", json!({"file": "Good day"})),
        ("/spring/tasks", json!({"file": "@client_1\n@client_2\n@client_3"})),
        ("/spring/start", json!({})),
    ] {
        act(program, format!("/v1/campaigns{path}"), body).await;
    }
}

pub(super) async fn kill_at(point: &str) {
    let world = world().await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    program.arm(point, 0).await;
    tokio::join!(
        async {
            tokio::select! {
                () = ask(&program) => {}
                () = stopped(&program, point) => {}
            }
        },
        stopped(&program, point)
    );
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    let state = || async { program.get("/v1/campaigns/spring").await.1["run"]["state"].clone() };
    // A run that was begun goes on by itself; a start after its end would begin another.
    if state().await.is_null() {
        ask(&program).await;
    }
    program.until("it is done", || async { state().await == "done" }).await;
    let mut chats: Vec<_> = world.effects(SEND).await.iter().map(|row| row["chat_id"].clone()).collect();
    chats.sort_by_key(ToString::to_string);
    assert_eq!(chats, [json!("6000000001"), json!("6000000002"), json!("6000000003")], "{point}");
    let attempts = program.get("/v1/campaigns/spring/attempts").await.1;
    assert_eq!(attempts["items"].as_array().map(Vec::len), Some(3), "{point}: {attempts}");
    world.assert_nothing_unknown().await;
}
