//! `/v1/alerts`, `/v1/mutes`, `/v1/maintenance` and `/v1/alert-targets`: who is notified when something stays broken.

mod list;
mod maintenance;
mod mutes;
mod targets;

use crate::routing::routes;
use domain::AlertId;
use utoipa_axum::router::OpenApiRouter;

use crate::problem::{Code, Problem, shorten};
use crate::state::State;

pub(super) fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new()
        .routes(routes!(list::list))
        .routes(routes!(list::get))
        .routes(routes!(mutes::mute_alert, mutes::unmute_alert))
        .routes(routes!(mutes::list, mutes::create))
        .routes(routes!(mutes::remove))
        .routes(routes!(targets::list, targets::create))
        .routes(routes!(targets::remove))
        .routes(routes!(targets::test))
        .routes(routes!(targets::report))
        .routes(routes!(maintenance::list, maintenance::create))
        .routes(routes!(maintenance::remove))
}

fn read_alert(given: &str) -> Result<AlertId, Problem> {
    given.parse().map_err(|_| no_such_alert(given))
}

fn no_such_alert(given: &str) -> Problem {
    let detail = format!("No alert has the id {:?}; GET /v1/alerts lists them.", shorten(given));
    Problem::new(Code::AlertNotFound, detail)
}
