//! `/v1/campaigns`: campaigns, what they have, their runs and attempts.

mod contents;
mod groups;
mod history;
mod media;
mod profiles;
mod proxies;
mod results;
mod runs;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::routing::routes;
use ::campaigns::{ControlError, InvalidSettings, Senders};
use api::{Campaign, CampaignRun, CampaignSender};
use axum::extract::FromRequestParts;
use domain::CampaignRunState;
use http::request::Parts;
use store::CampaignRow;
use utoipa_axum::router::OpenApiRouter;

use crate::extract::PathParameter;
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(groups::list, groups::create))
        .routes(routes!(groups::get, groups::change, groups::remove))
        .routes(routes!(groups::clear))
        .routes(routes!(contents::add_senders))
        .routes(routes!(contents::remove_sender))
        .routes(routes!(contents::messages, contents::add_messages))
        .routes(routes!(contents::tasks, contents::add_tasks))
        .routes(routes!(contents::unblock))
        .routes(routes!(history::take_over))
        .routes(routes!(runs::forecast))
        .routes(routes!(runs::start))
        .routes(routes!(runs::pause))
        .routes(routes!(runs::resume))
        .routes(routes!(runs::stop))
        .routes(routes!(results::runs))
        .routes(routes!(results::cycles))
        .routes(routes!(results::hours))
        .routes(routes!(results::attempts))
        .routes(routes!(results::export))
        .routes(routes!(profiles::list))
        .routes(routes!(profiles::get, profiles::put, profiles::remove))
        .routes(routes!(profiles::unblock))
        .routes(routes!(profiles::check))
        .routes(routes!(profiles::log_in))
        .routes(routes!(profiles::picture))
        .routes(routes!(proxies::list, proxies::add))
        .routes(routes!(proxies::remove))
        .routes(routes!(proxies::check))
}

/// The campaign of a name.
async fn find_campaign(state: &State, name: &str) -> Result<CampaignRow, Problem> {
    state.store().campaigns().get(name).await?.ok_or_else(|| no_such_campaign(name))
}

/// The name of the campaign in a path, which may name it by its title.
pub(crate) struct CampaignName(String);

impl crate::routing::Argument for CampaignName {}

impl FromRequestParts<State> for CampaignName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let PathParameter(named) =
            PathParameter::<BTreeMap<String, String>>::from_request_parts(parts, state).await?;
        let given = named.get("name").cloned().unwrap_or_default();
        let found = state.store().campaigns().find(&given).await?;
        Ok(Self(found.map_or(given, |row| row.name)))
    }
}

/// A campaign with all that is shown of it.
async fn shown(state: &State, row: CampaignRow) -> Result<Campaign, Problem> {
    let campaigns = state.store().campaigns();
    let last = campaigns.last_run(&row.name).await?;
    let open = last.as_ref().filter(|run| !run.state.is_final());
    let is_running = open.is_some_and(|run| run.state == CampaignRunState::Running);
    let counted = campaigns.tasks_counted(&row.name, open).await?;
    let run = match last {
        Some(run) => {
            let attempts = campaigns.attempts_counted(run.id).await?;
            Some(CampaignRun::of(run, attempts))
        }
        None => None,
    };
    let now = state.clock().now();
    let sent = campaigns.sent_since(&row.name, now.minus(Duration::from_hours(1))).await?;
    let senders = CampaignSender::of(campaigns.senders(&row.name).await?, &sent);
    let active = if is_running { state.campaigns().senders(&row.name).await? } else { Senders::default() };
    Ok(Campaign::of(row, senders, counted, run, active, now))
}

fn no_such_campaign(name: &str) -> Problem {
    let detail = format!("No campaign has the name {:?}; GET /v1/campaigns lists them.", shorten(name));
    Problem::new(Code::CampaignNotFound, detail)
}

fn invalid(error: &InvalidSettings) -> Problem {
    Problem::fields(vec![FieldError::new(error.field, error.why.clone())])
}

fn problem(name: &str, error: ControlError) -> Problem {
    match error {
        ControlError::Unknown => no_such_campaign(name),
        ControlError::Invalid(error) => invalid(&error),
        ControlError::Store(error) => error.into(),
        error @ (ControlError::Empty(_) | ControlError::NoRun | ControlError::NoServer) => {
            Problem::new(Code::CampaignNotReady, format!("Nothing was changed: {error}."))
        }
    }
}
