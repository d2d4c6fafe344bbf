//! `GET /v1/logs/tail`: lines as they are written, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::Response;
use bytes::Bytes;
use domain::Timestamp;
use futures::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use logs::{Line, LineId, Tail, TailEvent};

use super::filter::{self, FilterParameters};
use super::unread;
use crate::auth::{Authorized, CanRead};
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;

/// A proxy that hears nothing for longer may end the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// The most lines that a reader who was away gets first.
const MOST_MISSED: usize = 1_000;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Asks a proxy to pass on what comes at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Follows the log lines that match, as server-sent events.
///
/// An event `line` has a line as JSON and its id; `missed` says how many lines were left out, as `{"lines":N}`, because the
/// reader was slow; or `null` of them, because it was away for long. A reader that comes back with `Last-Event-ID` first gets
/// what was written meanwhile. A comment comes every 15 seconds, and the stream ends when the server does. When the
/// key is revoked or no longer has the scope, an event `end` says `unauthorized`, as `{"code":…,"detail":…}`.
#[utoipa::path(
    get, path = "/v1/logs/tail", tag = "logs", operation_id = "follow_logs",
    params(
        FilterParameters,
        ("for" = Option<String>, Query, description = "How long to follow, such as `30s`; left out: until the server ends"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last line that is known"),
    ),
    responses((status = 200, description = "Events, until the server ends or the key is revoked", body = api::ServerSentEvent, content_type = "text/event-stream"))
)]
pub(crate) async fn follow(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let filter = filter::take(&mut query, state.clock().now());
    let length =
        query.take_with("for", |text| config::parse_duration(text).map_err(|error| error.to_string()));
    query.finish()?;
    let end = length.map(|length| state.clock().now().plus(length));
    // What is no id of ours is no place to go on from.
    let last = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()?.parse::<LineId>().ok());
    let tail = match last {
        Some(last) => {
            state.logs().tail_after(filter, last, MOST_MISSED).await.map_err(|error| unread(&error))?
        }
        None => state.logs().tail(filter),
    };
    let beat_at = state.clock().running();
    let follower = Follower { state, tail, end, beat_at };
    let pieces = stream::unfold(follower, async |mut follower| {
        let piece = follower.next().await?;
        Some((Ok::<_, Infallible>(piece), follower))
    });
    // A first comment, so that the reader sees at once that it is connected.
    let hello = stream::once(std::future::ready(Ok(Bytes::from_static(b": following\n\n"))));
    let mut response = Response::new(Body::from_stream(futures::StreamExt::chain(hello, pieces)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

struct Follower {
    state: State,
    tail: Tail,
    /// When it wants to leave.
    end: Option<Timestamp>,
    /// When the last heartbeat was sent, by the monotonic clock.
    beat_at: Duration,
}

impl Follower {
    /// The next event or comment; nothing when the server ends.
    async fn next(&mut self) -> Option<Bytes> {
        let due = HEARTBEAT.saturating_sub(self.state.clock().running().saturating_sub(self.beat_at));
        let tail_event = if !due.is_zero()
            && let Some(tail_event) = self.tail.missed()
        {
            tail_event
        } else {
            tokio::select! {
                biased;
                () = self.state.stopping() => return None,
                () = until(&self.state, self.end) => return None,
                // Before the next line: there may always be one.
                () = self.state.clock().sleep(due) => return Some(self.heartbeat()),
                tail_event = self.tail.next() => tail_event?,
            }
        };
        Some(match tail_event {
            TailEvent::Line(line) => event(&line).into(),
            TailEvent::Missed(lines) => missed(Some(lines)),
            TailEvent::LeftOut => missed(None),
        })
    }
}

impl Follower {
    /// Says that the stream is there.
    fn heartbeat(&mut self) -> Bytes {
        self.beat_at = self.state.clock().running();
        Bytes::from_static(b":\n\n")
    }
}

/// Waits for the end that the reader wants, if it wants one.
async fn until(state: &State, end: Option<Timestamp>) {
    match end {
        Some(end) => state.clock().sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn missed(lines: Option<u64>) -> Bytes {
    let lines = lines.map_or_else(|| "null".to_owned(), |lines| lines.to_string());
    format!("event: missed\ndata: {{\"lines\":{lines}}}\n\n").into()
}

/// A line as an event. JSON has no line breaks of its own, so it is one row.
fn event(line: &Line) -> String {
    let data = serde_json::to_string(&api::LogLine::from(line.clone())).unwrap_or_default();
    format!("event: line\nid: {}\ndata: {data}\n\n", line.id)
}
