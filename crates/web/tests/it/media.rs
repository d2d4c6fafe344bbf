//! Messages with files: from wherever they come they are taken in first, sent in order, and shown.

use std::time::Duration;

use domain::Outcome;
use domain::media::{MediaForm, MediaSource};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Call, Reply, Target};
use crate::joining::{eventually, hang_up};
use crate::world::{SOON, World};
use test_app::SILENCE;
use testkit::{Hoster, PDF, PNG};

const GROUP: &str = "-1001234567890";

fn body(media: &Value) -> String {
    json!({ "chat": GROUP, "text": "the caption", "media": media }).to_string()
}

async fn sent(call: Call) -> Reply {
    call.send().await
}

/// The answer to a call, which must not take longer than answers do.
async fn in_time(sending: tokio::task::JoinHandle<Reply>) -> Reply {
    tokio::time::timeout(SOON, sending).await.expect("in time").expect("no panic")
}

#[tokio::test]
async fn each_source_is_taken_in_and_sent_in_order() {
    let (world, hoster) = (World::new().await, Hoster::start().await);
    let upload = world.upload("?filename=scan.pdf", PDF).send().await.json();
    std::fs::write(world.dir().join("media/cat.png"), PNG).expect("writes");
    let media = json!([
        { "url": hoster.url("/photo.png") },
        { "path": "cat.png", "filename": "dog.png" },
        { "upload": upload["id"] },
        { "path": "cat.png", "as": "document" },
        { "post": "https://t.me/demo_channel/45" },
    ]);
    let reply = world.message(&body(&media)).send().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    assert_eq!(answer["message_ids"], json!([45, 46, 47, 48, 49]), "{answer}");
    assert_eq!(answer["parts"], 3, "two photos, two documents, one post: {answer}");
    let shown = |field: &str| -> Vec<Value> {
        answer["media"].as_array().expect("media").iter().map(|one| one[field].clone()).collect()
    };
    assert_eq!(shown("kind"), ["photo", "photo", "document", "document", "document"].map(Value::from));
    assert_eq!(
        shown("name"),
        [json!("photo.png"), json!("dog.png"), json!("scan.pdf"), json!("cat.png"), Value::Null]
    );
    assert_eq!(
        shown("size"),
        [json!(PNG.len()), json!(PNG.len()), json!(PDF.len()), json!(PNG.len()), Value::Null]
    );
    assert_eq!(shown("message_id"), [45, 46, 47, 48, 49].map(Value::from));
    assert_eq!(answer["media"][4]["post"], "https://t.me/demo_channel/45");
    assert!(!reply.body.contains(&hoster.url("")), "an address may hold a secret: {}", reply.body);

    let sent = world.script.sent();
    assert_eq!(sent.iter().map(|sent| sent.text.text.as_str()).collect::<Vec<_>>(), ["the caption", "", ""]);
    let content = &sent[0].content;
    assert_eq!(content.media[0].form, MediaForm::Photo { width: 4, height: 3 });
    assert_eq!(content.media[3].form, MediaForm::Document);
    let MediaSource::File { key, size, .. } = &content.media[2].source else { panic!("a file") };
    assert_eq!(*size, PDF.len() as u64);
    assert_eq!(std::fs::read(world.dir().join("outgoing").join(key.as_str())).expect("kept"), PDF);
    assert_eq!(world.files_in("outgoing").len(), 4);
    // The upload may leave the shelf; the message has it for itself.
    let path = format!("/v1/uploads/{}", upload["id"].as_str().expect("an id"));
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    assert_eq!(world.look(&answer["id"]).await.json()["media"][2]["stored"], true);
    // Sent is all of a file; of a post nothing is known but that it is one.
    let shown = world.look(&answer["id"]).await.json();
    assert_eq!(shown["media"][2]["uploaded"], PDF.len(), "{shown}");
    let mut media = shown["media"].as_array().expect("media").iter();
    let post = media.find(|one| one["from"] == "post").expect("the post");
    assert_eq!(post["uploaded"], serde_json::Value::Null, "{shown}");
}

