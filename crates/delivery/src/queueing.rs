//! Where an accepted message waits: in its lane, as long as there is room for it, else in the store.

use std::sync::{MutexGuard, PoisonError};

use domain::message::{MessageState, OutboundMessage};
use domain::{Address, ChatRef, MessageId};
use store::{NextScheduled, Queue, QuotaScope, StoreError, StoredLane, Waiting};

use crate::intervention::waits;
use crate::lanes::{self, Job, LaneId, Lanes, Lined, NoneStored};
use crate::worker::{self, InFlight, Payload};
use crate::{Delivery, Inner, due_since, persist, service};

impl Delivery {
    /// Puts an accepted message in its lane, or leaves it to the store: until its time comes, or until there is room.
    pub(crate) fn enqueue(&self, message: OutboundMessage, scope: &QuotaScope, none_stored: NoneStored) {
        let (id, service) = (message.id, service(&message));
        if message.state == MessageState::Scheduled
            && let Some(at) = message.send_at
        {
            self.0.waiters.leave(id);
            self.0.schedule.add(NextScheduled { at, id, service: scope.service });
            return;
        }
        self.0.waiters.set_due(id, due_since(&message), service, message.pin.clone());
        let Some(message) = self.unless_it_must_wait(message) else { return };
        let target = self.lane_target(&message.chat, message.address.as_ref(), &scope.queue);
        let (pin, may_wait) = (message.pin.clone(), waits(message.state));
        let job = Job { id, pin, payload: Some(Box::new(InFlight::new(message))) };
        let lined = {
            let mut lanes = self.lanes();
            if may_wait {
                lanes.line_up(&target, job, none_stored)
            } else {
                Lined::Here(lanes.push(&target, job))
            }
        };
        match lined {
            Lined::Here(lane) => self.start_new(lane),
            Lined::Stored(lane) => self.left_to_store(id, lane),
        }
    }

    /// The message, unless it rather fails than waits and has to: then it fails.
    pub(crate) fn unless_it_must_wait(&self, mut message: OutboundMessage) -> Option<OutboundMessage> {
        let Some(failure) = self.must_wait(&message) else { return Some(message) };
        let delivery = self.clone();
        self.0.tasks.spawn(async move { delivery.fail(&mut message, failure).await });
        None
    }

    fn left_to_store(&self, id: MessageId, lane: Option<LaneId>) {
        self.0.waiters.leave(id);
        self.start_new(lane);
        self.0.backlog.notify_one();
    }

    /// A message that waits in the store alone gets into the line of those that memory has, or of those that it will have.
    pub(crate) async fn line_up_due(&self, waiting: Waiting, scope: QuotaScope) {
        let id = waiting.id;
        let Ok(lane) = &waiting.lane else { return self.wait_until_readable(id) };
        let at = self.lane_target(&lane.chat, lane.address.as_ref(), &scope.queue);
        // It was accepted before those that are in memory already.
        if self.lanes().has_newer(&at.chat, lane.pin.as_ref(), id)
            && let Ok(Some(message)) = self.get(id).await
            && waits(message.state)
        {
            self.0.waiters.begin(id, scope.clone());
            return self.enqueue(message, &scope, None);
        }
        let lane = self.lanes().stored(&at, id, lane.pin.as_ref());
        self.left_to_store(id, lane);
    }

    /// Takes up a message that was under way when the last run ended.
    pub(crate) async fn take_up_again(&self, id: MessageId) -> Result<(), StoreError> {
        let outbox = self.0.store.outbox();
        let Some(scope) = outbox.place(id).await? else { return Ok(()) };
        let message = match self.get(id).await {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(()),
            Err(StoreError::Corrupt { .. }) => {
                self.0.counts.begin(&scope, false);
                match outbox.lane(id).await {
                    Ok(Some(lane)) => self.line_up_unreadable(id, &lane, scope),
                    Ok(None) | Err(_) => self.wait_until_readable(id),
                }
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.0.counts.begin(&scope, false);
        self.0.waiters.begin(id, scope.clone());
        self.enqueue(message, &scope, None);
        Ok(())
    }

    /// Holds the lane of a message until its row can be read.
    fn line_up_unreadable(&self, id: MessageId, lane: &StoredLane, scope: QuotaScope) {
        let at = self.lane_target(&lane.chat, lane.address.as_ref(), &scope.queue);
        self.0.waiters.begin(id, scope);
        let lane = self.lanes().push(&at, Job { id, pin: lane.pin.clone(), payload: None });
        self.start_new(lane);
    }

    /// The place of a message in line. Behind others that wait under the name it takes the same path as they.
    pub(crate) fn lane_target(
        &self,
        chat: &ChatRef,
        address: Option<&Address>,
        queue: &Queue,
    ) -> lanes::LaneTarget {
        let waits_by_name = self.lanes().lead_to(chat);
        let known = || address.cloned().or_else(|| self.0.sender.locate(chat));
        let address = if waits_by_name { None } else { known() };
        lanes::LaneTarget {
            chat: address.map_or_else(|| chat.clone(), ChatRef::from),
            named: chat.clone(),
            queue: queue.clone(),
        }
    }

    pub(crate) fn start_new(&self, lane: Option<LaneId>) {
        if let Some(lane) = lane {
            self.start(lane, None);
        }
    }

    pub(crate) fn start(&self, lane: LaneId, first: Option<Job<Box<InFlight>>>) {
        // Boxed: a future is moved as a whole when its task begins and when it ends.
        self.0.tasks.spawn(Box::pin(worker::run(self.clone(), lane, first)));
    }

    pub(crate) fn lanes(&self) -> MutexGuard<'_, Lanes<Payload>> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in line that waits in the store and in no lane, or notes that it was sent.
    pub(crate) async fn take_up(&self, id: MessageId) -> Result<(), StoreError> {
        match self.get(id).await? {
            Some(message) => self.take_in_hand(message, false).await,
            None => Ok(()),
        }
    }

    /// The store did not report what became of a change: it may have been made, or be made later. Once that is known, the
    /// message is taken up.
    pub(crate) fn find_out(&self, id: MessageId) {
        self.take_up_late(id, false);
    }

    /// Not even the lane of a message that waits can be read: it is taken up once it can.
    pub(crate) fn wait_until_readable(&self, id: MessageId) {
        if !self.0.waiters.has(id) {
            self.take_up_late(id, true);
        }
    }

    fn take_up_late(&self, id: MessageId, is_counted: bool) {
        let delivery = self.clone();
        self.0.tasks.spawn(async move {
            let Inner { store, ambient, closing, .. } = &*delivery.0;
            let outbox = store.outbox();
            if let Ok(Some(message)) = persist::write(ambient, closing, &id, || outbox.settled(id)).await
                && let Err(error) = delivery.take_in_hand(message, is_counted).await
            {
                tracing::error!(subject = %id, %error, "the next start takes it up");
            }
        });
    }

    async fn take_in_hand(&self, message: OutboundMessage, is_counted: bool) -> Result<(), StoreError> {
        self.0.media_released.tell(&message);
        if waits(message.state)
            && !self.0.waiters.has(message.id)
            && let Some(scope) = self.0.store.outbox().place(message.id).await?
        {
            if !is_counted {
                self.0.counts.begin(&scope, message.state == MessageState::Scheduled);
            }
            self.line_up_again(message, &scope);
        }
        Ok(())
    }

    /// A message that waits once more, and is counted.
    pub(crate) fn line_up_again(&self, message: OutboundMessage, scope: &QuotaScope) {
        self.0.waiters.begin(message.id, scope.clone());
        self.enqueue(message, scope, None);
    }
}
