//! The items of a part as its columns have them: nothing beside the `random_id` for a text, JSON for media.

use domain::ProviderId;
use domain::message::{Part, PartItem};
use domain::outcome::SentIds;
use serde::{Deserialize, Serialize};

use super::PARTS;
use crate::StoreError;
use crate::column::{Columns, to_json};

/// An item in its column.
#[derive(Serialize, Deserialize)]
struct Stored {
    random_id: i64,
    media: Option<u16>,
}

/// The column of a part's items; none for a text.
pub(super) fn column(part: &Part) -> Result<Option<String>, StoreError> {
    if !part.is_media() {
        return Ok(None);
    }
    let items: Vec<Stored> =
        part.items.iter().map(|item| Stored { random_id: item.random_id, media: item.media }).collect();
    to_json(PARTS, &items).map(Some)
}

/// The column of the ids under which the provider has a part; none where the number of its first item says all.
pub(super) fn ids_column(ids: &SentIds) -> Result<Option<String>, StoreError> {
    let ids: Vec<Option<&ProviderId>> = ids.iter().collect();
    let is_number = ids.iter().flatten().all(|id| id.number().is_some());
    if ids.len() <= 1 && is_number { Ok(None) } else { to_json(PARTS, &ids).map(Some) }
}

/// The column of the first item's id, which has numbers only.
pub(super) fn first_column(ids: &SentIds) -> Option<i64> {
    ids.first().and_then(ProviderId::number)
}

/// The ids that a part has, in the order of its items.
pub(super) fn ids_of(part: &Part) -> SentIds {
    part.items.iter().map(|item| item.message_id.clone()).collect()
}

/// Reads the items without their ids at the provider: the `random_id` of the first, and the column of all.
pub(super) fn read(
    columns: &Columns<'_>,
    random_id: usize,
    items: usize,
) -> Result<Vec<PartItem>, StoreError> {
    let Some(stored) = columns.maybe_json::<Vec<Stored>>(items)? else {
        return Ok(vec![PartItem { random_id: columns.get(random_id)?, media: None, message_id: None }]);
    };
    if stored.is_empty() {
        return Err(columns.strange(items, "list of items", "an empty list"));
    }
    let item =
        |stored: Stored| PartItem { random_id: stored.random_id, media: stored.media, message_id: None };
    Ok(stored.into_iter().map(item).collect())
}

/// Reads the ids at the provider: that of the first item, and the column of all.
pub(crate) fn read_ids(columns: &Columns<'_>, first: usize, all: usize) -> Result<SentIds, StoreError> {
    match columns.maybe_json::<Vec<Option<ProviderId>>>(all)? {
        Some(ids) => Ok(ids.into_iter().collect()),
        None => Ok(SentIds::one(columns.get::<Option<i64>>(first)?)),
    }
}
