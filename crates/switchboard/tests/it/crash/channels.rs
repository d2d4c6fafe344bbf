//! Killed between the steps of a channel: what a customer writes is kept once, and an answer leaves once.

use serde_json::json;

use super::{ask, finished, stopped};
use crate::channels::{connected, received, restarted, sent, writes};
use crate::postgres::world;

/// What is done to reach a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// A provider posts what a customer wrote.
    Taken,
    /// A provider takes the token no more, so that another one is kept.
    Renewed,
}

/// The scenario that reaches a write, if it is one of channels.
pub(super) fn scenario(write: &str) -> Option<Scenario> {
    match write {
        "store.take_from_channel" => Some(Scenario::Taken),
        "store.keep_channel_values" => Some(Scenario::Renewed),
        _ => None,
    }
}

/// Kills at a point, starts again, and looks what there is.
pub(super) async fn kill_at(scenario: Scenario, point: &str) {
    let world = world().await;
    let (mut program, _) = connected(&world).await;
    let chat = writes(&world, "avito", "shop", "before").await;
    program.until("it came in", || async { received(&program, "avito").await.len() == 1 }).await;
    let answer = json!({ "channel": "avito", "chat": chat, "account": null });
    match scenario {
        Scenario::Taken => {
            program.arm(point, 0).await;
            writes(&world, "avito", "shop", "at the point").await;
        }
        Scenario::Renewed => {
            world
                .post("/faults", &json!({ "provider": "avito", "fault": "token_expired", "times": 1 }))
                .await;
            program.arm(point, 0).await;
            ask(&program, "answer", answer.clone()).await;
        }
    }
    stopped(&program, point).await;
    program = restarted(&world, program).await;
    writes(&world, "avito", "shop", "after").await;
    let wanted = if scenario == Scenario::Taken { 3 } else { 2 };
    program.until("all came in", || async { received(&program, "avito").await.len() >= wanted }).await;
    assert_eq!(received(&program, "avito").await.len(), wanted, "{point}");
    finished(&program, "answer", answer, "sent").await;
    assert_eq!(sent(&world, "avito").await.get("answer"), Some(&1), "{point}");
    world.assert_nothing_unknown().await;
}
