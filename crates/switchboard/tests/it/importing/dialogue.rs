//! What an import says at a terminal: the table, the warning, the question; and that "no" changes nothing.

use serde_json::json;
use testkit::{Program, Seat, World};

use super::running;
use super::stage::{self, MOVING, account, path, world};
use crate::binary;

/// Somebody who imports at a terminal of so many columns, or at one that does not say.
fn seat(world: &World, given: &[&str], columns: Option<u16>) -> Seat {
    let (settings, data) = (world.settings_file(), world.data_dir("data"));
    let place = ["--config", settings.to_str().expect("UTF-8"), "--data-dir", data.to_str().expect("UTF-8")];
    let arguments = [&["account", "import"], given, &place].concat();
    match columns {
        Some(columns) => Seat::at_a_screen(binary(), &arguments, (columns, 40)),
        None => Seat::at(binary(), &arguments),
    }
}

/// A world with two files of the account that moves, one of which is no session, and the folder that they lie in.
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
async fn a_dry_run_shows_the_table_and_changes_nothing() {
    let world = world().await;
    let folder = folder(&world).await;
    // One that is wide enough, one that is not, and one that does not say.
    for columns in [Some(160), Some(44), None] {
        let mut importing = seat(&world, &[&folder, "--dry-run"], columns);
        assert_eq!(importing.ended().await, Some(0), "{}", importing.screen());
        importing.shows("Nothing was opened or changed.", 1).await;
        let screen = importing.screen();
        assert!(screen.contains(&format!("In {folder}:")), "{screen}");
        let headings = row(&screen, "FILE");
        let wanted: &[&str] = match columns {
            Some(44) => &["FILE", "WHAT", "ACCOUNT"],
            _ => &["FILE", "WHAT", "ACCOUNT", "FOR", "WHOSE", "DC", "PEERS", "KIND"],
        };
        assert!(
            headings.iter().map(String::as_str).take(wanted.len()).eq(wanted.iter().copied()),
            "{screen}"
        );
        assert_eq!(screen.contains("There is no room here for: kind, dc, "), columns == Some(44), "{screen}");
        assert_eq!(row(&screen, "moving.session")[1], "unasked", "{screen}");
        assert_eq!(row(&screen, "broken.session")[1], "unreadable", "{screen}");
        let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        let why = "broken.session: it is neither an SQLite database nor a session string";
        assert!(words.contains(why), "{screen}");
        assert!(
            !screen.contains("Stop the old program") && !screen.contains("[y/N]"),
            "nothing is asked: {screen}"
        );
    }
    assert_eq!(world.get("/calls").await["items"], json!([]), "nothing connects");
}

#[tokio::test(flavor = "multi_thread")]
async fn import_asks_and_no_changes_nothing() {
    let world = world().await;
    let program = running(&world).await;
    let folder = folder(&world).await;
    let (hash, hash_file) = path(&world, "api_hash");
    let one = account(&world, MOVING).await;
    std::fs::write(&hash, one["api_hash"].as_str().expect("a text")).expect("writes");
    let api_id = one["api_id"].to_string();
    let given = [folder.as_str(), "--api-id", &api_id, "--api-hash-file", &hash_file];
    let before = (accounts(&program).await, asked(&world).await);

    for answer in ["no", "", "perhaps"] {
        let mut importing = seat(&world, &given, Some(160));
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
    assert_eq!((accounts(&program).await, asked(&world).await), before, "nobody was asked, nothing was made");
    assert_eq!(program.get("/v1/ownerless-sessions").await.1["items"], json!([]));

    let mut importing = seat(&world, &given, Some(160));
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
async fn asked(world: &World) -> serde_json::Value {
    world.get(&format!("/calls?account={MOVING}&method=users.getUsers")).await["items"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn import_without_question_still_warns() {
    let world = world().await;
    let folder = folder(&world).await;
    let ran = stage::command(&world, &["account", "import", &folder, "--yes"]).output().await.expect("runs");
    let (said, errors) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && errors.contains("Stop the old program first"), "{said}{errors}");
    assert!(!said.contains("Stop the old program first"), "what is piped on is the table: {said}");
    assert_eq!(row(&said, "moving.session")[1], "ownerless", "{said}");

    // It is kept, and named beside the accounts whether a server runs or not.
    let listed = async || {
        let ran = stage::command(&world, &["account", "list"]).output().await.expect("runs");
        String::from_utf8(ran.stdout).expect("UTF-8")
    };
    let before = listed().await;
    let program = running(&world).await;
    let (_, ownerless) = program.get("/v1/ownerless-sessions").await;
    let [session] = ownerless["items"].as_array().expect("items").as_slice() else { panic!("{ownerless}") };
    assert_eq!(session["user_id"], account(&world, MOVING).await["user_id"], "{ownerless}");
    assert_eq!(program.get("/v1/accounts").await.1["ownerless_sessions"], json!([session]));
    let id = session["id"].as_str().expect("an id");
    for list in [before, listed().await] {
        assert!(list.contains("belong to no account") && list.contains(id), "{list}");
    }
}
