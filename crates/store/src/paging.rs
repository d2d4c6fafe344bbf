//! Pages of lists: how long, where they begin, and what leads to the next.

use std::str::FromStr;

use crate::StoreError;

/// Rows on one page at most.
const LONGEST: u32 = 500;

/// Which page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many, 1 to 500.
    pub limit: u32,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Leads to the next page, if there is one.
    pub next_cursor: Option<String>,
}

impl Page {
    /// How many there are on it at most.
    fn length(&self) -> u32 {
        self.limit.clamp(1, LONGEST)
    }

    /// How many rows to read: one more than the page has shows whether there is another page.
    pub(crate) fn rows(&self) -> u32 {
        self.length() + 1
    }

    /// Makes the page of the rows that were read.
    ///
    /// For those who put something beside the rows too.
    pub fn cut<T>(&self, mut items: Vec<T>, cursor: impl FnOnce(&T) -> String) -> Paged<T> {
        let length = self.length() as usize;
        let more = items.len() > length;
        items.truncate(length);
        let next_cursor = if more { items.last().map(cursor) } else { None };
        Paged { items, next_cursor }
    }

    /// The cursor, read; nothing on the first page.
    ///
    /// # Errors
    /// It is none of this list.
    pub fn after<T: FromStr>(&self) -> Result<Option<T>, StoreError> {
        self.cursor.as_deref().map(|cursor| cursor.parse().map_err(|_| StoreError::BadCursor)).transpose()
    }
}

/// A cursor of a list by time, in which several rows may have one time.
pub(crate) struct Moment<T> {
    /// The time, in microseconds.
    pub(crate) at: i64,
    /// What comes next in the order.
    pub(crate) then: T,
}

impl<T: ToString> Moment<T> {
    pub(crate) fn cursor(&self) -> String {
        format!("{}.{}", self.at, self.then.to_string())
    }
}

impl<T: FromStr> FromStr for Moment<T> {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let (at, then) = text.split_once('.').ok_or(StoreError::BadCursor)?;
        let (Ok(at), Ok(then)) = (at.parse(), then.parse()) else { return Err(StoreError::BadCursor) };
        Ok(Self { at, then })
    }
}
