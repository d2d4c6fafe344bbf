//! `/v1/maintenance`: times for which no one wants to be notified.

use alerts::{Hours, InvalidHours, MaintenanceWindow, Scope, Weekday, WindowError};
use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{MaintenanceId, Timestamp};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead};
use crate::extract::{PathParameter, Unchecked};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::v1::{Page, PageParameters, PageRequest};

/// A window to be made: `from` and `until` for once, or `days`, `start` and `minutes` for every week.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMaintenanceWindow)]
pub(crate) struct NewWindow {
    /// What for.
    #[serde(default)]
    #[schema(max_length = 200, example = "backup")]
    note: String,
    /// For which cards: `all`, a kind (`service`, `account`, `line`, `port`, `store`, `queue`), or a card such as
    /// `account:main`, with its parts.
    #[serde(default = "everything")]
    #[schema(default = "all", example = "all")]
    scope: String,
    /// When it begins, once.
    from: Option<Timestamp>,
    /// When it ends, once.
    until: Option<Timestamp>,
    /// The days on which it begins, every week.
    #[schema(schema_with = schemas::weekdays)]
    days: Option<Vec<Weekday>>,
    /// The time of day at which it begins, every week.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "02:00")]
    start: Option<String>,
    /// How many minutes it lasts, every week.
    #[schema(minimum = 1, maximum = 8640, example = 120)]
    minutes: Option<u32>,
    /// How far the clocks it is meant by are ahead of UTC.
    #[schema(default = "+00:00", pattern = "^[+-](0[0-9]|1[0-4]):[0-5][0-9]$", example = "+03:00")]
    utc_offset: Option<String>,
}

fn everything() -> String {
    "all".to_owned()
}

impl NewWindow {
    fn read(self) -> Result<MaintenanceWindow, Problem> {
        let wrong = |field: &str, message: &str| Err(Problem::fields(vec![FieldError::new(field, message)]));
        let scope_fits = !self.scope.is_empty()
            && self.scope.len() <= 160
            && !self.scope.contains(|c: char| c.is_whitespace() || c.is_control());
        if !scope_fits {
            return wrong(
                "scope",
                "is wrong: write all, a kind such as account, or a card such as account:main",
            );
        }
        let once = self.from.is_some() || self.until.is_some();
        let weekly = self.days.is_some()
            || self.start.is_some()
            || self.minutes.is_some()
            || self.utc_offset.is_some();
        let hours = match (once, weekly) {
            (true, true) => {
                return wrong("days", "is there beside from and until; a window is once or every week");
            }
            (false, false) => {
                return wrong("from", "is missing; write from and until, or days, start and minutes");
            }
            (true, false) => match (self.from, self.until) {
                (Some(from), Some(until)) => Hours::Once { from, until },
                (None, _) => return wrong("from", "is missing; write when it begins"),
                (_, None) => return wrong("until", "is missing; write when it ends"),
            },
            (false, true) => {
                let Some(days) = self.days else {
                    return wrong("days", "is missing; write some of mon … sun");
                };
                let Some(start) = self.start.as_deref().and_then(time_of_day) else {
                    return wrong("start", "is missing or no time of day; write one like \"02:30\"");
                };
                let Some(minutes) = self.minutes else {
                    return wrong("minutes", "is missing; write how long it lasts");
                };
                let Some(utc_offset) = offset(self.utc_offset.as_deref().unwrap_or("+00:00")) else {
                    return wrong("utc_offset", "is wrong: write one like \"+03:00\"");
                };
                Hours::Weekly { days, start, minutes, utc_offset }
            }
        };
        Ok(MaintenanceWindow { note: self.note, scope: Scope::read(&self.scope), hours })
    }
}

/// Reads `02:30` as minutes after midnight.
fn time_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Reads `+03:00` as minutes.
fn offset(text: &str) -> Option<i32> {
    let (sign, text) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    Some(sign * i32::try_from(time_of_day(text)?).ok()?)
}

/// Lists the maintenance windows, past ones too.
#[utoipa::path(
    get, path = "/v1/maintenance", tag = "alerts", operation_id = "list_maintenance",
    params(PageParameters),
    responses((status = 200, description = "The windows", body = Page<api::MaintenanceWindow>))
)]
pub(crate) async fn list(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let windows: Vec<api::MaintenanceWindow> = alerts.windows().into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &wanted.cut(windows, |window| window.id.to_string())?))
}

/// Makes a maintenance window: no alert is sent while it lasts; dots go on.
#[utoipa::path(
    post, path = "/v1/maintenance", tag = "alerts", operation_id = "create_maintenance",
    request_body = NewWindow,
    responses(
        (status = 201, description = "Made", body = api::MaintenanceWindow),
        (status = 409, description = "There are too many"),
    )
)]
pub(crate) async fn create(
    Shared(alerts): Shared<alerts::Alerts>,
    by: Authorized<CanOperate>,
    body: Unchecked<NewWindow>,
) -> Result<Response, Problem> {
    let window = body.checked(NewWindow::read)?;
    let made = alerts.add_window(window, &by.caller.who()).await.map_err(|error| match error {
        WindowError::Wrong(InvalidHours { field, message }) => {
            Problem::fields(vec![FieldError::new(field, message)])
        }
        WindowError::TooMany => Problem::new(Code::WrongState, format!("{error}.")),
        WindowError::Store(error) => error.into(),
    })?;
    Ok(json(StatusCode::CREATED, &api::MaintenanceWindow::from(made)))
}

/// Takes a maintenance window out; what is broken then is notified.
#[utoipa::path(
    delete, path = "/v1/maintenance/{id}", tag = "alerts", operation_id = "remove_maintenance",
    params(("id" = String, Path, description = "The window's id")),
    responses((status = 204, description = "Taken out"))
)]
pub(crate) async fn remove(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    let missing = || {
        let detail = format!(
            "No maintenance window has the id {:?}; GET /v1/maintenance lists them.",
            shorten(&given)
        );
        Problem::new(Code::MaintenanceNotFound, detail)
    };
    let id: MaintenanceId = given.parse().map_err(|_| missing())?;
    if alerts.remove_window(id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_and_offsets_are_read_whole() {
        assert_eq!(time_of_day("02:30"), Some(150));
        assert_eq!(offset("-03:30"), Some(-210));
        for text in ["", "2:30", "24:00", "12:60", "+1:00", "12", "aa:bb", "02:30:00"] {
            assert_eq!(time_of_day(text), None, "{text}");
        }
        assert_eq!(offset("03:00"), None);
        assert_eq!(offset("ä"), None);
    }
}
