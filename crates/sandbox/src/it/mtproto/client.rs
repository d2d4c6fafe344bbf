//! A client made by hand, so that it can also do what no good client does.

use std::collections::VecDeque;
use std::io::Read;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use grammers_crypto::{AuthKey, DequeBuffer, decrypt_data_v2, encrypt_data_v2};
use grammers_tl_types::{Deserializable, Identifiable, RemoteCall, types};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::framing::{Form, Found, Framing};

pub(crate) const CONTAINER: u32 = 0x73f1_f8dc;
pub(crate) const GZIP: u32 = 0x3072_cfa1;
pub(crate) const RESULT: u32 = 0xf35c_6d01;

/// Nothing here takes long; a test that waits longer has failed.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A message from the server, containers taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: i64,
    pub(crate) sequence: i32,
    pub(crate) body: Vec<u8>,
}

impl Message {
    pub(crate) fn constructor(&self) -> u32 {
        u32::from_le_bytes(self.body[..4].try_into().unwrap())
    }

    /// The object, if it is of this type.
    pub(crate) fn as_type<T: Identifiable + Deserializable>(&self) -> Option<T> {
        (self.constructor() == T::CONSTRUCTOR_ID).then(|| T::from_bytes(&self.body[4..]).unwrap())
    }

    /// Of an `rpc_result`: the request, and the result as it was sent.
    pub(crate) fn as_result(&self) -> Option<(i64, &[u8])> {
        (self.constructor() == RESULT)
            .then(|| (i64::from_le_bytes(self.body[4..12].try_into().unwrap()), &self.body[12..]))
    }
}

/// What a client may hear.
#[derive(Debug)]
pub(crate) enum Received {
    Message(Message),
    Status(i32),
    Closed,
}

pub(crate) struct Client {
    stream: TcpStream,
    framing: Framing,
    key: AuthKey,
    pub(crate) session: i64,
    pub(crate) salt: i64,
    buffer: Vec<u8>,
    inbox: VecDeque<Message>,
    last_id: i64,
    content: i32,
    last_received_id: i64,
}

/// A message as a container holds it.
pub(crate) fn wrapped(id: i64, sequence: i32, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(body.len()).unwrap();
    [&id.to_le_bytes()[..], &sequence.to_le_bytes(), &length.to_le_bytes(), body].concat()
}

pub(crate) fn container(messages: &[Vec<u8>]) -> Vec<u8> {
    let count = i32::try_from(messages.len()).unwrap();
    [&CONTAINER.to_le_bytes()[..], &count.to_le_bytes(), &messages.concat()].concat()
}

