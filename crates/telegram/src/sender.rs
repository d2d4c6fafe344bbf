//! The pool as the delivery sees it: a way out.

use delivery::{Attempt, Candidates, Found, Query, Sender, Testimony};
use domain::message::Content;
use domain::text::FormattedText;
use domain::{AccountName, ChatId, ChatRef, Outcome, Timestamp};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

use crate::account::Account;
use crate::pool::Pool;
use crate::{candidates, find, mention, send};

impl Sender for Pool {
    fn knows(&self, account: &AccountName) -> bool {
        self.index(account).is_some()
    }

    fn locate(&self, chat: &ChatRef) -> Option<ChatId> {
        self.find(chat)
    }

    fn candidates_now(&self, query: &Query) -> Option<Candidates> {
        candidates::now(self, query)
    }

    fn candidates<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Candidates> {
        candidates::ask(self, query).boxed()
    }

    fn place_mention<'a>(
        &'a self,
        account: &'a AccountName,
        chat_id: ChatId,
        content: &'a Content,
    ) -> BoxFuture<'a, Result<FormattedText, Outcome>> {
        async move {
            match self.get(account) {
                Some(account) => mention::place(account, chat_id, content).await,
                None => Err(no_such_account()),
            }
        }
        .boxed()
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Outcome> {
        async move {
            let Some(account) = self.get(attempt.account) else { return no_such_account() };
            let outcome = send::send(account, attempt).await;
            if attempt.binds && matches!(outcome, Outcome::Sent(_)) {
                self.bind(attempt.chat_id, account.index);
            }
            outcome
        }
        .boxed()
    }

    fn find<'a>(&'a self, attempt: Attempt<'a>, since: Timestamp) -> BoxFuture<'a, Found> {
        async move {
            match self.get(attempt.account) {
                Some(account) => find::find(account, attempt, since).await,
                None => Found::CannotTell,
            }
        }
        .boxed()
    }

    fn witness<'a>(&'a self, attempt: Attempt<'a>, since: Timestamp) -> BoxFuture<'a, Testimony> {
        find::witness(self, attempt, since).boxed()
    }

    fn can_still_tell(&self, account: &AccountName) -> bool {
        self.get(account).is_some_and(Account::can_still_tell)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

fn no_such_account() -> Outcome {
    Outcome::Unavailable("there is no such account any more".to_owned())
}
