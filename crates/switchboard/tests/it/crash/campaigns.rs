//! Killed while a campaign is made, begun, or carried: it ends with each chat written to once.

use serde_json::json;
use testkit::Program;

use super::{Lives, SEND, act, stopped};

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

/// The clients of a campaign: no person gets messages of two campaigns within an hour.
fn clients(number: usize) -> [usize; 3] {
    [1, 2, 3].map(|place| 3 * number + place)
}

/// All that makes the campaign run; whatever is there already stays.
async fn ask(program: &Program, number: usize) {
    let name = &format!("spring-{number}");
    let tasks = clients(number).map(|client| format!("@client_{client}")).join("\n");
    let settings = json!({"delay_seconds": 0});
    act(program, "/v1/campaigns".to_owned(), json!({"name": name, "settings": settings})).await;
    for (path, body) in [
        ("senders", json!({"accounts": ["fifth"]})),
        ("messages", json!({"file": "Good day"})),
        ("tasks", json!({"file": tasks})),
        ("start", json!({})),
    ] {
        act(program, format!("/v1/campaigns/{name}/{path}"), body).await;
    }
}

/// Kills one campaign after the other.
pub(super) async fn kill_at_each(lives: &mut Lives, points: &[String]) {
    for (number, point) in points.iter().enumerate() {
        lives.clear().await;
        lives.start().await;
        kill_at(lives, point, number).await;
    }
    lives.world.assert_nothing_unknown().await;
}

async fn kill_at(lives: &mut Lives, point: &str, number: usize) {
    let name = format!("spring-{number}");
    let program = lives.program();
    program.account_is("fifth", "ready").await;
    program.arm(point, 0).await;
    tokio::select! {
        () = stopped(program, point) => {}
        () = async { ask(program, number).await; std::future::pending().await } => {}
    }
    lives.killed().await;
    let program = lives.program();
    program.account_is("fifth", "ready").await;
    let state = || async { program.get(&format!("/v1/campaigns/{name}")).await.1["run"]["state"].clone() };
    // A run that was begun goes on by itself; a start after its end would begin another.
    if state().await.is_null() {
        ask(program, number).await;
    }
    program.until("it is done", || async { state().await == "done" }).await;
    let rows = lives.world.effects(SEND).await;
    let mut chats: Vec<_> = rows.iter().map(|row| row["chat_id"].clone()).collect();
    chats.sort_by_key(ToString::to_string);
    let expected = clients(number).map(|client| json!((6_000_000_000 + client).to_string()));
    assert_eq!(chats, expected, "{point}");
    let attempts = program.get(&format!("/v1/campaigns/{name}/attempts")).await.1;
    assert_eq!(attempts["items"].as_array().map(Vec::len), Some(3), "{point}: {attempts}");
}
