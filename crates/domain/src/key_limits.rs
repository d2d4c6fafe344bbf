//! What an API key is limited to: accounts, chats and channels. Pure.

use serde::{Deserialize, Serialize};

use crate::account::AccountName;
use crate::address::ChannelName;
use crate::chat::{ChatId, ChatRef};

/// The channel of every chat of Telegram.
const TELEGRAM: &str = "telegram";

/// What an API key is limited to. A list that is empty limits nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyLimits {
    /// The accounts it may use.
    pub accounts: Vec<AccountName>,
    /// The chats it may name.
    pub chats: Vec<ChatRef>,
    /// The channels it may reach, `telegram` or one beside it.
    pub channels: Vec<ChannelName>,
}

/// What is outside the limits of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Outside {
    /// The account is none of its.
    #[error("the account is none of those the key is limited to")]
    Account,
    /// None of several accounts was named.
    #[error("the key is limited to several accounts and none was named")]
    NoAccount,
    /// The chat is none of its.
    #[error("the chat is none of those the key is limited to")]
    Chat,
    /// The chat is of another channel.
    #[error("the channel of the chat is none of those the key is limited to")]
    Channel,
}

impl KeyLimits {
    /// Whether it limits anything.
    pub const fn is_limited(&self) -> bool {
        !(self.accounts.is_empty() && self.chats.is_empty() && self.channels.is_empty())
    }

    /// Whether this account may be used.
    pub fn account(&self, account: &AccountName) -> Result<(), Outside> {
        let is_allowed = self.accounts.is_empty() || self.accounts.contains(account);
        if is_allowed { Ok(()) } else { Err(Outside::Account) }
    }

    /// The account that work goes through, by the one that was asked for: where there is one only, it is that.
    pub fn pin(&self, wanted: Option<AccountName>) -> Result<Option<AccountName>, Outside> {
        match (wanted, self.accounts.as_slice()) {
            (Some(wanted), _) => self.account(&wanted).map(|()| Some(wanted)),
            (None, []) => Ok(None),
            (None, [only]) => Ok(Some(only.clone())),
            (None, _) => Err(Outside::NoAccount),
        }
    }

    /// Whether this chat may be named. `today` gives the id of a chat of Telegram, where it is known: the same chat is the same
    /// by its id and by its name.
    pub fn chat(&self, chat: &ChatRef, today: impl Fn(&ChatRef) -> Option<ChatId>) -> Result<(), Outside> {
        self.channel_of(chat)?;
        if self.chats.is_empty() || self.chats.contains(chat) {
            return Ok(());
        }
        let id = today(chat).ok_or(Outside::Chat)?;
        let is_same = |allowed: &ChatRef| today(allowed) == Some(id);
        if self.chats.iter().any(is_same) { Ok(()) } else { Err(Outside::Chat) }
    }

    /// Whether a chat of Telegram may be made.
    pub fn new_chat(&self) -> Result<(), Outside> {
        let has_telegram =
            self.channels.is_empty() || self.channels.iter().any(|one| one.as_str() == TELEGRAM);
        match (self.chats.is_empty(), has_telegram) {
            (true, true) => Ok(()),
            (false, _) => Err(Outside::Chat),
            (true, false) => Err(Outside::Channel),
        }
    }

    /// Whether something may be shown that is of this account and this chat, as far as it has them. What has none is of no
    /// account or chat that is allowed.
    pub fn shows(
        &self,
        account: Option<&AccountName>,
        chat: Option<&ChatRef>,
        today: impl Fn(&ChatRef) -> Option<ChatId>,
    ) -> bool {
        let by_account = match account {
            Some(account) => self.account(account).is_ok(),
            None => self.accounts.is_empty(),
        };
        let by_chat = match chat {
            Some(chat) => self.chat(chat, today).is_ok(),
            None => self.chats.is_empty() && self.channels.is_empty(),
        };
        by_account && by_chat
    }

    fn channel_of(&self, chat: &ChatRef) -> Result<(), Outside> {
        match chat {
            ChatRef::Id(_) | ChatRef::Username(_) => self.channel(TELEGRAM),
            ChatRef::Channel(chat) => self.channel_account(&chat.channel, &chat.account),
        }
    }

    /// Whether this account of a channel may be used.
    pub fn channel_account(&self, channel: &ChannelName, account: &AccountName) -> Result<(), Outside> {
        self.channel(channel.as_str())?;
        self.account(account)
    }

