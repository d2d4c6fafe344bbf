//! Sessions move over from Telethon and Kurigram and back, while the program runs and while it does not; the old registry
//! comes in.

mod bad_files;
mod crm;
mod dialogue;
mod flows;
mod guide;
pub(crate) mod stage;
mod strings;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::{binary, python};
use stage::{MOVING, OLD_LINK, fine, import, path, world};

async fn foreign(arguments: &[&str]) -> Value {
    python::run_json("moving.py", arguments).await
}

async fn running(world: &World) -> Program {
    let program = Start::on(world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    program
}

/// The name of the account that the only session of an import became.
fn new_account(report: &Value) -> String {
    let row = &report["sessions"][0];
    assert_eq!(row["what"], "new", "{report:#}");
    row["account"].as_str().expect("an account").to_owned()
}

/// Writes into a chat through one account.
async fn write(program: &Program, account: &str, chat: &str, text: &str) {
    let body = json!({ "chat": chat, "text": text, "account": account });
    let (status, sent) = program.post("/v1/messages", &body).await;
    assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{sent}\n{}", program.output());
}

async fn there_and_back(library: &str, export_as: &str) {
    let world = world().await;
    let (_, file) = path(&world, "before.session");
    let made = foreign(&["make", library, world.control(), MOVING, &file]).await;
    let program = running(&world).await;
    let group = world.chat_titled("Demo supergroup").await;
    // The dialogs are never answered: what is written to is known by the file alone.
    world
        .fault("flood_wait", json!({"account": MOVING, "method": "messages.getDialogs", "seconds": 3600}))
        .await;
    let report = fine(&world, &import(&[&file])).await;
    let name = new_account(&report);
    assert_eq!(report["sessions"][0]["user_id"], made["user_id"]);
    program
        .until("its line is up", || async {
            program.get(&format!("/v1/accounts/{name}")).await.1["lines"][0]["state"] == "ready"
        })
        .await;
    write(&program, &name, &group, "after the move").await;
    let again = fine(&world, &import(&[&file])).await;
    assert_eq!(again["sessions"][0]["what"], "known", "{again:#}");

    let (_, after) = path(&world, "after.session");
    let exported = fine(&world, &["account", "export", &name, export_as, &after, "--yes", "--json"]).await;
    assert_eq!(exported["stopped"], true, "{exported}");
    let one = world.account(MOVING).await;
    let (api_id, api_hash) = (one["api_id"].to_string(), one["api_hash"].as_str().expect("a text"));
    let used = foreign(&["use", library, &after, &api_id, api_hash, &group, "and back again"]).await;
    assert_eq!(used["user_id"], made["user_id"]);
    assert_eq!(world.sent().await, ["after the move", "and back again"]);
    if library == "kurigram" {
        let shown = foreign(&["show", &after]).await;
        assert_eq!((&shown["key"], &shown["user_id"]), (&one["auth_key"], &made["user_id"]));
        assert!(shown["peers"].as_u64() >= Some(2), "{shown}");
    }
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_telethon_moves_in_writes_and_moves_out_again() {
    there_and_back("telethon", "--telethon").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_kurigram_moves_in_writes_and_moves_out_again() {
    there_and_back("kurigram", "--kurigram").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_no_server_runs_a_session_moves_in_all_the_same() {
    let world = world().await;
    let group = world.chat_titled("Demo supergroup").await;
    let (session, file) = path(&world, "main.session");
    stage::file(&world, &session, &[&group]).await;
    let (_, plan) = path(&world, "plan.toml");
    let dry = ["account", "import", &file, "--dry-run", "--write-plan", &plan, "--json"];
    let report = fine(&world, &dry).await;
    assert_eq!((&report["dry_run"], &report["sessions"][0]["what"]), (&json!(true), &json!("unasked")));
    let written = std::fs::read_to_string(&plan).expect("a plan");
    let edited = written.replace("[[session]]", "[[session]]\naccount = \"moved\"\nfor = [\"send_text\"]");
    std::fs::write(&plan, edited).expect("writes");
    let mut arguments = import(&[&file]);
    arguments.extend(["--plan", &plan]);
    let report = fine(&world, &arguments).await;
    assert_eq!(new_account(&report), "moved", "{report:#}");
    assert_eq!(report["sessions"][0]["purposes"], json!(["send_text"]));
    let program = running(&world).await;
    program.account_is("moved", "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_path_is_reported_before_any_file_is_opened() {
    let world = world().await;
    let (session, file) = path(&world, "some.session");
    stage::file(&world, &session, &[]).await;
    let (plan, plan_file) = path(&world, "plan.toml");
    let refused = |paths: &[&str], word: &str| {
        let ran = stage::command(&world, &import(paths)).run();
        assert!(ran.code == Some(2) && ran.err.contains(word), "{ran:?}");
    };
    refused(&["no-such.session"], "no-such.session");
    // Left unheeded, it would let Telegram be asked about what is to be left alone.
    std::fs::write(&plan, "[[session]]\nfile = \"sessions/some.session\"\nskip = true").expect("writes");
    refused(&[&file, "--plan", &plan_file], "relative to the plan file");
    assert!(!world.data_dir("data").exists());
    std::fs::write(&plan, "[[session]]\nfile = \"./some.session\"\nskip = true").expect("writes");
    let report = fine(&world, &import(&[&file, "--plan", &plan_file])).await;
    assert_eq!(
        (&report["sessions"][0]["what"], &report["notes"]),
        (&json!("skipped"), &json!([])),
        "{report}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn old_registry_binds_chats_and_sends_nothing() {
    let world = world().await;
    let mut program = running(&world).await;
    program
        .until("the account knows its chats", || async {
            program.get("/v1/accounts/backup_2").await.1["dialogs_complete"] == true
        })
        .await;
    let (bound, left) = (world.chat_titled("Demo supergroup").await, world.chat_titled("Demo group").await);
    let (registry, file) = path(&world, "registry.db");
    stage::registry(&registry, &bound, &left);
    let report = fine(&world, &import(&[&file])).await;
    let counts = &report["registries"][0];
    assert_eq!(
        (&counts["chats_taken"], &counts["failed_requests_taken"]),
        (&json!(2), &json!(1)),
        "{report:#}"
    );
    assert_eq!(counts["failovers_taken"], 1, "{report:#}");
    let port = world.legacy_port(5022);
    let (status, sent) = program.legacy(port, "/send_text", &json!({"chat": bound, "text": "bound"})).await;
    assert_eq!((status, &sent["status"]), (200, &json!("ok")), "{sent}");
    let effects = world.effects("messages.sendMessage").await;
    assert_eq!(effects.iter().map(|one| &one["account"]).collect::<Vec<_>>(), ["backup_2"], "{effects:?}");
    let (_, skipped) = program.legacy(port, "/send_text", &json!({"chat": left, "text": "left"})).await;
    assert_eq!(skipped["status"], "skipped", "{skipped}");
    let (_, failed) = program.get("/v1/failed-requests").await;
    let [request] = failed["items"].as_array().expect("items").as_slice() else { panic!("{failed}") };
    assert_eq!((&request["state"], &request["retry_count"]), (&json!("pending"), &json!(2)), "{request}");
    let id = request["id"].as_str().expect("an id");
    let (status, refused) = program.post(&format!("/v1/failed-requests/{id}/retry"), &json!({})).await;
    assert_eq!(status, 409, "{refused}");
    assert_eq!(world.sent().await, ["bound"]);
    let again = fine(&world, &import(&[&file])).await;
    let counts = &again["registries"][0];
    assert_eq!(
        (&counts["chats_taken"], &counts["failed_requests_taken"], &counts["failovers_taken"]),
        (&json!(0), &json!(0), &json!(0)),
        "{again:#}"
    );
    let (_, chat) = program.get(&format!("/v1/chats/{bound}")).await;
    assert_eq!(chat["invite_link"], OLD_LINK, "{chat}");

    // Whatever is done again by itself would be done by then, in this run or in the next one.
    for _ in 0..3 {
        program.advance(Duration::from_hours(2)).await;
        // A leap looks like a deaf session; an account that is leapt over while it reconnects has both connections open.
        program.pass_calmly(30).await;
        program.account_is("backup_2", "ready").await;
    }
    program.kill();
    let program = running(&world).await;
    for _ in 0..3 {
        program.advance(Duration::from_hours(2)).await;
        // A leap looks like a deaf session; an account that is leapt over while it reconnects has both connections open.
        program.pass_calmly(30).await;
        program.account_is("backup_2", "ready").await;
    }
    let (_, failed) = program.get("/v1/failed-requests").await;
    let [request] = failed["items"].as_array().expect("items").as_slice() else { panic!("{failed}") };
    assert_eq!((&request["state"], &request["retry_count"]), (&json!("pending"), &json!(2)), "{request}");
    assert_eq!(world.sent().await, ["bound"]);
    let ledger = world.ledger().await;
    assert_eq!(ledger.len(), 1, "{ledger:?}");
}
