//! Flows: which there are, what their runs did to the microsecond, how fast they are, and trying them.

pub(crate) mod act;
pub(crate) mod edit;
pub(crate) mod list;
pub(crate) mod one;
pub(crate) mod run;
mod speed;
pub(crate) mod try_out;

use api::{Flow, FlowDefinition, FlowRun, FlowRunMoment};
use axum::response::Response;
use http::Method;

use crate::ask::Refused;
use crate::dashboard::Dashboard;
use crate::page::{refusal, segment};
use crate::view::{Linked, Tint};
use crate::visitor::Visitor;

const HERE: &str = "/flows";
const API: &str = "/v1/flows";

impl Linked for Flow {
    fn path(&self) -> String {
        format!("{HERE}/{}", segment(&self.name))
    }
}

impl Linked for FlowRun {
    fn path(&self) -> String {
        run_path(&self.id)
    }
}

fn run_path(id: &impl ToString) -> String {
    format!("/flow-runs/{}", id.to_string())
}

/// Whether it begins runs on one of its accounts at least.
fn is_on(flow: &Flow) -> bool {
    flow.accounts.iter().any(|on| on.state != "stopped")
}

fn tint(moment: &FlowRunMoment) -> Tint {
    match moment.stage.as_str() {
        "pressed" | "expected" | "sent" => Tint::Good,
        "answered" if moment.note.is_none() => Tint::Good,
        "refused" | "address" | "restarted" | "interrupted" | "skipped" => Tint::Waiting,
        "ended" if moment.note.as_deref() == Some("done") => Tint::Good,
        "failed" | "ended" => Tint::Bad,
        _ => Tint::Idle,
    }
}

async fn find(dashboard: &Dashboard, visitor: &Visitor, name: &str) -> Result<Flow, Box<Response>> {
    let path = format!("{API}/{}", segment(name));
    let found = dashboard.ask::<Flow>(visitor, Method::GET, &path, None).await;
    found.map_err(|why| Box::new(refusal::of_api(visitor, &why)))
}

/// A flow that was written here, as it was written.
async fn kept(dashboard: &Dashboard, visitor: &Visitor, name: &str) -> Result<FlowDefinition, Refused> {
    let path = format!("/v1/flow-definitions/{}", segment(name));
    dashboard.ask(visitor, Method::GET, &path, None).await
}
