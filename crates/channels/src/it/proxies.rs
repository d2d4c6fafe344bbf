//! The proxy of an account: all calls go through it, names are looked up there, and nothing goes past it.

use std::io;
use std::sync::{Arc, Mutex};

use channels::{CallError, Provider};
use config::{ChannelFields, ChannelKind};
use domain::secret::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::it::support::{World, id_of, text};

/// A SOCKS5 proxy (RFC 1928, 1929) for which each name is this machine.
pub(crate) struct Proxy {
    pub(crate) address: String,
    /// Where to it was asked for connections.
    requested: Arc<Mutex<Vec<String>>>,
    serving: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("socks5://planted:word@{}", listener.local_addr().unwrap());
        let requested = Arc::default();
        let kept = Arc::clone(&requested);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay(stream, Arc::clone(&kept)));
            }
        });
        Self { address, requested, serving }
    }

    fn requested(&self) -> Vec<String> {
        self.requested.lock().unwrap().clone()
    }

    /// It takes no more connections.
    async fn die(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }
}

async fn relay(mut stream: TcpStream, requested: Arc<Mutex<Vec<String>>>) -> io::Result<()> {
    let methods = counted(&mut stream, 1).await?;
    assert!(methods.contains(&2), "a password is wanted");
    stream.write_all(&[5, 2]).await?;
    let login = (counted(&mut stream, 1).await?, counted(&mut stream, 0).await?);
    assert_eq!(login, (b"planted".to_vec(), b"word".to_vec()));
    stream.write_all(&[1, 0]).await?;
    let name = String::from_utf8(counted(&mut stream, 4).await?).unwrap();
    let port = stream.read_u16().await?;
    requested.lock().unwrap().push(name);
    let mut provider = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    tokio::io::copy_bidirectional(&mut stream, &mut provider).await.map(drop)
}

/// What follows some bytes and its own length.
async fn counted(stream: &mut TcpStream, skipped: usize) -> io::Result<Vec<u8>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head[..skipped]).await?;
    let mut text = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut text).await?;
    Ok(text)
}

fn made(fields: &ChannelFields, proxy: &Proxy) -> Arc<dyn Provider> {
    let proxy = Some(proxy.address.parse().unwrap());
    channels::make(World::setup(ChannelFields { proxy, ..fields.clone() })).unwrap()
}

#[tokio::test]
async fn calls_over_http_go_through_the_proxy_alone() {
    let (world, mut proxy) = (World::start().await, Proxy::start().await);
    let fields = world.fields(ChannelKind::Vk);
    world.customer(serde_json::json!({"channel": "vk", "from": "2000002", "text": "Hello"})).await;
    let named = fields.api().replace("127.0.0.1", "provider.example.com");
    let vk = made(&ChannelFields { api: Some(named), ..fields.clone() }, &proxy);
    id_of(&vk.send(&text("2000002", "Through it", 1)).await);
    assert_eq!(proxy.requested(), ["provider.example.com"]);
    assert_eq!(world.ledger("vk").await.len(), 1);

    proxy.die().await;
    // Its provider could be reached without the proxy.
    let vk = made(&fields, &proxy);
    let error = vk.check().await.unwrap_err();
    assert!(matches!(error, CallError::Unreached(_)), "{error:?}");
    let outcome = vk.send(&text("2000002", "Past it", 2)).await;
    assert!(matches!(outcome, domain::Outcome::Unavailable(_)), "{outcome:?}");
    assert_eq!(world.ledger("vk").await.len(), 1);
}

#[tokio::test]
async fn a_message_centre_is_reached_through_the_proxy_alone() {
    let (world, mut proxy) = (World::start().await, Proxy::start().await);
    let fields = world.fields_of("texts_smpp");
    let named = fields.smpp.as_ref().unwrap().expose_secret().replace("127.0.0.1", "centre.example.com");
    let centre = made(&ChannelFields { smpp: Some(named.into()), ..fields.clone() }, &proxy);
    centre.check().await.unwrap();
    id_of(&centre.send(&text("+70000000001", "Through it", 1)).await);
    assert_eq!(proxy.requested(), ["centre.example.com"]);
    assert_eq!(world.ledger("sms").await.len(), 1);
    drop(centre);

    proxy.die().await;
    let centre = made(&fields, &proxy);
    let error = centre.check().await.unwrap_err();
    assert!(matches!(error, CallError::Unreached(_)), "{error:?}");
    let outcome = centre.send(&text("+70000000001", "Past it", 2)).await;
    assert!(matches!(outcome, domain::Outcome::Unavailable(_)), "{outcome:?}");
    assert_eq!(world.ledger("sms").await.len(), 1);
}

#[tokio::test]
async fn a_mailbox_is_reached_through_the_proxy_alone() {
    let (world, mut proxy) = (World::start().await, Proxy::start().await);
    let mut fields = world.fields(ChannelKind::Email);
    for address in [&mut fields.smtp, &mut fields.imap] {
        let named = address.as_ref().unwrap().expose_secret().replace("127.0.0.1", "localhost");
        *address = Some(named.into());
    }
    let mail = made(&fields, &proxy);
    mail.check().await.unwrap();
    id_of(&mail.send(&text("anna@example.org", "Through it", 1)).await);
    // The mailbox and the server that takes mail are asked for, then the server once more.
    assert_eq!(proxy.requested(), ["localhost"; 3]);
    assert_eq!(world.ledger("email").await.len(), 1);

    proxy.die().await;
    let error = mail.check().await.unwrap_err();
    assert!(matches!(error, CallError::Unreached(_)), "{error:?}");
    let outcome = mail.send(&text("anna@example.org", "Past it", 2)).await;
    assert!(matches!(outcome, domain::Outcome::Unavailable(_)), "{outcome:?}");
    assert_eq!(world.ledger("email").await.len(), 1);
}
