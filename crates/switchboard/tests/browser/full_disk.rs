//! A disk that is really full, on the real page: a file system of the test's own, filled and freed again.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use testkit::World;

use crate::binary;
use crate::faults::{looks, red};
use crate::stage::{Stage, beginning};

/// How large the disk is, in MiB: what the program wants free to take in work, its reserve, and as much again.
const SIZE: u32 = 160;

/// Runs the program in a mount namespace of its own, where its data directory lies on a file system in memory; that goes when
/// the program does. A link leads whoever is outside to where it lies inside.
const ON_ITS_OWN_DISK: &str = r#"#!/bin/sh
exec unshare {flags} sh -ec '
  mount -t tmpfs -o size={size}m,mode=0700 tmpfs "{disk}"
  ln -s "/proc/$$/root{disk}" "{data}"
  exec "{binary}" "$@"
' sh "$@"
"#;

/// With which of its flags `unshare` lets this user mount a file system in memory.
fn namespaces(folder: &Path) -> &'static str {
    let mut refusals = Vec::new();
    for flags in ["--mount", "--map-root-user --mount"] {
        let tried = Command::new("unshare")
            .args(flags.split(' '))
            .args(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder)
            .output();
        match tried {
            Ok(tried) if tried.status.success() => return flags,
            Ok(tried) => {
                refusals.push(format!("unshare {flags}: {}", String::from_utf8_lossy(&tried.stderr).trim()));
            }
            Err(error) => refusals.push(format!("unshare {flags}: {error}")),
        }
    }
    panic!(
        "this machine lets nobody mount a file system in a namespace, so that no disk can be filled ({}); run the test as root, \
         or where users may make namespaces",
        refusals.join("; ")
    );
}

/// The program on a disk of its own, and where that is.
async fn stage() -> (Stage, PathBuf) {
    let world = World::start(binary()).await;
    let [disk, script] = ["disk", "on-its-own-disk"].map(|name| world.data_dir(name));
    let data = world.data_dir("data");
    std::fs::create_dir(&disk).expect("a folder");
    let text = ON_ITS_OWN_DISK
        .replace("{flags}", namespaces(&disk))
        .replace("{size}", &SIZE.to_string())
        .replace("{disk}", &disk.display().to_string())
        .replace("{data}", &data.display().to_string())
        .replace("{binary}", &binary().display().to_string());
    std::fs::write(&script, text).expect("written");
    std::fs::set_permissions(&script, Permissions::from_mode(0o700)).expect("can be run");
    let mut start = beginning(&world);
    start.binary = &script;
    let program = start.ready().await;
    (Stage::of(world, program).await, data)
}

/// Writes until there is no room.
fn fill(file: &Path) {
    let mut file = File::create(file).expect("a file");
    let bytes = vec![1; 64 * 1024];
    for size in [bytes.len(), 512, 1] {
        loop {
            match file.write_all(&bytes[..size]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("the disk cannot be filled: {error}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_red_on_the_page_until_there_is_room_again() {
    let (stage, data) = stage().await;
    let tab = stage.tab().await;
    tab.open("/").await;
    stage.pass(60).await;
    looks(&tab, "store", "ok", "ready", "").await;
    assert_eq!(red(&tab).await, "");
    assert_eq!(stage.program.send("@client_1", "There is room.").await.0, 200);

    let filling = data.join("filling");
    fill(&filling);
    stage.pass(60).await;
    looks(&tab, "store", "bad", "disk_full", "the disk is full").await;
    // Nothing else is to blame, and nothing is taken in that could be lost.
    assert_eq!(red(&tab).await, "c-store");
    let (status, refused) = stage.program.send("@client_1", "There is none.").await;
    assert_eq!((status, &refused["code"]), (507, &json!("storage_full")), "{refused}");
    tab.until("[...document.querySelectorAll('#alerts > .alert.bad')].some((one) => one.textContent.toLowerCase().includes('disk'))").await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
    assert_eq!(stage.world.sent().await, ["There is room."]);

    std::fs::remove_file(&filling).expect("removed");
    stage.pass(60).await;
    looks(&tab, "store", "ok", "ready", "").await;
    assert_eq!(red(&tab).await, "");
    assert_eq!(stage.program.send("@client_1", "There is room again.").await.0, 200);
    assert_eq!(stage.world.sent().await, ["There is room.", "There is room again."]);
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}
