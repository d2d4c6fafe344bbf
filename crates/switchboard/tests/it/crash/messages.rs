//! What reaches the points of messages, and of accounts at work; and what must be true afterwards.

use std::sync::OnceLock;
use std::time::Duration;

use ambient::Clock;
use serde_json::json;
use testkit::{Program, World};

use super::{Lives, SEND, act, answered, ask, finished, hang_up, id, post_to_old_port, write};

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
        "store.change_gap" => Scenario::Missed,
        "store.save_peers" => Scenario::Received,
        "store.save_update_state" => Scenario::PassedOver,
        "store.save_hold" => Scenario::LookUpFlood,
        other => panic!("no scenario reaches {other}; add one"),
    }
}

impl Scenario {
    /// Whether nothing of it stays that would change another scenario: these share a program.
    const fn leaves_nothing(self) -> bool {
        matches!(
            self,
            Self::Lane
                | Self::Flood
                | Self::LostAnswer
                | Self::NoChat
                | Self::Cancel
                | Self::Retry
                | Self::Approve
                | Self::Reject
                | Self::OldPort
                | Self::HungUp
                | Self::Pause
                | Self::Keys
        )
    }
}

/// The same instant in each call, so that a repeated request has the same body.
fn tomorrow() -> &'static str {
    static TOMORROW: OnceLock<String> = OnceLock::new();
    TOMORROW.get_or_init(|| Clock::system().now().plus(Duration::from_hours(24)).to_string())
}

/// What is done at one point.
struct Deed<'a> {
    world: &'a World,
    program: &'a Program,
    point: &'a str,
}

impl Deed<'_> {
    /// A text that no other point has, and the key of its message.
    fn named(&self, text: &str) -> String {
        format!("{text}-{}", self.point)
    }

    async fn ask(&self, text: &str, more: serde_json::Value) -> Option<serde_json::Value> {
        ask(self.program, &self.named(text), more).await
    }

    async fn finished(&self, text: &str, more: serde_json::Value, state: &str) {
        finished(self.program, &self.named(text), more, state).await;
    }

    /// Asks for one after the other, until the program stops: then it is unknown whether the last one was accepted, and one
    /// asked for behind it might come first.
    async fn one_by_one(&self) {
        for text in ["one", "two", "three"] {
            if self.ask(text, json!({})).await.is_none() {
                return;
            }
        }
    }

    /// Asks for a text that waits for a person, whose word this is.
    async fn decide(&self, word: &str) {
        let draft = self.ask("draft", json!({"needs_approval": true})).await;
        act(self.program, format!("/v1/messages/{}/{word}", id(draft.as_ref())), json!({})).await;
    }

    /// A text for a chat that is nowhere.
    async fn nowhere(&self) -> Option<serde_json::Value> {
        self.ask("nowhere", nowhere(self.point)).await
    }

    /// What an old caller asks for.
    fn of_old_port(&self) -> serde_json::Value {
        json!({"chat": "client_1", "text": self.named("old")})
    }

    /// A message that arrives without an answer, through an account that is banned before it can be asked again.
    async fn doubt(&self) -> String {
        let Self { world, program, .. } = self;
        world.fault("drop_answer", json!({"account": "fifth", "method": SEND, "times": 1})).await;
        let message = id(self.ask("maybe", json!({})).await.as_ref());
        program.until("the effect is there", || async { world.sent().await == [self.named("maybe")] }).await;
        world.fault("banned", json!({"account": "fifth", "method": SEND})).await;
        program.advance(Duration::from_mins(1)).await;
        message
    }

    async fn doubtful(&self) -> String {
        let message = self.doubt().await;
        let path = format!("/v1/messages/{message}");
        self.program
            .until("it is in doubt", || async { self.program.get(&path).await.1["state"] == "in_doubt" })
            .await;
        message
    }

    /// The texts that were sent are these, in this order.
    async fn assert_sent(&self, texts: &[&str]) {
        let expected: Vec<_> = texts.iter().map(|text| self.named(text)).collect();
        assert_eq!(self.world.sent().await, expected, "{}: {}", self.point, self.program.output());
    }
}

/// A chat that there is not, another one for each point: a miss is remembered.
fn nowhere(point: &str) -> serde_json::Value {
    let number = point.bytes().fold(0_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 1_000_000);
    json!({ "chat": format!("-1009999{number:06}") })
}

