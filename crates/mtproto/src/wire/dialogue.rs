//! One session on one connection: requests that wait, requests in flight, and what Telegram says about them. Pure; the
//! bytes are carried by others, and the time is handed in.
//!
//! After <https://core.telegram.org/mtproto/description> and
//! <https://core.telegram.org/mtproto/service_messages_about_messages>.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use domain::Timestamp;
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{Identifiable, Serializable, functions, types};
use tokio::sync::oneshot;

use super::error::{Loss, RequestError};
use super::message::{CONTAINER, Content, Message};
use super::{Updates, arrived};

/// Requests that wait or are in flight; no more are taken while there are so many.
const MOST_REQUESTS: usize = 512;

/// The most messages of one packet: Telegram refuses containers that hold many more.
const MOST_TOGETHER: usize = 100;

/// Requests that wait together leave in one packet while it stays below this many bytes; what is longer leaves alone, so that
/// no one waits for it longer than need be.
const JOINED: usize = 64 * 1024;

/// A longer request fits no packet that Telegram takes.
const LONGEST: usize = 1_044_000;

/// So many messages of Telegram are acknowledged without waiting for a request to go with.
const MANY_UNACKNOWLEDGED: usize = 16;

/// No message of Telegram waits longer than this for being acknowledged.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(20);

/// How often a request is written again because Telegram did not take its message.
const MOST_REFUSALS: u8 = 5;

/// How long the server keeps the connection without hearing of another ping.
const NO_PING: i32 = 75;

/// Larger than anything but a part of a file.
const LARGE: usize = 64 * 1024;

/// How many bytes of a request identify it: its constructor, and those that wrap it.
const BEGINNING: usize = 64;

const MESSAGE_HEADER: usize = 16;

/// The prefix of a request that subscribes to nothing.
const WITHOUT_UPDATES: [u8; 4] =
    functions::InvokeWithoutUpdates::<functions::help::GetConfig>::CONSTRUCTOR_ID.to_le_bytes();

/// Where the result of a request goes.
pub(super) type ReplySender = oneshot::Sender<Result<Vec<u8>, RequestError>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Since some beginning, by a monotonic clock.
    pub(super) running: Duration,
    /// The time of day by the same clock, as messages are numbered by it: a jump of the time of day must not make them
    /// unacceptable.
    pub(super) steady: Timestamp,
}

/// A request, whether it waits or is in flight.
struct Request {
    body: Vec<u8>,
    updates: Updates,
    /// None for what the connection asks by itself.
    answer: Option<ReplySender>,
    /// By the order in which they were asked.
    ticket: u64,
    refusals: u8,
}

impl Request {
    const fn wrapper(&self) -> &'static [u8] {
        match self.updates {
            Updates::Wanted => &[],
            Updates::Unwanted => &WITHOUT_UPDATES,
        }
    }

    const fn length(&self) -> usize {
        self.wrapper().len() + self.body.len()
    }

    fn is_abandoned(&self) -> bool {
        self.answer.as_ref().is_none_or(ReplySender::is_closed)
    }

    fn end(self, result: Result<Vec<u8>, RequestError>) {
        if let Some(answer) = self.answer {
            // Anyone who asked may be gone.
            let _ = answer.send(result);
        }
    }
}

struct InFlight {
    request: Request,
    /// The message that carried it: its own, or the container's.
    outer: i64,
    /// A byte of the packet was taken by the system.
    written: bool,
}

pub(super) struct Dialogue {
    session: i64,
    salt: i64,
    /// Twice the messages with content that were packed.
    sequence: i32,
    last_id: i64,
    /// By how many microseconds the data centre's clock is ahead of the steady one.
    ahead: i64,
    waiting: VecDeque<Request>,
    flying: HashMap<i64, InFlight>,
    tickets: u64,
    /// Messages of Telegram that it wants to know came, and since when the first of them waits for that.
    unacknowledged: Vec<i64>,
    unacknowledged_since: Option<Duration>,
    missing: Vec<i64>,
    is_known: bool,
}

