//! Campaigns: made, shown, changed, removed.

use ::campaigns::{CampaignSettings, Plan};
use api::Campaign;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::missing::{self, MISSING};
use domain::slug;
use domain::text::folded_line;
use http::StatusCode;
use serde::Deserialize;
use store::{CampaignRow, StoreError};
use utoipa::ToSchema;

use super::{CampaignName, find_campaign, invalid, no_such_campaign, shown};
use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead, CanStartSending};
use crate::extract::{Unchecked, kept_when_empty};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// The longest name as people give it, in characters.
const LONGEST_TITLE: usize = 100;

/// A campaign to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCampaign {
    /// Its name, in any script: up to 100 characters. Addresses take it, and its transcription in small letters, digits, `_` and `-`.
    #[schema(example = "spring")]
    name: String,
    /// How people call it, where that is another name.
    #[serde(default, deserialize_with = "kept_when_empty")]
    #[schema(example = "Spring sale")]
    title: Option<String>,
    /// Its settings; what is left out is as usual.
    #[serde(default)]
    settings: ChangedSettings,
}

/// Settings of a campaign; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangedSettings {
    /// Messages of one sender within any hour: 60 at most.
    #[schema(example = 25)]
    max_messages_per_hour: Option<u32>,
    /// Messages of one sender within any 24 hours: 500 at most.
    #[schema(example = 300)]
    max_messages_per_day: Option<u32>,
    /// How often a run goes through the chats: 100 at most.
    #[schema(example = 1)]
    cycles: Option<u32>,
    /// Seconds between two cycles.
    #[schema(example = 300)]
    cycle_delay_seconds: Option<u32>,
    /// Seconds between two messages of one sender.
    #[schema(example = 60)]
    delay_seconds: Option<u32>,
    /// How much of that chance adds or takes, 0 to 1.
    #[schema(example = 0.2)]
    delay_randomness: Option<f64>,
    /// Hours in which it sends; an empty text means always.
    #[schema(example = "09:00-21:00 Europe/Moscow")]
    #[serde(default, deserialize_with = "kept_when_empty")]
    active_hours: Option<String>,
    /// How often a chat is tried again after a failure that says nothing about the chat.
    #[schema(example = 2)]
    retries: Option<u32>,
    /// How many senders are at work at once; 0 means all of them.
    #[schema(example = 2)]
    workers: Option<u32>,
}

impl ChangedSettings {
    fn onto(self, now: CampaignSettings) -> Result<String, Problem> {
        let settings = CampaignSettings {
            max_messages_per_hour: self.max_messages_per_hour.unwrap_or(now.max_messages_per_hour),
            max_messages_per_day: self.max_messages_per_day.unwrap_or(now.max_messages_per_day),
            cycles: self.cycles.unwrap_or(now.cycles),
            cycle_delay_seconds: self.cycle_delay_seconds.unwrap_or(now.cycle_delay_seconds),
            delay_seconds: self.delay_seconds.unwrap_or(now.delay_seconds),
            delay_randomness: self.delay_randomness.unwrap_or(now.delay_randomness),
            active_hours: match self.active_hours {
                Some(hours) => Some(hours).filter(|hours| !hours.trim().is_empty()),
                None => now.active_hours,
            },
            retries: self.retries.unwrap_or(now.retries),
            workers: self.workers.map_or(now.workers, |count| Some(count).filter(|count| *count > 0)),
        };
        Plan::of(&settings).map_err(|error| invalid(&error))?;
        serde_json::to_string(&settings)
            .map_err(|error| StoreError::Unavailable(format!("campaigns: {error}")).into())
    }
}