    fn channel(&self, channel: &str) -> Result<(), Outside> {
        let is_allowed = self.channels.is_empty() || self.channels.iter().any(|one| one.as_str() == channel);
        if is_allowed { Ok(()) } else { Err(Outside::Channel) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};

    const ACCOUNTS: [&str; 3] = ["main", "backup_1", "shop"];
    const CHATS: [&str; 5] = ["-1001234567890", "777", "@demo_main", "avito:shop/u2i-1", "avito:main/u2i-2"];
    const CHANNELS: [&str; 3] = ["telegram", "avito", "max"];

    fn read<T: std::str::FromStr<Err: std::fmt::Debug>>(words: &[&str]) -> Vec<T> {
        words.iter().map(|word| word.parse().expect(word)).collect()
    }

    fn limits(accounts: &[&str], chats: &[&str], channels: &[&str]) -> KeyLimits {
        KeyLimits { accounts: read(accounts), chats: read(chats), channels: read(channels) }
    }

    /// Memory knows one chat by both of its names.
    fn today(chat: &ChatRef) -> Option<ChatId> {
        match chat {
            ChatRef::Id(id) => Some(*id),
            ChatRef::Username(_) => "-1001234567890".parse().ok(),
            ChatRef::Channel(_) => None,
        }
    }

    #[test]
    fn a_chat_is_the_same_by_its_id_and_by_its_name() {
        for (limit, named) in [("@demo_main", "-1001234567890"), ("-1001234567890", "@demo_main")] {
            let limits = limits(&[], &[limit], &[]);
            assert_eq!(limits.chat(&named.parse().expect("a chat"), today), Ok(()), "{named}");
            assert_eq!(limits.chat(&named.parse().expect("a chat"), |_| None), Err(Outside::Chat));
            assert_eq!(limits.chat(&"777".parse().expect("a chat"), today), Err(Outside::Chat));
        }
    }

    #[test]
    fn one_account_is_meant_where_none_is_named() {
        let main: Option<AccountName> = "main".parse().ok();
        assert_eq!(limits(&["main"], &[], &[]).pin(None), Ok(main.clone()));
        assert_eq!(limits(&["main"], &[], &[]).pin("shop".parse().ok()), Err(Outside::Account));
        assert_eq!(limits(&["main", "shop"], &[], &[]).pin(None), Err(Outside::NoAccount));
        assert_eq!(limits(&["main", "shop"], &[], &[]).pin(main.clone()), Ok(main));
        assert_eq!(limits(&[], &[], &[]).pin(None), Ok(None));
    }

    proptest! {
        #[test]
        fn everything_shown_is_within_every_list(
            accounts in subsequence(ACCOUNTS.to_vec(), 0..=3),
            chats in subsequence(CHATS.to_vec(), 0..=5),
            channels in subsequence(CHANNELS.to_vec(), 0..=3),
            account in proptest::option::of(select(ACCOUNTS.to_vec())),
            chat in proptest::option::of(select(CHATS.to_vec())),
        ) {
            let limits = limits(&accounts, &chats, &channels);
            let of: Option<AccountName> = account.and_then(|account| account.parse().ok());
            let to: Option<ChatRef> = chat.and_then(|chat| chat.parse().ok());
            let shown = limits.shows(of.as_ref(), to.as_ref(), today);
            prop_assert!(limits.is_limited() || shown);
            if shown {
                prop_assert!(accounts.is_empty() || account.is_some_and(|account| accounts.contains(&account)));
                let within = |chat| {
                    chats.contains(&chat)
                        || (chat == "@demo_main" && chats.contains(&"-1001234567890"))
                        || (chat == "-1001234567890" && chats.contains(&"@demo_main"))
                };
                prop_assert!(chats.is_empty() || chat.is_some_and(within));
                let channel = |chat: &str| if chat.starts_with("avito") { "avito" } else { "telegram" };
                prop_assert!(channels.is_empty() || chat.is_some_and(|chat| channels.contains(&channel(chat))));
            }
        }

        #[test]
        fn a_pin_is_within_the_limits(
            accounts in subsequence(ACCOUNTS.to_vec(), 0..=3),
            wanted in proptest::option::of(select(ACCOUNTS.to_vec())),
        ) {
            let limits = limits(&accounts, &[], &[]);
            if let Ok(pin) = limits.pin(wanted.and_then(|wanted| wanted.parse().ok())) {
                prop_assert!(pin.as_ref().map_or(accounts.is_empty(), |pin| limits.account(pin).is_ok()));
                prop_assert!(wanted.is_none() || pin.as_ref().map(AccountName::as_str) == wanted);
            }
        }
    }
}
