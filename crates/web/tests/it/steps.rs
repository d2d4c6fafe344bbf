//! A way to make and leave chats that does what the test wrote down, and remembers what was asked of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use delivery::sender::{Candidates, Query, Readiness};
use delivery::{Call, ChatLookup, Steps};
use domain::account::Operation;
use domain::saga::{MemberResult, Missing, Person, RegistryChange, Step, StepAnswer};
use domain::{AccountName, Address, ChatId, ChatRef, Outcome, Timestamp, UserId};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::script::able;

/// The first chat that is made; the next ones follow.
pub(crate) const FIRST_CHAT: i64 = -1_001_234_567_890;
/// The others in every chat.
pub(crate) const OTHERS: [i64; 2] = [11, 12];

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) account: AccountName,
    pub(crate) chat_id: Option<ChatId>,
    pub(crate) step: Step,
}

#[derive(Default)]
struct Plot {
    /// What the next steps of a name come back with.
    outcomes: HashMap<&'static str, VecDeque<Outcome>>,
    creators: Option<Candidates>,
    reachers: Option<Candidates>,
    taken: Vec<Taken>,
    people: Vec<ChatRef>,
    made: i64,
}

/// The script. People whose name begins with `gone` are not found, with `shy` not invited; names ending in `bot` are
/// bots'.
pub(crate) struct Hands {
    plot: Mutex<Plot>,
    changes: watch::Sender<u64>,
    /// The name of the step that does not come back.
    held: watch::Sender<Option<&'static str>>,
}

impl Hands {
    pub(crate) fn new() -> Self {
        Self {
            plot: Mutex::new(Plot::default()),
            changes: watch::Sender::new(0),
            held: watch::Sender::new(None),
        }
    }

    /// The next steps of this name come back so; after them everything goes well.
    pub(crate) fn then(&self, step: &'static str, outcomes: impl IntoIterator<Item = Outcome>) {
        self.plot().outcomes.entry(step).or_default().extend(outcomes);
    }

    pub(crate) fn creators_are(&self, candidates: Candidates) {
        self.plot().creators = Some(candidates);
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(crate) fn reachers_are(&self, candidates: Candidates) {
        self.plot().reachers = Some(candidates);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Steps of this name do not come back until [`Hands::release`].
    pub(crate) fn hold(&self, step: &'static str) {
        self.held.send_replace(Some(step));
    }

    pub(crate) fn release(&self) {
        self.held.send_replace(None);
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.plot().taken.clone()
    }

    /// How many steps of a name were taken.
    pub(crate) fn count(&self, step: &str) -> usize {
        self.taken().iter().filter(|taken| taken.step.name() == step).count()
    }

    fn plot(&self) -> std::sync::MutexGuard<'_, Plot> {
        self.plot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, call: &Call<'_>) -> Result<StepAnswer, Outcome> {
        let mut plot = self.plot();
        plot.taken.push(Taken {
            account: call.account.clone(),
            chat_id: call.chat_id,
            step: call.step.clone(),
        });
        if let Some(outcome) = plot.outcomes.get_mut(call.step.name()).and_then(VecDeque::pop_front) {
            return Err(outcome);
        }
        Ok(match call.step {
            Step::Resolve { who } => StepAnswer::Resolved { person: plot.person(who) },
            Step::Create { .. } => {
                plot.made += 1;
                let chat_id = ChatId::new(FIRST_CHAT - (plot.made - 1)).expect("a chat");
                StepAnswer::Created { chat_id }
            }
            Step::Invite { users } => StepAnswer::Invited {
                pending: Vec::new(),
                missing: users
                    .iter()
                    .filter(|user| plot.is_shy(**user))
                    .map(|user| Missing { user_id: *user, result: MemberResult::Privacy, detail: None })
                    .collect(),
            },
            Step::ExportLink => StepAnswer::Link { link: "https://t.me/+abc".to_owned() },
            Step::ListMembers { .. } => {
                StepAnswer::Members { users: OTHERS.into_iter().filter_map(UserId::new).collect() }
            }
            _ => StepAnswer::Done,
        })
    }
}

impl Plot {
    fn person(&mut self, who: &ChatRef) -> Option<Person> {
        let name = who.to_string();
        if name.starts_with("@gone") {
            return None;
        }
        if !self.people.contains(who) {
            self.people.push(who.clone());
        }
        let place = self.people.iter().position(|known| known == who)?;
        Some(Person {
            user_id: UserId::new(i64::try_from(place).ok()? + 101)?,
            is_bot: name.ends_with("bot"),
        })
    }

    fn is_shy(&self, user: UserId) -> bool {
        usize::try_from(user.get() - 101)
            .ok()
            .and_then(|place| self.people.get(place))
            .is_some_and(|who| who.to_string().starts_with("@shy"))
    }
}

/// Candidates, only the pinned one if there is a pin.
fn pinned(candidates: Option<Candidates>, pin: Option<&AccountName>) -> Candidates {
    let mut candidates =
        candidates.unwrap_or_else(|| able(&[("main", Readiness::Ready), ("backup_1", Readiness::Ready)]));
    if let Some(pin) = pin {
        candidates.able.retain(|able| able.account == *pin);
    }
    candidates
}

impl Steps for Hands {
    fn knows(&self, account: &AccountName) -> bool {
        ["main", "backup_1"].contains(&account.as_str())
    }

    fn creators(&self, pin: Option<&AccountName>) -> Candidates {
        pinned(self.plot().creators.clone(), pin)
    }

    fn reachers<'a>(&'a self, query: &'a Query, _: Operation) -> BoxFuture<'a, Candidates> {
        async {
            let mut candidates = pinned(self.plot().reachers.clone(), query.pin.as_ref());
            candidates.address =
                Address::written(&query.chat).or_else(|| ChatId::channel(500).map(Address::Telegram));
            candidates
        }
        .boxed()
    }

    fn take<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<StepAnswer, Outcome>> {
        async move {
            let name = call.step.name();
            let mut held = self.held.subscribe();
            // The script lives as long as the test.
            let _ = held.wait_for(|held| *held != Some(name)).await;
            self.answer(&call)
        }
        .boxed()
    }

    fn find_created<'a>(
        &'a self,
        _: &'a AccountName,
        _: &'a str,
        _: Timestamp,
        _: &'a [ChatId],
    ) -> BoxFuture<'a, ChatLookup> {
        async { ChatLookup::CannotTell }.boxed()
    }

    fn observer(&self) -> Option<ChatRef> {
        "@demo_observer".parse().ok()
    }

    fn is_stopped(&self, _: &Step) -> bool {
        false
    }

    fn is_backup(&self, account: &AccountName) -> bool {
        account.as_str() != "main"
    }

    fn registered(&self, _: &RegistryChange) {}

    fn can_still_tell(&self, _: &AccountName) -> bool {
        true
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
