//! Accounts that come and go while the program runs, and while it does not.

use serde_json::{Value, json};
use testkit::Program;

use super::stage::{NAME, Stage};
use crate::shell::cli::Ran;

/// Signs in by phone.
async fn sign_in(stage: &Stage, program: &Program) {
    let login = format!("/v1/accounts/{NAME}/login");
    program.post(&login, &json!({ "by": "phone" })).await;
    let (status, done) = program.post(&format!("{login}/code"), &json!({ "code": stage.code().await })).await;
    assert_eq!((status, &done["state"]), (200, &json!("done")), "{done}");
    program.account_is(NAME, "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn account_life_cycle_without_a_restart() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    sign_in(&stage, &program).await;
    assert_eq!(stage.send(&program, "one", 20).await.0, 200);

    stage.cli(&["pause", NAME]).fine();
    program.account_is(NAME, "paused").await;
    let (status, problem) = stage.send(&program, "two", 20).await;
    assert_eq!((status, &problem["code"]), (503, &json!("no_account")), "{problem}");
    assert_eq!(program.send("@client_1", "by another").await.0, 200);
    assert_eq!(stage.world.sent().await, ["one", "by another"]);
    stage.cli(&["resume", NAME]).fine();
    program.account_is(NAME, "ready").await;
    assert_eq!(stage.send(&program, "two again", 20).await.0, 200);

    let removed = stage.cli(&["remove", NAME, "--yes"]).fine();
    assert_eq!(removed.trim(), "fifth is removed.");
    assert_eq!(program.get("/v1/accounts/fifth").await.0, 404);
    let (status, problem) = stage.send(&program, "three", 0).await;
    assert_eq!((status, &problem["code"]), (404, &json!("account_not_found")), "{problem}");

    // Its session is not lost: it belongs to no account now, and to this one again when a person says so.
    let (_, ownerless) = program.get("/v1/ownerless-sessions").await;
    assert_eq!(program.get("/v1/accounts").await.1["ownerless_sessions"], ownerless["items"]);
    let session = &ownerless["items"][0];
    assert_eq!(
        (&session["user_id"], session["id"].is_string()),
        (&json!(stage.user_id), true),
        "{ownerless}"
    );
    let list = stage.cli(&["list"]).fine();
    let id = session["id"].as_str().expect("an id");
    assert!(list.contains("belong to no account") && list.contains(id), "{list}");
    stage.add(&program).await;
    stage.cli(&["assign", id, NAME]).fine();
    program.account_is(NAME, "ready").await;
    assert_eq!(stage.send(&program, "four", 20).await.0, 200);
    assert_eq!(program.get("/v1/ownerless-sessions").await.1["items"], json!([]));
    assert_eq!(program.get("/v1/accounts").await.1["ownerless_sessions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_does_the_same_while_no_server_runs() {
    let stage = Stage::new().await;
    let api_id = stage.api_id.to_string();
    let add = ["add", NAME, "--api-id", &api_id, "--api-hash-env", "DEMO_API_HASH", "--priority", "5"];
    let output = stage.cli(&add).fine();
    assert!(output.contains("switchboard account login fifth"), "{output}");
    let Ran { code, err: errors, .. } = stage.cli(&add).run();
    assert_eq!(code, Some(1), "{errors}");
    stage.cli(&["change", NAME, "--phone", &stage.phone, "--by-pin"]).fine();
    let shown: Value = stage.cli(&["show", NAME, "--json"]).run().json();
    for (field, value) in [("state", json!("needs_login")), ("priority", json!(5)), ("pool", json!(false))] {
        assert_eq!(shown[field], value, "{field}: {shown}");
    }

    assert_eq!(stage.world.get("/calls").await["items"], json!([]), "nothing connects by itself");

    // Killed after the code was sent: the same command goes on with it.
    let mut killed = stage.cli(&["login", NAME, "--code-stdin"]).spawn();
    let code = stage.code().await;
    killed.kill().expect("kills");
    Ran::of(killed);
    let mut login = stage.cli(&["login", NAME, "--code-stdin"]).spawn();
    std::io::Write::write_all(&mut login.stdin.take().expect("piped"), code.as_bytes()).expect("writes");
    let Ran { code: exit, out: output, err: errors, .. } = Ran::of(login);
    assert_eq!(exit, Some(0), "{output}{errors}");
    assert!(output.contains("Signed in as"), "{output}");
    assert!(
        stage.world.calls("auth.sendCode").await <= 2,
        "the code that was sent is asked for again at most"
    );
    let list = stage.cli(&["list"]).fine();
    assert!(list.lines().any(|line| line.contains(NAME) && line.contains("offline")), "{list}");

    let program = stage.program().await;
    program.account_is(NAME, "ready").await;
    assert_eq!(stage.send(&program, "signed in beforehand", 20).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn account_command_prints_json_with_and_without_server() {
    let stage = Stage::new().await;
    let mut program = stage.program().await;
    let api_id = stage.api_id.to_string();
    for running in [true, false] {
        if !running {
            program.terminate().await;
        }
        let json_of = |arguments: &[&str]| -> Value { stage.cli(arguments).run().json() };
        let added = json_of(&[
            "add",
            NAME,
            "--api-id",
            &api_id,
            "--api-hash-env",
            "DEMO_API_HASH",
            "--priority",
            "5",
            "--json",
        ]);
        for (field, value) in [
            ("name", json!(NAME)),
            ("state", json!("needs_login")),
            ("priority", json!(5)),
            ("source", json!("store")),
        ] {
            assert_eq!(added[field], value, "{field}: {added}");
        }
        assert!(!added.to_string().contains(&stage.api_hash), "{added}");
        for (action, switch) in [("pause", "paused"), ("resume", "on"), ("stop", "stopped"), ("start", "on")]
        {
            let account = json_of(&[action, NAME, "--json"]);
            assert_eq!(
                (&account["name"], &account["switch"]),
                (&json!(NAME), &json!(switch)),
                "{action}: {account}"
            );
        }
        assert_eq!(json_of(&["remove", NAME, "--yes", "--json"]), json!({ "removed": NAME }));
        let Ran { code, err: errors, .. } = stage.cli(&["remove", NAME, "--yes", "--json"]).run();
        assert_eq!(code, Some(1), "{errors}");
    }
}
