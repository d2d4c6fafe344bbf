//! A connection that is up: bytes in and out, and the moments at which something is due.

use std::io::ErrorKind;
use std::pin::Pin;
use std::time::Duration;

use ambient::Clock;
use domain::Timestamp;
use grammers_session::updates::UpdatesLike;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::dialogue::{Dialogue, Moment};
use super::envelope::{self, Envelope, MOST_PADDING};
use super::error::Loss;
use super::framing::{self, Frame, Framing};
use super::message;

/// How often Telegram is asked to go on keeping the connection.
const PING: Duration = Duration::from_mins(1);

/// A write that makes no progress for so long finds no one.
const STALLED: Duration = Duration::from_secs(30);

/// What is read at once while nothing large comes, and kept for it.
const AT_REST: usize = 4 * 1024;

/// What connections of one key learned, for the next of them, and the clock that messages are numbered by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Learned {
    started: Instant,
    started_at: Timestamp,
    salt: i64,
    ahead: i64,
}

impl Learned {
    pub(super) fn nothing(clock: &Clock) -> Self {
        Self { started: Instant::now(), started_at: clock.now(), salt: 0, ahead: 0 }
    }

    fn moment(&self, clock: &Clock) -> Moment {
        Moment { running: clock.running(), steady: self.started_at.plus(self.started.elapsed()) }
    }
}

pub(super) struct Live<'a> {
    stream: TcpStream,
    envelope: &'a Envelope,
    clock: &'a Clock,
    learned: Learned,
    pub(super) dialogue: Dialogue,
    framing: Framing,
    incoming: Vec<u8>,
    /// With so many bytes the next packet is whole.
    wanted: usize,
    /// The packet that is being written, and how much of it is.
    outgoing: Vec<u8>,
    written: usize,
    /// When the packet is given up if nothing more of it can be written.
    stalls_at: Duration,
    pings_at: Duration,
    alarm: Alarm,
}

/// A wait that is made again only when it has to be shorter than it was. All moments are readings of the clock that no one
/// sets: a time of day that is set back must not keep a ping from leaving.
struct Alarm {
    at: Duration,
    waiting: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Alarm {
    fn at(at: Duration, clock: &Clock) -> Self {
        let clock = clock.clone();
        let left = at.saturating_sub(clock.running());
        Self { at, waiting: Box::pin(async move { clock.sleep(left).await }) }
    }
}

enum Happened {
    Read(usize),
    Written(usize),
    Due,
}

impl<'a> Live<'a> {
    pub(super) fn new(
        stream: TcpStream,
        envelope: &'a Envelope,
        clock: &'a Clock,
        learned: Learned,
    ) -> Result<Self, Loss> {
        let now = clock.running();
        let pings_at = now.saturating_add(PING);
        Ok(Self {
            stream,
            envelope,
            clock,
            learned,
            dialogue: Dialogue::new(i64::from_le_bytes(random()?), learned.salt, learned.ahead),
            framing: Framing::default(),
            incoming: Vec::new(),
            wanted: 0,
            outgoing: Vec::new(),
            written: 0,
            stalls_at: now,
            pings_at,
            alarm: Alarm::at(pings_at, clock),
        })
    }

    /// What this one learned, what is still in flight, and the stream that is to be closed.
    pub(super) fn into_parts(self) -> (Learned, Dialogue, TcpStream) {
        let (salt, ahead) = self.dialogue.learned();
        (Learned { salt, ahead, ..self.learned }, self.dialogue, self.stream)
    }

    /// Carries the connection one step on: reads, or writes, or does what is due. Nothing is lost when this is dropped
    /// half-way. What reports changes is put to `arrived`.
    pub(super) async fn step(&mut self, arrived: &mut Vec<UpdatesLike>) -> Result<(), Loss> {
        self.fill()?;
        self.set_alarm();
        self.make_room();
        let (mut reader, mut writer) = self.stream.split();
        let left = self.outgoing.get(self.written..).unwrap_or_default();
        let happened = tokio::select! {
            read = reader.read_buf(&mut self.incoming) => Happened::Read(read?),
            written = writer.write(left), if !left.is_empty() => Happened::Written(written?),
            () = &mut self.alarm.waiting => Happened::Due,
        };
        match happened {
            Happened::Read(0) | Happened::Written(0) => Err(Loss::Ended),
            Happened::Read(_) => self.read(arrived),
            Happened::Written(count) => {
                self.wrote(count);
                Ok(())
            }
            Happened::Due => self.due(),
        }
    }

