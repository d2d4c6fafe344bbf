//! What reaches the points of work on chats: sagas, the registry, services, invite callbacks, failed requests.

mod after;
mod before;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Receiver, Start, World};

use super::{answered, post_to_old_port, stopped};
use crate::binary;
use crate::postgres::world;

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
    /// An unknown chat, forgotten again.
    Forget,
    /// A service stopped.
    Switch,
    /// An invite link sent to an outside program.
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
    fn needs_the_pool(self) -> bool {
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

    /// The receiver of invite links. Set before the program starts.
    async fn receiver(self, world: &World) -> Option<Receiver> {
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
        .body(body.to_string());
    answered(program, request).await
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

/// A request of the old port.
fn of_old_port(world: &World, body: &Value) -> reqwest::RequestBuilder {
    post_to_old_port(world, 5021, "/create_chat", body)
}

async fn made(world: &World) -> Vec<String> {
    world.chats_titled("Order").await
}

/// Kills at a point of work on chats, after so many have passed it.
pub(super) async fn kill_at(scenario: Scenario, point: &str, skip: u32) {
    let world = world().await;
    let receiver = scenario.receiver(&world).await;
    let mut program = Start::on(&world, binary(), "data").listening().await;
    program.account_is("fifth", "ready").await;
    if scenario.needs_the_pool() {
        program.account_is("main", "ready").await;
    }
    let subject = before::prepare(scenario, &world, &program).await;
    program.arm(point, skip).await;
    before::play(scenario, &world, &program, &subject).await;
    let stops = stopped(&program, point);
    if scenario == Scenario::Forgotten {
        // The sweep of the start may not have ended when the month went by; the next one is an hour later.
        program.as_time_goes_by(Duration::from_hours(1), stops).await;
    } else {
        stops.await;
    }
    program.kill();
    if scenario == Scenario::HungUp {
        // The call that was on the wire is carried out late, and before anyone looks for what came of it.
        world.delete("/faults").await;
        program.until("the chat is there", || async { !made(&world).await.is_empty() }).await;
    }
    let program = Start::on(&world, binary(), "data").ready().await;
    after::check(scenario, &world, &program, point, &subject, receiver.as_ref()).await;
    world.assert_nothing_unknown().await;
}
