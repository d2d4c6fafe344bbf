//! Clients who wait for a person, and of which of them people were notified: each waiting once for each length of time.

use std::time::Duration;

use domain::{AppealId, ClientId, Timestamp};

use super::{Pipeline, rows, statements as sql};
use crate::column::Columns;
use crate::database::Row;
use crate::{StoreError, point};

/// A client who waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingClient {
    pub appeal: AppealId,
    pub client: ClientId,
    pub assignee: Option<String>,
    pub since: Timestamp,
    /// There was a notice that they had waited for so long; zero where there was none.
    pub notified_after: Duration,
}

impl Pipeline<'_> {
    /// Clients who have waited for a person for `shortest` at least, without a notice that they waited for `longest`; up to so many,
    /// who waits longest first.
    pub async fn unnotified(
        &self,
        shortest: Duration,
        longest: Duration,
        most: u32,
    ) -> Result<Vec<WaitingClient>, StoreError> {
        let now = self.store.now();
        let before = now.minus(shortest);
        let params = (before.as_micros(), now.as_micros(), micros(longest), i64::from(most));
        self.store.all(sql::UNNOTIFIED, params, read).await
    }

    /// Notes that there is a notice; false where there was one, or where the client does not wait any more.
    pub async fn notified(&self, waiting: &WaitingClient, after: Duration) -> Result<bool, StoreError> {
        let key = *waiting.appeal.as_uuid().as_bytes();
        let params = (micros(after), key, waiting.since.as_micros());
        Ok(self.store.execute(point::PIPELINE_CHANGE, sql::NOTIFIED, params).await? > 0)
    }
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn read(row: &Row<'_>) -> Result<WaitingClient, StoreError> {
    let columns = Columns::new(row, "pipeline_appeals");
    let notified = u64::try_from(columns.get::<i64>(4)?).unwrap_or_default();
    Ok(WaitingClient {
        appeal: rows::appeal_id(&columns, 0)?,
        client: rows::client_id(&columns, 1)?,
        assignee: columns.get(2)?,
        since: columns.time(3)?,
        notified_after: Duration::from_micros(notified),
    })
}
