//! What reaches the points of messages, of accounts at work and of what is forgotten; and what must be true afterwards.

use std::sync::OnceLock;
use std::time::Duration;

use ambient::Clock;
use serde_json::json;
use testkit::{Program, Start, World};

use super::{SEND, act, answered, ask, finished, hang_up, id, post_to_old_port, write};
use crate::binary;
use crate::postgres::world;

/// What is done to reach a point, and what must be true after the restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    /// Three texts into one chat.
    Lane,
    /// The same, the first met by a flood wait.
    Flood,
    /// The same, the first answer lost.
    LostAnswer,
    /// A text to an unknown chat.
    NoChat,
    /// A lost answer, then a ban.
    Doubt,
    /// A doubt, ended by a person.
    Resolve,
    /// A text for later, cancelled.
    Cancel,
    /// A cancelled text, sent after all.
    Retry,
    /// A text that waits for a person, let out.
    Approve,
    /// The same, refused.
    Reject,
    /// A text over the old port, without a key.
    OldPort,
    /// The same, by a caller that hangs up before the answer.
    HungUp,
    /// An account paused.
    Pause,
    /// An account connected for the first time.
    Restart,
    /// A message received.
    Received,
    /// Counters of an account that Telegram does not take any more.
    Missed,
    /// A message received in a chat whose messages are not kept.
    PassedOver,
    /// A look-up met by a flood wait.
    LookUpFlood,
    /// An API key made, changed and revoked.
    Keys,
    /// A text that is forbidden at first and allowed later.
    Allowed,
    /// An account taken out of a group.
    TakenOut,
    /// What is past its time is forgotten, three months later.
    Forgotten,
}

fn scenario(point: &str) -> Scenario {
    match write(point) {
        "store.accept" | "store.begin" | "store.part_sent" | "telegram.send" => Scenario::Lane,
        "store.part_unsent" => Scenario::Flood,
        "store.note" => Scenario::LostAnswer,
        "store.fail" => Scenario::NoChat,
        "store.doubt" => Scenario::Doubt,
        "store.resolve" => Scenario::Resolve,
        "store.cancel" => Scenario::Cancel,
        "store.retry" => Scenario::Retry,
        "store.approve" => Scenario::Approve,
        "store.reject" => Scenario::Reject,
        "store.answered" => Scenario::OldPort,
        "store.unanswered" => Scenario::HungUp,
        "store.save_switch" => Scenario::Pause,
        "store.save_session" | "store.save_fill" | "store.account_states" => Scenario::Restart,
        "store.create_key" | "store.change_key" | "store.revoke_key" => Scenario::Keys,
        "store.lift_mark" => Scenario::Allowed,
        "store.leave_peer" => Scenario::TakenOut,
        "store.drop_messages"
        | "store.drop_keys"
        | "store.drop_joins"
        | "store.drop_holds"
        | "store.drop_failovers"
        | "store.drop_unresolved"
        | "store.drop_callbacks"
        | "store.drop_failed_requests"
        | "store.drop_references"
        | "store.drop_uploads"
        | "store.drop_alerts"
        | "store.drop_alert_notices"
        | "store.drop_events"
        | "store.drop_sent_counts"
        | "store.drop_old_rows"
        | "store.drop_webhook_deliveries" => Scenario::Forgotten,
        "store.change_gap" => Scenario::Missed,
        "store.save_peers" => Scenario::Received,
        "store.save_update_state" => Scenario::PassedOver,
        "store.save_hold" => Scenario::LookUpFlood,
        other => panic!("no scenario reaches {other}; add one"),
    }
}

/// The same instant in each call, so that a repeated request has the same body.
fn tomorrow() -> &'static str {
    static TOMORROW: OnceLock<String> = OnceLock::new();
    TOMORROW.get_or_init(|| Clock::system().now().plus(Duration::from_hours(24)).to_string())
}

/// Asks for one after the other, until the program stops: then it is unknown whether the last one was accepted, and one asked
/// for behind it might come first.
async fn one_by_one(program: &Program, texts: [&str; 3]) {
    for text in texts {
        if ask(program, text, json!({})).await.is_none() {
            return;
        }
    }
}

