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
    let flow = world.call("GET", "/v1/flows/trip").send().await.json();
    assert!(flow["definition"].as_str().expect("TOML").contains("[[flows]]"), "{flow}");
    assert_eq!((&flow["per_hour"], &flow["accounts"][0]["runs_last_hour"]), (&json!(null), &json!(0)));
    let list = world.call("GET", "/v1/flow-runs?flow=trip&account=main").send().await.json();
    assert_eq!(
        list["items"][0]["timeline"][1],
        json!({"at_us": 410, "stage": "pressed", "step": 1, "note": null})
    );
    assert_eq!(world.call("GET", "/v1/flow-runs?flow=no").send().await.json()["items"], json!([]));
    let skipped = StoredFlowRun {
        id: FlowRunId::from_uuid(world.ids.next()),
        state: FlowRunState::Skipped,
        code: Some("busy".to_owned()),
        moments: vec![moment(0, FlowStage::Seen, None), moment(9, FlowStage::Skipped, None)],
        ..run.clone()
    };
    world.store.flow_runs().save(skipped, 0).await.expect("saved");
    let missed = world.call("GET", "/v1/flow-runs?state=skipped").send().await.json();
    assert_eq!(
        (missed["items"].as_array().map(Vec::len), &missed["items"][0]["code"]),
        (Some(1), &json!("busy"))
    );
    world.call("GET", "/v1/flow-runs?state=none").send().await.problem(422, "invalid_request");
    let shown = world.call("GET", &format!("/v1/flow-runs/{}", run.id)).send().await.json();
    assert_eq!(shown, list["items"][0]);
    let stats = world.call("GET", "/v1/flows/trip/stats").send().await.json();
    assert_eq!(
        (stats["states"]["done"].as_u64(), stats["stages"][0]["p50_us"].as_u64()),
        (Some(1), Some(410)),
        "{stats}"
    );
    assert_eq!((&stats["states"]["skipped"], &stats["codes"]["busy"]), (&json!(1), &json!(1)), "{stats}");
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
    let checked = check(right).await;
    assert_eq!((&checked["flows"], &checked["problems"]), (&json!(["ride"]), &json!([])));
    let warning = &checked["warnings"][0];
    assert_eq!((&warning["line"], &warning["key"]), (&json!(3), &json!("flows[0].account")), "{checked}");
    assert!(warning["message"].as_str().expect("words").contains("no account of this name"), "{checked}");
    let zone = check(&right.replace("trigger", "active = \"06:00-23:30 Europe/Moskow\"\ntrigger")).await;
    let message = zone["problems"][0]["message"].as_str().expect("words");
    assert!(message.contains("the time zone \"Europe/Moskow\", which there is not"), "{zone}");
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
    let rehearsed = world.call("POST", path).json("{}".to_owned()).send().await.json();
    assert_eq!((&rehearsed["state"], rehearsed.to_string().contains("pressed")), (&json!("done"), true));
    let none = json!({"messages": [{"id": 0}]});
    world.call("POST", path).json(none.to_string()).send().await.problem(422, "invalid_request");
}

const FLOW: &str = "[[flows]]\nname = \"ride\"\naccount = \"main\"\nwatch = \"@x_bot\"\ntrigger = { text = \"a\" }\n\
    steps = [{ send = \"b\" }]\n";

#[tokio::test]
async fn a_flow_is_written_in_use_at_once_and_removed() {
    const PATH: &str = "/v1/flow-definitions/ride";
    let world = World::new().await;
    let write = async |body: serde_json::Value| world.call("PUT", PATH).json(body.to_string()).send().await;
    let made = write(json!({"text": FLOW})).await.json();
    assert_eq!((made["name"].as_str(), &made["problems"]), (Some("ride"), &json!([])), "{made}");
    assert_eq!(world.call("GET", PATH).send().await.json(), made);
    assert_eq!(world.call("GET", "/v1/flows/ride").send().await.json()["steps"], 1);
    write(json!({"text": FLOW})).await.problem(409, "wrong_state");
    let two_steps = FLOW.replace("[{ send = \"b\" }]", "[{ send = \"b\" }, { send = \"c\" }]");
    let changed = write(json!({"text": two_steps, "replaces": made["changed_at"]})).await.json();
    assert_eq!(world.call("GET", "/v1/flows/ride").send().await.json()["steps"], 2);
    write(json!({"text": FLOW, "replaces": made["changed_at"]})).await.problem(409, "wrong_state");
    // A reload of the settings leaves it in use.
    world.flows.reload(&[]).await.expect("reloads");
    let names = |list: &serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().expect("items");
        items.iter().filter_map(|item| item["name"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(names(&world.call("GET", "/v1/flows").send().await.json()), ["ride"]);
    let listed = world.call("GET", "/v1/flow-definitions").send().await.json();
    assert_eq!(listed["items"], json!([changed]));
    assert_eq!(world.call("DELETE", PATH).send().await.status, 204);
    world.call("DELETE", PATH).send().await.problem(404, "flow_not_found");
    world.call("GET", "/v1/flows/ride").send().await.problem(404, "flow_not_found");
}

#[tokio::test]
async fn a_flow_that_is_wrong_or_of_the_settings_is_not_written() {
    let world = World::new().await;
    let write = async |name: &str, text: &str| {
        let path = format!("/v1/flow-definitions/{name}");
        world.call("PUT", &path).json(json!({"text": text}).to_string()).send().await
    };
    let wrong = write("ride", &FLOW.replace("steps", "steqs")).await.problem(422, "invalid_request");
    let message = wrong["errors"][0]["message"].as_str().expect("words");
    assert!(message.contains("line 6") && message.contains("steqs"), "{message}");
    let other = write("other", FLOW).await.problem(422, "invalid_request");
    assert!(other["errors"][0]["message"].as_str().expect("words").contains("keeps its name"), "{other}");
    write("ride", &"#".repeat(70_000)).await.problem(422, "invalid_request");
    write("trip", &FLOW.replace("ride", "trip")).await.problem(409, "flow_is_in_settings");
    assert_eq!(world.call("GET", "/v1/flow-definitions").send().await.json()["items"], json!([]));
    // One that the settings take afterwards is shown and not in use.
    assert_eq!(write("ride", FLOW).await.status, 200);
    let settings = config::read_flows(FLOW, std::path::Path::new("/flows.toml")).expect("a flow");
    world.flows.reload(&settings).await.expect("reloads");
    let listed = world.call("GET", "/v1/flow-definitions/ride").send().await.json();
    assert!(
        listed["problems"][0]["message"].as_str().expect("words").contains("of the settings"),
        "{listed}"
    );
}

#[tokio::test]
async fn flows_are_counted_in_the_metrics() {
    let world = World::new().await;
    let page = world.call("GET", "/metrics").send().await.body;
    for line in [
        "switchboard_flows{state=\"waiting\"} 1",
        "# TYPE switchboard_flow_runs_total counter",
        "switchboard_flow_stage_duration_seconds_count{stage=\"press\"} 0",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
}
