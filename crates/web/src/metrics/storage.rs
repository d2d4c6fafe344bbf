//! The store in numbers: how it writes, and how much room it takes and has.

use store::Stats;

use super::text::{Page, Unit};
use crate::state::State;

pub(super) fn write(page: &mut Page, state: &State, stock: Option<&Stats>) {
    page.gauge(
        "switchboard_store_up",
        "Whether the store answered when it was asked for these numbers: 1 or 0.",
    )
    .add(&[], stock.is_some());
    let (written, times) = (state.store().written(), state.store().write_times());
    page.counter("switchboard_store_writes_total", "Writes that were handed to the store.")
        .add(&[], written.writes);
    page.counter("switchboard_store_commits_total", "Commits that the store took for them.")
        .add(&[], written.commits);
    page.counter("switchboard_store_syncs_total", "Commits that waited for the disk.")
        .add(&[], written.synced);
    page.counter("switchboard_store_statements_total", "Statements that these writes took.")
        .add(&[], written.statements);
    page.histogram("switchboard_store_group_size", "Writes that were committed together.").add_spread(
        &[],
        &times.groups,
        Unit::Plain,
    );
    page.histogram(
        "switchboard_store_commit_duration_seconds",
        "From the beginning of a group of writes to its end.",
    )
    .add_spread(&[], &times.commits, Unit::Time);
    page.histogram(
        "switchboard_store_write_duration_seconds",
        "From when a write was handed over until it was committed and answered.",
    )
    .add_spread(&[], &times.writes, Unit::Time);
    let gauges = [
        (
            "switchboard_store_database_bytes",
            "The size of the database file.",
            stock.map(|stock| stock.database_bytes),
        ),
        (
            "switchboard_store_wal_bytes",
            "The size of the database's log.",
            stock.map(|stock| stock.log_bytes),
        ),
        (
            "switchboard_disk_free_bytes",
            "What is free on the disk of the data directory.",
            stock.and_then(|stock| stock.free_bytes),
        ),
    ];
    for (name, help, number) in gauges {
        let mut gauge = page.gauge(name, help);
        if let Some(number) = number {
            gauge.add(&[], number);
        }
    }
}
