//! Going through the steps of a move: each is written down on both sides before it is done and after it.

use std::time::Duration;

use ambient::Clock;
use serde_json::{Value, json};

use crate::audit::{Audit, Objection, judge};
use crate::journal::{Journal, merged};
use crate::link::{Link, LinkError};
use crate::progress::{Retired, Until};
use crate::serving::{Answer, FailedCode, Order, Request};
use crate::step::{Role, Step};
use crate::transfer::{Carried, carry};

/// How often a step is tried that something passing keeps from being done, such as a lease that ends by itself in 10 s, and how long
/// is waited between.
const ATTEMPTS: u32 = 15;
const PAUSE: Duration = Duration::from_secs(1);

/// After so many bytes the progress of a transfer is shown.
const REPORT_EVERY: u64 = 64 << 20;

/// How far a step is, for people.
pub type Tell<'a> = dyn FnMut(Step, &str) + Send + 'a;

/// Why a move does not go on. Giving the command again takes it up.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Nothing was changed.
    #[error("the move cannot begin: {}", sentences(.0))]
    Objections(Vec<Objection>),
    #[error(transparent)]
    Retired(#[from] Retired),
    #[error("no move was begun between these two sides")]
    NoMove,
    #[error("both sides are the data directory of {}, or a copy of it; name another one for the new side", .0)]
    OneSide(String),
    #[error(
        "another move is not over: from {} to {}; give `switchboard move run` or `switchboard move rollback` for it first",
        .0.old.name, .0.new.name
    )]
    OtherMove(Box<Journal>),
    /// It was undone.
    #[error("the move was undone: {0}")]
    Undone(String),
    /// What undoes it failed as well.
    #[error("{why}; and it is not undone yet: {error}. Give `switchboard move rollback` again")]
    NotUndone {
        why: String,
        /// What failed.
        error: Box<MoveError>,
    },
}

pub(crate) fn sentences(objections: &[Objection]) -> String {
    objections.iter().map(|objection| objection.what.as_str()).collect::<Vec<_>>().join("; ")
}

/// How it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    pub journal: Journal,
}

/// The one who goes through the steps: both sides do what it asks.
pub struct Conductor<'a> {
    old: Link,
    new: Link,
    clock: Clock,
    tell: Box<Tell<'a>>,
    journal: Journal,
}

