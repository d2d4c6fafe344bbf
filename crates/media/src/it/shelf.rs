//! The shelf: what is put on it stays, through restarts, until its time; and no more than fits.

use std::convert::Infallible;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::UploadId;
use futures::stream::{self, StreamExt};
use media::intake::Disk;
use media::shelf::{Owner, Put, Rules};
use media::{Limits, Shelf, TakeError, Upload};
use proptest::prelude::*;
use tokio::sync::Notify;

use crate::it::world::{LIMITS, World, names};

const OWNER: Owner = [9; 32];
const RULES: Rules = Rules { keep: Duration::from_hours(24), most_bytes: 100, most_files: 4 };

impl World {
    fn shelf_folder(&self) -> PathBuf {
        self.folder.path().join("uploads")
    }

    async fn shelf(&self) -> Shelf {
        Shelf::open(self.shelf_folder(), self.ids.clone(), self.clock.clone(), LIMITS, RULES).await.unwrap()
    }
}

async fn put(shelf: &Shelf, size: usize) -> Result<Upload, TakeError> {
    let bytes = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![7; size]))]);
    shelf.put(Some("a.bin"), (OWNER, None), None, bytes).await.map(new)
}

fn new(put: Put) -> Upload {
    let Put::New(upload) = put else { panic!("{put:?}") };
    upload
}

#[tokio::test]
async fn an_upload_stays_through_a_restart_until_its_time_is_over() {
    let world = World::new();
    let bytes = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"%PDF-1.7"))]);
    let upload =
        world.shelf().await.put(Some("../my\nscan"), (OWNER, None), Some(8), bytes).await.map(new).unwrap();
    assert!(upload.id.to_string().starts_with("upl_"));
    assert_eq!(upload.name.as_str(), "myscan.pdf");
    assert_eq!(names(&world.shelf_folder()), [upload.id.to_string(), format!("{}.json", upload.id)]);
    let shelf = world.shelf().await;
    assert_eq!(shelf.get(upload.id), Some(upload.clone()));
    assert_eq!(shelf.next_expiry(), Some(upload.expires_at));
    world.clock.advance(RULES.keep);
    assert_eq!(shelf.get(upload.id), None);
    assert_eq!(shelf.sweep().await.unwrap(), 1);
    assert_eq!((names(&world.shelf_folder()).len(), shelf.next_expiry()), (0, None));
}

#[tokio::test]
async fn uploads_expired_while_stopped_are_gone_after_a_start() {
    let world = World::new();
    let upload = put(&world.shelf().await, 5).await.unwrap();
    world.clock.advance(RULES.keep);
    let shelf = world.shelf().await;
    assert_eq!(shelf.get(upload.id), None);
    assert_eq!(names(&world.shelf_folder()), [""; 0]);
}

#[tokio::test]
async fn only_leftovers_of_crashes_are_cleared_away() {
    let world = World::new();
    let shelf = world.shelf().await;
    let mut uploads = Vec::new();
    for _ in 0..4 {
        uploads.push(put(&shelf, 5).await.unwrap().id);
    }
    let file = |id: UploadId| world.shelf_folder().join(id.to_string());
    let note = |id: UploadId| world.shelf_folder().join(format!("{id}.json"));
    fs::remove_file(note(uploads[0])).unwrap();
    fs::remove_file(file(uploads[1])).unwrap();
    fs::write(file(uploads[2]), b"short").unwrap();
    fs::write(note(uploads[2]), b"{\"name\":").unwrap();
    fs::write(world.shelf_folder().join("upl_x.part"), b"half").unwrap();
    fs::write(world.shelf_folder().join("notes.txt"), b"the owner's").unwrap();
    let shelf = world.shelf().await;
    let kept = uploads[3];
    assert!(shelf.get(kept).is_some());
    assert!(uploads[..3].iter().all(|id| shelf.get(*id).is_none()));
    assert_eq!(
        names(&world.shelf_folder()),
        ["notes.txt".to_owned(), kept.to_string(), format!("{kept}.json")]
    );
    // A file that is not as long as its note says is not what was uploaded.
    fs::write(file(kept), b"1234").unwrap();
    assert!(world.shelf().await.get(kept).is_none());
}

#[tokio::test]
async fn no_more_than_fits_is_stored_and_room_comes_back() {
    let world = World::new();
    let shelf = world.shelf().await;
    let full = |result: Result<Upload, TakeError>| match result {
        Err(TakeError::ShelfFull { most }) => assert_eq!(most, RULES.most_bytes),
        other => panic!("it was not full: {other:?}"),
    };
    let first = put(&shelf, 60).await.unwrap();
    full(put(&shelf, 41).await);
    let never = stream::pending::<Result<Bytes, Infallible>>();
    full(shelf.put(None, (OWNER, None), Some(41), never).await.map(new));
    put(&shelf, 40).await.unwrap();
    full(put(&shelf, 1).await);
    // A restart counts the same.
    let shelf = world.shelf().await;
    full(put(&shelf, 1).await);
    assert!(shelf.remove(first.id).await.unwrap());
    assert!(!shelf.remove(first.id).await.unwrap());
    assert!(!fs::exists(first.taken.path).unwrap());
    for _ in 0..3 {
        put(&shelf, 1).await.unwrap();
    }
    full(put(&shelf, 1).await);
    // All of them expire, and the next upload finds room by itself.
    world.clock.advance(RULES.keep);
    put(&shelf, 100).await.unwrap();
    assert_eq!(names(&world.shelf_folder()).len(), 2);
}

