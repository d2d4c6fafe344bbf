//! The delivery of notices: each target gets them in order, with retries.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ambient::Handle;
use domain::{AlertNoticeId, Timestamp};
use futures::StreamExt;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use store::{AlertDelivery, StoreError};

use crate::alerts::Shared;
use crate::notice::{Notice, Words};
use crate::retry;
use crate::targets::chat::{self, ChatDelivery};
use crate::targets::{Channel, DeliveryError, LIMIT, Target};

/// The most targets that are notified at the same time.
const MOST_AT_ONCE: usize = 8;

/// How often is looked whether something is due, whatever the clock says meanwhile.
const LOOK: Duration = Duration::from_secs(30);

/// After a store that did not answer, how long until it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// How long a message on its way to a chat is left alone.
const IN_TRANSIT: Duration = Duration::from_secs(30);

/// After this long without the store a notice is sent without it.
const STORE_MAY_TAKE: Duration = Duration::from_secs(15);

/// Runs until the alerts stop; deliveries on the wire are finished.
pub(crate) async fn run(shared: Handle<Shared>) {
    let mut under_way = FuturesUnordered::new();
    let mut busy: HashSet<String> = HashSet::new();
    let mut vain = 0;
    let mut next_without_store = None;
    while !shared.closing.is_cancelled() {
        let now = shared.clock.now();
        let mut wake = now.plus(LOOK);
        match shared.store.alerts().first_waiting().await {
            Ok(waiting) => {
                for delivery in waiting {
                    if busy.contains(&delivery.target) {
                        continue;
                    }
                    if !retry::is_due(delivery.next_at, now) {
                        wake = wake.min(delivery.next_at);
                    } else if busy.len() < MOST_AT_ONCE {
                        busy.insert(delivery.target.clone());
                        under_way.push(tell(&shared, delivery));
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the notices that wait cannot be read");
                wake = now.plus(ASK_AGAIN);
            }
        }
        if let Some(again_at) = without_the_store(&shared, &mut next_without_store, &mut vain).await {
            wake = wake.min(again_at);
        }
        tokio::select! {
            () = shared.closing.cancelled() => {}
            () = shared.deliver.notified() => {}
            () = shared.clock.sleep(wake.since(shared.clock.now()).min(LOOK)) => {}
            Some(target) = under_way.next() => { busy.remove(&target); }
        }
    }
    while under_way.next().await.is_some() {}
}

/// Sends one notice to one target, and writes down how that went.
async fn tell(shared: &Shared, delivery: AlertDelivery) -> String {
    let name = delivery.target.clone();
    if let Err(error) = attempt(shared, &delivery).await {
        tracing::warn!(target = name, %error, "how telling went is not stored yet");
        // Or the same would be tried again at once.
        tokio::select! {
            () = shared.clock.sleep(ASK_AGAIN) => {}
            () = shared.closing.cancelled() => {}
        }
    }
    name
}

async fn attempt(shared: &Shared, delivery: &AlertDelivery) -> Result<(), StoreError> {
    let alerts = shared.store.alerts();
    let (name, notice, now) = (delivery.target.as_str(), delivery.notice, shared.clock.now());
    let Some(target) = shared.state().targets.get(name) else {
        return alerts.give_up_all(name, "there is no such target any more".to_owned(), false, now).await;
    };
    if now.since(delivery.at) > retry::TOO_OLD {
        return alerts.gave_up(name, notice, "it is a week old".to_owned(), now).await;
    }
    let content = match serde_json::from_str::<Notice>(&delivery.payload) {
        Ok(content) => content,
        Err(error) => return alerts.gave_up(name, notice, format!("it cannot be read: {error}"), now).await,
    };
    let words = content.words(notice.to_string(), delivery.at);
    match carry(shared, &target, &content, &words, delivery).await {
        Ok(ChatDelivery::Sent) => {
            tracing::info!(target = name, notice = %notice, "notified");
            write_until_it_is(shared, || alerts.delivered(name, notice, shared.clock.now())).await
        }
        Ok(ChatDelivery::Queued(message)) => {
            let now = shared.clock.now();
            alerts.put_off(delivery, None, Some(message), now, now.plus(IN_TRANSIT)).await
        }
        Ok(ChatDelivery::Failed(error)) | Err(DeliveryError::Failed(error)) => {
            tracing::warn!(target = name, error, attempts = delivery.attempts, "a target was not notified");
            let now = shared.clock.now();
            let next_at = now.plus(retry::wait(delivery.attempts));
            alerts.put_off(delivery, Some(error), None, now, next_at).await
        }
        Err(DeliveryError::Off(error)) => {
            tracing::warn!(target = name, error, "a target wants nothing more");
            alerts.give_up_all(name, error, true, shared.clock.now()).await
        }
    }
}

async fn carry(
    shared: &Shared,
    target: &Target,
    content: &Notice,
    words: &Words,
    delivery: &AlertDelivery,
) -> Result<ChatDelivery, DeliveryError> {
    let Channel::Chat { chat, account } = &target.channel else {
        return target.tell(&shared.clock, words, LIMIT).await.map(|()| ChatDelivery::Sent);
    };
    if let Some(message) = delivery.message {
        return Ok(chat::look(&shared.delivery, message, chat::LOOKS_FOR).await);
    }
    // An account in trouble should not send the notice of it.
    let broken = |name: &domain::AccountName| {
        let card = format!("account:{name}");
        content.names_as_broken(&card) || shared.state().tracker.is_open(&card)
    };
    let account = account.clone().filter(|name| !broken(name));
    Ok(chat::begin(&shared.delivery, chat, account, words, delivery.attempts, chat::LOOKS_FOR).await)
}

/// Stores a delivery that succeeded, or it would be sent twice.
async fn write_until_it_is<F>(shared: &Shared, write: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>>,
{
    loop {
        match write().await {
            Err(StoreError::Unavailable(_) | StoreError::StorageFull) if !shared.closing.is_cancelled() => {
                shared.clock.sleep(ASK_AGAIN).await;
            }
            done => return done,
        }
    }
}

/// Delivers a notice that the store does not take, such as one about the store. Chats need the store. Returns when to look
/// again.
async fn without_the_store(
    shared: &Shared,
    next: &mut Option<Timestamp>,
    vain: &mut u32,
) -> Option<Timestamp> {
    let now = shared.clock.now();
    let (id, words, targets): (AlertNoticeId, Words, Vec<Arc<Target>>) = {
        let state = shared.state();
        let pending = state.pending.as_ref().filter(|pending| pending.refused_at.is_some());
        let Some((refused_at, notice)) =
            pending.and_then(|pending| Some((pending.refused_at?, pending.notice.as_ref()?)))
        else {
            (*next, *vain) = (None, 0);
            return None;
        };
        let begin = next.unwrap_or_else(|| refused_at.plus(STORE_MAY_TAKE));
        if !retry::is_due(begin, now) {
            return Some(begin);
        }
        let wanted = notice.targets.iter().filter(|(_, has_it)| !has_it);
        let targets = wanted.filter_map(|(name, _)| state.targets.get(name));
        let targets = targets.filter(|target| !matches!(target.channel, Channel::Chat { .. })).collect();
        (notice.id, notice.notice.words(notice.id.to_string(), notice.at), targets)
    };
    let delivered = join_all(targets.iter().map(|target| async {
        let delivered = target.tell(&shared.clock, &words, LIMIT).await;
        match &delivered {
            Ok(()) => tracing::info!(target = target.name, "notified, though the store does not answer"),
            Err(error) => tracing::warn!(target = target.name, %error, "a target was not notified"),
        }
        delivered.is_ok()
    }))
    .await;
    let delivered: Vec<&str> = targets
        .iter()
        .zip(delivered)
        .filter(|(_, delivered)| *delivered)
        .map(|(target, _)| target.name.as_str())
        .collect();
    if !record_notified(shared, id, &delivered) {
        // The store took it meanwhile, and would have it sent again.
        for name in delivered {
            if let Err(error) = shared.store.alerts().delivered(name, id, shared.clock.now()).await {
                tracing::warn!(target = name, %error, "that a target was notified is not stored");
            }
        }
    }
    let at = shared.clock.now().plus(retry::wait(*vain));
    *vain = vain.saturating_add(1);
    *next = Some(at);
    Some(at)
}

/// Notes who has a notice that the store does not have. False when it is none any more.
fn record_notified(shared: &Shared, id: AlertNoticeId, notified: &[&str]) -> bool {
    let mut state = shared.state();
    let pending = state.pending.as_mut().and_then(|pending| pending.notice.as_mut());
    let Some(notice) = pending.filter(|notice| notice.id == id) else { return false };
    for (name, has_it) in &mut notice.targets {
        *has_it |= notified.contains(&name.as_str());
    }
    true
}
