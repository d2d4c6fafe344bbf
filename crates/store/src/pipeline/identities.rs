//! Whose a message is: proved ids and contacts choose the client, others suggest one to a person.

use ambient::Ids;
use domain::phone::WrittenContacts;
use domain::{
    ChannelChat, ChatType, ClientId, ClientIdentity, ContactProof, Event, GroupAnswers, KnownClients,
    ProvedContact, Timestamp, resolve,
};

use super::clients::{get, tell};
use super::rows::ClientChat;
use super::{rows, statements as sql};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::write::Transaction;

/// The most clients of one name that may be one person.
const MOST_OF_A_NAME: usize = 3;
/// The kind of identity of a group: `channel:account/group`.
const GROUP: &str = "group";
/// Why two clients may be one person.
const SAME_CONTACT: &str = "the same number or address";
const SAME_NAME: &str = "the same name";
const WRITTEN_CONTACT: &str = "the number or address is in a message";

/// The client of a chat; a new one where none is known. A program may name the client of a private chat.
pub(super) fn of_chat(
    transaction: &Transaction<'_>,
    chat: &ClientChat,
    named: Option<ClientId>,
    ids: &Ids,
    now: Timestamp,
) -> Result<ClientId, StoreError> {
    let client = match chat.chat_type {
        ChatType::Private => of_person(transaction, chat, named, ids, now)?,
        // Posts to readers come to no conversation.
        ChatType::Group | ChatType::Channel | ChatType::Broadcast => of_group(transaction, chat, ids, now)?,
    };
    let ChannelChat { channel, account, chat } = &chat.chat;
    let key = client.as_uuid().as_bytes();
    transaction.run(sql::CLIENT_OF_CHAT, params![key, channel.as_str(), account.as_str(), chat.as_str()])?;
    Ok(client)
}

/// The conversation of a group, which all its topics share. What its members are known by elsewhere makes no difference.
fn of_group(
    transaction: &Transaction<'_>,
    chat: &ClientChat,
    ids: &Ids,
    now: Timestamp,
) -> Result<ClientId, StoreError> {
    let whole = chat.group.as_ref().unwrap_or(&chat.chat.chat);
    let group = ChannelChat { chat: whole.clone(), ..chat.chat.clone() }.to_string();
    let known = match chat.client {
        Some(client) => Some(client),
        None => transaction.first(sql::BY_IDENTITY, params![GROUP, group], rows::only_client)?,
    };
    let client = known.unwrap_or_else(|| ClientId::from_uuid(ids.next()));
    let key = client.as_uuid().as_bytes();
    if known.is_none() {
        let (chat_type, answers) = (ChatType::Group.as_str(), GroupAnswers::default().as_str());
        let none: Option<String> = None;
        let row = params![key, chat.name, none, none, now.as_micros(), chat_type, answers];
        transaction.run(sql::ADD_CLIENT, row)?;
        let proof = ContactProof::ChannelId.as_str();
        transaction.run(sql::ADD_IDENTITY, params![GROUP, group, key, proof, now.as_micros()])?;
        tell(transaction, &chat.chat, client, None, now, Event::ClientCreated);
    }
    Ok(client)
}

/// What a chat says of its customer: the id in the channel, the number and the address, each with its proof.
pub(super) struct ChatIdentities {
    pub(super) in_channel: Option<ClientIdentity>,
    contacts: Vec<(ClientIdentity, ContactProof)>,
}

impl ChatIdentities {
    pub(super) fn of(chat: &ClientChat) -> Self {
        let contact = |kind, contact: &Option<ProvedContact>| {
            let contact = contact.as_ref()?;
            Some((ClientIdentity::new(kind, &contact.value)?, contact.proof))
        };
        let phone = contact(ClientIdentity::PHONE, &chat.phone);
        let email = contact(ClientIdentity::EMAIL, &chat.email);
        Self {
            in_channel: ClientIdentity::of_writer(&chat.chat, chat.user.as_deref()),
            contacts: phone.into_iter().chain(email).collect(),
        }
    }

