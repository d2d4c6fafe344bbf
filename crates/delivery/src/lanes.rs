//! Lanes: the order in which messages leave. Pure bookkeeping; the workers in `worker` follow it.
//!
//! A chat has one lane for the messages that no caller pinned to an account, and one for those pinned to each account. The
//! messages of a lane leave one at a time, in the order of acceptance; no lane waits for another. Each lane that exists has
//! exactly one worker.
//!
//! Memory has the next messages of a lane, and so many lanes of a queue as its window has room for. What it has not the store
//! has: a lane whose `stored` is set reads its next messages there once those in memory have left, and a queue whose `stored`
//! is set opens further lanes as others end. While a lane is open and not `stored`, memory has all of its messages.

use std::collections::{HashMap, VecDeque};

use domain::{AccountName, ChatRef, MessageId, Timestamp};
use store::{LaneKey, Queue};

/// A lane, for as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LaneId(u64);

/// A message in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job<L> {
    pub(crate) id: MessageId,
    /// The only account it may leave through, if the caller pinned one.
    pub(crate) pin: Option<AccountName>,
    pub(crate) payload: L,
}

/// Whose a message is: its place in line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaneTarget {
    /// The chat in whose lane it waits.
    pub(crate) chat: ChatRef,
    /// The chat as the caller named it.
    pub(crate) named: ChatRef,
    /// Whose window it takes room in.
    pub(crate) queue: Queue,
}

/// Where a message went that waits in the store in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lined {
    /// In memory, behind those before it. A lane that is named is new and needs a worker.
    Here(Option<LaneId>),
    /// Memory leaves it to the store, and its lane or its queue reads it in its turn. A lane that is named is new and needs
    /// a worker.
    Stored(Option<LaneId>),
}

/// What the worker of a lane does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Take<L> {
    /// Carries this message.
    Job(Job<L>),
    /// Reads the next messages of the lane from the store, so many at most, and hands them to [`Lanes::refill`].
    Read(LaneKey, usize),
    /// Ends, and the lane with it.
    End,
}

/// What memory holds at most, beside what is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Lanes and waiting messages of one queue.
    pub queue: usize,
    /// Waiting messages of one lane.
    pub lane: usize,
}

#[derive(Debug)]
struct Lane<L> {
    chat: ChatRef,
    /// The account that its messages are pinned to, if they are.
    pin: Option<AccountName>,
    queue: Queue,
    /// What callers called the chat, of those messages that the store has.
    names: Vec<ChatRef>,
    /// The store has messages of the lane that memory has not, all of them behind those in memory.
    stored: bool,
    /// One was left to the store since it was last read.
    came: bool,
    /// Until when the message at its head must wait, and so those behind it.
    held_until: Option<Timestamp>,
    jobs: VecDeque<Job<L>>,
}

impl<L> Lane<L> {
    /// Leaves a message to the store.
    fn leave(&mut self, named: &ChatRef) {
        (self.stored, self.came) = (true, true);
        if !self.names.contains(named) {
            self.names.push(named.clone());
        }
    }
}

/// The store has messages of a queue whose lanes are not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stored {
    /// All of them come after this one.
    after: Option<MessageId>,
    /// One was left to the store since it was last read.
    came: bool,
}

/// A page of a queue that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageOf {
    pub(crate) queue: Queue,
    pub(crate) after: Option<MessageId>,
    pub(crate) limit: usize,
}

/// What is known of a lane that is not open: at this count of messages left to queues the store had none of it.
pub(crate) type NoneStored = Option<u64>;

/// All lanes.
#[derive(Debug)]
pub(crate) struct Lanes<L> {
    open: HashMap<LaneId, Lane<L>>,
    by_chat: HashMap<ChatRef, Vec<LaneId>>,
    /// The lanes of each queue, and the messages that wait in them.
    here: HashMap<Queue, usize>,
    stored: HashMap<Queue, Stored>,
    /// How many of the stored ones have no pin.
    unpinned_stored: usize,
    /// Messages that were left to queues since the start.
    left: u64,
    /// What was under way is not in its lanes yet: what waits behind it is not read.
    is_resuming: bool,
    window: Window,
    next: u64,
}

