//! What only this server knows, gathered for the doctor. Whatever does not answer in time is left out.

use std::time::Duration;

use doctor::{
    AccountFact, AlertTargetFact, ChannelFact, ForwardedFact, Inside, ListenerFact, ListenerFactState,
    Server, StockFact,
};
use domain::message::MessageState;
use domain::saga::SagaState;
use domain::{AccountName, Timestamp};
use store::{Page, StoreError};

use crate::listen::{ListenerState, ListenerView};
use crate::state::State;

/// How long the store and Telegram may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// A longer list is not counted to its end.
const COUNTED: u32 = 500;

pub(super) async fn of(state: &State) -> Inside {
    let clock = state.clock();
    let (stock, written, sessions, owners, ahead) = tokio::join!(
        clock.timeout(TIMEOUT, stock(state)),
        clock.timeout(TIMEOUT, state.store().round_trip()),
        clock.timeout(TIMEOUT, sessions(state)),
        clock.timeout(TIMEOUT, owners(state)),
        clock.timeout(TIMEOUT, state.pool().telegram_ahead()),
    );
    let accounts = state.pool().accounts();
    Inside {
        server: Server {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started_at: state.started_at(),
            settings: state.options().examined.fingerprint.clone(),
        },
        settings_file: state.options().examined.settings_file.clone(),
        listeners: state.listeners().into_iter().map(listener).collect(),
        stopped: state
            .pool()
            .services()
            .into_iter()
            .filter(|service| !service.running)
            .map(|service| service.service.as_str().to_owned())
            .collect(),
        stock: stock.ok().and_then(Result::ok),
        unwritten: match written {
            Ok(Ok(_) | Err(StoreError::StorageFull)) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("nothing was written within {} s", TIMEOUT.as_secs())),
        },
        caches: vec![("chats and users known".to_owned(), state.pool().cached_peers() as u64)],
        telegram_ahead: ahead.ok().flatten(),
        owners: owners.ok().and_then(Result::ok).unwrap_or_default(),
        sessions: sessions.ok().and_then(Result::ok).unwrap_or_default(),
        forwarded: forwarded(state),
        alert_targets: state.alerts().addresses_made_here().into_iter().map(alert_target).collect(),
        accounts: accounts.into_iter().map(account).collect(),
        channels: state.channels().channels().all().map(|one| channel(one, clock.now())).collect(),
    }
}

fn forwarded(state: &State) -> ForwardedFact {
    let counted = state.forwarded().counted();
    ForwardedFact { near: counted.near, far: counted.far, last_at: counted.last_at }
}

fn alert_target(address: alerts::TargetAddress) -> AlertTargetFact {
    AlertTargetFact { name: address.name, host: address.host, port: address.port }
}

fn listener(view: ListenerView) -> ListenerFact {
    ListenerFact {
        name: view.name,
        address: view.address,
        state: match view.state {
            ListenerState::Starting => ListenerFactState::Starting,
            ListenerState::Listening => ListenerFactState::Listening,
            ListenerState::Taken => ListenerFactState::Taken,
            ListenerState::Refused => ListenerFactState::Refused,
        },
        detail: view.detail,
        since: view.since,
    }
}

fn account(view: telegram::AccountView) -> AccountFact {
    use domain::account::AccountState::{Connecting, Paused, Ready};
    let lines = view.lines.into_iter().filter(|line| !matches!(line.state, Ready | Paused | Connecting));
    AccountFact {
        name: view.name,
        state: view.state,
        reason: view.reason,
        detail: view.detail,
        since: view.state_since,
        same_person_as: view.same_person_as,
        lines: lines.map(|line| (line.name, line.state, line.reason)).collect(),
    }
}

fn channel(account: &channels::Account, now: Timestamp) -> ChannelFact {
    let shown = api::Channel::new(account, api::StoredFacts::default(), now);
    let status = account.status();
    let webhook = shown.webhook;
    let state = |webhook: &api::ChannelWebhookState| webhook.state.clone();
    ChannelFact {
        name: shown.name.to_string(),
        channel: shown.channel.to_string(),
        state: shown.state,
        detail: shown.detail,
        missing: shown.identity.map(|identity| identity.missing).unwrap_or_default(),
        is_paused: status.paused,
        is_shared: status.rival.is_some()
            || matches!(status.last_error, Some((channels::CallError::Conflict(_), _))),
        receives: account.fields.receive != config::ReceiveBy::Off,
        receives_by: shown.receives_by,
        webhook: webhook.as_ref().map(state),
        elsewhere: webhook.as_ref().map(|webhook| webhook.elsewhere.clone()).unwrap_or_default(),
        provider_error: webhook.as_ref().and_then(|webhook| webhook.last_error.clone()),
        posts_waiting: webhook.as_ref().and_then(|webhook| webhook.waiting),
        arrival_error: status.not_arriving().map(str::to_owned),
        unreached: status.not_arriving().is_none().then(|| status.arrival.as_ref()?.error.clone()).flatten(),
        clock_ahead: account.clock_ahead(),
    }
}

async fn stock(state: &State) -> Result<StockFact, StoreError> {
    let store = state.store();
    let stock = store.stats().await?;
    let unresolved = store.unresolved().list(&Page { limit: COUNTED, cursor: None }).await?;
    let ownerless = store.accounts().ownerless().await?.len() as u64;
    let count = |wanted: MessageState| {
        stock.messages.iter().find(|(state, _)| *state == wanted).map_or(0, |(_, count)| *count)
    };
    let in_doubt = stock.sagas.iter().filter(|(_, state, _)| *state == SagaState::InDoubt);
    Ok(StockFact {
        waiting: count(MessageState::Queued),
        oldest: oldest(state).await?.map(|since| state.clock().now().since(since)),
        messages_in_doubt: count(MessageState::InDoubt),
        operations_in_doubt: in_doubt.map(|(.., count)| count).sum(),
        failed_requests: stock.failed_requests,
        unresolved: unresolved.items.len() as u64,
        unresolved_more: unresolved.next_cursor.is_some(),
        ownerless,
        callbacks_waiting: stock.callbacks_waiting,
        callbacks_due: stock.callbacks_due,
        database_bytes: stock.database_bytes,
        log_bytes: stock.log_bytes,
    })
}

/// Since when the oldest message waits that is to leave now.
async fn oldest(state: &State) -> Result<Option<Timestamp>, StoreError> {
    let unfinished = state.store().outbox().unfinished(None, COUNTED).await?;
    let waiting = unfinished.readable.iter().filter(|message| message.state == MessageState::Queued);
    Ok(waiting.map(|message| message.send_at.unwrap_or(message.created_at)).min())
}

async fn owners(state: &State) -> Result<Vec<(AccountName, String)>, StoreError> {
    let all = state.store().accounts().sessions().await?;
    let owner = |session: &store::StoredSession| {
        let key = store::KeyFingerprint::of(domain::ExposeSecret::expose_secret(&session.auth_key));
        (session.account.clone(), key.to_string())
    };
    Ok(all.iter().map(owner).collect())
}

/// Fingerprints of all keys that the store has.
async fn sessions(state: &State) -> Result<Vec<String>, StoreError> {
    let accounts = state.store().accounts();
    let (all, ownerless) = (accounts.sessions().await?, accounts.ownerless().await?);
    let kept = all
        .iter()
        .map(|session| store::KeyFingerprint::of(domain::ExposeSecret::expose_secret(&session.auth_key)));
    let spare = ownerless.iter().map(|session| session.fingerprint);
    Ok(kept.chain(spare).map(|fingerprint| fingerprint.to_string()).collect())
}
