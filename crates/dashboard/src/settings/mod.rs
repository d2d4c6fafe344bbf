//! Settings: oneself, people, API keys, who is told of alerts, maintenance, backups, and the audit log.

mod alerts;
mod audit;
mod backups;
mod keys;
mod maintenance;
mod me;
mod people;
mod second_factor;
mod tabs;
#[cfg(test)]
pub(crate) mod tests;

use axum::Router;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::dashboard::Dashboard;
pub(crate) use backups::{Standing, Verdict};
pub(crate) use tabs::Tab;
use tabs::Tabs;

/// The routes of settings.
pub(crate) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/settings", get(|| async { Redirect::to(Tab::Me.path()) }))
        .route("/settings/me", get(me::show))
        .route("/settings/me/actions/change-password", post(me::change_password))
        .route("/settings/me/actions/end-session", post(me::end_session))
        .route("/settings/me/actions/end-other-sessions", post(me::end_other_sessions))
        .route("/settings/me/second-factor", get(second_factor::show))
        .route("/settings/me/actions/offer-second-factor", post(second_factor::offer))
        .route("/settings/me/actions/confirm-second-factor", post(second_factor::confirm))
        .route("/settings/me/actions/drop-second-factor", post(second_factor::drop_it))
        .route("/settings/me/actions/renew-recovery-codes", post(second_factor::renew))
        .route("/settings/people", get(people::show))
        .route("/settings/people/actions/add", post(people::add))
        .route("/settings/people/{name}", get(people::one))
        .route("/settings/people/{name}/remove", get(people::ask_remove))
        .route("/settings/people/{name}/actions/{action}", post(people::act))
        .route("/settings/keys", get(keys::show))
        .route("/settings/keys/actions/create", post(keys::create))
        .route("/settings/keys/{id}/revoke", get(keys::ask_revoke))
        .route("/settings/keys/{id}/actions/revoke", post(keys::revoke))
        .route("/settings/alerts", get(alerts::show))
        .route("/settings/alerts/actions/add", post(alerts::add))
        .route("/settings/alerts/{name}/remove", get(alerts::ask_remove))
        .route("/settings/alerts/{name}/actions/{action}", post(alerts::act))
        .route("/settings/maintenance", get(maintenance::show))
        .route("/settings/maintenance/actions/once", post(maintenance::once))
        .route("/settings/maintenance/actions/weekly", post(maintenance::weekly))
        .route("/settings/maintenance/{id}/remove", get(maintenance::ask_remove))
        .route("/settings/maintenance/{id}/actions/remove", post(maintenance::remove))
        .route("/settings/backups", get(backups::show))
        .route("/settings/backups/actions/create", post(backups::create))
        .route("/settings/backups/{name}/actions/check", post(backups::check))
        .route("/settings/backups/{name}/content", get(backups::download))
        .route("/settings/audit", get(audit::show))
}

/// A form without fields of its own.
#[derive(serde::Deserialize)]
struct Nothing {}
