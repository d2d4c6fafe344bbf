//! An account that is connected and whose calls fail is in trouble on every page and in every list.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::Program;

use crate::people::stage::{Stage, pair};

async fn in_trouble(program: &Program) -> Vec<Value> {
    let (status, listed) = program.get("/v1/accounts?state=trouble").await;
    assert_eq!(status, 200, "{listed}");
    listed["items"].as_array().expect("items").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_calls_fail_is_listed_as_trouble() {
    let stage = Stage::with("").await;
    let program = stage.program().await;
    program.account_is("main", "ready").await;
    assert_eq!(in_trouble(&program).await, Vec::<Value>::new());
    let fault = json!({ "account": "main", "code": 500, "message": "INTERNAL" });
    stage.world.fault("rpc_error", fault).await;
    program
        .until("the account is red", || async {
            program.advance(Duration::from_secs(10)).await;
            let (_, card) = program.get("/v1/cards/account:main").await;
            card["lamp"] == "trouble"
        })
        .await;
    let found = in_trouble(&program).await;
    assert_eq!((&found[0]["name"], &found[0]["state"]), (&json!("main"), &json!("ready")), "{found:?}");
    let (_, others) = program.get("/v1/accounts?state=banned,trouble").await;
    assert_eq!(others["items"].as_array().map(Vec::len), Some(1), "{others}");

    let cookie = stage.sign_in(&program).await;
    let page = async |path: &str| {
        let answer = stage.get(&program, path, pair(&cookie)).send().await.expect("an answer");
        answer.text().await.expect("a page")
    };
    let all = page("/accounts").await;
    let narrowed = page("/accounts?state=trouble").await;
    for list in [&all, &narrowed] {
        assert!(list.contains("needs you</h1>") && list.contains("Calls fail"), "{list}");
    }
    assert!(narrowed.contains("id=\"r-main\""), "{narrowed}");
    let one = page("/accounts/main").await;
    assert!(one.contains("Calls fail") && !one.contains(">Ready<"), "{one}");
}
