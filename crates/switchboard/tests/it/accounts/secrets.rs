//! What signing in takes is told to Telegram alone.

use serde_json::json;

use super::stage::{NAME, PASSWORD, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_a_sign_in_are_in_no_log_no_answer_and_no_file() {
    let stage = Stage::with_password().await;
    let start = testkit::Start {
        environment: vec![("SWITCHBOARD_LOG__LEVEL".to_owned(), "trace".to_owned())],
        ..testkit::Start::on(&stage.world, crate::binary(), "data")
    };
    let mut program = start.ready().await;
    let mut answers = String::new();
    let mut account = stage.account();
    account["proxy"] = json!("socks5://demo:a-proxy-word@localhost:1");
    let (status, added) = program.post("/v1/accounts", &account).await;
    assert_eq!(status, 201, "{added}");
    answers.push_str(&added.to_string());
    answers.push_str(&program.patch("/v1/accounts/fifth", &json!({ "proxy": null })).await.1.to_string());
    let login = format!("/v1/accounts/{NAME}/login");
    answers.push_str(&program.post(&login, &json!({ "by": "phone" })).await.1.to_string());
    let code = stage.code().await;
    // A secret of the wrong type is not shown by the one who refuses it.
    let (status, refused) =
        program.post(&format!("{login}/password"), &json!({ "password": [PASSWORD] })).await;
    assert_eq!(status, 422, "{refused}");
    answers.push_str(&refused.to_string());
    for (step, body) in [
        ("code", json!({ "code": code })),
        ("password", json!({ "password": format!("{PASSWORD} not") })),
        ("password", json!({ "password": PASSWORD })),
    ] {
        answers.push_str(&program.post(&format!("{login}/{step}"), &body).await.1.to_string());
    }
    program.account_is(NAME, "ready").await;
    answers.push_str(&program.get("/v1/accounts").await.1.to_string());
    answers.push_str(&stage.fine(&["list", "--json"]));
    answers.push_str(&stage.fine(&["show", NAME]));
    program.terminate().await;

    let mut places =
        vec![("answers".to_owned(), answers.into_bytes()), ("log".to_owned(), program.output().into_bytes())];
    for entry in std::fs::read_dir(stage.world.data_dir("data")).expect("reads").flatten() {
        if let Ok(bytes) = std::fs::read(entry.path()) {
            places.push((entry.path().display().to_string(), bytes));
        }
    }
    assert!(places.iter().any(|(place, _)| place.ends_with("switchboard.db")));
    assert!(program.output().contains("TRACE"), "everything is logged:\n{}", program.output());
    let digits = stage.phone.trim_start_matches('+').to_owned();
    // Five digits are found by chance in a large file: the code is looked for as it would be written.
    let code = format!("\"{code}\"");
    for secret in [PASSWORD, "a-proxy-word", stage.api_hash.as_str(), digits.as_str(), code.as_str()] {
        for (place, bytes) in &places {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{place} has {secret:?}");
        }
    }
}
