//! What an installation knows beside its messages goes on where it moves: flows and their runs, counts and cooldowns; timers, waits
//! that Telegram asked for, and what an account has sent within its limits.

use std::time::{Duration, Instant};

use ambient::Clock;
use serde_json::{Value, json};
use testkit::World;

use super::{LONG, Sides, fine};
use crate::binary;
use crate::flows::{PRESS, offers};

/// Of the settings: one run a day.
const RARE: &str = r#"
[[flows]]
name = "rare"
account = "fifth"
watch = "@demo_bot_1"
trigger = { text = "Rare trip" }
limits = { cooldown = "1d" }
steps = [{ press = { text = "Rare" } }]
"#;

/// Written while the program runs: it stops after two runs.
const TWICE: &str = r#"
[[flows]]
name = "twice"
account = "fifth"
watch = "@demo_bot_1"
trigger = { text = "New trip" }
limits = { stop_after = 2 }
steps = [{ press = { text = "Book" } }]
"#;

/// Stopped by a person before the move.
const STOPPED: &str = r#"
[[flows]]
name = "stopped"
account = "fifth"
watch = "@demo_bot_1"
trigger = { text = "trip" }
steps = [{ press = { text = "Never" } }]
"#;

/// It waits for its second button when the old side stops.
const HALFWAY: &str = r#"
[[flows]]
name = "halfway"
account = "fifth"
watch = "@demo_bot_1"
trigger = { text = "Long trip" }
steps = [{ press = { text = "Begin" } }, { press = { text = "End" }, within = "1h" }]
"#;

/// What a side has of what was planned, counted and waited for.
#[derive(Debug, PartialEq)]
struct Snapshot {
    later: Value,
    floods: Value,
    sent: Value,
}

