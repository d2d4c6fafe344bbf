//! Files of messages that came in through a channel: stored, served under a safe name, and said to be gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use channels::{
    Account, CallError, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, Outgoing, Pacing, Provider,
};
use delivery::{Capabilities, Dedup};
use domain::media::FileKey;
use domain::text::{TextLimit, Unit};
use domain::{
    ExternalChat, InboundChange, InboundEvent, InboundKind, InboundMedia, InboundMessage, Outcome, Timestamp,
};
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use serde_json::json;
use store::TakenFromChannel;

use crate::client::Call;
use crate::world::World;

/// A provider that has one file, as long as the test says.
#[derive(Default)]
struct Shop(Mutex<Option<Vec<u8>>>);

impl Shop {
    fn has(&self, content: Option<&[u8]>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = content.map(<[u8]>::to_vec);
    }
}

impl Provider for Shop {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TextLimit::new(1_000, Unit::Characters),
            caption: None,
            sends: true,
            reply: true,
            album: delivery::Album::NONE,
            parse_modes: &[],
            media: &[],
            actions: &[],
            states: &[],
            dedup: Dedup::None,
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[]
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::ZERO, chat: Duration::ZERO, burst: 1 }
    }

    fn send<'a>(&'a self, _: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        ready(Outcome::NotFound("nothing is sent here".to_owned())).boxed()
    }

    fn hook(&self, _: &HookPost) -> Result<Hook, HookRefusal> {
        Err(HookRefusal::NotGenuine)
    }

    fn fetch<'a>(&'a self, _: &'a InboundMedia, most: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        let content = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        ready(match content {
            Some(content) if content.len() as u64 > most => Err(CallError::too_large(most)),
            Some(content) => Ok(Fetched::whole(content, Some("image/jpeg".to_owned()))),
            None => Err(CallError::NotFound("404".to_owned())),
        })
        .boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        ready(Ok(Identity::default())).boxed()
    }
}

async fn world() -> (World, Arc<Shop>) {
    let shop = Arc::new(Shop::default());
    let fields = json!({ "name": "shop", "channel": "avito", "media_up_to": "1KB" });
    let fields = serde_json::from_value(fields).expect("an account");
    let account =
        Account::new(fields, "avito".parse().expect("a channel"), Arc::clone(&shop) as _, "made-up".into());
    (World::with_channels(vec![account], |_| {}).await, shop)
}

/// A message with a file comes in; its path.
async fn came(world: &World, external_id: &str, media: InboundMedia, stores_files: bool) -> String {
    let chat = ExternalChat::new("u2i-1").expect("a chat");
    let text = InboundMessage::private(chat, external_id, "see here", Timestamp::from_micros(7));
    let change = InboundChange::Message(Box::new(InboundMessage { media: vec![media], ..text }));
    let events = vec![InboundEvent { key: external_id.to_owned(), change }];
    let (channel, account) = ("avito".parse().expect("a channel"), "shop".parse().expect("a name"));
    let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files };
    let new = world.store.channels().take(taken).await.expect("taken").new;
    format!("/v1/messages/{}", new[0])
}

fn named(name: &str, mime: &str) -> InboundMedia {
    let (name, mime) = (Some(name.to_owned()), Some(mime.to_owned()));
    InboundMedia { name, mime, ..InboundMedia::at(InboundKind::Image, "https://example.com/expires") }
}

