//! Lanes: the order in which messages leave. Pure bookkeeping; the workers in `worker` follow it.
//!
//! A lane is one account's way into one chat; its messages leave one at a time, in the order of acceptance. Messages
//! that no caller pinned to an account share the one *free* lane of their chat, which may move to another account as a
//! whole; pinned ones stay with theirs. Each lane that exists has exactly one worker.

use std::collections::{HashMap, VecDeque};

use domain::{AccountName, ChatId, ChatRef, MessageId};

/// A lane, for as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LaneId(u64);

/// A message in a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job<L> {
    pub(crate) id: MessageId,
    /// The only account it may leave through, if the caller pinned one.
    pub(crate) pin: Option<AccountName>,
    /// The account that has one of its parts already, after a restart.
    pub(crate) through: Option<AccountName>,
    pub(crate) load: L,
}

#[derive(Debug)]
struct Lane<L> {
    chat: ChatRef,
    /// The account it leads through; unknown until the first message of a free lane has one.
    account: Option<AccountName>,
    /// Whether it takes the messages that are not pinned.
    free: bool,
    jobs: VecDeque<Job<L>>,
}

/// Where a worker stands after it asked to go through an account.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Seat<L> {
    /// Its lane leads through that account; the job is its own again. A lane that was split off needs a worker.
    Stay { job: Job<L>, split_off: Option<LaneId> },
    /// The job went over into a lane that exists already and has a worker; go on with the next job of the old lane.
    Moved,
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
    /// Opens a lane for a chat that has none, for a worker whose first job is not accepted yet.
    pub(crate) fn reserve(
        &mut self,
        chat: &ChatRef,
        pin: Option<&AccountName>,
        account: AccountName,
    ) -> Option<LaneId> {
        if self.by_chat.contains_key(chat) {
            return None;
        }
        Some(self.open(chat.clone(), Some(account), pin.is_none()))
    }

    /// Puts a message in line. `Some` names a new lane that needs a worker.
    pub(crate) fn push(&mut self, chat: &ChatRef, job: Job<L>) -> Option<LaneId> {
        let siblings = || self.by_chat.get(chat).into_iter().flatten().copied();
        let leads_to = |account: &AccountName| {
            siblings()
                .find(|lane| self.open.get(lane).is_some_and(|lane| lane.account.as_ref() == Some(account)))
        };
        let free = || siblings().find(|lane| self.open.get(lane).is_some_and(|lane| lane.free));
        let fitting = match (&job.pin, &job.through) {
            (Some(pin), _) => leads_to(pin),
            (None, Some(through)) => free().or_else(|| leads_to(through)),
            (None, None) => free(),
        };
        let new = fitting.is_none();
        let lane = match fitting {
            Some(lane) => lane,
            None => self.open(chat.clone(), job.pin.as_ref().or(job.through.as_ref()).cloned(), false),
        };
        if let Some(lane) = self.open.get_mut(&lane) {
            lane.free |= job.pin.is_none();
        }
        self.insert(lane, job);
        new.then_some(lane)
    }

    /// The head of a lane is pinned and must wait: whoever is free to take another account goes into a lane of their
    /// own, which needs a worker.
    pub(crate) fn let_pass(&mut self, lane: LaneId) -> Option<LaneId> {
        let movers = self.extract(lane, |waiting| waiting.pin.is_none());
        let own = self.open.get_mut(&lane)?;
        own.free = false;
        let chat = own.chat.clone();
        if movers.is_empty() {
            return None;
        }
        let new = self.open(chat, None, true);
        for mover in movers {
            self.insert(new, mover);
        }
        Some(new)
    }

    /// Whether anyone is on the way to this chat.
    pub(crate) fn lead_to(&self, chat: &ChatRef) -> bool {
        self.by_chat.contains_key(chat)
    }

    /// The next message of a lane, for its worker. `None` ends the lane, and with it the worker.
    pub(crate) fn take(&mut self, lane: LaneId) -> Option<Job<L>> {
        let job = self.open.get_mut(&lane).and_then(|lane| lane.jobs.pop_front());
        if job.is_none() {
            self.close(lane);
        }
        job
    }

    /// A worker that holds `job` wants to go through `account`.
    pub(crate) fn sit(&mut self, lane: LaneId, account: &AccountName, job: Job<L>) -> Seat<L> {
        let Some(own) = self.open.get(&lane) else {
            return Seat::Stay { job, split_off: None };
        };
        if own.account.as_ref() == Some(account) || job.pin.is_some() {
            return Seat::Stay { job, split_off: None };
        }
        let chat = own.chat.clone();
        let other = self.by_chat.get(&chat).into_iter().flatten().copied().find(|&id| {
            id != lane && self.open.get(&id).is_some_and(|other| other.account.as_ref() == Some(account))
        });
        if let Some(other) = other {
            let movers = self.extract(lane, |waiting| waiting.pin.is_none());
            if let Some(old) = self.open.get_mut(&lane) {
                old.free = false;
            }
            if let Some(new) = self.open.get_mut(&other) {
                new.free = true;
            }
            for mover in movers.into_iter().chain([job]) {
                self.insert(other, mover);
            }
            return Seat::Moved;
        }
        let stayers = self.extract(lane, |waiting| waiting.pin.is_some());
        let old_account = match self.open.get_mut(&lane) {
            Some(own) => own.account.replace(account.clone()),
            None => None,
        };
        let split_off = match old_account {
            Some(old) if !stayers.is_empty() => Some(self.open(chat, Some(old), false)),
            _ => None,
        };
        for stayer in stayers {
            self.insert(split_off.unwrap_or(lane), stayer);
        }
        Seat::Stay { job, split_off }
    }

    /// The chat of a lane turned out to have this id. When it has lanes under the id already, or is known by a name
    /// only here, all messages go over; returns the lanes that need a worker. The worker's own lane ends by itself.
    pub(crate) fn relocate(&mut self, lane: LaneId, id: ChatId, held: Job<L>) -> Vec<LaneId> {
        let mut movers = self.extract(lane, |_| true);
        movers.push(held);
        movers.sort_by_key(|job| job.id);
        let chat = ChatRef::Id(id);
        movers.into_iter().filter_map(|job| self.push(&chat, job)).collect()
    }

    /// Takes a waiting message out, if it still waits.
    pub(crate) fn remove(&mut self, chat: &ChatRef, id: MessageId) -> Option<Job<L>> {
        let lanes = self.by_chat.get(chat).cloned().unwrap_or_default();
        lanes.into_iter().find_map(|lane| self.extract(lane, |job| job.id == id).pop())
    }

    #[cfg(test)]
    fn account(&self, lane: LaneId) -> Option<&AccountName> {
        self.open.get(&lane).and_then(|lane| lane.account.as_ref())
    }

    fn open(&mut self, chat: ChatRef, account: Option<AccountName>, free: bool) -> LaneId {
        let id = LaneId(self.next);
        self.next += 1;
        self.by_chat.entry(chat.clone()).or_default().push(id);
        self.open.insert(id, Lane { chat, account, free, jobs: VecDeque::new() });
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

    /// Inserts by age: ids grow with acceptance.
    fn insert(&mut self, lane: LaneId, job: Job<L>) {
        if let Some(lane) = self.open.get_mut(&lane) {
            let place = lane.jobs.iter().rposition(|other| other.id < job.id).map_or(0, |before| before + 1);
            lane.jobs.insert(place, job);
        }
    }

    fn extract(&mut self, lane: LaneId, wanted: impl Fn(&Job<L>) -> bool) -> Vec<Job<L>> {
        let Some(lane) = self.open.get_mut(&lane) else { return Vec::new() };
        let (out, stay): (Vec<_>, Vec<_>) = lane.jobs.drain(..).partition(|job| wanted(job));
        lane.jobs = stay.into();
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
        Job { id: id(number), pin: pin.map(name), through: None, load: () }
    }

    #[test]
    fn a_chat_has_one_free_lane_and_it_keeps_the_order() {
        let mut lanes = Lanes::default();
        let lane = lanes.push(&chat(), job(2, None)).expect("a new lane");
        assert_eq!(lanes.push(&chat(), job(1, None)), None);
        assert_eq!(lanes.take(lane).map(|job| job.id), Some(id(1)));
        assert_eq!(lanes.take(lane).map(|job| job.id), Some(id(2)));
        assert_eq!(lanes.take(lane), None);
        assert!(lanes.by_chat.is_empty() && lanes.open.is_empty());
    }

    #[test]
    fn failover_moves_the_free_messages_and_leaves_the_pinned_ones() {
        let mut lanes = Lanes::default();
        let lane = lanes.push(&chat(), job(1, None)).expect("a new lane");
        let head = lanes.take(lane).expect("a job");
        let Seat::Stay { job: head, split_off: None } = lanes.sit(lane, &name("main"), head) else {
            panic!("stays");
        };
        assert_eq!(lanes.push(&chat(), job(2, Some("main"))), None, "joins the lane of its account");
        assert_eq!(lanes.push(&chat(), job(3, None)), None);
        let Seat::Stay { split_off: Some(left), .. } = lanes.sit(lane, &name("backup"), head) else {
            panic!("splits");
        };
        assert_eq!(lanes.account(left), Some(&name("main")));
        assert_eq!(lanes.take(left).map(|job| job.id), Some(id(2)));
        assert_eq!(lanes.take(lane).map(|job| job.id), Some(id(3)));
    }

    #[test]
    fn a_lane_that_moves_onto_another_merges_by_age() {
        let mut lanes = Lanes::default();
        let pinned = lanes.push(&chat(), job(2, Some("backup"))).expect("a new lane");
        let free = lanes.push(&chat(), job(1, None)).expect("a new lane");
        lanes.push(&chat(), job(3, None));
        let head = lanes.take(free).expect("a job");
        assert_eq!(lanes.sit(free, &name("backup"), head), Seat::Moved);
        assert_eq!(lanes.take(free), None);
        let order: Vec<_> = std::iter::from_fn(|| lanes.take(pinned)).map(|job| job.id).collect();
        assert_eq!(order, [id(1), id(2), id(3)]);
    }

    #[test]
    fn a_name_that_is_resolved_joins_the_lanes_of_its_id() {
        let mut lanes = Lanes::default();
        let by_name = ChatRef::Username("client_1".parse().expect("a name"));
        let lane = lanes.push(&by_name, job(1, None)).expect("a new lane");
        lanes.push(&by_name, job(3, None));
        let known = lanes.push(&chat(), job(2, None)).expect("a new lane");
        let held = lanes.take(lane).expect("a job");
        let ChatRef::Id(chat_id) = chat() else { panic!("an id") };
        assert!(lanes.relocate(lane, chat_id, held).is_empty());
        assert_eq!(lanes.take(lane), None);
        let order: Vec<_> = std::iter::from_fn(|| lanes.take(known)).map(|job| job.id).collect();
        assert_eq!(order, [id(1), id(2), id(3)]);
    }

    #[test]
    fn what_an_account_had_before_a_restart_shares_its_lane_with_what_is_pinned_to_it() {
        let mut lanes = Lanes::default();
        let mut first = job(1, None);
        first.through = Some(name("main"));
        let lane = lanes.push(&chat(), first).expect("a new lane");
        assert_eq!(lanes.push(&chat(), job(2, Some("main"))), None);
        assert_eq!(lanes.push(&chat(), job(3, None)), None);
        let order: Vec<_> = std::iter::from_fn(|| lanes.take(lane)).map(|job| job.id).collect();
        assert_eq!(order, [id(1), id(2), id(3)]);
    }

    #[test]
    fn behind_a_pinned_head_that_waits_the_free_ones_pass() {
        let mut lanes = Lanes::default();
        let lane = lanes.push(&chat(), job(1, None)).expect("a new lane");
        let first = lanes.take(lane).expect("a job");
        lanes.sit(lane, &name("main"), first);
        lanes.push(&chat(), job(2, Some("main")));
        lanes.push(&chat(), job(3, None));
        let pinned = lanes.take(lane).expect("a job");
        let passing = lanes.let_pass(lane).expect("a new lane");
        assert_eq!(lanes.take(passing).map(|job| job.id), Some(id(3)));
        assert_eq!(
            lanes.sit(lane, &name("main"), pinned),
            Seat::Stay { job: job(2, Some("main")), split_off: None }
        );
        assert_eq!(lanes.push(&chat(), job(4, None)), None, "joins the free lane");
        assert_eq!(lanes.take(passing).map(|job| job.id), Some(id(4)));
    }

    proptest! {
        /// Whatever is pushed, pinned and moved: every message leaves exactly once, a pinned one through its account,
        /// and through one account the messages that waited together leave by age.
        #[test]
        fn nothing_is_lost_doubled_or_passed(
            pins in prop::collection::vec(prop::option::of(0_u8..3), 1..40),
            moves in prop::collection::vec(0_u8..3, 1..40),
        ) {
            let accounts = [name("a"), name("b"), name("c")];
            let mut lanes = Lanes::default();
            let mut open: Vec<LaneId> = Vec::new();
            for (number, pin) in pins.iter().enumerate() {
                let pin = pin.map(|index| accounts[usize::from(index)].clone());
                open.extend(lanes.push(&chat(), Job { id: id(number as u128), pin, through: None, load: () }));
            }
            let mut left: BTreeMap<AccountName, Vec<MessageId>> = BTreeMap::new();
            let mut moves = moves.iter().cycle();
            while let Some(lane) = open.first().copied() {
                let Some(job) = lanes.take(lane) else {
                    open.remove(0);
                    continue;
                };
                let account = job.pin.clone()
                    .unwrap_or_else(|| accounts[usize::from(*moves.next().unwrap_or(&0))].clone());
                match lanes.sit(lane, &account, job) {
                    Seat::Stay { job, split_off } => {
                        prop_assert!(job.pin.is_none_or(|pin| pin == account));
                        left.entry(account).or_default().push(job.id);
                        open.extend(split_off);
                    }
                    Seat::Moved => {}
                }
            }
            let mut all: Vec<_> = left.values().flatten().copied().collect();
            all.sort();
            prop_assert_eq!(all, (0..pins.len()).map(|n| id(n as u128)).collect::<Vec<_>>());
            prop_assert!(lanes.open.is_empty() && lanes.by_chat.is_empty());
        }
    }
}
