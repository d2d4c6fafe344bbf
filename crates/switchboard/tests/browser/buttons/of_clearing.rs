//! Clearing flood waits: the steps that the question shows while one runs, each with its time, until the last one is over.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{done, is_sound};
use crate::chromium::{PATIENCE, Tab};
use crate::live::sleeps;
use crate::stage::Stage;

/// Each step: whether it is the present one, the class of its lamp, its words, and the instants in it.
const STEPS: &str = "[...document.querySelectorAll('#ask ol.procedure li')].map((one) => [one.getAttribute('aria-current') === 'step',
  one.querySelector('.lamp').className, one.innerText.replace(/\\s+/g, ' ').trim(),
  [...one.querySelectorAll('time')].map((time) => time.getAttribute('datetime')).join(' ')])";

/// A step as the page shows it.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    is_present: bool,
    lamp: String,
    words: String,
    /// To the second, in seconds of the day, if it has a time.
    at: Option<String>,
}

async fn steps(tab: &Tab) -> Vec<Step> {
    let shown = tab.tell(STEPS).await;
    let step = |one: &Value| {
        let text = |at: usize| one[at].as_str().unwrap_or_default().to_owned();
        let at = Some(text(3)).filter(|at| !at.is_empty()).map(|at| second(&at));
        Step { is_present: one[0] == true, lamp: text(1), words: text(2), at }
    };
    shown.as_array().expect("steps").iter().map(step).collect()
}

/// An instant as far as its seconds.
fn second(instant: &str) -> String {
    instant.get(..19).expect("an instant").to_owned()
}

async fn clearing(stage: &Stage) -> Value {
    stage.program.get("/v1/flood-clearing").await.1
}

