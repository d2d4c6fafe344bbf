//! A folder in which nearly every file has something wrong with it: each says what, and none stops the others.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use rusqlite::Connection;
use serde_json::{Value, json};
use testkit::World;
use tokio::io::{AsyncBufReadExt, BufReader};

use super::stage::{self, MOVING, import, path, world};
use super::{running, write};
use crate::python;

/// What is wrong with each file, and a word of what is said of it.
const WRONG: [(&str, &str); 9] = [
    ("cut.session", "copied only in part"),
    ("elsewhere.session", "data centre 4096, which does not exist"),
    ("held.session", "another program is using it"),
    ("newer.session", "Telethon file of version 99, and only 1 to 8 are known"),
    ("nobody.session", "it has no key"),
    ("nothing.session", "it is empty (0 bytes)"),
    ("page.session", "neither an SQLite database nor a session string"),
    ("shop.session", "no session of Telethon, Pyrogram, Kurigram or grammers"),
    ("zeros.session", "its key is all zeros"),
];

/// Makes the folder: two good files of one key, and the bad ones.
async fn folder(world: &World) -> String {
    let (folder, text) = path(world, "old");
    fs::create_dir(&folder).expect("made");
    let file = |name: &str| folder.join(name);
    stage::file(world, &file("moving.session"), &[]).await;
    let copy = |name: &str| {
        fs::copy(file("moving.session"), file(name)).expect("copied");
        file(name)
    };
    copy("moving_too.session");
    copy("held.session");
    let change = |name: &str, sql: &str| {
        Connection::open(copy(name)).expect("opens").execute_batch(sql).expect("changed");
    };
    change("newer.session", "UPDATE version SET version = 99");
    change("nobody.session", "UPDATE sessions SET auth_key = x''");
    change("zeros.session", "UPDATE sessions SET auth_key = zeroblob(256)");
    change("elsewhere.session", "UPDATE sessions SET dc_id = 4096");
    change("shop.session", "DROP TABLE sessions; DROP TABLE version");
    let whole = fs::read(file("moving.session")).expect("reads");
    fs::write(file("cut.session"), &whole[..whole.len() / 2]).expect("written");
    fs::write(file("page.session"), "<html>not found</html>").expect("written");
    fs::write(file("nothing.session"), "").expect("written");
    text
}

/// Another program has a file open for as long as this lives.
async fn held(file: &Path) -> tokio::process::Child {
    let mut holder = python::script("moving.py", &["lock", file.to_str().expect("UTF-8")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    let mut lines = BufReader::new(holder.stdout.take().expect("a pipe"));
    lines.read_line(&mut line).await.expect("reads");
    assert_eq!(line.trim(), "locked");
    holder
}

/// The row of a file.
fn row<'a>(report: &'a Value, file: &str) -> &'a Value {
    let mut rows = report["sessions"].as_array().expect("rows").iter();
    let is_it = |row: &&Value| row["file"].as_str().is_some_and(|path| path.ends_with(&format!("/{file}")));
    rows.find(is_it).unwrap_or_else(|| panic!("{file} has no row: {report:#}"))
}

/// Imports with further arguments; whatever comes of the good files, the bad ones are reported as they are.
async fn import_report(world: &World, folder: &str, more: &[&str]) -> Value {
    let arguments = [import(&[folder]), more.to_vec()].concat();
    let report = stage::fine(world, &arguments).await;
    assert_eq!(report["sessions"].as_array().map(Vec::len), Some(WRONG.len() + 2), "{report:#}");
    for (file, why) in WRONG {
        let row = row(&report, file);
        assert_eq!((&row["what"], &row["account"]), (&json!("unreadable"), &Value::Null), "{row:#}");
        assert!(row["detail"].as_str().is_some_and(|detail| detail.contains(why)), "{why}: {row:#}");
    }
    let (first, second) = (row(&report, "moving.session"), row(&report, "moving_too.session"));
    assert_eq!(second["what"], "duplicate", "{report:#}");
    let same = format!("the same session as {}", first["file"].as_str().expect("a file"));
    assert_eq!((&second["detail"], &second["fingerprint"]), (&json!(same), &first["fingerprint"]));
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_file_says_what_is_wrong_and_none_stops_the_others() {
    let world = world().await;
    let folder = folder(&world).await;
    let files = || {
        let listing = fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("reads").path());
        let mut files: Vec<_> = listing.map(|file| (fs::read(&file).expect("reads"), file)).collect();
        files.sort();
        files
    };
    let before = files();
    let program = running(&world).await;
    let _holder = held(&Path::new(&folder).join("held.session")).await;

    let of_another = import_report(&world, &folder, &["--account", "main"]).await;
    let first = row(&of_another, "moving.session");
    let why = "account main belongs to another person; name another account, or none";
    assert_eq!((&first["what"], &first["detail"]), (&json!("other_person"), &json!(why)), "{first:#}");
    let person = world.account(MOVING).await;
    assert_eq!(first["user_id"], person["user_id"], "{first:#}");
    let (_, accounts) = program.get("/v1/accounts").await;
    let is_here = |one: &Value| one["user_id"] == person["user_id"];
    assert!(!accounts["items"].as_array().expect("items").iter().any(is_here), "{accounts}");

    let report = import_report(&world, &folder, &[]).await;
    let first = row(&report, "moving.session");
    assert_eq!(first["what"], "new", "{report:#}");
    let name = first["account"].as_str().expect("an account");
    program.account_is(name, "ready").await;
    program.has_read_dialogs(name).await;
    let group = world.chat_titled("Demo supergroup").await;
    write(&program, name, &group, "by whom was moved").await;
    write(&program, "main", &group, "by whom was here").await;
    assert_eq!(world.sent().await, ["by whom was moved", "by whom was here"]);
    assert_eq!(files(), before, "no file was changed, and none is new");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_of_a_folder_of_bad_files_reads_well() {
    let world = world().await;
    let folder = folder(&world).await;
    let _holder = held(&Path::new(&folder).join("held.session")).await;
    let out = stage::command(&world, &["account", "import", &folder, "--dry-run"]).fine();
    insta::assert_snapshot!(out.replace(&folder, "/old"), @r#"
In /old:
 FILE                WHAT        ACCOUNT  FOR  WHOSE  DC  PEERS  KIND
 moving.session      unasked                          2   0      Telethon file, version 7
 moving_too.session  duplicate                        2   0      Telethon file, version 7
 cut.session         unreadable                           0
 elsewhere.session   unreadable                           0
 held.session        unreadable                           0
 newer.session       unreadable                           0
 nobody.session      unreadable                           0
 nothing.session     unreadable                           0
 page.session        unreadable                           0
 shop.session        unreadable                           0
 zeros.session       unreadable                           0

moving.session: the file does not say whose it is; Telegram will be asked
moving_too.session: the same session as /old/moving.session
cut.session: it was copied only in part (14336 of 28672 bytes); stop the program that uses it and copy it again
elsewhere.session: it names data centre 4096, which does not exist; take another copy, or sign in again
held.session: another program is using it; stop that program, wait a minute, and try again
newer.session: Telethon file of version 99, and only 1 to 8 are known; export it as a string with the program that wrote it
nobody.session: it is not signed in: it has no key; sign in again
nothing.session: it is empty (0 bytes); copy it again from where it was used
page.session: it is neither an SQLite database nor a session string
shop.session: it is a database, but no session of Telethon, Pyrogram, Kurigram or grammers
zeros.session: it is not signed in: its key is all zeros; sign in again

Nothing was opened or changed.
"#);
}
