//! Where an accepted message waits: in its lane, or in the schedule.

use std::sync::{MutexGuard, PoisonError};

use domain::message::{MessageState, OutboundMessage};
use domain::{ChatRef, MessageId};
use store::StoreError;

use crate::Delivery;
use crate::lanes::{Job, LaneId, Lanes};
use crate::worker::{self, Load};
use crate::{due_since, purpose};

impl Delivery {
    /// Puts an accepted message in its lane, or in the schedule if its time has not come.
    pub(crate) fn enqueue(&self, message: OutboundMessage) {
        if message.state == MessageState::Scheduled
            && let Some(at) = message.send_at.filter(|at| *at > self.0.ambient.clock.now())
        {
            self.0.schedule.add(at, message);
            return;
        }
        self.0.live.set_due(message.id, due_since(&message), purpose(&message));
        let chat = message.chat_id.map_or_else(|| message.chat.clone(), ChatRef::Id);
        let through = message.in_flight().then(|| message.account.clone()).flatten();
        let (id, pin) = (message.id, message.pin.clone());
        let job = Job { id, pin, through, load: Box::new(Load::new(message)) };
        let lane = self.lanes().push(&chat, job);
        if let Some(lane) = lane {
            self.start(lane, None);
        }
    }

    pub(crate) fn start(&self, lane: LaneId, first: Option<Job<Box<Load>>>) {
        self.0.tasks.spawn(worker::run(self.clone(), lane, first));
    }

    /// A reserved lane whose first message was not accepted: whoever queued up behind it goes on.
    pub(crate) fn release(&self, reserved: Option<LaneId>) {
        if let Some(lane) = reserved {
            self.start(lane, None);
        }
    }

    pub(crate) fn lanes(&self) -> MutexGuard<'_, Lanes<Box<Load>>> {
        self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in line that waits in the store and in no lane, or notes that it was sent.
    pub(crate) async fn take_up(&self, id: MessageId) -> Result<(), StoreError> {
        let Some(message) = self.get(id).await? else { return Ok(()) };
        self.0.spent.tell(&message);
        if message.state == MessageState::Queued {
            self.0.live.begin(id);
            self.enqueue(message);
        }
        Ok(())
    }
}
