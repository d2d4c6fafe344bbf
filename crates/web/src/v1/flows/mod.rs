//! `/v1/flows`: flows, starting and stopping them, their runs, and trying them.

mod definitions;
mod files;
mod look;
mod runs;
mod switch;
mod try_out;

use crate::routing::routes;
use ::flows::{ControlError, FlowControl, FlowView};
use api::Flow;
use utoipa_axum::router::OpenApiRouter;

use crate::problem::{Code, Problem, shorten};
use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(look::list))
        .routes(routes!(look::get))
        .routes(routes!(look::stats))
        .routes(routes!(switch::start))
        .routes(routes!(switch::stop))
        .routes(routes!(runs::list))
        .routes(routes!(runs::get))
        .routes(routes!(definitions::list))
        .routes(routes!(definitions::get, definitions::write, definitions::remove))
        .routes(routes!(files::list))
        .routes(routes!(try_out::check))
        .routes(routes!(try_out::simulate))
        .routes(routes!(try_out::dry_run))
}

/// The flow of a name.
fn find_flow(state: &State, given: &str) -> Result<FlowView, Problem> {
    state.flows().get(given).ok_or_else(|| no_such_flow(given))
}

/// A flow as the API shows it.
fn shown(state: &State, view: FlowView) -> Result<Flow, Problem> {
    // It may be gone since.
    let settings = state.flows().definition(&view.name).ok_or_else(|| no_such_flow(&view.name))?;
    Ok(Flow::of(view, &settings))
}

fn no_such_flow(given: &str) -> Problem {
    let detail = format!("No flow has the name {:?}; GET /v1/flows lists them.", shorten(given));
    Problem::new(Code::FlowNotFound, detail)
}

fn problem(error: ControlError) -> Problem {
    match error {
        ControlError::Unknown(name) => no_such_flow(&name),
        ControlError::Store(error) => error.into(),
    }
}
