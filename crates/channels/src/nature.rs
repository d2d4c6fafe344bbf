//! What is true of a channel whatever the account: each folder has its own.

use domain::{ChatType, ContactProof, ExternalChat, Phone};
use store::StoredInbound;

use crate::forward;
use crate::links::Links;

/// What is true of a channel whatever the account. Words are in English and in Russian.
#[derive(Debug, Clone, Copy)]
pub struct Nature {
    /// What the owner of an account does at its provider, step by step.
    pub steps: &'static [[&'static str; 2]],
    /// What the setting `token` is.
    pub token: [&'static str; 2],
    /// What the owner does to log in ([`crate::Provider::log_in`]); empty where the settings have all it takes.
    pub log_in: &'static [[&'static str; 2]],
    /// Whether an account is logged out and started again from here ([`crate::Provider::restart`]).
    pub restarts: bool,
    /// The customer's number in the address of a chat, in E.164. The provider vouches for it.
    pub number: fn(&str) -> Option<String>,
    /// The type of the chat with an address, as far as the address says it; else what the addresses of the channel look like. An address
    /// that the channel cannot read may be of a group.
    pub chat_type: fn(&str) -> Result<ChatType, &'static str>,
    /// The whole group of an address that names one topic of it.
    pub group: fn(&str) -> Option<ExternalChat>,
    /// How the id of a writer is proved at best: an id that the provider gives is, the sender of a mail has to be authenticated.
    pub sender_proof: ContactProof,
    /// The user whose private chat has an address, where the address says it. Elsewhere only the provider says which user a chat has.
    pub user: fn(&str) -> Option<&str>,
    /// How many messages a text is charged for, where that is counted.
    pub segments: Option<fn(&str) -> usize>,
    /// Whether its provider posts what customers write.
    pub posts: Posts,
    /// How its provider is given the address that it posts to.
    pub registering: Registering,
    /// The answer by which its provider takes a post for received, where a post is answered so that is genuine and cannot be read, or is
    /// for an account that is not here. Posted again it would be the same, and refusals make such providers switch the address off. None
    /// where such a post is refused.
    pub unread_answer: Option<&'static str>,
    /// A message as the old server of the channel posted it on.
    pub(crate) legacy: fn(&StoredInbound, &Links) -> Option<String>,
}

/// Whether a provider posts what customers write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posts {
    /// It is only asked.
    Never,
    /// It posts, and is asked where it does not.
    OrPolled,
    /// It only posts.
    Only,
}

/// How a provider is given the address that it posts to, and what can be wrong with it. Words are in English.
#[derive(Debug, Clone, Copy)]
pub struct Registering {
    /// What the provider is called; empty where none is asked which address it has.
    pub by: &'static str,
    /// How it is given the address by hand.
    pub how: &'static str,
    /// The command that gives it, of the token, the address and where the API is, each as a shell reads it between double quotes;
    /// nothing where one call is not enough.
    pub command: Option<fn(token: &str, address: &str, api: &str) -> String>,
    /// What to mind where it has no address.
    pub first: &'static str,
    /// What to mind where it has another one.
    pub instead: &'static str,
    /// Where the owner finds what it is asked with.
    pub credentials: &'static str,
    /// The key of the settings that is wrong where it refuses the credentials.
    pub secret: &'static str,
    /// The key of the settings that is wrong where it does not know what is asked about.
    pub place: Option<&'static str>,
    /// Whether the secret has rights of its own, so that another one mends a right that is missing.
    pub secret_has_rights: bool,
    /// What to do where its posts carry no secret.
    pub without_secret: &'static str,
    /// What to look at where its API does not answer.
    pub unreached: &'static str,
}

