//! How it stands with the backups, in one word. Pure.

use std::time::Duration;

use domain::Timestamp;

use super::{Backup, List, Standing};

/// How it stands with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// One is being made.
    Making,
    /// One is being tried.
    Proving,
    /// The last attempt came to nothing.
    Failing,
    /// There is none.
    Missing,
    /// The newest cannot be put back.
    Broken,
    /// The newest is too old.
    Old,
    /// Nobody has tried the newest.
    Unproven,
    /// The newest can be put back.
    Proven,
}

impl Verdict {
    /// What is going on comes first, then what is wrong.
    pub(super) fn of(list: &List, now: Timestamp) -> Self {
        let is_any = |state| list.items.iter().any(|backup| backup.state == state);
        let Some(newest) = list.items.iter().find(|backup| backup.is_there()) else {
            return match (is_any(Standing::Making), is_any(Standing::Failed)) {
                (true, _) => Self::Making,
                (_, true) => Self::Failing,
                _ => Self::Missing,
            };
        };
        let most = ops::backup::oldest(Duration::from_secs(list.every_seconds));
        match newest.state {
            _ if is_any(Standing::Making) => Self::Making,
            _ if is_any(Standing::Proving) => Self::Proving,
            _ if is_any(Standing::Failed) => Self::Failing,
            Standing::Broken => Self::Broken,
            _ if now.since(newest.made_at) > most => Self::Old,
            Standing::Unproven => Self::Unproven,
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
    pub(super) fn about(self, list: &List) -> Option<&Backup> {
        let state = match self {
            Self::Failing => Standing::Failed,
            Self::Broken => Standing::Broken,
            _ => return None,
        };
        list.items.iter().find(|backup| backup.state == state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn now() -> Timestamp {
        Timestamp::from_micros(1_896_091_200_000_000)
    }

    /// So many hours old, each in a state.
    fn list(items: &[(u32, Standing)]) -> List {
        let item = |&(hours, state): &(u32, Standing)| Backup {
            name: format!("{hours}"),
            made_at: now().minus(HOUR * hours),
            state,
            bytes: (!matches!(state, Standing::Making | Standing::Failed)).then_some(1),
            proven_at: None,
            wrong: None,
        };
        let items = items.iter().map(item).collect();
        List { items, folder: "/b".to_owned(), every_seconds: 86_400, keep: 7, next_at: None }
    }

    #[test]
    fn what_goes_on_comes_first_then_what_is_wrong() {
        use Standing::{Broken, Failed, Making, Proven, Proving, Unproven};
        for (items, verdict) in [
            (&[][..], Verdict::Missing),
            (&[(0, Making)], Verdict::Making),
            (&[(0, Failed)], Verdict::Failing),
            (&[(0, Proven)], Verdict::Proven),
            (&[(47, Proven)], Verdict::Proven),
            (&[(49, Proven)], Verdict::Old),
            (&[(49, Unproven)], Verdict::Old),
            (&[(49, Broken)], Verdict::Broken),
            (&[(1, Unproven), (2, Proven)], Verdict::Unproven),
            (&[(1, Broken), (2, Proven)], Verdict::Broken),
            (&[(1, Proven), (2, Broken)], Verdict::Proven),
            (&[(1, Failed), (2, Proven)], Verdict::Failing),
            (&[(1, Proven), (2, Proving)], Verdict::Proving),
            (&[(0, Making), (1, Failed), (2, Broken)], Verdict::Making),
        ] {
            assert_eq!(Verdict::of(&list(items), now()), verdict, "{items:?}");
        }
        let by_hand = List { every_seconds: 0, ..list(&[(49, Proven)]) };
        assert_eq!(Verdict::of(&by_hand, now()), Verdict::Proven);
    }

    #[test]
    fn the_reason_is_that_of_the_one_it_is_about() {
        let list = list(&[(1, Standing::Failed), (2, Standing::Broken), (3, Standing::Broken)]);
        let name = |verdict: Verdict| verdict.about(&list).map(|backup| backup.name.as_str());
        assert_eq!((name(Verdict::Failing), name(Verdict::Broken)), (Some("1"), Some("2")));
        assert_eq!(name(Verdict::Old), None);
    }
}