    /// The clients that have a contact in common with the chat, where one side or the other has not proved it.
    fn suggested(&self, transaction: &Transaction<'_>) -> Result<Vec<ClientId>, StoreError> {
        let mut found = Vec::new();
        let in_channel = self.in_channel.iter();
        for ClientIdentity { kind, value } in
            in_channel.chain(self.contacts.iter().map(|(contact, _)| contact))
        {
            let most = i64::try_from(MOST_OF_A_NAME + 1).unwrap_or(i64::MAX);
            let same = transaction.all(sql::WITH_CONTACT, params![kind, value, most], rows::only_client)?;
            // A contact that many have identifies no one.
            found.extend(same.iter().filter(|_| same.len() <= MOST_OF_A_NAME));
            found.extend(transaction.first(sql::BY_IDENTITY, params![kind, value], rows::only_client)?);
        }
        Ok(found)
    }
}

fn of_person(
    transaction: &Transaction<'_>,
    chat: &ClientChat,
    named: Option<ClientId>,
    ids: &Ids,
    now: Timestamp,
) -> Result<ClientId, StoreError> {
    let identities = ChatIdentities::of(chat);
    let find = |ClientIdentity { kind, value }: &ClientIdentity| {
        transaction.first(sql::BY_IDENTITY, params![kind, value], rows::only_client)
    };
    let proved = |kind: &str| -> Result<Option<ClientId>, StoreError> {
        let mut contacts = identities.contacts.iter();
        let found = contacts.find(|(contact, proof)| contact.kind == kind && proof.is_proved());
        found.map(|(contact, _)| find(contact)).transpose().map(Option::flatten)
    };
    let owner = match &identities.in_channel {
        Some(in_channel) if chat.sender_proof.is_proved() => find(in_channel)?,
        _ => None,
    };
    let by_channel = match (chat.client, &identities.in_channel) {
        // A message with a typed id began the chat. The owner of the id, who now writes there, may be another client.
        (Some(client), Some(in_channel))
            if proof_of(transaction, &client, in_channel)? == Some(ContactProof::Typed) =>
        {
            owner.or(Some(client))
        }
        (client, _) => client.or(owner),
    };
    let found = resolve(&KnownClients {
        by_channel,
        by_phone: proved(ClientIdentity::PHONE)?,
        by_email: proved(ClientIdentity::EMAIL)?,
        by_unproved: identities.suggested(transaction)?,
    });
    let named = match named {
        Some(named) => get(transaction, &named)?.filter(|named| named.chat_type == ChatType::Private),
        None => None,
    };
    let is_named = named.as_ref().is_some_and(|named| Some(named.id) != found.client);
    let known = named.map(|named| named.id).or(found.client);
    let client = known.unwrap_or_else(|| ClientId::from_uuid(ids.next()));
    let key = client.as_uuid().as_bytes();
    // Whether only the word of a program says that the chat is this client's.
    let is_stated = is_named
        || match &identities.in_channel {
            Some(identity) => proof_of(transaction, &client, identity)? == Some(ContactProof::Program),
            None => false,
        };
    let value = |contact: &Option<ProvedContact>| contact.as_ref().map(|contact| contact.value.clone());
    let (name, number, mail) = (&chat.name, value(&chat.phone), value(&chat.email));
    if known.is_none() {
        let (chat_type, none) = (ChatType::Private.as_str(), Option::<String>::None);
        let row = params![key, name, number, mail, now.as_micros(), chat_type, none];
        transaction.run(sql::ADD_CLIENT, row)?;
        tell(transaction, &chat.chat, client, None, now, Event::ClientCreated);
    } else if !is_stated {
        transaction.run(sql::FILL_CLIENT, params![name, number, mail, now.as_micros(), key])?;
    }
    let contacts = identities.contacts.iter().map(|(contact, proof)| (contact, *proof));
    let in_channel = identities.in_channel.iter().map(|identity| (identity, chat.sender_proof));
    for (identity, proof) in in_channel.chain(contacts) {
        // What this chat proves is of its writer, and the program took the writer for this client.
        let proof = if is_stated { ContactProof::Program } else { proof };
        keep(transaction, &client, identity, proof, now)?;
    }
    for other in found.perhaps.into_iter().chain(found.client) {
        suggest(transaction, client, other, SAME_CONTACT, now)?;
    }
    if known.is_none()
        && let Some(name) = name.as_deref().filter(|name| name.contains(' '))
    {
        let alike = transaction.all(sql::OF_NAME, params![name, key], rows::only_client)?;
        // A name that many have identifies no one.
        for other in alike.iter().filter(|_| alike.len() <= MOST_OF_A_NAME) {
            suggest(transaction, client, *other, SAME_NAME, now)?;
        }
    }
    Ok(client)
}

