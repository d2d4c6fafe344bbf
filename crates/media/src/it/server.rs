//! A server that answers byte for byte what a test wants, honest or not.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does once it has read a request.
#[derive(Clone)]
pub(crate) enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes again and again until the other side hangs up.
    Endless(Vec<u8>),
    Hold,
}

type Script = Box<dyn Fn(&str) -> Vec<Act> + Send + Sync>;

/// A server on a port of its own, until it is dropped.
pub(crate) struct Server {
    pub(crate) at: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    running: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn of(script: impl Fn(&str) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let seen = Arc::clone(&requests);
        let script: Arc<Script> = Arc::new(Box::new(script));
        let running = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(serve(connection, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { at, requests, running }
    }

    /// Answers every path with the same bytes.
    pub(crate) async fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::of(move |_| vec![Act::Send(answer.clone())]).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn serve(mut connection: TcpStream, script: Arc<Script>, seen: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = connection.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    seen.lock().unwrap().push(head);
    for act in script(&path) {
        match act {
            Act::Send(bytes) => {
                let _ = connection.write_all(&bytes).await;
            }
            Act::Endless(bytes) => while connection.write_all(&bytes).await.is_ok() {},
            Act::Hold => std::future::pending().await,
        }
    }
    let _ = connection.shutdown().await;
}

/// An answer with headers of the test's choice; each ends with a line break.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {status}\r\n{headers}\r\n").as_bytes(), body].concat()
}

pub(crate) fn fine(body: &[u8]) -> Vec<u8> {
    answer("200 OK", &format!("content-length: {}\r\n", body.len()), body)
}

pub(crate) fn sent_on(to: &str) -> Vec<u8> {
    answer("302 Found", &format!("location: {to}\r\ncontent-length: 0\r\n"), b"")
}
