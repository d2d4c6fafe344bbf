//! `/v1/campaign-proxies`: the proxies of browser profiles.

use ::campaigns::read_proxies;
use api::{CampaignImport, CampaignProxy};
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use http::StatusCode;
use store::TasksAdded;

use super::contents::{CampaignFile, DryRunParameter, answer, file};
use crate::answer::json;
use crate::auth::{Authorized, CanArrangeAccounts, CanOperate, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Code, Problem, shorten};
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// Lists the proxies of browser profiles, without their passwords.
#[utoipa::path(
    get, path = "/v1/campaign-proxies", tag = "campaigns", operation_id = "list_campaign_proxies",
    params(PageParameters),
    responses((status = 200, description = "The proxies and how each is", body = Page<CampaignProxy>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let proxies = state.store().campaigns().proxies().await?;
    let proxies: Vec<_> = proxies.into_iter().map(CampaignProxy::from).collect();
    Ok(json(StatusCode::OK, &wanted.cut(proxies, |proxy| proxy.name.clone())?))
}

/// Adds proxies, one a line: `HOST:PORT`, `HOST:PORT:USER:PASSWORD`, `USER:PASSWORD@HOST:PORT`. One that is there gets its new password.
#[utoipa::path(
    post, path = "/v1/campaign-proxies", tag = "campaigns", operation_id = "add_campaign_proxies",
    params(DryRunParameter),
    request_body(content((CampaignFile = "application/json"), (String = "text/plain"))),
    responses((status = 200, description = "What can be used is added", body = CampaignImport))
)]
pub(crate) async fn add(
    Shared(state): Shared<State>,
    _: Authorized<CanArrangeAccounts>,
    query: QueryParameters,
    request: Request,
) -> Result<Response, Problem> {
    let (text, dry_run) = file(&state, query, request).await?;
    let mut read = read_proxies(&text, state.campaigns().allowed());
    let items = std::mem::take(&mut read.items);
    let all = items.len();
    let added =
        if dry_run { all } else { state.store().campaigns().add_proxies(items, state.clock().now()).await? };
    Ok(answer(&read, TasksAdded { added, known: all - added }, Vec::new(), dry_run))
}

/// Tests whether Telegram Web is reached through a proxy. One that was sick may be given to profiles again.
#[utoipa::path(
    post, path = "/v1/campaign-proxies/{name}/check", tag = "campaigns", operation_id = "check_campaign_proxy",
    params(("name" = String, Path, description = "The proxy, percent-encoded")),
    responses((status = 200, description = "How it is", body = CampaignProxy))
)]
pub(crate) async fn check(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    PathParameter(name): PathParameter<String>,
) -> Result<Response, Problem> {
    if state.campaigns().check_proxy(&name).await?.is_none() {
        return Err(no_such_proxy(&name));
    }
    let proxy = state.store().campaigns().proxy(&name).await?.ok_or_else(|| no_such_proxy(&name))?;
    Ok(json(StatusCode::OK, &CampaignProxy::from(proxy)))
}

/// Removes a proxy that no profile has.
#[utoipa::path(
    delete, path = "/v1/campaign-proxies/{name}", tag = "campaigns", operation_id = "remove_campaign_proxy",
    params(("name" = String, Path, description = "The proxy, percent-encoded")),
    responses(
        (status = 204, description = "It is removed"),
        (status = 409, description = "A profile has it: `campaign_not_ready`"),
    )
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    _: Authorized<CanArrangeAccounts>,
    PathParameter(name): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let campaigns = state.store().campaigns();
    let proxy = campaigns.proxy(&name).await?.ok_or_else(|| no_such_proxy(&name))?;
    if let Some(profile) = proxy.profile {
        let detail = format!("The profile {profile} has it; give that another one first.");
        return Err(Problem::new(Code::CampaignNotReady, detail));
    }
    campaigns.remove_proxy(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn no_such_proxy(name: &str) -> Problem {
    let detail = format!("There is no proxy {:?}; GET /v1/campaign-proxies lists them.", shorten(name));
    Problem::new(Code::CampaignProxyNotFound, detail)
}
