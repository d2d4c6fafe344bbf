//! A small HTTP/1.1 client: the load shares the machine with what it measures, so it must cost little.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Longer than any caller is kept waiting.
const TIMEOUT: Duration = Duration::from_mins(2);

/// The largest answer taken: a ledger of a long run.
const LARGEST_ANSWER: usize = 512 * 1024 * 1024;

/// Why an exchange did not give an answer.
#[derive(Debug, Error)]
pub(crate) enum ExchangeError {
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
    #[error("no answer in {} s", TIMEOUT.as_secs())]
    TimedOut,
    #[error("the connection was closed in the middle of an answer")]
    CutOff,
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Bytes that are no HTTP/1.1 answer.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("the answer is not HTTP/1.1: {0}")]
pub(crate) struct Malformed(&'static str);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// The cookie that it sets, `name=value`.
    pub(crate) cookie: Option<String>,
    /// The server closes the connection after it.
    pub(crate) closes: bool,
}

/// The bytes of a request with a JSON body, or without one.
pub(crate) fn request(method: &str, path: &str, headers: &str, body: Option<&[u8]>, keep: bool) -> Vec<u8> {
    let connection = if keep { "keep-alive" } else { "close" };
    let mut bytes =
        format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {connection}\r\n{headers}")
            .into_bytes();
    if let Some(body) = body {
        let described = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        bytes.extend_from_slice(described.as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body.unwrap_or_default());
    bytes
}

/// One connection to a server, for one exchange after the other.
pub(crate) struct Connection<S = TcpStream> {
    stream: S,
    received: Vec<u8>,
}

impl Connection {
    /// Connects without Nagle's delay.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, ExchangeError> {
        let stream =
            timeout(TIMEOUT, TcpStream::connect(address)).await.map_err(|_| ExchangeError::TimedOut)??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(4096) })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Sends a request and waits for its answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer, ExchangeError> {
        timeout(TIMEOUT, self.exchange_in_time(request)).await.map_err(|_| ExchangeError::TimedOut)?
    }

    async fn exchange_in_time(&mut self, request: &[u8]) -> Result<Answer, ExchangeError> {
        self.stream.write_all(request).await?;
        loop {
            if let Some((answer, used)) = answer(&self.received, false)? {
                self.received.drain(..used);
                return Ok(answer);
            }
            if self.received.len() > LARGEST_ANSWER {
                return Err(Malformed("it does not end").into());
            }
            if self.stream.read_buf(&mut self.received).await? == 0 {
                let (answer, _) = answer(&self.received, true)?.ok_or(ExchangeError::CutOff)?;
                return Ok(answer);
            }
        }
    }

    /// Waits until the server has closed the connection, so that it is the server that keeps the closed port.
    pub(crate) async fn finish(mut self) -> Result<(), ExchangeError> {
        let mut rest = [0; 64];
        let read =
            timeout(TIMEOUT, self.stream.read(&mut rest)).await.map_err(|_| ExchangeError::TimedOut)??;
        if read == 0 { Ok(()) } else { Err(Malformed("there is more than one answer").into()) }
    }
}

/// Sends one request on a connection of its own and returns the body of its answer, which must be a 2xx.
pub(crate) async fn send(address: SocketAddr, method: &str, path: &str, headers: &str) -> Result<Vec<u8>> {
    let mut connection =
        Connection::open(address).await.with_context(|| format!("cannot reach {address}"))?;
    let answer = connection
        .exchange(&request(method, path, headers, None, false))
        .await
        .with_context(|| format!("{method} {path} on {address}"))?;
    if !(200..300).contains(&answer.status) {
        bail!("{method} {path} on {address}: {} {}", answer.status, excerpt(&answer.body));
    }
    Ok(answer.body)
}

/// Posts JSON to the control socket of a program.
pub(crate) async fn control(socket: &Path, path: &str, body: &Value) -> Result<()> {
    let stream =
        UnixStream::connect(socket).await.with_context(|| format!("cannot reach {}", socket.display()))?;
    let mut connection = Connection { stream, received: Vec::new() };
    let answer =
        connection.exchange(&request("POST", path, "", Some(body.to_string().as_bytes()), false)).await?;
    if !(200..300).contains(&answer.status) {
        bail!("POST {path} on {}: {} {}", socket.display(), answer.status, excerpt(&answer.body));
    }
    Ok(())
}

/// Gets something as JSON, on a connection of its own.
pub(crate) async fn get<T: DeserializeOwned>(address: SocketAddr, path: &str, headers: &str) -> Result<T> {
    let body = send(address, "GET", path, headers).await?;
    serde_json::from_slice(&body)
        .map_err(|error| anyhow!("GET {path} on {address}: {error} in {}", excerpt(&body)))
}

/// Posts JSON on a connection of its own and returns the answer, which must be a 2xx; null if it has no body.
pub(crate) async fn post(address: SocketAddr, path: &str, headers: &str, body: &Value) -> Result<Value> {
    with_body(address, "POST", path, headers, body).await
}

