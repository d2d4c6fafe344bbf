//! What can happen to a store: strange texts, a clock that is set back, files cut or changed at any byte, two writers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use logs::{ErrorKind, Filter, LogStore, OpenError, Query, Reader};
use proptest::prelude::*;

use crate::it::world::{World, read, retention};

#[tokio::test]
async fn any_text_is_stored_unchanged() {
    let world = World::new(1 << 20);
    let texts = [
        "\u{1b}[31mred\u{1b}[0m \u{7}\u{0}\r\n\t",
        "<script>alert(1)</script> & \"quotes\" 'too'",
        "Привет, 世界 \u{202e}\u{2066} 🦀",
        "",
        " account=main subject=msg_1",
    ];
    for text in texts {
        world.log(|| tracing::info!(value = text, "{text}"));
    }
    let long = "x".repeat(1 << 20);
    world.log(|| tracing::warn!(body = long.as_str(), account = "main", code = "FLOOD_WAIT_7", "long"));
    let all = world.all().await;
    for (line, text) in all.iter().zip(texts) {
        assert_eq!((line.message.as_str(), line.field("value")), (text, Some(text)));
    }
    let cut = &all[texts.len()];
    let body = cut.field("body").expect("a body");
    assert!(body.len() < 10_000 && body.ends_with("… [cut, 1048576 bytes in all]"), "{}", body.len());
    assert_eq!((cut.account(), cut.error), (Some("main"), Some(ErrorKind::FloodWait)));
    // A text that looks like fields is none.
    let page = world.find(Filter { account: Some("main".to_owned()), ..Filter::default() }).await;
    assert_eq!(page.lines, std::slice::from_ref(cut));
    world.end().await;
}

#[tokio::test]
async fn a_clock_that_is_set_back_changes_neither_order_nor_ids() {
    // A clock that is an hour ahead, and after a restart right again.
    let world = World::new(1 << 20);
    world.clock.advance(Duration::from_hours(1));
    world.log(|| tracing::info!("before"));
    let before = world.all().await;
    let folder = world.end().await;
    let world = World::on(folder, retention(1 << 20));
    world.log(|| tracing::info!("after"));
    let all = world.all().await;
    assert_eq!(all.iter().map(|line| line.message.as_str()).collect::<Vec<_>>(), ["before", "after"]);
    assert!(all[0].id < all[1].id && all[0].at > all[1].at && all[0] == before[0]);
    // The time that is asked for is the one that the clock said.
    let until = Some(all[0].at);
    let page = world.find(Filter { until, ..Filter::default() }).await;
    assert_eq!(page.lines.len(), 1);
    assert_eq!(page.lines[0].message, "after");
    world.end().await;
}

#[tokio::test]
async fn a_second_writer_is_refused_and_files_are_private() {
    let world = World::new(1 << 20);
    world.log(|| tracing::info!("mine"));
    assert_eq!(world.all().await.len(), 1);
    let (_, gathered) = logs::layer(world.clock.clone());
    let second = LogStore::open(&world.logs(), retention(1 << 20), gathered);
    assert!(matches!(second, Err(OpenError::Held { .. })));
    // A program that only reads needs no permission.
    assert_eq!(read(&world.logs()).len(), 1);
    let mode = |path: &std::path::Path| fs::metadata(path).expect("is there").permissions().mode() & 0o777;
    assert_eq!(mode(&world.logs()), 0o700);
    for file in fs::read_dir(world.logs()).expect("a folder").flatten() {
        assert_eq!(mode(&file.path()), 0o600, "{:?}", file.path());
    }
    world.end().await;
}

#[test]
fn a_folder_that_is_not_there_has_no_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let page = Reader::new(&folder.path().join("none")).search(&Query::default()).expect("reads");
    assert!(page.lines.is_empty() && page.next.is_none());
}

/// A folder with some segments and an open file.
fn written() -> tempfile::TempDir {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let world = World::new(400_000);
        for round in 0..4_u32 {
            world.log(|| {
                for number in 0..700_u32 {
                    let noise =
                        u128::from(number * 10 + round).wrapping_pow(9).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    tracing::info!(round, number, noise, "a line of a common length");
                }
            });
            world.find(Filter::default()).await;
        }
        world.end().await
    })
}

/// The folder once more, to be spoilt.
fn copy(from: &std::path::Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("logs")).expect("a folder");
    for file in fs::read_dir(from.join("logs")).expect("a folder").flatten() {
        fs::copy(file.path(), folder.path().join("logs").join(file.file_name())).expect("copies");
    }
    folder
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_files_open_and_keep_whole_lines(
        which: prop::sample::Index,
        at: prop::sample::Index,
        cut: bool,
        bit in 0_u8..8,
    ) {
        static WHOLE: std::sync::OnceLock<tempfile::TempDir> = std::sync::OnceLock::new();
        let whole = WHOLE.get_or_init(written).path();
        let before = read(&whole.join("logs"));
        prop_assert_eq!(before.len(), 2_800);
        let folder = copy(whole);
        let logs = folder.path().join("logs");
        let mut files: Vec<_> = fs::read_dir(&logs).expect("a folder").flatten().map(|file| file.path()).collect();
        files.retain(|file| fs::metadata(file).is_ok_and(|file| file.len() > 0));
        files.sort();
        prop_assert!(files.len() >= 3, "{files:?}");
        let file = which.get(&files);
        let mut bytes = fs::read(file).expect("reads");
        let place = at.index(bytes.len());
        if cut {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 1 << bit;
        }
        fs::write(file, bytes).expect("writes");
        // Who reads, and who writes on: neither stumbles.
        let unmended = read(&logs);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let after = runtime.block_on(async {
            let world = World::on(folder, retention(400_000));
            world.log(|| tracing::info!("after"));
            world.store.search(Query::default()).await.expect("reads");
            let logs = world.logs();
            let after = read(&logs);
            world.end().await;
            after
        });
        let (last, kept) = after.split_last().expect("a line");
        prop_assert_eq!(&last.message, "after");
        prop_assert!(before.iter().all(|line| line.id != last.id || unmended.len() < before.len()));
        for lines in [kept, &unmended] {
            prop_assert!(lines.iter().all(|line| before.binary_search_by_key(&line.id, |line| line.id).is_ok_and(|at| before[at] == *line)));
            prop_assert!(lines.len() >= 700, "{}", lines.len());
        }
    }
}
