//! The decision: three reds in a row or a confirmed one raise an alert, two greens clear it, grey does neither; what is a part of
//! something that has an alert gets none of its own. Pure: it counts probes, not the minutes of strips, and never looks at a clock.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::probe::{Card, Probe, ProbeResult};

/// So many reds in a row raise an alert.
const REDS: u8 = 3;
/// So many greens in a row clear it.
const GREENS: u8 = 2;
/// A card that is missing from so many rounds is no more.
const MISSING: u8 = 3;
/// The most ancestors of a card: more than any has, and an end for a cycle.
const DEEPEST: usize = 8;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Raise {
        card: Card,
        reason: String,
        detail: Option<String>,
    },
    /// A card that has an alert is red for another reason.
    Reword {
        card: Arc<str>,
        reason: String,
        detail: Option<String>,
    },
    Clear {
        card: Arc<str>,
    },
    /// The alert of this card is spoken for by that of the other, which it is a part of.
    Join {
        card: Arc<str>,
        to: Arc<str>,
    },
    Gone {
        card: Arc<str>,
    },
}

/// What is known of one card.
#[derive(Debug, Default)]
struct CardStatus {
    reds: u8,
    greens: u8,
    missing: u8,
    grey: bool,
    /// Whether it has an alert, and why as it was said last.
    open: Option<(String, Option<String>)>,
    parent: Option<Arc<str>>,
}

/// All cards and their state.
#[derive(Debug, Default)]
pub(crate) struct Board {
    cards: HashMap<Arc<str>, CardStatus>,
}

impl Board {
    /// Takes over an alert of an earlier run.
    pub(crate) fn restore(
        &mut self,
        card: Arc<str>,
        parent: Option<Arc<str>>,
        reason: String,
        detail: Option<String>,
    ) {
        let status = CardStatus { parent, open: Some((reason, detail)), ..CardStatus::default() };
        self.cards.insert(card, status);
    }

    /// Takes a round, and says what it changes. Wholes come before their parts.
    pub(crate) fn take(&mut self, probes: &[Probe]) -> Vec<Change> {
        let seen: HashSet<&Arc<str>> = probes.iter().map(|probe| &probe.card.id).collect();
        let mut changes = self.miss(&seen);
        for probe in probes {
            self.count(probe);
        }
        let mut ordered: Vec<(usize, &Probe)> =
            probes.iter().map(|probe| (self.ancestors(&probe.card.id).count(), probe)).collect();
        ordered.sort_by_key(|(depth, _)| *depth);
        for (_, probe) in ordered {
            changes.extend(self.judge(probe));
        }
        changes
    }

    /// Whether the last probe of a card said anything.
    pub(crate) fn is_grey(&self, card: &str) -> bool {
        self.cards.get(card).is_some_and(|status| status.grey)
    }

    /// How many parts of a card, and of its parts, are red.
    pub(crate) fn red_parts(&self, card: &str) -> usize {
        self.cards
            .iter()
            .filter(|(_, status)| status.reds > 0)
            .filter(|(id, _)| self.ancestors(id).any(|ancestor| &*ancestor == card))
            .count()
    }

    fn count(&mut self, probe: &Probe) {
        let status = self.cards.entry(Arc::clone(&probe.card.id)).or_default();
        status.missing = 0;
        status.parent.clone_from(&probe.card.parent);
        status.grey = false;
        match probe.result {
            ProbeResult::Red { .. } => {
                status.reds = status.reds.saturating_add(1);
                status.greens = 0;
            }
            ProbeResult::Confirmed { .. } => {
                status.reds = REDS;
                status.greens = 0;
            }
            ProbeResult::Green => {
                status.greens = status.greens.saturating_add(1);
                status.reds = 0;
            }
            ProbeResult::Grey => status.grey = true,
        }
    }

