//! TLS on the main port, by a client that believes one certificate alone.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use config::TlsSettings;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use web::{Options, Tls};

use crate::client::Target;
use crate::listeners::raw;
use crate::world::World;

const REQUEST: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// Writes a certificate for localhost and its key.
fn pair(folder: &Path, name: &str) -> TlsSettings {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let file = |end: &str| folder.join(format!("{name}.{end}"));
    std::fs::write(file("pem"), made.cert.pem()).expect("writes");
    std::fs::write(file("key"), made.signing_key.serialize_pem()).expect("writes");
    TlsSettings { certificate: file("pem"), key: file("key") }
}

/// A client that believes this certificate and no other.
fn believing(shown: &TlsSettings, versions: &[&'static rustls::SupportedProtocolVersion]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&shown.certificate).expect("a certificate")).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions);
    let mut config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

async fn fetch(world: &World, client: &TlsConnector) -> std::io::Result<String> {
    let Target::Port(address) = world.main() else { panic!("a port") };
    fetch_from(address, client, REQUEST).await
}

async fn fetch_from(address: SocketAddr, client: &TlsConnector, request: &[u8]) -> std::io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    let mut stream = client.connect(ServerName::try_from("localhost").expect("a name"), stream).await?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    stream.write_all(request).await?;
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await?;
    Ok(String::from_utf8_lossy(&response).into_owned())
}

#[tokio::test]
async fn the_main_port_speaks_tls_and_changes_its_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (pair(folder.path(), "first"), pair(folder.path(), "second"));
    let mut kept: Option<Options> = None;
    let world = World::with(|options| {
        options.tls = Some(Tls::read(&first).expect("a pair"));
        kept = Some(options.clone());
    })
    .await;
    let (old, new) = (believing(&first, rustls::ALL_VERSIONS), believing(&second, rustls::ALL_VERSIONS));
    assert!(fetch(&world, &old).await.expect("an answer").starts_with("HTTP/1.1 200"));
    let older = believing(&first, &[&rustls::version::TLS12]);
    assert!(fetch(&world, &older).await.expect("an answer").starts_with("HTTP/1.1 200"));
    assert!(fetch(&world, &new).await.is_err(), "it believes another certificate alone");
    let plain = raw(&world.main(), REQUEST).await;
    assert_eq!(plain.status, 400);
    assert!(plain.body.contains("speaks HTTPS"), "{plain:?}");
    // One that says nothing keeps no one away.
    let Target::Port(address) = world.main() else { panic!("a port") };
    let _silent = TcpStream::connect(address).await.expect("connects");
    assert!(fetch(&world, &old).await.is_ok());

    let kept = kept.expect("options");
    world.state.reload(Options { tls: Some(Tls::read(&second).expect("a pair")), ..kept.clone() });
    let shown = async {
        while fetch(&world, &new).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::world::SOON, shown).await.expect("the new certificate");
    assert!(fetch(&world, &old).await.is_err());
    world.state.reload(Options { tls: None, ..kept });
    let plain = async {
        while raw(&world.main(), REQUEST).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::world::SOON, plain).await.expect("plain HTTP");
}

#[tokio::test]
async fn a_port_that_waits_for_its_store_speaks_tls() {
    let folder = tempfile::tempdir().expect("a folder");
    let shown = pair(folder.path(), "first");
    let client = believing(&shown, rustls::ALL_VERSIONS);
    // An address of this test alone, so that no other takes the port meanwhile.
    let free = std::net::TcpListener::bind("127.77.18.1:0").expect("a port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let stop = CancellationToken::new();
    let tls = Some(Tls::read(&shown).expect("a pair"));
    let answering = tokio::spawn(web::answer_unavailable(vec![(address, tls)], stop.clone()));
    let connected = async {
        loop {
            match TcpStream::connect(address).await {
                Ok(silent) => return silent,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    // One that says nothing keeps no one away.
    let _silent = tokio::time::timeout(crate::world::SOON, connected).await.expect("it listens");
    assert!(fetch_from(address, &client, REQUEST).await.expect("an answer").starts_with("HTTP/1.1 200"));
    let other = b"GET /v1/accounts HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let refused = fetch_from(address, &client, other).await.expect("an answer");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("store_unavailable"), "{refused}");
    let plain = raw(&Target::Port(address), REQUEST).await;
    assert!(plain.status == 400 && plain.body.contains("speaks HTTPS"), "{plain:?}");
    stop.cancel();
    answering.await.expect("it ends");
}
