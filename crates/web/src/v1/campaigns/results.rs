//! What became of campaigns: their runs, what left in each hour, and every attempt, page by page and as a file.

use std::io;
use std::time::Duration;

use ::campaigns::Plan;
use api::{CampaignAttempt, CampaignCycles, CampaignHour, CampaignHours, CampaignRun};
use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AttemptState, CampaignLog, CampaignRunId, SenderState, Timestamp, contact_list};
use futures::stream;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use store::{AttemptFilter, Store};
use utoipa::IntoParams;

use super::{CampaignName, find_campaign};
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;
use crate::v1::page::{LARGEST_PAGE, listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// In microseconds.
const HOUR: i64 = 3_600_000_000;
/// How many hours are counted.
const HOURS: i64 = 24;

/// The columns of the file of attempts.
const COLUMNS: [&str; 11] = [
    "chat",
    "peer",
    "account",
    "state",
    "reason",
    "detail",
    "cycle",
    "message",
    "message_id",
    "claimed_at",
    "ended_at",
];

/// Which attempts are listed.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct AttemptParameters {
    /// Of this run; of the latest one without.
    #[param(example = "camp_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    run: Option<String>,
    /// `claimed`, `sent`, `failed`, `skipped` or `unknown`.
    #[param(example = "failed")]
    state: Option<String>,
    /// `main` (all), `success`, `failed_chats` or `failed_send`.
    #[param(example = "failed_chats")]
    log: Option<String>,
    /// Those that were not sent for this reason.
    #[param(example = "chat_not_found")]
    reason: Option<String>,
}

/// Which run is counted.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct RunParameters {
    /// Of this run; of the latest one without.
    #[param(example = "camp_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    run: Option<String>,
}

/// Lists the runs of a campaign, the latest first.
#[utoipa::path(
    get, path = "/v1/campaigns/{name}/runs", tag = "campaigns", operation_id = "list_campaign_runs",
    params(("name" = String, Path, description = "The campaign's name"), LongPageParameters),
    responses((status = 200, description = "A page of runs, each with what came of it", body = Page<CampaignRun>))
)]
pub(crate) async fn runs(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    CampaignName(name): CampaignName,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let page = store_page(&mut query);
    query.finish()?;
    find_campaign(&state, &name).await?;
    let campaigns = state.store().campaigns();
    let page = campaigns.runs(&name, &page).await.map_err(listed)?;
    let mut items = Vec::with_capacity(page.items.len());
    for run in page.items {
        let attempts = campaigns.attempts_counted(run.id).await?;
        items.push(CampaignRun::of(run, attempts));
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// Says when each cycle of a run began, and what came of it. It reads each attempt of the run.
#[utoipa::path(
    get, path = "/v1/campaigns/{name}/cycles", tag = "campaigns", operation_id = "get_campaign_cycles",
    params(("name" = String, Path, description = "The campaign's name"), RunParameters),
    responses((status = 200, description = "The cycles", body = CampaignCycles))
)]
pub(crate) async fn cycles(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    CampaignName(name): CampaignName,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let run = query.take("run");
    query.finish()?;
    let counted = match run_of(&state, &name, run).await? {
        Some(run) => state.store().campaigns().cycles_counted(run).await?,
        None => Vec::new(),
    };
    Ok(json(StatusCode::OK, &CampaignCycles::from(counted)))
}

/// Says how many messages of a campaign left in each of the last 24 hours, and how many may leave in one.
#[utoipa::path(
    get, path = "/v1/campaigns/{name}/hours", tag = "campaigns", operation_id = "get_campaign_hours",
    params(("name" = String, Path, description = "The campaign's name")),
    responses((status = 200, description = "The hours", body = CampaignHours))
)]
pub(crate) async fn hours(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    CampaignName(name): CampaignName,
) -> Result<Response, Problem> {
    let row = find_campaign(&state, &name).await?;
    let campaigns = state.store().campaigns();
    let now = state.clock().now();
    let latest = now.as_micros().div_euclid(HOUR);
    let began_at = |hour: i64| Timestamp::from_micros(hour.saturating_mul(HOUR));
    let first = latest - HOURS + 1;
    let before = began_at(first).minus(Duration::from_micros(1));
    let counted = campaigns.sent_by_hour(&name, before).await?;
    let sent = |hour| counted.get(&hour).copied().unwrap_or_default();
    let hours = (first..=latest).map(|hour| CampaignHour { began_at: began_at(hour), sent: sent(hour) });
    let senders = campaigns.senders(&name).await?;
    let active = senders.iter().filter(|row| row.state == SenderState::Active).count() as u64;
    let settings = serde_json::from_str(&row.settings).unwrap_or_default();
    let cap = Plan::of(&settings).map_or(0, |plan| plan.caps.hour);
    let answer = CampaignHours { per_hour: active * u64::from(cap), hours: hours.collect() };
    Ok(json(StatusCode::OK, &answer))
}

