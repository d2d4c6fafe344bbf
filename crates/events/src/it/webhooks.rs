//! Webhooks: events reach their endpoints, signed, in order where asked, and a bad endpoint harms only itself.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use ambient::Chance;
use domain::event::AccountEvent;
use domain::{AccountState, EventFilter, EventId, WebhookId};
use events::{Links, MADE_BY_SETTINGS, SigningKey, Vouched, Webhooks, WebhooksParts};
use serde_json::{Value, json};
use store::{EventRetention, Page, StoredWebhook, WebhookDelivery, WebhookDeliveryState, WebhookSecrets};

use crate::it::receiver::{Posted, Receiver, Reply};
use crate::it::world::World;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SOON: Duration = Duration::from_mins(1);

fn start(world: &World) -> Webhooks {
    let networks = vec!["127.0.0.1/32".parse().expect("a network")];
    start_with(world, outbound::Allowed::new(outbound::AllowList::Events, networks))
}

fn start_with(world: &World, allowed: outbound::Allowed) -> Webhooks {
    Webhooks::start(parts(world, allowed))
}

fn parts(world: &World, allowed: outbound::Allowed) -> WebhooksParts {
    WebhooksParts {
        store: world.store.clone(),
        clock: world.clock.clone(),
        chance: Chance::from_seed(7),
        allowed,
        vouched: Vec::new(),
        links: Links::new(Some("https://shop.example.com"), "made-up".into(), world.clock.clone()),
    }
}

async fn added(world: &World, url: &str, change: impl FnOnce(&mut StoredWebhook)) -> WebhookId {
    let mut webhook = StoredWebhook {
        id: WebhookId::from_uuid(world.id()),
        secrets: WebhookSecrets {
            url: url.to_owned().into(),
            secret: SECRET.to_owned().into(),
            previous: Vec::new(),
            headers: vec![("x-own".to_owned(), "planted".to_owned().into())],
            form: None,
        },
        description: None,
        filter: EventFilter {
            types: vec!["operation.accepted".parse().expect("a type")],
            ..EventFilter::default()
        },
        ordered: false,
        created_at: world.clock.now(),
        created_by: "anna".to_owned(),
        paused_at: None,
        disabled: None,
        cursor: EventId::ZERO,
        replay: None,
        delivered_at: None,
        failing_since: None,
        failures: 0,
        last_error: None,
    };
    change(&mut webhook);
    world.store.webhooks().add(&webhook).await.expect("added");
    webhook.id
}

async fn deliveries(world: &World, id: WebhookId) -> Vec<WebhookDelivery> {
    let page = Page { limit: 500, cursor: None };
    world.store.webhooks().deliveries(id, None, &page).await.expect("reads").items
}

