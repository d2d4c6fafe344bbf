//! `switchboard user`, while a server runs and while none does.

use super::stage::{PASSWORD, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn people_are_managed_with_and_without_server() {
    let stage = Stage::with("").await;
    let mut program = stage.program().await;
    for running in [true, false] {
        if !running {
            program.terminate().await;
        }
        let screen: String = [
            (&["add", "anna", "--role", "operator"][..], "correct horse\n"),
            (&["add", "anna"], "correct horse\n"),
            (&["role", "anna", "viewer"], ""),
            (&["password", "anna"], "short\n"),
            (&["password", "anna", "--reset-second-factor"], "another password\n"),
            (&["remove", "anna"], ""),
            (&["remove", "admin"], ""),
            (&["add", "anna"], ""),
        ]
        .into_iter()
        .map(|(arguments, input)| stage.user(arguments, input).shown())
        .collect();
        let argument = stage.user(&["add", "anna", "correct horse"], "");
        assert_eq!(argument.code, Some(2), "a password is read from the input alone: {argument:?}");
        let table = stage.user(&["list"], "").fine();
        assert!(table.contains("ROLE") && table.contains("admin") && !table.contains("anna"), "{table}");
        insta::allow_duplicates! { insta::assert_snapshot!("user", screen) }
    }
    // Both rounds are in the log, as done at this machine; no password is.
    let program = stage.program().await;
    let (_, log) = program.get("/v1/audit?who=machine&limit=100").await;
    let of = |action: &str| {
        let entries = log["items"].as_array().expect("items").iter();
        entries.filter(|entry| entry["subject"] == "anna" && entry["action"] == action).count()
    };
    assert_eq!((of("add_user"), of("change_user"), of("remove_user")), (2, 2, 2), "{log}");
    assert!(!log.to_string().contains("correct horse"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended() {
    let stage = Stage::with("").await;
    let program = stage.program().await;
    let cookie = stage.sign_in(&program).await;
    let listed = stage.user(&["sessions", "admin"], "").fine();
    assert!(
        listed.contains("ses_") && listed.contains("127.0.0.1") && !listed.contains(PASSWORD),
        "{listed}"
    );
    stage.user(&["sessions", "admin", "--end-all"], "").fine();
    let page = stage.get(&program, "/settings/me", super::stage::pair(&cookie)).send().await;
    assert_eq!(page.expect("an answer").status(), 303);
    assert!(stage.user(&["sessions", "admin"], "").fine().contains("signed in nowhere"));
}
