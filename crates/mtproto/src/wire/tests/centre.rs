//! A data centre made by hand, so that it can also do what Telegram never does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use domain::Secret;
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{Identifiable as _, Serializable as _, functions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::super::envelope::Envelope;
use super::super::framing::{self, Frame, Framing};
use super::super::message::tests::result_of;
use super::super::message::{CONTAINER, split};
use super::super::{Application, Connection, Proxied, RequestError, Updates, Wire, envelope};
use crate::data_centre::{Addresses, AuthKey, DataCentre};

pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) const SALT: i64 = 42;

pub(super) fn key() -> AuthKey {
    Secret::new(Box::new(envelope::tests::bytes()))
}

pub(super) struct Centre {
    listener: TcpListener,
    pub(super) address: SocketAddr,
}

pub(super) struct Talk {
    pub(super) stream: TcpStream,
    framing: Framing,
    incoming: Vec<u8>,
    envelope: Envelope,
    session: i64,
    last_id: i64,
}

#[derive(Debug)]
pub(super) struct ReceivedPacket {
    pub(super) length: usize,
    pub(super) salt: i64,
    pub(super) outer: i64,
    pub(super) messages: Vec<(i64, Vec<u8>)>,
}

impl ReceivedPacket {
    pub(super) fn requests(&self) -> Vec<&(i64, Vec<u8>)> {
        self.messages.iter().filter(|(_, body)| body.starts_with(&REQUEST)).collect()
    }
}

const REQUEST: [u8; 4] = [0xee; 4];

/// A request of so many bytes that can be distinguished from others.
pub(super) fn request(number: u32, length: usize) -> Vec<u8> {
    let mut body = [&REQUEST[..], &number.to_le_bytes()].concat();
    body.resize(length.max(8).next_multiple_of(4), 0);
    body
}

fn data_centre(address: SocketAddr) -> Arc<DataCentre> {
    let addresses = Addresses::new(vec![(2, address)]);
    Arc::new(DataCentre::of(2, &addresses).expect("an address"))
}

impl Centre {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        Self { listener, address }
    }

    /// A connection to it, and what arrives over it by itself.
    pub(super) fn connect(&self, clock: &Clock) -> (Connection, mpsc::Receiver<UpdatesLike>) {
        Self::connect_by(self.address, None, clock)
    }

    pub(super) fn connect_by(
        address: SocketAddr,
        proxy: Option<&str>,
        clock: &Clock,
    ) -> (Connection, mpsc::Receiver<UpdatesLike>) {
        Self::connect_through(address, proxy.map(|proxy| Proxied::by_owner(proxy.into())), clock)
    }

    pub(super) fn connect_through(
        address: SocketAddr,
        proxy: Option<Proxied>,
        clock: &Clock,
    ) -> (Connection, mpsc::Receiver<UpdatesLike>) {
        let (updates_sender, updates) = mpsc::channel(16);
        let arrived = move |update| updates_sender.try_send(update).expect("room");
        let application = Application { api_id: 1, proxy };
        (Connection::open(data_centre(address), &key(), &application, clock, |_, _| {}, arrived), updates)
    }

    /// A connection to it, with those who hear of what arrives.
    pub(super) fn watched(
        &self,
        clock: &Clock,
        observer: impl FnMut(&UpdatesLike, &mut dyn FnMut()) + Send + 'static,
        arrived: impl FnMut(UpdatesLike) + Send + 'static,
    ) -> Connection {
        let application = Application { api_id: 1, proxy: None };
        Connection::open(data_centre(self.address), &key(), &application, clock, observer, arrived)
    }

    pub(super) async fn accept(&self) -> Talk {
        let accepted = tokio::time::timeout(TIMEOUT, self.listener.accept()).await;
        let (stream, _) = accepted.expect("someone connects").expect("accepted");
        Talk {
            stream,
            framing: Framing::default(),
            incoming: Vec::new(),
            envelope: Envelope::new(&key()),
            session: 0,
            last_id: 0,
        }
    }

    pub(super) async fn greeted(&self) -> Talk {
        let mut talk = self.accept().await;
        let greeting = talk.hear().await.expect("a greeting");
        let (id, body) = &greeting.messages[0];
        assert_eq!(split(body).map(|(id, _)| id), Some(INVOKE_WITH_LAYER));
        talk.answer(*id, &true.to_bytes()).await;
        talk
    }
}

