//! A provider of chats that does what a test says: who is there, what each step does, and what is in the end.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ambient::Clock;
use delivery::{
    Call, Candidate, Candidates, ChatLookup, Query, Readiness, RefusalKind, SagaLimits, Sagas, Steps,
    TaskSubmission,
};
use domain::account::Operation;
use domain::message::OnFlood;
use domain::outcome::{HoldScope, Refusal};
use domain::saga::{
    MemberResult, Missing, ObserverRule, Person, RegistryChange, Saga, SagaState, Step, StepAnswer,
    StepOutcome, Task,
};
use domain::{AccountName, Address, ChatId, ChatRef, OperationId, Outcome, Timestamp, UserId};
use futures::future::BoxFuture;
use store::{Origin, Store};
use tokio::sync::watch;

use crate::folder::{self, Folder};
use crate::script::name;

/// What has not come after this time never comes, on the slowest disk.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A chat that was made so much earlier is still looked at, as at Telegram.
const SLACK: Duration = Duration::from_mins(1);

/// What one step does.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Takes effect and says so.
    Works,
    /// Takes effect, and the answer is lost.
    LosesAnswer,
    /// Takes effect, and no answer comes in time.
    TimesOut,
    /// Takes no effect and answers this.
    Refuses(Outcome),
    /// Takes effect, and then nothing is heard until the program dies.
    HangsAfter,
    /// Takes no effect, and then nothing is heard until the program dies.
    HangsBefore,
    /// Takes effect, and then the program's own code breaks.
    Breaks,
}

/// A chat as the provider has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chat {
    pub(crate) title: String,
    pub(crate) maker: String,
    pub(crate) members: Vec<i64>,
    pub(crate) admins: Vec<i64>,
    pub(crate) open_history: bool,
    pub(crate) left_by: Vec<String>,
    /// How often it was looked for before it is shown among the dialogs.
    pub(crate) hidden_for: u32,
    pub(crate) made_at: Timestamp,
}

#[derive(Default)]
pub(crate) struct World {
    pub(crate) chats: BTreeMap<i64, Chat>,
    pub(crate) calls: Vec<(String, Step)>,
    script: HashMap<(String, &'static str), VecDeque<Does>>,
    floods: HashMap<(String, Operation), Timestamp>,
    gone: Vec<String>,
    away: Vec<String>,
    stopped: bool,
    pub(crate) in_chat: Option<Vec<String>>,
    pub(crate) bound_to: Option<String>,
    pub(crate) hidden_for: u32,
    pub(crate) blind: bool,
    pub(crate) registered: Vec<RegistryChange>,
    pub(crate) at_once: u32,
    pub(crate) most_at_once: u32,
}

/// Accounts `main` and `backup`. Whom a number names is that number; even ones are not there, those over 1,000 are bots,
/// those that end in 7 keep to themselves.
pub(crate) struct Provider {
    world: Mutex<World>,
    clock: Clock,
    changed: watch::Sender<u64>,
}

pub(crate) const OBSERVER: i64 = 901;

impl Provider {
    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("lock")
    }

    pub(crate) fn does(&self, account: &str, step: &'static str, does: impl IntoIterator<Item = Does>) {
        self.world().script.entry((account.to_owned(), step)).or_default().extend(does);
    }

    pub(crate) fn chats(&self) -> Vec<Chat> {
        // Later ones have smaller ids.
        self.world().chats.values().rev().cloned().collect()
    }

