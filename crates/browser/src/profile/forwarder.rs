//! A SOCKS5 proxy without a password on loopback, in front of that of a profile: browsers take no password for SOCKS, and the guard
//! judges here what a browser would dial by itself.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use outbound::{Allowed, guard};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::ProfileError;

/// Connections of one browser at a time.
const MOST: usize = 256;

/// How long both sides may take to agree.
const GREETING: Duration = Duration::from_secs(30);

/// How often a port that is still taken is tried again, and after how long.
const TRIES: u32 = 40;
const AGAIN: Duration = Duration::from_millis(50);

/// The port on which the browser of a directory was set to find its proxy.
const NOTE: &str = "proxy.port";

const VERSION: u8 = 5;
const NO_PASSWORD: u8 = 0;
const PASSWORD: u8 = 2;
const NONE_OF_THESE: u8 = 0xff;
const CONNECT: u8 = 1;
const GENERAL_FAILURE: u8 = 1;

/// The SOCKS5 proxy of a profile. The browser reaches Telegram through it alone.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// `proxy.example.com:1080`.
    pub address: String,
    /// The name and the password, if it asks for them.
    pub login: Option<(String, SecretString)>,
    /// The private networks that it may be in.
    pub allowed: Allowed,
}

impl Proxy {
    /// Whether a connection goes through it to a place: its name and port.
    ///
    /// # Errors
    /// The guard refuses its address. It is away, refuses, or cannot reach the place.
    pub async fn test(&self, (host, port): (&str, u16), clock: &Clock) -> io::Result<()> {
        let length = u8::try_from(host.len()).map_err(|_| invalid("the name of the place is too long"))?;
        let target = [&[3, length], host.as_bytes(), &port.to_be_bytes()].concat();
        let reached = clock.timeout(GREETING, reach(self, &target)).await;
        let (_, answer) = reached.map_err(|_| io::ErrorKind::TimedOut)??;
        match answer.get(1) {
            Some(0) => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::NotConnected, "the proxy cannot reach the place")),
        }
    }
}

/// A forwarder that listens. Dropped, it and its connections end.
#[derive(Debug)]
pub(super) struct Forwarder {
    pub(super) port: u16,
    _task: JoinSet<()>,
}

impl Forwarder {
    /// Listens on the port on which the browser of this directory was set to find it. Where none runs a free port does too.
    pub(super) async fn start(
        upstream: &Proxy,
        folder: &Path,
        running: bool,
        clock: &Clock,
    ) -> Result<Self, ProfileError> {
        let note = folder.join(NOTE);
        let noted = tokio::fs::read_to_string(&note).await.ok();
        let known: u16 = noted.and_then(|port| port.trim().parse().ok()).unwrap_or(0);
        let here = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let taken = |error| ProfileError::ProxyPort(known, error);
        // The forwarder of the lease before may be about to end.
        let mut tries = 0;
        let listener = loop {
            match TcpListener::bind(here(known)).await {
                Ok(listener) => break listener,
                Err(_) if !running => break TcpListener::bind(here(0)).await.map_err(taken)?,
                Err(error) if tries == TRIES => return Err(taken(error)),
                Err(_) => tries += 1,
            }
            clock.sleep(AGAIN).await;
        };
        let port = listener.local_addr().map_err(taken)?.port();
        let kept = tokio::fs::write(&note, port.to_string()).await;
        kept.map_err(|source| ProfileError::File { path: note, source })?;
        let mut task = JoinSet::new();
        task.spawn(serve(listener, Arc::new(upstream.clone()), clock.clone()));
        Ok(Self { port, _task: task })
    }
}

