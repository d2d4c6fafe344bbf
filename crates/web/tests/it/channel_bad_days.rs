//! Bad days of providers: down, slow, asking to wait, refusing, behind another certificate. What was accepted leaves once, or fails with its reason.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ambient::{Chance, Clock};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use channels::http::{Http, Route};
use channels::{Account, Setup, StoredValues};
use http::{StatusCode, Uri};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::world::{SOON, World};

/// An answer of a provider.
type ProviderAnswer = (u16, Value);

/// A provider that answers sends as the test says, and else that all went well.
#[derive(Default)]
struct Provider {
    texts: Mutex<Vec<String>>,
    planned: Mutex<Vec<ProviderAnswer>>,
}

/// Whether a call sends a message, and where its text is.
fn text_of(path: &str, body: &Value) -> Option<String> {
    let text = if path.ends_with("/sendMessage") {
        &body["text"]
    } else if path.ends_with("/me/messages") {
        &body["message"]["text"]
    } else {
        return None;
    };
    text.as_str().map(str::to_owned)
}

impl Provider {
    fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
        kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The texts that it was given, whatever it answered.
    fn texts(&self) -> Vec<String> {
        Self::lock(&self.texts).clone()
    }

    fn then(&self, answer: ProviderAnswer) {
        Self::lock(&self.planned).push(answer);
    }

    fn answer(&self, path: &str, body: &[u8]) -> ProviderAnswer {
        let body = serde_json::from_slice(body).unwrap_or_default();
        if let Some(text) = text_of(path, &body) {
            Self::lock(&self.texts).push(text);
            if let Some(answer) = Self::lock(&self.planned).pop() {
                return answer;
            }
        }
        let id = Self::lock(&self.texts).len();
        (
            200,
            json!({ "ok": true, "result": { "message_id": id, "id": 1, "first_name": "Demo" }, "message_id": format!("m-{id}") }),
        )
    }
}

/// A provider behind a port that does not listen yet, and the server with an account there.
struct Town {
    world: World,
    provider: Arc<Provider>,
    socket: Option<TcpSocket>,
    /// A place for each answer that may leave.
    answers: Arc<Semaphore>,
}

#[derive(Clone)]
struct Answering(Arc<Provider>, Arc<Semaphore>);

async fn answered(State(Answering(provider, answers)): State<Answering>, uri: Uri, body: Bytes) -> Response {
    let (status, body) = provider.answer(uri.path(), &body);
    answers.acquire().await.expect("answers").forget();
    // Each call has a connection of its own.
    let headers = [(http::header::CONNECTION, "close")];
    (StatusCode::from_u16(status).expect("a status"), headers, body.to_string()).into_response()
}

/// An authority that signs certificates.
struct Authority {
    params: CertificateParams,
    key: KeyPair,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self { params, key: KeyPair::generate().expect("a key") }
    }

    fn pem(&self) -> Vec<u8> {
        self.params.self_signed(&self.key).expect("a certificate").pem().into_bytes()
    }

    /// Shows a certificate for this machine, each time another one.
    fn shows(&self) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        let issuer = Issuer::from_params(&self.params, &self.key);
        let shown = params.signed_by(&key, &issuer).expect("a certificate");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(
                vec![shown.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            );
        TlsAcceptor::from(Arc::new(config.expect("a pair")))
    }
}

/// An account, as the settings make it.
pub(crate) fn made(fields: Value, route: &Route) -> Account {
    let fields: config::ChannelFields = serde_json::from_value(fields).expect("an account");
    let clock = Clock::system();
    let channel: domain::ChannelName = fields.channel.as_str().parse().expect("a channel");
    let setup = Setup {
        http: Http::new(clock.clone(), fields.api(), route).expect("a client"),
        kept: StoredValues::in_memory(channel.clone(), fields.name.clone()),
        fields: fields.clone(),
        clock,
        chance: Chance::from_seed(1),
        hook_secret: "made-up".into(),
        hook_url: None,
    };
    let provider = channels::make(setup).expect("a provider");
    Account::new(fields, channel, provider, "made-up".into())
}

impl Town {
    /// With a provider that is down.
    async fn down(fields: Value) -> Self {
        Self::down_behind(fields, "http", &Route::default()).await
    }