    pub(crate) fn steps(&self) -> Vec<&'static str> {
        self.world().calls.iter().map(|(_, step)| step.name()).collect()
    }

    pub(crate) fn times(&self, name: &str) -> usize {
        self.steps().into_iter().filter(|step| *step == name).count()
    }

    pub(crate) fn hold(&self, account: &str, operation: Operation, until: Timestamp) {
        self.world().floods.insert((account.to_owned(), operation), until);
    }

    pub(crate) fn lose(&self, account: &str) {
        self.world().gone.push(account.to_owned());
        self.changed.send_modify(|changes| *changes += 1);
    }

    pub(crate) fn switch(&self, stopped: bool) {
        self.world().stopped = stopped;
        self.changed.send_modify(|changes| *changes += 1);
    }

    fn candidates(&self, pin: Option<&AccountName>, operation: Operation) -> Candidates {
        let world = self.world();
        let mut candidates = Candidates::default();
        for account in ["main", "backup"].map(name) {
            if pin.is_some_and(|pin| *pin != account) {
                continue;
            }
            let text = account.as_str().to_owned();
            candidates.preferred.get_or_insert(account.clone());
            if world.gone.contains(&text) {
                candidates.refused.push((Refusal { account, why: "banned".into() }, RefusalKind::Unusable));
                continue;
            }
            let readiness = match world.floods.get(&(text.clone(), operation)) {
                _ if world.away.contains(&text) => Readiness::Connecting,
                Some(until) if *until > self.clock.now() => Readiness::HeldUntil(*until),
                _ => Readiness::Ready,
            };
            candidates.able.push(Candidate { account, readiness });
        }
        candidates
    }

    fn effect(&self, call: &OwnedCall) -> StepAnswer {
        let mut world = self.world();
        let chat_id = call.chat_id.map_or(0, ChatId::get);
        let now = self.clock.now();
        let hidden_for = world.hidden_for;
        if let Step::Create { title, .. } = &call.step {
            let number = i64::try_from(world.chats.len()).expect("few") + 1;
            let id = ChatId::channel(number).expect("a chat");
            let chat = Chat {
                title: title.clone(),
                maker: call.account.clone(),
                hidden_for,
                made_at: now,
                ..Chat::default()
            };
            world.chats.insert(id.get(), chat);
            return StepAnswer::Created { chat_id: id };
        }
        if let Step::Resolve { who } = &call.step {
            return StepAnswer::Resolved { person: person(who) };
        }
        let chat = world.chats.entry(chat_id).or_default();
        match &call.step {
            Step::OpenHistory => {
                chat.open_history = true;
                StepAnswer::Done
            }
            Step::Invite { users } => {
                let mut missing = Vec::new();
                for user in users {
                    if user.get() % 10 == 7 {
                        let (user_id, result) = (*user, MemberResult::Privacy);
                        missing.push(Missing {
                            user_id,
                            result,
                            detail: Some("USER_PRIVACY_RESTRICTED".into()),
                        });
                    } else if !chat.members.contains(&user.get()) {
                        chat.members.push(user.get());
                    }
                }
                StepAnswer::Invited { missing, pending: Vec::new() }
            }
            Step::Promote { user } => {
                if !chat.admins.contains(&user.get()) {
                    chat.admins.push(user.get());
                }
                StepAnswer::Done
            }
            Step::ExportLink => StepAnswer::Link { link: format!("https://example.com/+{}", -chat_id) },
            Step::ListMembers { .. } => {
                StepAnswer::Members { users: chat.members.iter().filter_map(|id| UserId::new(*id)).collect() }
            }
            Step::Remove { user } => {
                chat.members.retain(|member| *member != user.get());
                StepAnswer::Done
            }
            Step::Leave => {
                if !chat.left_by.contains(&call.account) {
                    chat.left_by.push(call.account.clone());
                }
                StepAnswer::Done
            }
            Step::SetTitle { title } => {
                chat.title.clone_from(title);
                StepAnswer::Done
            }
            _ => StepAnswer::Done,
        }
    }
}

struct OwnedCall {
    account: String,
    chat_id: Option<ChatId>,
    step: Step,
}

fn person(who: &ChatRef) -> Option<Person> {
    let ChatRef::Id(id) = who else { return None };
    let user_id = id.user_id().filter(|user| user.get() % 2 == 1)?;
    Some(Person { user_id, is_bot: user_id.get() > 1_000 })
}

impl Steps for Provider {
    fn knows(&self, account: &AccountName) -> bool {
        ["main", "backup"].contains(&account.as_str())
    }

    fn creators(&self, pin: Option<&AccountName>) -> Candidates {
        self.candidates(pin, Operation::CreateChat)
    }

    fn reachers<'a>(&'a self, query: &'a Query, operation: Operation) -> BoxFuture<'a, Candidates> {
        Box::pin(async move {
            let mut candidates = self.candidates(query.pin.as_ref(), operation);
            let world = self.world();
            if let Some(in_chat) = &world.in_chat {
                let is_in = |account: &AccountName| in_chat.iter().any(|one| one == account.as_str());
                let (able, out): (Vec<_>, Vec<_>) =
                    candidates.able.into_iter().partition(|able| is_in(&able.account));
                candidates.able = able;
                for one in out {
                    let refusal = Refusal { account: one.account, why: "CHANNEL_INVALID".into() };
                    candidates.refused.push((refusal, RefusalKind::NotFound));
                }
            }
            if let Some(bound) = &world.bound_to {
                candidates.preferred = Some(name(bound));
                candidates.lost = world.gone.contains(bound);
            }
            candidates.address = Address::written(&query.chat);
            candidates
        })
    }

