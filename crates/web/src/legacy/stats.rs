//! `/health`, `/stats` and `/reload_cache`: what the old gateway's callers look at, for the service of their port.

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use domain::account::Operation;
use domain::{AccountState, Service, Timestamp, UserId};
use health::CardId;
use http::StatusCode;
use serde::Serialize;
use telegram::AccountView;
use telegram::router::Usable;

use super::Gate;
use super::access::{Aim, Guest, admit};
use super::wait::Port as _;
use crate::answer::json;
use crate::health::takes_writes;

#[derive(Serialize)]
struct Status {
    status: &'static str,
    /// `disk_full` or `store_unavailable` while nothing can be taken in; else what the overview shows, such as `flood_wait`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Whether the service works as the overview shows it, an account is there that this port may use, and the store takes new work.
pub(super) async fn health(Shared(gate): Shared<Gate>, request: Request) -> Response {
    let guest = match enter(&gate, request, Aim::Look).await {
        Ok(guest) => guest,
        Err(refusal) => return refusal,
    };
    let ready = gate.stopped().is_none()
        && accounts(&gate, &guest)
            .iter()
            .any(|account| account.usable == Usable::Now && (account.pool || gate.port.account.is_some()));
    let reason = match takes_writes(&gate.state).await {
        Err(why) => Some(why.to_owned()),
        Ok(()) => trouble(&gate),
    };
    let status = if ready && reason.is_none() { "ok" } else { "not_ready" };
    json(StatusCode::OK, &Status { status, reason })
}

/// What the overview shows of the service; of a port that is pinned, of its account. A flood counts if it is of the service's calls.
fn trouble(gate: &Gate) -> Option<String> {
    const FLOOD: &str = "flood_wait";
    let (health, service) = (gate.state.health(), gate.port.service);
    let Some(pin) = &gate.port.account else { return health.trouble(&CardId::service(service)) };
    let floods = gate.state.pool().account(pin).into_iter().flat_map(|account| account.floods);
    let is_flooded = floods.into_iter().any(|flood| operations(service).contains(&flood.operation));
    if is_flooded {
        Some(FLOOD.to_owned())
    } else {
        health.trouble(&CardId::account(pin)).filter(|why| why != FLOOD)
    }
}

/// Lets in a caller who sends nothing.
async fn enter(gate: &Gate, request: Request, aim: Aim) -> Result<Guest, Response> {
    let (parts, _) = request.into_parts();
    admit(gate, &parts, aim).await.map_err(|answer| gate.respond(Err(answer)))
}

/// The accounts of the port, all or the one it is pinned to, as far as the guest's key may use them.
fn accounts(gate: &Gate, guest: &Guest) -> Vec<AccountView> {
    let mut accounts = gate.state.pool().accounts();
    if let Some(key) = &guest.key {
        accounts.retain(|account| key.limits.account(&account.name).is_ok());
    }
    if let Some(pin) = &gate.port.account {
        accounts.retain(|account| account.name == *pin);
    }
    accounts
}

/// The kinds of calls that a service makes to change something.
const fn operations(service: Service) -> &'static [Operation] {
    match service {
        Service::SendText | Service::SendMedia => &[Operation::SendMessage],
        Service::CreateChat => &[
            Operation::CreateChat,
            Operation::Invite,
            Operation::Promote,
            Operation::ExportLink,
            Operation::EditChat,
        ],
        Service::LeaveChat => &[Operation::Leave, Operation::RemoveMember],
    }
}

#[derive(Serialize)]
struct Stats {
    cache_size: usize,
    accounts: Vec<Account>,
    error_count: u64,
    operations_count: u64,
}

#[derive(Serialize)]
struct Account {
    name: String,
    priority: u16,
    status: &'static str,
    is_healthy: bool,
    flood_remaining: u64,
    last_error: Option<String>,
    error_count: u64,
    operations_count: u64,
    last_active: Option<f64>,
    self_user_id: Option<UserId>,
    self_username: Option<String>,
    cache_size: usize,
}

impl Account {
    fn new(view: AccountView, gate: &Gate, now: Timestamp) -> Self {
        let has_trouble = gate.state.health().trouble(&CardId::account(&view.name)).is_some();
        let flood = view
            .floods
            .iter()
            .filter(|flood| {
                operations(gate.port.service).contains(&flood.operation)
                    || view.state == AccountState::FloodWait
            })
            .map(|flood| flood.until.since(now))
            .max()
            .unwrap_or_default();
        Self {
            name: view.name.to_string(),
            priority: view.priority,
            status: view.state.legacy_status(),
            is_healthy: view.state == AccountState::Ready && !has_trouble,
            flood_remaining: flood.as_secs() + u64::from(flood.subsec_nanos() > 0),
            last_error: view.last_error,
            error_count: view.errors,
            operations_count: view.operations,
            last_active: view.last_active_at.map(unix_seconds),
            self_user_id: view.user_id,
            self_username: view.username,
            cache_size: view.cached_peers,
        }
    }
}

/// Seconds since 1970 with a fraction, as Python's `time.time()` gives them.
fn unix_seconds(at: Timestamp) -> f64 {
    std::time::Duration::from_micros(u64::try_from(at.as_micros()).unwrap_or(0)).as_secs_f64()
}

/// The accounts as the old router showed them.
pub(super) async fn stats(Shared(gate): Shared<Gate>, request: Request) -> Response {
    let guest = match enter(&gate, request, Aim::Look).await {
        Ok(guest) => guest,
        Err(refusal) => return refusal,
    };
    let now = gate.state.clock().now();
    let service = gate.port.service;
    let accounts = accounts(&gate, &guest).into_iter().map(|view| Account::new(view, &gate, now)).collect();
    let counted = gate.state.pool().service(service);
    let stats = Stats {
        cache_size: counted.cache_size,
        accounts,
        error_count: counted.errors,
        operations_count: counted.operations,
    };
    json(StatusCode::OK, &stats)
}

#[derive(Serialize)]
struct Reloaded {
    status: &'static str,
    cache_size: usize,
}

/// Asks all accounts to read their dialogs again, which takes a key without limits or none; what is known now is answered at once.
pub(super) async fn reload_cache(Shared(gate): Shared<Gate>, request: Request) -> Response {
    match enter(&gate, request, Aim::Reload).await {
        Ok(Guest { key: Some(key), .. }) if key.limits.is_limited() => {
            return gate.respond(Err(key.beyond().into()));
        }
        Ok(_) => {}
        Err(refusal) => return refusal,
    }
    let cache_size = gate.state.pool().reload_dialogs().await;
    json(StatusCode::OK, &Reloaded { status: "ok", cache_size })
}
