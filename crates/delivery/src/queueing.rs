//! Where an accepted message waits: in its lane, or in the schedule.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use domain::message::{MessageState, OutboundMessage};
use domain::{Address, ChatRef, MessageId};
use store::{StoreError, StoredLane};

use crate::intervention::waits;
use crate::lanes::{Job, LaneId, Lanes};
use crate::worker::{self, InFlight, Payload};
use crate::{Delivery, Inner, due_since, persist, purpose};

impl Delivery {
    /// Puts an accepted message in its lane, or in the schedule if its time has not come.
    pub(crate) fn enqueue(&self, message: OutboundMessage) {
        self.line_up(message, None);
    }

    /// Takes up what an earlier run left, in its order. A message whose chat no one had looked up when it was accepted stood in
    /// line with those behind it that know the chat; so it does again, and is looked up when it is its turn.
    /// One whose row cannot be read stands in line too, if its lane is known.
    pub(crate) fn line_up_again(
        &self,
        messages: Vec<OutboundMessage>,
        unreadable: Vec<(MessageId, StoredLane)>,
    ) {
        let names =
            messages.iter().filter_map(|message| Some((message.chat.clone(), message.address.clone()?)));
        let known: HashMap<ChatRef, Address> = names.collect();
        let address_of = |chat: &ChatRef| known.get(chat).cloned().or_else(|| self.0.sender.locate(chat));
        let mut unreadable = unreadable.into_iter().peekable();
        for message in messages {
            while let Some((id, lane)) = unreadable.next_if(|(id, _)| *id < message.id) {
                self.line_up_unreadable(id, &lane, address_of(&lane.chat));
            }
            self.0.metrics.resumed();
            self.0.waiters.begin(message.id);
            let address = address_of(&message.chat);
            self.line_up(message, address);
        }
        for (id, lane) in unreadable {
            self.line_up_unreadable(id, &lane, address_of(&lane.chat));
        }
    }

    /// Holds the lane of a message until its row can be read.
    fn line_up_unreadable(&self, id: MessageId, lane: &StoredLane, known: Option<Address>) {
        self.0.metrics.resumed();
        self.0.waiters.begin(id);
        let chat = lane.address.clone().or(known).map_or_else(|| lane.chat.clone(), ChatRef::from);
        let lane = self.lanes().push(&chat, Job { id, pin: lane.pin.clone(), payload: None });
        if let Some(lane) = lane {
            self.start(lane, None);
        }
    }

    /// `lane` is the chat in whose lane it waits while its own chat is not known.
    fn line_up(&self, message: OutboundMessage, lane: Option<Address>) {
        if message.state == MessageState::Scheduled
            && let Some(at) = message.send_at.filter(|at| *at > self.0.ambient.clock.now())
        {
            self.0.schedule.add(at, message);
            return;
        }
        self.0.waiters.set_due(message.id, due_since(&message), purpose(&message), message.pin.clone());
        if let Some(failure) = self.must_wait(&message) {
            let delivery = self.clone();
            self.0.tasks.spawn(async move {
                let mut message = message;
                delivery.fail(&mut message, failure).await;
            });
            return;
        }
        let chat = message.address.clone().or(lane).map_or_else(|| message.chat.clone(), ChatRef::from);
        let (id, pin) = (message.id, message.pin.clone());
        let job = Job { id, pin, payload: Some(Box::new(InFlight::new(message))) };
        let lane = self.lanes().push(&chat, job);
        if let Some(lane) = lane {
            self.start(lane, None);
        }
    }

    pub(crate) fn start(&self, lane: LaneId, first: Option<Job<Box<InFlight>>>) {
        self.0.tasks.spawn(worker::run(self.clone(), lane, first));
    }

    /// A reserved lane whose first message was not accepted: the one who queued up behind it goes on.
    pub(crate) fn release(&self, reserved: Option<LaneId>) {
        if let Some(lane) = reserved {
            self.start(lane, None);
        }
    }

    pub(crate) fn lanes(&self) -> MutexGuard<'_, Lanes<Payload>> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in line that waits in the store and in no lane, or notes that it was sent.
    pub(crate) async fn take_up(&self, id: MessageId) -> Result<(), StoreError> {
        if let Some(message) = self.get(id).await? {
            self.take_in_hand(message);
        }
        Ok(())
    }

    /// The store did not tell what became of a change: it may have been made, or be made later. Once that is known, the
    /// message is taken up.
    pub(crate) fn find_out(&self, id: MessageId) {
        let delivery = self.clone();
        self.0.tasks.spawn(async move {
            let Inner { store, ambient, closing, .. } = &*delivery.0;
            let outbox = store.outbox();
            if let Ok(Some(message)) = persist::write(ambient, closing, &id, || outbox.settled(id)).await {
                delivery.take_in_hand(message);
            }
        });
    }

    fn take_in_hand(&self, message: OutboundMessage) {
        self.0.media_released.tell(&message);
        if waits(message.state) && !self.0.waiters.has(message.id) {
            self.0.waiters.begin(message.id);
            self.enqueue(message);
        }
    }
}
