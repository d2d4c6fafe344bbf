//! What happened in a mailbox or a channel, by pts: the memory behind `getDifference`. Bounded; the oldest is forgotten.

use std::collections::VecDeque;

use super::peer::Peer;

/// What a log remembers.
const LOG_BOUND: usize = 20_000;

/// One change.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// A message came.
    New(i32),
    /// A message was edited.
    Edited(i32),
    /// Messages went.
    Deleted(Vec<i32>),
    /// The owner read a chat up to a message.
    ReadInbox { peer: Peer, max_id: i32 },
    /// The other side read a chat up to a message.
    ReadOutbox { peer: Peer, max_id: i32 },
}

impl Event {
    /// By how much the event moves pts.
    pub(crate) fn weight(&self) -> i32 {
        match self {
            Self::Deleted(ids) => i32::try_from(ids.len()).unwrap_or(i32::MAX).max(1),
            Self::New(_) | Self::Edited(_) | Self::ReadInbox { .. } | Self::ReadOutbox { .. } => 1,
        }
    }
}

/// The log, and the pts it has reached.
#[derive(Debug)]
pub(crate) struct UpdateLog {
    pts: i32,
    events: VecDeque<(i32, Event)>,
    /// pts before the oldest remembered event.
    floor: i32,
}

/// What a log knows about the time after a pts.
pub(crate) enum Since {
    /// Nothing happened.
    Nothing,
    /// These events, oldest first; the first number is the pts after the event. `more` when the limit cut them short.
    Events { events: Vec<(i32, Event)>, more: bool },
    /// Too long ago, or a pts this log never had.
    Forgotten,
}

impl UpdateLog {
    /// An empty log that begins at this pts.
    pub(crate) fn starting_at(pts: i32) -> Self {
        Self { pts, events: VecDeque::new(), floor: pts }
    }

    pub(crate) fn pts(&self) -> i32 {
        self.pts
    }

    /// Writes an event and returns the pts after it.
    pub(crate) fn record(&mut self, event: Event) -> i32 {
        self.pts = self.pts.saturating_add(event.weight());
        if self.events.len() == LOG_BOUND
            && let Some((pts, _)) = self.events.pop_front()
        {
            self.floor = pts;
        }
        self.events.push_back((self.pts, event));
        self.pts
    }

    /// Moves pts on without remembering anything: the past before the world began.
    pub(crate) fn forget(&mut self, pts: i32) {
        *self = Self::starting_at(pts);
    }

    /// How many events came after this pts, if they are remembered.
    pub(crate) fn count_since(&self, pts: i32) -> Option<usize> {
        (pts >= self.floor && pts <= self.pts)
            .then(|| self.events.len() - self.events.partition_point(|(after, _)| *after <= pts))
    }

    pub(crate) fn since(&self, pts: i32, limit: usize) -> Since {
        if pts == self.pts {
            return Since::Nothing;
        }
        if pts < self.floor || pts > self.pts {
            return Since::Forgotten;
        }
        let first = self.events.partition_point(|(after, _)| *after <= pts);
        let events: Vec<_> = self.events.range(first..).take(limit.max(1)).cloned().collect();
        let more = first + events.len() < self.events.len();
        Since::Events { events, more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_after_a_pts_are_returned_until_forgotten() {
        let mut log = UpdateLog::starting_at(5);
        assert!(matches!(log.since(5, 10), Since::Nothing));
        assert_eq!(log.record(Event::New(1)), 6);
        assert_eq!(log.record(Event::Deleted(vec![1, 2, 3])), 9);
        let Since::Events { events, more } = log.since(5, 1) else { panic!("events") };
        assert_eq!((events[0].0, events.len(), more), (6, 1, true));
        let Since::Events { events, more } = log.since(6, 10) else { panic!("events") };
        assert_eq!((events[0].0, events.len(), more), (9, 1, false));
        assert!(matches!(log.since(4, 10), Since::Forgotten));
        assert!(matches!(log.since(10, 10), Since::Forgotten));
        assert_eq!(log.count_since(5), Some(2));
        for id in 0..20_000 {
            log.record(Event::New(id));
        }
        assert!(matches!(log.since(8, 10), Since::Forgotten));
        assert!(matches!(log.since(9, 10), Since::Events { .. }));
    }
}