/// Lists the campaigns, by name.
#[utoipa::path(
    get, path = "/v1/campaigns", tag = "campaigns", operation_id = "list_campaigns",
    params(PageParameters),
    responses((status = 200, description = "The campaigns and how far each is", body = Page<Campaign>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let page = wanted.cut(state.store().campaigns().list().await?, |row| row.name.clone())?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(shown(&state, row).await?);
    }
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// Makes a campaign. It sends nothing before it is started.
#[utoipa::path(
    post, path = "/v1/campaigns", tag = "campaigns", operation_id = "create_campaign",
    request_body = NewCampaign,
    responses(
        (status = 201, description = "It is made", body = Campaign),
        (status = 409, description = "There is one of this name: `campaign_exists`"),
    )
)]
pub(crate) async fn create(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    body: Unchecked<NewCampaign>,
) -> Result<Response, Problem> {
    let row = body.checked(|new: NewCampaign| {
        let name = slug(&new.name);
        let title = new.title.filter(|title| !title.trim().is_empty()).unwrap_or(new.name);
        let title = title.trim().to_owned();
        let is_title = title.chars().count() <= LONGEST_TITLE && !title.chars().any(char::is_control);
        if name.is_empty() || !is_title {
            let why = "must be 1 to 100 characters, with a letter or a digit among them";
            return Err(Problem::fields(vec![FieldError::new("name", why)]));
        }
        if missing::is_in_title(&title) {
            return Err(Problem::fields(vec![FieldError::new("name", MISSING)]));
        }
        let settings = new.settings.onto(CampaignSettings::default())?;
        Ok(CampaignRow { name, title, settings, created_at: state.clock().now() })
    })?;
    let campaigns = state.store().campaigns();
    // No title is the name of another campaign: either would find the wrong one.
    let mut other = None;
    for name in [&row.name, &row.title, &slug(&row.title)] {
        other = match other {
            None => campaigns.find(name).await?,
            found => found,
        };
    }
    if other.is_some() || !campaigns.add(row.clone()).await? {
        let detail = match other {
            Some(other) if folded_line(&other.title) != folded_line(&row.title) && other.name == row.name => {
                format!(
                    "The name {:?} is written {} in addresses, which is the campaign {:?}; choose another name.",
                    shorten(&row.title),
                    row.name,
                    shorten(&other.title)
                )
            }
            _ => format!("There is a campaign {} already.", row.title),
        };
        return Err(Problem::new(Code::CampaignExists, detail));
    }
    Ok(json(StatusCode::CREATED, &shown(&state, row).await?))
}

/// Shows a campaign, how far its latest run is and what came of it.
#[utoipa::path(
    get, path = "/v1/campaigns/{name}", tag = "campaigns", operation_id = "get_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    responses((status = 200, description = "The campaign", body = Campaign))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    CampaignName(name): CampaignName,
) -> Result<Response, Problem> {
    let row = find_campaign(&state, &name).await?;
    Ok(json(StatusCode::OK, &shown(&state, row).await?))
}

/// Changes settings of a campaign. A run that is open goes on with them.
#[utoipa::path(
    patch, path = "/v1/campaigns/{name}", tag = "campaigns", operation_id = "change_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    request_body = ChangedSettings,
    responses((status = 200, description = "They are changed", body = Campaign))
)]
pub(crate) async fn change(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    CampaignName(name): CampaignName,
    body: Unchecked<ChangedSettings>,
) -> Result<Response, Problem> {
    let row = find_campaign(&state, &name).await?;
    let now: CampaignSettings = serde_json::from_str(&row.settings).unwrap_or_default();
    let workers = now.workers;
    let (wanted, settings) = body.checked(|changed: ChangedSettings| {
        let wanted = changed.workers;
        Ok((wanted, changed.onto(now)?))
    })?;
    state.store().campaigns().change(&name, settings.clone()).await?;
    if wanted.is_some_and(|count| count != workers.unwrap_or(0)) {
        state.campaigns().take_in_workers(&name).await?;
    }
    Ok(json(StatusCode::OK, &shown(&state, CampaignRow { settings, ..row }).await?))
}

/// Removes a campaign that does not run, with its chats and messages. What it sent stays on record.
#[utoipa::path(
    delete, path = "/v1/campaigns/{name}", tag = "campaigns", operation_id = "remove_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    responses(
        (status = 204, description = "It is removed"),
        (status = 409, description = "A run of it is open: `campaign_not_ready`"),
    )
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    CampaignName(name): CampaignName,
) -> Result<StatusCode, Problem> {
    match state.store().campaigns().remove(&name).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(no_such_campaign(&name)),
        Err(error) => Err(of_open(&name, error)),
    }
}

/// Removes the chats and messages of a campaign that does not run. Its settings and senders stay, and what it sent stays on record.
#[utoipa::path(
    post, path = "/v1/campaigns/{name}/clear", tag = "campaigns", operation_id = "clear_campaign",
    params(("name" = String, Path, description = "The campaign's name")),
    responses(
        (status = 200, description = "It has no chats and no messages", body = Campaign),
        (status = 409, description = "A run of it is open: `campaign_not_ready`"),
    )
)]
pub(crate) async fn clear(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    CampaignName(name): CampaignName,
) -> Result<Response, Problem> {
    let row = find_campaign(&state, &name).await?;
    state.store().campaigns().clear(&name).await.map_err(|error| of_open(&name, error))?;
    Ok(json(StatusCode::OK, &shown(&state, row).await?))
}

/// What is refused while a run is open.
fn of_open(name: &str, error: StoreError) -> Problem {
    match error {
        StoreError::Conflict { .. } => {
            let detail =
                format!("A run of {name} is open; stop it with POST /v1/campaigns/{name}/stop first.");
            Problem::new(Code::CampaignNotReady, detail)
        }
        error => error.into(),
    }
}