/// How it was proved that an id or a contact is this client's; none where it is not known to be.
pub(super) fn proof_of(
    transaction: &Transaction<'_>,
    client: &ClientId,
    ClientIdentity { kind, value }: &ClientIdentity,
) -> Result<Option<ContactProof>, StoreError> {
    let read = |row: &Row<'_>| Columns::new(row, "pipeline_identities").parsed(0);
    transaction.first(sql::PROOF_OF, params![kind, value, client.as_uuid().as_bytes()], read)
}

/// Keeps an id or a contact of a client, with the better proof where it is known already. What another client has proved stays that
/// one's.
pub(super) fn keep(
    transaction: &Transaction<'_>,
    client: &ClientId,
    identity: &ClientIdentity,
    proof: ContactProof,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ClientIdentity { kind, value } = identity;
    let (key, at) = (client.as_uuid().as_bytes(), now.as_micros());
    let known = proof_of(transaction, client, identity)?;
    let owner = transaction.first(sql::BY_IDENTITY, params![kind, value], rows::only_client)?;
    let is_free = owner.is_none() || !proof.is_proved();
    if is_free && known.is_some_and(|known| proof < known) {
        transaction.run(sql::PROVE_IDENTITY, params![proof.as_str(), at, kind, value, key])?;
    }
    if owner.is_none() && proof.is_proved() {
        match kind.as_str() {
            ClientIdentity::PHONE => transaction.run(sql::PROVE_PHONE, params![value, key])?,
            ClientIdentity::EMAIL => transaction.run(sql::PROVE_EMAIL, params![value, key])?,
            _ => {}
        }
    }
    transaction.run(sql::ADD_IDENTITY, params![kind, value, key, proof.as_str(), at])
}

/// Keeps the number and the address that a program found out about a client.
pub(super) fn stated(
    transaction: &Transaction<'_>,
    client: &ClientId,
    [phone, email]: [Option<&str>; 2],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (kind, value) in [(ClientIdentity::PHONE, phone), (ClientIdentity::EMAIL, email)] {
        if let Some(identity) = value.and_then(|value| ClientIdentity::new(kind, value)) {
            keep(transaction, client, &identity, ContactProof::Program, now)?;
        }
    }
    Ok(())
}

/// Suggests the clients whose numbers and addresses this one wrote.
pub(super) fn written(
    transaction: &Transaction<'_>,
    client: ClientId,
    text: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let WrittenContacts { phones, emails } = WrittenContacts::read(text);
    let of = |kind, values: Vec<String>| values.into_iter().map(move |value| (kind, value));
    for (kind, value) in of(ClientIdentity::PHONE, phones).chain(of(ClientIdentity::EMAIL, emails)) {
        let known = transaction.first(sql::BY_IDENTITY, params![kind, value], rows::only_client)?;
        if let Some(other) = known {
            suggest(transaction, client, other, WRITTEN_CONTACT, now)?;
        }
    }
    Ok(())
}

/// Suggests two clients for merging. A group is no person.
fn suggest(
    transaction: &Transaction<'_>,
    one: ClientId,
    other: ClientId,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    for client in [&one, &other] {
        let known = get(transaction, client)?;
        if one == other || known.is_none_or(|known| known.chat_type != ChatType::Private) {
            return Ok(());
        }
    }
    let (one, other) = (one.min(other), one.max(other));
    let key = params![one.as_uuid().as_bytes(), other.as_uuid().as_bytes(), why, now.as_micros()];
    transaction.run(sql::SUGGEST, key)
}