impl Dialogue {
    /// A new session. Salt and `ahead` are those that were right last, or 0: wrong ones cost a round trip each.
    pub(super) fn new(session: i64, salt: i64, ahead: i64) -> Self {
        Self {
            session,
            salt,
            sequence: 0,
            last_id: 0,
            ahead,
            waiting: VecDeque::new(),
            flying: HashMap::new(),
            tickets: 0,
            unacknowledged: Vec::new(),
            unacknowledged_since: None,
            missing: Vec::new(),
            is_known: false,
        }
    }

    pub(super) const fn session(&self) -> i64 {
        self.session
    }

    /// Salt and `ahead`, for the next session.
    pub(super) const fn learned(&self) -> (i64, i64) {
        (self.salt, self.ahead)
    }

    pub(super) fn ask(&mut self, body: Vec<u8>, updates: Updates, answer: ReplySender) {
        if (4..=LONGEST).contains(&body.len()) && body.len().is_multiple_of(4) {
            self.wait_in_line(body, updates, Some(answer));
        } else {
            // Anyone who asked may be gone.
            let _ = answer.send(Err(RequestError::Unsendable(body.len())));
        }
    }

    /// Puts a ping in line, with which Telegram goes on keeping the connection.
    pub(super) fn ping(&mut self, ping_id: i64) {
        let ping = functions::PingDelayDisconnect { ping_id, disconnect_delay: NO_PING };
        self.wait_in_line(ping.to_bytes(), Updates::Wanted, None);
    }

    fn wait_in_line(&mut self, body: Vec<u8>, updates: Updates, answer: Option<ReplySender>) {
        self.tickets += 1;
        self.waiting.push_back(Request { body, updates, answer, ticket: self.tickets, refusals: 0 });
    }

    /// Whether one more request may be put in line. Makes room by forgetting those that no one wants to know of any more.
    pub(super) fn has_room(&mut self) -> bool {
        if self.waiting.len() + self.flying.len() >= MOST_REQUESTS {
            self.waiting.retain(|request| !request.is_abandoned());
            self.flying.retain(|_, flying| !flying.request.is_abandoned());
        }
        self.waiting.len() + self.flying.len() < MOST_REQUESTS
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.waiting.is_empty() && self.flying.values().all(|flying| flying.request.is_abandoned())
    }

    /// Gives the bodies of large requests back that were written and that no one waits for any more. That they were asked
    /// stays known, and by what they begin with what an answer is about.
    pub(super) fn forget_abandoned(&mut self) {
        let written = self.flying.values_mut().filter(|flying| flying.written);
        for InFlight { request, .. } in written.filter(|flying| flying.request.is_abandoned()) {
            if request.body.len() > LARGE {
                request.body = request.body.get(..BEGINNING).unwrap_or_default().to_vec();
            }
        }
    }

    /// Gives memory back that only many requests at once needed.
    pub(super) fn shrink(&mut self) {
        if self.waiting.is_empty() && self.flying.is_empty() {
            (self.waiting, self.flying) = (VecDeque::new(), HashMap::new());
        }
    }

    /// When something is to be written although no one asks for anything.
    pub(super) fn acknowledges_at(&self) -> Option<Duration> {
        self.unacknowledged_since.map(|since| since.saturating_add(ACKNOWLEDGED_WITHIN))
    }

    fn must_acknowledge(&self, now: Duration) -> bool {
        self.unacknowledged.len() >= MANY_UNACKNOWLEDGED || self.acknowledges_at().is_some_and(|at| at <= now)
    }

