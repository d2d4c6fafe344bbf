//! Restores for practice: of the copy where there is one; what is wrong is known until one goes well.

use std::fs;
use std::path::Path;
use std::time::Duration;

use backup::{BackupError, BackupState, BackupStatus, DrillOf, RestoreError, Verification, verify};
use config::{BackupCopySettings, BackupSettings};
use tokio_util::sync::CancellationToken;

use crate::it::age::{encrypted, identity};
use crate::it::world::{HOUR, World, by_hand, names};

fn weekly(copy: BackupCopySettings) -> BackupSettings {
    BackupSettings { drill_every: 7 * 24 * HOUR, ..by_hand(copy) }
}

/// What the last drill came to; nothing as long as there was none after the one before.
async fn drilled(world: &World, before: Option<&backup::Drill>) -> backup::Drill {
    let is_new = |now: &BackupStatus| now.drills.last.is_some() && now.drills.last.as_ref() != before;
    world.until_later("a drill takes place", is_new).await.drills.last.expect("a drill")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_restores_the_newest_backup_and_leaves_no_file() {
    let world = World::new(|_| weekly(BackupCopySettings::default())).await;
    world.backups.start();
    let name = world.made().await;
    let drill = drilled(&world, None).await;
    assert_eq!((&drill.name, drill.of), (&name, DrillOf::Backup));
    assert!(drill.came.as_ref().is_ok_and(|rows| *rows > 0), "{drill:?}");
    assert_eq!(world.backups.troubles().await.drill, Some(None));
    assert_eq!(names(&world.folder()), ["history.json", name.as_str()]);
    let next = world.backups.status().await.expect("is known").drills.next_at.expect("another");
    assert_eq!(next, drill.at.plus(7 * 24 * HOUR));
    // The store that it is of works on.
    world.store.services().stopped().await.expect("reads");
    world.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_copy_fails_the_drill_until_a_whole_one_exists() {
    let copy = |place: &Path| BackupCopySettings {
        folder: Some(World::elsewhere(place)),
        ..BackupCopySettings::default()
    };
    let world = World::new(|place| weekly(copy(place))).await;
    world.backups.start();
    let name = world.made().await;
    world.copied(&name).await;
    let file = world.place.path().join("elsewhere").join(name.as_str());
    let whole = fs::read(&file).expect("reads");
    fs::write(&file, &whole[..whole.len() - 1]).expect("written");
    let failed = drilled(&world, None).await;
    assert_eq!((&failed.name, failed.of), (&name, DrillOf::Copy));
    let why = failed.came.clone().expect_err("it is changed");
    assert!(why.contains("not what was written there"), "{why}");
    assert_eq!(world.backups.troubles().await.drill, Some(Some(why)));
    fs::write(&file, whole).expect("written");
    let well = drilled(&world, Some(&failed)).await;
    // Sooner than the next one would be; the clock also runs while a drill takes place.
    assert!(well.came.is_ok() && well.at.since(failed.at) < 7 * 24 * HOUR, "{well:?}");
    assert_eq!(world.backups.troubles().await.drill, Some(None));
    assert_eq!(names(&world.folder()), ["history.json", name.as_str()]);
    world.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_copy_is_compared_and_its_backup_restored() {
    let keys = tempfile::tempdir().expect("a folder");
    let (_, recipient) = identity(keys.path());
    let world = World::new(|place| weekly(encrypted(place, &recipient))).await;
    world.backups.start();
    let name = world.made().await;
    world.copied(&name).await;
    let drill = drilled(&world, None).await;
    assert_eq!((drill.of, drill.came.is_ok()), (DrillOf::EncryptedCopy, true), "{drill:?}");
    world.backups.stop(Duration::from_mins(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_missing_are_noticed() {
    let world = World::new(|_| by_hand(BackupCopySettings::default())).await;
    let name = world.made().await;
    let file = world.folder().join(name.as_str());
    // Someone packs it again and says that there were more.
    let forged = world.place.path().join("forged.tar.gz");
    let script = r#"
        tar -xzf "$1" -C "$3" && cd "$3" && sed -i 's/"service_switches": 1/"service_switches": 2/' manifest.json
        grep -q '"service_switches": 2' manifest.json && tar -czf "$2" switchboard.db outgoing/01a manifest.json
    "#;
    let unpacked = tempfile::tempdir().expect("a folder");
    let packed = std::process::Command::new("sh")
        .args(["-ec", script, "sh"])
        .args([&file, &forged, &unpacked.path().to_path_buf()])
        .output()
        .expect("sh runs");
    assert!(packed.status.success(), "{packed:?}");
    let verification = |file| Verification {
        file,
        into: world.place.path().join("practice"),
        master_key: world.master_key(),
        identity: None,
        clock: world.clock.clone(),
        stopping: CancellationToken::new(),
    };
    verify(verification(file)).await.expect("the whole one is well");
    let refused = verify(verification(forged.clone())).await.err();
    assert!(matches!(refused, Some(RestoreError::Archive { .. })), "{refused:?}");
    // So does the trial of one.
    let later = world.made().await;
    fs::copy(&forged, world.folder().join(later.as_str())).expect("in its place");
    world.backups.check(later.clone()).await.expect("begins");
    let is_broken = |now: &BackupStatus| {
        now.backups.iter().any(|one| one.name == later && one.state == BackupState::Broken)
    };
    world.until("it is broken", is_broken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_runs_on_request() {
    let world = World::new(|_| by_hand(BackupCopySettings::default())).await;
    let none = world.backups.begin_drill().await;
    assert!(matches!(none, Err(BackupError::None { .. })), "{none:?}");
    let name = world.made().await;
    world.backups.begin_drill().await.expect("it begins");
    let standing = world.until("it is over", |now| !now.drills.is_running && now.drills.last.is_some()).await;
    let drill = standing.drills.last.expect("a drill");
    assert_eq!((&drill.name, drill.of, drill.came.is_ok()), (&name, DrillOf::Backup, true), "{drill:?}");
    assert_eq!(standing.drills.next_at, None, "none takes place by itself");
}
