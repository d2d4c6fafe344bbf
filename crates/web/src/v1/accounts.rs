//! `/v1/accounts`: how each Telegram account is, and starting, stopping and pausing it.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::account::{Flood, Operation, Reason};
use domain::{AccountName, AccountState, Purpose, Timestamp};
use http::StatusCode;
use serde::Serialize;
use telegram::{AccountView, ActError, Action, LineView};
use utoipa::ToSchema;

use super::{Page, PageParameters, Wanted, words};
use crate::answer::json;
use crate::auth::{By, CanAdminister, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Body as ProblemBody, Code, Problem, shorten};
use crate::state::State;

/// A Telegram account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    /// The owner's name for it.
    #[schema(value_type = String, example = "main")]
    name: AccountName,
    /// The worst over its lines and floods.
    #[schema(schema_with = words::account_state)]
    state: AccountState,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    state_since: Timestamp,
    /// A stable word for why, such as `no_session` or `auth_key_duplicated`.
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
    /// More, in words.
    detail: Option<String>,
    /// What the owner should do about it.
    advice: Option<&'static str>,
    /// The lower, the earlier it is chosen.
    priority: u16,
    /// Whether it is chosen at all when nobody pins it.
    pool: bool,
    /// Its phone number, most of it hidden.
    #[schema(example = "+7•••••••01")]
    phone: Option<String>,
    /// Telegram's id of it, once it was seen.
    user_id: Option<i64>,
    /// Its public name.
    username: Option<String>,
    /// Its name.
    display_name: Option<String>,
    /// Its sessions.
    lines: Vec<Line>,
    /// The waits Telegram asked for that still run.
    floods: Vec<FloodItem>,
    /// How many chats and users it knows.
    cached_peers: usize,
    /// Whether all its dialogs were read once.
    dialogs_complete: bool,
    /// Calls since the start.
    operations: u64,
    /// Calls that failed since the start.
    errors: u64,
    /// The last failure.
    last_error: Option<String>,
    /// When it last did something.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_active_at: Option<Timestamp>,
    /// What it heard.
    updates: Updates,
}

/// One session of an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Line {
    /// What it is called.
    #[schema(example = "send_text")]
    name: String,
    /// What it is for.
    #[schema(value_type = Vec<String>)]
    purposes: Vec<Purpose>,
    /// How it is.
    #[schema(schema_with = words::account_state)]
    state: AccountState,
    /// A stable word for why.
    #[schema(value_type = Option<String>)]
    reason: Option<Reason>,
    /// More, in words.
    detail: Option<String>,
    /// The data centre it is connected to.
    dc_id: Option<i32>,
    /// When a call of it was last answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_answer_at: Option<Timestamp>,
    /// How long that answer took, in milliseconds.
    round_trip_ms: Option<u32>,
    /// Whether it is the one that reads the account's updates.
    reads_updates: bool,
}

/// A wait that Telegram asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Flood)]
pub(crate) struct FloodItem {
    /// What must wait.
    #[schema(value_type = String, example = "send_message")]
    operation: Operation,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
}

/// The updates of an account since the start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Updates {
    /// How many came.
    received: u64,
    /// How many were too old or too many to be read after a pause.
    missed: u64,
    /// The latest stretches that were left out, oldest first; at most 20.
    gaps: Vec<Gap>,
}

/// A stretch of updates that was left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UpdatesGap)]
pub(crate) struct Gap {
    /// When it was noticed.
    #[schema(value_type = String, format = DateTime)]
    noticed_at: Timestamp,
    /// The last update that was taken before it, by Telegram's count (`pts`).
    after_pts: i32,
    /// The last update that was left out.
    up_to_pts: i32,
}

impl From<telegram::Gap> for Gap {
    fn from(gap: telegram::Gap) -> Self {
        Self { noticed_at: gap.noticed_at, after_pts: gap.after_pts, up_to_pts: gap.up_to_pts }
    }
}

