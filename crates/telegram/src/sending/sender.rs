//! The pool as a sender for the delivery.

use std::sync::Arc;

use delivery::pace::Pace;
use delivery::{Action, Candidates, Capabilities, Dedup, Evidence, MediaKind, MessageLookup, Query, Sender};
use domain::account::Operation;
use domain::message::Content;
use domain::text::{FormattedText, MOST_ENTITIES, ParseMode, TextLimit, Unit};
use domain::{AccountName, Address, ChatRef, MessageState, Outcome, Service, Timestamp, UserId};
use futures::FutureExt;
use futures::future::BoxFuture;
use store::Binding;
use tokio::sync::watch;

use crate::files;
use crate::pool::Pool;
use crate::pool::services::error_of;
use crate::routing::candidates;
use crate::routing::registry::Bound;
use crate::sending::Attempt;
use crate::sending::arrival;
use crate::sending::mention;
use crate::sending::part;

/// What Telegram takes of user accounts. Texts are counted after entities are parsed; a `random_id` is known for ever.
pub const CAPABILITIES: Capabilities = Capabilities {
    text: TextLimit::new(4_096, Unit::Utf16).with_entities(MOST_ENTITIES),
    caption: Some(TextLimit::new(1_024, Unit::Utf16).with_entities(MOST_ENTITIES)),
    sends: true,
    reply: true,
    album: delivery::Album::of_one_kind(10),
    parse_modes: &[ParseMode::Html, ParseMode::Markdown],
    media: &MediaKind::ALL,
    actions: &[Action::Edit, Action::Delete, Action::MarkRead, Action::Typing],
    states: &[MessageState::Read],
    dedup: Dedup::Key { window: None },
};

impl Sender for Pool {
    fn knows(&self, account: &AccountName) -> bool {
        self.index(account).is_some()
    }

    fn accounts(&self) -> Vec<AccountName> {
        self.all().iter().map(|account| account.name.clone()).collect()
    }

    fn serves(&self, chat: &ChatRef) -> bool {
        !matches!(chat, ChatRef::Channel(_))
    }

    fn locate(&self, chat: &ChatRef) -> Option<Address> {
        self.find_fresh(chat).map(Address::Telegram)
    }

    fn capabilities(&self, _: &ChatRef) -> Capabilities {
        CAPABILITIES
    }

    fn candidates_now(&self, query: &Query) -> Option<Candidates> {
        let candidates = candidates::now(self, query, Operation::SendMessage)?;
        Some(self.unless_stopped(query.service, candidates))
    }

    fn candidates<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Candidates> {
        async move {
            let candidates = candidates::ask(self, query, Operation::SendMessage).await;
            self.unless_stopped(query.service, candidates)
        }
        .boxed()
    }

    fn pace(&self, account: &AccountName) -> Option<Arc<Pace>> {
        Some(Arc::clone(&self.get(account)?.pace))
    }

    fn place_mention<'a>(
        &'a self,
        account: &'a AccountName,
        address: &'a Address,
        content: &'a Content,
    ) -> BoxFuture<'a, Result<FormattedText, Outcome>> {
        async move {
            let Some(account) = self.get(account) else { return Err(no_such_account()) };
            let Some(chat_id) = address.chat_id() else { return Err(no_chat_of_telegram()) };
            let ours: Vec<UserId> = self.all().iter().filter_map(|one| one.health.user_id()).collect();
            mention::place(&account, chat_id, content, &ours).await
        }
        .boxed()
    }

    fn prepare<'a>(&'a self, attempt: delivery::Attempt<'a>) -> BoxFuture<'a, Result<(), Outcome>> {
        async move {
            let Some(account) = self.get(attempt.account) else { return Err(no_such_account()) };
            let Some(attempt) = Attempt::of(attempt) else { return Err(no_chat_of_telegram()) };
            let prepared = files::prepare(&account, &self.depot, attempt).await;
            if let Err(outcome) = &prepared {
                self.services.count(Service::SendMedia, error_of(outcome));
            }
            prepared
        }
        .boxed()
    }

    fn send<'a>(&'a self, attempt: delivery::Attempt<'a>) -> BoxFuture<'a, Outcome> {
        async move {
            let Some(account) = self.get(attempt.account) else { return no_such_account() };
            let binding = attempt.binding;
            let Some(attempt) = Attempt::of(attempt) else { return no_chat_of_telegram() };
            let outcome = part::send(&account, attempt).await;
            self.services.count(Service::sending(attempt.part.is_media()), error_of(&outcome));
            if matches!(outcome, Outcome::Sent(_)) {
                match binding {
                    Binding::Replaced => self.registry.rebind(attempt.chat_id, Bound::To(account.index)),
                    Binding::IfUnbound => self.registry.bind_first(attempt.chat_id, account.index),
                    Binding::Unchanged => {}
                }
            }
            outcome
        }
        .boxed()
    }

    fn find<'a>(&'a self, attempt: delivery::Attempt<'a>, since: Timestamp) -> BoxFuture<'a, MessageLookup> {
        async move {
            match self.get(attempt.account).zip(Attempt::of(attempt)) {
                Some((account, attempt)) => arrival::find(&account, attempt, since).await,
                None => MessageLookup::CannotTell,
            }
        }
        .boxed()
    }

    fn peer_check<'a>(&'a self, attempt: delivery::Attempt<'a>, since: Timestamp) -> BoxFuture<'a, Evidence> {
        async move {
            match Attempt::of(attempt) {
                Some(attempt) => arrival::peer_check(self, attempt, since).await,
                None => Evidence::None,
            }
        }
        .boxed()
    }

    fn can_still_tell(&self, account: &AccountName) -> bool {
        self.get(account).is_some_and(|account| account.can_still_tell())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

impl Pool {
    /// The candidates of a service; while it is stopped, its work waits for it as for an account that connects.
    pub(crate) fn unless_stopped(&self, service: Option<Service>, candidates: Candidates) -> Candidates {
        let is_stopped = service.is_some_and(|service| self.services.is_stopped(service));
        if is_stopped { candidates::held_back(candidates) } else { candidates }
    }
}

fn no_chat_of_telegram() -> Outcome {
    Outcome::NotFound("this is no chat of Telegram".to_owned())
}

pub(crate) fn no_such_account() -> Outcome {
    Outcome::Unavailable("there is no such account any more".to_owned())
}
