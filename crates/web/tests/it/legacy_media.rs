//! The port that sends files: what its callers read back, byte for byte, and that nothing is sent twice.

use std::time::Duration;

use delivery::Steps;
use delivery::sender::{Readiness, RefusalKind};
use domain::media::{MediaForm, MediaSource};
use domain::{Outcome, Service};
use serde_json::{Value, json};

use crate::client::Call;
use crate::joining::{abandon, ask, eventually};
use crate::script::{able, no_candidates};
use crate::world::{World, port_of};
use testkit::{Hoster, PDF, PNG};

const GROUP: i64 = -1_001_234_567_890;

async fn world() -> World {
    let world = World::with(|options| options.legacy.ports = vec![port_of(Service::SendMedia)]).await;
    std::fs::write(world.dir().join("media/a.pdf"), PDF).expect("writes");
    std::fs::write(world.dir().join("media/b.png"), PNG).expect("writes");
    world
}

impl World {
    fn ship(&self, body: &Value) -> Call {
        Call::new(&self.old(), "POST", "/send_media").json(body.to_string())
    }
}

#[tokio::test]
async fn an_album_is_sent_and_answered() {
    let (world, hoster) = (world().await, Hoster::start().await);
    let body = json!({
        "username": "Demo_Channel", "caption": "<b>hello</b>", "disable_web_page_preview": true,
        "files": [hoster.url("/photo.png"), { "path": "b.png", "filename": "c.png" }],
    });
    let reply = world.ship(&body).send().await;
    let expected = r#"{"status":"ok","recipient":"Demo_Channel","message_ids":[45,46],"count":2}"#;
    assert_eq!((reply.status, reply.body.as_str()), (200, expected));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let sent = world.script.sent();
    assert_eq!((sent.len(), sent[0].text.text.as_str(), sent[0].text.entities.len()), (1, "hello", 1));
    let content = &sent[0].content;
    assert!(!content.preview && content.media.len() == 2);
    assert_eq!(content.media[1].name, "c.png");
    let body = json!({ "user_id": GROUP.to_string(), "files": [{ "file": "a.pdf" }] });
    let reply = world.ship(&body).send().await;
    let expected = r#"{"status":"ok","recipient":"-1001234567890","message_ids":[47],"count":1}"#;
    assert_eq!((reply.status, reply.body.as_str()), (200, expected));
}

#[tokio::test]
async fn posts_file_ids_and_wishes_reach_the_account() {
    let world = world().await;
    let id = "AgACAgIAAxkBAAIBZ2ZvdG8tZmlsZS1pZA";
    let body = json!({
        "user_id": GROUP,
        "files": ["https://t.me/demo_channel/45", id, { "path": "b.png", "force_document": true }],
    });
    assert_eq!(world.ship(&body).send().await.json()["count"], 3);
    let media = &world.script.sent()[0].content.media;
    assert!(matches!(&media[0].source, MediaSource::Post { message_id, .. } if message_id.get() == 45));
    assert!(matches!(&media[1].source, MediaSource::FileId { file_id } if file_id == id));
    assert_eq!(media[2].form, MediaForm::Document);
}

