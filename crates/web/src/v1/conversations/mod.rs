//! `/v1/conversations`, `/v1/clients`, `/v1/appeals`, `/v1/reply-templates` and `/v1/pipeline`: what clients write, who they are, and who
//! answers.

mod act;
mod appeals;
mod begin;
mod clients;
mod figures;
mod imports;
mod inbound;
mod look;
mod personal;
mod pipeline;
mod retry;
mod templates;
mod writers;

pub(crate) use writers::Writers;

use crate::routing::routes;
use domain::{AppealId, ClientId};
use store::{StoreError, StoredAppeal, StoredClient};
use utoipa_axum::router::OpenApiRouter;

use crate::problem::{Code, Problem, shorten};
use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(look::list, begin::begin))
        .routes(routes!(look::get))
        .routes(routes!(look::messages))
        .routes(routes!(look::turns))
        .routes(routes!(act::reply))
        .routes(routes!(act::assign))
        .routes(routes!(act::hand_over))
        .routes(routes!(act::close))
        .routes(routes!(act::reopen))
        .routes(routes!(act::notes, act::add_note))
        .routes(routes!(act::snooze))
        .routes(routes!(act::read))
        .routes(routes!(act::writing))
        .routes(routes!(act::resend))
        .routes(routes!(act::file))
        .routes(routes!(templates::list))
        .routes(routes!(templates::filled))
        .routes(routes!(templates::save, templates::remove))
        .routes(routes!(begin::channels))
        .routes(routes!(figures::get))
        .routes(routes!(personal::export))
        .routes(routes!(clients::list))
        .routes(routes!(clients::get, clients::change, personal::erase))
        .routes(routes!(clients::merge))
        .routes(routes!(clients::split))
        .routes(routes!(clients::dismiss))
        .routes(routes!(appeals::list))
        .routes(routes!(appeals::get, appeals::change))
        .routes(routes!(pipeline::get))
        .routes(routes!(pipeline::answer))
        .routes(routes!(retry::list))
        .routes(routes!(retry::retry))
        .routes(routes!(retry::dead_letters))
        .routes(routes!(retry::retry_dead_letters))
        .routes(routes!(retry::replay))
        .routes(routes!(inbound::hand_in))
        .routes(routes!(imports::begin, imports::list))
        .routes(routes!(imports::rows))
        .routes(routes!(imports::undo))
}

/// The client of an id, here or in the program it was taken over from; of one that was merged into another, that one.
async fn find_client(state: &State, given: &str) -> Result<StoredClient, Problem> {
    let pipeline = state.store().pipeline();
    let found = match given.parse::<ClientId>() {
        Ok(id) => Some(id),
        Err(_) => pipeline.client_by_old_id(given).await?.map(|client| client.id),
    };
    let found = match found {
        Some(id) => pipeline.living_client(id).await?,
        None => None,
    };
    found.ok_or_else(|| {
        let detail = format!("No client has the id {:?}; GET /v1/clients lists them.", shorten(given));
        Problem::new(Code::ClientNotFound, detail)
    })
}

/// The appeal of an id, here or in the program it was taken over from.
async fn find_appeal(state: &State, given: &str) -> Result<StoredAppeal, Problem> {
    let pipeline = state.store().pipeline();
    let found = match given.parse::<AppealId>() {
        Ok(id) => pipeline.appeal(id).await?,
        Err(_) => pipeline.appeal_by_old_id(given).await?,
    };
    found.ok_or_else(|| {
        let detail = format!("No appeal has the id {:?}; GET /v1/appeals lists them.", shorten(given));
        Problem::new(Code::AppealNotFound, detail)
    })
}

/// The appeal of a client that goes on, else the last one.
async fn last_appeal(state: &State, client: &StoredClient) -> Result<Option<StoredAppeal>, StoreError> {
    Ok(state.store().pipeline().appeals_of(client.id, 1).await?.into_iter().next())
}

/// What a person asks for that does not go together with how things are.
fn conflict(error: StoreError) -> Problem {
    match error {
        StoreError::Conflict { what, .. } => Problem::new(Code::ClientConflict, format!("{what}.")),
        other => other.into(),
    }
}
