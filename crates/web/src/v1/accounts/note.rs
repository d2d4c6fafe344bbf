//! `/v1/accounts/{name}/note`: what people note about an account.

use std::sync::Arc;

use ambient::Clock;
use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use domain::{AccountName, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::Store;
use telegram::Pool;
use utoipa::ToSchema;

use super::read_name;
use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead};
use crate::extract::{PathParameter, Unchecked};
use crate::problem::{Code, FieldError, Problem};

/// The longest note, in characters.
const LONGEST: usize = 2000;

/// A note about an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AccountNote {
    #[schema(example = "The SIM card is in the office.")]
    #[schema(extensions(("x-words" = json!(true))))]
    text: String,
    /// When it was written.
    updated_at: Timestamp,
    /// Who wrote it: the name of a user, the id of an API key, or `this machine`.
    #[schema(example = "anna")]
    updated_by: String,
}

/// A note to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccountNote {
    /// Plain text; spaces round it are dropped. Empty: the note is removed.
    #[schema(max_length = 2000, pattern = "^[^\\u0000]*$", example = "The SIM card is in the office.")]
    text: String,
}

/// Shows the note about an account.
#[utoipa::path(
    get, path = "/v1/accounts/{name}/note", tag = "accounts", operation_id = "get_account_note",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 200, description = "The note", body = AccountNote),
        (status = 404, description = "There is no such account, or no note about it"),
    )
)]
pub(crate) async fn get(
    Shared(pool): Shared<Arc<Pool>>,
    Shared(store): Shared<Store>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = find_account(&pool, &given)?;
    let Some((text, updated_at, updated_by)) = store.accounts().note(&name).await? else {
        return Err(Problem::new(Code::NotFound, format!("There is no note about {name}.")));
    };
    Ok(json(StatusCode::OK, &AccountNote { text, updated_at, updated_by }))
}

/// Writes the note about an account, in the place of the one there is.
#[utoipa::path(
    put, path = "/v1/accounts/{name}/note", tag = "accounts", operation_id = "write_account_note",
    params(("name" = String, Path, description = "The account's name")),
    request_body = NewAccountNote,
    responses(
        (status = 200, description = "Written", body = AccountNote),
        (status = 204, description = "The text is empty: there is no note any more"),
        (status = 404, description = "There is no such account"),
    )
)]
pub(crate) async fn write(
    Shared(pool): Shared<Arc<Pool>>,
    Shared(store): Shared<Store>,
    Shared(clock): Shared<Clock>,
    by: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
    body: Unchecked<NewAccountNote>,
) -> Result<Response, Problem> {
    let name = find_account(&pool, &given)?;
    let text = body.checked(|new: NewAccountNote| read(&new.text))?;
    if text.is_empty() {
        store.accounts().forget_note(&name).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let note = AccountNote { text, updated_at: clock.now(), updated_by: by.caller.who() };
    store.accounts().save_note(&name, &note.text, note.updated_at, &note.updated_by).await?;
    Ok(json(StatusCode::OK, &note))
}

/// Removes the note about an account.
#[utoipa::path(
    delete, path = "/v1/accounts/{name}/note", tag = "accounts", operation_id = "remove_account_note",
    params(("name" = String, Path, description = "The account's name")),
    responses(
        (status = 204, description = "Removed, or there was none"),
        (status = 404, description = "There is no such account"),
    )
)]
pub(crate) async fn remove(
    Shared(pool): Shared<Arc<Pool>>,
    Shared(store): Shared<Store>,
    _: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    store.accounts().forget_note(&find_account(&pool, &given)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The name of an account that there is.
fn find_account(pool: &Pool, given: &str) -> Result<AccountName, Problem> {
    let name = read_name(given)?;
    pool.account(&name).map(|_| name).ok_or_else(|| Problem::account_not_found(given))
}

fn read(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    let message = if text.contains('\0') {
        "has the character U+0000, which cannot be stored; leave it out".to_owned()
    } else if length > LONGEST {
        format!("has {length} characters; {LONGEST} at most")
    } else {
        return Ok(text.to_owned());
    };
    Err(Problem::fields(vec![FieldError::new("text", message)]))
}
