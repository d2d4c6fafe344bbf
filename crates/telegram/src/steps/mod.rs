//! Steps on chats: who could take them, and taking one of them.

mod chats;
mod context;
mod created;
mod meaning;
pub(crate) mod people;
pub(crate) mod recent_invites;

use delivery::{Call, Candidates, ChatLookup, Query, Steps};
use domain::account::Operation;
use domain::saga::{RegistryChange, Step, StepAnswer};
use domain::{AccountName, ChatId, ChatRef, Outcome, Service, Timestamp};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

use self::context::StepContext;
use crate::account::Account;
use crate::pool::Pool;
use crate::pool::services::error_of;
use crate::routing::candidates;
use crate::routing::router::Usable;
use crate::sending::part;
use crate::sending::sender::no_such_account;

impl Steps for Pool {
    fn knows(&self, account: &AccountName) -> bool {
        self.index(account).is_some()
    }

    fn creators(&self, pin: Option<&AccountName>) -> Candidates {
        self.unless_stopped(Some(Service::CreateChat), candidates::creators(self, pin))
    }

    fn reachers<'a>(&'a self, query: &'a Query, operation: Operation) -> BoxFuture<'a, Candidates> {
        async move {
            let mut candidates = candidates::ask(self, query, operation).await;
            if query.service == Some(Service::LeaveChat) {
                candidates = candidates::leaving(self, query, candidates);
            }
            self.unless_stopped(query.service, candidates)
        }
        .boxed()
    }

    fn take<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Result<StepAnswer, Outcome>> {
        async move {
            let Some(account) = self.get(call.account) else { return Err(no_such_account()) };
            let taken = take(&account, call).boxed().await;
            self.services.count(service(call.step), taken.as_ref().err().and_then(error_of));
            taken
        }
        .boxed()
    }

    fn find_created<'a>(
        &'a self,
        account: &'a AccountName,
        title: &'a str,
        since: Timestamp,
        known: &'a [ChatId],
    ) -> BoxFuture<'a, ChatLookup> {
        async move {
            match self.get(account) {
                Some(account) => created::find(&account, title, since, known).await,
                None => ChatLookup::CannotTell,
            }
        }
        .boxed()
    }

    fn observer(&self) -> Option<ChatRef> {
        self.observer.clone()
    }

    fn is_stopped(&self, step: &Step) -> bool {
        self.services.is_stopped(service(step))
    }

    fn is_backup(&self, account: &AccountName) -> bool {
        let all = self.all();
        let first = all.iter().find(|account| account.in_pool());
        first.is_none_or(|first| first.name != *account)
    }

    fn registered(&self, change: &RegistryChange) {
        self.registry.change(change, |account| self.index(account));
        self.changes.tell();
    }

    fn can_still_tell(&self, account: &AccountName) -> bool {
        self.get(account).is_some_and(|account| account.can_still_tell())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// The service that a step is part of.
const fn service(step: &Step) -> Service {
    match step {
        Step::Leave | Step::ListMembers { .. } | Step::Remove { .. } => Service::LeaveChat,
        _ => Service::CreateChat,
    }
}

async fn take(account: &Account, call: Call<'_>) -> Result<StepAnswer, Outcome> {
    let (step, operation) = (call.step, call.step.operation());
    match account.usable() {
        Usable::Now => {}
        Usable::Connecting => return Err(Outcome::Unavailable("connecting".to_owned())),
        Usable::No(..) => return Err(part::unusable(account)),
    }
    if let Some(until) = account.flood_waits.flood(operation, account.now()) {
        return Err(Outcome::held(until));
    }
    let Some(line) = account.line_for(service(step).purpose()) else {
        return Err(Outcome::Unavailable("connecting".to_owned()));
    };
    let chat_id = call.chat_id.map(|chat_id| account.registry.today(chat_id));
    let context = StepContext { account, line, operation, chat_id };
    match step {
        Step::Resolve { who } => people::resolve(&context, who).await,
        Step::Create { title, about } => chats::create(&context, title, about).await,
        Step::OpenHistory => chats::open_history(&context, step).await,
        Step::Invite { users } => people::invite(&context, users).boxed().await,
        Step::Promote { user } => people::promote(&context, step, *user).await,
        Step::ExportLink => chats::export_link(&context).await,
        Step::ListMembers { keep_own } => people::list(&context, *keep_own).await,
        Step::Remove { user } => people::remove(&context, step, *user).await,
        Step::Leave => chats::leave(&context, step).await,
        Step::SetTitle { title } => chats::set_title(&context, step, title).await,
        Step::SetAbout { about } => chats::set_about(&context, step, about).await,
    }
}
