//! An account of a channel logs in: its page shows the code, the address, or that it is done.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use channels::{
    Account, CallError, Fetched, Hook, HookPost, HookRefusal, Identity, Incoming, LogIn, Outgoing, Pacing,
    Provider, Registered,
};
use delivery::{Capabilities, Dedup, MediaKind};

use domain::message::Writer;
use domain::outcome::SentIds;
use domain::text::{TextLimit, Unit};
use domain::{ExternalChat, InboundMedia, Outcome, Role, Timestamp};
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use http::StatusCode;
use serde_json::json;
use test_app::TestApp;

use crate::world::{World, note, send, shows, submit};

pub(crate) fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number whose log-in is as far as the test says.
#[derive(Default)]
pub(crate) struct Phone {
    /// 0: a code, 1: an address, 2: done, else it is not possible.
    step: AtomicU8,
    pub(crate) by_persons: AtomicU8,
    /// What it lacks, or why it does not work at all.
    pub(crate) lacks: Mutex<Vec<String>>,
    pub(crate) trouble: Mutex<Option<String>>,
    /// Whether it takes no message.
    pub(crate) refuses: AtomicBool,
    /// Whether it can write to someone who has not written.
    pub(crate) writes_first: AtomicBool,
    /// What was sent: the chat and the text.
    pub(crate) sent: Mutex<Vec<(String, String)>>,
    /// Where its provider posts to.
    pub(crate) urls: Mutex<Vec<String>>,
    /// Whether its provider cannot be asked where it posts to.
    pub(crate) is_by_hand: AtomicBool,
    /// When its token ends.
    pub(crate) token_ends: Mutex<Option<Timestamp>>,
}

/// When a new token ends.
pub(crate) const NEW_TOKEN_ENDS: Timestamp = Timestamp::from_micros(1_893_456_000_000_000);

impl Provider for Phone {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TextLimit::new(1_000, Unit::Characters),
            caption: None,
            sends: true,
            reply: true,
            album: delivery::Album::NONE,
            parse_modes: &[],
            media: &[MediaKind::Document],
            actions: &[],
            states: &[],
            dedup: Dedup::None,
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[Incoming::Webhook]
    }

    fn first_chat(&self, who: &str) -> Result<channels::FirstChat, channels::NoFirstChat> {
        let chat = ExternalChat::new(who).filter(|_| self.writes_first.load(Ordering::Acquire));
        let chat = chat.ok_or(channels::NoFirstChat::TheyWriteFirst)?;
        Ok(channels::FirstChat { chat, phone: Some(who.to_owned()), email: None })
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::ZERO, chat: Duration::ZERO, burst: 1 }
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        if self.refuses.load(Ordering::Acquire) {
            return ready(Outcome::Rejected { code: "TEXT_REFUSED".into() }).boxed();
        }
        self.by_persons.fetch_add(u8::from(outgoing.written_by == Writer::Person), Ordering::AcqRel);
        lock(&self.sent).push((outgoing.chat.to_string(), outgoing.text.text.clone()));
        ready(Outcome::Sent(SentIds::one(Some("m1")))).boxed()
    }

    fn hook(&self, _: &HookPost) -> Result<Hook, HookRefusal> {
        Err(HookRefusal::Unreadable("phone: is missing".to_owned()))
    }

    fn fetch<'a>(&'a self, _: &'a InboundMedia, _: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        ready(Err(CallError::NotFound("nothing".to_owned()))).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        let trouble = lock(&self.trouble).clone();
        let missing = lock(&self.lacks).clone();
        let identity = Identity { id: "100".to_owned(), name: "Demo shop".to_owned(), missing, gap: None };
        ready(trouble.map_or(Ok(identity), |why| Err(CallError::Account(why)))).boxed()
    }

    fn registered(&self) -> Option<BoxFuture<'_, Result<Registered, CallError>>> {
        if self.is_by_hand.load(Ordering::Acquire) {
            return None;
        }
        let urls = lock(&self.urls).clone();
        Some(ready(Ok(Registered { urls, ..Registered::default() })).boxed())
    }

    fn register<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        *lock(&self.urls) = vec![url.to_owned()];
        ready(Ok(())).boxed()
    }

    fn unregister<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        lock(&self.urls).retain(|known| known != url);
        ready(Ok(())).boxed()
    }

    fn renew_token(&self) -> BoxFuture<'_, Result<(), CallError>> {
        *lock(&self.token_ends) = Some(NEW_TOKEN_ENDS);
        ready(Ok(())).boxed()
    }

    fn token_expires(&self) -> Option<Timestamp> {
        *lock(&self.token_ends)
    }

    fn log_in<'a>(&'a self, _: Option<&'a str>) -> BoxFuture<'a, Result<LogIn, CallError>> {
        let until = NEW_TOKEN_ENDS;
        let how = match self.step.load(Ordering::Acquire) {
            0 => Ok(LogIn::Picture(b"\x89PNG\r\n\x1a\na picture".to_vec())),
            1 => Ok(LogIn::Link { url: "https://example.com/authorize?state=1".into(), until }),
            2 => Ok(LogIn::Done),
            _ => Err(CallError::Account("the profile is not paid for".to_owned())),
        };
        ready(how).boxed()
    }

    fn log_out(&self) -> BoxFuture<'_, Result<(), CallError>> {
        self.step.store(0, Ordering::Release);
        ready(Ok(())).boxed()
    }
}

