//! Lanes: the order in which messages leave. Pure bookkeeping; the workers in `worker` follow it.
//!
//! A chat has one lane for the messages that no caller pinned to an account, and one for those pinned to each account. The
//! messages of a lane leave one at a time, in the order of acceptance; no lane waits for another. Each lane that exists has
//! exactly one worker.

use std::collections::{HashMap, VecDeque};

use domain::{AccountName, ChatRef, MessageId, Timestamp};

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

#[derive(Debug)]
struct Lane<L> {
    chat: ChatRef,
    /// The account that its messages are pinned to, if they are.
    pin: Option<AccountName>,
    /// Until when the message at its head must wait, and so those behind it.
    held_until: Option<Timestamp>,
    jobs: VecDeque<Job<L>>,
}

/// All lanes.
#[derive(Debug)]
pub(crate) struct Lanes<L> {
    open: HashMap<LaneId, Lane<L>>,
    by_chat: HashMap<ChatRef, Vec<LaneId>>,
    next: u64,
}

impl<L> Default for Lanes<L> {
    fn default() -> Self {
        Self { open: HashMap::new(), by_chat: HashMap::new(), next: 0 }
    }
}

impl<L> Lanes<L> {
    /// Opens a lane that there is not yet, for a worker whose first job is not accepted yet.
    pub(crate) fn reserve(&mut self, chat: &ChatRef, pin: Option<&AccountName>) -> Option<LaneId> {
        self.find(chat, pin).is_none().then(|| self.open(chat.clone(), pin.cloned()))
    }

    /// Puts a message in line. `Some` names a new lane that needs a worker.
    pub(crate) fn push(&mut self, chat: &ChatRef, job: Job<L>) -> Option<LaneId> {
        let known = self.find(chat, job.pin.as_ref());
        let lane = known.unwrap_or_else(|| self.open(chat.clone(), job.pin.clone()));
        self.insert(lane, job);
        known.is_none().then_some(lane)
    }

    /// The message at the head of a lane, in the hands of its worker, must wait until then; `None` when that is over.
    pub(crate) fn hold(&mut self, lane: LaneId, until: Option<Timestamp>) {
        if let Some(lane) = self.open.get_mut(&lane) {
            lane.held_until = until;
        }
    }

    /// Until when a message must wait for the one at the head of its lane.
    pub(crate) fn held_until(&self, chat: &ChatRef, id: MessageId) -> Option<Timestamp> {
        let mut siblings = self.by_chat.get(chat)?.iter().filter_map(|lane| self.open.get(lane));
        siblings.find(|lane| lane.jobs.binary_search_by_key(&id, |job| job.id).is_ok())?.held_until
    }

    /// Whether any message is on the way to this chat.
    pub(crate) fn lead_to(&self, chat: &ChatRef) -> bool {
        self.by_chat.contains_key(chat)
    }

    /// The next message of a lane, for its worker. `None` ends the lane, and with it the worker.
    pub(crate) fn take(&mut self, lane: LaneId) -> Option<Job<L>> {
        self.hold(lane, None);
        let job = self.open.get_mut(&lane).and_then(|lane| lane.jobs.pop_front());
        if job.is_none() {
            self.close(lane);
        }
        job
    }

    /// The chat of a lane turned out to be this one: its messages go over into the lane of that. Returns that lane if it
    /// needs a worker. The worker's own lane ends by itself.
    pub(crate) fn relocate(&mut self, lane: LaneId, chat: &ChatRef, held: Job<L>) -> Option<LaneId> {
        let mut movers = self.extract(lane, |_| true);
        movers.push(held);
        movers.into_iter().fold(None, |new, job| self.push(chat, job).or(new))
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
        out
    }

    fn find(&self, chat: &ChatRef, pin: Option<&AccountName>) -> Option<LaneId> {
        let lanes = self.by_chat.get(chat)?;
        lanes.iter().copied().find(|lane| self.open.get(lane).is_some_and(|lane| lane.pin.as_ref() == pin))
    }

    fn open(&mut self, chat: ChatRef, pin: Option<AccountName>) -> LaneId {
        let id = LaneId(self.next);
        self.next += 1;
        self.by_chat.entry(chat.clone()).or_default().push(id);
        self.open.insert(id, Lane { chat, pin, held_until: None, jobs: VecDeque::new() });
        id
    }

