//! Another program, as the test wants it to answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use axum::{Router, http};
use serde_json::Value;
use tokio::sync::mpsc;

pub(crate) enum Reply {
    Status(u16),
    SendOn(u16, String),
    Endless,
    Never,
    When(tokio::sync::oneshot::Receiver<()>),
}

#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) content_type: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
    pub(crate) raw: Bytes,
}

pub(crate) struct Receiver {
    pub(crate) address: String,
    replies: Replies,
    posted: mpsc::Receiver<Posted>,
}

type Replies = Arc<Mutex<VecDeque<Reply>>>;

impl Receiver {
    /// Answers every call with 200, unless set otherwise.
    pub(crate) async fn start() -> Self {
        let (sender, posted) = mpsc::channel(100);
        let replies = Replies::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(take).with_state((replies.clone(), sender));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, replies, posted }
    }

    /// How the next call is answered that has no answer yet.
    pub(crate) fn reply(&self, reply: Reply) {
        self.replies.lock().expect("whole").push_back(reply);
    }

    pub(crate) async fn next(&mut self) -> Posted {
        let waiting = tokio::time::timeout(Duration::from_mins(1), self.posted.recv());
        waiting.await.expect("a call in time").expect("a call")
    }

    pub(crate) fn is_quiet(&mut self) -> bool {
        self.posted.try_recv().is_err()
    }
}

async fn take(
    State((replies, sender)): State<(Replies, mpsc::Sender<Posted>)>,
    parts: http::request::Parts,
    body: Bytes,
) -> Response {
    let header =
        |name: &str| parts.headers.get(name).map_or("", |value| value.to_str().expect("text")).to_owned();
    let reply = replies.lock().expect("whole").pop_front().unwrap_or(Reply::Status(200));
    let posted = Posted {
        path: parts.uri.path().to_owned(),
        id: header("webhook-id"),
        content_type: header("content-type"),
        headers: parts.headers.clone(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        raw: body.clone(),
    };
    sender.send(posted).await.expect("the test listens");
    let answer = Response::builder();
    match reply {
        Reply::Status(status) => answer.status(status).body(Body::empty()),
        Reply::SendOn(status, to) => answer.status(status).header("location", to).body(Body::empty()),
        Reply::Endless => {
            let piece = Ok::<_, std::convert::Infallible>(Bytes::from_static(&[b'x'; 8192]));
            answer.body(Body::from_stream(futures::stream::repeat(piece)))
        }
        Reply::Never => std::future::pending().await,
        Reply::When(released) => {
            let _ = released.await;
            answer.body(Body::empty())
        }
    }
    .expect("an answer")
}
