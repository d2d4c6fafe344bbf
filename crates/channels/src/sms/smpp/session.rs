//! The connection to a message centre: bound again whenever it is lost, kept alive, and shared by all that goes out and comes in.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ambient::Clock;
use ambient::lock::Mutex;
use bytes::Bytes;
use domain::secret::ExposeSecret;
use futures::{SinkExt, StreamExt};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::pdu::{self, Pdu, ShortMessage};
use crate::error::{CallError, NO_NUMBER};
use crate::server::Server;
use crate::wire::{Dial, Wire};

/// The longest wait for an answer of the centre.
const ANSWER: Duration = Duration::from_secs(20);
/// A quiet centre is asked so often whether it is there.
const LINK: Duration = Duration::from_secs(30);
/// The first wait after a connection that was lost or refused; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// The wait after `ESME_RTHROTTLED`, which gives none.
const THROTTLED: Duration = Duration::from_secs(5);
/// The most requests that are under way.
const WINDOW: usize = 10;
/// The most requests that wait to be sent.
const QUEUE: usize = 64;
/// So much that the centre delivered waits to be kept at most.
const INBOX: usize = 100;
/// The longest PDU: a text of `message_payload` has up to 64 KiB.
const LARGEST: usize = 128 * 1024;

type Frames = Framed<Wire, LengthDelimitedCodec>;

/// What a centre is bound with.
pub(super) struct Centre {
    pub(super) dial: Dial,
    pub(super) server: Server,
    pub(super) system_type: String,
    /// Whether what comes in is wanted.
    pub(super) hears: bool,
}

/// A request on its way.
pub(super) struct Request {
    command: u32,
    body: Vec<u8>,
    is_begun: Arc<AtomicBool>,
    answer: oneshot::Sender<Result<Pdu, CallError>>,
}

/// What the connection and its users share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something came in, or the connection was bound or lost.
    changed: Notify,
    /// Something is to be answered.
    to_answer: Notify,
}

#[derive(Default)]
struct State {
    /// Why there is no connection, once one was tried.
    down: Option<CallError>,
    /// What the centre calls itself.
    name: String,
    /// What came in and has no answer yet, with the numbers that the answers bear.
    inbox: VecDeque<(u32, ShortMessage)>,
    /// Numbers to answer.
    answers: Vec<u32>,
    /// The number of the connection.
    bound: u64,
}

/// What came in and has no answer yet.
pub(super) struct Waiting {
    /// The connection that it came by.
    pub(super) bound: u64,
    pub(super) messages: Vec<ShortMessage>,
}

/// A handle to the connection. The connection ends with it.
pub(super) struct Session {
    clock: Clock,
    requests: mpsc::Sender<Request>,
    shared: Arc<Shared>,
    _task: tokio_util::task::AbortOnDropHandle<()>,
}

impl Session {
    /// Begins to connect.
    pub(super) fn start(centre: &Arc<Centre>) -> Self {
        let (requests, orders) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let keeper = Keeper { centre: Arc::clone(centre), orders, shared: Arc::clone(&shared) };
        let task = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(keeper.run()));
        Self { clock: centre.dial.clock.clone(), requests, shared, _task: task }
    }

    /// Makes a request and waits for its answer, whatever its status.
    pub(super) async fn ask(&self, command: u32, body: Vec<u8>) -> Result<Pdu, CallError> {
        let (answer, mut answered) = oneshot::channel();
        let is_begun = Arc::new(AtomicBool::new(false));
        let request = Request { command, body, is_begun: Arc::clone(&is_begun), answer };
        let asking = async {
            let gone = || "the connection has ended".to_owned();
            self.requests.send(request).await.map_err(|_| CallError::Unreached(gone()))?;
            (&mut answered).await.unwrap_or_else(|_| Err(CallError::Broken(gone())))
        };
        let result = self.clock.timeout(ANSWER, asking).await;
        answered.close();
        match result {
            Ok(answer) => answer,
            Err(_) if is_begun.load(Ordering::SeqCst) => Err(CallError::NoAnswer(ANSWER)),
            Err(_) => Err(CallError::Unreached("there was no connection in time".to_owned())),
        }
    }

    /// What the centre calls itself.
    pub(super) fn name(&self) -> String {
        self.shared.state.lock().name.clone()
    }

    /// Waits until something came in, for at most so long; empty where nothing did.
    ///
    /// # Errors
    /// There is no connection.
    pub(super) async fn incoming(&self, limit: Duration) -> Result<Waiting, CallError> {
        let arriving = async {
            loop {
                let changed = self.shared.changed.notified();
                let state = self.shared.state.lock().look();
                match state {
                    Some(found) => return found,
                    None => changed.await,
                }
            }
        };
        let nothing = Waiting { bound: 0, messages: Vec::new() };
        self.clock.timeout(limit, arriving).await.unwrap_or(Ok(nothing))
    }

    /// Answers the first `count` messages that came in by this connection. True once the centre has read the answers, which its answer to a
    /// later request shows: it reads what comes over a connection in order.
    pub(super) async fn answer(&self, bound: u64, count: usize) -> bool {
        {
            let mut state = self.shared.state.lock();
            if state.bound != bound || state.down.is_some() {
                return false;
            }
            let count = count.min(state.inbox.len());
            let answered: Vec<u32> = state.inbox.drain(..count).map(|(sequence, _)| sequence).collect();
            state.answers.extend(answered);
        }
        self.shared.to_answer.notify_one();
        let is_read = self.ask(pdu::ENQUIRE_LINK, Vec::new()).await.is_ok();
        let state = self.shared.state.lock();
        is_read && state.bound == bound
    }
}

