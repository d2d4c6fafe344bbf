//! The state of the backups, in one word. Pure.

use std::time::Duration;

use api::{Backup, Backups};
use domain::Timestamp;

use crate::view::{BackupState, BackupsVerdict};

impl BackupsVerdict {
    /// What is going on comes first, then what is wrong.
    pub(super) fn of(list: &Backups, now: Timestamp) -> Self {
        let is_any = |state| list.items.iter().any(|backup| backup.state == state);
        let Some(newest) = list.items.iter().find(|backup| backup.bytes.is_some()) else {
            return match (is_any(BackupState::Making), is_any(BackupState::Failed)) {
                (true, _) => Self::Making,
                (_, true) => Self::Failing,
                _ => Self::Missing,
            };
        };
        let most = backup::oldest(Duration::from_secs(list.every_seconds));
        match newest.state {
            _ if is_any(BackupState::Making) => Self::Making,
            _ if is_any(BackupState::Proving) => Self::Proving,
            _ if is_any(BackupState::Failed) => Self::Failing,
            BackupState::Broken => Self::Broken,
            _ if now.since(newest.made_at) > most => Self::Old,
            BackupState::Unproven => Self::Unproven,
            _ => Self::Proven,
        }
    }

    /// The colour of what is said about it, where something is to be done.
    pub(super) const fn tone(self) -> Option<&'static str> {
        match self {
            Self::Failing | Self::Broken => Some("bad"),
            Self::Missing | Self::Old => Some("wait"),
            Self::Making | Self::Proving | Self::Unproven | Self::Proven => None,
        }
    }

    /// The one that it is about, where it has a reason.
    pub(super) fn about(self, list: &Backups) -> Option<&Backup> {
        let state = match self {
            Self::Failing => BackupState::Failed,
            Self::Broken => BackupState::Broken,
            _ => return None,
        };
        list.items.iter().find(|backup| backup.state == state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::BackupDrills;

    const HOUR: Duration = Duration::from_hours(1);

    fn now() -> Timestamp {
        Timestamp::from_micros(1_896_091_200_000_000)
    }

    /// So many hours old, each in a state.
    fn list(items: &[(u32, BackupState)]) -> Backups {
        let item = |&(hours, state): &(u32, BackupState)| Backup {
            name: format!("{hours}"),
            made_at: now().minus(HOUR * hours),
            state,
            bytes: (!matches!(state, BackupState::Making | BackupState::Failed)).then_some(1),
            proven_at: None,
            wrong: None,
        };
        let items = items.iter().map(item).collect();
        Backups {
            items,
            folder: "/b".to_owned(),
            every_seconds: 86_400,
            keep: 7,
            keep_for_seconds: 0,
            next_at: None,
            copies: None,
            drills: BackupDrills { every_seconds: 0, next_at: None, last: None, running: false },
        }
    }

    #[test]
    fn progress_comes_before_problems() {
        use BackupState::{Broken, Failed, Making, Proven, Proving, Unproven};
        for (items, verdict) in [
            (&[][..], BackupsVerdict::Missing),
            (&[(0, Making)], BackupsVerdict::Making),
            (&[(0, Failed)], BackupsVerdict::Failing),
            (&[(0, Proven)], BackupsVerdict::Proven),
            (&[(47, Proven)], BackupsVerdict::Proven),
            (&[(49, Proven)], BackupsVerdict::Old),
            (&[(49, Unproven)], BackupsVerdict::Old),
            (&[(49, Broken)], BackupsVerdict::Broken),
            (&[(1, Unproven), (2, Proven)], BackupsVerdict::Unproven),
            (&[(1, Broken), (2, Proven)], BackupsVerdict::Broken),
            (&[(1, Proven), (2, Broken)], BackupsVerdict::Proven),
            (&[(1, Failed), (2, Proven)], BackupsVerdict::Failing),
            (&[(1, Proven), (2, Proving)], BackupsVerdict::Proving),
            (&[(0, Making), (1, Failed), (2, Broken)], BackupsVerdict::Making),
        ] {
            assert_eq!(BackupsVerdict::of(&list(items), now()), verdict, "{items:?}");
        }
        let by_hand = Backups { every_seconds: 0, ..list(&[(49, Proven)]) };
        assert_eq!(BackupsVerdict::of(&by_hand, now()), BackupsVerdict::Proven);
    }

    #[test]
    fn the_reason_is_that_of_the_one_it_is_about() {
        let list = list(&[(1, BackupState::Failed), (2, BackupState::Broken), (3, BackupState::Broken)]);
        let name = |verdict: BackupsVerdict| verdict.about(&list).map(|backup| backup.name.as_str());
        assert_eq!((name(BackupsVerdict::Failing), name(BackupsVerdict::Broken)), (Some("1"), Some("2")));
        assert_eq!(name(BackupsVerdict::Old), None);
    }
}
