//! Conversations, to be looked at.

use api::{Conversation, ConversationMessage, Turn};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AppealState, ChannelName, InboundId, MessageId};
use http::StatusCode;
use store::{AppealFilter, AppealOrder, ClientMessage, Page as StorePage, StoreError, StoredAppeal};
use utoipa::IntoParams;

use super::{find_client, last_appeal};
use crate::answer::json;
use crate::auth::{Authorized, CanReadInbox};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Problem, shorten};
use crate::state::State;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page, names};

/// The turns of a conversation that are shown.
const MOST_TURNS: u32 = 100;

/// Clients without an appeal that a search shows.
const MOST_WITHOUT: usize = 50;

/// Which conversations are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// `true`: those whose appeal is not closed.
    open: Option<bool>,
    /// Those whose appeal is `new`, `open`, `waiting_client`, `waiting_us` or `closed`.
    #[param(example = "waiting_us")]
    state: Option<String>,
    /// Those whose client writes in this channel, wherever the appeal began.
    #[param(example = "avito")]
    channel: Option<String>,
    /// Those of this assignee; `none`: of no one.
    #[param(example = "olga")]
    assignee: Option<String>,
    /// `true`: those that are set aside; `false`: those that are not.
    snoozed: Option<bool>,
    /// `true`: those with messages that no person has seen.
    unread: Option<bool>,
    /// Those of clients that all these words lead to, by three letters of their beginnings or more: in messages, notes, tags, names,
    /// numbers and addresses.
    #[param(example = "anna friday")]
    search: Option<String>,
    /// `changed`: the one that changed last first. `waiting`: those whose client waits, the longest first.
    #[param(example = "waiting")]
    sort: Option<String>,
}

/// Reads what appeals are narrowed to.
pub(super) fn filter(query: &mut QueryParameters) -> AppealFilter {
    let state = query.take_with("state", |word| {
        AppealState::from_word(word).ok_or_else(|| {
            let known: Vec<_> = AppealState::ALL.iter().map(|state| state.as_str()).collect();
            format!("{:?} is no state; known are {}", shorten(word), known.join(", "))
        })
    });
    let assignee = query.take::<String>("assignee");
    let order = query.take_with("sort", |word| match word {
        "changed" => Ok(AppealOrder::Changed),
        "waiting" => Ok(AppealOrder::Waiting),
        other => Err(format!("{:?} is no order; known are changed, waiting", shorten(other))),
    });
    AppealFilter {
        open: query.take::<bool>("open").unwrap_or_default(),
        state,
        channel: query.take::<ChannelName>("channel"),
        assignee: assignee.map(|name| Some(name).filter(|name| name != "none")),
        client: None,
        snoozed: query.take::<bool>("snoozed"),
        unread: query.take::<bool>("unread").unwrap_or_default(),
        search: query.take_with("search", names::wanted).filter(|text| !text.is_empty()),
        order: order.unwrap_or_default(),
    }
}

