//! Requests of pretend providers to the product: over plain HTTP, to this machine, again until they are taken.

use std::time::Duration;

use axum::http::Uri;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fake::{ANSWER, Post, PostAnswer, ProviderFile};

/// The most that is read of an answer.
const LARGEST: u64 = 64 * 1024;
/// The largest file that is fetched.
const LARGEST_FILE: u64 = 64 * 1024 * 1024;

/// Posts once; none where no answer came in time.
pub(super) async fn post(post: &Post) -> Option<PostAnswer> {
    let limit = post.within_ms.map_or(ANSWER, Duration::from_millis);
    let answer = tokio::time::timeout(limit, talk(post)).await;
    match answer {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(provider = post.provider, %error, "a post was not answered");
            None
        }
        Err(_) => None,
    }
}

/// Whether an answer is the one that the provider wants.
pub(super) fn is_taken(post: &Post, answer: Option<&PostAnswer>) -> bool {
    answer.is_some_and(|answer| {
        (200..300).contains(&answer.status)
            && post.wants_body.is_none_or(|wanted| answer.body.trim() == wanted)
    })
}

/// Fetches a file from this machine; none where it cannot be had.
pub(super) async fn fetch(url: &str) -> Option<ProviderFile> {
    let fetched = tokio::time::timeout(ANSWER, get(url)).await.ok()?;
    fetched.inspect_err(|error| tracing::debug!(%error, "a file was not fetched")).ok().flatten()
}

async fn get(url: &str) -> std::io::Result<Option<ProviderFile>> {
    let url: Uri = url.parse().map_err(std::io::Error::other)?;
    let (Some("http"), Some(host)) = (url.scheme_str(), url.host()) else { return Ok(None) };
    let mut stream = TcpStream::connect((host, url.port_u16().unwrap_or(80))).await?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    // Of the older protocol, in which an answer ends with the connection.
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
    let mut response = Vec::new();
    stream.take(LARGEST_FILE).read_to_end(&mut response).await?;
    let Some(end) = response.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&response[..end]).to_ascii_lowercase();
    if head.split(' ').nth(1) != Some("200") {
        return Ok(None);
    }
    let mime = head.lines().find_map(|line| line.strip_prefix("content-type:")).unwrap_or_default();
    let (mime, name) = (mime.trim().to_owned(), url.path().rsplit('/').next().unwrap_or_default().to_owned());
    Ok(Some(ProviderFile { name, mime, content: response[end + 4..].to_vec(), ..ProviderFile::default() }))
}

async fn talk(sent: &Post) -> std::io::Result<PostAnswer> {
    let url: Uri = sent.url.parse().map_err(std::io::Error::other)?;
    if url.scheme_str() != Some("http") {
        return Err(std::io::Error::other("the sandbox posts to addresses of this machine alone"));
    }
    let host = url.host().unwrap_or("127.0.0.1");
    let port = url.port_u16().unwrap_or(80);
    let mut stream = TcpStream::connect((host, port)).await?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let method = if sent.method.is_empty() { "POST" } else { sent.method };
    let tries = sent.counts_tries.filter(|_| sent.tries > 0).map(|name| (name, sent.tries.to_string()));
    let headers = sent.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).chain(tries);
    let headers = headers.map(|(name, value)| format!("{name}: {value}\r\n")).collect::<Vec<_>>().concat();
    let kind = if sent.content_type.is_empty() {
        String::new()
    } else {
        format!("Content-Type: {}\r\n", sent.content_type)
    };
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{kind}Content-Length: {}\r\n{headers}Connection: close\r\n\r\n",
        sent.body.len(),
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&sent.body).await?;
    let mut response = Vec::new();
    stream.take(LARGEST).read_to_end(&mut response).await?;
    let response = String::from_utf8_lossy(&response);
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or((&response, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| std::io::Error::other("the answer is no HTTP"))?;
    Ok(PostAnswer { status, body: body.to_owned() })
}
