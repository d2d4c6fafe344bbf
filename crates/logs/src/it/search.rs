//! Searching finds what looking at each line finds.

use std::time::Duration;

use domain::Timestamp;
use logs::{ErrorKind, Filter, Level, Order, Query, Reader, Service};
use proptest::prelude::*;

use crate::it::world::World;

const SMALL: u64 = 1_000_000;

#[derive(Debug, Clone)]
struct LoggedLine {
    level: Level,
    service: &'static str,
    account: &'static str,
    outcome: &'static str,
    subject: u8,
    words: String,
    /// How long it is until the next one, in seconds.
    pause: u16,
}

fn logged_line() -> impl Strategy<Value = LoggedLine> {
    let words = prop_oneof![
        4 => "(flood|Flood|wait|until|Ждать|ждать|<b>|\u{1b}\\[31m| |=|\n){0,8}",
        1 => "\\PC{0,40}",
        1 => ".{0,10}",
    ];
    (
        prop::sample::select(Level::ALL.to_vec()),
        prop::sample::select(vec!["send_text", "web", "create_chat", "nobody"]),
        prop::sample::select(vec!["main", "backup_1", "backup_2"]),
        prop::sample::select(vec!["sent", "flood_wait", "not_found", "banned"]),
        0_u8..6,
        words,
        0_u16..1_000,
    )
        .prop_map(|(level, service, account, outcome, subject, words, pause)| LoggedLine {
            level,
            service,
            account,
            outcome,
            subject,
            words,
            pause,
        })
}

fn filter() -> impl Strategy<Value = Filter> {
    let text = prop_oneof![
        prop::sample::select(vec![
            "flood",
            "FLOOD",
            "ждать",
            "Ждать",
            "account=main",
            "wait until",
            "absent word",
            "=",
            "s",
            "[31m",
            " ",
        ])
        .prop_map(str::to_owned),
        "\\PC{1,3}",
    ];
    (
        prop::collection::vec(
            prop::sample::select(vec![Service::SendText, Service::Web, Service::Other]),
            0..2,
        ),
        prop::option::of(prop::sample::select(Level::ALL.to_vec())),
        prop::option::of(prop::sample::select(vec!["main", "backup_1", "mai", ""])),
        prop::collection::vec(prop::sample::select(ErrorKind::ALL.to_vec()), 0..2),
        prop::option::of(0_u8..7),
        prop::option::of(text),
        any::<bool>(),
        prop::option::of((0_u32..100_000, 0_u32..100_000)),
    )
        .prop_map(|(services, level, account, errors, subject, text, match_case, range)| Filter {
            services,
            level,
            account: account.map(str::to_owned),
            errors,
            subject: subject.map(name),
            since: range.map(|(from, _)| moment(from)),
            until: range.map(|(from, long)| moment(from + long)),
            text,
            match_case,
        })
}

/// Seconds after the beginning of a test's time, given as a distance from now.
fn moment(seconds: u32) -> Timestamp {
    Timestamp::from_micros(i64::from(seconds) * 1_000_000)
}

fn name(subject: u8) -> String {
    format!("msg_{subject:026}")
}

