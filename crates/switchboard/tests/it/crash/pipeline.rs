//! Killed between any two stages of the pipeline, or between the store and a list in Redis: a customer is answered once.

use serde_json::json;
use testkit::RedisServer;

use super::{stopped, write};
use crate::channels::{restarted, sent, writes};
use crate::pipeline::{answering, answers};
use crate::postgres::world;
use crate::redis::{length, received_count, started};

/// What lets go of an item that was taken from a list.
const ACKNOWLEDGE: &str = "pipeline.acknowledge";

pub(super) fn reaches(write: &str) -> bool {
    write.starts_with("store.pipeline_") || write == ACKNOWLEDGE
}

/// Stages share a program.
pub(super) fn sharing(point: &str) -> String {
    if write(point) == ACKNOWLEDGE { point.to_owned() } else { String::new() }
}

pub(super) async fn kill_at_each(points: &[String]) {
    if write(&points[0]) == ACKNOWLEDGE {
        return kill_at_a_list(&points[0]).await;
    }
    let world = world().await;
    let (mut program, _) = answering(&world, "50ms").await;
    for point in points {
        let (there, after) = (format!("at {point}"), format!("after {point}"));
        program.arm(point, 0).await;
        writes(&world, "vk", "club", &there).await;
        stopped(&program, point).await;
        program = restarted(&world, program).await;
        let is_answered = || async { answers(&world, "vk", &there).await > 0 };
        program.until("the customer is answered", is_answered).await;
        writes(&world, "vk", "club", &after).await;
        let goes_on = || async { answers(&world, "vk", &after).await > 0 };
        program.until("the next one is answered too", goes_on).await;
        let counts = (answers(&world, "vk", &there).await, answers(&world, "vk", &after).await);
        assert_eq!(counts, (1, 1), "{point}");
        let is_empty = || async {
            let shown = program.get("/v1/pipeline").await.1;
            (&shown["waiting"], &shown["stages"]) == (&json!(0), &json!([]))
        };
        program.until("nothing is left", is_empty).await;
    }
    world.assert_nothing_unknown().await;
}

/// What other programs push comes in and leaves once, whether Redis let go of it or not.
async fn kill_at_a_list(point: &str) {
    let world = world().await;
    let redis = RedisServer::start();
    let mut program = started(&world, &redis, "").await;
    let chat = writes(&world, "vk", "club", "Is it still there?").await;
    let is_answered = || async { answers(&world, "vk", "Is it still there?").await > 0 };
    program.until("the customer is answered", is_answered).await;
    let item = json!({
        "channel": "vk", "external_chat_id": chat, "external_message_id": "p-1", "text": "pushed in.",
    });
    let answer = json!({ "channel": "vk", "external_chat_id": chat, "message_text": "pushed out." });
    for (list, item) in [("queue:incoming", item), ("queue:outgoing", answer)] {
        program.arm(point, 0).await;
        redis.ask(&["RPUSH", list, &item.to_string()]);
        stopped(&program, point).await;
        program = restarted(&world, program).await;
        let processing = format!("{list}:processing");
        let is_let_go = || async { length(&redis, list) + length(&redis, &processing) == 0 };
        program.until(&format!("Redis lets go of what is in {list}"), is_let_go).await;
    }
    let both = || async {
        answers(&world, "vk", "pushed in.").await > 0 && sent(&world, "vk").await.contains_key("pushed out.")
    };
    program.until("it is answered, and the other one has left", both).await;
    assert_eq!(received_count(&program, "vk", "pushed in.").await, 1, "{point}");
    assert_eq!(answers(&world, "vk", "pushed in.").await, 1, "{point}");
    assert_eq!(sent(&world, "vk").await["pushed out."], 1, "{point}");
    world.assert_nothing_unknown().await;
}
