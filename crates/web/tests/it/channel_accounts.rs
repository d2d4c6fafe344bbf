//! Accounts of channels that log in, have tokens renewed, and share an address with others of their app.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ambient::Clock;
use channels::{
    Account, CallError, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, LogIn, LogInAnswer,
    Outgoing, Pacing, Provider,
};
use delivery::{Capabilities, Dedup};
use domain::message::Writer;
use domain::text::{TextLimit, Unit};
use domain::{
    ExternalChat, InboundChange, InboundEvent, InboundMedia, InboundMessage, Outcome, ProviderId, Timestamp,
};
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use serde_json::{Value, json};

use crate::client::{Call, Reply};
use crate::world::{SOON, World};

const DAY: Duration = Duration::from_hours(24);
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\na picture";

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A provider that does what the test says.
#[derive(Default)]
struct Studio {
    own_id: Mutex<Option<String>>,
    is_signed_in: Mutex<bool>,
    asks: Mutex<Vec<&'static str>>,
    brought: Mutex<Vec<(String, String)>>,
    /// When its token ends, by this clock; and when it was asked for another, with what.
    token: Mutex<Option<(Clock, Timestamp)>>,
    renewals: Mutex<Vec<Timestamp>>,
    fails: Mutex<u32>,
}

impl Studio {
    fn ask(&self, what: &'static str) -> BoxFuture<'_, Result<(), CallError>> {
        lock(&self.asks).push(what);
        *lock(&self.is_signed_in) &= what != "log_out";
        ready(Ok(())).boxed()
    }
}

impl Provider for Studio {
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
        ready(Outcome::Unavailable("it only hears".to_owned())).boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        let body: Value = serde_json::from_slice(&post.body)
            .map_err(|_| HookRefusal::Unreadable("it is no JSON".to_owned()))?;
        let own = lock(&self.own_id).clone();
        let mut events = Vec::new();
        for entry in body["entries"].as_array().into_iter().flatten() {
            if own.as_deref().is_none_or(|own| entry["account"] == own) {
                let id = entry["id"].as_str().unwrap_or_default();
                let chat = ExternalChat::new("5550001").ok_or(HookRefusal::NotGenuine)?;
                let message = InboundMessage::private(chat, id, "Hello", Timestamp::from_micros(0));
                events.push(InboundEvent {
                    key: id.to_owned(),
                    change: InboundChange::Message(Box::new(message)),
                });
            }
        }
        if events.is_empty() {
            Err(HookRefusal::OtherAccount("1".to_owned()))
        } else {
            Ok(Hook::events(events))
        }
    }

    fn fetch<'a>(&'a self, _: &'a InboundMedia, _: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        ready(Err(CallError::NotFound("nothing".to_owned()))).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        ready(Ok(Identity::default())).boxed()
    }

    fn renew_token(&self) -> BoxFuture<'_, Result<(), CallError>> {
        if let Some((clock, ends)) = &mut *lock(&self.token) {
            lock(&self.renewals).push(clock.now());
            let fails = &mut *lock(&self.fails);
            if *fails > 0 {
                *fails -= 1;
                return ready(Err(CallError::Server("500".to_owned()))).boxed();
            }
            *ends = clock.now().plus(60 * DAY);
        }
        ready(Ok(())).boxed()
    }

    fn token_expires(&self) -> Option<Timestamp> {
        lock(&self.token).as_ref().map(|(_, ends)| *ends)
    }

    fn token_lives(&self) -> Option<Duration> {
        lock(&self.token).as_ref().map(|_| 60 * DAY)
    }

    fn log_in<'a>(&'a self, back: Option<&'a str>) -> BoxFuture<'a, Result<LogIn, CallError>> {
        let how = match (*lock(&self.is_signed_in), back) {
            (true, _) => LogIn::Done,
            (false, Some(back)) if lock(&self.own_id).is_some() => {
                let url = format!("https://example.com/authorize?redirect_uri={back}");
                LogIn::Link { url: url.into(), until: Timestamp::from_micros(1_893_456_000_000_000) }
            }
            (false, _) => LogIn::Picture(PICTURE.to_vec()),
        };
        ready(Ok(how)).boxed()
    }

    fn finish_log_in<'a>(
        &'a self,
        answer: &'a LogInAnswer,
        back: &'a str,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        lock(&self.brought).push((answer.state.clone(), back.to_owned()));
        let refused = answer.error.clone().map(|why| CallError::refused("not_granted", why));
        ready(refused.map_or(Ok(()), Err)).boxed()
    }

    fn log_out(&self) -> BoxFuture<'_, Result<(), CallError>> {
        self.ask("log_out")
    }

    fn restart(&self) -> BoxFuture<'_, Result<(), CallError>> {
        self.ask("restart")
    }

    fn shares_hook(&self) -> bool {
        true
    }

    fn own_id(&self) -> Option<String> {
        lock(&self.own_id).clone()
    }
}