fn log(logged_line: &LoggedLine) {
    let LoggedLine { level, service, account, outcome, subject, words, .. } = logged_line;
    let subject = name(*subject);
    match level {
        Level::Error => tracing::error!(service, account, outcome, subject, "{words}"),
        Level::Warn => tracing::warn!(service, account, outcome, subject, "{words}"),
        Level::Info => tracing::info!(service, account, outcome, subject, "{words}"),
        Level::Debug => tracing::debug!(service, account, outcome, subject, "{words}"),
        Level::Trace => tracing::trace!(service, account, outcome, subject, "{words}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_search_finds_what_a_look_at_each_line_finds(
        logged_lines in prop::collection::vec(logged_line(), 1..400),
        filters in prop::collection::vec((filter(), any::<bool>(), 1_usize..60), 1..12),
        repeats in 1_usize..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = World::new(SMALL);
            let began = world.clock.now();
            world.log(|| {
                for logged_line in std::iter::repeat_n(&logged_lines, repeats).flatten() {
                    log(logged_line);
                    world.clock.advance(Duration::from_secs(u64::from(logged_line.pause)));
                }
            });
            let all = world.all().await;
            prop_assert_eq!(all.len(), logged_lines.len() * repeats);
            for (line, logged_line) in all.iter().zip(std::iter::repeat_n(&logged_lines, repeats).flatten()) {
                prop_assert_eq!(&line.message, &logged_line.words);
                prop_assert_eq!((line.level, line.account()), (logged_line.level, Some(logged_line.account)));
            }
            for (mut filter, newest_first, limit) in filters {
                let shift = |at: Timestamp| began.plus(Duration::from_micros(at.as_micros().unsigned_abs()));
                filter.since = filter.since.map(shift);
                filter.until = filter.until.map(shift);
                let mut expected: Vec<_> = all.iter().filter(|line| filter.matches(line)).cloned().collect();
                let order = if newest_first { Order::NewestFirst } else { Order::OldestFirst };
                if newest_first {
                    expected.reverse();
                }
                let mut found = Vec::new();
                let mut after = None;
                loop {
                    let query = Query { filter: filter.clone(), order, after, limit };
                    let page = world.store.search(query).await.expect("reads");
                    prop_assert!(page.lines.len() <= limit);
                    found.extend(page.lines);
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                prop_assert_eq!(found, expected, "{:?}", filter);
            }
            world.end().await;
            Ok(())
        })?;
    }

    #[test]
    fn a_histogram_counts_what_a_look_at_each_line_counts(
        logged_lines in prop::collection::vec(logged_line(), 1..300),
        filter in filter(),
        length in 1_u64..100_000,
        bucket in 1_u64..5_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = World::new(SMALL);
            let began = world.clock.now();
            world.log(|| {
                for logged_line in &logged_lines {
                    log(logged_line);
                    world.clock.advance(Duration::from_secs(u64::from(logged_line.pause)));
                }
            });
            let end = began.plus(Duration::from_secs(length));
            let filter = Filter { since: Some(began), until: Some(end), ..filter };
            let counted = world
                .store
                .histogram(filter.clone(), began, end, Duration::from_secs(bucket))
                .await
                .expect("counts");
            prop_assert_eq!((counted.counted_from, counted.damaged), (None, 0));
            let bars = counted.buckets;
            let all = world.all().await;
            let within = |from: Timestamp, to: Timestamp| {
                let lines = all.iter().filter(|line| filter.matches(line) && line.at >= from && line.at < to);
                let errors = lines.clone().filter(|line| line.level == Level::Error).count() as u64;
                (lines.count() as u64, errors)
            };
            for (at, bar) in bars.iter().enumerate() {
                let next = bars.get(at + 1).map_or(end, |next| next.start);
                prop_assert_eq!((bar.lines, bar.errors), within(bar.start, next));
            }
            prop_assert_eq!(bars.first().map(|bar| bar.start), Some(began));
            prop_assert!(bars.len() <= logs::MOST_BUCKETS);
            world.end().await;
            Ok(())
        })?;
    }

    #[test]
    fn a_tally_counts_what_a_look_at_each_line_counts(
        logged_lines in prop::collection::vec(logged_line(), 1..400),
        repeats in 1_usize..8,
        skipped in 0_u32..50_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = World::new(SMALL);
            let since = world.clock.now().plus(Duration::from_secs(u64::from(skipped)));
            world.log(|| {
                for logged_line in std::iter::repeat_n(&logged_lines, repeats).flatten() {
                    log(logged_line);
                    world.clock.advance(Duration::from_secs(u64::from(logged_line.pause)));
                }
            });
            let all = world.all().await;
            let mut expected: Vec<(Option<ErrorKind>, u64, &logs::Line)> = Vec::new();
            let counts = |line: &&logs::Line| {
                line.at >= since
                    && (line.level == Level::Error || line.level == Level::Warn && line.error.is_some())
            };
            for line in all.iter().filter(counts) {
                let before = expected.iter().position(|(kind, ..)| *kind == line.error);
                let count = before.map_or(0, |place| expected.remove(place).1);
                expected.insert(0, (line.error, count + 1, line));
            }
            let tally = Reader::new(&world.logs()).tally(since).expect("reads");
            prop_assert!(!tally.cut && tally.damaged == 0);
            let found: Vec<_> = tally.kinds.iter().map(|one| (one.kind, one.count, &one.last)).collect();
            prop_assert_eq!(found, expected);
            world.end().await;
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_line_is_found_by_its_id_with_those_around_it() {
    let world = World::new(SMALL);
    world.log(|| (0..50).for_each(|number| tracing::info!(number, "line")));
    let all = world.all().await;
    let id = all[20].id;
    assert_eq!(world.store.line(id).await.expect("reads").as_ref(), Some(&all[20]));
    let (before, after) = world.store.around(id, 3).await.expect("reads");
    assert_eq!((before.as_slice(), after.as_slice()), (&all[17..20], &all[21..24]));
    let none = "log_0000000000000".parse().expect("an id");
    assert_eq!(world.store.line(none).await.expect("reads"), None);
    world.end().await;
}
