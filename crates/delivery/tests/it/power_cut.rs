//! What waits for the disk: an outcome that the provider's key can find out again does not.

use crate::script::{Bench, album, group, text};

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