    fn take<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<StepAnswer, Outcome>> {
        let call = OwnedCall {
            account: call.account.as_str().to_owned(),
            chat_id: call.chat_id,
            step: call.step.clone(),
        };
        Box::pin(async move {
            let creates = matches!(call.step, Step::Create { .. });
            let does = {
                let mut world = self.world();
                world.calls.push((call.account.clone(), call.step.clone()));
                if creates {
                    world.at_once += 1;
                    world.most_at_once = world.most_at_once.max(world.at_once);
                }
                let script = world.script.get_mut(&(call.account.clone(), call.step.name()));
                script.and_then(VecDeque::pop_front).unwrap_or(Does::Works)
            };
            // Gives other tasks their turn, as a real wire does.
            tokio::task::yield_now().await;
            if creates {
                self.world().at_once -= 1;
            }
            if let Does::Refuses(outcome) = &does {
                let mut world = self.world();
                match outcome {
                    Outcome::Held { until, scope: HoldScope::Account } => {
                        let key = (call.account.clone(), call.step.operation());
                        world.floods.insert(key, *until);
                    }
                    Outcome::Banned(_) | Outcome::SessionLost(_) => world.gone.push(call.account.clone()),
                    _ => {}
                }
                return Err(outcome.clone());
            }
            if matches!(does, Does::HangsBefore) {
                std::future::pending::<()>().await;
            }
            let answer = self.effect(&call);
            match does {
                Does::LosesAnswer => Err(Outcome::Unknown("the connection was lost".into())),
                Does::TimesOut => {
                    self.clock.sleep(Duration::from_secs(15)).await;
                    Err(Outcome::Unknown("no answer in time".into()))
                }
                Does::HangsAfter => std::future::pending().await,
                Does::Breaks => panic!("as the script wants"),
                _ => Ok(answer),
            }
        })
    }

