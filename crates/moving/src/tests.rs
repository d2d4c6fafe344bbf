//! Moves with kills at any place: what holds at every moment, and what is true in the end.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::progress::{Direction, Progress, Until};
use crate::step::{Role, Step};

/// What is in a store: which message was accepted and which was sent, and its fence.
#[derive(Debug, Clone, Default)]
struct Store {
    accepted: BTreeSet<u32>,
    sent: BTreeSet<u32>,
    fence: Option<(i64, Role)>,
}

/// A machine with its data directory.
#[derive(Debug, Clone, Default)]
struct Machine {
    runs: bool,
    store: Option<Store>,
    incoming: Option<Store>,
    remembered: Option<(i64, Role)>,
    journal: Progress,
}

impl Machine {
    /// The rule of `store::fences`.
    fn may_open(&self, own: Role) -> bool {
        let in_store = self.store.as_ref().and_then(|store| store.fence);
        self.remembered.max(in_store).is_none_or(|(_, holder)| holder == own)
    }

    fn remember(&mut self, number: i64, holder: Role) {
        self.remembered = self.remembered.max(Some((number, holder)));
    }
}

#[derive(Debug, Clone)]
struct World {
    old: Machine,
    new: Machine,
    next_message: u32,
    requested: BTreeSet<u32>,
    /// What went out, in order.
    ledger: Vec<u32>,
}

/// What happens beside the move.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A person or a boot starts a server.
    Start(Role),
    /// A machine loses its power.
    PowerCut(Role),
    /// A caller asks a side.
    Ask(Role),
    /// A side works on what waits.
    Work(Role),
}

/// Where the one who conducts is killed within a step.
#[derive(Debug, Clone, Copy)]
enum Kill {
    BeforeTheJournal,
    BetweenTheJournals,
    BeforeTheStep,
    AfterTheStep,
    BetweenTheJournalsAfter,
}

impl World {
    fn new() -> Self {
        let old = Machine { runs: true, store: Some(Store::default()), ..Machine::default() };
        Self { old, new: Machine::default(), next_message: 0, requested: BTreeSet::new(), ledger: Vec::new() }
    }

    fn machine(&mut self, role: Role) -> &mut Machine {
        match role {
            Role::Old => &mut self.old,
            Role::New => &mut self.new,
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Start(role) => {
                let machine = self.machine(role);
                if machine.may_open(role) {
                    machine.runs = true;
                    // A server makes a store where there is none.
                    machine.store.get_or_insert_default();
                }
            }
            Event::PowerCut(role) => self.machine(role).runs = false,
            Event::Ask(role) => {
                let message = self.next_message;
                let machine = self.machine(role);
                if machine.runs
                    && let Some(store) = &mut machine.store
                {
                    store.accepted.insert(message);
                    self.requested.insert(message);
                    self.next_message += 1;
                }
            }
            Event::Work(role) => {
                let machine = self.machine(role);
                if !machine.runs {
                    return;
                }
                let Some(store) = &mut machine.store else { return };
                let waiting: Vec<u32> = store.accepted.difference(&store.sent).copied().collect();
                store.sent.extend(&waiting);
                self.ledger.extend(waiting);
            }
        }
        self.check();
    }

    /// What holds at every moment.
    fn check(&self) {
        let with_sessions = |machine: &Machine| machine.runs;
        assert!(!(with_sessions(&self.old) && with_sessions(&self.new)), "two sides run: {self:?}");
        let once: BTreeSet<u32> = self.ledger.iter().copied().collect();
        assert_eq!(once.len(), self.ledger.len(), "sent twice: {self:?}");
    }

