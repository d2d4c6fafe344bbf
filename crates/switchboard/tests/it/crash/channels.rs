//! Killed between the steps of a channel: what a customer writes is kept once, and an answer leaves once.

use serde_json::json;
use testkit::{Program, World};

use super::{ask, finished, id, stopped};
use crate::channels::{connected, received, restarted, sent, writes};
use crate::postgres::world;

/// What is done to reach a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// A provider posts what a customer wrote.
    Taken,
    /// A customer sends a picture, which is stored.
    File,
    /// A provider takes the token no more, so that another one is kept.
    Renewed,
}

/// The scenario that reaches a write, if it is one of channels.
pub(super) fn scenario(write: &str) -> Option<Scenario> {
    match write {
        "store.take_from_channel" => Some(Scenario::Taken),
        "store.note_channel_file" => Some(Scenario::File),
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
        Scenario::File => {
            program.arm(point, 0).await;
            let media = json!([{ "kind": "image" }]);
            let deed = json!({ "channel": "avito", "account": "shop", "from": "2000002", "media": media });
            world.post("/customers/messages", &deed).await;
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
    if scenario == Scenario::File {
        is_stored(&world, &program).await;
    }
    writes(&world, "avito", "shop", "after").await;
    let wanted = if scenario == Scenario::Renewed { 2 } else { 3 };
    program.until("all came in", || async { received(&program, "avito").await.len() >= wanted }).await;
    assert_eq!(received(&program, "avito").await.len(), wanted, "{point}");
    finished(&program, "answer", answer, "sent").await;
    assert_eq!(sent(&world, "avito").await.get("answer"), Some(&1), "{point}");
    world.assert_nothing_unknown().await;
}

/// Waits until the picture is stored, and reads it when its provider has it no more.
async fn is_stored(world: &World, program: &Program) {
    let picture = || async {
        let all = received(program, "avito").await;
        let found = all.iter().find(|one| one["media"]["has_images"] == true)?;
        let path = format!("/v1/messages/{}", found["id"].as_str().expect("an id"));
        let shown = program.get(&path).await.1;
        (shown["files"][0]["state"] == "stored").then_some(path)
    };
    program.until("the picture is stored", || async { picture().await.is_some() }).await;
    let path = picture().await.expect("it is stored");
    world
        .post("/faults", &json!({ "provider": "avito", "method": "/files/", "fault": "error", "code": 404 }))
        .await;
    let read = program.request("GET", &format!("{path}/media/0")).send().await.expect("an answer");
    assert_eq!(read.status(), 200);
    assert_eq!(read.text().await.expect("a body"), "a pretend image");
}

/// What is known of an answer whose send was killed at a point: VK knows a repeat by its key and WhatsApp's messages can be read, but a
/// Telegram bot shows nothing of what arrived.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_killed_on_its_way_leaves_once_or_is_in_doubt() {
    let world = world().await;
    let (mut program, _) = connected(&world).await;
    for (channel, account) in [("vk", "club"), ("whatsapp", "phone"), ("telegram", "bot")] {
        let chat = writes(&world, channel, account, "Is it there?").await;
        program.until("it came in", || async { !received(&program, channel).await.is_empty() }).await;
        for point in ["store.accept.after", "store.part_sent.before", "store.part_sent.after"] {
            let text = format!("{channel}-{point}");
            let answer =
                json!({"channel": channel, "channel_account": account, "chat": chat, "account": null});
            program.arm(point, 0).await;
            let told = ask(&program, &text, answer.clone()).await;
            assert!(told.as_ref().is_none_or(|told| told["code"].is_null()), "{text}: {told:?}");
            stopped(&program, point).await;
            program = restarted(&world, program).await;
            let state = async || {
                let asked = ask(&program, &text, answer.clone()).await;
                let path = format!("/v1/messages/{}", id(asked.as_ref()));
                program.get(&path).await.1["state"].as_str().unwrap_or_default().to_owned()
            };
            let is_over = || async { ["sent", "in_doubt"].contains(&state().await.as_str()) };
            program.until(&format!("{text} is over"), is_over).await;
            let (state, left) = (state().await, sent(&world, channel).await.get(&text).copied());
            // With nothing to look at, a person decides.
            let may_be_unknown = channel == "telegram" && point != "store.part_sent.after";
            assert!(state == "sent" || may_be_unknown, "{text}: {state}");
            assert!(left == Some(1) || (state == "in_doubt" && left.is_none()), "{text}: {state} {left:?}");
        }
    }
    world.assert_nothing_unknown().await;
}
