//! Calls of port 5022 without a key: two are two messages, but one that got no answer is joined by the same again.

use std::time::Duration;

use domain::Outcome;
use domain::account::Reason;
use serde_json::{Value, json};
use store::Page;
use store::testing::waiting_callers;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Call, Target};
use crate::legacy::{GROUP, TAGGED_NULL};
use crate::world::{SOON, World};

pub(crate) async fn eventually(what: impl Fn() -> bool) {
    let waiting = async {
        while !what() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(SOON, waiting).await.expect("it happens");
}

fn writes(world: &World) -> u64 {
    world.store.written().writes
}

pub(crate) async fn ask(call: &Call, world: &World) -> TcpStream {
    let Target::Port(address) = world.old() else { panic!("a port") };
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(&call.bytes()).await.expect("writes");
    stream
}

/// Hangs up and waits until the server has noticed; returns whether it had answered before.
pub(crate) async fn hang_up(mut stream: TcpStream) -> bool {
    let mut answer = Vec::new();
    // A server that is gone already is no reason to stop.
    let _ = stream.shutdown().await;
    let _ = stream.read_to_end(&mut answer).await;
    !answer.is_empty()
}

/// Hangs up once it is accepted, and waits until the store knows that its caller is gone.
pub(crate) async fn abandon(world: &World, stream: TcpStream) {
    eventually(|| waiting_callers(&world.dir()) == Ok(1)).await;
    assert!(!hang_up(stream).await, "it was not answered");
    eventually(|| waiting_callers(&world.dir()) == Ok(0)).await;
}

/// A call that is cut while its message is with an account. What is held must be held.
async fn cut(world: &World, body: &str) {
    let stream = ask(&world.text(body), world).await;
    eventually(|| world.delivery.queued() > 0).await;
    abandon(world, stream).await;
}

#[tokio::test]
async fn two_calls_at_once_are_two_messages() {
    let world = World::new().await;
    world.script.hold();
    let calls = [GROUP, GROUP].map(|body| {
        let call = world.text(body);
        tokio::spawn(async move { call.send().await })
    });
    eventually(|| world.delivery.queued() == 2).await;
    world.script.release();
    let mut ids = Vec::new();
    for call in calls {
        let reply = call.await.expect("no panic");
        assert_eq!(reply.status, 200, "{reply:?}");
        ids.extend(reply.json()["message_id"].as_i64());
    }
    ids.sort_unstable();
    assert_eq!(ids, [45, 46]);
    assert_eq!(world.script.texts(), ["hello", "hello"]);
}

#[tokio::test]
async fn two_calls_in_a_row_are_two_messages() {
    let world = World::new().await;
    for count in 1..=3 {
        assert_eq!(world.text(GROUP).send().await.status, 200);
        assert_eq!(world.script.texts().len(), count);
    }
}

#[tokio::test]
async fn a_cut_call_is_finished_once_and_the_same_body_joins_it() {
    let world = World::new().await;
    world.script.hold();
    cut(&world, GROUP).await;
    let call = world.text(GROUP);
    let waiting = tokio::spawn(async move { call.send().await });
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert!(!waiting.is_finished());
    world.script.release();
    let joined = waiting.await.expect("no panic");
    assert_eq!((joined.status, joined.body.as_str()), (200, TAGGED_NULL));
    assert_eq!(world.script.texts(), ["hello"]);
    // That caller has its answer now; the next same call is a message of its own.
    is_new(&world, GROUP, 2).await;
}

#[tokio::test]
async fn a_cut_call_is_joined_for_a_minute_after_its_end() {
    let world = World::new().await;
    for (seconds, count) in [(50, 1), (61, 2)] {
        let text = format!("after {seconds} seconds");
        let body = json!({ "chat": "-1001234567890", "text": text }).to_string();
        world.script.hold();
        cut(&world, &body).await;
        world.script.release();
        eventually(|| world.delivery.queued() == 0).await;
        world.clock.advance(Duration::from_secs(seconds));
        assert_eq!(world.text(&body).send().await.status, 200);
        assert_eq!(world.script.texts().into_iter().filter(|sent| *sent == text).count(), count, "{text}");
    }
}

#[tokio::test]
async fn one_that_joined_and_hung_up_is_joined_again() {
    let world = World::new().await;
    world.script.hold();
    cut(&world, GROUP).await;
    for _ in 0..2 {
        let before = writes(&world);
        let stream = ask(&world.text(GROUP), &world).await;
        // What it joined is shown in the message's timeline.
        eventually(|| writes(&world) >= before + 2).await;
        assert!(!hang_up(stream).await);
        // That it is gone.
        eventually(|| writes(&world) >= before + 3).await;
    }
    world.script.release();
    eventually(|| world.delivery.queued() == 0).await;
    assert_eq!(world.text(GROUP).send().await.body, TAGGED_NULL);
    assert_eq!(world.script.texts(), ["hello"]);
}

/// Whether a message with this text was accepted.
async fn is_accepted(world: &World, text: &str) -> bool {
    let page = Page { limit: 5, cursor: None };
    let listed = world.store.outbox().list(&store::Filter::default(), &page).await.expect("reads");
    listed.items.iter().any(|message| message.content.text.text == text)
}

#[tokio::test]
async fn a_call_that_is_cut_at_any_moment_is_one_message() {
    let world = World::new().await;
    let mut cuts = 0;
    for number in 0..90_u32 {
        let text = format!("text {number}");
        let chat = -1_001_000_000_000 - i64::from(number);
        let body = json!({ "chat": chat, "text": text }).to_string();
        let stream = ask(&world.text(&body), &world).await;
        if number < 80 {
            for _ in 0..number {
                tokio::task::yield_now().await;
            }
        } else {
            tokio::time::sleep(Duration::from_millis(u64::from(number - 79))).await;
        }
        let answered = hang_up(stream).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        eventually(|| world.delivery.queued() == 0).await;
        let accepted = is_accepted(&world, &text).await;
        eventually(|| waiting_callers(&world.dir()) == Ok(0)).await;
        cuts += usize::from(accepted && !answered);
        let reply = world.text(&body).send().await;
        assert_eq!(reply.status, 200, "{number}: {reply:?}");
        let sent = world.script.texts().into_iter().filter(|sent| *sent == text).count();
        assert_eq!(sent, if answered { 2 } else { 1 }, "{number}: answered {answered}, accepted {accepted}");
    }
    assert!(cuts > 0, "none was cut on its way");
}

#[tokio::test]
async fn after_a_crash_the_same_body_joins() {
    let world = World::new().await;
    world.script.hold();
    let call = world.text(GROUP);
    let waiting = tokio::spawn(async move { call.send().await });
    while !is_accepted(&world, "hello").await {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let next = world.after_a_crash().await;
    let joined = next.text(GROUP).send().await;
    assert_eq!((joined.status, joined.body.as_str()), (200, TAGGED_NULL));
    assert_eq!(next.script.texts(), ["hello"]);
    is_new(&next, GROUP, 2).await;
    world.script.release();
    assert_eq!(waiting.await.expect("no panic").status, 200);
}

#[tokio::test]
async fn answered_caller_gets_a_new_message_after_a_crash() {
    let world = World::new().await;
    assert_eq!(world.text(GROUP).send().await.status, 200);
    // The next commit takes along that it has its answer.
    assert_eq!(world.text(r#"{"chat":"-1001234567890","text":"other"}"#).send().await.status, 200);
    let next = world.after_a_crash().await;
    is_new(&next, GROUP, 1).await;
}

/// Asks for a text whose account is lost right after an unknown result.
async fn doubtful(world: &World, body: &str) -> Value {
    world.script.then([Outcome::Unknown("cut".into()), Outcome::Banned(Reason::Banned)]);
    let call = world.text(body);
    let waiting = tokio::spawn(async move { call.send().await });
    let reply = world.pass(Duration::from_millis(200), waiting).await;
    assert_eq!(reply.status, 500, "{reply:?}");
    let answer = reply.json();
    assert_eq!((&answer["status"], &answer["state"]), (&json!("error"), &json!("in_doubt")), "{answer}");
    assert!(answer["error"].is_string() && answer["id"].as_str().is_some_and(|id| id.starts_with("msg_")));
    answer["id"].clone()
}

#[tokio::test]
async fn a_doubt_is_joined_until_it_is_resolved_and_a_minute_longer() {
    let world = World::new().await;
    let id = doubtful(&world, GROUP).await;
    for body in [GROUP, r#"{ "text": "hello", "chat": "-1001234567890" }"#, GROUP] {
        let again = world.text(body).send().await;
        assert_eq!((again.status, &again.json()["id"]), (500, &id), "the same call joins it");
    }
    let other = world.text(r#"{"chat":"-1001234567890","text":"other"}"#).send().await;
    assert_eq!(other.status, 200, "another one does not");

    let path = format!("/v1/messages/{}/resolve", id.as_str().expect("an id"));
    assert_eq!(world.call("POST", &path).json(r#"{"as":"sent"}"#).send().await.status, 200);
    let reply = world.text(GROUP).send().await;
    assert_eq!((reply.status, reply.json()["message_id"].clone()), (200, Value::Null), "{reply:?}");
    assert_eq!(world.script.texts(), ["other"]);
    is_new(&world, GROUP, 2).await;
}

/// A caller that was answered asks for a message of its own, at once.
async fn is_new(world: &World, body: &str, count: usize) {
    assert_eq!(world.text(body).send().await.status, 200);
    assert_eq!(world.script.texts().len(), count);
}

#[tokio::test]
async fn a_joined_message_is_a_new_one_after_a_minute() {
    let world = World::new().await;
    let id = doubtful(&world, GROUP).await;
    let path = format!("/v1/messages/{}/resolve", id.as_str().expect("an id"));
    assert_eq!(world.call("POST", &path).json(r#"{"as":"sent"}"#).send().await.status, 200);
    world.clock.advance(Duration::from_secs(61));
    let fresh = world.text(GROUP).send().await;
    assert_eq!(fresh.body, TAGGED_NULL);
}

#[tokio::test]
async fn a_possibly_sent_message_is_a_doubt_after_the_hold() {
    let world = World::new().await;
    world.script.hold();
    let call = world.text(GROUP);
    let waiting = tokio::spawn(async move { call.send().await });
    while world.delivery.queued() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reply = world.pass(Duration::from_secs(10), waiting).await;
    assert_eq!((reply.status, &reply.json()["state"]), (500, &json!("in_doubt")), "{reply:?}");
    let call = world.text(GROUP);
    let joined = tokio::spawn(async move { call.send().await });
    tokio::time::sleep(Duration::from_millis(30)).await;
    world.script.release();
    let joined = joined.await.expect("no panic");
    assert_eq!((joined.status, joined.body.as_str()), (200, TAGGED_NULL), "the same call joined it");
    assert_eq!(world.script.texts(), ["hello"]);
}
