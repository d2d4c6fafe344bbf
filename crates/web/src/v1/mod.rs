//! The API under `/v1`: one file for each kind of thing.

pub(crate) mod accounts;
mod chat_name;
pub(crate) mod keys;
pub(crate) mod listeners;
mod message_view;
pub(crate) mod messages;
mod new_message;
mod page;
mod why;
mod words;

pub(crate) use page::{Page, PageParameters, Wanted, wrong_cursor};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::State;

/// The routes; each names its method and path beside its handler.
pub(crate) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(messages::send))
        .routes(routes!(messages::list))
        .routes(routes!(messages::get))
        .routes(routes!(messages::why))
        .routes(routes!(messages::cancel))
        .routes(routes!(messages::retry))
        .routes(routes!(messages::resolve))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::get))
        .routes(routes!(accounts::act))
        .routes(routes!(keys::list))
        .routes(routes!(keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(listeners::list))
}