    /// What a step does. As the real ones, those that need a side at rest stop it first.
    fn perform(&mut self, step: Step) {
        match step {
            Step::Stop => self.old.runs = false,
            Step::GiveUp => {
                self.old.runs = false;
                if let Some(store) = &mut self.old.store {
                    store.fence = store.fence.max(Some((1, Role::New)));
                }
                self.old.remember(1, Role::New);
            }
            Step::TransferRest => self.new.incoming = self.old.store.clone(),
            Step::Place => {
                self.new.store = self.new.incoming.take().or(self.new.store.take());
            }
            Step::Start => self.happen(Event::Start(Role::New)),
            Step::StopNew => self.new.runs = false,
            Step::GiveBack => {
                // It finishes what a kill left of the placing.
                self.perform(Step::Place);
                self.new.runs = false;
                if let Some(store) = &mut self.new.store {
                    store.fence = store.fence.max(Some((2, Role::Old)));
                }
                self.new.remember(2, Role::Old);
            }
            Step::TransferBack => self.old.incoming = self.new.store.clone(),
            Step::PlaceBack => {
                self.old.store = self.old.incoming.take().or(self.old.store.take());
            }
            Step::Renounce => {
                self.new.runs = false;
                self.new.incoming = None;
                self.new.remember(2, Role::Old);
            }
            Step::TakeBack => {
                self.old.remember(2, Role::Old);
                if let Some(store) = &mut self.old.store {
                    store.fence = store.fence.max(Some((2, Role::Old)));
                }
            }
            Step::Restart => self.happen(Event::Start(Role::Old)),
            Step::Clear => self.new.incoming = None,
            _ => {}
        }
        self.check();
    }

    /// Goes on until it is over, or killed in the step of this number.
    fn conduct(
        &mut self,
        mut steps: usize,
        kill: Option<Kill>,
        back: bool,
        events: &mut impl Iterator<Item = Event>,
    ) {
        let mut progress = self.old.journal.together(&self.new.journal);
        if back && progress.turn_back().is_ok() {
            self.old.journal.direction = Direction::Back;
        }
        while let Some(step) = progress.next(Until::Compared) {
            let kill = kill.filter(|_| steps == 0);
            steps = steps.wrapping_sub(1);
            if matches!(kill, Some(Kill::BeforeTheJournal)) {
                return;
            }
            progress.begin(step);
            self.old.journal = progress.clone();
            if matches!(kill, Some(Kill::BetweenTheJournals)) {
                return;
            }
            self.new.journal = progress.clone();
            // With the first of its journals the new side remembers who holds the sessions.
            self.new.remember(0, Role::Old);
            if matches!(kill, Some(Kill::BeforeTheStep)) {
                return;
            }
            if let Some(event) = events.next() {
                self.happen(event);
            }
            self.perform(step);
            if let Some(event) = events.next() {
                self.happen(event);
            }
            if matches!(kill, Some(Kill::AfterTheStep)) {
                return;
            }
            progress.end(step);
            self.old.journal = progress.clone();
            if matches!(kill, Some(Kill::BetweenTheJournalsAfter)) {
                return;
            }
            self.new.journal = progress.clone();
        }
    }
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Old), Just(Role::New)]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        role().prop_map(Event::Start),
        role().prop_map(Event::PowerCut),
        role().prop_map(Event::Ask),
        role().prop_map(Event::Work),
    ]
}

