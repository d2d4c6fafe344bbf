//! A caller as n8n's HTTP Request node is: its headers, a connection for each call, closed by the program.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a caller waits for its answer.
const TIMEOUT: Duration = Duration::from_mins(2);

const ACCEPT: &str =
    "application/json,text/html,application/xhtml+xml,application/xml,text/*;q=0.9, image/*;q=0.8, */*;q=0.7";

/// A call that can be made more than once.
#[derive(Clone)]
pub(super) struct Call {
    port: u16,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) text: String,
}

impl Call {
    pub(super) fn new(port: u16, method: &str, path: &str) -> Self {
        let (method, path) = (method.to_owned(), path.to_owned());
        Self { port, method, path, headers: Vec::new(), body: String::new() }
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A JSON body, as the node sends it.
    pub(super) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").raw(&body.to_string())
    }

    /// A raw body; its content type, if any, is a header.
    pub(super) fn raw(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    /// Sends it and waits until the program closes the connection.
    pub(super) async fn send(self) -> Reply {
        let shown = format!("{} {} {}", self.method, self.path, self.body);
        tokio::time::timeout(TIMEOUT, self.exchange())
            .await
            .unwrap_or_else(|_| panic!("no end of the answer to {shown}"))
    }

    /// Sends it and gives the open connection back: dropped, the caller is gone.
    pub(super) async fn begin(&self) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.expect("the port answers");
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAccept: {ACCEPT}\r\nUser-Agent: axios/1.12.0\r\n\
             Accept-Encoding: gzip, compress, deflate, br\r\nConnection: close\r\n",
            self.method, self.path, self.port
        );
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        if self.method != "GET" {
            head.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n"]);
        }
        stream.write_all(format!("{head}\r\n{}", self.body).as_bytes()).await.expect("sent");
        stream
    }

    async fn exchange(self) -> Reply {
        let mut stream = self.begin().await;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.expect("read to the end");
        Reply::read(&bytes)
    }
}

impl Reply {
    fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {text:?}"));
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut reply = Self { status: status.expect("a status"), headers, text: body.to_owned() };
        assert_eq!(reply.header("content-encoding"), None, "no compression is needed here");
        if reply.header("transfer-encoding") == Some("chunked") {
            reply.text = without_chunks(body);
        }
        reply
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body, which is JSON in every answer of the old ports.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|_| panic!("no JSON: {} {:?}", self.status, self.text))
    }

    /// Whether a key had brought the same before.
    pub(super) fn is_replay(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }
}

fn without_chunks(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        whole.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}
