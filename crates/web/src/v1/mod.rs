//! The API under `/v1`: one file for each kind of thing.

pub(crate) mod accounts;
mod chat_name;
pub(crate) mod chats;
pub(crate) mod failed_requests;
pub(crate) mod failovers;
pub(crate) mod keys;
pub(crate) mod listeners;
mod message_view;
pub(crate) mod messages;
mod new_message;
pub(crate) mod operations;
mod page;
pub(crate) mod services;
mod wait;
mod why;
mod words;

pub(crate) use page::{LongPageParameters, Page, PageParameters, Wanted};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::State;

/// The name of this API in the scope of idempotency keys and in the origin of messages and operations.
const LISTENER: &str = "v1";

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
        .merge(chat_routes())
        .routes(routes!(operations::log::list))
        .routes(routes!(operations::look::get))
        .routes(routes!(operations::act::cancel))
        .routes(routes!(operations::act::retry))
        .routes(routes!(operations::act::resolve))
        .routes(routes!(failovers::list))
        .routes(routes!(failed_requests::list))
        .routes(routes!(failed_requests::get, failed_requests::drop))
        .routes(routes!(failed_requests::retry))
        .routes(routes!(services::list))
        .routes(routes!(services::get))
        .routes(routes!(services::act))
        .routes(routes!(accounts::list))
        .routes(routes!(accounts::get))
        .routes(routes!(accounts::act))
        .routes(routes!(keys::list))
        .routes(routes!(keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(listeners::list))
}

fn chat_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(chats::create::create, chats::list::list))
        .routes(routes!(chats::unresolved::list))
        .routes(routes!(chats::unresolved::forget))
        .routes(routes!(chats::list::get, chats::change::change, chats::leave::leave))
        .routes(routes!(chats::members::list, chats::members::add))
        .routes(routes!(chats::members::remove))
        .routes(routes!(chats::history::read))
}
