//! A write as a value: what the writer runs inside a transaction and answers once that is on the disk.

use std::any::Any;
use std::cell::{Cell, RefCell};

use domain::ChatId;
use tokio::sync::oneshot;

use crate::StoreError;
use crate::conversations::index::{IndexEntry, Lately, ended_in};
use crate::database::{Connection, Parameters, Prepared, Row};
use crate::events::NewEvent;
use crate::outbox::callers::{CallerChange, WaitingCaller, WaitingCallers};
use crate::point::Point;

/// When a write is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Durability {
    /// With the next write that is synced, at the latest after [`crate::writer::SYNC_WITHIN`]: a power cut may undo it, the end of
    /// the process does not.
    Soon,
    /// Before its caller gets the answer.
    Synced,
}

/// A change of the store.
///
/// It may be applied more than once: when another write of its group fails, the group is rolled back and run again.
pub(crate) trait Write: Send + 'static {
    /// What the caller gets.
    type Answer: Send + 'static;
    /// The points round it where a test can end the program.
    const POINT: Option<Point> = None;
    /// Whether it takes in new work. Such a write is refused when room gets short, and not begun when its caller is
    /// gone. Others are facts: they are written in any case.
    const INTAKE: bool = false;

    /// When it must be on the disk.
    fn durability(&self) -> Durability {
        Durability::Synced
    }

    /// Whether others may hear of it before it is committed. Reads wait for such a write, and so find what was said.
    fn is_reported_early(&self) -> bool {
        false
    }

    /// Makes the change. On an error, everything it did is undone.
    fn apply(&self, transaction: &Transaction<'_>) -> Result<Self::Answer, StoreError>;
}

/// A change that needs no value of its own is a function.
impl<F, A> Write for F
where
    F: Fn(&Transaction<'_>) -> Result<A, StoreError> + Send + 'static,
    A: Send + 'static,
{
    type Answer = A;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<A, StoreError> {
        self(transaction)
    }
}

/// Whether there are rows that every message asks for. Only writes make them, so the writer goes on with what it knows after
/// a group that was committed.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    has_contacts: Cell<Option<bool>>,
    has_open_joins: Cell<Option<bool>>,
}

/// The transaction that a write runs in.
pub(crate) struct Transaction<'a> {
    prepared: Prepared<'a>,
    intake_open: bool,
    /// The group is run again, each write with a savepoint, when one of them fails.
    is_bare: bool,
    statements: Cell<u64>,
    remembered: Remembered,
    events: RefCell<Vec<NewEvent>>,
    callers: Option<&'a WaitingCallers>,
    caller_changes: RefCell<Vec<CallerChange>>,
    lately: Lately,
    fills_conversations: Cell<bool>,
    changes_rights: Cell<bool>,
}

impl<'a> Transaction<'a> {
    /// For writes one by one, or a look.
    pub(crate) fn new(connection: &'a Connection, intake_open: bool) -> Self {
        Self::of_group(connection, intake_open, false, Remembered::default(), (None, Lately::default()))
    }

