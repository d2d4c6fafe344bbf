//! Flows in numbers. Their names are those of the flows in use.

use super::text::{Page, Unit};
use crate::state::State;

pub(super) fn write(page: &mut Page, state: &State) {
    let counted = state.flows().counted();
    let mut states =
        page.gauge("switchboard_flows", "Flows by state, each account of a flow counted by itself.");
    for (state, count) in counted.states {
        states.add(&[("state", state.as_str())], count);
    }
    let mut runs =
        page.counter("switchboard_flow_runs_total", "Runs that ended, by flow and how they ended.");
    for (name, flow) in &counted.flows {
        for (state, count) in &flow.ended {
            runs.add(&[("flow", name), ("end", state.as_str())], *count);
        }
    }
    let mut presses =
        page.counter("switchboard_flow_presses_total", "Presses, by flow and what became of them.");
    for (name, flow) in &counted.flows {
        for (outcome, count) in &flow.presses {
            presses.add(&[("flow", name), ("outcome", outcome.as_str())], *count);
        }
    }
    let mut left = page.counter(
        "switchboard_flow_messages_left_total",
        "Messages that fit a flow and began no run, by flow and why; stale: they came too late.",
    );
    for (name, flow) in &counted.flows {
        for (why, count) in &flow.skipped {
            left.add(&[("flow", name), ("why", why.as_str())], *count);
        }
    }
    let mut times = page
        .histogram("switchboard_flow_stage_duration_seconds", "How long the stages of runs took that ended.");
    for (stage, spread) in &counted.times {
        times.add_spread(&[("stage", stage.as_str())], spread, Unit::Time);
    }
}
