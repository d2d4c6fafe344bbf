//! Lanes, queues and the store, driven at random: nothing is lost, doubled or passed.

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

fn at(chat: &ChatRef) -> LaneTarget {
    LaneTarget { chat: chat.clone(), named: chat.clone(), queue: Queue::Pool }
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
fn messages_behind_a_waiting_head_wait_as_long() {
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
fn waiting_work_is_read_after_started_work_has_its_lane() {
    let mut lanes = Lanes::new(WIDE);
    lanes.resume(&Queue::Pool);
    assert!(lanes.pages().is_empty() && !lanes.has_room_for_stored());
    let lane = lanes.push(&at(&chat()), job(1, None)).expect("a new lane");
    lanes.resumed();
    let mut page = lanes.pages().remove(0);
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
    fn lane_target(chat: &ChatRef, queue: &Queue) -> LaneTarget {
        LaneTarget { chat: chat.clone(), named: chat.clone(), queue: queue.clone() }
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
        let none_stored = self.lanes.ask_store(&chat, pin.as_ref());
        let has = self.store.values().any(|(other, its_pin, _)| (other, its_pin) == (&chat, &pin));
        let known = none_stored.filter(|_| !has);
        self.store.insert(id(number), (chat.clone(), pin.clone(), queue.clone()));
        let job = Job { id: id(number), pin, payload: () };
        match self.lanes.line_up(&Self::lane_target(&chat, &queue), job, known) {
            Lined::Here(lane) => {
                self.here.insert(id(number));
                self.workers.extend(lane.map(|lane| (lane, None)));
            }
            Lined::Stored(lane) => self.workers.extend(lane.map(|lane| (lane, None))),
        }
    }

    fn read_queues(&mut self) {
        for mut page in self.lanes.pages() {
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
                let lane_target = Self::lane_target(&chat, &queue);
                let Ok(lane) = self.lanes.take_in(&mut page, &lane_target, id, pin.as_ref(), is_here) else {
                    is_full = true;
                    break;
                };
                self.workers.extend(lane.map(|lane| (lane, None)));
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
    fn no_message_is_lost_doubled_or_overtaken(ops in prop::collection::vec(op(), 1..150), room in 1_usize..6, most in 1_usize..4) {
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
