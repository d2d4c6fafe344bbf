//! A lane's worker: takes one message after the other and brings each to its end.

use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::message::{OutboundMessage, PartState};
use domain::outcome::{Refusal, Unclear};
use domain::{AccountName, Address, MessageId, Outcome, Timestamp};
use futures::FutureExt;
use store::Binding;
use tokio_util::sync::CancellationToken;

use crate::decide::{self, Unsettled};
use crate::lanes::{Job, LaneId, Take};
use crate::pace::Slot;
use crate::sender::{Candidates, RefusalKind};
use crate::{Delivery, Inner, due_since, persist, service};

/// How long a lane rests after its worker broke.
const AFTER_A_PANIC: Duration = Duration::from_secs(1);

/// Why nothing is known of a part that an earlier run had begun.
pub(crate) const LAST_RUN_ENDED: &str = "the last run ended before the outcome was known";

/// A message in the hands of the delivery, and what this run knows about it beyond the store.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) message: OutboundMessage,
    /// Accounts that refused it.
    pub(crate) tried: Vec<(Refusal, RefusalKind)>,
    /// Accounts whose calls could not be made, once for each time; the others go first.
    pub(crate) unavailable: Vec<AccountName>,
    /// An attempt of its begun part may have arrived.
    pub(crate) doubtful: bool,
    /// What the last attempt said that may have arrived.
    pub(crate) unclear: Outcome,
    /// Attempts and looks of the begun part without a result.
    pub(crate) attempts: u32,
    /// How often in a row an answer did not say what came of the part; see [`crate::decide::Tried`].
    pub(crate) unclear_answers: u32,
    /// How long it is not known what came of it.
    pub(crate) unsettled: Option<Unsettled>,
    /// A person wants it to be tried no longer.
    pub(crate) stopped: CancellationToken,
    /// Preparations of its next part that failed.
    pub(crate) unprepared: u32,
    /// The last outcome is of a preparation: it says nothing about sending into the chat.
    pub(crate) only_prepared: bool,
    /// Accounts that cannot prepare its next part before an instant.
    pub(crate) not_before: Vec<(AccountName, Timestamp)>,
    /// Accounts that may write to no more people first before an instant.
    pub(crate) first_contacts: Vec<(AccountName, Timestamp)>,
    /// The deadline last written into the timeline, so that one wait is one line.
    pub(crate) noted_wait: NotedWait,
    /// How long the calls to the provider took, while no part had to be tried again; nothing for a message that had to
    /// wait for anything else.
    pub(crate) on_the_wire: Option<Duration>,
    /// Whom it went to instead of its first choice, as is written down.
    pub(crate) stood_in: Option<AccountName>,
    /// The place of its begun part among what the account may send; none where nothing is limited.
    pub(crate) slot: Option<Slot>,
    /// What its parts mean, once they are sent, for the account that the chat stays with.
    pub(crate) binding: Binding,
}

/// What a message was last noted to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotedWait {
    /// Nothing.
    None,
    /// An account that connects.
    Connecting,
    /// An instant.
    Until(Timestamp),
}

impl InFlight {
    pub(crate) fn new(message: OutboundMessage) -> Self {
        let binding = message.address.as_ref().map_or(Binding::Unchanged, |address| {
            decide::binding(address, message.pin.as_ref(), &Candidates::default())
        });
        Self {
            // A part that an earlier run had begun may have been sent; only the provider knows.
            doubtful: message.in_flight(),
            message,
            tried: Vec::new(),
            unavailable: Vec::new(),
            unclear: Outcome::Unknown(Unclear::NoAnswer(LAST_RUN_ENDED.to_owned())),
            attempts: 0,
            unclear_answers: 0,
            unsettled: None,
            stopped: CancellationToken::new(),
            unprepared: 0,
            only_prepared: false,
            not_before: Vec::new(),
            first_contacts: Vec::new(),
            noted_wait: NotedWait::None,
            on_the_wire: None,
            stood_in: None,
            slot: None,
            binding,
        }
    }

    /// The account that sent the first parts, once some are sent: the rest stays with it.
    pub(crate) fn sent_by(&self) -> Option<&AccountName> {
        let some_sent = self.message.parts.iter().any(|part| part.state == PartState::Sent);
        self.message.account.as_ref().filter(|_| some_sent)
    }
}

/// The first message of a lane that was opened for it, begun in the write that accepted it.
pub(crate) fn first_job(
    message: OutboundMessage,
    slot: Option<Slot>,
    binding: Binding,
) -> Job<Box<InFlight>> {
    let mut work = InFlight::new(message);
    (work.slot, work.binding) = (slot, binding);
    work.doubtful = false;
    work.on_the_wire = Some(Duration::ZERO);
    Job { id: work.message.id, pin: work.message.pin.clone(), payload: Box::new(work) }
}

/// A message in its lane; nothing while its row cannot be read.
pub(crate) type Payload = Option<Box<InFlight>>;

/// What became of a message in one go.
pub(crate) enum LaneStep {
    /// It is final; its callers are notified.
    Finished,
    /// It is in another lane now.
    Elsewhere,
    /// The program is ending, or the message is not this worker's any more.
    Dropped,
}

