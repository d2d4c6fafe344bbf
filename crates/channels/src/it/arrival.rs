//! Whether what is posted arrives: the registered address is called as its provider calls it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use channels::{
    ARRIVAL_HEADER, Account, HookPost, Prover, Reception, RegisterError, WebhookLoss, WebhookState,
};
use config::{ChannelFields, ChannelKind};
use delivery::{Ambient, Delivery};
use domain::secret::ExposeSecret;
use outbound::Names;
use reqwest::Client;
use serde_json::{Value, json};
use store::Store;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::it::program::{Program, received};
use crate::it::support::World;

type Served = Arc<OnceLock<Reception>>;

/// The last part of the address.
const SECRET: &str = "planted-hook-secret";

/// An account in a program with a listener.
struct Phone {
    world: World,
    store: Store,
    ambient: Ambient,
    account: Arc<Account>,
    reception: Reception,
    url: String,
    listener: JoinHandle<()>,
    delivery: Delivery,
}

async fn take(
    State(served): State<Served>,
    Path((channel, account, secret)): Path<(String, String, String)>,
    (method, RawQuery(query)): (Method, RawQuery),
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let (method, url, query) = (method.to_string(), String::new(), query.unwrap_or_default());
    let post = HookPost { method, url, query, headers, body: body.to_vec() };
    let (channel, account) = (channel.parse().unwrap(), account.parse().unwrap());
    match served.get().unwrap().hook(&channel, &account, &secret, post).await {
        Ok(answer) => answer.body.into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn answer(State(served): State<Served>, request: Request, next: Next) -> Response {
    let word = request.headers().get(ARRIVAL_HEADER).map(|word| word.to_str().unwrap().to_owned());
    let mut response = next.run(request).await;
    if let Some(answer) = word.and_then(|word| served.get()?.arrival_answer(&word)) {
        response.headers_mut().insert(ARRIVAL_HEADER, HeaderValue::from_str(&answer).unwrap());
    }
    response
}

/// Another program, which answers every request with this status.
async fn other(status: StatusCode) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(async move || status)).await });
    url
}

impl Phone {
    /// An account of WhatsApp whose program is at `public_url`, or at its own listener.
    async fn open(public_url: Option<String>) -> Self {
        Self::of(ChannelKind::Whatsapp, public_url).await
    }

    /// The same of any channel.
    async fn of(channel: ChannelKind, public_url: Option<String>) -> Self {
        Self::with(channel, public_url, &[]).await
    }

    /// The same, beside the first accounts of other channels.
    async fn with(channel: ChannelKind, public_url: Option<String>, others: &[ChannelKind]) -> Self {
        let world = World::start().await;
        let fields = world.fields(channel);
        let provider = channels::make(World::setup(fields.clone())).unwrap();
        let program = Program::open_with(&world, fields, provider, SECRET, others).await;
        let ambient = program.ambient.clone();
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = public_url.unwrap_or_else(|| format!("http://{}", socket.local_addr().unwrap()));
        let prover = Prover::new(&ambient.clock, &url, Names::public(), ambient.chance.clone()).unwrap();
        let reception = program.reception(Some(url.clone())).with_prover(prover);
        let served: Served = Arc::default();
        served.set(reception.clone()).ok().unwrap();
        let routes = Router::new()
            .route("/hooks/{channel}/{account}/{secret}", any(take))
            .layer(from_fn_with_state(Arc::clone(&served), answer))
            .with_state(served);
        let listener = tokio::spawn(async move { axum::serve(socket, routes).await.unwrap() });
        let Program { store, account, delivery, .. } = program;
        Self { world, store, ambient, account, reception, url, listener, delivery }
    }

    /// The texts that came in, in the order of the alphabet.
    async fn texts(&self) -> Vec<String> {
        let all = received(&self.store).await;
        let mut texts: Vec<_> = all.iter().map(|one| one.message.text.as_str().to_owned()).collect();
        texts.sort();
        texts
    }

    /// Someone writes.
    async fn writes(&self, from: &str, text: &str) {
        let channel = self.account.channel.as_str();
        self.world.customer(json!({"channel": channel, "from": from, "name": "Anna", "text": text})).await;
    }

    /// Looks where the provider posts to, and does what that calls for, as the program does from time to time.
    async fn look(&self) {
        self.reception.check_now(&self.account).await;
        self.reception.put_right(&self.account).await;
    }

    /// Changes what is registered, as another program does that has the token.
    async fn meddle(
        &self,
        change: impl FnOnce(&Client, &ChannelFields, &str) -> reqwest::RequestBuilder,
    ) -> Value {
        let (fields, url) = (&self.account.fields, self.ours());
        self.world.call_provider(|http| change(http, fields, &url)).await
    }

