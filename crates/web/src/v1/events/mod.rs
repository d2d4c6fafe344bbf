//! `GET /v1/events`: what happened, as a stream that goes on, or page by page.

mod follow;
mod head;

use std::str::FromStr;

use axum::extract::State as Shared;
use axum::response::Response;
use domain::event::FailoverEvent;
use domain::{AccountName, ChatRef, EventFilter, EventId, EventType, Timestamp};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, StatusCode};
use store::{EventsRead, StoredEvent};
use utoipa::IntoParams;

pub(crate) use head::Head;

use super::Page;
use super::chats::today;
use super::logs::moment;
use super::page::limit;
use crate::answer::json;
use crate::auth::{Authorized, Caller, CanRead};
use crate::extract::QueryParameters;
use crate::problem::{Code, Problem};
use crate::state::State;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How many events a page may have, and has by default.
const LARGEST_PAGE: u32 = 500;
const USUAL_PAGE: u32 = 100;
/// How many types, chats or accounts a filter may name.
const MOST_NAMED: usize = 100;

/// Follows events, or lists them page by page.
///
/// A client that accepts `text/event-stream`, or anything as curl does, gets a stream of server-sent events: each with its id, and
/// as data the event as JSON. It begins behind `Last-Event-ID`, else behind `after`, else now. A comment comes every 15 seconds, with
/// the id that a reader goes on from, which moves on where no event matches. At its end an event `end` says why, as
/// `{"code":…,"detail":…}`: `too_slow` for a reader that took nothing for 10 seconds, `shutting_down`, `events_removed`,
/// `unauthorized`. A reader that comes back with its last id gets what happened meanwhile, each once.
///
/// A client that accepts `application/json`, as n8n does, or says nothing, gets a page, the oldest events first: from the oldest that
/// is kept, or behind `after`. `next_cursor` is never null: ask with it as `after` (or `cursor`), at once while there are items, else
/// after a while.
#[utoipa::path(
    get, path = "/v1/events", tag = "events", operation_id = "list_events",
    params(
        EventParameters,
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that a stream brought; goes before `after`"),
    ),
    responses(
        (status = 200, description = "A page of events, or a stream of them", content(
            (Page<api::Event> = "application/json"), (api::ServerSentEvent = "text/event-stream")
        )),
        (status = 410, description = "Events behind that place are no longer kept; the detail says from where to go on"),
    )
)]
pub(crate) async fn read(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    mut query: QueryParameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now = state.clock().now();
    let mut filter = EventFilter {
        types: query.take_with("type", several).unwrap_or_default(),
        chats: query.take_with("chat", several).unwrap_or_default(),
        accounts: query.take_with("account", several).unwrap_or_default(),
    };
    let after = query.take_with("after", |text| parse_position(text, now));
    let cursor = query.take::<EventId>("cursor");
    let limit = limit(&mut query, LARGEST_PAGE);
    query.finish()?;
    // An event names its chat by the id once that is known.
    let named = filter.chats.iter().filter_map(|chat| chat.parse::<ChatRef>().ok());
    let known: Vec<_> = named.filter_map(|chat| today(&state, &chat)).map(|id| id.to_string()).collect();
    filter.chats.extend(known);
    for account in &filter.accounts {
        caller.check_account(Some(account))?;
    }
    let after = cursor.or(after);
    let newest = *state.store().events().newest().borrow();
    if wants_stream(&headers) {
        let last = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
        // What is no id of ours, as of a stream before this one, is no place to go on from.
        let last = last.and_then(|id| id.parse().ok());
        return follow::answer(state, caller, filter, last.or(after).unwrap_or(newest)).await;
    }
    let after = after.unwrap_or(EventId::ZERO).min(newest);
    let read = look(&state, after, &filter, limit.unwrap_or(USUAL_PAGE)).await?;
    let shown = read.events.into_iter().filter(|event| About::of(event).is_shown(&state, &caller));
    let items = shown.map(api::Event::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: Some(read.up_to.to_string()) }))
}

/// Events behind a place, until there are as many as wanted or no more.
async fn look(
    state: &State,
    after: EventId,
    filter: &EventFilter,
    limit: u32,
) -> Result<EventsRead, Problem> {
    let read = state.store().events().after(after, filter, limit).await?;
    match read.gap {
        None => Ok(read),
        Some(gap) => Err(Problem::new(
            Code::EventsRemoved,
            format!(
                "Events behind {after} are no longer kept (events.keep, events.keep_at_most): those up to {gap} are gone. Go on with \
                 after={gap} for all that are kept, and read what you missed from GET /v1/messages and GET /v1/operations."
            ),
        )),
    }
}