#[tokio::test]
async fn a_message_may_have_files_alone() {
    let world = World::new().await;
    std::fs::write(world.dir().join("media/a.pdf"), PDF).expect("writes");
    let reply =
        world.message(&json!({ "chat": GROUP, "media": [{ "path": "a.pdf" }] }).to_string()).send().await;
    assert_eq!((reply.status, reply.json()["message_ids"].clone()), (200, json!([45])), "{reply:?}");
    let reply = world.message(&json!({ "chat": GROUP, "media": [] }).to_string()).send().await;
    assert!(
        reply.problem(422, "invalid_request")["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("media"))
    );
}

#[tokio::test]
async fn a_bad_file_is_named_and_nothing_is_accepted_or_left() {
    let (world, hoster) = (World::new().await, Hoster::start().await);
    std::fs::write(world.dir().join("media/a.pdf"), PDF).expect("writes");
    std::fs::write(world.dir().join("media/empty"), b"").expect("writes");
    let url = |path: &str| json!({ "url": hoster.url(path) });
    for (bad, status, code, field) in [
        (url("/gone"), 422, "media_unreachable", "url"),
        (url("/empty"), 422, "media_invalid", "url"),
        (url("/short"), 422, "media_unreachable", "url"),
        (url("/huge"), 413, "too_large", "url"),
        (url("/endless"), 413, "too_large", "url"),
        (url("/inward"), 422, "media_refused", "url"),
        (json!({ "url": "http://10.0.0.1/" }), 422, "media_refused", "url"),
        (json!({ "url": "http://127.0.0.1:1234x/" }), 422, "media_invalid", "url"),
        (json!({ "url": "file:///etc/passwd" }), 422, "media_invalid", "url"),
        (json!({ "path": "../switchboard.db" }), 422, "media_refused", "path"),
        (json!({ "path": "/etc/passwd" }), 422, "media_refused", "path"),
        (json!({ "path": "none" }), 422, "media_invalid", "path"),
        (json!({ "path": "empty" }), 422, "media_invalid", "path"),
        (json!({ "path": "a.pdf", "as": "voice" }), 422, "media_invalid", "path"),
        (json!({ "upload": "upl_01k2v7m3w0e9tq4b8s6n5x1zyr" }), 422, "invalid_request", "upload"),
        (json!({ "post": "https://example.com/a/4" }), 422, "invalid_request", "post"),
    ] {
        let reply = world.message(&body(&json!([{ "path": "a.pdf" }, bad]))).send().await;
        let problem = reply.problem(status, code);
        assert_eq!(problem["errors"][0]["field"], format!("media[1].{field}"), "{problem}");
    }
    world.free.is(100 << 20);
    world.message(&body(&json!([{ "path": "a.pdf" }]))).send().await.problem(507, "storage_full");
    assert_eq!(world.files_in("outgoing"), [""; 0]);
    assert_eq!(world.script.sent().len(), 0);
    assert_eq!(world.call("GET", "/v1/messages").send().await.json()["items"], json!([]));
}

#[tokio::test]
async fn silent_server_or_hang_up_ends_the_fetch() {
    let (world, hoster) = (World::new().await, Hoster::start().await);
    let call = world.message(&body(&json!([{ "url": hoster.url("/silent") }])));
    let sending = tokio::spawn({
        let call = call.clone();
        async move { call.send().await }
    });
    eventually(|| hoster.asked() == 1).await;
    world.pass(SILENCE, sending).await.problem(422, "media_unreachable");

    std::fs::write(world.dir().join("media/a.pdf"), PDF).expect("writes");
    let call = world.message(&body(&json!([{ "path": "a.pdf" }, { "url": hoster.url("/silent") }])));
    let crate::client::Target::Port(address) = world.main() else { panic!("a port") };
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connects");
    tokio::io::AsyncWriteExt::write_all(&mut stream, &call.bytes()).await.expect("writes");
    eventually(|| hoster.asked() == 2 && !world.files_in("outgoing").is_empty()).await;
    hang_up(stream).await;
    eventually(|| world.files_in("outgoing").is_empty()).await;
    assert_eq!(world.delivery.queued(), 0);
}

/// Messages with four addresses each that never answer.
fn never_answered(world: &World, hoster: &Hoster, count: usize) -> Vec<tokio::task::JoinHandle<Reply>> {
    let media = json!(vec![json!({ "url": hoster.url("/silent") }); 4]);
    let call = world.message(&body(&media));
    (0..count).map(|_| tokio::spawn(sent(call.clone()))).collect()
}

#[tokio::test]
async fn silent_addresses_delay_no_other_file() {
    let (world, hoster) = (World::new().await, Hoster::start().await);
    std::fs::write(world.dir().join("media/a.pdf"), PDF).expect("writes");
    let upload = world.upload("", PDF).send().await.json();
    // One more than the caller's share: it waits for the others of its own.
    let senders = never_answered(&world, &hoster, 5);
    eventually(|| hoster.asked() == 16).await;
    let ours = world.message(&body(&json!([{ "path": "a.pdf" }, { "upload": upload["id"] }]))).send().await;
    assert_eq!(ours.status, 200, "{ours:?}");
    let other = world.make_key(&["send"]).await;
    let theirs = json!([{ "url": hoster.url("/photo.png") }]);
    let theirs = Call::new(&world.main(), "POST", "/v1/messages").key(&other).json(body(&theirs));
    let theirs = theirs.send().await;
    assert_eq!(theirs.status, 200, "{theirs:?}");
    assert_eq!(hoster.asked(), 17, "those beyond the share were not asked");
    for sender in senders {
        sender.abort();
    }
}

#[tokio::test]
async fn fetching_addresses_has_a_time_limit() {
    let within = Duration::from_secs(10);
    let world = World::with(|options| options.limits.addresses_within = within).await;
    let hoster = Hoster::start().await;
    let sending = never_answered(&world, &hoster, 1).remove(0);
    eventually(|| hoster.asked() == 4).await;
    world.clock.advance(within);
    let reply = in_time(sending).await;
    let problem = reply.problem(422, "media_unreachable");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.contains("within 10 s") && detail.contains("POST /v1/uploads"), "{detail}");
    assert_eq!((world.files_in("outgoing").len(), world.delivery.queued()), (0, 0));
}