#[tokio::test]
async fn failures_follow_the_table() {
    let (world, hoster) = (world().await, Hoster::start().await);
    let by_name = json!({ "username": "@demo_channel", "files": ["a.pdf"] });
    let by_id = json!({ "user_id": GROUP, "files": ["a.pdf"] });
    world.script.then([Outcome::MediaExpired("x".to_owned())]);
    let reply = world.ship(&by_id).send().await;
    assert_eq!((reply.status, &reply.json()["status"]), (410, &json!("error")), "{reply:?}");
    world.script.then([Outcome::Rejected { code: "PHOTO_INVALID_DIMENSIONS".into() }]);
    let reply = world.ship(&by_id).send().await;
    assert!(reply.status == 500 && reply.body.contains("PHOTO_INVALID_DIMENSIONS"), "{reply:?}");
    for path in ["/gone", "/empty", "/inward", "/huge"] {
        let reply =
            world.ship(&json!({ "user_id": GROUP, "files": ["a.pdf", hoster.url(path)] })).send().await;
        let error = reply.json()["error"].as_str().expect("an error").to_owned();
        assert!(reply.status == 500 && error.starts_with("files[1]: "), "{path}: {reply:?}");
    }
    let files_before = world.files_in("outgoing").len();
    assert_eq!(files_before, 2, "those of the two that may be tried again by hand");
    world.free.is(100 << 20);
    assert_eq!(world.ship(&by_id).send().await.status, 503);
    world.free.is(1 << 40);
    world.script.candidates_are(no_candidates(RefusalKind::NotFound, "not found"));
    let both = json!({ "username": "@demo_channel", "files": [hoster.url("/gone")] });
    assert_eq!(world.ship(&both).send().await.status, 404, "the recipient comes before the files");
    let reply = world.ship(&by_name).send().await;
    let expected = r#"{"status":"error","error":"Channel/username not found"}"#;
    assert_eq!((reply.status, reply.body.as_str()), (404, expected));
    let reply = world.ship(&by_id).send().await;
    let expected = r#"{"status":"error","error":"Invalid peer (user_id/username)"}"#;
    assert_eq!((reply.status, reply.body.as_str()), (400, expected));
    let until = world.clock.now().plus(Duration::from_hours(1));
    world.script.candidates_are(able(&[("main", Readiness::HeldUntil(until))]));
    let reply = world.ship(&by_id).send().await;
    assert_eq!((reply.status, &reply.json()["error"]), (429, &json!("FloodWait")), "{reply:?}");
    assert!(reply.json()["retry_after"].as_u64().is_some_and(|wait| wait > 3500), "{reply:?}");
}

#[tokio::test]
async fn cut_call_is_joined_without_fetching_again() {
    let (world, hoster) = (world().await, Hoster::start().await);
    world.script.hold();
    let body = json!({ "user_id": GROUP, "files": [hoster.url("/photo.png")] });
    let stream = ask(&world.ship(&body), &world).await;
    world.until_shown("/v1/messages", |page| page["items"][0]["state"] == "sending").await;
    abandon(&world, stream).await;
    let joined = tokio::spawn({
        let call = world.ship(&body);
        async move { call.send().await }
    });
    world.script.release();
    let reply = joined.await.expect("answers");
    assert_eq!((reply.status, reply.json()["message_ids"].clone()), (200, json!([45])), "{reply:?}");
    assert_eq!((hoster.asked(), world.script.sent().len(), world.files_in("outgoing").len()), (1, 1, 1));
}

#[tokio::test]
async fn a_key_brings_the_same_answer_even_when_the_chat_was_left() {
    let world = world().await;
    let body = json!({ "user_id": GROUP, "files": ["a.pdf"] });
    let keyed = world.ship(&body).header("Idempotency-Key", "order-1");
    let first = keyed.send().await;
    std::fs::remove_file(world.dir().join("media/a.pdf")).expect("removes");
    let chat_id = GROUP.to_string().parse().expect("a chat");
    world.pool.registered(&domain::saga::RegistryChange::Left { chat_id });
    let again = keyed.send().await;
    assert_eq!((again.status, again.body.as_str()), (200, first.body.as_str()));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(world.ship(&body).send().await.body, r#"{"status":"skipped","reason":"chat already left"}"#);
}

#[tokio::test]
async fn the_wait_for_files_is_part_of_the_hold() {
    let (world, hoster) = (
        World::with(|options| {
            options.legacy.ports = vec![port_of(Service::SendMedia)];
            options.legacy.hold = Duration::from_secs(10);
        })
        .await,
        Hoster::start().await,
    );
    let call = world.ship(&json!({ "user_id": GROUP, "files": [hoster.url("/silent")] }));
    let sending = tokio::spawn(async move { call.send().await });
    eventually(|| hoster.asked() == 1).await;
    let reply = world.pass(Duration::from_secs(10), sending).await;
    assert_eq!(reply.status, 500, "{reply:?}");
    assert!(reply.body.contains("within 10 s; nothing was sent"), "{reply:?}");
    assert_eq!((world.files_in("outgoing").len(), world.delivery.queued()), (0, 0));
}