fn account(name: &str, app_secret: &str, studio: &Arc<Studio>) -> Account {
    let fields = json!({ "name": name, "channel": "instagram", "app_secret": app_secret });
    let fields = serde_json::from_value(fields).expect("an account");
    let channel = "instagram".parse().expect("a channel");
    Account::new(fields, channel, Arc::clone(studio) as _, "made-up".into())
}

async fn world(accounts: Vec<Account>) -> World {
    World::with_channels(accounts, |_| {}).await
}

async fn called(world: &World, method: &str, path: &str) -> Reply {
    world.call(method, path).send().await
}

#[tokio::test]
async fn an_account_shows_how_to_log_in() {
    let studio = Arc::new(Studio::default());
    let world = world(vec![account("studio", "made-up", &studio)]).await;
    let shown = called(&world, "GET", "/v1/channels/studio/login").await.json();
    let wanted = json!({"account": "studio", "state": "picture", "picture": "iVBORw0KGgphIHBpY3R1cmU="});
    assert_eq!(shown, wanted);
    *lock(&studio.own_id) = Some("1".to_owned());
    let link = called(&world, "GET", "/v1/channels/studio/login").await.json();
    let back = "https://switchboard.example.com/oauth/instagram/callback";
    assert_eq!(link["url"], format!("https://example.com/authorize?redirect_uri={back}"));
    assert_eq!(
        (&link["state"], &link["expires_at"]),
        (&json!("link"), &json!("2030-01-01T00:00:00.000000Z"))
    );
    *lock(&studio.is_signed_in) = true;
    assert_eq!(called(&world, "GET", "/v1/channels/studio/login").await.json()["state"], "done");
    for path in ["restart", "logout"] {
        let reply = called(&world, "POST", &format!("/v1/channels/studio/{path}")).await;
        assert_eq!((reply.status, &reply.json()["name"]), (200, &json!("studio")));
    }
    assert_eq!(*lock(&studio.asks), ["restart", "log_out"]);
}

#[tokio::test]
async fn the_browser_that_comes_back_finishes_a_log_in() {
    let studio = Arc::new(Studio::default());
    let world = world(vec![account("studio", "made-up", &studio)]).await;
    let come = async |query: &str| {
        let path = format!("/oauth/instagram/callback?{query}");
        Call::new(&world.main(), "GET", &path).header("Accept-Language", "ru-RU,ru;q=0.9").send().await
    };
    let done = come("state=studio.1.2&code=c").await;
    assert_eq!((done.status, done.body.starts_with("studio — вход выполнен")), (200, true), "{}", done.body);
    let refused = come("state=studio.1.2&error=access_denied&error_description=not+now").await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("not now"), "{}", refused.body);
    for query in ["", "state=other.1.2&code=c", "code=c"] {
        assert_eq!(come(query).await.status, 403, "{query}");
    }
    let brought = lock(&studio.brought).clone();
    let back = "https://switchboard.example.com/oauth/instagram/callback";
    assert_eq!(
        brought,
        [("studio.1.2".to_owned(), back.to_owned()), ("studio.1.2".to_owned(), back.to_owned())]
    );
    let other = Call::new(&world.main(), "GET", "/oauth/avito/callback?state=studio.1.2").send().await;
    assert_eq!(other.status, 403);
}

#[tokio::test]
async fn tokens_are_renewed_at_half_of_their_life() {
    let studio = Arc::new(Studio::default());
    let world = world(vec![account("studio", "made-up", &studio)]).await;
    let begun = world.clock.now();
    *lock(&studio.token) = Some((world.clock.clone(), begun.plus(60 * DAY)));
    *lock(&studio.fails) = 1;
    world.state.channels().start();
    let settle = || tokio::time::sleep(Duration::from_millis(5));
    let deadline = std::time::Instant::now() + SOON;
    while lock(&studio.renewals).len() < 2 {
        assert!(std::time::Instant::now() < deadline, "it is not renewed");
        world.clock.advance(Duration::from_hours(6));
        settle().await;
    }
    for _ in 0..20 {
        world.clock.advance(DAY);
        settle().await;
    }
    let renewals = lock(&studio.renewals).clone();
    let [first, second] = renewals[..] else { panic!("{renewals:?}") };
    assert!(first.since(begun) >= 30 * DAY && first.since(begun) < 50 * DAY, "{:?}", first.since(begun));
    assert!(second.since(first) >= DAY, "{:?}", second.since(first));
    world.state.channels().stop(SOON).await;
}

