//! The ways to a data centre: over IPv6, and through a proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use grammers_tl_types::Serializable as _;
use outbound::{AllowList, Allowed};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::super::{Loss, Proxied, RequestError};
use super::centre::{Centre, Counted, ask, clock, ended, relay, request};

/// A SOCKS5 proxy that lets one user through, or everyone.
async fn proxy(words: Option<(&'static str, &'static str)>) -> (SocketAddr, Counted) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (address, through) = (listener.local_addr().expect("an address"), Counted::default());
    let count = Arc::clone(&through);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = [0; 3];
            client.read_exact(&mut head).await.expect("a greeting");
            let wanted = if words.is_some() { 2 } else { 0 };
            if head != [5, 1, wanted] {
                client.write_all(&[5, 255]).await.expect("written");
                continue;
            }
            client.write_all(&[5, wanted]).await.expect("written");
            if let Some((user, word)) = words {
                let right = [&[1, len(user)][..], user.as_bytes(), &[len(word)], word.as_bytes()].concat();
                let mut credentials = vec![0; right.len()];
                client.read_exact(&mut credentials).await.expect("words");
                client.write_all(&[1, u8::from(credentials != right)]).await.expect("written");
                if credentials != right {
                    continue;
                }
            }
            let mut wish = [0; 10];
            client.read_exact(&mut wish).await.expect("a wish");
            assert_eq!(wish[..4], [5, 1, 0, 1]);
            let ip: [u8; 4] = wish[4..8].try_into().expect("four");
            let to = SocketAddr::from((ip, u16::from_be_bytes(wish[8..].try_into().expect("two"))));
            client.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 9]).await.expect("written");
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(relay(client, to));
        }
    });
    (address, through)
}

fn len(word: &str) -> u8 {
    u8::try_from(word.len()).expect("short")
}

async fn is_answered(centre: &Centre, address: SocketAddr, proxy: Option<&str>) {
    let (connection, _updates) = Centre::connect_by(address, proxy, &clock());
    let reply = ask(&connection.wire, request(1, 8));
    let mut talk = centre.greeted().await;
    let received = talk.request().await;
    talk.answer(received.requests()[0].0, &true.to_bytes()).await;
    assert_eq!(ended(reply).await, Ok(true.to_bytes()));
    connection.close().await;
}

#[tokio::test]
async fn requests_go_through_a_proxy() {
    let centre = Centre::start().await;
    for words in [None, Some(("demo", "wo@rd"))] {
        let (address, through) = proxy(words).await;
        let words = words.map_or(String::new(), |(user, word)| format!("{user}:{word}@"));
        is_answered(&centre, centre.address, Some(&format!("socks5://{words}{address}"))).await;
        let named = format!("socks5://{words}localhost:{}", address.port());
        is_answered(&centre, centre.address, Some(&named)).await;
        assert_eq!(through.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn a_proxy_refusal_is_reported_without_credentials() {
    let centre = Centre::start().await;
    let (address, through) = proxy(Some(("demo", "secret"))).await;
    for words in ["", "demo:wrongs@"] {
        let named = format!("socks5://{words}{address}");
        let (connection, _updates) = Centre::connect_by(centre.address, Some(&named), &clock());
        match ended(ask(&connection.wire, request(1, 8))).await {
            Err(RequestError::Unreachable(why)) => assert!(why.contains("check `proxy`"), "{why}"),
            other => panic!("{other:?}"),
        }
        connection.close().await;
    }
    assert_eq!(through.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_proxy_that_a_caller_names_is_judged_when_it_is_dialled() {
    let centre = Centre::start().await;
    let (address, through) = proxy(None).await;
    let by_caller = |host: &str, listed: &[&str]| {
        let networks = listed.iter().map(|network| network.parse().expect("a network")).collect();
        let allowed = Arc::new(Allowed::new(AllowList::Proxies, networks));
        Proxied::by_caller(format!("socks5://{host}:{}", address.port()).into(), allowed)
    };
    // The name is anyone's, and leads inward.
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0x7f.1"] {
        for listed in [&[][..], &["10.0.0.0/8"]] {
            let (connection, _updates) =
                Centre::connect_through(centre.address, Some(by_caller(host, listed)), &clock());
            match ended(ask(&connection.wire, request(1, 8))).await {
                Err(RequestError::Unreachable(why)) => {
                    assert!(why.contains("[telegram] allow_private_proxies"), "{host}: {why}");
                }
                other => panic!("{host}: {other:?}"),
            }
            connection.close().await;
        }
    }
    assert_eq!(through.load(Ordering::Relaxed), 0, "no one was dialled");
    // Its network is listed.
    let proxied = by_caller("localhost", &["127.0.0.0/8", "::1/128"]);
    let (connection, _updates) = Centre::connect_through(centre.address, Some(proxied), &clock());
    let reply = ask(&connection.wire, request(1, 8));
    let mut talk = centre.greeted().await;
    let received = talk.request().await;
    talk.answer(received.requests()[0].0, &true.to_bytes()).await;
    assert_eq!(ended(reply).await, Ok(true.to_bytes()));
    assert_eq!(through.load(Ordering::Relaxed), 1);
    connection.close().await;
}

#[tokio::test]
async fn requests_go_over_ipv6() {
    let centre = Centre::start().await;
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        // Not every machine has it.
        return;
    };
    let address = listener.local_addr().expect("an address");
    let (to, through) = (centre.address, Arc::new(AtomicU32::new(0)));
    let count = Arc::clone(&through);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(relay(client, to));
        }
    });
    is_answered(&centre, address, None).await;
    assert_eq!(through.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn requests_to_a_closed_port_are_not_written() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let unused = listener.local_addr().expect("an address");
    drop(listener);
    let (connection, mut updates) = Centre::connect_by(unused, None, &clock());
    let several: Vec<_> = (0..3).map(|number| ask(&connection.wire, request(number, 8))).collect();
    for reply in several {
        assert!(matches!(ended(reply).await, Err(RequestError::Unreachable(_))));
    }
    assert!(updates.try_recv().is_err(), "nothing was lost that was there");
    connection.close().await;
}

#[tokio::test]
async fn a_centre_silent_to_the_greeting_is_given_up() {
    let (centre, clock) = (Centre::start().await, clock());
    let (connection, _updates) = centre.connect(&clock);
    let reply = ask(&connection.wire, request(1, 8));
    let mut talk = centre.accept().await;
    talk.hear().await.expect("a greeting");
    clock.advance(std::time::Duration::from_secs(21));
    let silent = RequestError::Lost { loss: Loss::Silent, written: false };
    assert_eq!(ended(reply).await, Err(silent));
    connection.close().await;
}
