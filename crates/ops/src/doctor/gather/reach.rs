//! Reaching out: names are resolved and connections tried, each within a time; listeners are asked something.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use ambient::Clock;
use config::Settings;
use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::Instant;

use crate::doctor::check::network::{Failure, Tried, What};
use crate::doctor::check::ports::Answered;
use crate::doctor::inside::{ListenerFact, ListenerFactState};

/// How long a name, a connection and an answer may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// The most addresses that are tried.
const MOST: usize = 64;

/// Telegram's data centres.
const CENTRES: std::ops::RangeInclusive<u8> = 1..=5;

/// Tries all addresses that settings name, all at once.
pub(in crate::doctor) async fn all(settings: &Settings, clock: &Clock) -> Vec<Tried> {
    let targets = targets(settings);
    join_all(targets.into_iter().take(MOST).map(async |(what, host, port)| {
        let started = Instant::now();
        let outcome = connect(&host, port, clock).await.map(|()| started.elapsed());
        let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Tried { what, address, outcome }
    }))
    .await
}

/// What is to be reached: the data centres unless all accounts go through proxies, the proxies, the receivers.
fn targets(settings: &Settings) -> Vec<(What, String, u16)> {
    let mut found = Vec::new();
    let accounts = &settings.telegram.accounts;
    let direct = accounts.is_empty() || accounts.iter().any(|account| account.proxy.is_none());
    let centre = |number: u8, address: SocketAddr| {
        (What::DataCentre(number), address.ip().to_string(), address.port())
    };
    if direct && settings.telegram.data_centres.is_empty() {
        let telegrams = CENTRES
            .filter_map(|number| Some(centre(number, session_files::known_address(i32::from(number))?)));
        found.extend(telegrams);
    } else if direct {
        found.extend(settings.telegram.data_centres.iter().map(|one| centre(one.id, one.address)));
    }
    let mut proxies: Vec<(String, u16)> = Vec::new();
    for account in accounts {
        let Some(place) = account.proxy.as_ref().and_then(|proxy| host_and_port(proxy.expose(), 1080)) else {
            continue;
        };
        if !proxies.contains(&place) {
            found.push((What::Proxy(account.name.to_string()), place.0.clone(), place.1));
            proxies.push(place);
        }
    }
    if let Some(callback) = &settings.legacy.invite_callback {
        let usual = if callback.url.starts_with("https:") { 443 } else { 80 };
        found.extend(
            host_and_port(&callback.url, usual).map(|(host, port)| (What::InviteCallback, host, port)),
        );
    }
    found
}

/// Host and port of a URL, without name and password.
pub(in crate::doctor) fn host_and_port(url: &str, usual: u16) -> Option<(String, u16)> {
    let (_, rest) = url.split_once("://")?;
    let place = rest.split(['/', '?', '#']).next()?;
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, usual),
        Some((host, port)) => (host, port.strip_prefix(':')?.parse().ok()?),
        None => match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, usual),
        },
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

async fn connect(host: &str, port: u16, clock: &Clock) -> Result<(), Failure> {
    let addresses: Vec<SocketAddr> = if let Ok(address) = host.parse::<IpAddr>() {
        vec![SocketAddr::new(address, port)]
    } else {
        let found = clock.timeout(PATIENCE, lookup_host((host, port))).await;
        let found = found.map_err(|_| Failure::Name("no name server answered in time".to_owned()))?;
        found.map_err(|error| Failure::Name(error.to_string()))?.take(4).collect()
    };
    match clock.timeout(PATIENCE, TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Failure::Refused(error.to_string())),
        Err(_) => Err(Failure::Silent),
    }
}

/// Asks each listener that says it listens on a port.
pub(in crate::doctor) async fn listeners(listeners: &[ListenerFact], clock: &Clock) -> Vec<Answered> {
    let listening = listeners.iter().filter(|listener| listener.state == ListenerFactState::Listening);
    let ports =
        listening.filter_map(|listener| Some((listener.name.clone(), listener.address.parse().ok()?)));
    join_all(
        ports.take(MOST).map(async |(name, address)| Answered { name, answer: ask(address, clock).await }),
    )
    .await
}

/// Asks for something that every listener answers in some way.
async fn ask(address: SocketAddr, clock: &Clock) -> Result<Duration, String> {
    let from_here = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let started = Instant::now();
    let asking = async {
        let mut stream = TcpStream::connect(SocketAddr::new(from_here, address.port())).await?;
        stream
            .write_all(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await?;
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        Ok::<_, std::io::Error>(head)
    };
    match clock.timeout(PATIENCE, asking).await {
        Ok(Ok(head)) if head.starts_with(b"HTTP/1.") => Ok(started.elapsed()),
        Ok(Ok(_)) => Err("what it answers is not HTTP".to_owned()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn passwords_stay_out_of_addresses() {
        for (url, expected) in [
            ("socks5://demo:wo@rd@proxy.example.com:1081", Some(("proxy.example.com", 1081))),
            ("https://example.com/hook?x=1:2", Some(("example.com", 443))),
            ("http://[::1]:8080/x", Some(("::1", 8080))),
            ("http://[::1]/x", Some(("::1", 443))),
            ("nothing", None),
            ("http://:80", None),
        ] {
            let expected = expected.map(|(host, port)| (host.to_owned(), port));
            assert_eq!(host_and_port(url, 443), expected, "{url}");
        }
    }

    #[tokio::test]
    async fn an_address_is_reached_or_not() {
        let clock = Clock::system();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert_eq!(connect("127.0.0.1", port, &clock).await, Ok(()));
        drop(listener);
        assert!(matches!(connect("127.0.0.1", port, &clock).await, Err(Failure::Refused(_))));
        assert!(matches!(connect("no such name", 80, &clock).await, Err(Failure::Name(_))));
    }

    #[tokio::test]
    async fn a_listener_that_is_silent_or_speaks_something_else_is_not_well() {
        let clock = Clock::system();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        for (said, fine) in
            [(&b"HTTP/1.1 404 Not Found\r\n\r\n"[..], true), (b"SSH-2.0-demo\r\n", false), (b"", false)]
        {
            let (answer, ()) = tokio::join!(ask(address, &clock), async {
                let (mut stream, _) = listener.accept().await.expect("a caller");
                stream.write_all(said).await.expect("written");
            });
            assert_eq!(answer.is_ok(), fine, "{answer:?}");
        }
        // It takes the connection and never says anything: the wait is over when the clock says so.
        let moved = clock.clone();
        let silence = async {
            let _held = listener.accept().await.expect("a caller");
            moved.advance(PATIENCE);
            std::future::pending::<()>().await;
        };
        let answer = tokio::select! {
            answer = ask(address, &clock) => answer,
            () = silence => unreachable!("it is silent for good"),
        };
        assert!(answer.is_err_and(|why| why.contains("no answer")));
    }
}
