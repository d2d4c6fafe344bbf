//! What every answer keeps: its caller's rights. An answer ends when they do, and has no person's words for a key that may not read.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use hyper::body::{Frame, SizeHint};
use serde_json::json;

use super::revalidate::lost;
use super::witness::Witness;
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::words;

/// The most bytes of a body that is sent at once.
const SHORT: u64 = 64 * 1024;

const LOST: &str = "The key or the user is no longer allowed this.";

/// Runs a request as long as its caller may have the answer.
///
/// A call that changes something always runs to its end: a negative answer would say that nothing was done.
pub(crate) async fn hold(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    let mut changes = state.store().rights_changes();
    changes.mark_unchanged();
    let witness = request.extensions().get::<Witness>().cloned().unwrap_or_default();
    request.extensions_mut().insert(witness.clone());
    let call = words::Call::of(&request);
    let only_looks = matches!(*request.method(), Method::GET | Method::HEAD);
    let answer = if only_looks {
        tokio::select! {
            biased;
            answer = next.run(request) => answer,
            () = lost(state.clone(), witness.clone(), changes.clone()) => {
                return Problem::new(Code::Unauthorized, LOST).into_response();
            }
        }
    } else {
        next.run(request).await
    };
    let Some(caller) = witness.caller() else { return answer };
    let answer = if caller.key.as_ref().is_some_and(|key| !key.may(store::Scope::Read)) {
        words::withhold(call, answer).await
    } else {
        answer
    };
    if answer.body().size_hint().upper().is_some_and(|most| most <= SHORT) {
        return answer;
    }
    let is_events = is_events(answer.headers());
    answer.map(|inner| {
        Body::new(Held { inner, lost: Box::pin(lost(state, witness, changes)), is_events, is_over: false })
    })
}

fn is_events(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// A body that ends when its caller may no longer have it: a stream of events with an event `end`, any other broken off.
struct Held {
    inner: Body,
    lost: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_events: bool,
    is_over: bool,
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        if self.lost.as_mut().poll(context).is_ready() {
            self.is_over = true;
            let end = if self.is_events {
                let why = json!({ "code": Code::Unauthorized.as_str(), "detail": LOST });
                Ok(Frame::data(format!("event: end\ndata: {why}\n\n").into()))
            } else {
                Err(axum::Error::new(LOST))
            };
            return Poll::Ready(Some(end));
        }
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
