//! Flows: listed, started and stopped by those who may, tried, and each run shown to the microsecond.

use domain::{ChatId, FlowMoment, FlowRunId, FlowRunState, FlowStage, Role, TelegramMessageId};
use http::StatusCode;
use store::StoredFlowRun;

use crate::world::{World, send, shows};

fn moment(at_us: u64, stage: FlowStage, step: Option<u16>, note: Option<&str>) -> FlowMoment {
    FlowMoment { at_us, stage, step, note: note.map(str::to_owned) }
}

/// Keeps a run of the flow `trip`; the path of its page.
async fn ran(world: &World, state: FlowRunState, code: Option<&str>) -> String {
    let run = StoredFlowRun {
        id: FlowRunId::from_uuid(world.ids.next()),
        flow: "trip".to_owned(),
        account: "main".parse().expect("a name"),
        chat_id: ChatId::user(7).expect("an id"),
        message_id: TelegramMessageId::new(5).expect("an id"),
        began_at: world.clock.now(),
        ended_at: Some(world.clock.now()),
        state,
        code: code.map(str::to_owned),
        step: 1,
        moments: vec![
            moment(0, FlowStage::Seen, None, None),
            moment(90, FlowStage::Matched, None, None),
            moment(412, FlowStage::Pressed, Some(1), Some("Book <now>")),
            moment(3_912, FlowStage::Answered, Some(1), None),
            moment(4_100, FlowStage::Ended, None, Some(code.unwrap_or(state.as_str()))),
        ],
    };
    world.store.flow_runs().save(run.clone(), 9).await.expect("saved");
    format!("/flow-runs/{}", run.id)
}

