//! `switchboard user`, while a server runs and while none does.

use serde_json::Value;

use super::stage::{PASSWORD, Stage};

fn said(output: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_managed_with_and_without_server() {
    let stage = Stage::with("").await;
    let mut running = Some(stage.program().await);
    for round in ["running", "at_rest"] {
        if round == "at_rest"
            && let Some(mut program) = running.take()
        {
            program.terminate().await;
        }
        let name = format!("anna_{round}");
        let added = stage.user(&["add", &name, "--role", "operator"], "correct horse\n").await;
        assert!(added.status.success(), "{}", said(&added));
        assert!(said(&added).contains("may sign in as operator"), "{}", said(&added));
        let twice = stage.user(&["add", &name], "correct horse\n").await;
        assert_eq!(twice.status.code(), Some(1), "{}", said(&twice));
        let listed = stage.user(&["list", "--json"], "").await;
        let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
        let found = listed["items"].as_array().expect("items").iter().find(|user| user["name"] == *name);
        assert_eq!(found.expect("anna")["role"], "operator");
        let table = said(&stage.user(&["list"], "").await);
        assert!(table.contains("ROLE") && table.contains(&name), "{table}");
        let role = stage.user(&["role", &name, "viewer"], "").await;
        assert!(said(&role).contains("is viewer now"), "{}", said(&role));
        let short = stage.user(&["password", &name], "short\n").await;
        assert!(!short.status.success() && said(&short).contains("too short"), "{}", said(&short));
        let set = stage.user(&["password", &name, "--reset-second-factor"], "another password\n").await;
        assert!(set.status.success(), "{}", said(&set));
        let removed = stage.user(&["remove", &name], "").await;
        assert!(removed.status.success(), "{}", said(&removed));
        let last = stage.user(&["remove", "admin"], "").await;
        assert!(!last.status.success() && said(&last).contains("last admin"), "{}", said(&last));
    }
    // Both rounds stand in the log, by whoever sat at this machine; no password does.
    let program = stage.program().await;
    let (_, log) = program.get("/v1/audit?who=machine&limit=100").await;
    for name in ["anna_running", "anna_at_rest"] {
        let of = |action: &str| {
            let entries = log["items"].as_array().expect("items").iter();
            entries.filter(|entry| entry["subject"] == name && entry["action"] == action).count()
        };
        assert_eq!((of("add_user"), of("change_user"), of("remove_user")), (1, 1, 1), "{name}: {log}");
    }
    assert!(!log.to_string().contains("correct horse"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn password_is_read_from_input_only() {
    let stage = Stage::with("").await;
    let argument = stage.user(&["add", "anna", "correct horse"], "").await;
    assert_eq!(argument.status.code(), Some(2), "{}", said(&argument));
    let empty = stage.user(&["add", "anna"], "").await;
    assert_eq!(empty.status.code(), Some(2), "{}", said(&empty));
    assert!(said(&empty).contains("pipe one line"), "{}", said(&empty));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended() {
    let stage = Stage::with("").await;
    let program = stage.program().await;
    let cookie = stage.sign_in(&program).await;
    let listed = stage.user(&["sessions", "admin"], "").await;
    assert!(said(&listed).contains("ses_") && said(&listed).contains("127.0.0.1"), "{}", said(&listed));
    assert!(!said(&listed).contains(PASSWORD));
    let ended = stage.user(&["sessions", "admin", "--end-all"], "").await;
    assert!(ended.status.success(), "{}", said(&ended));
    let page =
        stage.get(&program, "/settings/me", super::stage::pair(&cookie)).send().await.expect("an answer");
    assert_eq!(page.status(), 303);
    assert!(said(&stage.user(&["sessions", "admin"], "").await).contains("signed in nowhere"));
}
