//! `/v1/doctor`: what is wrong with this server and its machine, and what mends it.

mod inside;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::response::Response;
use doctor::{Inside, Patient, Report, Server, ServerReply, examine, settings_fingerprint};
use domain::Timestamp;
use http::StatusCode;
use machine::{Journal, Root};
use tokio::sync::Mutex;

use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;

/// Anyone who asks again so soon gets the same report: an examination reads many files and calls others.
const FRESH: Duration = Duration::from_secs(5);

/// The last report. One examination at a time; who comes meanwhile waits for it.
#[derive(Default)]
pub(crate) struct LastReport(Mutex<Option<Arc<Report>>>);

/// Examines this server: its settings against the machine, and everything that a person should see to.
///
/// Each finding has a stable code, what shows it, and what mends it. Something is wrong when a finding is an error or a
/// warning; notes are worth knowing. `looked` says how far this server could see: what belongs to other users is hidden
/// from it, and `switchboard doctor` run as root sees more. A report is at most five seconds old.
#[utoipa::path(
    get, path = "/v1/doctor", tag = "system", operation_id = "examine",
    params(("facts" = Option<bool>, Query, description = "Add what only the server knows, as `switchboard doctor` needs it")),
    responses((status = 200, description = "The report", body = api::DoctorReport))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let facts = query.take::<bool>("facts").unwrap_or_default();
    query.finish()?;
    let report = state.last_report().get(&state).await;
    Ok(json(StatusCode::OK, &api::DoctorReport::new(&report, facts)))
}

impl LastReport {
    async fn get(&self, state: &State) -> Arc<Report> {
        let mut last = self.0.lock().await;
        let now = state.clock().now();
        if let Some(report) = last.as_ref().filter(|report| is_fresh(report.made_at, now)) {
            return Arc::clone(report);
        }
        let report = Arc::new(look(state).await);
        *last = Some(Arc::clone(&report));
        report
    }
}

fn is_fresh(made_at: Timestamp, now: Timestamp) -> bool {
    made_at <= now && now.since(made_at) < FRESH
}

async fn look(state: &State) -> Report {
    let options = state.options();
    let examined = &options.examined;
    let inside = inside::of(state).await;
    let patient = Patient {
        version: env!("CARGO_PKG_VERSION"),
        root: Root::default(),
        data_dir: examined.data_dir.clone(),
        settings_file: examined.settings_file.clone(),
        settings: Ok((*examined.settings).clone()),
        master_key: Err("the server has it".to_owned()),
        journal: Journal::System,
        reach: true,
        legacy: None,
        import: String::new(),
        clock: state.clock().clone(),
    };
    // This server runs with what it looks at: a `--listen` of its command line makes it no other than its settings.
    let settings = settings_fingerprint(&examined.settings);
    let own = Inside { server: Server { settings, ..inside.server.clone() }, ..inside.clone() };
    let mut report = examine(patient, ServerReply::Server(Box::new(own))).await.report;
    report.server = Some(inside.server.clone());
    report.inside = Some(Box::new(inside));
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_expires_soon_and_when_the_clock_goes_back() {
        let made = Timestamp::from_micros(10_000_000);
        assert!(is_fresh(made, made) && is_fresh(made, made.plus(Duration::from_secs(4))));
        assert!(!is_fresh(made, made.plus(FRESH)) && !is_fresh(made, made.minus(Duration::from_secs(1))));
    }
}
