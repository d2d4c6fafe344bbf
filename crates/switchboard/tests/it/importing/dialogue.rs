//! What an import says at a terminal: the table, the warning, the question; and that "no" changes nothing.

use serde_json::json;
use testkit::{Program, Pty, World};

use super::running;
use super::stage::{self, MOVING, path, world};
use crate::shell::cli::cli;

/// A person who imports at a terminal of so many columns, or of an unknown width.
fn pty(world: &World, given: &[&str], columns: Option<u16>) -> Pty {
    let importing = cli(world, &[&["account", "import"], given].concat());
    columns.map_or_else(|| importing.pty(), |columns| importing.pty_of_width(columns))
}

/// A world with two files of the account that moves, one of which is no session, and the folder that they are in.
async fn folder(world: &World) -> String {
    let (folder, text) = path(world, "old");
    std::fs::create_dir(&folder).expect("made");
    stage::file(world, &folder.join("moving.session"), &[]).await;
    std::fs::write(folder.join("broken.session"), "this is no session").expect("writes");
    text
}

/// The cells of the row of a file, as the table has them.
fn row(screen: &str, file: &str) -> Vec<String> {
    let row = screen.lines().rfind(|line| line.trim_start().starts_with(&format!("{file} ")));
    let row = row.unwrap_or_else(|| panic!("{file} has no row:\n{screen}"));
    row.split_whitespace().map(str::to_owned).collect()
}

async fn accounts(program: &Program) -> serde_json::Value {
    program.get("/v1/accounts").await.1["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|one| one["name"].clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn import_asks_and_no_changes_nothing() {
    let world = world().await;
    let program = running(&world).await;
    let folder = folder(&world).await;
    let (hash, hash_file) = path(&world, "api_hash");
    let one = world.account(MOVING).await;
    std::fs::write(&hash, one["api_hash"].as_str().expect("a text")).expect("writes");
    let api_id = one["api_id"].to_string();
    let given = [folder.as_str(), "--api-id", &api_id, "--api-hash-file", &hash_file];
    let before = (accounts(&program).await, session_queries(&world).await);

    for answer in ["no", "", "perhaps"] {
        let mut importing = pty(&world, &given, Some(160));
        importing.shows("[y/N]", 1).await;
        let screen = importing.screen();
        let warned = screen.find("Telegram ends a session for good when two programs use it at once.");
        let shown = screen.find("unasked").expect("the table");
        assert!(warned.is_some_and(|warned| shown < warned), "the table, then the warning: {screen}");
        assert!(screen.contains("Stop the old program first"), "{screen}");
        assert!(screen.contains("shall Telegram be asked whose these sessions are?"), "{screen}");
        importing.types(answer);
        assert_eq!(importing.ended().await, Some(1), "{}", importing.screen());
        importing.shows("nothing was done", 1).await;
    }
    assert_eq!(
        (accounts(&program).await, session_queries(&world).await),
        before,
        "no one was asked, nothing was made"
    );
    assert_eq!(program.get("/v1/ownerless-sessions").await.1["items"], json!([]));

    let mut importing = pty(&world, &given, Some(160));
    importing.shows("[y/N]", 1).await;
    importing.types("yes");
    assert_eq!(importing.ended().await, Some(0), "{}", importing.screen());
    importing.shows("switchboard account wait ", 1).await;
    let screen = importing.screen();
    let cells = row(&screen, "moving.session");
    assert_eq!(cells[1], "new", "{screen}");
    assert!(
        cells.iter().any(|cell| cell == &format!("@{}", one["username"].as_str().expect("a name"))),
        "{screen}"
    );
    program.account_is(&cells[2], "ready").await;
}

/// How often Telegram was asked whose a session is, over one of the account that moves.
async fn session_queries(world: &World) -> serde_json::Value {
    world.get(&format!("/calls?account={MOVING}&method=users.getUsers")).await["items"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn import_without_question_still_warns() {
    let world = world().await;
    let folder = folder(&world).await;
    let ran = stage::command(&world, &["account", "import", &folder, "--yes"]).run();
    assert!(ran.err.contains("Stop the old program first"), "{ran:?}");
    let output = ran.fine();
    assert!(!output.contains("Stop the old program first"), "what is piped on is the table: {output}");
    assert_eq!(row(&output, "moving.session")[1], "ownerless", "{output}");

    // It is kept, and named beside the accounts whether a server runs or not.
    let listed = || stage::command(&world, &["account", "list"]).fine();
    let before = listed();
    let program = running(&world).await;
    let (_, ownerless) = program.get("/v1/ownerless-sessions").await;
    let [session] = ownerless["items"].as_array().expect("items").as_slice() else { panic!("{ownerless}") };
    assert_eq!(session["user_id"], world.account(MOVING).await["user_id"], "{ownerless}");
    assert_eq!(program.get("/v1/accounts").await.1["ownerless_sessions"], json!([session]));
    let id = session["id"].as_str().expect("an id");
    for list in [before, listed()] {
        assert!(list.contains("belong to no account") && list.contains(id), "{list}");
    }
}