/// Waits until the deliveries are as they should be.
async fn until(
    world: &World,
    id: WebhookId,
    is: impl Fn(&[WebhookDelivery]) -> bool,
) -> Vec<WebhookDelivery> {
    let waiting = async {
        loop {
            let found = deliveries(world, id).await;
            if is(&found) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    if let Ok(found) = tokio::time::timeout(SOON, waiting).await {
        return found;
    }
    panic!("{:?}", deliveries(world, id).await)
}

fn all_are(state: WebhookDeliveryState) -> impl Fn(&[WebhookDelivery]) -> bool {
    move |found| !found.is_empty() && found.iter().all(|delivery| delivery.state == state)
}

async fn webhook(world: &World, id: WebhookId) -> StoredWebhook {
    world.store.webhooks().get(id).await.expect("reads").expect("is there")
}

async fn until_off(world: &World, id: WebhookId) -> String {
    let waiting = async {
        loop {
            if let Some((_, reason)) = webhook(world, id).await.disabled {
                return reason;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.expect("switched off")
}

#[tokio::test]
async fn an_event_is_posted_once_signed_with_its_id() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    let id = added(&world, &format!("{}/in", receiver.address), |_| {}).await;
    webhooks.changed();
    world.made_for("6000000001").await;
    let posted = receiver.next().await;
    assert_eq!((posted.path.as_str(), posted.content_type.as_str()), ("/in", "application/json"));
    assert_eq!(posted.headers["x-own"], "planted");
    assert_eq!(posted.body["type"], "operation.accepted");
    assert!(posted.body["timestamp"].is_string() && posted.body["data"].is_object(), "{}", posted.body);
    let at: i64 = posted.headers["webhook-timestamp"].to_str().expect("text").parse().expect("a number");
    let key = SigningKey::of(SECRET).expect("a key");
    let signed = key.sign(&posted.id, at, std::str::from_utf8(&posted.raw).expect("text"));
    assert_eq!(posted.headers["webhook-signature"], signed);
    let found = until(&world, id, all_are(WebhookDeliveryState::Delivered)).await;
    assert_eq!(found.last().expect("one").event.to_string(), posted.id);
    for _ in 1..found.len() {
        receiver.next().await;
    }
    webhooks.stop(SOON).await;
    assert!(receiver.is_quiet(), "each once");
}

/// What the library of Standard Webhooks for Python makes of a post with a secret: nothing when it refuses it.
fn verified(posted: &Posted, secret: &str) -> Option<Value> {
    let python = std::env::var("SWITCHBOARD_TEST_PYTHON")
        .unwrap_or_else(|_| panic!("no Python is named: run `cargo xtask test`, which makes one"));
    let headers: serde_json::Map<_, _> = posted
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().expect("text").into()))
        .collect();
    let post = json!({"secret": secret, "headers": headers, "body": String::from_utf8_lossy(&posted.raw)});
    let mut running = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/verify.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Python starts");
    running.stdin.take().expect("is piped").write_all(post.to_string().as_bytes()).expect("is read");
    let output = running.wait_with_output().expect("Python ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || stderr.contains("WebhookVerificationError"), "{stderr}");
    output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[tokio::test]
async fn the_library_of_standard_webhooks_takes_a_post() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let id = added(&world, &receiver.address, |_| {}).await;
    let old = "whsec_b2xkb2xkb2xkb2xkb2xkb2xk";
    let mut rotated = webhook(&world, id).await;
    rotated.secrets.previous =
        vec![(old.to_owned().into(), world.clock.now().plus(Duration::from_hours(24)))];
    assert!(world.store.webhooks().change(&rotated).await.expect("writes"));
    let _webhooks = start(&world);
    world.made_for("6000000001").await;
    let posted = receiver.next().await;
    for secret in [SECRET, old] {
        assert_eq!(verified(&posted, secret).as_ref(), Some(&posted.body), "{secret}");
    }
    assert_eq!(verified(&posted, "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXI="), None);
}

#[tokio::test]
async fn for_a_day_posts_carry_both_signatures() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    let until = world.clock.now().plus(Duration::from_hours(24));
    let old = "whsec_b2xkb2xkb2xkb2xkb2xkb2xk";
    let id = added(&world, &receiver.address, |_| {}).await;
    let mut rotated = webhook(&world, id).await;
    let older = ("whsec_b2xkZXJvbGRlcm9sZGVyb2xkZXI=", world.clock.now().plus(Duration::from_hours(1)));
    for (secret, until) in [(old, until), older] {
        rotated.secrets.previous.push((secret.to_owned().into(), until));
    }
    assert!(world.store.webhooks().change(&rotated).await.expect("writes"));
    let signatures = async |receiver: &mut Receiver| {
        let tested = webhooks.test(&webhook(&world, id).await).await.expect("can be posted to");
        assert_eq!(tested.expect("taken").status, 200);
        let posted = receiver.next().await;
        assert_eq!(
            (posted.body["type"].as_str(), posted.headers.contains_key("webhook-id")),
            (Some("ping"), true)
        );
        posted.headers["webhook-signature"].to_str().expect("text").split(' ').count()
    };
    assert_eq!(signatures(&mut receiver).await, 3);
    world.clock.advance(Duration::from_hours(2));
    assert_eq!(signatures(&mut receiver).await, 2);
    world.clock.advance(Duration::from_hours(23));
    assert_eq!(signatures(&mut receiver).await, 1);
}

#[tokio::test]
async fn a_refused_event_is_retried_until_it_is_dead() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    let id = added(&world, &receiver.address, |_| {}).await;
    webhooks.changed();
    for _ in 0..8 {
        receiver.reply(Reply::Status(503));
    }
    world.made_for("6000000001").await;
    let waits = [5, 300, 1800, 7200, 18_000, 36_000, 36_000].map(Duration::from_secs);
    let mut event = None;
    for (round, wait) in waits.into_iter().enumerate() {
        let posted = receiver.next().await;
        assert_eq!(*event.get_or_insert(posted.id.clone()), posted.id, "round {round}");
        let tried = move |found: &[WebhookDelivery]| found[0].attempts as usize == round + 1;
        let found = until(&world, id, tried).await;
        let left = found[0].next_at.since(world.clock.now());
        assert!(left <= wait && left + Duration::from_secs(20) > wait / 2, "{left:?} of {wait:?}");
        assert_eq!((found[0].status, found[0].state), (Some(503), WebhookDeliveryState::Waiting));
        world.clock.advance(wait);
    }
    receiver.next().await;
    let found = until(&world, id, all_are(WebhookDeliveryState::Dead)).await;
    assert_eq!(found[0].attempts, 8);
    assert!(receiver.is_quiet());
    // By hand, and this time it is taken.
    assert_eq!(world.store.webhooks().retry_dead(id, world.clock.now()).await, Ok(1));
    webhooks.changed();
    assert_eq!(Some(receiver.next().await.id), event);
    until(&world, id, all_are(WebhookDeliveryState::Delivered)).await;
}

#[tokio::test]
async fn an_endpoint_may_take_14_seconds_and_not_16() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    let (tell, when) = tokio::sync::oneshot::channel();
    receiver.reply(Reply::When(when));
    receiver.reply(Reply::Never);
    let id = added(&world, &receiver.address, |_| {}).await;
    webhooks.changed();
    world.made_for("6000000001").await;
    receiver.next().await;
    world.clock.advance(Duration::from_secs(14));
    tell.send(()).expect("is waited for");
    until(&world, id, all_are(WebhookDeliveryState::Delivered)).await;
    world.made_for("6000000002").await;
    receiver.next().await;
    world.clock.advance(Duration::from_secs(16));
    let found = until(&world, id, |found| found.len() == 2 && found[0].attempts == 1).await;
    assert_eq!(found[0].error.as_deref(), Some("no answer within 15 s"));
}