/// The result, unpacked if it was packed.
pub(crate) fn unpacked(result: &[u8]) -> Vec<u8> {
    if result[..4] != GZIP.to_le_bytes() {
        return result.to_vec();
    }
    let packed = Vec::<u8>::from_bytes(&result[4..]).unwrap();
    let mut body = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut body).unwrap();
    body
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr, key: [u8; 256]) -> Self {
        Self::connect_by(address, key, Framing::plain(Form::Full)).await
    }

    pub(crate) async fn connect_by(address: SocketAddr, key: [u8; 256], framing: Framing) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        let key = AuthKey::from_bytes(key);
        let session = i64::from(stream.local_addr().unwrap().port()) | 0x1234_0000_0000;
        Self {
            stream,
            framing,
            key,
            session,
            salt: 0,
            buffer: Vec::new(),
            inbox: VecDeque::new(),
            last_id: 0,
            content: 0,
            last_received_id: 0,
        }
    }

    /// A connection that has learned the salt and heard that its session is new.
    pub(crate) async fn ready(address: SocketAddr, key: [u8; 256]) -> Self {
        let mut client = Self::connect(address, key).await;
        client.greet().await;
        client
    }

    /// Learns the salt, the way all clients do.
    pub(crate) async fn greet(&mut self) {
        self.ping().await;
        let salt = self.message().await.as_type::<types::BadServerSalt>().unwrap();
        self.salt = salt.new_server_salt;
        self.ping().await;
        self.message().await.as_type::<types::NewSessionCreated>().unwrap();
        self.message().await.as_type::<types::Pong>().unwrap();
    }

    pub(crate) async fn ping(&mut self) -> i64 {
        self.send(&grammers_tl_types::functions::Ping { ping_id: 77 }).await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the data centre checks ids against the clock of the machine"
    )]
    pub(crate) fn next_id(&mut self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let clock = i64::try_from(now.as_secs()).unwrap() << 32 | i64::from(now.subsec_nanos()) << 2;
        self.last_id = clock.max(self.last_id + 4);
        self.last_id
    }

    pub(crate) fn next_sequence(&mut self) -> i32 {
        self.content += 2;
        self.content - 1
    }

    pub(crate) async fn send<R: RemoteCall>(&mut self, request: &R) -> i64 {
        let (id, sequence) = (self.next_id(), self.next_sequence());
        self.send_as(id, sequence, &request.to_bytes()).await;
        id
    }

    pub(crate) async fn send_as(&mut self, id: i64, sequence: i32, body: &[u8]) {
        let packet = self.packet(id, sequence, body);
        self.send_packet(&packet).await;
    }

    /// An encrypted packet.
    pub(crate) fn packet(&self, id: i64, sequence: i32, body: &[u8]) -> Vec<u8> {
        let mut buffer = DequeBuffer::with_capacity(body.len() + 100, 64);
        buffer.extend(self.salt.to_le_bytes());
        buffer.extend(self.session.to_le_bytes());
        buffer.extend(wrapped(id, sequence, body));
        encrypt_data_v2(&mut buffer, &self.key);
        buffer[..].to_vec()
    }

    pub(crate) async fn send_packet(&mut self, packet: &[u8]) {
        let framed = self.framing.pack(packet);
        self.send_bytes(&framed).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next packet, or why there is none.
    pub(crate) async fn hear_packet(&mut self) -> Result<Vec<u8>, Received> {
        loop {
            match self.framing.unpack(&mut self.buffer) {
                Some(Found::Packet(packet)) => return Ok(packet),
                Some(Found::Status(status)) => return Err(Received::Status(status)),
                None => {}
            }
            let known = self.buffer.len();
            let read = tokio::time::timeout(TIMEOUT, self.stream.read_buf(&mut self.buffer));
            match read.await.expect("the server says nothing") {
                Ok(0) | Err(_) => return Err(Received::Closed),
                Ok(_) => self.framing.arrived(&mut self.buffer[known..]),
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> Received {
        while self.inbox.is_empty() {
            let mut packet = match self.hear_packet().await {
                Ok(packet) => packet,
                Err(received) => return received,
            };
            let content = decrypt_data_v2(&mut packet, &self.key).unwrap();
            assert_eq!(content[..8], self.checked_salt(content).to_le_bytes());
            assert_eq!(content[8..16], self.session.to_le_bytes());
            let outer = message(&mut &content[16..]);
            if outer.constructor() == CONTAINER {
                let mut rest = &outer.body[8..];
                while !rest.is_empty() {
                    let inner = message(&mut rest);
                    assert!(inner.id < outer.id, "a container's id is larger than those in it");
                    self.take(inner);
                }
                self.last_received_id = outer.id;
            } else {
                self.take(outer);
            }
        }
        Received::Message(self.inbox.pop_front().unwrap())
    }

    /// Every packet carries the right salt, also before the client knows it.
    fn checked_salt(&self, content: &[u8]) -> i64 {
        let salt = i64::from_le_bytes(content[..8].try_into().unwrap());
        assert!(self.salt <= 1 || salt == self.salt);
        salt
    }

    fn take(&mut self, message: Message) {
        assert!(message.id > self.last_received_id, "ids grow");
        assert!(message.id & 1 == 1, "a server's ids are odd");
        self.last_received_id = message.id;
        self.inbox.push_back(message);
    }

    /// The next message; anything else fails the test.
    pub(crate) async fn message(&mut self) -> Message {
        match self.hear().await {
            Received::Message(message) => message,
            other => panic!("{other:?}"),
        }
    }

    /// The result of this request, unpacked; other messages are passed over.
    pub(crate) async fn result(&mut self, request: i64) -> Vec<u8> {
        loop {
            let message = self.message().await;
            if let Some((of, result)) = message.as_result().filter(|(of, _)| *of == request) {
                assert_eq!(of, request);
                assert_eq!(message.sequence & 1, 1);
                return unpacked(result);
            }
        }
    }

    pub(crate) async fn call<R: RemoteCall>(&mut self, request: &R) -> R::Return {
        let id = self.send(request).await;
        R::Return::from_bytes(&self.result(id).await).unwrap()
    }
}

fn message(rest: &mut &[u8]) -> Message {
    let (header, body) = rest.split_first_chunk::<16>().unwrap();
    let length = usize::try_from(i32::from_le_bytes(header[12..].try_into().unwrap())).unwrap();
    *rest = &body[length..];
    Message {
        id: i64::from_le_bytes(header[..8].try_into().unwrap()),
        sequence: i32::from_le_bytes(header[8..12].try_into().unwrap()),
        body: body[..length].to_vec(),
    }
}
