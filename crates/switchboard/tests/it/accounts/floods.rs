//! Telegram's waits while someone signs in: for how long, in which words, and nothing is asked before they are over.

use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::Program;

use super::stage::{NAME, Stage};
use crate::shell::cli::Ran;

const LOGIN: &str = "/v1/accounts/fifth/login";

/// What Telegram says where too many codes or passwords were asked for, without a length.
async fn phone_password_flood(stage: &Stage) {
    let fault =
        json!({ "method": "auth.sendCode", "code": 406, "message": "PHONE_PASSWORD_FLOOD", "times": 1 });
    stage.world.fault("rpc_error", fault).await;
}

/// A refusal that says until when to wait: the words, and the instant in them. The head says the same in seconds.
async fn refused_with_wait(
    program: &Program,
    path: &str,
    body: &Value,
    seconds: std::ops::RangeInclusive<u64>,
) -> String {
    let request = program.request("POST", path).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 429, "{path}");
    let after: u64 = answer.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!(seconds.contains(&after), "{after} s");
    let problem: Value = answer.json().await.expect("JSON");
    assert_eq!(problem["code"], "flood_wait", "{problem}");
    let detail = problem["detail"].as_str().expect("words");
    let instant = detail.split_once("before ").map(|(_, rest)| rest[..24].trim_end_matches(['.', ' ']));
    instant.unwrap_or_else(|| panic!("no instant: {detail}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_codes_sent_again_leave_the_one_that_is_good() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    assert_eq!(program.post(LOGIN, &json!({ "by": "phone" })).await.0, 200);
    program.advance(Duration::from_mins(3)).await;
    let flood = json!({ "method": "auth.resendCode", "seconds": 90, "times": 1 });
    stage.world.fault("flood_wait", flood.clone()).await;
    let resend = format!("{LOGIN}/resend");
    refused_with_wait(&program, &resend, &Value::Null, 60..=90).await;
    assert_eq!(stage.world.calls("auth.resendCode").await, 1);
    refused_with_wait(&program, &resend, &Value::Null, 60..=90).await;
    assert_eq!(stage.world.calls("auth.resendCode").await, 1, "no one asks before its time");
    let (_, login) = program.get(LOGIN).await;
    assert_eq!((&login["state"], &login["sent_by"]), (&json!("code_wanted"), &json!("app")), "{login}");
    assert!(login["resend_at"].as_str() > Some(&program.now().await), "{login}");

    // A person at the terminal, and a program: the wait is reported, and the code that was sent is still taken.
    let mut signing = stage.cli(&["login", NAME]).pty();
    signing.shows("Code:", 1).await;
    signing.types("");
    signing.shows("Telegram wants nothing of it before 20", 1).await;
    signing.shows("Code:", 2).await;
    signing.kill();
    let mut signing = stage.cli(&["login", NAME, "--json"]).spawn();
    let mut input = signing.stdin.take().expect("piped");
    let lines = [json!({ "resend": true }), json!({ "code": stage.code().await })];
    for line in lines {
        writeln!(input, "{line}").expect("writes");
    }
    drop(input);
    let Ran { code: exit, out: output, err: errors, .. } = Ran::of(signing);
    let reports: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [first, refused, done] = reports.as_slice() else { panic!("{output}{errors}") };
    assert_eq!(
        (&first["state"], &done["state"], exit),
        (&json!("code_wanted"), &json!("done"), Some(0)),
        "{output}"
    );
    assert_eq!((&refused["error"]["code"], &first["resend_at"]), (&json!("flood_wait"), &login["resend_at"]));
    assert_eq!(stage.world.calls("auth.resendCode").await, 1);
    program.account_is(NAME, "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_without_a_time_waits_an_hour() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    phone_password_flood(&stage).await;
    let by_phone = json!({ "by": "phone" });
    let until = refused_with_wait(&program, LOGIN, &by_phone, 3_500..=3_600).await;
    let (_, login) = program.get(LOGIN).await;
    assert_eq!((&login["state"], &login["code"]), (&json!("failed"), &json!("flood_wait")), "{login}");
    assert!(login["until"].as_str().is_some_and(|text| text.starts_with(&until[..19])), "{until}: {login}");
    assert!(login["detail"].as_str().is_some_and(|text| text.contains("PHONE_PASSWORD_FLOOD")), "{login}");

    // Over pipes, with bare lines, at the terminal and by lines of JSON: its end is reported, and Telegram is not asked again.
    for arguments in [&["login", NAME, "--code-stdin"][..], &["login", NAME, "--code-stdin", "--restart"]] {
        let Ran { code: exit, out: output, err: errors, .. } = stage.cli(arguments).run();
        assert_eq!((exit, output.as_str()), (Some(1), ""), "{errors}");
        assert!(errors.contains(&until) && errors.contains("PHONE_PASSWORD_FLOOD"), "{until}: {errors}");
        assert!(errors.contains("ait until then"), "{errors}");
    }
    let mut signing = stage.cli(&["login", NAME]).pty();
    assert_eq!(signing.ended().await, Some(1), "{}", signing.screen());
    assert!(signing.screen().contains(&until) && !signing.screen().contains("Code:"), "{}", signing.screen());
    let Ran { code: exit, out: output, err: errors, .. } = stage.cli(&["login", NAME, "--json"]).run();
    assert_eq!(exit, Some(1), "{output}{errors}");
    let reports: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let [refused, failed] = reports.as_slice() else { panic!("{output}{errors}") };
    assert_eq!(refused["error"]["code"], "flood_wait", "{output}");
    assert_eq!((&failed["state"], &failed["until"]), (&json!("failed"), &login["until"]), "{output}");
    assert!(errors.contains(&until), "{errors}");
    assert_eq!(stage.world.calls("auth.sendCode").await, 1, "no one asks before its time");

    program.advance(Duration::from_secs(3_601)).await;
    let (status, login) = program.post(LOGIN, &by_phone).await;
    assert_eq!((status, &login["state"]), (200, &json!("code_wanted")), "{login}");
}
