//! What a program that answers a turn may read of its client. A person's history is disclosed only to a chat that is proved to be that
//! person's; a group's history to that group alone.

use domain::{ChannelChat, ChatType, ClientIdentity, ContactProof};

use super::identities::{ChatIdentities, proof_of};
use super::rows::{ClientChat, ClientMessage, StoredAppeal, StoredClient, StoredTurn};
use super::{Pipeline, clients, rows, statements as sql};
use crate::StoreError;
use crate::database::params;
use crate::write::Transaction;

/// What identifies the writer in a chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WriterIdentity {
    /// The id in the channel.
    pub user: Option<String>,
    /// All that the client is known by.
    pub identities: Vec<ClientIdentity>,
    /// Whether another client was merged into this one.
    pub was_merged: bool,
}

/// What a program may read of the client of a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    pub chat_type: ChatType,
    /// Whether the chat is proved to be the client's. Otherwise it has what the chat itself says, and no history.
    pub is_proved: bool,
    pub client: Option<StoredClient>,
    pub appeal: Option<StoredAppeal>,
    pub writer_identity: WriterIdentity,
    /// What was written before the turn, in order.
    pub history: Vec<ClientMessage>,
    /// How many appeals the client had before.
    pub earlier: u64,
}

impl Default for Disclosure {
    fn default() -> Self {
        Self {
            chat_type: ChatType::Private,
            is_proved: false,
            client: None,
            appeal: None,
            writer_identity: WriterIdentity::default(),
            history: Vec::new(),
            earlier: 0,
        }
    }
}

impl Pipeline<'_> {
    /// Returns what a program may read of the client of a turn, with at most this number of messages of its history.
    pub async fn disclose(&self, turn: &StoredTurn, history: u32) -> Result<Disclosure, StoreError> {
        let turn = turn.clone();
        self.store
            .read(move |connection| disclose(&Transaction::new(connection, false), &turn, history))
            .await
    }
}

fn disclose(transaction: &Transaction<'_>, turn: &StoredTurn, most: u32) -> Result<Disclosure, StoreError> {
    let Some(chat) = super::intake::chat(transaction, &turn.chat)? else { return Ok(Disclosure::default()) };
    let client = turn.client.map(|id| clients::get(transaction, &id)).transpose()?.flatten();
    let batch = transaction.all(sql::OF_TURN, params![turn.id.as_uuid().as_bytes()], rows::message)?;
    let is_doubted = has_doubt(&chat, &batch);
    let user = chat.user.clone().filter(|_| !is_doubted);
    let nothing = Disclosure {
        chat_type: chat.chat_type,
        writer_identity: WriterIdentity { user, ..WriterIdentity::default() },
        ..Disclosure::default()
    };
    let Some(client) = client else { return Ok(nothing) };
    let key = client.id.as_uuid().as_bytes();
    let appeal = turn.appeal.map(|id| super::appeals::get(transaction, &id)).transpose()?.flatten();
    let is_of_chat = chat.client == Some(client.id) && chat.chat_type == client.chat_type && !is_doubted;
    let is_proved = match chat.chat_type {
        ChatType::Private => is_of_chat && is_of_writer(transaction, &chat, &client)?,
        ChatType::Group | ChatType::Channel | ChatType::Broadcast => is_of_chat,
    };
    if !is_proved {
        let own = |value: Option<&String>| value.filter(|_| is_of_chat).cloned();
        let client = StoredClient {
            name: own(chat.name.as_ref()),
            phone: own(chat.phone.as_ref().map(|phone| &phone.value)),
            email: own(chat.email.as_ref().map(|email| &email.value)),
            ..client
        };
        // With no other chat the appeal is of this one.
        let chats = transaction.all(sql::CHATS_OF, params![key], rows::chat)?;
        let is_alone = is_of_chat && chats.len() == 1;
        let bare = |appeal| StoredAppeal { tags: Vec::new(), ad: None, ..appeal };
        let appeal = appeal.map(|appeal| if is_alone { appeal } else { bare(appeal) });
        return Ok(Disclosure { client: Some(client), appeal, ..nothing });
    }
    let appeals =
        transaction.all(sql::APPEALS_OF_CLIENT, params![key, i64::from(most.max(1))], rows::appeal)?;
    let earlier = (appeals.len() as u64).saturating_sub(1);
    let mut history = if chat.chat_type == ChatType::Private {
        transaction.all(sql::OF_CLIENT, params![key, i64::MAX, i64::from(most)], rows::message)?
    } else {
        let ChannelChat { channel, account, chat } = &chat.chat;
        let (channel, account, chat) = (channel.as_str(), account.as_str(), chat.as_str());
        transaction.all(sql::OF_CHAT, params![key, channel, account, chat, i64::from(most)], rows::message)?
    };
    // A message without a proof in a proved chat is no history of the client. A form never has a proof: it is history once an operator
    // has merged it.
    let chats = transaction.all(sql::CHATS_OF, params![key], rows::chat)?;
    let is_unproved =
        |chat: &ChannelChat| chats.iter().any(|known| known.chat == *chat && !known.sender_proof.is_proved());
    history.retain(|message| {
        message.turn != Some(turn.id) && (message.sender_proof.is_proved() || is_unproved(&message.chat))
    });
    history.reverse();
    let known = transaction.all(sql::IDENTITIES, params![key], rows::identity)?;
    let merged = transaction.first(sql::MERGED_INTO, params![key], rows::only_client)?;
    let writer_identity = WriterIdentity {
        identities: known.into_iter().map(|stored| stored.identity).collect(),
        was_merged: merged.is_some(),
        ..nothing.writer_identity
    };
    let client = Some(client);
    Ok(Disclosure { is_proved: true, client, appeal, writer_identity, history, earlier, ..nothing })
}

/// Whether a message of a turn is not proved to be of the one who is proved to write in its chat.
pub(super) fn is_doubted(transaction: &Transaction<'_>, turn: &StoredTurn) -> Result<bool, StoreError> {
    let Some(chat) = super::intake::chat(transaction, &turn.chat)? else { return Ok(false) };
    let batch = transaction.all(sql::OF_TURN, params![turn.id.as_uuid().as_bytes()], rows::message)?;
    Ok(has_doubt(&chat, &batch))
}

fn has_doubt(chat: &ClientChat, batch: &[ClientMessage]) -> bool {
    chat.sender_proof.is_proved() && !batch.iter().all(|one| one.sender_proof.is_proved())
}

/// Whether the one who writes in a private chat is proved to be its client.
fn is_of_writer(
    transaction: &Transaction<'_>,
    chat: &ClientChat,
    client: &StoredClient,
) -> Result<bool, StoreError> {
    let Some(identity) = ChatIdentities::of(chat).in_channel else { return Ok(false) };
    let proof = proof_of(transaction, &client.id, &identity)?;
    Ok(chat.sender_proof.is_proved() && proof.is_some_and(ContactProof::is_proved))
}
