//! The goals: what Switchboard promises over the baseline, and whether a run kept it.

mod looking;

use serde::Serialize;

pub(crate) use looking::{of_logs, of_the_dashboard, of_the_search};

use crate::ledger::Audit;
use crate::report::{megabytes, microseconds, milliseconds, times};
use crate::scenario::added_latency::AddedLatency;
use crate::scenario::choosing::Choosing;
use crate::scenario::failover::Failover;
use crate::scenario::import::{self, Import};
use crate::scenario::many_files::ManyFiles;
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

/// Less than this is added by a failover at p50, in microseconds; the call that is turned away is in it.
const FAILOVER: u32 = 5_000;

/// Less than this takes one choice among a thousand accounts at p50, in nanoseconds.
const CHOICE: u64 = 20_000;

/// At most this part of the library's processor time for a large file.
const UPLOAD_PROCESSOR: f64 = 1.0 / 3.0;

/// What a large file may add to the memory, in kilobytes.
const UPLOAD_MEMORY: u64 = 20 * 1_024;

/// What is left a minute after a hundred accounts have sent a file, in kilobytes.
const AFTER_FILES: u64 = 80 * 1_024;

/// An import of a hundred sessions, in milliseconds.
const IMPORT: u128 = 10_000;

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
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.iter().map(ToString::to_string).collect();
        goals.push(Goal {
            what: "methods that the pretend Telegram does not know",
            wanted: "none".to_owned(),
            measured: names.join(", "),
            met: false,
        });
    }
    goals
}

/// The goals of the pool of accounts.
pub(crate) fn of_the_pool(
    choosing: Option<&Choosing>,
    failover: Option<&Failover>,
    sizes: Option<&Sizes>,
) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut unknown = Vec::new();
    if let Some(measured) = failover {
        let plus = measured.over.p50.saturating_sub(measured.direct.p50);
        goals.push(Goal {
            what: "added by a failover, p50",
            wanted: format!("< {} ms", milliseconds(FAILOVER)),
            measured: format!("{} ms", milliseconds(plus)),
            met: measured.over.count > 0 && plus < FAILOVER,
        });
        goals.push(Goal {
            what: "sent over a failover, and in the ledger once, from the second account",
            wanted: "all".to_owned(),
            measured: format!("{} of {}", measured.in_ledger, measured.sent),
            met: measured.sent > 0 && measured.in_ledger == measured.sent,
        });
        unknown.extend(&measured.unknown_methods);
    }
    if let Some(measured) = choosing {
        let slowest = measured.chats.iter().map(|kind| kind.p50).max().unwrap_or(0);
        goals.push(Goal {
            what: "one choice among 1,000 accounts, p50 of the slowest kind",
            wanted: format!("< {} µs", microseconds(CHOICE)),
            measured: format!("{} µs", microseconds(slowest)),
            met: slowest > 0 && slowest < CHOICE,
        });
    }
    if let Some(measured) = sizes {
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
        for (size, limits) in [(&measured.owner, owner), (&measured.hundred, hundred)] {
            goals.extend(of_a_size(size, &limits));
            unknown.extend(&size.unknown_methods);
        }
    }
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.iter().map(ToString::to_string).collect();
        goals.push(Goal {
            what: "methods of the pool that the pretend Telegram does not know",
            wanted: "none".to_owned(),
            measured: names.join(", "),
            met: false,
        });
    }
    goals
}

