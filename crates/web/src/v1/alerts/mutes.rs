//! Muting: no one is notified of a card for a while; its dots go on.

use std::time::Duration;

use alerts::MuteError;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::Timestamp;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{no_such_alert, read_alert};
use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::v1::{Page, PageParameters, PageRequest};

/// The longest id of a card.
const LONGEST_CARD: usize = 160;

/// How long a card is muted: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MuteTime {
    /// For so many minutes, 1 to 129600 (90 days).
    #[schema(minimum = 1, maximum = 129_600, example = 60)]
    minutes: Option<u32>,
    /// Until this time.
    until: Option<Timestamp>,
}

/// A card to be muted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewMute {
    /// The card. Its parts are muted with it.
    #[schema(example = "account:main", min_length = 1, max_length = 160)]
    card: String,
    /// For so many minutes, 1 to 129600 (90 days).
    #[schema(minimum = 1, maximum = 129_600, example = 60)]
    minutes: Option<u32>,
    /// Until this time.
    until: Option<Timestamp>,
}

/// Until when, from the one of two fields that was given.
fn until(minutes: Option<u32>, until: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Problem> {
    match (minutes, until) {
        (Some(0), None) => Err(wrong_field("minutes", "must be from 1 to 129600")),
        (Some(minutes), None) => Ok(now.plus(Duration::from_mins(u64::from(minutes)))),
        (None, Some(until)) => Ok(until),
        (None, None) => Err(wrong_field("minutes", "is missing; write minutes or until")),
        (Some(_), Some(_)) => Err(wrong_field("minutes", "is there beside until; write one of the two")),
    }
}

fn wrong_field(field: &str, message: &str) -> Problem {
    Problem::fields(vec![FieldError::new(field, message)])
}

fn refused(error: MuteError, given: &str, field: &str) -> Problem {
    match error {
        MuteError::Time => {
            wrong_field(field, "is wrong: a card is muted for 1 minute at least and 90 days at most")
        }
        MuteError::TooMany => Problem::new(Code::WrongState, format!("{error}.")),
        MuteError::NoSuchAlert => no_such_alert(given),
        MuteError::Store(error) => error.into(),
    }
}

/// Mutes the card of an alert.
///
/// Until then no one is notified of the card or its parts. What is still broken then is notified.
#[utoipa::path(
    post, path = "/v1/alerts/{id}/mute", tag = "alerts", operation_id = "mute_alert",
    params(("id" = String, Path, description = "The alert's id")),
    request_body = MuteTime,
    responses((status = 200, description = "The alert as it is now", body = api::Alert))
)]
pub(crate) async fn mute_alert(
    Shared(alerts): Shared<alerts::Alerts>,
    Shared(clock): Shared<ambient::Clock>,
    by: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
    body: Json<MuteTime>,
) -> Result<Response, Problem> {
    let MuteTime { minutes, until: at } = body.value;
    let field = if minutes.is_some() { "minutes" } else { "until" };
    let id = read_alert(&given)?;
    let until = until(minutes, at, clock.now())?;
    let muted = alerts.mute_alert(id, until, &by.caller.who()).await;
    let alert = muted.map_err(|error| refused(error, &given, field))?;
    Ok(json(StatusCode::OK, &api::Alert::from(alert)))
}

/// Lets the card of an alert be notified again.
#[utoipa::path(
    delete, path = "/v1/alerts/{id}/mute", tag = "alerts", operation_id = "unmute_alert",
    params(("id" = String, Path, description = "The alert's id")),
    responses((status = 204, description = "It is no longer muted"))
)]
pub(crate) async fn unmute_alert(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let found = alerts.get(read_alert(&given)?).await?;
    let found = found.ok_or_else(|| no_such_alert(&given))?;
    // One that was not muted is reported already, which is what was asked for.
    alerts.unmute(&found.alert.card).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the cards that are muted.
#[utoipa::path(
    get, path = "/v1/mutes", tag = "alerts", operation_id = "list_mutes",
    params(PageParameters),
    responses((status = 200, description = "The mutes", body = Page<api::Mute>))
)]
pub(crate) async fn list(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let mutes: Vec<api::Mute> = alerts.mutes().into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &wanted.cut(mutes, |mute| mute.card.clone())?))
}

/// Mutes a card, also one that has no alert yet; or changes until when.
#[utoipa::path(
    post, path = "/v1/mutes", tag = "alerts", operation_id = "mute_card",
    request_body = NewMute,
    responses(
        (status = 200, description = "Muted", body = api::Mute),
        (status = 409, description = "Too many are"),
    )
)]
pub(crate) async fn create(
    Shared(alerts): Shared<alerts::Alerts>,
    Shared(clock): Shared<ambient::Clock>,
    by: Authorized<CanOperate>,
    body: Json<NewMute>,
) -> Result<Response, Problem> {
    let NewMute { card, minutes, until: at } = body.value;
    let field = if minutes.is_some() { "minutes" } else { "until" };
    let one_word = !card.is_empty() && !card.contains(|c: char| c.is_whitespace() || c.is_control());
    if !one_word || card.len() > LONGEST_CARD {
        return Err(wrong_field("card", "is no card; write one like account:main"));
    }
    let now = clock.now();
    let until = until(minutes, at, now)?;
    let muted_by = by.caller.who();
    alerts.mute(&card, until, &muted_by).await.map_err(|error| refused(error, "", field))?;
    Ok(json(StatusCode::OK, &api::Mute { card, until, muted_at: now, muted_by }))
}

/// Lets a card be notified again.
#[utoipa::path(
    delete, path = "/v1/mutes/{card}", tag = "alerts", operation_id = "unmute_card",
    params(("card" = String, Path, description = "The card, such as `account:main`")),
    responses(
        (status = 204, description = "It is no longer muted"),
        (status = 404, description = "It is not muted"),
    )
)]
pub(crate) async fn remove(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanOperate>,
    PathParameter(card): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    if alerts.unmute(&card).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let detail = format!("The card {:?} is not muted; GET /v1/mutes lists those that are.", shorten(&card));
    Err(Problem::new(Code::NotFound, detail))
}
