//! A pretend Donut in front of a real browser.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use browser::{Donut, DonutError, Engine, Failure, ProfileError};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::stage::{Stage, driver, engine, generous, loopback};

/// What it answers.
#[derive(Default)]
struct Api {
    refusal: Mutex<Option<StatusCode>>,
    running: AtomicBool,
    port: AtomicU16,
    started: AtomicUsize,
}

impl Api {
    fn refuse(&self, status: Option<StatusCode>) {
        *self.refusal.lock().unwrap() = status;
    }

    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        if headers.get("authorization").is_none_or(|token| token != "Bearer token") {
            return Some(StatusCode::UNAUTHORIZED.into_response());
        }
        let status = (*self.refusal.lock().unwrap())?;
        Some((status, [("retry-after", "120")]).into_response())
    }
}

async fn show(State(api): State<Arc<Api>>, headers: HeaderMap) -> Response {
    let profile = json!({ "id": "one", "name": "Shop", "is_running": api.running.load(Ordering::SeqCst) });
    api.refusal(&headers).unwrap_or_else(|| Json(json!({ "profile": profile })).into_response())
}

async fn run(State(api): State<Arc<Api>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = api.refusal(&headers) {
        return refusal;
    }
    api.running.store(true, Ordering::SeqCst);
    api.started.fetch_add(1, Ordering::SeqCst);
    let port = api.port.load(Ordering::SeqCst);
    Json(json!({ "profile_id": "one", "remote_debugging_port": port, "headless": false })).into_response()
}

async fn serve(api: Arc<Api>) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/v1/profiles/one", get(show))
        .route("/v1/profiles/one/run", post(run))
        .with_state(api);
    let mut task = JoinSet::new();
    task.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, task)
}

#[tokio::test]
async fn donut_starts_a_browser_once_and_says_why_it_does_not() {
    // Donut's browser is a Chromium.
    if engine() == Engine::Firefox {
        return;
    }
    let stage = Stage::set().await;
    stage.lease().await.release().await.unwrap();
    let port_file =
        std::fs::read_to_string(stage.profile.folder.join("chromium/DevToolsActivePort")).unwrap();
    let api = Arc::new(Api::default());
    api.port.store(port_file.lines().next().unwrap().parse().unwrap(), Ordering::SeqCst);
    let (address, _task) = serve(Arc::clone(&api)).await;
    let folder = stage.profile.folder.with_file_name("donut");
    let donut = Donut {
        api: address,
        allowed: loopback(),
        token: "token".into(),
        id: "one".to_owned(),
        folder,
        driver: driver(Engine::Chromium),
    };
    let clock = stage.clock.clone();
    let refused = async |donut: &Donut| match donut.lease(&clock).await {
        Err(ProfileError::Donut(error)) => error,
        other => panic!("{other:?}"),
    };

    for (status, words) in [(402, "plan"), (403, "terms"), (409, "locked"), (429, "in 120 s"), (500, "500")] {
        api.refuse(Some(StatusCode::from_u16(status).unwrap()));
        let error = refused(&donut).await.to_string();
        assert!(error.contains(words), "{status}: {error}");
    }
    api.refuse(None);
    let stranger = Donut { token: "other".into(), ..donut.clone() };
    assert!(matches!(refused(&stranger).await, DonutError::Token));
    let missing = Donut { id: "two".to_owned(), ..donut.clone() };
    assert!(matches!(refused(&missing).await, DonutError::NoProfile(_)));
    let away = Donut { api: "http://127.0.0.1:9".to_owned(), ..donut.clone() };
    assert!(matches!(refused(&away).await, DonutError::Away { .. }));
    api.running.store(true, Ordering::SeqCst);
    assert!(matches!(refused(&donut).await, DonutError::Open));
    api.running.store(false, Ordering::SeqCst);

    // Started once, attached to two times; closing a lease leaves its browser to Donut.
    for _ in 0..2 {
        let lease = donut.lease(&clock).await.unwrap();
        let web_k = stage.web_k(&lease, generous()).await;
        assert!(matches!(web_k.arrive().await, Err(Failure::LoggedOut(_))));
        lease.close().await.unwrap();
    }
    assert_eq!(api.started.load(Ordering::SeqCst), 1);
}