const INVOKE_WITH_LAYER: u32 = functions::InvokeWithLayer::<functions::help::GetConfig>::CONSTRUCTOR_ID;

impl Talk {
    pub(super) async fn hear(&mut self) -> Option<ReceivedPacket> {
        let (packet, end) = loop {
            match self.framing.next(&self.incoming).expect("a frame") {
                Frame::Packet { packet, end } => break (packet, end),
                Frame::Missing(_) => {
                    let read = self.stream.read_buf(&mut self.incoming);
                    let read = tokio::time::timeout(TIMEOUT, read).await.expect("someone speaks");
                    if !read.is_ok_and(|read| read > 0) {
                        return None;
                    }
                }
            }
        };
        let clear = packet.start + envelope::HEADER;
        self.envelope.open_there(&mut self.incoming[packet.clone()]).expect("sealed with the key");
        let salt = i64::from_le_bytes(self.incoming[clear..clear + 8].try_into().expect("eight"));
        let opened = envelope::tests::opened(&self.incoming[clear..packet.end]);
        self.session = opened.session;
        let (outer, body) = (opened.message, opened.body);
        let mut messages = Vec::new();
        if split(body).is_some_and(|(constructor, _)| constructor == CONTAINER) {
            let mut rest = &body[8..];
            while let Some((header, after)) = rest.split_first_chunk::<16>() {
                let length = u32::from_le_bytes(header[12..].try_into().expect("four"));
                let (body, after) = after.split_at(usize::try_from(length).expect("fits"));
                messages.push((i64::from_le_bytes(header[..8].try_into().expect("eight")), body.to_vec()));
                rest = after;
            }
        } else {
            messages.push((outer, body.to_vec()));
        }
        self.incoming.drain(..end);
        Some(ReceivedPacket { length: end, salt, outer, messages })
    }

    pub(super) async fn request(&mut self) -> ReceivedPacket {
        loop {
            let received = self.hear().await.expect("a request");
            if !received.requests().is_empty() {
                return received;
            }
        }
    }

    pub(super) async fn say(&mut self, body: &[u8]) {
        let packet = self.packet(body);
        self.raw(&packet).await;
    }

    pub(super) fn packet(&mut self, body: &[u8]) -> Vec<u8> {
        self.last_id += 4;
        let mut packet = vec![0; framing::HEADER + envelope::HEADER];
        packet.extend(SALT.to_le_bytes());
        packet.extend(self.session.to_le_bytes());
        packet.extend((self.last_id | 1).to_le_bytes());
        packet.extend(1_i32.to_le_bytes());
        packet.extend(u32::try_from(body.len()).expect("short").to_le_bytes());
        packet.extend(body);
        self.envelope.seal_there(&mut packet, framing::HEADER);
        self.framing.frame(&mut packet);
        packet
    }

    pub(super) async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("written");
    }

    pub(super) async fn answer(&mut self, request: i64, object: &[u8]) {
        self.say(&result_of(request, object)).await;
    }

    pub(super) fn mistake_session(&mut self) {
        self.session ^= 1;
    }
}

pub(super) fn ask(wire: &Wire, body: Vec<u8>) -> tokio::task::JoinHandle<Result<Vec<u8>, RequestError>> {
    let wire = wire.clone();
    tokio::spawn(async move { wire.request(body, Updates::Wanted).await })
}

pub(super) async fn ended(
    reply: tokio::task::JoinHandle<Result<Vec<u8>, RequestError>>,
) -> Result<Vec<u8>, RequestError> {
    tokio::time::timeout(TIMEOUT, reply).await.expect("answered").expect("no panic")
}

pub(super) fn clock() -> Clock {
    Clock::system()
}

/// Copies bytes both ways until one side has no more.
pub(super) async fn relay(mut one: TcpStream, other: SocketAddr) {
    let mut other = TcpStream::connect(other).await.expect("the other side");
    let _ = tokio::io::copy_bidirectional(&mut one, &mut other).await;
}

pub(super) type Counted = Arc<std::sync::atomic::AtomicU32>;
