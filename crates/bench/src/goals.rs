//! The goals: what Switchboard promises over the baseline, and whether a run kept it.

mod looking;

use serde::Serialize;

pub(crate) use looking::{of_the_dashboard, of_the_search};

use crate::ledger::Audit;
use crate::report::{megabytes, milliseconds, times};
use crate::scenario::added_latency::AddedLatency;
use crate::scenario::send_text::SendText;
use crate::scenario::sizes::{Size, Sizes};
use crate::scenario::upload::Upload;

/// At least so many times the baseline's requests a second.
const REQUESTS: f64 = 6.0;

/// At most this part of the baseline's p99.
const TAIL: f64 = 0.25;

/// At most this part of the baseline's processor time for a request.
const PROCESSOR: f64 = 0.125;

/// Less than this is added to one send at p50, in microseconds.
const ADDED: u32 = 1_000;

/// At most this part of the library's processor time for a large file.
const UPLOAD_PROCESSOR: f64 = 1.0 / 3.0;

/// What a large file may add to the memory, in kilobytes.
const UPLOAD_MEMORY: u64 = 20 * 1_024;

/// A call of the first reading may bring this many dialogs.
const DIALOGS_OF_A_CALL: u64 = 100;

/// One goal and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) what: &'static str,
    pub(crate) wanted: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
}

/// The goals of whatever was measured.
pub(crate) fn of(send_text: Option<&SendText>, added: Option<&AddedLatency>) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut unknown = Vec::new();
    if let Some(measured) = send_text {
        let (ours, theirs) = (&measured.kept.ours, &measured.kept.baseline);
        let tail = (f64::from(ours.latency.p99), f64::from(theirs.latency.p99));
        goals.push(Goal {
            what: "requests a second, of the baseline's",
            wanted: format!("≥ {REQUESTS}×"),
            measured: times(ours.per_second, theirs.per_second),
            met: theirs.per_second > 0.0 && ours.per_second >= theirs.per_second * REQUESTS,
        });
        goals.push(Goal {
            what: "p99, of the baseline's",
            wanted: format!("≤ {TAIL}×"),
            measured: times(tail.0, tail.1),
            met: ours.requests > 0 && tail.0 <= tail.1 * TAIL,
        });
        goals.push(Goal {
            what: "CPU a request, of the baseline's",
            wanted: format!("≤ {PROCESSOR}×"),
            measured: times(ours.processor, theirs.processor),
            met: ours.requests > 0 && ours.processor <= theirs.processor * PROCESSOR,
        });
        let sides = [ours, theirs, &measured.closed.ours, &measured.closed.baseline];
        let failures: usize = sides.iter().map(|side| side.failures).sum();
        goals.push(Goal {
            what: "requests not answered with \"sent\", either side",
            wanted: "0".to_owned(),
            measured: failures.to_string(),
            met: failures == 0,
        });
        let mut audit = Audit::default();
        for side in sides {
            audit.add(&side.audit);
        }
        goals.push(once("sent under load, and in the ledger exactly once", &audit));
        unknown.extend(&measured.unknown_methods);
    }
    if let Some(measured) = added {
        for (what, through) in [
            ("added by `POST /send_text`, p50", measured.send_text),
            ("added by `POST /v1/messages`, p50", measured.messages),
        ] {
            let plus = through.p50.saturating_sub(measured.library.p50);
            goals.push(Goal {
                what,
                wanted: format!("< {} ms", milliseconds(ADDED)),
                measured: format!("{} ms", milliseconds(plus)),
                met: through.count > 0 && plus < ADDED,
            });
        }
        goals.push(once("sent by one caller, and in the ledger exactly once", &measured.audit));
        unknown.extend(&measured.unknown_methods);
    }
    goals.extend(known("methods that the pretend Telegram does not know", &unknown));
    goals
}

/// The goals of the two sizes.
pub(crate) fn of_sizes(sizes: Option<&Sizes>) -> Vec<Goal> {
    let Some(measured) = sizes else { return Vec::new() };
    let owner = Limits {
        names: [
            "start of 5 accounts that know all",
            "memory of 5 accounts, 10 sessions",
            "first reading of 5 accounts",
        ],
        start: 1_000,
        memory: 40 * 1_024,
    };
    let hundred = Limits {
        names: [
            "start of 100 accounts that know all",
            "memory of 100 accounts",
            "first reading of 100 accounts",
        ],
        start: 2_000,
        memory: 64 * 1_024,
    };
    let (mut goals, mut unknown) = (Vec::new(), Vec::new());
    for (size, limits) in [(&measured.owner, owner), (&measured.hundred, hundred)] {
        goals.extend(of_a_size(size, &limits));
        unknown.extend(&size.unknown_methods);
    }
    goals.extend(known("methods of the two sizes that the pretend Telegram does not know", &unknown));
    goals
}

