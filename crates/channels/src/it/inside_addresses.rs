//! Files at addresses that a provider names: none is fetched from an inner network, by no provider and by no redirect.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use config::ChannelKind;
use domain::{InboundKind, InboundMedia};
use serde_json::json;
use tokio::net::TcpListener;

use super::support::World;
use crate::{CallError, Provider};

/// The largest file, in bytes.
const MOST: u64 = 1 << 20;

/// A server that redirects each file to `inside`, and answers calls as the API of a Telegram bot does.
#[derive(Clone)]
struct Answers {
    inside: Option<SocketAddr>,
    requests: Arc<AtomicUsize>,
}

async fn answer(State(answers): State<Answers>, request: Request) -> Response {
    answers.requests.fetch_add(1, Ordering::Relaxed);
    if request.method() == Method::POST || request.uri().path().ends_with("getFile") {
        return axum::Json(json!({ "ok": true, "result": { "file_id": "a", "file_path": "a.jpg" } }))
            .into_response();
    }
    match answers.inside {
        Some(inside) => (StatusCode::FOUND, [(LOCATION, format!("http://{inside}/secret"))]).into_response(),
        None => "secret".into_response(),
    }
}

async fn serve(inside: Option<SocketAddr>) -> (SocketAddr, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let answers = Answers { inside, requests: Arc::clone(&requests) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = Router::new().fallback(answer).with_state(answers);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, requests)
}

/// The account of the sandbox whose provider has files at addresses; none where files come another way. A new channel is added here.
fn account(kind: ChannelKind) -> Option<&'static str> {
    match kind {
        ChannelKind::Telegram => Some("bot"),
        ChannelKind::Avito => Some("shop"),
        ChannelKind::Whatsapp => Some("phone"),
        ChannelKind::Vk => Some("club"),
        ChannelKind::Max => Some("assistant"),
        ChannelKind::Instagram => Some("studio"),
        ChannelKind::Sms => Some("texts_twilio"),
        // Mails carry their files, and forms have none.
        ChannelKind::Email | ChannelKind::Form => None,
    }
}

/// The provider of an account whose API is at this address.
fn provider_at(world: &World, account: &str, api: &str) -> Arc<dyn Provider> {
    let fields = config::ChannelFields { api: Some(api.to_owned()), ..world.fields_of(account) };
    crate::make(World::setup(fields)).unwrap()
}

async fn refusal(provider: &dyn Provider, media: &InboundMedia) -> CallError {
    provider.fetch(media, MOST).await.err().unwrap()
}

fn is_refused_address(error: &CallError) -> bool {
    matches!(error, CallError::Refused { code, .. } if code == "ADDRESS_REFUSED")
}

#[tokio::test]
async fn no_provider_fetches_a_file_of_an_inner_network() {
    let world = World::start().await;
    let (inside, requests) = serve(None).await;
    let (outside, _) = serve(Some(inside)).await;
    let api = format!("http://{outside}");
    for (kind, account) in ChannelKind::ALL.into_iter().filter_map(|kind| Some((kind, account(kind)?))) {
        let provider = provider_at(&world, account, &api);
        // By a redirect of the server that the settings name.
        let file_id = (kind == ChannelKind::Telegram).then(|| "a".to_owned());
        let moved = InboundMedia::at(InboundKind::Image, format!("{api}/a.jpg"));
        let moved = InboundMedia { file_id, ..moved };
        let error = refusal(&*provider, &moved).await;
        assert!(is_refused_address(&error), "{kind:?}: {error:?}");
        // A bot of Telegram is given no address.
        if kind == ChannelKind::Telegram {
            continue;
        }
        for host in [inside.to_string(), "169.254.169.254".to_owned(), "[::ffff:10.0.0.1]".to_owned()] {
            let named = InboundMedia::at(InboundKind::Document, format!("http://{host}/secret"));
            let error = refusal(&*provider, &named).await;
            assert!(is_refused_address(&error), "{kind:?} {host}: {error:?}");
        }
        let name =
            InboundMedia::at(InboundKind::Document, format!("http://localhost:{}/secret", inside.port()));
        let error = refusal(&*provider, &name).await;
        assert!(is_refused_address(&error), "{kind:?}: {error:?}");
    }
    assert_eq!(requests.load(Ordering::Relaxed), 0);
}
