//! All that is said on one connection, without its socket: packets in, packets out.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use tokio::time::Instant;

use super::Centre;
use super::envelope::{self, EnvelopeError, Key};
use super::message_id;
use super::talk::{Effects, Flow, Talk};
use super::tl::Malformed;
use super::transport::Transport;
use crate::call::{ConnectionId, Push, Reply};
use crate::keys::AuthKeyId;

/// Sessions and keys on one connection; clients use one of each.
const MOST_SESSIONS: usize = 16;
/// Pushes taken at once.
const PUSH_BATCH: usize = 128;

/// Why a connection is ended by the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Offence {
    #[error("a packet that cannot be read: {0}")]
    Envelope(#[from] EnvelopeError),
    #[error("a plain packet that cannot be read: {0}")]
    Plain(#[from] Malformed),
    #[error("too many sessions on one connection")]
    Sessions,
}

/// What to do after a packet.
pub(crate) enum Event {
    Handled,
    /// A step of a key exchange came.
    Plain(Vec<u8>),
    UnknownKey(AuthKeyId),
    /// The world wants the connection closed.
    Cut,
}

/// One connection's sessions.
pub(crate) struct Dialogue {
    centre: Arc<Centre>,
    connection: ConnectionId,
    keys: Vec<Arc<Key>>,
    talks: Vec<Talk>,
}

impl Dialogue {
    pub(crate) fn new(centre: Arc<Centre>, connection: ConnectionId) -> Self {
        Self { centre, connection, keys: Vec::new(), talks: Vec::new() }
    }

    /// Takes one packet. Also returns which of the sessions it belongs to, for [`Dialogue::done`]. `hung_up` returns whether the
    /// client has closed the connection.
    pub(crate) fn packet(
        &mut self,
        packet: &mut [u8],
        (padded, arrived_at): (bool, Instant),
        hung_up: &dyn Fn() -> bool,
        effects: &mut Effects,
    ) -> Result<(Event, usize), Offence> {
        let id = packet.first_chunk().map(|id| i64::from_le_bytes(*id)).ok_or(Malformed)?;
        if id == 0 {
            return Ok((Event::Plain(envelope::open_plain(packet)?.to_vec()), 0));
        }
        let Some(key) = self.key(AuthKeyId(id)) else { return Ok((Event::UnknownKey(AuthKeyId(id)), 0)) };
        let opened = key.open(packet, padded)?;
        let index = self.talk(key, opened.session)?;
        self.talks[index].arrived(arrived_at);
        Ok(match self.talks[index].receive(&opened, message_id::now(), hung_up, effects) {
            Flow::Continue(()) => (Event::Handled, index),
            Flow::Break(_) => (Event::Cut, index),
        })
    }

    fn key(&mut self, id: AuthKeyId) -> Option<Arc<Key>> {
        if let Some(key) = self.keys.iter().find(|key| key.id == id) {
            return Some(Arc::clone(key));
        }
        let registered = self.centre.keys.find(id, self.centre.dc_id)?;
        let key = Arc::new(Key::new(id, registered.key));
        if self.keys.len() >= MOST_SESSIONS {
            self.keys.clear();
        }
        self.keys.push(Arc::clone(&key));
        Some(key)
    }

    fn talk(&mut self, key: Arc<Key>, session: i64) -> Result<usize, Offence> {
        let known = self.talks.iter().position(|talk| talk.session_id == session && talk.key.id == key.id);
        match known {
            Some(index) => Ok(index),
            None if self.talks.len() >= MOST_SESSIONS => Err(Offence::Sessions),
            None => {
                self.talks.push(Talk::new(&self.centre, key, session, self.connection));
                Ok(self.talks.len() - 1)
            }
        }
    }

    /// A delayed call of this session is done.
    pub(crate) fn done(&mut self, talk: usize, request: i64, reply: &Reply) -> Flow {
        self.talks.get_mut(talk).map_or(Flow::Continue(()), |talk| talk.done(request, reply))
    }

    /// Waits for pushes, and puts them in line.
    pub(crate) async fn pushed(&mut self) {
        let mut batch: Vec<Push> = Vec::new();
        let index = poll_fn(|context| {
            for (index, talk) in self.talks.iter_mut().enumerate() {
                let Some(pushes) = &mut talk.pushes else { continue };
                match pushes.poll_recv_many(context, &mut batch, PUSH_BATCH) {
                    Poll::Pending => {}
                    // The world has let go of the session.
                    Poll::Ready(0) => talk.pushes = None,
                    Poll::Ready(_) => return Poll::Ready(index),
                }
            }
            Poll::Pending
        })
        .await;
        for push in &batch {
            self.talks[index].push(push);
        }
    }

    /// Appends all that waits to be sent.
    pub(crate) fn flush(&mut self, transport: &mut Transport, out: &mut Vec<u8>) {
        for talk in &mut self.talks {
            talk.flush(transport, out);
        }
    }

    /// What was flushed is handed to the connection now.
    pub(crate) fn handed(&mut self, now: Instant) {
        for talk in &mut self.talks {
            talk.handed(now);
        }
    }
}