    /// Appends what is to be encrypted for the next packet: salt, session, and one message or a container of some.
    /// Returns whether there was anything to say. The packet counts as not written until [`Dialogue::begun`] is called.
    pub(super) fn pack(&mut self, moment: Moment, packet: &mut Vec<u8>) -> bool {
        let chosen = self.choose();
        if chosen.is_empty() && self.missing.is_empty() && !self.must_acknowledge(moment.running) {
            return false;
        }
        packet.extend_from_slice(&self.salt.to_le_bytes());
        packet.extend_from_slice(&self.session.to_le_bytes());
        let mut service = Vec::new();
        if !self.unacknowledged.is_empty() {
            let msg_ids = std::mem::take(&mut self.unacknowledged);
            self.unacknowledged_since = None;
            service.push((object(&types::MsgsAck { msg_ids }), false));
        }
        if !self.missing.is_empty() {
            let msg_ids = std::mem::take(&mut self.missing);
            service.push((object(&types::MsgResendReq { msg_ids }), true));
        }
        let count = service.len() + chosen.len();
        let bytes = service.iter().map(|(body, _)| body.len()).sum::<usize>()
            + chosen.iter().map(Request::length).sum::<usize>()
            + count * MESSAGE_HEADER;
        let is_container = count > 1;
        packet.reserve(bytes + 64);
        let start = packet.len();
        if is_container {
            // Its header is written last: its id is larger than those of what it holds.
            packet.extend_from_slice(&[0; MESSAGE_HEADER]);
            packet.extend_from_slice(&CONTAINER.to_le_bytes());
            packet.extend_from_slice(&int(count).to_le_bytes());
        }
        for (body, has_content) in &service {
            let (id, sequence) = (self.next_id(moment.steady), self.next_number(*has_content));
            put(packet, id, sequence, &[], body);
        }
        let mut leaving = Vec::with_capacity(chosen.len());
        for request in chosen {
            let (id, sequence) = (self.next_id(moment.steady), self.next_number(true));
            put(packet, id, sequence, request.wrapper(), &request.body);
            leaving.push((id, request));
        }
        let outer = if is_container { self.next_id(moment.steady) } else { self.last_id };
        if is_container {
            let sequence = self.next_number(false);
            let header = header(outer, sequence, bytes + 8);
            if let Some(place) = packet.get_mut(start..start + MESSAGE_HEADER) {
                place.copy_from_slice(&header);
            }
        }
        self.flying.extend(
            leaving.into_iter().map(|(id, request)| (id, InFlight { request, outer, written: false })),
        );
        true
    }

    /// The requests of the next packet, in the order in which they were asked; no one is asked what no one wants to know.
    fn choose(&mut self) -> Vec<Request> {
        let (mut chosen, mut bytes) = (Vec::new(), 0);
        while let Some(request) = self.waiting.front() {
            if request.answer.as_ref().is_some_and(ReplySender::is_closed) {
                self.waiting.pop_front();
                continue;
            }
            let after = bytes + request.length();
            if !chosen.is_empty() && (after > JOINED || chosen.len() >= MOST_TOGETHER) {
                break;
            }
            bytes = after;
            chosen.extend(self.waiting.pop_front());
        }
        chosen
    }

    /// The first byte of the packet was taken by the system: from now on no one knows whether Telegram has it.
    pub(super) fn begun(&mut self) {
        for flying in self.flying.values_mut() {
            flying.written = true;
        }
    }

    /// By the clock of the data centre, and each larger than the one before.
    fn next_id(&mut self, steady: Timestamp) -> i64 {
        let micros = steady.as_micros().saturating_add(self.ahead).max(0);
        let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
        let by_clock = (seconds << 32) | (((fraction << 32) / 1_000_000) & !3);
        self.last_id = by_clock.max(self.last_id + 4);
        // After the clock was put right it may show a time at which it was before.
        while self.flying.contains_key(&self.last_id) {
            self.last_id += 4;
        }
        self.last_id
    }

    fn next_number(&mut self, has_content: bool) -> i32 {
        let number = self.sequence | i32::from(has_content);
        if has_content {
            self.sequence = self.sequence.wrapping_add(2);
        }
        number
    }