/// The same with `PUT`.
pub(crate) async fn put(address: SocketAddr, path: &str, headers: &str, body: &Value) -> Result<Value> {
    with_body(address, "PUT", path, headers, body).await
}

async fn with_body(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &Value,
) -> Result<Value> {
    let mut connection =
        Connection::open(address).await.with_context(|| format!("cannot reach {address}"))?;
    let body = body.to_string();
    let answer = connection
        .exchange(&request(method, path, headers, Some(body.as_bytes()), false))
        .await
        .with_context(|| format!("{method} {path} on {address}"))?;
    if !(200..300).contains(&answer.status) {
        bail!("{method} {path} on {address}: {} {}", answer.status, excerpt(&answer.body));
    }
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&answer.body)
        .with_context(|| format!("{method} {path} on {address} answers no JSON"))
}

/// How much of a file is sent or compared at once, in bytes.
const PIECE: usize = 64 * 1024;

/// Posts a file as it is, piece by piece, and returns the answer, which must be a 2xx with JSON.
pub(crate) async fn post_file(address: SocketAddr, path: &str, headers: &str, file: &Path) -> Result<Value> {
    let length = file.metadata().with_context(|| format!("cannot look at {}", file.display()))?.len();
    let described =
        format!("{headers}Content-Type: application/octet-stream\r\nContent-Length: {length}\r\n");
    let mut connection =
        Connection::open(address).await.with_context(|| format!("cannot reach {address}"))?;
    let sending = async {
        connection.stream.write_all(&request("POST", path, &described, None, false)).await?;
        let mut file = tokio::fs::File::open(file).await?;
        tokio::io::copy_buf(&mut BufReader::with_capacity(PIECE, &mut file), &mut connection.stream).await
    };
    let sent = timeout(TIMEOUT, sending).await.map_err(|_| ExchangeError::TimedOut)?;
    // A server that refuses it closes early, and its answer says why.
    let answer = connection.exchange(b"").await.with_context(|| format!("POST {path} on {address}"))?;
    if !(200..300).contains(&answer.status) {
        bail!("POST {path} on {address}: {} {}", answer.status, excerpt(&answer.body));
    }
    sent.with_context(|| format!("POST {path} on {address}"))?;
    serde_json::from_slice(&answer.body).with_context(|| format!("POST {path} on {address} answers no JSON"))
}

/// Gets what must be this file, piece by piece. Returns how many bytes are the file's, up to the first that is not.
pub(crate) async fn get_file(address: SocketAddr, path: &str, headers: &str, file: &Path) -> Result<u64> {
    let getting = async {
        let stream = TcpStream::connect(address).await?;
        let mut stream = BufReader::with_capacity(PIECE, stream);
        stream.write_all(&request("GET", path, headers, None, false)).await?;
        let mut found = Vec::new();
        while !found.ends_with(b"\r\n\r\n") {
            if stream.read_until(b'\n', &mut found).await? == 0 {
                return Err(ExchangeError::CutOff);
            }
        }
        let found = head(&found)?.ok_or(ExchangeError::CutOff)?;
        if found.status != 200 || !matches!(found.body, Body::Length(_)) {
            return Err(Malformed("it is no file").into());
        }
        let mut file = BufReader::with_capacity(PIECE, tokio::fs::File::open(file).await?);
        let mut same = 0;
        loop {
            let (theirs, ours) = (stream.fill_buf().await?, file.fill_buf().await?);
            let both = theirs.len().min(ours.len());
            if both == 0 || theirs[..both] != ours[..both] {
                return Ok(same);
            }
            stream.consume(both);
            file.consume(both);
            same += both as u64;
        }
    };
    let same = timeout(TIMEOUT, getting).await.map_err(|_| ExchangeError::TimedOut)?;
    same.with_context(|| format!("GET {path} on {address}"))
}

/// Signs in at the door of the pages: the header that shows it from then on.
pub(crate) async fn sign_in(address: SocketAddr, name: &str, password: &str) -> Result<String> {
    // What a browser holds that was shown the form, and the token of that form, which follows from it.
    const DOOR: &str = "Cookie: switchboard-door=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n";
    const CSRF: &str = "_6moWrjVN5IiPfWHKGRFxiEWY53cMpPuDEPmh1TCaAY";
    let form = format!("name={name}&password={password}&csrf={CSRF}");
    let mut connection = Connection::open(address).await?;
    let answer =
        connection.exchange(&request("POST", "/sign-in", DOOR, Some(form.as_bytes()), false)).await?;
    let cookie = answer.cookie.filter(|_| answer.status == 303).context("the sign-in was refused")?;
    Ok(format!("Cookie: {cookie}\r\n"))
}

/// The beginning of a body, to be shown in an error.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// How long the body of an answer is.
#[derive(Debug, PartialEq, Eq)]
enum Body {
    Length(usize),
    Chunked,
    UntilClose,
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    length: usize,
    status: u16,
    body: Body,
    cookie: Option<String>,
    closes: bool,
}

