//! Killed while someone is notified, or while it is decided who is: a notice is sent until received, and is never another.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Receiver, Start};

use crate::binary;
use crate::postgres::world;

/// How each write is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// An account is lost, and the webhook answers so.
    Broken(u16),
    /// The same, and the webhook takes nothing for eight days.
    Week,
    /// A call of the API; what was called before; where its trace is then looked for.
    Call { before: Option<Step>, call: Step, trace: &'static str },
}

/// A method, a path, a body.
type Step = (&'static str, &'static str, &'static str);

const MUTE: Step = ("POST", "/v1/mutes", r#"{"card":"store","minutes":60}"#);
const TARGET: Step =
    ("POST", "/v1/alert-targets", r#"{"name":"owner","kind":"telegram","chat":"@client_1"}"#);
const WINDOW: Step =
    ("POST", "/v1/maintenance", r#"{"days":["sun"],"start":"02:00","minutes":60,"note":"the window"}"#);

pub(super) fn scenario(write: &str) -> Option<Scenario> {
    let call = |before, call, trace| Scenario::Call { before, call, trace };
    Some(match write {
        "store.save_alerts" | "store.alert_delivered" => Scenario::Broken(200),
        "store.alert_put_off" => Scenario::Broken(500),
        "store.alert_target_off" => Scenario::Broken(410),
        "store.alert_given_up" => Scenario::Week,
        "store.alert_notified" => {
            call(None, ("POST", "/v1/alert-targets/hook/test", "{}"), "\"notified_at\":\"2")
        }
        "store.add_alert_target" => call(None, TARGET, "\"owner\""),
        "store.remove_alert_target" => {
            call(Some(TARGET), ("DELETE", "/v1/alert-targets/owner", ""), "\"owner\"")
        }
        "store.save_alert_mute" => call(None, MUTE, "\"store\""),
        "store.forget_alert_mute" => call(Some(MUTE), ("DELETE", "/v1/mutes/store", ""), "\"store\""),
        "store.add_maintenance" => call(None, WINDOW, "the window"),
        // Its id is known once it is made.
        "store.remove_maintenance" => {
            call(Some(WINDOW), ("DELETE", "/v1/maintenance/{id}", ""), "the window")
        }
        _ => return None,
    })
}

async fn ask(program: &Program, (method, path, body): Step) -> Value {
    let request = program.request(method, path).header("content-type", "application/json");
    let answer = request.body(body).send().await.expect("an answer");
    assert!(answer.status().is_success(), "{method} {path}: {}", answer.status());
    answer.json().await.unwrap_or_default()
}

/// All that the API shows of it.
async fn shown(program: &Program) -> String {
    let mut all = String::new();
    for path in ["/v1/alert-targets", "/v1/mutes", "/v1/maintenance"] {
        all.push_str(&program.get(path).await.1.to_string());
    }
    all
}

pub(super) async fn kill_at(scenario: Scenario, point: &str) {
    let world = world().await;
    let receiver = Receiver::start().await;
    let target =
        format!("[[alerts.targets]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"", receiver.address());
    world.edit_settings(|text| format!("{text}\n{target}\n"));
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    match scenario {
        Scenario::Call { before, call, trace } => {
            let made = match before {
                Some(step) => ask(&program, step).await,
                None => Value::Null,
            };
            program.arm(point, 0).await;
            let (method, path, body) = call;
            let path = path.replace("{id}", made["id"].as_str().unwrap_or_default());
            let request =
                program.request(method, &path).header("content-type", "application/json").body(body);
            // It is killed before there is an answer.
            let asking = tokio::spawn(request.send());
            stop_and_kill(&mut program, point, Duration::ZERO).await;
            drop(asking.await);
            let program = Start::on(&world, binary(), "data").ready().await;
            let written = point.rsplit('.').next() == Some("after");
            let removes = method == "DELETE";
            assert_eq!(shown(&program).await.contains(trace), written != removes, "{point}");
        }
        Scenario::Broken(status) => {
            receiver.answer(status);
            program.arm(point, 0).await;
            world.fault("session_revoked", json!({ "account": "main" })).await;
            stop_and_kill(&mut program, point, Duration::from_secs(5)).await;
            let program = Start::on(&world, binary(), "data").ready().await;
            if status == 410 {
                settles(&program, "the target is off", |target| target["off_at"].is_string()).await;
            } else {
                receiver.answer(200);
                is_sent_once(&program, &receiver, point).await;
            }
        }
        Scenario::Week => {
            receiver.answer(500);
            world.fault("session_revoked", json!({ "account": "main" })).await;
            program
                .until("it was tried", || async {
                    program.advance(Duration::from_secs(5)).await;
                    !receiver.bodies().is_empty()
                })
                .await;
            program.arm(point, 0).await;
            program.advance(Duration::from_hours(8 * 24)).await;
            stop_and_kill(&mut program, point, Duration::from_secs(5)).await;
            // A new process has the time of day: what was given up stays so, what was not is no week old.
            receiver.answer(200);
            let program = Start::on(&world, binary(), "data").ready().await;
            settles(&program, "nothing waits", |target| target["waiting"] == 0).await;
        }
    }
    world.assert_nothing_unknown().await;
}

async fn stop_and_kill(program: &mut Program, point: &str, step: Duration) {
    let what = format!("{point} stops the program");
    program
        .until(&what, || async {
            if !step.is_zero() && !program.stopped_at(point).await {
                program.advance(step).await;
            }
            program.stopped_at(point).await
        })
        .await;
    program.kill();
}

/// The alert is sent, and by one notice, however often that was posted.
async fn is_sent_once(program: &Program, receiver: &Receiver, point: &str) {
    let notices = || -> BTreeSet<String> {
        let bodies = receiver.bodies().into_iter();
        bodies
            .filter(|body| body["data"]["raised"].to_string().contains("\"account:main\""))
            .filter_map(|body| body["data"]["notice"].as_str().map(str::to_owned))
            .collect()
    };
    program
        .until("it is sent", || async {
            program.advance(Duration::from_secs(5)).await;
            !notices().is_empty()
        })
        .await;
    settles(program, "nothing waits", |target| target["waiting"] == 0).await;
    for _ in 0..5 {
        program.advance(Duration::from_secs(20)).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(notices().len(), 1, "{point}: {:?}", receiver.bodies());
}

/// Waits until the webhook is in this state.
async fn settles(program: &Program, what: &str, so: impl Fn(&Value) -> bool) {
    program
        .until(what, || async {
            program.advance(Duration::from_secs(5)).await;
            so(&program.get("/v1/alert-targets").await.1["items"][0])
        })
        .await;
}