#[tokio::test]
async fn flows_are_listed_with_their_state_and_started_and_stopped() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await;
    shows(
        &operator.get("/flows").await,
        &["trip", "@demo_trips_bot", "Waits", "not yet", "/flows/trip/stop"],
    );
    shows(&operator.get("/flows/trip/stop").await, &["id=\"ask\"", "Stop trip?"]);
    let stopped = send(&operator, "/flows/trip/actions/stop", &[("back", "/flows")]).await;
    assert_eq!((stopped.status, stopped.header("location")), (StatusCode::SEE_OTHER, "/flows"));
    shows(&operator.get("/flows").await, &["Stopped", "by a person", "/flows/trip/actions/start"]);
    send(&operator, "/flows/trip/actions/start", &[]).await;
    shows(&operator.get("/flows/trip").await, &["Waits", "name = &#34;trip&#34;", "switchboard reload"]);
    assert_eq!(send(&operator, "/flows/trip/actions/burn", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(operator.get("/flows/none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_viewer_looks_at_flows_and_switches_none() {
    let world = World::new().await;
    let run = ran(&world, FlowRunState::Done, None).await;
    let viewer = world.person(Role::Viewer).await;
    for path in ["/flows", "/flows/trip", "/flows/trip/try", run.as_str()] {
        let page = viewer.get(path).await;
        shows(&page, &["trip"]);
        for offered in ["/actions/", "/flows/trip/stop", "name=\"latest\""] {
            assert!(!page.body.contains(offered), "{path} offers {offered}");
        }
    }
    assert_eq!(viewer.get("/flows/trip/stop").await.status, StatusCode::FORBIDDEN);
    send(&viewer, "/flows/trip/actions/stop", &[]).await;
    assert_eq!(world.store.flow_runs().switches().await.expect("reads"), []);
}

#[tokio::test]
async fn a_run_is_shown_to_the_microsecond_in_both_languages() {
    let world = World::new().await;
    let done = ran(&world, FlowRunState::Done, None).await;
    let cut = ran(&world, FlowRunState::Cut, Some("program_ended")).await;
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get(&done).await;
    shows(
        &page,
        &["Book &#60;now&#62;", "+322\u{a0}µs", "412\u{a0}µs since the update", "+3.50\u{a0}ms", "Step 1"],
    );
    assert!(!page.body.contains("cut this run"), "{}", page.body);
    shows(&viewer.get(&cut).await, &["The end of the program cut this run", "the program ended"]);
    shows(&viewer.get("/flows/trip").await, &[&done, &cut, "Update to first press", "412\u{a0}µs", "<rect "]);
    assert_eq!(viewer.get("/flow-runs/run_none").await.status, StatusCode::NOT_FOUND);
    let russian = viewer.with("language=ru");
    shows(&russian.get(&cut).await, &["Запуск прерван завершением программы", "412\u{a0}мкс от обновления"]);
    shows(&russian.get("/flows").await, &["Сценарии", "Ждёт"]);
    shows(&russian.get("/flows/trip").await, &["3,50\u{a0}мс", "От нажатия до ответа"]);
}

#[tokio::test]
async fn a_flow_is_tried_on_messages_of_a_form() {
    let world = World::new().await;
    let viewer = world.person(Role::Viewer).await;
    let messages = "Hello\r\n[Book]\r\n\r\nA trip\r\n[Book] [No]";
    let tried = send(&viewer, "/flows/trip/try", &[("messages", messages)]).await;
    shows(&tried, &["Message 2", "<strong>Book</strong>", "A trip", "nothing"]);
    let none = send(&viewer, "/flows/trip/try", &[("messages", "Hello")]).await;
    shows(&none, &["No run begins"]);
    let operator = world.person(Role::Operator).await;
    let latest = send(&operator, "/flows/trip/try", &[("latest", "yes"), ("messages", "kept")]).await;
    assert_eq!(latest.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", latest.body);
    assert!(latest.body.contains(">kept</textarea>"), "{}", latest.body);
}

const RIDE: &str = "[[flows]]\r\nname = \"ride\"\r\naccount = \"main\"\r\nwatch = \"@x_bot\"\r\n\
    trigger = { text = \"a\" }\r\nsteps = [{ send = \"<b>\" }]\r\n";

#[tokio::test]
async fn an_admin_writes_a_flow_that_is_in_use_at_once() {
    const CHANGE: &str = "/flow-definitions/ride/change";
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    shows(&admin.get("/flows").await, &["/flow-definitions/add"]);
    shows(&admin.get("/flow-definitions/add").await, &["name = &#34;trip&#34;"]);
    let checked = send(&admin, "/flow-definitions/add", &[("text", RIDE), ("check", "yes")]).await;
    shows(&checked, &["The definition is right", "name = &#34;ride&#34;"]);
    assert_eq!(world.store.flow_definitions().all().await.expect("reads"), []);
    let saved = send(&admin, "/flow-definitions/add", &[("text", RIDE)]).await;
    assert_eq!((saved.status, saved.header("location")), (StatusCode::SEE_OTHER, "/flows/ride"));
    shows(
        &admin.get("/flows/ride").await,
        &["Written here", "&#60;b&#62;", CHANGE, "/flow-definitions/ride/remove"],
    );
    let form = admin.get(CHANGE).await;
    let (_, replaces) = form.body.split_once("name=\"replaces\" value=\"").expect("what it replaces");
    let replaces = replaces.split('"').next().expect("a time").to_owned();
    let again = RIDE.replace("<b>", "again");
    let changed = send(&admin, CHANGE, &[("text", &again), ("replaces", &replaces)]).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{changed:?}");
    let late = send(&admin, CHANGE, &[("text", RIDE), ("replaces", &replaces)]).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(late.body.contains("read it again") && late.body.contains("&#60;b&#62;"), "{}", late.body);
    let renamed = RIDE.replace("ride", "other");
    let renamed = send(&admin, CHANGE, &[("text", &renamed), ("replaces", &replaces)]).await;
    assert!(renamed.body.contains("The name of a flow stays"), "{}", renamed.body);
    shows(&admin.get("/flow-definitions/ride/remove").await, &["id=\"ask\"", "Remove ride?"]);
    let removed = send(&admin, "/flow-definitions/ride/actions/remove", &[]).await;
    assert_eq!(removed.header("location"), "/flows");
    assert_eq!(admin.get("/flows/ride").await.status, StatusCode::NOT_FOUND);
    let audited = admin.get("/settings/audit").await;
    shows(&audited, &["Write a flow", "Remove a flow"]);
}

#[tokio::test]
async fn a_wrong_flow_is_shown_again_with_its_line() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let wrong = RIDE.replace("steps", "steqs");
    for fields in [vec![("text", wrong.as_str())], vec![("text", wrong.as_str()), ("check", "yes")]] {
        let page = send(&admin, "/flow-definitions/add", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        for text in ["Line 6, character 1", "flows[0].steqs", "aria-invalid", "name = &#34;ride&#34;"] {
            assert!(page.body.contains(text), "{text}: {}", page.body);
        }
    }
    let none = send(&admin, "/flow-definitions/add", &[("text", "# nothing")]).await;
    assert!(none.body.contains("Write one flow here"), "{}", none.body);
    let taken = send(&admin, "/flow-definitions/add", &[("text", &RIDE.replace("ride", "trip"))]).await;
    assert!(taken.body.contains("of the settings is named trip"), "{}", taken.body);
    let russian = admin.with("language=ru");
    let page = send(&russian, "/flow-definitions/add", &[("text", &wrong)]).await;
    assert!(page.body.contains("Строка 6, символ 1"), "{}", page.body);
    assert_eq!(world.store.flow_definitions().all().await.expect("reads"), []);
}

#[tokio::test]
async fn an_unusable_flow_is_reported_on_the_list() {
    let world = World::new().await;
    let admin = world.person(Role::Admin).await;
    let definition = store::FlowDefinition {
        name: "old".to_owned(),
        text: "[[flows]]\nname = \"old\"\n".to_owned(),
        changed_at: world.clock.now(),
        changed_by: "anna".to_owned(),
    };
    world.store.flow_definitions().save(definition, None).await.expect("saved");
    shows(&admin.get("/flows").await, &["Not in use", "/flow-definitions/old/change", "trip"]);
    shows(&admin.get("/flow-definitions/old/change").await, &["Line 1", "flows[0].watch"]);
    let viewer = world.person(Role::Viewer).await;
    let page = viewer.get("/flows").await;
    assert!(page.body.contains("Not in use") && !page.body.contains("/flow-definitions/"), "{}", page.body);
}

#[tokio::test]
async fn only_admins_write_flows() {
    let world = World::new().await;
    let operator = world.person(Role::Operator).await;
    for path in ["/flow-definitions/add", "/flow-definitions/trip/change", "/flow-definitions/trip/remove"] {
        assert_eq!(operator.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    for path in ["/flow-definitions/add", "/flow-definitions/ride/change"] {
        assert_eq!(send(&operator, path, &[("text", RIDE)]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    send(&operator, "/flow-definitions/ride/actions/remove", &[]).await;
    let offered = operator.get("/flows/trip").await;
    assert!(!offered.body.contains("/flow-definitions/"), "{}", offered.body);
    assert_eq!(world.store.flow_definitions().all().await.expect("reads"), []);
}
