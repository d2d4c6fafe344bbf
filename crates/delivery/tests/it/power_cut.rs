//! What waits for the disk: an outcome that the provider's key can find out again does not, and is found out after a power cut.

use std::fs;
use std::time::Duration;

use delivery::Settled;
use domain::MessageState;

use crate::folder::Folder;
use crate::script::{Act, Bench, album, group, text};

/// Whether every commit waited for the disk.
fn all_synced(bench: &Bench) -> bool {
    let written = bench.store.written();
    written.commits == written.synced
}

#[tokio::test]
async fn the_outcome_of_a_text_does_not_wait_for_the_disk() {
    let bench = Bench::new().await;
    let id = bench.submit(text(group(1), "hello")).await;
    bench.settled(id).await;
    assert!(!all_synced(&bench));
}

#[tokio::test]
async fn the_outcome_of_media_waits_as_their_files_go() {
    let bench = Bench::new().await;
    let id = bench.submit(album(group(1), 2, "hello")).await;
    bench.settled(id).await;
    assert!(all_synced(&bench));
}

/// The files of a store as they are on the disk now.
fn disk_of(bench: &Bench) -> Folder {
    let disk = Folder::on_sqlite();
    fs::create_dir(disk.path().join("data")).expect("a folder");
    for name in ["data/store.json", "data/switchboard.db", "data/switchboard.db-wal", "master.key"] {
        fs::copy(bench.folder.path().join(name), disk.path().join(name)).expect("copied");
    }
    disk
}

#[tokio::test]
async fn a_text_whose_outcome_a_power_cut_undoes_is_there_once() {
    let bench = Bench::new().await;
    bench.script.act("main", [Act::SendLate]);
    let id = bench.submit(text(group(1), "hello")).await;
    while bench.script.effects().is_empty() {
        bench.breathe().await;
    }
    // What comes after this is not synced when its caller hears of it.
    let synced = disk_of(&bench);
    bench.script.answer_late();
    let settled = bench.delivery.settled_with_attempt(id, Duration::from_mins(1)).await;
    let Settled { message: reported, only_attempt } = settled.expect("reads").expect("exists");
    assert_eq!(reported.state, MessageState::Sent);
    assert_eq!(bench.attempts(id).await, [only_attempt.expect("known without a read")]);

    let bench = bench.restart_on(Some(synced)).await;
    let found = bench.settled(id).await;
    assert_eq!((found.state, found.message_ids()), (MessageState::Sent, reported.message_ids()));
    assert_eq!(
        (bench.script.texts().len(), bench.script.calls()),
        (1, 2),
        "the same is sent again under its key"
    );
}