impl<L> Lanes<L> {
    pub(crate) fn new(window: Window) -> Self {
        Self {
            open: HashMap::new(),
            by_chat: HashMap::new(),
            here: HashMap::new(),
            stored: HashMap::new(),
            unpinned_stored: 0,
            left: 0,
            is_resuming: false,
            window,
            next: 0,
        }
    }

    /// Opens a lane that there is not yet, for a worker whose first job is not accepted yet.
    pub(crate) fn reserve(
        &mut self,
        target: &LaneTarget,
        pin: Option<&AccountName>,
        none_stored: NoneStored,
    ) -> Option<LaneId> {
        let may = self.find(&target.chat, pin).is_none()
            && !self.may_be_stored(pin, none_stored)
            && self.room(&target.queue) > 0;
        may.then(|| self.open(target, pin.cloned()))
    }

    /// Whether only the store knows if it has messages of a lane. Nothing if it is open, or if the store has none for
    /// sure; else what to hand to [`Lanes::reserve`] and [`Lanes::line_up`] once the store said that it has none.
    pub(crate) fn ask_store(&self, chat: &ChatRef, pin: Option<&AccountName>) -> NoneStored {
        let ask = self.find(chat, pin).is_none() && self.may_be_stored(pin, None);
        ask.then_some(self.left)
    }

    /// Puts a message in line that the store has and that waits.
    pub(crate) fn line_up(&mut self, target: &LaneTarget, job: Job<L>, none_stored: NoneStored) -> Lined {
        let Some(id) = self.find(&target.chat, job.pin.as_ref()) else {
            if self.may_be_stored(job.pin.as_ref(), none_stored) || self.room(&target.queue) == 0 {
                return Lined::Stored(self.stored(target, job.id, job.pin.as_ref()));
            }
            let lane = self.open(target, job.pin.clone());
            self.insert(lane, job);
            return Lined::Here(Some(lane));
        };
        let has_room = self.room_of(id) > 0;
        let (most, Some(lane)) = (self.window.lane, self.open.get_mut(&id)) else { return Lined::Here(None) };
        let is_last = lane.jobs.back().is_none_or(|last| last.id < job.id);
        if is_last && (lane.stored || lane.jobs.len() >= most || !has_room) {
            lane.leave(&target.named);
            return Lined::Stored(None);
        }
        self.insert(id, job);
        Lined::Here(None)
    }

    /// Puts a message in line that is under way, or whose row cannot be read: it has a place in any case. `Some` names a new
    /// lane that needs a worker.
    pub(crate) fn push(&mut self, target: &LaneTarget, job: Job<L>) -> Option<LaneId> {
        let known = self.find(&target.chat, job.pin.as_ref());
        let lane = known.unwrap_or_else(|| {
            let stored = self.may_be_stored(job.pin.as_ref(), None);
            let lane = self.open(target, job.pin.clone());
            if let Some(lane) = self.open.get_mut(&lane).filter(|_| stored) {
                lane.leave(&target.named);
            }
            lane
        });
        self.insert(lane, job);
        known.is_none().then_some(lane)
    }

    /// The store has a message that waits and that memory has not. `Some` names a new lane that needs a worker.
    pub(crate) fn stored(
        &mut self,
        target: &LaneTarget,
        id: MessageId,
        pin: Option<&AccountName>,
    ) -> Option<LaneId> {
        if let Some(lane) = self.find(&target.chat, pin).and_then(|lane| self.open.get_mut(&lane)) {
            lane.leave(&target.named);
            return None;
        }
        if self.is_stored(&target.queue) || self.room(&target.queue) == 0 {
            self.leave_to_queue(&target.queue, Some(id));
            return None;
        }
        Some(self.open_stored(target, pin))
    }

