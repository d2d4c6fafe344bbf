//! One connection: reads all that is there, answers it with one write.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures::FutureExt;
#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest, Ready};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Centre;
use super::arrival::{self, READ};
use super::dialogue::{Dialogue, Event, Offence};
use super::envelope;
use super::exchange::{Exchange, ExchangeError};
use super::message_id::{Ids, Purpose, now};
use super::talk::{Effects, Flow};
use super::transport::{self, Transport, TransportError};
use crate::call::{ConnectionId, Reply};

/// Calls that may be delayed before no more is read.
const MOST_DELAYED: usize = 1024;
/// A client that takes nothing for so long is gone.
const WRITE_TIME: Duration = Duration::from_secs(30);
/// A client that has not shown a key by then is none.
const OPENING_TIME: Duration = Duration::from_mins(1);
/// A client that says nothing for so long is gone; pings come every minute.
const IDLE_TIME: Duration = Duration::from_mins(15);
/// How long a refused client has to read why.
const LINGER: Duration = Duration::from_secs(1);
/// The transport error for an unknown key, or a key exchange that went wrong.
const NOT_FOUND: i32 = -404;

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("the client closed it")]
    Closed,
    #[error("the world cut it")]
    Cut,
    #[error("the data centre stops")]
    Stopped,
    #[error("nothing came in time")]
    Silent,
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error(transparent)]
    Offence(#[from] Offence),
    #[error("no such key here: {0:x}")]
    UnknownKey(i64),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
}

/// A delayed call that is done.
struct Done {
    talk: usize,
    request: i64,
    reply: Reply,
}

/// What woke the connection.
enum Wake {
    Read(usize, Instant),
    Done(Done),
    Pushed,
    Timer,
}

/// Serves a connection to its end.
pub(crate) async fn serve(
    centre: Arc<Centre>,
    stream: TcpStream,
    address: IpAddr,
    id: ConnectionId,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let (done_sender, done) = mpsc::channel(MOST_DELAYED);
    arrival::note(&stream);
    let mut connection = Connection {
        dialogue: Dialogue::new(Arc::clone(&centre), id),
        exchange: None,
        ids: Ids::default(),
        stream,
        transport: None,
        incoming: BytesMut::with_capacity(READ),
        outgoing: Vec::with_capacity(READ),
        done_sender,
        done,
        delayed: 0,
        disconnect_at: None,
        idle_at: Instant::now() + OPENING_TIME,
        stop: stop.clone(),
        tasks,
        centre: Arc::clone(&centre),
    };
    let end = connection.run().await;
    tracing::debug!(connection = id.0, dc = centre.dc_id, %end, "connection over");
    if matches!(end, End::UnknownKey(_) | End::Exchange(_)) {
        let held = sleep(centre.refusals.wait(address, std::time::Instant::now()));
        tokio::select! {
            () = stop.cancelled() => {}
            () = async { held.await; connection.refuse().await } => {}
        }
    }
    drop(connection);
    centre.world.disconnected(id);
}

struct Connection {
    centre: Arc<Centre>,
    dialogue: Dialogue,
    exchange: Option<Exchange>,
    /// Ids of plain messages.
    ids: Ids,
    stream: TcpStream,
    transport: Option<Transport>,
    incoming: BytesMut,
    outgoing: Vec<u8>,
    done_sender: mpsc::Sender<Done>,
    done: mpsc::Receiver<Done>,
    delayed: usize,
    disconnect_at: Option<Instant>,
    idle_at: Instant,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Whether the client has closed the connection, however much of what it sent is still to be read.
fn has_hung_up(stream: &TcpStream) -> bool {
    let now = stream.ready(Interest::READABLE).now_or_never();
    now.is_some_and(|now| now.is_ok_and(Ready::is_read_closed)) || is_closed_there(stream)
}

/// The same, asked of the system: the runtime may not have heard of it yet.
#[cfg(target_os = "linux")]
fn is_closed_there(stream: &TcpStream) -> bool {
    let closed = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    let mut polled = [PollFd::new(stream, PollFlags::RDHUP)];
    poll(&mut polled, Some(&Timespec::default())).is_ok_and(|_| polled[0].revents().intersects(closed))
}

#[cfg(not(target_os = "linux"))]
const fn is_closed_there(_: &TcpStream) -> bool {
    false
}

impl Connection {
    async fn run(&mut self) -> End {
        let stop = self.stop.clone();
        let mut stopped = pin!(stop.cancelled());
        let mut timer = pin!(sleep_until(self.deadline()));
        loop {
            let wake = tokio::select! {
                () = &mut stopped => return End::Stopped,
                read = arrival::read(&self.stream, &mut self.incoming), if self.delayed < MOST_DELAYED => match read {
                    Ok((0, _)) => return End::Closed,
                    Ok((count, at)) => Wake::Read(count, at),
                    Err(error) => return error.into(),
                },
                Some(done) = self.done.recv() => Wake::Done(done),
                () = self.dialogue.pushed() => Wake::Pushed,
                () = &mut timer => Wake::Timer,
            };
            let handled = match wake {
                Wake::Read(count, at) => self.read(count, at).await,
                Wake::Done(done) => self.finish(&done),
                Wake::Timer if Instant::now() >= self.deadline() => return End::Silent,
                Wake::Pushed | Wake::Timer => Ok(()),
            };
            // What was ready before the end is still said.
            let written = self.flush(&mut stopped).await;
            if let Err(end) = handled.and(written) {
                return end;
            }
            if self.deadline() < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(self.deadline());
            }
        }
    }

