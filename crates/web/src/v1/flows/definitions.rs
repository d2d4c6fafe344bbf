//! `/v1/flow-definitions`: flows that are written while the program runs.

use ::flows::{EditError, FlowsError, StoredDefinition};
use api::FlowDefinition;
use axum::extract::State as Shared;
use axum::response::Response;
use config::{Problem as Wrong, SettingSource};
use domain::Timestamp;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{Authorized, CanAdminister, CanRead};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// The longest text of a flow, in bytes.
const LONGEST: usize = 64 * 1024;

/// A flow to be kept.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFlowDefinition {
    /// One flow, as a file of the folder `flows` has it, with the name of the path.
    #[schema(example = "[[flows]]\nname = \"trip\"\naccount = \"main\"\nwatch = \"@demo_trips_bot\"\n\
        trigger = { text = \"New trip\" }\nsteps = [{ press = { text = \"Book\" } }]\n")]
    text: String,
    /// `changed_at` of the definition that it replaces; left out, there must be none of this name.
    #[serde(default)]
    replaces: Option<Timestamp>,
}

/// Lists the flows that were written while the program ran, by name. Those of the settings are none of them.
#[utoipa::path(
    get, path = "/v1/flow-definitions", tag = "flows", operation_id = "list_flow_definitions",
    params(PageParameters),
    responses((status = 200, description = "The definitions, and what keeps one from being in use", body = Page<FlowDefinition>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let kept = state.flows().kept().await?;
    let kept: Vec<_> = kept.into_iter().map(FlowDefinition::from).collect();
    Ok(json(StatusCode::OK, &wanted.cut(kept, |definition| definition.name.clone())?))
}

/// Shows a flow as it was written.
#[utoipa::path(
    get, path = "/v1/flow-definitions/{name}", tag = "flows", operation_id = "get_flow_definition",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, description = "The definition", body = FlowDefinition))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let kept = state.flows().kept().await?;
    let found = kept.into_iter().find(|kept| kept.definition.name == given);
    let found = found.ok_or_else(|| no_such_definition(&given))?;
    Ok(json(StatusCode::OK, &FlowDefinition::from(found)))
}

/// Keeps a flow and takes it in use at once, in the place of the one there is.
#[utoipa::path(
    put, path = "/v1/flow-definitions/{name}", tag = "flows", operation_id = "write_flow_definition",
    params(("name" = String, Path, description = "The flow's name")),
    request_body = NewFlowDefinition,
    responses(
        (status = 200, description = "It is kept and in use", body = FlowDefinition),
        (status = 409, description = "A flow of the settings has the name: `flow_is_in_settings`; or the definition is another one than `replaces` names: `wrong_state`"),
        (status = 422, description = "The text is wrong; each of the errors names its line"),
    )
)]
pub(crate) async fn write(
    Shared(state): Shared<State>,
    by: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
    body: Json<NewFlowDefinition>,
) -> Result<Response, Problem> {
    let NewFlowDefinition { text, replaces } = body.value;
    if text.len() > LONGEST {
        let message = format!("has {} bytes; {LONGEST} at most", text.len());
        return Err(Problem::fields(vec![FieldError::new("text", message)]));
    }
    let definition = state.flows().save(&given, text, replaces, by.caller.who()).await.map_err(problem)?;
    Ok(json(StatusCode::OK, &FlowDefinition::from(StoredDefinition { definition, problems: Vec::new() })))
}

/// Removes a flow that was written while the program ran, and ends its runs.
#[utoipa::path(
    delete, path = "/v1/flow-definitions/{name}", tag = "flows", operation_id = "remove_flow_definition",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 204, description = "It is removed"))
)]
pub(crate) async fn remove(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
    PathParameter(given): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    if state.flows().remove(&given).await.map_err(problem)? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_such_definition(&given))
    }
}

fn no_such_definition(given: &str) -> Problem {
    let detail = format!(
        "No flow with the name {:?} was written here; GET /v1/flow-definitions lists those that were.",
        shorten(given)
    );
    Problem::new(Code::FlowNotFound, detail)
}

fn problem(error: EditError) -> Problem {
    match error {
        EditError::Wrong(problems) => Problem::fields(problems.iter().map(wrong).collect()),
        EditError::InSettings(_) => {
            Problem::new(Code::FlowIsInSettings, format!("It is not saved: {error}."))
        }
        EditError::Changed(_) | EditError::TooMany => {
            Problem::new(Code::WrongState, format!("It is not saved: {error}."))
        }
        EditError::Store(error) | EditError::Flows(FlowsError::Store(error)) => error.into(),
        EditError::Flows(error) => {
            Problem::new(Code::Internal, format!("It is saved and not in use: {error}."))
        }
    }
}

/// Something that is wrong in the text, with its place.
fn wrong(problem: &Wrong) -> FieldError {
    let place = match &problem.place {
        SettingSource::File { line, column, .. } => format!(", line {line}, character {column}"),
        SettingSource::Environment(_) | SettingSource::Defaults => String::new(),
    };
    FieldError::new("text", format!("has something wrong{place}: `{}` {}", problem.key, problem.message))
}