/// Asks for a text that waits for a person, whose word this is.
async fn decide(program: &Program, word: &str) {
    let draft = ask(program, "draft", json!({"needs_approval": true})).await;
    act(program, format!("/v1/messages/{}/{word}", id(draft.as_ref())), json!({})).await;
}

/// Does what the scenario asks for, as far as the program goes along.
async fn play(scenario: Scenario, world: &World, program: &Program) {
    let texts = ["one", "two", "three"];
    match scenario {
        Scenario::Lane => {
            // The first is begun at its acceptance, those behind it one by one.
            world
                .fault("delay", json!({"account": "fifth", "method": SEND, "seconds": 0.05, "times": 3}))
                .await;
            let ask_after = |pause, text| async move {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                ask(program, text, json!({})).await;
            };
            tokio::join!(ask_after(0, "one"), ask_after(10, "two"), ask_after(20, "three"));
        }
        Scenario::Flood => {
            world
                .fault("flood_wait", json!({"account": "fifth", "method": SEND, "seconds": 1, "times": 1}))
                .await;
            one_by_one(program, texts).await;
        }
        Scenario::LostAnswer => {
            world.fault("disconnect", json!({"account": "fifth", "method": SEND, "times": 1})).await;
            one_by_one(program, texts).await;
        }
        Scenario::NoChat => {
            ask(program, "nowhere", json!({"chat": "-1009999999999"})).await;
        }
        Scenario::Doubt => {
            doubt(world, program).await;
        }
        Scenario::Resolve => {
            let message = doubtful(world, program).await;
            act(program, format!("/v1/messages/{message}/resolve"), json!({"as": "sent"})).await;
        }
        Scenario::Cancel => {
            let later = ask(program, "later", json!({"send_at": tomorrow()})).await;
            act(program, format!("/v1/messages/{}/cancel", id(later.as_ref())), json!({})).await;
        }
        Scenario::Retry => {
            let later = ask(program, "later", json!({"chat": "-1009999999999"})).await;
            let message = id(later.as_ref());
            program
                .until("it failed", || async {
                    program.get(&format!("/v1/messages/{message}")).await.1["state"] == "failed"
                })
                .await;
            act(program, format!("/v1/messages/{message}/retry"), json!({})).await;
        }
        Scenario::Approve => decide(program, "approve").await,
        Scenario::Reject => decide(program, "reject").await,
        Scenario::OldPort => {
            let body = json!({"chat": "client_1", "text": "old"});
            answered(program, post_to_old_port(world, 5022, "/send_text", &body)).await;
        }
        Scenario::HungUp => {
            let body = json!({"chat": "client_1", "text": "old"});
            let request = post_to_old_port(world, 5022, "/send_text", &body);
            hang_up(world, program, SEND, request).await;
        }
        Scenario::Pause => {
            act(program, "/v1/accounts/fifth/actions/pause".into(), json!({})).await;
        }
        Scenario::Restart => {
            // It connects again by itself as time goes by. Starting it again here could take it away from the point.
            world.delete("/faults").await;
        }
        Scenario::Received | Scenario::PassedOver => {
            world
                .post(
                    "/telegram/messages",
                    &json!({"from": "@demo_observer", "chat": "@demo_fifth", "text": "hi"}),
                )
                .await;
        }
        Scenario::Missed => {
            let refusal = json!({"account": "fifth", "method": "updates.getDifference", "times": 1, "code": 400,
                "message": "PERSISTENT_TIMESTAMP_INVALID"});
            world.fault("rpc_error", refusal).await;
            world.fault("disconnect", json!({"account": "fifth", "times": 3})).await;
        }
        Scenario::Keys => {
            let key = act(program, "/v1/keys".into(), json!({"name": "short", "scopes": ["read"]})).await;
            let path = format!("/v1/keys/{}", id(key.as_ref()));
            answered(program, program.request("PATCH", &path).json(&json!({"rate": "5/s"}))).await;
            answered(program, program.request("DELETE", &path)).await;
        }
        Scenario::Allowed => {
            let refusal = json!({"account": "fifth", "method": SEND, "times": 1, "code": 400, "message": "CHAT_WRITE_FORBIDDEN"});
            world.fault("rpc_error", refusal).await;
            ask(program, "forbidden", json!({"wait": 2})).await;
            program.advance(Duration::from_mins(11)).await;
            ask(program, "allowed", json!({})).await;
        }
        Scenario::TakenOut => {
            // It must know that it is in the group before it can learn that it is not.
            program
                .until("its dialogs are read", || async {
                    program.get("/v1/accounts/backup_1").await.1["dialogs_complete"] == true
                })
                .await;
            let chats = world.get("/telegram/chats").await;
            let mut chats = chats["items"].as_array().expect("items").iter();
            let group = chats.find(|chat| chat["title"] == "Demo supergroup").expect("the demo supergroup");
            let path = format!("/telegram/chats/{}/members", group["chat_id"].as_str().expect("an id"));
            world.post(&path, &json!({"account": "backup_1", "remove": true})).await;
        }
        Scenario::Forgotten => {
            program.advance(Duration::from_hours(91 * 24)).await;
        }
        Scenario::LookUpFlood => {
            let flood =
                json!({"account": "fifth", "method": "contacts.resolveUsername", "seconds": 30, "times": 1});
            world.fault("flood_wait", flood).await;
            ask(program, "nobody", json!({"chat": "@nobody_at_all"})).await;
        }
    }
}

