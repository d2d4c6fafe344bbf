//! A way out that does what the test wrote down, and remembers what was asked of it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use delivery::Capabilities;
use delivery::sender::{
    Attempt, Candidate, Candidates, Evidence, MessageLookup, Query, Readiness, RefusalKind, Sender,
};
use domain::message::Content;
use domain::outcome::Refusal;
use domain::text::{FormattedText, with_mention};
use domain::{AccountName, Address, ChatId, ChatRef, Outcome, Timestamp, UserId};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::watch;

/// Who is mentioned, no matter who is asked for.
pub(crate) const CLIENT: (i64, &str) = (7, "Anna Ивановна");

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) account: AccountName,
    pub(crate) chat_id: ChatId,
    pub(crate) text: FormattedText,
    pub(crate) content: Content,
}

#[derive(Default)]
struct Plot {
    outcomes: VecDeque<Outcome>,
    candidates: Option<Candidates>,
    sent: Vec<Sent>,
    next_id: i64,
}

pub(crate) struct Script {
    plot: Mutex<Plot>,
    changes: watch::Sender<u64>,
    /// While false, sends do not come back.
    open: watch::Sender<bool>,
}

pub(crate) fn account(name: &str) -> AccountName {
    name.parse().expect("a name")
}

/// Candidates: these accounts, each this ready.
pub(crate) fn able(accounts: &[(&str, Readiness)]) -> Candidates {
    Candidates {
        able: accounts
            .iter()
            .map(|(name, readiness)| Candidate { account: account(name), readiness: *readiness })
            .collect(),
        ..Candidates::default()
    }
}

/// No one, for this reason.
pub(crate) fn no_candidates(why: RefusalKind, words: &str) -> Candidates {
    Candidates {
        refused: vec![(Refusal { account: account("main"), why: words.to_owned() }, why)],
        ..Candidates::default()
    }
}

impl Script {
    pub(crate) fn new() -> Self {
        Self {
            plot: Mutex::new(Plot { next_id: 45, ..Plot::default() }),
            changes: watch::Sender::new(0),
            open: watch::Sender::new(true),
        }
    }

    /// The next attempts come back so; after them everything is sent.
    pub(crate) fn then(&self, outcomes: impl IntoIterator<Item = Outcome>) {
        self.plot().outcomes.extend(outcomes);
    }

    pub(crate) fn candidates_are(&self, candidates: Candidates) {
        self.plot().candidates = Some(candidates);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Sends do not come back until [`Script::release`].
    pub(crate) fn hold(&self) {
        self.open.send_replace(false);
    }

    pub(crate) fn release(&self) {
        self.open.send_replace(true);
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.plot().sent.clone()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.text.text).collect()
    }

    fn plot(&self) -> std::sync::MutexGuard<'_, Plot> {
        self.plot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn who(&self, query: &Query) -> Candidates {
        let mut candidates =
            self.plot().candidates.clone().unwrap_or_else(|| able(&[("main", Readiness::Ready)]));
        if let Some(pin) = &query.pin {
            candidates.able.retain(|able| able.account == *pin);
        }
        candidates.address = self.locate(&query.chat);
        candidates
    }
}

impl Sender for Script {
    fn knows(&self, account: &AccountName) -> bool {
        ["main", "backup_1"].contains(&account.as_str())
    }

    fn accounts(&self) -> Vec<AccountName> {
        ["main", "backup_1"].map(account).to_vec()
    }

    fn serves(&self, chat: &ChatRef) -> bool {
        !matches!(chat, ChatRef::Channel(_))
    }

    fn locate(&self, chat: &ChatRef) -> Option<Address> {
        match chat {
            ChatRef::Username(name) if name.as_str() == "demo_channel" => {
                ChatId::channel(500).map(Address::Telegram)
            }
            chat => Address::written(chat),
        }
    }

    fn capabilities(&self, _: &ChatRef) -> Capabilities {
        telegram::CAPABILITIES
    }

    fn candidates_now(&self, query: &Query) -> Option<Candidates> {
        Some(self.who(query))
    }

    fn candidates<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Candidates> {
        async { self.who(query) }.boxed()
    }

    fn place_mention<'a>(
        &'a self,
        _: &'a AccountName,
        _: &'a Address,
        content: &'a Content,
    ) -> BoxFuture<'a, Result<FormattedText, Outcome>> {
        let (id, name) = CLIENT;
        let user_id = UserId::new(id).expect("an id");
        async move { Ok(with_mention(content.text.clone(), user_id, name)) }.boxed()
    }

    fn prepare<'a>(&'a self, _: Attempt<'a>) -> BoxFuture<'a, Result<(), Outcome>> {
        Box::pin(async { Ok(()) })
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Outcome> {
        async move {
            let mut open = self.open.subscribe();
            // The script lives as long as the test.
            let _ = open.wait_for(|open| *open).await;
            let mut plot = self.plot();
            if let Some(outcome) = plot.outcomes.pop_front() {
                return outcome;
            }
            plot.sent.push(Sent {
                account: attempt.account.clone(),
                chat_id: attempt.address.chat_id().expect("a chat of Telegram"),
                text: attempt.part.text.clone(),
                content: attempt.content.clone(),
            });
            let ids = attempt.part.items.iter().map(|_| {
                let id = plot.next_id;
                plot.next_id += 1;
                Some(id)
            });
            Outcome::Sent(ids.collect())
        }
        .boxed()
    }

    fn find<'a>(&'a self, _: Attempt<'a>, _: Timestamp) -> BoxFuture<'a, MessageLookup> {
        async { MessageLookup::CannotTell }.boxed()
    }

    fn peer_check<'a>(&'a self, _: Attempt<'a>, _: Timestamp) -> BoxFuture<'a, Evidence> {
        Box::pin(async move { Evidence::None })
    }

    fn can_still_tell(&self, _: &AccountName) -> bool {
        true
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
