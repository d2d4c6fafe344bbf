//! The task behind a connection: connects with the first request, greets, carries requests, and waits for the next one when
//! the connection is lost.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use grammers_session::updates::UpdatesLike;
use tokio::sync::{mpsc, oneshot, watch};

use super::dialogue::ReplySender;
use super::envelope::Envelope;
use super::error::{Loss, RequestError};
use super::live::{Learned, Live};
use super::proxied::Proxied;
use super::{Updates, greeting, socket};
use crate::data_centre::DataCentre;

/// How long the answer to the greeting may take.
const GREETING: Duration = Duration::from_secs(20);

/// A request on its way to the connection.
pub(super) struct Request {
    pub(super) body: Vec<u8>,
    pub(super) updates: Updates,
    pub(super) answer: ReplySender,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Orders {
    /// Each new round begins without a connection.
    pub(super) round: u64,
    pub(super) quit: bool,
}

/// Who hears of what comes by itself.
pub(super) struct Arrivals {
    /// First of all; what it asks for is written at once when it calls its second argument.
    pub(super) observer: UpdateObserver,
    pub(super) arrived: Box<dyn FnMut(UpdatesLike) + Send>,
}

type UpdateObserver = Box<dyn FnMut(&UpdatesLike, &mut dyn FnMut()) + Send>;

/// Why a connection is not carried on.
enum Ended {
    Lost(Loss),
    /// It was ordered so.
    Ordered,
}

pub(super) struct Runner {
    pub(super) centre: Arc<DataCentre>,
    pub(super) envelope: Envelope,
    pub(super) api_id: i32,
    pub(super) proxy: Option<Proxied>,
    pub(super) clock: Clock,
    pub(super) requests: mpsc::Receiver<Request>,
    pub(super) orders: watch::Receiver<Orders>,
    pub(super) arrivals: Arrivals,
}

impl Runner {
    /// Runs until it is ordered to quit, or no one can ask for anything any more.
    pub(super) async fn run(mut self) {
        loop {
            let first = tokio::select! {
                biased;
                ordered = self.orders.changed() => {
                    if ordered.is_err() || self.orders.borrow().quit {
                        return self.turn_away(None, &closed());
                    }
                    continue;
                }
                request = self.requests.recv() => match request {
                    Some(request) => request,
                    None => return,
                },
            };
            if !first.answer.is_closed() {
                self.connection(first).await;
            }
            if self.orders.borrow().quit {
                return self.turn_away(None, &closed());
            }
        }
    }

    /// Answers a request, and all that wait for the same connection, with an error: none of them was written.
    fn turn_away(&mut self, first: Option<Request>, error: &RequestError) {
        let mut next = first;
        while let Some(Request { answer, .. }) = next.take().or_else(|| self.requests.try_recv().ok()) {
            // Anyone who asked may be gone.
            let _ = answer.send(Err(error.clone()));
        }
    }

