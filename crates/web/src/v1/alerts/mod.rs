//! `/v1/alerts`, `/v1/mutes`, `/v1/maintenance` and `/v1/alert-targets`: who is notified when something stays broken.

pub(crate) mod list;
pub(crate) mod maintenance;
pub(crate) mod mutes;
pub(crate) mod targets;

use domain::AlertId;

use crate::problem::{Code, Problem, shorten};

fn read_alert(given: &str) -> Result<AlertId, Problem> {
    given.parse().map_err(|_| no_such_alert(given))
}

fn no_such_alert(given: &str) -> Problem {
    let detail = format!("No alert has the id {:?}; GET /v1/alerts lists them.", shorten(given));
    Problem::new(Code::AlertNotFound, detail)
}