    fn deadline(&self) -> Instant {
        self.disconnect_at.map_or(self.idle_at, |at| at.min(self.idle_at))
    }

    /// Handles all packets that are complete.
    async fn read(&mut self, count: usize, arrived_at: Instant) -> Result<(), End> {
        if let Some(transport) = &mut self.transport {
            let known = self.incoming.len() - count;
            transport.arrived(&mut self.incoming[known..]);
        } else {
            let Some((mut transport, skip)) = transport::detect(&self.incoming)? else { return Ok(()) };
            self.incoming.advance(skip);
            transport.arrived(&mut self.incoming);
            self.transport = Some(transport);
        }
        let mut effects = Effects::default();
        loop {
            let Some(transport) = &mut self.transport else { return Ok(()) };
            let Some(frame) = transport.next(&self.incoming)? else { return Ok(()) };
            let padded = transport.pads();
            let packet = &mut self.incoming[frame.payload];
            let hung_up = || has_hung_up(&self.stream);
            let event = self.dialogue.packet(packet, (padded, arrived_at), &hung_up, &mut effects);
            self.incoming.advance(frame.end);
            let (event, talk) = event?;
            self.apply(talk, &mut effects);
            match event {
                Event::Handled => self.idle_at = Instant::now() + IDLE_TIME,
                Event::Plain(body) => self.exchange(body).await?,
                Event::UnknownKey(id) => return Err(End::UnknownKey(id.0)),
                Event::Cut => return Err(End::Cut),
            }
        }
    }

    fn apply(&mut self, talk: usize, effects: &mut Effects) {
        if let Some(delay) = effects.disconnect_after.take() {
            self.disconnect_at = Some(Instant::now() + delay);
        }
        for delayed in effects.delayed.drain(..) {
            self.delayed += 1;
            let (stop, done) = (self.stop.clone(), self.done_sender.clone());
            // Goes on without the connection: a request that was taken has its effect.
            self.tasks.spawn(async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    reply = delayed.reply => {
                        let done = done.send(Done { talk, request: delayed.request, reply }).await;
                        if done.is_err() {
                            tracing::debug!("a delayed reply found its connection closed");
                        }
                    }
                }
            });
        }
    }

    fn finish(&mut self, done: &Done) -> Result<(), End> {
        self.delayed -= 1;
        match self.dialogue.done(done.talk, done.request, &done.reply) {
            Flow::Continue(()) => Ok(()),
            Flow::Break(_) => Err(End::Cut),
        }
    }

    async fn exchange(&mut self, body: Vec<u8>) -> Result<(), End> {
        let mut exchange = self
            .exchange
            .take()
            .unwrap_or_else(|| Exchange::new(self.centre.dc_id, Arc::clone(&self.centre.rsa)));
        let keys = Arc::clone(&self.centre.keys);
        // Large powers take milliseconds, in which other connections have work to do.
        let step = tokio::task::spawn_blocking(move || {
            let reply = exchange.step(&body, now(), &keys);
            (exchange, reply)
        });
        let (exchange, reply) = step.await.map_err(std::io::Error::other)?;
        self.exchange = Some(exchange);
        let id = self.ids.next(now(), Purpose::Answer);
        let packet = envelope::plain(id, &reply?);
        if let Some(transport) = &mut self.transport {
            let start = transport.begin(&mut self.outgoing, packet.len());
            self.outgoing.extend_from_slice(&packet);
            transport.end(&mut self.outgoing, start);
        }
        Ok(())
    }

    async fn flush(&mut self, mut stopped: impl Future<Output = ()> + Unpin) -> Result<(), End> {
        if let Some(transport) = &mut self.transport {
            self.dialogue.flush(transport, &mut self.outgoing);
        }
        if self.outgoing.is_empty() {
            return Ok(());
        }
        self.dialogue.handed(Instant::now());
        let written = tokio::select! {
            biased;
            written = timeout(WRITE_TIME, self.stream.write_all(&self.outgoing)) => written,
            () = &mut stopped => return Err(End::Stopped),
        };
        self.outgoing.clear();
        match written {
            Ok(written) => written.map_err(End::Io),
            Err(_) => Err(End::Silent),
        }
    }

    /// Says -404 and waits until it is read: closing at once could take it away from the client.
    async fn refuse(&mut self) {
        let Some(transport) = &mut self.transport else { return };
        transport.refuse(&mut self.outgoing, NOT_FOUND);
        let delivery = timeout(LINGER, async {
            self.stream.write_all(&self.outgoing).await?;
            self.stream.shutdown().await?;
            loop {
                self.incoming.clear();
                if self.stream.read_buf(&mut self.incoming).await? == 0 {
                    return Ok::<(), std::io::Error>(());
                }
            }
        });
        if !matches!(delivery.await, Ok(Ok(()))) {
            tracing::debug!("a refused client did not wait for the answer");
        }
    }
}
