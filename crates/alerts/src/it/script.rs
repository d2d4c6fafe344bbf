//! A sender of messages with two accounts that are in every chat, and keep what they send.

use std::sync::{Mutex, PoisonError};

use delivery::{
    Attempt, Candidate, Candidates, Capabilities, Dedup, Evidence, MessageLookup, Query, Readiness, Sender,
};
use domain::message::Content;
use domain::outcome::SentIds;
use domain::text::{FormattedText, ParseMode, TextLimit, Unit};
use domain::{AccountName, Address, ChatId, ChatRef, Outcome, Timestamp};
use futures::future::BoxFuture;
use tokio::sync::watch;

/// The accounts, the first choice first.
const ACCOUNTS: [&str; 2] = ["main", "backup_1"];

#[derive(Default)]
pub(crate) struct Script {
    sent: Mutex<Vec<(String, String)>>,
    refuses: Mutex<bool>,
    silent: Mutex<bool>,
}

impl Script {
    /// What was sent: by which account, which text.
    pub(crate) fn sent(&self) -> Vec<(String, String)> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn refuse(&self, refuses: bool) {
        *self.refuses.lock().unwrap_or_else(PoisonError::into_inner) = refuses;
    }

    /// Nothing is answered any more.
    pub(crate) fn fall_silent(&self) {
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    fn able(query: &Query) -> Candidates {
        let pinned = |name: &AccountName| query.pin.as_ref().is_none_or(|pin| pin == name);
        let accounts = ACCOUNTS.into_iter().filter_map(|name| name.parse::<AccountName>().ok());
        let able: Vec<Candidate> = accounts
            .filter(pinned)
            .map(|account| Candidate { account, readiness: Readiness::Ready })
            .collect();
        Candidates {
            address: ChatId::channel(1_234_567_890).map(Address::Telegram),
            able,
            ..Candidates::default()
        }
    }
}

impl Sender for Script {
    fn knows(&self, account: &AccountName) -> bool {
        ACCOUNTS.contains(&account.as_str())
    }

    fn accounts(&self) -> Vec<AccountName> {
        ACCOUNTS.into_iter().filter_map(|name| name.parse().ok()).collect()
    }

    fn serves(&self, _: &ChatRef) -> bool {
        true
    }

    fn locate(&self, _: &ChatRef) -> Option<Address> {
        ChatId::channel(1_234_567_890).map(Address::Telegram)
    }

    fn capabilities(&self, _: &ChatRef) -> Capabilities {
        Capabilities {
            text: TextLimit::new(4_096, Unit::Utf16),
            caption: None,
            sends: true,
            reply: true,
            album: delivery::Album::NONE,
            parse_modes: &[ParseMode::Html],
            media: &[],
            actions: &[],
            states: &[],
            dedup: Dedup::Key { window: None },
        }
    }

    fn candidates_now(&self, query: &Query) -> Option<Candidates> {
        Some(Self::able(query))
    }

    fn candidates<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Candidates> {
        Box::pin(async move { Self::able(query) })
    }

    fn place_mention<'a>(
        &'a self,
        _: &'a AccountName,
        _: &'a Address,
        content: &'a Content,
    ) -> BoxFuture<'a, Result<FormattedText, Outcome>> {
        Box::pin(async move { Ok(content.text.clone()) })
    }

    fn prepare<'a>(&'a self, _: Attempt<'a>) -> BoxFuture<'a, Result<(), Outcome>> {
        Box::pin(async { Ok(()) })
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if *self.silent.lock().unwrap_or_else(PoisonError::into_inner) {
                return Outcome::Unknown(domain::outcome::Unclear::NoAnswer("no answer in time".to_owned()));
            }
            if *self.refuses.lock().unwrap_or_else(PoisonError::into_inner) {
                return Outcome::Rejected { code: "CHAT_RESTRICTED".into() };
            }
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.push((attempt.account.to_string(), attempt.content.text.text.clone()));
            let number = i64::try_from(sent.len()).unwrap_or(i64::MAX);
            Outcome::Sent(SentIds::one(Some(number)))
        })
    }

    fn find<'a>(&'a self, _: Attempt<'a>, _: Timestamp) -> BoxFuture<'a, MessageLookup> {
        Box::pin(async { MessageLookup::CannotTell })
    }

    fn peer_check<'a>(&'a self, _: Attempt<'a>, _: Timestamp) -> BoxFuture<'a, Evidence> {
        Box::pin(async { Evidence::None })
    }

    fn can_still_tell(&self, _: &AccountName) -> bool {
        true
    }

    fn changes(&self) -> watch::Receiver<u64> {
        watch::Sender::new(0).subscribe()
    }
}