impl<'a> Conductor<'a> {
    /// Asks both sides who they are and what they know. Without `choices` those of the move that was begun stay.
    ///
    /// # Errors
    /// A side does not answer, or they know of different moves that are not over.
    pub async fn meet(
        (mut old, mut new): (Link, Link),
        version: &str,
        id: String,
        clock: Clock,
        choices: Option<Value>,
        tell: Box<Tell<'a>>,
    ) -> Result<Conductor<'a>, MoveError> {
        let (one, other) = (old.hello(version).await?, new.hello(version).await?);
        if one.side.id == other.side.id {
            return Err(MoveError::OneSide(one.side.name));
        }
        for journal in [&one.journal, &other.journal].into_iter().flatten() {
            let is_this = journal.old.id == one.side.id && journal.new.id == other.side.id;
            if !is_this && !journal.progress.is_over() {
                return Err(MoveError::OtherMove(Box::new(journal.clone())));
            }
        }
        let both_know =
            [&one.journal, &other.journal].into_iter().flatten().all(|journal| journal.progress.is_over());
        let number = one.number.max(other.number) + 1;
        let known = merged(one.journal, other.journal)
            .filter(|journal| journal.old.id == one.side.id && journal.new.id == other.side.id);
        // One that was undone is over once both sides know that, and another may begin.
        let known = known.filter(|journal| !journal.is_back() || !both_know);
        let mut journal = known.unwrap_or_else(|| Journal::new(id, one.side, other.side, number));
        if let Some(choices) = choices {
            journal.choices = choices;
        }
        Ok(Self { old, new, clock, tell, journal })
    }

    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    fn link(&mut self, role: Role) -> &mut Link {
        match role {
            Role::Old => &mut self.old,
            Role::New => &mut self.new,
        }
    }

    /// Looks at both sides and changes nothing: what was found, and what keeps the move from beginning.
    ///
    /// # Errors
    /// A side does not answer.
    pub async fn plan(&mut self) -> Result<(Audit, Audit, Vec<Objection>), MoveError> {
        let old = self.audit(Step::AuditOld, Value::Null).await?;
        let given = json!({ "ports": old.ports, "settings": old.settings_file.is_some() });
        let new = self.audit(Step::AuditNew, given).await?;
        let resumed = self.journal.progress.is_begun(Step::Environment);
        let wants_service = self.journal.choices["unit"].is_string();
        let objections = judge(&old, &new, wants_service, resumed);
        Ok((old, new, objections))
    }

    async fn audit(&mut self, step: Step, given: Value) -> Result<Audit, MoveError> {
        let facts = self.perform(step, given).await?;
        let odd = self.link(step.role()).odd();
        serde_json::from_value(facts).map_err(|_| odd.into())
    }

    /// Goes on until the new side serves and was compared, or the old one is retired. What fails after the stop is undone, unless
    /// a line is lost: then giving the command again takes it up.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn run(&mut self, until: Until) -> Result<Ended, MoveError> {
        if self.journal.is_back() {
            let why = self.journal.why_back.clone().unwrap_or_else(|| "as was asked".to_owned());
            self.go_back().await?;
            return Err(MoveError::Undone(why));
        }
        if !self.journal.progress.is_begun(Step::FirstBackup) {
            let (_, _, objections) = self.plan().await?;
            if !objections.is_empty() {
                return Err(MoveError::Objections(objections));
            }
        }
        loop {
            let Some(step) = self.journal.progress.next(until) else {
                return self.ended().await;
            };
            let Err(error) = self.tried(step).await else { continue };
            let is_down = self.journal.progress.is_begun(Step::Stop) && step < Step::Retire;
            if !is_down || error.is_lost() {
                return Err(error.into());
            }
            let why = format!("{}: {error}", step.title());
            return Err(match self.roll_back(&why).await {
                Ok(_) => MoveError::Undone(why),
                Err(error) => MoveError::NotUndone { why, error: Box::new(error) },
            });
        }
    }

    /// Undoes it.
    ///
    /// # Errors
    /// See [`MoveError`].
    pub async fn roll_back(&mut self, why: &str) -> Result<Ended, MoveError> {
        if self.journal.records.is_empty() {
            return Err(MoveError::NoMove);
        }
        if !self.journal.is_back() {
            self.journal.progress.turn_back()?;
            self.journal.why_back = Some(why.to_owned());
            self.write_journal().await?;
        }
        self.go_back().await
    }

    async fn go_back(&mut self) -> Result<Ended, MoveError> {
        while let Some(step) = self.journal.progress.next(Until::Retired) {
            self.tried(step).await?;
        }
        self.ended().await
    }

    /// Both sides know that it is over: a kill may have come between their journals.
    async fn ended(&mut self) -> Result<Ended, MoveError> {
        self.write_journal().await?;
        Ok(Ended { journal: self.journal.clone() })
    }

    /// Does a step, again where what was in the way may have passed.
    async fn tried(&mut self, step: Step) -> Result<(), LinkError> {
        let mut attempt = 1;
        loop {
            match self.step(step).await {
                Err(LinkError::Failed { failed, .. })
                    if failed.code == FailedCode::Passing && attempt < ATTEMPTS =>
                {
                    (self.tell)(step, &failed.what);
                    attempt += 1;
                    self.clock.sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    }

    async fn step(&mut self, step: Step) -> Result<(), LinkError> {
        let at = self.clock.now();
        self.journal.begin(step, at);
        self.write_journal().await?;
        (self.tell)(step, "");
        let (before, after) = step.points();
        failpoint::reach(before).await;
        let facts = match step {
            Step::AuditNew => {
                let old = self.facts(Step::AuditOld);
                let given = json!({ "ports": old["ports"], "settings": !old["settings_file"].is_null() });
                self.perform(step, given).await?
            }
            Step::Transfer => self.carry(Role::Old, false, step).await?,
            Step::TransferRest => self.carry(Role::Old, true, step).await?,
            Step::TransferBack => self.carry(Role::New, true, step).await?,
            Step::Environment => self.environment().await?,
            // What the new side uses may have changed since the move, and the old side keeps it.
            Step::Retire => {
                let monitored = self.perform(Step::Monitor, Value::Null).await?;
                self.perform(step, monitored).await?
            }
            _ => self.perform(step, Value::Null).await?,
        };
        failpoint::reach(after).await;
        let at = self.clock.now();
        self.journal.end(step, facts, at);
        self.write_journal().await
    }

    fn facts(&self, step: Step) -> Value {
        self.journal.facts(step).clone()
    }

    /// The secrets: the new side makes a key, the old one encrypts to it.
    async fn environment(&mut self) -> Result<Value, LinkError> {
        let made = self.perform(Step::Environment, Value::Null).await?;
        let order = self.order(json!({ "recipient": made["recipient"] }));
        let seal = Request::Do { step: Step::Environment, order: Box::new(order) };
        let (sealed, parcel) = match self.old.ask(&seal, Vec::new()).await? {
            (Answer::Done { facts }, _) => (facts["sealed"].clone(), facts["what"].clone()),
            _ => return Err(self.old.odd()),
        };
        let placed = self.perform(Step::Environment, json!({ "sealed": sealed })).await?;
        Ok(json!({ "parcel": parcel, "placed": placed }))
    }

    async fn carry(&mut self, from: Role, exact: bool, step: Step) -> Result<Value, LinkError> {
        let (from, to) = match from {
            Role::Old => (&mut self.old, &mut self.new),
            Role::New => (&mut self.new, &mut self.old),
        };
        let (tell, mut reported) = (&mut self.tell, 0);
        let Carried { files, bytes, sent } = carry(from, to, exact, |carried, all| {
            if carried.bytes - reported >= REPORT_EVERY {
                reported = carried.bytes;
                tell(step, &format!("{} of {} MB", carried.bytes >> 20, all >> 20));
            }
        })
        .await?;
        tell(step, &format!("{files} files, {} MB; {} KB went over the line", bytes >> 20, sent >> 10));
        Ok(json!({ "files": files, "bytes": bytes, "sent": sent }))
    }

    fn order(&self, given: Value) -> Order {
        Order { journal: self.journal.clone(), at: self.clock.now(), given }
    }

    async fn perform(&mut self, step: Step, given: Value) -> Result<Value, LinkError> {
        let order = Box::new(self.order(given));
        let link = self.link(step.role());
        match link.ask(&Request::Do { step, order }, Vec::new()).await? {
            (Answer::Done { facts }, _) => Ok(facts),
            _ => Err(link.odd()),
        }
    }

    /// Both sides have the journal on their disks then.
    async fn write_journal(&mut self) -> Result<(), LinkError> {
        let request = Request::Journal { journal: Box::new(self.journal.clone()) };
        for link in [&mut self.old, &mut self.new] {
            link.ask(&request, Vec::new()).await?;
        }
        Ok(())
    }
}