#[tokio::test]
async fn a_stored_file_is_served_when_its_provider_has_it_no_more() {
    let (world, shop) = world().await;
    let message = came(&world, "m-1", named("../../a.html", "text/html"), true).await;
    let path = format!("{message}/media/0");
    let shown = world.call("GET", &message).send().await.json();
    assert_eq!((&shown["files"][0]["state"], &shown["files"][0]["url"]), (&json!("wanted"), &json!(path)));
    shop.has(Some(b"<script>1</script>"));
    assert_eq!(world.call("GET", &path).send().await.status, 200);
    shop.has(None);
    let shown = world.call("GET", &message).send().await.json();
    assert_eq!(shown["files"][0]["state"], "stored");

    // A link of ours needs no key, for a day.
    let list = world.call("GET", "/v1/messages?direction=in&channel=avito").send().await.json();
    let link = list["items"][0]["media"]["images"][0]["url"].as_str().expect("a link").to_owned();
    let link = link.strip_prefix("https://shop.example.com").expect("below public_url").to_owned();
    let by_link = |link: &str| Call::new(&world.main(), "GET", link);
    for call in [world.call("GET", &path), by_link(&link)] {
        let reply = call.send().await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "<script>1</script>"));
        for (name, value) in [
            ("content-type", "application/octet-stream"),
            ("content-disposition", "attachment; filename=\"a.html\""),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{name}");
        }
        let part = call.header("range", "bytes=1-6").send().await;
        assert_eq!((part.status, part.body.as_str()), (206, "script"));
    }
    by_link(&format!("{link}x")).send().await.problem(404, "not_found");
    world.clock.advance(Duration::from_hours(25));
    by_link(&link).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn an_outgoing_file_can_be_fetched_for_an_hour() {
    let (world, _) = world().await;
    let key: FileKey = format!("file_{}", "0".repeat(32)).parse().expect("a key");
    std::fs::write(world.dir().join("outgoing").join(key.as_str()), "a picture").expect("written");
    // The key of the program's own links.
    let links = channels::Links::new(Some(""), "made-up".into(), world.clock.clone());
    let link = links.to(&key, "a.png", "image/png").expect("a link");
    let by_link = |link: &str| Call::new(&world.main(), "GET", link);
    let reply = by_link(&link).send().await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "a picture"));
    assert_eq!(reply.header("content-type"), Some("image/png"));
    assert_eq!(reply.header("content-disposition"), Some("attachment"));
    by_link(&format!("{link}x")).send().await.problem(404, "not_found");
    let gone = format!("file_{}", "1".repeat(32)).parse().expect("a key");
    let gone = links.to(&gone, "a.png", "image/png").expect("a link");
    by_link(&gone).send().await.problem(404, "not_found");
    world.clock.advance(Duration::from_mins(61));
    by_link(&link).send().await.problem(404, "not_found");
}

#[tokio::test]
async fn an_unavailable_file_is_reported_as_gone_or_too_large() {
    let (world, shop) = world().await;
    for stores in [true, false] {
        let message = came(&world, &format!("m-{stores}"), named("a.jpg", "image/jpeg"), stores).await;
        let path = format!("{message}/media/0");
        let gone = world.call("GET", &path).send().await.problem(410, "media_gone");
        assert!(gone["detail"].as_str().is_some_and(|why| why.contains("404")), "{gone}");
        shop.has(Some(&[7; 1_001]));
        let large = world.call("GET", &path).send().await.problem(413, "too_large");
        assert!(large["detail"].as_str().is_some_and(|why| why.contains("media_up_to")), "{large}");
        shop.has(Some(b"\xff\xd8\xff\xe0"));
        if !stores {
            world.free.is(0);
            world.call("GET", &path).send().await.problem(507, "storage_full");
            world.free.is(1 << 40);
        }
        let reply = world.call("GET", &path).send().await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("image/jpeg")));
        world.call("GET", &path.replace("/media/0", "/media/1")).send().await.problem(404, "file_not_found");
        shop.has(None);
        let again = world.call("GET", &path).send().await;
        assert_eq!(again.status, if stores { 200 } else { 410 }, "stored or not: {stores}");
    }
}

#[tokio::test]
async fn a_linked_outgoing_file_is_served_in_pieces() {
    let (world, _shop) = world().await;
    let key: FileKey = format!("file_{}", "1".repeat(32)).parse().expect("a key");
    let links = channels::Links::new(Some("https://shop.example.com"), "made-up".into(), world.clock.clone());
    let url = links.to(&key, "a.ogg", "audio/ogg; codecs=opus").expect("a link");
    let path = url.strip_prefix("https://shop.example.com").expect("ours");
    let look = || Call::new(&world.main(), "GET", path);
    assert_eq!(look().send().await.status, 404);
    let content: Vec<u8> = (0..=250).cycle().take(300_000).collect();
    std::fs::write(world.dir().join("outgoing").join(key.as_str()), &content).expect("writes");
    let whole = look().send().await;
    assert_eq!((whole.status, whole.header("content-length")), (200, Some("300000")));
    assert_eq!(whole.header("content-type"), Some("audio/ogg; codecs=opus"));
    assert!(
        whole.header("content-disposition").is_some_and(|form| form == "attachment"),
        "{:?}",
        whole.headers
    );
    assert_eq!(whole.bytes, content);
    let part = look().header("Range", "bytes=299998-").send().await;
    assert_eq!((part.status, &part.bytes[..]), (206, &content[299_998..]));
}
