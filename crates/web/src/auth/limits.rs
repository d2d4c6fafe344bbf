//! The limits of a key: the one place that refuses it an account, a chat or a channel.

use domain::saga::Task;
use domain::{AccountName, ChannelName, ChatRef, NamedChat, Outside};

use super::caller::Caller;
use super::key_cache::CachedKey;
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;
use crate::v1::chats;

impl CachedKey {
    /// The account that work goes through, by the one that was asked for.
    pub(crate) fn pin(&self, wanted: Option<AccountName>) -> Result<Option<AccountName>, Problem> {
        self.limits.pin(wanted).map_err(|outside| self.refused(outside, "account"))
    }

    pub(super) fn account(&self, account: &AccountName) -> Result<(), Problem> {
        self.limits.account(account).map_err(|outside| self.refused(outside, "account"))
    }

    /// Whether the chat in this field may be named.
    pub(crate) fn chat(&self, state: &State, field: &str, chat: &ChatRef) -> Result<(), Problem> {
        let allowed = self.limits.chat(chat, |chat| chats::today(state, chat));
        allowed.map_err(|outside| self.refused(outside, field))
    }

    /// The same of a chat as callers write it. Which chat `me` and a phone number are is not known yet, but that it is one of
    /// Telegram.
    pub(super) fn named_chat(&self, state: &State, field: &str, chat: &NamedChat) -> Result<(), Problem> {
        match chat {
            NamedChat::Chat(chat) => self.chat(state, field, chat),
            NamedChat::Own | NamedChat::Phone(_) => {
                self.limits.new_chat().map_err(|outside| self.refused(outside, field))
            }
        }
    }

    /// Whether work may be asked for: in a chat that it may name, or on a new one.
    pub(crate) fn task(&self, state: &State, task: &Task) -> Result<(), Problem> {
        match task.chat() {
            Some(chat) => self.chat(state, "chat", chat),
            None => self.limits.new_chat().map_err(|outside| self.refused(outside, "chat")),
        }
    }

    /// Whether it may see something of this account and this chat.
    pub(crate) fn shows(&self, state: &State, account: Option<&AccountName>, chat: Option<&ChatRef>) -> bool {
        self.limits.shows(account, chat, |chat| chats::today(state, chat))
    }

    /// The call is about more than its accounts, chats and channels.
    pub(crate) fn beyond(&self) -> Problem {
        let detail = format!(
            "The API key {} is limited to accounts, chats or channels, and this is about more than those; use a key without limits.",
            self.id
        );
        Problem::new(Code::KeyLimited, detail)
    }

    /// The message or the operation in a path is none that it may see or change.
    pub(super) fn not_its_own(&self) -> Problem {
        let detail = format!(
            "The path names something of an account or a chat that the API key {} may not use; use another key.",
            self.id
        );
        Problem::new(Code::KeyLimited, detail)
    }

    fn refused(&self, outside: Outside, field: &str) -> Problem {
        let id = self.id;
        let message = match outside {
            Outside::Account => {
                format!("is none that the API key {id} may use; name {}", one_of(&self.limits.accounts))
            }
            Outside::NoAccount => {
                format!(
                    "is missing: the API key {id} may use several; name {}",
                    one_of(&self.limits.accounts)
                )
            }
            Outside::Chat => {
                format!("is none that the API key {id} may use; name {}", one_of(&self.limits.chats))
            }
            Outside::Channel => format!(
                "is of a channel that the API key {id} may not use; it may use {}",
                one_of(&self.limits.channels)
            ),
        };
        Problem::field(Code::KeyLimited, FieldError::new(field, message + ", or use another key"))
    }
}

impl Caller {
    /// The account that work goes through, by the one that was asked for.
    pub(crate) fn pin(&self, wanted: Option<AccountName>) -> Result<Option<AccountName>, Problem> {
        match self.limited() {
            Some(key) => key.pin(wanted),
            None => Ok(wanted),
        }
    }

    /// Whether the chat in this field may be named.
    pub(crate) fn check_chat(&self, state: &State, field: &str, chat: &NamedChat) -> Result<(), Problem> {
        self.limited().map_or(Ok(()), |key| key.named_chat(state, field, chat))
    }

    /// That work may be asked for, whatever account does it.
    pub(crate) fn check_task(&self, state: &State, task: &Task) -> Result<(), Problem> {
        self.limited().map_or(Ok(()), |key| key.task(state, task))
    }

    /// That a list may be narrowed to this account.
    pub(crate) fn check_account(&self, account: Option<&AccountName>) -> Result<(), Problem> {
        match (self.limited(), account) {
            (Some(key), Some(account)) => key.account(account),
            _ => Ok(()),
        }
    }

    /// Whether it may see something in this chat of one of these accounts.
    pub(crate) fn shows<'a>(
        &self,
        state: &State,
        accounts: impl IntoIterator<Item = &'a AccountName>,
        chat: Option<&ChatRef>,
    ) -> bool {
        let Some(key) = self.limited() else { return true };
        key.limits.accounts.is_empty() && key.shows(state, None, chat)
            || accounts.into_iter().any(|account| key.shows(state, Some(account), chat))
    }

    /// Whether it may see this account, whatever chats it is limited to.
    pub(crate) fn shows_account(&self, account: &AccountName) -> bool {
        self.limited().is_none_or(|key| key.account(account).is_ok())
    }

    /// Whether it may see this account of a channel, whatever chats it is limited to.
    pub(crate) fn shows_channel_account(&self, channel: &ChannelName, account: &AccountName) -> bool {
        self.check_channel_account(channel, account).is_ok()
    }

    /// The same, with what is wrong.
    pub(crate) fn check_channel_account(
        &self,
        channel: &ChannelName,
        account: &AccountName,
    ) -> Result<(), Problem> {
        let Some(key) = self.limited() else { return Ok(()) };
        key.limits.channel_account(channel, account).map_err(|outside| key.refused(outside, "name"))
    }

    /// Whether it may do something to a message whose chat is not known, or is another than the one it named.
    pub(crate) fn check_unknown_message(&self) -> Result<(), Problem> {
        match self.limited() {
            Some(key) if !key.limits.chats.is_empty() => Err(key.not_its_own()),
            _ => Ok(()),
        }
    }
}

fn one_of(names: &[impl ToString]) -> String {
    let names: Vec<_> = names.iter().map(|name| shorten(&name.to_string())).collect();
    names.join(", ")
}
