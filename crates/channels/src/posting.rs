//! Where a provider posts to, and whether it posts all that customers write.

use domain::Timestamp;

/// Where a provider posts to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registered {
    /// The addresses, often one.
    pub urls: Vec<String>,
    /// How it is with each of them, in their order; empty where the provider does not say.
    pub postings: Vec<Posting>,
    /// What went wrong there last.
    pub last_error: Option<String>,
    /// When that was, where the provider says.
    pub last_error_at: Option<Timestamp>,
    /// How many events wait to be posted, where the provider says.
    pub waiting: Option<u64>,
    /// Whether the account is signed out, so that nothing reaches the provider itself.
    pub signed_out: bool,
}

impl Registered {
    /// Returns whether all that customers write is posted to one of our addresses, or why not, as far as the provider says; none where
    /// no address of ours is registered.
    pub(crate) fn posts_to(&self, is_ours: impl Fn(&str) -> bool) -> Option<Result<(), String>> {
        let places = self.urls.iter().enumerate().filter(|(_, url)| is_ours(url));
        let mut found = places.map(|(place, _)| self.gap(place).map_or(Ok(()), Err));
        let first = found.next()?;
        Some(if first.is_ok() || found.any(|other| other.is_ok()) { Ok(()) } else { first })
    }

    fn gap(&self, place: usize) -> Option<String> {
        let posting = self.postings.get(place)?;
        if posting.state == PostingState::Works {
            return posting.gap.clone();
        }
        Some(self.last_error.clone().unwrap_or_else(|| "it does not say why".to_owned()))
    }
}

/// How a provider does with an address that it posts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    pub state: PostingState,
    /// Whether a secret is posted along, by which the receiver knows who posts; none where the provider does not say.
    pub has_secret: Option<bool>,
    /// How the registration differs from what [`crate::Provider::register`] asks for, where that loses what customers write.
    pub gap: Option<String>,
}

impl Posting {
    /// Where only the address is known, and no secret goes with it.
    pub(crate) const BARE: Self = Self { state: PostingState::Works, has_secret: Some(false), gap: None };

    /// Where the provider posts, and does not say whether a secret goes along.
    pub(crate) const fn with(gap: Option<String>) -> Self {
        Self { state: PostingState::Works, has_secret: None, gap }
    }
}

/// Returns which of the kinds of events that [`crate::Provider::register`] asks for are not posted; none where all are.
pub(crate) fn kinds_left_out(wanted: &[&str], is_posted: impl Fn(&str) -> bool) -> Option<String> {
    let left_out: Vec<&str> = wanted.iter().copied().filter(|kind| !is_posted(kind)).collect();
    (!left_out.is_empty()).then(|| format!("it leaves out {}", left_out.join(", ")))
}

/// Whether an address is posted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PostingState {
    /// It is, as far as the provider says.
    Works,
    /// It has not confirmed yet that it wants to be.
    Unconfirmed,
    /// It did not answer as it should, and is posted to no more.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_was_given_up_or_gets_a_part_is_not_posted_to() {
        let (ours, other) = ("https://example.com/hooks/x", "https://example.com/old");
        let urls = vec![other.to_owned(), ours.to_owned()];
        let is_ours = |url: &str| url == ours;
        let posting = |state| Posting { state, ..Posting::BARE };
        let part = kinds_left_out(&["text", "edit", "press"], |kind| kind == "edit");
        assert_eq!(kinds_left_out(&["text"], |_| true), None);
        let unclear = Err("it does not say why".to_owned());
        for (posting, posts_to) in [
            (posting(PostingState::Works), Ok(())),
            (posting(PostingState::Unconfirmed), unclear.clone()),
            (posting(PostingState::Failed), unclear),
            (Posting::with(part), Err("it leaves out text, press".to_owned())),
        ] {
            let postings = vec![Posting::BARE, posting.clone()];
            let registered = Registered { urls: urls.clone(), postings, ..Registered::default() };
            assert_eq!(registered.posts_to(is_ours), Some(posts_to), "{posting:?}");
            assert_eq!(registered.posts_to(|_| true), Some(Ok(())), "{posting:?}");
        }
        let registered = Registered { urls, ..Registered::default() };
        assert_eq!(registered.posts_to(is_ours), Some(Ok(())), "it does not say");
        assert_eq!(registered.posts_to(|_| false), None);
    }
}