/// Does what the scenario asks for, as far as the program goes along.
async fn play(scenario: Scenario, deed: &Deed<'_>) {
    let Deed { world, program, .. } = deed;
    match scenario {
        Scenario::Lane => {
            // The first is begun at its acceptance, those behind it one by one.
            world
                .fault("delay", json!({"account": "fifth", "method": SEND, "seconds": 0.05, "times": 3}))
                .await;
            let ask_after = |pause, text| async move {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                deed.ask(text, json!({})).await;
            };
            tokio::join!(ask_after(0, "one"), ask_after(10, "two"), ask_after(20, "three"));
        }
        Scenario::Flood => {
            world
                .fault("flood_wait", json!({"account": "fifth", "method": SEND, "seconds": 1, "times": 1}))
                .await;
            deed.one_by_one().await;
        }
        Scenario::LostAnswer => {
            world.fault("disconnect", json!({"account": "fifth", "method": SEND, "times": 1})).await;
            deed.one_by_one().await;
        }
        Scenario::NoChat => {
            deed.nowhere().await;
        }
        Scenario::Doubt => {
            deed.doubt().await;
        }
        Scenario::Resolve => {
            let message = deed.doubtful().await;
            program.arm(deed.point, 0).await;
            act(program, format!("/v1/messages/{message}/resolve"), json!({"as": "sent"})).await;
        }
        Scenario::Cancel => {
            let later = deed.ask("later", json!({"send_at": tomorrow()})).await;
            act(program, format!("/v1/messages/{}/cancel", id(later.as_ref())), json!({})).await;
        }
        Scenario::Retry => {
            let path = format!("/v1/messages/{}", id(deed.nowhere().await.as_ref()));
            program.until("it failed", || async { program.get(&path).await.1["state"] == "failed" }).await;
            act(program, format!("{path}/retry"), json!({})).await;
        }
        Scenario::Approve => deed.decide("approve").await,
        Scenario::Reject => deed.decide("reject").await,
        Scenario::OldPort => {
            answered(program, post_to_old_port(world, 5022, "/send_text", &deed.of_old_port())).await;
        }
        Scenario::HungUp => {
            let request = post_to_old_port(world, 5022, "/send_text", &deed.of_old_port());
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
            let order = json!({"from": "@demo_observer", "chat": "@demo_fifth", "text": "hi"});
            world.post("/telegram/messages", &order).await;
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
            deed.ask("forbidden", json!({"wait": 2})).await;
            program.advance(Duration::from_mins(11)).await;
            deed.ask("allowed", json!({})).await;
        }
        Scenario::TakenOut => {
            // It must know that it is in the group before it can learn that it is not.
            program.has_read_dialogs("backup_1").await;
            let path = format!("/telegram/chats/{}/members", world.chat_titled("Demo supergroup").await);
            world.post(&path, &json!({"account": "backup_1", "remove": true})).await;
        }
        Scenario::LookUpFlood => {
            let flood =
                json!({"account": "fifth", "method": "contacts.resolveUsername", "seconds": 30, "times": 1});
            world.fault("flood_wait", flood).await;
            deed.ask("nobody", json!({"chat": "@nobody_at_all"})).await;
        }
    }
}

