//! `/v1/doctor`: who may ask, what is reported, and that asking again at once costs nothing.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Call;
use crate::world::World;

fn section<'a>(report: &'a Value, area: &str) -> &'a Value {
    let sections = report["sections"].as_array().expect("sections");
    sections.iter().find(|section| section["area"] == area).unwrap_or_else(|| panic!("no {area}: {report:#}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permitted_caller_gets_a_report_of_this_server() {
    let world = World::new().await;
    let (reader, sender) = (world.make_key(&["read"]).await, world.make_key(&["send"]).await);
    let ask = |path: &str, key: &str| Call::new(&world.main(), "GET", path).key(key);
    let refused = ask("/v1/doctor", &sender).send().await;
    refused.problem(403, "forbidden_scope");
    let wrong = ask("/v1/doctor?facts=perhaps", &reader).send().await;
    wrong.problem(422, "invalid_request");

    let answer = ask("/v1/doctor", &reader).send().await;
    let report = answer.json();
    assert_eq!(answer.status, 200, "{report:#}");
    assert_eq!(report["server"]["pid"], json!(std::process::id()));
    assert_eq!(section(&report, "accounts")["findings"][0]["code"], "no_account");
    assert_eq!(section(&report, "store")["looked"], "wholly");
    assert_eq!(report.get("inside"), None);
    let listener = &section(&report, "ports")["facts"][0];
    assert!(listener["value"].as_str().is_some_and(|how| how.contains("answered")), "{listener}");

    let again = ask("/v1/doctor?facts=true", &reader).send().await.json();
    assert_eq!(again["made_at"], report["made_at"], "it is the same report");
    assert_eq!(again["inside"]["server"]["settings"], "made-up");
    world.clock.advance(Duration::from_secs(6));
    let later = ask("/v1/doctor", &reader).send().await.json();
    assert_ne!(later["made_at"], report["made_at"]);
}
