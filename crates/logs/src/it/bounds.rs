//! The bounds: the budget of disk, the age of lines, and what a full disk does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use logs::{Filter, Level, Retention};
use proptest::prelude::*;

use crate::it::world::{TIMEOUT, World, retention, size, size_at_once};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_files_never_have_more_than_the_budget(
        budget in 300_000_u64..1_500_000,
        lengths in prop::collection::vec(prop_oneof![8 => 1_usize..400, 1 => 1_usize..20_000], 100..3_000),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = World::new(budget);
            let watched = Arc::new(AtomicBool::new(true));
            let watcher = std::thread::spawn({
                let (watched, folder) = (Arc::clone(&watched), world.logs());
                move || {
                    let mut most = 0;
                    while watched.load(Ordering::Relaxed) {
                        most = most.max(size_at_once(&folder).unwrap_or(0));
                    }
                    most
                }
            });
            for (place, lengths) in lengths.chunks(100).enumerate() {
                world.log(|| {
                    for (number, length) in lengths.iter().enumerate() {
                        // Words that do not compress to nothing.
                        let words: String = (0..*length)
                            .map(|at| char::from(b'a' + u8::try_from((at * at + at * (place + 7) + number * 31) % 26).unwrap_or(0)))
                            .collect();
                        tracing::info!(words);
                    }
                });
                world.find(Filter { level: Some(Level::Error), ..Filter::default() }).await;
            }
            watched.store(false, Ordering::Relaxed);
            let most = watcher.join().expect("ends");
            prop_assert!(most <= budget, "{most} of {budget}");
            let all = world.all().await;
            // The newest lines are there, without a gap.
            prop_assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
            prop_assert_eq!(world.store.counts().lost, 0);
            prop_assert!(!all.is_empty());
            world.end().await;
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn the_oldest_go_first_and_the_newest_stay() {
    let world = World::new(400_000);
    for round in 0..40_u32 {
        world.log(|| {
            for number in 0..500_u32 {
                let noise =
                    u128::from(number * 1_000 + round).wrapping_pow(7).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                tracing::info!(round, number, noise, "a line of some length that is there to fill the disk");
            }
        });
        world.find(Filter::default()).await;
    }
    let all = world.all().await;
    assert!(all.len() > 2_000 && all.len() < 20_000, "{}", all.len());
    assert_eq!(all.last().and_then(|line| line.field("number")), Some("499"));
    assert_ne!(all[0].field("round"), Some("0"));
    assert!(world.store.counts().size <= 400_000);
    world.end().await;
}

#[tokio::test]
async fn old_lines_are_removed_even_within_the_budget() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = Retention::new(1 << 30, Duration::from_hours(24)).with_free_space(|_| Ok(1 << 40));
    let world = World::on(folder, rules.with_timeout(TIMEOUT));
    for hour in 0..40_u32 {
        world.log(|| tracing::info!(hour, "an hour"));
        world.find(Filter::default()).await;
        world.clock.advance(Duration::from_hours(1));
    }
    // The writer looks at the age with what it writes.
    world.log(|| tracing::info!(hour = 40, "an hour"));
    world.find(Filter::default()).await;
    let all = world.all().await;
    let oldest: u32 = all[0].field("hour").and_then(|hour| hour.parse().ok()).expect("an hour");
    // Whole segments go: some of what is a little too old may still be there.
    assert!((10..=16).contains(&oldest), "{oldest}");
    assert_eq!(all.last().and_then(|line| line.field("hour")), Some("40"));
    world.end().await;
}

#[tokio::test]
async fn a_disk_that_is_nearly_full_is_left_to_the_messages() {
    let free = Arc::new(AtomicU64::new(1 << 40));
    let rules = Retention::new(1 << 30, Duration::from_hours(24)).with_free_space({
        let free = Arc::clone(&free);
        move |_| Ok(free.load(Ordering::Relaxed))
    });
    let world = World::on(tempfile::tempdir().expect("a folder"), rules.with_timeout(TIMEOUT));
    let fill = |from: u32| {
        world.log(|| {
            (from..from + 200).for_each(|number| tracing::info!(number, "a line that takes some room"));
        });
    };
    fill(0);
    world.find(Filter::default()).await;
    let before = size(&world.logs());
    free.store(1 << 20, Ordering::Relaxed);
    fill(200);
    world.find(Filter::default()).await;
    assert_eq!(size(&world.logs()), before, "nothing grows");
    assert!(world.store.counts().lost >= 200);

    free.store(1 << 40, Ordering::Relaxed);
    fill(400);
    let page =
        world.find(Filter { text: Some("log lines are missing here".to_owned()), ..Filter::default() }).await;
    let lost: u64 = page.lines.iter().filter_map(|line| line.field("lost")?.parse::<u64>().ok()).sum();
    assert!(lost >= 200, "{page:?}");
    let all = world.all().await;
    let numbers: Vec<u32> = all.iter().filter_map(|line| line.field("number")?.parse().ok()).collect();
    assert_eq!(numbers, (0..200).chain(400..600).collect::<Vec<_>>());
    world.end().await;
}

#[tokio::test]
async fn a_budget_that_was_made_smaller_holds_from_the_start() {
    let world = World::new(1 << 20);
    for _ in 0..20 {
        world.log(|| {
            (0..3_000_u32)
                .for_each(|number| tracing::info!(noise = number.wrapping_mul(2_654_435_761), "line"));
        });
        world.find(Filter::default()).await;
    }
    let folder = world.end().await;
    assert!(size(&folder.path().join("logs")) > 320_000);
    let world = World::on(folder, retention(320_000));
    assert!(size(&world.logs()) <= 320_000);
    assert!(!world.all().await.is_empty());
    world.end().await;
}