impl Registering {
    pub(crate) const PLAIN: Self = Self {
        by: "",
        how: "",
        command: None,
        first: "the receiver may do it itself when it is switched on",
        instead: "find out first whose the registered address is and whether it is still needed; if it is right, write that \
                  address as `expect`",
        credentials: "",
        secret: "token",
        place: None,
        secret_has_rights: false,
        without_secret: "the provider signs nothing, so the address must be the secret: give the receiver a long random path, and \
                         register that",
        unreached: "look at the network and the firewall's rules for outgoing connections; if the provider is \
                    blocked, name another address as `api`",
    };
}

impl Nature {
    /// A channel with nothing of its own.
    pub(crate) const PLAIN: Self = Self {
        steps: &[],
        token: ["A token.", "Токен."],
        log_in: &[],
        restarts: false,
        number: |_| None,
        chat_type: |_| Ok(ChatType::Private),
        group: |_| None,
        sender_proof: ContactProof::ChannelId,
        user: |_| None,
        segments: None,
        posts: Posts::OrPolled,
        registering: Registering::PLAIN,
        unread_answer: None,
        legacy: |stored, links| Some(forward::one_format(stored, links).to_string()),
    };

    /// Of the channel of this name; nothing of its own where there is none.
    pub fn named(channel: &str) -> Self {
        if channel == store::TELEGRAM_ACCOUNT {
            return Self { user: number_of_user, ..Self::PLAIN };
        }
        channel.parse().map_or(Self::PLAIN, Self::of)
    }
}

/// A number of a phone whose digits are whole, in E.164.
pub(crate) fn e164(digits: &str) -> Option<String> {
    Phone::international(digits).map(|phone| phone.to_string())
}

/// Whether an address is a list of several numbers or addresses of mail.
pub fn is_list(address: &str) -> bool {
    let is_one = |part: &str| {
        let part = part.trim().trim_start_matches('+');
        part.contains('@') || !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    address.contains([',', ';']) && address.split([',', ';']).all(is_one)
}

/// The type of a chat with one number or address of mail.
///
/// # Errors
/// It is a list.
pub(crate) fn of_one(address: &str) -> Result<ChatType, &'static str> {
    if is_list(address) { Err("a chat is one number or address, not a list") } else { Ok(ChatType::Private) }
}

/// Returns an address that is the number of its user.
pub(crate) fn number_of_user(address: &str) -> Option<&str> {
    let digits = address.trim_start_matches(['+', '-']);
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(address)
}

#[cfg(test)]
mod tests {
    use config::{ChannelKind, WebhookProvider};

    use super::*;

    #[test]
    fn every_required_setting_is_in_the_setup_steps() {
        for channel in ChannelKind::ALL {
            let nature = Nature::of(channel);
            for [english, russian] in nature.steps.iter().chain(nature.log_in).chain([&nature.token]) {
                assert!(english.is_ascii() || english.contains('…'), "{english}");
                assert!(russian.chars().any(|letter| ('а'..='я').contains(&letter)), "{russian}");
            }
            let of = |language: usize| nature.steps.iter().map(|step| step[language]).collect::<String>();
            for key in channel.needs().iter().filter(|key| !["gateway", "address"].contains(key)) {
                assert!(of(0).contains(key) && of(1).contains(key), "{}: {key}", channel.as_str());
            }
        }
    }

    #[test]
    fn the_channels_of_providers_are_known_by_name() {
        for channel in ChannelKind::ALL {
            assert!(channel.as_str().parse::<domain::ChannelName>().unwrap().is_of_provider(), "{channel:?}");
        }
        let of_accounts: domain::ChannelName = store::TELEGRAM_ACCOUNT.parse().unwrap();
        assert!(of_accounts.is_of_provider());
        assert!(!"webchat".parse::<domain::ChannelName>().unwrap().is_of_provider());
    }

