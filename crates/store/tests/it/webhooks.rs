//! Webhooks: what is kept of them, that each event gets one delivery, and what becomes of it.

use std::time::Duration;

use domain::{EventFilter, EventId, ExposeSecret, SecretText, WebhookId};
use store::{
    FanOut, Outcome, Page, StoreError, StoredWebhook, Tried, WebhookDeliveryState, WebhookFailures,
    WebhookSecrets,
};

use crate::support::{World, conformance};

conformance! {
    a_webhook_is_kept_with_its_secrets,
    the_number_of_webhooks_is_limited,
    an_event_gets_one_delivery_however_often_it_is_fanned_out,
    deliveries_wait_are_taken_or_given_up,
    a_success_brings_forward_failed_deliveries,
    in_order_the_first_of_a_chat_alone_is_due,
    a_replay_posts_once_more_what_was_delivered,
    a_delivery_whose_event_was_removed_is_not_retried,
    a_removed_webhook_leaves_no_rows,
    a_restored_store_posts_no_event_by_itself,
    only_the_latest_deliveries_are_stored,
    only_the_latest_dead_deliveries_are_stored,
    deliveries_survive_reopening,
}

fn webhook(world: &World) -> StoredWebhook {
    StoredWebhook {
        id: WebhookId::from_uuid(world.ids.next()),
        secrets: WebhookSecrets {
            url: "https://example.com/hook".to_owned().into(),
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned().into(),
            previous: Vec::new(),
            headers: vec![("authorization".to_owned(), SecretText::from("planted".to_owned()))],
            form: None,
        },
        description: Some("n8n".to_owned()),
        filter: EventFilter { types: vec!["message.*".parse().unwrap()], ..EventFilter::default() },
        ordered: false,
        created_at: world.now(),
        created_by: "anna".to_owned(),
        paused_at: None,
        disabled: None,
        cursor: EventId::ZERO,
        replay: None,
        delivered_at: None,
        failing_since: None,
        failures: 0,
        last_error: None,
    }
}

pub(crate) async fn added(world: &World) -> WebhookId {
    let webhook = webhook(world);
    world.store.webhooks().add(&webhook).await.unwrap();
    webhook.id
}

async fn get(world: &World, id: WebhookId) -> StoredWebhook {
    world.store.webhooks().get(id).await.unwrap().unwrap()
}

/// Gives everything after the cursor a delivery; says what that was.
pub(crate) async fn fan_out(world: &World, id: WebhookId) -> Vec<EventId> {
    let webhook = get(world, id).await;
    let read = world.store.events().after(webhook.cursor, &webhook.filter, 100).await.unwrap();
    let events: Vec<_> = read.events.iter().map(|event| event.id).collect();
    let fan_out = FanOut {
        webhook: id,
        replay_until: None,
        from: webhook.cursor,
        to: read.up_to,
        events: read
            .events
            .into_iter()
            .map(|event| (event.id, event.chat.filter(|_| webhook.ordered)))
            .collect(),
        missed: None,
        at: world.now(),
    };
    let moved = world.store.webhooks().fan_out(fan_out.clone()).await.unwrap();
    assert!(moved || read.up_to == webhook.cursor);
    if fan_out.from != fan_out.to {
        assert_eq!(world.store.webhooks().fan_out(fan_out).await, Ok(false), "the cursor has moved");
    }
    events
}

async fn due(world: &World, id: WebhookId) -> Vec<EventId> {
    let now = world.now();
    let due = world.store.webhooks().due(id, now, 100).await.unwrap();
    due.into_iter().map(|delivery| delivery.event).collect()
}

pub(crate) fn tried(event: EventId, outcome: Outcome) -> Tried {
    let status = if outcome == Outcome::Delivered { 200 } else { 503 };
    Tried {
        event,
        outcome,
        status: Some(status),
        answer: Some("said".to_owned()),
        latency: Some(Duration::from_millis(7)),
    }
}

fn put_off(world: &World) -> Outcome {
    Outcome::PutOff { error: "it answered 503".to_owned(), next_at: world.now().plus(Duration::from_mins(5)) }
}

async fn state(world: &World, id: WebhookId, event: EventId) -> Option<WebhookDeliveryState> {
    let page = Page { limit: 100, cursor: None };
    let all = world.store.webhooks().deliveries(id, None, &page).await.unwrap();
    all.items.into_iter().find(|delivery| delivery.event == event).map(|delivery| delivery.state)
}

