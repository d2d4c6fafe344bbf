//! The last errors by their kind: beside a server, by the server itself, after it, and where nothing is kept.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::{MACHINE, closed_world, doctor, examined, finding, section, well, wrong};
use crate::binary;

/// What is reported of a kind of error, if anything is.
fn reported<'a>(report: &'a Value, kind: &str) -> Option<&'a Value> {
    section(report, "errors")["facts"].as_array().expect("facts").iter().find(|fact| fact["name"] == kind)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_errors_are_reported_by_kind_also_offline() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let mut program = well(&world).await;
    world.fault("flood_wait", json!({"method": "messages.sendMessage", "seconds": 5, "times": 1})).await;
    let words = "words of a person";
    let message = json!({"chat": "@client_1", "text": words, "wait": 0});
    assert_eq!(program.post("/v1/messages", &message).await.0, 202);
    let mut report = Value::Null;
    for _ in 0..100 {
        report = examined(&world, &["--offline"]).await.1;
        if reported(&report, "flood_wait").is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let flood = reported(&report, "flood_wait").unwrap_or_else(|| panic!("no flood: {report:#}"));
    let value = flood["value"].as_str().expect("a text");
    assert!(
        value.starts_with("once within 7 d 0 h, last ") && value.contains("outcome=flood_wait"),
        "{value}"
    );
    assert!(!report.to_string().contains(words), "{report:#}");
    assert_eq!(wrong(&report), Vec::<&str>::new(), "what went wrong once is nothing to mend");

    // Its command shows the very lines.
    let command = flood["command"].as_str().expect("a command").to_owned();
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    let shown = Command::new(binary()).args(&arguments).output().expect("runs");
    let shown = String::from_utf8(shown.stdout).expect("UTF-8");
    assert!(shown.lines().count() == 1 && shown.contains("attempted"), "{command}: {shown}");

    // The server reports the same of itself, also to the dashboard.
    program.advance(Duration::from_secs(6)).await;
    let (_, own) = program.get("/v1/doctor").await;
    let same = reported(&own, "flood_wait").expect("the flood");
    assert_eq!(
        (&same["value"], section(&own, "errors")["looked"].as_str()),
        (&flood["value"], Some("wholly"))
    );
    assert_eq!(same["command"], "switchboard logs --level warn --error flood_wait");

    // And when no server runs.
    program.terminate().await;
    let (_, report) = examined(&world, &["--offline"]).await;
    assert_eq!(reported(&report, "flood_wait").map(|fact| &fact["value"]), Some(&json!(value)), "{report:#}");
    let (_, text, _) = doctor(&world, &["--offline"]).await;
    assert!(text.lines().any(|line| line.trim() == format!("$ {command}")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_not_examined_without_log_lines() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let (_, report) = examined(&world, &["--offline"]).await;
    let errors = section(&report, "errors");
    assert_eq!((&errors["looked"], &errors["facts"]), (&json!("not"), &json!([])), "{errors:#}");
    assert!(errors["unseen"][0].as_str().is_some_and(|why| why.starts_with("no log lines are kept in ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn untrusted_proxy_names_the_setting_that_fixes_it() {
    let _machine = MACHINE.read().await;
    let world = closed_world().await;
    let program = well(&world).await;
    for address in ["203.0.113.77", "203.0.113.78"] {
        let response = program.request("GET", "/v1/accounts").header("x-forwarded-for", address).send().await;
        assert_eq!(response.expect("an answer").status(), 200);
    }
    let (code, report) = examined(&world, &["--offline"]).await;
    assert_eq!((code, wrong(&report)), (Some(1), vec!["proxy_untrusted"]), "{report:#}");
    let untrusted = finding(&report, "proxy_untrusted");
    assert_eq!(
        (&untrusted["fix"]["kind"], &untrusted["fix"]["key"]),
        (&json!("setting"), &json!("trusted_proxies"))
    );
    assert!(
        untrusted["evidence"][0].as_str().is_some_and(|line| line.starts_with("2 requests")),
        "{untrusted:#}"
    );
    assert!(!report.to_string().contains("203.0.113"), "no address is kept");
}
