//! Files of messages that come in, fetched in the background by the rule of the account.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::{ChatId, FileKind as Wanted, ReceivedId};
use media::Disk;
use sandbox::telegram::{FaultName, FileKind, NewFile, NewMessage, Written};
use telegram::{FilesView, Pool};

use super::{message, noise, outside, picture};
use crate::it::world::{World, message_id, name, until, view};

const ACCOUNT: &str = "backup_1";

/// A world whose one account fetches photos and documents of 5,000 bytes at most.
async fn world() -> World {
    let mut world = World::new().await.only(&[ACCOUNT]);
    world.settings.accounts[0].keep_files = vec![Wanted::Photo, Wanted::Document];
    world.settings.accounts[0].keep_files_up_to = 5_000;
    world
}

fn write(world: &World, file: NewFile) -> Written {
    world.telegram().write(&message("@client_1", ACCOUNT, vec![file])).expect("written")
}

fn id(written: &Written) -> ReceivedId {
    let chat_id: ChatId = written.chat_id.parse().expect("a chat");
    ReceivedId::seen_by(chat_id, message_id(written.message_id), &name(ACCOUNT))
}

/// The bytes of the stored file.
async fn stored_file(world: &World, written: &Written) -> Option<Vec<u8>> {
    let file = world.store.received().stored_file(&id(written)).await.expect("readable")?;
    Some(std::fs::read(world.received.path(&file.key)).expect("it lies here"))
}

async fn until_stored(world: &World, written: &Written) -> Vec<u8> {
    let waiting = async {
        loop {
            match stored_file(world, written).await {
                Some(bytes) => return bytes,
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.expect("it is fetched")
}

fn files(pool: &Pool) -> FilesView {
    view(pool, ACCOUNT).files
}

#[tokio::test(flavor = "multi_thread")]
async fn only_files_named_by_the_rule_are_fetched() {
    let world = world().await;
    let pool = world.ready().await;
    let large = write(&world, outside(FileKind::Document, &noise(5_001), 2));
    let voice = write(&world, outside(FileKind::Voice, &noise(90), 2));
    let photo = write(&world, outside(FileKind::Photo, &picture(1), 2));
    let document = write(&world, outside(FileKind::Document, &noise(4_000), 4));
    assert_eq!(until_stored(&world, &photo).await, picture(1));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(until_stored(&world, &document).await, noise(4_000), "from another data centre");
    assert_eq!((stored_file(&world, &large).await, stored_file(&world, &voice).await), (None, None));
    until("nothing waits", || files(&pool) == FilesView::default()).await;
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unfetched_files_are_fetched_after_a_restart() {
    let world = world().await;
    let pool = world.ready().await;
    world.fault(ACCOUNT, FaultName::Deaf).method("upload.getFile").times(1).on();
    let photo = write(&world, outside(FileKind::Photo, &picture(1), 2));
    until("it is asked for", || world.calls(ACCOUNT, "upload.getFile") > 0).await;
    let pool = world.restarted(&pool).await;
    assert_eq!(until_stored(&world, &photo).await, picture(1));
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_waited_out_and_a_file_that_is_gone_given_up() {
    let world = world().await;
    let pool = world.ready().await;
    world.fault(ACCOUNT, FaultName::FloodWait).method("upload.getFile").seconds(90.0).times(1).on();
    let photo = write(&world, outside(FileKind::Photo, &picture(1), 2));
    until("it waits", || files(&pool).stopped == Some("flood_wait")).await;
    let calls = world.calls(ACCOUNT, "upload.getFile");
    let gone = write(&world, outside(FileKind::Photo, &picture(2), 2));
    until("both wait", || view(&pool, ACCOUNT).updates.received >= 2).await;
    world.telegram().delete(&gone.chat_id, gone.message_id, Some(ACCOUNT)).expect("deleted");
    assert_eq!(world.calls(ACCOUNT, "upload.getFile"), calls, "nothing is asked for before it is over");
    world.clock.advance(Duration::from_secs(91));
    assert_eq!(until_stored(&world, &photo).await, picture(1));
    world.clock.advance(Duration::from_secs(2));
    until("nothing waits", || files(&pool) == FilesView::default()).await;
    assert_eq!(stored_file(&world, &gone).await, None);
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_fetching_until_there_is_room() {
    let mut world = world().await;
    let free = Arc::new(AtomicU64::new(0));
    let disk = Arc::clone(&free);
    world.received = world.received.on(Disk::with_free_space(move |_| Ok(disk.load(Ordering::Relaxed))));
    let pool = world.ready().await;
    let photo = write(&world, outside(FileKind::Photo, &picture(1), 2));
    until("it stopped", || files(&pool) == FilesView { waiting: 1, stopped: Some("disk_full") }).await;
    // Messages come in all the same.
    let text = NewMessage { text: "a text".to_owned(), ..message("@client_1", ACCOUNT, Vec::new()) };
    let text = world.telegram().write(&text).expect("written");
    until("it came", || view(&pool, ACCOUNT).updates.received >= 2).await;
    assert_eq!((stored_file(&world, &photo).await, stored_file(&world, &text).await), (None, None));
    free.store(1 << 40, Ordering::Relaxed);
    world.clock.advance(Duration::from_secs(61));
    assert_eq!(until_stored(&world, &photo).await, picture(1));
    world.end(&pool).await;
}