/// A message that arrives without an answer, through an account that is banned before it can be asked again.
async fn doubt(world: &World, program: &Program) -> String {
    world.fault("drop_answer", json!({"account": "fifth", "method": SEND, "times": 1})).await;
    let message = id(ask(program, "maybe", json!({})).await.as_ref());
    program.until("the effect is there", || async { world.sent().await == ["maybe"] }).await;
    world.fault("banned", json!({"account": "fifth", "method": SEND})).await;
    program.advance(Duration::from_mins(1)).await;
    message
}

async fn doubtful(world: &World, program: &Program) -> String {
    let message = doubt(world, program).await;
    program
        .until("it is in doubt", || async {
            program.get(&format!("/v1/messages/{message}")).await.1["state"] == "in_doubt"
        })
        .await;
    message
}

/// After the restart: callers ask again under their keys, and everything comes to its end.
async fn check(scenario: Scenario, world: &World, program: &Program, point: &str) {
    let sent = match scenario {
        Scenario::Lane | Scenario::Flood | Scenario::LostAnswer => {
            world.delete("/faults").await;
            for text in ["one", "two", "three"] {
                finished(program, text, json!({}), "sent").await;
            }
            let mut sent = world.sent().await;
            if scenario == Scenario::Lane {
                // Asked for by three callers at once: which of them came first is theirs to say.
                sent.sort();
                assert_eq!(sent, ["one", "three", "two"], "{point}");
                return;
            }
            sent
        }
        Scenario::NoChat => {
            finished(program, "nowhere", json!({"chat": "-1009999999999"}), "failed").await;
            world.sent().await
        }
        Scenario::Doubt | Scenario::Resolve => {
            world.delete("/faults").await;
            let (_, list) = program.get("/v1/messages").await;
            let message = list["items"][0].clone();
            if message["state"] == "in_doubt" {
                act(program, format!("/v1/messages/{}/resolve", id(Some(&message))), json!({"as": "sent"}))
                    .await;
            }
            program
                .until("the doubt has ended", || async {
                    program.post("/v1/accounts/fifth/actions/restart", &json!({})).await;
                    program.get("/v1/messages").await.1["items"][0]["state"] == "sent"
                })
                .await;
            assert_eq!(world.sent().await, ["maybe"], "{point}");
            return;
        }
        Scenario::Cancel => {
            let again = ask(program, "later", json!({"send_at": tomorrow()})).await;
            act(program, format!("/v1/messages/{}/cancel", id(again.as_ref())), json!({})).await;
            assert_eq!(world.sent().await, Vec::<String>::new(), "{point}");
            return;
        }
        Scenario::Retry => {
            program
                .until("it came to its end", || async {
                    let (_, list) = program.get("/v1/messages").await;
                    list["items"].as_array().is_some_and(|all| all.iter().all(|m| m["state"] == "failed"))
                })
                .await;
            world.sent().await
        }
        Scenario::Approve => {
            decide(program, "approve").await;
            finished(program, "draft", json!({"needs_approval": true}), "sent").await;
            assert_eq!(world.sent().await, ["draft"], "{point}");
            return;
        }
        Scenario::Reject => {
            decide(program, "reject").await;
            assert_eq!(world.sent().await, Vec::<String>::new(), "{point}");
            return;
        }
        // That the caller is answered was handed over; whether it is on the disk is unknown: the same body again may
        // be another message.
        Scenario::OldPort if point == "store.answered.after" => world.sent().await,
        Scenario::OldPort | Scenario::HungUp => {
            // What was held on its way takes effect now.
            world.delete("/faults").await;
            let body = json!({"chat": "client_1", "text": "old"});
            let (status, answer) = program.legacy(world.legacy_port(5022), "/send_text", &body).await;
            assert_eq!((status, &answer["status"]), (200, &json!("ok")), "{point}: {answer}");
            world.sent().await
        }
        Scenario::Allowed => {
            finished(program, "allowed", json!({}), "sent").await;
            assert_eq!(world.sent().await, ["allowed"], "{point}");
            return;
        }
        Scenario::Forgotten => {
            program.account_is("fifth", "ready").await;
            finished(program, "new", json!({}), "sent").await;
            assert_eq!(world.sent().await, ["old", "new"], "{point}");
            return;
        }
        Scenario::Pause
        | Scenario::TakenOut
        | Scenario::Restart
        | Scenario::Received
        | Scenario::PassedOver
        | Scenario::Missed
        | Scenario::LookUpFlood
        | Scenario::Keys => {
            world.delete("/faults").await;
            program.post("/v1/accounts/fifth/actions/resume", &json!({})).await;
            program.account_is("main", "ready").await;
            finished(program, "after", json!({"account": "main"}), "sent").await;
            assert_eq!(world.sent().await, ["after"], "{point}");
            return;
        }
    };
    let expected: &[&str] = match scenario {
        Scenario::Flood | Scenario::LostAnswer => &["one", "two", "three"],
        Scenario::OldPort | Scenario::HungUp => &["old"],
        _ => &[],
    };
    assert_eq!(sent, expected, "{point}: {}", program.output());
}

