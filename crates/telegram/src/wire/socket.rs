//! The way to a data centre: a connection, through a proxy if one is named, in bounded time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ambient::Clock;
use domain::SecretText;
use tokio::net::TcpStream;

use super::socks::{Proxy, ProxyError};

/// How long connecting may take, the words with a proxy included.
const CONNECTING: Duration = Duration::from_secs(10);

/// Why there is no connection. Nothing was written to a data centre.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialError {
    /// The system says so.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It took too long.
    #[error("connecting took longer than {} s", CONNECTING.as_secs())]
    TooLong,
    /// The proxy does not do it.
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

/// Connects to an address.
pub(super) async fn dial(
    to: SocketAddr,
    proxy: Option<&SecretText>,
    clock: &Clock,
) -> Result<TcpStream, DialError> {
    clock.timeout(CONNECTING, connect(to, proxy)).await.map_err(|_| DialError::TooLong)?
}

async fn connect(to: SocketAddr, proxy: Option<&SecretText>) -> Result<TcpStream, DialError> {
    let Some(proxy) = proxy else {
        let stream = TcpStream::connect(to).await?;
        prepare(&stream)?;
        return Ok(stream);
    };
    let proxy = Proxy::parse(proxy)?;
    let mut stream = TcpStream::connect((&*proxy.host, proxy.port)).await.map_err(ProxyError::Broken)?;
    prepare(&stream)?;
    proxy.open(&mut stream, to).await?;
    Ok(stream)
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // Closed means closed at once. Otherwise the system goes on sending what it has, maybe megabytes of a file, beside the next
    // connection with the same key, and Telegram would take that for a second program and end the session.
    stream.set_zero_linger()
}
