//! `/messages`: finding messages by text, chat, account, state and time.

use access::Right;
use askama::Template;
use axum::extract::{Query as QueryOf, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::{MessageId, MessageRef, MessageState, Timestamp};
use serde::Deserialize;

use super::Message;
use crate::dashboard::{Dashboard, NavCounts};
use crate::listing::{self, TimeRange, address};
use crate::page::{self, refusal::RefusalPage};
use crate::view::{Linked, Section};
use crate::visitor::Visitor;
use crate::words::{self, MessagesWords, WorkWords, pill};

/// How many messages a page shows.
const PAGE: &str = "50";

/// The longest text that is searched for, in characters; the API takes as many.
const LONGEST: usize = 200;

/// What the address asks for, as it is written there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    pub(super) q: String,
    pub(super) chat: String,
    pub(super) account: String,
    pub(super) state: String,
    pub(super) after: String,
    pub(super) range: String,
    pub(super) from: String,
    pub(super) to: String,
}

impl Query {
    pub(super) fn stretch(&self) -> TimeRange {
        TimeRange { range: self.range.clone(), from: self.from.clone(), to: self.to.clone() }
    }

    fn text(&self) -> String {
        self.q.trim().chars().take(LONGEST).collect()
    }

    /// Whether what has not arrived is looked for.
    fn is_undelivered(&self) -> bool {
        self.state == "undelivered"
    }

    fn is_narrow(&self) -> bool {
        let Self { q, chat, account, state, after: _, range, from, to } = self;
        [q, chat, account, state, range, from, to].into_iter().any(|value| !value.is_empty())
    }

    /// Whether the store looks into the messages themselves, so many at a time.
    fn takes_a_look(&self) -> bool {
        let Self { q, chat, account, range, from, to, .. } = self;
        self.is_undelivered()
            || [q, chat, account, range, from, to].into_iter().any(|value| !value.is_empty())
    }

    /// The page of this list that comes after a message.
    pub(super) fn page_after(&self, after: &str) -> String {
        let Self { q, chat, account, state, after: _, range, from, to } = self;
        address(
            "/messages",
            &[
                ("q", q),
                ("chat", chat),
                ("account", account),
                ("state", state),
                ("range", range),
                ("from", from),
                ("to", to),
                ("after", after),
            ],
        )
    }

    /// The call for the page of the list.
    fn listed(&self, visitor: &Visitor) -> String {
        let more = [
            ("q", self.text()),
            ("state", self.state.clone()),
            ("cursor", self.after.clone()),
            ("limit", PAGE.to_owned()),
        ];
        self.of_api(visitor, "/v1/messages", more)
    }

    /// The call that counts or retries the failed ones among them: those that failed before an instant, if one is given.
    pub(super) fn failed(&self, visitor: &Visitor, path: &str, failed_until: &str) -> String {
        self.of_api(visitor, path, [("failed_until", failed_until.to_owned())])
    }

    /// What the API is asked, and what else.
    fn of_api<const MORE: usize>(
        &self,
        visitor: &Visitor,
        path: &str,
        more: [(&'static str, String); MORE],
    ) -> String {
        let stretch = self.stretch();
        let instant = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let (mut since, until) =
            (stretch.since(visitor.zone, visitor.now), stretch.until(visitor.zone, visitor.now));
        if self.takes_a_look() {
            // Any time at all makes it a look with a bound: the list alone may go through a million messages for one page.
            since = since.or(Some(Timestamp::default()));
        }
        let mut pairs = vec![
            ("chat", self.chat.trim().to_owned()),
            ("account", self.account.clone()),
            ("since", instant(since)),
            ("until", instant(until)),
        ];
        pairs.extend(more);
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        address(path, &pairs)
    }
}

/// When a message of this id was accepted, about: its leading bits are that time.
fn time_of(id: &str) -> Option<Timestamp> {
    let id: MessageId = id.parse().ok()?;
    let (seconds, nanos) = id.as_uuid().get_timestamp()?.to_unix();
    Some(Timestamp::from_micros(i64::try_from(seconds * 1_000_000 + u64::from(nanos) / 1_000).ok()?))
}

#[derive(Template)]
#[template(path = "messages/find.html")]
pub(super) struct Find<'a> {
    pub(super) visitor: &'a Visitor,
    pub(super) words: &'static MessagesWords,
    pub(super) work: &'static WorkWords,
    pub(super) query: &'a Query,
    pub(super) accounts: &'a [String],
    pub(super) found: &'a api::Page<Message>,
    pub(super) wrong: Option<String>,
    /// What was asked for and became no message.
    pub(super) elsewhere: NavCounts,
    pub(super) may_act: bool,
}

impl Find<'_> {
    fn states(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let language = self.visitor.language;
        MessageState::ALL.into_iter().map(move |state| (state.as_str(), pill(language, state.as_str()).word))
    }

    /// How far a look into the messages went.
    fn looked_back_to(&self) -> Option<Timestamp> {
        time_of(self.found.next_cursor.as_deref()?).filter(|_| self.query.takes_a_look())
    }

    fn retry_path(&self) -> String {
        let Query { chat, account, range, from, to, .. } = self.query;
        let pairs =
            [("chat", chat.as_str()), ("account", account), ("range", range), ("from", from), ("to", to)];
        address("/messages/retry-failed", &pairs)
    }

    /// Retrying all is offered for what the retry itself can be narrowed to.
    fn offers_retry(&self) -> bool {
        self.may_act && self.query.q.trim().is_empty() && matches!(self.query.state.as_str(), "" | "failed")
    }
}

pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
) -> Result<Response, RefusalPage> {
    // Anyone who searches for an id wants that message.
    if let Ok(id) = query.q.trim().parse::<MessageRef>() {
        return Ok(Redirect::to(&format!("/messages/{id}")).into_response());
    }
    let path = query.listed(&visitor);
    let (found, wrong) = listing::find::<api::Page<Message>>(&dashboard, &visitor, &path).await?;
    let words = MessagesWords::of(visitor.language);
    let accounts = dashboard.account_names(&visitor).await;
    let work = WorkWords::of(visitor.language);
    let stretch = query.stretch();
    let unread = stretch.unread(visitor.zone, visitor.now);
    let body = Find {
        visitor: &visitor,
        words,
        work,
        query: &query,
        accounts: &accounts,
        found: &found,
        wrong: unread.map(|written| work.unread_time(written)).or(wrong),
        elsewhere: visitor.tallied.now(),
        may_act: visitor.may(Right::Send),
    };
    Ok(page::page(&visitor, words.messages, Section::Messages, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_id_is_that_of_its_message() {
        let at = uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_763_636_851, 204_000_000));
        let id = MessageId::from_uuid(at).to_string();
        assert_eq!(time_of(&id), Some("2025-11-20T11:07:31.204Z".parse().expect("a time")));
        assert_eq!(time_of("no id"), None);
    }
}
