//! Which backups are too many. Pure.

use std::cmp::Reverse;
use std::time::Duration;

use domain::Timestamp;

use super::name::BackupName;

/// How many backups are kept, and how old they may become; zero: any age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Retention {
    pub(crate) most: usize,
    pub(crate) age: Duration,
}

/// Those to be removed, of all that are there: the oldest beyond the number that is kept and those that are too old,
/// but neither the newest nor one that was proven while all newer ones are not. Names that are ahead of `now` were made
/// while the clock was wrong, and count as the oldest.
pub(crate) fn surplus(
    there: &[BackupName],
    proven: &[BackupName],
    retention: Retention,
    now: Timestamp,
) -> Vec<BackupName> {
    let mut newest_first: Vec<&BackupName> = there.iter().collect();
    newest_first.sort_by_key(|name| Reverse((name.made_at() <= now, *name)));
    let last_proven = newest_first.iter().find(|name| proven.contains(name)).copied();
    let is_old = |name: &BackupName| !retention.age.is_zero() && now.since(name.made_at()) > retention.age;
    let too_many_or_old = newest_first.iter().enumerate().skip(1);
    too_many_or_old
        .filter(|(place, name)| *place >= retention.most.max(1) || is_old(name))
        .map(|(_, name)| *name)
        .filter(|name| Some(*name) != last_proven)
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LATE: Timestamp = Timestamp::from_micros(60_000_000);

    const fn retention(most: usize) -> Retention {
        Retention { most, age: Duration::ZERO }
    }

    fn name(second: i64) -> BackupName {
        BackupName::of(Timestamp::from_micros(second * 1_000_000))
    }

    #[test]
    fn the_last_that_was_proven_stays() {
        let there: Vec<_> = (1..=5).map(name).collect();
        assert_eq!(surplus(&there, &[name(1), name(2)], retention(2), LATE), [name(3), name(1)]);
        assert_eq!(surplus(&there, &[name(5)], retention(2), LATE), [name(3), name(2), name(1)]);
        assert_eq!(surplus(&there, &[], retention(9), LATE), []);
    }

    #[test]
    fn the_old_go_but_the_newest_and_the_last_proven() {
        let there: Vec<_> = [1, 20, 40].map(name).into();
        let young = Retention { most: 9, age: Duration::from_secs(30) };
        assert_eq!(surplus(&there, &[name(40)], young, LATE), [name(20), name(1)]);
        assert_eq!(surplus(&there, &[name(1)], young, LATE), [name(20)]);
        let very_late = LATE.plus(Duration::from_hours(1));
        assert_eq!(surplus(&there, &[], young, very_late), [name(20), name(1)]);
    }

    #[test]
    fn names_from_a_wrong_clock_count_as_the_oldest() {
        let there = [name(1), name(500), name(501)];
        assert_eq!(surplus(&there, &[name(1), name(500)], retention(2), LATE), [name(500)]);
        assert_eq!(
            surplus(&[name(2), name(500), name(501)], &[], retention(1), LATE),
            [name(501), name(500)]
        );
    }

    proptest! {
        #[test]
        fn the_newest_and_the_last_proven_are_never_removed(
            there in proptest::collection::btree_set(0_i64..60, 0..12),
            proven in proptest::collection::btree_set(0_i64..60, 0..12),
            keep in 0_usize..8,
            age in 0_u64..70,
        ) {
            let there: Vec<_> = there.into_iter().map(name).collect();
            let proven: Vec<_> = proven.into_iter().map(name).collect();
            let rule = Retention { most: keep, age: Duration::from_secs(age) };
            let removed = surplus(&there, &proven, rule, LATE);
            let kept: Vec<_> = there.iter().filter(|name| !removed.contains(name)).collect();
            prop_assert!(kept.len() <= keep.max(1) + 1);
            prop_assert!(age > 0 || kept.len() >= there.len().min(keep));
            prop_assert!(there.iter().max().is_none_or(|newest| kept.contains(&newest)));
            let last_proven = there.iter().filter(|name| proven.contains(name)).max();
            prop_assert!(last_proven.is_none_or(|proven| kept.contains(&proven)));
            prop_assert!(removed.iter().all(|gone| there.contains(gone)));
        }
    }
}
