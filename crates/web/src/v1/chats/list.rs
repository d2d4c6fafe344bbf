//! `GET /v1/chats` and one of them: what the store keeps and what memory knows.

use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AccountName, ChatRef};
use http::StatusCode;
use store::{ChatFilter, ChatState, PeerKind};
use utoipa::IntoParams;

use super::named;
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Problem, shorten};
use crate::state::State;
use crate::v1::names::{self, Names};
use crate::v1::page::{listed, store_page, visible};
use crate::v1::{LongPageParameters, Page};

/// Lists the chats that were made or left here, or that some account is in, by chat id.
#[utoipa::path(
    get, path = "/v1/chats", tag = "chats", operation_id = "list_chats",
    params(ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of chats", body = Page<api::Chat>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let filter = ChatFilter {
        account: query.take::<AccountName>("account"),
        state: query.take_with("state", |word| {
            ChatState::from_word(word)
                .ok_or_else(|| format!("{:?} is none of active and left", shorten(word)))
        }),
        kind: query.take_with("kind", read_kind),
        q: query.take_with("q", names::wanted),
    };
    let page = store_page(&mut query);
    query.finish()?;
    caller.check_account(filter.account.as_ref())?;
    let shows = |record: &store::ChatRecord| {
        let accounts = record.account.iter().chain(&record.accounts);
        caller.shows(&state, accounts, Some(&ChatRef::Id(record.chat_id)))
    };
    let read = |page| {
        let (store, filter) = (state.store(), &filter);
        async move { store.chats().list(filter, &page).await }
    };
    let found = visible(&caller, page, shows, read).await.map_err(listed)?;
    let names = Names::of(&state, found.items.iter().map(|record| Some(record.chat_id))).await?;
    let view = |record: store::ChatRecord| {
        let seen = names.view(Some(record.chat_id));
        let record = store::ChatRecord { title: record.title.or(seen.chat_title), ..record };
        let known = state.pool().chat_info(&ChatRef::Id(record.chat_id));
        Some(caller.own_chat(api::Chat::new(Some(record), known)?))
    };
    let items: Vec<_> = found.items.into_iter().filter_map(view).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

fn read_kind(word: &str) -> Result<PeerKind, String> {
    PeerKind::from_word(word)
        .filter(|kind| matches!(kind, PeerKind::Group | PeerKind::Supergroup | PeerKind::Channel))
        .ok_or_else(|| format!("{:?} is none of group, supergroup and channel", shorten(word)))
}

/// What the list can be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// Only those bound to this account, or known to have it in them.
    #[param(example = "main")]
    account: Option<String>,
    /// Only those in this state.
    #[param(schema_with = schemas::chat_state)]
    state: Option<String>,
    /// Only those of this kind.
    #[param(schema_with = schemas::chat_kind)]
    kind: Option<String>,
    /// Only those with this in their title or name, username, number or phone; people are among them then.
    #[param(example = "Order 1001", max_length = 200)]
    q: Option<String>,
}

/// Shows a chat.
#[utoipa::path(
    get, path = "/v1/chats/{chat_id}", tag = "chats", operation_id = "get_chat",
    params(("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, a phone number or `me`")),
    responses(
        (status = 200, description = "The chat", body = api::Chat),
        (status = 404, description = "No account knows it"),
    )
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let chat = named::resolve(&state, &caller, &given).await?;
    let view = find(&state, &chat).await?;
    if !caller.shows(&state, view.account.iter().chain(&view.accounts), Some(&ChatRef::Id(view.chat_id))) {
        return Err(named::unknown(&chat));
    }
    Ok(json(StatusCode::OK, &caller.own_chat(view)))
}

pub(super) async fn find(state: &State, chat: &ChatRef) -> Result<api::Chat, Problem> {
    let known = state.pool().chat_info(chat);
    let id = match (chat, &known) {
        (_, Some(known)) => Some(known.chat_id),
        (ChatRef::Id(id), None) => Some(*id),
        (ChatRef::Username(_) | ChatRef::Channel(_), None) => None,
    };
    let record = match id {
        Some(id) => state.store().chats().get(id).await?,
        None => None,
    };
    api::Chat::new(record, known).ok_or_else(|| named::unknown(chat))
}
