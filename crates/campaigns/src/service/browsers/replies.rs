//! What came in the chats that a profile wrote to, read before its next message.

use std::collections::HashMap;

use browser::{Failure, Unread, WebK};
use domain::{CampaignSender, ChatId};
use store::StoreError;

use crate::browsers::trouble;
use crate::service::Inner;

/// What the list of chats showed of those that were read. A page without the focus may leave them unread.
pub(super) type ReadMarks = HashMap<i64, String>;

impl Inner {
    /// Opens the chats of people whom the profile wrote to and who wrote since, and puts those who want no more on the do-not-contact
    /// list. A failure is one of the page.
    pub(super) async fn read_replies(
        &self,
        web_k: &WebK<'_>,
        sender: &CampaignSender,
        read_marks: &mut ReadMarks,
    ) -> Result<Result<(), Failure>, StoreError> {
        let unread = match web_k.unread().await {
            Ok(unread) => unread,
            Err(error) => return Ok(Err(error.into())),
        };
        for Unread { peer, mark } in unread {
            let Some(chat) = ChatId::user(peer).filter(|_| read_marks.get(&peer) != Some(&mark)) else {
                continue;
            };
            if !self.parts.store.campaigns().has_written_to(sender, chat).await? {
                continue;
            }
            match web_k.incoming(peer).await {
                Ok(messages) => {
                    self.hears(chat, &messages).await?;
                }
                Err(failure) if trouble(&failure).is_some() => return Ok(Err(failure)),
                Err(failure) => tracing::warn!(%sender, %failure, "a chat with replies does not open"),
            }
            read_marks.insert(peer, mark);
        }
        Ok(Ok(()))
    }
}
