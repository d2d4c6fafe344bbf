//! Session strings move in over the standard input and over the API, and out again onto the standard output.

use serde_json::{Value, json};

use super::stage::{MOVING, command, import, world};
use super::{foreign, new_account, running, write};
use crate::shell::cli::Ran;

#[tokio::test(flavor = "multi_thread")]
async fn telethon_string_is_imported_and_exported() {
    let world = world().await;
    let made = foreign(&["string", "telethon", world.control(), MOVING]).await;
    let string = made["string"].as_str().expect("a string");
    let program = running(&world).await;
    let group = world.chat_titled("Demo supergroup").await;

    let output = command(&world, &import(&["-"])).given(&format!("  {string}\n")).fine();
    let report: Value = serde_json::from_str(&output).expect("JSON");
    let name = new_account(&report);
    let row = &report["sessions"][0];
    assert_eq!((&row["file"], &row["user_id"]), (&json!("the string"), &made["user_id"]), "{row}");
    assert!(!output.contains(string) && !program.output().contains(string), "its holder is the account");
    program.has_read_dialogs(&name).await;
    write(&program, &name, &group, "after the move").await;

    let Ran { code, out: output, err: errors, .. } =
        command(&world, &["account", "export", &name, "--string", "--yes"]).given("");
    assert!(
        code == Some(0) && errors.contains(&format!("switchboard account start {name}")),
        "{output}{errors}"
    );
    let exported = output.trim_end();
    assert!(
        !exported.is_empty() && !exported.contains(char::is_whitespace),
        "the string and nothing else: {output:?}"
    );
    let one = world.account(MOVING).await;
    let (api_id, api_hash) = (one["api_id"].to_string(), one["api_hash"].as_str().expect("a text"));
    let used = foreign(&["use", "string", exported, &api_id, api_hash, &group, "and back again"]).await;
    assert_eq!(used["user_id"], made["user_id"]);
    assert_eq!(world.sent().await, ["after the move", "and back again"]);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn api_imports_strings_and_hides_broken_ones() {
    let world = world().await;
    let made = foreign(&["string", "telethon", world.control(), MOVING]).await;
    let string = made["string"].as_str().expect("a string");
    let one = world.account(MOVING).await;
    let program = running(&world).await;
    let body = |string: &str, dry_run: bool| json!({ "string": string, "dry_run": dry_run, "api_id": one["api_id"], "api_hash": one["api_hash"] });
    let path = "/v1/accounts/import";
    for broken in [&string[..string.len() - 9], "1not-a-string"] {
        let (status, report) = program.post(path, &body(broken, false)).await;
        let row = &report["sessions"][0];
        assert_eq!((status, &row["what"]), (200, &json!("unreadable")), "{report:#}");
        assert!(row["detail"].as_str().is_some_and(|why| why.contains("no session string")), "{row}");
        assert!(!report.to_string().contains(broken), "{report}");
    }
    let (status, report) = program.post(path, &body(string, true)).await;
    assert_eq!((status, &report["sessions"][0]["what"]), (200, &json!("unasked")), "{report:#}");
    let calls = world.get(&format!("/calls?account={MOVING}")).await;
    assert_eq!(calls["items"], json!([]), "a dry run asks no one");
    let (status, report) = program.post(path, &body(string, false)).await;
    assert_eq!(status, 200, "{report:#}");
    let name = new_account(&report);
    program.account_is(&name, "ready").await;
    let (_, moved) = program.get(&format!("/v1/accounts/{name}")).await;
    assert_eq!(moved["user_id"], made["user_id"], "{moved}");
    let (status, report) = program.post(path, &body(string, false)).await;
    assert_eq!((status, &report["sessions"][0]["what"]), (200, &json!("known")), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_unconfirmed_string_changes_nothing() {
    let world = world().await;
    let Ran { code, err: errors, .. } = command(&world, &import(&["-"])).given(" \n");
    assert!(code == Some(2) && errors.contains("the standard input is empty"), "{errors}");
    // A caller that sends a string by the standard input cannot be asked over it.
    let made = foreign(&["string", "telethon", world.control(), MOVING]).await;
    let string = made["string"].as_str().expect("a string");
    let Ran { code, out: output, err: errors, .. } =
        command(&world, &["account", "import", "-"]).given(string);
    assert!(code == Some(2) && errors.contains("say --yes"), "{output}{errors}");
    assert_eq!(world.calls("users.getUsers").await, 0);
}
