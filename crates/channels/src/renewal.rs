//! When tokens are renewed: at half of their life, and after a failure again, until they end.

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;

use crate::accounts::Account;
use crate::reception::Reception;

/// Between two looks whether a token is to be renewed.
const LOOK: Duration = Duration::from_mins(1);

/// How long a token lives, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLife {
    /// From its beginning to its end.
    pub lives: Duration,
    /// None where it is not known: the settings gave it.
    pub ends: Option<Timestamp>,
}

impl TokenLife {
    /// When it is to be renewed, after an attempt that failed; none where it has ended, so that only a log-in helps.
    /// One whose end is not known is renewed at once, which shows it.
    ///
    /// A token of 60 days is renewed after 30, and then once a day.
    pub fn next_renewal(self, failed: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let again = failed.map(|failed| failed.plus(self.lives / 60));
        let Some(ends) = self.ends else { return Some(again.unwrap_or(now)) };
        let due = ends.minus(self.lives / 2);
        let due = again.map_or(due, |again| again.max(due));
        (now < ends && due < ends).then_some(due)
    }

    /// Whether less than a sixth of its life is left, 10 of 60 days: by then it should have been renewed.
    pub fn ends_soon(self, now: Timestamp) -> bool {
        self.ends.is_some_and(|ends| ends.since(now) < self.lives / 6)
    }
}

impl Reception {
    /// Renews the token of an account whenever that is due.
    pub(crate) async fn keep_token(&self, account: &Arc<Account>) {
        let (name, channel) = (account.name(), &account.channel);
        let clock = self.channels().clock();
        let mut failed = None;
        loop {
            clock.sleep(LOOK).await;
            let now = clock.now();
            let due = account.token_life().and_then(|life| life.next_renewal(failed, now));
            if due.is_none_or(|due| now < due) {
                continue;
            }
            failed = match account.provider.renew_token().await {
                Ok(()) => {
                    tracing::info!(account = %name, %channel, "the token of an account was renewed");
                    None
                }
                Err(error) => {
                    tracing::warn!(account = %name, %channel, %error, "the token of an account is not renewed");
                    Some(clock.now())
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_micros(1_893_456_000_000_000);
    const DAY: Duration = Duration::from_hours(24);

    #[test]
    fn sixty_days_are_renewed_from_day_thirty_once_a_day() {
        let life = TokenLife { lives: 60 * DAY, ends: Some(START.plus(60 * DAY)) };
        let day = |number: u32| START.plus(number * DAY);
        assert_eq!(life.next_renewal(None, day(1)), Some(day(30)));
        assert_eq!(life.next_renewal(Some(day(30)), day(30)), Some(day(31)));
        assert_eq!(life.next_renewal(Some(day(59)), day(59)), None);
        assert_eq!(life.next_renewal(None, day(60)), None);
        assert!(!life.ends_soon(day(50)) && life.ends_soon(day(51)) && life.ends_soon(day(61)));
        let unknown = TokenLife { ends: None, ..life };
        assert_eq!(unknown.next_renewal(None, day(1)), Some(day(1)));
        assert_eq!(unknown.next_renewal(Some(day(1)), day(1)), Some(day(2)));
        assert!(!unknown.ends_soon(day(99)));
    }

    proptest! {
        /// A provider that always refuses is asked a bounded number of times, never before half of the life nor after the end.
        #[test]
        fn a_renewal_that_fails_is_bounded(hours in 1_u32..10_000, late in 0_u32..100) {
            let lives = Duration::from_hours(hours.into());
            let ends = START.plus(lives);
            let life = TokenLife { lives, ends: Some(ends) };
            let (mut now, mut failed, mut attempts) = (START, None, 0);
            while let Some(due) = life.next_renewal(failed, now) {
                prop_assert!(due >= START.plus(lives / 2) && due < ends);
                if let Some(failed) = failed {
                    prop_assert!(due.since(failed) >= lives / 60);
                }
                now = now.max(due).plus(lives / 1_000 * late);
                failed = Some(now);
                attempts += 1;
                prop_assert!(attempts <= 31);
            }
            prop_assert!(attempts >= 1 && life.ends_soon(now));
        }
    }
}
