//! `/metrics`: the program in numbers, in the text format of Prometheus, written at the moment they are asked for.
//!
//! Most numbers are read from where they are kept anyway; the others are counters beside the work, an addition each.
//! No label holds anything that a caller chose, and none names a chat, a person, a phone or a key.

mod accounts;
mod flows;
mod logs;
mod requests;
mod storage;
mod text;
mod traffic;
mod work;

use std::time::Duration;

use axum::body::Body;
use axum::extract::State as Shared;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;

pub(crate) use traffic::{Traffic, count};

use health::Usage;

use crate::auth::{Authorized, CanRead};
use crate::state::State;
use text::Page;

/// The type of the text format.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// How long the store may take to count.
const STORE_TIME: Duration = Duration::from_secs(5);

pub(crate) async fn page(_: Authorized<CanRead>, Shared(state): Shared<State>) -> Response {
    let stock = match tokio::time::timeout(STORE_TIME, state.store().stats()).await {
        Ok(Ok(stock)) => Some(stock),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the store could not be counted");
            None
        }
        Err(_) => None,
    };
    let process = tokio::task::spawn_blocking(health::usage).await.unwrap_or_default();
    let mut page = Page::default();
    program(&mut page, &state, &process);
    work::write(&mut page, &state, stock.as_ref());
    accounts::write(&mut page, &state);
    flows::write(&mut page, &state);
    storage::write(&mut page, &state, stock.as_ref());
    logs::write(&mut page, &state);
    requests::write(&mut page, &state);
    let mut response = Response::new(Body::from(page.finish()));
    response.headers_mut().insert(CONTENT_TYPE, TEXT);
    response
}

fn program(page: &mut Page, state: &State, process: &Usage) {
    page.gauge("switchboard_build_info", "Always 1; the labels say which build runs.")
        .add(&[("version", env!("CARGO_PKG_VERSION"))], 1_u64);
    page.gauge("switchboard_uptime_seconds", "Seconds since the start.").add(&[], state.uptime());
    page.gauge("switchboard_ready", "Whether every account is past connecting: 1 or 0.")
        .add(&[], state.pool().settled() && !state.is_stopping());
    let mut cpu =
        page.counter("process_cpu_seconds_total", "Processor time in user and system mode, in seconds.");
    if let Some(time) = process.cpu {
        cpu.add(&[], time);
    }
    let gauges = [
        ("process_resident_memory_bytes", "Memory that is in use, in bytes.", process.resident_bytes),
        ("process_virtual_memory_bytes", "Memory that is addressed, in bytes.", process.virtual_bytes),
        ("process_threads", "Threads.", process.threads),
        ("process_open_fds", "Open files and connections.", process.open_files),
        ("process_max_fds", "How many files and connections may be open.", process.most_files),
    ];
    for (name, help, number) in gauges {
        let mut gauge = page.gauge(name, help);
        if let Some(number) = number {
            gauge.add(&[], number);
        }
    }
}