/// What an event is about, for filters and limits.
#[derive(Debug)]
struct About {
    kind: EventType,
    account: Option<AccountName>,
    /// The account that another one stood in for.
    other: Option<AccountName>,
    chat: Option<String>,
}

impl About {
    fn of(event: &StoredEvent) -> Self {
        let failover = (event.kind == EventType::Failover)
            .then(|| serde_json::from_str::<FailoverEvent>(&event.data).ok())
            .flatten();
        Self {
            kind: event.kind,
            account: event.account.clone(),
            other: failover.map(|failover| failover.from),
            chat: event.chat.clone(),
        }
    }

    /// Whether a caller may see all that it is about.
    fn is_shown(&self, state: &State, caller: &Caller) -> bool {
        let chat = self.chat.as_deref().and_then(|chat| chat.parse::<ChatRef>().ok());
        caller.shows(state, self.account.as_ref(), chat.as_ref())
            && self.other.as_ref().is_none_or(|account| caller.shows_account(account))
    }
}

/// Where to begin: behind an event, or at a time, as ids count microseconds.
fn parse_position(text: &str, now: Timestamp) -> Result<EventId, String> {
    if let Ok(id) = text.parse::<EventId>() {
        return Ok(id);
    }
    moment(text, now).map(|at| EventId::new(at.as_micros().max(0))).map_err(|_| {
        "write the id of an event, a time such as 2030-01-31T12:00:00Z, or how long ago, such as 10m or 2h"
            .to_owned()
    })
}

/// Values with commas between.
fn several<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<Vec<T>, String> {
    let values = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let values: Vec<T> = values
        .map(|word| word.parse().map_err(|error: T::Err| error.to_string()))
        .collect::<Result<_, _>>()?;
    if values.len() > MOST_NAMED { Err(format!("name at most {MOST_NAMED}")) } else { Ok(values) }
}

/// A stream for those who ask for one or take anything; a page for those who read JSON or say nothing.
fn wants_stream(headers: &HeaderMap) -> bool {
    let accepts = |kind: &str| {
        let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let mut kinds = values.flat_map(|value| value.split(',')).filter_map(|range| range.split(';').next());
        kinds.any(|accepted| accepted.trim().eq_ignore_ascii_case(kind))
    };
    accepts("text/event-stream") || (accepts("*/*") && !accepts("application/json"))
}

/// Which events are wanted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
struct EventParameters {
    /// Only events of these types: `message.sent`, a group such as `message.*`; several with commas between.
    #[param(example = "message.*,chat.created")]
    r#type: Option<String>,
    /// Only events about these chats, by their ids or names; several with commas between.
    #[param(example = "-1001234567890")]
    chat: Option<String>,
    /// Only events about these accounts; several with commas between.
    #[param(example = "main")]
    account: Option<String>,
    /// Only events behind this one, by its id; or since this time: a time, or how long ago, such as `10m`.
    #[param(example = "evt_1795406400000000")]
    after: Option<String>,
    /// The `next_cursor` of the page before; goes before `after`.
    cursor: Option<String>,
    /// How many events a page has at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_that_accept_event_streams_get_one() {
        for (accept, stream) in [
            ("*/*", true),
            ("text/event-stream", true),
            ("text/event-stream, application/json", true),
            ("application/json", false),
            ("application/json, text/plain, */*", false),
            ("text/html", false),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().expect("a value"))]);
            assert_eq!(wants_stream(&headers), stream, "{accept}");
        }
        assert!(!wants_stream(&HeaderMap::new()));
    }

    #[test]
    fn a_position_is_an_id_or_a_time() {
        let now = Timestamp::from_micros(1_000_000_000);
        assert_eq!(parse_position("evt_7", now), Ok(EventId::new(7)));
        assert_eq!(parse_position("7", now), Ok(EventId::new(7)));
        assert_eq!(parse_position("10s", now), Ok(EventId::new(990_000_000)));
        assert_eq!(parse_position("1970-01-01T00:00:01Z", now), Ok(EventId::new(1_000_000)));
        assert!(parse_position("evt_x", now).is_err() && parse_position("-7", now).is_err());
    }
}
