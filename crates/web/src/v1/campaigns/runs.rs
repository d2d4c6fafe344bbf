//! Runs of a campaign: started, paused, resumed, stopped, foreseen, and every attempt of one.

use ::campaigns::Start;
use api::{Campaign, CampaignForecast};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::Timestamp;
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{CampaignName, find_campaign, problem, shown};
use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead, CanStartSending};
use crate::extract::{QueryParameters, Unchecked};
use crate::problem::{FieldError, Problem};
use crate::state::State;

/// How many chats a forecast names of each kind, at most and unless asked otherwise.
const MOST_LISTED: usize = 1000;
const LISTED: usize = 5;

/// What is foreseen, and how many chats are named.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ForecastParameters {
    /// How many of the chats that would be written to are shown with their text, and how many of those left out; 1000 at most.
    #[param(default = 5, maximum = 1000)]
    listed: Option<u32>,
    /// A new run, though another one is not over: without it, what is left of that one is foreseen.
    new: Option<bool>,
    /// How many cycles, in place of what the settings say.
    cycles: Option<u32>,
    /// How many senders are at work at once, in place of what the settings say.
    workers: Option<u32>,
    /// It begins no earlier.
    #[param(format = DateTime)]
    starts_at: Option<String>,
}

/// How a run is to be.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct NewCampaignRun {
    /// A new run, though another one is not over: that one is stopped.
    #[schema(default = false)]
    new: bool,
    /// How many cycles, in place of what the settings say.
    #[schema(example = 1)]
    cycles: Option<u32>,
    /// How many chats it takes before it pauses.
    #[schema(example = 5)]
    canary: Option<u32>,
    /// Not before.
    starts_at: Option<Timestamp>,
    /// How many senders are at work at once, in place of what the settings say.
    #[schema(example = 2)]
    workers: Option<u32>,
}

/// Says who would get what, when the last one leaves and what the limits cost. Nothing is sent and Telegram is not asked.
#[utoipa::path(
    get, path = "/v1/campaigns/{name}/forecast", tag = "campaigns", operation_id = "foresee_campaign",
    params(("name" = String, Path, description = "The campaign's name"), ForecastParameters),
    responses((status = 200, description = "What would come of a run", body = CampaignForecast))
)]
pub(crate) async fn forecast(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    CampaignName(name): CampaignName,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let listed = query.take_with("listed", |text| match text.parse() {
        Ok(count) if count <= MOST_LISTED => Ok(count),
        _ => Err(format!("must be 0 to {MOST_LISTED}; it is {text}")),
    });
    let wish = Start {
        new: query.take("new").unwrap_or(false),
        cycles: query.take("cycles"),
        canary: None,
        starts_at: query.take("starts_at"),
        workers: query.take("workers"),
    };
    query.finish()?;
    let listed = listed.unwrap_or(LISTED);
    let outlook =
        state.campaigns().outlook(&name, wish, listed).await.map_err(|error| problem(&name, error))?;
    Ok(json(StatusCode::OK, &CampaignForecast::from(outlook)))
}

/// Starts a campaign: goes on with the run that is not over, or begins one.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/start", tag = "campaigns", operation_id = "start_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    request_body = NewCampaignRun,
    responses(
        (status = 200, description = "It runs", body = Campaign),
        (status = 409, description = "It has no sender, message or chat: `campaign_not_ready`"),
    )
)]
pub(crate) async fn start(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    CampaignName(name): CampaignName,
    body: Unchecked<NewCampaignRun>,
) -> Result<Response, Problem> {
    let wish = body.checked(|new: NewCampaignRun| {
        let NewCampaignRun { new, cycles, canary, starts_at, workers } = new;
        if canary == Some(0) {
            return Err(Problem::fields(vec![FieldError::new("canary", "must be 1 or more")]));
        }
        Ok(Start { new, cycles, canary, starts_at, workers })
    })?;
    state.campaigns().begin(&name, wish).await.map_err(|error| problem(&name, error))?;
    answer(&state, &name).await
}

/// Pauses the run of a campaign: nothing more is begun, what has been is finished.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/pause", tag = "campaigns", operation_id = "pause_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    responses((status = 200, description = "It is paused", body = Campaign))
)]
pub(crate) async fn pause(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    CampaignName(name): CampaignName,
) -> Result<Response, Problem> {
    state.campaigns().pause(&name).await.map_err(|error| problem(&name, error))?;
    answer(&state, &name).await
}

/// Goes on with the run of a campaign, at the very chat where it was.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/resume", tag = "campaigns", operation_id = "resume_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    responses((status = 200, description = "It goes on", body = Campaign))
)]
pub(crate) async fn resume(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    CampaignName(name): CampaignName,
) -> Result<Response, Problem> {
    state.campaigns().resume(&name).await.map_err(|error| problem(&name, error))?;
    answer(&state, &name).await
}

/// Ends the run of a campaign: nothing more is begun, what has been is finished.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/stop", tag = "campaigns", operation_id = "stop_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    responses((status = 200, description = "It is stopped", body = Campaign))
)]
pub(crate) async fn stop(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    CampaignName(name): CampaignName,
) -> Result<Response, Problem> {
    state.campaigns().end(&name).await.map_err(|error| problem(&name, error))?;
    answer(&state, &name).await
}

async fn answer(state: &State, name: &str) -> Result<Response, Problem> {
    let row = find_campaign(state, name).await?;
    Ok(json(StatusCode::OK, &shown(state, row).await?))
}