#[tokio::test]
async fn fetching_files_counts_towards_the_wait() {
    let (world, hoster) = (World::new().await, Hoster::start().await);
    world.script.hold();
    let request = json!({ "chat": GROUP, "wait": 20, "media": [{ "url": hoster.url("/halting/100000") }] });
    let sending = tokio::spawn(sent(world.message(&request.to_string())));
    eventually(|| hoster.asked() == 1).await;
    world.clock.advance(Duration::from_secs(15));
    hoster.release();
    eventually(|| world.delivery.queued() == 1).await;
    assert!(!sending.is_finished());
    world.clock.advance(Duration::from_secs(5));
    let reply = in_time(sending).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    world.script.release();
}

#[tokio::test]
async fn disk_filling_during_a_fetch_leaves_nothing() {
    let (world, hoster) = (World::new().await, Hoster::start().await);
    let size = 7 << 20;
    let media = json!([{ "url": hoster.url(&format!("/halting/{size}")) }]);
    let sending = tokio::spawn(sent(world.message(&body(&media))));
    eventually(|| !world.files_in("outgoing").is_empty()).await;
    world.free.is(100 << 20);
    hoster.release();
    in_time(sending).await.problem(507, "storage_full");
    assert_eq!(world.files_in("outgoing"), [""; 0]);

    std::fs::write(world.dir().join("media/large.bin"), vec![7; size]).expect("writes");
    world.free.is(1 << 40);
    // There is room at the start, and none any more in the middle.
    world.free.ends_after(1);
    let path = body(&json!([{ "path": "large.bin" }]));
    world.message(&path).send().await.problem(507, "storage_full");
    assert_eq!(world.files_in("outgoing"), [""; 0]);
    world.free.ends_after(u64::MAX);
    assert_eq!(world.message(&path).send().await.status, 200);
}

