//! Messages, operations, callbacks and failed requests in numbers.

use domain::message::MessageState;
use domain::saga::{SagaState, TaskKind};
use store::Stats;

use super::text::{Page, Unit};
use crate::state::State;

/// The states in which a message is open, or in doubt.
const OPEN_MESSAGES: [MessageState; 5] = [
    MessageState::Queued,
    MessageState::Scheduled,
    MessageState::AwaitingApproval,
    MessageState::Sending,
    MessageState::InDoubt,
];

const OPEN_SAGAS: [SagaState; 3] = [SagaState::Queued, SagaState::Running, SagaState::InDoubt];

pub(super) fn write(page: &mut Page, state: &State, stock: Option<&Stats>) {
    messages(page, state, stock);
    operations(page, state, stock);
    left_over(page, state, stock);
}

fn messages(page: &mut Page, state: &State, stock: Option<&Stats>) {
    let counted = state.delivery().counted();
    page.counter(
        "switchboard_messages_accepted_total",
        "Messages accepted; repeats of a request are not counted.",
    )
    .add(&[], counted.accepted);
    page.counter("switchboard_messages_resumed_total", "Messages taken up from the last run.")
        .add(&[], counted.resumed);
    page.counter(
        "switchboard_messages_ended_total",
        "Messages that ended, by outcome; a doubt that ends later is not counted again.",
    )
    .add(&[("outcome", "sent")], counted.sent)
    .add(&[("outcome", "cancelled")], counted.cancelled)
    .add(&[("outcome", "in_doubt")], counted.in_doubt)
    .add(&[("outcome", "failed")], counted.failed.iter().map(|(_, count)| count).sum::<u64>());
    let mut failed = page
        .counter("switchboard_messages_failed_total", "Messages that failed, by the code of the problem.");
    for (code, count) in &counted.failed {
        failed.add(&[("code", code)], *count);
    }
    let mut open =
        page.gauge("switchboard_messages", "Messages that are not ended, and those in doubt, by state.");
    if let Some(stock) = stock {
        for wanted in OPEN_MESSAGES {
            let count =
                stock.messages.iter().find(|(state, _)| *state == wanted).map_or(0, |(_, count)| *count);
            open.add(&[("state", wanted.as_str())], count);
        }
    }
    page.gauge("switchboard_messages_in_hand", "Messages that are not finished.")
        .add(&[], state.delivery().queued());
    page.histogram(
        "switchboard_message_duration_seconds",
        "From the acceptance of a message, or the time it was scheduled for, until it was sent and stored so.",
    )
    .add_spread(&[], &counted.times, Unit::Time);
    page.histogram(
        "switchboard_message_overhead_seconds",
        "The part of that which was not spent in calls to the provider; only of messages that nothing held up.",
    )
    .add_spread(&[], &counted.own_times, Unit::Time);
    page.counter("switchboard_failovers_total", "Work that went to another account than its first choice.")
        .add(&[("work", "message")], counted.failovers)
        .add(&[("work", "operation")], state.sagas().counted().failovers);
}

fn operations(page: &mut Page, state: &State, stock: Option<&Stats>) {
    let counted = state.sagas().counted();
    let mut accepted = page.counter(
        "switchboard_operations_accepted_total",
        "Operations (work on chats) accepted, by kind; repeats of a request are not counted.",
    );
    for (kind, count) in &counted.accepted {
        accepted.add(&[("kind", kind.as_str())], *count);
    }
    let mut ended =
        page.counter("switchboard_operations_ended_total", "Operations that ended, by kind and outcome.");
    for (kind, end, count) in &counted.ended {
        ended.add(&[("kind", kind.as_str()), ("outcome", end.as_str())], *count);
    }
    let mut open = page.gauge(
        "switchboard_operations",
        "Operations that are not ended, and those in doubt, by kind and state.",
    );
    let Some(stock) = stock else { return };
    for kind in TaskKind::ALL {
        for state in OPEN_SAGAS {
            let found = stock.sagas.iter().find(|(one, other, _)| (*one, *other) == (kind, state));
            open.add(
                &[("kind", kind.as_str()), ("state", state.as_str())],
                found.map_or(0, |(.., count)| *count),
            );
        }
    }
}

fn left_over(page: &mut Page, state: &State, stock: Option<&Stats>) {
    let counted = state.store().callbacks().counted();
    page.counter("switchboard_callbacks_total", "Attempts to post a callback, by what came of them.")
        .add(&[("outcome", "delivered")], counted.delivered)
        .add(&[("outcome", "put_off")], counted.put_off)
        .add(&[("outcome", "given_up")], counted.given_up);
    let gauges = [
        (
            "switchboard_callbacks_waiting",
            "Callbacks that wait to be posted.",
            stock.map(|stock| stock.callbacks_waiting),
        ),
        (
            "switchboard_callbacks_due",
            "Callbacks whose time has come.",
            stock.map(|stock| stock.callbacks_due),
        ),
        (
            "switchboard_failed_requests_pending",
            "Failed requests that wait for a person.",
            stock.map(|stock| stock.failed_requests),
        ),
    ];
    for (name, help, number) in gauges {
        let mut gauge = page.gauge(name, help);
        if let Some(number) = number {
            gauge.add(&[], number);
        }
    }
}