#[tokio::test]
async fn two_kilobytes_of_an_endless_answer_are_stored() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    receiver.reply(Reply::Endless);
    let id = added(&world, &receiver.address, |_| {}).await;
    let tested = webhooks.test(&webhook(&world, id).await).await.expect("can be posted to").expect("taken");
    receiver.next().await;
    assert_eq!((tested.status.as_u16(), tested.body.len()), (200, 2048));
}

#[tokio::test]
async fn a_redirect_and_a_private_address_lead_nowhere() {
    let (world, mut receiver, inner) = (World::new().await, Receiver::start().await, Receiver::start().await);
    let webhooks = start(&world);
    for status in [301, 307, 308] {
        receiver.reply(Reply::SendOn(status, inner.address.clone()));
        let id = added(&world, &receiver.address, |_| {}).await;
        let tested = webhooks.test(&webhook(&world, id).await).await.expect("can be posted to");
        assert_eq!(tested.expect_err("not taken").answer().expect("an answer").status.as_u16(), status);
        receiver.next().await;
    }
    let mut inner = inner;
    assert!(inner.is_quiet());
    let named = added(&world, &receiver.address.replace("127.0.0.1", "localhost"), |_| {}).await;
    let listed = webhooks.test(&webhook(&world, named).await).await.expect("can be posted to");
    assert!(listed.is_ok(), "{listed:?}");
    for refused in ["http://127.0.0.2:9/", "http://[::ffff:127.0.0.1]:9/", "http://10.0.0.1/"] {
        let mut elsewhere = webhook(&world, named).await;
        elsewhere.secrets.url = refused.to_owned().into();
        assert!(webhooks.check(&elsewhere).is_err(), "{refused}");
    }
}

