//! How well a side does, and the new one beside the old one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// How much more time or memory the new side may take before it is called worse: a moment of load is no reason.
const SLACK_PERCENT: u64 = 50;

/// What is below this makes no difference, in microseconds and in bytes.
const LEAST_US: u64 = 5_000;
const LEAST_BYTES: u64 = 64 << 20;

/// What was measured of a server that runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Measured {
    /// The median time of an answer of the API, in microseconds.
    pub answer_us: Option<u64>,
    /// The median time from an update to the first press of a flow, over the latest runs, in microseconds.
    pub press_us: Option<u64>,
    /// Messages that were sent in the last hour.
    pub sent_last_hour: Option<u64>,
    /// Memory of the server, in bytes.
    pub memory_bytes: Option<u64>,
}

/// One measure of both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    pub what: &'static str,
    pub unit: &'static str,
    pub old: Option<u64>,
    pub new: Option<u64>,
    /// Whether the new side does worse. How much is sent depends on the callers, and is never worse.
    pub is_worse: bool,
}

/// The new side beside the old one.
pub fn compare(old: &Measured, new: &Measured) -> Vec<Compared> {
    let row = |what, unit, of: fn(&Measured) -> Option<u64>, least: Option<u64>| {
        let (old, new) = (of(old), of(new));
        let is_worse = match (old, new, least) {
            (Some(old), Some(new), Some(least)) => {
                new > least && new > old.saturating_add(old.saturating_mul(SLACK_PERCENT) / 100)
            }
            _ => false,
        };
        Compared { what, unit, old, new, is_worse }
    };
    vec![
        row("an answer of the API", "µs", |one| one.answer_us, Some(LEAST_US)),
        row("from an update to a press", "µs", |one| one.press_us, Some(LEAST_US)),
        row(
            "messages sent a minute, over the last hour",
            "",
            |one| one.sent_last_hour.map(|sent| sent / 60),
            None,
        ),
        row("memory", "bytes", |one| one.memory_bytes, Some(LEAST_BYTES)),
    ]
}

/// A package that the two sides do not have alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherPackage {
    pub package: String,
    /// The versions; nothing where a side does not have it.
    pub old: Option<String>,
    pub new: Option<String>,
}

/// The packages that differ. No difference is an objection: machines are of different ages.
pub(crate) fn other_packages(
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
) -> Vec<OtherPackage> {
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter(|name| old.get(*name) != new.get(*name))
        .map(|name| OtherPackage {
            package: name.clone(),
            old: old.get(name).cloned(),
            new: new.get(name).cloned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_slowness_for_waiting_callers_is_worse() {
        let old = Measured {
            answer_us: Some(4_000),
            press_us: Some(300),
            sent_last_hour: Some(600),
            memory_bytes: Some(80 << 20),
        };
        let worse = |new: Measured| -> Vec<&str> {
            compare(&old, &new).into_iter().filter(|row| row.is_worse).map(|row| row.what).collect()
        };
        assert_eq!(worse(old), Vec::<&str>::new());
        assert_eq!(
            worse(Measured { press_us: Some(900), sent_last_hour: Some(0), ..old }),
            Vec::<&str>::new()
        );
        assert_eq!(
            worse(Measured { answer_us: Some(9_000), memory_bytes: Some(200 << 20), ..old }),
            ["an answer of the API", "memory"]
        );
        assert_eq!(worse(Measured::default()), Vec::<&str>::new());
    }

    #[test]
    fn packages_that_differ_are_named_with_both_versions() {
        let packages = |all: &[(&str, &str)]| {
            all.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect()
        };
        let old = packages(&[("C library", "2.36-9"), ("OpenSSH", "9.2"), ("systemd", "252")]);
        let new = packages(&[("C library", "2.41-12"), ("OpenSSH", "9.2"), ("CA certificates", "2025")]);
        let other: Vec<_> = other_packages(&old, &new)
            .into_iter()
            .map(|one| (one.package, one.old.unwrap_or_default(), one.new.unwrap_or_default()))
            .collect();
        let expected =
            [("C library", "2.36-9", "2.41-12"), ("CA certificates", "", "2025"), ("systemd", "252", "")];
        assert_eq!(other, expected.map(|(name, old, new)| (name.into(), old.into(), new.into())));
        assert_eq!(other_packages(&old, &old), []);
    }

    proptest! {
        #[test]
        fn a_side_is_never_worse_than_itself(answer_us in any::<Option<u64>>(), memory_bytes in any::<Option<u64>>()) {
            let one = Measured { answer_us, memory_bytes, ..Measured::default() };
            prop_assert!(compare(&one, &one).iter().all(|row| !row.is_worse));
        }
    }
}