    /// Takes one message of Telegram. What reports changes is put to `arrived`.
    pub(super) fn hear(&mut self, received: Message<'_>, moment: Moment, arrived: &mut Vec<UpdatesLike>) {
        let now = moment.running;
        if received.is_content {
            self.acknowledge(received.id, now);
        }
        match received.what {
            Content::Nothing => {}
            Content::Update(object) => arrived.push(arrived::by_itself(&object)),
            Content::NewSession { salt } => {
                self.salt = salt;
                // Telegram had forgotten the session: what came meanwhile did not come here.
                if std::mem::replace(&mut self.is_known, true) {
                    arrived.push(UpdatesLike::MalformedUpdates);
                }
            }
            Content::Result { request, body } => {
                let sent_request = self.flying.remove(&request).map(|flying| flying.request);
                if sent_request.as_ref().is_none_or(|sent| sent.updates == Updates::Wanted) {
                    arrived.extend(arrived::with_result(
                        sent_request.as_ref().map(|sent| &sent.body[..]),
                        &body,
                    ));
                }
                if let Some(sent_request) = sent_request {
                    sent_request.end(Ok(body.into_owned()));
                }
            }
            Content::Failed { request, error } => {
                if let Some(InFlight { request, .. }) = self.flying.remove(&request) {
                    let error = match error {
                        RequestError::Rpc(error) => error.caused_by(&request.body).into(),
                        other => other,
                    };
                    request.end(Err(error));
                }
            }
            Content::Answered { request, by } => {
                if request.is_none_or(|request| self.flying.contains_key(&request)) {
                    self.missing.push(by);
                } else {
                    self.acknowledge(by, now);
                }
            }
            Content::NotTaken { message, reason, salt } => {
                self.correct(message, reason, salt, received.id, moment.steady);
            }
        }
    }

    fn acknowledge(&mut self, message: i64, now: Duration) {
        self.unacknowledged.push(message);
        self.unacknowledged_since.get_or_insert(now);
    }

    /// A message was not taken. Where it was the numbering, that is put right and the requests are written again.
    fn correct(&mut self, message: i64, reason: i32, salt: Option<i64>, notice_id: i64, steady: Timestamp) {
        let is_it = |id: i64, flying: &InFlight| flying.written && (id == message || flying.outer == message);
        let refused = self.flying.extract_if(|id, flying| is_it(*id, flying));
        let refused: Vec<Request> = refused.map(|(_, flying)| flying.request).collect();
        match (reason, salt) {
            (_, Some(salt)) => self.salt = salt,
            (16 | 17, None) => {
                // The id of the notice shows what time it is there.
                self.ahead = ((notice_id >> 32) * 1_000_000).saturating_sub(steady.as_micros());
                if reason == 17 {
                    self.last_id = 0;
                }
            }
            (32, None) => self.sequence = self.sequence.wrapping_add(64),
            (33, None) => self.sequence = (self.sequence - 16).max(0),
            _ => {}
        }
        let is_corrected = salt.is_some() || matches!(reason, 16 | 17 | 32 | 33);
        for mut request in refused {
            request.refusals += 1;
            if is_corrected && request.refusals <= MOST_REFUSALS {
                self.waiting.push_back(request);
            } else {
                request.end(Err(RequestError::NotTaken(reason)));
            }
        }
        self.waiting.make_contiguous().sort_by_key(|request| request.ticket);
    }

    /// The connection is over: all are notified, and learn whether their request can have reached Telegram.
    pub(super) fn end(&mut self, loss: &Loss) {
        let error = |written| RequestError::Lost { loss: loss.clone(), written };
        let mut flying: Vec<_> = self.flying.drain().map(|(_, flying)| flying).collect();
        flying.sort_by_key(|flying| flying.request.ticket);
        for InFlight { request, written, .. } in flying {
            request.end(Err(error(written)));
        }
        // What waits was never written, or Telegram said that it did not take it.
        for request in self.waiting.drain(..) {
            request.end(Err(error(false)));
        }
    }
}

fn int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn header(id: i64, sequence: i32, length: usize) -> [u8; MESSAGE_HEADER] {
    let mut header = [0; MESSAGE_HEADER];
    header[..8].copy_from_slice(&id.to_le_bytes());
    header[8..12].copy_from_slice(&sequence.to_le_bytes());
    header[12..].copy_from_slice(&int(length).to_le_bytes());
    header
}

fn put(packet: &mut Vec<u8>, id: i64, sequence: i32, wrapper: &[u8], body: &[u8]) {
    packet.extend_from_slice(&header(id, sequence, wrapper.len() + body.len()));
    packet.extend_from_slice(wrapper);
    packet.extend_from_slice(body);
}

fn object<T: Identifiable + Serializable>(fields: &T) -> Vec<u8> {
    let mut body = T::CONSTRUCTOR_ID.to_le_bytes().to_vec();
    fields.serialize(&mut body);
    body
}

#[cfg(test)]
#[path = "tests/dialogue.rs"]
mod tests;
