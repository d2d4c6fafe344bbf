//! The accounts in numbers: how each is, what it waits for, what it asked of the provider.

use domain::account::AccountState;
use telegram::AccountView;

use super::text::{Page, Unit};
use crate::state::State;

pub(super) fn write(page: &mut Page, state: &State) {
    let accounts = state.pool().accounts();
    account_states(page, state, &accounts);
    knowledge(page, state, &accounts);
    calls(page, state);
}

fn account_states(page: &mut Page, state: &State, accounts: &[AccountView]) {
    let mut states =
        page.gauge("switchboard_account_state", "1 for the state that an account is in, 0 for the others.");
    for account in accounts {
        for shown in AccountState::ALL {
            let labels = [("account", account.name.as_str()), ("state", shown.as_str())];
            states.add(&labels, account.state == shown);
        }
    }
    let mut lines =
        page.gauge("switchboard_account_lines", "Connections (one for each session) of an account.");
    for account in accounts {
        lines.add(&[("account", account.name.as_str())], account.lines.len());
    }
    let mut up = page.gauge("switchboard_account_lines_up", "Connections of an account that are up.");
    for account in accounts {
        let count = account.lines.iter().filter(|line| line.state == AccountState::Ready).count();
        up.add(&[("account", account.name.as_str())], count);
    }
    let now = state.clock().now();
    let mut floods = page.gauge(
        "switchboard_account_flood_remaining_seconds",
        "How long an account must still wait before it may do this again; only while it must.",
    );
    for account in accounts {
        for flood in &account.floods {
            let labels = [("account", account.name.as_str()), ("operation", flood.operation.as_str())];
            floods.add(&labels, flood.until.since(now));
        }
    }
}

fn knowledge(page: &mut Page, state: &State, accounts: &[AccountView]) {
    let mut peers = page.gauge("switchboard_account_peers", "Chats and people that an account knows.");
    for account in accounts {
        peers.add(&[("account", account.name.as_str())], account.cached_peers);
    }
    let mut complete = page.gauge(
        "switchboard_account_dialogs_complete",
        "Whether all dialogs of an account were read once: 1 or 0.",
    );
    for account in accounts {
        complete.add(&[("account", account.name.as_str())], account.dialogs_complete);
    }
    let mut looked = page.counter(
        "switchboard_chat_lookups_total",
        "How often accounts were asked for a chat that memory did not know, by what came of it.",
    );
    for (result, count) in state.pool().looked() {
        looked.add(&[("result", result.as_str())], count);
    }
    let mut received = page.counter("switchboard_account_updates_total", "Updates that an account received.");
    for account in accounts {
        received.add(&[("account", account.name.as_str())], account.updates.received);
    }
    let mut missed = page.counter(
        "switchboard_account_updates_missed_total",
        "Updates that an account is known to have missed.",
    );
    for account in accounts {
        missed.add(&[("account", account.name.as_str())], account.updates.missed);
    }
}

fn calls(page: &mut Page, state: &State) {
    let counted = state.pool().calls();
    let mut calls = page.counter(
        "switchboard_provider_calls_total",
        "Calls to the provider, by account, operation and outcome.",
    );
    for account in &counted {
        for (operation, result, count) in &account.calls {
            let labels = [
                ("account", account.account.as_str()),
                ("operation", operation.as_str()),
                ("outcome", result.as_str()),
            ];
            calls.add(&labels, *count);
        }
    }
    let mut times = page.histogram(
        "switchboard_provider_call_duration_seconds",
        "How long the provider took to answer a call, whatever it answered.",
    );
    for account in &counted {
        times.add_spread(&[("account", account.account.as_str())], &account.times, Unit::Time);
    }
}
