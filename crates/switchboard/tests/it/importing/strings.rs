//! Session strings move in over the standard input and over the API, and out again onto the standard output.

use std::process::Stdio;

use serde_json::{Value, json};
use testkit::World;
use tokio::io::AsyncWriteExt;

use super::stage::{MOVING, account, command, import, world};
use super::{foreign, new_account, running, write};

/// Runs a command that reads a string: whether it went well, what it printed, and what it told on the other way.
async fn given(world: &World, arguments: &[&str], input: &str) -> (bool, String, String) {
    let mut command = command(world, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("runs");
    let mut standard_input = child.stdin.take().expect("a pipe");
    standard_input.write_all(input.as_bytes()).await.expect("writes");
    drop(standard_input);
    let ended = child.wait_with_output().await.expect("ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (ended.status.success(), text(ended.stdout), text(ended.stderr))
}

async fn by_the_command(library: &str) {
    let world = world().await;
    let made = foreign(&["string", library, world.control(), MOVING]).await;
    let string = made["string"].as_str().expect("a string");
    let program = running(&world).await;
    let group = world.chat_titled("Demo supergroup").await;

    let (well, said, errors) = given(&world, &import(&["-"]), &format!("  {string}\n")).await;
    assert!(well, "{said}{errors}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    let name = new_account(&report);
    let row = &report["sessions"][0];
    assert_eq!((&row["file"], &row["user_id"]), (&json!("the string"), &made["user_id"]), "{row}");
    assert!(!said.contains(string) && !program.output().contains(string), "whoever has it is the account");
    program.has_read_dialogs(&name).await;
    write(&program, &name, &group, "after the move").await;

    let (well, said, errors) = given(&world, &["account", "export", &name, "--string", "--yes"], "").await;
    assert!(well && errors.contains(&format!("switchboard account start {name}")), "{said}{errors}");
    let exported = said.trim_end();
    assert!(
        !exported.is_empty() && !exported.contains(char::is_whitespace),
        "the string and nothing else: {said:?}"
    );
    let one = account(&world, MOVING).await;
    let (api_id, api_hash) = (one["api_id"].to_string(), one["api_hash"].as_str().expect("a text"));
    let used = foreign(&["use", "string", exported, &api_id, api_hash, &group, "and back again"]).await;
    assert_eq!(used["user_id"], made["user_id"]);
    assert_eq!(world.sent().await, ["after the move", "and back again"]);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn telethon_string_is_imported_and_exported() {
    by_the_command("telethon").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kurigram_string_is_imported_and_exported() {
    by_the_command("kurigram").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn api_imports_strings_and_hides_broken_ones() {
    let world = world().await;
    let made = foreign(&["string", "telethon", world.control(), MOVING]).await;
    let string = made["string"].as_str().expect("a string");
    let one = account(&world, MOVING).await;
    let program = running(&world).await;
    let body = |string: &str, dry_run: bool| json!({ "string": string, "dry_run": dry_run, "api_id": one["api_id"], "api_hash": one["api_hash"] });
    let path = "/v1/accounts/import";
    for (broken, word) in
        [(&string[..string.len() - 9], "no session string"), ("1not-a-string", "no session string")]
    {
        let (status, report) = program.post(path, &body(broken, false)).await;
        let row = &report["sessions"][0];
        assert_eq!((status, &row["what"]), (200, &json!("unreadable")), "{report:#}");
        assert!(row["detail"].as_str().is_some_and(|why| why.contains(word)), "{row}");
        assert!(!report.to_string().contains(broken), "{report}");
    }
    let (status, report) = program.post(path, &body(string, true)).await;
    assert_eq!((status, &report["sessions"][0]["what"]), (200, &json!("unasked")), "{report:#}");
    let asked = world.get(&format!("/calls?account={MOVING}")).await;
    assert_eq!(asked["items"], json!([]), "a dry run asks nobody");
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
async fn no_string_and_one_that_nobody_was_asked_about_change_nothing() {
    let world = world().await;
    let (well, _, errors) = given(&world, &import(&["-"]), " \n").await;
    assert!(!well && errors.contains("the standard input is empty"), "{errors}");
    // Whoever sends a string by the standard input cannot be asked over it.
    let made = foreign(&["string", "telethon", world.control(), MOVING]).await;
    let string = made["string"].as_str().expect("a string");
    let (well, said, errors) = given(&world, &["account", "import", "-"], string).await;
    assert!(!well && errors.contains("say --yes"), "{said}{errors}");
    assert_eq!(world.calls("users.getUsers").await, 0);
}
