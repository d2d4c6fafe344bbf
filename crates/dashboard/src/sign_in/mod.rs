//! The door: name and password, a code where there is a second factor, and the way out.

mod door;
mod enter;
mod leave;
mod stranger;
#[cfg(test)]
mod tests;

use axum::Router;
use axum::routing::{get, post};

use crate::dashboard::Dashboard;

/// The routes of the door. They are for whoever has not signed in.
pub(crate) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/sign-in", get(enter::show).post(enter::password))
        .route("/sign-in/code", post(enter::code))
        .route("/sign-out", post(leave::leave))
}
