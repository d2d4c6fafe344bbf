//! Trying flows: whether a text of them is right, and what one would do on messages.

use std::path::Path;

use ::flows::{DryRunError, Shown};
use api::{FlowCheck, FlowProblem, FlowSimulation};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{Button, ButtonDeed, Keyboard, TelegramMessageId};
use http::StatusCode;
use serde::Deserialize;
use telegram::TargetError;
use utoipa::ToSchema;

use super::find_flow;
use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// Messages of one simulation at most.
const MOST_MESSAGES: usize = 1000;

/// A text with flows.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowText {
    /// The text, as in a file of the folder `flows`.
    #[schema(example = "[[flows]]\nname = \"trip\"\naccount = \"main\"\nwatch = \"@demo_trips_bot\"\n\
        trigger = { text = \"New trip\" }\nsteps = [{ press = { text = \"Book\" } }]\n")]
    text: String,
}

/// Messages to try a flow on; left out, they are made of the flow itself, so that all its buttons are pressed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"messages": [{"text": "New trip from Tver", "buttons": [["Book", "Details"]]}]}))]
pub(crate) struct ShownMessages {
    /// The messages, in the order in which they come.
    #[serde(default)]
    messages: Option<Vec<ShownMessage>>,
}

/// A message that a bot would show.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownMessage {
    /// Its number; the same number as before means that the message is edited.
    #[serde(default = "first")]
    #[schema(example = 1, default = 1)]
    id: i32,
    /// Its text.
    #[serde(default)]
    text: String,
    /// The labels of its buttons, row by row.
    #[serde(default)]
    buttons: Vec<Vec<String>>,
}

const fn first() -> i32 {
    1
}

/// Checks a text with flows. Nothing is changed.
#[utoipa::path(
    post, path = "/v1/flows/check", tag = "flows", operation_id = "check_flows",
    request_body = FlowText,
    responses((status = 200, description = "The flows that it has, or all that is wrong", body = FlowCheck))
)]
pub(crate) async fn check(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    body: Json<FlowText>,
) -> Response {
    let accounts = state.pool().accounts().into_iter().map(|account| account.name);
    let accounts: Vec<_> = accounts.filter(|name| caller.shows_account(name)).collect();
    let (flows, problems, warnings) =
        match config::check_flows(&body.value.text, Path::new("/flows.toml"), &accounts) {
            Ok((flows, warnings)) => (flows, Vec::new(), warnings),
            Err(problems) => (Vec::new(), problems, Vec::new()),
        };
    let views = |problems: Vec<config::Problem>| problems.into_iter().map(FlowProblem::from).collect();
    let checked = FlowCheck {
        flows: flows.into_iter().map(|flow| flow.name).collect(),
        problems: views(problems),
        warnings: views(warnings),
    };
    std::future::ready(json(StatusCode::OK, &checked)).await
}

/// Tries a flow on messages that are handed in, or on those that it hopes for. Nothing is pressed, hours and limits do not count, and every press is
/// answered at once.
#[utoipa::path(
    post, path = "/v1/flows/{name}/simulate", tag = "flows", operation_id = "simulate_flow",
    params(("name" = String, Path, description = "The flow's name")),
    request_body = ShownMessages,
    responses((status = 200, description = "What it would do on each message", body = FlowSimulation))
)]
pub(crate) async fn simulate(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
    body: Json<ShownMessages>,
) -> Result<Response, Problem> {
    let name = find_flow(&state, &given)?.name;
    let wrong = |message: &str| Problem::fields(vec![FieldError::new("messages", message)]);
    if body.value.messages.as_ref().is_some_and(|messages| messages.len() > MOST_MESSAGES) {
        return Err(wrong("are too many: send 1000 at most"));
    }
    let shown: Option<Vec<_>> = match body.value.messages {
        Some(messages) => {
            let shown: Option<_> = messages.into_iter().map(shown).collect();
            Some(shown.ok_or_else(|| wrong("have an id below 1: write 1 or more"))?)
        }
        None => None,
    };
    let simulation = state.flows().simulate(&name, shown.as_deref()).map_err(super::problem)?;
    let simulation =
        simulation.ok_or_else(|| wrong("are needed: none can be made of the expressions of this flow"))?;
    Ok(json(StatusCode::OK, &FlowSimulation::from(simulation)))
}

/// Tries a flow on the ten newest messages of its chat, as its first account reads them. Nothing is pressed.
#[utoipa::path(
    post, path = "/v1/flows/{name}/dry-run", tag = "flows", operation_id = "dry_run_flow",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, description = "What it would do on each message that the account did not write", body = FlowSimulation))
)]
pub(crate) async fn dry_run(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let (_, simulation) = state.flows().dry_run(&given).await.map_err(|error| match error {
        DryRunError::Control(error) => super::problem(error),
        DryRunError::Target(error @ TargetError::NotFound(..)) => {
            Problem::new(Code::ChatNotFound, format!("{error}."))
        }
        DryRunError::Target(error) => Problem::new(Code::NoAccount, format!("{error}.")),
    })?;
    Ok(json(StatusCode::OK, &FlowSimulation::from(simulation)))
}

fn shown(message: ShownMessage) -> Option<Shown> {
    let button = |label: String| Button { deed: ButtonDeed::Callback(label.clone().into_bytes()), label };
    let rows: Vec<Vec<_>> =
        message.buttons.into_iter().map(|row| row.into_iter().map(button).collect()).collect();
    let keyboard = Some(Keyboard { rows }).filter(|keyboard| !keyboard.rows.is_empty());
    Some(Shown { message_id: TelegramMessageId::new(message.id)?, text: message.text, keyboard })
}
