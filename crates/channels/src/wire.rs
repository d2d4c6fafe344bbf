//! Connections without HTTP: TCP, through a SOCKS5 proxy where there is one, with TLS or without.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ambient::Clock;
use config::{ChannelFields, ProxyAddress};
use lettre::transport::smtp::client::{AsyncTokioStream, Certificate, CertificateStore, TlsParameters};
use outbound::{Allowed, Url, guard};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::caller::callers;
use crate::error::CallError;
use crate::http::{NoClient, explained};
use crate::server::{Security, Server};

/// The longest wait for a connection, the proxy and TLS included.
const CONNECT: Duration = Duration::from_secs(20);

/// How connections are made.
pub(crate) struct Dial {
    pub(crate) clock: Clock,
    proxy: Option<ProxyAddress>,
    /// The private networks that pass, where a call named the addresses.
    judged_by: Option<Allowed>,
    /// None where no server wants TLS.
    tls: Option<Arc<ClientConfig>>,
    /// Certificates beside those of the system, as PEM.
    ca: Option<Vec<u8>>,
}

/// A connection.
#[derive(Debug)]
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Dial {
    /// # Errors
    /// The certificates cannot be read, or there are none.
    pub(crate) fn new(
        clock: Clock,
        fields: &ChannelFields,
        ca: Option<Vec<u8>>,
        servers: &[&Server],
    ) -> Result<Self, NoClient> {
        let wants_tls = servers.iter().any(|server| server.security == Security::Tls);
        let tls = if wants_tls { Some(Arc::new(config(ca.as_deref())?)) } else { None };
        let judged_by = fields.named_by_caller.then(callers);
        Ok(Self { clock, proxy: fields.proxy.clone(), judged_by, tls, ca })
    }

    /// A connection, with TLS where that is from the first byte on.
    ///
    /// # Errors
    /// There is none, so that certainly nothing was done.
    pub(crate) async fn open(&self, server: &Server) -> Result<Wire, CallError> {
        let opening = self.opened(server);
        let opened = self.clock.timeout(CONNECT, opening).await;
        let opened = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        opened.map_err(|error| CallError::Unreached(format!("{server}: {}", explained(error.to_string()))))
    }

    async fn opened(&self, server: &Server) -> io::Result<Wire> {
        let stream = match &self.proxy {
            Some(proxy) => through(proxy, server, self.judged_by.as_ref()).await?,
            None => connected(&server.host, server.port, self.judged_by.as_ref()).await?,
        };
        let _ = stream.set_nodelay(true);
        if server.security != Security::Tls {
            return Ok(Wire::Plain(stream));
        }
        let tls = self.tls.clone().ok_or(io::ErrorKind::Unsupported)?;
        let name = ServerName::try_from(server.host.clone()).map_err(io::Error::other)?;
        Ok(Wire::Tls(Box::new(TlsConnector::from(tls).connect(name, stream).await?)))
    }

    /// What STARTTLS goes on with.
    ///
    /// # Errors
    /// The certificates cannot be read.
    pub(crate) fn starttls(&self, server: &Server) -> Result<TlsParameters, CallError> {
        let unreached = |error: lettre::transport::smtp::Error| CallError::Unreached(error.to_string());
        let mut builder =
            TlsParameters::builder(server.host.clone()).certificate_store(CertificateStore::Default);
        if let Some(pem) = &self.ca {
            builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(unreached)?);
        }
        builder.build().map_err(unreached)
    }
}