#[tokio::test]
async fn a_token_is_renewed_on_demand_where_tokens_end() {
    let studio = Arc::new(Studio::default());
    let fields = json!({ "name": "shop", "channel": "avito" });
    let fields = serde_json::from_value(fields).expect("an account");
    let shop = Arc::new(crate::legacy_channels::Shop::default());
    let shop = Account::new(fields, "avito".parse().expect("a channel"), shop as _, "made-up".into());
    let world = world(vec![account("studio", "made-up", &studio), shop]).await;
    let begun = world.clock.now();
    *lock(&studio.token) = Some((world.clock.clone(), begun.plus(DAY)));
    world.clock.advance(Duration::from_hours(1));
    let path = "/v1/channels/studio/refresh-token";
    let renewed = called(&world, "POST", path).await;
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    assert_eq!(lock(&studio.renewals).len(), 1);
    let (_, ends) = lock(&studio.token).clone().expect("a token");
    assert!(ends > begun.plus(60 * DAY) && ends < begun.plus(61 * DAY));
    assert_eq!(renewed.json()["token_expires_at"], json!(ends));
    let shown = called(&world, "GET", "/v1/channels/studio").await.json();
    assert_eq!(shown["token_expires_at"], json!(ends));
    *lock(&studio.fails) = 1;
    called(&world, "POST", path).await.problem(502, "provider_error");
    let refused = called(&world, "POST", "/v1/channels/shop/refresh-token").await;
    refused.problem(422, "rejected");
    called(&world, "POST", "/v1/channels/other/refresh-token").await.problem(404, "account_not_found");
}

#[tokio::test]
async fn one_address_serves_all_accounts_of_an_app() {
    let [first, second, of_other_app] = [(); 3].map(|()| Arc::new(Studio::default()));
    *lock(&first.own_id) = Some("1".to_owned());
    *lock(&of_other_app.own_id) = Some("3".to_owned());
    let world = world(vec![
        account("first", "old,shared", &first),
        account("second", "shared", &second),
        account("third", "another", &of_other_app),
    ])
    .await;
    let post = async |entries: Value| {
        let body = json!({ "entries": entries }).to_string();
        Call::new(&world.main(), "POST", "/hooks/instagram/first/made-up").json(body).send().await.status
    };
    let one = json!({"account": "1", "id": "m1"});
    let two = json!({"account": "2", "id": "m2"});
    // Until the second account knows its id, what is for it is to be posted again.
    assert_eq!(post(json!([two])).await, 503);
    assert_eq!(post(json!([one])).await, 200);
    *lock(&second.own_id) = Some("2".to_owned());
    assert_eq!(post(json!([one, two])).await, 200);
    // Meta would switch the subscription off for all accounts.
    assert_eq!(post(json!([{"account": "3", "id": "m3"}])).await, 200);
    let errors = called(&world, "GET", "/v1/channels/first").await.json()["errors"].clone();
    assert_eq!((&errors["unread"][0]["count"], &errors["unread"][0]["is_lost"]), (&json!(1), &json!(true)));
    let listed = async |account: &str| {
        let path = format!("/v1/messages?direction=in&channel=instagram&channel_account={account}");
        let found = called(&world, "GET", &path).await.json();
        let ids = found["items"].as_array().expect("a list").iter();
        ids.map(|item| item["external_message_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed("first").await, ["m1"]);
    assert_eq!(listed("second").await, ["m2"]);
    assert_eq!(listed("third").await, [] as [Value; 0]);
}

#[tokio::test]
async fn the_author_of_a_message_is_stored_until_it_is_sent() {
    #[derive(Default)]
    struct Taking(Studio, Mutex<Vec<Writer>>);
    impl Provider for Taking {
        fn capabilities(&self) -> Capabilities {
            self.0.capabilities()
        }
        fn receives(&self) -> &'static [Incoming] {
            &[]
        }
        fn pacing(&self) -> Pacing {
            self.0.pacing()
        }
        fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
            lock(&self.1).push(outgoing.written_by);
            let id = ProviderId::from("m1");
            ready(Outcome::Sent(domain::outcome::SentIds::one(Some(id)))).boxed()
        }
        fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
            self.0.hook(post)
        }
        fn fetch<'a>(
            &'a self,
            media: &'a InboundMedia,
            most: u64,
        ) -> BoxFuture<'a, Result<Fetched, CallError>> {
            self.0.fetch(media, most)
        }
        fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
            self.0.check()
        }
    }
    let taking = Arc::new(Taking::default());
    let fields = json!({ "name": "studio", "channel": "instagram", "app_secret": "made-up" });
    let fields = serde_json::from_value(fields).expect("an account");
    let channel = "instagram".parse().expect("a channel");
    let account = Account::new(fields, channel, Arc::clone(&taking) as _, "made-up".into());
    let world = world(vec![account]).await;
    for written_by in [r#","written_by":"person""#, "", r#","written_by":"program""#] {
        let body = format!(r#"{{"chat":"instagram:studio/5550001","text":"a"{written_by}}}"#);
        let reply = world.message(&body).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    assert_eq!(*lock(&taking.1), [Writer::Person, Writer::Program, Writer::Program]);
}