/// The goals of files and of the import.
pub(crate) fn of_files(
    upload: Option<&Upload>,
    many: Option<&ManyFiles>,
    import: Option<&Import>,
) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut unknown = Vec::new();
    if let Some(measured) = upload {
        let (ours, library) = (&measured.ours, &measured.library);
        goals.push(Goal {
            what: "a large file, of Telethon's time with cryptg",
            wanted: "≤ 1×".to_owned(),
            measured: times(f64::from(ours.took), f64::from(library.took)),
            met: ours.files > 0 && ours.took <= library.took,
        });
        goals.push(Goal {
            what: "CPU of a large file, of Telethon's with cryptg",
            wanted: format!("≤ {UPLOAD_PROCESSOR:.2}×"),
            measured: times(ours.processor, library.processor),
            met: ours.files > 0 && ours.processor <= library.processor * UPLOAD_PROCESSOR,
        });
        goals.push(Goal {
            what: "memory that large files add",
            wanted: format!("< {} MB", megabytes(UPLOAD_MEMORY)),
            measured: format!("{} MB", megabytes(ours.memory_more)),
            met: ours.files > 0 && ours.memory_more < UPLOAD_MEMORY,
        });
        goals.push(Goal {
            what: "large files that arrived whole",
            wanted: measured.sent.to_string(),
            measured: measured.whole.to_string(),
            met: measured.sent > 0 && measured.whole == measured.sent,
        });
        let both = &measured.both_ways;
        let more = both.memory_more_out.max(both.memory_more_back);
        goals.push(Goal {
            what: "memory that a very large file adds, out and back",
            wanted: format!("< {} MB", megabytes(UPLOAD_MEMORY)),
            measured: format!("{} MB", megabytes(more)),
            met: both.size > 0 && more < UPLOAD_MEMORY,
        });
        goals.push(Goal {
            what: "bytes of it that came back as they were",
            wanted: both.size.to_string(),
            measured: both.same.to_string(),
            met: both.size > 0 && both.same == both.size,
        });
        unknown.extend(&measured.unknown_methods);
    }
    if let Some(measured) = many {
        goals.push(Goal {
            what: "memory a minute after 100 accounts sent a file each",
            wanted: format!("< {} MB", megabytes(AFTER_FILES)),
            measured: format!("{} MB", megabytes(measured.memory_after)),
            met: measured.memory_after > 0 && measured.memory_after < AFTER_FILES,
        });
        goals.push(Goal {
            what: "… and files that arrived whole",
            wanted: "all".to_owned(),
            measured: format!("{} of {}", measured.sent, measured.accounts),
            met: measured.sent > 0 && measured.sent == measured.accounts,
        });
        unknown.extend(&measured.unknown_methods);
    }
    if let Some(measured) = import {
        let peers = (import::SESSIONS * import::PEERS) as u64;
        goals.push(Goal {
            what: "import of 100 sessions",
            wanted: format!("< {IMPORT} ms"),
            measured: format!("{} ms", measured.took),
            met: measured.took > 0 && measured.took < IMPORT,
        });
        goals.push(Goal {
            what: "… accounts, and peers that they know",
            wanted: format!("{}, ≥ {peers}", import::SESSIONS),
            measured: format!("{}, {}", measured.accounts, measured.peers),
            met: measured.accounts == import::SESSIONS && measured.peers >= peers,
        });
        unknown.extend(&measured.unknown_methods);
    }
    if !unknown.is_empty() {
        let names: Vec<_> = unknown.iter().map(ToString::to_string).collect();
        goals.push(Goal {
            what: "methods of files and sessions that the pretend Telegram does not know",
            wanted: "none".to_owned(),
            measured: names.join(", "),
            met: false,
        });
    }
    goals
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
    use crate::scenario::choosing::OneKind;
    use crate::scenario::send_text::{Pair, Side as SentSide};
    use crate::scenario::upload::{BothWays, Side};

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
    fn each_goal_of_the_pool_can_be_missed() {
        let summary = |p50| Summary { count: 10, p50, ..Summary::default() };
        let failover = |over, in_ledger| Failover {
            direct: summary(1_000),
            over: summary(over),
            sent: 20,
            in_ledger,
            unknown_methods: Vec::new(),
        };
        let choosing = |p50| Choosing {
            chats: vec![OneKind { what: "a", p50, p99: 0 }, OneKind { what: "b", p50: 1, p99: 0 }],
        };
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
        assert!(
            missed(&of_the_pool(Some(&choosing(19_999)), Some(&failover(5_999, 20)), Some(&good))).is_empty()
        );
        let mut bad = Sizes { owner: size(5, 1_000, 40_960, 1), hundred: size(100, 2_000, 65_536, 1) };
        bad.owner.first_reading += 1;
        bad.hundred.first_reading += 1;
        bad.hundred.unknown_methods.push("x.y".into());
        let goals = of_the_pool(Some(&choosing(20_000)), Some(&failover(6_000, 19)), Some(&bad));
        assert_eq!((goals.len(), missed(&goals).len()), (12, 12));
        let nothing = Sizes { owner: Size::default(), hundred: Size::default() };
        assert_eq!(missed(&of_the_pool(None, None, Some(&nothing))).len(), 8);
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
            both_ways: BothWays { size: 9, memory_more_out: 1, memory_more_back: 20 * 1_024 - 1, same: 9 },
            unknown_methods: Vec::new(),
        };
        let many =
            |memory_after, sent| ManyFiles { accounts: 100, sent, memory_after, ..ManyFiles::default() };
        let import = |took, accounts, peers| Import { took, accounts, peers, ..Import::default() };
        let good = upload(side(1_000, 100.0, 20 * 1_024 - 1), 6);
        let goals =
            of_files(Some(&good), Some(&many(80 * 1_024 - 1, 100)), Some(&import(9_999, 100, 400_000)));
        assert_eq!((goals.len(), missed(&goals).len()), (10, 0));
        let mut bad = upload(side(1_001, 100.1, 20 * 1_024), 5);
        bad.unknown_methods.push("x.y".into());
        bad.both_ways = BothWays { memory_more_out: 20 * 1_024, same: 8, ..bad.both_ways };
        let goals = of_files(Some(&bad), Some(&many(80 * 1_024, 99)), Some(&import(10_000, 99, 399_999)));
        assert_eq!((goals.len(), missed(&goals).len()), (11, 11));
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
