//! The starts of a store, each with a random word. They show that a copy of the database was started by itself: it lacks the word
//! that the data directory remembers, or it was started on before the moment that the directory remembers.

use super::{Identity, READ, SAVE};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, params};

/// The fact in the database: of each start the word, the generation and the newest event before it, 8 bytes each.
const FACT: &str = "store starts";
/// The database keeps this many starts. It refuses a data directory that missed more of them.
const MOST: usize = 1000;

/// A random word. Zeros stand for none: an identity of an earlier version, or one that is only announced.
pub(super) type Word = [u8; 8];
pub(super) const NO_WORD: Word = [0; 8];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Start {
    word: Word,
    generation: i64,
    event: i64,
}

/// The newest starts of a store, in their order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Starts(Vec<Start>);

impl Starts {
    pub(super) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let fact =
            connection.first(READ, [FACT], |row| Columns::new(row, "store_facts").get::<Vec<u8>>(0))?;
        Self::from_fact(&fact.unwrap_or_default())
            .ok_or_else(|| StoreError::corrupt("store_facts", "value", FACT, "it is no list of starts"))
    }

    fn from_fact(fact: &[u8]) -> Option<Self> {
        let (numbers, rest) = fact.as_chunks::<8>();
        let (starts, others) = numbers.as_chunks::<3>();
        let start = |[word, generation, event]: &[[u8; 8]; 3]| Start {
            word: *word,
            generation: i64::from_be_bytes(*generation),
            event: i64::from_be_bytes(*event),
        };
        (rest.is_empty() && others.is_empty()).then(|| Self(starts.iter().map(start).collect()))
    }

    fn fact(&self) -> Vec<u8> {
        let numbers =
            |start: &Start| [start.word, start.generation.to_be_bytes(), start.event.to_be_bytes()].concat();
        self.0.iter().flat_map(numbers).collect()
    }

    /// The word of the newest start.
    pub(super) fn word(&self) -> Word {
        self.0.last().map_or(NO_WORD, |start| start.word)
    }

    /// Adds the start of an identity, unless it is there: a commit that failed may have come back.
    pub(super) fn add(&mut self, begun: &Identity) {
        if self.word() != begun.word {
            self.0.push(Start { word: begun.word, generation: begun.generation, event: begun.event });
        }
        let too_many = self.0.len().saturating_sub(MOST);
        self.0.drain(..too_many);
    }

    pub(super) fn save(&self, connection: &Connection) -> Result<(), StoreError> {
        connection.run(SAVE, params![FACT, self.fact()])
    }

    /// Whether the store was at the moment that is remembered: it had this start, and the one behind it came later.
    pub(super) fn include(&self, known: &Identity) -> bool {
        if known.word == NO_WORD {
            return true;
        }
        let Some(place) = self.0.iter().rposition(|start| start.word == known.word) else { return false };
        let next = self.0.get(place + 1);
        next.is_none_or(|next| next.generation > known.generation && next.event >= known.event)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::identity;
    use super::*;

    const fn at(word: u8, generation: i64, event: i64) -> Identity {
        Identity { word: [word; 8], ..identity(1, generation, event) }
    }

    fn starts(begun: &[Identity]) -> Starts {
        let mut starts = Starts::default();
        for begun in begun {
            starts.add(begun);
        }
        starts
    }

    #[test]
    fn starts_are_read_as_they_were_written() {
        for written in [starts(&[]), starts(&[at(1, 1, 0), at(2, 4, 70)])] {
            assert_eq!(Starts::from_fact(&written.fact()).as_ref(), Some(&written));
        }
        let whole = starts(&[at(1, 1, 0)]).fact();
        for damaged in [&whole[..23], &whole[..16]] {
            assert_eq!(Starts::from_fact(damaged), None);
        }
    }

    #[test]
    fn the_newest_starts_are_kept_once() {
        let begun: Vec<Identity> = (1..=1500)
            .map(|number: i64| Identity { word: number.to_be_bytes(), ..identity(1, number, 0) })
            .collect();
        let mut kept = starts(&begun);
        assert_eq!((kept.0.len(), kept.word()), (MOST, 1500_i64.to_be_bytes()));
        kept.add(&begun[1499]);
        assert_eq!(kept.0.len(), MOST);
        assert!(kept.include(&begun[500]) && !kept.include(&begun[499]));
    }

    #[test]
    fn only_a_store_that_was_at_the_remembered_moment_leads_on_from_it() {
        let found = starts(&[at(1, 1, 0), at(2, 4, 70), at(3, 9, 90)]);
        for known in [at(1, 1, 0), at(1, 3, 70), at(2, 4, 70), at(2, 8, 90), at(3, 9, 90), at(3, 50, 999)] {
            assert!(found.include(&known), "{known:?}");
        }
        // Another start, or more under this one than there was before the next.
        for known in [at(4, 5, 80), at(1, 4, 70), at(1, 3, 71), at(2, 9, 80)] {
            assert!(!found.include(&known), "{known:?}");
        }
        assert!(starts(&[]).include(&identity(1, 5, 70)), "of an earlier version");
        assert!(!starts(&[]).include(&at(1, 5, 70)));
    }
}
