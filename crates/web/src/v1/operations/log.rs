//! The log of all work: messages and work on chats together, newest first.

use api::operation::{OPERATION, SEND_TEXT, wanted_kinds};
use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::saga::TaskKind;
use domain::{AccountName, ChatId};
use http::StatusCode;
use store::{Work, WorkFilter, WorkKind};
use utoipa::IntoParams;

use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::QueryParameters;
use crate::problem::{Problem, shorten};
use crate::state::State;
use crate::v1::names::{self, Names};
use crate::v1::page::{listed, store_page, visible};
use crate::v1::{LongPageParameters, Page};

/// Lists all work, newest first: messages and work on chats.
#[utoipa::path(
    get, path = "/v1/operations", tag = "operations", operation_id = "list_operations",
    params(ListParameters, LongPageParameters),
    responses((status = 200, description = "A page of operations", body = Page<api::Operation>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let filter = WorkFilter {
        kind: query.take_with("kind", read_kind),
        account: query.take::<AccountName>("account"),
        chats: query.take::<ChatId>("chat_id").map(|chat| vec![chat]),
        open: None,
        in_doubt: false,
    };
    let filter = match query.take_with("state", StateFilter::of_word) {
        Some(StateFilter::Open) => WorkFilter { open: Some(true), ..filter },
        Some(StateFilter::Finished) => WorkFilter { open: Some(false), ..filter },
        Some(StateFilter::InDoubt) => WorkFilter { in_doubt: true, ..filter },
        None => filter,
    };
    let chat = query.take_with("chat", names::wanted);
    let page = store_page(&mut query);
    query.finish()?;
    caller.check_account(filter.account.as_ref())?;
    let filter = match chat {
        Some(chat) => WorkFilter { chats: Some(names::chats_named(&state, &chat).await?), ..filter },
        None => filter,
    };
    let shows = |work: &Work| {
        let (account, chat) = match work {
            Work::Message(message) => {
                (message.account.as_ref().or(message.pin.as_ref()), Some(message.place()))
            }
            Work::Saga(saga) => (saga.account.as_ref().or(saga.pin.as_ref()), saga.place()),
        };
        caller.shows(&state, account, chat.as_ref())
    };
    let read = |page| {
        let (store, filter) = (state.store(), &filter);
        async move { store.work(filter, &page).await }
    };
    let found = visible(&caller, page, shows, read).await.map_err(listed)?;
    let chat_of = |work: &Work| match work {
        Work::Message(message) => message.chat_id(),
        Work::Saga(saga) => saga.chat_id,
    };
    let names = Names::of(&state, found.items.iter().map(chat_of)).await?;
    let items = found.items.into_iter().map(|work| {
        let chat = chat_of(&work);
        let view = match work {
            Work::Message(message) => api::Operation::of_message(&caller.own_message(*message)),
            Work::Saga(saga) => {
                let held_until = state.sagas().held_until(saga.id);
                api::Operation::of_saga(&caller.own_saga(*saga), held_until)
            }
        };
        view.named(names.view(chat))
    });
    let items = items.collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

#[derive(Debug, Clone, Copy)]
enum StateFilter {
    Open,
    Finished,
    InDoubt,
}

impl StateFilter {
    fn of_word(word: &str) -> Result<Self, String> {
        match word {
            "open" => Ok(Self::Open),
            "finished" => Ok(Self::Finished),
            "in_doubt" => Ok(Self::InDoubt),
            other => Err(format!("{:?} is none of open, finished and in_doubt", shorten(other))),
        }
    }
}

fn read_kind(word: &str) -> Result<WorkKind, String> {
    match word {
        SEND_TEXT => return Ok(WorkKind::SendText),
        OPERATION => return Ok(WorkKind::Sagas),
        _ => {}
    }
    TaskKind::from_word(word).map(WorkKind::Saga).ok_or_else(|| {
        let known: Vec<_> = wanted_kinds().collect();
        format!("{:?} is no kind; known are {}", shorten(word), known.join(", "))
    })
}

/// What the list can be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// Only this kind of work; `operation` is work on chats of every kind.
    #[param(schema_with = schemas::wanted_work_kind)]
    kind: Option<String>,
    /// Only that of this account.
    #[param(example = "main")]
    account: Option<String>,
    /// Only that on this chat.
    #[param(example = "-1001234567890")]
    chat_id: Option<String>,
    /// Only that on chats and people that are called so: a part of the title or name, a username, a number, a phone.
    #[param(example = "Order 1001", max_length = 200)]
    chat: Option<String>,
    /// `open`: only what is not over, that in doubt included. `finished`: only what is. `in_doubt`:
    /// only what is in doubt.
    #[param(schema_with = schemas::open_or_finished)]
    state: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_read() {
        assert_eq!(read_kind("send_text"), Ok(WorkKind::SendText));
        for kind in TaskKind::ALL {
            assert_eq!(read_kind(kind.as_str()), Ok(WorkKind::Saga(kind)));
        }
        assert_eq!(
            read_kind("dance"),
            Err("\"dance\" is no kind; known are send_text, create_chat, leave_chat, add_members, \
                 remove_members, edit_chat, operation"
                .to_owned())
        );
    }
}
