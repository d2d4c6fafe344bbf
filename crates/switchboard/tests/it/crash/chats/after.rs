//! What must be true of chats after the program was killed and started again.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Receiver, World};

use super::{CREATE, Deed, LEAVE, STEP, Scenario, in_state, operation, order};
use crate::crash::act;

/// After the restart: callers ask again, everything comes to its end, and there is one chat.
pub(super) async fn check(scenario: Scenario, deed: Deed<'_>, subject: &str, receiver: Option<&Receiver>) {
    let Deed { world, program, title, point } = deed;
    match scenario {
        Scenario::Create | Scenario::Waiting => {
            world.delete("/faults").await;
            if scenario == Scenario::Waiting {
                program.advance(Duration::from_mins(11)).await;
            }
            one_whole_chat(deed).await;
        }
        Scenario::Cancel => {
            act(program, format!("/v1/operations/{subject}/cancel"), json!({})).await;
            in_state(program, subject, "cancelled").await;
            program.advance(Duration::from_mins(11)).await;
            assert_eq!(deed.made().await, Vec::<String>::new(), "{point}");
        }
        Scenario::Retry => {
            act(program, format!("/v1/operations/{subject}/retry"), json!({})).await;
            let shown = program.finished(subject, Some(STEP)).await;
            assert_eq!((&shown["state"], deed.made().await.len()), (&json!("done"), 1), "{point}: {shown}");
        }
        Scenario::Resolve => {
            world.delete("/faults").await;
            let chat_id = world.chat_titled(title).await;
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
        // That the caller is answered was handed over; whether it is on the disk is unknown: the same body again may
        // be another chat.
        Scenario::OldPort if point == "store.saga_answered.after" => {
            assert_eq!(deed.made().await.len(), 1, "{point}");
        }
        Scenario::OldPort | Scenario::HungUp => {
            let port = world.legacy_port(5021);
            let body = order(title, &json!({}));
            let call = program.legacy(port, "/create_chat", &body);
            let (status, answer) = program.as_time_goes_by(STEP, call).await;
            assert_eq!((status, deed.made().await.len()), (200, 1), "{point}: {answer}");
        }
        Scenario::HandOver => {
            let (status, reply) =
                program.patch(&format!("/v1/chats/{subject}"), &json!({"account": "main"})).await;
            assert_eq!(status, 200, "{point}: {reply}");
            let (_, record) = program.get(&format!("/v1/chats/{subject}")).await;
            assert_eq!(record["account"], "main", "{point}: {record}");
            assert_eq!(deed.made().await.len(), 1, "{point}");
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
            let (status, reply) = program.post("/v1/services/create_chat/actions/start", &json!({})).await;
            assert!((200..300).contains(&status), "{point}: {status} {reply}");
            one_whole_chat(deed).await;
        }
        Scenario::CallBack | Scenario::CallBackRefused => {
            let receiver = receiver.expect("someone is notified");
            receiver.answer(200);
            until_notified(program, world, receiver, point).await;
            assert_eq!(deed.made().await.len(), 1, "{point}");
        }
        Scenario::CallBackAgain => {
            let receiver = receiver.expect("someone is notified");
            receiver.answer(200);
            // The clock had been moved that far before, and the callback was put back by that clock.
            program.advance(Duration::from_hours(24)).await;
            done_by_hand(program, subject, point).await;
            until_notified(program, world, receiver, point).await;
        }
        Scenario::FailedAgain => {
            done_by_hand(program, subject, point).await;
            assert_eq!(deed.made().await.len(), 1, "{point}");
        }
        Scenario::FailedDropped => {
            program.delete(&format!("/v1/failed-requests/{subject}")).await;
            let (_, row) = program.get(&format!("/v1/failed-requests/{subject}")).await;
            assert_eq!((&row["state"], deed.made().await.len()), (&json!("dropped"), 0), "{point}: {row}");
        }
    }
}

/// Asked for again under its key, the chat is there, with each of its steps once.
async fn one_whole_chat(deed: Deed<'_>) {
    let Deed { world, program, title, point } = deed;
    program.account_is("fifth", "ready").await;
    let repeated = deed.ask().await;
    let shown = program.finished(&operation(repeated.as_ref()), Some(STEP)).await;
    assert_eq!(shown["state"], "done", "{point}: {repeated:?} {shown}\n{}", program.output());
    let chat_id = world.chat_titled(title).await;
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
async fn until_notified(program: &Program, world: &World, receiver: &Receiver, point: &str) {
    program
        .until(&format!("{point}: the receiver is notified"), || async {
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