    fn judge(&mut self, probe: &Probe) -> Option<Change> {
        let card = &probe.card.id;
        let spokesman = self.spokesman(card);
        let status = self.cards.get_mut(card)?;
        match (&probe.result, &mut status.open, spokesman) {
            (_, open @ Some(_), Some(to)) => {
                *open = None;
                Some(Change::Join { card: Arc::clone(card), to })
            }
            (
                ProbeResult::Red { reason, detail } | ProbeResult::Confirmed { reason, detail },
                open @ None,
                None,
            ) if status.reds >= REDS => {
                *open = Some((reason.clone(), detail.clone()));
                Some(Change::Raise {
                    card: probe.card.clone(),
                    reason: reason.clone(),
                    detail: detail.clone(),
                })
            }
            (
                ProbeResult::Red { reason, detail } | ProbeResult::Confirmed { reason, detail },
                Some(reported),
                None,
            ) if reported.0 != *reason => {
                *reported = (reason.clone(), detail.clone());
                Some(Change::Reword {
                    card: Arc::clone(card),
                    reason: reason.clone(),
                    detail: detail.clone(),
                })
            }
            (ProbeResult::Green, open @ Some(_), None) if status.greens >= GREENS => {
                *open = None;
                Some(Change::Clear { card: Arc::clone(card) })
            }
            _ => None,
        }
    }

    /// Counts the cards that are missing, and forgets those that are no more.
    fn miss(&mut self, seen: &HashSet<&Arc<str>>) -> Vec<Change> {
        let mut gone = Vec::new();
        self.cards.retain(|card, status| {
            if seen.contains(card) {
                return true;
            }
            status.missing = status.missing.saturating_add(1);
            if status.missing < MISSING {
                return true;
            }
            if status.open.is_some() {
                gone.push(Change::Gone { card: Arc::clone(card) });
            }
            false
        });
        gone
    }

    /// The outermost card around this one that has an alert.
    fn spokesman(&self, card: &Arc<str>) -> Option<Arc<str>> {
        let open = |id: &Arc<str>| self.cards.get(id).is_some_and(|status| status.open.is_some());
        self.ancestors(card).filter(open).last()
    }

