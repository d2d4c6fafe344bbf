//! What an account shows of its attention to a chat: that it has read it, and that it is about to write.

use domain::account::Operation;
use domain::{AccountName, ChatKind, ChatRef, TelegramMessageId};
use grammers_tl_types::{enums, functions, types};

use super::change::{ChangeError, Changed, Changer};
use crate::pool::Pool;

/// What the account is about to do, as the others in the chat see it for a few seconds.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str, parse_err_ty = UnknownTyping, parse_err_fn = unknown)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Typing {
    /// It writes a text.
    Typing,
    /// It sends a picture.
    UploadPhoto,
    /// It sends a file.
    UploadDocument,
    /// It records a voice message.
    RecordVoice,
    Cancel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the action can be typing, upload_photo, upload_document, record_voice or cancel")]
pub struct UnknownTyping;

domain::enum_words!(Typing);

impl Typing {
    fn action(self) -> enums::SendMessageAction {
        match self {
            Self::Typing => enums::SendMessageAction::SendMessageTypingAction,
            Self::UploadPhoto => types::SendMessageUploadPhotoAction { progress: 0 }.into(),
            Self::UploadDocument => types::SendMessageUploadDocumentAction { progress: 0 }.into(),
            Self::RecordVoice => enums::SendMessageAction::SendMessageRecordAudioAction,
            Self::Cancel => enums::SendMessageAction::SendMessageCancelAction,
        }
    }
}

fn unknown(_: &str) -> UnknownTyping {
    UnknownTyping
}

impl Pool {
    /// Marks the messages of a chat as read, up to this one or all of them.
    pub async fn mark_read(
        &self,
        chat: &ChatRef,
        up_to: Option<TelegramMessageId>,
        pin: Option<&AccountName>,
    ) -> Result<Changed, ChangeError> {
        let changer = Changer::choose(self, chat, pin, Operation::Read).await?;
        // Telegram takes 0 for all.
        let max_id = up_to.map_or(0, TelegramMessageId::get);
        if changer.chat_id.kind() == ChatKind::Channel {
            let channel = changer.account.peers.input_channel(changer.chat_id);
            let channel = channel.ok_or_else(|| super::unknown(&changer.account))?;
            changer.call(&functions::channels::ReadHistory { channel, max_id }, &[]).await?;
        } else {
            let request = functions::messages::ReadHistory { peer: changer.peer.clone(), max_id };
            changer.call(&request, &[]).await?;
        }
        Ok(changer.done())
    }

    /// Shows the others in a chat what the account is about to do; it fades by itself after a few seconds.
    pub async fn typing(
        &self,
        chat: &ChatRef,
        typing: Typing,
        pin: Option<&AccountName>,
    ) -> Result<Changed, ChangeError> {
        let changer = Changer::choose(self, chat, pin, Operation::Read).await?;
        let request = functions::messages::SetTyping {
            peer: changer.peer.clone(),
            top_msg_id: None,
            action: typing.action(),
        };
        changer.call(&request, &[]).await?;
        Ok(changer.done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chat_actions_are_read_by_name() {
        for typing in Typing::ALL {
            assert_eq!(typing.as_str().parse(), Ok(typing));
        }
        assert_eq!("dancing".parse::<Typing>(), Err(UnknownTyping));
    }
}
