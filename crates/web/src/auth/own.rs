//! What a key that is limited to some accounts is shown of work in which others had a part: no name of theirs, and no note that
//! may have one.

use domain::message::OutboundMessage;
use domain::saga::{Saga, SagaEntry};
use domain::timeline::Entry;
use domain::{AccountName, ChatRef, NamedChat};
use health::CardId;
use telegram::AccountView;

use super::caller::Caller;
use crate::state::State;

impl Caller {
    /// A message as it is shown.
    pub(crate) fn own_message(&self, mut message: OutboundMessage) -> OutboundMessage {
        if let Some(asked) = message.failure.as_mut().and_then(|failure| failure.asked_mut()) {
            asked.retain(|refusal| self.shows_account(&refusal.account));
        }
        message
    }

    /// Work on a chat as it is shown.
    pub(crate) fn own_saga(&self, mut saga: Saga) -> Saga {
        if let Some(asked) = saga.failure.as_mut().and_then(|failure| failure.asked_mut()) {
            asked.retain(|refusal| self.shows_account(&refusal.account));
        }
        saga
    }

    /// The steps of a message as they are shown.
    pub(crate) fn own_steps(&self, mut steps: Vec<Entry>) -> Vec<Entry> {
        for Entry { account, outcome, detail, .. } in &mut steps {
            self.strip(account, outcome.is_some(), detail);
        }
        steps
    }

    /// The steps of work on a chat as they are shown.
    pub(crate) fn own_saga_steps(&self, mut steps: Vec<SagaEntry>) -> Vec<SagaEntry> {
        for SagaEntry { account, outcome, detail, .. } in &mut steps {
            self.strip(account, outcome.is_some(), detail);
        }
        steps
    }

    /// An account as it is shown: without the names of others, and without chats beyond the limits.
    pub(crate) fn own_account(&self, state: &State, view: AccountView) -> api::Account {
        let mut account = api::Account::from(view);
        account.trouble = state.health().trouble(&CardId::account(&account.name));
        account.healthy &= account.trouble.is_none();
        account.same_person_as.retain(|name| self.shows_account(name));
        let keep = &mut account.keep_messages;
        for chats in [&mut keep.always, &mut keep.never] {
            chats.retain(|chat| self.check_chat(state, "", &NamedChat::Chat(ChatRef::Id(*chat))).is_ok());
        }
        account
    }

    /// A chat as it is shown.
    pub(crate) fn own_chat(&self, chat: api::Chat) -> api::Chat {
        let account = chat.account.filter(|name| self.shows_account(name));
        let accounts = chat.accounts.into_iter().filter(|name| self.shows_account(name)).collect();
        api::Chat { account, accounts, ..chat }
    }

    /// What an account of its own answered stays; other notes may name those that were passed over.
    fn strip(&self, account: &mut Option<AccountName>, is_answer: bool, detail: &mut Option<String>) {
        if self.limited().is_none_or(|key| key.limits.accounts.is_empty()) {
            return;
        }
        *account = account.take().filter(|name| self.shows_account(name));
        *detail = detail.take().filter(|_| is_answer && account.is_some());
    }
}
