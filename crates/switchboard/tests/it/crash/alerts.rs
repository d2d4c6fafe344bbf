//! Killed while someone is notified, or while it is decided who is: a notice is sent until received, and is never another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use alerts::{Alerts, AlertsParts, Card, Probe, ProbeResult, Round, TargetView};
use ambient::{Chance, Clock, Ids};
use config::Settings;
use delivery::{Ambient, Delivery, Senders};
use outbound::{AllowList, Allowed};
use serde_json::Value;
use testkit::{Program, Receiver, killed_at};

use super::{Lives, StoreAt, answered, stopped, tiers};

/// How each write is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// An account is broken, and the webhook answers so.
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

fn request(program: &Program, (method, path, body): (&str, &str, &'static str)) -> reqwest::RequestBuilder {
    program.request(method, path).header("content-type", "application/json").body(body)
}

/// All that the API shows of it.
async fn shown(program: &Program) -> String {
    let mut all = String::new();
    for path in ["/v1/alert-targets", "/v1/mutes", "/v1/maintenance"] {
        all.push_str(&program.get(path).await.1.to_string());
    }
    all
}

/// Calls share a program.
pub(super) fn sharing(point: &str) -> String {
    match scenario(super::write(point)) {
        Some(Scenario::Call { .. }) => String::new(),
        _ => point.to_owned(),
    }
}

pub(super) async fn kill_at_each(lives: &mut Lives, points: &[String]) {
    let receiver = Arc::new(Receiver::start().await);
    let target =
        format!("[[alerts.targets]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"{}\"", receiver.address());
    lives.world.edit_settings(|text| format!("{text}\n{target}\n"));
    for point in points {
        match scenario(super::write(point)).expect("one of alerts") {
            Scenario::Call { before, call, trace } => killed_call(lives, point, before, call, trace).await,
            Scenario::Broken(status) => {
                receiver.answer(status);
                killed_notice(lives, point, &receiver, Duration::ZERO).await;
            }
            Scenario::Week => {
                receiver.answer(500);
                killed_notice(lives, point, &receiver, Duration::from_hours(8 * 24)).await;
            }
        }
    }
}

async fn killed_call(lives: &mut Lives, point: &str, before: Option<Step>, call: Step, trace: &str) {
    lives.start().await;
    let program = lives.program();
    let made = match before {
        Some(step) => answered(program, request(program, step)).await.unwrap_or_default(),
        None => Value::Null,
    };
    program.arm(point, 0).await;
    let (method, path, body) = call;
    let path = path.replace("{id}", made["id"].as_str().unwrap_or_default());
    tokio::join!(answered(program, request(program, (method, &path, body))), stopped(program, point));
    lives.killed().await;
    let program = lives.program();
    let written = point.rsplit('.').next() == Some("after");
    let removes = method == "DELETE";
    let shown = shown(program).await;
    assert_eq!(shown.contains(trace), written != removes, "{point}: {shown}");
    // The next one makes it again.
    program.delete("/v1/alert-targets/owner").await;
    program.delete("/v1/mutes/store").await;
    let windows = program.get("/v1/maintenance").await.1["items"].clone();
    for window in windows.as_array().into_iter().flatten() {
        program.delete(&format!("/v1/maintenance/{}", window["id"].as_str().expect("an id"))).await;
    }
}

/// The alerts over the store of a world, which hear that an account is broken.
async fn broken(store: StoreAt, settings: Arc<Settings>) -> (Alerts, Clock) {
    let clock = Clock::system();
    let (store, ids) = (store.open(clock.clone()).await, Ids::new(clock.clone()));
    let ambient = Ambient { clock: clock.clone(), ids: ids.clone(), chance: Chance::from_seed(1) };
    let no_one = Senders::join(Vec::new()).expect("no names");
    let alerts = Alerts::start(AlertsParts {
        delivery: Delivery::new(store.clone(), no_one, ambient, delivery::Limits::default()),
        store,
        clock: clock.clone(),
        ids,
        settings: &settings.alerts,
        allowed: Allowed::new(AllowList::Events, Vec::new()),
        server: "demo".to_owned(),
    });
    let alerts = alerts.await.expect("they start");
    for _ in 0..3 {
        let (id, kind, name) = ("account:main".into(), "account".into(), "main".to_owned());
        let result = ProbeResult::Red { reason: "no_answer".to_owned(), detail: None };
        let card = Card { id, kind, name, parent: None };
        alerts.observe(Round { probes: vec![Probe { card, result }] });
    }
    (alerts, clock)
}

/// Lets time go by until it is so.
async fn passes(clock: &Clock, mut is_over: impl AsyncFnMut() -> bool) {
    while !is_over().await {
        clock.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Kills the alerts while the webhook is notified, once it was tried for so long; then they come to their end.
async fn killed_notice(lives: &Lives, point: &str, receiver: &Arc<Receiver>, tried: Duration) {
    let settings = Settings::load(Some(&lives.world.settings_file()), []).expect("settings");
    let settings = Arc::new(settings);
    let (store, settings_now, heard) =
        (StoreAt::of(&lives.world), Arc::clone(&settings), Arc::clone(receiver));
    killed_at(tiers::named(point), async move || {
        let (_alerts, clock) = broken(store, settings_now).await;
        if !tried.is_zero() {
            passes(&clock, async || !heard.bodies().is_empty()).await;
            clock.advance(tried);
        }
        passes(&clock, async || false).await;
    })
    .await;
    let is_unwanted = super::write(point) == "store.alert_target_off";
    if !is_unwanted {
        receiver.answer(200);
    }
    let (store, point, receiver) = (StoreAt::of(&lives.world), point.to_owned(), Arc::clone(receiver));
    testkit::run(async move || {
        let (alerts, clock) = broken(store, settings).await;
        let target = async || -> TargetView { alerts.targets().await.expect("targets").remove(0) };
        if is_unwanted {
            return passes(&clock, async || target().await.off_at.is_some()).await;
        }
        let is_once = tried.is_zero();
        passes(&clock, async || !is_once || !notices(&receiver).is_empty()).await;
        passes(&clock, async || target().await.waiting == 0).await;
        let mut rest = 0..20;
        passes(&clock, async || rest.next().is_none()).await;
        assert!(!is_once || notices(&receiver).len() == 1, "{point}: {:?}", receiver.bodies());
    })
    .await;
}

/// The notices that the webhook has of the account, each once.
fn notices(receiver: &Receiver) -> BTreeSet<String> {
    let bodies = receiver.bodies().into_iter();
    let of_account = bodies.filter(|body| body["data"]["raised"].to_string().contains("\"account:main\""));
    of_account.filter_map(|body| body["data"]["notice"].as_str().map(str::to_owned)).collect()
}
