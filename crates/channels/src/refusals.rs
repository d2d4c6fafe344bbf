//! Posts to an account's own address that were refused as not genuine, and whether they show a wrong secret.
//!
//! One refusal shows nothing: anyone can post. Providers also post again what was refused before the address was registered with
//! the right secret.

use std::time::Duration;

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Two refusals that are further apart show that the provider goes on.
const APART: Duration = Duration::from_mins(1);
/// A refusal is forgotten after this time without another.
const RETENTION: Duration = Duration::from_hours(24);
/// The most posts that are remembered.
const MOST: usize = 16;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusals {
    /// When the first and the last of those were that count; none since a post was genuine.
    #[serde(default)]
    between: Option<(Timestamp, Timestamp)>,
    /// The hashes of posts that were refused since the address was registered.
    #[serde(default)]
    posts: Vec<String>,
    /// The hashes of posts that were refused before: they do not count when the provider posts them again.
    #[serde(default)]
    earlier: Vec<String>,
}

impl Refusals {
    /// Notes a refused post.
    pub(crate) fn note(&mut self, body: &[u8], now: Timestamp) {
        let post = hex::encode(&Sha256::digest(body)[..8]);
        if self.earlier.contains(&post) {
            return;
        }
        if !self.posts.contains(&post) {
            add(&mut self.posts, post);
        }
        let first = self.between.filter(|(_, last)| *last <= now && now.since(*last) < RETENTION);
        self.between = Some((first.map_or(now, |(first, _)| first), now));
    }

    /// Notes a genuine post.
    pub(crate) const fn forget(&mut self) {
        self.between = None;
    }

    /// Notes that the registration is as it should be.
    pub(crate) fn forget_old(&mut self, now: Timestamp) {
        self.between = self.between.filter(|(_, last)| now.since(*last) < RETENTION);
    }

    /// Notes that the address was registered again.
    pub(crate) fn begin_again(&mut self) {
        self.between = None;
        for post in std::mem::take(&mut self.posts) {
            add(&mut self.earlier, post);
        }
    }

    /// Whether the provider posts with a wrong secret or signature.
    pub(crate) fn is_loss(&self) -> bool {
        self.between.is_some_and(|(first, last)| last.since(first) > APART)
    }
}

fn add(posts: &mut Vec<String>, post: String) {
    let surplus = (posts.len() + 1).saturating_sub(MOST);
    posts.drain(..surplus);
    posts.push(post);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_893_456_000_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn one_refusal_or_several_at_once_are_no_loss() {
        let mut refusals = Refusals::default();
        for seconds in [0, 1, 60] {
            refusals.note(b"one", at(seconds));
            assert!(!refusals.is_loss(), "{seconds}");
        }
        refusals.note(b"one", at(61));
        assert!(refusals.is_loss(), "the provider goes on");
        refusals.forget();
        refusals.note(b"one", at(200));
        assert!(!refusals.is_loss(), "a genuine post came between");
    }

    #[test]
    fn what_was_refused_before_the_address_was_registered_again_does_not_count() {
        let mut refusals = Refusals::default();
        refusals.note(b"old", at(0));
        refusals.note(b"old", at(100));
        refusals.begin_again();
        for seconds in [101, 300, 600] {
            refusals.note(b"old", at(seconds));
        }
        assert!(!refusals.is_loss());
        refusals.note(b"new", at(700));
        refusals.note(b"new", at(800));
        assert!(refusals.is_loss(), "the secret is still wrong");
    }

    #[test]
    fn a_refusal_is_forgotten_after_a_day() {
        let day = 24 * 60 * 60;
        let mut refusals = Refusals::default();
        refusals.note(b"one", at(0));
        refusals.note(b"other", at(day));
        assert!(!refusals.is_loss());
        refusals.note(b"other", at(day + 100));
        refusals.forget_old(at(2 * day));
        assert!(refusals.is_loss());
        refusals.forget_old(at(2 * day + 100));
        assert!(!refusals.is_loss());
        // A clock that went back begins again.
        refusals.note(b"one", at(500));
        refusals.note(b"one", at(400));
        assert!(!refusals.is_loss());
    }

    #[test]
    fn no_number_of_posts_makes_it_large() {
        let mut refusals = Refusals::default();
        for number in 0..100_u8 {
            refusals.note(&[number], at(u64::from(number)));
            if number % 30 == 0 {
                refusals.begin_again();
            }
        }
        assert!(refusals.posts.len() <= MOST && refusals.earlier.len() <= MOST);
    }
}
