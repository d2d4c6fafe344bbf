//! The API under `/v1`: one file for each kind of thing.

pub(crate) mod accounts;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod backups;
mod chat_name;
pub(crate) mod chats;
pub(crate) mod doctor;
mod failed_messages;
pub(crate) mod failed_requests;
pub(crate) mod failovers;
pub(crate) mod flood_clearing;
pub(crate) mod keys;
pub(crate) mod listeners;
pub(crate) mod logs;
pub(crate) mod media;
pub(crate) mod messages;
mod names;
mod new_media;
mod new_message;
pub(crate) mod operations;
pub(crate) mod overview;
mod page;
pub(crate) mod services;
pub(crate) mod uploads;
pub(crate) mod users;
mod wait;

pub(crate) use accounts::bundles::Bundles;
pub(crate) use api::Page;
pub(crate) use failed_messages::Retries;
pub(crate) use page::{LongPageParameters, PageParameters, PageRequest, wrong_cursor};

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
        .routes(routes!(failed_messages::act::count))
        .routes(routes!(failed_messages::act::retry, failed_messages::act::cancel))
        .routes(routes!(failed_requests::list))
        .routes(routes!(failed_requests::get, failed_requests::drop))
        .routes(routes!(failed_requests::retry))
        .routes(routes!(services::list))
        .routes(routes!(services::get))
        .routes(routes!(services::act))
        .merge(account_routes())
        .merge(alert_routes())
        .routes(routes!(keys::list))
        .routes(routes!(keys::create))
        .routes(routes!(keys::revoke))
        .merge(people_routes())
        .routes(routes!(listeners::list))
        .merge(log_routes())
        .routes(routes!(doctor::get))
        .routes(routes!(backups::create, backups::list))
        .routes(routes!(backups::get))
        .routes(routes!(backups::check))
        .routes(routes!(backups::download))
        .merge(health_routes())
}

fn health_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(overview::overview))
        .routes(routes!(overview::card::get))
        .routes(routes!(flood_clearing::clear, flood_clearing::get, flood_clearing::cancel))
}

fn log_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(logs::list::list))
        .routes(routes!(logs::tail::follow))
        .routes(routes!(logs::histogram::count))
        .routes(routes!(logs::download::download))
        .routes(routes!(logs::look::get))
}

fn people_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(users::list::list, users::change::add))
        .routes(routes!(users::list::get, users::change::change, users::change::remove))
        .routes(routes!(users::password::set))
        .routes(routes!(users::password::reset_second_factor))
        .routes(routes!(users::sessions::list, users::sessions::end_all))
        .routes(routes!(users::sessions::end))
        .routes(routes!(audit::list::list))
}

fn chat_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(chats::create::create, chats::list::list))
        .routes(routes!(chats::moves::move_all))
        .routes(routes!(chats::unresolved::list))
        .routes(routes!(chats::unresolved::forget))
        .routes(routes!(chats::list::get, chats::change::change, chats::leave::leave))
        .routes(routes!(chats::members::list, chats::members::add))
        .routes(routes!(chats::members::remove))
        .routes(routes!(chats::hand_over::hand_over))
        .routes(routes!(chats::history::read))
        .routes(routes!(chats::message::edit, chats::message::delete))
        .routes(routes!(chats::media::read))
        .routes(routes!(chats::attention::read))
        .routes(routes!(chats::attention::typing))
}

fn alert_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(alerts::list::list))
        .routes(routes!(alerts::list::get))
        .routes(routes!(alerts::mutes::mute_alert, alerts::mutes::unmute_alert))
        .routes(routes!(alerts::mutes::list, alerts::mutes::create))
        .routes(routes!(alerts::mutes::remove))
        .routes(routes!(alerts::targets::list, alerts::targets::create))
        .routes(routes!(alerts::targets::remove))
        .routes(routes!(alerts::targets::test))
        .routes(routes!(alerts::maintenance::list, alerts::maintenance::create))
        .routes(routes!(alerts::maintenance::remove))
}

fn account_routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(accounts::import::import, accounts::import::progress))
        .routes(routes!(accounts::import_files::send))
        .routes(routes!(accounts::import_files::take_back))
        .routes(routes!(accounts::export::export))
        .routes(routes!(accounts::list::list, accounts::change::add))
        .routes(routes!(accounts::list::get, accounts::change::change, accounts::change::remove))
        .routes(routes!(accounts::act::act))
        .routes(routes!(accounts::login::start, accounts::login::get, accounts::login::cancel))
        .routes(routes!(accounts::login::code))
        .routes(routes!(accounts::login::password))
        .routes(routes!(accounts::login::terms))
        .routes(routes!(accounts::login::resend))
        .routes(routes!(accounts::ownerless::release))
        .routes(routes!(accounts::ownerless::list))
        .routes(routes!(accounts::ownerless::forget))
        .routes(routes!(accounts::ownerless::assign))
}