    /// The cards around this one, from the inside out.
    fn ancestors(&self, card: &Arc<str>) -> impl Iterator<Item = Arc<str>> {
        let parent = |id: &Arc<str>| self.cards.get(id)?.parent.clone();
        std::iter::successors(parent(card), move |id| parent(id)).take(DEEPEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn card(id: &str, parent: Option<&str>) -> Card {
        Card { id: id.into(), kind: "account".into(), name: id.into(), parent: parent.map(Into::into) }
    }

    fn red(id: &str, parent: Option<&str>) -> Probe {
        let result = ProbeResult::Red { reason: "no_answer".into(), detail: None };
        Probe { card: card(id, parent), result }
    }

    fn probed(id: &str, result: ProbeResult) -> Probe {
        Probe { card: card(id, None), result }
    }

    fn names(changes: &[Change]) -> Vec<String> {
        let name = |change: &Change| match change {
            Change::Raise { card, .. } => format!("raise {}", card.id),
            Change::Reword { card, reason, .. } => format!("reword {card} {reason}"),
            Change::Clear { card } => format!("clear {card}"),
            Change::Join { card, to } => format!("join {card} to {to}"),
            Change::Gone { card } => format!("gone {card}"),
        };
        changes.iter().map(name).collect()
    }

    #[test]
    fn three_reds_raise_and_two_greens_clear() {
        let mut board = Board::default();
        for expected in [vec![], vec![], vec!["raise a"], vec![], vec![]] {
            assert_eq!(names(&board.take(&[red("a", None)])), expected);
        }
        assert_eq!(names(&board.take(&[probed("a", ProbeResult::Green)])), [""; 0]);
        assert_eq!(names(&board.take(&[probed("a", ProbeResult::Green)])), ["clear a"]);
        assert_eq!(names(&board.take(&[probed("a", ProbeResult::Green)])), [""; 0]);
    }

    #[test]
    fn one_confirmed_red_raises_and_two_greens_clear() {
        let confirmed =
            || probed("a", ProbeResult::Confirmed { reason: "webhook_taken".into(), detail: None });
        let mut board = Board::default();
        for (probe, expected) in [
            (red("a", None), vec![]),
            (probed("a", ProbeResult::Green), vec![]),
            (confirmed(), vec!["raise a"]),
            (confirmed(), vec![]),
            (red("a", None), vec!["reword a no_answer"]),
            (probed("a", ProbeResult::Green), vec![]),
            (probed("a", ProbeResult::Green), vec!["clear a"]),
        ] {
            assert_eq!(names(&board.take(&[probe])), expected);
        }
    }

    #[test]
    fn beats_are_counted_and_not_the_minutes_that_they_make_red() {
        let (red, green) = (|| red("a", None), || probed("a", ProbeResult::Green));
        let mut board = Board::default();
        let mut changes = |probes: Vec<Probe>| -> Vec<String> {
            probes.iter().flat_map(|probe| names(&board.take(std::slice::from_ref(probe)))).collect()
        };
        // Three minutes of three probes: each is red on the strip, as the worst probe in it, and each had an answer.
        for _ in 0..3 {
            assert_eq!(changes(vec![green(), red(), green()]), [""; 0]);
        }
        // A green between starts the count again, also over the border of a minute.
        assert_eq!(changes(vec![red(), red(), green(), red(), red()]), [""; 0]);
        // Three in a row raise, though they may be in one minute; one green clears nothing, two do.
        assert_eq!(changes(vec![green()]), [""; 0]);
        assert_eq!(changes(vec![red(), red(), red()]), ["raise a"]);
        assert_eq!(changes(vec![green(), red(), green()]), [""; 0]);
        assert_eq!(changes(vec![green()]), ["clear a"]);
    }

    #[test]
    fn lines_are_reported_with_their_account() {
        let mut board = Board::default();
        let lines = ["l1", "l2", "l3", "l4"];
        let round: Vec<Probe> =
            lines.iter().map(|line| red(line, Some("a"))).chain([red("a", None)]).collect();
        board.take(&round);
        board.take(&round);
        assert_eq!(names(&board.take(&round)), ["raise a"]);
        assert_eq!(board.red_parts("a"), 4);
        // The account is well again while one line is not: that line speaks for itself now.
        let mut later: Vec<Probe> = lines[1..]
            .iter()
            .map(|line| Probe { card: card(line, Some("a")), result: ProbeResult::Green })
            .collect();
        later.extend([red("l1", Some("a")), probed("a", ProbeResult::Green)]);
        assert_eq!(names(&board.take(&later)), [""; 0]);
        assert_eq!(names(&board.take(&later)), ["clear a", "raise l1"]);
        // And when the whole account is red again, it speaks for the line.
        for _ in 0..2 {
            board.take(&round);
        }
        assert_eq!(names(&board.take(&round)), ["raise a", "join l1 to a"]);
    }

    #[test]
    fn another_reason_is_another_word_and_no_other_alert() {
        let mut board = Board::default();
        for _ in 0..3 {
            board.take(&[red("a", None)]);
        }
        let banned = probed("a", ProbeResult::Red { reason: "banned".into(), detail: None });
        assert_eq!(names(&board.take(std::slice::from_ref(&banned))), ["reword a banned"]);
        assert_eq!(names(&board.take(&[banned])), [""; 0]);
    }

    #[test]
    fn a_card_that_is_no_more_takes_its_alert_along() {
        let mut board = Board::default();
        for _ in 0..3 {
            board.take(&[red("a", None)]);
        }
        assert_eq!(names(&board.take(&[])), [""; 0]);
        assert_eq!(names(&board.take(&[])), [""; 0]);
        assert_eq!(names(&board.take(&[])), ["gone a"]);
        assert_eq!(names(&board.take(&[])), [""; 0]);
    }

    #[test]
    fn an_alert_of_an_earlier_run_is_not_raised_again() {
        let mut board = Board::default();
        board.restore("a".into(), None, "no_answer".into(), None);
        for _ in 0..5 {
            assert_eq!(names(&board.take(&[red("a", None)])), [""; 0]);
        }
        board.take(&[probed("a", ProbeResult::Green)]);
        assert_eq!(names(&board.take(&[probed("a", ProbeResult::Green)])), ["clear a"]);
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let mut board = Board::default();
        for _ in 0..4 {
            board.take(&[red("a", Some("b")), red("b", Some("a"))]);
        }
        assert!(board.red_parts("a") <= 2);
    }

    /// The same said plainly: look back over the probes that said anything.
    fn plainly(probes: &[ProbeResult]) -> Vec<&'static str> {
        let mut open = false;
        let mut answers: Vec<bool> = Vec::new();
        let mut changes = Vec::new();
        for probe in probes {
            match probe {
                ProbeResult::Red { .. } | ProbeResult::Confirmed { .. } => answers.push(false),
                ProbeResult::Green => answers.push(true),
                ProbeResult::Grey => {
                    changes.push("");
                    continue;
                }
            }
            let ends_with = |what: bool, times: usize| {
                answers.len() >= times && answers[answers.len() - times..].iter().all(|one| *one == what)
            };
            if !open && ends_with(false, 3) {
                open = true;
                changes.push("raise");
            } else if open && ends_with(true, 2) {
                open = false;
                changes.push("clear");
            } else {
                changes.push("");
            }
        }
        changes
    }

    proptest! {
        #[test]
        fn any_row_of_beats_raises_and_clears_as_the_plain_rule_says(row in prop::collection::vec(0..3_u8, 0..60)) {
            let answers: Vec<ProbeResult> = row
                .into_iter()
                .map(|kind| match kind {
                    0 => ProbeResult::Red { reason: "no_answer".into(), detail: None },
                    1 => ProbeResult::Green,
                    _ => ProbeResult::Grey,
                })
                .collect();
            let mut board = Board::default();
            let found: Vec<&str> = answers
                .iter()
                .map(|answer| match board.take(&[probed("a", answer.clone())]).as_slice() {
                    [Change::Raise { .. }] => "raise",
                    [Change::Clear { .. }] => "clear",
                    [] => "",
                    other => panic!("{other:?}"),
                })
                .collect();
            prop_assert_eq!(found, plainly(&answers));
        }

        /// Whatever an account and its lines do: no part has an alert beside its whole, and each clear follows a raise.
        #[test]
        fn a_part_never_has_an_alert_beside_its_whole(
            rounds in prop::collection::vec(prop::collection::vec(0..4_u8, 4), 0..60)
        ) {
            let mut board = Board::default();
            let mut open = HashSet::new();
            for round in rounds {
                let names = ["a", "l1", "l2", "l3"];
                let probes: Vec<Probe> = names
                    .into_iter()
                    .zip(round)
                    .filter(|(_, kind)| *kind < 3)
                    .map(|(name, kind)| {
                        let result = match kind {
                            0 => ProbeResult::Red { reason: "no_answer".into(), detail: None },
                            1 => ProbeResult::Green,
                            _ => ProbeResult::Grey,
                        };
                        Probe { card: card(name, (name != "a").then_some("a")), result }
                    })
                    .collect();
                for change in board.take(&probes) {
                    match change {
                        Change::Raise { card, .. } => prop_assert!(open.insert(card.id)),
                        Change::Clear { card } | Change::Gone { card } | Change::Join { card, .. } => {
                            prop_assert!(open.remove(&card));
                        }
                        Change::Reword { card, .. } => prop_assert!(open.contains(&card)),
                    }
                }
                let is_probed = |name: &str| probes.iter().any(|probe| &*probe.card.id == name);
                for line in ["l1", "l2", "l3"].into_iter().filter(|line| is_probed(line)) {
                    prop_assert!(!(open.contains("a") && open.contains(line)));
                }
            }
        }
    }
}
