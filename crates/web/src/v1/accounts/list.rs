//! `GET /v1/accounts`: how each Telegram account is.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::response::Response;
use domain::AccountState;
use health::{CardId, Causes};
use http::StatusCode;
use telegram::AccountView;
use utoipa::IntoParams;

use super::read_name;
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::Problem;
use crate::state::State;
use crate::v1::{PageParameters, PageRequest};

/// Which accounts, and in which order.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ListParameters {
    /// Only those in one of these states, with commas; `trouble` are those that need a person, by their state, their sessions
    /// or their last calls.
    #[param(example = "needs_login,banned")]
    state: Option<String>,
    /// Only those whose name, public name, shown name or masked phone number has this in it, small and capital letters alike.
    #[param(example = "backup")]
    q: Option<String>,
    /// `priority`, as they are chosen; or `need`, the worst first.
    #[param(default = "priority", pattern = "^(priority|need)$")]
    order: Option<String>,
}

/// How long the store may take to list the sessions of no account; how the accounts are is known without it.
const OWNERLESS_WITHIN: Duration = Duration::from_secs(1);

/// Lists the accounts, by priority unless the order is another, and the sessions that belong to none.
#[utoipa::path(
    get, path = "/v1/accounts", tag = "accounts", operation_id = "list_accounts",
    params(ListParameters, PageParameters),
    responses((status = 200, description = "The accounts", body = api::AccountsPage))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wanted = PageRequest::take(&mut query);
    let filter = AccountFilter::take(&mut query);
    query.finish()?;
    let mut accounts = state.pool().accounts();
    accounts.retain(|account| caller.shows_account(&account.name));
    let mut states = BTreeMap::new();
    for account in &accounts {
        *states.entry(account.state.as_str().to_owned()).or_default() += 1;
    }
    let least = health::CardFilter { limit: Some(1), ..health::CardFilter::default() };
    let causes = state.health().overview(&least).causes;
    let page = wanted.cut(filter.of(accounts, &causes), |account| account.name.to_string())?;
    let items = page.items.into_iter().map(|account| caller.own_account(&state, account)).collect();
    let ownerless_sessions = if caller.limited().is_some() {
        // They are of no account that it may use.
        Some(Vec::new())
    } else {
        let ownerless = tokio::time::timeout(OWNERLESS_WITHIN, state.pool().ownerless()).await;
        ownerless.ok().and_then(Result::ok)
    };
    Ok(json(
        StatusCode::OK,
        &api::AccountsPage {
            items,
            next_cursor: page.next_cursor,
            states,
            ownerless_sessions: ownerless_sessions.map(|all| all.into_iter().map(Into::into).collect()),
        },
    ))
}

/// What an account can be asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    State(AccountState),
    /// It needs a person, as the overview counts.
    Trouble,
}

/// Which accounts a caller asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct AccountFilter {
    /// In one of these; empty means any.
    states: Vec<Condition>,
    text: Option<String>,
    worst_first: bool,
}

impl AccountFilter {
    fn take(query: &mut QueryParameters) -> Self {
        let states =
            query.take_with("state", |text| text.split(',').map(condition_of).collect()).unwrap_or_default();
        let text = query.take::<String>("q").map(|text| text.trim().to_lowercase());
        let worst_first = query.take_with("order", |text| match text {
            "need" => Ok(true),
            "priority" => Ok(false),
            _ => Err("write priority or need".to_owned()),
        });
        Self { states, text, worst_first: worst_first.unwrap_or(false) }
    }

    /// Those of all that are asked for, in order. They come by priority.
    fn of(&self, mut accounts: Vec<AccountView>, causes: &Causes) -> Vec<AccountView> {
        accounts.retain(|account| self.wants(account, causes));
        if self.worst_first {
            accounts.sort_by_key(|account| Reverse(account.state));
        }
        accounts
    }

    fn wants(&self, account: &AccountView, causes: &Causes) -> bool {
        let AccountView { name, username, display_name, phone, state, .. } = account;
        let has =
            |field: Option<&str>, text: &str| field.is_some_and(|field| field.to_lowercase().contains(text));
        let is = |condition: &Condition| match condition {
            Condition::State(wanted) => wanted == state,
            Condition::Trouble => causes.has(&CardId::account(name)),
        };
        (self.states.is_empty() || self.states.iter().any(is))
            && self.text.as_deref().is_none_or(|text| {
                let fields =
                    [Some(name.as_str()), username.as_deref(), display_name.as_deref(), phone.as_deref()];
                fields.into_iter().any(|field| has(field, text))
            })
    }
}

fn condition_of(word: &str) -> Result<Condition, String> {
    if word.trim() == "trouble" {
        return Ok(Condition::Trouble);
    }
    let known = AccountState::ALL.into_iter().find(|state| state.as_str() == word.trim());
    known.map(Condition::State).ok_or_else(|| {
        let words = AccountState::ALL.map(AccountState::as_str).join(", ");
        format!("{word:?} is none of {words}, trouble")
    })
}

/// Shows an account.
#[utoipa::path(
    get, path = "/v1/accounts/{name}", tag = "accounts", operation_id = "get_account",
    params(("name" = String, Path, description = "The account's name in the settings")),
    responses((status = 200, description = "The account", body = api::Account))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let view = state.pool().account(&name).ok_or_else(|| Problem::account_not_found(&given))?;
    Ok(json(StatusCode::OK, &caller.own_account(&state, view)))
}
