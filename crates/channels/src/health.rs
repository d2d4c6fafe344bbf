//! What went wrong with an account within a day, when its provider was heard last, and where that posts to. Kept in the store from
//! time to time, so that a program that is killed forgets the last minute of it at most.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::provider::Registered;

/// Errors are counted by spans of so many seconds.
const SPAN: i64 = 600;
/// What is older than this is forgotten.
const RETENTION: Duration = Duration::from_hours(24);
/// The most letters of an error that are kept.
const LONGEST: usize = 400;

/// How an account fared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// By the number of its span.
    #[serde(default)]
    errors: BTreeMap<i64, u32>,
    #[serde(default)]
    last_error: Option<LastError>,
    /// Whether the provider posted here when it was asked last.
    #[serde(default)]
    pub(crate) was_here: bool,
    /// When a post or a handshake that is the provider's came last.
    #[serde(default, rename = "heard_at")]
    pub last_post_at: Option<Timestamp>,
}

/// The last error of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// What was said. No token is in it.
    pub words: String,
}

impl Health {
    pub(crate) fn note(&mut self, words: &str, at: Timestamp) {
        let span = span(at);
        let first = span - span_of(RETENTION);
        self.errors.retain(|known, _| *known > first && *known <= span);
        let count = self.errors.entry(span).or_default();
        *count = count.saturating_add(1);
        self.last_error = Some(LastError { at, words: words.chars().take(LONGEST).collect() });
    }

    /// How many errors there were within so long, up to a day, to ten minutes.
    pub fn errors_within(&self, length: Duration, now: Timestamp) -> u64 {
        let span = span(now);
        let first = span - span_of(length);
        self.errors.range(first + 1..=span).map(|(_, count)| u64::from(*count)).sum()
    }

    /// The last one, however long ago.
    pub const fn last_error(&self) -> Option<&LastError> {
        self.last_error.as_ref()
    }
}

fn span(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(SPAN)
}

fn span_of(length: Duration) -> i64 {
    i64::try_from(length.as_secs()).unwrap_or(i64::MAX) / SPAN
}

/// Where the provider of an account posts to, as it said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookObservation {
    /// Here, elsewhere, or nowhere.
    pub state: WebhookState,
    /// What it answered; addresses in it may have secrets.
    pub registered: Registered,
    /// When it was asked.
    pub at: Timestamp,
}

/// Whether a provider posts to this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum WebhookState {
    /// It does.
    Here,
    /// It posts to another address.
    Elsewhere,
    /// It posts nowhere, and did not before.
    NotRegistered,
    /// It posts nowhere, and did here before.
    Lapsed,
}

impl WebhookState {
    /// What follows from a provider's answer.
    pub fn of(ours: Option<&str>, registered: &Registered, was_here: bool) -> Self {
        if ours.is_some_and(|ours| registered.urls.iter().any(|url| url == ours)) {
            Self::Here
        } else if !registered.urls.is_empty() {
            Self::Elsewhere
        } else if was_here {
            Self::Lapsed
        } else {
            Self::NotRegistered
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_error_of_an_hour_or_a_day_is_counted(mut ago in prop::collection::vec(0_u64..100_000, 0..60)) {
            ago.sort_unstable_by(|one, other| other.cmp(one));
            let now = Timestamp::from_micros(1_893_456_000_000_000);
            let mut health = Health::default();
            for seconds in &ago {
                health.note("refused", now.minus(Duration::from_secs(*seconds)));
            }
            for hours in [1, 24] {
                let length = Duration::from_hours(hours);
                let counted = health.errors_within(length, now);
                let within = |most: u64| ago.iter().filter(|seconds| **seconds < most).count() as u64;
                prop_assert!(counted >= within(length.as_secs() - 600) && counted <= within(length.as_secs() + 600));
            }
            prop_assert!(health.errors.len() <= 145);
            health.last_post_at = Some(now);
            let kept = serde_json::to_string(&health).unwrap();
            prop_assert_eq!(serde_json::from_str::<Health>(&kept).unwrap(), health);
        }
    }

    #[test]
    fn a_webhook_that_is_gone_has_lapsed_only_if_it_was_here() {
        let registered_at = |urls: &[&str]| Registered {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            ..Registered::default()
        };
        let (ours, other) = ("https://example.com/hooks/x", "https://example.com/old");
        for (urls, was_here, state) in [
            (&[other, ours][..], false, WebhookState::Here),
            (&[other], true, WebhookState::Elsewhere),
            (&[], true, WebhookState::Lapsed),
            (&[], false, WebhookState::NotRegistered),
        ] {
            assert_eq!(WebhookState::of(Some(ours), &registered_at(urls), was_here), state, "{urls:?}");
        }
        assert_eq!(WebhookState::of(None, &registered_at(&[ours]), false), WebhookState::Elsewhere);
    }
}
