//! How soon a fault is seen, by the program's own clock: a card that is red became so within a minute of what made it so,
//! however slow the machine is that looks at it.

use domain::Timestamp;
use serde_json::Value;

use crate::stage::Stage;

/// The longest that a fault may stay unseen, in microseconds.
const MOST: i64 = 60_000_000;

/// An instant, and the card's own notes of it, are written down one after the other.
const AT_ONCE: i64 = 1_000_000;

/// The time by the program's clock: just before a fault.
pub(crate) async fn before_a_fault(stage: &Stage) -> Timestamp {
    stage.program.now().await.parse().expect("an instant")
}

fn instant(value: &Value) -> i64 {
    value.as_str().expect("an instant").parse::<Timestamp>().expect("an instant").as_micros()
}

/// The card is red, and has been since a minute after the fault at the latest; its strip has a minute that failed by then.
pub(crate) async fn was_red_in_time(stage: &Stage, card: &str, fault: Timestamp) {
    let (status, reply) = stage.program.get(&format!("/v1/cards/{card}")).await;
    assert_eq!((status, &reply["lamp"]), (200, &Value::from("trouble")), "{card}: {reply}");
    let fault = fault.as_micros();
    let late = instant(&reply["since"]) - fault;
    assert!((-AT_ONCE..=MOST).contains(&late), "{card} is red {late} µs after its fault: {reply}");
    // The minute in which it failed may have begun before the fault did.
    let begun = fault - fault.rem_euclid(MOST);
    let mut strip = reply["strip"].as_array().expect("minutes").iter();
    let failed = strip.find(|minute| minute["answer"] == "failed" && instant(&minute["at"]) >= begun);
    let failed = failed.unwrap_or_else(|| panic!("no minute of {card} failed: {reply}"));
    assert!(instant(&failed["at"]) <= fault + MOST, "{card} failed first at {}", failed["at"]);
}
