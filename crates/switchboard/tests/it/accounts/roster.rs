//! Accounts that come and go while the program runs, and while it does not.

use serde_json::{Value, json};
use testkit::Program;

use super::stage::{NAME, Stage};

/// Signs in by phone.
async fn sign_in(stage: &Stage, program: &Program) {
    let login = format!("/v1/accounts/{NAME}/login");
    program.post(&login, &json!({ "by": "phone" })).await;
    let (status, done) = program.post(&format!("{login}/code"), &json!({ "code": stage.code().await })).await;
    assert_eq!((status, &done["state"]), (200, &json!("done")), "{done}");
    program.account_is(NAME, "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn private_network_proxy_is_refused_by_field() {
    const WAY_OUT: &str = "[telegram] allow_private_proxies";
    let stage = Stage::new().await;
    // As the settings are that nobody wrote for a sandbox.
    stage.world.edit_settings(|text| {
        let lines = text.lines().filter(|line| !line.starts_with("allow_private_proxies"));
        lines.collect::<Vec<_>>().join("\n")
    });
    let program = stage.program().await;
    stage.add(&program).await;
    let mut other = stage.account();
    other["name"] = json!("other");
    for inward in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:192.168.0.1]", "0x7f.1"] {
        let proxy = json!(format!("socks5://demo:a-word@{inward}:1080"));
        other["proxy"] = proxy.clone();
        let answers = [
            program.post("/v1/accounts", &other).await,
            program.patch("/v1/accounts/fifth", &json!({ "proxy": proxy })).await,
        ];
        for (status, problem) in answers {
            assert_eq!(
                (status, &problem["errors"][0]["field"]),
                (422, &json!("proxy")),
                "{inward}: {problem}"
            );
            let message = problem["errors"][0]["message"].as_str().expect("a message");
            assert!(message.contains(WAY_OUT) && !problem.to_string().contains("a-word"), "{problem}");
        }
    }
    assert_eq!(program.get("/v1/accounts/other").await.0, 404);
    // What a name leads to is found when it is dialled, and told on the account.
    sign_in(&stage, &program).await;
    let (status, changed) =
        program.patch("/v1/accounts/fifth", &json!({ "proxy": "socks5://localhost:1080" })).await;
    assert_eq!(status, 200, "{changed}");
    program
        .until("the account says why it does not connect", || async {
            program.get("/v1/accounts/fifth").await.1.to_string().contains(WAY_OUT)
        })
        .await;
    assert_eq!(program.patch("/v1/accounts/fifth", &json!({ "proxy": null })).await.0, 200);
    program.account_is(NAME, "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn account_life_cycle_without_a_restart() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    sign_in(&stage, &program).await;
    assert_eq!(stage.send(&program, "one", 20).await.0, 200);

    stage.fine(&["pause", NAME]);
    program.account_is(NAME, "paused").await;
    let (status, problem) = stage.send(&program, "two", 20).await;
    assert_eq!((status, &problem["code"]), (503, &json!("no_account")), "{problem}");
    assert_eq!(program.send("@client_1", "by another").await.0, 200);
    assert_eq!(stage.world.sent().await, ["one", "by another"]);
    stage.fine(&["resume", NAME]);
    program.account_is(NAME, "ready").await;
    assert_eq!(stage.send(&program, "two again", 20).await.0, 200);

    let removed = stage.fine(&["remove", NAME, "--yes"]);
    assert_eq!(removed.trim(), "fifth is removed.");
    assert_eq!(program.get("/v1/accounts/fifth").await.0, 404);
    let (status, problem) = stage.send(&program, "three", 0).await;
    assert_eq!((status, &problem["code"]), (404, &json!("account_not_found")), "{problem}");

    // Its session is not lost: it belongs to nobody now, and to the account again when somebody says so.
    let (_, ownerless) = program.get("/v1/ownerless-sessions").await;
    assert_eq!(program.get("/v1/accounts").await.1["ownerless_sessions"], ownerless["items"]);
    let session = &ownerless["items"][0];
    assert_eq!(
        (&session["user_id"], session["id"].is_string()),
        (&json!(stage.user_id), true),
        "{ownerless}"
    );
    let list = stage.fine(&["list"]);
    let id = session["id"].as_str().expect("an id");
    assert!(list.contains("belong to no account") && list.contains(id), "{list}");
    stage.add(&program).await;
    stage.fine(&["assign", id, NAME]);
    program.account_is(NAME, "ready").await;
    assert_eq!(stage.send(&program, "four", 20).await.0, 200);
    assert_eq!(program.get("/v1/ownerless-sessions").await.1["items"], json!([]));
    assert_eq!(program.get("/v1/accounts").await.1["ownerless_sessions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_is_taken_out_of_an_account_and_given_back() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    sign_in(&stage, &program).await;
    let shown: Value = serde_json::from_str(&stage.fine(&["show", NAME, "--json"])).expect("JSON");
    let id = shown["lines"][0]["session"].as_str().expect("a session of the store").to_owned();
    assert!(stage.fine(&["show", NAME]).contains(&id));
    for (path, code) in [
        (format!("/v1/accounts/{NAME}/sessions/0000000000000000"), "session_not_found"),
        (format!("/v1/accounts/{NAME}/sessions/none"), "session_not_found"),
        (format!("/v1/accounts/nobody/sessions/{id}"), "account_not_found"),
        (format!("/v1/accounts/main/sessions/{id}"), "session_not_found"),
    ] {
        let (status, problem) = program.delete(&path).await;
        assert_eq!((status, &problem["code"]), (404, &json!(code)), "{path}: {problem}");
    }

    let said = stage.fine(&["release", NAME, &id, "--yes"]);
    assert_eq!(said.trim(), format!("The session {id} no longer belongs to {NAME}."));
    let (_, account) = program.get("/v1/accounts/fifth").await;
    assert_eq!((&account["state"], &account["lines"]), (&json!("needs_login"), &json!([])), "{account}");
    let (_, ownerless) = program.get("/v1/ownerless-sessions").await;
    assert_eq!(
        (&ownerless["items"][0]["id"], &ownerless["items"][1]),
        (&json!(id), &Value::Null),
        "{ownerless}"
    );
    let (status, problem) = stage.send(&program, "by nobody", 0).await;
    assert_ne!(status, 200, "{problem}");

    stage.fine(&["assign", &id, NAME]);
    program.account_is(NAME, "ready").await;
    assert_eq!(stage.send(&program, "here again", 20).await.0, 200);
    assert_eq!(stage.world.sent().await, ["here again"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_that_addresses_use_is_no_name_of_an_account() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    for word in ["add", "import", "sessions"] {
        let mut account = stage.account();
        account["name"] = json!(word);
        let (status, problem) = program.post("/v1/accounts", &account).await;
        assert_eq!(status, 422, "{problem}");
        assert!(problem.to_string().contains("choose another name"), "{problem}");
        let (code, _, errors) = stage.command(&["add", word, "--api-id", "1000001"], "");
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.contains("choose another name"), "{errors}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_and_changed_outlives_a_crash() {
    let stage = Stage::new().await;
    let mut program = stage.program().await;
    stage.add(&program).await;
    sign_in(&stage, &program).await;
    let (status, changed) =
        program.patch("/v1/accounts/fifth", &json!({ "priority": 9, "pool": false })).await;
    assert_eq!(
        (status, &changed["priority"], &changed["pool"]),
        (200, &json!(9), &json!(false)),
        "{changed}"
    );
    program.kill();
    let program = stage.program().await;
    program.account_is(NAME, "ready").await;
    let (_, account) = program.get("/v1/accounts/fifth").await;
    assert_eq!((&account["priority"], &account["source"]), (&json!(9), &json!("store")), "{account}");
    assert_eq!(stage.send(&program, "still here", 20).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_file_account_can_only_sign_in() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    let mut again = stage.account();
    again["name"] = json!("main");
    for (status, problem) in [
        program.post("/v1/accounts", &again).await,
        program.patch("/v1/accounts/main", &json!({ "priority": 7 })).await,
        program.delete("/v1/accounts/main").await,
    ] {
        assert_eq!((status, &problem["code"]), (409, &json!("account_is_in_settings")), "{problem}");
    }
    stage.add(&program).await;
    let (status, problem) = program.post("/v1/accounts", &stage.account()).await;
    assert_eq!((status, &problem["code"]), (409, &json!("account_exists")), "{problem}");
    let (_, login) = program.post("/v1/accounts/main/login", &json!({ "by": "qr" })).await;
    assert_eq!(login["state"], "qr_shown", "{login}");
    assert_eq!(program.delete("/v1/accounts/main/login").await.0, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_does_the_same_while_no_server_runs() {
    let stage = Stage::new().await;
    let api_id = stage.api_id.to_string();
    let add = ["add", NAME, "--api-id", &api_id, "--api-hash-env", "DEMO_API_HASH", "--priority", "5"];
    let said = stage.fine(&add);
    assert!(said.contains("switchboard account login fifth"), "{said}");
    let (code, _, errors) = stage.command(&add, "");
    assert_eq!(code, Some(1), "{errors}");
    stage.fine(&["change", NAME, "--phone", &stage.phone, "--by-pin"]);
    let shown: Value = serde_json::from_str(&stage.fine(&["show", NAME, "--json"])).expect("JSON");
    for (field, value) in [("state", json!("needs_login")), ("priority", json!(5)), ("pool", json!(false))] {
        assert_eq!(shown[field], value, "{field}: {shown}");
    }

    assert_eq!(stage.world.get("/calls").await["items"], json!([]), "nothing connects by itself");

    // Killed after the code was sent: the same command goes on with it.
    let mut killed = stage.spawn(&["login", NAME, "--code-stdin"]);
    let code = stage.code().await;
    killed.kill().expect("kills");
    super::stage::ended(killed);
    let mut login = stage.spawn(&["login", NAME, "--code-stdin"]);
    std::io::Write::write_all(&mut login.stdin.take().expect("piped"), code.as_bytes()).expect("writes");
    let (exit, said, errors) = super::stage::ended(login);
    assert_eq!(exit, Some(0), "{said}{errors}");
    assert!(said.contains("Signed in as"), "{said}");
    assert!(
        stage.world.calls("auth.sendCode").await <= 2,
        "the code that was sent is asked for again at most"
    );
    let list = stage.fine(&["list"]);
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
        let told = |arguments: &[&str]| -> Value {
            let said = stage.fine(arguments);
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {said}"))
        };
        let added = told(&[
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
            let account = told(&[action, NAME, "--json"]);
            assert_eq!(
                (&account["name"], &account["switch"]),
                (&json!(NAME), &json!(switch)),
                "{action}: {account}"
            );
        }
        assert_eq!(told(&["remove", NAME, "--yes", "--json"]), json!({ "removed": NAME }));
        let (code, _, errors) = stage.command(&["remove", NAME, "--yes", "--json"], "");
        assert_eq!(code, Some(1), "{errors}");
    }
}
