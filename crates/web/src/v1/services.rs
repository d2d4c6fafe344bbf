//! `/v1/services`: what the accounts do for whom, and starting and stopping it.

use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::Timestamp;
use health::CardId;
use http::StatusCode;
use serde::Serialize;
use telegram::{ActError, ServiceAction, ServiceView};
use utoipa::ToSchema;

use super::{Page, PageParameters, PageRequest};
use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead};
use crate::extract::PathParameter;
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

/// What the accounts do for callers, as one of the old scripts did it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Service {
    /// Its name.
    #[serde(rename = "service")]
    #[schema(schema_with = schemas::service)]
    name: domain::Service,
    /// `active`, or `stopped` by hand: then it takes nothing and lets nothing out.
    #[schema(example = "active")]
    state: &'static str,
    /// Since when.
    since: Timestamp,
    /// Whether it works, as the overview shows it: it is active, and an account can do its work now.
    healthy: bool,
    /// Why the overview shows it in trouble, as a stable word such as `flood_wait`; null without trouble.
    #[schema(example = json!(null))]
    trouble: Option<String>,
    /// Calls to Telegram since the start or the last restart.
    operations: u64,
    /// Calls that failed.
    errors: u64,
    /// The last failure.
    last_error: Option<String>,
    /// How many chats and users the accounts know.
    cache_size: usize,
    /// The legacy ports that serve it.
    #[schema(example = json!([5021, 5025]))]
    ports: Vec<u16>,
}

fn view(state: &State, service: ServiceView) -> Service {
    let options = state.options();
    let ports = options.legacy.ports.iter();
    let trouble = state.health().trouble(&CardId::service(service.service));
    Service {
        name: service.service,
        state: if service.running { "active" } else { "stopped" },
        since: service.since,
        healthy: service.running && state.pool().is_able() && trouble.is_none(),
        trouble,
        operations: service.operations,
        errors: service.errors,
        last_error: service.last_error,
        cache_size: service.cache_size,
        ports: ports.filter(|port| port.service == service.service).map(|port| port.port).collect(),
    }
}

/// Refuses work of a service that was stopped by hand.
pub(super) fn check_running(state: &State, service: domain::Service) -> Result<(), Problem> {
    let service = state.pool().service(service);
    if service.running {
        return Ok(());
    }
    let name = service.service.as_str();
    let detail = format!(
        "The service {name} was stopped at {}; nothing was accepted. Start it with \
         POST /v1/services/{name}/actions/start or `switchboard service start {name}`.",
        service.since
    );
    Err(Problem::new(Code::ServiceStopped, detail))
}

/// Lists the services.
#[utoipa::path(
    get, path = "/v1/services", tag = "system", operation_id = "list_services",
    params(PageParameters),
    responses((status = 200, description = "The services and how each is", body = Page<Service>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let services: Vec<_> = state.pool().services().into_iter().map(|service| view(&state, service)).collect();
    Ok(json(StatusCode::OK, &wanted.cut(services, |service| service.name.as_str().to_owned())?))
}

/// Shows a service.
#[utoipa::path(
    get, path = "/v1/services/{service}", tag = "system", operation_id = "get_service",
    params(("service" = String, Path, pattern = "^(create_chat|send_text|send_media|leave_chat)$",
        description = "`create_chat`, `send_text`, `send_media` or `leave_chat`")),
    responses((status = 200, description = "The service", body = Service))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let service = state.pool().service(read_service(&given)?);
    Ok(json(StatusCode::OK, &view(&state, service)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Switch(ServiceAction),
    ReloadCache,
}

/// Starts, stops or restarts a service, or reads its dialogs again.
///
/// A stopped service is stopped until it is started, over restarts too: it takes nothing new, and what waits in its
/// queue waits on. A restart starts it and counts from nothing. `reload-cache` reads all dialogs again in the
/// background and keeps what is known meanwhile.
#[utoipa::path(
    post, path = "/v1/services/{service}/actions/{action}", tag = "system", operation_id = "act_on_service",
    params(
        ("service" = String, Path, pattern = "^(create_chat|send_text|send_media|leave_chat)$",
            description = "`create_chat`, `send_text`, `send_media` or `leave_chat`"),
        ("action" = String, Path, pattern = "^(start|stop|restart|reload-cache)$",
            description = "`start`, `stop`, `restart` or `reload-cache`"),
    ),
    responses(
        (status = 200, description = "The service as it is now", body = Service),
        (status = 404, description = "There is no such service or action"),
    )
)]
pub(crate) async fn act(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    PathParameter((given, action)): PathParameter<(String, String)>,
) -> Result<Response, Problem> {
    let service = read_service(&given)?;
    let now = match read_action(&action)? {
        Action::Switch(action) => {
            state.health().switch_service(service, action).await.map_err(|error| match error {
                ActError::NoSuchAccount(account) => Problem::account_not_found(account.as_str()),
                ActError::Store(error) => error.into(),
            })?
        }
        Action::ReloadCache => {
            state.pool().reload_dialogs().await;
            state.pool().service(service)
        }
    };
    Ok(json(StatusCode::OK, &view(&state, now)))
}

fn read_service(given: &str) -> Result<domain::Service, Problem> {
    domain::Service::from_word(given).ok_or_else(|| {
        let known = domain::Service::ALL.map(domain::Service::as_str).join(", ");
        let detail = format!("There is no service {:?}; known are {known}.", shorten(given));
        Problem::new(Code::ServiceNotFound, detail)
    })
}

fn read_action(given: &str) -> Result<Action, Problem> {
    match given {
        "start" => Ok(Action::Switch(ServiceAction::Start)),
        "stop" => Ok(Action::Switch(ServiceAction::Stop)),
        "restart" => Ok(Action::Switch(ServiceAction::Restart)),
        "reload-cache" => Ok(Action::ReloadCache),
        other => Err(Problem::new(
            Code::NotFound,
            format!(
                "There is no action {:?}; known are start, stop, restart and reload-cache.",
                shorten(other)
            ),
        )),
    }
}
