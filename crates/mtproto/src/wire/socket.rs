//! The connection to a data centre, through a proxy if one is named, in bounded time.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ambient::Clock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::proxied::Proxied;
use super::socks::ProxyError;

/// How long connecting may take, the words with a proxy included.
const CONNECTING: Duration = Duration::from_secs(10);

/// How long the other side may take to close a connection that is closed here. By the clock on the wall: it is about bytes that are
/// on their way.
pub(super) const PARTING: Duration = Duration::from_millis(500);

/// Why there is no connection. Nothing was written to a data centre.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("connecting took longer than {} s", CONNECTING.as_secs())]
    TooLong,
    #[error(transparent)]
    Proxy(#[from] ProxyError),
}

pub(super) async fn dial(
    to: SocketAddr,
    proxy: Option<&Proxied>,
    clock: &Clock,
) -> Result<TcpStream, DialError> {
    clock.timeout(CONNECTING, connect(to, proxy)).await.map_err(|_| DialError::TooLong)?
}

async fn connect(to: SocketAddr, proxy: Option<&Proxied>) -> Result<TcpStream, DialError> {
    let Some(proxy) = proxy else {
        let stream = TcpStream::connect(to).await?;
        prepare(&stream)?;
        return Ok(stream);
    };
    let named = proxy;
    let proxy = named.parse()?;
    let addresses = named.addresses(&proxy).await?;
    let mut stream = TcpStream::connect(&*addresses).await.map_err(ProxyError::Broken)?;
    prepare(&stream)?;
    proxy.open(&mut stream, to).await?;
    Ok(stream)
}

/// Closes a connection in such a way that the other side is known to have read to its end, or is given up. Telegram, or a proxy
/// on the way, may read what was written last only after the first words of the next connection, and would take one key on
/// both for two programs.
pub(super) async fn leave(mut stream: TcpStream) {
    let parting = async {
        stream.shutdown().await?;
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    // One that is broken is closed already; of anyone who is silent nothing more can be known.
    if !matches!(tokio::time::timeout(PARTING, parting).await, Ok(Ok(()))) {
        tracing::debug!("a connection was closed without the other side");
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    // Dropped means closed at once. Otherwise the system goes on sending what it has, maybe megabytes of a file, beside the next
    // connection with the same key, and Telegram would take that for a second program and end the session.
    stream.set_zero_linger()
}
