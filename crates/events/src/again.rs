//! When a call that failed is made again.

use std::time::Duration;

/// The waits after the first failure, the second and so on; after the last of them it is given up.
const WAITS: [Duration; 5] = [
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
    Duration::from_hours(6),
];

/// How long to wait after a failure that came after so many others; `None` when it is given up.
pub(crate) fn wait(failed_before: u32) -> Option<Duration> {
    WAITS.get(usize::try_from(failed_before).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let waits: Vec<_> = (0..).map_while(wait).collect();
        assert_eq!(waits.len(), WAITS.len());
        assert!(waits.is_sorted());
        assert_eq!(wait(u32::MAX), None);
    }
}
