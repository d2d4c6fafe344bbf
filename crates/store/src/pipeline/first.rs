//! A conversation that a person begins: the client is found or made, and its appeal opened, before anything is sent.

use ambient::Ids;
use domain::{AppealId, ChannelChat, ClientId};

use super::{Pipeline, appeals, clients, intake, statements as sql, turns, words};
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
    /// The number that the chat stands for.
    pub phone: Option<String>,
    pub email: Option<String>,
}

impl Pipeline<'_> {
    /// Finds or makes the client of a chat and its appeal, which is of the one who writes and of no program. None where an answer is
    /// leaving at this moment.
    pub async fn begin_conversation(
        &self,
        contact: FirstContact,
        by: Option<String>,
        ids: &Ids,
    ) -> Result<Option<(ClientId, AppealId)>, StoreError> {
        let (ids, now) = (ids.clone(), self.store.now());
        let change = move |transaction: &Transaction<'_>| {
            let FirstContact { chat, user, name, phone, email } = &contact;
            let key = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
            transaction.run(sql::MEET, params![key.0, key.1, key.2, user, name, phone, email])?;
            let Some(known) = intake::chat(transaction, chat)? else { return Ok(None) };
            let client = clients::of_chat(transaction, &known, &ids, now)?;
            words::add(transaction, &client, [name, phone, email].into_iter().flatten().map(String::as_str))?;
            if !turns::take_over(transaction, &client, now)? {
                return Ok(None);
            }
            let appeal = appeals::we_wrote(transaction, &client, &known, by.as_deref(), &ids, now)?;
            Ok(Some((client, appeal)))
        };
        self.store.change(point::PIPELINE_CHANGE, change).await
    }
}
