//! What people do in conversations: answers of theirs, through this program.

use delivery::Submission;
use domain::message::Writer;
use domain::{AppealId, ChannelChat, ClientId};
use store::{FirstContact, Idempotency, Origin, StoreError};

use crate::send::{destination, submission};
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
        if destination(&contact.chat).is_none() {
            return Err(ReplyError::NoChat);
        }
        let begun = parts.store.pipeline().begin_conversation(contact, by, &parts.ids).await?;
        let (target, appeal) = begun.ok_or(ReplyError::Answering)?;
        let submission = submission(&target, first.text, Writer::Person, first.origin);
        let submission = submission.ok_or(ReplyError::NoChat)?;
        Ok((target.client(), appeal, Submission { idempotency: first.idempotency, ..submission }))
    }

    /// Makes an answer of a person, to be submitted. From then on no program answers this client, until the appeal is given back.
    ///
    /// # Errors
    /// [`ReplyError`]; nothing is to be sent.
    pub async fn prepare(&self, client: ClientId, reply: Reply) -> Result<Submission, ReplyError> {
        let store = &self.inner().parts.store;
        let known = store.pipeline().living_client(client).await?.ok_or(ReplyError::NoClient(client))?;
        let client = known.id;
        let target = store.pipeline().reply_target(client, reply.chat.clone()).await?;
        let target = target.ok_or(reply.chat.map_or(ReplyError::NoChat, ReplyError::OtherChat))?;
        let submission = submission(&target, reply.text, Writer::Person, reply.origin);
        let submission = submission.ok_or(ReplyError::NoChat)?;
        if !store.pipeline().take_over(client).await? {
            return Err(ReplyError::Answering);
        }
        Ok(Submission { idempotency: reply.idempotency, ..submission })
    }
}
