//! Whoever receives the invite callback: a small web server that answers as the test says and keeps what it got.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What it does with one request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Answers with this status.
    Status(u16),
    /// Takes the request and never answers.
    Silent,
}

/// One request it got.
#[derive(Clone)]
pub(super) struct Got {
    pub(super) head: String,
    pub(super) body: Value,
}

#[derive(Default)]
struct Shared {
    got: Vec<Got>,
    next: VecDeque<Manner>,
}

/// The server; it ends with the test.
pub(super) struct Receiver {
    port: u16,
    shared: Arc<Mutex<Shared>>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// Listens on a free port and answers 200 unless told otherwise.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("binds");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let kept = Arc::clone(&shared);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&kept)));
            }
        });
        Self { port, shared, serving }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hook", self.port)
    }

    /// How it meets the next requests, one after the other; after them it answers 200.
    pub(super) fn meets(&self, manners: impl IntoIterator<Item = Manner>) {
        self.shared.lock().expect("lock").next.extend(manners);
    }

    /// From now on it answers 200.
    pub(super) fn meets_all_well(&self) {
        self.shared.lock().expect("lock").next.clear();
    }

    /// Everything it got.
    pub(super) fn got(&self) -> Vec<Got> {
        self.shared.lock().expect("lock").got.clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Mutex<Shared>>) {
    while let Some(got) = read(&mut stream).await {
        let manner = {
            let mut shared = shared.lock().expect("lock");
            shared.got.push(got);
            shared.next.pop_front().unwrap_or(Manner::Status(200))
        };
        match manner {
            Manner::Status(status) => {
                let answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n\r\nok");
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
            Manner::Silent => std::future::pending().await,
        }
    }
}

/// One request; none when the connection ends.
async fn read(stream: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse::<usize>().ok())
                .unwrap_or(0);
            if body.len() >= length {
                let body = serde_json::from_str(&body[..length]).unwrap_or(Value::Null);
                return Some(Got { head: head.to_owned(), body });
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}