pub(crate) async fn world(phone: &Arc<Phone>) -> World {
    World::of(with_phone(phone)).await
}

/// A program that has the number.
pub(crate) fn with_phone(phone: &Arc<Phone>) -> test_app::Builder {
    let fields = json!({ "name": "phone", "channel": "whatsapp", "token": "made-up", "profile_id": "1" });
    let fields = serde_json::from_value(fields).expect("an account");
    let channel = "whatsapp".parse().expect("a channel");
    let account = Account::new(fields, channel, Arc::clone(phone) as _, "made-up".into());
    TestApp::builder().with_channels(vec![account])
}

#[tokio::test]
async fn the_page_shows_what_is_to_be_done_until_it_is_done() {
    let phone = Arc::new(Phone::default());
    let world = world(&phone).await;
    let (admin, operator) = (world.person(Role::Admin).await, world.person(Role::Operator).await);
    shows(&admin.get("/channels/phone").await, &["href=\"/channels/phone/login\""]);
    assert!(!operator.get("/channels/phone").await.body.contains("/channels/phone/login"));
    assert_eq!(operator.get("/channels/phone/login").await.status, StatusCode::FORBIDDEN);
    let code = "src=\"data:image/png;base64,iVBORw0KGgphIHBpY3R1cmU=\"";
    for (step, expected, moves) in [
        (0, code, true),
        (1, "href=\"https://example.com/authorize?state=1\"", false),
        (2, "Logged in", false),
        (3, "the profile is not paid for", false),
    ] {
        phone.step.store(step, Ordering::Release);
        let page = admin.get("/channels/phone/login").await;
        shows(&page, &[expected]);
        assert_eq!(page.body.contains("data-refresh"), moves, "{expected}");
    }
    let out = submit(&admin, "/channels/phone/actions/logout", &[]).await;
    assert!(note(&out).contains("phone is logged out"));
    assert_eq!(phone.step.load(Ordering::Acquire), 0);
    let refused = send(&operator, "/channels/phone/actions/logout", &[]).await;
    assert_ne!(refused.status, StatusCode::OK);
}

#[tokio::test]
async fn a_message_sent_from_a_page_has_a_person_as_author() {
    let phone = Arc::new(Phone::default());
    let world = world(&phone).await;
    let operator = world.person(Role::Operator).await;
    let fields = [("channel", "whatsapp"), ("chat", "70000000001@c.us"), ("text", "Hello")];
    submit(&operator, "/channels/phone/actions/send", &fields).await;
    assert_eq!(phone.by_persons.load(Ordering::Acquire), 1);
}
