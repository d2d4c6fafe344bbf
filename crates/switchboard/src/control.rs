//! Talking to a running server over its control socket.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, bail};
use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio_util::task::AbortOnDropHandle;

use crate::outgoing_file::OutgoingFile;
use crate::reply;

/// How long the socket may take to accept a connection, and a piece of a file.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The same where files may have to be copied first.
const ACCEPTANCE: Duration = Duration::from_mins(5);

/// How often a server that has not answered yet is asked for a sign of life, and how long that may take.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);

/// The control socket of a running server.
pub(crate) struct Control {
    socket: std::path::PathBuf,
}

/// The server that holds this data directory, if there is one.
pub(crate) async fn find(data_dir: &Path) -> Option<Control> {
    let socket = data_dir.join("control.sock");
    match tokio::time::timeout(TIMEOUT, UnixStream::connect(&socket)).await {
        Ok(Ok(_)) => Some(Control { socket }),
        _ => None,
    }
}

/// The server that holds this data directory, for what only a running one can do.
pub(crate) async fn running(data_dir: &Path) -> anyhow::Result<Control> {
    let found = find(data_dir).await;
    found
        .with_context(|| format!("no server runs on {}; start one with `switchboard up`", data_dir.display()))
}

impl Control {
    /// One call; an answer that is no success is a [`reply::ApiError`].
    pub(crate) async fn call_within(
        &self,
        limit: Duration,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        tokio::select! {
            answer = tokio::time::timeout(limit, self.exchange(method, path, body)) => match answer {
                Ok(answer) => answer,
                Err(_) => bail!("the server did not answer within {} s", limit.as_secs()),
            },
            () = self.falls_silent() => bail!(
                "the server holds the data directory and does not answer; `switchboard doctor` shows what can be seen \
                 from outside"
            ),
        }
    }

    /// `POST` with a key by which the server knows a repeat, if there is one.
    pub(crate) async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> anyhow::Result<Value> {
        let mut request = Request::post(path).header("content-type", "application/json");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request.header("host", "localhost").body(Full::new(Bytes::from(body.to_string())))?;
        match tokio::time::timeout(ACCEPTANCE, self.talk(request)).await {
            Ok(answer) => answer,
            Err(_) => bail!(
                "the server did not answer within {} s; whether it took what was sent is not known",
                ACCEPTANCE.as_secs()
            ),
        }
    }

    /// `POST` of a file. It may take as long as it goes on; dropping it ends the connection, and the server has nothing.
    pub(crate) async fn post_file(
        &self,
        path: &str,
        key: Option<&str>,
        file: OutgoingFile,
    ) -> anyhow::Result<Value> {
        let sent = file.sent();
        let mut request = Request::post(path).header("content-type", "application/octet-stream");
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let request = request.header("host", "localhost").body(file)?;
        let halted = async {
            loop {
                let before = sent.load(Ordering::Relaxed);
                tokio::time::sleep(TIMEOUT).await;
                if sent.load(Ordering::Relaxed) == before {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            answer = self.talk(request) => answer,
            () = halted => bail!("the server took nothing of the file for {} s", TIMEOUT.as_secs()),
        }
    }

    /// Resolves once the server shows no sign of life: one that works on a long answer does.
    async fn falls_silent(&self) {
        loop {
            tokio::time::sleep(SIGN_OF_LIFE).await;
            let sign = self.exchange(Method::GET, "/health/live", None);
            if tokio::time::timeout(SIGN_OF_LIFE, sign).await.is_err() {
                return;
            }
        }
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))?;
        self.talk(request).await
    }

    async fn talk<B>(&self, request: Request<B>) -> anyhow::Result<Value>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let stream = UnixStream::connect(&self.socket).await.context("the server's control socket")?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // The connection ends when the answer is no longer waited for.
        let _talking = AbortOnDropHandle::new(tokio::spawn(connection));
        let answer = sender.send_request(request).await?;
        reply::read(answer).await
    }
}
