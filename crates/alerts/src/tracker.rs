//! The alerts that are not over, and the notices about them. Pure: the time and the ids are handed in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use domain::{AlertId, Timestamp};
use store::{AlertState, StoredAlert};

use crate::decide::{Board, Change};
use crate::notice::{Line, Notice};
use crate::probe::Round;
use crate::silence::Silences;

/// How long changes are gathered, so that one cause is one notice.
const GATHER: Duration = Duration::from_secs(5);

/// All that is known of alerts that are not over.
#[derive(Debug, Default)]
pub(crate) struct AlertTracker {
    board: Board,
    alerts: BTreeMap<AlertId, StoredAlert>,
    /// The open ones, by card.
    open: HashMap<Arc<str>, AlertId>,
    /// Those that the store does not have as they are.
    dirty: BTreeSet<AlertId>,
}

/// What is to be written in one transaction: alerts as they are to be, and the notice about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) alerts: Vec<StoredAlert>,
    pub(crate) notice: Option<Notice>,
}

impl AlertTracker {
    /// Takes over what an earlier run left.
    pub(crate) fn restore(alerts: Vec<StoredAlert>) -> Self {
        let mut tracker = Self::default();
        for alert in alerts {
            if alert.state == AlertState::Open {
                let card: Arc<str> = alert.card.as_str().into();
                let parent = alert.parent.as_deref().map(Into::into);
                tracker.board.restore(Arc::clone(&card), parent, alert.reason.clone(), alert.detail.clone());
                tracker.open.insert(card, alert.id);
            }
            tracker.alerts.insert(alert.id, alert);
        }
        tracker
    }

    /// Takes a round of probes. Says whether it changed anything.
    pub(crate) fn take(&mut self, round: &Round, now: Timestamp, mut id: impl FnMut() -> AlertId) -> bool {
        let changes = self.board.take(&round.probes);
        for change in &changes {
            match change {
                Change::Raise { card, reason, detail } => {
                    let alert = StoredAlert {
                        id: id(),
                        card: card.id.to_string(),
                        kind: card.kind.to_string(),
                        name: card.name.clone(),
                        parent: card.parent.as_deref().map(str::to_owned),
                        state: AlertState::Open,
                        reason: reason.clone(),
                        detail: detail.clone(),
                        raised_at: now,
                        closed_at: None,
                        joined_to: None,
                        notified_at: None,
                        reminded_at: None,
                        finished_at: None,
                    };
                    self.open.insert(Arc::clone(&card.id), alert.id);
                    self.dirty.insert(alert.id);
                    self.alerts.insert(alert.id, alert);
                }
                Change::Reword { card, reason, detail } => {
                    if let Some(alert) = self.open.get(card).and_then(|id| self.alerts.get_mut(id)) {
                        alert.reason.clone_from(reason);
                        alert.detail.clone_from(detail);
                        self.dirty.insert(alert.id);
                    }
                }
                Change::Clear { card } => self.close(card, AlertState::Cleared, None, now),
                Change::Gone { card } => self.close(card, AlertState::Gone, None, now),
                Change::Join { card, to } => {
                    let to = self.open.get(to).copied();
                    self.close(card, AlertState::Joined, to, now);
                }
            }
        }
        !changes.is_empty()
    }

    fn close(&mut self, card: &Arc<str>, state: AlertState, to: Option<AlertId>, now: Timestamp) {
        let Some(alert) = self.open.remove(card).and_then(|id| self.alerts.get_mut(&id)) else { return };
        alert.state = state;
        alert.closed_at = Some(now);
        alert.joined_to = to;
        self.dirty.insert(alert.id);
    }

