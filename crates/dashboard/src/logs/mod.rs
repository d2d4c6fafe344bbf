//! The log lines: searching, looking at one, following them, and taking them away as a file.

mod chart;
mod follow;
mod list;
mod marked;
mod one;
mod query;
mod row;
mod take_away;

use axum::Router;
use axum::routing::get;

use crate::dashboard::Dashboard;

/// The routes of the log lines.
pub(crate) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/logs", get(list::show))
        .route("/logs/download", get(take_away::send))
        .route("/logs/{id}", get(one::show))
        .route("/live/logs", get(follow::follow))
}
