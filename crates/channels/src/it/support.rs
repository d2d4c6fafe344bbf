//! A sandbox with its customers, and accounts of channels made from its settings.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ambient::{Chance, Clock};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use channels::http::{Http, Route};
use channels::{Fetched, HookPost, Outgoing, OutgoingFile, Provider, Setup, StoredValues};
use config::{ChannelFields, ChannelKind, Settings};
use domain::media::MediaForm;
use domain::text::FormattedText;
use domain::{ExternalChat, InboundChange, InboundEvent, InboundMessage, Outcome};
use futures::TryStreamExt as _;
use md5::{Digest, Md5};
use sandbox::{Running, Sandbox, SandboxOptions};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

/// How long something is waited for.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) sandbox: Running,
    pub(crate) folder: tempfile::TempDir,
    http: reqwest::Client,
    settings: Settings,
}

impl World {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SandboxOptions { accounts: 1, ..SandboxOptions::new(folder.path()) }.on_free_ports();
        let sandbox = Sandbox::start(options).await.unwrap();
        let settings = Settings::load(Some(&sandbox.settings_file), []).unwrap();
        let authorities = settings.channels.iter().filter_map(|fields| fields.ca_file.as_ref());
        let authorities: Vec<_> = authorities
            .map(|file| reqwest::Certificate::from_pem(&std::fs::read(file).unwrap()).unwrap())
            .collect();
        let http = reqwest::Client::builder().tls_certs_only(authorities).timeout(TIMEOUT).build().unwrap();
        Self { sandbox, folder, http, settings }
    }

    /// What the settings say of the first account of a channel.
    pub(crate) fn fields(&self, channel: ChannelKind) -> ChannelFields {
        self.settings.channels.iter().find(|fields| fields.channel == channel).unwrap().clone()
    }

    /// The names of all accounts.
    pub(crate) fn accounts(&self) -> BTreeSet<&str> {
        self.settings.channels.iter().map(|fields| fields.name.as_str()).collect()
    }

    /// What the settings say of an account.
    pub(crate) fn fields_of(&self, account: &str) -> ChannelFields {
        self.settings.channels.iter().find(|fields| fields.name.as_str() == account).unwrap().clone()
    }

    pub(crate) fn setup(fields: ChannelFields) -> Setup {
        let clock = Clock::system();
        let ca = fields.ca_file.as_ref().map(|file| std::fs::read(file).unwrap());
        let http = Http::new(
            clock.clone(),
            fields.api(),
            &Route { proxy: fields.proxy.clone(), ca, ..Route::default() },
        )
        .unwrap();
        let channel = fields.channel.as_str().parse().unwrap();
        let kept = StoredValues::in_memory(channel, fields.name.clone());
        let (hook_secret, hook_url) = ("planted-hook-secret".into(), None);
        Setup { fields, http, kept, clock, chance: Chance::from_seed(1), hook_secret, hook_url }
    }

    /// The first account of a channel.
    pub(crate) fn provider(&self, channel: ChannelKind) -> Arc<dyn Provider> {
        channels::make(Self::setup(self.fields(channel))).unwrap()
    }

    async fn control(&self, method: reqwest::Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("http://{}{path}", self.sandbox.control);
        let answer = self.http.request(method, url).json(body).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// Calls a provider as another program does that has the token.
    pub(crate) async fn call_provider(
        &self,
        call: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Value {
        let answer = call(&self.http).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// A customer does something; the answer of the sandbox.
    pub(crate) async fn customer(&self, deed: Value) -> Value {
        let (status, done) = self.control(reqwest::Method::POST, "/customers/messages", &deed).await;
        assert_eq!(status, 201, "{done}");
        done
    }

    pub(crate) async fn fault(&self, order: Value) {
        let (status, done) = self.control(reqwest::Method::POST, "/faults", &order).await;
        assert_eq!(status, 201, "{done}");
    }

    pub(crate) async fn clear_faults(&self) {
        self.control(reqwest::Method::DELETE, "/faults", &json!({})).await;
    }

    /// Types an address in a provider's pages; the status of the answer.
    pub(crate) async fn type_hook(&self, order: &Value) -> u16 {
        self.control(reqwest::Method::PUT, "/channels/hooks", order).await.0
    }

    /// The effects at a provider, oldest first.
    pub(crate) async fn ledger(&self, provider: &str) -> Vec<Value> {
        let (_, reply) = self.control(reqwest::Method::GET, "/ledger", &json!({})).await;
        let all = reply["items"].as_array().unwrap().clone();
        all.into_iter().filter(|entry| entry["provider"] == provider).collect()
    }

    /// The calls of the product to a provider, oldest first.
    pub(crate) async fn calls(&self, provider: &str) -> Vec<Value> {
        let (_, reply) = self.control(reqwest::Method::GET, "/webhooks/calls", &json!({})).await;
        let all = reply["items"].as_array().unwrap().clone();
        all.into_iter().filter(|call| call["provider"] == provider).collect()
    }

    /// A file on its way out.
    pub(crate) fn file(&self, form: MediaForm, name: &str, mime: &str, content: &[u8]) -> OutgoingFile {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        let size = content.len() as u64;
        OutgoingFile { form, name: name.to_owned(), mime: mime.to_owned(), size, path, link: None }
    }

    /// The same, at a link where the provider can fetch it.
    pub(crate) async fn served_file(
        &self,
        form: MediaForm,
        name: &str,
        mime: &'static str,
        content: &[u8],
    ) -> OutgoingFile {
        let file = self.file(form, name, mime, content);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let link = format!("http://{}/file", listener.local_addr().unwrap());
        let content = content.to_vec();
        let serve = move || async move { ([(CONTENT_TYPE, mime)], content) };
        let router = Router::new().route("/file", axum::routing::get(serve));
        tokio::spawn(async move { axum::serve(listener, router).await });
        OutgoingFile { link: Some(link), ..file }
    }
}

/// An account of a channel whose provider is nowhere.
pub(crate) fn lone(channel: ChannelKind, keys: &str) -> Arc<dyn Provider> {
    let fields: ChannelFields = toml::from_str(&format!(
        "name = \"lone\"\nchannel = \"{}\"\napi = \"http://127.0.0.1:1\"\n{keys}",
        channel.as_str()
    ))
    .unwrap();
    let clock = Clock::system();
    let http = Http::new(clock.clone(), fields.api(), &Route::default()).unwrap();
    let kept = StoredValues::in_memory(channel.as_str().parse().unwrap(), fields.name.clone());
    let (hook_secret, hook_url) = ("planted-hook-secret".into(), None);
    channels::make(Setup { fields, http, kept, clock, chance: Chance::from_seed(1), hook_secret, hook_url })
        .unwrap()
}

/// What a file on its way in has in it.
pub(crate) async fn content_of(fetched: Fetched) -> Vec<u8> {
    let pieces: Vec<_> = fetched.content.try_collect().await.unwrap();
    pieces.concat()
}

/// A text on its way out.
pub(crate) fn text(chat: &str, text: &str, key: i64) -> Outgoing {
    Outgoing {
        chat: ExternalChat::new(chat).unwrap(),
        text: FormattedText::plain(text),
        file: None,
        reply_to: None,
        written_by: domain::message::Writer::Program,
        silent: false,
        preview: false,
        key,
        prepared: None,
        album: Vec::new(),
        provider_options: None,
    }
}

/// The provider's id of what was sent.
pub(crate) fn id_of(outcome: &Outcome) -> String {
    let Outcome::Sent(ids) = outcome else { panic!("{outcome:?}") };
    ids.first().expect("its id").to_string()
}

/// The checksum that the ledger has of a file.
pub(crate) fn md5(content: &[u8]) -> String {
    hex::encode(Md5::digest(content))
}

/// The messages among what happened.
pub(crate) fn messages(events: &[InboundEvent]) -> Vec<&InboundMessage> {
    let message = |event: &'_ InboundEvent| matches!(event.change, InboundChange::Message(_));
    let found = events.iter().filter(|event| message(event));
    found
        .filter_map(|event| if let InboundChange::Message(it) = &event.change { Some(&**it) } else { None })
        .collect()
}

/// An address that a provider posts to.
pub(crate) struct Receiver {
    pub(crate) url: String,
    posts: Mutex<mpsc::Receiver<HookPost>>,
}

type Answering = dyn Fn(&HookPost) -> (u16, String) + Send + Sync;

#[derive(Clone)]
struct Taking {
    address: SocketAddr,
    posts: mpsc::Sender<HookPost>,
    answer: Arc<Answering>,
}

impl Receiver {
    /// One that answers what `provider` wants answered, at `/hook`.
    pub(crate) async fn start(provider: Arc<dyn Provider>) -> Self {
        Self::answering(move |post| match provider.hook(post) {
            Ok(hook) => (200, hook.answer.body),
            Err(_) => (401, String::new()),
        })
        .await
    }

    /// One with answers of its own.
    pub(crate) async fn answering(
        answer: impl Fn(&HookPost) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (posts, taken) = mpsc::channel(1_000);
        let taking = Taking { address, posts, answer: Arc::new(answer) };
        let router = Router::new().fallback(take).with_state(taking);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url: format!("http://{address}/hook"), posts: Mutex::new(taken) }
    }

    /// The next request, if it comes within this time.
    pub(crate) async fn within(&self, limit: Duration) -> Option<HookPost> {
        tokio::time::timeout(limit, self.posts.lock().await.recv()).await.ok().flatten()
    }

    /// The next request.
    pub(crate) async fn next(&self) -> HookPost {
        let mut posts = self.posts.lock().await;
        tokio::time::timeout(TIMEOUT, posts.recv()).await.expect("a post in time").expect("a post")
    }
}

async fn take(
    State(taking): State<Taking>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let post = HookPost {
        method: method.as_str().to_owned(),
        url: format!("http://{}{uri}", taking.address),
        query: uri.query().unwrap_or_default().to_owned(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect(),
        body: body.to_vec(),
    };
    let (status, body) = (taking.answer)(&post);
    let _ = taking.posts.send(post).await;
    (StatusCode::from_u16(status).unwrap(), body)
}

/// Moves a clock on by steps until the work is done, so that no wait takes its time.
pub(crate) async fn hurried<T>(clock: &Clock, step: Duration, work: impl Future<Output = T>) -> T {
    let hurry = async {
        loop {
            tokio::time::sleep(Duration::from_millis(60)).await;
            clock.advance(step);
        }
    };
    tokio::select! {
        done = work => done,
        () = hurry => unreachable!("the clock moves on for ever"),
    }
}