    /// What is to be written now, if anything is. Nothing here changes before [`AlertTracker::settle`].
    pub(crate) fn draft(
        &self,
        now: Timestamp,
        silences: &Silences,
        remind_every: Duration,
        server: &str,
    ) -> Option<Draft> {
        let mut notice = Notice { server: server.to_owned(), ..Notice::default() };
        let mut written: BTreeMap<AlertId, StoredAlert> =
            self.dirty.iter().filter_map(|id| Some((*id, self.alerts.get(id)?.clone()))).collect();
        let silent = |alert: &StoredAlert| {
            silences.of(&alert.card, &alert.kind, alert.parent.as_deref(), now).is_some()
        };
        // A notice has everything that changed since the last one.
        let tells = self
            .alerts
            .values()
            .any(|alert| news(alert).is_some_and(|since| ripe(since, now)) && !silent(alert));
        for alert in self.alerts.values() {
            let mut alert = alert.clone();
            match (alert.state, alert.notified_at) {
                (AlertState::Joined, _) | (AlertState::Cleared | AlertState::Gone, None) => {
                    alert.finished_at = Some(now);
                }
                (AlertState::Cleared | AlertState::Gone, Some(_)) if tells && !silent(&alert) => {
                    alert.finished_at = Some(now);
                    notice.cleared.push(Line::new(&alert, 0));
                }
                (AlertState::Open, None) if tells && !silent(&alert) => {
                    alert.notified_at = Some(now);
                    notice.raised.push(Line::new(&alert, self.board.red_parts(&alert.card)));
                }
                (AlertState::Open, Some(notified_at)) => {
                    match remind(notified_at.max(alert.reminded_at.unwrap_or(notified_at)), now, remind_every)
                    {
                        Remind::Now if !silent(&alert) && !self.board.is_grey(&alert.card) => {
                            alert.reminded_at = Some(now);
                            notice.still.push(Line::new(&alert, 0));
                        }
                        Remind::CountAgain => {
                            alert.notified_at = Some(now);
                            alert.reminded_at = Some(now);
                        }
                        Remind::Now | Remind::Later => continue,
                    }
                }
                _ => continue,
            }
            written.insert(alert.id, alert);
        }
        let notice = Some(notice).filter(|notice| !notice.is_empty());
        if written.is_empty() && notice.is_none() {
            return None;
        }
        Some(Draft { alerts: written.into_values().collect(), notice })
    }

    /// The draft is in the store. What changed since it was made stays to be written.
    pub(crate) fn settle(&mut self, written: &[StoredAlert]) {
        for row in written {
            let Some(alert) = self.alerts.get_mut(&row.id) else { continue };
            alert.notified_at = row.notified_at;
            alert.reminded_at = row.reminded_at;
            let same = (alert.state, &alert.reason, &alert.detail) == (row.state, &row.reason, &row.detail);
            if !same {
                continue;
            }
            self.dirty.remove(&row.id);
            if row.finished_at.is_some() {
                self.alerts.remove(&row.id);
            }
        }
    }

    /// The alerts that are open, the latest first.
    pub(crate) fn open(&self) -> impl Iterator<Item = &StoredAlert> {
        self.alerts.values().rev().filter(|alert| alert.state == AlertState::Open)
    }

    /// One that is not over.
    pub(crate) fn get(&self, id: AlertId) -> Option<&StoredAlert> {
        self.alerts.get(&id)
    }

    /// All that are not over, as they are by now.
    pub(crate) fn all(&self) -> impl Iterator<Item = &StoredAlert> {
        self.alerts.values()
    }

    pub(crate) fn is_open(&self, card: &str) -> bool {
        self.open.contains_key(card)
    }

    pub(crate) fn red_parts(&self, card: &str) -> usize {
        self.board.red_parts(card)
    }
}

/// Since when an alert has something new.
fn news(alert: &StoredAlert) -> Option<Timestamp> {
    match (alert.state, alert.notified_at) {
        (AlertState::Open, None) => Some(alert.raised_at),
        (AlertState::Cleared | AlertState::Gone, Some(_)) => alert.closed_at,
        _ => None,
    }
}

/// Whether a change is old enough for a notice. A time ahead was written before the clock was set back.
fn ripe(since: Timestamp, now: Timestamp) -> bool {
    since > now || now.since(since) >= GATHER
}

