//! A real request through a listener: connect, ask, read the status.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// How long a port on this machine may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// More than any status line that this program writes.
const LONGEST: usize = 64;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{0} is no address")]
    NoAddress(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("no answer within {} s", LIMIT.as_secs())]
    TimedOut,
    #[error("it answered {0:?}")]
    Wrong(String),
}

/// Asks a listener for its health and returns how long the answer took. Any answer but an error of the program counts:
/// one that refuses this caller was read, judged and answered all the same.
pub(crate) async fn call(name: &str, address: &str) -> Result<Duration, CallError> {
    let path = if matches!(name, "main" | "control") { "/health/live" } else { "/health" };
    let asking = async {
        if Path::new(address).is_absolute() {
            ask(UnixStream::connect(address).await?, "localhost", path).await
        } else {
            let address: SocketAddr =
                address.parse().map_err(|_| CallError::NoAddress(address.to_owned()))?;
            let near = reachable(address);
            ask(TcpStream::connect(near).await?, &near.to_string(), path).await
        }
    };
    let begun = Instant::now();
    match tokio::time::timeout(LIMIT, asking).await {
        Ok(response) => response.map(|()| begun.elapsed()),
        Err(_) => Err(CallError::TimedOut),
    }
}

/// An address that listens everywhere is reached on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    host: &str,
    path: &str,
) -> Result<(), CallError> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: switchboard-beat\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut read = Vec::with_capacity(LONGEST);
    while read.len() < LONGEST && !read.contains(&b'\n') {
        if stream.read_buf(&mut read).await? == 0 {
            break;
        }
    }
    let line = String::from_utf8_lossy(&read);
    let line = line.lines().next().unwrap_or_default();
    let status =
        line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok());
    match status {
        Some(100_u16..500) => Ok(()),
        _ => Err(CallError::Wrong(line.chars().take(LONGEST).collect())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    async fn answering(answer: &'static str) -> Result<Duration, CallError> {
        let listener = TcpListener::bind("0.0.0.0:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a caller");
            let mut request = [0; 512];
            let length = stream.read(&mut request).await.expect("a request");
            assert!(request[..length].starts_with(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:"));
            stream.write_all(answer.as_bytes()).await.expect("it is written");
        });
        let called = call("5022", &address.to_string()).await;
        serving.await.expect("it served");
        called
    }

    #[tokio::test]
    async fn any_answer_of_http_counts_but_an_error_of_the_program() {
        assert!(answering("HTTP/1.1 200 OK\r\n\r\n").await.is_ok());
        assert!(answering("HTTP/1.1 403 Forbidden\r\n\r\n").await.is_ok());
        assert!(matches!(answering("HTTP/1.1 500 Oh\r\n\r\n").await, Err(CallError::Wrong(_))));
        assert!(matches!(answering("SSH-2.0-x\r\n").await, Err(CallError::Wrong(_))));
        assert!(matches!(answering("").await, Err(CallError::Wrong(_))));
    }

    #[tokio::test]
    async fn a_port_that_no_one_serves_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        drop(listener);
        assert!(matches!(call("main", &address).await, Err(CallError::Io(_))));
        assert!(matches!(call("main", "somewhere").await, Err(CallError::NoAddress(_))));
        assert!(matches!(call("control", "/nowhere/control.sock").await, Err(CallError::Io(_))));
    }
}
