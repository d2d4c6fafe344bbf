//! One session on one connection: what its messages mean, and what is said back.

use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use grammers_tl_types::{Identifiable, Serializable, functions, types};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Centre;
use super::envelope::{Key, Opened};
use super::gzip;
use super::message_id::{self, IdStatus, Purpose, Refusal};
use super::outgoing::Outgoing;
use super::peel::peel;
use super::session::{self, Session, lock};
use super::tl::{self, Malformed, Reader};
use super::transport::Transport;
use crate::call::{Answer, Caller, ConnectionId, Handling, Push, Reply};

/// Pushes that may wait for one session on one connection.
const PUSHES: usize = 1024;
/// Messages in one container.
const LONGEST_CONTAINER: usize = 1024;
/// Salts given at once.
const MOST_SALTS: i32 = 64;
/// How long a given salt is said to be good.
const SALT_SPAN: i32 = 1800;
/// The longest delay of `ping_delay_disconnect`.
const LONGEST_DELAY: i32 = 3600;

/// The world wants the connection closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut;

/// Whether the connection goes on.
pub(crate) type Flow = ControlFlow<Cut>;

/// A call whose reply comes later.
pub(crate) struct Delayed {
    /// The message that asked.
    pub(crate) request: i64,
    pub(crate) reply: Pin<Box<dyn Future<Output = Reply> + Send>>,
}

/// What a packet led to, besides what is to be sent.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) delayed: Vec<Delayed>,
    /// From now, the connection is to be closed after this time.
    pub(crate) disconnect_after: Option<Duration>,
}

/// What concerns all messages of a packet.
struct Arrival<'a> {
    effects: &'a mut Effects,
    /// Whether the client has closed the connection.
    hung_up: &'a dyn Fn() -> bool,
}

/// One message inside a packet.
#[derive(Clone, Copy)]
struct Message<'a> {
    id: i64,
    sequence: i32,
    body: &'a [u8],
}

impl Message<'_> {
    fn is_content(self) -> bool {
        self.sequence & 1 == 1
    }
}

/// One session on one connection.
pub(crate) struct Talk {
    centre: Arc<Centre>,
    pub(crate) key: Arc<Key>,
    pub(crate) session_id: i64,
    session: session::Shared,
    caller: Caller,
    connected: bool,
    outgoing: Outgoing,
    pub(crate) pushes: Option<mpsc::Receiver<Push>>,
    /// A keyboard is among what waits to be sent.
    keyboard_waits: bool,
    /// When the last keyboard was handed to the connection.
    keyboard_at: Option<Instant>,
}

impl Talk {
    pub(crate) fn new(
        centre: &Arc<Centre>,
        key: Arc<Key>,
        session_id: i64,
        connection: ConnectionId,
    ) -> Self {
        let session = centre.sessions.find(key.id, session_id);
        let layer = lock(&session).layer;
        let caller = Caller {
            key: key.id,
            session: session_id,
            connection,
            dc_id: centre.dc_id,
            layer,
            since_keyboard: None,
        };
        Self {
            centre: Arc::clone(centre),
            key,
            session_id,
            session,
            caller,
            connected: false,
            outgoing: Outgoing::new(),
            pushes: None,
            keyboard_waits: false,
            keyboard_at: None,
        }
    }

    /// The bytes of the next packet arrived then.
    pub(crate) fn arrived(&mut self, arrived_at: Instant) {
        self.caller.since_keyboard = self.keyboard_at.map(|at| arrived_at.saturating_duration_since(at));
    }

    /// All that waited is handed to the connection now.
    pub(crate) fn handed(&mut self, now: Instant) {
        if std::mem::take(&mut self.keyboard_waits) {
            self.keyboard_at = Some(now);
        }
    }

