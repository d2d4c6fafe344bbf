//! What a sender must be able to do: say who could carry a message, carry one part, and look whether it arrived.

use std::sync::Arc;

use domain::message::{Content, Part};
use domain::outcome::{Refusal, SentIds};
use domain::text::FormattedText;
use domain::{AccountName, Address, ChatRef, Outcome, Service, Timestamp};
use futures::future::BoxFuture;
use store::Binding;
use tokio::sync::watch;

use crate::Capabilities;
use crate::pace::Pace;

/// What is to be carried where, and by whom at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The chat as the caller named it.
    pub chat: ChatRef,
    /// Only this account, if the caller pinned one.
    pub pin: Option<AccountName>,
    /// The service that it is part of; none in a channel.
    pub service: Option<Service>,
}

/// When an account that could carry the message may do so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Now.
    Ready,
    /// Not before this instant: a flood wait of the account, or slow mode of the chat.
    HeldUntil(Timestamp),
    /// Not before this instant: it has sent as many messages as its owner lets it.
    LimitedUntil(Timestamp),
    /// As soon as it is connected; [`Sender::changes`] reports it.
    Connecting,
    /// Once a person resumes it; [`Sender::changes`] reports it.
    Paused,
}

impl Readiness {
    /// The instant before which it may not.
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::HeldUntil(until) | Self::LimitedUntil(until) => Some(until),
            Self::Ready | Self::Connecting | Self::Paused => None,
        }
    }
}

/// An account that could carry the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The account.
    pub account: AccountName,
    /// When it may.
    pub readiness: Readiness,
}

/// Why an account is no candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalKind {
    /// It does not find the chat.
    NotFound,
    /// It may not write there.
    Forbidden,
    /// It knows the chat and is not, or no longer, in it.
    NotInChat,
    /// It is not usable at present, and it may well know the chat: offline, paused, in trouble; or banned or signed out,
    /// with the chat among its dialogs.
    Unusable,
    /// It does not come back by itself, as it is banned or signed out, and nothing says that it knows the chat: no one
    /// waits for its word.
    Gone,
}

/// Who could carry a message, best first, and why the others cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Candidates {
    /// The chat's address, if any account knows it.
    pub address: Option<Address>,
    /// Best first. Empty when no one can.
    pub able: Vec<Candidate>,
    /// Everyone else who was considered.
    pub refused: Vec<(Refusal, RefusalKind)>,
    /// The first choice, usable or not: the account the chat is bound to, else the first by rank that is in the chat (or
    /// could make one).
    pub preferred: Option<AccountName>,
    /// The account the chat is bound to can never do it again: banned, deactivated, not in the settings, no longer in the
    /// chat. The one who succeeds takes the chat over.
    pub lost: bool,
    /// The chat is bound to an account already.
    pub is_bound: bool,
}

/// One attempt to send one part.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Through this account.
    pub account: &'a AccountName,
    /// Into this chat.
    pub address: &'a Address,
    /// The part, with the `random_id` of each of its items.
    pub part: &'a Part,
    /// What the whole message asks for: reply, silence, preview, and the media that the part's items name by place.
    pub content: &'a Content,
    /// What this means, once it is sent, for the account that the chat stays with.
    pub binding: Binding,
}

/// What a look at the chat showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageLookup {
    /// The part is there, all of it, under these ids.
    Here(SentIds),
    /// The chat could be read, and it is not there (yet).
    NotThere,
    /// The chat could not be read.
    CannotTell,
}

/// What others in the chat say about a message whose own account cannot be asked any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// It is there; under these ids, where ids mean the same to everyone in the chat.
    Present(Option<SentIds>),
    /// No one can say that it is there. That is no proof that it is not.
    None,
}

/// Carries messages: one for each provider.
///
/// None of its methods waits without a limit, and none but [`Sender::prepare`] may be given up by the caller between a
/// write to the wire and its outcome: the delivery runs them to their end.
pub trait Sender: Send + Sync + 'static {
    /// Whether an account of this name exists, usable or not.
    fn knows(&self, account: &AccountName) -> bool;

    /// The names of all accounts there are, usable or not.
    fn accounts(&self) -> Vec<AccountName>;

    /// Whether it serves this chat, by its form alone: no one is asked, and the chat need not exist.
    fn serves(&self, chat: &ChatRef) -> bool;

    /// The chat's address if memory has it; a username that is not in any cache yields `None`.
    fn locate(&self, chat: &ChatRef) -> Option<Address>;

    /// What can be carried into this chat, the same for every account that may carry it.
    fn capabilities(&self, chat: &ChatRef) -> Capabilities;

    /// The candidates as far as memory knows them; `None` when someone must be asked first.
    fn candidates_now(&self, query: &Query) -> Option<Candidates>;

    /// The candidates, asking the provider for this one peer where memory does not know it.
    fn candidates<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Candidates>;

    /// The limits of an account, which the delivery keeps to; none where its accounts have none.
    fn pace(&self, account: &AccountName) -> Option<Arc<Pace>> {
        let _ = account;
        None
    }

    /// The text with its mention in place, as this account can write it. Called only for content with a mention.
    ///
    /// # Errors
    /// Why it cannot be placed. Nothing was sent, whatever the outcome says.
    fn place_mention<'a>(
        &'a self,
        account: &'a AccountName,
        address: &'a Address,
        content: &'a Content,
    ) -> BoxFuture<'a, Result<FormattedText, Outcome>>;

    /// Does all that can be done for a part before anything is sent: what takes long, such as uploading its files, and what
    /// no one sees. Called before a part with media is given to the account, and before each further attempt of it; never
    /// for a text. What was prepared before is not prepared again.
    ///
    /// It may take minutes: it gives up by itself when it makes no progress. It may be dropped at any time, and what was
    /// done by then counts the next time.
    ///
    /// # Errors
    /// An outcome that proves that nothing was sent. [`Outcome::Unavailable`] is tried again after a while.
    fn prepare<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<(), Outcome>>;

    /// Sends one part, once: no retry inside. What the outcome says about the account (a flood, a ban, a right that is
    /// missing) is noted in memory before this returns; the delivery stores it.
    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Outcome>;

    /// Looks whether the part arrived, by what the provider keeps: recent updates, then the chat's history since
    /// `since`.
    fn find<'a>(&'a self, attempt: Attempt<'a>, since: Timestamp) -> BoxFuture<'a, MessageLookup>;

    /// Asks anyone else in the chat whether the part arrived.
    fn peer_check<'a>(&'a self, attempt: Attempt<'a>, since: Timestamp) -> BoxFuture<'a, Evidence>;

    /// Whether the account could still answer what became of an attempt: false once it is banned or its session is lost.
    fn can_still_tell(&self, account: &AccountName) -> bool;

    /// Changes whenever a candidate may have become able: an account connected, a hold was lifted.
    fn changes(&self) -> watch::Receiver<u64>;
}
