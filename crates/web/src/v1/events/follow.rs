//! One reader of the stream: first what it missed, from the store, then what the head hands out.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use domain::{EventFilter, EventId};
use futures::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::head::Shown;
use super::look;
use crate::auth::Caller;
use crate::problem::{Code, Problem};
use crate::state::State;

/// A proxy that hears nothing for longer may end the connection.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A reader that takes nothing for longer is too slow.
const SLOWEST: Duration = Duration::from_secs(10);
/// How many events are read at once for a reader that is behind.
const PAGE: u32 = 100;
/// How many new events go out in one piece.
const PIECE: usize = 100;

/// Asks a proxy to pass on what comes at once.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The stream behind an event.
pub(super) async fn answer(
    state: State,
    caller: Caller,
    filter: EventFilter,
    after: EventId,
) -> Result<Response, Problem> {
    let began = state.clock().running();
    // Before the first look at the store: what is committed between them comes twice, and is recognized by its id.
    let head = state.event_head().follow(&state);
    // An id beyond all there are is of another time of this store; what comes from now on is behind it.
    let after = after.min(*state.store().events().newest().borrow());
    let mut reader = Reader {
        state,
        caller,
        filter,
        up_to: after,
        head,
        first: None,
        is_behind: true,
        beat_at: began,
        taken_at: began,
        is_over: false,
    };
    // Here and not in the stream, so that a place that is no longer kept is an answer of its own.
    reader.first = reader.catch_up().await?;
    let pieces = stream::unfold(reader, async |mut reader| {
        let piece = reader.next().await?;
        Some((Ok::<_, Infallible>(piece), reader))
    });
    // A first comment, so that the reader sees at once that it is connected.
    let hello = stream::once(std::future::ready(Ok(Bytes::from(format!(": following\nid: {after}\n\n")))));
    let mut response = Response::new(Body::from_stream(futures::StreamExt::chain(hello, pieces)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

struct Reader {
    state: State,
    caller: Caller,
    filter: EventFilter,
    /// Everything up to this one went out, or was not wanted.
    up_to: EventId,
    head: Receiver<Arc<Shown>>,
    /// What was read before the stream began.
    first: Option<Bytes>,
    /// There may be events in the store that the head does not hand out to it.
    is_behind: bool,
    /// When the last heartbeat went out, by the monotonic clock.
    beat_at: Duration,
    /// When it took the last piece, by the same.
    taken_at: Duration,
    is_over: bool,
}

impl Reader {
    /// The next piece; nothing at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let running = self.state.clock().running();
        if running.saturating_sub(self.taken_at) > SLOWEST {
            let detail = "The events were not taken for 10 seconds. Go on from the last id.";
            return Some(self.end("too_slow", detail));
        }
        let piece = self.piece().await;
        self.taken_at = self.state.clock().running();
        Some(piece)
    }

    /// Thousands of readers wait in here for an event: what is rare has its memory apart.
    async fn piece(&mut self) -> Bytes {
        loop {
            if self.state.is_stopping() {
                return self.stopping();
            }
            let since = self.state.clock().running().saturating_sub(self.beat_at);
            let due = HEARTBEAT.saturating_sub(since);
            if due.is_zero() {
                return self.heartbeat();
            }
            if let Some(first) = self.first.take() {
                return first;
            }
            if self.is_behind {
                match Box::pin(self.catch_up()).await {
                    Ok(Some(piece)) => return piece,
                    Ok(None) => continue,
                    Err(problem) => return self.end(problem.code().as_str(), problem.detail()),
                }
            }
            tokio::select! {
                biased;
                () = self.state.stopping() => return self.stopping(),
                // Before the next event: there may always be one.
                () = self.state.clock().sleep(due) => return self.heartbeat(),
                event = self.head.recv() => match event {
                    Ok(event) => {
                        let mut piece = Vec::new();
                        self.add(&event, &mut piece);
                        self.add_those_there(&mut piece);
                        if !piece.is_empty() {
                            return piece.into();
                        }
                    }
                    Err(RecvError::Lagged(_)) => self.is_behind = true,
                    Err(RecvError::Closed) => return self.stopping(),
                },
            }
        }
    }

    /// Reads on in the store; what was wanted of it.
    async fn catch_up(&mut self) -> Result<Option<Bytes>, Problem> {
        let read = look(&self.state, self.up_to, &self.filter, PAGE).await?;
        self.is_behind = read.up_to != self.up_to;
        self.up_to = read.up_to;
        let mut piece = Vec::new();
        for event in read.events {
            let event = Shown::new(event);
            if event.is_shown(&self.state, &self.caller) {
                piece.extend_from_slice(&event.text);
            }
        }
        Ok((!piece.is_empty()).then(|| piece.into()))
    }

    /// More that the head has handed out already.
    fn add_those_there(&mut self, piece: &mut Vec<u8>) {
        for _ in 0..PIECE {
            match self.head.try_recv() {
                Ok(event) => self.add(&event, piece),
                Err(TryRecvError::Lagged(_)) => {
                    self.is_behind = true;
                    return;
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn add(&mut self, event: &Shown, piece: &mut Vec<u8>) {
        if event.id > self.up_to {
            self.up_to = event.id;
            if event.is_wanted(&self.filter) && event.is_shown(&self.state, &self.caller) {
                piece.extend_from_slice(&event.text);
            }
        }
    }

    /// Says that the stream is there, and where to go on from.
    fn heartbeat(&mut self) -> Bytes {
        self.beat_at = self.state.clock().running();
        // An id without data moves a client on and reports nothing.
        format!(":\nid: {}\n\n", self.up_to).into()
    }

    fn stopping(&mut self) -> Bytes {
        self.end(
            Code::ShuttingDown.as_str(),
            "The server is stopping. Go on from the last id when it is back.",
        )
    }

    fn end(&mut self, code: &str, detail: &str) -> Bytes {
        self.is_over = true;
        format!("event: end\ndata: {}\n\n", json!({"code": code, "detail": detail})).into()
    }
}
