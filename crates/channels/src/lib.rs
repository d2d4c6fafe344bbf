//! Providers of messaging beside user accounts, one folder each.
//!
//! * [`Provider`] is what a folder implements: its client, what comes in, what goes out, what it carries.
//! * [`make`] makes the account of any channel.
//! * [`Channels`] is all accounts together: a way out for the delivery.
//! * [`Reception`] takes what providers post, or asks them, and hands it to the store.

mod accounts;
mod avito;
mod bucket;
mod email;
pub mod error;
pub mod form;
mod forward;
mod health;
pub mod http;
mod instagram;
mod kept;
mod links;
mod login;
mod max;
mod old_call;
mod provider;
mod received_files;
mod recent;
mod reception;
mod registering;
mod renewal;
mod server;
mod setup;
mod shared_hook;
mod sms;
mod telegram;
pub mod telegram_bot;
mod vk;
mod whatsapp;
mod wire;

use std::sync::Arc;

use config::ChannelKind;
use delivery::{Capabilities, Dedup};
use domain::text::{TextLimit, Unit};

pub use accounts::{Account, AccountStatus, Channels, HearsBy, OutgoingFiles};
pub use error::CallError;
pub use forward::forwarded;
pub use health::{Health, LastError, SeenWebhook, WebhookState};
pub use kept::Kept;
pub use links::{Linked, Links};
pub use login::{LogIn, LogInAnswer};
pub use old_call::OldCall;
pub use provider::{
    AlbumFile, Deed, Fetched, FirstChat, Hook, HookAnswer, HookPost, HookRefusal, Identity, Incoming,
    LONGEST_POLL, NoFirstChat, Outgoing, OutgoingFile, Pacing, Polled, Posting, PostingState, Provider,
    Registered,
};
pub use received_files::{FetchError, FilesStatus, OpenError, OpenedFile, ReceivedFiles};
pub use reception::{HookError, Reception, TakenHook};
pub use registering::{Attempted, RegisterError, WebhookLoss};
pub use renewal::TokenLife;
pub use setup::{Setup, SetupError, hook_path, is_same};
pub use sms::segments;

/// What is carried where no account serves a chat.
const NOTHING: Capabilities = Capabilities {
    text: TextLimit::new(4_096, Unit::Utf16),
    caption: None,
    sends: true,
    reply: false,
    album: delivery::Album::NONE,
    parse_modes: &[],
    media: &[],
    actions: &[],
    states: &[],
    dedup: Dedup::None,
};

/// An account of a channel.
///
/// # Errors
/// A key is missing or wrong.
pub fn make(setup: Setup) -> Result<Arc<dyn Provider>, SetupError> {
    match setup.fields.channel {
        ChannelKind::Telegram => telegram::make(&setup),
        ChannelKind::Avito => avito::make(setup),
        ChannelKind::Whatsapp => whatsapp::make(setup),
        ChannelKind::Vk => vk::make(setup),
        ChannelKind::Max => max::make(setup),
        ChannelKind::Instagram => instagram::make(&setup),
        ChannelKind::Form => form::make(&setup),
        ChannelKind::Sms => sms::make(&setup),
        ChannelKind::Email => email::make(&setup),
    }
}

/// What the owner of an account does at its provider, step by step, in English and in Russian.
pub const fn steps(channel: ChannelKind) -> &'static [[&'static str; 2]] {
    match channel {
        ChannelKind::Telegram => telegram::STEPS,
        ChannelKind::Avito => avito::STEPS,
        ChannelKind::Whatsapp => whatsapp::STEPS,
        ChannelKind::Vk => vk::STEPS,
        ChannelKind::Max => max::STEPS,
        ChannelKind::Instagram => instagram::STEPS,
        ChannelKind::Form => form::STEPS,
        ChannelKind::Sms => sms::STEPS,
        ChannelKind::Email => email::STEPS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_channel_needs_is_in_its_steps() {
        for channel in ChannelKind::ALL {
            for [english, russian] in steps(channel) {
                assert!(english.is_ascii() || english.contains('…'), "{english}");
                assert!(russian.chars().any(|letter| ('а'..='я').contains(&letter)), "{russian}");
            }
            let of = |language: usize| steps(channel).iter().map(|step| step[language]).collect::<String>();
            for key in channel.needs().iter().filter(|key| !["gateway", "address"].contains(key)) {
                assert!(of(0).contains(key) && of(1).contains(key), "{}: {key}", channel.as_str());
            }
        }
    }
}
