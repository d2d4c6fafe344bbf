//! What reaches the points of work on chats: sagas, the registry, services, invite callbacks, failed requests.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Receiver, World};

use super::act;

pub(super) const CREATE: &str = "channels.createChannel";
const LEAVE: &str = "channels.leaveChannel";
const MISSING: &str = "-1009999999998";

/// How fast time goes by where a wait of the program has to end.
const STEP: Duration = Duration::from_millis(500);

/// What is done to reach a point, and what must be true after the restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// A chat with a client and a bot.
    Create,
    /// The same, met by a flood wait.
    Waiting,
    /// The same, cancelled while it waits.
    Cancel,
    /// The same, refused at first and tried again by hand.
    Retry,
    /// A lost answer, then a ban: ended by a person.
    Resolve,
    /// A chat that may have been left, and a person says that it was.
    ResolveLeft,
    /// The same over the old port, without a key.
    OldPort,
    /// The same, by a caller that hangs up before the answer.
    HungUp,
    /// A chat handed to another account.
    HandOver,
    /// A basic group that becomes a supergroup.
    Migrate,
    /// A chat that nobody knows, forgotten again.
    Forget,
    /// A service stopped.
    Switch,
    /// An invite link told to an outside program.
    CallBack,
    /// The same, and the outside program refuses at first.
    CallBackRefused,
    /// The same, until it is given up; then tried again by hand.
    CallBackAgain,
    /// A request over the old port that failed, tried again by hand.
    FailedAgain,
    /// The same, dropped.
    FailedDropped,
    /// A chat that was made, forgotten a month later.
    Forgotten,
}

/// The scenario that reaches a point; none when it is not about chats.
pub(super) fn scenario(write: &str) -> Option<Scenario> {
    Some(match write {
        "telegram.step" | "store.accept_saga" | "store.saga_begin" | "store.saga_save" => Scenario::Create,
        "store.saga_note" => Scenario::Waiting,
        "store.saga_cancel" => Scenario::Cancel,
        "store.saga_retry" => Scenario::Retry,
        "store.saga_resolve" => Scenario::Resolve,
        "store.saga_answered" => Scenario::OldPort,
        "store.saga_unanswered" => Scenario::HungUp,
        "store.change_chat" => Scenario::HandOver,
        "store.migrate_chat" => Scenario::Migrate,
        "store.forget_unresolved" => Scenario::Forget,
        "store.save_service" => Scenario::Switch,
        "store.callback_delivered" => Scenario::CallBack,
        "store.callback_failed" => Scenario::CallBackRefused,
        "store.callback_requeue" => Scenario::CallBackAgain,
        "store.retry_failed_request" => Scenario::FailedAgain,
        "store.drop_failed_request" => Scenario::FailedDropped,
        "store.drop_sagas" => Scenario::Forgotten,
        _ => return None,
    })
}

impl Scenario {
    /// Whether it needs the accounts of the pool, not only the fifth.
    pub(super) fn needs_the_pool(self) -> bool {
        matches!(
            self,
            Self::OldPort
                | Self::HungUp
                | Self::HandOver
                | Self::CallBack
                | Self::CallBackRefused
                | Self::CallBackAgain
                | Self::FailedAgain
                | Self::FailedDropped
        )
    }

    /// Who is told about invite links. Set before the program starts.
    pub(super) async fn receiver(self, world: &World) -> Option<Receiver> {
        let status = match self {
            Self::CallBack => 200,
            Self::CallBackRefused | Self::CallBackAgain => 500,
            _ => return None,
        };
        let receiver = Receiver::start().await;
        receiver.answer(status);
        world.call_back(receiver.address(), "demo");
        Some(receiver)
    }
}

/// Asks for the chat under a key, and never minds asking again.
async fn ask(program: &Program) -> Option<Value> {
    let body =
        json!({"title": "Order", "members": ["@client_1", "@demo_bot_1"], "account": "fifth", "wait": 0});
    let request = program
        .request("POST", "/v1/chats")
        .header("content-type", "application/json")
        .header("idempotency-key", "order")
        .timeout(Duration::from_secs(3))
        .body(body.to_string());
    serde_json::from_str(&request.send().await.ok()?.text().await.ok()?).ok()
}

fn operation(answer: Option<&Value>) -> String {
    let id = answer.and_then(|answer| answer["operation"].as_str().or(answer["id"].as_str()));
    id.unwrap_or("op_none").to_owned()
}