/// Whether it is time for a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remind {
    Now,
    Later,
    /// The clock was set back since; the wait begins again.
    CountAgain,
}

fn remind(last: Timestamp, now: Timestamp, every: Duration) -> Remind {
    match () {
        () if every.is_zero() => Remind::Later,
        () if last > now => Remind::CountAgain,
        () if now.since(last) >= every => Remind::Now,
        () => Remind::Later,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hours::{Hours, MaintenanceWindow, Scope};
    use crate::probe::{Card, Probe, ProbeResult};
    use proptest::prelude::*;
    use store::{StoredMute, StoredWindow};
    use uuid_of::id;

    /// Ids in the order of their numbers.
    mod uuid_of {
        use domain::AlertId;

        pub(super) fn id(number: u128) -> AlertId {
            let mut text = String::new();
            for place in (0..26).rev() {
                let digit = usize::try_from((number >> (place * 5)) & 31).unwrap();
                text.push(char::from(b"0123456789abcdefghjkmnpqrstvwxyz"[digit]));
            }
            format!("alert_{text}").parse().unwrap()
        }
    }

    const EVERY: Duration = Duration::from_hours(6);

    fn probe(card: &str, green: bool) -> Probe {
        let card = Card { id: card.into(), kind: "account".into(), name: card.into(), parent: None };
        let result = if green {
            ProbeResult::Green
        } else {
            ProbeResult::Red { reason: "no_answer".into(), detail: None }
        };
        Probe { card, result }
    }

    struct World {
        tracker: AlertTracker,
        silences: Silences,
        now: Timestamp,
        made: u128,
    }

    impl World {
        fn new() -> Self {
            let now = Timestamp::from_micros(1_893_456_000_000_000);
            Self { tracker: AlertTracker::default(), silences: Silences::default(), now, made: 0 }
        }

        fn round(&mut self, probes: Vec<Probe>) {
            let made = &mut self.made;
            self.tracker.take(&Round { probes }, self.now, || {
                *made += 1;
                id(*made)
            });
        }

        fn rounds(&mut self, times: usize, green: bool) {
            for _ in 0..times {
                self.pass(20);
                self.round(vec![probe("a", green)]);
            }
        }

        fn pass(&mut self, seconds: u64) {
            self.now = self.now.plus(Duration::from_secs(seconds));
        }

        /// What is reported now, written at once.
        fn next_notice(&mut self) -> Option<Notice> {
            let draft = self.tracker.draft(self.now, &self.silences, EVERY, "demo")?;
            self.tracker.settle(&draft.alerts);
            draft.notice
        }

        fn totals(&mut self) -> (usize, usize, usize) {
            let notice = self.next_notice().unwrap_or_default();
            (notice.raised.total, notice.cleared.total, notice.still.total)
        }
    }

    #[test]
    fn an_alert_is_raised_once_repeated_and_cleared() {
        let mut world = World::new();
        world.rounds(3, false);
        assert_eq!(world.totals(), (0, 0, 0), "it is gathered first");
        world.pass(5);
        assert_eq!(world.totals(), (1, 0, 0));
        world.pass(3600);
        assert_eq!(world.totals(), (0, 0, 0));
        world.pass(5 * 3600);
        assert_eq!(world.totals(), (0, 0, 1));
        assert_eq!(world.totals(), (0, 0, 0));
        world.rounds(2, true);
        world.pass(5);
        assert_eq!(world.totals(), (0, 1, 0));
        assert!(world.tracker.alerts.is_empty() && world.tracker.dirty.is_empty());
    }

    #[test]
    fn two_thousand_cards_are_one_notice() {
        let mut world = World::new();
        for _ in 0..3 {
            let probes = (0..2_000).map(|number| probe(&format!("account:a{number}"), false)).collect();
            world.round(probes);
        }
        world.pass(5);
        let notice = world.next_notice().expect("one notice");
        assert_eq!(notice.raised.total, 2_000);
        assert_eq!(world.totals(), (0, 0, 0));
    }

    #[test]
    fn an_alert_that_ends_before_its_notice_is_not_sent() {
        let mut world = World::new();
        world.rounds(3, false);
        for _ in 0..2 {
            world.round(vec![probe("a", true)]);
        }
        world.pass(5);
        assert_eq!(world.totals(), (0, 0, 0));
        assert!(world.tracker.alerts.is_empty());
    }

    #[test]
    fn a_muted_card_is_reported_when_its_mute_ends() {
        let mut world = World::new();
        let until = world.now.plus(Duration::from_hours(1));
        world.silences.mute(StoredMute {
            card: "a".into(),
            until,
            muted_at: world.now,
            muted_by: "admin".into(),
        });
        world.rounds(3, false);
        world.pass(60);
        assert_eq!(world.totals(), (0, 0, 0));
        assert!(world.tracker.is_open("a"), "the page shows it all the same");
        world.now = until;
        assert_eq!(world.totals(), (1, 0, 0));
    }

    #[test]
    fn a_maintenance_window_delays_notices() {
        let mut world = World::new();
        let until = world.now.plus(Duration::from_hours(1));
        let window = MaintenanceWindow {
            note: String::new(),
            scope: Scope::All,
            hours: Hours::Once { from: world.now, until },
        };
        let stored = StoredWindow {
            id: domain::MaintenanceId::MIN,
            record: window.to_record().unwrap(),
            created_at: world.now,
            created_by: "admin".into(),
        };
        world.silences.add(stored, window);
        world.rounds(3, false);
        world.rounds(2, true);
        world.rounds(3, false);
        assert_eq!(world.totals(), (0, 0, 0));
        world.now = until;
        assert_eq!(world.totals(), (1, 0, 0), "what is still in trouble afterwards is reported");
    }

    #[test]
    fn a_clock_that_is_set_back_neither_doubles_nor_delays() {
        let mut world = World::new();
        world.rounds(3, false);
        world.now = world.now.minus(Duration::from_hours(1));
        assert_eq!(world.totals(), (1, 0, 0), "what is ahead is reported at once");
        world.now = world.now.minus(Duration::from_hours(1));
        assert_eq!(world.totals(), (0, 0, 0));
        world.pass(EVERY.as_secs());
        assert_eq!(world.totals(), (0, 0, 1), "a reminder comes after its wait, counted again");
    }

    #[test]
    fn changes_during_a_write_are_written_later() {
        let mut world = World::new();
        world.rounds(3, false);
        world.pass(5);
        let draft = world.tracker.draft(world.now, &world.silences, EVERY, "demo").expect("a draft");
        world.rounds(2, true);
        world.tracker.settle(&draft.alerts);
        world.pass(5);
        assert_eq!(world.totals(), (0, 1, 0));
    }

    proptest! {
        /// Whatever happens: of each alert the raise is reported at most once, its end at most once and only after the
        /// raise, and when the run goes quiet nothing is left unreported.
        #[test]
        fn each_alert_is_raised_at_most_once_and_cleared_after(steps in prop::collection::vec((0..4_u8, 0..40_u64), 0..80)) {
            let mut world = World::new();
            let (mut raised, mut cleared) = (Vec::new(), Vec::new());
            let mut note = |notice: Option<Notice>| {
                let Some(notice) = notice else { return };
                raised.extend(notice.raised.first.into_iter().map(|line| line.id));
                cleared.extend(notice.cleared.first.into_iter().map(|line| line.id));
            };
            for (what, seconds) in steps {
                match what {
                    0 => world.round(vec![probe("a", true)]),
                    1 => world.round(vec![probe("a", false)]),
                    2 => note(world.next_notice()),
                    _ => world.now = world.now.minus(Duration::from_secs(seconds)),
                }
                world.pass(seconds);
            }
            for _ in 0..2 {
                world.round(vec![probe("a", true)]);
            }
            world.pass(5);
            note(world.next_notice());
            prop_assert!(world.tracker.alerts.is_empty());
            prop_assert!(raised.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert_eq!(raised, cleared);
        }
    }
}
