//! What people do in conversations: answers of theirs, through this program.

use delivery::Submission;
use domain::message::Writer;
use domain::{AppealId, ChannelChat, ClientId};
use store::{FirstContact, Idempotency, Origin, StoreError};

use crate::send::submission;
use crate::service::Pipeline;

/// An answer of a person.
#[derive(Debug, Clone)]
pub struct Reply {
    pub text: String,
    /// The chat of the client that it goes to; left out: the one the client wrote in last.
    pub chat: Option<ChannelChat>,
    /// Who asks for it.
    pub origin: Origin,
    /// Its key against doubles.
    pub idempotency: Option<Idempotency>,
}

/// Why an answer of a person is not sent.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    #[error("there is no client {0}")]
    NoClient(ClientId),
    #[error("the client has no chat to answer in")]
    NoChat,
    #[error("the chat {0} is not one of this client's")]
    OtherChat(ChannelChat),
    /// An answer of a program is leaving at this moment.
    #[error("an answer is leaving at this moment; read it before you write another one")]
    Answering,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Pipeline {
    /// Makes the first message of a person to someone, to be submitted: the client is found or made, and the appeal opened.
    ///
    /// # Errors
    /// [`ReplyError`]; nothing is to be sent.
    pub async fn begin(
        &self,
        contact: FirstContact,
        by: Option<String>,
        first: Reply,
    ) -> Result<(ClientId, AppealId, Submission), ReplyError> {
        let parts = &self.inner().parts;
        let Some(submission) = submission(&contact.chat, first.text, Writer::Person, first.origin) else {
            return Err(ReplyError::NoChat);
        };
        let begun = parts.store.pipeline().begin_conversation(contact, by, &parts.ids).await?;
        let (client, appeal) = begun.ok_or(ReplyError::Answering)?;
        Ok((client, appeal, Submission { idempotency: first.idempotency, ..submission }))
    }

    /// Makes an answer of a person, to be submitted. From then on no program answers this client, until the appeal is given back.
    ///
    /// # Errors
    /// [`ReplyError`]; nothing is to be sent.
    pub async fn prepare(&self, client: ClientId, reply: Reply) -> Result<Submission, ReplyError> {
        let store = &self.inner().parts.store;
        let known = store.pipeline().living_client(client).await?.ok_or(ReplyError::NoClient(client))?;
        let client = known.id;
        let chat = match reply.chat {
            Some(chat) => {
                let chats = store.pipeline().chats_of(client).await?;
                if !chats.iter().any(|known| known.chat == chat) {
                    return Err(ReplyError::OtherChat(chat));
                }
                chat
            }
            None => store.pipeline().last_chat(client).await?.ok_or(ReplyError::NoChat)?,
        };
        let Some(submission) = submission(&chat, reply.text, Writer::Person, reply.origin) else {
            return Err(ReplyError::NoChat);
        };
        if !store.pipeline().take_over(client).await? {
            return Err(ReplyError::Answering);
        }
        Ok(Submission { idempotency: reply.idempotency, ..submission })
    }
}
