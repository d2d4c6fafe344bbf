//! Rows that cannot be read: they stay as they are, and health shows them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::{Store, StoreError};

/// A row that was found unreadable counts for so long. Work that needs it tries again far more often.
const REMEMBERED: Duration = Duration::from_mins(5);

/// Work that is not finished, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished<I, T> {
    /// What can be read.
    pub readable: Vec<T>,
    /// The ids of rows that cannot.
    pub unreadable: Vec<I>,
    /// The id of the last row; nothing after the last page.
    pub last: Option<I>,
}

impl<I: Copy, T> Unfinished<I, T> {
    pub(crate) fn of(rows: impl IntoIterator<Item = (I, Result<T, StoreError>)>) -> Result<Self, StoreError> {
        let mut found = Self { readable: Vec::new(), unreadable: Vec::new(), last: None };
        for (id, row) in rows {
            found.last = Some(id);
            match row {
                Ok(row) => found.readable.push(row),
                Err(StoreError::Corrupt { .. }) => found.unreadable.push(id),
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }
}

/// The last row that was found unreadable, and when.
#[derive(Default)]
pub(crate) struct LastUnreadable(Mutex<Option<(Duration, StoreError)>>);

impl Store {
    /// The row that a read or a write found unreadable in the last minutes.
    pub fn unreadable(&self) -> Option<StoreError> {
        let last = self.inner.unreadable.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, error) = last.as_ref()?;
        (self.inner.clock.running().saturating_sub(*at) < REMEMBERED).then(|| error.clone())
    }

    /// Notes an answer that says so.
    pub(crate) fn note_unreadable<T>(&self, answer: &Result<T, StoreError>) {
        if let Err(error @ StoreError::Corrupt { .. }) = answer {
            let found = (self.inner.clock.running(), error.clone());
            *self.inner.unreadable.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        }
    }
}