    /// An earlier run left messages of this queue. None of them is read before [`Lanes::resumed`].
    pub(crate) fn resume(&mut self, queue: &Queue) {
        self.is_resuming = true;
        self.leave_to_queue(queue, None);
    }

    /// What was under way is in its lanes.
    pub(crate) fn resumed(&mut self) {
        self.is_resuming = false;
    }

    /// The queues of which there is room for more, and of which the store has more.
    pub(crate) fn pages(&mut self) -> Vec<PageOf> {
        if self.is_resuming {
            return Vec::new();
        }
        let (here, most) = (&self.here, self.window.queue);
        let found = self.stored.iter_mut().filter_map(|(queue, stored)| {
            let room = most.saturating_sub(here.get(queue).copied().unwrap_or(0));
            (room > 0).then(|| {
                stored.came = false;
                PageOf {
                    queue: queue.clone(),
                    after: stored.after,
                    limit: room.clamp(LEAST_PAGE, LARGEST_PAGE),
                }
            })
        });
        found.collect()
    }

    /// Takes the next message of a page: its lane is opened if it is not. False when there is no room for it.
    pub(crate) fn take_in(
        &mut self,
        page: &mut PageOf,
        target: &LaneTarget,
        id: MessageId,
        pin: Option<&AccountName>,
        is_here: bool,
    ) -> Result<Option<LaneId>, Full> {
        let opened = match self.find(&target.chat, pin) {
            Some(lane) => {
                if let Some(lane) = self.open.get_mut(&lane).filter(|lane| !is_here && !lane.stored) {
                    lane.leave(&target.named);
                }
                None
            }
            None if self.room(&page.queue) == 0 => return Err(Full),
            None => Some(self.open_stored(target, pin)),
        };
        self.go_on_behind(page, id);
        Ok(opened)
    }

    /// The page has been read up to this message.
    pub(crate) fn go_on_behind(&mut self, page: &mut PageOf, id: MessageId) {
        let stored = self.stored.get_mut(&page.queue);
        if let Some(stored) = stored.filter(|stored| stored.after == page.after) {
            stored.after = Some(id);
            page.after = Some(id);
        }
    }

    /// The page was the last one of its queue, unless one came meanwhile.
    pub(crate) fn end(&mut self, page: &PageOf) {
        if self.stored.get(&page.queue) != Some(&Stored { after: page.after, came: false }) {
            return;
        }
        self.stored.remove(&page.queue);
        if !matches!(page.queue, Queue::Pinned(_)) {
            self.unpinned_stored = self.unpinned_stored.saturating_sub(1);
        }
    }

    /// The message at the head of a lane, in the hands of its worker, must wait until then; `None` when that is over.
    pub(crate) fn hold(&mut self, lane: LaneId, until: Option<Timestamp>) {
        if let Some(lane) = self.open.get_mut(&lane) {
            lane.held_until = until;
        }
    }

    /// Until when a message must wait for the one at the head of its lane.
    pub(crate) fn held_until(
        &self,
        chat: &ChatRef,
        pin: Option<&AccountName>,
        id: MessageId,
    ) -> Option<Timestamp> {
        let lane = self.open.get(&self.find(chat, pin)?)?;
        let is_in_it = lane.stored || lane.jobs.binary_search_by_key(&id, |job| job.id).is_ok();
        lane.held_until.filter(|_| is_in_it)
    }

    /// Whether any message is on the way to this chat.
    pub(crate) fn lead_to(&self, chat: &ChatRef) -> bool {
        self.by_chat.contains_key(chat)
    }