/// The account waits for an hour.
async fn flooded(stage: &Stage, name: &str) {
    let flood = json!({ "account": name, "method": "messages.sendMessage", "seconds": 3600 });
    stage.world.fault("flood_wait", flood).await;
    let order = json!({ "chat": "@client_1", "text": "It waits.", "account": name, "wait": 0 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 202);
    stage.program.account_is(name, "flood_wait").await;
}

/// Begins a clearing one way.
async fn begun(tab: &Tab, way: &str) {
    tab.open("/").await;
    tab.press(".page-head a[href='/flood-clearing']").await;
    tab.press(&format!("dialog input[value={way}]")).await;
    done(tab, "dialog button.primary").await;
    tab.until("document.querySelector('dialog[open] #ask progress') !== null").await;
}

/// What the API says of a clearing that stops everything, as steps.
async fn told(tab: &Tab, run: &Value, now: &str) -> Vec<Step> {
    let text = |field: &str| run[field].as_str().unwrap_or_default();
    let names = |field: &str| {
        let all = run[field].as_array().expect("names").iter();
        all.map(|one| one.as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let is_silent = run["phase"] == "silent";
    let ok = |words: &str, at: Option<String>| Step {
        is_present: false,
        lamp: "lamp ok".into(),
        words: words.into(),
        at,
    };
    let mut wanted = vec![
        ok("Services stopped; messages are kept", Some(second(text("started_at")))),
        ok("Five minutes of silence", None),
    ];
    if is_silent {
        wanted[1] = Step {
            is_present: true,
            lamp: "lamp busy".into(),
            words: "Five minutes of silence until".into(),
            at: Some(second(text("until"))),
        };
    }
    wanted.extend(names("done").iter().map(|name| ok(&format!("Start {name}"), None)));
    for (number, name) in names("waiting").iter().enumerate() {
        let is_present = !is_silent && number == 0;
        let later =
            format!("new Date(Date.parse({}) + {number} * 60000).toISOString()", json!(text("until")));
        wanted.push(Step {
            is_present,
            lamp: if is_present { "lamp busy" } else { "lamp" }.into(),
            words: format!("Start {name}"),
            at: Some(second(&tab.text(&later).await)),
        });
    }
    for step in &mut wanted {
        if let Some(at) = &step.at {
            step.words = format!("{} {}", step.words, read(at, now));
        }
    }
    wanted
}

/// An instant as it is read on a page of `now`: another day is named. The browser and the page are both in UTC.
fn read(instant: &str, now: &str) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let time = &instant[11..16];
    if instant[..10] == now[..10] {
        return time.to_owned();
    }
    let number = |text: &str| text.parse::<usize>().expect("a number");
    format!("{} {}, {time}", number(&instant[8..10]), MONTHS[number(&instant[5..7]) - 1])
}

/// The steps on the page become those of the API; the times of day that are read are those of the instants.
async fn agrees(stage: &Stage, tab: &Tab) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let wanted = told(tab, &clearing(stage).await, &stage.program.now().await).await;
        let shown = steps(tab).await;
        if shown == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{shown:#?} instead of {wanted:#?}");
        sleep(Duration::from_millis(25)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_steps_of_a_clearing_are_shown_with_their_times_until_the_last() {
    let stage = Stage::start().await;
    flooded(&stage, "main").await;
    let tab = stage.tab().await;
    begun(&tab, "stop_all").await;
    let silent = || async { clearing(&stage).await["phase"] == "silent" };
    stage.program.until("it is silent", silent).await;
    sleeps(&tab, 10).await;
    agrees(&stage, &tab).await;
    let all = clearing(&stage).await["waiting"].as_array().expect("services").len();
    assert!(all > 2, "services wait");

    // The silence ends; the services are started one after the other, and the page follows.
    for number in 1..all {
        let so_far = async {
            stage
                .program
                .until("the next is started", || async {
                    clearing(&stage).await["done"].as_array().is_some_and(|done| done.len() == number)
                })
                .await;
        };
        stage.program.as_time_goes_by(Duration::from_secs(2), so_far).await;
        sleeps(&tab, 10).await;
        let shown = "[...document.querySelectorAll('#ask ol.procedure li')].slice(2).filter((one) => one.querySelector('.lamp.ok')).length";
        tab.until(&format!("{shown} === {number}")).await;
        agrees(&stage, &tab).await;
    }
    let over = async {
        stage.program.until("it is over", || async { clearing(&stage).await["running"] == false }).await;
    };
    stage.program.as_time_goes_by(Duration::from_secs(2), over).await;
    sleeps(&tab, 10).await;
    tab.until("document.querySelector('#ask progress') === null && document.querySelector('#ask input[value=stop_all]') !== null").await;
    let (_, services) = stage.program.get("/v1/services").await;
    assert!(
        services["items"].as_array().expect("items").iter().all(|one| one["state"] == "active"),
        "{services}"
    );
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gentle_way_shows_who_is_paused_until_when_above_the_cards_too() {
    let stage = Stage::start().await;
    flooded(&stage, "main").await;
    flooded(&stage, "fifth").await;
    let tab = stage.tab().await;
    begun(&tab, "pause_flooded").await;
    let run = clearing(&stage).await;
    let accounts = run["accounts"].as_array().expect("accounts").clone();
    assert_eq!(accounts.len(), 2, "{run}");
    let shown = steps(&tab).await;
    for (shown, account) in shown.iter().zip(&accounts) {
        let (name, until) =
            (account["account"].as_str().expect("a name"), account["until"].as_str().expect("an instant"));
        let words = format!("{name}: Paused until the deadline {}", read(until, &stage.program.now().await));
        let wanted = Step { is_present: true, lamp: "lamp busy".into(), words, at: Some(second(until)) };
        assert_eq!(*shown, wanted);
    }
    assert_eq!(shown.len(), 2);
    // Closed, it goes on, and stands above the cards with a way back to it.
    tab.press("dialog [data-close]").await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    assert_eq!(clearing(&stage).await["running"], true);
    tab.open("/").await;
    tab.press("#alerts .alert.wait a[href='/flood-clearing']").await;
    tab.until("document.querySelector('dialog[open] #ask progress') !== null").await;
    assert_eq!(steps(&tab).await, shown);
    done(&tab, "#ask form[action$=cancel] button").await;
    assert_eq!(clearing(&stage).await["running"], false);
    is_sound(&tab);
}
