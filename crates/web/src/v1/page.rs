//! A page of a list: the items, and where the next page begins.

use api::Page;
use axum::extract::FromRequestParts;
use http::request::Parts;
use store::StoreError;
use utoipa::IntoParams;

use crate::auth::Caller;
use crate::extract::QueryParameters;
use crate::problem::{FieldError, Problem};
use crate::state::State;

/// How many items a page may have.
pub(crate) const LARGEST_PAGE: u32 = 500;
/// How many items a page of a long list has by default.
const USUAL_PAGE: u32 = 50;
/// The most pages that are read for one that hides some of its items.
const MOST_LOOKS: usize = 20;

/// Which page of a short list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct PageParameters {
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 500)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Which page of a long list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct LongPageParameters {
    /// How many, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// The page of a list that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageRequest {
    pub(crate) limit: Option<u32>,
    pub(crate) cursor: Option<String>,
}

impl FromRequestParts<State> for PageRequest {
    type Rejection = Problem;

    /// Of a list that nothing else narrows.
    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let mut query = QueryParameters::from_request_parts(parts, state).await?;
        let page = Self::take(&mut query);
        query.finish()?;
        Ok(page)
    }
}

impl PageRequest {
    /// Takes `limit` and `cursor`.
    pub(crate) fn take(query: &mut QueryParameters) -> Self {
        Self { limit: limit(query, LARGEST_PAGE), cursor: query.take("cursor") }
    }

    /// Cuts the page out of a list that is at hand as a whole. The cursor is the name of the last item shown.
    pub(crate) fn cut<T>(self, mut items: Vec<T>, name: impl Fn(&T) -> String) -> Result<Page<T>, Problem> {
        if let Some(cursor) = self.cursor {
            let at = items.iter().position(|item| name(item) == cursor).ok_or_else(wrong_cursor)?;
            items.drain(..=at);
        }
        let limit = usize::try_from(self.limit.unwrap_or(LARGEST_PAGE)).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(name);
        Ok(Page { items, next_cursor })
    }
}

pub(super) fn limit(query: &mut QueryParameters, most: u32) -> Option<u32> {
    query.take_with("limit", |text| {
        text.parse()
            .ok()
            .filter(|limit| (1..=most).contains(limit))
            .ok_or_else(|| format!("write a number from 1 to {most}"))
    })
}

/// Takes `limit` for a list whose pages are smaller than usual; a full page by default.
pub(crate) fn up_to(query: &mut QueryParameters, most: u32) -> u32 {
    limit(query, most).unwrap_or(most)
}

/// The page of a list in the store that a caller asks for; its end is known to the store alone.
pub(crate) fn store_page(query: &mut QueryParameters) -> store::Page {
    let PageRequest { limit, cursor } = PageRequest::take(query);
    store::Page { limit: limit.unwrap_or(USUAL_PAGE), cursor }
}

/// A page of what a caller may see of a list in the store: where something is hidden, more is looked at, so many pages at a time.
pub(crate) async fn visible<T, Reading>(
    caller: &Caller,
    page: store::Page,
    shows: impl Fn(&T) -> bool,
    read: impl Fn(store::Page) -> Reading,
) -> Result<store::Paged<T>, StoreError>
where
    Reading: Future<Output = Result<store::Paged<T>, StoreError>>,
{
    let mut found = store::Paged { items: Vec::new(), next_cursor: page.cursor };
    let looks = if caller.limited().is_some() { MOST_LOOKS } else { 1 };
    for _ in 0..looks {
        let left = page.limit.saturating_sub(u32::try_from(found.items.len()).unwrap_or(u32::MAX));
        if left == 0 {
            break;
        }
        let more = read(store::Page { limit: left, cursor: found.next_cursor }).await?;
        found.items.extend(more.items.into_iter().filter(&shows));
        found.next_cursor = more.next_cursor;
        if found.next_cursor.is_none() {
            break;
        }
    }
    Ok(found)
}

/// What a list that the store did not give answers.
pub(crate) fn listed(error: StoreError) -> Problem {
    match error {
        StoreError::BadCursor => wrong_cursor(),
        other => other.into(),
    }
}

pub(crate) fn wrong_cursor() -> Problem {
    Problem::fields(vec![FieldError::new(
        "cursor",
        "is wrong: take next_cursor of the page before, with the same filter",
    )])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(limit: Option<u32>, cursor: Option<&str>) -> Result<(Vec<u8>, Option<String>), Problem> {
        let wanted = PageRequest { limit, cursor: cursor.map(str::to_owned) };
        wanted.cut(vec![3, 1, 2], u8::to_string).map(|page| (page.items, page.next_cursor))
    }

    #[test]
    fn pages_follow_each_other_until_the_last() {
        assert_eq!(cut(None, None), Ok((vec![3, 1, 2], None)));
        assert_eq!(cut(Some(2), None), Ok((vec![3, 1], Some("1".to_owned()))));
        assert_eq!(cut(Some(2), Some("1")), Ok((vec![2], None)));
        assert_eq!(cut(Some(3), None), Ok((vec![3, 1, 2], None)));
        assert_eq!(cut(Some(1), Some("2")), Ok((vec![], None)));
        assert!(cut(None, Some("7")).is_err());
    }
}
