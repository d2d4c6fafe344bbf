//! The report of invented numbers.

use super::*;
use crate::ledger::Audit;
use crate::scenario::choosing::OneKind;
use crate::scenario::dashboard::{Press, Weight};
use crate::scenario::idle::AtRest;
use crate::scenario::logs::{Rotation, Word};
use crate::scenario::search::Text;
use crate::scenario::send_text::Side;
use crate::scenario::sizes::Size;
use crate::scenario::upload::{BothWays, Side as UploadSide};

fn summary(p50: u32) -> Summary {
    Summary { count: 10, p50, p90: p50 * 2, p99: p50 * 3, max: p50 * 4 }
}

fn side(per_second: f64, p50: u32, processor: f64) -> Side {
    Side {
        requests: 10,
        per_second,
        slowest_round_per_second: per_second - 1.0,
        fastest_round_per_second: per_second + 1.0,
        latency: summary(p50),
        processor,
        memory: 20_992,
        memory_highest: 30_720,
        audit: Audit { confirmed: 10, ..Audit::default() },
        ..Side::default()
    }
}

fn size(accounts: usize) -> Size {
    Size {
        accounts,
        dialogs: 4_000,
        first_reading: 45,
        ready_after: 210,
        accounts_ready_after: 650,
        reading_again: 0,
        memory_after_reading: 32_768,
        memory_at_rest: 30_720,
        unknown_methods: Vec::new(),
    }
}

fn upload(took: u32, processor: f64) -> UploadSide {
    UploadSide { files: 3, took, processor, memory_more: 5_120 }
}

fn report() -> Report {
    let pair = || Pair { ours: side(6000.0, 5_000, 60.0), baseline: side(500.0, 60_000, 600.0) };
    let at_rest = |accounts| AtRest {
        accounts,
        ready_after: 120,
        accounts_ready_after: 340,
        memory: 20_480,
        processor: 1.25,
    };
    let mut report = Report {
        command: "cargo xtask bench".to_owned(),
        machine: Machine {
            cores: 2,
            processor: "A Fine Chip".to_owned(),
            kernel: "6.1".to_owned(),
            file_system: "ext4".to_owned(),
            append_to_disk: summary(400),
        },
        baseline: "Flask 3".to_owned(),
        rounds: 3,
        round_seconds: 15,
        send_text: Some(SendText { kept: pair(), closed: pair(), unknown_methods: Vec::new() }),
        added_latency: Some(AddedLatency {
            library: summary(500),
            send_text: summary(1_400),
            messages: summary(1_300),
            audit: Audit { confirmed: 30, ..Audit::default() },
            unknown_methods: Vec::new(),
        }),
        idle: Some(Idle { ours: at_rest(5), baseline: at_rest(1) }),
        choosing: Some(Choosing { chats: vec![OneKind { what: "a group", p50: 9_870, p99: 12_340 }] }),
        failover: Some(Failover {
            direct: summary(1_400),
            over: summary(2_600),
            sent: 22,
            in_ledger: 22,
            unknown_methods: Vec::new(),
        }),
        sizes: Some(Sizes { owner: size(5), hundred: size(100) }),
        upload: Some(Upload {
            size: 100_000_000,
            ours: upload(900, 250.0),
            library: upload(1_800, 1_000.0),
            sent: 6,
            whole: 6,
            both_ways: BothWays {
                size: 500_000_000,
                memory_more_out: 7_168,
                memory_more_back: 4_096,
                same: 500_000_000,
            },
            unknown_methods: Vec::new(),
        }),
        many_files: Some(ManyFiles {
            accounts: 100,
            sent: 100,
            memory_before: 40_960,
            memory_highest: 102_400,
            memory_after: 61_440,
            unknown_methods: Vec::new(),
        }),
        import: Some(Import {
            bytes: 100_000_000,
            took: 4_200,
            processor: 2_100,
            accounts: 100,
            peers: 400_000,
            unknown_methods: Vec::new(),
        }),
        logs: Some(Logs {
            lines: 10_000_001,
            written: 10_000_001,
            text: 1_600_000_000,
            stored: 130_000_000,
            processor: 1.25,
            per_second: 400_000.0,
            words: vec![Word {
                what: "a word that is not there",
                found: 0,
                expected: 0,
                ours: 12,
                served: 14,
                served_found: 0,
                page: 700,
                grep: 900,
                zgrep: 9_000,
            }],
            page: 350,
            memory_before: 30_720,
            memory_highest: 40_960,
            rotation: Rotation { budget: 10_000, most: 9_999, lines: 2_000, went: true },
        }),
        dashboard: Some(Dashboard {
            accounts: 2_000,
            cards: 4_006,
            beats: 10_000_000,
            first_visit: summary(90_000),
            later_visit: summary(60_000),
            server: summary(7_000),
            weight: Weight { page: 20_000, files: 30_000, unpacked: 200_000 },
            presses: vec![Press { what: "pause an account", times: summary(30_000) }],
            alone: 4.0,
            watched: 4.5,
            ..Dashboard::default()
        }),
        search: Some(Search {
            messages: 1_000_000,
            words: vec![Text {
                what: "in one of them",
                found: 1,
                expected: 1,
                first_page: 500,
                all_pages: 1_000,
                pages: 20,
            }],
            ..Search::default()
        }),
        broken_off: Vec::new(),
        goals: Vec::new(),
    };
    report.judge();
    report
}

