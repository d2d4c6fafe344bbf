//! A page of alerts: what the store has, with what it does not have yet. Pure.

use std::collections::BTreeMap;

use domain::AlertId;
use store::{AlertFilter, AlertState, Page, Paged, StoreError, StoredAlert};

/// A page of the store, with the alerts that are known here; those are as they are by now, whatever the store has of them.
///
/// # Errors
/// The cursor is none of this list.
pub(crate) fn with_known<'a>(
    stored: Paged<StoredAlert>,
    known: impl Iterator<Item = &'a StoredAlert>,
    filter: &AlertFilter,
    page: &Page,
) -> Result<Paged<StoredAlert>, StoreError> {
    let before = page.after::<AlertId>()?;
    // What comes after the end of the page is on one of those that follow.
    let end = stored.next_cursor.as_deref().and_then(|cursor| cursor.parse::<AlertId>().ok());
    let mut alerts: BTreeMap<AlertId, StoredAlert> =
        stored.items.into_iter().map(|alert| (alert.id, alert)).collect();
    for alert in known {
        let here = before.is_none_or(|before| alert.id < before) && end.is_none_or(|end| alert.id >= end);
        if here && matches(filter, alert) {
            alerts.insert(alert.id, alert.clone());
        } else {
            alerts.remove(&alert.id);
        }
    }
    let cut = page.cut(alerts.into_values().rev().collect(), |alert| alert.id.to_string());
    Ok(Paged { items: cut.items, next_cursor: cut.next_cursor.or(stored.next_cursor) })
}

fn matches(filter: &AlertFilter, alert: &StoredAlert) -> bool {
    filter.open.is_none_or(|open| (alert.state == AlertState::Open) == open)
        && filter.card.as_ref().is_none_or(|card| *card == alert.card)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn alert(number: u128, state: AlertState) -> StoredAlert {
        StoredAlert {
            id: AlertId::from_uuid(Uuid::from_u128(number)),
            card: format!("account:a{}", number % 3),
            kind: "account".into(),
            name: "main".into(),
            parent: None,
            state,
            reason: "no_answer".into(),
            detail: None,
            raised_at: Timestamp::from_micros(0),
            closed_at: None,
            joined_to: None,
            notified_at: None,
            reminded_at: None,
            finished_at: None,
        }
    }

    /// What is known of one: how the store has it, and how it is by now.
    type Versions = (Option<AlertState>, Option<AlertState>);

    fn versions() -> impl Strategy<Value = Vec<Versions>> {
        let state = || prop::option::of(prop::sample::select(AlertState::ALL.to_vec()));
        prop::collection::vec((state(), state()), 0..30)
    }

    fn filters() -> impl Strategy<Value = AlertFilter> {
        (prop::option::of(any::<bool>()), prop::option::of(0..3_u8))
            .prop_map(|(open, card)| AlertFilter { open, card: card.map(|card| format!("account:a{card}")) })
    }

    proptest! {
        /// Whatever of it the store has: page after page, each that is wanted comes once, as it is by now, the latest first.
        #[test]
        fn each_is_listed_once_as_it_is(versions in versions(), filter in filters(), limit in 1..7_u32) {
            let numbered: Vec<(u128, &Versions)> = (1..).zip(&versions).collect();
            let newest = || numbered.iter().rev();
            let stored: Vec<StoredAlert> =
                newest().filter_map(|(number, (stored, _))| Some(alert(*number, (*stored)?))).collect();
            let known: Vec<StoredAlert> =
                newest().filter_map(|(number, (_, now))| Some(alert(*number, (*now)?))).collect();
            let wanted: Vec<StoredAlert> = newest()
                .filter_map(|(number, (stored, now))| Some(alert(*number, now.or(*stored)?)))
                .filter(|alert| matches(&filter, alert))
                .collect();

            let mut listed = Vec::new();
            let mut page = Page { limit, cursor: None };
            for _ in 0..=versions.len() * 2 {
                let before = page.after::<AlertId>()?;
                let rows = stored.iter().filter(|row| before.is_none_or(|before| row.id < before));
                let rows: Vec<StoredAlert> = rows.filter(|row| matches(&filter, row)).cloned().collect();
                let rows = page.cut(rows, |row| row.id.to_string());
                let Paged { items, next_cursor } = with_known(rows, known.iter(), &filter, &page)?;
                prop_assert!(items.len() <= limit as usize);
                listed.extend(items);
                page.cursor = next_cursor;
                if page.cursor.is_none() {
                    break;
                }
            }
            prop_assert_eq!(page.cursor, None, "there is an end");
            prop_assert_eq!(listed, wanted);
        }
    }
}
