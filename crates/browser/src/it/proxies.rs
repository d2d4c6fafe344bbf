//! A browser behind a proxy that asks for a password.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ambient::Clock;
use browser::{DriverError, Engine, Failure, ProfileError, Proxy, WebK};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::stage::{Stage, engine, generous, loopback};

/// A SOCKS5 proxy with a password, and how many connections went through it.
async fn proxy() -> (String, Arc<AtomicUsize>, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let count = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&count);
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(through(stream, Arc::clone(&counted)));
        }
    });
    (address, count, task)
}

/// One connection. What ends early ends.
async fn through(mut browser: TcpStream, count: Arc<AtomicUsize>) -> Option<()> {
    let mut bytes = [0; 3];
    browser.read_exact(&mut bytes).await.ok()?;
    browser.write_all(&[5, 2]).await.ok()?;
    let mut login = [0; 13];
    browser.read_exact(&mut login).await.ok()?;
    let fine = &login == b"\x01\x04demo\x06secret";
    browser.write_all(&[1, u8::from(!fine)]).await.ok()?;
    // Browsers leave it to the proxy to know what a name means; Chromium does so with numbers too.
    let mut wanted = [0; 5];
    browser.read_exact(&mut wanted).await.ok()?;
    let host = match wanted {
        [5, 1, 0, 3, length] => {
            let mut host = vec![0; usize::from(length)];
            browser.read_exact(&mut host).await.ok()?;
            String::from_utf8(host).ok()?
        }
        [5, 1, 0, 1, first] => {
            let mut rest = [0; 3];
            browser.read_exact(&mut rest).await.ok()?;
            Ipv4Addr::new(first, rest[0], rest[1], rest[2]).to_string()
        }
        _ => return None,
    };
    let port = browser.read_u16().await.ok()?;
    let mut target = TcpStream::connect((host, port)).await.ok()?;
    browser.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 1]).await.ok()?;
    count.fetch_add(1, Ordering::SeqCst);
    copy_bidirectional(&mut browser, &mut target).await.ok().map(drop)
}

fn proxy_at(address: &str, password: Option<&str>) -> Proxy {
    let login = password.map(|password| ("demo".to_owned(), password.into()));
    Proxy { address: address.to_owned(), login, allowed: loopback() }
}

#[tokio::test]
async fn a_browser_goes_through_a_proxy_with_a_password() {
    let mut stage = Stage::set().await;
    let (address, count, _task) = proxy().await;
    let behind = |password: &str| Some(proxy_at(&address, Some(password)));
    // Browsers leave proxies out for their own machine, unless a switch says otherwise.
    if engine() == Engine::Chromium {
        stage.profile.arguments.push("--proxy-bypass-list=<-loopback>".to_owned());
    }
    stage.profile.proxy = behind("wrong!");
    let lease = stage.lease().await;
    let page = WebK::attach(lease.session(), &stage.address(), stage.clock.clone(), generous()).await;
    assert!(matches!(page, Err(DriverError::Net(_))));
    assert_eq!(count.load(Ordering::SeqCst), 0);
    // The browser stays, and the next lease has the password.
    drop(lease);
    stage.profile.proxy = behind("secret");
    let lease = stage.lease().await;
    let web_k = stage.web_k(&lease, generous()).await;
    assert!(matches!(web_k.start_over().await, Err(Failure::LoggedOut(_))));
    assert!(count.load(Ordering::SeqCst) > 0);
    // A browser that runs cannot have another proxy, and never goes without.
    lease.release().await.unwrap();
    stage.profile.proxy = None;
    let refused = stage.profile.lease(&stage.clock).await.unwrap_err();
    assert!(matches!(refused, ProfileError::ProxyChanged), "{refused}");
}

#[tokio::test]
async fn a_proxy_is_tested_before_it_is_used() {
    let (address, count, _task) = proxy().await;
    let clock = Clock::system();
    let with = |password: &str| proxy_at(&address, Some(password));
    let place = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = place.local_addr().unwrap().port();
    with("secret").test(("127.0.0.1", port), &clock).await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(with("wrong!").test(("127.0.0.1", port), &clock).await.is_err());
    assert!(proxy_at(&address, None).test(("127.0.0.1", port), &clock).await.is_err());
    drop(place);
    assert!(with("secret").test(("127.0.0.1", port), &clock).await.is_err());
    // One that never answers is waited for as long as a greeting takes at most.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let slow = proxy_at(&silent.local_addr().unwrap().to_string(), None);
    let an_eternity = async {
        let held = silent.accept().await;
        clock.advance(Duration::from_secs(31));
        held
    };
    let (tested, _held) = tokio::join!(slow.test(("127.0.0.1", port), &clock), an_eternity);
    assert_eq!(tested.unwrap_err().kind(), ErrorKind::TimedOut);
}
