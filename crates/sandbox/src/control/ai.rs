//! `/ai/v1/…`: the endpoint of language models, with the faults of the dial.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use futures::stream;

use super::answers::Path;
use super::context::ControlContext;
use super::providers::{called_with, with_body};
use crate::ai::{self, Answered};
use crate::channels::{ChannelFault, Reply};
use crate::telegram::now;

pub(super) async fn answer(
    State(context): State<Arc<ControlContext>>,
    Path(path): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request = called_with(&context, &path, (&method, &uri, &headers), &body);
    let struck = context.channels.faults(|faults| faults.strike(ai::PROVIDER, &request.path, false));
    let fault = struck.as_ref().map(|order| order.fault);
    if let Some(order) = struck.as_ref().filter(|order| order.fault == ChannelFault::Delay) {
        tokio::time::sleep(order.wait()).await;
    }
    let of_model = fault.filter(|fault| fault.is_of_a_model());
    let Answered { mut reply, events, effect } = ai::answer(&request, now().0 / 1_000_000, of_model);
    let is_done = struck.as_ref().is_none_or(|order| {
        order.effect.unwrap_or(order.fault.is_of_a_model() || order.fault == ChannelFault::Delay)
    });
    if let Some(effect) = effect.filter(|_| is_done) {
        context.telegram.record_outside(effect);
    }
    match (fault, struck) {
        (Some(ChannelFault::Error), Some(order)) => {
            reply = ai::failure(order.code.unwrap_or(500), order.message);
        }
        (Some(ChannelFault::Garbage), _) => reply = Reply::html(200),
        (Some(ChannelFault::RateLimit), Some(order)) => reply = ai::too_many(order.wait().as_secs()),
        (Some(ChannelFault::Deaf), _) => {
            context.providers.remember(ai::PROVIDER, &request.method, request.path.clone(), 0);
            return std::future::pending().await;
        }
        _ => {}
    }
    context.providers.remember(ai::PROVIDER, &request.method, request.path.clone(), reply.status);
    let is_cut = fault == Some(ChannelFault::Cut);
    let is_stream = !events.is_empty() && reply.status == 200 && reply.body.is_empty();
    with_body(reply, |body| {
        let pieces: Vec<Vec<u8>> =
            if is_stream { events.into_iter().map(String::into_bytes).collect() } else { vec![body] };
        if is_cut {
            let half = pieces.concat();
            let half = half[..half.len() / 2].to_vec();
            return Body::from_stream(stream::iter([Ok(half), Err(io::Error::other("cut"))]));
        }
        if is_stream {
            Body::from_stream(stream::iter(pieces.into_iter().map(Ok::<_, io::Error>)))
        } else {
            pieces.concat().into()
        }
    })
}
