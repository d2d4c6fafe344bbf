//! How many messages have not arrived today: as many as the list that the number leads to has.

use std::collections::HashMap;
use std::time::Duration;

use axum::body::Body;
use domain::Timestamp;
use http::Request;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::ask::read_answer;
use crate::dashboard::Dashboard;
use crate::listing::{TimeRange, address};
use crate::view::Zone;
use crate::words::number;

/// The list of them, for people.
pub(crate) const TODAY: &str = "/messages?state=undelivered&range=today";

/// How old a count may be.
const OLDEST: Duration = Duration::from_secs(2);

/// The longest wait for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The most that are counted: one page of the API.
const MOST: &str = "500";

/// Days that are counted together: one for each time zone of a viewer.
const DAYS: usize = 64;

/// How many messages have not arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Undelivered {
    pub(crate) count: u64,
    pub(crate) more: bool,
}

impl Undelivered {
    pub(crate) fn shown(self) -> String {
        format!("{}{}", number::thousands(self.count), if self.more { "+" } else { "" })
    }
}

/// What was counted last, by when the day began.
#[derive(Default)]
struct Counted(Mutex<HashMap<Timestamp, (Instant, Undelivered)>>);

#[derive(Deserialize)]
#[serde(transparent)]
struct Any(IgnoredAny);

impl Dashboard {
    /// How many have not arrived on the day that the clock of this zone has, at most two seconds old. When they cannot be
    /// counted, the number of before stays.
    pub(crate) async fn undelivered_today(&self, zone: Zone) -> Undelivered {
        let today = TimeRange { range: "today".to_owned(), ..TimeRange::default() };
        let since = today.since(zone, self.state().clock().now()).unwrap_or_default();
        let counted = self.page_state::<Counted>();
        let mut counted = counted.0.lock().await;
        let known = counted.get(&since).copied();
        if let Some((at, undelivered)) = known
            && at.elapsed() < OLDEST
        {
            return undelivered;
        }
        let pairs = [("state", "undelivered"), ("since", &since.to_string()), ("limit", MOST)];
        let mut request = Request::new(Body::empty());
        let Ok(uri) = address("/v1/messages", &pairs).parse() else { return Undelivered::default() };
        *request.uri_mut() = uri;
        let listed = tokio::time::timeout(TIMEOUT, async {
            read_answer::<api::Page<Any>>(self.api().answer(request).await).await
        });
        let undelivered = match listed.await {
            Ok(Ok(listed)) => {
                Undelivered { count: listed.items.len() as u64, more: listed.next_cursor.is_some() }
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "the messages that have not arrived cannot be counted");
                known.map(|(_, before)| before).unwrap_or_default()
            }
            Err(_) => {
                tracing::warn!("the messages that have not arrived were not counted in time");
                known.map(|(_, before)| before).unwrap_or_default()
            }
        };
        if counted.len() >= DAYS {
            counted.clear();
        }
        counted.insert(since, (Instant::now(), undelivered));
        undelivered
    }
}
