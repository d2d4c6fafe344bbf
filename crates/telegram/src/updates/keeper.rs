//! What of an update is kept: messages of others in the chats that the account's rule takes, and what becomes of them; that others
//! read what the account sent.

use std::collections::HashSet;
use std::sync::Arc;

use domain::{ChatId, Keep, KeepRule, MessageOrigin, ReceivedMessage, TelegramMessageId};
use grammers_tl_types::enums::{self, Update};
use store::{PeerKind, ReceivedChange};

use super::message::{Cast, Named, Viewer, reactions};
use crate::account::Account;
use crate::peers::parsing;
use crate::roster::Definition;

/// What an account keeps, by its rule of this moment.
pub(super) struct Keeper<'a> {
    account: &'a Account,
    definition: Arc<Definition>,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(account: &'a Account) -> Self {
        Self { account, definition: account.definition() }
    }

    /// Whether the messages of a chat are kept.
    pub(super) fn keeps(&self, chat_id: ChatId) -> bool {
        let registry = &self.account.registry;
        self.definition.keep.keeps(chat_id, || registry.bound(registry.today(chat_id)).is_some())
    }

    /// Whether there may be chats whose messages are kept.
    pub(super) fn keeps_any(&self) -> bool {
        let KeepRule { rule, always, .. } = &self.definition.keep;
        *rule != Keep::None || !always.is_empty()
    }

    /// What is kept of a message that is in a history.
    pub(super) fn in_history(&self, message: &enums::Message, cast: &Cast) -> Option<ReceivedChange> {
        let received = self.viewed(cast, |viewer| viewer.received(message))?;
        self.keeps(received.chat_id).then(|| ReceivedChange::New(Box::new(received)))
    }

    fn viewed<T>(&self, cast: &Cast, look: impl FnOnce(&Viewer<'_>) -> T) -> T {
        let cached_name = |chat_id| {
            let peer = self.account.peers.get(chat_id)?;
            Some(Named { name: peer.title, is_bot: peer.kind == PeerKind::Bot })
        };
        let (account, me) = (&self.account.name, self.account.health.user_id());
        look(&Viewer { account, me, cast, cached_name: &cached_name })
    }

    /// What is kept of these updates, in their order. `sent` is one that this program is known to have sent.
    pub(super) fn changes<'u>(
        &self,
        updates: impl Iterator<Item = &'u Update> + Clone,
        cast: &Cast,
        sent: Option<i32>,
    ) -> Vec<ReceivedChange> {
        let keeps_any = self.keeps_any();
        let mut sent_here = sent_here(updates.clone());
        sent_here.extend(sent);
        let keeps = |chat_id| self.keeps(chat_id);
        self.viewed(cast, |viewer| {
            let changes = updates.filter_map(|update| change(update, viewer, keeps, &sent_here));
            let always = |change: &ReceivedChange| {
                matches!(change, ReceivedChange::Wish(..) | ReceivedChange::ReadUpTo { .. })
            };
            changes.filter(|change| keeps_any || always(change)).collect()
        })
    }
}

/// The ids that Telegram gave to what this program sent, as far as these updates show them.
fn sent_here<'a>(updates: impl Iterator<Item = &'a Update>) -> HashSet<i32> {
    let ids = updates.filter_map(|update| match update {
        Update::MessageId(sent) => Some(sent.id),
        _ => None,
    });
    ids.collect()
}

/// The change that is kept, if there is one. `keeps` is the account's rule.
fn change(
    update: &Update,
    viewer: &Viewer<'_>,
    keeps: impl Fn(ChatId) -> bool,
    sent_here: &HashSet<i32>,
) -> Option<ReceivedChange> {
    let message = |message: &enums::Message, change: fn(Box<ReceivedMessage>) -> ReceivedChange| {
        let received = viewer.received(message)?;
        if !keeps(received.chat_id) {
            return received.contact_wish().map(|(person, wish)| ReceivedChange::Wish(person, wish));
        }
        let is_ours =
            received.origin == MessageOrigin::Owner && sent_here.contains(&received.message_id.get());
        (!is_ours).then(|| change(Box::new(received)))
    };
    let numbers = |ids: &[i32]| ids.iter().filter_map(|id| TelegramMessageId::new(*id)).collect::<Vec<_>>();
    match update {
        Update::NewMessage(new) => message(&new.message, ReceivedChange::New),
        Update::NewChannelMessage(new) => message(&new.message, ReceivedChange::New),
        Update::EditMessage(edit) => message(&edit.message, ReceivedChange::Edited),
        Update::EditChannelMessage(edit) => message(&edit.message, ReceivedChange::Edited),
        // In which chats they were is not said.
        Update::DeleteMessages(gone) => {
            Some(ReceivedChange::Deleted { channel: None, message_ids: numbers(&gone.messages) })
        }
        Update::DeleteChannelMessages(gone) => {
            let channel = ChatId::channel(gone.channel_id).filter(|chat_id| keeps(*chat_id))?;
            Some(ReceivedChange::Deleted { channel: Some(channel), message_ids: numbers(&gone.messages) })
        }
        Update::MessageReactions(update) => {
            let chat_id = parsing::chat_id(&update.peer).filter(|chat_id| keeps(*chat_id))?;
            let message_id = TelegramMessageId::new(update.msg_id)?;
            Some(ReceivedChange::Reactions { chat_id, message_id, reactions: reactions(&update.reactions) })
        }
        Update::ReadHistoryOutbox(read) => read_up_to(parsing::chat_id(&read.peer), read.max_id),
        Update::ReadChannelOutbox(read) => read_up_to(ChatId::channel(read.channel_id), read.max_id),
        _ => None,
    }
}

fn read_up_to(chat_id: Option<ChatId>, max_id: i32) -> Option<ReceivedChange> {
    Some(ReceivedChange::ReadUpTo { chat_id: chat_id?, message_id: TelegramMessageId::new(max_id)? })
}
