//! What waits beyond the window: the store has it, and gives it to lanes as there is room, queue by queue.

use std::ops::ControlFlow;

use domain::message::OutboundMessage;
use store::{LaneKey, QuotaScope};

use crate::lanes::{Full, Job, PageOf};
use crate::worker::{InFlight, LaneWorker, Payload};
use crate::{Delivery, Inner, due_since, persist, service};

/// Opens lanes for what waits in the store, until the delivery closes.
pub(crate) async fn run(delivery: Delivery) {
    let Inner { backlog, closing, .. } = &*delivery.0;
    loop {
        tokio::select! {
            () = backlog.notified() => {}
            () = closing.cancelled() => return,
        }
        loop {
            let pages = delivery.lanes().pages();
            if pages.is_empty() {
                break;
            }
            for page in pages {
                if delivery.read_page(page).await.is_err() {
                    return;
                }
            }
        }
    }
}

impl Delivery {
    /// Opens the lanes of the next messages of a queue, as far as there is room for them.
    async fn read_page(&self, mut page: PageOf) -> Result<(), persist::Unwritten> {
        let Inner { store, ambient, closing, waiters, .. } = &*self.0;
        let (outbox, limit) = (store.outbox(), u32::try_from(page.limit).unwrap_or(u32::MAX));
        let read = || outbox.of_queue(page.queue.clone(), page.after, limit);
        let rows = persist::write(ambient, closing, &page.queue, read).await?;
        let is_last = rows.len() < page.limit;
        for row in rows {
            let Ok(lane) = row.lane else {
                self.wait_until_readable(row.id);
                self.lanes().go_on_behind(&mut page, row.id);
                continue;
            };
            let at = self.lane_target(&lane.chat, lane.address.as_ref(), &page.queue);
            let is_here = waiters.has(row.id);
            let opened = self.lanes().take_in(&mut page, &at, row.id, lane.pin.as_ref(), is_here);
            match opened {
                Ok(lane) => self.start_new(lane),
                Err(Full) => return Ok(()),
            }
        }
        if is_last {
            self.lanes().end(&page);
        }
        Ok(())
    }
}

impl LaneWorker<'_> {
    /// Takes the next messages of the lane from the store. Breaks when the program ends.
    pub(crate) async fn read_lane(&self, key: LaneKey, limit: usize) -> ControlFlow<()> {
        let Inner { store, ambient, closing, waiters, .. } = &*self.delivery.0;
        let (outbox, most) = (store.outbox(), u32::try_from(limit).unwrap_or(u32::MAX));
        let read = || outbox.of_lane(key.clone(), most);
        let Ok(page) = persist::write(ambient, closing, &"a lane", read).await else {
            return ControlFlow::Break(());
        };
        let found = page.readable.len() + page.unreadable.len();
        let mut jobs: Vec<Job<Payload>> = Vec::new();
        for (message, scope) in page.readable.into_iter().filter(|(message, _)| !waiters.has(message.id)) {
            let (id, pin) = (message.id, message.pin.clone());
            if let Some(message) = self.take_in_hand(message, scope) {
                jobs.push(Job { id, pin, payload: Some(Box::new(InFlight::new(message))) });
            }
        }
        for id in page.unreadable.into_iter().filter(|id| !waiters.has(*id)) {
            if let Ok(Some(scope)) = outbox.place(id).await {
                waiters.begin(id, scope);
                jobs.push(Job { id, pin: key.pin.clone(), payload: None });
            }
        }
        let is_stuck = jobs.is_empty() && found >= limit;
        self.delivery.lanes().refill(self.lane, jobs, found >= limit);
        if is_stuck {
            // Another lane has them all: the chat goes by another name there.
            tokio::select! {
                () = ambient.clock.sleep(persist::STORE_PAUSE) => {}
                () = closing.cancelled() => return ControlFlow::Break(()),
            }
        }
        ControlFlow::Continue(())
    }

    fn take_in_hand(&self, message: OutboundMessage, scope: QuotaScope) -> Option<OutboundMessage> {
        let waiters = &self.delivery.0.waiters;
        waiters.begin(message.id, scope);
        waiters.set_due(message.id, due_since(&message), service(&message), message.pin.clone());
        self.delivery.unless_it_must_wait(message)
    }
}
