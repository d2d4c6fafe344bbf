//! The kept log lines in numbers: those that were written, those that were not, and the room they take.

use super::text::Page;
use crate::state::State;

pub(super) fn write(page: &mut Page, state: &State) {
    let counts = state.logs().counts();
    page.counter("switchboard_log_lines_total", "Log lines, by what became of them.")
        .add(&[("result", "kept")], counts.written)
        .add(&[("result", "dropped")], counts.dropped)
        .add(&[("result", "lost")], counts.lost);
    page.gauge("switchboard_log_bytes", "The kept log lines, packed.").add(&[], counts.size);
    let mut budget = page.gauge("switchboard_log_budget_bytes", "The most that the kept log lines may take.");
    if let Some(bytes) = state.logs().budget() {
        budget.add(&[], bytes);
    }
}
