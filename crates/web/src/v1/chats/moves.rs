//! `POST /v1/chats/move`: gives all private dialogs of one account to another one.

use axum::extract::State as Shared;
use axum::response::Response;
use delivery::Steps;
use domain::saga::{Failover, RegistryChange};
use domain::{AccountName, ChatId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use telegram::BindError;
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{Authorized, CanOperate};
use crate::extract::Json;
use crate::problem::{FieldError, Problem};
use crate::state::State;

/// Dialogs that are moved in one write.
const AT_ONCE: usize = 500;

/// Dialogs that stay and are named in an answer.
const NAMED: usize = 100;

/// From whom to whom private dialogs are to go.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"from": "main", "to": "backup_1"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct DialogsMove {
    /// The account whose private dialogs are moved; it may be one that is no longer there.
    #[schema(value_type = String, example = "main")]
    from: AccountName,
    /// The account that takes them.
    #[schema(value_type = String, example = "backup_1")]
    to: AccountName,
}

/// What came of moving the private dialogs of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DialogsMoved {
    /// How many go through the other account now.
    moved: usize,
    /// How many stay with their account.
    stayed: usize,
    /// Those that stay, each with the reason; the first hundred.
    staying: Vec<Staying>,
}

/// A private dialog that stays with its account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Staying {
    /// The dialog.
    #[schema(value_type = String, example = "123456789")]
    chat_id: ChatId,
    /// Why the other account cannot take it.
    #[schema(example = "backup_1 has no dialog with this person and cannot find them by a public name")]
    why: String,
}

/// Gives all private dialogs of an account to another one.
///
/// Only those go over that the other account has, or whose person it can find and may write to first. What is being
/// sent now stays where it is. Each move is listed among the failovers.
#[utoipa::path(
    post, path = "/v1/chats/move", tag = "chats", operation_id = "move_private_dialogs",
    request_body = DialogsMove,
    responses(
        (status = 200, description = "Moved, as far as the other account can take them", body = DialogsMoved),
        (status = 404, description = "There is no such account"),
        (status = 503, description = "The store is away"),
    )
)]
pub(crate) async fn move_all(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    body: Json<DialogsMove>,
) -> Result<Response, Problem> {
    let DialogsMove { from, to } = body.value;
    if from == to {
        return Err(Problem::fields(vec![FieldError::new("to", "is wrong: it is the same account as from")]));
    }
    let dialogs = state.pool().private_dialogs_of(&from);
    let is_known = |account: &AccountName| state.pool().account(account).is_some();
    if let Some(unknown) = [Some(&from).filter(|_| dialogs.is_empty()), Some(&to)]
        .into_iter()
        .flatten()
        .find(|account| !is_known(account))
    {
        return Err(Problem::account_not_found(unknown.as_str()));
    }
    let (mut going, mut staying) = (Vec::new(), Vec::new());
    for chat_id in dialogs {
        match state.pool().bind(chat_id, &to) {
            Ok(()) => going.push(chat_id),
            Err(BindError::NoSuchAccount(account)) => {
                return Err(Problem::account_not_found(account.as_str()));
            }
            Err(error) => staying.push(Staying { chat_id, why: error.to_string() }),
        }
    }
    let moved = going.len();
    carry_out(&state, &from, &to, going, &reason(&state, &from)).await?;
    let stayed = staying.len();
    staying.truncate(NAMED);
    Ok(json(StatusCode::OK, &DialogsMoved { moved, stayed, staying }))
}

/// Why a person moves a dialog: by hand, and how the account is that it is taken from.
pub(super) fn reason(state: &State, from: &AccountName) -> String {
    match state.pool().account(from) {
        Some(account) => format!("moved by hand; {from} was {}", account.state),
        None => format!("moved by hand; there is no account {from} any more"),
    }
}

/// Moves private dialogs: in the store first, each with its failover, then in memory.
pub(super) async fn carry_out(
    state: &State,
    from: &AccountName,
    to: &AccountName,
    dialogs: Vec<ChatId>,
    reason: &str,
) -> Result<(), Problem> {
    let at = state.clock().now();
    for some in dialogs.chunks(AT_ONCE) {
        let failover = |chat_id: &ChatId| Failover {
            at,
            chat_id: Some(*chat_id),
            from: from.clone(),
            to: to.clone(),
            reason: reason.to_owned(),
        };
        state.store().chats().move_by_hand(some.iter().map(failover).collect()).await?;
        for chat_id in some {
            state.pool().registered(&RegistryChange::Bound { chat_id: *chat_id, account: to.clone() });
        }
        tracing::info!(%from, %to, count = some.len(), reason, "private dialogs were moved");
    }
    Ok(())
}
