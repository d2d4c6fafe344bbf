//! `/v1/operations` and `/v1/failovers`: the log of all work, and what a person can do about a piece of it.

use std::time::Duration;

use delivery::sender::{Readiness, RefusalKind};
use domain::saga::{Saga, SagaEntry, SagaEvent, SagaState, Step};
use domain::{OperationId, Outcome};
use serde_json::{Value, json};
use store::SagaChange;

use crate::script::{able, no_candidates};
use crate::world::World;

const GROUP: &str = "-1001234500000";
const CHAT: &str = r#"{"title":"Order 1","members":["@client_1"],"wait":0}"#;

/// A chat that cannot be made yet; its operation.
async fn waiting(world: &World) -> Value {
    let until = world.clock.now().plus(Duration::from_hours(1));
    world.candidates_are(&able(&[("main", Readiness::HeldUntil(until))]));
    let reply = world.call("POST", "/v1/chats").json(CHAT).send().await;
    assert_eq!((reply.status, &reply.json()["state"]), (202, &json!("queued")), "{reply:?}");
    reply.json()["id"].clone()
}

fn path(id: &Value, rest: &str) -> String {
    format!("/v1/operations/{}{rest}", id.as_str().expect("an id"))
}

#[tokio::test]
async fn messages_and_chats_are_one_log() {
    let world = World::new().await;
    let text = world.message(&format!(r#"{{"chat":"{GROUP}","text":"hello"}}"#)).send().await.json();
    let chat = world.call("POST", "/v1/chats").json(r#"{"title":"Order 1"}"#).send().await.json();
    let log = world.call("GET", "/v1/operations").send().await.json();
    let items = log["items"].as_array().expect("items");
    assert_eq!(items.len(), 2, "{log}");
    assert_eq!((&items[0]["id"], &items[0]["kind"]), (&chat["operation"], &json!("create_chat")));
    assert_eq!((&items[1]["id"], &items[1]["kind"]), (&text["id"], &json!("send_text")));
    assert_eq!((&items[1]["state"], &items[1]["account"]), (&json!("sent"), &json!("main")));
    assert!(items.iter().all(|item| item["finished"] == true && item.get("steps").is_none()), "{log}");

    let only = async |query: &str| {
        let page = world.call("GET", &format!("/v1/operations?{query}")).send().await.json();
        page["items"].as_array().unwrap_or_else(|| panic!("{page}")).len()
    };
    for (query, count) in [
        ("kind=send_text", 1),
        ("kind=create_chat", 1),
        ("kind=leave_chat", 0),
        ("account=main", 2),
        ("account=backup_1", 0),
        ("chat_id=-1001234500000", 1),
        ("state=open", 0),
        ("state=finished", 2),
    ] {
        assert_eq!(only(query).await, count, "{query}");
    }
    for wrong in ["kind=dance", "state=sent", "account=No%20Name", "limit=0", "cursor=nothing", "sate=open"] {
        world.call("GET", &format!("/v1/operations?{wrong}")).send().await.problem(422, "invalid_request");
    }
    let message = world.call("GET", &path(&text["id"], "")).send().await.json();
    assert_eq!(message["steps"][0]["what"], "accepted", "{message}");
    assert!(message["steps"][0]["says"].as_str().is_some_and(|says| says.ends_with('.')), "{message}");
}

#[tokio::test]
async fn a_waiting_operation_names_its_reason_and_is_cancelled() {
    let world = World::new().await;
    let id = waiting(&world).await;
    let open = world.call("GET", "/v1/operations?state=open").send().await.json();
    assert_eq!(open["items"][0]["id"], id, "{open}");
    world.until_detail(&id).await;
    let cancelled = world.call("POST", &path(&id, "/cancel")).send().await;
    assert_eq!((cancelled.status, &cancelled.json()["state"]), (200, &json!("cancelled")), "{cancelled:?}");
    let problem = world.call("POST", &path(&id, "/cancel")).send().await.problem(409, "wrong_state");
    assert_eq!((&problem["id"], &problem["state"]), (&id, &json!("cancelled")));
    world.candidates_are(&able(&[("main", Readiness::Ready)]));
    let again = world.call("POST", &path(&id, "/retry")).send().await;
    assert_eq!((again.status, again.header("location")), (202, Some(path(&id, "").as_str())), "{again:?}");
    world.until_operation(&path(&id, ""), "done").await;
    world.call("POST", &path(&id, "/retry")).send().await.problem(409, "wrong_state");
    assert_eq!(world.hands.count("create"), 1);
}

#[tokio::test]
async fn a_cancelled_chat_answers_the_caller_that_waits() {
    let world = World::new().await;
    let until = world.clock.now().plus(Duration::from_hours(1));
    world.candidates_are(&able(&[("main", Readiness::HeldUntil(until))]));
    let call = world.call("POST", "/v1/chats").json(r#"{"title":"Order 1","wait":100}"#);
    let caller = tokio::spawn(async move { call.send().await });
    let id = world.first_open_operation().await;
    assert_eq!(world.call("POST", &path(&id, "/cancel")).send().await.status, 200);
    let reply = caller.await.expect("no panic");
    assert_eq!(reply.problem(409, "cancelled")["id"], id);
}

#[tokio::test]
async fn a_doubt_is_ended_by_a_person() {
    let world = World::new().await;
    for (verdict, state) in
        [(json!({ "as": "done", "chat_id": "-1000000000777" }), "done"), (json!({ "as": "again" }), "done")]
    {
        let id = doubtful(&world).await;
        let creates = world.hands.count("create");
        for wrong in [
            json!({}),
            json!({ "as": "sent" }),
            json!({ "as": "done" }),
            json!({ "as": "done", "chat_id": "-7" }),
            json!({ "as": "again", "chat_id": "-1000000000777" }),
        ] {
            let call = world.call("POST", &path(&id, "/resolve")).json(wrong.to_string());
            call.send().await.problem(422, "invalid_request");
        }
        let seen = world.call("GET", &path(&id, "")).send().await.json();
        assert_eq!((&seen["state"], &seen["finished"]), (&json!("in_doubt"), &json!(false)), "{seen}");
        let resolved = world.call("POST", &path(&id, "/resolve")).json(verdict.to_string()).send().await;
        assert!([200, 202].contains(&resolved.status), "{resolved:?}");
        world.until_operation(&path(&id, ""), state).await;
        let again = usize::from(verdict["as"] == "again");
        assert_eq!(world.hands.count("create"), creates + again, "{verdict}");
        let call = world.call("POST", &path(&id, "/resolve")).json(verdict.to_string());
        call.send().await.problem(409, "wrong_state");
    }
}

/// A chat whose making is in doubt, as the runner leaves one whose account is lost.
async fn doubtful(world: &World) -> Value {
    let id = waiting(world).await;
    let operation: OperationId = id.as_str().expect("an id").parse().expect("an id");
    let saga: Saga = world.sagas.get(operation).await.expect("the store").expect("a saga");
    // The runner must not take it up meanwhile: it is ended for it, then put into doubt in the store as after a crash.
    assert_eq!(world.call("POST", &path(&id, "/cancel")).send().await.status, 200);
    world.store.sagas().retry(operation, world.clock.now()).await.expect("the store");
    let step = Step::Create { title: "Order 1".to_owned(), about: String::new() };
    let change = |state, begun| SagaChange {
        saga: Saga { state, begun, account: "main".parse().ok(), ..saga.clone() },
        entries: vec![SagaEntry {
            at: world.clock.now(),
            what: SagaEvent::InDoubt,
            account: "main".parse().ok(),
            outcome: None,
            detail: None,
        }],
        hold: None,
        registry: Vec::new(),
        failover: None,
        callback: None,
    };
    let begun = Some(domain::saga::Begun { step, at: world.clock.now() });
    world.store.sagas().begin(change(SagaState::Running, begun.clone())).await.expect("begins");
    world.store.sagas().save(change(SagaState::InDoubt, begun)).await.expect("saves");
    world.candidates_are(&able(&[("main", Readiness::Ready)]));
    id
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let world = World::new().await;
    let message = world.message(&format!(r#"{{"chat":"{GROUP}","text":"hello"}}"#)).send().await.json();
    for id in ["op_00000000000000000000000000", "msg_00000000000000000000000000", "nonsense", "key_1"] {
        world.call("GET", &format!("/v1/operations/{id}")).send().await.problem(404, "operation_not_found");
    }
    for action in ["cancel", "retry"] {
        let reply = world.call("POST", &path(&message["id"], &format!("/{action}"))).send().await;
        let detail = reply.problem(404, "operation_not_found")["detail"].to_string();
        assert!(detail.contains("POST /v1/messages/msg_") && detail.contains(action), "{detail}");
        let nothing = format!("/v1/operations/op_00000000000000000000000000/{action}");
        world.call("POST", &nothing).send().await.problem(404, "operation_not_found");
    }
}

#[tokio::test]
async fn a_failover_that_came_to_nothing_was_done_by_no_one() {
    let world = World::new().await;
    world.candidates_are(&able(&[("main", Readiness::Ready), ("backup_1", Readiness::Ready)]));
    let refused = || Outcome::Forbidden("USER_RESTRICTED".to_owned());
    world.hands.then("create", [refused(), refused()]);
    let chat = world.call("POST", "/v1/chats").json(r#"{"title":"Order 1"}"#).send().await;
    assert!(chat.status >= 400, "{chat:?}");
    let listed = world.call("GET", "/v1/failovers").send().await.json();
    let row = &listed["items"][0];
    assert_eq!(
        (&row["to"], &row["done_by"], &row["state"]),
        (&json!("backup_1"), &json!(null), &json!("failed"))
    );
}

#[tokio::test]
async fn failovers_are_listed() {
    let world = World::new().await;
    world.candidates_are(&able(&[("main", Readiness::Ready), ("backup_1", Readiness::Ready)]));
    world.hands.then("create", [Outcome::Forbidden("CHANNELS_TOO_MUCH".to_owned())]);
    let chat = world.call("POST", "/v1/chats").json(r#"{"title":"Order 1"}"#).send().await;
    assert_eq!((chat.status, &chat.json()["account"]), (201, &json!("backup_1")), "{chat:?}");
    let listed = world.call("GET", "/v1/failovers").send().await.json();
    let items = listed["items"].as_array().expect("items");
    assert_eq!(items.len(), 1, "{listed}");
    assert_eq!((&items[0]["from"], &items[0]["to"]), (&json!("main"), &json!("backup_1")));
    assert_eq!(items[0]["subject"], chat.json()["operation"]);
    assert_eq!((&items[0]["done_by"], &items[0]["state"]), (&json!("backup_1"), &json!("done")));
    assert!(
        items[0]["reason"].as_str().is_some_and(|reason| reason.contains("CHANNELS_TOO_MUCH")),
        "{listed}"
    );
    for (query, count) in
        [("account=main", 1), ("account=backup_1", 1), ("account=fifth", 0), ("chat_id=-7", 0)]
    {
        let found = world.call("GET", &format!("/v1/failovers?{query}")).send().await.json();
        assert_eq!(found["items"].as_array().map(Vec::len), Some(count), "{query}: {found}");
    }
    world.call("GET", "/v1/failovers?acount=main").send().await.problem(422, "invalid_request");
}

#[tokio::test]
async fn a_failed_operation_shows_its_reason() {
    let world = World::new().await;
    world.candidates_are(&no_candidates(RefusalKind::NotFound, "not among its dialogs"));
    let problem =
        world.call("DELETE", &format!("/v1/chats/{GROUP}")).send().await.problem(404, "chat_not_found");
    let seen = world.call("GET", &path(&problem["id"], "")).send().await.json();
    assert_eq!(
        (&seen["failure"]["code"], &seen["detail"]),
        (&json!("chat_not_found"), &problem["detail"]),
        "{seen}"
    );
    assert_eq!((&seen["chat"], &seen["kind"]), (&json!(GROUP), &json!("leave_chat")));
}
