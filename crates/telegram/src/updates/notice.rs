//! What an update means to the dialog cache and to messages on their way. Pure.

use domain::{ChatId, TelegramMessageId, UserId, Username};
use grammers_tl_types::enums::{self, Update};

use crate::peers::parsing;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// A message of ours was accepted.
    Sent { random_id: i64, message_id: TelegramMessageId },
    /// There is a private dialog with this user.
    Dialog(ChatId),
    /// The account is not in this chat any more.
    Left(ChatId),
    /// The account came into this chat, perhaps once more.
    Joined(ChatId),
    /// This basic group became that supergroup.
    Became { from: ChatId, to: ChatId },
    /// This user has other names.
    Renamed { chat_id: ChatId, username: Option<Username>, title: String },
    /// Others may be in the contacts now.
    Contacts,
}

/// What this update means; `me` is the account's own user.
pub(super) fn notice(update: &Update, me: Option<UserId>) -> Option<Notice> {
    match update {
        Update::MessageId(sent) => {
            let message_id = TelegramMessageId::new(sent.id)?;
            Some(Notice::Sent { random_id: sent.random_id, message_id })
        }
        Update::NewMessage(new) => in_message(&new.message, me),
        Update::NewChannelMessage(new) => in_message(&new.message, me),
        Update::ChatParticipantDelete(gone) if is(me, gone.user_id) => {
            ChatId::group(gone.chat_id).map(Notice::Left)
        }
        Update::ChatParticipantAdd(come) if is(me, come.user_id) => {
            ChatId::group(come.chat_id).map(Notice::Joined)
        }
        Update::UserName(names) => Some(Notice::Renamed {
            chat_id: ChatId::user(names.user_id)?,
            username: parsing::username(None, Some(&names.usernames)),
            title: parsing::full_name([&names.first_name, &names.last_name]),
        }),
        Update::ContactsReset => Some(Notice::Contacts),
        // Saving someone changes what an app offers to do about them.
        Update::PeerSettings(changed) if parsing::user_id(&changed.peer).is_some() => Some(Notice::Contacts),
        _ => None,
    }
}

/// The chat in which the account may be able to write again: its person wrote, or its rights have changed.
pub(super) fn lifts_refusal(update: &Update) -> Option<ChatId> {
    match update {
        Update::NewMessage(new) => match &new.message {
            enums::Message::Message(message) if !message.out => {
                parsing::chat_id(&message.peer_id).filter(|chat_id| chat_id.user_id().is_some())
            }
            enums::Message::Service(message) => parsing::chat_id(&message.peer_id),
            enums::Message::Message(_) | enums::Message::Empty(_) => None,
        },
        Update::NewChannelMessage(new) => match &new.message {
            // Such as a topic that is open again.
            enums::Message::Service(message) => parsing::chat_id(&message.peer_id),
            enums::Message::Message(_) | enums::Message::Empty(_) => None,
        },
        Update::Channel(changed) => ChatId::channel(changed.channel_id),
        Update::ChannelParticipant(changed) => ChatId::channel(changed.channel_id),
        Update::ChatDefaultBannedRights(changed) => parsing::chat_id(&changed.peer),
        Update::PeerBlocked(changed) => parsing::chat_id(&changed.peer_id),
        _ => None,
    }
}

fn in_message(message: &enums::Message, me: Option<UserId>) -> Option<Notice> {
    match message {
        enums::Message::Empty(_) => None,
        enums::Message::Message(message) => {
            parsing::chat_id(&message.peer_id).filter(|chat_id| chat_id.get() > 0).map(Notice::Dialog)
        }
        enums::Message::Service(message) => match &message.action {
            enums::MessageAction::ChatDeleteUser(gone) if is(me, gone.user_id) => {
                parsing::chat_id(&message.peer_id).map(Notice::Left)
            }
            enums::MessageAction::ChatAddUser(come) if come.users.iter().any(|user| is(me, *user)) => {
                parsing::chat_id(&message.peer_id).map(Notice::Joined)
            }
            enums::MessageAction::ChatJoinedByLink(_) | enums::MessageAction::ChatJoinedByRequest
                if me.is_some() && message.from_id.as_ref().and_then(parsing::user_id) == me =>
            {
                parsing::chat_id(&message.peer_id).map(Notice::Joined)
            }
            enums::MessageAction::ChatMigrateTo(moved) => Some(Notice::Became {
                from: parsing::chat_id(&message.peer_id)?,
                to: ChatId::channel(moved.channel_id)?,
            }),
            enums::MessageAction::ChannelMigrateFrom(moved) => Some(Notice::Became {
                from: ChatId::group(moved.chat_id)?,
                to: parsing::chat_id(&message.peer_id)?,
            }),
            _ => None,
        },
    }
}