async fn serve(listener: TcpListener, upstream: Arc<Proxy>, clock: Clock) {
    let slots = Arc::new(Semaphore::new(MOST));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let browser = match listener.accept().await {
            Ok((browser, _)) => browser,
            Err(error) => {
                // Too many open files, for example: it passes.
                tracing::warn!(%error, "the forwarder of a proxy takes no connection");
                clock.sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (upstream, clock) = (Arc::clone(&upstream), clock.clone());
        connections.spawn(async move {
            if let Err(error) = forward(browser, &upstream, &clock).await {
                tracing::debug!(%error, proxy = upstream.address, "a connection through a proxy ended");
            }
            drop(slot);
        });
    }
}

/// One connection, until one of both sides ends it.
async fn forward(mut browser: TcpStream, upstream: &Proxy, clock: &Clock) -> io::Result<()> {
    let greeting = async {
        let target = requested_address(&mut browser).await?;
        match reach(upstream, &target).await {
            Ok((proxy, answer)) => {
                browser.write_all(&answer).await?;
                Ok(proxy)
            }
            Err(error) => {
                browser.write_all(&[VERSION, GENERAL_FAILURE, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
                Err(error)
            }
        }
    };
    let mut proxy = clock.timeout(GREETING, greeting).await.map_err(|_| io::ErrorKind::TimedOut)??;
    copy_bidirectional(&mut browser, &mut proxy).await.map(drop)
}

/// What the browser wants: where to, as SOCKS5 has it.
async fn requested_address(browser: &mut TcpStream) -> io::Result<Vec<u8>> {
    let [version, methods] = read::<2>(browser).await?;
    let mut offered = vec![0; usize::from(methods)];
    browser.read_exact(&mut offered).await?;
    if version != VERSION || !offered.contains(&NO_PASSWORD) {
        browser.write_all(&[VERSION, NONE_OF_THESE]).await?;
        return Err(invalid("the browser asks otherwise than SOCKS5 has it"));
    }
    browser.write_all(&[VERSION, NO_PASSWORD]).await?;
    let [version, command, _] = read::<3>(browser).await?;
    if version != VERSION || command != CONNECT {
        return Err(invalid("the browser wants more than connections"));
    }
    read_address(browser).await
}

/// Connects through the proxy; its last answer goes to the browser as it is.
async fn reach(upstream: &Proxy, target: &[u8]) -> io::Result<(TcpStream, Vec<u8>)> {
    let (host, port) = upstream.address.rsplit_once(':').ok_or_else(|| invalid("the proxy has no port"))?;
    let port = port.parse().map_err(|_| invalid("the proxy has no port"))?;
    let addresses = guard::resolve(host.trim_matches(['[', ']']), port, &upstream.allowed).await?;
    let mut proxy = TcpStream::connect(addresses.as_slice()).await?;
    let Some((user, password)) = &upstream.login else {
        proxy.write_all(&[VERSION, 1, NO_PASSWORD]).await?;
        if read::<2>(&mut proxy).await? != [VERSION, NO_PASSWORD] {
            return Err(invalid("the proxy asks for a password"));
        }
        return connect(proxy, target).await;
    };
    let (user, password) = (user.as_bytes(), password.expose_secret().as_bytes());
    let (Ok(user_length), Ok(password_length)) = (u8::try_from(user.len()), u8::try_from(password.len()))
    else {
        return Err(invalid("the name or the password of the proxy is longer than 255 bytes"));
    };
    proxy.write_all(&[VERSION, 1, PASSWORD]).await?;
    if read::<2>(&mut proxy).await? != [VERSION, PASSWORD] {
        return Err(invalid("the proxy does not ask for a password"));
    }
    let both = [&[1, user_length], user, &[password_length], password].concat();
    proxy.write_all(&both).await?;
    let [_, refused] = read::<2>(&mut proxy).await?;
    if refused != 0 {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the proxy refuses the name or the password",
        ));
    }
    connect(proxy, target).await
}

/// Asks a proxy that knows who asks; what it answers.
async fn connect(mut proxy: TcpStream, target: &[u8]) -> io::Result<(TcpStream, Vec<u8>)> {
    proxy.write_all(&[&[VERSION, CONNECT, 0], target].concat()).await?;
    let head: [u8; 3] = read(&mut proxy).await?;
    let bound = read_address(&mut proxy).await?;
    Ok((proxy, [&head[..], &bound].concat()))
}

/// An address as SOCKS5 writes it: its kind, itself, its port.
async fn read_address(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let [kind] = read::<1>(stream).await?;
    let mut address = vec![kind];
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => {
            let [length] = read::<1>(stream).await?;
            address.push(length);
            usize::from(length)
        }
        _ => return Err(invalid("an address of an unknown kind")),
    };
    let start = address.len();
    address.resize(start + length + 2, 0);
    stream.read_exact(&mut address[start..]).await?;
    Ok(address)
}