#[tokio::test]
async fn a_repeat_fetches_nothing_and_keeps_nothing() {
    let (world, hoster) = (World::new().await, Hoster::start().await);
    let call = world
        .message(&body(&json!([{ "url": hoster.url("/photo.png") }])))
        .header("Idempotency-Key", "order-1");
    let first = call.send().await;
    let again = call.send().await;
    assert_eq!((first.status, again.status, hoster.asked()), (200, 200, 1));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.message(), first.message());
    // Two at once both fetch; one message and one file come of it.
    world.script.hold();
    let call = world
        .message(&body(&json!([{ "url": hoster.url("/photo.png") }])))
        .header("Idempotency-Key", "order-2");
    let calls = [call.clone(), call].map(|call| tokio::spawn(async move { call.send().await }));
    eventually(|| world.delivery.queued() == 1 && hoster.asked() >= 2).await;
    world.script.release();
    for call in calls {
        assert_eq!(call.await.expect("answers").status, 200);
    }
    eventually(|| world.files_in("outgoing").len() == 2).await;
    assert_eq!(world.script.sent().len(), 2);
}

#[tokio::test]
async fn gone_and_expired_files_have_their_own_answers() {
    let world = World::new().await;
    std::fs::write(world.dir().join("media/a.pdf"), PDF).expect("writes");
    world.script.then([Outcome::MediaGone("a.pdf".to_owned())]);
    let gone = world.message(&body(&json!([{ "path": "a.pdf" }]))).send().await;
    gone.problem(410, "media_gone");
    world.script.then([Outcome::MediaExpired("x".to_owned())]);
    world.message(&body(&json!([{ "path": "a.pdf" }]))).send().await.problem(410, "media_expired");
}

#[tokio::test]
async fn a_long_caption_goes_on_as_a_text() {
    let world = World::new().await;
    std::fs::write(world.dir().join("media/a.pdf"), PDF).expect("writes");
    let long = "word ".repeat(300);
    let request = json!({ "chat": GROUP, "text": long, "media": [{ "path": "a.pdf" }] });
    let answer = world.message(&request.to_string()).send().await.json();
    assert_eq!((&answer["message_ids"], &answer["parts"]), (&json!([45, 46]), &json!(2)), "{answer}");
    assert_eq!(answer["media"][0]["message_id"], 45);
}

#[tokio::test]
async fn the_files_of_an_accepted_message_outlive_a_crash() {
    let world = World::new().await;
    std::fs::write(world.dir().join("media/a.pdf"), PDF).expect("writes");
    let at = world.clock.now().plus(Duration::from_hours(1)).to_string();
    let request = json!({ "chat": GROUP, "media": [{ "path": "a.pdf" }], "send_at": at, "wait": 0 });
    let reply = world.message(&request.to_string()).send().await;
    assert_eq!(reply.status, 202, "{reply:?}");
    let after = world.after_a_crash().await;
    assert_eq!(after.look(&reply.json()["id"]).await.json()["media"][0]["stored"], true);
}