    fn find_created<'a>(
        &'a self,
        account: &'a AccountName,
        title: &'a str,
        since: Timestamp,
        known: &'a [ChatId],
    ) -> BoxFuture<'a, ChatLookup> {
        Box::pin(async move {
            let mut world = self.world();
            if world.blind || world.gone.iter().any(|one| one == account.as_str()) {
                return ChatLookup::CannotTell;
            }
            let found = world.chats.iter_mut().find(|(id, chat)| {
                chat.title == title
                    && chat.maker == account.as_str()
                    && chat.made_at.plus(SLACK) >= since
                    && known.iter().all(|known| known.get() != **id)
            });
            match found {
                Some((_, chat)) if chat.hidden_for > 0 => {
                    chat.hidden_for -= 1;
                    ChatLookup::NotThere
                }
                Some((id, _)) => ChatLookup::Here(ChatId::new(*id).expect("a chat")),
                None => ChatLookup::NotThere,
            }
        })
    }

    fn observer(&self) -> Option<ChatRef> {
        Some(user(OBSERVER))
    }

    fn is_stopped(&self, _: &Step) -> bool {
        self.world().stopped
    }

    fn is_backup(&self, account: &AccountName) -> bool {
        account.as_str() != "main"
    }

    fn registered(&self, change: &RegistryChange) {
        self.world().registered.push(change.clone());
    }

    fn can_still_tell(&self, account: &AccountName) -> bool {
        self.world().gone.iter().all(|one| one != account.as_str())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// A runner of sagas with its store in a folder of its own.
pub(crate) struct SagaBench {
    pub(crate) folder: Folder,
    pub(crate) clock: Clock,
    pub(crate) provider: Arc<Provider>,
    pub(crate) store: Store,
    pub(crate) sagas: Sagas,
}

impl SagaBench {
    pub(crate) async fn new() -> Self {
        Self::on(Folder::on_sqlite()).await
    }

    pub(crate) async fn on(folder: Folder) -> Self {
        let clock = Clock::system();
        let provider = Arc::new(Provider {
            world: Mutex::default(),
            clock: clock.clone(),
            changed: watch::Sender::new(0),
        });
        Self::open(folder, clock, provider).await
    }

    async fn open(folder: Folder, clock: Clock, provider: Arc<Provider>) -> Self {
        let store = folder.store(&clock).await;
        let ambient = folder::ambient(&clock);
        let sagas = Sagas::new(store.clone(), provider.clone(), ambient, SagaLimits::default());
        Self { folder, clock, provider, store, sagas }
    }

    /// As after a crash: what hung, hung; the store is what counts.
    pub(crate) async fn restart(self) -> Self {
        self.sagas.stop(Duration::from_millis(10)).await;
        drop(self.sagas);
        self.store.close().await;
        let next = Self::open(self.folder, self.clock, self.provider).await;
        next.sagas.resume().await.expect("resumes");
        next
    }

    /// As after a restore from a backup that was made at this moment.
    pub(crate) async fn restore(self) -> Self {
        self.sagas.stop(Duration::from_millis(10)).await;
        drop(self.sagas);
        self.store.close().await;
        let store = self.folder.store(&self.clock).await;
        store.hold_back(self.clock.now()).await.expect("holds back");
        store.close().await;
        let next = Self::open(self.folder, self.clock, self.provider).await;
        assert_eq!(next.sagas.resume().await, Ok(0), "nothing is taken up");
        next
    }

    pub(crate) async fn submit(&self, submission: TaskSubmission) -> OperationId {
        self.sagas.submit(submission).await.expect("accepted").id
    }

    pub(crate) async fn get(&self, id: OperationId) -> Saga {
        self.sagas.get(id).await.expect("reads").expect("exists")
    }

    /// The saga at its end; the clock moves on whenever it waits.
    pub(crate) async fn settled(&self, id: OperationId) -> Saga {
        let begun = Instant::now();
        while begun.elapsed() < TIMEOUT {
            let saga = self.sagas.settled(id, Duration::ZERO).await.expect("reads").expect("exists");
            if saga.state.is_final() {
                return saga;
            }
            self.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("it goes on for ever: {:?}", self.get(id).await);
    }

    /// Lets the saga go on until this holds; the clock does not move.
    pub(crate) async fn until(&self, holds: impl Fn(&World) -> bool) {
        let begun = Instant::now();
        while begun.elapsed() < TIMEOUT {
            if holds(&self.provider.world()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("it never came to that: {:?}", self.provider.steps());
    }

    /// Whether every saga comes to its end, in memory as well.
    pub(crate) async fn comes_to_rest(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < TIMEOUT {
            if self.sagas.queued() == 0 {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        false
    }

    /// Lets everything that can run do so.
    pub(crate) async fn breathe(&self) {
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// What is in the history, in order.
    pub(crate) async fn history(&self, id: OperationId) -> Vec<String> {
        let entries = self.store.sagas().steps(id).await.expect("reads");
        let word = |outcome: Option<StepOutcome>| {
            outcome.map_or_else(String::new, |outcome| format!(" {}", outcome.as_str()))
        };
        entries.into_iter().map(|entry| format!("{}{}", entry.what.as_str(), word(entry.outcome))).collect()
    }
}

pub(crate) fn user(number: i64) -> ChatRef {
    ChatRef::Id(ChatId::user(number).expect("a user"))
}

pub(crate) fn users(numbers: &[i64]) -> Vec<ChatRef> {
    numbers.iter().map(|number| user(*number)).collect()
}

pub(crate) fn create(title: &str) -> TaskSubmission {
    task(Task::CreateChat {
        title: title.into(),
        about: "about".into(),
        members: users(&[1, 2, 7, 1_001]),
        admins: users(&[3]),
        observer: ObserverRule::ByBackups,
        needs_a_member: true,
        client_tg_id: Some("42".into()),
    })
}

pub(crate) fn leave(chat: ChatId, remove_members: bool) -> TaskSubmission {
    task(Task::LeaveChat { chat: ChatRef::Id(chat), remove_members, missing_is_left: true, keep_own: false })
}

pub(crate) fn task(task: Task) -> TaskSubmission {
    TaskSubmission {
        task,
        pin: None,
        on_flood: OnFlood::Wait,
        flood_timeout: Duration::from_mins(2),
        origin: Origin { listener: "v1".into(), api_key: None, address: None },
        idempotency: None,
        join: None,
        keep: None,
    }
}

/// Whether what a saga that made a chat says about it is true.
pub(crate) fn is_true_of(saga: &Saga, chat: &Chat) -> bool {
    let is_reported = saga.progress.members.iter().all(|one| {
        // No one can know what became of an answer that was lost, and it says so.
        if one.detail.as_ref().is_some_and(|detail| detail.contains("may have been done")) {
            return one.result == Some(MemberResult::Failed);
        }
        let is_in = one.person.as_ref().is_some_and(|person| chat.members.contains(&person.user_id.get()));
        matches!(one.result, Some(MemberResult::Added | MemberResult::Already)) == is_in
    });
    saga.state == SagaState::Done && is_reported
}
