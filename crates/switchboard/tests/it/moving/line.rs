//! The line to another machine: OpenSSH as the owner has it, cut lines, small disks. A stand-in for `ssh` runs what it is
//! given here.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use super::killed::kill_after;
use super::relay::{Pace, Relay};
use super::{Sides, fine};
use crate::binary;
use crate::shell::cli::Cli;

/// A folder with a program of this name in it, for the front of PATH.
pub(super) fn program(sides: &Sides, name: &str, text: &str) -> PathBuf {
    let folder = sides.world.data_dir("bin");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(name);
    fs::write(&file, format!("#!/bin/sh\n{text}\n")).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
    folder
}

/// What `ssh` does with its words, as far as the other end goes: a shell gets what follows `--`.
const TO_A_SHELL: &str = "while [ \"$1\" != -- ]; do shift; done; shift";

fn over_ssh(sides: &Sides, ssh: &str) -> Cli {
    let folder = program(sides, "ssh", ssh);
    let data_dir = sides.folder("new");
    std::os::unix::fs::symlink(binary(), folder.join("switchboard")).expect("a link");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    let settings = sides.world.settings_file();
    let to = format!("ssh://root@new.example.com:22{}", data_dir.display());
    let words = [
        "run",
        "--to",
        &to,
        "--to-config",
        settings.to_str().expect("UTF-8"),
        "--listen",
        "127.0.0.1:0",
        "--watch",
        "0s",
        "--yes",
        "--json",
    ];
    sides.cli(&words).env("PATH", &path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_over_ssh_speaks_through_the_command_ssh() {
    let sides = Sides::begin().await;
    let folder = sides.world.data_dir("bin");
    let ssh = format!(
        "echo \"$*\" >> {}/asked\necho 'Welcome to this machine.'\n{TO_A_SHELL}\nexec sh -c \"$*\"",
        folder.display()
    );
    fine(over_ssh(&sides, &ssh).beside().await);
    let arguments = fs::read_to_string(folder.join("asked")).expect("it was asked");
    assert!(
        arguments.starts_with("-o BatchMode=yes ")
            && arguments.contains("-p 22 root@new.example.com -- switchboard move serve"),
        "{arguments}"
    );
    sides.is_served_by("new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_cut_is_taken_up_by_itself() {
    let sides = Sides::begin().await;
    let folder = sides.world.data_dir("bin");
    // The first line is cut when the first file comes over.
    let ssh = format!(
        "n=$(cat {0}/count 2>/dev/null || echo 0); n=$((n+1)); echo $n > {0}/count\n{TO_A_SHELL}\n\
         [ $n -gt 1 ] && exec sh -c \"$*\"\nexec 3<&0\nsh -c \"exec $*\" <&3 &\n\
         while [ ! -e {1}/move/incoming/switchboard.db ]; do sleep 0.05; done\nkill -KILL $!",
        folder.display(),
        sides.folder("new").display()
    );
    fine(over_ssh(&sides, &ssh).beside().await);
    sides.is_served_by("new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_host_key_is_reported_in_the_words_of_ssh() {
    let sides = Sides::begin().await;
    let refused =
        over_ssh(&sides, r"printf 'It has changed.\r\nHost key verification failed.\r\n' >&2; exit 255")
            .beside()
            .await;
    assert!(
        refused.code == Some(1) && refused.all().contains("It has changed.\nHost key verification failed."),
        "{}",
        refused.all()
    );
    sides.is_served_by("old").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_too_small_is_refused() {
    let sides = Sides::begin().await;
    let new = sides.folder("new");
    fs::create_dir(&new).expect("a folder");
    let small = format!(
        "exec unshare --mount sh -ec 'mount -t tmpfs -o size=20m tmpfs {}; exec {} \"$@\"' sh \"$@\"",
        new.display(),
        binary().display()
    );
    let folder = program(&sides, "small", &small);
    let to = format!("exec:{}", folder.join("small").display());
    let words = ["run", "--to", &to, "--to-data-dir", new.to_str().expect("UTF-8"), "--yes"];
    let refused = sides.cli(&words).beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("MB are needed"), "{}", refused.all());
    sides.is_served_by("old").await;
}

/// The new side, for a relay that leads to it.
fn side(sides: &Sides) -> Vec<String> {
    let text = |path: PathBuf| path.into_os_string().into_string().expect("UTF-8");
    let (new, settings) = (text(sides.folder("new")), text(sides.world.settings_file()));
    let words = ["move", "serve", "--data-dir", &new, "--config", &settings];
    [text(binary().to_owned())].into_iter().chain(words.map(str::to_owned)).collect()
}

fn over(sides: &Sides, relay: &Relay) -> Cli {
    let line = relay.connector(&sides.world.data_dir("."), &[]);
    let to = format!("exec:{}", line.display());
    sides.cli(&["run", "--to", &to, "--listen", "127.0.0.1:0", "--watch", "0s", "--yes", "--json"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_line_that_is_cut_again_and_again_is_enough() {
    let sides = Sides::begin().await;
    let pace =
        Pace { piece: 16 * 1024, takes: Duration::from_millis(2), cut_after: Some(200_000), version: None };
    let relay = Relay::at_pace(side(&sides), pace).await;
    fine(over(&sides, &relay).beside().await);
    assert!(relay.connections() > 2, "it was cut");
    sides.is_served_by("new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_on_the_new_side_is_refused() {
    let sides = Sides::begin().await;
    let pace = Pace {
        piece: 64 * 1024,
        takes: Duration::ZERO,
        cut_after: None,
        version: Some(env!("CARGO_PKG_VERSION")),
    };
    let relay = Relay::at_pace(side(&sides), pace).await;
    let refused = over(&sides, &relay).beside().await;
    assert!(
        refused.code == Some(1) && refused.all().contains("install the same on both"),
        "{}",
        refused.all()
    );
    sides.is_served_by("old").await;
}

/// A move onto a disk of its own.
fn onto(sides: &Sides, disk: &testkit::Disk) -> Cli {
    let (program, folder) = disk.inside();
    let (to, settings) = (format!("exec:{}", program.display()), sides.world.settings_file());
    let [folder, settings] =
        [folder, settings].map(|path| path.into_os_string().into_string().expect("UTF-8"));
    let words =
        ["run", "--to", &to, "--to-data-dir", &folder, "--to-config", &settings, "--listen", "127.0.0.1:0"];
    sides.cli(&[&words[..], &["--watch", "0s", "--yes", "--json"]].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_is_waited_for() {
    let sides = Sides::begin().await;
    let disk = testkit::Disk::held(&sides.folder("new"), binary(), 200);
    // Dropped before the disk: it kills the program that its folder names.
    let sides = sides;
    // What needs no stop was begun, and another writer takes what is free there.
    let run = onto(&sides, &disk);
    tokio::task::block_in_place(|| kill_after(run, "first_backup"));
    let taken = disk.fill();
    let refused = onto(&sides, &disk).beside().await;
    assert!(refused.code == Some(1) && refused.all().contains("is full"), "{}", refused.all());
    sides.old_serves().await;
    fs::remove_file(taken).expect("removed");
    fine(onto(&sides, &disk).beside().await);
    sides.is_served_by("new").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_after_the_stop_undoes_the_move() {
    let sides = Sides::begin().await;
    let disk = testkit::Disk::held(&sides.folder("new"), binary(), 200);
    // Dropped before the disk: it kills the program that its folder names.
    let sides = sides;
    let run = onto(&sides, &disk);
    tokio::task::block_in_place(|| kill_after(run, "give_up"));
    let taken = disk.fill();
    let undone = onto(&sides, &disk).beside().await;
    assert!(undone.code == Some(1) && undone.all().contains("the move was undone"), "{}", undone.all());
    fs::remove_file(taken).expect("removed");
    sides.is_served_by("old").await;
}
