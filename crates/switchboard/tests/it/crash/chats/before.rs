//! What is done with chats before the program is killed: what a scenario begins with, and what reaches its point.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, World};

use super::{CREATE, Deed, LEAVE, STEP, Scenario, in_state, missing, of_old_port, operation, order};
use crate::crash::{act, answered, hang_up};

/// The first failed request, once there is one.
async fn failed_request(program: &Program) -> Value {
    program
        .until("a failed request is kept", || async {
            program.get("/v1/failed-requests?state=pending").await.1["items"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        })
        .await;
    program.get("/v1/failed-requests?state=pending").await.1["items"][0].clone()
}

fn id(row: &Value) -> &str {
    row["id"].as_str().expect("an id")
}

/// What comes before the point is armed. Answers what the scenario is about: an operation, a chat, a failed request.
pub(super) async fn prepare(scenario: Scenario, deed: Deed<'_>) -> String {
    let Deed { world, program, title, .. } = deed;
    match scenario {
        Scenario::Cancel => {
            flood(world).await;
            let waiting = operation(deed.ask().await.as_ref());
            program.until("it waits", || async { world.calls(CREATE).await == 1 }).await;
            in_state(program, &waiting, "queued").await;
            waiting
        }
        Scenario::Retry => {
            let refusal = json!({"account": "fifth", "method": CREATE, "times": 1, "code": 400, "message": "CHAT_INVALID"});
            world.fault("rpc_error", refusal).await;
            let refused = operation(deed.ask().await.as_ref());
            in_state(program, &refused, "failed").await;
            refused
        }
        Scenario::Resolve => {
            world.fault("drop_answer", json!({"account": "fifth", "method": CREATE, "times": 1})).await;
            let doubtful = operation(deed.ask().await.as_ref());
            program.until("the effect is there", || async { !deed.made().await.is_empty() }).await;
            world.fault("banned", json!({"account": "fifth"})).await;
            let shown = program.finished(&doubtful, Some(STEP)).await;
            assert_eq!(shown["state"], "in_doubt", "{shown}");
            doubtful
        }
        Scenario::ResolveLeft => {
            let done = operation(deed.ask().await.as_ref());
            in_state(program, &done, "done").await;
            world.fault("drop_answer", json!({"account": "fifth", "method": LEAVE, "times": 1})).await;
            // Only the fifth may leave it, so that a second attempt has no account to go to.
            let path = format!("/v1/chats/{}?account=fifth&wait=0", world.chat_titled(title).await);
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
            let body = json!({"title": title, "members": ["@demo_main"], "account": "fifth", "wait": 60});
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
            let missing = missing(title);
            let (status, refused) = program.send(&missing, "x").await;
            assert_eq!(status, 404, "{refused}");
            missing
        }
        Scenario::FailedAgain | Scenario::FailedDropped => {
            world.fault("rpc_error", json!({"method": CREATE, "code": 400, "message": "CHAT_INVALID"})).await;
            let (status, refused) =
                program.legacy(world.legacy_port(5021), "/create_chat", &order(title, &json!({}))).await;
            assert_eq!(status, 500, "{refused}");
            world.delete("/faults").await;
            id(&failed_request(program).await).to_owned()
        }
        Scenario::CallBackAgain => {
            let body = order(title, &json!({"client_tg_id": 42}));
            let (status, made) = program.legacy(world.legacy_port(5021), "/create_chat", &body).await;
            assert_eq!(status, 200, "the caller's answer does not change: {made}");
            program
                .until("it is given up", || async {
                    program.advance(Duration::from_mins(30)).await;
                    let (_, kept) = program.get("/v1/failed-requests?state=pending").await;
                    kept["items"].as_array().is_some_and(|all| !all.is_empty())
                })
                .await;
            id(&failed_request(program).await).to_owned()
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
pub(super) async fn play(scenario: Scenario, deed: Deed<'_>, subject: &str) {
    let Deed { world, program, title, .. } = deed;
    match scenario {
        Scenario::Create => {
            deed.ask().await;
        }
        Scenario::Waiting => {
            flood(world).await;
            deed.ask().await;
        }
        Scenario::Cancel => {
            act(program, format!("/v1/operations/{subject}/cancel"), json!({})).await;
        }
        Scenario::Retry => {
            act(program, format!("/v1/operations/{subject}/retry"), json!({})).await;
        }
        Scenario::Resolve => {
            let chat_id = world.chat_titled(title).await;
            let verdict = json!({"as": "done", "chat_id": chat_id});
            act(program, format!("/v1/operations/{subject}/resolve"), verdict).await;
        }
        Scenario::ResolveLeft => {
            act(program, format!("/v1/operations/{subject}/resolve"), json!({"as": "done"})).await;
        }
        Scenario::OldPort => {
            answered(program, of_old_port(world, &order(title, &json!({})))).await;
        }
        Scenario::HungUp => {
            hang_up(world, program, CREATE, of_old_port(world, &order(title, &json!({})))).await;
        }
        Scenario::HandOver => {
            let request = program
                .request("PATCH", &format!("/v1/chats/{subject}"))
                .header("content-type", "application/json")
                .body(json!({"account": "main"}).to_string());
            answered(program, request).await;
        }
        Scenario::Migrate => {
            world.post(&format!("/telegram/chats/{subject}/migrate"), &Value::Null).await;
        }
        Scenario::Forget => {
            let path = format!("/v1/chats/unresolved/{subject}");
            answered(program, program.request("DELETE", &path)).await;
        }
        Scenario::Switch => {
            act(program, "/v1/services/create_chat/actions/stop".into(), json!({})).await;
        }
        Scenario::CallBack | Scenario::CallBackRefused => {
            answered(program, of_old_port(world, &order(title, &json!({"client_tg_id": 42})))).await;
        }
        Scenario::CallBackAgain | Scenario::FailedAgain => {
            act(program, format!("/v1/failed-requests/{subject}/retry"), json!({})).await;
        }
        Scenario::FailedDropped => {
            let path = format!("/v1/failed-requests/{subject}");
            answered(program, program.request("DELETE", &path)).await;
        }
    }
}