    /// For a group.
    pub(crate) fn of_group(
        connection: &'a Connection,
        intake_open: bool,
        is_bare: bool,
        remembered: Remembered,
        (callers, lately): (Option<&'a WaitingCallers>, Lately),
    ) -> Self {
        Self {
            prepared: Prepared::new(connection),
            intake_open,
            is_bare,
            statements: Cell::new(0),
            remembered,
            events: RefCell::new(Vec::new()),
            callers,
            caller_changes: RefCell::new(Vec::new()),
            lately,
            fills_conversations: Cell::new(false),
            changes_rights: Cell::new(false),
        }
    }

    /// What holds for the next group when this one was committed: where there were rows, they may be gone then.
    pub(crate) fn absences(self) -> Remembered {
        let absence = |answer: Cell<Option<bool>>| Cell::new(answer.get().filter(|there_are| !there_are));
        Remembered {
            has_contacts: absence(self.remembered.has_contacts),
            has_open_joins: absence(self.remembered.has_open_joins),
        }
    }

    /// Whether there is room for new work.
    pub(crate) const fn intake_open(&self) -> bool {
        self.intake_open
    }

    /// Other programs hear of this once it is committed.
    pub(crate) fn tell(&self, event: NewEvent) {
        self.events.borrow_mut().push(event);
    }

    /// The caller of a message, if it has no key and waits.
    pub(crate) fn waiting_caller(&self, message: &[u8; 16]) -> Option<WaitingCaller> {
        self.callers?.find(message, &self.caller_changes.borrow())
    }

    /// A caller without a key waits from now on, or waits no longer.
    pub(crate) fn caller_changes(&self, change: CallerChange) {
        self.caller_changes.borrow_mut().push(change);
    }

    /// How many events and changes of callers there are in it.
    pub(crate) fn mark(&self) -> (usize, usize) {
        (self.events.borrow().len(), self.caller_changes.borrow().len())
    }

    /// Takes back what came after a mark.
    pub(crate) fn truncate(&self, (events, callers): (usize, usize)) {
        self.events.borrow_mut().truncate(events);
        self.caller_changes.borrow_mut().truncate(callers);
    }

    pub(crate) fn take_caller_changes(&self) -> Vec<CallerChange> {
        self.caller_changes.take()
    }

    pub(crate) fn take_events(&self) -> Vec<NewEvent> {
        self.events.take()
    }

    /// What ended in a chat and is not in its conversation yet, in this group or before.
    pub(crate) fn ended_lately(&self, chat: ChatId) -> Vec<IndexEntry> {
        let mut entries = self.lately.of(chat);
        entries.extend(ended_in(&self.events.borrow(), chat));
        entries
    }

    /// All that ended before this group is in its conversation with it.
    pub(crate) fn fill_conversations(&self) {
        self.fills_conversations.set(true);
    }

    /// Whether that was asked for.
    pub(crate) const fn fills_conversations(&self) -> bool {
        self.fills_conversations.get()
    }

    /// Someone may do less than before, or more: see [`crate::Store::rights_changes`].
    pub(crate) fn change_rights(&self) {
        self.changes_rights.set(true);
    }

    /// Whether rights may have changed.
    pub(crate) const fn changes_rights(&self) -> bool {
        self.changes_rights.get()
    }

    /// How many statements were run in it.
    pub(crate) const fn statements(&self) -> u64 {
        self.statements.get()
    }

    /// Whether there is any entry on the do-not-contact list.
    pub(crate) fn has_contacts(
        &self,
        ask: impl FnOnce() -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        remembered(&self.remembered.has_contacts, ask)
    }

    /// An entry is added: what was asked before holds no longer.
    pub(crate) fn contacts_changed(&self) {
        self.remembered.has_contacts.set(None);
    }

    /// Whether the same body could join anything.
    pub(crate) fn has_open_joins(
        &self,
        ask: impl FnOnce() -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        remembered(&self.remembered.has_open_joins, ask)
    }

    /// A request may be joined from now on: what was asked before holds no longer.
    pub(crate) fn open_joins_changed(&self) {
        self.remembered.has_open_joins.set(None);
    }

    fn counted(&self) -> &Prepared<'a> {
        self.statements.update(|statements| statements + 1);
        &self.prepared
    }

    /// Its statements, for what is not counted.
    pub(crate) const fn prepared(&self) -> &Prepared<'a> {
        &self.prepared
    }

    /// Runs a statement that answers no rows; says how many it changed.
    pub(crate) fn execute(&self, sql: &'static str, params: impl Parameters) -> Result<usize, StoreError> {
        self.counted().execute(sql, params)
    }

    /// Runs a statement whose count no one asks for.
    pub(crate) fn run(&self, sql: &'static str, params: impl Parameters) -> Result<(), StoreError> {
        self.counted().run(sql, params)
    }

    /// The same for a statement that adds to a row which nothing else in the group reads.
    pub(crate) fn run_beside(&self, sql: &'static str, params: impl Parameters) -> Result<(), StoreError> {
        self.counted().run_beside(sql, params)
    }

    /// Runs a statement about one row that no other write of the group is about, such as an insertion.
    pub(crate) fn run_row(&self, sql: &'static str, params: impl Parameters) -> Result<(), StoreError> {
        if self.is_bare {
            self.counted().run_row(sql, params, false).map(|_| ())
        } else {
            self.run(sql, params)
        }
    }

    /// The same for a change that nearly always finds its row: says whether it did. A bare group may take it as found, and
    /// fails as a whole where it was not.
    pub(crate) fn change_row(&self, sql: &'static str, params: impl Parameters) -> Result<bool, StoreError> {
        if self.is_bare {
            self.counted().run_row(sql, params, true)
        } else {
            self.execute(sql, params).map(|count| count > 0)
        }
    }

    /// The first row, if there is one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        params: impl Parameters,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.counted().connection().first(sql, params, read)
    }

    /// All rows.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Parameters,
        read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.counted().connection().all(sql, params, read)
    }
}

