//! HTTP requests in numbers.

use super::text::{Page, Unit};
use crate::listen::ListenerState;
use crate::state::State;

pub(super) fn write(page: &mut Page, state: &State) {
    let mut up = page.gauge("switchboard_listener_up", "Whether a listener takes connections: 1 or 0.");
    for listener in state.listeners() {
        up.add(&[("listener", &listener.name)], listener.state == ListenerState::Listening);
    }
    let mut open = page.gauge("switchboard_http_requests_open", "Requests that are being answered.");
    for (listener, count) in state.traffic().open() {
        open.add(&[("listener", &listener)], count);
    }
    let counted = state.traffic().counted();
    let mut requests = page.counter(
        "switchboard_http_requests_total",
        "Requests, by listener, method, route and class of status; `none` for callers who left before their answer.",
    );
    for one in &counted {
        for (status, count) in &one.answers {
            let labels = [
                ("listener", one.listener.as_str()),
                ("method", one.method),
                ("route", &one.route),
                ("status", status),
            ];
            requests.add(&labels, *count);
        }
    }
    let mut times = page.histogram(
        "switchboard_http_request_duration_seconds",
        "How long a request took until its answer was ready; what it asked to wait for is included.",
    );
    for one in &counted {
        let labels = [("listener", one.listener.as_str()), ("method", one.method), ("route", &one.route)];
        times.add_spread(&labels, &one.times, Unit::Time);
    }
}
