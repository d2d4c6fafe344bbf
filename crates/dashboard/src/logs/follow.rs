//! `/live/logs`: rows as their lines are written, as server-sent events (WHATWG HTML, section 9.2).

use std::sync::Arc;
use std::time::Duration;

use ::logs::{Line, LineId, Tail, TailEvent};
use axum::body::Body;
use axum::extract::{Query as QueryOf, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::query::Query;
use super::row::{Row, on_one_line};
use crate::dashboard::Dashboard;
use crate::visitor::{EVERY, SessionEnd, Visitor, session_end};
use crate::words::{LogsWords, Wall};

/// Lines of so long a time go out together.
const TOGETHER: Duration = Duration::from_millis(250);

/// The most lines that go out together. More of them wait for their turn, so that no page has to draw more in a second than a
/// browser can; what does not fit into the wait is counted.
const MOST: usize = 200;

/// The most lines that a page that was away gets first; a page shows no more anyway.
const MOST_MISSED: usize = 1_000;

/// A stream ends after this long and the browser begins another one, which asks again who looks.
const LONGEST: Duration = Duration::from_mins(10);

/// Proxies that gather bytes before they pass them on have enough after so many.
const PADDING: usize = 4 * 1024;

/// The newest line that a page has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ShownState {
    newest: String,
}

struct Following {
    dashboard: Dashboard,
    words: &'static LogsWords,
    wall: Wall,
    session_end: SessionEnd,
    sought: Option<String>,
    tail: Tail,
    /// The last line that the page has.
    last: Option<LineId>,
    /// Nothing is sent before this: the event before was a large one.
    rest: Option<Instant>,
    began_at: Instant,
    greeted: bool,
    _permit: OwnedSemaphorePermit,
}

/// What a page does not get.
#[derive(Debug, Clone, Copy, Default)]
struct Missed {
    lines: u64,
    /// No one knows how many more.
    and_more: bool,
}

pub(crate) async fn follow(
    State(dashboard): State<Dashboard>,
    visitor: Visitor,
    QueryOf(query): QueryOf<Query>,
    QueryOf(known): QueryOf<ShownState>,
    headers: HeaderMap,
) -> Response {
    let Ok(permit) = Arc::clone(dashboard.stream_permits()).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "30")]).into_response();
    };
    let newest = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or(&known.newest);
    let last = newest.parse::<LineId>().ok();
    let filter = query.filter(&visitor);
    let logs = dashboard.state().logs();
    let tail = match last {
        Some(last) => logs.tail_after(filter, last, MOST_MISSED).await,
        None => Ok(logs.tail(filter)),
    };
    let tail = match tail {
        Ok(tail) => tail,
        Err(error) => {
            // The page tries again; without what it missed its list would have a hole.
            tracing::warn!(%error, "the log cannot be followed");
            return (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "5")]).into_response();
        }
    };
    let following = Following {
        words: LogsWords::of(visitor.language),
        wall: visitor.wall(),
        session_end: session_end(&dashboard, &visitor),
        sought: query.text(),
        tail,
        last,
        rest: None,
        began_at: Instant::now(),
        greeted: false,
        _permit: permit,
        dashboard,
    };
    let mut answer = Body::from_stream(events(following)).into_response();
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    answer
}

fn events(following: Following) -> impl Stream<Item = Result<Bytes, askama::Error>> {
    futures::stream::try_unfold(following, |mut following| async move {
        let event = following.next().await?;
        Ok(event.map(|event| (Bytes::from(event), following)))
    })
}

impl Following {
    /// The next event; none at the end of the program or of the stream.
    async fn next(&mut self) -> Result<Option<String>, askama::Error> {
        if !std::mem::replace(&mut self.greeted, true) {
            // The first bytes show the page that the stream is open, and fill what a proxy might gather.
            return Ok(Some(format!("retry: 5000\nevent: beat\ndata: 0\n:{}\n\n", " ".repeat(PADDING))));
        }
        let dashboard = self.dashboard.clone();
        if let Some(rest) = self.rest.take() {
            tokio::select! {
                biased;
                () = dashboard.state().stopping() => return Ok(None),
                () = &mut self.session_end => return Ok(None),
                () = tokio::time::sleep_until(rest) => {}
            }
        }
        let left = LONGEST.saturating_sub(self.began_at.elapsed());
        let first = tokio::select! {
            biased;
            () = dashboard.state().stopping() => return Ok(None),
            () = tokio::time::sleep(left) => return Ok(None),
            () = &mut self.session_end => return Ok(None),
            // So often something is sent, though no lines come: a lost connection is noticed.
            () = dashboard.state().clock().sleep(EVERY) => return Ok(Some("event: beat\ndata: 0\n\n".to_owned())),
            event = self.tail.next() => event,
        };
        let (mut lines, mut missed) = (Vec::new(), Missed::default());
        let mut event = first;
        let together = Instant::now() + TOGETHER;
        loop {
            match event {
                None if lines.is_empty() => return Ok(None),
                None => break,
                Some(TailEvent::Missed(number)) => missed.lines += number,
                Some(TailEvent::LeftOut) => missed.and_more = true,
                Some(TailEvent::Line(line)) => lines.push(line),
            }
            if lines.len() == MOST {
                self.rest = Some(together);
                break;
            }
            event = match tokio::time::timeout_at(together, self.tail.next()).await {
                Ok(event) => event,
                Err(_) => break,
            };
        }
        self.event(&lines, missed)
    }

    /// Lines that go out together, the oldest first, behind how many were left out: a number, or `+` for no one knows how many.
    fn event(&mut self, lines: &[Arc<Line>], missed: Missed) -> Result<Option<String>, askama::Error> {
        let mut rows = String::new();
        for line in lines {
            let sought = self.sought.as_deref();
            let row = Row { line, words: self.words, wall: self.wall, sought, chosen: false };
            rows.push_str(&on_one_line(&row)?);
            self.last = Some(line.id);
        }
        let id = self.last.map(|last| format!("id: {last}\n")).unwrap_or_default();
        let missed = if missed.and_more { "+".to_owned() } else { missed.lines.to_string() };
        Ok(Some(format!("event: lines\n{id}data: {missed} {rows}\n\n")))
    }
}
