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

/// Whose a message is: where it stands in line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
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
        place: &Place,
        pin: Option<&AccountName>,
        known: NoneStored,
    ) -> Option<LaneId> {
        let may = self.find(&place.chat, pin).is_none()
            && !self.may_be_stored(pin, known)
            && self.room(&place.queue) > 0;
        may.then(|| self.open(place, pin.cloned()))
    }

    /// Whether only the store can tell if it has messages of a lane. Nothing if it is open, or if the store has none for
    /// sure; else what to hand to [`Lanes::reserve`] and [`Lanes::line_up`] once the store said that it has none.
    pub(crate) fn ask_store(&self, chat: &ChatRef, pin: Option<&AccountName>) -> NoneStored {
        let ask = self.find(chat, pin).is_none() && self.may_be_stored(pin, None);
        ask.then_some(self.left)
    }

    /// Puts a message in line that the store has and that waits.
    pub(crate) fn line_up(&mut self, place: &Place, job: Job<L>, known: NoneStored) -> Lined {
        let Some(id) = self.find(&place.chat, job.pin.as_ref()) else {
            if self.may_be_stored(job.pin.as_ref(), known) || self.room(&place.queue) == 0 {
                return Lined::Stored(self.stored(place, job.id, job.pin.as_ref()));
            }
            let lane = self.open(place, job.pin.clone());
            self.insert(lane, job);
            return Lined::Here(Some(lane));
        };
        let has_room = self.room_of(id) > 0;
        let (most, Some(lane)) = (self.window.lane, self.open.get_mut(&id)) else { return Lined::Here(None) };
        let is_last = lane.jobs.back().is_none_or(|last| last.id < job.id);
        if is_last && (lane.stored || lane.jobs.len() >= most || !has_room) {
            lane.leave(&place.named);
            return Lined::Stored(None);
        }
        self.insert(id, job);
        Lined::Here(None)
    }

    /// Puts a message in line that is under way, or whose row cannot be read: it has a place in any case. `Some` names a new
    /// lane that needs a worker.
    pub(crate) fn push(&mut self, place: &Place, job: Job<L>) -> Option<LaneId> {
        let known = self.find(&place.chat, job.pin.as_ref());
        let lane = known.unwrap_or_else(|| {
            let stored = self.may_be_stored(job.pin.as_ref(), None);
            let lane = self.open(place, job.pin.clone());
            if let Some(lane) = self.open.get_mut(&lane).filter(|_| stored) {
                lane.leave(&place.named);
            }
            lane
        });
        self.insert(lane, job);
        known.is_none().then_some(lane)
    }

    /// The store has a message that waits and that memory has not. `Some` names a new lane that needs a worker.
    pub(crate) fn stored(
        &mut self,
        place: &Place,
        id: MessageId,
        pin: Option<&AccountName>,
    ) -> Option<LaneId> {
        if let Some(lane) = self.find(&place.chat, pin).and_then(|lane| self.open.get_mut(&lane)) {
            lane.leave(&place.named);
            return None;
        }
        if self.is_stored(&place.queue) || self.room(&place.queue) == 0 {
            self.leave_to_queue(&place.queue, Some(id));
            return None;
        }
        Some(self.open_stored(place, pin))
    }

    /// An earlier run left messages of this queue. None of them is read before [`Lanes::resumed`].
    pub(crate) fn resume(&mut self, queue: &Queue) {
        self.is_resuming = true;
        self.leave_to_queue(queue, None);
    }

    /// What was under way stands in its lanes.
    pub(crate) fn resumed(&mut self) {
        self.is_resuming = false;
    }

    /// The queues of which there is room for more, and of which the store has more.
    pub(crate) fn to_read(&mut self) -> Vec<PageOf> {
        if self.is_resuming {
            return Vec::new();
        }
        let (here, most) = (&self.here, self.window.queue);
        let pages = self.stored.iter_mut().filter_map(|(queue, stored)| {
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
        pages.collect()
    }

    /// Takes the next message of a page: its lane is opened if it is not. False when there is no room for it.
    pub(crate) fn take_in(
        &mut self,
        page: &mut PageOf,
        place: &Place,
        id: MessageId,
        pin: Option<&AccountName>,
        is_here: bool,
    ) -> Result<Option<LaneId>, Full> {
        let opened = match self.find(&place.chat, pin) {
            Some(lane) => {
                if let Some(lane) = self.open.get_mut(&lane).filter(|lane| !is_here && !lane.stored) {
                    lane.leave(&place.named);
                }
                None
            }
            None if self.room(&page.queue) == 0 => return Err(Full),
            None => Some(self.open_stored(place, pin)),
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
        let place = Place { named: chat.clone(), chat: chat.clone(), queue };
        let target = known.unwrap_or_else(|| self.open(&place, pin));
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
    fn may_be_stored(&self, pin: Option<&AccountName>, known: NoneStored) -> bool {
        let may = match pin {
            Some(pin) => self.is_stored(&Queue::Pinned(pin.clone())),
            // What is not pinned may have been accepted into any queue.
            None => self.unpinned_stored > 0,
        };
        may && known != Some(self.left)
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

    fn open_stored(&mut self, place: &Place, pin: Option<&AccountName>) -> LaneId {
        let id = self.open(place, pin.cloned());
        if let Some(lane) = self.open.get_mut(&id) {
            lane.leave(&place.named);
        }
        id
    }

    fn open(&mut self, place: &Place, pin: Option<AccountName>) -> LaneId {
        let id = LaneId(self.next);
        self.next += 1;
        let Place { chat, queue, .. } = place.clone();
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
mod tests {
    use super::*;
    use domain::ChatId;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    const WIDE: Window = Window { queue: 1_000, lane: 100 };

    fn chat() -> ChatRef {
        ChatRef::Id(ChatId::channel(7).expect("a chat"))
    }

    fn id(number: u128) -> MessageId {
        MessageId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn name(text: &str) -> AccountName {
        text.parse().expect("a name")
    }

    fn job(number: u128, pin: Option<&str>) -> Job<()> {
        Job { id: id(number), pin: pin.map(name), payload: () }
    }

    fn at(chat: &ChatRef) -> Place {
        Place { chat: chat.clone(), named: chat.clone(), queue: Queue::Pool }
    }

    fn new_lane(lanes: &mut Lanes<()>, chat: &ChatRef, number: u128) -> LaneId {
        match lanes.line_up(&at(chat), job(number, None), None) {
            Lined::Here(Some(lane)) => lane,
            other => panic!("{other:?}"),
        }
    }

    fn next(lanes: &mut Lanes<()>, lane: LaneId) -> Option<MessageId> {
        match lanes.take(lane) {
            Take::Job(job) => Some(job.id),
            Take::End => None,
            Take::Read(..) => panic!("the store has none"),
        }
    }

    #[test]
    fn a_lane_keeps_the_order_and_ends_when_it_is_empty() {
        let mut lanes = Lanes::new(WIDE);
        let lane = new_lane(&mut lanes, &chat(), 2);
        assert_eq!(lanes.line_up(&at(&chat()), job(1, None), None), Lined::Here(None));
        assert_eq!(lanes.reserve(&at(&chat()), None, None), None, "there is one");
        assert_eq!(next(&mut lanes, lane), Some(id(1)));
        assert_eq!(next(&mut lanes, lane), Some(id(2)));
        assert_eq!(next(&mut lanes, lane), None);
        assert!(lanes.by_chat.is_empty() && lanes.open.is_empty() && lanes.here.is_empty());
    }

    #[test]
    fn a_name_that_is_resolved_joins_the_lanes_of_its_id() {
        let mut lanes = Lanes::new(WIDE);
        let by_name = ChatRef::Username("client_1".parse().expect("a name"));
        let lane = new_lane(&mut lanes, &by_name, 1);
        lanes.line_up(&at(&by_name), job(3, None), None);
        let known = new_lane(&mut lanes, &chat(), 2);
        let Take::Job(held) = lanes.take(lane) else { panic!("a job") };
        assert_eq!(lanes.relocate(lane, &chat(), held), None);
        assert_eq!(next(&mut lanes, lane), None);
        let order: Vec<_> = std::iter::from_fn(|| next(&mut lanes, known)).collect();
        assert_eq!(order, [id(1), id(2), id(3)]);
        assert!(lanes.here.is_empty());
    }

    #[test]
    fn who_stands_behind_a_head_that_waits_waits_as_long() {
        let mut lanes = Lanes::new(Window { queue: 10, lane: 2 });
        let lane = new_lane(&mut lanes, &chat(), 1);
        lanes.take(lane);
        lanes.line_up(&at(&chat()), job(2, None), None);
        let until = Some(Timestamp::from_micros(7));
        let held = |lanes: &Lanes<()>, n| lanes.held_until(&chat(), None, id(n));
        assert_eq!(held(&lanes, 2), None);
        lanes.hold(lane, until);
        lanes.line_up(&at(&chat()), job(3, None), None);
        assert_eq!([1, 2, 3].map(|n| held(&lanes, n)), [None, until, until]);
        assert_eq!(lanes.line_up(&at(&chat()), job(4, None), None), Lined::Stored(None));
        assert_eq!(held(&lanes, 4), until, "the store has it");
        lanes.take(lane);
        assert_eq!(held(&lanes, 3), None, "its head is another one");
    }

    #[test]
    fn what_waits_is_not_read_before_what_was_under_way_has_its_lane() {
        let mut lanes = Lanes::new(WIDE);
        lanes.resume(&Queue::Pool);
        assert!(lanes.to_read().is_empty() && !lanes.has_room_for_stored());
        let lane = lanes.push(&at(&chat()), job(1, None)).expect("a new lane");
        lanes.resumed();
        let mut page = lanes.to_read().remove(0);
        assert_eq!(
            lanes.take_in(&mut page, &at(&chat()), id(2), None, false),
            Ok(None),
            "it stands behind the first"
        );
        assert_eq!(next(&mut lanes, lane), Some(id(1)));
        assert!(matches!(lanes.take(lane), Take::Read(..)));
    }

    /// Lanes over a store, as the delivery drives them.
    struct World {
        lanes: Lanes<()>,
        /// What waits: its chat, its account if it is pinned, and its queue.
        store: BTreeMap<MessageId, (ChatRef, Option<AccountName>, Queue)>,
        here: BTreeSet<MessageId>,
        workers: Vec<(LaneId, Option<MessageId>)>,
        left: BTreeMap<(String, Option<AccountName>), Vec<MessageId>>,
    }

    impl World {
        fn place(chat: &ChatRef, queue: &Queue) -> Place {
            Place { chat: chat.clone(), named: chat.clone(), queue: queue.clone() }
        }

        fn accept(&mut self, number: u128, chat: i64, pin: Option<u8>, queue: u8) {
            let accounts = ["a", "b"].map(name);
            let pin = pin.map(|pin| accounts[usize::from(pin)].clone());
            let chat = ChatRef::Id(ChatId::channel(chat).expect("a chat"));
            let queue = match &pin {
                Some(pin) => Queue::Pinned(pin.clone()),
                None if queue == 0 => Queue::Pool,
                None => Queue::Account(accounts[0].clone()),
            };
            let asked = self.lanes.ask_store(&chat, pin.as_ref());
            let has = self.store.values().any(|(other, its_pin, _)| (other, its_pin) == (&chat, &pin));
            let known = asked.filter(|_| !has);
            self.store.insert(id(number), (chat.clone(), pin.clone(), queue.clone()));
            let job = Job { id: id(number), pin, payload: () };
            match self.lanes.line_up(&Self::place(&chat, &queue), job, known) {
                Lined::Here(lane) => {
                    self.here.insert(id(number));
                    self.workers.extend(lane.map(|lane| (lane, None)));
                }
                Lined::Stored(lane) => self.workers.extend(lane.map(|lane| (lane, None))),
            }
        }

        fn read_queues(&mut self) {
            for mut page in self.lanes.to_read() {
                let rows: Vec<_> = self
                    .store
                    .iter()
                    .filter(|(id, (.., queue))| *queue == page.queue && Some(**id) > page.after)
                    .map(|(id, row)| (*id, row.clone()))
                    .take(page.limit)
                    .collect();
                let is_last = rows.len() < page.limit;
                let mut is_full = false;
                for (id, (chat, pin, queue)) in rows {
                    let is_here = self.here.contains(&id);
                    match self.lanes.take_in(
                        &mut page,
                        &Self::place(&chat, &queue),
                        id,
                        pin.as_ref(),
                        is_here,
                    ) {
                        Ok(lane) => self.workers.extend(lane.map(|lane| (lane, None))),
                        Err(Full) => {
                            is_full = true;
                            break;
                        }
                    }
                }
                if is_last && !is_full {
                    self.lanes.end(&page);
                }
            }
        }

        /// One step of a worker: what it has in hand is sent, and it takes the next.
        fn work(&mut self, worker: usize) {
            let (lane, held) = self.workers[worker];
            if let Some(sent) = held {
                let (chat, pin, _) = self.store.remove(&sent).expect("it waited");
                self.here.remove(&sent);
                self.left.entry((chat.to_string(), pin)).or_default().push(sent);
            }
            let held = match self.lanes.take(lane) {
                Take::Job(job) => Some(job.id),
                Take::End => {
                    self.workers.remove(worker);
                    return;
                }
                Take::Read(key, limit) => {
                    let is_of = |chat: &ChatRef| key.chat_id.map(ChatRef::Id).as_ref() == Some(chat);
                    let rows: Vec<_> = self
                        .store
                        .iter()
                        .filter(|(_, (chat, pin, _))| is_of(chat) && *pin == key.pin)
                        .map(|(id, _)| *id)
                        .take(limit)
                        .collect();
                    let more = rows.len() >= limit;
                    self.here.extend(&rows);
                    let job = |id| Job { id, pin: key.pin.clone(), payload: () };
                    self.lanes.refill(lane, rows.into_iter().map(job).collect(), more);
                    None
                }
            };
            self.workers[worker].1 = held;
        }

        /// The program starts again: memory is gone.
        fn restart(&mut self) {
            self.lanes = Lanes::new(self.lanes.window);
            self.here.clear();
            self.workers.clear();
            for (.., queue) in self.store.values() {
                self.lanes.resume(queue);
            }
            self.lanes.resumed();
        }
    }

    #[derive(Debug, Clone)]
    enum Op {
        Accept { chat: i64, pin: Option<u8>, queue: u8 },
        Work(prop::sample::Index),
        ReadQueues,
        Restart,
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            8 => (1_i64..8, prop::option::weighted(0.3, 0_u8..2), 0_u8..2)
                .prop_map(|(chat, pin, queue)| Op::Accept { chat, pin, queue }),
            8 => any::<prop::sample::Index>().prop_map(Op::Work),
            2 => Just(Op::ReadQueues),
            1 => Just(Op::Restart),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

        /// Whatever is accepted, sent and restarted in between: every message leaves once and by age within its lane, those
        /// without a pin among themselves and those of each pin, and memory holds no more than the window.
        #[test]
        fn nothing_is_lost_doubled_or_passed(ops in prop::collection::vec(op(), 1..150), room in 1_usize..6, most in 1_usize..4) {
            let window = Window { queue: room, lane: most };
            let mut world = World {
                lanes: Lanes::new(window),
                store: BTreeMap::new(),
                here: BTreeSet::new(),
                workers: Vec::new(),
                left: BTreeMap::new(),
            };
            let mut accepted = 0_u128;
            for op in ops {
                match op {
                    Op::Accept { chat, pin, queue } => {
                        accepted += 1;
                        world.accept(accepted, chat, pin, queue);
                    }
                    Op::Work(_) if world.workers.is_empty() => {}
                    Op::Work(worker) => world.work(worker.index(world.workers.len())),
                    Op::ReadQueues => world.read_queues(),
                    Op::Restart => world.restart(),
                }
                // Each open lane may have one more in hand or in its next page.
                prop_assert!(world.here.len() <= 4 * (2 * room + most), "{} of {:?}", world.here.len(), window);
            }
            for _ in 0..20 * (accepted + 1) {
                world.read_queues();
                for worker in (0..world.workers.len()).rev() {
                    world.work(worker);
                }
            }
            prop_assert!(world.store.is_empty() && world.workers.is_empty(), "{:?} {:?}", world.store, world.lanes);
            prop_assert!(world.left.values().all(|ids| ids.is_sorted()), "{:?}", world.left);
            prop_assert_eq!(world.left.values().flatten().collect::<BTreeSet<_>>().len() as u128, accepted);
            prop_assert!(world.lanes.open.is_empty() && world.lanes.by_chat.is_empty());
            prop_assert!(world.lanes.here.is_empty() && world.lanes.stored.is_empty() && world.lanes.unpinned_stored == 0);
        }
    }
}