async fn a_webhook_is_kept_with_its_secrets(world: World) {
    let made = webhook(&world);
    let webhooks = world.store.webhooks();
    webhooks.add(&made).await.unwrap();
    let found = get(&world, made.id).await;
    assert_eq!(found.secrets.url.expose_secret(), "https://example.com/hook");
    assert_eq!(found.secrets.headers[0].1.expose_secret(), "planted");
    assert_eq!((found.filter.clone(), found.description.as_deref()), (made.filter.clone(), Some("n8n")));
    let until = world.now().plus(Duration::from_hours(24));
    let mut changed = found;
    let before =
        std::mem::replace(&mut changed.secrets.secret, "whsec_bmV3bmV3bmV3bmV3bmV3".to_owned().into());
    let earlier = until.plus(Duration::from_hours(1));
    changed.secrets.previous = vec![(before, until), (SecretText::from("the first".to_owned()), earlier)];
    (changed.ordered, changed.description) = (true, None);
    assert_eq!(webhooks.change(&changed).await, Ok(true));
    let found = get(&world, made.id).await;
    let previous = found.secrets.previous.iter().map(|(secret, until)| (secret.expose_secret(), *until));
    let before = made.secrets.secret.expose_secret();
    assert_eq!(previous.collect::<Vec<_>>(), [(before, until), ("the first", earlier)]);
    assert_eq!((found.ordered, found.description), (true, None));
    assert_eq!(webhooks.list().await.unwrap().len(), 1);
    let file = world.dir.path().join("data").join("switchboard.db-wal");
    if let Ok(bytes) = std::fs::read(file) {
        assert!(!bytes.windows(7).any(|piece| piece == b"planted"), "a header is on the disk as it is");
    }
    let nowhere = WebhookId::from_uuid(world.ids.next());
    assert!(webhooks.get(nowhere).await.unwrap().is_none());
    assert_eq!(webhooks.pause(nowhere, world.now()).await, Ok(false));
    assert_eq!(webhooks.remove(nowhere, world.now()).await, Ok(false));
}

async fn the_number_of_webhooks_is_limited(world: World) {
    for _ in 0..100 {
        added(&world).await;
    }
    let refused = world.store.webhooks().add(&webhook(&world)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { table: "webhooks", .. })), "{refused:?}");
}

async fn an_event_gets_one_delivery_however_often_it_is_fanned_out(world: World) {
    world.queued(1).await;
    let id = added(&world).await;
    assert_eq!(fan_out(&world, id).await, [], "earlier events are not sent");
    world.queued(1).await;
    let events = fan_out(&world, id).await;
    assert!(!events.is_empty());
    assert_eq!(due(&world, id).await, events);
    assert_eq!(fan_out(&world, id).await, []);
    let first = &world.store.webhooks().due(id, world.now(), 1).await.unwrap()[0];
    let what = first.what.as_ref().unwrap();
    assert_eq!((what.kind.as_str(), first.attempts), ("message.accepted", 0));
}

async fn deliveries_wait_are_taken_or_given_up(world: World) {
    use WebhookDeliveryState::{Dead, Delivered, Waiting};

    let (id, webhooks) = (added(&world).await, world.store.webhooks());
    for _ in 0..3 {
        world.queued(1).await;
    }
    let events = fan_out(&world, id).await;
    let [taken, later, dead] = events[..3] else { panic!("{events:?}") };
    let gone = Outcome::GivenUp { error: "it answered 503".to_owned() };
    let attempts = vec![tried(taken, Outcome::Delivered), tried(later, put_off(&world)), tried(dead, gone)];
    let failures = webhooks.tried(id, attempts, world.now()).await.unwrap().unwrap();
    assert_eq!(failures, WebhookFailures { since: None, count: 0 });
    assert_eq!(due(&world, id).await, events[3..]);
    let states =
        [state(&world, id, taken).await, state(&world, id, later).await, state(&world, id, dead).await];
    assert_eq!(states, [Some(Delivered), Some(Waiting), Some(Dead)]);
    let page = Page { limit: 10, cursor: None };
    let listed = webhooks.deliveries(id, Some(Dead), &page).await.unwrap().items.remove(0);
    assert_eq!((listed.event, listed.attempts, listed.status), (dead, 1, Some(503)));
    assert_eq!(listed.latency, Some(Duration::from_millis(7)));
    assert_eq!(listed.answer.as_deref(), Some("said"));
    let totals = webhooks.totals(id).await.unwrap();
    assert_eq!((totals.dead, totals.oldest_waiting), (1, Some(later)));
    assert_eq!((totals.recent, totals.recent_delivered), (3, 1));
    // By hand.
    assert_eq!(webhooks.retry_dead(id, world.now()).await, Ok(1));
    assert_eq!(webhooks.retry(id, later, world.now()).await, Ok(true));
    assert_eq!(webhooks.retry(id, taken, world.now()).await, Ok(true));
    assert_eq!(webhooks.retry(id, EventId::new(1), world.now()).await, Ok(false));
    let mut again = due(&world, id).await;
    again.sort_unstable();
    assert_eq!(again, events);
}