/// The goals of large files.
pub(crate) fn of_files(upload: Option<&Upload>) -> Vec<Goal> {
    let Some(measured) = upload else { return Vec::new() };
    let (ours, library) = (&measured.ours, &measured.library);
    let mut goals = vec![
        Goal {
            what: "a large file, of Telethon's time with cryptg",
            wanted: "≤ 1×".to_owned(),
            measured: times(f64::from(ours.took), f64::from(library.took)),
            met: ours.files > 0 && ours.took <= library.took,
        },
        Goal {
            what: "CPU of a large file, of Telethon's with cryptg",
            wanted: format!("≤ {UPLOAD_PROCESSOR:.2}×"),
            measured: times(ours.processor, library.processor),
            met: ours.files > 0 && ours.processor <= library.processor * UPLOAD_PROCESSOR,
        },
        Goal {
            what: "memory that large files add",
            wanted: format!("< {} MB", megabytes(UPLOAD_MEMORY)),
            measured: format!("{} MB", megabytes(ours.memory_more)),
            met: ours.files > 0 && ours.memory_more < UPLOAD_MEMORY,
        },
        Goal {
            what: "large files that arrived whole",
            wanted: measured.sent.to_string(),
            measured: measured.whole.to_string(),
            met: measured.sent > 0 && measured.whole == measured.sent,
        },
    ];
    let unknown: Vec<_> = measured.unknown_methods.iter().collect();
    goals.extend(known("methods of files that the pretend Telegram does not know", &unknown));
    goals
}

/// Missed where the pretend Telegram did not know a method.
fn known(what: &'static str, unknown: &[&serde_json::Value]) -> Option<Goal> {
    let names: Vec<_> = unknown.iter().map(ToString::to_string).collect();
    let goal = Goal { what, wanted: "none".to_owned(), measured: names.join(", "), met: false };
    (!unknown.is_empty()).then_some(goal)
}