/// The answer at the beginning of the bytes and how many it takes up, once it is complete.
fn answer(bytes: &[u8], ended: bool) -> Result<Option<(Answer, usize)>, Malformed> {
    let Some(head) = head(bytes)? else { return Ok(None) };
    let rest = &bytes[head.length..];
    let body = match head.body {
        Body::Length(length) => rest.get(..length).map(|body| (body.to_vec(), length)),
        Body::Chunked => dechunked(rest)?,
        Body::UntilClose => ended.then(|| (rest.to_vec(), rest.len())),
    };
    let Head { length, status, cookie, closes, .. } = head;
    Ok(body.map(|(body, used)| (Answer { status, body, cookie, closes }, length + used)))
}

fn head(bytes: &[u8]) -> Result<Option<Head>, Malformed> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = str::from_utf8(&bytes[..end]).map_err(|_| Malformed("its head is no text"))?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1."))
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .ok_or(Malformed("its first line has no status"))?;
    let mut found = Head { length: end + 4, status, body: Body::UntilClose, cookie: None, closes: false };
    if status == 204 || status == 304 {
        found.body = Body::Length(0);
    }
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Malformed("a header has no colon"))?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            found.body = Body::Length(value.parse().map_err(|_| Malformed("its length is no number"))?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked") {
            found.body = Body::Chunked;
        } else if name.eq_ignore_ascii_case("set-cookie") {
            // The first is the session's.
            found.cookie = found.cookie.or_else(|| value.split(';').next().map(str::to_owned));
        } else if name.eq_ignore_ascii_case("connection") {
            found.closes = value.eq_ignore_ascii_case("close");
        }
    }
    found.closes |= found.body == Body::UntilClose;
    Ok(Some(found))
}

/// The body made of the chunks at the beginning of the bytes and how many bytes they take up, once the last one is there.
fn dechunked(bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = bytes[at..].windows(2).position(|two| two == b"\r\n") else { return Ok(None) };
        let size = str::from_utf8(&bytes[at..at + line]).ok().and_then(|text| text.split(';').next());
        let size = size
            .and_then(|size| usize::from_str_radix(size.trim(), 16).ok())
            .filter(|size| *size <= LARGEST_ANSWER)
            .ok_or(Malformed("a chunk has no size"))?;
        let start = at + line + 2;
        let Some(chunk) = bytes.get(start..start + size + 2) else { return Ok(None) };
        if !chunk.ends_with(b"\r\n") {
            return Err(Malformed("a chunk is longer than it says"));
        }
        body.extend_from_slice(&chunk[..size]);
        at = start + size + 2;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WITH_LENGTH: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1";
    const CHUNKED: &[u8] =
        b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a=b; Path=/\r\nConnection: close\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n";

    #[test]
    fn a_response_with_a_length_leaves_the_next_one_unread() {
        let (found, used) = answer(WITH_LENGTH, false).unwrap().unwrap();
        assert_eq!(found, Answer { status: 200, body: b"{}".to_vec(), cookie: None, closes: false });
        assert_eq!(&WITH_LENGTH[used..], b"HTTP/1.1");
    }

    #[test]
    fn chunks_are_put_together() {
        let (found, used) = answer(CHUNKED, false).unwrap().unwrap();
        assert_eq!(
            found,
            Answer { status: 500, body: b"abc0123456789".to_vec(), cookie: Some("a=b".into()), closes: true }
        );
        assert_eq!(used, CHUNKED.len());
    }

    #[test]
    fn without_a_length_the_body_lasts_until_the_end() {
        let bytes = b"HTTP/1.0 200 OK\r\nX: y\r\n\r\nabc";
        assert_eq!(answer(bytes, false), Ok(None));
        let (found, _) = answer(bytes, true).unwrap().unwrap();
        assert_eq!((found.body.as_slice(), found.closes), (b"abc".as_slice(), true));
        let (empty, _) = answer(b"HTTP/1.1 204 No Content\r\n\r\n", false).unwrap().unwrap();
        assert!(empty.body.is_empty() && !empty.closes);
    }

    #[test]
    fn a_partial_response_waits_for_the_rest() {
        for bytes in [&WITH_LENGTH[..WITH_LENGTH.len() - 9], CHUNKED] {
            for length in 0..bytes.len() {
                assert_eq!(answer(&bytes[..length], false), Ok(None), "{length}");
            }
        }
    }

    #[test]
    fn malformed_responses_are_refused() {
        for bytes in [
            b"SSH-2.0\r\n\r\n".as_slice(),
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ] {
            assert!(answer(bytes, false).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = answer(&bytes, true);
            let _ = answer(&[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(), &bytes].concat(), true);
        }
    }

    #[test]
    fn a_request_describes_its_body() {
        let bytes = request("POST", "/send_text", "X-API-Key: k\r\n", Some(b"{}"), true);
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "POST /send_text HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: keep-alive\r\nX-API-Key: k\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        );
    }
}
