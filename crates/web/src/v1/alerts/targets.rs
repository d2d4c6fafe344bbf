//! `/v1/alert-targets`: who is notified.

use alerts::{TargetError, TestError, Tested};
use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use config::{AlertTargetFields, AlertTargetKind};
use domain::SecretText;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{json, located};
use crate::auth::{Authorized, CanArrangeAlerts, CanRead};
use crate::extract::{Json, PathParameter, hidden};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::v1::{Page, PageParameters, PageRequest};

/// The longest subject and text of a report, in characters.
const LONGEST_SUBJECT: usize = 200;
const LONGEST_TEXT: usize = 3_000;

/// A report to a target: no alert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    /// One line.
    #[schema(example = "moved from old.example.com to new.example.com")]
    subject: String,
    /// The rest.
    #[schema(example = "Requests were taken in again 4.0 s after the stop.")]
    text: String,
}

/// A target to be made: the fields of its kind, and no others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAlertTarget {
    /// What to call it.
    #[schema(pattern = "^[a-z0-9_-]{1,64}$", example = "owner")]
    name: String,
    /// What it is.
    #[schema(schema_with = schemas::target_kind)]
    kind: AlertTargetKind,
    /// `telegram`: the chat, by id or username.
    #[schema(example = "@demo_main")]
    chat: Option<String>,
    /// `telegram`: the account that writes there, unless the alert is about it; left out: any that can.
    account: Option<String>,
    /// `webhook`: where alerts are posted to. It is kept encrypted and never shown.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    url: Option<SecretText>,
    /// `webhook`: what posts are signed with: `whsec_` and a key in base64, or one word of 16 characters or more.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    secret: Option<SecretText>,
    /// `email`: the server that takes the mail, such as `smtps://USER:PASSWORD@mail.example.com`.
    #[serde(default, deserialize_with = "hidden::optional")]
    #[schema(value_type = Option<String>, format = Password, write_only)]
    smtp: Option<SecretText>,
    /// `email`: the sender.
    #[schema(example = "alerts@example.com")]
    from: Option<String>,
    /// `email`: who gets it.
    #[serde(default)]
    #[schema(max_items = 20)]
    to: Vec<String>,
}

/// Lists the targets.
#[utoipa::path(
    get, path = "/v1/alert-targets", tag = "alerts", operation_id = "list_alert_targets",
    params(PageParameters),
    responses((status = 200, description = "The targets and how each stands", body = Page<api::AlertTarget>))
)]
pub(crate) async fn list(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let targets: Vec<api::AlertTarget> = alerts.targets().await?.into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &wanted.cut(targets, |target| target.name.clone())?))
}

/// Makes a target. Its secrets are kept encrypted.
#[utoipa::path(
    post, path = "/v1/alert-targets", tag = "alerts", operation_id = "create_alert_target",
    request_body = NewAlertTarget,
    responses(
        (status = 201, description = "Made", body = api::AlertTarget),
        (status = 409, description = "The name is taken, or there are too many"),
    )
)]
pub(crate) async fn create(
    Shared(alerts): Shared<alerts::Alerts>,
    by: Authorized<CanArrangeAlerts>,
    body: Json<NewAlertTarget>,
) -> Result<Response, Problem> {
    let NewAlertTarget { name, kind, chat, account, url, secret, smtp, from, to } = body.value;
    let fields = AlertTargetFields { name, kind, chat, account, url, secret, smtp, from, to };
    let made = alerts.add_target(&fields, &by.caller.who()).await;
    let target: api::AlertTarget = made.map_err(|error| refused(error, &fields.name))?.into();
    Ok(json(StatusCode::CREATED, &target))
}

