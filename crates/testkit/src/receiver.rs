//! An outside program that is called back: it keeps every body it was sent, and answers as it is set to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Its headers by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body, to the byte.
    pub text: String,
}

/// Listens until it is dropped.
pub struct Receiver {
    address: String,
    status: Arc<AtomicU16>,
    body: Arc<Mutex<String>>,
    posted: Arc<Mutex<Vec<Posted>>>,
    listening: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// The status of a receiver that takes what it is sent and never answers.
    pub const SILENCE: u16 = 0;

    /// On a free port; answers 200 until set otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let status = Arc::new(AtomicU16::new(200));
        let body = Arc::new(Mutex::new("ok".to_owned()));
        let posted = Arc::new(Mutex::new(Vec::new()));
        let (reply_status, words, kept) = (Arc::clone(&status), Arc::clone(&body), Arc::clone(&posted));
        let listening = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(
                    connection,
                    Arc::clone(&reply_status),
                    Arc::clone(&words),
                    Arc::clone(&kept),
                ));
            }
        });
        Self { address, status, body, posted, listening }
    }

    /// Where it is called.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Answers with this status from now on.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// Answers with this status and this body from now on.
    pub fn says(&self, status: u16, body: &str) {
        body.clone_into(&mut self.body.lock().expect("lock"));
        self.answer(status);
    }

    /// All it was sent, in order, whatever it answered.
    pub fn posted(&self) -> Vec<Posted> {
        self.posted.lock().expect("lock").clone()
    }

    /// The same, read as JSON.
    pub fn bodies(&self) -> Vec<Value> {
        self.posted().iter().map(|posted| serde_json::from_str(&posted.text).unwrap_or(Value::Null)).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// One connection: one request, one answer.
async fn serve(
    mut connection: TcpStream,
    status: Arc<AtomicU16>,
    words: Arc<Mutex<String>>,
    kept: Arc<Mutex<Vec<Posted>>>,
) {
    let mut request = Vec::new();
    let mut part = [0_u8; 4_096];
    while !is_whole(&request) {
        match connection.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&part[..read]),
        }
    }
    let text = String::from_utf8_lossy(&request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let headers = head.lines().filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    kept.lock().expect("lock").push(Posted { headers, text: body.to_owned() });
    let status = status.load(Ordering::SeqCst);
    if status == Receiver::SILENCE {
        std::future::pending::<()>().await;
    }
    let body = words.lock().expect("lock").clone();
    let head = format!("HTTP/1.1 {status} Said\r\ncontent-length: {}\r\nconnection: close", body.len());
    let answer = format!("{head}\r\n\r\n{body}");
    // A client that hung up has no use for the answer.
    let _ = connection.write_all(answer.as_bytes()).await;
}

/// Whether head and body have come.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    request.len() >= head.len() + 4 + length.unwrap_or(0)
}
