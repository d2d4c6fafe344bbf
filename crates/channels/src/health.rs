//! What went wrong with an account within a day, when its provider was heard last, and where that posts to. Kept in the store from
//! time to time, so that a program that is killed forgets the last minute of it at most.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Timestamp, Unread, Words};
use serde::{Deserialize, Serialize};

use crate::posting::Registered;
use crate::refusals::Refusals;

/// Errors are counted by spans of this number of seconds.
const SPAN: i64 = 600;
/// What is older than this is forgotten.
const RETENTION: Duration = Duration::from_hours(24);
/// The most letters of an error that are kept.
const LONGEST: usize = 400;
/// The most kinds of unread reports that are counted.
const MOST_UNREAD: usize = 40;
/// The most bodies of such reports that are kept, and how much of each, in bytes.
const MOST_BODIES: usize = 10;
const LONGEST_BODY: usize = 4 * 1024;
/// A body is forgotten after this time.
const BODIES_KEPT: Duration = Duration::from_hours(7 * 24);
/// Lapses are forgotten after this time.
const LAPSES_KEPT: Duration = Duration::from_hours(1);
/// The most lapses that are kept.
const MOST_LAPSES: usize = 60;
/// Two lapses within this time show that another program causes them; that many minutes without one end it.
const CONTESTED: Duration = Duration::from_mins(10);

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
    /// When this program registered its address there last.
    #[serde(default)]
    pub(crate) registered_at: Option<Timestamp>,
    /// Whether a call of this program reached that address since.
    #[serde(default)]
    pub(crate) is_reachable: bool,
    /// All that came in before this was reported here or read from histories.
    #[serde(default)]
    pub(crate) caught_up_at: Option<Timestamp>,
    /// Since when no call of this program has reached that address.
    #[serde(default)]
    pub(crate) unreached_since: Option<Timestamp>,
    /// When the registration was found removed or changed, the last one last.
    #[serde(default)]
    lapses: Vec<Timestamp>,
    /// Posts to the account's own address that were refused as not genuine.
    #[serde(default)]
    pub(crate) refusals: Refusals,
    /// When a post or a handshake that is the provider's came last.
    #[serde(default, rename = "heard_at")]
    pub last_post_at: Option<Timestamp>,
    /// Which address the account had then; see [`crate::Reception`].
    #[serde(default)]
    pub(crate) posted_to: Option<String>,
    /// What came that became no message, by what it is.
    #[serde(default)]
    unread: BTreeMap<String, UnreadCount>,
    /// What may have been a customer's of it, as the provider said it, the last one last.
    #[serde(default)]
    unread_bodies: Vec<UnreadBody>,
}

/// What a provider reported and this program could not read. It has no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadBody {
    /// When.
    pub at: Timestamp,
    /// What it is, in a few words.
    pub what: String,
    /// The beginning of what the provider said.
    pub body: Words,
}