/// Kills at a point of messages.
pub(super) async fn kill_at(point: &str) {
    let scenario = scenario(point);
    let world = world().await;
    if scenario == Scenario::Restart {
        // A session is stored at its first connection, which must come after the point was armed.
        world.fault("disconnect_before", json!({"account": "fifth"})).await;
    }
    if scenario == Scenario::PassedOver {
        let name = "name = \"fifth\"\n";
        world.edit_settings(|text| text.replace(name, &format!("{name}keep_messages = \"none\"\n")));
    }
    let mut program = Start::on(&world, binary(), "data").listening().await;
    if scenario != Scenario::Restart {
        program.account_is("fifth", "ready").await;
    }
    if matches!(scenario, Scenario::OldPort | Scenario::HungUp) {
        program.account_is("main", "ready").await;
    }
    if scenario == Scenario::Forgotten {
        // Not later: the sweep of the start may be stopped at the point then, and nothing is written any more.
        finished(&program, "old", json!({}), "sent").await;
    }
    let what = format!("{point} stops the program");
    if matches!(scenario, Scenario::Resolve) {
        let message = doubtful(&world, &program).await;
        program.arm(point, 0).await;
        act(&program, format!("/v1/messages/{message}/resolve"), json!({"as": "sent"})).await;
    } else {
        program.arm(point, 0).await;
        play(scenario, &world, &program).await;
    }
    let stops = program.until(&what, || program.stopped_at(point));
    match scenario {
        // The one connects again by itself, the other once it is asked whether it is there.
        Scenario::Restart | Scenario::Missed => program.as_time_goes_by(Duration::from_secs(1), stops).await,
        // The sweep of the start may not have ended when the months went by; the next one is an hour later.
        Scenario::Forgotten => program.as_time_goes_by(Duration::from_hours(1), stops).await,
        _ => stops.await,
    }
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    check(scenario, &world, &program, point).await;
    world.assert_nothing_unknown().await;
}
