//! What comes of an attempt, and when a webhook is switched off. Pure.

use std::time::Duration;

use ambient::Chance;
use domain::Timestamp;
use store::{Outcome, WebhookFailures};

use crate::Kind;

/// A webhook that takes nothing for so long is switched off.
const FAILS_FOR: Duration = Duration::from_hours(5 * 24);

/// As long as fewer attempts failed it stays on: one that hears little may have been down for a moment twice.
const FAILS_TIMES: u64 = 10;

/// The result of an attempt after this number of others; `error` where it was not taken.
pub(super) fn outcome(error: Option<String>, failed_before: u32, now: Timestamp, chance: &Chance) -> Outcome {
    let Some(error) = error else { return Outcome::Delivered };
    match Kind::Event.wait(failed_before) {
        Some(wait) => Outcome::PutOff { error, next_at: now.plus(chance.jitter(wait)) },
        None => Outcome::GivenUp { error },
    }
}

/// Whether a webhook with these failures is switched off.
pub(super) fn is_over(failures: WebhookFailures, now: Timestamp) -> bool {
    let failing = failures.since.is_some_and(|since| now.since(since) >= FAILS_FOR);
    failing && failures.count >= FAILS_TIMES
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn deliveries_that_failed_together_are_retried_apart() {
        let (now, chance) = (Timestamp::from_micros(1_893_456_000_000_000), Chance::from_seed(1));
        let outcomes: Vec<_> = (0..5).map(|_| outcome(Some("503".to_owned()), 1, now, &chance)).collect();
        assert!(outcomes.iter().any(|other| *other != outcomes[0]), "{outcomes:?}");
    }

    proptest! {
        #[test]
        fn a_refused_delivery_is_retried_in_its_wait_or_given_up(failed in 0..20_u32, seed: u64, at in 0..4_000_000_000_i64) {
            let (now, chance) = (Timestamp::from_micros(at * 1_000_000), Chance::from_seed(seed));
            match outcome(Some("503".to_owned()), failed, now, &chance) {
                Outcome::PutOff { next_at, .. } => {
                    let (wait, waits) = (Kind::Event.wait(failed).unwrap(), next_at.since(now));
                    prop_assert!(waits <= wait && waits >= wait / 2 && failed < 7);
                }
                Outcome::GivenUp { .. } => prop_assert!(failed >= 7),
                Outcome::Delivered => prop_assert!(false),
            }
            prop_assert_eq!(outcome(None, failed, now, &chance), Outcome::Delivered);
        }

        #[test]
        fn only_days_of_failures_switch_a_webhook_off(hours in 0..400_u64, failures in 0..40_u64) {
            let since = Timestamp::from_micros(1_893_456_000_000_000);
            let now = since.plus(Duration::from_hours(hours));
            let over = is_over(WebhookFailures { since: Some(since), count: failures }, now);
            prop_assert_eq!(over, hours >= 120 && failures >= 10);
            let well = WebhookFailures { since: None, count: failures };
            prop_assert!(!is_over(well, now));
        }
    }
}
