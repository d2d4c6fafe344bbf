//! Changing and deleting single messages.

use domain::account::Operation;
use domain::text::FormattedText;
use domain::{AccountName, ChatKind, ChatRef, TelegramMessageId};
use grammers_tl_types::functions;

use super::change::{ChangeError, Changed, Changer};
use crate::pool::Pool;
use crate::sending::entities;

/// What a message is to say from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Its text; of a message with media, the caption.
    pub text: FormattedText,
    /// With a preview of the first link.
    pub preview: bool,
}

impl Pool {
    /// Gives a message another text. A message that says this already counts as changed.
    pub async fn edit_message(
        &self,
        chat: &ChatRef,
        message_id: TelegramMessageId,
        edit: Edit,
        pin: Option<&AccountName>,
    ) -> Result<Changed, ChangeError> {
        let changer = Changer::choose(self, chat, pin, Operation::EditChat).await?;
        let peers = &changer.account.peers;
        let request = functions::messages::EditMessage {
            no_webpage: !edit.preview,
            invert_media: false,
            peer: changer.peer.clone(),
            id: message_id.get(),
            entities: entities::to_telegram(&edit.text.entities, |user_id| peers.input_user(user_id)),
            message: Some(edit.text.text),
            media: None,
            reply_markup: None,
            schedule_date: None,
            schedule_repeat_period: None,
            quick_reply_shortcut_id: None,
            rich_message: None,
        };
        match changer.call(&request, &["MESSAGE_NOT_MODIFIED"]).await {
            Ok(_) => Ok(changer.done()),
            Err(error) => Err(changer.about(message_id, error)),
        }
    }

    /// Deletes a message: for everyone, or in a private chat or a basic group only for the account. One that is gone
    /// already counts as deleted.
    pub async fn delete_message(
        &self,
        chat: &ChatRef,
        message_id: TelegramMessageId,
        for_all: bool,
        pin: Option<&AccountName>,
    ) -> Result<Changed, ChangeError> {
        let changer = Changer::choose(self, chat, pin, Operation::EditChat).await?;
        let gone = ["MESSAGE_ID_INVALID", "MSG_ID_INVALID"];
        if changer.chat_id.kind() == ChatKind::Channel {
            let channel = changer.account.peers.input_channel(changer.chat_id);
            let channel = channel.ok_or_else(|| super::unknown(&changer.account))?;
            let request = functions::channels::DeleteMessages { channel, id: vec![message_id.get()] };
            changer.call(&request, &gone).await?;
        } else {
            // Here an account counts the messages of all chats together: this one must be of this chat.
            if !changer.has(message_id).await? {
                return Ok(changer.done());
            }
            let request = functions::messages::DeleteMessages { revoke: for_all, id: vec![message_id.get()] };
            changer.call(&request, &gone).await?;
        }
        Ok(changer.done())
    }
}
