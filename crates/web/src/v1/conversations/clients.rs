//! Clients: found, changed, merged and split.

use std::collections::BTreeSet;

use api::{Appeal, Client, ClientCard, ClientChat, ClientContact, Merge, Perhaps};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::missing::{self, MISSING};
use domain::phone::WrittenContacts;
use domain::{Author, ClientId, Contact, ContactKind, GroupAnswers, MergeId};
use http::StatusCode;
use serde::Deserialize;
use store::{ClientFields, Page as StorePage, StoreError, StoredClient};
use utoipa::{IntoParams, ToSchema};

use super::{conflict, find_client};
use crate::answer::json;
use crate::auth::{Authorized, CanChangeClients, CanReadInbox, CanSend, Needed};
use crate::extract::{Json, PathParameter, QueryParameters};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// The appeals of a client that are shown.
pub(super) const MOST_APPEALS: u32 = 100;
/// The last messages in which numbers and addresses are looked for.
const LATEST: u32 = 100;
/// The longest name or address, in characters.
const LONGEST: usize = 200;

/// Which clients are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// Those with this in their name, number or address.
    #[param(example = "anna")]
    text: Option<String>,
}

/// Lists clients, the newest first. A page may have fewer than were asked for and still lead on.
#[utoipa::path(
    get, path = "/v1/clients", tag = "clients", operation_id = "list_clients",
    params(ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of clients", body = Page<Client>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let text = query.take::<String>("text");
    let page = store_page(&mut query);
    query.finish()?;
    let found = state.store().pipeline().clients(text.as_deref(), &page).await.map_err(listed)?;
    let items: Vec<Client> = found.items.into_iter().map(Client::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// Shows a client with its chats, appeals, and the clients that may be the same person.
#[utoipa::path(
    get, path = "/v1/clients/{client_id}", tag = "clients", operation_id = "get_client",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 200, description = "The client", body = ClientCard),
        (status = 404, description = "There is no such client: `client_not_found`"))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let client = find_client(&state, &given).await?;
    Ok(json(StatusCode::OK, &card(&state, client).await?))
}

/// A client with all that belongs to it.
pub(super) async fn card(state: &State, client: StoredClient) -> Result<ClientCard, StoreError> {
    let pipeline = state.store().pipeline();
    let perhaps = pipeline.suggestions(client.id).await?.into_iter();
    let latest = pipeline.conversation(client.id, &StorePage { limit: LATEST, cursor: None }).await?.items;
    let (mut phones, mut emails) = (BTreeSet::new(), BTreeSet::new());
    for message in latest.iter().filter(|one| one.author == Author::Client && one.deleted_at.is_none()) {
        let written = WrittenContacts::read(message.text.as_str());
        phones.extend(written.phones);
        emails.extend(written.emails);
    }
    phones.retain(|phone| client.phone.as_ref() != Some(phone));
    emails.retain(|email| client.email.as_ref().map(|known| known.to_lowercase()).as_ref() != Some(email));
    Ok(ClientCard {
        contacts: ClientContact::among(pipeline.identities(client.id).await?),
        chats: pipeline.chats_of(client.id).await?.into_iter().map(ClientChat::from).collect(),
        appeals: pipeline.appeals_of(client.id, MOST_APPEALS).await?.into_iter().map(Appeal::from).collect(),
        perhaps: perhaps.map(|(client_id, why)| Perhaps { client_id, why }).collect(),
        merges: pipeline.merges_of(client.id).await?.into_iter().map(Merge::from).collect(),
        written_phones: phones.into_iter().collect(),
        written_emails: emails.into_iter().collect(),
        client: client.into(),
    })
}

/// What is known of a client; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"name": "Anna", "phone": "+70000000001"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientChange {
    name: Option<String>,
    /// In international form.
    phone: Option<String>,
    email: Option<String>,
    /// When programs answer in a group: `never`, `when_mentioned` or `always`.
    #[schema(value_type = Option<String>, example = "when_mentioned")]
    group_answers: Option<GroupAnswers>,
}