/// How often something came that became no message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadCount {
    /// How often, since this program counts.
    pub count: u64,
    /// When last.
    pub last_at: Timestamp,
    /// Whether a customer may have written it.
    pub is_lost: bool,
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

    /// Counts something that became no message. Where there are too many kinds of it, the one that came longest ago is forgotten.
    pub(crate) fn note_unread(&mut self, unread: &Unread, at: Timestamp) {
        let Unread { what, is_lost, raw } = unread;
        if let Some(raw) = raw {
            self.keep_body(what, raw, at);
        }
        if !self.unread.contains_key(what) && self.unread.len() >= MOST_UNREAD {
            let oldest = self.unread.iter().min_by_key(|(_, count)| (count.is_lost, count.last_at));
            if let Some(oldest) = oldest.map(|(what, _)| what.clone()) {
                self.unread.remove(&oldest);
            }
        }
        let none = UnreadCount { count: 0, last_at: at, is_lost: *is_lost };
        let counted = self.unread.entry(what.clone()).or_insert(none);
        counted.count = counted.count.saturating_add(1);
        (counted.last_at, counted.is_lost) = (at, *is_lost);
    }

    /// Keeps the beginning of a body. The same one is kept once.
    fn keep_body(&mut self, what: &str, raw: &str, at: Timestamp) {
        let body = Words::from(&raw[..raw.floor_char_boundary(LONGEST_BODY)]);
        self.unread_bodies.retain(|known| known.body != body);
        self.unread_bodies.push(UnreadBody { at, what: what.to_owned(), body });
        let surplus = self.unread_bodies.len().saturating_sub(MOST_BODIES);
        self.unread_bodies.drain(..surplus);
        self.forget_old_bodies(at);
    }

    /// Forgets the bodies that are older than a week. One from the future is from before the clock was set back.
    pub(crate) fn forget_old_bodies(&mut self, now: Timestamp) {
        self.unread_bodies.retain(|known| known.at <= now && now.since(known.at) < BODIES_KEPT);
    }

    /// The bodies of what could not be read, the last one last.
    pub fn unread_bodies(&self) -> &[UnreadBody] {
        &self.unread_bodies
    }

    /// What came that became no message, by what it is.
    pub const fn unread(&self) -> &BTreeMap<String, UnreadCount> {
        &self.unread
    }

    /// Notes that the registration at the provider was found removed or changed.
    pub(crate) fn note_lapse(&mut self, at: Timestamp) {
        self.lapses.retain(|known| *known <= at && at.since(*known) < LAPSES_KEPT);
        let surplus = (self.lapses.len() + 1).saturating_sub(MOST_LAPSES);
        self.lapses.drain(..surplus);
        self.lapses.push(at);
    }

    /// Forgets the lapses: the owner has the address registered or removed.
    pub(crate) fn forget_lapses(&mut self) {
        self.lapses.clear();
    }

    /// Whether another program removes or changes the registration again and again.
    pub(crate) fn is_contested(&self, now: Timestamp) -> bool {
        self.lapses.last_chunk().is_some_and(|[previous, last]| {
            last.since(*previous) < CONTESTED && *last <= now && now.since(*last) < CONTESTED
        })
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
    /// Why not all that customers write is posted to our address, which is there.
    pub gap: Option<String>,
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
    /// Returns what follows from a provider's answer. `is_ours` says which addresses lead to this account, `is_former` which did before
    /// its secret changed.
    pub fn of(
        is_ours: impl Fn(&str) -> bool,
        is_former: impl Fn(&str) -> bool,
        registered: &Registered,
        was_here: bool,
    ) -> Self {
        let mut others = registered.urls.iter().filter(|url| !is_former(url));
        if registered.urls.iter().any(|url| is_ours(url)) {
            Self::Here
        } else if others.next().is_some() {
            Self::Elsewhere
        } else if was_here || !registered.urls.is_empty() {
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
    fn two_lapses_within_ten_minutes_are_of_another_program() {
        let at =
            |minutes: u64| Timestamp::from_micros(1_893_456_000_000_000).plus(Duration::from_mins(minutes));
        for (lapses, now, expected) in [
            (&[][..], 0, false),
            (&[0], 0, false),
            (&[0, 9], 9, true),
            (&[0, 9], 18, true),
            (&[0, 9], 19, false),
            (&[0, 10], 10, false),
            (&[0, 9, 18, 27], 36, true),
            (&[0, 9, 30], 30, false),
        ] {
            let mut health = Health::default();
            for minutes in lapses {
                health.note_lapse(at(*minutes));
            }
            assert_eq!(health.is_contested(at(now)), expected, "{lapses:?} {now}");
        }
        let mut health = Health::default();
        for minutes in 0..1_000 {
            health.note_lapse(at(minutes));
            assert!(health.lapses.len() <= MOST_LAPSES);
        }
        assert!(health.is_contested(at(1_000)));
        assert!(!health.is_contested(at(500)), "the clock went back");
        health.note_lapse(at(500));
        assert_eq!(health.lapses, [at(500)]);
    }

    #[test]
    fn what_becomes_no_message_is_counted_by_what_it_is() {
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let mut health = Health::default();
        for number in 0..100 {
            health.note_unread(&Unread::new(&format!("a kind {number}"), false), at(number));
            health.note_unread(&Unread::new("a message", true), at(number));
        }
        assert_eq!(health.unread().len(), MOST_UNREAD);
        let lost = UnreadCount { count: 100, last_at: at(99), is_lost: true };
        assert_eq!(health.unread().get("a message"), Some(&lost));
        let kept = serde_json::to_string(&health).unwrap();
        assert_eq!(serde_json::from_str::<Health>(&kept).unwrap(), health);
    }

    #[test]
    fn bodies_have_a_number_a_size_and_an_age() {
        let at = |second: i64| Timestamp::from_micros(second * 1_000_000);
        let lost = |body: String| Unread { raw: Some(body.into()), ..Unread::new("a message", true) };
        let mut health = Health::default();
        for number in 0..30 {
            health.note_unread(&lost(format!("{number} {}", "я".repeat(LONGEST_BODY))), at(number));
        }
        // What a poll brings again is kept once.
        health.note_unread(&lost(format!("25 {}", "я".repeat(LONGEST_BODY))), at(31));
        let bodies = health.unread_bodies();
        assert_eq!((bodies.len(), bodies[0].at, bodies[9].at), (MOST_BODIES, at(20), at(31)));
        assert!(bodies.iter().all(|kept| kept.body.len() <= LONGEST_BODY && kept.body.ends_with('я')));
        let kept = serde_json::to_string(&health).unwrap();
        assert_eq!(serde_json::from_str::<Health>(&kept).unwrap(), health);
        health.forget_old_bodies(at(31 + 7 * 24 * 3_600 - 5));
        assert_eq!(health.unread_bodies().len(), 4);
        health.forget_old_bodies(at(31));
        assert_eq!(health.unread_bodies().len(), 4);
        health.forget_old_bodies(at(29));
        assert_eq!(health.unread_bodies().len(), 3, "the clock went back");
    }

    #[test]
    fn a_webhook_that_is_gone_has_lapsed_only_if_it_was_here() {
        let registered_at = |urls: &[&str]| Registered {
            urls: urls.iter().map(|url| (*url).to_owned()).collect(),
            ..Registered::default()
        };
        let (ours, other) = ("https://example.com/hooks/x", "https://example.com/old");
        let former = "https://example.com/hooks/y";
        for (urls, was_here, state) in [
            (&[other, ours][..], false, WebhookState::Here),
            (&[former, other], true, WebhookState::Elsewhere),
            (&[former], false, WebhookState::Lapsed),
            (&[other], true, WebhookState::Elsewhere),
            (&[], true, WebhookState::Lapsed),
            (&[], false, WebhookState::NotRegistered),
        ] {
            let of = WebhookState::of(|url| url == ours, |url| url == former, &registered_at(urls), was_here);
            assert_eq!(of, state, "{urls:?}");
        }
        let of = WebhookState::of(|_| false, |_| false, &registered_at(&[ours]), false);
        assert_eq!(of, WebhookState::Elsewhere);
    }
}