impl From<AccountView> for Account {
    fn from(view: AccountView) -> Self {
        Self {
            name: view.name,
            state: view.state,
            state_since: view.state_since,
            reason: view.reason,
            detail: view.detail,
            advice: view.advice,
            priority: view.priority,
            pool: view.pool,
            phone: view.phone,
            user_id: view.user_id,
            username: view.username,
            display_name: view.display_name,
            lines: view.lines.into_iter().map(Into::into).collect(),
            floods: view.floods.into_iter().map(Into::into).collect(),
            cached_peers: view.cached_peers,
            dialogs_complete: view.dialogs_complete,
            operations: view.operations,
            errors: view.errors,
            last_error: view.last_error,
            last_active_at: view.last_active_at,
            updates: Updates {
                received: view.updates.received,
                missed: view.updates.missed,
                gaps: view.updates.gaps.into_iter().map(Into::into).collect(),
            },
        }
    }
}

impl From<LineView> for Line {
    fn from(view: LineView) -> Self {
        Self {
            name: view.name,
            purposes: view.purposes,
            state: view.state,
            reason: view.reason,
            detail: view.detail,
            dc_id: view.dc_id,
            last_answer_at: view.last_answer_at,
            round_trip_ms: view.round_trip_ms,
            reads_updates: view.reads_updates,
        }
    }
}

impl From<Flood> for FloodItem {
    fn from(flood: Flood) -> Self {
        Self { operation: flood.operation, until: flood.until }
    }
}

/// Lists the accounts, by priority.
#[utoipa::path(
    get, path = "/v1/accounts", tag = "accounts", operation_id = "list_accounts",
    params(PageParameters),
    responses(
        (status = 200, description = "The accounts", body = Page<Account>),
        (status = 422, description = "Wrong parameters", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("api_key" = []), ("bearer" = []))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wanted = Wanted::take(&mut query);
    query.finish()?;
    let accounts: Vec<Account> = state.pool().accounts().into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &wanted.cut(accounts, |account| account.name.to_string())?))
}

/// Shows an account.
#[utoipa::path(
    get, path = "/v1/accounts/{name}", tag = "accounts", operation_id = "get_account",
    params(("name" = String, Path, description = "The account's name in the settings")),
    responses(
        (status = 200, description = "The account", body = Account),
        (status = 404, description = "There is none", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("api_key" = []), ("bearer" = []))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let view = state.pool().account(&name).ok_or_else(|| Problem::account_not_found(&given))?;
    Ok(json(StatusCode::OK, &Account::from(view)))
}

/// Starts, stops, restarts, pauses or resumes an account.
#[utoipa::path(
    post, path = "/v1/accounts/{name}/actions/{action}", tag = "accounts", operation_id = "act_on_account",
    params(
        ("name" = String, Path, description = "The account's name in the settings"),
        ("action" = String, Path, pattern = "^(start|stop|restart|pause|resume)$",
            description = "`start`, `stop`, `restart`, `pause` or `resume`"),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = Account),
        (status = 404, description = "There is no such account or action", body = ProblemBody, content_type = "application/problem+json"),
    ),
    security(("api_key" = []), ("bearer" = []))
)]
pub(crate) async fn act(
    Shared(state): Shared<State>,
    _: By<CanAdminister>,
    PathParameter((given, action)): PathParameter<(String, String)>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let action: Action = action.parse().map_err(|_| {
        let action = shorten(&action);
        Problem::new(
            Code::NotFound,
            format!("There is no action {action:?}; known are start, stop, restart, pause and resume."),
        )
    })?;
    match state.pool().act(&name, action).await {
        Ok(view) => Ok(json(StatusCode::OK, &Account::from(view))),
        Err(ActError::NoSuchAccount(_)) => Err(Problem::account_not_found(&given)),
        Err(ActError::Store(error)) => Err(error.into()),
    }
}

fn read_name(given: &str) -> Result<AccountName, Problem> {
    given.parse().map_err(|_| Problem::account_not_found(given))
}