/// Changes what is known of a client, or when programs answer in a group.
///
/// A number or an address that is entered here decides nothing: only proved contacts join clients.
#[utoipa::path(
    patch, path = "/v1/clients/{client_id}", tag = "clients", operation_id = "change_client",
    params(("client_id" = String, Path, description = "The client")), request_body = ClientChange,
    responses((status = 200, description = "The client as it is now", body = Client),
        (status = 403, description = "`group_answers` demands the scope `send` too"),
        (status = 409, description = "A person has no group's answers, and a group no number: `client_conflict`"))
)]
pub(crate) async fn change(
    Shared(state): Shared<State>,
    by: Authorized<CanChangeClients>,
    PathParameter(given): PathParameter<String>,
    body: Json<ClientChange>,
) -> Result<Response, Problem> {
    let ClientChange { name, phone, email, group_answers } = body.value;
    if group_answers.is_some() && !by.caller.has(CanSend::DEMAND.scopes) {
        let detail = "`group_answers` decides whether answers leave; the API key needs the scope send too.";
        return Err(Problem::new(Code::ForbiddenScope, detail));
    }
    let mut errors = Vec::new();
    for (field, text) in [("name", &name), ("email", &email)] {
        if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST) {
            errors.push(FieldError::new(field, format!("has more than {LONGEST} characters")));
        }
        if text.as_deref().is_some_and(missing::is_whole_text) {
            errors.push(FieldError::new(field, MISSING));
        }
    }
    let phone = phone.map(|given| Contact::read(&given, Some(ContactKind::Phone)));
    if let Some(Err(_)) = &phone {
        errors.push(FieldError::new("phone", "is no number in international form, such as +70000000001"));
    }
    if !errors.is_empty() {
        return Err(Problem::fields(errors));
    }
    let client = find_client(&state, &given).await?;
    let phone = phone.and_then(Result::ok).map(|phone| phone.to_string());
    let fields = ClientFields { name, phone, email };
    let pipeline = state.store().pipeline();
    let changed = match group_answers {
        Some(answers) => pipeline.set_group_answers(client.id, answers).await.map_err(conflict)?,
        None => client,
    };
    let is_more = fields != ClientFields::default() || group_answers.is_none();
    let client =
        if is_more { pipeline.change_client(changed.id, fields).await.map_err(conflict)? } else { changed };
    Ok(json(StatusCode::OK, &Client::from(client)))
}

/// The client that is merged into the other one.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"other": "client_01k2v7m3w0e9tq4b8s6n5x1zys"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct OtherClient {
    #[schema(value_type = String)]
    other: ClientId,
}

/// Makes one client of two: chats, appeals and messages of the other one are this one's from now on.
#[utoipa::path(
    post, path = "/v1/clients/{client_id}/merge", tag = "clients", operation_id = "merge_clients",
    params(("client_id" = String, Path, description = "The client that stays")), request_body = OtherClient,
    responses((status = 200, description = "The merge, which can be undone", body = Merge),
        (status = 404, description = "There is no such client: `client_not_found`"),
        (status = 409, description = "It was merged before, or is the same: `client_conflict`"))
)]
pub(crate) async fn merge(
    Shared(state): Shared<State>,
    by: Authorized<CanChangeClients>,
    PathParameter(given): PathParameter<String>,
    body: Json<OtherClient>,
) -> Result<Response, Problem> {
    let client = find_client(&state, &given).await?;
    let other = body.value.other;
    if state.store().pipeline().client(other).await?.is_none() {
        let message = "names no client; GET /v1/clients lists them";
        return Err(Problem::fields(vec![FieldError::new("other", message)]));
    }
    let id = MergeId::from_uuid(state.ids().next());
    let merged = state.store().pipeline().merge(id, client.id, other, &by.caller.who()).await;
    Ok(json(StatusCode::OK, &Merge::from(merged.map_err(conflict)?)))
}

/// The merge that is undone.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"merge": "merge_01k2v7m3w0e9tq4b8s6n5x1zyr"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct Split {
    #[schema(value_type = String)]
    merge: MergeId,
}

/// Undoes a merge: each client has what it had before, and what was written in its chats since.
#[utoipa::path(
    post, path = "/v1/clients/{client_id}/split", tag = "clients", operation_id = "split_client",
    params(("client_id" = String, Path, description = "The client that others were merged into")), request_body = Split,
    responses((status = 200, description = "The merge", body = Merge),
        (status = 404, description = "There is no such merge: `client_not_found`"),
        (status = 409, description = "It was undone before: `client_conflict`"))
)]
pub(crate) async fn split(
    Shared(state): Shared<State>,
    _: Authorized<CanChangeClients>,
    PathParameter(given): PathParameter<String>,
    body: Json<Split>,
) -> Result<Response, Problem> {
    find_client(&state, &given).await?;
    let split = state.store().pipeline().split(body.value.merge).await;
    let merge = split.map_err(|error| match error {
        StoreError::NotFound { .. } => {
            let detail =
                format!("There is no merge {}; GET /v1/clients/{{id}} lists them.", body.value.merge);
            Problem::new(Code::ClientNotFound, detail)
        }
        other => conflict(other),
    })?;
    Ok(json(StatusCode::OK, &Merge::from(merge)))
}

/// Says that two clients are not the same person: they are not suggested for merging any more.
#[utoipa::path(
    post, path = "/v1/clients/{client_id}/dismiss", tag = "clients", operation_id = "dismiss_suggestion",
    params(("client_id" = String, Path, description = "The client")), request_body = OtherClient,
    responses((status = 204, description = "They are not suggested"))
)]
pub(crate) async fn dismiss(
    Shared(state): Shared<State>,
    _: Authorized<CanChangeClients>,
    PathParameter(given): PathParameter<String>,
    body: Json<OtherClient>,
) -> Result<StatusCode, Problem> {
    let client = find_client(&state, &given).await?;
    state.store().pipeline().dismiss(client.id, body.value.other).await?;
    tracing::debug!(client = %shorten(&given), "a suggestion was dismissed");
    Ok(StatusCode::NO_CONTENT)
}