    /// A genuine post has come to the address of the account.
    fn is_posted_to(&self) {
        let address = self.reception.address_id(&self.account);
        self.account.change(|status| status.health.posted_to = Some(address));
    }

    /// Looks until the loss is as wanted.
    async fn looks_until(&self, wanted: impl Fn(Option<&str>) -> bool) {
        let looking = async {
            loop {
                self.look().await;
                if wanted(self.loss().as_deref()) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let looked = tokio::time::timeout(Duration::from_secs(20), looking).await;
        assert!(looked.is_ok(), "it stays {:?}", self.account.status());
    }

    fn ours(&self) -> String {
        format!("{}{}", self.url, self.account.hook_path())
    }

    fn loss(&self) -> Option<String> {
        let status = self.account.status();
        let loss = status.webhook_loss(self.account.fields.receive);
        loss.map(|loss| match loss {
            WebhookLoss::Taken => "taken".to_owned(),
            other => other.to_string(),
        })
    }

    fn state(&self) -> WebhookState {
        self.account.status().webhook.unwrap().state
    }
}

#[tokio::test]
async fn a_change_of_the_address_is_proved_at_once() {
    let phone = Phone::open(None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    assert_eq!((phone.state(), phone.loss()), (WebhookState::Here, None));
    assert_eq!(phone.account.status().arrival.unwrap().error, None);
    // An operator's own call, with an address of another program.
    let other = other(StatusCode::OK).await;
    let registered = phone.reception.register_at(&phone.account, &other, false).await.unwrap();
    assert_eq!((registered, phone.state()), (other, WebhookState::Elsewhere));
    assert_eq!(phone.loss().as_deref(), Some("taken"));
    // With an address of the old port of this program.
    let old = format!("{}/webhook/whatsapp", phone.url);
    let registered = phone.reception.register_at(&phone.account, &old, true).await.unwrap();
    assert_eq!((registered, phone.state(), phone.loss()), (phone.ours(), WebhookState::Here, None));
    // With the address that the account had before its secret changed.
    let former = phone.ours().replace(SECRET, "earlier");
    phone.account.provider.register(&former).await.unwrap();
    phone.reception.registered(&phone.account).await.unwrap().unwrap();
    assert_eq!(phone.state(), WebhookState::Lapsed);
    assert_eq!(phone.reception.register_at(&phone.account, &former, false).await.unwrap(), phone.ours());
    drop(phone.world);
}

#[tokio::test]
async fn an_address_that_leads_to_another_program_is_red() {
    for (status, says) in [(StatusCode::NOT_FOUND, "with 404"), (StatusCode::OK, "with 200")] {
        let phone = Phone::open(Some(other(status).await)).await;
        phone.reception.register(&phone.account, false).await.unwrap();
        let loss = phone.loss().unwrap();
        assert!(loss.contains("another program answers there") && loss.contains(says), "{loss}");
    }
    let phone = Phone::open(Some("http://127.0.0.1:1".to_owned())).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    assert!(phone.loss().is_some_and(|loss| loss.contains("cannot be reached")), "{:?}", phone.loss());
}

#[tokio::test]
async fn an_address_that_stops_to_answer_is_red_until_it_answers() {
    let phone = Phone::open(None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    phone.listener.abort();
    let _ = phone.listener.await;
    phone.reception.prove(&phone.account).await;
    let status = phone.account.status();
    assert!(matches!(status.webhook_loss(phone.account.fields.receive), Some(WebhookLoss::Unreached(_))));
}

#[tokio::test]
async fn a_post_proves_an_address_that_this_program_no_longer_reaches() {
    let phone = Phone::open(None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    phone.listener.abort();
    let _ = phone.listener.await;
    for _ in 0..2 {
        phone.reception.put_right(&phone.account).await;
    }
    assert!(phone.account.status().is_loss_confirmed());
    let at = phone.ambient.clock.now();
    phone.account.change(|status| status.health.last_post_at = Some(at));
    phone.reception.put_right(&phone.account).await;
    let status = phone.account.status();
    assert_eq!(status.webhook_loss(phone.account.fields.receive), None);
    assert!(!status.is_loss_confirmed() && status.arrival.unwrap().error.is_some(), "it is shown");
}

#[tokio::test]
async fn an_address_that_a_person_enters_is_proved_by_what_comes_to_it() {
    let phone = Phone::of(ChannelKind::Instagram, None).await;
    let _ = phone.reception.register(&phone.account, false).await;
    for _ in 0..2 {
        phone.look().await;
    }
    assert_eq!(phone.loss(), Some(WebhookLoss::Unproved.to_string()));
    assert!(phone.account.status().is_loss_confirmed());
    let order = json!({
        "channel": "instagram", "account": "studio", "url": phone.ours(), "verify_token": "planted-verify-token"
    });
    assert_eq!(phone.world.type_hook(&order).await, 204);
    phone.looks_until(|loss| loss.is_none()).await;

    // After a move the same account has another address.
    let channels = phone.reception.channels().clone();
    let elsewhere = Some("https://example.com".to_owned());
    let moved = Reception::new(channels, phone.store.clone(), phone.delivery.clone(), elsewhere);
    moved.put_right(&phone.account).await;
    assert_eq!(phone.loss(), Some(WebhookLoss::Unproved.to_string()));
}

#[tokio::test]
async fn a_post_to_another_account_proves_a_public_url_that_this_program_does_not_reach() {
    let phone = Phone::with(ChannelKind::Whatsapp, None, &[ChannelKind::Max]).await;
    let of_max = phone.reception.channels().all().find(|it| it.fields.channel == ChannelKind::Max);
    let (quiet, busy) = (&phone.account, of_max.unwrap());
    for account in [quiet, busy] {
        phone.reception.register(account, false).await.unwrap();
    }
    phone.listener.abort();
    while !phone.listener.is_finished() {
        tokio::task::yield_now().await;
    }
    let look = async || {
        for account in [busy, quiet] {
            phone.reception.put_right(account).await;
        }
    };
    look().await;
    look().await;
    assert!(phone.loss().is_some_and(|loss| loss.contains("cannot be reached")), "{:?}", phone.loss());
    let post = |at| busy.change(|status| status.health.last_post_at = Some(at));
    post(phone.ambient.clock.now());
    look().await;
    assert_eq!(phone.loss(), None);
    assert!(quiet.status().arrival.unwrap().error.is_some(), "it is shown");
    // That post was too long ago.
    phone.ambient.clock.advance(Duration::from_hours(25));
    look().await;
    assert!(phone.loss().is_some());
    // The other address is reached from here, so this one has a fault of its own.
    post(phone.ambient.clock.now());
    busy.change(|status| status.arrival.as_mut().unwrap().error = None);
    phone.reception.put_right(quiet).await;
    assert!(phone.loss().is_some());
}

#[tokio::test]
async fn what_the_owner_registers_ends_a_contest() {
    let phone = Phone::open(None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    phone.look().await;
    let lapse = async || {
        phone.meddle(without_webhook).await;
        phone.look().await;
        phone.loss()
    };
    assert_eq!(lapse().await, None);
    // The owner deletes it at the provider, and has it registered by an old call or by hand.
    phone.reception.register_at(&phone.account, &phone.ours(), true).await.unwrap();
    assert_eq!(lapse().await, None);
    assert!(lapse().await.is_some_and(|loss| loss.contains("again and again")));
    phone.reception.register(&phone.account, true).await.unwrap();
    assert_eq!(phone.loss(), None);
    // An address of another program is the owner's choice, too.
    assert_eq!(lapse().await, None);
    let other = other(StatusCode::OK).await;
    phone.reception.register_at(&phone.account, &other, false).await.unwrap();
    phone.reception.register(&phone.account, true).await.unwrap();
    assert_eq!(lapse().await, None);
}

#[tokio::test]
async fn an_address_that_is_removed_again_and_again_is_red_while_it_is_registered_again() {
    let phone = Phone::open(None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    phone.look().await;
    for (count, is_red) in [(1, false), (2, true), (3, true)] {
        phone.meddle(without_webhook).await;
        phone.writes("70000000001", &format!("lost {count}")).await;
        phone.look().await;
        assert_eq!((phone.state(), phone.texts().await.len()), (WebhookState::Here, count), "it is read");
        let loss = phone.loss();
        assert_eq!(loss.is_some_and(|loss| loss.contains("another program removes")), is_red);
    }
    phone.look().await;
    assert!(phone.account.status().is_loss_confirmed());
    phone.ambient.clock.advance(Duration::from_mins(10));
    phone.look().await;
    assert_eq!(phone.loss(), None);
}

#[tokio::test]
async fn no_address_of_a_caller_is_called_on_an_inner_network() {
    let phone = Phone::open(None).await;
    // It leads here, which is not looked at: callers may not have inner addresses called.
    assert!(!phone.reception.leads_here(&phone.ours()).await);
    for url in ["http://169.254.169.254/", "http://[::1]:1/", "file:///etc/passwd"] {
        assert!(!phone.reception.leads_here(url).await, "{url}");
    }
}

#[tokio::test]
async fn an_address_of_this_program_needs_a_public_url() {
    let phone = Phone::open(None).await;
    let mut bare = phone.reception.clone();
    bare.public_url = None;
    let old = format!("{}/webhook/whatsapp", phone.url);
    let refused = bare.register_at(&phone.account, &old, true).await;
    assert!(matches!(refused, Err(RegisterError::NoPublicUrl)), "{refused:?}");
}

#[tokio::test]
async fn what_was_posted_elsewhere_is_read_from_histories() {
    let phone = Phone::open(None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    phone.reception.catch_up(&phone.account).await;
    // It is posted to another program.
    let other = other(StatusCode::OK).await;
    phone.reception.register_at(&phone.account, &other, false).await.unwrap();
    for text in ["Hello", "Are you there?"] {
        phone.writes("70000000001", text).await;
    }
    phone.look().await;
    assert_eq!(phone.texts().await.len(), 0);
    for _ in 0..2 {
        phone.reception.register(&phone.account, true).await.unwrap();
        phone.look().await;
        assert_eq!(phone.texts().await, ["Are you there?", "Hello"]);
    }
}

/// The webhook of a profile is taken away.
fn without_webhook(http: &Client, fields: &ChannelFields, _: &str) -> reqwest::RequestBuilder {
    let url = format!("{}/api/webhook/url/delete", fields.api());
    let profile = [("profile_id", fields.profile_id.as_ref().unwrap())];
    http.post(url).query(&profile).header("authorization", token(fields))
}

fn token(fields: &ChannelFields) -> &str {
    fields.token.as_ref().unwrap().expose_secret()
}

#[tokio::test]
async fn what_a_lapse_lost_is_read_each_time() {
    let phone = Phone::open(None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    phone.look().await;
    let mut lost = Vec::new();
    for text in ["first", "second"] {
        phone.meddle(without_webhook).await;
        phone.writes("70000000001", text).await;
        lost.push(text);
        phone.look().await;
        assert_eq!(phone.state(), WebhookState::Here);
        assert_eq!(phone.account.status().present_loss(phone.account.fields.receive), None);
        assert_eq!(phone.texts().await, lost);
    }
    // Nothing is known of the time after the last look.
    let kept = || phone.account.status().health.caught_up_at;
    let looked_at = kept();
    phone.ambient.clock.advance(Duration::from_mins(30));
    phone.reception.put_right(&phone.account).await;
    assert_eq!(kept(), looked_at);
}

#[tokio::test]
async fn a_provider_that_drops_the_address_again_is_red() {
    let phone = Phone::open(None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    phone.meddle(without_webhook).await;
    let order = json!({"provider": "whatsapp", "method": "url/set", "fault": "error", "code": 200,
        "message": "{\"status\":\"done\"}", "times": 1});
    phone.world.fault(order).await;
    phone.look().await;
    assert_eq!(phone.state(), WebhookState::Lapsed);
    assert!(phone.loss().is_some_and(|loss| loss.contains("does not show it")), "{:?}", phone.loss());
}

#[tokio::test]
async fn a_chat_whose_history_fails_keeps_no_other_from_being_read() {
    let phone = Phone::open(None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    phone.look().await;
    phone.meddle(without_webhook).await;
    phone.writes("70000000001", "one").await;
    phone.writes("70000000002", "other").await;
    let fails = async |times: u32| {
        let order = json!({"provider": "whatsapp", "method": "messages/get", "fault": "error", "code": 500, "times": times});
        phone.world.fault(order).await;
    };
    fails(1).await;
    phone.look().await;
    assert_eq!(phone.texts().await, ["other"]);
    phone.look().await;
    assert_eq!(phone.texts().await, ["one", "other"]);
    // One that fails for an hour is left out, and said.
    phone.meddle(without_webhook).await;
    fails(1).await;
    phone.look().await;
    let attempts = || phone.account.status().health.last_error().unwrap().words.clone();
    assert!(attempts().contains("1 of the chats cannot be read"), "{}", attempts());
    phone.ambient.clock.advance(Duration::from_mins(61));
    fails(1).await;
    phone.look().await;
    assert!(attempts().contains("left out"), "{}", attempts());
    let read = phone.account.status().health.caught_up_at;
    assert_eq!(read, phone.account.status().webhook.map(|seen| seen.at));
}

#[tokio::test]
async fn a_registration_that_leaves_kinds_out_is_made_again_and_red_if_that_fails() {
    type Change = fn(&Client, &ChannelFields, &str) -> reqwest::RequestBuilder;
    let changes: [(ChannelKind, &str, &str, Change); 5] = [
        (ChannelKind::Telegram, "message, edited_message", "", |http, fields, url| {
            let call = format!("{}/bot{}/setWebhook", fields.api(), token(fields));
            http.post(call).json(&json!({"url": url, "allowed_updates": ["callback_query"]}))
        }),
        (ChannelKind::Max, "message_created", "", |http, fields, url| {
            let body = json!({"url": url, "update_types": ["bot_started"]});
            let call = format!("{}/subscriptions", fields.api());
            http.post(call).header("authorization", token(fields)).json(&body)
        }),
        (ChannelKind::Vk, "message_new", "groups.setCallbackSettings", |http, fields, _| {
            let group = fields.group_id.unwrap().to_string();
            let form = [
                ("group_id", group.as_str()),
                ("server_id", "1"),
                ("api_version", "5.199"),
                ("message_new", "0"),
                ("v", "5.199"),
            ];
            let call = format!("{}/groups.setCallbackSettings", fields.api());
            http.post(call).bearer_auth(token(fields)).form(&form)
        }),
        (ChannelKind::Whatsapp, "incoming_message", "types/set", |http, fields, _| {
            let profile = [("profile_id", fields.profile_id.as_ref().unwrap())];
            let call = format!("{}/api/webhook/types/set", fields.api());
            http.post(call)
                .query(&profile)
                .header("authorization", token(fields))
                .json(&json!(["delivery_status"]))
        }),
        (ChannelKind::Instagram, "messages", "", |http, fields, _| {
            let call = format!("{}/me/subscribed_apps", fields.api());
            http.delete(call).query(&[("access_token", token(fields))])
        }),
    ];
    for (channel, left_out, method, change) in changes {
        let phone = Phone::of(channel, None).await;
        phone.reception.register(&phone.account, false).await.unwrap();
        // VK confirms an address a moment later.
        while phone.account.status().webhook.is_some_and(|seen| seen.gap.is_some()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            phone.reception.look(&phone.account).await;
        }
        phone.account.change(|status| status.receives_by = channels::ReceivesBy::Webhook);
        phone.is_posted_to();
        phone.look().await;
        phone.meddle(change).await;
        phone.look().await;
        let status = phone.account.status();
        assert_eq!((phone.loss(), status.registering.unwrap().error), (None, None), "{channel:?}");
        if method.is_empty() {
            // No fault is of this call alone.
            continue;
        }
        // The provider refuses to have it registered again.
        phone.meddle(change).await;
        let order = json!({"provider": channel.as_str(), "method": method, "fault": "error", "code": 500, "times": 9});
        phone.world.fault(order).await;
        // Two of those are a contest.
        phone.ambient.clock.advance(Duration::from_mins(11));
        phone.look().await;
        let loss = phone.loss().unwrap_or_default();
        assert!(loss.contains(&format!("it leaves out {left_out}")), "{channel:?}: {loss}");
        phone.world.clear_faults().await;
        phone.looks_until(|loss| loss.is_none()).await;
    }
}

#[tokio::test]
async fn posts_with_a_wrong_secret_are_red_until_one_is_genuine() {
    let phone = Phone::of(ChannelKind::Telegram, None).await;
    phone.reception.register(&phone.account, false).await.unwrap();
    phone.look().await;
    phone
        .meddle(|http, fields, url| {
            let call = format!("{}/bot{}/setWebhook", fields.api(), token(fields));
            // All kinds, and no secret.
            let kinds = [
                "message",
                "edited_message",
                "callback_query",
                "message_reaction",
                "my_chat_member",
                "business_message",
                "edited_business_message",
                "deleted_business_messages",
            ];
            http.post(call).json(&json!({"url": url, "allowed_updates": kinds}))
        })
        .await;
    phone.writes("2001", "Hello").await;
    let refused = async || {
        let before = phone.account.status().health.refusals;
        let waiting = async {
            while phone.account.status().health.refusals == before {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it is posted");
    };
    refused().await;
    assert_eq!(phone.loss(), None, "one refusal shows nothing");
    phone.ambient.clock.advance(Duration::from_secs(61));
    refused().await;
    assert!(phone.loss().is_some_and(|loss| loss.contains("its posts are refused")), "{:?}", phone.loss());
    // The provider posts it again once the address is registered with the secret.
    phone.reception.register(&phone.account, false).await.unwrap();
    assert_eq!(phone.loss(), None);
    let waiting = async {
        while phone.texts().await != ["Hello"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it arrives");
}