/// Lists the attempts of a run, the latest first: who got what, and who did not and why.
#[utoipa::path(
    get, path = "/v1/campaigns/{name}/attempts", tag = "campaigns", operation_id = "list_campaign_attempts",
    params(("name" = String, Path, description = "The campaign's name"), AttemptParameters, LongPageParameters),
    responses((status = 200, description = "A page of attempts", body = Page<CampaignAttempt>))
)]
pub(crate) async fn attempts(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    CampaignName(name): CampaignName,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let (run, filter) = wanted(&mut query);
    let page = store_page(&mut query);
    query.finish()?;
    let Some(run) = run_of(&state, &name, run).await? else {
        return Ok(json(StatusCode::OK, &Page::<CampaignAttempt> { items: Vec::new(), next_cursor: None }));
    };
    let page = state.store().campaigns().attempts(run, filter, &page).await.map_err(listed)?;
    let mut items: Vec<_> = page.items.into_iter().map(CampaignAttempt::from).collect();
    // The latest is the first.
    if let Some((last, first)) = items.first().zip(items.last()) {
        let mut pictures = state.store().campaigns().pictures_of_attempts(first.id, last.id).await?;
        for item in &mut items {
            item.picture = pictures.remove(&item.id);
        }
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// Downloads the attempts of a run as CSV, the latest first.
#[utoipa::path(
    get, path = "/v1/campaigns/{name}/attempts/export", tag = "campaigns", operation_id = "export_campaign_attempts",
    params(("name" = String, Path, description = "The campaign's name"), AttemptParameters),
    responses((status = 200, description = "The attempts", body = String, content_type = "text/csv"))
)]
pub(crate) async fn export(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    CampaignName(name): CampaignName,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let (run, filter) = wanted(&mut query);
    query.finish()?;
    let run = run_of(&state, &name, run).await?;
    let first = run.map(|run| Rest { store: state.store().clone(), run, filter, cursor: None });
    // One page at a time, as its reader takes it.
    let head = stream::iter([Ok(contact_list::line(&COLUMNS))]);
    let pages = stream::try_unfold(first, async |rest| match rest {
        Some(rest) => rest.page().await.map(Some).map_err(io::Error::other),
        None => Ok(None),
    });
    let mut response = Response::new(Body::from_stream(futures::StreamExt::chain(head, pages)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    let file = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""));
    headers.extend(file.ok().map(|file| (CONTENT_DISPOSITION, file)));
    Ok(response)
}

/// What of a file of attempts is still to be written.
struct Rest {
    store: Store,
    run: CampaignRunId,
    filter: AttemptFilter,
    cursor: Option<String>,
}

impl Rest {
    /// Its next lines, and what comes after them.
    async fn page(self) -> Result<(String, Option<Self>), store::StoreError> {
        let Self { store, run, filter, cursor } = self;
        let page = store::Page { limit: LARGEST_PAGE, cursor };
        let found = store.campaigns().attempts(run, filter.clone(), &page).await?;
        let lines = found.items.into_iter().map(|attempt| line(attempt.into())).collect();
        let rest = found.next_cursor.map(|cursor| Self { store, run, filter, cursor: Some(cursor) });
        Ok((lines, rest))
    }
}

fn line(attempt: CampaignAttempt) -> String {
    let CampaignAttempt {
        id: _,
        run_id: _,
        cycle,
        chat,
        account,
        state,
        reason,
        detail,
        peer,
        message,
        message_id,
        picture: _,
        claimed_at,
        ended_at,
    } = attempt;
    let fields = [
        chat,
        peer.unwrap_or_default(),
        account,
        state,
        reason.unwrap_or_default(),
        detail.unwrap_or_default(),
        cycle.to_string(),
        message.map(|number| number.to_string()).unwrap_or_default(),
        message_id.map(|id| id.to_string()).unwrap_or_default(),
        claimed_at.to_string(),
        ended_at.map(|at| at.to_string()).unwrap_or_default(),
    ];
    contact_list::line(&fields.each_ref().map(String::as_str))
}

/// Takes the run and the filter.
fn wanted(query: &mut QueryParameters) -> (Option<CampaignRunId>, AttemptFilter) {
    let run = query.take("run");
    let filter = AttemptFilter {
        state: query.take::<AttemptState>("state"),
        log: query.take::<CampaignLog>("log").unwrap_or_default(),
        code: query.take("reason"),
    };
    (run, filter)
}

/// The run of a campaign that is asked for, or its latest one.
async fn run_of(
    state: &State,
    name: &str,
    wanted: Option<CampaignRunId>,
) -> Result<Option<CampaignRunId>, Problem> {
    find_campaign(state, name).await?;
    let campaigns = state.store().campaigns();
    let run = match wanted {
        Some(id) => campaigns.run(id).await?.filter(|run| run.campaign == name),
        None => campaigns.last_run(name).await?,
    };
    Ok(run.map(|run| run.id))
}
