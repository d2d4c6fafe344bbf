//! Several senders as one: each message goes to the one that serves its chat.

use std::sync::Arc;

use domain::message::Content;
use domain::text::{FormattedText, TextLimit, Unit};
use domain::{AccountName, Address, ChatRef, Outcome, Timestamp};
use futures::future::{BoxFuture, FutureExt, ready};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::capabilities::{Capabilities, Dedup};
use crate::pace::Pace;
use crate::sender::{Attempt, Candidates, Evidence, MessageLookup, Query, Sender};

/// Two senders have an account of one name: it would not say which of them is meant.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("two providers have an account named {0}; give one of them another name")]
pub struct SharedName(pub AccountName);

/// Senders beside each other. An account's name is that of one of them only.
pub struct Senders {
    all: Vec<Arc<dyn Sender>>,
    changed: watch::Sender<u64>,
    /// Pass the changes of each on; they end with this.
    _followers: JoinSet<()>,
}

/// What is carried where no sender serves the chat: nothing but a text, which is not sent.
const NOTHING: Capabilities = Capabilities {
    text: TextLimit::new(4_096, Unit::Utf16),
    caption: None,
    sends: true,
    reply: false,
    album: crate::Album::NONE,
    parse_modes: &[],
    media: &[],
    actions: &[],
    states: &[],
    dedup: Dedup::None,
};

impl Senders {
    /// All of these as one sender. A single one is that itself. Called within a runtime.
    ///
    /// # Errors
    /// Two of them know one name.
    pub fn join(all: Vec<Arc<dyn Sender>>) -> Result<Arc<dyn Sender>, SharedName> {
        for (place, sender) in all.iter().enumerate() {
            let others = all.iter().skip(place + 1);
            let is_shared = |name: &AccountName| others.clone().any(|other| other.knows(name));
            if let Some(name) = sender.accounts().into_iter().find(is_shared) {
                return Err(SharedName(name));
            }
        }
        if let [only] = &all[..] {
            return Ok(Arc::clone(only));
        }
        let changed = watch::Sender::new(0);
        let mut followers = JoinSet::new();
        for sender in &all {
            let (mut theirs, ours) = (sender.changes(), changed.clone());
            followers.spawn(async move {
                while theirs.changed().await.is_ok() {
                    ours.send_modify(|count| *count += 1);
                }
            });
        }
        Ok(Arc::new(Self { all, changed, _followers: followers }))
    }

    fn to(&self, chat: &ChatRef) -> Option<&dyn Sender> {
        self.all.iter().find(|sender| sender.serves(chat)).map(|sender| &**sender)
    }

    fn of(&self, account: &AccountName) -> Option<&dyn Sender> {
        self.all.iter().find(|sender| sender.knows(account)).map(|sender| &**sender)
    }
}

fn no_such_account() -> Outcome {
    Outcome::Unavailable("there is no such account any more".to_owned())
}

impl Sender for Senders {
    fn knows(&self, account: &AccountName) -> bool {
        self.of(account).is_some()
    }

    fn accounts(&self) -> Vec<AccountName> {
        self.all.iter().flat_map(|sender| sender.accounts()).collect()
    }

    fn serves(&self, chat: &ChatRef) -> bool {
        self.to(chat).is_some()
    }

    fn locate(&self, chat: &ChatRef) -> Option<Address> {
        self.to(chat)?.locate(chat)
    }

    fn capabilities(&self, chat: &ChatRef) -> Capabilities {
        self.to(chat).map_or(NOTHING, |sender| sender.capabilities(chat))
    }

    fn candidates_now(&self, query: &Query) -> Option<Candidates> {
        self.to(&query.chat)
            .map_or_else(|| Some(Candidates::default()), |sender| sender.candidates_now(query))
    }

    fn candidates<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Candidates> {
        match self.to(&query.chat) {
            Some(sender) => sender.candidates(query),
            None => ready(Candidates::default()).boxed(),
        }
    }

    fn pace(&self, account: &AccountName) -> Option<Arc<Pace>> {
        self.of(account)?.pace(account)
    }

    fn place_mention<'a>(
        &'a self,
        account: &'a AccountName,
        address: &'a Address,
        content: &'a Content,
    ) -> BoxFuture<'a, Result<FormattedText, Outcome>> {
        match self.of(account) {
            Some(sender) => sender.place_mention(account, address, content),
            None => ready(Err(no_such_account())).boxed(),
        }
    }

    fn prepare<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<(), Outcome>> {
        match self.of(attempt.account) {
            Some(sender) => sender.prepare(attempt),
            None => ready(Err(no_such_account())).boxed(),
        }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Outcome> {
        match self.of(attempt.account) {
            Some(sender) => sender.send(attempt),
            None => ready(no_such_account()).boxed(),
        }
    }

    fn find<'a>(&'a self, attempt: Attempt<'a>, since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        match self.of(attempt.account) {
            Some(sender) => sender.find(attempt, since),
            None => ready(MessageLookup::CannotTell).boxed(),
        }
    }

    fn peer_check<'a>(&'a self, attempt: Attempt<'a>, since: Timestamp) -> BoxFuture<'a, Evidence> {
        match self.of(attempt.account) {
            Some(sender) => sender.peer_check(attempt, since),
            None => ready(Evidence::None).boxed(),
        }
    }

    fn can_still_tell(&self, account: &AccountName) -> bool {
        self.of(account).is_some_and(|sender| sender.can_still_tell(account))
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
