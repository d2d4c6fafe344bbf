//! A line of TCP between a program and a server, which a test cuts or lets stall.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of the bytes on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Carries,
    /// They are kept, and go on later.
    Stalls,
    /// Connections end, and new ones are ended at once.
    Cut,
}

/// A line that listens on a port of its own, as long as this lives.
pub struct Link {
    address: SocketAddr,
    server: Arc<Mutex<String>>,
    state: watch::Sender<State>,
}

impl Link {
    /// A line to `host:port`.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (state, states) = watch::channel(State::Carries);
        let server = Arc::new(Mutex::new(server.to_owned()));
        let leads_to = server.clone();
        tokio::spawn(async move {
            let mut ended = states.clone();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((client, _)) = accepted else { return };
                        let server = leads_to.lock().expect("not poisoned").clone();
                        tokio::spawn(carry(client, server, states.clone()));
                    }
                    gone = ended.changed() => if gone.is_err() { return },
                }
            }
        });
        Self { address, server, state }
    }

    /// The address of a database, by way of this line.
    pub fn url(&self, database: &str) -> String {
        let (before, rest) = database.rsplit_once('@').expect("a user");
        let (_, name) = rest.split_once('/').expect("a database");
        format!("{before}@{}/{name}", self.address)
    }

    /// Leads connections that come from here on to another `host:port`.
    pub fn lead_to(&self, server: String) {
        *self.server.lock().expect("not poisoned") = server;
    }

    /// All is as it should be.
    pub fn mend(&self) {
        self.state.send_replace(State::Carries);
    }

    /// Nothing is carried, and nothing is said of it.
    pub fn stall(&self) {
        self.state.send_replace(State::Stalls);
    }

    /// All connections end.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }
}

async fn carry(client: TcpStream, server: String, mut states: watch::Receiver<State>) {
    if *states.borrow() == State::Cut {
        return;
    }
    let Ok(server) = TcpStream::connect(server).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = pump(from_client, to_server, states.clone()) => {}
        () = pump(from_server, to_client, states.clone()) => {}
        _ = states.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut states: watch::Receiver<State>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if states.wait_for(|state| *state == State::Carries).await.is_err() {
            return;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
