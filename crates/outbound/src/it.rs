//! Clients against servers of this machine: who may be called depends on who named the address.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::routing::get;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::TcpListener;

use crate::guard::AddressError;
use crate::{AllowList, Allowed, Client, NamedBy, Names, SendError};

/// A server that counts its requests. `/to/PORT` redirects to that port of this machine.
struct Server {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let moved = |axum::extract::Path(port): axum::extract::Path<u16>| async move {
            (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, format!("http://127.0.0.1:{port}/"))])
        };
        let counting = axum::middleware::from_fn(move |request, next: axum::middleware::Next| {
            counted.fetch_add(1, Ordering::Relaxed);
            next.run(request)
        });
        let routes = Router::new().route("/", get(|| async { "inside" })).route("/to/{port}", get(moved));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes.layer(counting)).await });
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Resolves each name to this machine.
struct Here;

impl Resolve for Here {
    fn resolve(&self, _: Name) -> Resolving {
        Box::pin(async { Ok(Box::new([SocketAddr::from(([127, 0, 0, 1], 0))].into_iter()) as Addrs) })
    }
}

fn nothing() -> Allowed {
    Allowed::new(AllowList::Media, Vec::new())
}

fn names() -> Names {
    Names::new(Arc::new(Here), nothing())
}

fn provider(base: &str) -> Client {
    Client::builder(NamedBy::Provider { base: base.to_owned(), names: names() }).build().unwrap()
}

#[tokio::test]
async fn the_settings_vouch_for_one_host_and_port_alone() {
    let (own, other) = (Server::start().await, Server::start().await);
    for client in [
        provider(&own.url()),
        Client::builder(NamedBy::Settings(format!("{}api/v3", own.url()))).build().unwrap(),
    ] {
        let before = own.requests();
        assert!(client.send(client.get(&own.url())).await.is_ok());
        assert_eq!(own.requests(), before + 1);
        let refused = client.send(client.get(&other.url())).await;
        assert!(matches!(refused, Err(SendError::Refused(_))));
    }
    assert_eq!(other.requests(), 0);
}

#[tokio::test]
async fn a_name_is_judged_by_the_address_that_it_resolves_to() {
    let server = Server::start().await;
    let client = provider("https://example.com");
    let url = format!("http://files.example.com:{}/", server.address.port());
    let refused = client.send(client.get(&url)).await.unwrap_err();
    assert!(matches!(refused, SendError::Refused(AddressError::Refused(_))), "{refused}");
    assert!(refused.is_unsent());
    let caller = Client::builder(NamedBy::Caller(names())).without_tls().build().unwrap();
    assert!(matches!(caller.send(caller.get(&url)).await, Err(SendError::Refused(_))));
    let listed = Allowed::new(AllowList::Media, vec!["127.0.0.0/8".parse().unwrap()]);
    let listed = Client::builder(NamedBy::Caller(Names::new(Arc::new(Here), listed))).build().unwrap();
    assert!(listed.send(listed.get(&url)).await.is_ok());
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn numbers_that_are_not_public_are_refused_in_every_notation() {
    let client = provider("https://example.com");
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[2002:7f00:1::]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a00:1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
    ] {
        let refused = client.send(client.get(&format!("http://{host}/"))).await;
        assert!(matches!(refused, Err(SendError::Refused(_))), "{host}");
    }
    for address in ["ftp://example.org/", "http://example.org:22/", "http://a:b@example.org/"] {
        let refused = client.send(client.get(address)).await;
        assert!(refused.is_err_and(|error| error.is_unsent()), "{address}");
    }
}

#[tokio::test]
async fn a_redirect_is_followed_within_the_server_alone() {
    let (own, inside) = (Server::start().await, Server::start().await);
    let named_by = NamedBy::Provider { base: own.url(), names: names() };
    let client = Client::builder(named_by).follow_within_server(3).build().unwrap();
    let within = client.send(client.get(&format!("{}to/{}", own.url(), own.address.port()))).await.unwrap();
    assert_eq!(within.status(), 200);
    let outside = client.send(client.get(&format!("{}to/{}", own.url(), inside.address.port()))).await;
    assert_eq!(outside.unwrap().status(), StatusCode::TEMPORARY_REDIRECT.as_u16());
    assert_eq!(inside.requests(), 0);
}

#[tokio::test]
async fn a_request_is_sent_by_its_client_alone() {
    let server = Server::start().await;
    let client = provider(&server.url());
    assert!(client.get(&server.url()).send().await.is_err());
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn the_connection_is_judged_before_a_request_is_written() {
    let server = Server::start().await;
    let rules = crate::connecting::Rules { allowed: Some(nothing()), ..Default::default() };
    let bare = reqwest::Client::builder().no_proxy().connector_layer(rules).build().unwrap();
    let refused = SendError::from(bare.get(server.url()).send().await.unwrap_err());
    assert!(matches!(refused, SendError::Refused(_)), "{refused}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_proxy_that_a_caller_names_is_judged() {
    let server = Server::start().await;
    for proxy in ["localhost", "0x7f.1", "[::ffff:127.0.0.1]", "proxy.example.com"] {
        let proxy = format!("socks5://{proxy}:{}", server.address.port()).parse().unwrap();
        let client = Client::builder(NamedBy::Caller(names())).proxy(proxy).without_tls().build().unwrap();
        let refused = client.send(client.get("http://8.8.8.8/")).await.unwrap_err();
        assert!(matches!(refused, SendError::Refused(AddressError::Refused(_))), "{refused}");
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn a_proxy_on_this_machine_opens_it_to_no_one() {
    let server = Server::start().await;
    let named_by = NamedBy::Provider { base: "https://example.com".to_owned(), names: names() };
    let proxy = format!("socks5://localhost:{}", server.address.port()).parse().unwrap();
    let client = Client::builder(named_by).proxy(proxy).build().unwrap();
    for host in ["localhost", "files.example.com", "127.0.0.1"] {
        let refused = client.send(client.get(&format!("http://{host}:{}/", server.address.port()))).await;
        assert!(matches!(refused, Err(SendError::Refused(_))), "{host}");
    }
    assert_eq!(server.requests(), 0);
}
