//! Reactions to a message, by who gave them.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::received_message::Reaction;

/// The people of one message whose reactions are kept; those that reacted first are forgotten.
const MOST: usize = 1_000;

/// The reactions of one person to a message since an instant: all of them, none once they were taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenReactions {
    /// The person's id at the provider.
    pub user: String,
    /// Each counts once.
    pub reactions: Vec<Reaction>,
    /// Since when.
    pub at: Timestamp,
}

/// The reactions to a message, the latest person last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reactions(Vec<GivenReactions>);

impl Reaction {
    /// An emoji, given once.
    pub fn emoji(emoji: impl Into<String>) -> Self {
        Self { emoji: Some(emoji.into()), custom_emoji_id: None, count: 1 }
    }

    /// One that its provider has only a number for, given once.
    pub const fn numbered(id: i64) -> Self {
        Self { emoji: None, custom_emoji_id: Some(id), count: 1 }
    }
}

impl Reactions {
    /// A person's reactions are these now; says whether that is news. What was given earlier than what is known is none.
    pub fn give(&mut self, given: GivenReactions) -> bool {
        let known = self.0.iter().position(|known| known.user == given.user);
        if let Some(known) = known {
            if self.0[known].at > given.at || self.0[known] == given {
                return false;
            }
            // One who has taken them back stays, so that what was given before does not come again.
            self.0.remove(known);
        } else if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(given);
        true
    }

    /// Each reaction with how many gave it, the first given first.
    pub fn counted(&self) -> Vec<Reaction> {
        let mut counted: Vec<Reaction> = Vec::new();
        for given in self.0.iter().flat_map(|given| &given.reactions) {
            let same = |known: &&mut Reaction| {
                (&known.emoji, known.custom_emoji_id) == (&given.emoji, given.custom_emoji_id)
            };
            match counted.iter_mut().find(same) {
                Some(known) => known.count = known.count.saturating_add(given.count),
                None => counted.push(given.clone()),
            }
        }
        counted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn given(user: u8, emoji: u8, at: i64) -> GivenReactions {
        let reactions = (emoji > 0).then(|| Reaction::emoji(emoji.to_string())).into_iter().collect();
        GivenReactions { user: user.to_string(), reactions, at: Timestamp::from_micros(at) }
    }

    proptest! {
        /// In whatever order they come: what counts is the last of each person.
        #[test]
        fn the_last_of_each_person_counts(mut given_reactions in prop::collection::vec((0_u8..4, 0_u8..3), 0..12), seed in 0_usize..12) {
            let mut all = Reactions::default();
            let mut dated: Vec<_> = (0..).zip(given_reactions.drain(..)).collect();
            let last = |person| dated.iter().rev().find(|(_, (user, _))| *user == person).map(|(_, (_, emoji))| *emoji);
            let wanted: Vec<u8> = (0..4).filter_map(last).filter(|emoji| *emoji > 0).collect();
            let by = seed.min(dated.len());
            dated.rotate_left(by);
            for (at, (user, emoji)) in &dated {
                all.give(given(*user, *emoji, *at));
            }
            for emoji in [1, 2] {
                let count = wanted.iter().filter(|one| **one == emoji).collect::<Vec<_>>().len();
                let found = all.counted().into_iter().find(|it| it.emoji == Some(emoji.to_string()));
                prop_assert_eq!(found.map_or(0, |it| it.count as usize), count);
            }
        }
    }

    #[test]
    fn the_same_again_is_no_news_and_the_people_are_bounded() {
        let mut all = Reactions::default();
        assert!(all.give(given(1, 1, 5)));
        assert!(!all.give(given(1, 1, 5)) && !all.give(given(1, 2, 4)));
        for user in 0..=MOST {
            all.give(GivenReactions { user: format!("person {user}"), ..given(0, 1, 9) });
        }
        assert_eq!(all.0.len(), MOST);
    }
}
