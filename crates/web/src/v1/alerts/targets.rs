//! `/v1/alert-targets`: who is told.

use alerts::{TargetError, TargetView, TestError, Tested};
use axum::extract::State as Shared;
use axum::response::Response;
use config::{AlertTargetFields, AlertTargetKind};
use domain::{MessageId, SecretText, Timestamp};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::who;
use crate::answer::{json, located};
use crate::auth::{By, CanArrangeAlerts, CanRead};
use crate::extract::{Json, PathParameter, QueryParameters, hidden};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::{Page, PageParameters, Wanted, words};

/// Somebody who is told when something stays broken; without their secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlertTarget {
    /// Its name.
    #[schema(example = "owner")]
    name: String,
    /// What it is.
    #[schema(schema_with = words::target_kind)]
    kind: AlertTargetKind,
    /// Where it is, as far as that is no secret: the chat, the host of a webhook, the mailboxes.
    #[schema(example = "https://example.com")]
    place: String,
    /// Whether posts are signed.
    signed: bool,
    /// Where it was declared: `settings`, which alone can change it then, or `store`.
    #[schema(example = "store")]
    source: &'static str,
    /// When it was made, if it was made here.
    created_at: Option<Timestamp>,
    /// Who made it.
    #[schema(example = "anna")]
    created_by: Option<String>,
    /// How many notices wait for it.
    waiting: u64,
    /// Since when the oldest of them waits.
    waiting_since: Option<Timestamp>,
    /// When it took something last.
    told_at: Option<Timestamp>,
    /// When it did not, since then.
    failed_at: Option<Timestamp>,
    /// Why it did not.
    last_error: Option<String>,
    /// Since when it wants nothing more (a webhook that answered 410). A test that it takes turns it on again.
    off_at: Option<Timestamp>,
}

impl From<TargetView> for AlertTarget {
    fn from(target: TargetView) -> Self {
        let (created_at, created_by) = target.made.unzip();
        Self {
            name: target.name,
            kind: target.kind,
            place: target.place,
            signed: target.signed,
            source: target.origin.as_str(),
            created_at,
            created_by,
            waiting: target.waiting,
            waiting_since: target.waiting_since,
            told_at: target.told_at,
            failed_at: target.failed_at,
            last_error: target.last_error,
            off_at: target.off_at,
        }
    }
}

/// A target to be made: the fields of its kind, and no others.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAlertTarget {
    /// What to call it.
    #[schema(pattern = "^[a-z0-9_-]{1,64}$", example = "owner")]
    name: String,
    /// What it is.
    #[schema(schema_with = words::target_kind)]
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

/// What became of a test.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TargetTest {
    /// Whether the target has it already.
    told: bool,
    /// The message that is on its way to the chat.
    #[schema(value_type = Option<String>)]
    message: Option<MessageId>,
    /// What that message waits for, in words.
    #[schema(example = "no account can write there at the moment")]
    why: Option<String>,
}

/// Lists the targets.
#[utoipa::path(
    get, path = "/v1/alert-targets", tag = "alerts", operation_id = "list_alert_targets",
    params(PageParameters),
    responses((status = 200, description = "The targets and how each stands", body = Page<AlertTarget>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let wanted = Wanted::take(&mut query);
    query.finish()?;
    let targets: Vec<AlertTarget> = state.alerts().targets().await?.into_iter().map(Into::into).collect();
    Ok(json(StatusCode::OK, &wanted.cut(targets, |target| target.name.clone())?))
}

/// Makes a target. Its secrets are kept encrypted.
#[utoipa::path(
    post, path = "/v1/alert-targets", tag = "alerts", operation_id = "create_alert_target",
    request_body = NewAlertTarget,
    responses(
        (status = 201, description = "Made", body = AlertTarget),
        (status = 409, description = "The name is taken, or there are too many"),
    )
)]
pub(crate) async fn create(
    Shared(state): Shared<State>,
    by: By<CanArrangeAlerts>,
    body: Json<NewAlertTarget>,
) -> Result<Response, Problem> {
    let NewAlertTarget { name, kind, chat, account, url, secret, smtp, from, to } = body.value;
    let fields = AlertTargetFields { name, kind, chat, account, url, secret, smtp, from, to };
    let made = state.alerts().add_target(&fields, &who(&by.caller)).await;
    let target: AlertTarget = made.map_err(|error| refused(error, &fields.name))?.into();
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
    Shared(state): Shared<State>,
    _: By<CanArrangeAlerts>,
    PathParameter(name): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    state.alerts().remove_target(&name).await.map_err(|error| refused(error, &name))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tells a target that this is a test, and answers within ten seconds what came of it.
///
/// 202 when the message to a chat is still on its way; `why` says what it waits for. A target that was turned off and takes it is on again.
#[utoipa::path(
    post, path = "/v1/alert-targets/{name}/test", tag = "alerts", operation_id = "test_alert_target",
    params(("name" = String, Path, description = "The target's name")),
    responses(
        (status = 200, description = "The target has it", body = TargetTest),
        (status = 202, description = "It is on its way", body = TargetTest),
        (status = 502, description = "The target did not take it"),
    )
)]
pub(crate) async fn test(
    Shared(state): Shared<State>,
    _: By<CanArrangeAlerts>,
    PathParameter(name): PathParameter<String>,
) -> Result<Response, Problem> {
    match state.alerts().test(&name).await {
        Ok(Tested::Delivered) => {
            Ok(json(StatusCode::OK, &TargetTest { told: true, message: None, why: None }))
        }
        Ok(Tested::Queued { message, why }) => {
            let test = TargetTest { told: false, message: Some(message), why: Some(why) };
            let answer = json(StatusCode::ACCEPTED, &test);
            Ok(located(answer, &format!("/v1/messages/{message}")))
        }
        Err(TestError::NoSuchTarget) => Err(no_such_target(&name)),
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