    /// What the worker of a lane does next.
    pub(crate) fn take(&mut self, id: LaneId) -> Take<L> {
        self.hold(id, None);
        let Some(lane) = self.open.get_mut(&id) else { return Take::End };
        if let Some(job) = lane.jobs.pop_front() {
            let queue = lane.queue.clone();
            self.count(&queue, -1);
            return Take::Job(job);
        }
        if lane.stored {
            lane.came = false;
            let chat_id = match lane.chat {
                ChatRef::Id(chat_id) => Some(chat_id),
                ChatRef::Username(_) | ChatRef::Channel(_) => None,
            };
            let key = LaneKey { chat_id, names: lane.names.clone(), pin: lane.pin.clone() };
            return Take::Read(key, self.room_of(id).clamp(1, self.window.lane.max(1)));
        }
        self.close(id);
        Take::End
    }

    /// What the store has next of a lane; `more` if that is not all.
    pub(crate) fn refill(&mut self, id: LaneId, jobs: Vec<Job<L>>, more: bool) {
        for job in jobs {
            self.insert(id, job);
        }
        if let Some(lane) = self.open.get_mut(&id) {
            lane.stored = more || lane.came;
        }
    }

    /// Whether there is room for more of a queue of which the store has more.
    pub(crate) fn has_room_for_stored(&self) -> bool {
        !self.is_resuming && self.stored.keys().any(|queue| self.room(queue) > 0)
    }

    /// Whether a lane is open that has newer messages than this one.
    pub(crate) fn has_newer(&self, chat: &ChatRef, pin: Option<&AccountName>, id: MessageId) -> bool {
        let lane = self.find(chat, pin).and_then(|lane| self.open.get(&lane));
        lane.is_some_and(|lane| lane.jobs.back().is_some_and(|last| last.id > id))
    }

    /// The chat of a lane turned out to be this one: its messages go over into the lane of that. Returns that lane if it
    /// needs a worker. The worker's own lane ends by itself.
    pub(crate) fn relocate(&mut self, lane: LaneId, chat: &ChatRef, held: Job<L>) -> Option<LaneId> {
        let mut movers = self.extract(lane, |_| true);
        movers.push(held);
        let (pin, stored, names, queue) = match self.open.get_mut(&lane) {
            Some(lane) => {
                (lane.pin.clone(), std::mem::take(&mut lane.stored), lane.names.clone(), lane.queue.clone())
            }
            None => (None, false, Vec::new(), Queue::Pool),
        };
        let known = self.find(chat, pin.as_ref());
        let lane_target = LaneTarget { named: chat.clone(), chat: chat.clone(), queue };
        let target = known.unwrap_or_else(|| self.open(&lane_target, pin));
        for job in movers {
            self.insert(target, job);
        }
        if let Some(target) = self.open.get_mut(&target).filter(|_| stored) {
            for name in &names {
                target.leave(name);
            }
        }
        known.is_none().then_some(target)
    }

    /// Takes a waiting message out, if it still waits.
    pub(crate) fn remove(&mut self, chat: &ChatRef, id: MessageId) -> Option<Job<L>> {
        let lanes = self.by_chat.get(chat).cloned().unwrap_or_default();
        lanes.into_iter().find_map(|lane| self.extract(lane, |job| job.id == id).pop())
    }

    /// Takes those of the waiting messages of a lane out that are wanted.
    pub(crate) fn extract(&mut self, lane: LaneId, wanted: impl Fn(&Job<L>) -> bool) -> Vec<Job<L>> {
        let Some(lane) = self.open.get_mut(&lane) else { return Vec::new() };
        if !lane.jobs.iter().any(&wanted) {
            return Vec::new();
        }
        let (out, stay): (Vec<_>, Vec<_>) = lane.jobs.drain(..).partition(|job| wanted(job));
        lane.jobs = stay.into();
        let queue = lane.queue.clone();
        self.count(&queue, -isize::try_from(out.len()).unwrap_or(isize::MAX));
        out
    }

