//! What reaches the points of work on chats: sagas, the registry, services, invite callbacks, failed requests.

mod after;
mod before;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Receiver, World};

use super::{Lives, answered, post_to_old_port, stopped};

pub(super) const CREATE: &str = "channels.createChannel";
const LEAVE: &str = "channels.leaveChannel";

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

    /// Whether nothing of it stays that would change another scenario: these share a program.
    const fn leaves_nothing(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Retry
                | Self::OldPort
                | Self::HungUp
                | Self::HandOver
                | Self::Forget
                | Self::Switch
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

/// What is done at one point, with a chat that no other point has.
#[derive(Clone, Copy)]
struct Deed<'a> {
    world: &'a World,
    program: &'a Program,
    title: &'a str,
    point: &'a str,
}

impl Deed<'_> {
    /// Asks for the chat under a key, and never minds asking again.
    async fn ask(self) -> Option<Value> {
        let members = ["@client_1", "@demo_bot_1"];
        let body = json!({"title": self.title, "members": members, "account": "fifth", "wait": 0});
        let request = self
            .program
            .request("POST", "/v1/chats")
            .header("content-type", "application/json")
            .header("idempotency-key", self.title)
            .body(body.to_string());
        answered(self.program, request).await
    }

    /// The chats that were made.
    async fn made(self) -> Vec<String> {
        self.world.chats_titled(self.title).await
    }
}

/// A chat that there is not, another one for each title: a miss is remembered.
fn missing(title: &str) -> String {
    let number = title.bytes().fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 1_000_000);
    format!("-1009998{number:06}")
}

fn operation(answer: Option<&Value>) -> String {
    let id = answer.and_then(|answer| answer["operation"].as_str().or(answer["id"].as_str()));
    id.unwrap_or("op_none").to_owned()
}

async fn in_state(program: &Program, operation: &str, state: &str) {
    let (what, path) = (format!("{operation} is {state}"), format!("/v1/operations/{operation}"));
    program.until(&what, || async { program.get(&path).await.1["state"] == state }).await;
}

fn order(title: &str, more: &Value) -> Value {
    let mut body = json!({"title": title, "usernames": ["client_1", "demo_bot_1"]});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

/// A request of the old port.
fn of_old_port(world: &World, body: &Value) -> reqwest::RequestBuilder {
    post_to_old_port(world, 5021, "/create_chat", body)
}

/// Points with the same answer share a program.
pub(super) fn sharing(point: &str) -> String {
    let scenario = scenario(super::write(point)).expect("one of chats");
    if scenario.leaves_nothing() { String::new() } else { point.to_owned() }
}

/// Kills at points of work on chats that share a program.
pub(super) async fn kill_at_each(lives: &mut Lives, points: &[String]) {
    for point in points {
        kill_at(lives, scenario(super::write(point)).expect("one of chats"), point, 0).await;
    }
}

/// Kills at a point of work on chats, after so many have passed it.
pub(super) async fn kill_at(lives: &mut Lives, scenario: Scenario, point: &str, skip: u32) {
    lives.clear().await;
    let receiver = scenario.receiver(&lives.world).await;
    lives.start().await;
    let title = format!("{point}-{skip}");
    let deed = Deed { world: &lives.world, program: lives.program(), title: &title, point };
    deed.program.account_is("fifth", "ready").await;
    if scenario.needs_the_pool() {
        deed.program.account_is("main", "ready").await;
    }
    let subject = before::prepare(scenario, deed).await;
    deed.program.arm(point, skip).await;
    before::play(scenario, deed, &subject).await;
    stopped(deed.program, point).await;
    lives.kill();
    let is_made = async || !lives.world.chats_titled(&title).await.is_empty();
    if scenario == Scenario::HungUp {
        // The call that was on the wire is carried out late, and before anyone looks for what came of it.
        lives.world.delete("/faults").await;
        while !is_made().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    lives.start().await;
    let deed = Deed { world: &lives.world, program: lives.program(), title: &title, point };
    deed.program.is_ready().await;
    after::check(scenario, deed, &subject, receiver.as_ref()).await;
    lives.world.assert_nothing_unknown().await;
}
