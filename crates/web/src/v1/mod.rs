//! The API under `/v1`: one file for each kind of thing.

pub(crate) mod accounts;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod backups;
mod campaigns;
mod channels;
mod chat_name;
pub(crate) mod chats;
mod conversations;
pub(crate) mod do_not_contact;
pub(crate) mod doctor;
pub(crate) mod events;
mod failed_messages;
pub(crate) mod failed_requests;
pub(crate) mod failovers;
pub(crate) mod flood_clearing;
mod flows;
pub(crate) mod keys;
pub(crate) mod listeners;
pub(crate) mod logs;
pub(crate) mod master_key;
pub(crate) mod media;
pub(crate) mod messages;
mod names;
mod new_key;
mod new_media;
mod new_message;
pub(crate) mod operations;
pub(crate) mod overview;
mod page;
mod received;
mod reply_to;
pub(crate) mod services;
pub(crate) mod settings;
mod text_limit;
pub(crate) mod uploads;
pub(crate) mod users;
mod wait;
pub(crate) mod webhooks;

pub(crate) use accounts::bundles::Bundles;
pub(crate) use api::Page;
pub(crate) use channels::media as channel_media;
pub(crate) use conversations::Writers;
pub(crate) use events::Head as EventHead;
pub(crate) use failed_messages::Retries;
pub(crate) use page::{LongPageParameters, PageParameters, PageRequest, wrong_cursor};

use crate::routing::routes;
use utoipa_axum::router::OpenApiRouter;

use crate::state::State;

/// The name of this API in the scope of idempotency keys and in the origin of messages and operations.
const LISTENER: &str = "v1";
/// The accounts of Telegram, named as a channel.
const ACCOUNTS: &str = "telegram_account";

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
        .routes(routes!(messages::approve))
        .routes(routes!(messages::reject))
        .routes(routes!(uploads::put))
        .routes(routes!(uploads::get, uploads::remove))
        .merge(chats::routes())
        .routes(routes!(operations::log::list))
        .routes(routes!(operations::look::get))
        .routes(routes!(operations::act::cancel))
        .routes(routes!(operations::act::retry))
        .routes(routes!(operations::act::resolve))
        .routes(routes!(failovers::list))
        .routes(routes!(events::read))
        .routes(routes!(do_not_contact::list, do_not_contact::add))
        .routes(routes!(do_not_contact::import))
        .routes(routes!(do_not_contact::decide))
        .routes(routes!(do_not_contact::export))
        .routes(routes!(do_not_contact::remove))
        .routes(routes!(failed_messages::act::count))
        .routes(routes!(failed_messages::act::retry, failed_messages::act::cancel))
        .routes(routes!(failed_requests::list))
        .routes(routes!(failed_requests::get, failed_requests::drop))
        .routes(routes!(failed_requests::retry))
        .routes(routes!(services::list))
        .routes(routes!(services::get))
        .routes(routes!(services::act))
        .merge(accounts::routes())
        .merge(alerts::routes())
        .merge(webhooks::routes())
        .merge(flows::routes())
        .merge(campaigns::routes())
        .merge(channels::routes())
        .merge(conversations::routes())
        .routes(routes!(keys::list))
        .routes(routes!(keys::create))
        .routes(routes!(keys::change, keys::revoke))
        .merge(users::routes())
        .routes(routes!(audit::list::list))
        .routes(routes!(listeners::list))
        .merge(logs::routes())
        .routes(routes!(settings::reload))
        .routes(routes!(master_key::rotate))
        .routes(routes!(doctor::get))
        .routes(routes!(backups::create, backups::list))
        .routes(routes!(backups::drill))
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
