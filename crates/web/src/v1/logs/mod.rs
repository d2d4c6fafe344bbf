//! `/v1/logs`: the lines that the program wrote about itself, kept, searched and followed.

mod download;
mod filter;
mod histogram;
mod list;
mod look;
mod tail;

use crate::routing::routes;
pub(super) use filter::moment;
use logs::ReadError;
use utoipa_axum::router::OpenApiRouter;

use crate::problem::{Code, Problem};
use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(tail::follow))
        .routes(routes!(histogram::count))
        .routes(routes!(download::download))
        .routes(routes!(look::get))
}

fn unread(error: &ReadError) -> Problem {
    match error {
        ReadError::Busy => {
            Problem::new(Code::QueueFull, "The logs are being searched by others; try again in a moment.")
                .retry_after(5)
        }
        ReadError::Io { .. } | ReadError::Broken => {
            tracing::error!(%error, "the kept log lines cannot be read");
            Problem::new(
                Code::StoreUnavailable,
                "The log lines cannot be read now. Try again; the standard error says why.",
            )
            .retry_after(5)
        }
    }
}