fn remembered(
    answer: &Cell<Option<bool>>,
    ask: impl FnOnce() -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    if let Some(known) = answer.get() {
        return Ok(known);
    }
    let now = ask()?;
    answer.set(Some(now));
    Ok(now)
}

/// A write without its type, which keeps its answer.
///
/// Everything round a write is compiled once: only this is compiled again for each type.
pub(crate) trait AnyWrite: Any + Send {
    /// Runs it and keeps its answer.
    fn apply(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError>;
    /// See [`Write::durability`].
    fn durability(&self) -> Durability;
    /// See [`Write::INTAKE`].
    fn is_intake(&self) -> bool;
}

struct Answering<W: Write> {
    write: W,
    answer: Option<W::Answer>,
}

impl<W: Write> AnyWrite for Answering<W> {
    fn apply(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        self.answer = Some(self.write.apply(transaction)?);
        Ok(())
    }

    fn durability(&self) -> Durability {
        self.write.durability()
    }

    fn is_intake(&self) -> bool {
        W::INTAKE
    }
}

/// The write with its answer, or why it was not made.
pub(crate) type Settled = Result<Box<dyn AnyWrite>, StoreError>;

/// Takes the type off a write; [`answer_of`] puts it on again.
pub(crate) fn any_write<W: Write>(write: W) -> Box<dyn AnyWrite> {
    Box::new(Answering { write, answer: None })
}

/// Returns what a write of this type answered.
pub(crate) fn answer_of<W: Write>(settled: Settled) -> Result<W::Answer, StoreError> {
    let written: Box<dyn Any> = settled?;
    let answering = written.downcast::<Answering<W>>().ok();
    answering.and_then(|answering| answering.answer).ok_or_else(not_begun)
}

fn not_begun() -> StoreError {
    StoreError::Unavailable("the write was not begun".into())
}

/// A write that waits for its group, and the sender of its answer.
pub(crate) struct Pending {
    write: Box<dyn AnyWrite>,
    outcome: Option<Result<(), StoreError>>,
    reply: Option<oneshot::Sender<Settled>>,
}

impl Pending {
    /// A write whose caller waits at the other end of this channel.
    pub(crate) fn answering(write: Box<dyn AnyWrite>, reply: oneshot::Sender<Settled>) -> Self {
        Self { write, outcome: None, reply: Some(reply) }
    }

    /// A write whose caller went on already.
    pub(crate) fn silent<W: Write>(write: W) -> Self {
        Self { write: any_write(write), outcome: None, reply: None }
    }

    /// Runs it and keeps its result. Says whether it failed, and how.
    pub(crate) fn apply(&mut self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let outcome = self.write.apply(transaction);
        self.outcome = Some(outcome.clone());
        outcome
    }

    /// Replaces the result by this error.
    pub(crate) fn refuse(&mut self, error: StoreError) {
        self.outcome = Some(Err(error));
    }

    /// See [`Write::INTAKE`].
    pub(crate) fn is_intake(&self) -> bool {
        self.write.is_intake()
    }

    /// See [`Write::durability`]. What no caller waits for may as well wait for the disk.
    pub(crate) fn durability(&self) -> Durability {
        if self.is_silent() { Durability::Soon } else { self.write.durability() }
    }

    /// Whether no one waits for it any more, so that it need not be begun.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.is_intake() && self.reply.as_ref().is_some_and(oneshot::Sender::is_closed)
    }

    /// Whether no one ever waited for it.
    pub(crate) const fn is_silent(&self) -> bool {
        self.reply.is_none()
    }

    /// Hands the result over: its own if the group was committed, else the reason why not.
    pub(crate) fn settle(self, committed: &Result<(), StoreError>) {
        let settled = match (committed, self.outcome) {
            (Err(error), _) => Err(error.clone()),
            (Ok(()), Some(outcome)) => outcome.map(|()| self.write),
            (Ok(()), None) => Err(not_begun()),
        };
        match (self.reply, settled) {
            // A caller who is gone needs no answer.
            (Some(reply), settled) => drop(reply.send(settled)),
            (None, Err(error)) => tracing::warn!(%error, "a write that no caller waits for was lost"),
            (None, Ok(_)) => {}
        }
    }
}
