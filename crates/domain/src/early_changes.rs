//! What became of a message before it came in: providers and networks report things in any order.

use serde::{Deserialize, Serialize};

use crate::secret::Words;
use crate::{GivenReactions, Reactions, Timestamp};

/// The last edit, the deletion and the reactions of a message that is not stored yet, in whatever order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EarlyChanges {
    pub edited: Option<(Words, Timestamp)>,
    pub deleted: Option<Timestamp>,
    pub reactions: Reactions,
}

impl EarlyChanges {
    /// Its text is this since then.
    pub fn edit(&mut self, text: Words, at: Timestamp) {
        if self.edited.as_ref().is_none_or(|(_, known)| *known < at) {
            self.edited = Some((text, at));
        }
    }

    /// It was taken back then.
    pub fn delete(&mut self, at: Timestamp) {
        self.deleted.get_or_insert(at);
    }

    /// Someone reacted to it, or took that back.
    pub fn react(&mut self, given: GivenReactions) {
        self.reactions.give(given);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// In whatever order they come, the text is that of the last edit.
        #[test]
        fn the_last_edit_counts_in_any_order(mut times in prop::collection::vec(0_i64..100, 1..8)) {
            times.sort_unstable();
            times.dedup();
            let last = times.last().copied().unwrap_or_default();
            let half = times.len() / 2;
            times.rotate_left(half);
            let mut early = EarlyChanges::default();
            for at in times {
                early.edit(Words::from(at.to_string()), Timestamp::from_micros(at));
            }
            prop_assert_eq!(early.edited, Some((Words::from(last.to_string()), Timestamp::from_micros(last))));
        }
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let mut early = EarlyChanges::default();
        early.edit(Words::from("new".to_owned()), Timestamp::from_micros(5));
        early.delete(Timestamp::from_micros(7));
        early.delete(Timestamp::from_micros(9));
        let written = serde_json::to_string(&early).expect("JSON");
        assert_eq!(serde_json::from_str::<EarlyChanges>(&written).expect("changes"), early);
        assert_eq!(early.deleted, Some(Timestamp::from_micros(7)));
    }
}