/// What one size may take.
struct Limits {
    /// The goals' names: the start, the memory, the first reading.
    names: [&'static str; 3],
    /// Milliseconds until all accounts are ready.
    start: u128,
    /// Kilobytes.
    memory: u64,
}

fn of_a_size(size: &Size, limits: &Limits) -> [Goal; 4] {
    let [start, memory, reading] = limits.names;
    let most = size.memory_after_reading.max(size.memory_at_rest);
    // The last page of each account is not full.
    let calls = (size.dialogs as u64).div_ceil(DIALOGS_OF_A_CALL) + size.accounts as u64;
    [
        Goal {
            what: start,
            wanted: format!("< {} ms", limits.start),
            measured: format!("{} ms", size.accounts_ready_after),
            met: size.accounts_ready_after > 0 && size.accounts_ready_after < limits.start,
        },
        Goal {
            what: "… and its calls that read dialogs",
            wanted: "0".to_owned(),
            measured: size.reading_again.to_string(),
            met: size.accounts > 0 && size.reading_again == 0,
        },
        Goal {
            what: memory,
            wanted: format!("< {} MB", megabytes(limits.memory)),
            measured: format!("{} MB", megabytes(most)),
            met: most > 0 && most < limits.memory,
        },
        Goal {
            what: reading,
            wanted: format!("≤ {calls} calls"),
            measured: format!("{} calls", size.first_reading),
            met: size.first_reading > 0 && size.first_reading <= calls,
        },
    ]
}

fn once(what: &'static str, audit: &Audit) -> Goal {
    Goal {
        what,
        wanted: "all".to_owned(),
        measured: if audit.is_clean() { format!("all {}", audit.confirmed) } else { format!("{audit:?}") },
        met: audit.is_clean() && audit.confirmed > 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::latency::Summary;
    use crate::scenario::send_text::{Pair, Side as SentSide};
    use crate::scenario::upload::Side;

    fn side(per_second: f64, p99: u32, processor: f64) -> SentSide {
        SentSide {
            requests: 10,
            per_second,
            latency: Summary { count: 10, p99, ..Summary::default() },
            processor,
            audit: Audit { confirmed: 10, ..Audit::default() },
            ..SentSide::default()
        }
    }

    fn measured(ours: SentSide) -> SendText {
        let baseline = || side(100.0, 4_000, 800.0);
        SendText {
            kept: Pair { ours, baseline: baseline() },
            closed: Pair { ours: side(100.0, 4_000, 800.0), baseline: baseline() },
            unknown_methods: Vec::new(),
        }
    }

    fn missed(goals: &[Goal]) -> Vec<&'static str> {
        goals.iter().filter(|goal| !goal.met).map(|goal| goal.what).collect()
    }

    #[test]
    fn just_enough_is_enough() {
        assert!(missed(&of(Some(&measured(side(600.0, 1_000, 100.0))), None)).is_empty());
    }

    #[test]
    fn each_goal_can_be_missed() {
        let goals = of(Some(&measured(side(599.0, 1_001, 101.0))), None);
        assert_eq!(missed(&goals).len(), 3);
        let mut wrong = measured(side(600.0, 1_000, 100.0));
        wrong.closed.baseline.failures = 1;
        wrong.kept.ours.audit.doubled = 1;
        wrong.unknown_methods.push("x.y".into());
        assert_eq!(
            missed(&of(Some(&wrong), None)),
            [
                "requests not answered with \"sent\", either side",
                "sent under load, and in the ledger exactly once",
                "methods that the pretend Telegram does not know"
            ]
        );
    }

    #[test]
    fn a_run_without_requests_meets_no_goal_of_speed() {
        let nothing = SendText {
            kept: Pair { ours: SentSide::default(), baseline: SentSide::default() },
            closed: Pair { ours: SentSide::default(), baseline: SentSide::default() },
            unknown_methods: Vec::new(),
        };
        assert_eq!(missed(&of(Some(&nothing), None)).len(), 4);
        assert!(of(None, None).is_empty());
    }

    #[test]
    fn each_goal_of_sizes_can_be_missed() {
        let size = |accounts, ready, memory, again| Size {
            accounts,
            dialogs: 4_000,
            first_reading: 40 + accounts as u64,
            accounts_ready_after: ready,
            memory_at_rest: memory,
            reading_again: again,
            ..Size::default()
        };
        let good = Sizes { owner: size(5, 999, 40_959, 0), hundred: size(100, 1_999, 65_535, 0) };
        assert!(missed(&of_sizes(Some(&good))).is_empty());
        let mut bad = Sizes { owner: size(5, 1_000, 40_960, 1), hundred: size(100, 2_000, 65_536, 1) };
        bad.owner.first_reading += 1;
        bad.hundred.first_reading += 1;
        bad.hundred.unknown_methods.push("x.y".into());
        let goals = of_sizes(Some(&bad));
        assert_eq!((goals.len(), missed(&goals).len()), (9, 9));
        let nothing = Sizes { owner: Size::default(), hundred: Size::default() };
        assert_eq!(missed(&of_sizes(Some(&nothing))).len(), 8);
    }

    #[test]
    fn each_goal_of_files_can_be_missed() {
        let side = |took, processor, memory_more| Side { files: 3, took, processor, memory_more };
        let upload = |ours, whole| Upload {
            size: 1,
            ours,
            library: side(1_000, 300.0, 0),
            sent: 6,
            whole,
            unknown_methods: Vec::new(),
        };
        let good = upload(side(1_000, 100.0, 20 * 1_024 - 1), 6);
        let goals = of_files(Some(&good));
        assert_eq!((goals.len(), missed(&goals).len()), (4, 0));
        let mut bad = upload(side(1_001, 100.1, 20 * 1_024), 5);
        bad.unknown_methods.push("x.y".into());
        let goals = of_files(Some(&bad));
        assert_eq!((goals.len(), missed(&goals).len()), (5, 5));
    }

    #[test]
    fn a_millisecond_more_is_too_much() {
        let summary = |p50| Summary { count: 10, p50, ..Summary::default() };
        let added = AddedLatency {
            library: summary(500),
            send_text: summary(1_499),
            messages: summary(1_500),
            audit: Audit { confirmed: 30, ..Audit::default() },
            unknown_methods: Vec::new(),
        };
        assert_eq!(missed(&of(None, Some(&added))), ["added by `POST /v1/messages`, p50"]);
    }
}
