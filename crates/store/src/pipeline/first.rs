//! A conversation that a person begins: the client is found or made, and its appeal opened, before anything is sent.

use ambient::Ids;
use domain::{AppealId, ChannelChat, ChatType, ClientIdentity, ContactProof, ProvedContact};

use super::reply_target::ReplyTarget;
use super::{Pipeline, appeals, clients, identities, intake, rows, statements as sql, turns, words};
use crate::database::params;
use crate::write::Transaction;
use crate::{StoreError, point};

/// Someone who is written to first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstContact {
    pub chat: ChannelChat,
    /// The id in the channel, where it is another one than the chat's.
    pub user: Option<String>,
    pub name: Option<String>,
    /// A person's chat, or a group.
    pub chat_type: ChatType,
    /// The number that the chat stands for, or that the operator gave.
    pub phone: Option<ProvedContact>,
    pub email: Option<ProvedContact>,
}

impl Pipeline<'_> {
    /// Finds or makes the client of a chat and its appeal, which is of the one who writes and of no program. None where an answer is
    /// leaving at this moment.
    pub async fn begin_conversation(
        &self,
        contact: FirstContact,
        by: Option<String>,
        ids: &Ids,
    ) -> Result<Option<(ReplyTarget, AppealId)>, StoreError> {
        let (ids, now) = (ids.clone(), self.store.now());
        let change = move |transaction: &Transaction<'_>| {
            let FirstContact { chat, user, name, chat_type, phone, email } = &contact;
            let key = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
            let value =
                |contact: &Option<ProvedContact>| contact.as_ref().map(|contact| contact.value.clone());
            let proof =
                |contact: &Option<ProvedContact>| contact.as_ref().map(|contact| contact.proof.as_str());
            // The provider brings the message to the one who has this id, and the answer from there.
            let sender = if is_mail(chat) { ContactProof::Operator } else { ContactProof::ChannelId };
            transaction.run(
                sql::MEET,
                params![
                    key.0,
                    key.1,
                    key.2,
                    user,
                    name,
                    value(phone),
                    proof(phone),
                    value(email),
                    proof(email),
                    sender.as_str(),
                    chat_type.as_str()
                ],
            )?;
            let Some(known) = intake::chat(transaction, chat)? else { return Ok(None) };
            // The client who has proved the address is written to: the mail goes there.
            let address = email.as_ref().filter(|_| is_mail(chat) && known.client.is_none());
            let address = address.and_then(|email| ClientIdentity::new(ClientIdentity::EMAIL, &email.value));
            let owner = match address {
                Some(ClientIdentity { kind, value }) => {
                    transaction.first(sql::BY_IDENTITY, params![kind, value], rows::only_client)?
                }
                None => None,
            };
            let client = identities::of_chat(transaction, &known, owner, &ids, now)?;
            let contacts = [name.clone(), value(phone), value(email)];
            words::add(transaction, &client, contacts.iter().flatten().map(String::as_str))?;
            if !turns::take_over(transaction, &client, now)? {
                return Ok(None);
            }
            let appeal = appeals::we_wrote(transaction, &client, &known, by.as_deref(), &ids, now)?;
            let (Some(own), Some(met)) =
                (clients::get(transaction, &client)?, intake::chat(transaction, chat)?)
            else {
                return Ok(None);
            };
            Ok(ReplyTarget::of(&own, &met).map(|target| (target, appeal)))
        };
        self.store.change(point::PIPELINE_CHANGE, change).await
    }
}

/// Whether the sender of an answer in this chat is proved message by message.
fn is_mail(chat: &ChannelChat) -> bool {
    chat.channel.as_str() == ClientIdentity::EMAIL
}
