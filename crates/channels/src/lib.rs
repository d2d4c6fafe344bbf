//! Providers of messaging beside user accounts, one folder each.
//!
//! * [`Provider`] is what a folder implements: its client, what comes in, what goes out, what it carries.
//! * [`Nature`] is what else is true of a channel: its owner's steps, the words of the doctor, and what others ask instead of its name.
//! * [`make`] makes the account of any channel.
//! * [`Channels`] is all accounts together, as a sender for the delivery.
//! * [`Reception`] takes what providers post, or asks them, and hands it to the store.

mod accounts;
mod arrival;
mod avito;
mod bucket;
mod caller;
mod charset;
mod email;
pub mod error;
pub mod form;
mod forward;
mod health;
mod histories;
mod hook_url;
pub mod http;
mod instagram;
mod links;
mod login;
mod max;
mod nature;
mod old_call;
mod posting;
mod provider;
mod received_files;
mod recent;
mod reception;
mod refusals;
mod registering;
mod renewal;
mod server;
mod setup;
mod shared_hook;
mod sms;
mod stored_values;
mod telegram;
pub mod telegram_bot;
mod unclear;
mod unread;
mod vk;
mod whatsapp;
mod wire;

use std::sync::Arc;

use config::ChannelKind;
use delivery::{Capabilities, Dedup};
use domain::text::{TextLimit, Unit};

pub use accounts::{Account, AccountStatus, Channels, OutgoingFiles, ReceivesBy};
pub use arrival::{ARRIVAL_HEADER, Arrival, Prover};
pub use caller::judge_named;
pub use error::CallError;
pub use forward::forwarded;
pub use health::{Health, LastError, UnreadBody, UnreadCount, WebhookObservation, WebhookState};
pub use histories::{Histories, ReadingHistories};
pub use links::{Linked, Links};
pub use login::{LogIn, LogInAnswer};
pub use nature::{Nature, Posts, Registering, is_list};
pub use old_call::OldCall;
pub use posting::{Posting, PostingState, Registered};
pub use provider::{
    AlbumFile, Deed, Fetched, FirstChat, Hook, HookAnswer, HookPost, HookRefusal, Identity, Incoming,
    LONGEST_POLL, NoFirstChat, Outgoing, OutgoingFile, Pacing, Polled, Provider,
};
pub use received_files::{FetchError, FilesStatus, OpenError, OpenedFile, ReceivedFiles};
pub use reception::{HookError, Reception, TakenHook};
pub use registering::{Attempted, RegisterError, WebhookLoss};
pub use renewal::TokenLife;
pub use setup::{Setup, SetupError, hook_path, is_same};
pub use stored_values::StoredValues;

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

impl Nature {
    /// Of a channel.
    pub const fn of(channel: ChannelKind) -> Self {
        match channel {
            ChannelKind::Telegram => telegram::NATURE,
            ChannelKind::Avito => avito::NATURE,
            ChannelKind::Whatsapp => whatsapp::NATURE,
            ChannelKind::Vk => vk::NATURE,
            ChannelKind::Max => max::NATURE,
            ChannelKind::Instagram => instagram::NATURE,
            ChannelKind::Form => form::NATURE,
            ChannelKind::Sms => sms::NATURE,
            ChannelKind::Email => email::NATURE,
        }
    }
}

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as channels;
#[cfg(test)]
mod it;