#[tokio::test]
async fn an_unlisted_address_is_not_dialled() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    // By a redirect.
    let unlisted = std::net::TcpListener::bind("127.0.0.2:0").expect("a port");
    unlisted.set_nonblocking(true).expect("is set");
    let there = format!("http://{}/", unlisted.local_addr().expect("an address"));
    receiver.reply(Reply::SendOn(307, there));
    let id = added(&world, &receiver.address, |_| {}).await;
    let tested = start(&world).test(&webhook(&world, id).await).await.expect("can be posted to");
    assert_eq!(tested.expect_err("not taken").answer().expect("an answer").status.as_u16(), 307);
    assert!(unlisted.accept().is_err(), "it was dialled");
    receiver.next().await;
    // By a name that always means this machine.
    let nothing = outbound::Allowed::new(outbound::AllowList::Events, Vec::new());
    let named = added(&world, &receiver.address.replace("127.0.0.1", "localhost"), |_| {}).await;
    let refused = start_with(&world, nothing).check(&webhook(&world, named).await);
    let refused = refused.expect_err("it is no public address").to_string();
    assert!(refused.contains("[events] allow_private"), "{refused}");
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn the_settings_vouch_for_the_address_that_they_name() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let nothing = outbound::Allowed::new(outbound::AllowList::Events, Vec::new());
    let vouched = vec![Vouched { account: "main".parse().expect("a name"), url: receiver.address.clone() }];
    let webhooks = Webhooks::start(WebhooksParts { vouched, ..parts(&world, nothing) });
    let of_settings = |webhook: &mut StoredWebhook| {
        webhook.created_by = MADE_BY_SETTINGS.to_owned();
        webhook.filter.types = vec!["operation.*".parse().expect("a type")];
        webhook.filter.accounts = vec!["main".parse().expect("a name")];
    };
    let id = added(&world, &receiver.address, of_settings).await;
    webhooks.changed();
    world.made_for("6000000001").await;
    receiver.next().await;
    // Neither another address nor another account, nor a webhook of a caller.
    let mut changed = webhook(&world, id).await;
    changed.secrets.url = format!("{}/other", receiver.address).into();
    let mut of_another = webhook(&world, id).await;
    of_another.filter.accounts = vec!["shop".parse().expect("a name")];
    let callers = added(&world, &receiver.address, |webhook| {
        webhook.filter.accounts = vec!["main".parse().expect("a name")];
    });
    for refused in [changed, of_another, webhook(&world, callers.await).await] {
        let error = webhooks.check(&refused).expect_err("it is no public address").to_string();
        assert!(error.contains("[events] allow_private"), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_that_answers_410_is_switched_off() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    receiver.reply(Reply::Status(410));
    let id = added(&world, &receiver.address, |webhook| webhook.ordered = true).await;
    webhooks.changed();
    world.made_for("6000000001").await;
    receiver.next().await;
    assert!(until_off(&world, id).await.contains("410"));
    while !receiver.is_quiet() {}
    world.made_for("6000000002").await;
    webhooks.stop(SOON).await;
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_dead_endpoint_delays_only_itself_and_is_off_after_days() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    // Nothing listens there any more.
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr();
    let dead = added(&world, &format!("http://{}/hook", closed.expect("an address")), |_| {}).await;
    // This one listens, and never answers.
    let mut silent = Receiver::start().await;
    for _ in 0..100 {
        silent.reply(Reply::Never);
    }
    let unanswered = added(&world, &silent.address, |_| {}).await;
    let quick = added(&world, &receiver.address, |_| {}).await;
    webhooks.changed();
    for client in 10..22 {
        world.made_for(&format!("60000000{client}")).await;
    }
    until(&world, quick, |found| {
        found.len() >= 12 && found.iter().all(|delivery| delivery.state == WebhookDeliveryState::Delivered)
    })
    .await;
    receiver.next().await;
    silent.next().await;
    let held = deliveries(&world, unanswered).await;
    assert!(held.iter().all(|delivery| delivery.state == WebhookDeliveryState::Waiting), "{held:?}");
    let failures = async |least: u64| {
        while webhook(&world, dead).await.failures < least {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, failures(10)).await.expect("fails");
    assert_eq!(webhook(&world, dead).await.disabled, None, "not for days yet");
    world.clock.advance(Duration::from_hours(6 * 24));
    assert!(until_off(&world, dead).await.contains("five days"));
    assert_eq!(webhook(&world, quick).await.disabled, None);
}

#[tokio::test]
async fn a_replay_posts_delivered_events_once_more() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    let began = world.clock.now();
    let id = added(&world, &receiver.address, |_| {}).await;
    webhooks.changed();
    for client in ["6000000001", "6000000002"] {
        world.made_for(client).await;
    }
    let found = until(&world, id, |found| {
        found.len() == 2 && found.iter().all(|delivery| delivery.state == WebhookDeliveryState::Delivered)
    })
    .await;
    let mut first = Vec::new();
    for _ in 0..found.len() {
        first.push(receiver.next().await.id);
    }
    assert!(world.store.webhooks().replay(id, began).await.expect("writes"));
    webhooks.changed();
    let mut again = Vec::new();
    for _ in 0..first.len() {
        again.push(receiver.next().await.id);
    }
    first.sort_unstable();
    again.sort_unstable();
    assert_eq!(again, first);
    let over = async {
        while webhook(&world, id).await.replay.is_some() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, over).await.expect("comes to its end");
}

#[tokio::test]
async fn a_paused_webhook_gets_all_events_once_resumed() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    let id = added(&world, &receiver.address, |_| {}).await;
    assert!(world.store.webhooks().pause(id, world.clock.now()).await.expect("writes"));
    webhooks.changed();
    world.made_for("6000000001").await;
    webhooks.stop(SOON).await;
    assert!(receiver.is_quiet());
    let webhooks = start(&world);
    assert!(world.store.webhooks().resume(id, world.clock.now()).await.expect("writes"));
    webhooks.changed();
    assert_eq!(receiver.next().await.body["type"], "operation.accepted");
    until(&world, id, all_are(WebhookDeliveryState::Delivered)).await;
}

