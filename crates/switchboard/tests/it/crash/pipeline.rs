//! Killed between any two stages of the pipeline: a customer is answered once.

use serde_json::json;

use super::stopped;
use crate::channels::{restarted, writes};
use crate::pipeline::{answering, answers};
use crate::postgres::world;

pub(super) fn reaches(write: &str) -> bool {
    write.starts_with("store.pipeline_")
}

pub(super) async fn kill_at(point: &str) {
    let world = world().await;
    let (mut program, _) = answering(&world, "50ms").await;
    program.arm(point, 0).await;
    writes(&world, "vk", "club", "at the point").await;
    stopped(&program, point).await;
    program = restarted(&world, program).await;
    let is_answered = || async { answers(&world, "vk", "at the point").await > 0 };
    program.until("the customer is answered", is_answered).await;
    writes(&world, "vk", "club", "after it").await;
    let goes_on = || async { answers(&world, "vk", "after it").await > 0 };
    program.until("the next one is answered too", goes_on).await;
    assert_eq!(answers(&world, "vk", "at the point").await, 1, "{point}");
    assert_eq!(answers(&world, "vk", "after it").await, 1, "{point}");
    let is_empty = || async {
        let shown = program.get("/v1/pipeline").await.1;
        (&shown["waiting"], &shown["stages"]) == (&json!(0), &json!([]))
    };
    program.until("nothing is left", is_empty).await;
    world.assert_nothing_unknown().await;
}
