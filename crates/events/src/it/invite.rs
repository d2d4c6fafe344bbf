//! Invite callbacks: posted once, tried again, given up, never in each other's way.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use config::{InviteCallback, LegacyPort, LegacySettings};
use domain::Service;
use serde_json::json;
use store::{Direction, FailedState};

use crate::it::receiver::{Receiver, Reply};
use crate::it::world::World;

#[tokio::test]
async fn a_callback_is_posted_as_the_receiver_knows_it() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    // One from before the start, one after it.
    let first = world.made_for("6000000001").await;
    let worker = world.start(&receiver.address);
    let posted = receiver.next().await;
    assert_eq!((posted.path.as_str(), posted.content_type.as_str()), ("/hook", "application/json"));
    assert_eq!(posted.id, first.to_string());
    let body = json!({
        "message": "send_invite_link",
        "user_id": "6000000001",
        "group_id": "demo",
        "tg_business": 1,
        "invite_link": "https://t.me/+6000000001",
    });
    assert_eq!(posted.body, body);
    world.all_delivered().await;

    world.made_for("6000000002").await;
    assert_eq!(receiver.next().await.body["user_id"], "6000000002");
    world.all_delivered().await;
    worker.stop(Duration::from_secs(10)).await;
    assert!(receiver.is_quiet(), "each once");
}

#[tokio::test]
async fn refused_callback_is_retried_until_given_up() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let worker = world.start(&receiver.address);
    for _ in 0..6 {
        receiver.reply(Reply::Status(503));
    }
    let id = world.made_for("6000000001").await;
    for (round, wait) in [30, 120, 600, 3600, 21_600].into_iter().map(Duration::from_secs).enumerate() {
        assert_eq!(receiver.next().await.id, id.to_string(), "round {round}");
        let left = world.put_off().await;
        assert!(left <= wait && left + Duration::from_secs(20) > wait, "{left:?} of {wait:?}");
        world.clock.advance(wait);
    }
    assert_eq!(receiver.next().await.id, id.to_string());
    let failed = world.failed().await;
    assert_eq!((failed.direction, failed.state), (Direction::Outbound, FailedState::Pending));
    assert_eq!(failed.callback, Some(id));
    assert!(failed.error.contains("503"), "{}", failed.error);
    world.all_delivered().await;

    // By hand, and this time it is taken.
    let now = world.clock.now();
    assert!(world.store.failed_requests().retried(failed.id, now).await.expect("writes"));
    assert!(world.store.callbacks().requeue(id, now).await.expect("writes"));
    world.due.notify_one();
    assert_eq!(receiver.next().await.id, id.to_string());
    world.all_delivered().await;
    let ended = world.store.failed_requests().get(failed.id).await.expect("reads").expect("is there");
    assert_eq!(ended.state, FailedState::Done);
    worker.stop(Duration::from_secs(10)).await;
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_waited_for_15_seconds() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let _worker = world.start(&receiver.address);
    receiver.reply(Reply::Never);
    let silent = world.made_for("6000000001").await;
    assert_eq!(receiver.next().await.id, silent.to_string());
    // Another is notified meanwhile.
    let other = world.made_for("6000000002").await;
    assert_eq!(receiver.next().await.id, other.to_string());
    let left = async || {
        let soon = world.clock.now().plus(Duration::from_mins(1));
        world.store.callbacks().due(soon, 10).await.expect("reads")
    };
    // Its answer is in before time goes on.
    let begun = Instant::now();
    while left().await.len() > 1 {
        assert!(begun.elapsed() < Duration::from_mins(1), "the other one is not notified");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    world.clock.advance(Duration::from_secs(15));
    world.put_off().await;
    let due = left().await;
    let left: Vec<_> = due.iter().map(|callback| (callback.id, callback.last_error.as_deref())).collect();
    assert_eq!(left, [(silent, Some("no answer within 15 s"))]);
}

