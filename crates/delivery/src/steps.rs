//! What a provider must be able to do with chats: say who could, take one step, and look whether a chat was made.

use domain::account::Operation;
use domain::saga::{RegistryChange, Step, StepAnswer};
use domain::{AccountName, ChatId, ChatRef, Outcome, Timestamp};
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::sender::{Candidates, Query};

/// One step through one account.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Through this account.
    pub account: &'a AccountName,
    /// In this chat; nothing while there is none yet.
    pub chat_id: Option<ChatId>,
    /// What is to be done.
    pub step: &'a Step,
}

/// What a look for a chat that may have been made showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatLookup {
    /// It is this one.
    Here(ChatId),
    /// The account's dialogs could be read, and it is not among them (yet).
    NotThere,
    /// They could not be read.
    CannotTell,
}

/// A provider that can make, change and leave chats. Implemented by the Telegram user accounts.
///
/// None of its methods waits without a limit, and none may be given up by the caller between a write to the wire
/// and its outcome: the runner of sagas runs them to their end.
pub trait Steps: Send + Sync + 'static {
    /// Whether an account of this name exists, usable or not.
    fn knows(&self, account: &AccountName) -> bool;

    /// Who could make a chat, best first; only this one, if the caller pinned one.
    fn creators(&self, pin: Option<&AccountName>) -> Candidates;

    /// Who could do this kind of call in a chat: those in it, each with its own floods for that kind. Asks the provider
    /// for this one chat where memory does not know it.
    fn reachers<'a>(&'a self, query: &'a Query, operation: Operation) -> BoxFuture<'a, Candidates>;

    /// Takes one step: one call, no retry inside. What the outcome says about the account (a flood, a ban) is noted in
    /// memory before this returns; the runner stores it. "Not modified", "already a member" and "already gone" are
    /// answers.
    ///
    /// # Errors
    /// What came of it instead; never [`Outcome::Sent`]. Only an outcome that proves that nothing was done lets another
    /// account try.
    fn take<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<StepAnswer, Outcome>>;

    /// Looks for a supergroup that this account made: the same title as Telegram keeps it (128 characters), its creator,
    /// made at or after `since`, and none of `known`, which are others' chats.
    fn find_created<'a>(
        &'a self,
        account: &'a AccountName,
        title: &'a str,
        since: Timestamp,
        known: &'a [ChatId],
    ) -> BoxFuture<'a, ChatLookup>;

    /// The observer of the settings, if there is one.
    fn observer(&self) -> Option<ChatRef>;

    /// Whether the service that this step is part of is stopped: the step then waits, however long that takes.
    fn is_stopped(&self, step: &Step) -> bool;

    /// Whether this account is another than the pool's first choice.
    fn is_backup(&self, account: &AccountName) -> bool;

    /// The registry of chats has changed in the store: memory follows (bindings, chats that were left).
    fn registered(&self, change: &RegistryChange);

    /// Whether the account could still answer what became of a step: false once it is banned or its session is lost.
    fn can_still_tell(&self, account: &AccountName) -> bool;

    /// Changes whenever a candidate may have become able: an account connected, a hold was lifted, a service started.
    fn changes(&self) -> watch::Receiver<u64>;
}