/// Lists conversations, the one whose appeal changed last first. A page may have fewer than were asked for and still lead on.
///
/// A `search` without another condition finds clients that have written nothing yet, too; they come last.
#[utoipa::path(
    get, path = "/v1/conversations", tag = "conversations", operation_id = "list_conversations",
    params(ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of conversations", body = Page<Conversation>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let filter = filter(&mut query);
    let page = store_page(&mut query);
    query.finish()?;
    let pipeline = state.store().pipeline();
    let found = pipeline.appeals(&filter, &page).await.map_err(listed)?;
    let mut items = Vec::with_capacity(found.items.len());
    for appeal in found.items {
        let Some(client) = pipeline.client(appeal.client).await? else { continue };
        // A conversation is listed once, with its last appeal.
        let last = last_appeal(&state, &client).await?;
        if last.is_none_or(|last| last.id == appeal.id) {
            items.push(shown(&state, client, Some(appeal)).await?);
        }
    }
    if let (Some(search), None) = (is_whole(&filter), &found.next_cursor) {
        for client in pipeline.without_appeal(search, MOST_WITHOUT).await? {
            if let Some(client) = pipeline.client(client).await? {
                items.push(shown(&state, client, None).await?);
            }
        }
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// What is searched for, where nothing else narrows it.
fn is_whole(filter: &AppealFilter) -> Option<&str> {
    let without = AppealFilter { search: None, ..filter.clone() };
    filter.search.as_deref().filter(|_| without == AppealFilter::default())
}

/// Shows a conversation.
#[utoipa::path(
    get, path = "/v1/conversations/{client_id}", tag = "conversations", operation_id = "get_conversation",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 200, description = "The conversation", body = Conversation),
        (status = 404, description = "There is no such client: `client_not_found`"))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let client = find_client(&state, &given).await?;
    let appeal = last_appeal(&state, &client).await?;
    Ok(json(StatusCode::OK, &shown(&state, client, appeal).await?))
}

async fn shown(
    state: &State,
    client: store::StoredClient,
    appeal: Option<StoredAppeal>,
) -> Result<Conversation, StoreError> {
    let page = StorePage { limit: 1, cursor: None };
    let last = state.store().pipeline().conversation(client.id, &page).await?.items.into_iter().next();
    let last_message = match last {
        Some(message) => Some(with_state(state, message).await?),
        None => None,
    };
    Ok(Conversation { client: client.into(), appeal: appeal.map(Into::into), last_message })
}

pub(super) async fn with_state(
    state: &State,
    message: ClientMessage,
) -> Result<ConversationMessage, StoreError> {
    let sent = match message.message.parse::<MessageId>() {
        Ok(id) => state.delivery().get(id).await?,
        Err(_) => None,
    };
    Ok(ConversationMessage::of(message, sent.as_ref()))
}

/// A message with all of its text, of which a mail may have more than is shown.
async fn whole(state: &State, message: ClientMessage) -> Result<ConversationMessage, StoreError> {
    let received = match message.message.parse::<InboundId>() {
        Ok(id) => state.store().channels().get(id).await?,
        Err(_) => None,
    };
    let whole_text = received.and_then(|stored| stored.message.whole_text);
    let view = with_state(state, message).await?;
    Ok(ConversationMessage { whole_text: whole_text.map(|text| text.as_str().to_owned()), ..view })
}

/// Lists the messages of a conversation over all channels, the last one first.
#[utoipa::path(
    get, path = "/v1/conversations/{client_id}/messages", tag = "conversations", operation_id = "list_conversation_messages",
    params(("client_id" = String, Path, description = "The client"), LongPageParameters),
    responses((status = 200, description = "A page of messages", body = Page<ConversationMessage>))
)]
pub(crate) async fn messages(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let page = store_page(&mut query);
    query.finish()?;
    let client = find_client(&state, &given).await?;
    let found = state.store().pipeline().conversation(client.id, &page).await.map_err(listed)?;
    let mut items = Vec::with_capacity(found.items.len());
    for message in found.items {
        items.push(whole(&state, message).await?);
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// Lists the last turns of the last appeal, the newest first: what was answered or proposed, by whom and why.
#[utoipa::path(
    get, path = "/v1/conversations/{client_id}/turns", tag = "conversations", operation_id = "list_turns",
    params(("client_id" = String, Path, description = "The client")),
    responses((status = 200, description = "The turns", body = Page<Turn>))
)]
pub(crate) async fn turns(
    Shared(state): Shared<State>,
    _: Authorized<CanReadInbox>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let client = find_client(&state, &given).await?;
    let found = match last_appeal(&state, &client).await? {
        Some(appeal) => state.store().pipeline().turns_of(appeal.id, MOST_TURNS).await?,
        None => Vec::new(),
    };
    let items: Vec<Turn> = found.into_iter().map(Turn::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: None }))
}