async fn in_state(program: &Program, operation: &str, state: &str) {
    let (what, path) = (format!("{operation} is {state}"), format!("/v1/operations/{operation}"));
    program.until(&what, || async { program.get(&path).await.1["state"] == state }).await;
}

fn order(more: &Value) -> Value {
    let mut body = json!({"title": "Order", "usernames": ["client_1", "demo_bot_1"]});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

/// Asks the old port; a caller that gives up after so long.
async fn ask_old_port(world: &World, body: &Value, patience: Duration) {
    let url = format!("http://127.0.0.1:{}/create_chat", world.legacy_port(5021));
    let client = reqwest::Client::builder().timeout(patience).build().expect("a client");
    let _ = client.post(url).body(body.to_string()).send().await;
}

/// The first failed request, once there is one.
async fn failed_request(program: &Program) -> Value {
    program
        .until("a failed request is kept", || async {
            program.get("/v1/failed-requests").await.1["items"].as_array().is_some_and(|all| !all.is_empty())
        })
        .await;
    program.get("/v1/failed-requests").await.1["items"][0].clone()
}

fn id(row: &Value) -> &str {
    row["id"].as_str().expect("an id")
}

/// What comes before the point is armed. Answers what the scenario is about: an operation, a chat, a failed request.
pub(super) async fn prepare(scenario: Scenario, world: &World, program: &Program) -> String {
    match scenario {
        Scenario::Cancel => {
            flood(world).await;
            let waiting = operation(ask(program).await.as_ref());
            program.until("it waits", || async { world.calls(CREATE).await == 1 }).await;
            in_state(program, &waiting, "queued").await;
            waiting
        }
        Scenario::Retry => {
            let refusal = json!({"account": "fifth", "method": CREATE, "times": 1, "code": 400, "message": "CHAT_INVALID"});
            world.fault("rpc_error", refusal).await;
            let refused = operation(ask(program).await.as_ref());
            in_state(program, &refused, "failed").await;
            refused
        }
        Scenario::Resolve => {
            world.fault("drop_answer", json!({"account": "fifth", "method": CREATE, "times": 1})).await;
            let doubtful = operation(ask(program).await.as_ref());
            program.until("the effect is there", || async { !made(world).await.is_empty() }).await;
            world.fault("banned", json!({"account": "fifth"})).await;
            let shown = program.finished(&doubtful, Some(STEP)).await;
            assert_eq!(shown["state"], "in_doubt", "{shown}");
            doubtful
        }
        Scenario::ResolveLeft => {
            let done = operation(ask(program).await.as_ref());
            in_state(program, &done, "done").await;
            world.fault("drop_answer", json!({"account": "fifth", "method": LEAVE, "times": 1})).await;
            // Only the fifth may leave it, so that a second attempt has nobody to go to.
            let path = format!("/v1/chats/{}?account=fifth&wait=0", world.chat_titled("Order").await);
            let (status, leaving) = program.delete(&path).await;
            assert_eq!(status, 202, "{leaving}");
            program.until("it has left", || async { world.effects(LEAVE).await.len() == 1 }).await;
            world.fault("banned", json!({"account": "fifth"})).await;
            let doubtful = operation(Some(&leaving));
            let shown = program.finished(&doubtful, Some(STEP)).await;
            assert_eq!(shown["state"], "in_doubt", "{shown}");
            doubtful
        }
        Scenario::HandOver => {
            let body = json!({"title": "Order", "members": ["@demo_main"], "account": "fifth", "wait": 60});
            let (status, made) = program.post("/v1/chats", &body).await;
            assert_eq!(status, 201, "{made}");
            let chat = made["chat_id"].as_str().expect("an id").to_owned();
            let path = format!("/v1/chats/{chat}");
            program
                .until("main is known to be in it", || async {
                    let (_, record) = program.get(&path).await;
                    record["accounts"].as_array().is_some_and(|names| names.contains(&json!("main")))
                })
                .await;
            chat
        }
        Scenario::Migrate => {
            let order =
                json!({"title": "Small", "kind": "group", "creator": "@client_1", "members": ["fifth"]});
            let group = world.make_chat("/telegram/chats", &order).await;
            let body = json!({"chat": group, "text": "before", "account": "fifth"});
            program
                .until("the group is known", || async { program.post("/v1/messages", &body).await.0 == 200 })
                .await;
            group
        }
        Scenario::Forget => {
            let (status, refused) = program.send(MISSING, "x").await;
            assert_eq!(status, 404, "{refused}");
            MISSING.to_owned()
        }
        Scenario::FailedAgain | Scenario::FailedDropped => {
            world.fault("rpc_error", json!({"method": CREATE, "code": 400, "message": "CHAT_INVALID"})).await;
            let (status, refused) =
                program.legacy(world.legacy_port(5021), "/create_chat", &order(&json!({}))).await;
            assert_eq!(status, 500, "{refused}");
            world.delete("/faults").await;
            id(&failed_request(program).await).to_owned()
        }
        Scenario::CallBackAgain => {
            let body = order(&json!({"client_tg_id": 42}));
            let (status, made) = program.legacy(world.legacy_port(5021), "/create_chat", &body).await;
            assert_eq!(status, 200, "the caller's answer does not change: {made}");
            program
                .until("it is given up", || async {
                    program.advance(Duration::from_mins(30)).await;
                    let (_, kept) = program.get("/v1/failed-requests").await;
                    kept["items"].as_array().is_some_and(|all| !all.is_empty())
                })
                .await;
            id(&failed_request(program).await).to_owned()
        }
        Scenario::Forgotten => {
            let done = operation(ask(program).await.as_ref());
            in_state(program, &done, "done").await;
            done
        }
        Scenario::Create
        | Scenario::Waiting
        | Scenario::OldPort
        | Scenario::HungUp
        | Scenario::Switch
        | Scenario::CallBack
        | Scenario::CallBackRefused => String::new(),
    }
}

async fn flood(world: &World) {
    let flood = json!({"account": "fifth", "method": CREATE, "seconds": 600, "times": 1});
    world.fault("flood_wait", flood).await;
}

/// Does what reaches the point, as far as the program goes along.
pub(super) async fn play(scenario: Scenario, world: &World, program: &Program, subject: &str) {
    match scenario {
        Scenario::Create => {
            ask(program).await;
        }
        Scenario::Waiting => {
            flood(world).await;
            ask(program).await;
        }
        Scenario::Cancel => {
            act(program, format!("/v1/operations/{subject}/cancel"), json!({})).await;
        }
        Scenario::Retry => {
            act(program, format!("/v1/operations/{subject}/retry"), json!({})).await;
        }
        Scenario::Resolve => {
            let chat_id = world.chat_titled("Order").await;
            let verdict = json!({"as": "done", "chat_id": chat_id});
            act(program, format!("/v1/operations/{subject}/resolve"), verdict).await;
        }
        Scenario::ResolveLeft => {
            act(program, format!("/v1/operations/{subject}/resolve"), json!({"as": "done"})).await;
        }
        Scenario::OldPort => ask_old_port(world, &order(&json!({})), Duration::from_secs(3)).await,
        Scenario::HungUp => {
            world.fault("delay", json!({"method": CREATE, "seconds": 1, "times": 1})).await;
            ask_old_port(world, &order(&json!({})), Duration::from_millis(300)).await;
        }
        Scenario::HandOver => {
            let request = program
                .request("PATCH", &format!("/v1/chats/{subject}"))
                .header("content-type", "application/json")
                .timeout(Duration::from_secs(3))
                .body(json!({"account": "main"}).to_string());
            let _ = request.send().await;
        }
        Scenario::Migrate => {
            world.post(&format!("/telegram/chats/{subject}/migrate"), &Value::Null).await;
        }
        Scenario::Forget => {
            let path = format!("/v1/chats/unresolved/{subject}");
            let _ = program.request("DELETE", &path).timeout(Duration::from_secs(3)).send().await;
        }
        Scenario::Switch => {
            act(program, "/v1/services/create_chat/actions/stop".into(), json!({})).await;
        }
        Scenario::CallBack | Scenario::CallBackRefused => {
            ask_old_port(world, &order(&json!({"client_tg_id": 42})), Duration::from_secs(3)).await;
        }
        Scenario::CallBackAgain | Scenario::FailedAgain => {
            act(program, format!("/v1/failed-requests/{subject}/retry"), json!({})).await;
        }
        Scenario::Forgotten => program.advance(Duration::from_hours(31 * 24)).await,
        Scenario::FailedDropped => {
            let path = format!("/v1/failed-requests/{subject}");
            let _ = program.request("DELETE", &path).timeout(Duration::from_secs(3)).send().await;
        }
    }
}

async fn made(world: &World) -> Vec<String> {
    world.chats_titled("Order").await
}

/// After the restart: callers ask again, everything comes to its end, and there is one chat.
pub(super) async fn check(
    scenario: Scenario,
    world: &World,
    program: &Program,
    point: &str,
    subject: &str,
    receiver: Option<&Receiver>,
) {
    match scenario {
        Scenario::Create | Scenario::Waiting => {
            world.delete("/faults").await;
            if scenario == Scenario::Waiting {
                program.advance(Duration::from_mins(11)).await;
            }
            one_whole_chat(world, program, point).await;
        }
        Scenario::Cancel => {
            act(program, format!("/v1/operations/{subject}/cancel"), json!({})).await;
            in_state(program, subject, "cancelled").await;
            program.advance(Duration::from_mins(11)).await;
            assert_eq!(made(world).await, Vec::<String>::new(), "{point}");
        }
        Scenario::Retry => {
            act(program, format!("/v1/operations/{subject}/retry"), json!({})).await;
            let shown = program.finished(subject, Some(STEP)).await;
            assert_eq!((&shown["state"], made(world).await.len()), (&json!("done"), 1), "{point}: {shown}");
        }
        Scenario::Resolve => {
            world.delete("/faults").await;
            let chat_id = world.chat_titled("Order").await;
            let verdict = json!({"as": "done", "chat_id": chat_id});
            act(program, format!("/v1/operations/{subject}/resolve"), verdict).await;
            program.post("/v1/accounts/fifth/actions/restart", &json!({})).await;
            let shown = program.finished(subject, Some(STEP)).await;
            assert_eq!(
                (&shown["state"], &shown["chat_id"]),
                (&json!("done"), &json!(chat_id)),
                "{point}: {shown}"
            );
            assert_eq!(world.effects(CREATE).await.len(), 1, "{point}");
        }
        Scenario::ResolveLeft => {
            let path = format!("/v1/operations/{subject}");
            if point == "store.saga_resolve.before" {
                assert_eq!(program.get(&path).await.1["state"], "in_doubt", "{point}");
                act(program, format!("{path}/resolve"), json!({"as": "done"})).await;
            }
            let shown = program.finished(subject, Some(STEP)).await;
            assert_eq!(shown["state"], "done", "{point}: {shown}");
            assert_eq!(world.effects(LEAVE).await.len(), 1, "{point}");
        }
        // The caller has its answer, and that is on disk: the same body again would be another chat.
        Scenario::OldPort if point == "store.saga_answered.after" => {
            assert_eq!(made(world).await.len(), 1, "{point}");
        }
        Scenario::OldPort | Scenario::HungUp => {
            let port = world.legacy_port(5021);
            let body = order(&json!({}));
            let call = program.legacy(port, "/create_chat", &body);
            let (status, answer) = program.as_time_goes_by(STEP, call).await;
            assert_eq!((status, made(world).await.len()), (200, 1), "{point}: {answer}");
        }
        Scenario::HandOver => {
            let (status, said) =
                program.patch(&format!("/v1/chats/{subject}"), &json!({"account": "main"})).await;
            assert_eq!(status, 200, "{point}: {said}");
            let (_, record) = program.get(&format!("/v1/chats/{subject}")).await;
            assert_eq!(record["account"], "main", "{point}: {record}");
            assert_eq!(made(world).await.len(), 1, "{point}");
        }
        Scenario::Migrate => {
            let new = world.chats_titled("Small").await.pop().expect("the supergroup");
            let body = json!({"chat": subject, "text": "after", "account": "fifth"});
            let (status, sent) = program.post("/v1/messages", &body).await;
            assert_eq!((status, &sent["chat_id"]), (200, &json!(new)), "{point}: {sent}");
            assert_eq!(world.sent().await.iter().filter(|text| *text == "after").count(), 1, "{point}");
        }
        Scenario::Forget => {
            program.delete(&format!("/v1/chats/unresolved/{subject}")).await;
            let (status, unresolved) = program.get("/v1/chats/unresolved").await;
            assert_eq!((status, &unresolved["items"]), (200, &json!([])), "{point}");
        }
        Scenario::Switch => {
            let (status, said) = program.post("/v1/services/create_chat/actions/start", &json!({})).await;
            assert!((200..300).contains(&status), "{point}: {status} {said}");
            one_whole_chat(world, program, point).await;
        }
        Scenario::CallBack | Scenario::CallBackRefused => {
            let receiver = receiver.expect("somebody is told");
            receiver.answer(200);
            told(program, world, receiver, point).await;
            assert_eq!(made(world).await.len(), 1, "{point}");
        }
        Scenario::CallBackAgain => {
            let receiver = receiver.expect("somebody is told");
            receiver.answer(200);
            // The clock had been moved that far before, and the callback was put back by that clock.
            program.advance(Duration::from_hours(24)).await;
            done_by_hand(program, subject, point).await;
            told(program, world, receiver, point).await;
        }
        Scenario::FailedAgain => {
            done_by_hand(program, subject, point).await;
            assert_eq!(made(world).await.len(), 1, "{point}");
        }
        Scenario::Forgotten => goes_on(world, program, subject, point).await,
        Scenario::FailedDropped => {
            program.delete(&format!("/v1/failed-requests/{subject}")).await;
            let (_, row) = program.get(&format!("/v1/failed-requests/{subject}")).await;
            assert_eq!((&row["state"], made(world).await.len()), (&json!("dropped"), 0), "{point}: {row}");
        }
    }
}

/// Whether the operation was forgotten or not, the chat is there, and others are made.
async fn goes_on(world: &World, program: &Program, subject: &str, point: &str) {
    let (status, shown) = program.get(&format!("/v1/operations/{subject}")).await;
    assert!(status == 404 || shown["state"] == "done", "{point}: {status} {shown}");
    program.account_is("fifth", "ready").await;
    let (status, other) = program.post("/v1/chats", &json!({"title": "Other", "account": "fifth"})).await;
    assert_eq!((status, made(world).await.len()), (201, 1), "{point}: {other}");
}

/// Asked for again under its key, the chat is there, with each of its steps once.
async fn one_whole_chat(world: &World, program: &Program, point: &str) {
    program.account_is("fifth", "ready").await;
    let asked = ask(program).await;
    let shown = program.finished(&operation(asked.as_ref()), Some(STEP)).await;
    assert_eq!(shown["state"], "done", "{point}: {asked:?} {shown}\n{}", program.output());
    let chat_id = world.chat_titled("Order").await;
    let mut effects = world.effects_in(&chat_id).await;
    effects.sort_unstable();
    let once = [
        CREATE,
        "channels.editAdmin",
        "channels.inviteToChannel",
        "channels.togglePreHistoryHidden",
        "messages.exportChatInvite",
    ];
    assert_eq!(effects, once, "{point}: {shown}");
    let result = &shown["result"];
    assert_eq!(result["chat_id"], chat_id.as_str(), "{point}: {shown}");
    let link = &world.effects("messages.exportChatInvite").await[0]["text"];
    assert_eq!(&result["invite_link"], link, "{point}: {shown}");
    let members = result["members"].as_array().expect("members");
    let inside = |member: &Value| member["result"] == "added" || member["result"] == "already";
    assert!(members.len() == 2 && members.iter().all(inside), "{point}: {shown}");
    assert_eq!(members[1]["promoted"], true, "{point}: {shown}");
}

/// A failed request comes to a good end: asked for by hand once more, since the first asking had no answer.
async fn done_by_hand(program: &Program, request: &str, point: &str) {
    let path = format!("/v1/failed-requests/{request}");
    act(program, format!("{path}/retry"), json!({})).await;
    program
        .until(&format!("{point}: the failed request is done"), || async {
            let (_, row) = program.get(&path).await;
            program.advance(STEP).await;
            row["state"] == "done"
        })
        .await;
}

/// The outside program hears of the link: again if it may not have heard.
async fn told(program: &Program, world: &World, receiver: &Receiver, point: &str) {
    program
        .until(&format!("{point}: the receiver is told"), || async {
            program.advance(Duration::from_secs(5)).await;
            !receiver.bodies().is_empty()
        })
        .await;
    let link = world.effects("messages.exportChatInvite").await[0]["text"].clone();
    let expected = json!({
        "message": "send_invite_link", "user_id": "42", "group_id": "demo", "tg_business": 1, "invite_link": link,
    });
    assert!(receiver.bodies().iter().all(|body| *body == expected), "{point}: {:?}", receiver.bodies());
}
