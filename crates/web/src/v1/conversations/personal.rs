//! What is stored of a client: handed out as a whole, and erased.

use api::{ClientExport, ClientIdentity, Note};
use axum::extract::State as Shared;
use axum::response::Response;
use http::header::CONTENT_DISPOSITION;
use http::{HeaderValue, StatusCode};
use store::Page as StorePage;

use super::{clients, find_client, look};
use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{Authorized, CanEraseClients, CanExportClients};
use crate::extract::PathParameter;
use crate::problem::Problem;
use crate::state::State;

/// Messages of one reading, and of the whole.
const PAGE: u32 = 500;
const MOST: usize = 50_000;

/// Hands out all that is stored of a client: who it is, its appeals, notes, and its last 50,000 messages.
#[utoipa::path(
    get, path = "/v1/clients/{client_id}/export", tag = "clients", operation_id = "export_client",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 200, description = "All of it", body = ClientExport),
        (status = 404, description = "There is no such client: `client_not_found`"))
)]
pub(crate) async fn export(
    Shared(state): Shared<State>,
    _: Authorized<CanExportClients>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let client = find_client(&state, &given).await?;
    let (id, pipeline) = (client.id, state.store().pipeline());
    let identities = pipeline.identities(id).await?.into_iter();
    let identities = identities
        .map(|known| ClientIdentity {
            kind: known.identity.kind,
            value: known.identity.value,
            proof: known.proof,
        })
        .collect();
    let mut messages = Vec::new();
    let mut page = StorePage { limit: PAGE, cursor: None };
    while messages.len() < MOST {
        let found = pipeline.conversation(id, &page).await?;
        for message in found.items {
            messages.push(look::with_state(&state, message).await?);
        }
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    messages.reverse();
    let card = clients::card(&state, client).await?;
    let mut notes = Vec::new();
    for appeal in &card.appeals {
        notes.extend(pipeline.notes(appeal.id).await?.into_iter().map(Note::from));
    }
    let mut response = json(StatusCode::OK, &ClientExport { card, identities, messages, notes });
    let name = HeaderValue::from_static("attachment; filename=\"client.json\"");
    response.headers_mut().insert(CONTENT_DISPOSITION, name);
    Ok(Audited::about(&id).of(response))
}

/// Erases a client: who it is, its chats, appeals, notes and the whole conversation. An entry of the do-not-contact list stays; what the
/// program keeps of single messages goes when `retention.messages` is over. This cannot be undone.
#[utoipa::path(
    delete, path = "/v1/clients/{client_id}", tag = "clients", operation_id = "erase_client",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 204, description = "It is gone"),
        (status = 404, description = "There is no such client: `client_not_found`"))
)]
pub(crate) async fn erase(
    Shared(state): Shared<State>,
    _: Authorized<CanEraseClients>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let client = find_client(&state, &given).await?;
    state.store().pipeline().erase(client.id).await?;
    Ok(StatusCode::NO_CONTENT)
}