    #[test]
    fn an_address_that_a_channel_cannot_read_has_no_type() {
        for (channel, address) in [
            ("whatsapp", "120363000000000001@G.US"),
            ("whatsapp", "70000000001-1600000000@s.whatsapp.net"),
            ("whatsapp", "70000000001@evil"),
            ("whatsapp", "120363000000000001@c.us"),
            ("whatsapp", "someone"),
            ("telegram", "@mygroup"),
            ("telegram", "-1001234567890:7"),
            ("telegram", "-1001234567890_7"),
            ("telegram", "-1001234567890!x"),
            ("telegram", "0"),
            ("telegram", "501!501"),
            ("telegram", "bc:-100222!501"),
            ("telegram", "-1002222!-5"),
            ("telegram", "telegram:7502"),
            ("vk", "c1"),
            ("vk", "0"),
            ("vk", "+2001"),
            ("vk", "02001"),
            ("max", "chat:-5"),
            ("max", "user:-5"),
            ("max", "user:+5"),
            ("max", "0"),
            ("vk", "2000000000"),
            ("sms", "+70000000001;+70000000002"),
            ("email", "a@example.com, b@example.com"),
            ("instagram", "t_123"),
        ] {
            assert!((Nature::named(channel).chat_type)(address).is_err(), "{channel} {address}");
        }
        for (channel, address, wanted) in [
            ("whatsapp", "70000000001@c.us", ChatType::Private),
            ("whatsapp", "+70000000001", ChatType::Private),
            ("whatsapp", "120363000000000001@g.us", ChatType::Group),
            ("telegram", "-1001234567890/7", ChatType::Group),
            ("telegram", "-1001234567890!501", ChatType::Private),
            ("vk", "2000000001", ChatType::Group),
            ("vk", "-5", ChatType::Private),
            ("max", "user:5", ChatType::Private),
            ("max", "-5", ChatType::Group),
            ("avito", "u2i-1", ChatType::Private),
            ("instagram", "17840000000000001:5550001", ChatType::Private),
            ("email", "\"a,b\"@example.com#1,2@example.com", ChatType::Private),
            ("sms", "BANK, 1", ChatType::Private),
            ("webchat", "@room", ChatType::Private),
        ] {
            assert_eq!((Nature::named(channel).chat_type)(address), Ok(wanted), "{channel} {address}");
        }
    }

    #[test]
    fn a_number_is_read_from_addresses_of_numbers_alone() {
        for (channel, address, wanted) in [
            ("whatsapp", "70000000001@c.us", Some("+70000000001")),
            ("whatsapp", "70000000001@lid", None),
            ("whatsapp", "70000000001@evil", None),
            ("whatsapp", "70000000001", None),
            ("sms", "+70000000001", Some("+70000000001")),
            ("sms", "900", None),
            ("sms", "BANK 70000000001", None),
            ("telegram", "70000000001", None),
        ] {
            assert_eq!((Nature::named(channel).number)(address).as_deref(), wanted, "{channel} {address}");
        }
    }

    #[test]
    fn the_user_of_a_chat_is_read_from_addresses_of_users_alone() {
        for (channel, address, wanted) in [
            ("telegram", "7701", Some("7701")),
            ("telegram", "bc-x:7701", None),
            ("telegram", "-1001234!501", None),
            ("telegram_account", "7701", Some("7701")),
            ("vk", "5005", Some("5005")),
            ("instagram", "17801", Some("17801")),
            ("sms", "+70000000001", Some("+70000000001")),
            ("whatsapp", "70000000001@c.us", Some("70000000001")),
            ("whatsapp", "777@lid", None),
            ("max", "user:1331", Some("1331")),
            ("max", "13009", None),
            ("avito", "15101", None),
            ("webchat", "1", None),
        ] {
            assert_eq!((Nature::named(channel).user)(address), wanted, "{channel} {address}");
        }
    }

    #[test]
    fn every_webhook_provider_describes_its_registering() {
        for provider in WebhookProvider::ALL {
            let Registering { by, how, credentials, .. } = Nature::of(provider.channel()).registering;
            assert!(![by, how, credentials].contains(&""), "{provider:?}");
        }
    }
}