    /// Writes what is in line as far as that needs no wait; the next step goes on with the rest.
    pub(super) fn write_at_once(&mut self) -> Result<(), Loss> {
        self.fill()?;
        let left = self.outgoing.get(self.written..).unwrap_or_default();
        if left.is_empty() {
            return Ok(());
        }
        match self.stream.try_write(left) {
            Ok(0) => Err(Loss::Ended),
            Ok(count) => {
                self.wrote(count);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Packs the next packet, unless one is on its way.
    fn fill(&mut self) -> Result<(), Loss> {
        if !self.outgoing.is_empty() {
            return Ok(());
        }
        let moment = self.learned.moment(self.clock);
        self.outgoing.resize(framing::HEADER + envelope::HEADER, 0);
        if !self.dialogue.pack(moment, &mut self.outgoing) {
            self.outgoing.clear();
            return Ok(());
        }
        self.envelope.seal(&mut self.outgoing, framing::HEADER, &random::<MOST_PADDING>()?);
        self.framing.frame(&mut self.outgoing);
        self.stalls_at = moment.running.saturating_add(STALLED);
        tracing::trace!(bytes = self.outgoing.len(), "a packet leaves");
        Ok(())
    }

    fn wrote(&mut self, count: usize) {
        if self.written == 0 {
            self.dialogue.begun();
        }
        self.written += count;
        self.stalls_at = self.clock.running().saturating_add(STALLED);
        if self.written >= self.outgoing.len() {
            self.written = 0;
            self.outgoing.clear();
        }
    }

    fn read(&mut self, arrived: &mut Vec<UpdatesLike>) -> Result<(), Loss> {
        let moment = self.learned.moment(self.clock);
        let mut at = 0;
        loop {
            let found = self.framing.next(self.incoming.get(at..).unwrap_or_default())?;
            let (packet, end) = match found {
                Frame::Packet { packet, end } => (at + packet.start..at + packet.end, at + end),
                Frame::Missing(whole) => {
                    self.wanted = whole;
                    break;
                }
            };
            let packet = self.incoming.get_mut(packet).unwrap_or_default();
            tracing::trace!(bytes = packet.len(), "a packet came");
            let opened = self.envelope.open(packet).map_err(Loss::Garbled)?;
            if opened.session == self.dialogue.session() {
                for message in message::read(&opened).map_err(Loss::Garbled)? {
                    self.dialogue.hear(message, moment, arrived);
                }
            } else {
                tracing::debug!("a packet of another session came and was not read");
            }
            at = end;
        }
        self.incoming.drain(..at);
        Ok(())
    }

    /// Room for what is known to come, and no more than a little while nothing does.
    fn make_room(&mut self) {
        if self.dialogue.is_quiet() && self.outgoing.is_empty() {
            if self.outgoing.capacity() > AT_REST {
                self.outgoing = Vec::new();
            }
            if self.incoming.is_empty() && self.incoming.capacity() > 2 * AT_REST {
                self.incoming = Vec::new();
            }
            self.dialogue.shrink();
        }
        let room = self.wanted.saturating_sub(self.incoming.len()).max(AT_REST / 4);
        if self.incoming.capacity() - self.incoming.len() < room {
            self.incoming.reserve_exact(room.max(AT_REST));
        }
    }

    fn set_alarm(&mut self) {
        let stalls_at = (!self.outgoing.is_empty()).then_some(self.stalls_at);
        let first = [Some(self.pings_at), stalls_at, self.dialogue.acknowledges_at()];
        if let Some(first) = first.into_iter().flatten().min()
            && first < self.alarm.at
        {
            self.alarm = Alarm::at(first, self.clock);
        }
    }

    /// The alarm went off, maybe for something that is over.
    fn due(&mut self) -> Result<(), Loss> {
        let now = self.clock.running();
        if !self.outgoing.is_empty() && self.stalls_at <= now {
            return Err(Loss::Stalled);
        }
        if self.pings_at <= now {
            self.dialogue.forget_abandoned();
            self.dialogue.ping(i64::try_from(now.as_micros()).unwrap_or(i64::MAX));
            self.pings_at = now.saturating_add(PING);
        }
        self.alarm = Alarm::at(self.pings_at, self.clock);
        Ok(())
    }
}

fn random<const N: usize>() -> Result<[u8; N], Loss> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Loss::Broken("the system gives no random numbers".to_owned()))?;
    Ok(bytes)
}

#[cfg(test)]
impl Live<'_> {
    /// The bytes that its buffers hold on to.
    pub(super) fn held(&self) -> usize {
        self.incoming.capacity() + self.outgoing.capacity()
    }
}