async fn a_success_brings_forward_failed_deliveries(world: World) {
    let (id, webhooks) = (added(&world).await, world.store.webhooks());
    for _ in 0..2 {
        world.queued(1).await;
    }
    let events = fan_out(&world, id).await;
    let failed = events.iter().map(|event| tried(*event, put_off(&world))).collect();
    let failures = webhooks.tried(id, failed, world.now()).await.unwrap().unwrap();
    assert_eq!(failures.count, events.len() as u64);
    assert!(failures.since.is_some());
    let found = get(&world, id).await;
    assert_eq!(found.last_error.as_deref(), Some("it answered 503"));
    assert_eq!(due(&world, id).await, []);
    assert!(webhooks.next_due(id, world.now()).await.unwrap().is_some());
    webhooks.retry(id, events[0], world.now()).await.unwrap();
    let taken = vec![tried(events[0], Outcome::Delivered)];
    let failures = webhooks.tried(id, taken, world.now()).await.unwrap().unwrap();
    assert_eq!(failures, WebhookFailures { since: None, count: 0 });
    assert_eq!(due(&world, id).await, events[1..]);
    let found = get(&world, id).await;
    assert!(found.delivered_at.is_some() && found.last_error.is_none());
    // Switched off, and on again by a person.
    assert_eq!(webhooks.disable(id, "it wants nothing more", world.now()).await, Ok(true));
    assert_eq!(webhooks.disable(id, "again", world.now()).await, Ok(false));
    assert_eq!(get(&world, id).await.disabled.unwrap().1, "it wants nothing more");
    assert_eq!(webhooks.resume(id, world.now()).await, Ok(true));
    assert_eq!(get(&world, id).await.disabled, None);
}

async fn in_order_the_first_of_a_chat_alone_is_due(world: World) {
    let mut one = webhook(&world);
    one.ordered = true;
    let (id, webhooks) = (one.id, world.store.webhooks());
    webhooks.add(&one).await.unwrap();
    for _ in 0..3 {
        world.queued(1).await;
    }
    let events = fan_out(&world, id).await;
    let mut seen = Vec::new();
    loop {
        let first = due(&world, id).await;
        let Some(event) = first.first() else { break };
        assert_eq!(first.len(), 1, "all are of one chat");
        seen.push(*event);
        let outcome =
            if seen.len() == 2 { Outcome::GivenUp { error: "x".to_owned() } } else { Outcome::Delivered };
        webhooks.tried(id, vec![tried(*event, outcome)], world.now()).await.unwrap();
    }
    assert_eq!(seen, events);
}

async fn a_replay_posts_once_more_what_was_delivered(world: World) {
    let (id, webhooks, began) = (added(&world).await, world.store.webhooks(), world.now());
    world.queued(1).await;
    let events = fan_out(&world, id).await;
    let taken = events.iter().map(|event| tried(*event, Outcome::Delivered)).collect();
    webhooks.tried(id, taken, world.now()).await.unwrap();
    assert_eq!(due(&world, id).await, []);
    assert_eq!(webhooks.replay(id, began).await, Ok(true));
    let found = get(&world, id).await;
    let (after, until) = found.replay.unwrap();
    assert_eq!(until, found.cursor);
    let once_more = FanOut {
        webhook: id,
        replay_until: Some(until),
        from: after,
        to: until,
        events: events.iter().map(|event| (*event, None)).collect(),
        missed: None,
        at: world.now(),
    };
    assert_eq!(webhooks.fan_out(once_more.clone()).await, Ok(true));
    assert_eq!(due(&world, id).await, events);
    let found = get(&world, id).await;
    assert_eq!((found.replay, found.cursor), (None, until), "it is over");
    assert_eq!(webhooks.fan_out(once_more).await, Ok(false));
}