    fn close(&mut self, id: LaneId) {
        let Some(lane) = self.open.remove(&id) else { return };
        if let Some(siblings) = self.by_chat.get_mut(&lane.chat) {
            siblings.retain(|sibling| *sibling != id);
            if siblings.is_empty() {
                self.by_chat.remove(&lane.chat);
            }
        }
    }

    /// Puts a message into a lane that has a worker, by age: ids grow with acceptance.
    pub(crate) fn insert(&mut self, lane: LaneId, job: Job<L>) {
        if let Some(lane) = self.open.get_mut(&lane) {
            let place = lane.jobs.iter().rposition(|other| other.id < job.id).map_or(0, |before| before + 1);
            lane.jobs.insert(place, job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ChatId;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

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

    #[test]
    fn a_lane_keeps_the_order_and_ends_when_it_is_empty() {
        let mut lanes = Lanes::default();
        let lane = lanes.push(&chat(), job(2, None)).expect("a new lane");
        assert_eq!(lanes.push(&chat(), job(1, None)), None);
        assert_eq!(lanes.reserve(&chat(), None), None, "there is one");
        assert_eq!(lanes.take(lane).map(|job| job.id), Some(id(1)));
        assert_eq!(lanes.take(lane).map(|job| job.id), Some(id(2)));
        assert_eq!(lanes.take(lane), None);
        assert!(lanes.by_chat.is_empty() && lanes.open.is_empty());
    }

    #[test]
    fn a_name_that_is_resolved_joins_the_lanes_of_its_id() {
        let mut lanes = Lanes::default();
        let by_name = ChatRef::Username("client_1".parse().expect("a name"));
        let lane = lanes.push(&by_name, job(1, None)).expect("a new lane");
        lanes.push(&by_name, job(3, None));
        let known = lanes.push(&chat(), job(2, None)).expect("a new lane");
        let held = lanes.take(lane).expect("a job");
        assert_eq!(lanes.relocate(lane, &chat(), held), None);
        assert_eq!(lanes.take(lane), None);
        let order: Vec<_> = std::iter::from_fn(|| lanes.take(known)).map(|job| job.id).collect();
        assert_eq!(order, [id(1), id(2), id(3)]);
    }

    #[test]
    fn who_stands_behind_a_head_that_waits_waits_as_long() {
        let mut lanes = Lanes::default();
        let lane = lanes.push(&chat(), job(1, None)).expect("a new lane");
        lanes.take(lane);
        lanes.push(&chat(), job(2, None));
        let until = Some(Timestamp::from_micros(7));
        assert_eq!(lanes.held_until(&chat(), id(2)), None);
        lanes.hold(lane, until);
        lanes.push(&chat(), job(3, None));
        assert_eq!([1, 2, 3].map(|n| lanes.held_until(&chat(), id(n))), [None, until, until]);
        lanes.take(lane);
        assert_eq!(lanes.held_until(&chat(), id(3)), None, "its head is another one");
    }

    proptest! {
        /// Every message leaves exactly once and by age: those without a pin among themselves, and those of each pin.
        #[test]
        fn nothing_is_lost_doubled_or_passed(
            pins in prop::collection::vec(prop::option::of(0_u8..3), 1..40),
            ages in prop::collection::vec(any::<prop::sample::Index>(), 40),
        ) {
            let accounts = ["a", "b", "c"];
            let mut lanes = Lanes::default();
            let mut open: Vec<LaneId> = Vec::new();
            let mut waiting: Vec<_> = pins.iter().enumerate().collect();
            for age in ages {
                if waiting.is_empty() {
                    break;
                }
                let (number, pin) = waiting.remove(age.index(waiting.len()));
                let pin = pin.map(|index| accounts[usize::from(index)]);
                open.extend(lanes.push(&chat(), job(number as u128, pin)));
            }
            let mut left: BTreeMap<Option<AccountName>, Vec<MessageId>> = BTreeMap::new();
            // No lane waits for another: they are served in turn.
            while !open.is_empty() {
                open.retain(|lane| match lanes.take(*lane) {
                    Some(job) => {
                        left.entry(job.pin).or_default().push(job.id);
                        true
                    }
                    None => false,
                });
            }
            prop_assert!(left.values().all(|ids| ids.is_sorted()), "{:?}", left);
            let mut all: Vec<_> = left.into_values().flatten().collect();
            all.sort();
            prop_assert_eq!(all, (0..pins.len()).map(|n| id(n as u128)).collect::<Vec<_>>());
            prop_assert!(lanes.open.is_empty() && lanes.by_chat.is_empty());
        }
    }
}
