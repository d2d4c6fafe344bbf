//! Each request as a log line: which route, which answer, how long. Never what was in it, and never its path, which callers
//! choose.
//!
//! The lines carry the path of this module as their target, so that the writer of logs can distinguish the many of them from
//! the few of the program.

use std::time::Duration;

use http::Method;

/// A request has its answer. Those that only look are logged at `debug`: pages that refresh themselves make thousands. What
/// failed for its caller is an `error`; a probe that learns that something is wrong has not failed.
pub(crate) fn answered(
    listener: &str,
    method: &Method,
    route: &str,
    is_probe: bool,
    status: u16,
    took: Duration,
) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    // Methods that callers invent are logged as what they are: unknown.
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let method = known.iter().find(|known| *known == method).map_or("other", Method::as_str);
    if status >= 500 && !is_probe {
        tracing::error!(listener, method, route, status, took_ms, "answered");
    } else if status >= 500 {
        tracing::warn!(listener, method, route, status, took_ms, "answered");
    } else if is_probe || matches!(method, "GET" | "HEAD") {
        tracing::debug!(listener, method, route, status, took_ms, "answered");
    } else {
        tracing::info!(listener, method, route, status, took_ms, "answered");
    }
}