async fn a_delivery_whose_event_was_removed_is_not_retried(world: World) {
    let (webhooks, id) = (world.store.webhooks(), added(&world).await);
    for _ in 0..2 {
        world.queued(1).await;
    }
    let events = fan_out(&world, id).await;
    let [gone, kept] = events[..] else { panic!("{events:?}") };
    let give_up = |event| tried(event, Outcome::GivenUp { error: "it answered 503".to_owned() });
    webhooks.tried(id, vec![give_up(gone), give_up(kept)], world.now()).await.unwrap();
    world.run(&format!("DELETE FROM events WHERE seq = {}", gone.get()));
    assert_eq!(webhooks.retry(id, gone, world.now()).await, Ok(false));
    assert_eq!(webhooks.retry_dead(id, world.now()).await, Ok(1));
    assert_eq!(state(&world, id, gone).await, Some(WebhookDeliveryState::Dead));
    assert_eq!(state(&world, id, kept).await, Some(WebhookDeliveryState::Waiting));
}

async fn a_removed_webhook_leaves_no_rows(world: World) {
    let (id, webhooks) = (added(&world).await, world.store.webhooks());
    world.queued(1).await;
    let events = fan_out(&world, id).await;
    assert_eq!(webhooks.remove(id, world.now()).await, Ok(true));
    assert_eq!(due(&world, id).await, []);
    let late = vec![tried(events[0], Outcome::Delivered)];
    assert_eq!(webhooks.tried(id, late, world.now()).await, Ok(None));
    assert_eq!(webhooks.totals(id).await.unwrap().waiting, 0);
}

async fn a_restored_store_posts_no_event_by_itself(world: World) {
    let id = added(&world).await;
    let held = world.store.hold_back(world.now()).await.unwrap();
    assert_eq!(held.webhooks, 1);
    assert!(get(&world, id).await.paused_at.is_some());
    assert_eq!(world.store.hold_back(world.now()).await.unwrap().webhooks, 0);
}

async fn only_the_latest_deliveries_are_stored(world: World) {
    let (id, webhooks) = (added(&world).await, world.store.webhooks());
    for _ in 0..3 {
        world.queued(1).await;
    }
    let events = fan_out(&world, id).await;
    let taken = events.iter().map(|event| tried(*event, Outcome::Delivered)).collect();
    webhooks.tried(id, taken, world.now()).await.unwrap();
    let before = events.len() as u64;
    assert_eq!(
        webhooks.trim(id, WebhookDeliveryState::Delivered, 1).await.unwrap(),
        before - 2,
        "one more than asked for stays"
    );
    world.clock.advance(Duration::from_hours(31 * 24));
    assert_eq!(world.store.sweep().await.unwrap().webhook_deliveries, 2);
}

async fn only_the_latest_dead_deliveries_are_stored(world: World) {
    use WebhookDeliveryState::{Dead, Delivered, Waiting};

    let (id, webhooks) = (added(&world).await, world.store.webhooks());
    for _ in 0..5 {
        world.queued(1).await;
    }
    let events = fan_out(&world, id).await;
    let [waits, taken, first, second, third] = events[..5] else { panic!("{events:?}") };
    let gone = |event| tried(event, Outcome::GivenUp { error: "it answered 503".to_owned() });
    let attempts = vec![tried(taken, Outcome::Delivered), gone(first), gone(second), gone(third)];
    webhooks.tried(id, attempts, world.now()).await.unwrap();
    assert_eq!(webhooks.trim(id, Dead, 1).await, Ok(1), "one more than asked for stays");
    assert_eq!(webhooks.trim(id, Dead, 1).await, Ok(0));
    let mut states = Vec::new();
    for event in [waits, taken, first, second, third] {
        states.push(state(&world, id, event).await);
    }
    assert_eq!(states, [Some(Waiting), Some(Delivered), None, Some(Dead), Some(Dead)]);
}

async fn deliveries_survive_reopening(world: World) {
    let id = added(&world).await;
    world.queued(1).await;
    let events = fan_out(&world, id).await;
    let cursor = get(&world, id).await.cursor;
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    let now = world.now();
    let due = store.webhooks().due(id, now, 100).await.unwrap();
    assert_eq!(due.into_iter().map(|delivery| delivery.event).collect::<Vec<_>>(), events);
    assert_eq!(store.webhooks().get(id).await.unwrap().unwrap().cursor, cursor);
}