/// The message is not this worker's any more, or the program is ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// A worker at one place in its lane.
pub(crate) struct LaneWorker<'a> {
    pub(crate) delivery: &'a Delivery,
    pub(crate) lane: LaneId,
    /// The message it has in hand, for anyone who takes the lane up when it breaks.
    held: &'a Mutex<Option<MessageId>>,
}

/// The account a part goes through, and its chat.
pub(crate) struct Route {
    pub(crate) account: AccountName,
    pub(crate) address: Address,
}

/// Runs a lane until it is empty or the delivery closes. A lane whose worker broke must not stay closed: its message is
/// read from the store again and goes on.
pub(crate) async fn run(delivery: Delivery, lane: LaneId, first: Option<Job<Box<InFlight>>>) {
    let held = Mutex::new(None);
    let mut next = first;
    loop {
        let working = AssertUnwindSafe(work(&delivery, lane, next.take(), &held)).catch_unwind();
        if working.await.is_ok() {
            return;
        }
        tracing::error!("a lane's worker broke; the lane goes on");
        tokio::select! {
            () = delivery.0.ambient.clock.sleep(AFTER_A_PANIC) => {}
            () = delivery.0.closing.cancelled() => return,
        }
        let held = held.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(id) = held else { continue };
        let Inner { ambient, closing, .. } = &*delivery.0;
        if let Ok(Some(message)) = persist::write(ambient, closing, &id, || delivery.get(id)).await
            && !message.state.is_final()
            && let Ok(Some(scope)) = delivery.0.store.outbox().place(id).await
        {
            delivery.enqueue(message, &scope, None);
        }
    }
}

async fn work(
    delivery: &Delivery,
    lane: LaneId,
    first: Option<Job<Box<InFlight>>>,
    held: &Mutex<Option<MessageId>>,
) {
    let worker = LaneWorker { delivery, lane, held };
    let mut next = first;
    loop {
        let job = match next.take() {
            Some(job) => job,
            None => match worker.next().await {
                Some(job) => job,
                None => return,
            },
        };
        worker.hold(Some(job.id));
        if matches!(worker.carry(job).await, LaneStep::Dropped) && delivery.0.closing.is_cancelled() {
            return;
        }
        worker.hold(None);
    }
}

impl LaneWorker<'_> {
    /// The next message of the lane; nothing when the lane or the program ends. A message whose row cannot be read holds
    /// the lane until it can: those behind it must not pass it.
    async fn next(&self) -> Option<Job<Box<InFlight>>> {
        loop {
            let (taken, wants_more) = {
                let mut lanes = self.delivery.lanes();
                (lanes.take(self.lane), lanes.has_room_for_stored())
            };
            if wants_more {
                self.delivery.0.backlog.notify_one();
            }
            let Job { id, pin, payload } = match taken {
                Take::Job(job) => job,
                Take::Read(key, limit) => match self.read_lane(key, limit).await {
                    ControlFlow::Continue(()) => continue,
                    ControlFlow::Break(()) => return None,
                },
                Take::End => return None,
            };
            if let Some(payload) = payload {
                return Some(Job { id, pin, payload });
            }
            self.hold(Some(id));
            let Inner { store, ambient, closing, waiters, .. } = &*self.delivery.0;
            let outbox = store.outbox();
            match persist::write(ambient, closing, &id, || outbox.settled(id)).await {
                Ok(Some(message)) if !message.state.is_final() => {
                    waiters.set_due(id, due_since(&message), service(&message), message.pin.clone());
                    return Some(Job { id, pin, payload: Box::new(InFlight::new(message)) });
                }
                Ok(_) => {
                    self.delivery.tell_stored(id).await;
                    waiters.abandon(id);
                }
                Err(_) if closing.is_cancelled() => return None,
                Err(_) => {}
            }
        }
    }

    /// Notes the message that the worker has in hand.
    fn hold(&self, id: Option<MessageId>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = id;
    }

    async fn carry(&self, mut job: Job<Box<InFlight>>) -> LaneStep {
        if job.payload.doubtful {
            self.note_resumed(&job.payload).await;
        }
        loop {
            let work = &mut job.payload;
            let begun = work.message.parts.iter().position(|part| part.state == PartState::Begun);
            let (route, part) = match (begun, &work.message.account, &work.message.address) {
                (Some(part), Some(account), Some(address)) => {
                    (Route { account: account.clone(), address: address.clone() }, part)
                }
                _ => match self.begin(job).await {
                    Ok((begun, route, part)) => {
                        job = begun;
                        (route, part)
                    }
                    Err(carried) => return carried,
                },
            };
            if let ControlFlow::Break(carried) = self.attempt(&mut job.payload, &route, part).await {
                return carried;
            }
        }
    }
}

/// An account's refusal of a message, in words.
pub(crate) fn refusal(account: &AccountName, outcome: &Outcome) -> Refusal {
    let why = outcome.detail().unwrap_or_else(|| outcome.word().to_owned());
    Refusal { account: account.clone(), why }
}

/// A part's place as the store counts it.
pub(crate) fn index(part: usize) -> u16 {
    u16::try_from(part).unwrap_or(u16::MAX)
}
