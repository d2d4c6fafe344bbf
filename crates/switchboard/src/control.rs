//! Talking to a running server over its control socket.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::UnixStream;

/// The longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest answer read.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;

/// A running server, or the fact that there is none.
pub(crate) enum Server {
    /// It answers on this socket.
    Running(Control),
    /// Nobody holds the data directory.
    None,
}

/// The control socket of a running server.
pub(crate) struct Control {
    socket: std::path::PathBuf,
}

/// Finds the server that holds this data directory.
pub(crate) async fn find(data_dir: &Path) -> Server {
    let socket = data_dir.join("control.sock");
    match tokio::time::timeout(PATIENCE, UnixStream::connect(&socket)).await {
        Ok(Ok(_)) => Server::Running(Control { socket }),
        _ => Server::None,
    }
}

/// The server that holds this data directory, for what only a running one can do.
pub(crate) async fn running(data_dir: &Path) -> anyhow::Result<Control> {
    match find(data_dir).await {
        Server::Running(control) => Ok(control),
        Server::None => {
            bail!("no server runs on {}; start one with `switchboard up`", data_dir.display())
        }
    }
}

impl Control {
    /// All items of a list, page by page.
    pub(crate) async fn list(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut page = path.to_owned();
        loop {
            let answer = self.call(Method::GET, &page, None).await?;
            items.extend_from_slice(answer["items"].as_array().context("the server's answer has no items")?);
            match answer["next_cursor"].as_str() {
                Some(cursor) => {
                    let joint = if path.contains('?') { '&' } else { '?' };
                    page = format!("{path}{joint}cursor={cursor}");
                }
                None => return Ok(items),
            }
        }
    }

    /// One call; an answer that is no success becomes an error with the server's own words.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        match tokio::time::timeout(PATIENCE, self.exchange(method, path, body)).await {
            Ok(answer) => answer,
            Err(_) => bail!("the server did not answer within {} s", PATIENCE.as_secs()),
        }
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let stream = UnixStream::connect(&self.socket).await.context("the server's control socket")?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let talking = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body.map(Value::to_string).unwrap_or_default())))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!("the server's answer: {error}"))?
            .to_bytes();
        talking.abort();
        if status == StatusCode::NO_CONTENT || body.is_empty() && status.is_success() {
            return Ok(Value::Null);
        }
        let value: Value = serde_json::from_slice(&body).context("the server's answer is not JSON")?;
        if status.is_success() {
            return Ok(value);
        }
        let said = value.get("detail").or_else(|| value.get("title")).and_then(Value::as_str);
        bail!("{}", said.unwrap_or("the server refused"))
    }
}