    /// Whether the store may have messages of a lane that is not open.
    fn may_be_stored(&self, pin: Option<&AccountName>, none_stored: NoneStored) -> bool {
        let may = match pin {
            Some(pin) => self.is_stored(&Queue::Pinned(pin.clone())),
            // What is not pinned may have been accepted into any queue.
            None => self.unpinned_stored > 0,
        };
        may && none_stored != Some(self.left)
    }

    fn is_stored(&self, queue: &Queue) -> bool {
        self.stored.contains_key(queue)
    }

    fn leave_to_queue(&mut self, queue: &Queue, id: Option<MessageId>) {
        self.left += 1;
        let stored = self.stored.entry(queue.clone()).or_insert_with(|| {
            if !matches!(queue, Queue::Pinned(_)) {
                self.unpinned_stored += 1;
            }
            Stored { after: id.map(before), came: true }
        });
        stored.came = true;
        if id.is_none_or(|id| stored.after.is_some_and(|after| id <= after)) {
            stored.after = id.map(before);
        }
    }

    fn room(&self, queue: &Queue) -> usize {
        let here = self.here.get(queue).copied().unwrap_or(0);
        self.window.queue.saturating_sub(here)
    }

    fn room_of(&self, lane: LaneId) -> usize {
        self.open.get(&lane).map_or(0, |lane| self.room(&lane.queue))
    }

    fn count(&mut self, queue: &Queue, more: isize) {
        let here = match self.here.get_mut(queue) {
            Some(here) => here,
            None => self.here.entry(queue.clone()).or_default(),
        };
        *here = here.saturating_add_signed(more);
        if *here == 0 {
            self.here.remove(queue);
        }
    }

    fn find(&self, chat: &ChatRef, pin: Option<&AccountName>) -> Option<LaneId> {
        let lanes = self.by_chat.get(chat)?;
        lanes.iter().copied().find(|lane| self.open.get(lane).is_some_and(|lane| lane.pin.as_ref() == pin))
    }

    fn open_stored(&mut self, target: &LaneTarget, pin: Option<&AccountName>) -> LaneId {
        let id = self.open(target, pin.cloned());
        if let Some(lane) = self.open.get_mut(&id) {
            lane.leave(&target.named);
        }
        id
    }

    fn open(&mut self, target: &LaneTarget, pin: Option<AccountName>) -> LaneId {
        let id = LaneId(self.next);
        self.next += 1;
        let LaneTarget { chat, queue, .. } = target.clone();
        self.count(&queue, 1);
        self.by_chat.entry(chat.clone()).or_default().push(id);
        let names = Vec::new();
        let lane = Lane {
            chat,
            pin,
            queue,
            names,
            stored: false,
            came: false,
            held_until: None,
            jobs: VecDeque::new(),
        };
        self.open.insert(id, lane);
        id
    }

    fn close(&mut self, id: LaneId) {
        let Some(lane) = self.open.remove(&id) else { return };
        self.count(&lane.queue, -1);
        if let Some(siblings) = self.by_chat.get_mut(&lane.chat) {
            siblings.retain(|sibling| *sibling != id);
            if siblings.is_empty() {
                self.by_chat.remove(&lane.chat);
            }
        }
    }

    /// Puts a message into a lane that has a worker, by age: ids grow with acceptance.
    pub(crate) fn insert(&mut self, lane: LaneId, job: Job<L>) {
        let Some(lane) = self.open.get_mut(&lane) else { return };
        let place = lane.jobs.iter().rposition(|other| other.id < job.id).map_or(0, |before| before + 1);
        lane.jobs.insert(place, job);
        let queue = lane.queue.clone();
        self.count(&queue, 1);
    }
}

/// There is no room for more of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Full;

/// Messages of a queue that are looked at in one read, at least and at most.
const LEAST_PAGE: usize = 50;
const LARGEST_PAGE: usize = 250;

fn before(id: MessageId) -> MessageId {
    MessageId::from_uuid(uuid::Uuid::from_u128(id.as_uuid().as_u128().saturating_sub(1)))
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
