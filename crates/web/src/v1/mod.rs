//! The API under `/v1`: one file for each kind of thing.

pub(crate) mod accounts;
mod chat_name;
pub(crate) mod chats;
pub(crate) mod failed_requests;
pub(crate) mod failovers;
pub(crate) mod keys;
pub(crate) mod listeners;
pub(crate) mod media;
mod media_view;
mod message_view;
pub(crate) mod messages;
mod new_media;
mod new_message;
pub(crate) mod operations;
mod page;
pub(crate) mod services;
pub(crate) mod uploads;
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
        .routes(routes!(media::read))
        .routes(routes!(messages::cancel))
        .routes(routes!(messages::retry))
        .routes(routes!(messages::resolve))
        .routes(routes!(uploads::put))
        .routes(routes!(uploads::get, uploads::remove))
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
        .merge(account_routes())
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
        .routes(routes!(chats::message::edit, chats::message::delete))
        .routes(routes!(chats::media::read))
        .routes(routes!(chats::attention::read))
        .routes(routes!(chats::attention::typing))
}

fn account_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(accounts::import::import, accounts::import::progress))
        .routes(routes!(accounts::export::export))
        .routes(routes!(accounts::list::list, accounts::change::add))
        .routes(routes!(accounts::list::get, accounts::change::change, accounts::change::remove))
        .routes(routes!(accounts::act::act))
        .routes(routes!(accounts::login::start, accounts::login::get, accounts::login::cancel))
        .routes(routes!(accounts::login::code))
        .routes(routes!(accounts::login::password))
        .routes(routes!(accounts::login::terms))
        .routes(routes!(accounts::login::resend))
        .routes(routes!(accounts::ownerless::list))
        .routes(routes!(accounts::ownerless::forget))
        .routes(routes!(accounts::ownerless::assign))
}