#[tokio::test]
async fn a_webhook_reports_events_removed_before_delivery() {
    let (world, receiver) = (World::new().await, Receiver::start().await);
    world.made_for("6000000001").await;
    let id = added(&world, &receiver.address, |_| {}).await;
    for client in ["6000000002", "6000000003"] {
        world.made_for(client).await;
    }
    let newest_alone = EventRetention { keep: Duration::from_hours(24), most: 1 };
    world.store.events().sweep(newest_alone).await.expect("writes");
    let cursor = webhook(&world, id).await.cursor;
    let read = world.store.events().after(cursor, &EventFilter::default(), 10).await.expect("reads");
    let gap = read.gap.expect("events were removed");
    let _webhooks = start(&world);
    world.made_for("6000000004").await;
    until(&world, id, all_are(WebhookDeliveryState::Delivered)).await;
    let found = webhook(&world, id).await;
    let expected = format!("events up to {gap} were removed before they could be posted");
    assert_eq!(found.last_error, Some(expected), "after a success too");
    assert!(found.delivered_at.is_some() && found.failing_since.is_none());
    world.store.webhooks().resume(id, world.clock.now()).await.expect("writes");
    assert_eq!(webhook(&world, id).await.last_error, None, "a person has seen it");
}

#[tokio::test]
async fn in_order_a_chats_events_wait_for_the_one_before() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    receiver.reply(Reply::Status(503));
    let id = added(&world, &receiver.address, |webhook| {
        webhook.ordered = true;
        webhook.filter.types = vec!["operation.done".parse().expect("a type")];
    })
    .await;
    webhooks.changed();
    for client in 1..=4 {
        world.made_for(&format!("600000000{client}")).await;
    }
    let refused = receiver.next().await;
    let found = until(&world, id, |found| found.len() == 4 && found[3].attempts == 1).await;
    let events: Vec<String> = found.iter().rev().map(|delivery| delivery.event.to_string()).collect();
    assert_eq!(found.iter().filter(|delivery| delivery.attempts == 0).count(), 3, "all are of one chat");
    world.clock.advance(Duration::from_secs(5));
    let mut posted = Vec::new();
    for _ in 0..4 {
        posted.push(receiver.next().await.id);
    }
    assert_eq!((refused.id, posted), (events[0].clone(), events));
    until(&world, id, all_are(WebhookDeliveryState::Delivered)).await;
    assert!(receiver.is_quiet(), "each once");
}

