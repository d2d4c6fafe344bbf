//! `/v1/chats/{chat_id}/members`: who is in a chat, inviting people and removing them.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::message::OnFlood;
use domain::saga::{MemberResult, Saga, Task};
use domain::{AccountName, ChatRef, UserId};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use telegram::{MemberRole, MemberView};
use utoipa::{IntoParams, ToSchema};

use super::bodies::{NewMembers, WAIT};
use super::people::is_person;
use super::{leave, named};
use crate::answer::json;
use crate::auth::{Authorized, CanRead, CanSend};
use crate::extract::{PathParameter, QueryParameters, Unchecked};
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::v1::Page;
use crate::v1::operations::{self, Order};
use crate::v1::page::up_to;
use crate::v1::wait::wait_in_query;

const LARGEST_PAGE: u32 = 200;

/// Someone who is in a chat.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChatMember)]
pub(crate) struct Member {
    /// Telegram's id of them.
    #[schema(value_type = i64)]
    user_id: UserId,
    /// Their public name.
    #[schema(example = "client_1")]
    username: Option<String>,
    /// Their name.
    display_name: String,
    /// Whether it is a bot.
    is_bot: bool,
    /// `creator`, `admin` or `member`.
    #[schema(value_type = String, example = "member")]
    role: MemberRole,
    /// The account of ours that it is.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<AccountName>,
}

impl From<MemberView> for Member {
    fn from(view: MemberView) -> Self {
        Self {
            user_id: view.user_id,
            username: view.username,
            display_name: view.display_name,
            is_bot: view.is_bot,
            role: view.role,
            account: view.is_account,
        }
    }
}

/// Lists who is in a chat, as Telegram says now.
#[utoipa::path(
    get, path = "/v1/chats/{chat_id}/members", tag = "chats", operation_id = "list_members",
    params(("chat_id" = String, Path, description = "A chat id as the Bot API writes it, or `@name`"), ListParameters),
    responses(
        (status = 200, description = "A page of members", body = Page<Member>),
        (status = 403, description = "No account may see them"),
        (status = 404, description = "No account finds the chat"),
        (status = 429, description = "Every account must wait"),
        (status = 502, description = "Telegram did not answer as it should"),
    )
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    by: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let limit = up_to(&mut query, LARGEST_PAGE);
    let cursor = query.take::<String>("cursor");
    let pin = query.take::<AccountName>("account");
    query.finish()?;
    let pin = by.caller.pin(pin)?;
    let chat = named::group(&given)?;
    let page = state
        .pool()
        .members(&chat, named::pinned(&state, pin.as_ref())?, limit, cursor)
        .await
        .map_err(|error| named::unread(error, state.clock().now()))?;
    let view = |member: MemberView| {
        let account = member.is_account.clone().filter(|name| by.caller.shows_account(name));
        Member { account, ..member.into() }
    };
    let items: Vec<Member> = page.items.into_iter().map(view).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// Which members.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// How many, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 200)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only through this account.
    #[param(example = "main")]
    account: Option<String>,
}

/// Invites people into a chat; bots and `admins` become administrators.
///
/// The answer is 200 with a result for each person, 202 while it is not finished, and a problem when no one could be
/// invited at all. People who are in it already are no error.
#[utoipa::path(
    post, path = "/v1/chats/{chat_id}/members", tag = "chats", operation_id = "add_members",
    params(
        ("chat_id" = String, Path, description = "A chat id as the Bot API writes it, or `@name`"),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{0,127}[0-9A-Za-z][!-~]{0,127}$",
            description = "1 to 255 visible ASCII characters. The same key with the same body is the same work for 24 hours."),
    ),
    request_body = NewMembers,
    responses(
        (status = 200, description = "What became of each", body = api::MembersChanged),
        (status = 202, description = "Not finished within `wait`", body = api::Operation,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 403, description = "No account may invite into the chat"),
        (status = 404, description = "No account finds the chat, or the pinned account is not known"),
        (status = 409, description = "The Idempotency-Key belongs to another body, or it was cancelled"),
        (status = 422, description = "Wrong fields, or refused by the provider"),
        (status = 503, description = "No usable account, the service is stopped, or the store is away"),
    )
)]
pub(crate) async fn add(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
    headers: HeaderMap,
    body: Unchecked<NewMembers>,
) -> Result<Response, Problem> {
    let chat = named::group(&given)?;
    let path = format!("/v1/chats/{chat}/members");
    let key = operations::ask::key(&headers, &by.caller, &path, &body.raw)?;
    let order = body.checked(|people| people.order(chat))?;
    operations::ask(&state, &by.caller, order, key, |saga| {
        Ok(json(StatusCode::OK, &api::OperationResult::from(saga)))
    })
    .await
}

/// Removes someone from a chat. Who is not in it counts as removed.
#[utoipa::path(
    delete, path = "/v1/chats/{chat_id}/members/{ref}", tag = "chats", operation_id = "remove_member",
    params(
        ("chat_id" = String, Path, description = "A chat id as the Bot API writes it, or `@name`"),
        ("ref" = String, Path, description = "A user id, or `@name`"),
        leave::WaitParameters,
    ),
    responses(
        (status = 200, description = "Removed", body = api::MembersChanged),
        (status = 202, description = "Not finished within `wait`", body = api::Operation,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 403, description = "No account may remove people from the chat"),
        (status = 404, description = "No account finds the chat or the user"),
        (status = 422, description = "Wrong parameters, or refused by the provider"),
        (status = 503, description = "No usable account, the service is stopped, or the store is away"),
    )
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter((given, who)): PathParameter<(String, String)>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wait = query.take_with("wait", wait_in_query).unwrap_or(WAIT);
    let pin = query.take::<AccountName>("account");
    query.finish()?;
    let chat = named::group(&given)?;
    let who = ChatRef::named(&who).ok().filter(is_person).ok_or_else(|| person_not_found(&who))?;
    let task = Task::RemoveMembers { chat, members: vec![who] };
    let order = Order { task, pin, on_flood: OnFlood::Wait, wait };
    operations::ask(&state, &by.caller, order, None, removed).await
}

/// One person was to be removed, so that what became of them is what became of the whole.
fn removed(saga: &Saga) -> Result<Response, Problem> {
    let about = |problem: Problem| problem.about(&saga.id, saga.state.as_str());
    let Some(member) = saga.progress.members.first() else {
        return Ok(json(StatusCode::OK, &api::OperationResult::from(saga)));
    };
    match member.result {
        Some(MemberResult::NotFound) => Err(about(person_not_found(&member.who.to_string()))),
        Some(MemberResult::Failed) => {
            let why = member.detail.as_deref().unwrap_or("no reason was given");
            let detail = format!("{} could not be removed: {why}.", member.who);
            Err(about(Problem::new(Code::Rejected, detail).provider_code(why)))
        }
        _ => Ok(json(StatusCode::OK, &api::OperationResult::from(saga))),
    }
}

fn person_not_found(given: &str) -> Problem {
    let given = crate::problem::shorten(given);
    Problem::new(
        Code::ChatNotFound,
        format!("{given:?} is not a person that Telegram knows; name a user id or @name."),
    )
}
