//! Whether what is posted arrives: the registered address is called as its provider calls it.

use std::sync::{Arc, OnceLock};

use ambient::{Chance, Clock, Ids};
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use channels::{
    ARRIVAL_HEADER, Account, Channels, HookPost, Prover, Reception, RegisterError, WebhookLoss, WebhookState,
};
use config::ChannelKind;
use delivery::{Ambient, Delivery};
use outbound::Names;
use serde_json::json;
use store::{InboundFilter, MasterKey, Page, Store, StoreOptions};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::it::support::World;

type Served = Arc<OnceLock<Reception>>;

/// An account of WhatsApp in a program with a listener.
struct Phone {
    world: World,
    store: Store,
    account: Arc<Account>,
    reception: Reception,
    url: String,
    listener: JoinHandle<()>,
}

async fn take(
    State(served): State<Served>,
    Path((channel, account, secret)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let (method, url, query) = ("POST".to_owned(), String::new(), String::new());
    let post = HookPost { method, url, query, headers, body: body.to_vec() };
    let (channel, account) = (channel.parse().unwrap(), account.parse().unwrap());
    match served.get().unwrap().hook(&channel, &account, &secret, post).await {
        Ok(_) => StatusCode::OK.into_response(),
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
    /// An account whose program is at `public_url`, or at its own listener.
    async fn open(public_url: Option<String>) -> Self {
        let world = World::start().await;
        let fields = world.fields(ChannelKind::Whatsapp);
        let provider = channels::make(World::setup(fields.clone())).unwrap();
        let clock = Clock::system();
        let (ids, chance) = (Ids::new(clock.clone()), Chance::from_seed(1));
        let data_dir = world.folder.path().join("data");
        std::fs::create_dir(&data_dir).unwrap();
        let options = StoreOptions {
            data_dir: data_dir.clone(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File(data_dir.join("master.key")),
        };
        let store = Store::open(options).await.unwrap();
        let account = Account::new(fields, "whatsapp".parse().unwrap(), provider, "made-up".into());
        let channels = Channels::new(vec![account], None, clock.clone());
        let account = Arc::clone(channels.all().next().unwrap());
        let ambient = Ambient { clock: clock.clone(), ids, chance: chance.clone() };
        let limits = delivery::Limits::default();
        let delivery = Delivery::new(store.clone(), Arc::new(channels.clone()), ambient, limits);
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = public_url.unwrap_or_else(|| format!("http://{}", socket.local_addr().unwrap()));
        let prover = Prover::new(&clock, &url, Names::public(), chance).unwrap();
        let reception =
            Reception::new(channels, store.clone(), delivery, Some(url.clone())).with_prover(prover);
        let served: Served = Arc::default();
        served.set(reception.clone()).ok().unwrap();
        let routes = Router::new()
            .route("/hooks/{channel}/{account}/{secret}", post(take))
            .layer(from_fn_with_state(Arc::clone(&served), answer))
            .with_state(served);
        let listener = tokio::spawn(async move { axum::serve(socket, routes).await.unwrap() });
        Self { world, store, account, reception, url, listener }
    }

    /// The texts that came in, the last one first.
    async fn texts(&self) -> Vec<String> {
        let page = Page { limit: 50, cursor: None };
        let listed = self.store.channels().list(&InboundFilter::default(), &page).await.unwrap();
        listed.items.iter().map(|one| one.message.text.as_str().to_owned()).collect()
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
    let former = phone.ours().replace("made-up", "earlier");
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
    let mut is_caught_up = false;
    phone.reception.catch_up(&phone.account, &mut is_caught_up).await;
    assert!(is_caught_up);
    // It is posted to another program.
    let other = other(StatusCode::OK).await;
    phone.reception.register_at(&phone.account, &other, false).await.unwrap();
    for text in ["Hello", "Are you there?"] {
        let from = "70000000001";
        phone
            .world
            .customer(json!({"channel": "whatsapp", "from": from, "name": "Anna", "text": text}))
            .await;
    }
    phone.reception.catch_up(&phone.account, &mut is_caught_up).await;
    assert_eq!((is_caught_up, phone.texts().await.len()), (false, 0));
    phone.reception.register(&phone.account, true).await.unwrap();
    for _ in 0..2 {
        phone.reception.catch_up(&phone.account, &mut is_caught_up).await;
        assert!(is_caught_up);
        let mut texts = phone.texts().await;
        texts.sort();
        assert_eq!(texts, ["Are you there?", "Hello"]);
        is_caught_up = false;
    }
}