impl State {
    fn look(&self) -> Option<Result<Waiting, CallError>> {
        if let Some(why) = &self.down {
            return Some(Err(why.clone()));
        }
        let messages: Vec<_> = self.inbox.iter().map(|(_, message)| message.clone()).collect();
        (!messages.is_empty()).then_some(Ok(Waiting { bound: self.bound, messages }))
    }
}

/// What holds the connection.
struct Keeper {
    centre: Arc<Centre>,
    orders: mpsc::Receiver<Request>,
    shared: Arc<Shared>,
}

impl Keeper {
    async fn run(mut self) {
        let clock = self.centre.dial.clock.clone();
        let mut wait = FIRST_WAIT;
        loop {
            let why = match self.bind().await {
                Ok(frames) => {
                    let bound = clock.running();
                    let why = self.serve(frames).await;
                    // One that is bound and thrown out at once waits longer, too.
                    if clock.running().saturating_sub(bound) > LONGEST_WAIT {
                        wait = FIRST_WAIT;
                    }
                    why
                }
                Err(why) => why,
            };
            // A centre shuts out those who keep trying a wrong password.
            if why.stops_account() {
                wait = LONGEST_WAIT;
            }
            tracing::warn!(server = %self.centre.server, error = %why, "there is no connection to a message centre");
            {
                let mut state = self.shared.state.lock();
                state.down = Some(why.clone());
                state.inbox.clear();
                state.answers.clear();
            }
            self.shared.changed.notify_waiters();
            if self.refuse(&why.before_send(), wait).await.is_none() {
                return;
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Refuses all requests for so long; none once there are no users.
    async fn refuse(&mut self, why: &CallError, wait: Duration) -> Option<()> {
        let clock = self.centre.dial.clock.clone();
        let over = clock.sleep(wait);
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = &mut over => return Some(()),
                request = self.orders.recv() => drop(request?.answer.send(Err(why.clone()))),
            }
        }
    }

    async fn bind(&self) -> Result<Frames, CallError> {
        let Centre { dial, server, system_type, hears } = &*self.centre;
        let codec = LengthDelimitedCodec::builder()
            .length_field_length(4)
            .length_adjustment(-4)
            .max_frame_length(LARGEST)
            .new_codec();
        let mut frames = Framed::new(dial.open(server).await?, codec);
        let (system_id, password) = match &server.login {
            Some((user, password)) => (user.as_str(), password.expose_secret()),
            None => ("", ""),
        };
        let command = if *hears { pdu::BIND_TRANSCEIVER } else { pdu::BIND_TRANSMITTER };
        let body = pdu::bind(system_id, password, system_type);
        let binding = async {
            frames
                .send(Bytes::from(Pdu { command, status: 0, sequence: 1, body }.write()))
                .await
                .map_err(|error| broken(&error))?;
            let answer = frames.next().await.ok_or_else(closed)?.map_err(|error| broken(&error))?;
            Pdu::read(&answer)
                .ok_or_else(|| CallError::Unreadable("an answer to a bind that is too short".to_owned()))
        };
        let answer = dial.clock.timeout(ANSWER, binding).await.unwrap_or(Err(CallError::NoAnswer(ANSWER)))?;
        if answer.command != command | pdu::ANSWER && answer.command != pdu::GENERIC_NACK {
            return Err(CallError::Unreadable(format!("{:#x} to a bind", answer.command)));
        }
        if let Some(refused) = refusal(answer.status) {
            return Err(refused);
        }
        let mut state = self.shared.state.lock();
        state.down = None;
        state.name = answer.text();
        state.bound += 1;
        Ok(frames)
    }

    /// Serves a connection until it ends, and says why it did.
    async fn serve(&mut self, mut frames: Frames) -> CallError {
        let mut pending: HashMap<u32, oneshot::Sender<Result<Pdu, CallError>>> = HashMap::new();
        let why = self.served(&mut frames, &mut pending).await;
        for answer in pending.into_values() {
            let _ = answer.send(Err(why.clone()));
        }
        why
    }

    async fn served(
        &mut self,
        frames: &mut Frames,
        pending: &mut HashMap<u32, oneshot::Sender<Result<Pdu, CallError>>>,
    ) -> CallError {
        let clock = self.centre.dial.clock.clone();
        let (mut sequence, mut last_received, mut is_doubted) = (1_u32, clock.running(), false);
        loop {
            pending.retain(|_, answer| !answer.is_closed());
            let quiet = if is_doubted { LINK + ANSWER } else { LINK };
            let left = (last_received + quiet).saturating_sub(clock.running());
            let out = tokio::select! {
                frame = frames.next() => {
                    let frame = match frame {
                        None => return closed(),
                        Some(Err(error)) => return broken(&error),
                        Some(Ok(frame)) => frame,
                    };
                    (last_received, is_doubted) = (clock.running(), false);
                    let Some(read) = Pdu::read(&frame) else {
                        return CallError::Unreadable("a PDU without a header".to_owned());
                    };
                    if read.command & pdu::ANSWER != 0 {
                        if let Some(answer) = pending.remove(&read.sequence) {
                            let _ = answer.send(Ok(read));
                        }
                        continue;
                    }
                    self.taken(&read).into_iter().collect::<Vec<_>>()
                }
                request = self.orders.recv(), if pending.len() < WINDOW => {
                    let Some(request) = request else { return closed() };
                    request.is_begun.store(true, Ordering::SeqCst);
                    if request.answer.is_closed() {
                        continue;
                    }
                    sequence = following(sequence);
                    pending.insert(sequence, request.answer);
                    let mut out = self.answers();
                    out.push(Pdu { command: request.command, status: 0, sequence, body: request.body });
                    out
                }
                () = self.shared.to_answer.notified() => self.answers(),
                () = clock.sleep(left) => {
                    if is_doubted {
                        return CallError::NoAnswer(ANSWER);
                    }
                    is_doubted = true;
                    sequence = following(sequence);
                    vec![Pdu { command: pdu::ENQUIRE_LINK, status: 0, sequence, body: Vec::new() }]
                }
            };
            let is_end = out.iter().any(|out| out.command == pdu::UNBIND | pdu::ANSWER);
            let sending = async {
                for out in out {
                    frames.feed(Bytes::from(out.write())).await?;
                }
                SinkExt::<Bytes>::flush(frames).await
            };
            match clock.timeout(ANSWER, sending).await {
                Err(_) => return CallError::NoAnswer(ANSWER),
                Ok(Err(error)) => return broken(&error),
                Ok(Ok(())) if is_end => return CallError::Broken("the centre ended it".to_owned()),
                Ok(Ok(())) => {}
            }
        }
    }

    /// The answers that are to be written.
    fn answers(&self) -> Vec<Pdu> {
        let answers = std::mem::take(&mut self.shared.state.lock().answers);
        answers.into_iter().map(|sequence| Pdu::answer(pdu::DELIVER_SM, 0, sequence)).collect()
    }

    /// Takes a request of the centre; what is answered at once. What comes in is answered once it is kept.
    fn taken(&self, read: &Pdu) -> Option<Pdu> {
        let status = match read.command {
            pdu::DELIVER_SM => match ShortMessage::read(&read.body) {
                Some(message) => {
                    let mut state = self.shared.state.lock();
                    if state.inbox.len() < INBOX {
                        state.inbox.push_back((read.sequence, message));
                        drop(state);
                        self.shared.changed.notify_waiters();
                        return None;
                    }
                    pdu::QUEUE_FULL
                }
                None => pdu::SYSTEM_ERROR,
            },
            pdu::ENQUIRE_LINK | pdu::UNBIND => 0,
            _ => return Some(Pdu::answer(pdu::GENERIC_NACK, pdu::NO_SUCH_COMMAND, read.sequence)),
        };
        Some(Pdu::answer(read.command, status, read.sequence))
    }
}

/// The number of the next request: up to `0x7FFF_FFFF` (3.2).
const fn following(sequence: u32) -> u32 {
    if sequence >= 0x7FFF_FFFF { 1 } else { sequence + 1 }
}

fn closed() -> CallError {
    CallError::Broken("the centre closed it".to_owned())
}

fn broken(error: &std::io::Error) -> CallError {
    CallError::Broken(error.kind().to_string())
}

/// What a status means (5.1.3); none where all is well.
pub(super) fn refusal(status: u32) -> Option<CallError> {
    let detail = format!("the centre says {status:#06x}");
    Some(match status {
        0 => return None,
        0x58 => CallError::wait(THROTTLED),
        pdu::QUEUE_FULL | pdu::SYSTEM_ERROR => CallError::wait(NO_NUMBER),
        // Bound already.
        0x05 => CallError::Conflict(detail),
        0x0D..=0x0F => CallError::Token(detail),
        0x0B => CallError::NotFound(detail),
        // Not bound: the connection is of no use, and nothing was done.
        0x04 => CallError::Unreached(detail),
        status => CallError::refused(format!("{status:#06x}"), "the centre refuses it"),
    })
}