#[tokio::test]
async fn a_long_replay_holds_little_and_new_events_pass_it() {
    /// More than a replay has waiting, and than a page has.
    const OLD: usize = 2600;
    /// What waits when the next page comes, and that page.
    const MOST_WAITING: u64 = 1500;

    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let began = world.clock.now();
    let states = |count: usize, name: &str| {
        let state = AccountEvent { state: AccountState::Ready, was: None };
        (0..count).map(|one| (format!("{name}_{one}").parse().expect("a name"), state.clone())).collect()
    };
    world.store.events().account_states(states(OLD, "old"), began).await.expect("writes");
    let id = added(&world, &receiver.address, |webhook| {
        webhook.filter.types = vec!["account.state".parse().expect("a type")];
    })
    .await;
    assert!(world.store.webhooks().replay(id, began).await.expect("writes"));
    let webhooks = start(&world);
    let (mut posted, mut position_of_new) = (std::collections::HashSet::new(), None);
    for place in 0..=OLD {
        if place == 100 {
            world.store.events().account_states(states(1, "new"), world.clock.now()).await.expect("writes");
        }
        if place % 100 == 0 {
            let waiting = world.store.webhooks().totals(id).await.expect("reads").waiting;
            assert!(waiting < MOST_WAITING, "{waiting} wait");
        }
        let post = receiver.next().await;
        if post.body["account"] == "new_0" {
            position_of_new = Some(place);
        }
        assert!(posted.insert(post.id), "each once");
    }
    let place = position_of_new.expect("it is posted");
    assert!(place < OLD - 500, "it came as number {place}");
    webhooks.stop(SOON).await;
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_clock_that_is_set_back_holds_no_event_up() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let webhooks = start(&world);
    receiver.reply(Reply::Status(503));
    let id = added(&world, &receiver.address, |_| {}).await;
    webhooks.changed();
    world.made_for("6000000001").await;
    let refused = receiver.next().await;
    until(&world, id, |found| found[0].attempts == 1).await;
    world.clock.set_back(Duration::from_hours(48));
    // Sooner than the next look of a lane it need not be seen, and a lane may begin to wait for that after the clock went on.
    let again = loop {
        world.clock.advance(Duration::from_secs(31));
        if let Ok(posted) = tokio::time::timeout(Duration::from_secs(1), receiver.next()).await {
            break posted;
        }
    };
    assert_eq!(again.id, refused.id);
    world.made_for("6000000002").await;
    let mut later = receiver.next().await;
    while later.id == refused.id {
        later = receiver.next().await;
    }
    assert!(later.id > refused.id, "{} after {}", later.id, refused.id);
    until(&world, id, all_are(WebhookDeliveryState::Delivered)).await;
}
