//! Answers to calls by which this process proves that an address leads to it.

use axum::extract::{Request, State as Shared};
use axum::middleware::Next;
use axum::response::Response;
use channels::ARRIVAL_HEADER;
use http::HeaderValue;

use crate::state::State;

/// Whether an answer is to a call of this process.
pub(crate) fn is_of_this_process(response: &Response) -> bool {
    response.headers().contains_key(ARRIVAL_HEADER)
}

/// Puts the word that this process alone knows into the answer, whatever the answer is.
pub(crate) async fn answer(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let word = request.headers().get(ARRIVAL_HEADER).and_then(|word| word.to_str().ok());
    let answer = word.and_then(|word| state.channels().arrival_answer(word));
    let mut response = next.run(request).await;
    if let Some(answer) = answer.and_then(|answer| HeaderValue::from_str(&answer).ok()) {
        response.headers_mut().insert(ARRIVAL_HEADER, answer);
    }
    response
}
