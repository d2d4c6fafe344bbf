//! Bringing files up: where an interrupted upload goes on, who waits for whom.

use std::sync::Arc;
use std::time::Duration;

use delivery::{Attempt, Sender};
use domain::Outcome;
use domain::media::MediaForm;
use domain::outcome::HoldScope;
use sandbox::telegram::FaultName;

use super::{carrying, deliver, ids, noise, part, put};
use crate::it::world::{chat_id, name, one_account, until, view};

const BIG: usize = 30 * 512 * 1024 + 5;

const PARTS: u64 = 31;

/// The most that may go up twice: what was on the way when it was cut, here and at the connection that came after.
const TWICE: u64 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upload_goes_on_where_it_was() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let bytes = noise(BIG);
    let message = carrying("", vec![put(&world, &bytes, "big.bin", "", MediaForm::Document)]);
    world.fault("backup_1", FaultName::DisconnectBefore).method("upload.saveBigFilePart").times(1).on();
    ids(&deliver(&pool, "backup_1", chat_id, &message, 1).await);
    let parts = world.calls("backup_1", "upload.saveBigFilePart");
    // Those that were on the way when it was cut went out once more, and no others.
    assert!((PARTS..=PARTS + TWICE).contains(&parts), "{parts}");
    let file = world.telegram().files().pop().expect("a file").file;
    assert_eq!(file.size, bytes.len() as u64);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_after_a_restart() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let message = carrying("", vec![put(&world, &noise(BIG), "big.bin", "", MediaForm::Document)]);
    let uploading = tokio::spawn({
        let (pool, message) = (Arc::clone(&pool), message.clone());
        async move {
            let (account, part) = (name("backup_1"), part(&message, 1));
            let attempt = Attempt {
                account: &account,
                address: &chat_id.into(),
                part: &part,
                content: &message,
                binding: store::Binding::IfUnbound,
            };
            pool.prepare(attempt).await
        }
    });
    let calls = || world.calls("backup_1", "upload.saveBigFilePart");
    until("half of it is there", || calls() >= PARTS / 2).await;
    uploading.abort();
    let _ = uploading.await;
    pool.stop(Duration::from_secs(5)).await;
    // Parts that were written already may still be on their way; they do the key no harm.
    let pool = world.ready().await;
    ids(&deliver(&pool, "backup_1", chat_id, &message, 1).await);
    let parts = calls();
    assert!((PARTS..=PARTS + TWICE).contains(&parts), "{parts}");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sender_waits_for_the_same_upload() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let bytes = noise(3 * 128 * 1024);
    let messages: Vec<_> =
        (0..4).map(|_| carrying("", vec![put(&world, &bytes, "a.bin", "", MediaForm::Document)])).collect();
    let sending = (1..).zip(&messages).map(|(random_id, message)| {
        let pool = Arc::clone(&pool);
        async move { deliver(&pool, "backup_1", chat_id, message, random_id).await }
    });
    for outcome in futures::future::join_all(sending).await {
        ids(&outcome);
    }
    assert_eq!(world.calls("backup_1", "upload.saveFilePart"), 3);
    assert_eq!(world.telegram().ledger(0, 10).len(), 4);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn short_waits_are_waited_out_and_long_ones_reported() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let message = |number| carrying("", vec![super::photo(&world, number)]);
    world.fault("backup_1", FaultName::FloodWait).method("upload.saveFilePart").seconds(1.0).times(1).on();
    ids(&deliver(&pool, "backup_1", chat_id, &message(1), 1).await);
    world.fault("backup_1", FaultName::FloodWait).method("upload.saveFilePart").seconds(300.0).times(1).on();
    let outcome = deliver(&pool, "backup_1", chat_id, &message(2), 2).await;
    assert!(matches!(outcome, Outcome::Held { scope: HoldScope::Account, .. }), "{outcome:?}");
    // It is a wait for uploads: nothing more is brought up, and what Telegram has and texts go out.
    let parts = world.calls("backup_1", "upload.saveFilePart");
    let other = deliver(&pool, "backup_1", chat_id, &message(3), 3).await;
    assert_eq!((other, world.calls("backup_1", "upload.saveFilePart")), (outcome, parts));
    ids(&deliver(&pool, "backup_1", chat_id, &message(1), 4).await);
    let floods = view(&pool, "backup_1").floods;
    assert!(floods.is_empty(), "it may still send: {floods:?}");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_short_waits_are_reported_as_one() {
    let (world, pool) = one_account().await;
    let chat_id = chat_id(&pool, "backup_1", "@client_1").await;
    let message = carrying("", vec![put(&world, &noise(5_000), "file.bin", "", MediaForm::Document)]);
    world.fault("backup_1", FaultName::FloodWait).method("upload.saveFilePart").seconds(15.0).on();
    let delivering = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { deliver(&pool, "backup_1", chat_id, &message, 1).await }
    });
    until("it gives up", || {
        world.clock.advance(Duration::from_secs(1));
        delivering.is_finished()
    })
    .await;
    let outcome = delivering.await.expect("an outcome");
    assert!(matches!(outcome, Outcome::Held { scope: HoldScope::Account, .. }), "{outcome:?}");
    assert!((4..=8).contains(&world.calls("backup_1", "upload.saveFilePart")));
    pool.stop(Duration::from_secs(5)).await;
}