/// After the restart: callers ask again under their keys, and everything comes to its end.
async fn check(scenario: Scenario, deed: &Deed<'_>) {
    let Deed { world, program, point } = deed;
    // What was held on its way takes effect now.
    world.delete("/faults").await;
    match scenario {
        Scenario::Lane | Scenario::Flood | Scenario::LostAnswer => {
            for text in ["one", "two", "three"] {
                deed.finished(text, json!({}), "sent").await;
            }
            let (mut sent, texts) =
                (world.sent().await, ["one", "two", "three"].map(|text| deed.named(text)));
            if scenario == Scenario::Lane {
                // Asked for by three callers at once: which of them came first is theirs to say.
                sent.sort_by_key(|text| texts.iter().position(|one| one == text));
            }
            assert_eq!(sent, texts, "{point}: {}", program.output());
        }
        Scenario::NoChat | Scenario::Retry => {
            deed.finished("nowhere", nowhere(point), "failed").await;
            deed.assert_sent(&[]).await;
        }
        Scenario::Doubt | Scenario::Resolve => {
            let newest = async || program.get("/v1/messages").await.1["items"][0].clone();
            let message = newest().await;
            if message["state"] == "in_doubt" {
                act(program, format!("/v1/messages/{}/resolve", id(Some(&message))), json!({"as": "sent"}))
                    .await;
            }
            program
                .until("the doubt has ended", || async {
                    program.post("/v1/accounts/fifth/actions/restart", &json!({})).await;
                    newest().await["state"] == "sent"
                })
                .await;
            deed.assert_sent(&["maybe"]).await;
        }
        Scenario::Cancel => {
            let again = deed.ask("later", json!({"send_at": tomorrow()})).await;
            act(program, format!("/v1/messages/{}/cancel", id(again.as_ref())), json!({})).await;
            deed.assert_sent(&[]).await;
        }
        Scenario::Approve => {
            deed.decide("approve").await;
            deed.finished("draft", json!({"needs_approval": true}), "sent").await;
            deed.assert_sent(&["draft"]).await;
        }
        Scenario::Reject => {
            deed.decide("reject").await;
            deed.assert_sent(&[]).await;
        }
        // That the caller is answered was handed over; whether it is on the disk is unknown: the same body again may
        // be another message.
        Scenario::OldPort if *point == "store.answered.after" => deed.assert_sent(&["old"]).await,
        Scenario::OldPort | Scenario::HungUp => {
            let port = world.legacy_port(5022);
            let (status, answer) = program.legacy(port, "/send_text", &deed.of_old_port()).await;
            assert_eq!((status, &answer["status"]), (200, &json!("ok")), "{point}: {answer}");
            deed.assert_sent(&["old"]).await;
        }
        Scenario::Allowed => {
            deed.finished("allowed", json!({}), "sent").await;
            deed.assert_sent(&["allowed"]).await;
        }
        Scenario::Pause
        | Scenario::TakenOut
        | Scenario::Restart
        | Scenario::Received
        | Scenario::PassedOver
        | Scenario::Missed
        | Scenario::LookUpFlood
        | Scenario::Keys => {
            program.post("/v1/accounts/fifth/actions/resume", &json!({})).await;
            program.account_is("main", "ready").await;
            deed.finished("after", json!({"account": "main"}), "sent").await;
            deed.assert_sent(&["after"]).await;
        }
    }
}

/// Points with the same answer share a program.
pub(super) fn sharing(point: &str) -> String {
    match scenario(point) {
        scenario if scenario.leaves_nothing() => String::new(),
        // The sender is known afterwards.
        Scenario::Received => point.to_owned(),
        scenario => format!("{scenario:?}"),
    }
}

/// Kills at points of messages that share a program.
pub(super) async fn kill_at_each(lives: &mut Lives, points: &[String]) {
    for point in points {
        kill_at(lives, point, scenario(point)).await;
    }
}

async fn kill_at(lives: &mut Lives, point: &str, scenario: Scenario) {
    lives.clear().await;
    if !scenario.leaves_nothing() {
        lives.forget().await;
    }
    if scenario == Scenario::PassedOver {
        let (name, keeps) = ("name = \"fifth\"\n", "keep_messages = \"none\"\n");
        lives.world.edit_settings(|text| text.replace(keeps, "").replace(name, &format!("{name}{keeps}")));
    }
    if scenario == Scenario::Restart {
        // A session is stored at its first connection, which must come after the point was armed.
        lives.world.fault("disconnect_before", json!({"account": "fifth"})).await;
    }
    lives.start().await;
    let deed = Deed { world: &lives.world, program: lives.program(), point };
    let program = deed.program;
    if scenario != Scenario::Restart {
        program.account_is("fifth", "ready").await;
    }
    if matches!(scenario, Scenario::OldPort | Scenario::HungUp) {
        program.account_is("main", "ready").await;
    }
    if scenario != Scenario::Resolve {
        program.arm(point, 0).await;
    }
    play(scenario, &deed).await;
    let stops = super::stopped(program, point);
    match scenario {
        // The one connects again by itself, the other once it is asked whether it is there.
        Scenario::Restart | Scenario::Missed => program.as_time_goes_by(Duration::from_secs(1), stops).await,
        _ => stops.await,
    }
    lives.killed().await;
    check(scenario, &Deed { world: &lives.world, program: lives.program(), point }).await;
    if scenario == Scenario::TakenOut {
        let path = format!("/telegram/chats/{}/members", lives.world.chat_titled("Demo supergroup").await);
        lives.world.post(&path, &json!({"account": "backup_1"})).await;
    }
    lives.world.assert_nothing_unknown().await;
}
