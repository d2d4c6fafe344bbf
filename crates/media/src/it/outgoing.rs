//! Outgoing files: theirs who hold them, then their message's, then gone.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use domain::media::{FileKey, Sha256};
use futures::stream;
use media::{Held, Outgoing};

use crate::it::world::{LIMITS, World};

const HOUR: Duration = Duration::from_hours(1);

impl World {
    async fn outgoing(&self) -> Outgoing {
        let folder = self.folder.path().join("taken");
        Outgoing::open(folder, self.ids.clone(), self.clock.clone(), LIMITS).await.unwrap()
    }
}

async fn take(outgoing: &Outgoing, bytes: &'static [u8]) -> Held {
    let pieces = stream::iter([Ok::<_, Infallible>(Bytes::from_static(bytes))]);
    let taken = outgoing.intake().stream(None, pieces).await.unwrap();
    outgoing.hold(taken).unwrap()
}

#[tokio::test]
async fn a_file_that_no_message_got_goes_with_its_holder() {
    let world = World::new();
    let outgoing = world.outgoing().await;
    let (kept, dropped) = (take(&outgoing, b"one").await, take(&outgoing, b"two").await);
    let key = kept.key().clone();
    assert_ne!(&key, dropped.key());
    assert_eq!(kept.taken().size, 3);
    kept.keep();
    drop(dropped);
    assert_eq!(world.left(), [key.as_str()]);
    assert_eq!(std::fs::read(outgoing.path(&key)).unwrap(), b"one");
    assert_eq!(std::io::read_to_string(outgoing.open_file(&key).unwrap()).unwrap(), "one");
    outgoing.remove(&key).await.unwrap();
    outgoing.remove(&key).await.expect("it is gone already");
    assert_eq!(outgoing.open_file(&key).unwrap_err().kind(), std::io::ErrorKind::NotFound);
}

#[tokio::test]
async fn files_taken_elsewhere_are_not_held() {
    let world = World::new();
    let outgoing = world.outgoing().await;
    let mut taken = take(&outgoing, b"one").await.taken().clone();
    taken.path = world.folder.path().join(taken.path.file_name().unwrap());
    std::fs::write(&taken.path, b"one").unwrap();
    assert!(outgoing.hold(taken.clone()).is_err());
    assert!(taken.path.exists());
}

#[tokio::test]
async fn held_files_are_listed_until_stored_or_dropped() {
    let world = World::new();
    let outgoing = world.outgoing().await;
    let (kept, dropped) = (take(&outgoing, b"one").await, take(&outgoing, b"two").await);
    let both = HashSet::from([kept.key().clone(), dropped.key().clone()]);
    assert_eq!(outgoing.clone().held(), both);
    kept.keep();
    assert_eq!(outgoing.held(), HashSet::from([dropped.key().clone()]));
    drop(dropped);
    assert_eq!(outgoing.held(), HashSet::new());
}

#[tokio::test]
async fn a_file_is_held_again_under_a_key_of_its_own() {
    let world = World::new();
    let outgoing = world.outgoing().await;
    let first = take(&outgoing, b"one").await;
    let (size, sha256) = (first.taken().size, Sha256(first.taken().sha256));
    let again = outgoing.again(first.key(), size, sha256).await.unwrap();
    assert_ne!(again.key(), first.key());
    assert_eq!(std::fs::read(outgoing.path(again.key())).unwrap(), b"one");
    let gone = first.key().clone();
    drop(first);
    assert_eq!(std::fs::read(outgoing.path(again.key())).unwrap(), b"one");
    assert!(outgoing.again(&gone, size, sha256).await.is_err());
}

#[tokio::test]
async fn the_sweep_takes_what_is_old_and_no_ones() {
    let world = World::new();
    let outgoing = world.outgoing().await;
    let mut keys: Vec<FileKey> = Vec::new();
    for _ in 0..3 {
        let held = take(&outgoing, b"one").await;
        keys.push(held.key().clone());
        held.keep();
    }
    std::fs::write(world.folder.path().join("taken/notes.txt"), b"the owner's").unwrap();
    let keep = HashSet::from([keys[1].clone()]);
    assert_eq!(outgoing.sweep(keep.clone(), HOUR).await.unwrap(), 0);
    world.clock.advance(HOUR);
    let young = take(&outgoing, b"two").await;
    let again = world.outgoing().await;
    assert_eq!(again.sweep(keep, HOUR).await.unwrap(), 2);
    let mut left = [keys[1].as_str(), young.key().as_str(), "notes.txt"];
    left.sort_unstable();
    assert_eq!(world.left(), left);
}