    /// Takes what was in a packet.
    pub(crate) fn receive(
        &mut self,
        opened: &Opened<'_>,
        now: SystemTime,
        hung_up: &dyn Fn() -> bool,
        effects: &mut Effects,
    ) -> Flow {
        let shared = Arc::clone(&self.session);
        let session = &mut *lock(&shared);
        let arrival = &mut Arrival { effects, hung_up };
        let outer = Message { id: opened.message, sequence: opened.sequence, body: opened.body };
        if let Err(refusal) = message_id::check(outer.id, now) {
            self.refuse(session, outer, refusal);
            return Flow::Continue(());
        }
        if opened.salt != self.key.salt {
            self.refuse(session, outer, Refusal::Salt);
            return Flow::Continue(());
        }
        if !session.announced {
            session.announced = true;
            self.announce(session, outer.id);
        }
        if session.wants_updates {
            self.connect();
        }
        let unpacked;
        let outer = match unpack(outer.body) {
            Ok(None) => outer,
            Ok(Some(body)) => {
                unpacked = body;
                Message { body: &unpacked, ..outer }
            }
            Err(Malformed) => {
                self.refuse(session, outer, Refusal::Container);
                return Flow::Continue(());
            }
        };
        if tl::constructor(outer.body) == Some(tl::MESSAGE_CONTAINER) {
            self.container(session, outer, arrival)
        } else {
            self.message(session, outer, arrival)
        }
    }

    fn container(&mut self, session: &mut Session, outer: Message<'_>, arrival: &mut Arrival<'_>) -> Flow {
        let refusal = match session.received.note(outer.id) {
            IdStatus::New => None,
            IdStatus::Before => Some(Refusal::Repeated),
            IdStatus::Unknowable => Some(Refusal::Forgotten),
        };
        let messages = contents(outer.body);
        match (refusal, messages) {
            (Some(refusal), _) => self.refuse(session, outer, refusal),
            (None, Err(Malformed)) => self.refuse(session, outer, Refusal::Container),
            (None, Ok(messages)) => {
                for message in messages {
                    self.packed_message(session, message, arrival)?;
                }
            }
        }
        Flow::Continue(())
    }

    fn packed_message(
        &mut self,
        session: &mut Session,
        message: Message<'_>,
        arrival: &mut Arrival<'_>,
    ) -> Flow {
        match unpack(message.body) {
            Ok(None) => return self.message(session, message, arrival),
            Ok(Some(body)) => return self.message(session, Message { body: &body, ..message }, arrival),
            Err(Malformed) => self.refuse(session, message, Refusal::Container),
        }
        Flow::Continue(())
    }

    fn message(&mut self, session: &mut Session, message: Message<'_>, arrival: &mut Arrival<'_>) -> Flow {
        if message.id & 3 != 0 {
            self.refuse(session, message, Refusal::Parity);
            return Flow::Continue(());
        }
        match session.received.note(message.id) {
            IdStatus::New => {}
            // It ran when it came first; its answer may have been sent, or never will be.
            IdStatus::Before => {
                self.acknowledge(message);
                return Flow::Continue(());
            }
            IdStatus::Unknowable => {
                self.refuse(session, message, Refusal::Forgotten);
                return Flow::Continue(());
            }
        }
        match tl::constructor(message.body) {
            Some(tl::MESSAGE_CONTAINER) | None => {
                self.refuse(session, message, Refusal::Container);
                Flow::Continue(())
            }
            Some(constructor) => match self.service(session, constructor, message, arrival.effects) {
                Ok(true) => Flow::Continue(()),
                Ok(false) => self.call(session, message, arrival),
                Err(Malformed) => {
                    self.reject(session, message.id);
                    Flow::Continue(())
                }
            },
        }
    }

