//! Which backups are too many. Pure.

use std::cmp::Reverse;

use domain::Timestamp;

use super::name::BackupName;

/// Those to be removed, of all that are there: the oldest beyond the number that is kept, but never one that was proven
/// while all newer ones are not. Names that lie ahead of `now` were made while the clock was wrong, and count as the oldest.
pub(crate) fn surplus(
    there: &[BackupName],
    proven: &[BackupName],
    keep: usize,
    now: Timestamp,
) -> Vec<BackupName> {
    let mut newest_first: Vec<&BackupName> = there.iter().collect();
    newest_first.sort_by_key(|name| Reverse((name.made_at() <= now, *name)));
    let last_proven = newest_first.iter().find(|name| proven.contains(name)).copied();
    newest_first.into_iter().skip(keep.max(1)).filter(|name| Some(*name) != last_proven).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LATE: Timestamp = Timestamp::from_micros(60_000_000);

    fn name(second: i64) -> BackupName {
        BackupName::of(Timestamp::from_micros(second * 1_000_000))
    }

    #[test]
    fn the_last_that_was_proven_stays() {
        let there: Vec<_> = (1..=5).map(name).collect();
        assert_eq!(surplus(&there, &[name(1), name(2)], 2, LATE), [name(3), name(1)]);
        assert_eq!(surplus(&there, &[name(5)], 2, LATE), [name(3), name(2), name(1)]);
        assert_eq!(surplus(&there, &[], 9, LATE), []);
    }

    #[test]
    fn what_a_wrong_clock_named_gives_way_to_what_is_made_now() {
        let there = [name(1), name(500), name(501)];
        assert_eq!(surplus(&there, &[name(1), name(500)], 2, LATE), [name(500)]);
        assert_eq!(surplus(&[name(2), name(500), name(501)], &[], 1, LATE), [name(501), name(500)]);
    }

    proptest! {
        #[test]
        fn the_newest_and_the_last_proven_are_never_removed(
            there in proptest::collection::btree_set(0_i64..60, 0..12),
            proven in proptest::collection::btree_set(0_i64..60, 0..12),
            keep in 0_usize..8,
        ) {
            let there: Vec<_> = there.into_iter().map(name).collect();
            let proven: Vec<_> = proven.into_iter().map(name).collect();
            let removed = surplus(&there, &proven, keep, LATE);
            let kept: Vec<_> = there.iter().filter(|name| !removed.contains(name)).collect();
            prop_assert!(kept.len() <= keep.max(1) + 1);
            prop_assert!(kept.len() >= there.len().min(keep));
            prop_assert!(there.iter().max().is_none_or(|newest| kept.contains(&newest)));
            let last_proven = there.iter().filter(|name| proven.contains(name)).max();
            prop_assert!(last_proven.is_none_or(|proven| kept.contains(&proven)));
            prop_assert!(removed.iter().all(|gone| there.contains(gone)));
        }
    }
}