    /// Makes a connection for a request, and stays with it to its end.
    async fn connection(&mut self, first: Request) {
        let Self { centre, envelope, proxy, clock, requests, orders, arrivals, .. } = self;
        let learned = centre.learned().unwrap_or_else(|| Learned::nothing(clock));
        let dialled = tokio::select! {
            biased;
            _ = orders.changed() => Err(closed()),
            dialled = dial(centre, envelope, proxy.as_ref(), clock, learned) => dialled,
        };
        let mut live = match dialled {
            Ok(live) => live,
            Err(error) => return self.turn_away(Some(first), &error),
        };
        let greeted = tokio::select! {
            biased;
            _ = orders.changed() => Err(closed()),
            greeted = greet(&mut live, centre, self.api_id, first.updates, clock, arrivals) => greeted,
        };
        if let Err(error) = greeted {
            let (_, _, stream) = live.into_parts();
            self.turn_away(Some(first), &error);
            return socket::leave(stream).await;
        }
        live.dialogue.ask(first.body, first.updates, first.answer);
        let ended = carry(&mut live, requests, orders, arrivals).await;
        let (learned, mut dialogue, stream) = live.into_parts();
        centre.learn(learned);
        match ended {
            Ended::Ordered => dialogue.end(&Loss::Closed),
            Ended::Lost(loss) => {
                tracing::debug!(dc_id = centre.id, %loss, "a connection is lost");
                dialogue.end(&loss);
                (self.arrivals.arrived)(UpdatesLike::ConnectionClosed);
            }
        }
        // Anyone who asked knows; anyone who asks next waits until nothing of this one is left.
        socket::leave(stream).await;
    }
}

fn closed() -> RequestError {
    RequestError::Lost { loss: Loss::Closed, written: false }
}

fn unwritten(loss: Loss) -> RequestError {
    match loss {
        Loss::Status(404) => RequestError::KeyUnknown,
        loss => RequestError::Lost { loss, written: false },
    }
}

async fn dial<'a>(
    centre: &DataCentre,
    envelope: &'a Envelope,
    proxy: Option<&Proxied>,
    clock: &'a Clock,
    learned: Learned,
) -> Result<Live<'a>, RequestError> {
    let stream = socket::dial(centre.address(), proxy, clock).await;
    let stream = stream.map_err(|error| RequestError::Unreachable(error.to_string()))?;
    Live::new(stream, envelope, clock, learned).map_err(unwritten)
}

/// Greets. Of whatever is asked afterwards nothing was written when this fails.
async fn greet(
    live: &mut Live<'_>,
    centre: &DataCentre,
    api_id: i32,
    updates: Updates,
    clock: &Clock,
    arrivals: &mut Arrivals,
) -> Result<(), RequestError> {
    let (answer, mut result) = oneshot::channel();
    // It has its wrapper inside.
    live.dialogue.ask(greeting::request(api_id, updates), Updates::Wanted, answer);
    let greeted = clock.timeout(GREETING, async {
        let mut updates_read = Vec::new();
        loop {
            let stepped = live.step(&mut updates_read).await;
            for updates in &updates_read {
                (arrivals.observer)(updates, &mut || {});
            }
            updates_read.drain(..).for_each(&mut *arrivals.arrived);
            stepped.map_err(unwritten)?;
            if let Ok(result) = result.try_recv() {
                return result;
            }
        }
    });
    let config = greeted.await.map_err(|_| unwritten(Loss::Silent))??;
    if let Some(address) = greeting::address(&config, centre.id, centre.address().is_ipv6()) {
        centre.moved_to(address);
    }
    Ok(())
}

/// Carries requests for as long as the connection lasts and no one wants it closed.
async fn carry(
    live: &mut Live<'_>,
    requests: &mut mpsc::Receiver<Request>,
    orders: &mut watch::Receiver<Orders>,
    arrivals: &mut Arrivals,
) -> Ended {
    let mut updates_read = Vec::new();
    loop {
        let has_room = live.dialogue.has_room();
        tokio::select! {
            biased;
            _ = orders.changed() => return Ended::Ordered,
            request = requests.recv(), if has_room => {
                let Some(Request { body, updates, answer }) = request else { return Ended::Ordered };
                live.dialogue.ask(body, updates, answer);
                // Those that wait already leave together with it.
                ask_waiting(live, requests);
            }
            mut stepped = live.step(&mut updates_read) => {
                let mut write = || {
                    if stepped.is_ok() && matches!(orders.has_changed(), Ok(false)) {
                        ask_waiting(live, requests);
                        stepped = live.write_at_once();
                    }
                };
                for updates in &updates_read {
                    (arrivals.observer)(updates, &mut write);
                }
                updates_read.drain(..).for_each(&mut *arrivals.arrived);
                if let Err(loss) = stepped {
                    return Ended::Lost(loss);
                }
            }
        }
    }
}

/// Puts those in line that wait to be taken.
fn ask_waiting(live: &mut Live<'_>, requests: &mut mpsc::Receiver<Request>) {
    while live.dialogue.has_room()
        && let Ok(Request { body, updates, answer }) = requests.try_recv()
    {
        live.dialogue.ask(body, updates, answer);
    }
}
