//! Taking files in from streams, readers and the server's own folder.

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use media::intake::{PathError, TakePathError, Wait};
use media::{Content, Limits, TakeError};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::it::world::{LIMITS, World};

fn pieces(pieces: Vec<Vec<u8>>) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
    stream::iter(pieces.into_iter().map(|piece| Ok(Bytes::from(piece))))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_stream_within_the_limits_becomes_its_bytes(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..6),
        most in 0..9000_u64,
        declared in prop::option::of(0..9000_u64),
        honest: bool,
    ) {
        let whole = parts.concat();
        let size = whole.len() as u64;
        let declared = if honest { declared.map(|_| size) } else { declared };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let world = World::new();
        let result = runtime.block_on(async {
            world.intake(Limits { most, ..LIMITS }).await.stream(declared, pieces(parts)).await
        });
        let fits = size > 0 && size <= most && declared.is_none_or(|declared| declared == size);
        prop_assert_eq!(result.is_ok(), fits, "{:?}", result);
        prop_assert_eq!(world.left().len(), usize::from(fits));
        if let Ok(taken) = result {
            prop_assert_eq!(taken.sha256, <[u8; 32]>::from(Sha256::digest(&whole)));
            prop_assert_eq!(std::fs::read(taken.path).unwrap(), whole);
        }
    }
}

#[tokio::test]
async fn a_reader_is_read_to_its_end_and_no_one_else_reads_the_file() {
    let world = World::new();
    let intake = world.intake(LIMITS).await;
    let taken =
        intake.reader(Some(300_000), tokio::io::AsyncReadExt::take(tokio::io::repeat(7), 300_000)).await;
    let taken = taken.unwrap();
    assert_eq!((taken.size, taken.facts.content), (300_000, Content::Unknown));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&taken.path), mode(taken.path.parent().unwrap())), (0o600, 0o700));
    let endless = intake.reader(None, tokio::io::repeat(7)).await.unwrap_err();
    assert!(matches!(endless, TakeError::TooLarge { .. }), "{endless:?}");
}

#[tokio::test]
async fn streams_that_break_or_stop_leave_nothing() {
    let world = World::new();
    let minute = Duration::from_mins(1);
    let begun = || stream::once(async { Ok::<_, io::Error>(Bytes::from_static(b"abc")) });
    let intake = world.intake(LIMITS).await;
    let broken = begun().chain(stream::once(async { Err(io::Error::other("cable pulled")) }));
    let error = intake.stream(None, broken).await.unwrap_err();
    assert!(matches!(&error, TakeError::Broken(why) if why == "cable pulled"), "{error:?}");
    for (limits, expected) in [
        (Limits { idle: minute, ..LIMITS }, Wait::NextBytes),
        (Limits { total: minute, ..LIMITS }, Wait::WholeFile),
    ] {
        let intake = world.intake(limits).await;
        let stopped = intake.stream(None, begun().chain(stream::pending()));
        let error = world.hurry(stopped).await.unwrap_err();
        assert!(matches!(error, TakeError::TooSlow { wait, limit } if wait == expected && limit == minute));
    }
    assert_eq!(world.left(), [""; 0]);
}

#[tokio::test]
async fn a_disk_that_fails_is_no_fault_of_the_file() {
    let world = World::new();
    let intake = world.intake(LIMITS).await;
    std::fs::remove_dir(world.folder.path().join("taken")).unwrap();
    let error = intake.stream(None, pieces(vec![vec![7]])).await.unwrap_err();
    assert!(matches!(error, TakeError::Disk(_)), "{error:?}");
    for full in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
        assert!(matches!(TakeError::from(io::Error::from(full)), TakeError::NoSpace));
    }
}

#[tokio::test]
async fn files_of_the_server_are_copied_from_inside_the_folder_alone() {
    let world = World::new();
    let media = world.folder.path().join("media");
    std::fs::create_dir(&media).unwrap();
    std::fs::write(media.join("a.pdf"), b"%PDF-1.7").unwrap();
    std::fs::write(media.join("empty"), b"").unwrap();
    std::fs::write(world.folder.path().join("secret"), b"secret").unwrap();
    symlink(world.folder.path().join("secret"), media.join("link")).unwrap();
    let intake = world.intake(LIMITS).await;
    let taken = intake.path(&media, Path::new("a.pdf")).await.unwrap();
    assert_eq!((taken.size, taken.facts.content), (8, Content::Pdf));
    std::fs::write(media.join("a.pdf"), b"changed!").unwrap();
    assert_eq!(std::fs::read(&taken.path).unwrap(), b"%PDF-1.7");
    let refused = async |path: &str| intake.path(&media, Path::new(path)).await.unwrap_err();
    assert!(matches!(refused("../secret").await, TakePathError::Path(PathError::Outside)));
    assert!(matches!(refused("link").await, TakePathError::Path(PathError::Link)));
    assert!(matches!(refused("none").await, TakePathError::Path(PathError::NotFound)));
    assert!(matches!(refused("empty").await, TakePathError::Take(TakeError::Empty)));
    assert_eq!(world.left().len(), 1);
}

#[tokio::test]
async fn an_adopted_file_outlives_the_one_it_came_from() {
    let world = World::new();
    let intake = world.intake(LIMITS).await;
    let first = intake.stream(None, pieces(vec![b"GIF89a".to_vec()])).await.unwrap();
    let second = intake.adopt(&first).await.unwrap();
    std::fs::remove_file(&first.path).unwrap();
    assert_eq!(std::fs::read(&second.path).unwrap(), b"GIF89a");
    assert_eq!((second.size, second.sha256, second.facts), (first.size, first.sha256, first.facts));
    assert!(intake.adopt(&first).await.is_err());
}

#[tokio::test]
async fn partial_files_of_a_crash_are_cleared_away() {
    let world = World::new();
    let folder = world.folder.path().join("taken");
    std::fs::create_dir(&folder).unwrap();
    for name in ["file_1", "file_2.part"] {
        std::fs::write(folder.join(name), b"x").unwrap();
    }
    world.intake(LIMITS).await;
    assert_eq!(world.left(), ["file_1"]);
}