async fn read<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn invalid(words: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A proxy that takes one password and one connection, and says after its answer what it was asked.
    async fn proxy(password: &'static [u8]) -> (String, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_eq!(read::<3>(&mut stream).await.unwrap(), [VERSION, 1, PASSWORD]);
            stream.write_all(&[VERSION, PASSWORD]).await.unwrap();
            let [1, length] = read::<2>(&mut stream).await.unwrap() else { panic!("not RFC 1929") };
            let mut user = vec![0; usize::from(length)];
            stream.read_exact(&mut user).await.unwrap();
            let [length] = read::<1>(&mut stream).await.unwrap();
            let mut given = vec![0; usize::from(length)];
            stream.read_exact(&mut given).await.unwrap();
            let fine = user == b"demo" && given == password;
            stream.write_all(&[1, u8::from(!fine)]).await.unwrap();
            if fine {
                assert_eq!(read::<3>(&mut stream).await.unwrap(), [VERSION, CONNECT, 0]);
                let target = read_address(&mut stream).await.unwrap();
                stream.write_all(&[VERSION, 0, 0, 1, 127, 0, 0, 1, 0, 9]).await.unwrap();
                stream.write_all(&target).await.unwrap();
            }
        });
        (address, task)
    }

    fn proxy_at(address: String, networks: &[&str]) -> Proxy {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        let allowed = Allowed::new(outbound::AllowList::Campaigns, networks);
        Proxy { address, login: Some(("demo".to_owned(), "secret".into())), allowed }
    }

    async fn through(address: String, folder: &Path) -> (u16, Vec<u8>) {
        let upstream = proxy_at(address, &["127.0.0.0/8"]);
        let forwarder = Forwarder::start(&upstream, folder, true, &Clock::system()).await.unwrap();
        let mut browser = TcpStream::connect((Ipv4Addr::LOCALHOST, forwarder.port)).await.unwrap();
        browser.write_all(&[VERSION, 2, NO_PASSWORD, 1]).await.unwrap();
        assert_eq!(read::<2>(&mut browser).await.unwrap(), [VERSION, NO_PASSWORD]);
        browser.write_all(b"\x05\x01\x00\x03\x0bexample.com\x01\xbb").await.unwrap();
        let mut answer = Vec::new();
        browser.read_to_end(&mut answer).await.unwrap();
        (forwarder.port, answer)
    }

    #[tokio::test]
    async fn a_connection_goes_through_the_proxy_with_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let (address, _task) = proxy(b"secret").await;
        let (port, answer) = through(address, folder.path()).await;
        assert_eq!(answer, b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x09\x03\x0bexample.com\x01\xbb");
        // The browser outlives the forwarder: the next one is where it looks for it.
        let (address, _task) = proxy(b"another").await;
        let (again, answer) = through(address, folder.path()).await;
        assert_eq!(again, port);
        assert_eq!(answer[..2], [VERSION, GENERAL_FAILURE]);
    }

    #[tokio::test]
    async fn a_proxy_inside_is_dialled_where_its_network_is_listed() {
        let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = inside.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f.1"] {
            let upstream = proxy_at(format!("{host}:{port}"), &["10.0.0.0/8"]);
            let refused = upstream.test(("example.com", 443), &Clock::system()).await.unwrap_err();
            assert!(refused.to_string().contains("[campaigns] allow_private"), "{host}: {refused}");
        }
        let dialled = tokio::time::timeout(Duration::from_millis(50), inside.accept()).await;
        assert!(dialled.is_err(), "no proxy was dialled");
    }

    #[test]
    fn a_password_is_not_printed() {
        assert!(!format!("{:?}", proxy_at("a:1".to_owned(), &[])).contains("secret"));
    }
}