    /// Handles the messages that concern the protocol itself; `false` when this is none of them.
    fn service(
        &mut self,
        session: &mut Session,
        constructor: u32,
        message: Message<'_>,
        effects: &mut Effects,
    ) -> Result<bool, Malformed> {
        let mut fields = Reader::new(&message.body[4..]);
        match constructor {
            functions::Ping::CONSTRUCTOR_ID => {
                let pong = types::Pong { msg_id: message.id, ping_id: fields.i64()? };
                self.say(session, &pong);
            }
            functions::PingDelayDisconnect::CONSTRUCTOR_ID => {
                let pong = types::Pong { msg_id: message.id, ping_id: fields.i64()? };
                let delay = fields.i32()?.clamp(0, LONGEST_DELAY);
                effects.disconnect_after = Some(Duration::from_secs(u64::from(delay.unsigned_abs())));
                self.say(session, &pong);
            }
            functions::GetFutureSalts::CONSTRUCTOR_ID => {
                let count = fields.i32()?.clamp(2, MOST_SALTS);
                self.tell_salts(session, message.id, count);
            }
            functions::DestroySession::CONSTRUCTOR_ID => {
                let session_id = fields.i64()?;
                // The session that asks stays.
                if session_id != self.session_id && self.centre.sessions.destroy(self.key.id, session_id) {
                    self.say(session, &types::DestroySessionOk { session_id });
                } else {
                    self.say(session, &types::DestroySessionNone { session_id });
                }
            }
            functions::RpcDropAnswer::CONSTRUCTOR_ID => {
                fields.i64()?;
                let mut unknown = Vec::new();
                tl::put_boxed(&mut unknown, &types::RpcAnswerUnknown {});
                self.answer(session, message.id, &Answer::Result(unknown));
            }
            types::MsgsStateReq::CONSTRUCTOR_ID => {
                let info = fields.longs()?.into_iter().map(|id| session.received.state(id)).collect();
                self.say(session, &types::MsgsStateInfo { req_msg_id: message.id, info });
            }
            // Nothing is ever sent again, so there is nothing to do about these.
            types::MsgsAck::CONSTRUCTOR_ID
            | types::MsgsStateInfo::CONSTRUCTOR_ID
            | types::MsgsAllInfo::CONSTRUCTOR_ID
            | types::MsgResendReq::CONSTRUCTOR_ID
            | types::MsgResendAnsReq::CONSTRUCTOR_ID
            | types::MsgDetailedInfo::CONSTRUCTOR_ID
            | types::MsgNewDetailedInfo::CONSTRUCTOR_ID
            | types::HttpWait::CONSTRUCTOR_ID => self.acknowledge(message),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn call(&mut self, session: &mut Session, message: Message<'_>, arrival: &mut Arrival<'_>) -> Flow {
        let Ok(peeled) = peel(message.body) else {
            self.reject(session, message.id);
            return Flow::Continue(());
        };
        if let Some(layer) = peeled.layer {
            session.layer = layer;
        }
        self.caller.layer = session.layer;
        if !peeled.without_updates {
            session.wants_updates = true;
            self.connect();
        }
        match self.centre.world.call(&self.caller, arrival.hung_up, peeled.request) {
            Handling::Now(reply) => self.reply(session, message.id, &reply),
            Handling::Later(reply) => {
                self.acknowledge(message);
                arrival.effects.delayed.push(Delayed { request: message.id, reply });
                Flow::Continue(())
            }
        }
    }

    /// A delayed call is done.
    pub(crate) fn done(&mut self, request: i64, reply: &Reply) -> Flow {
        let shared = Arc::clone(&self.session);
        self.reply(&mut lock(&shared), request, reply)
    }

    /// The world says something by itself.
    pub(crate) fn push(&mut self, push: &Push) {
        let shared = Arc::clone(&self.session);
        self.outgoing
            .push(&mut lock(&shared), Purpose::Notification, true, |body| put_packed(body, &push.updates));
        self.keyboard_waits |= push.has_keyboard;
    }

    /// Appends what waits to be sent.
    pub(crate) fn flush(&mut self, transport: &mut Transport, out: &mut Vec<u8>) {
        if !self.outgoing.is_empty() {
            self.outgoing.flush(&mut lock(&self.session), &self.key, self.session_id, transport, out);
        }
    }

    fn reply(&mut self, session: &mut Session, request: i64, reply: &Reply) -> Flow {
        match reply {
            Reply::Send(answer) => self.answer(session, request, answer),
            Reply::Twice(answer) => {
                self.answer(session, request, answer);
                self.answer(session, request, answer);
            }
            Reply::Silence => {}
            Reply::Cut => return Flow::Break(Cut),
        }
        Flow::Continue(())
    }

    fn answer(&mut self, session: &mut Session, request: i64, answer: &Answer) {
        self.outgoing.push(session, Purpose::Answer, true, |body| {
            body.extend_from_slice(&tl::RPC_RESULT.to_le_bytes());
            body.extend_from_slice(&request.to_le_bytes());
            match answer {
                Answer::Result(result) => put_packed(body, result),
                Answer::Error { code, message } => {
                    body.extend_from_slice(&types::RpcError::CONSTRUCTOR_ID.to_le_bytes());
                    body.extend_from_slice(&code.to_le_bytes());
                    tl::put_bytes(body, message.as_bytes());
                }
            }
        });
    }

    /// The request cannot be read.
    fn reject(&mut self, session: &mut Session, request: i64) {
        let answer = Answer::Error { code: 400, message: "INPUT_FETCH_ERROR".to_owned() };
        self.answer(session, request, &answer);
    }

    /// A message of the protocol itself, which the client need not acknowledge.
    fn say<T: Identifiable + Serializable>(&mut self, session: &mut Session, service: &T) {
        if !self.centre.world.is_deaf(&self.caller) {
            self.outgoing.push(session, Purpose::Answer, false, |body| tl::put_boxed(body, service));
        }
    }

    fn acknowledge(&mut self, message: Message<'_>) {
        if message.is_content() {
            self.outgoing.acknowledged.push(message.id);
        }
    }

    fn refuse(&mut self, session: &mut Session, message: Message<'_>, refusal: Refusal) {
        let (bad_msg_id, bad_msg_seqno, error_code) = (message.id, message.sequence, refusal as i32);
        let new_server_salt = self.key.salt;
        self.outgoing.push(session, Purpose::Notification, false, |body| match refusal {
            Refusal::Salt => {
                tl::put_boxed(
                    body,
                    &types::BadServerSalt { bad_msg_id, bad_msg_seqno, error_code, new_server_salt },
                );
            }
            _ => tl::put_boxed(body, &types::BadMsgNotification { bad_msg_id, bad_msg_seqno, error_code }),
        });
    }

    fn announce(&mut self, session: &mut Session, first_msg_id: i64) {
        let created = types::NewSessionCreated {
            first_msg_id,
            unique_id: self.outgoing.unique(),
            server_salt: self.key.salt,
        };
        self.outgoing.push(session, Purpose::Notification, true, |body| tl::put_boxed(body, &created));
    }

    /// `future_salts`: one salt, listed as good for one span after the other.
    fn tell_salts(&mut self, session: &mut Session, request: i64, count: i32) {
        if self.centre.world.is_deaf(&self.caller) {
            return;
        }
        let now = message_id::date(message_id::now());
        let salt = self.key.salt;
        self.outgoing.push(session, Purpose::Answer, false, |body| {
            body.extend_from_slice(&types::FutureSalts::CONSTRUCTOR_ID.to_le_bytes());
            body.extend_from_slice(&request.to_le_bytes());
            body.extend_from_slice(&now.to_le_bytes());
            // A bare vector of bare objects.
            body.extend_from_slice(&count.to_le_bytes());
            for span in 0..count {
                let valid_since = now.saturating_add((span - 1).saturating_mul(SALT_SPAN));
                let valid_until = valid_since.saturating_add(2 * SALT_SPAN);
                types::FutureSalt { valid_since, valid_until, salt }.serialize(body);
            }
        });
    }

    /// Gives the world the place where the session's updates go; once a connection.
    fn connect(&mut self) {
        if !self.connected {
            self.connected = true;
            let (sender, receiver) = mpsc::channel(PUSHES);
            self.pushes = Some(receiver);
            self.centre.world.connected(&self.caller, sender);
        }
    }
}

/// Appends an object, packed if that is shorter.
fn put_packed(body: &mut Vec<u8>, object: &[u8]) {
    match gzip::packed(object) {
        Some(packed) => body.extend_from_slice(&packed),
        None => body.extend_from_slice(object),
    }
}

/// The inner body, if this is `gzip_packed`.
fn unpack(body: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    if tl::constructor(body) == Some(tl::GZIP_PACKED) { gzip::unpacked(body).map(Some) } else { Ok(None) }
}

fn contents(container: &[u8]) -> Result<Vec<Message<'_>>, Malformed> {
    let mut reader = Reader::new(container);
    reader.u32()?;
    let count = reader.count()?;
    if count > LONGEST_CONTAINER {
        return Err(Malformed);
    }
    let mut message = || -> Result<Message<'_>, Malformed> {
        let (id, sequence, length) = (reader.i64()?, reader.i32()?, reader.count()?);
        Ok(Message { id, sequence, body: reader.take(length)? })
    };
    (0..count).map(|_| message()).collect()
}
