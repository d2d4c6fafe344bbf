//! `/v1/flows` and `/v1/flow-runs`.

use domain::{ChatId, FlowMoment, FlowRunId, FlowRunState, FlowStage, TelegramMessageId};
use serde_json::json;
use store::StoredFlowRun;

use crate::world::World;

#[tokio::test]
async fn a_flow_is_shown_stopped_and_started() {
    let world = World::new().await;
    let list = world.call("GET", "/v1/flows").send().await.json();
    let flow = &list["items"][0];
    assert_eq!((flow["name"].as_str(), flow["steps"].as_u64()), (Some("trip"), Some(1)), "{list}");
    assert_eq!(flow["accounts"][0]["state"], "waiting");
    let stopped = world.call("POST", "/v1/flows/trip/stop").send().await.json();
    assert_eq!(stopped["accounts"][0]["state"], "stopped");
    assert_eq!(stopped["accounts"][0]["reason"], "by_hand");
    assert_eq!(world.call("GET", "/v1/flows/trip").send().await.json(), stopped);
    let started = world.call("POST", "/v1/flows/trip/start").send().await.json();
    assert_eq!(started["accounts"][0]["state"], "waiting");
    for (method, path) in [
        ("GET", "/v1/flows/no"),
        ("POST", "/v1/flows/no/stop"),
        ("POST", "/v1/flows/no/start"),
        ("GET", "/v1/flows/no/stats"),
    ] {
        world.call(method, path).send().await.problem(404, "flow_not_found");
    }
}

#[tokio::test]
async fn runs_are_listed_shown_and_measured() {
    let world = World::new().await;
    let moment = |at_us, stage, step| FlowMoment { at_us, stage, step, note: None };
    let run = StoredFlowRun {
        id: FlowRunId::MIN,
        flow: "trip".to_owned(),
        account: "main".parse().expect("a name"),
        chat_id: ChatId::user(7).expect("an id"),
        message_id: TelegramMessageId::new(5).expect("an id"),
        began_at: world.clock.now(),
        ended_at: Some(world.clock.now()),
        state: FlowRunState::Done,
        code: None,
        step: 1,
        moments: vec![
            moment(0, FlowStage::Seen, None),
            moment(410, FlowStage::Pressed, Some(1)),
            moment(900, FlowStage::Ended, None),
        ],
    };
    world.store.flow_runs().save(run.clone(), 0).await.expect("saved");
    let list = world.call("GET", "/v1/flow-runs?flow=trip&account=main").send().await.json();
    assert_eq!(
        list["items"][0]["timeline"][1],
        json!({"at_us": 410, "stage": "pressed", "step": 1, "note": null})
    );
    assert_eq!(world.call("GET", "/v1/flow-runs?flow=no").send().await.json()["items"], json!([]));
    let shown = world.call("GET", &format!("/v1/flow-runs/{}", run.id)).send().await.json();
    assert_eq!(shown, list["items"][0]);
    let stats = world.call("GET", "/v1/flows/trip/stats").send().await.json();
    assert_eq!(
        (stats["states"]["done"].as_u64(), stats["stages"][0]["p50_us"].as_u64()),
        (Some(1), Some(410)),
        "{stats}"
    );
    world.call("GET", "/v1/flow-runs/run_none").send().await.problem(404, "flow_run_not_found");
}

#[tokio::test]
async fn flows_are_tried_without_anything_being_pressed() {
    let world = World::new().await;
    let check = async |text: &str| {
        world.call("POST", "/v1/flows/check").json(json!({"text": text}).to_string()).send().await.json()
    };
    let right = "[[flows]]\nname = \"ride\"\naccount = \"main\"\nwatch = \"@x_bot\"\ntrigger = { text = \"a\" }\n\
        steps = [{ send = \"b\" }]\n";
    assert_eq!(check(right).await, json!({"flows": ["ride"], "problems": []}));
    let wrong = check(&right.replace("steps", "steqs")).await;
    assert_eq!((wrong["problems"][0]["line"].as_u64(), &wrong["flows"]), (Some(6), &json!([])), "{wrong}");
    let messages = json!({"messages": [
        {"text": "Hello", "buttons": [["Book"]]},
        {"id": 2, "text": "A trip", "buttons": [["Book", "No"]]},
    ]});
    let path = "/v1/flows/trip/simulate";
    let tried = world.call("POST", path).json(messages.to_string()).send().await.json();
    assert_eq!(tried["messages"][0]["timeline"], json!([]));
    assert_eq!(tried["messages"][1]["timeline"][2]["note"], "Book", "{tried}");
    assert_eq!(tried["state"], "done");
    let none = json!({"messages": [{"id": 0}]});
    world.call("POST", path).json(none.to_string()).send().await.problem(422, "invalid_request");
}