fn config(ca: Option<&[u8]>) -> Result<ClientConfig, NoClient> {
    let mut roots = Vec::new();
    if let Some(pem) = ca {
        for one in CertificateDer::pem_slice_iter(pem) {
            roots.push(one.map_err(|error| NoClient::Certificate(error.to_string()))?);
        }
        if roots.is_empty() {
            return Err(NoClient::Certificate("it has none".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let other = |error: rustls::Error| NoClient::Other(error.to_string());
    let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider)).map_err(other)?;
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(other)?;
    Ok(builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
}

/// A connection to a host. The guard judges it where a caller named the host.
async fn connected(host: &str, port: u16, judged_by: Option<&Allowed>) -> io::Result<TcpStream> {
    match judged_by {
        Some(allowed) => TcpStream::connect(&*guard::resolve(host, port, allowed).await?).await,
        None => TcpStream::connect((host, port)).await,
    }
}

/// A connection through a SOCKS5 proxy (RFC 1928, 1929), which looks the name up. A name that a caller gave is looked up here.
async fn through(
    proxy: &ProxyAddress,
    server: &Server,
    judged_by: Option<&Allowed>,
) -> io::Result<TcpStream> {
    let refused = |what: &str| io::Error::other(format!("the proxy {what}"));
    let url = Url::parse(proxy.expose()).map_err(|_| refused("has no address"))?;
    let (host, port) = (url.host_str().unwrap_or_default(), url.port().unwrap_or(1080));
    let mut stream = connected(host.trim_matches(['[', ']']), port, judged_by).await?;
    let user = percent_encoding::percent_decode_str(url.username()).collect::<Vec<u8>>();
    let password =
        percent_encoding::percent_decode_str(url.password().unwrap_or_default()).collect::<Vec<u8>>();
    let counted = |text: &[u8]| u8::try_from(text.len()).map_err(|_| refused("wants shorter words"));
    let method = if user.is_empty() { 0 } else { 2 };
    stream.write_all(&[5, 1, method]).await?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await?;
    if chosen != [5, method] {
        return Err(refused("wants another way to sign in"));
    }
    if method == 2 {
        let login =
            [&[1, counted(&user)?], user.as_slice(), &[counted(&password)?], password.as_slice()].concat();
        stream.write_all(&login).await?;
        stream.read_exact(&mut chosen).await?;
        if chosen[1] != 0 {
            return Err(refused("refuses the password"));
        }
    }
    let to = match judged_by {
        Some(allowed) => {
            guard::resolve(&server.host, server.port, allowed).await?.first().map(SocketAddr::ip)
        }
        None => None,
    };
    let to = match to {
        Some(IpAddr::V4(ip)) => [&[1], ip.octets().as_slice()].concat(),
        Some(IpAddr::V6(ip)) => [&[4], ip.octets().as_slice()].concat(),
        None => [&[3, counted(server.host.as_bytes())?], server.host.as_bytes()].concat(),
    };
    stream.write_all(&[&[5, 1, 0], to.as_slice(), &server.port.to_be_bytes()].concat()).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    if answer[1] != 0 {
        return Err(refused(&format!("does not reach it: {}", answer[1])));
    }
    let rest = match answer[3] {
        1 => 4,
        4 => 16,
        _ => usize::from(stream.read_u8().await?),
    };
    stream.read_exact(&mut vec![0; rest + 2]).await?;
    Ok(stream)
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buffer),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Plain(stream) => stream.peer_addr(),
            Self::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    fn account(keys: &str) -> ChannelFields {
        toml::from_str(&format!("name = \"mail\"\nchannel = \"email\"\n{keys}")).unwrap()
    }

    #[tokio::test]
    async fn a_server_and_a_proxy_that_a_call_named_are_judged() {
        let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = inside.local_addr().unwrap().port();
        let at = |host: &str| Server { security: Security::Plain, host: host.to_owned(), port, login: None };
        let through = format!("named_by_caller = true\nproxy = \"socks5://localhost:{port}\"");
        for (keys, host) in [
            ("named_by_caller = true", "localhost"),
            ("named_by_caller = true", "127.0.0.1"),
            ("named_by_caller = true", "0x7f.1"),
            (through.as_str(), "8.8.8.8"),
        ] {
            let dial = Dial::new(Clock::system(), &account(keys), None, &[]).unwrap();
            let refused = dial.open(&at(host)).await.unwrap_err().to_string();
            assert!(refused.contains("only the owner can name it"), "{host}: {refused}");
        }
        let dialled = tokio::time::timeout(Duration::from_millis(50), inside.accept()).await;
        assert!(dialled.is_err(), "nothing was dialled");
        let dial = Dial::new(Clock::system(), &account(""), None, &[]).unwrap();
        assert!(dial.open(&at("localhost")).await.is_ok(), "the owner named it");
    }
}