fn is(me: Option<UserId>, user: i64) -> bool {
    me.is_some_and(|me| me.get() == user)
}

pub(super) fn channel(update: &Update) -> Option<i64> {
    match update {
        Update::ChannelTooLong(update) => Some(update.channel_id),
        Update::NewChannelMessage(update) => in_channel(&update.message),
        Update::EditChannelMessage(update) => in_channel(&update.message),
        Update::DeleteChannelMessages(update) => Some(update.channel_id),
        Update::ReadChannelInbox(update) => Some(update.channel_id),
        Update::PinnedChannelMessages(update) => Some(update.channel_id),
        Update::ChannelWebPage(update) => Some(update.channel_id),
        _ => None,
    }
}

fn in_channel(message: &enums::Message) -> Option<i64> {
    let peer = match message {
        enums::Message::Empty(message) => message.peer_id.as_ref()?,
        enums::Message::Message(message) => &message.peer_id,
        enums::Message::Service(message) => &message.peer_id,
    };
    match peer {
        enums::Peer::Channel(channel) => Some(channel.channel_id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use grammers_tl_types::types;

    use super::*;

    #[test]
    fn an_accepted_message_and_a_removal_are_noticed() {
        let sent = types::UpdateMessageId { id: 45, random_id: 9 }.into();
        let message_id = TelegramMessageId::new(45).expect("an id");
        assert_eq!(notice(&sent, None), Some(Notice::Sent { random_id: 9, message_id }));
        let me = UserId::new(7);
        let gone = |user_id| types::UpdateChatParticipantDelete { chat_id: 3, user_id, version: 1 }.into();
        assert_eq!(notice(&gone(7), me), ChatId::group(3).map(Notice::Left));
        assert_eq!(notice(&gone(8), me), None);
        let come = |user_id| {
            types::UpdateChatParticipantAdd { chat_id: 3, user_id, inviter_id: 1, date: 0, version: 2 }.into()
        };
        assert_eq!(notice(&come(7), me), ChatId::group(3).map(Notice::Joined));
        assert_eq!(notice(&come(8), me), None);
    }

    #[test]
    fn what_may_bring_a_right_back_lifts_a_refusal() {
        let changed = types::UpdateChannel { channel_id: 5 }.into();
        assert_eq!(lifts_refusal(&changed), ChatId::channel(5));
        assert_eq!(lifts_refusal(&Update::ContactsReset), None);
    }

    #[test]
    fn a_new_name_is_noticed() {
        let active = |username: &str, active| {
            types::Username {
                editable: false,
                active,
                deletable: false,
                expired: false,
                username: username.into(),
            }
            .into()
        };
        let renamed = types::UpdateUserName {
            user_id: 7,
            first_name: "Ann".into(),
            last_name: "Lee".into(),
            usernames: vec![active("demo_old", false), active("demo_ann", true)],
        };
        let expected = Notice::Renamed {
            chat_id: ChatId::user(7).expect("id"),
            username: "demo_ann".parse().ok(),
            title: "Ann Lee".into(),
        };
        assert_eq!(notice(&renamed.into(), None), Some(expected));
    }

    #[test]
    fn updates_of_channels_name_their_channel() {
        let too_long = types::UpdateChannelTooLong { channel_id: 5, pts: Some(3) }.into();
        assert_eq!(channel(&too_long), Some(5));
        let deleted =
            types::UpdateDeleteChannelMessages { channel_id: 6, messages: vec![1], pts: 2, pts_count: 1 }
                .into();
        assert_eq!(channel(&deleted), Some(6));
        assert_eq!(channel(&Update::PtsChanged), None);
    }
}
