//! A proxy between the browser and the program: stays when the program is another, and can hold back what comes slowly.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a page that keeps itself up to date begins its stream with.
const STREAM: &[u8] = b"GET /live/";

/// A proxy on a port of its own. It ends with the test's runtime.
pub(crate) struct Proxy {
    address: String,
    leads_to: Arc<Mutex<String>>,
}

impl Proxy {
    /// To a program's address. One that gathers never passes on what is not complete, so that no event comes through.
    pub(crate) async fn start(to: &str, gathers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let leads_to = Arc::new(Mutex::new(to.to_owned()));
        let place = Arc::clone(&leads_to);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let to = place.lock().expect("a lock").trim_start_matches("http://").to_owned();
                tokio::spawn(pass_on(near, to, gathers));
            }
        });
        Self { address, leads_to }
    }

    /// `http://address:port` for the browser.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Leads new connections elsewhere.
    pub(crate) fn lead_to(&self, to: &str) {
        to.clone_into(&mut self.leads_to.lock().expect("a lock"));
    }
}

async fn pass_on(near: TcpStream, to: String, gathers: bool) {
    let Ok(far) = TcpStream::connect(to).await else { return };
    let (from_near, to_near) = near.into_split();
    let (from_far, to_far) = far.into_split();
    let (tell, held) = watch::channel(false);
    let there = async move {
        copy(from_near, to_far, |bytes| {
            if gathers && bytes.starts_with(STREAM) {
                let _ = tell.send(true);
            }
            true
        })
        .await;
    };
    let back = copy(from_far, to_near, move |_| !*held.borrow());
    tokio::join!(there, back);
}

/// Copies what `look` lets through, until either end is closed.
async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut look: impl FnMut(&[u8]) -> bool) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if look(&bytes[..count]) && to.write_all(&bytes[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
