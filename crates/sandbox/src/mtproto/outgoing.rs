//! What waits to be sent in one session: messages ready at the same time leave in one container.

use grammers_tl_types::types::MsgsAck;
use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use super::envelope::{Key, Layout};
use super::message_id::{Purpose, now};
use super::session::Session;
use super::tl;
use super::transport::Transport;

/// A packet is not filled further than this; clients refuse packets of more than about a megabyte.
const FULL_PACKET: usize = 512 * 1024;
/// The most messages in one container.
const FULL_CONTAINER: usize = 1000;
/// The most ids in one `msgs_ack`.
const FULL_ACKS: usize = 8192;
/// Message id, sequence number, length.
const MESSAGE_HEADER: usize = 16;
/// A message header, the constructor's id, the count.
const CONTAINER_HEADER: usize = MESSAGE_HEADER + 8;

/// Messages that are numbered but not sent yet.
#[derive(Debug)]
pub(crate) struct Outgoing {
    messages: Vec<u8>,
    /// Where each message ends.
    ends: Vec<usize>,
    /// Ids to acknowledge.
    pub(crate) acknowledged: Vec<i64>,
    /// For padding above all.
    chance: StdRng,
}

impl Outgoing {
    pub(crate) fn new() -> Self {
        Self { messages: Vec::new(), ends: Vec::new(), acknowledged: Vec::new(), chance: rand::make_rng() }
    }

    /// A number for something new.
    pub(crate) fn unique(&mut self) -> i64 {
        self.chance.random()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.acknowledged.is_empty()
    }

    /// Adds a message whose body `write` appends. Content is what the client has to acknowledge.
    pub(crate) fn push(
        &mut self,
        session: &mut Session,
        purpose: Purpose,
        content: bool,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        let (id, sequence) = session.number(now(), purpose, content);
        self.messages.extend_from_slice(&id.to_le_bytes());
        self.messages.extend_from_slice(&sequence.to_le_bytes());
        self.messages.extend_from_slice(&[0; 4]);
        let start = self.messages.len();
        write(&mut self.messages);
        let length = tl::int(self.messages.len() - start);
        self.messages[start - 4..start].copy_from_slice(&length.to_le_bytes());
        self.ends.push(self.messages.len());
    }

    /// Appends all that waits to `out`, as packets.
    pub(crate) fn flush(
        &mut self,
        session: &mut Session,
        key: &Key,
        session_id: i64,
        transport: &mut Transport,
        out: &mut Vec<u8>,
    ) {
        for ids in std::mem::take(&mut self.acknowledged).chunks(FULL_ACKS) {
            let acknowledged = MsgsAck { msg_ids: ids.to_vec() };
            self.push(session, Purpose::Notification, false, |body| tl::put_boxed(body, &acknowledged));
        }
        let mut start = 0;
        let mut first = 0;
        while first < self.ends.len() {
            let fits = |end: &&usize| **end - start <= FULL_PACKET;
            let count = self.ends[first..].iter().take(FULL_CONTAINER).take_while(fits).count().max(1);
            let end = self.ends[first + count - 1];
            let container = (count > 1).then(|| (session.number(now(), Purpose::Answer, false), count));
            let packet = Packet { messages: &self.messages[start..end], container, session_id };
            packet.seal(key, transport, &mut self.chance, out);
            start = end;
            first += count;
        }
        self.messages.clear();
        self.ends.clear();
    }
}

/// One packet before it is encrypted.
struct Packet<'a> {
    messages: &'a [u8],
    /// Id, sequence number, and how many messages it holds.
    container: Option<((i64, i32), usize)>,
    session_id: i64,
}

impl Packet<'_> {
    fn seal(&self, key: &Key, transport: &mut Transport, chance: &mut StdRng, out: &mut Vec<u8>) {
        let layout = Layout::of(self.messages.len() + self.container.map_or(0, |_| CONTAINER_HEADER));
        let frame = transport.begin(out, layout.packet);
        let packet = out.len();
        // Key id and message key are filled in by the seal.
        out.extend_from_slice(&[0; 24]);
        out.extend_from_slice(&key.salt.to_le_bytes());
        out.extend_from_slice(&self.session_id.to_le_bytes());
        if let Some(((id, sequence), count)) = self.container {
            out.extend_from_slice(&id.to_le_bytes());
            out.extend_from_slice(&sequence.to_le_bytes());
            out.extend_from_slice(&tl::int(self.messages.len() + 8).to_le_bytes());
            out.extend_from_slice(&tl::MESSAGE_CONTAINER.to_le_bytes());
            out.extend_from_slice(&tl::int(count).to_le_bytes());
        }
        out.extend_from_slice(self.messages);
        let padding = out.len();
        out.resize(padding + layout.padding, 0);
        chance.fill_bytes(&mut out[padding..]);
        key.seal(&mut out[packet..]);
        transport.end(out, frame);
    }
}