/// Takes a target out, with all that waits for it.
#[utoipa::path(
    delete, path = "/v1/alert-targets/{name}", tag = "alerts", operation_id = "remove_alert_target",
    params(("name" = String, Path, description = "The target's name")),
    responses(
        (status = 204, description = "Taken out"),
        (status = 409, description = "The settings file has it"),
    )
)]
pub(crate) async fn remove(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanArrangeAlerts>,
    PathParameter(name): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    alerts.remove_target(&name).await.map_err(|error| refused(error, &name))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a target a test notification, and answers within ten seconds what came of it.
///
/// 202 when the message to a chat is still on its way; `why` says what it waits for. A target that was turned off and takes it is on again.
#[utoipa::path(
    post, path = "/v1/alert-targets/{name}/test", tag = "alerts", operation_id = "test_alert_target",
    params(("name" = String, Path, description = "The target's name")),
    responses(
        (status = 200, description = "The target has it", body = api::TargetTest),
        (status = 202, description = "It is on its way", body = api::TargetTest),
        (status = 502, description = "The target did not take it"),
    )
)]
pub(crate) async fn test(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanArrangeAlerts>,
    PathParameter(name): PathParameter<String>,
) -> Result<Response, Problem> {
    answer(&name, alerts.test(&name).await)
}

/// Sends a target what is no alert: a report, such as that of a move. Answers within ten seconds what came of it.
///
/// 202 when the message to a chat is still on its way; `why` says what it waits for.
#[utoipa::path(
    post, path = "/v1/alert-targets/{name}/report", tag = "alerts", operation_id = "report_to_alert_target",
    params(("name" = String, Path, description = "The target's name")),
    request_body = Report,
    responses(
        (status = 200, description = "The target has it", body = api::TargetTest),
        (status = 202, description = "It is on its way", body = api::TargetTest),
        (status = 502, description = "The target did not take it"),
    )
)]
pub(crate) async fn report(
    Shared(alerts): Shared<alerts::Alerts>,
    _: Authorized<CanArrangeAlerts>,
    PathParameter(name): PathParameter<String>,
    body: Json<Report>,
) -> Result<Response, Problem> {
    let Report { subject, text } = body.value;
    let long = [("subject", &subject, LONGEST_SUBJECT), ("text", &text, LONGEST_TEXT)];
    let wrong: Vec<FieldError> = long
        .into_iter()
        .filter(|(_, words, most)| words.trim().is_empty() || words.chars().count() > *most)
        .map(|(field, _, most)| {
            FieldError::new(field, format!("is empty or too long: write 1 to {most} characters"))
        })
        .collect();
    if !wrong.is_empty() {
        return Err(Problem::fields(wrong));
    }
    answer(&name, alerts.report(&name, &subject, &text).await)
}

fn answer(name: &str, tested: Result<Tested, TestError>) -> Result<Response, Problem> {
    match tested {
        Ok(Tested::Delivered) => {
            Ok(json(StatusCode::OK, &api::TargetTest { delivered: true, message: None, why: None }))
        }
        Ok(Tested::Queued { message, why }) => {
            let test = api::TargetTest { delivered: false, message: Some(message), why: Some(why) };
            let answer = json(StatusCode::ACCEPTED, &test);
            Ok(located(answer, &format!("/v1/messages/{message}")))
        }
        Err(TestError::NoSuchTarget) => Err(no_such_target(name)),
        Err(error @ (TestError::Refused(_) | TestError::AtRest)) => {
            Err(Problem::new(Code::TargetRefused, format!("The alert did not reach {name}: {error}.")))
        }
    }
}

fn no_such_target(given: &str) -> Problem {
    let detail = format!("No target is named {:?}; GET /v1/alert-targets lists the names.", shorten(given));
    Problem::new(Code::TargetNotFound, detail)
}

fn refused(error: TargetError, given: &str) -> Problem {
    match error {
        TargetError::Wrong(wrong) => Problem::fields(
            wrong.into_iter().map(|wrong| FieldError::new(wrong.field, wrong.message)).collect(),
        ),
        TargetError::Exists => {
            let detail = format!("There is a target named {:?} already; take another name.", shorten(given));
            Problem::new(Code::TargetExists, detail)
        }
        TargetError::TooMany => Problem::new(Code::WrongState, format!("{error}.")),
        TargetError::InSettings => {
            let detail = format!(
                "The target {:?} stands in the settings file; change it there and restart.",
                shorten(given)
            );
            Problem::new(Code::TargetIsInSettings, detail)
        }
        TargetError::NoSuchTarget => no_such_target(given),
        TargetError::Store(error) => error.into(),
    }
}
