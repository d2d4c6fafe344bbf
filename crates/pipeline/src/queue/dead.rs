//! Dead letters of the lists: what could not be taken, with why, and putting it on its list again once that is mended.

use ::queue::{QueueError, keys};
use domain::Timestamp;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{DEAD_LENGTH, Stage};
use crate::service::Pipeline;

/// The number of the latest dead letters that are read.
const MOST: u32 = 1000;

/// An item of a list that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Made of all that it is.
    pub id: String,
    /// The list that it came from.
    pub list: String,
    /// Why it could not be taken.
    pub reason: String,
    /// What its program wrote.
    pub item: String,
    pub at: Option<Timestamp>,
    /// Whether all of the item is there, so that it can be put on its list again.
    pub is_whole: bool,
    letter: Vec<u8>,
}

#[derive(Deserialize)]
struct StoredLetter {
    list: String,
    reason: String,
    item: String,
    at: Option<Timestamp>,
}

impl DeadLetter {
    /// Reads one; nothing of what another program has put there.
    fn read(letter: Vec<u8>) -> Option<Self> {
        let StoredLetter { list, reason, item, at } = serde_json::from_slice(&letter).ok()?;
        let is_ours = [keys::INCOMING, keys::OUTGOING].contains(&list.as_str())
            || Stage::ALL.into_iter().any(|stage| keys::results(stage.as_str()) == list);
        let hash = Sha256::digest(&letter);
        let id = hash.iter().take(16).fold(0_u128, |id, byte| (id << 8) | u128::from(*byte));
        // What was cut or was no text is not what was written.
        let is_whole = is_ours && item.len() < DEAD_LENGTH && !item.contains(char::REPLACEMENT_CHARACTER);
        Some(Self { id: format!("{id:032x}"), list, reason, item, at, is_whole, letter })
    }
}

impl Pipeline {
    /// The last dead letters of the lists in Redis, the newest first; none where there is no Redis.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, QueueError> {
        let Some(queue) = &self.inner().queue else { return Ok(Vec::new()) };
        let letters = queue.redis.dead(MOST).await?;
        Ok(letters.into_iter().rev().filter_map(DeadLetter::read).collect())
    }

    /// Puts items of dead letters on their lists again, those that came first at first; all that are whole where no ids are given. How
    /// many there were.
    ///
    /// # Errors
    /// Redis does not answer; some may have been put there.
    pub async fn retry_dead_letters(&self, ids: Option<&[String]>) -> Result<u64, QueueError> {
        let Some(queue) = &self.inner().queue else { return Ok(0) };
        let mut count = 0;
        for letter in self.dead_letters().await?.into_iter().rev() {
            let is_wanted = ids.is_none_or(|ids| ids.contains(&letter.id));
            if is_wanted
                && letter.is_whole
                && queue.redis.revive(&letter.letter, &letter.list, &letter.item).await?
            {
                count += 1;
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_items_of_our_lists_are_retried() {
        let whole = |list: &str, item: String| {
            let letter = serde_json::json!({ "list": list, "reason": "no JSON", "item": item, "at": null });
            DeadLetter::read(letter.to_string().into_bytes()).unwrap().is_whole
        };
        assert!(whole(keys::INCOMING, "{}".to_owned()));
        assert!(whole(&keys::results("respond"), "{}".to_owned()));
        assert!(!whole("queue:of:others", "{}".to_owned()));
        assert!(!whole(keys::OUTGOING, "a".repeat(DEAD_LENGTH)));
        assert!(!whole(keys::OUTGOING, "\u{fffd}".to_owned()));
        assert_eq!(DeadLetter::read(b"something".to_vec()), None);
    }
}