#[test]
fn both_sides_stand_in_one_line_with_their_ratio() {
    let text = report().markdown();
    for line in [
        "| requests a second | 6000 | 500 | 12× |",
        "| slowest – fastest round | 5999 – 6001 | 499 – 501 | |",
        "| p99, ms | 15.0 | 180.0 | 0.08× |",
        "| CPU a request, µs | 60 | 600 | 0.10× |",
        "| memory after it, MB | 20.5 | 20.5 | |",
        "| missing / twice / wrong id / not answered | 0 / 0 / 0 / 0 | 0 / 0 / 0 / 0 | |",
        "| `POST /send_text` | 1.40 | 2.80 | 4.20 | 0.90 |",
        "| start to all accounts ready, ms | 340 | 340 |",
        "| over a failover | 2.60 | 5.20 | 7.80 |",
        "| a group | 9.8 | 12.3 |",
        "| … to all accounts ready, ms | 650 | 650 |",
        "| memory at rest, MB | 30.0 | 30.0 |",
        "| a file, ms | 900 | 1800 | 0.50× |",
        "| CPU a file, ms | 250 | 1000 | 0.25× |",
        "| 60 s after the last one | 60.0 |",
        "| 4200 | 2100 | 100 | 400000 |",
        "| the overview, nothing kept by the browser | 90.0 | 180.0 | 360.0 |",
        "| pause an account | 30.0 | 60.0 | 120.0 |",
        "| Switchboard | this run | 2000 accounts, 4006 cards | 60.0 (p90 of the slowest one; slowest press 120.0) | 180.0 (p90; slowest 360.0) |",
        "| [Uptime Kuma #7079](https://github.com/louislam/uptime-kuma/issues/7079) | 2.1.3 | 700 monitors | about 45,000, each, loading included | about 45,000 |",
        "| in one of them | 1 | 500 | 1000 | 20 |",
        "| a word that is not there | 0 | 12 | 14 | 700 | 900 | 9000 |",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert!(text.contains("takes 0.40 ms at p50 and 1.20 ms at p99"));
}

#[test]
fn a_good_run_is_good_and_a_broken_one_is_not() {
    let mut report = report();
    assert!(report.is_good(), "{:?}", report.goals);
    report.broken_off.push("idle: the world did not start".to_owned());
    assert!(!report.is_good());
    assert!(report.markdown().contains("**Not measured:** idle: the world did not start"));
}

#[test]
fn a_failure_is_quoted_on_one_line() {
    let mut report = report();
    if let Some(send_text) = &mut report.send_text {
        send_text.kept.ours.failures = 1;
        send_text.kept.ours.first_failure = Some("answered 500 `x`\ny".to_owned());
    }
    report.judge();
    assert!(!report.is_good());
    assert!(report.markdown().contains("First failure of Switchboard: `answered 500  x  y`\n"));
}

#[test]
fn numbers_are_short() {
    assert_eq!(
        (times(120.0, 10.0), times(1.0, 8.0), times(1.0, 0.0)),
        ("12×".into(), "0.12×".into(), "–".into())
    );
    assert_eq!((milliseconds(812), milliseconds(12_340)), ("0.81".into(), "12.3".into()));
    assert_eq!(megabytes(1_536), "1.5");
}
