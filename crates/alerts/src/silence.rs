//! Mutes and maintenance windows: whether a card is silent now. Pure.

use std::collections::BTreeMap;

use domain::Timestamp;
use store::{StoredMute, StoredWindow};

use crate::hours::MaintenanceWindow;
use crate::view::Silence;

#[derive(Debug, Default)]
pub(crate) struct Silences {
    mutes: BTreeMap<String, StoredMute>,
    windows: Vec<(StoredWindow, MaintenanceWindow)>,
}

impl Silences {
    /// Takes over what the store has. A window that cannot be read any more is left out, and said.
    pub(crate) fn new(mutes: Vec<StoredMute>, windows: Vec<StoredWindow>) -> Self {
        let mutes = mutes.into_iter().map(|mute| (mute.card.clone(), mute)).collect();
        let read = |window: StoredWindow| match MaintenanceWindow::from_record(&window.record) {
            Ok(hours) => Some((window, hours)),
            Err(error) => {
                tracing::warn!(window = %window.id, %error, "a maintenance window cannot be read");
                None
            }
        };
        Self { mutes, windows: windows.into_iter().filter_map(read).collect() }
    }

    /// Why a card is silent now, and until when.
    pub(crate) fn of(&self, card: &str, kind: &str, parent: Option<&str>, now: Timestamp) -> Option<Silence> {
        let muted = self
            .muted_until(card, now)
            .into_iter()
            .chain(parent.and_then(|parent| self.muted_until(parent, now)));
        if let Some(until) = muted.max() {
            return Some(Silence::Mute { until });
        }
        let windows = self.windows.iter().filter(|(_, window)| window.scope.covers(card, kind, parent));
        windows.filter_map(|(_, window)| window.covers(now)).max().map(|until| Silence::Maintenance { until })
    }

    /// Until when a card itself is muted.
    fn muted_until(&self, card: &str, now: Timestamp) -> Option<Timestamp> {
        self.mutes.get(card).map(|mute| mute.until).filter(|until| *until > now)
    }

    /// The mutes that are not over, by card.
    pub(crate) fn mutes(&self, now: Timestamp) -> impl Iterator<Item = &StoredMute> {
        self.mutes.values().filter(move |mute| mute.until > now)
    }

    pub(crate) fn mute(&mut self, mute: StoredMute) {
        self.mutes.retain(|_, other| other.until > mute.muted_at);
        self.mutes.insert(mute.card.clone(), mute);
    }

    pub(crate) fn unmute(&mut self, card: &str) {
        self.mutes.remove(card);
    }

    pub(crate) fn windows(&self) -> &[(StoredWindow, MaintenanceWindow)] {
        &self.windows
    }

    pub(crate) fn add(&mut self, stored: StoredWindow, window: MaintenanceWindow) {
        self.windows.push((stored, window));
    }

    pub(crate) fn remove(&mut self, id: domain::MaintenanceId) {
        self.windows.retain(|(stored, _)| stored.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hours::{Hours, Scope};
    use std::time::Duration;

    #[test]
    fn a_mute_is_for_a_card_and_its_parts_until_it_ends() {
        let now = Timestamp::from_micros(1_000_000_000);
        let until = now.plus(Duration::from_mins(5));
        let mut silences = Silences::default();
        silences.mute(StoredMute {
            card: "account:main".into(),
            until,
            muted_at: now,
            muted_by: "admin".into(),
        });
        let of =
            |silences: &Silences, card: &str, parent: Option<&str>, at| silences.of(card, "line", parent, at);
        assert_eq!(of(&silences, "account:main", None, now), Some(Silence::Mute { until }));
        assert_eq!(of(&silences, "line:main:all", Some("account:main"), now), Some(Silence::Mute { until }));
        assert_eq!(of(&silences, "account:backup_1", None, now), None);
        assert_eq!(of(&silences, "account:main", None, until), None);
        silences.unmute("account:main");
        assert_eq!(of(&silences, "account:main", None, now), None);
    }

    #[test]
    fn a_window_is_for_its_cards_alone() {
        let now = Timestamp::from_micros(1_000_000_000);
        let until = now.plus(Duration::from_mins(5));
        let window = MaintenanceWindow {
            note: String::new(),
            scope: Scope::read("account"),
            hours: Hours::Once { from: now, until },
        };
        let stored = StoredWindow {
            id: domain::MaintenanceId::MIN,
            record: window.to_record().unwrap(),
            created_at: now,
            created_by: "admin".into(),
        };
        let silences = Silences::new(Vec::new(), vec![stored]);
        assert_eq!(silences.of("account:main", "account", None, now), Some(Silence::Maintenance { until }));
        assert_eq!(silences.of("store", "store", None, now), None);
        assert_eq!(silences.of("account:main", "account", None, until), None);
    }
}
