//! What changed between what a browser has and what there is now. Pure.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::overview::Board;

/// The most marks that a browser may say it has: more than any page has pieces.
const MOST: usize = 1024;

/// The pieces that a browser has, by their marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Held {
    marks: HashSet<u64>,
    order: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Changes<'a> {
    pub(crate) tab: &'a str,
    /// Pieces above the cards, by the id of their element.
    pub(crate) parts: BTreeMap<&'a str, &'a str>,
    pub(crate) cards: BTreeMap<&'a str, &'a str>,
    /// How many cards need someone, whatever is filtered.
    pub(crate) trouble: u64,
    /// The order that the cards have now.
    pub(crate) order: String,
    /// What the browser has after these changes.
    pub(crate) marks: String,
}

impl Held {
    /// What a browser says it has: marks and the order as hexadecimal numbers with points between. What cannot be read is
    /// not there, so that it is sent.
    pub(crate) fn read(marks: &str, order: &str) -> Self {
        Self {
            marks: marks
                .split('.')
                .take(MOST)
                .filter_map(|mark| u64::from_str_radix(mark, 16).ok())
                .collect(),
            order: u64::from_str_radix(order, 16).ok(),
        }
    }

    /// What is to be changed so that the browser has `board`; nothing when it has it.
    pub(crate) fn changes<'a>(&self, board: &'a Board) -> Option<Changes<'a>> {
        let fresh = |drawn: &&crate::overview::Fragment| !self.marks.contains(&drawn.mark);
        let pair = |drawn: &'a crate::overview::Fragment| (drawn.id.as_str(), drawn.html.as_str());
        let changes = Changes {
            tab: &board.tab,
            parts: board.parts.iter().filter(fresh).map(pair).collect(),
            cards: board.cards().filter(fresh).map(pair).collect(),
            trouble: board.trouble,
            order: format!("{:x}", board.order),
            marks: board.marks(),
        };
        let is_new =
            !changes.parts.is_empty() || !changes.cards.is_empty() || self.order != Some(board.order);
        is_new.then_some(changes)
    }

    /// The browser has `board` now.
    pub(crate) fn take(&mut self, board: &Board) {
        self.marks = board.parts.iter().chain(board.cards()).map(|drawn| drawn.mark).collect();
        self.order = Some(board.order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overview::{Fragment, Group, Stands};
    use proptest::prelude::*;

    fn board(cards: &[(u8, u8)], facts: u8) -> Board {
        let cards: BTreeMap<u8, u8> = cards.iter().copied().collect();
        let drawn: Vec<_> = cards
            .iter()
            .map(|(id, content)| Fragment::new(format!("account:a{id}"), format!("card {id} {content}")))
            .collect();
        Board {
            trouble: 0,
            is_new: false,
            matching: drawn.len() as u64,
            tab: "Overview".to_owned(),
            parts: vec![Fragment::new("facts", format!("facts {facts}"))],
            order: cards.keys().fold(7, |order, id| order * 31 + u64::from(*id)),
            groups: vec![Group { id: "g-account", title: "Accounts", stands: Stands::Listed, cards: drawn }],
            next: None,
        }
    }

    fn shown(board: &Board) -> BTreeMap<String, String> {
        board.parts.iter().chain(board.cards()).map(|drawn| (drawn.id.clone(), drawn.html.clone())).collect()
    }

    proptest! {
        /// Whatever a browser had, after the changes it shows what there is, and what did not change was not sent.
        #[test]
        fn changes_lead_from_any_board_to_any_other(
            old in proptest::collection::vec((0_u8..12, 0_u8..3), 0..12),
            new in proptest::collection::vec((0_u8..12, 0_u8..3), 0..12),
            old_facts in 0_u8..2, new_facts in 0_u8..2,
        ) {
            let (old, new) = (board(&old, old_facts), board(&new, new_facts));
            let mut held = Held::read(&old.marks(), &format!("{:x}", old.order));
            let mut browser = shown(&old);
            let now = shown(&new);
            if let Some(changes) = held.changes(&new) {
                for (id, html) in changes.parts.iter().chain(&changes.cards) {
                    prop_assert_ne!(browser.get(*id).map(String::as_str), Some(*html), "sent though it was there");
                    browser.insert((*id).to_owned(), (*html).to_owned());
                }
                // The order shows the browser that there are other cards than it has.
                if changes.order == format!("{:x}", old.order) {
                    prop_assert_eq!(&browser, &now);
                }
                browser.retain(|id, _| now.contains_key(id));
            }
            prop_assert_eq!(&browser, &now);
            held.take(&new);
            prop_assert_eq!(held.changes(&new), None);
        }

        #[test]
        fn whatever_a_browser_says_is_read(marks in "\\PC{0,200}", order in "\\PC{0,20}") {
            let held = Held::read(&marks, &order);
            prop_assert!(held.marks.len() <= MOST);
        }
    }

    #[test]
    fn a_browser_that_has_nothing_gets_everything() {
        let board = board(&[(1, 1), (2, 1)], 0);
        let held = Held::read("", "");
        let changes = held.changes(&board).expect("changes");
        assert_eq!((changes.parts.len(), changes.cards.len()), (1, 2));
    }
}