#[tokio::test]
async fn a_file_that_lies_here_is_read_in_whole_and_in_ranges() {
    let world = World::new().await;
    std::fs::write(world.dir().join("media/a.html"), b"<script>0123456789</script>").expect("writes");
    let request = json!({ "chat": GROUP, "media": [{ "path": "a.html", "filename": "счёт.html" }] });
    let answer = world.message(&request.to_string()).send().await.json();
    let path = answer["media"][0]["url"].as_str().expect("a path").to_owned();
    let whole = world.call("GET", &path).send().await;
    assert_eq!((whole.status, whole.body.as_str()), (200, "<script>0123456789</script>"));
    for (name, value) in [
        ("content-type", "application/octet-stream"),
        ("content-length", "27"),
        (
            "content-disposition",
            "attachment; filename=\"____.html\"; filename*=UTF-8''%D1%81%D1%87%D1%91%D1%82.html",
        ),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(whole.header(name), Some(value), "{name}");
    }
    let etag = whole.header("etag").expect("an etag").to_owned();
    let ranged = |range: &str| world.call("GET", &path).header("Range", range);
    for (range, content, body) in [
        ("bytes=8-12", "bytes 8-12/27", "01234"),
        ("bytes=-9", "bytes 18-26/27", "</script>"),
        ("bytes=18-99", "bytes 18-26/27", "</script>"),
    ] {
        let part = ranged(range).send().await;
        assert_eq!(
            (part.status, part.header("content-range"), part.body.as_str()),
            (206, Some(content), body)
        );
    }
    let beyond = ranged("bytes=27-").send().await;
    assert_eq!(beyond.header("content-range"), Some("bytes */27"));
    beyond.problem(416, "range_not_satisfiable");
    let other = ranged("bytes=8-12").header("If-Range", "\"other\"").send().await;
    assert_eq!((other.status, other.body.len()), (200, 27));
    let same = ranged("bytes=8-12").header("If-Range", &etag).send().await;
    assert_eq!((same.status, same.body.as_str()), (206, "01234"));
    assert_eq!(world.call("GET", &path).header("If-None-Match", &etag).send().await.status, 304);
    for listed in [format!("\"other\", W/{etag}"), "*".to_owned()] {
        assert_eq!(
            world.call("GET", &path).header("If-None-Match", &listed).send().await.status,
            304,
            "{listed}"
        );
    }

    let missing = path.replace("/media/0", "/media/1");
    world.call("GET", &missing).send().await.problem(404, "file_not_found");
    world.call("GET", &missing.replace("/1", "/x")).send().await.problem(404, "file_not_found");
    world.call("GET", "/v1/messages/msg_1/media/0").send().await.problem(404, "message_not_found");
}

#[tokio::test]
async fn readers_that_are_slow_keep_no_one_waiting() {
    let world = World::new().await;
    // More than the buffers of a connection hold.
    std::fs::write(world.dir().join("media/a.bin"), vec![7; 8 << 20]).expect("writes");
    let request = json!({ "chat": GROUP, "media": [{ "path": "a.bin" }] });
    let answer = world.message(&request.to_string()).send().await.json();
    let path = format!("/v1/messages/{}/media/0", answer["id"].as_str().expect("an id"));
    let Target::Port(address) = world.main() else { panic!("a port") };
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(address).await.expect("connects");
        stream.write_all(&world.call("GET", &path).bytes()).await.expect("writes");
        // It has the head of the answer, and reads nothing of the file.
        let mut head = [0; 15];
        stream.read_exact(&mut head).await.expect("an answer");
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        slow.push(stream);
    }
    let part = world.call("GET", &path).header("Range", "bytes=0-4").send().await;
    assert_eq!((part.status, part.bytes.as_slice()), (206, &[7; 5][..]));
}

#[tokio::test]
async fn a_file_that_was_never_sent_and_is_gone_says_so() {
    let world = World::new().await;
    std::fs::write(world.dir().join("media/a.pdf"), PDF).expect("writes");
    world.script.then([Outcome::MediaGone("a.pdf".to_owned())]);
    let problem = world.message(&body(&json!([{ "path": "a.pdf" }]))).send().await.problem(410, "media_gone");
    for file in world.files_in("outgoing") {
        std::fs::remove_file(world.dir().join("outgoing").join(file)).expect("removes");
    }
    let id = problem["id"].as_str().expect("an id");
    let reply = world.call("GET", &format!("/v1/messages/{id}/media/0")).send().await;
    reply.problem(404, "file_not_found");
    assert_eq!(world.look(&problem["id"]).await.json()["media"][0]["stored"], false);
}
