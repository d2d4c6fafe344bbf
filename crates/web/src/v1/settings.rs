//! `/v1/settings`: reading the settings again.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use crate::answer::json;
use crate::audit::Audited;
use crate::auth::{Authorized, CanAdminister};
use crate::problem::{Code, Problem};
use crate::reload::NotReloaded;
use crate::state::State;

/// Reads the settings file and the environment again, checks all of it, and applies what can change while the server runs.
///
/// Settings that are wrong change nothing: the answer is `settings_wrong` with what is wrong and where. What only a restart
/// applies is listed. Every setting says in the reference which of the two it is.
#[utoipa::path(
    post, path = "/v1/settings/reload", tag = "system", operation_id = "reload_settings",
    responses(
        (status = 200, description = "What was applied and what needs a restart", body = api::ReloadedSettings),
        (status = 409, description = "The settings are being read again already, or no server runs"),
        (status = 422, description = "The settings are wrong; nothing was changed"),
    )
)]
pub(crate) async fn reload(
    Shared(state): Shared<State>,
    _: Authorized<CanAdminister>,
) -> Result<Response, Problem> {
    let Some(requests) = state.reloading() else {
        return Err(Problem::new(Code::WrongState, "No server runs; it reads its settings when it starts."));
    };
    let reloaded = requests.ask().await.map_err(|error| match error {
        NotReloaded::Busy => Problem::new(Code::WrongState, format!("The request was turned away: {error}.")),
        NotReloaded::Stopping => Problem::new(Code::ShuttingDown, "The server is stopping."),
    })?;
    let reloaded = reloaded
        .map_err(|wrong| Problem::new(Code::SettingsWrong, format!("Nothing was changed: {wrong}")))?;
    let mut audited = Audited::default();
    for (name, keys) in [("applied", &reloaded.applied), ("needs_restart", &reloaded.needs_restart)] {
        if !keys.is_empty() {
            audited = audited.with(name, keys.join(", "));
        }
    }
    Ok(audited.of(json(StatusCode::OK, &reloaded)))
}