#[tokio::test]
async fn unfinished_uploads_take_room_until_they_break_off() {
    let world = World::new();
    let shelf = world.shelf().await;
    let begun = || stream::once(async { Ok::<_, io::Error>(Bytes::from(vec![7; 60])) });
    {
        // Asked for its second piece, the upload has taken the room for its first.
        let arrived = Notify::new();
        let rest = stream::once(async {
            arrived.notify_one();
            std::future::pending().await
        });
        let mut under_way = Box::pin(shelf.put(None, (OWNER, None), None, begun().chain(rest)));
        tokio::select! {
            result = &mut under_way => panic!("it cannot end: {result:?}"),
            () = arrived.notified() => {}
        }
        assert!(matches!(put(&shelf, 41).await, Err(TakeError::ShelfFull { .. })));
        put(&shelf, 40).await.unwrap();
    }
    let broken = begun().chain(stream::once(async { Err(io::Error::other("gone")) }));
    assert!(matches!(shelf.put(None, (OWNER, None), None, broken).await, Err(TakeError::Broken(_))));
    assert_eq!(names(&world.shelf_folder()).len(), 2);
    put(&shelf, 60).await.unwrap();
}

#[tokio::test]
async fn a_message_keeps_what_leaves_the_shelf() {
    let world = World::new();
    let shelf = world.shelf().await;
    let upload = put(&shelf, 9).await.unwrap();
    let kept = world.intake(LIMITS).await.adopt(&upload.taken).await.unwrap();
    world.clock.advance(RULES.keep);
    shelf.sweep().await.unwrap();
    assert_eq!(fs::read(kept.path).unwrap(), [7; 9]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_bound_holds_and_each_upload_is_there_or_refused(sizes in prop::collection::vec(0..60_usize, 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let world = World::new();
        runtime.block_on(async {
            let shelf = world.shelf().await;
            let mut held = Vec::new();
            for size in sizes {
                let before: usize = held.iter().map(|(_, size)| size).sum();
                let fits = size > 0 && before + size <= 100 && held.len() < 4;
                let result = put(&shelf, size).await;
                assert_eq!(result.is_ok(), fits, "{size} after {held:?}");
                held.extend(result.map(|upload| (upload.id, size)));
            }
            let shelf = world.shelf().await;
            for (id, size) in held {
                assert_eq!(shelf.get(id).unwrap().taken.size, size as u64);
            }
        });
    }
}

#[tokio::test]
async fn the_same_upload_sent_again_is_stored_once() {
    let world = World::new();
    let shelf = world.shelf().await;
    let put = async |shelf: &Shelf, name, bytes: &'static [u8], token| {
        let bytes = stream::iter([Ok::<_, Infallible>(Bytes::from_static(bytes))]);
        shelf.put(Some(name), (OWNER, Some([token; 32])), None, bytes).await.unwrap()
    };
    let first = new(put(&shelf, "a.bin", b"abc", 1).await);
    assert_eq!(put(&shelf, "a.bin", b"abc", 1).await, Put::Again(first.clone()));
    for (name, bytes) in [("b.bin", b"abc"), ("a.bin", b"abd")] {
        assert_eq!(put(&shelf, name, bytes, 1).await, Put::Other);
    }
    assert_ne!(new(put(&shelf, "a.bin", b"abc", 2).await).id, first.id);
    assert_eq!(names(&world.shelf_folder()).len(), 4);
    // Two at once: one of them is kept, both callers are given it.
    let (one, two) = tokio::join!(put(&shelf, "c", b"xyz", 3), put(&shelf, "c", b"xyz", 3));
    let kept = |put: &Put| match put {
        Put::New(upload) | Put::Again(upload) => upload.id,
        Put::Other => panic!("the same was sent"),
    };
    assert_eq!(kept(&one), kept(&two));
    assert_eq!(names(&world.shelf_folder()).len(), 6);
    let shelf = world.shelf().await;
    assert_eq!(put(&shelf, "a.bin", b"abc", 1).await, Put::Again(first));
    world.clock.advance(RULES.keep);
    new(put(&shelf, "a.bin", b"abc", 1).await);
}

#[tokio::test]
async fn a_full_disk_ends_an_upload_and_leaves_no_files() {
    let world = World::new();
    let calls = AtomicU64::new(0);
    let disk = Disk::with_free_space(move |_| {
        let times = calls.fetch_add(1, Ordering::Relaxed);
        Ok(if times == 0 { 1 << 30 } else { 100 << 20 })
    });
    let limits = Limits { most: 1 << 30, ..LIMITS };
    let rules = Rules { most_bytes: 1 << 30, ..RULES };
    let (ids, clock) = (world.ids.clone(), world.clock.clone());
    let shelf = Shelf::open_on(disk, world.shelf_folder(), ids, clock, limits, rules).await.unwrap();
    let piece = Bytes::from(vec![7; 1 << 20]);
    let endless = stream::repeat_with(|| Ok::<_, Infallible>(piece.clone()));
    let full = shelf.put(None, (OWNER, None), None, endless).await;
    assert!(matches!(full, Err(TakeError::NoSpace)), "{full:?}");
    let declared =
        shelf.put(None, (OWNER, None), Some(1), stream::pending::<Result<Bytes, Infallible>>()).await;
    assert!(matches!(declared, Err(TakeError::NoSpace)), "{declared:?}");
    assert_eq!(names(&world.shelf_folder()), [""; 0]);
}