impl Sides {
    async fn until(&self, side: &str, path: &str, what: &str, so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.get(side, path).await.unwrap_or_default();
            if so(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < LONG, "in vain: {what}: {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn flow_is(&self, side: &str, flow: &str, state: &str, done: u64) {
        let path = format!("/v1/flows/{flow}");
        let is = |view: &Value| view["accounts"][0]["state"] == state && view["accounts"][0]["done"] == done;
        self.until(side, &path, &format!("{flow} is {state} after {done} runs"), is).await;
    }

    /// Until the account of the flows hears what is written to it.
    async fn hears(&self, side: &str) {
        let begun = Instant::now();
        loop {
            let early = json!({"from": "@client_1", "chat": "@demo_fifth", "text": "early"});
            self.world.post("/telegram/messages", &early).await;
            let account = self.get(side, "/v1/accounts/fifth").await.unwrap_or_default();
            if account["updates"]["received"].as_u64().is_some_and(|count| count > 0) {
                return;
            }
            assert!(begun.elapsed() < LONG, "{side} does not hear: {account}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn snapshot(&self, side: &str, later: &str) -> Snapshot {
        let later = self.get(side, &format!("/v1/messages/{later}")).await.expect("a message");
        let flooded = self.get(side, "/v1/accounts/backup_1").await.expect("an account");
        let limited = self.get(side, "/v1/accounts/backup_2").await.expect("an account");
        Snapshot {
            later: json!([later["state"], later["send_at"]]),
            floods: flooded["floods"].clone(),
            sent: json!([limited["limits"]["messages_per_hour"], limited["limits"]["sent_last_hour"]]),
        }
    }

    async fn sends(&self, account: &str, chat: &str, more: Value) -> Value {
        let mut order = json!({ "chat": chat, "text": format!("by {account}"), "account": account });
        order.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.post("old", "/v1/messages", &order).await.expect("an answer")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_timers_floods_and_limits_go_on_where_it_moves() {
    let world = World::start(binary()).await;
    world.edit_settings(|text| {
        let name = "name = \"backup_2\"\n";
        let limited = format!("{name}messages_per_hour = 5\n");
        format!("{}\n{RARE}{STOPPED}{HALFWAY}", text.replace(name, &limited))
    });
    let sides = Sides::begin_in(world).await;
    let program = sides.program.as_ref().expect("it runs");
    let request = program.request("PUT", "/v1/flow-definitions/twice");
    let kept = request.json(&json!({ "text": TWICE })).send().await.expect("an answer");
    assert_eq!(kept.status(), 200);
    program.post("/v1/flows/stopped/stop", &json!({})).await;
    for flow in ["rare", "twice", "halfway"] {
        sides.flow_is("old", flow, "watching", 0).await;
    }
    sides.hears("old").await;
    offers(&sides.world, "Rare trip", &["Rare"]).await;
    sides.flow_is("old", "rare", "watching", 1).await;
    offers(&sides.world, "New trip", &["Book"]).await;
    sides.flow_is("old", "twice", "watching", 1).await;
    offers(&sides.world, "Long trip", &["Begin"]).await;
    sides.flow_is("old", "halfway", "running", 0).await;
    let before_the_move = 3;
    program.until("all are pressed", || async { sides.world.calls(PRESS).await == before_the_move }).await;

    let tomorrow = Clock::system().now().plus(Duration::from_hours(24));
    let later = sides.sends("backup_3", "@client_2", json!({ "send_at": tomorrow.to_string() })).await;
    let later = later["id"].as_str().expect("an id").to_owned();
    assert_eq!(sides.sends("backup_2", "@client_2", json!({ "wait": 60 })).await["state"], "sent");
    let flood =
        json!({ "account": "backup_1", "method": "messages.sendMessage", "seconds": 7200, "times": 1 });
    sides.world.fault("flood_wait", flood).await;
    let held = sides.sends("backup_1", "@client_2", json!({ "wait": 0, "on_flood": "fail" })).await;
    assert!(held["id"].is_string(), "{held}");
    let is_flooded = |account: &Value| account["floods"].as_array().is_some_and(|floods| !floods.is_empty());
    sides.until("old", "/v1/accounts/backup_1", "it has to wait", is_flooded).await;
    let before = sides.snapshot("old", &later).await;
    assert_eq!((&before.later[0], &before.sent), (&json!("scheduled"), &json!([5, 1])), "{before:?}");

    let moved = fine(sides.run().beside().await);
    let pressed = moved["journal"]["records"]["validate"]["facts"]["pressed"].clone();
    let pressed: Vec<_> = pressed
        .as_array()
        .expect("flows")
        .iter()
        .map(|one| (one["flow"].as_str().unwrap_or_default(), one["presses"]["new"].clone()))
        .collect();
    let expected = [("halfway", 2), ("rare", 1), ("stopped", 1), ("twice", 1)];
    assert_eq!(pressed, expected.map(|(flow, count)| (flow, json!(count))), "in a simulation");
    let measures = moved["journal"]["records"]["compare"]["facts"]["measures"].clone();
    let facts_of = |what: &str| {
        let row = measures.as_array().into_iter().flatten().find(|row| row["what"] == what);
        row.map(|row| [&row["old"], &row["new"]].map(Value::as_u64)).unwrap_or_default()
    };
    assert!(facts_of("from an update to a press").iter().all(|took| *took > Some(0)), "{measures}");
    let sends = facts_of("messages sent a minute, over the last hour");
    assert!(sends.iter().all(Option::is_some), "{measures}");
    sides.is_served_by("new").await;
    assert_eq!(sides.snapshot("new", &later).await, before);
    sides.flow_is("new", "rare", "watching", 1).await;
    sides.flow_is("new", "twice", "watching", 1).await;
    sides.flow_is("new", "stopped", "stopped", 0).await;
    let runs = sides.get("new", "/v1/flow-runs").await.expect("runs");
    let mut runs: Vec<_> = runs["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|run| [&run["flow"], &run["state"]].map(|word| word.as_str().unwrap_or_default().to_owned()))
        .collect();
    runs.sort();
    assert_eq!(runs, [["halfway", "cut"], ["rare", "done"], ["twice", "done"]]);
    assert_eq!(sides.world.calls(PRESS).await, before_the_move, "nothing is pressed by a move");

    sides.hears("new").await;
    offers(&sides.world, "Rare trip", &["Rare"]).await;
    let cooled = |view: &Value| view["accounts"][0]["skipped"]["cooldown"] == 1;
    sides.until("new", "/v1/flows/rare", "it cools down", cooled).await;
    offers(&sides.world, "New trip", &["Book"]).await;
    sides.flow_is("new", "twice", "stopped", 2).await;
    assert_eq!(sides.world.calls(PRESS).await, before_the_move + 1);
}