fn kill() -> impl Strategy<Value = Kill> {
    prop_oneof![
        Just(Kill::BeforeTheJournal),
        Just(Kill::BetweenTheJournals),
        Just(Kill::BeforeTheStep),
        Just(Kill::AfterTheStep),
        Just(Kill::BetweenTheJournalsAfter),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Killed anywhere, any number of times, taken up or turned back, with servers that are started by mistake and machines that
    /// lose their power: never two sides at once, nothing sent twice, nothing lost.
    #[test]
    fn a_session_is_never_open_on_two_sides(
        runs in proptest::collection::vec((0_usize..20, kill(), proptest::bool::weighted(0.2)), 0..6),
        ends_back in any::<bool>(),
        events in proptest::collection::vec(event(), 0..120),
    ) {
        let mut world = World::new();
        let mut events = events.into_iter();
        // Up to the first journal of the new side.
        world.conduct(0, Some(Kill::BeforeTheStep), false, &mut std::iter::empty());
        for (steps, kill, back) in runs {
            world.conduct(steps, Some(kill), back, &mut events);
        }
        world.conduct(0, None, ends_back, &mut events);
        let progress = world.old.journal.together(&world.new.journal);
        prop_assert!(progress.next(Until::Compared).is_none(), "{:?}", progress);
        // In the end one side may run, and works off all that it took in.
        let holder = if progress.direction == Direction::Back { Role::Old } else { Role::New };
        prop_assert!(world.machine(holder).may_open(holder), "{:?}", world);
        world.happen(Event::Start(holder));
        world.happen(Event::Start(if holder == Role::Old { Role::New } else { Role::Old }));
        prop_assert!(world.machine(holder).runs);
        world.happen(Event::Work(holder));
        let sent: BTreeSet<u32> = world.ledger.iter().copied().collect();
        prop_assert_eq!(&sent, &world.requested, "{:?}", world);
    }

    /// Turned back after any number of steps it ends with the old side as it was.
    #[test]
    fn every_prefix_can_be_undone(steps in 0_usize..=17) {
        let mut world = World::new();
        let mut nothing = std::iter::empty();
        world.conduct(steps, Some(Kill::BeforeTheJournal), false, &mut nothing);
        world.conduct(0, None, true, &mut nothing);
        prop_assert!(world.old.runs && !world.new.runs);
        prop_assert!(world.old.may_open(Role::Old));
    }
}

#[test]
fn a_retired_move_cannot_be_undone() {
    let mut progress = Progress::default();
    while let Some(step) = progress.next(Until::Retired) {
        progress.end(step);
    }
    assert!(progress.is_over() && progress.turn_back().is_err());
}

mod over_a_line {
    //! Two sides in one process, with real files.

    use std::cell::RefCell;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::rc::Rc;

    use ambient::Clock;
    use serde_json::{Value, json};
    use store::Side;
    use tokio::io::{DuplexStream, duplex, split};

    use crate::audit::StoreFact;
    use crate::audit::tests::audit;
    use crate::carried::{CarriedError, Carrier};
    use crate::conducting::{Conductor, MoveError};
    use crate::link::Link;
    use crate::progress::Until;
    use crate::serving::{Answer, Failed, Order, Performer, serve};
    use crate::step::{Role, Step};
    use crate::{journal, place, wire};

    /// The steps that sides did, in order.
    type Steps = Rc<RefCell<Vec<Step>>>;

    /// A side without a server: it says what it was asked for, and fails where the test says so.
    struct Scripted {
        data_dir: PathBuf,
        fails_at: Option<Step>,
        done: Steps,
    }

    impl Performer for Scripted {
        async fn perform(&mut self, step: Step, order: &Order) -> Result<Value, Failed> {
            self.done.borrow_mut().push(step);
            if self.fails_at == Some(step) {
                return Err(Failed::refused("as the test wants"));
            }
            let audited = |store| {
                serde_json::to_value(audit(store)).map_err(|error| Failed::refused(error.to_string()))
            };
            match step {
                Step::AuditOld => audited(StoreFact::Served),
                Step::AuditNew => audited(StoreFact::None),
                // Before the sessions are given back, what a kill left of the placing is done.
                Step::Place | Step::GiveBack | Step::PlaceBack => {
                    place::put_in_place(&self.data_dir, Path::new("switchboard.db"), step.as_str())
                        .map(|files| json!(files))
                        .map_err(|error| Failed::refused(error.to_string()))
                }
                Step::Monitor => {
                    let reports = self.done.borrow().iter().filter(|done| **done == step).count();
                    Ok(json!({ "uses": reports }))
                }
                Step::Retire => Ok(order.given.clone()),
                _ => Ok(Value::Null),
            }
        }

        fn settings_file(&self) -> Option<PathBuf> {
            None
        }
    }

    /// A side that serves; the other end of its line.
    fn served(folder: &Path, name: &str, fails_at: Option<Step>, done: &Steps) -> DuplexStream {
        let (here, there) = duplex(1 << 16);
        let (data_dir, done) = (folder.join(name), Rc::clone(done));
        let side = store::recorded_side(&data_dir).unwrap();
        let side = side.unwrap_or_else(|| Side { id: name.to_owned(), name: name.to_owned() });
        tokio::task::spawn_local(async move {
            let mut work = Scripted { data_dir: data_dir.clone(), fails_at, done };
            serve(&data_dir, side, "1.0.0", &mut work, &Clock::system(), split(there)).await
        });
        here
    }

    /// The same side, killed when it has done what so many requests ask and has not said so.
    fn mortal(side: DuplexStream, mut lives: usize) -> DuplexStream {
        let (here, there) = duplex(1 << 16);
        tokio::task::spawn_local(async move {
            let ((mut requests, mut answers), (mut replies, mut asks)) = (split(there), split(side));
            wire::greeted(&mut replies).await.unwrap();
            wire::greet(&mut answers).await.unwrap();
            while let Ok(request) = wire::receive(&mut requests).await {
                wire::send(&mut asks, &request).await.unwrap();
                loop {
                    let answer = wire::receive(&mut replies).await.unwrap();
                    let is_alive = matches!(serde_json::from_slice(&answer.head), Ok(Answer::Alive));
                    if !is_alive {
                        lives -= 1;
                    }
                    if lives == 0 {
                        return;
                    }
                    wire::send(&mut answers, &answer).await.unwrap();
                    if !is_alive {
                        break;
                    }
                }
            }
        });
        here
    }

    async fn over(name: &str, line: DuplexStream) -> Link {
        let (from, to) = split(line);
        Link::over(name, from, to, Clock::system()).greeted().await.unwrap()
    }

    async fn link(folder: &Path, name: &str, fails_at: Option<Step>) -> Link {
        over(name, served(folder, name, fails_at, &Steps::default())).await
    }

    async fn conductor(folder: &Path, fails_at: Option<Step>) -> Conductor<'static> {
        let links = (link(folder, "old", fails_at).await, link(folder, "new", fails_at).await);
        let tell = Box::new(|_: Step, _: &str| {});
        let choices = Some(json!({ "unit": "x" }));
        Conductor::meet(links, "1.0.0", "id".to_owned(), Clock::system(), choices, tell).await.unwrap()
    }

    fn installation(folder: &Path, length: u32) -> Vec<u8> {
        let old = folder.join("old");
        fs::create_dir_all(old.join("outgoing")).unwrap();
        let rows: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
        fs::write(old.join("switchboard.db"), &rows).unwrap();
        fs::write(old.join("outgoing/01"), "a file that waits").unwrap();
        fs::write(old.join("master.key"), "secret").unwrap();
        rows
    }

    #[tokio::test]
    async fn transferred_blocks_are_not_sent_again() {
        let test = async {
            let folder = tempfile::tempdir().unwrap();
            let mut rows = installation(folder.path(), 700_000);
            conductor(folder.path(), None).await.run(Until::Prepared).await.unwrap();
            // The old side serves on, and a row changes.
            rows[300_000] ^= 1;
            fs::write(folder.path().join("old/switchboard.db"), &rows).unwrap();
            let ended = conductor(folder.path(), None).await.run(Until::Compared).await.unwrap();
            let sent = |step| ended.journal.facts(step)["sent"].as_u64().unwrap();
            assert!(sent(Step::Transfer) >= 700_000);
            assert_eq!(sent(Step::TransferRest), 65_536, "one block");
            let new = folder.path().join("new");
            assert_eq!(fs::read(new.join("switchboard.db")).unwrap(), rows);
            assert_eq!(fs::read(new.join("outgoing/01")).unwrap(), b"a file that waits");
            assert!(!new.join("master.key").exists(), "secrets go another way");
            let journals =
                ["old", "new"].map(|side| journal::read(&folder.path().join(side)).unwrap().unwrap());
            assert_eq!(journals[0], journals[1]);
        };
        tokio::task::LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn the_new_side_says_what_it_uses_when_the_old_one_retires() {
        let test = async {
            let folder = tempfile::tempdir().unwrap();
            installation(folder.path(), 1_000);
            let mut conducting = conductor(folder.path(), None).await;
            conducting.run(Until::Compared).await.unwrap();
            let ended = conducting.run(Until::Retired).await.unwrap();
            assert_eq!(ended.journal.facts(Step::Retire), &json!({ "uses": 2 }), "as it is then");
        };
        tokio::task::LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn one_directory_is_not_moved_to_itself() {
        let test = async {
            let folder = tempfile::tempdir().unwrap();
            installation(folder.path(), 1_000);
            let links = (link(folder.path(), "old", None).await, link(folder.path(), "old", None).await);
            let tell = Box::new(|_: Step, _: &str| {});
            let met = Conductor::meet(links, "1.0.0", "id".to_owned(), Clock::system(), None, tell).await;
            assert!(matches!(met.err(), Some(MoveError::OneSide(_))));
        };
        tokio::task::LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn a_failure_after_the_stop_undoes_the_move() {
        let test = async {
            for fails_at in Step::FORWARD.into_iter().filter(|step| *step != Step::Retire) {
                let folder = tempfile::tempdir().unwrap();
                installation(folder.path(), 700_000);
                let carries = [Step::Transfer, Step::TransferRest];
                if carries.contains(&fails_at) {
                    continue;
                }
                let mut conducting = conductor(folder.path(), Some(fails_at)).await;
                let error = conducting.run(Until::Compared).await.unwrap_err();
                let undone = matches!(error, MoveError::Undone(_));
                assert_eq!(undone, fails_at >= Step::Stop, "{fails_at:?}: {error}");
                assert_eq!(conducting.journal().is_back(), undone);
                assert_eq!(fs::read(folder.path().join("old/outgoing/01")).unwrap(), b"a file that waits");
            }
        };
        tokio::task::LocalSet::new().run_until(test).await;
    }

    #[tokio::test]
    async fn two_moves_of_one_side_do_not_mix() {
        let test = async {
            let folder = tempfile::tempdir().unwrap();
            installation(folder.path(), 700_000);
            conductor(folder.path(), None).await.run(Until::Prepared).await.unwrap();
            let links = (link(folder.path(), "old", None).await, link(folder.path(), "third", None).await);
            let tell = Box::new(|_: Step, _: &str| {});
            let met = Conductor::meet(links, "1.0.0", "other".to_owned(), Clock::system(), None, tell).await;
            assert!(matches!(met.err(), Some(MoveError::OtherMove(_))));
            // It was broken off before anything was stopped: undoing it is removing what was brought.
            conductor(folder.path(), None).await.roll_back("as was asked").await.unwrap();
            assert!(journal::read(&folder.path().join("old")).unwrap().unwrap().progress.is_over());
        };
        tokio::task::LocalSet::new().run_until(test).await;
    }

    fn carrier(side: &mut Scripted) -> Carrier<'_, Scripted> {
        let name = side.data_dir.file_name().unwrap().to_string_lossy().into_owned();
        let own = Side { id: name.clone(), name };
        Carrier::new(side.data_dir.clone(), own, side, Clock::system(), Box::new(|_, _| {}))
    }

    #[tokio::test]
    async fn a_second_bundle_that_fails_takes_nothing_back() {
        for is_out in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            installation(folder, 700);
            let [mut old, mut new] = ["old", "new"].map(|name| Scripted {
                data_dir: folder.join(name),
                fails_at: None,
                done: Steps::default(),
            });
            let ticket = carrier(&mut new).ticket(Value::Null).await.unwrap();
            let mut from = carrier(&mut old);
            if is_out {
                from.pack(&ticket, &folder.join("first"), "id".to_owned(), Value::Null).await.unwrap();
            }
            let to = folder.join("no such folder/second");
            let error = from.pack(&ticket, &to, "id".to_owned(), Value::Null).await.unwrap_err();
            assert_eq!(matches!(error, CarriedError::Undone(_)), !is_out, "{error}");
            let journal = journal::read(&folder.join("old")).unwrap().unwrap();
            assert_eq!(journal.is_back(), !is_out);
            drop(from);
            assert_eq!(old.done.borrow().contains(&Step::TakeBack), !is_out);
        }
    }

    /// Who conducts a move of which one side may be killed, in this direction.
    async fn conduct(
        folder: &Path,
        dies: Option<(Role, usize)>,
        is_back: bool,
        done: &Steps,
    ) -> Result<(), MoveError> {
        let line = |role: Role| {
            let lives = dies.filter(|(who, _)| *who == role).map_or(usize::MAX, |(_, lives)| lives);
            mortal(served(folder, role.as_str(), None, done), lives)
        };
        let links = (over("old", line(Role::Old)).await, over("new", line(Role::New)).await);
        let (tell, choices) = (Box::new(|_: Step, _: &str| {}), Some(json!({ "unit": "x" })));
        let met = Conductor::meet(links, "1.0.0", "id".to_owned(), Clock::system(), choices, tell).await;
        let mut conductor = met?;
        let ended = if is_back {
            conductor.roll_back("as asked").await
        } else {
            conductor.run(Until::Compared).await
        };
        ended.map(drop)
    }

    /// Whether the line ended a move, as a kill does; else it came to its end.
    fn is_lost(ended: Result<(), MoveError>, at: &str) -> bool {
        let Err(error) = ended else { return false };
        assert!(matches!(&error, MoveError::Link(error) if error.is_lost()), "{at}: {error}");
        true
    }

    /// This side has the data, and both know in which direction the move went and whether it is over.
    fn is_held_by(folder: &Path, side: &str, rows: &[u8], at: &str) {
        assert_eq!(fs::read(folder.join(side).join("switchboard.db")).unwrap(), rows, "{at}");
        let journals = ["old", "new"].map(|side| journal::read(&folder.join(side)).unwrap().unwrap());
        assert_eq!(journals[0], journals[1], "{at}");
        let is_back = side == "old";
        assert_eq!((journals[0].is_back(), journals[0].progress.is_over()), (is_back, is_back), "{at}");
    }

    /// A side is killed alone at this request, and the move is taken up or, every other time, turned back; false where it takes
    /// fewer requests.
    async fn is_killed(role: Role, lives: usize) -> bool {
        let (folder, done, at) =
            (tempfile::tempdir().unwrap(), Steps::default(), format!("{role:?} at {lives}"));
        let folder = folder.path();
        let rows = installation(folder, 70_000);
        if !is_lost(conduct(folder, Some((role, lives)), false, &done).await, &at) {
            return false;
        }
        let is_back = lives.is_multiple_of(2);
        match conduct(folder, None, is_back, &done).await {
            Ok(()) => is_held_by(folder, if is_back { "old" } else { "new" }, &rows, &at),
            Err(MoveError::NoMove) if is_back => {}
            Err(error) => panic!("{at}: {error}"),
        }
        if !is_back {
            // Only what was under way is done again; audits look as often as they are asked.
            let carried = [Step::Transfer, Step::TransferRest, Step::Retire];
            let is_meant = |step: &Step| *step > Step::AuditNew && !carried.contains(step);
            let expected: Vec<_> = Step::FORWARD.into_iter().filter(is_meant).collect();
            let mut steps: Vec<_> = done.borrow().iter().copied().filter(is_meant).collect();
            steps.dedup();
            assert_eq!(steps, expected, "{at}");
        }
        true
    }

    /// The same while the move goes back.
    async fn is_killed_going_back(role: Role, lives: usize) -> bool {
        let (folder, done, at) =
            (tempfile::tempdir().unwrap(), Steps::default(), format!("{role:?} at {lives}"));
        let folder = folder.path();
        let rows = installation(folder, 70_000);
        conduct(folder, None, false, &done).await.unwrap();
        if !is_lost(conduct(folder, Some((role, lives)), true, &done).await, &at) {
            return false;
        }
        match conduct(folder, None, true, &done).await {
            // Both knew that it was over.
            Ok(()) | Err(MoveError::NoMove) => is_held_by(folder, "old", &rows, &at),
            Err(error) => panic!("{at}: {error}"),
        }
        true
    }

    #[tokio::test]
    async fn either_side_may_be_killed_at_any_moment() {
        let test = async {
            for role in [Role::Old, Role::New] {
                let (mut there, mut back) = (1, 1);
                while is_killed(role, there).await {
                    there += 1;
                }
                while is_killed_going_back(role, back).await {
                    back += 1;
                }
                // A side takes a journal before and after each step.
                assert!(there > 34 && back > 12, "{role:?}: {there} and {back} requests");
            }
        };
        tokio::task::LocalSet::new().run_until(test).await;
    }
}