    /// The same with a route to it.
    async fn down_behind(mut fields: Value, scheme: &str, route: &Route) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        fields["api"] = format!("{scheme}://{}", socket.local_addr().expect("an address")).into();
        let account = made(fields, route);
        let world = World::with_channels(vec![account], |_| {}).await;
        let answers = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        Self { world, provider: Arc::default(), socket: Some(socket), answers }
    }

    fn comes_up(&mut self) {
        let listener = self.listener();
        self.answer_at(listener);
    }

    fn listener(&mut self) -> TcpListener {
        self.socket.take().expect("it is down").listen(64).expect("it listens")
    }

    fn answer_at(&self, listener: TcpListener) {
        let answering = Answering(Arc::clone(&self.provider), Arc::clone(&self.answers));
        let router = Router::new().fallback(answered).with_state(answering);
        tokio::spawn(async move { axum::serve(listener, router).await });
    }

    /// Comes up with the certificate that is shown at the moment of each connection.
    async fn comes_up_over_tls(&mut self, shown: watch::Receiver<TlsAcceptor>) {
        let within = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = within.local_addr().expect("an address");
        self.answer_at(within);
        let listener = self.listener();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = shown.borrow().clone();
                tokio::spawn(async move {
                    let mut stream = acceptor.accept(stream).await?;
                    let mut within = TcpStream::connect(address).await?;
                    tokio::io::copy_bidirectional(&mut stream, &mut within).await
                });
            }
        });
    }

    async fn up(fields: Value) -> Self {
        let mut town = Self::down(fields).await;
        town.comes_up();
        town
    }

    /// Has a text accepted; the path of its message.
    async fn accept(&self, chat: &str, text: &str) -> String {
        let body = json!({ "chat": chat, "text": text, "wait": 0 }).to_string();
        let reply = self.world.message(&body).send().await;
        assert!((200..300).contains(&reply.status), "{}", reply.body);
        format!("/v1/messages/{}", reply.json()["id"].as_str().expect("an id"))
    }

    /// Moves the clock until a message is in a state.
    async fn until(&self, path: &str, state: &str) -> Value {
        let deadline = std::time::Instant::now() + SOON;
        loop {
            let shown = self.world.call("GET", path).send().await.json();
            if shown["state"] == state {
                return shown;
            }
            assert!(std::time::Instant::now() < deadline, "it stays {shown}");
            self.world.clock.advance(Duration::from_secs(5));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Moves the clock until an account says what went wrong last, in words that have this one; all of them.
    async fn until_error(&self, account: &str, word: &str) -> String {
        let waiting = async {
            loop {
                let shown = self.world.call("GET", &format!("/v1/channels/{account}")).send().await.json();
                let last = shown["errors"]["last"].as_str().unwrap_or_default();
                if last.contains(word) {
                    return last.to_owned();
                }
                self.world.clock.advance(Duration::from_secs(5));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, waiting).await.expect("it says so")
    }

    /// Waits until the provider was given so many texts.
    async fn until_given(&self, count: usize) {
        let waiting = async {
            while self.provider.texts().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, waiting).await.expect("the provider is given it");
    }
}

fn bot() -> Value {
    json!({ "name": "bot", "channel": "telegram", "token": "1:made-up" })
}

const CHAT: &str = "telegram:bot/2001";

#[tokio::test]
async fn a_message_for_an_unreachable_provider_is_sent_once() {
    let mut town = Town::down(bot()).await;
    let paths = [town.accept(CHAT, "one").await, town.accept(CHAT, "two").await];
    for _ in 0..60 {
        town.world.clock.advance(Duration::from_mins(1));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for path in &paths {
        let shown = town.world.call("GET", path).send().await.json();
        assert!(["queued", "sending"].iter().any(|state| shown["state"] == *state), "{shown}");
    }
    town.comes_up();
    for path in &paths {
        town.until(path, "sent").await;
    }
    assert_eq!(town.provider.texts(), ["one", "two"]);
}

#[tokio::test]
async fn a_certificate_that_changes_holds_a_message_and_loses_none() {
    let (ours, another) = (Authority::new("The provider's"), Authority::new("Another"));
    let route = Route { ca: Some(ours.pem()), ..Route::default() };
    let mut town = Town::down_behind(bot(), "https", &route).await;
    let shown = watch::Sender::new(ours.shows());
    town.comes_up_over_tls(shown.subscribe()).await;
    for text in ["one", "two"] {
        let path = town.accept(CHAT, text).await;
        town.until(&path, "sent").await;
        // Renewed by the same authority.
        shown.send_replace(ours.shows());
    }
    shown.send_replace(another.shows());
    let path = town.accept(CHAT, "three").await;
    let error = town.until_error("bot", "certificate").await;
    assert!(error.contains("ca_file"), "{error}");
    for _ in 0..60 {
        town.world.clock.advance(Duration::from_mins(1));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let waits = town.world.call("GET", &path).send().await.json();
    assert!(["queued", "sending"].iter().any(|state| waits["state"] == *state), "{waits}");
    assert_eq!(town.provider.texts(), ["one", "two"]);
    shown.send_replace(ours.shows());
    town.until(&path, "sent").await;
    assert_eq!(town.provider.texts(), ["one", "two", "three"]);
}

#[tokio::test]
async fn a_wait_requested_by_the_provider_is_respected() {
    let town = Town::up(bot()).await;
    let refusal = json!({
        "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 30",
        "parameters": { "retry_after": 30 },
    });
    town.provider.then((429, refusal));
    let path = town.accept(CHAT, "one").await;
    town.until_given(1).await;
    for _ in 0..4 {
        town.world.clock.advance(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(town.provider.texts(), ["one"], "it is not given again before 30 s are over");
    }
    town.until(&path, "sent").await;
    assert_eq!(town.provider.texts(), ["one", "one"], "refused, then taken");
}

#[tokio::test]
async fn a_slow_provider_receives_a_message_once() {
    let mut town = Town::down(bot()).await;
    town.answers = Arc::new(Semaphore::new(0));
    town.comes_up();
    let path = town.accept(CHAT, "one").await;
    town.until_given(1).await;
    for _ in 0..6 {
        town.world.clock.advance(Duration::from_mins(10));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(town.world.call("GET", &path).send().await.json()["state"], "sending");
    town.answers.add_permits(1_000);
    town.until(&path, "sent").await;
    assert_eq!(town.provider.texts(), ["one"]);
}

#[tokio::test]
async fn emoji_arrive_whole_and_a_longer_text_in_parts() {
    let town = Town::up(bot()).await;
    for (text, parts) in [("👩‍👩‍👧‍👦🏳️‍🌈".to_owned(), 1), ("😀".repeat(2_048), 1), ("😀".repeat(2_049), 2)]
    {
        Provider::lock(&town.provider.texts).clear();
        let path = town.accept(CHAT, &text).await;
        town.until(&path, "sent").await;
        let given = town.provider.texts();
        assert_eq!((given.len(), given.concat()), (parts, text));
    }
}

#[tokio::test]
async fn a_text_by_sms_says_how_many_segments_it_is() {
    let gateways = [
        json!({ "gateway": "smsc", "token": "made-up" }),
        json!({ "gateway": "sms_ru", "token": "made-up" }),
        json!({ "gateway": "twilio", "login": "made-up", "token": "made-up", "sender": "+70000000009" }),
        json!({ "gateway": "http" }),
        json!({ "gateway": "smpp", "smpp": "smpp://made:up@127.0.0.1:1", "sender": "DEMO" }),
    ];
    for mut fields in gateways {
        fields["name"] = "texts".into();
        fields["channel"] = "sms".into();
        let gateway = fields["gateway"].clone();
        let town = Town::down(fields).await;
        // The last one leaves as two messages.
        for (text, segments) in [("Yes".to_owned(), 1), ("ж".repeat(71), 2), ("ж".repeat(336), 6)] {
            let path = town.accept("sms:texts/+70000000001", &text).await;
            let shown = town.world.call("GET", &path).send().await.json();
            assert_eq!(shown["segments"], segments, "{gateway}: {shown}");
        }
    }
    let town = Town::down(bot()).await;
    let path = town.accept(CHAT, "Yes").await;
    let shown = town.world.call("GET", &path).send().await.json();
    assert!(shown.get("segments").is_none(), "{shown}");
}

#[tokio::test]
async fn a_window_that_closed_while_it_waited_is_a_failure() {
    let instagram = json!({
        "name": "studio", "channel": "instagram", "app_secret": "made-up", "token": "made-up",
    });
    let town = Town::up(instagram).await;
    assert_eq!(town.world.call("POST", "/v1/channels/studio/pause").send().await.status, 200);
    let path = town.accept("instagram:studio/5550001", "too late").await;
    let message = "This message is sent outside of allowed window.";
    town.provider
        .then((400, json!({ "error": { "code": 10, "error_subcode": 2_534_022, "message": message } })));
    town.world.clock.advance(Duration::from_hours(25));
    assert_eq!(town.world.call("POST", "/v1/channels/studio/resume").send().await.status, 200);
    let failed = town.until(&path, "failed").await;
    assert_eq!(failed["failure"]["code"], "no_rights", "{failed}");
    assert!(
        failed.to_string().contains("the 24 hours after the customer's last message are over"),
        "{failed}"
    );
    for _ in 0..60 {
        town.world.clock.advance(Duration::from_mins(1));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(town.provider.texts(), ["too late"], "it is asked once and never again");
}
