//! A folder as it is left on an old server.

use std::fs;
use std::os::unix::fs::symlink;

use domain::ExposeSecret;
use session_files::{Foreign, Limit, Unreadable, scan, string_session, write_kurigram, write_telethon};

use crate::it::fixture::{database, session};

#[test]
fn all_sessions_are_found_and_grouped_by_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let deep = root.join("old/2023");
    fs::create_dir_all(&deep).expect("a folder");
    write_telethon(&root.join("a.session"), &session(1)).expect("written");
    write_kurigram(&deep.join("b.session"), &session(2)).expect("written");
    // The same key three times: moved to another program, and to a string.
    write_kurigram(&deep.join("c.session"), &session(1)).expect("written");
    let text = string_session(&session(1)).expect("a string");
    fs::write(root.join("d.txt"), text.expose_secret()).expect("a file");
    fs::write(root.join("e.session.bak"), b"SQLite format 3\0").expect("a file");
    fs::create_dir(root.join("tdata")).expect("a folder");
    fs::write(root.join("tdata/key_datas"), b"TDF$").expect("a file");
    // What is no one's session is passed over.
    fs::write(root.join("a.session-journal"), b"").expect("a file");
    fs::write(root.join("bot.py"), b"print('hello')").expect("a file");
    fs::write(root.join("empty"), b"").expect("a file");
    database(root, "registry.db", "CREATE TABLE chat_assignments (chat_id TEXT)");
    symlink(root.join("a.session"), root.join("link.session")).expect("a link");
    symlink(root, root.join("round")).expect("a link");

    let found = scan(root).expect("readable");
    let names: Vec<_> = found
        .entries
        .iter()
        .map(|entry| entry.path.strip_prefix(root).expect("inside").to_string_lossy().into_owned())
        .collect();
    let wanted = ["a.session", "d.txt", "e.session.bak", "old/2023/b.session", "old/2023/c.session", "tdata"];
    assert_eq!(names, wanted);
    assert_eq!(found.limits, []);
    assert!(matches!(found.entries[2].outcome, Err(Unreadable::HalfCopied { .. })));
    assert!(matches!(found.entries[5].outcome, Err(Unreadable::Foreign(Foreign::Tdata))));
    let duplicates: Vec<_> = found.duplicates().into_iter().collect();
    assert_eq!(duplicates, [(session(1).key.fingerprint(), vec![0, 1, 4])]);
}

#[test]
fn the_scan_of_a_folder_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep: std::path::PathBuf = folder.path().join("1/2/3/4/5/6/7/8/9");
    fs::create_dir_all(&deep).expect("a folder");
    write_telethon(&deep.join("a.session"), &session(1)).expect("written");
    write_telethon(&deep.with_file_name("b.session"), &session(2)).expect("written");
    let found = scan(folder.path()).expect("readable");
    assert_eq!(found.entries.len(), 1);
    assert_eq!(found.limits, [Limit::Depth(deep)]);
    assert!(scan(&folder.path().join("nothing")).is_err());
}

#[test]
fn the_folder_of_another_program_is_one_session() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("td.binlog"), b"log").expect("a file");
    let found = scan(folder.path()).expect("readable");
    assert_eq!(found.entries.len(), 1);
    assert!(matches!(found.entries[0].outcome, Err(Unreadable::Foreign(Foreign::Tdlib))));
}
