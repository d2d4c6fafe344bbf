//! The goals: what Switchboard promises over the baseline, and whether a run kept it.

use serde::Serialize;

use crate::ledger::Audit;
use crate::report::{milliseconds, times};
use crate::scenario::added_latency::AddedLatency;
use crate::scenario::send_text::SendText;

/// At least so many times the baseline's requests a second.
const REQUESTS: f64 = 6.0;

/// At most this part of the baseline's p99.
const TAIL: f64 = 0.25;

/// At most this part of the baseline's processor time for a request.
const PROCESSOR: f64 = 0.125;

/// Less than this is added to one send at p50, in microseconds.
const ADDED: u32 = 1_000;

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
    use crate::scenario::send_text::{Pair, Side};

    fn side(per_second: f64, p99: u32, processor: f64) -> Side {
        Side {
            requests: 10,
            per_second,
            latency: Summary { count: 10, p99, ..Summary::default() },
            processor,
            audit: Audit { confirmed: 10, ..Audit::default() },
            ..Side::default()
        }
    }

    fn measured(ours: Side) -> SendText {
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
            kept: Pair { ours: Side::default(), baseline: Side::default() },
            closed: Pair { ours: Side::default(), baseline: Side::default() },
            unknown_methods: Vec::new(),
        };
        assert_eq!(missed(&of(Some(&nothing), None)).len(), 4);
        assert!(of(None, None).is_empty());
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
