//! What is true of a channel whatever the account: each folder has its own.

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
    /// Whether the id of a chat is the customer's number, for which the provider vouches.
    pub is_by_number: bool,
    /// How many messages a text is charged for, where that is counted.
    pub segments: Option<fn(&str) -> usize>,
    /// A message as the old server of the channel posted it on.
    pub(crate) legacy: fn(&StoredInbound, &Links) -> Option<String>,
}

impl Nature {
    /// A channel with nothing of its own.
    pub(crate) const PLAIN: Self = Self {
        steps: &[],
        token: ["A token.", "Токен."],
        log_in: &[],
        restarts: false,
        is_by_number: false,
        segments: None,
        legacy: |stored, links| Some(forward::one_format(stored, links).to_string()),
    };

    /// Of the channel of this name; nothing of its own where there is none.
    pub fn named(channel: &str) -> Self {
        channel.parse().map_or(Self::PLAIN, Self::of)
    }
}

#[cfg(test)]
mod tests {
    use config::ChannelKind;

    use super::*;

    #[test]
    fn what_a_channel_needs_is_in_its_steps() {
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
}