#[tokio::test]
async fn at_most_four_callbacks_are_posted_at_once() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let mut releases = Vec::new();
    let mut made = BTreeSet::new();
    for client in 0..7 {
        let (release, when) = tokio::sync::oneshot::channel();
        receiver.reply(Reply::When(when));
        releases.push(release);
        made.insert(world.made_for(&format!("600000000{client}")).await.to_string());
    }
    let worker = world.start(&receiver.address);
    let mut posted = BTreeSet::new();
    for _ in 0..4 {
        posted.insert(receiver.next().await.id);
    }
    assert!(receiver.is_quiet());
    for release in releases.drain(..3) {
        release.send(()).expect("is waited for");
        posted.insert(receiver.next().await.id);
        assert!(receiver.is_quiet());
    }
    assert_eq!(posted, made, "each once");
    for release in releases {
        release.send(()).expect("is waited for");
    }
    world.all_delivered().await;
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test]
async fn a_stop_finishes_requests_on_the_wire() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let worker = world.start(&receiver.address);
    let (release, when) = tokio::sync::oneshot::channel();
    receiver.reply(Reply::When(when));
    world.made_for("6000000001").await;
    receiver.next().await;
    let stopping = tokio::spawn({
        let worker = worker.clone();
        async move { worker.stop(Duration::from_secs(20)).await }
    });
    tokio::task::yield_now().await;
    release.send(()).expect("is waited for");
    stopping.await.expect("stops");
    assert_eq!(world.store.callbacks().next_due().await.expect("reads"), None, "its end is written");
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_server_alone() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let mut stranger = Receiver::start().await;
    let _worker = world.start(&receiver.address);
    receiver.reply(Reply::SendOn(307, "/hook/".into()));
    world.made_for("6000000001").await;
    assert_eq!(receiver.next().await.path, "/hook");
    let again = receiver.next().await;
    assert_eq!((again.path.as_str(), &again.body["user_id"]), ("/hook/", &json!("6000000001")));
    world.all_delivered().await;

    for (status, to) in [(307, format!("{}/hook", stranger.address)), (302, "/hook/".into())] {
        receiver.reply(Reply::SendOn(status, to));
        world.made_for("6000000002").await;
        receiver.next().await;
        world.put_off().await;
        assert!(receiver.is_quiet() && stranger.is_quiet());
        world.clock.advance(Duration::from_secs(30));
        receiver.next().await;
        world.all_delivered().await;
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_still_an_answer() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let worker = world.start(&receiver.address);
    receiver.reply(Reply::Endless);
    world.made_for("6000000001").await;
    receiver.next().await;
    world.all_delivered().await;
    worker.stop(Duration::from_secs(10)).await;
    assert!(receiver.is_quiet());
}

#[tokio::test]
async fn without_a_receiver_a_callback_waits_for_a_person() {
    let world = World::new().await;
    let _worker = world.start_with(None);
    let id = world.made_for("6000000001").await;
    let failed = world.failed().await;
    assert_eq!((failed.callback, failed.state), (Some(id), FailedState::Pending));
    assert!(failed.error.contains("legacy.invite_callback"), "{}", failed.error);
}

#[tokio::test]
async fn a_post_is_signed_and_carries_the_header_that_is_set() {
    let (world, mut receiver) = (World::new().await, Receiver::start().await);
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let _worker = world.start_with(Some(InviteCallback {
        url: format!("{}/hook", receiver.address),
        group_id: "demo".into(),
        secret: Some(secret.into()),
        header: Some("X-Token: made-up".into()),
    }));
    world.made_for("6000000001").await;
    let posted = receiver.next().await;
    let header =
        |name: &str| posted.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!(header("x-token"), "made-up");
    let at: i64 = header("webhook-timestamp").parse().expect("seconds");
    assert!((world.clock.now().as_seconds() - at).abs() < 60, "{at}");
    let signature = header("webhook-signature");
    assert!(signature.starts_with("v1,") && signature.len() == 47, "{signature}");
}

#[tokio::test]
async fn a_port_with_an_address_of_its_own_posts_there() {
    let (world, mut usual, mut own) = (World::new().await, Receiver::start().await, Receiver::start().await);
    let port = |port: u16, url: Option<String>| LegacyPort {
        port,
        service: Service::CreateChat,
        listen: std::net::Ipv4Addr::LOCALHOST.into(),
        account: None,
        allow_from: Vec::new(),
        key_required: false,
        invite_callback_url: url,
        repeats: None,
    };
    let invite_callback = InviteCallback {
        url: format!("{}/hook", usual.address),
        group_id: "demo".into(),
        ..InviteCallback::default()
    };
    // Chats of this world are asked for at port 5021.
    for (number, is_own) in [(5021, true), (5025, false)] {
        let ports = vec![port(number, Some(format!("{}/hook", own.address)))];
        let settings = LegacySettings {
            invite_callback: Some(invite_callback.clone()),
            ports,
            ..LegacySettings::default()
        };
        let worker = world.start_of(&settings);
        let id = world.made_for("6000000001").await;
        let posted = if is_own { own.next().await } else { usual.next().await };
        assert_eq!(posted.id, id.to_string(), "{number}");
        world.all_delivered().await;
        worker.stop(Duration::from_secs(10)).await;
    }
    assert!(usual.is_quiet() && own.is_quiet());
}
