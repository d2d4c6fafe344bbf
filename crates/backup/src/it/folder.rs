//! Copies in a folder: whole or not there, kept by number and age, tried again where it is away or full.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use config::{BackupCopySettings, BackupSettings};

use crate::it::world::{HOUR, World, by_hand, names};

fn to(folder: PathBuf) -> BackupCopySettings {
    BackupCopySettings { folder: Some(folder), ..BackupCopySettings::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_backup_is_copied_and_copies_are_pruned() {
    let keep = |place: &Path| BackupCopySettings { keep: 2, ..to(World::elsewhere(place)) };
    let world = World::new(|place| by_hand(keep(place))).await;
    let elsewhere = world.place.path().join("elsewhere");
    fs::write(elsewhere.join("switchboard-20200131T120000.250Z.tar.gz"), "another's").expect("written");
    world.backups.start();
    let mut made = Vec::new();
    for _ in 0..3 {
        let name = world.made().await;
        let copies = world.copied(&name).await;
        assert!(copies.failing.is_none() && !copies.encrypted, "{copies:?}");
        made.push(name);
    }
    world.until("the first is gone", |now| now.copies.as_ref().is_some_and(|copies| copies.count == 2)).await;
    let wanted = ["switchboard-20200131T120000.250Z.tar.gz", made[1].as_str(), made[2].as_str()];
    assert_eq!(names(&elsewhere), wanted, "what others put there stays");
    let copy = elsewhere.join(made[2].as_str());
    assert_eq!(fs::metadata(&copy).expect("a file").permissions().mode() & 0o777, 0o600);
    let original = fs::read(world.folder().join(made[2].as_str())).expect("reads");
    assert!(fs::read(&copy).expect("reads") == original);
    let history = world.ended().await;
    assert_eq!(history.copies.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_copies_and_backups_go_by_their_age() {
    let settings = |place: &Path| BackupSettings {
        keep_for: 48 * HOUR,
        ..by_hand(BackupCopySettings { keep_for: 24 * HOUR, ..to(World::elsewhere(place)) })
    };
    let world = World::new(settings).await;
    world.backups.start();
    let first = world.made().await;
    world.copied(&first).await;
    world.clock.advance(30 * HOUR);
    let second = world.made().await;
    world.copied(&second).await;
    world.until("one copy is left", |now| now.copies.as_ref().is_some_and(|copies| copies.count == 1)).await;
    assert_eq!(names(&world.place.path().join("elsewhere")), [second.as_str()]);
    world.clock.advance(30 * HOUR);
    let third = world.made().await;
    world.until("two backups are left", |now| now.backups.len() == 2).await;
    assert!(world.folder().join(third.as_str()).exists() && !world.folder().join(first.as_str()).exists());
    world.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_away_costs_no_backup() {
    let world = World::new(|place| by_hand(to(place.join("elsewhere")))).await;
    world.backups.start();
    let name = world.made().await;
    let failing = world
        .until_later("it was tried again", |now| {
            now.copies.as_ref().and_then(|copies| copies.failing.as_ref()).is_some_and(|one| one.attempts > 1)
        })
        .await;
    let why = failing.copies.and_then(|copies| copies.failing).expect("it fails").why;
    assert!(why.contains("is its disk mounted?"), "{why}");
    assert_eq!(world.backups.troubles().await.copying, Some(Some(why)));
    assert!(world.folder().join(name.as_str()).exists());
    World::elsewhere(world.place.path());
    world.copied(&name).await;
    assert_eq!(world.backups.troubles().await.copying, Some(None));
    world.ended().await;
}

/// A disk of one MiB that goes with the process that mounted it.
struct SmallDisk(Child, PathBuf);

impl SmallDisk {
    fn mounted(at: &Path) -> Self {
        fs::create_dir(at).expect("a folder");
        let script = "mount -t tmpfs -o size=1m tmpfs \"$1\"; echo mounted; read -r _";
        let is_root =
            fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
        let flags: &[&str] = if is_root { &["--mount"] } else { &["--mount", "--user", "--map-root-user"] };
        let mut child = Command::new("unshare")
            .args(flags)
            .args(["sh", "-ec", script, "sh"])
            .arg(at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare runs");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it tells");
        assert_eq!(line, "mounted\n", "a disk can be mounted in a namespace");
        let inside = format!("/proc/{}/root{}", child.id(), at.display());
        Self(child, inside.into())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_holds_no_half_copy_and_gets_it_later() {
    let place = tempfile::tempdir().expect("a folder");
    let disk = SmallDisk::mounted(&place.path().join("disk"));
    let world = World::new(|_| by_hand(to(disk.1.clone()))).await;
    let other = disk.1.join("of-another");
    fs::write(&other, vec![7; 1 << 20]).expect("written");
    world.backups.start();
    let name = world.made().await;
    let failing = world
        .until("it failed", |now| now.copies.as_ref().is_some_and(|copies| copies.failing.is_some()))
        .await;
    let why = failing.copies.and_then(|copies| copies.failing).expect("it fails").why;
    assert!(why.contains("No space left"), "{why}");
    assert_eq!(names(&disk.1), ["of-another"]);
    assert!(world.folder().join(name.as_str()).exists());
    fs::remove_file(&other).expect("removed");
    world.copied(&name).await;
    world.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_copies_backups_made_without_it() {
    let world = World::new(|place| by_hand(to(World::elsewhere(place)))).await;
    let (first, second) = (world.made().await, world.made().await);
    world.backups.start();
    world.until_later("both are", |now| now.copies.as_ref().is_some_and(|copies| copies.count == 2)).await;
    assert_eq!(names(&world.place.path().join("elsewhere")), [first.as_str(), second.as_str()]);
    world.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_of_new_settings_gets_them_too() {
    let world = World::new(|_| by_hand(BackupCopySettings::default())).await;
    world.backups.start();
    let name = world.made().await;
    assert!(world.backups.status().await.expect("is known").copies.is_none());
    world.backups.reload(&by_hand(to(World::elsewhere(world.place.path()))));
    world.copied(&name).await;
    world.backups.stop(Duration::from_mins(1)).await;
}
