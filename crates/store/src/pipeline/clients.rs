//! Clients: found by what a message says of its writer, merged and split by people.

use ambient::Ids;
use domain::event::ClientEvent;
use domain::phone::WrittenContacts;
use domain::{
    AppealId, AppealState, Author, ChannelChat, ClientId, ClientIdentity, Event, KnownClients, MergeId,
    Responder, Timestamp, resolve,
};
use serde::{Deserialize, Serialize};

use super::rows::{ClientChat, StoredAppeal, StoredClient, StoredMerge};
use super::turns::ClientFields;
use super::{appeals, rows, statements as sql, words};
use crate::StoreError;
use crate::column::{Columns, to_json};
use crate::database::{Row, params};
use crate::events::NewEvent;
use crate::write::Transaction;

/// So many clients of one name may be one person.
const MOST_OF_A_NAME: usize = 3;
/// So many merges one after the other are followed.
const MOST_MERGES: usize = 64;

/// What belonged to a client that was merged into another one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moved {
    identities: Vec<ClientIdentity>,
    chats: Vec<String>,
    appeals: Vec<AppealId>,
    /// What the other one had no word of, and got.
    filled: ClientFields,
}

/// The client of a chat; a new one where none is known.
pub(super) fn of_chat(
    transaction: &Transaction<'_>,
    chat: &ClientChat,
    ids: &Ids,
    now: Timestamp,
) -> Result<ClientId, StoreError> {
    let address = &chat.chat;
    let user = chat.user.as_deref().unwrap_or(address.chat.as_str());
    let in_channel = ClientIdentity::new(address.channel.as_str(), user);
    let phone = chat.phone.as_deref().and_then(|phone| ClientIdentity::new(ClientIdentity::PHONE, phone));
    let email = chat.email.as_deref().and_then(|email| ClientIdentity::new(ClientIdentity::EMAIL, email));
    let find = |identity: &Option<ClientIdentity>| match identity {
        Some(ClientIdentity { kind, value }) => {
            transaction.first(sql::BY_IDENTITY, params![kind, value], rows::only_client)
        }
        None => Ok(None),
    };
    let by_number = find(&phone)?;
    let (verified, typed) = if chat.phone_is_verified { (by_number, None) } else { (None, by_number) };
    let found = resolve(KnownClients {
        by_channel: chat.client.map_or_else(|| find(&in_channel), |client| Ok(Some(client)))?,
        by_phone: verified,
        by_email: find(&email)?,
        by_unverified_phone: typed,
    });
    let (client, is_new) = match found.client {
        Some(client) => (client, false),
        None => (ClientId::from_uuid(ids.next()), true),
    };
    let key = client.as_uuid().as_bytes();
    let (name, number, mail) = (&chat.name, &chat.phone, &chat.email);
    if is_new {
        transaction.run(sql::ADD_CLIENT, params![key, name, number, mail, now.as_micros()])?;
        tell(transaction, address, client, None, now, Event::ClientCreated);
    } else {
        transaction.run(sql::FILL_CLIENT, params![name, number, mail, now.as_micros(), key])?;
    }
    for other in found.perhaps.into_iter().flatten() {
        suggest(transaction, client, other, "the same number or address", now)?;
    }
    if is_new && let Some(name) = name.as_deref().filter(|name| name.contains(' ')) {
        let alike = transaction.all(sql::OF_NAME, params![name, key], rows::only_client)?;
        // A name that many have identifies no one.
        for other in alike.iter().filter(|_| alike.len() <= MOST_OF_A_NAME) {
            suggest(transaction, client, *other, "the same name", now)?;
        }
    }
    let known = [in_channel, phone.filter(|_| chat.phone_is_verified), email];
    for ClientIdentity { kind, value } in known.into_iter().flatten() {
        transaction.run(sql::ADD_IDENTITY, params![kind, value, key])?;
    }
    let (channel, account, chat) =
        (address.channel.as_str(), address.account.as_str(), address.chat.as_str());
    transaction.run(sql::CLIENT_OF_CHAT, params![key, channel, account, chat])?;
    Ok(client)
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
        if let Some(other) = known.filter(|other| *other != client) {
            suggest(transaction, client, other, "the number or address is in a message", now)?;
        }
    }
    Ok(())
}

fn suggest(
    transaction: &Transaction<'_>,
    one: ClientId,
    other: ClientId,
    why: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (one, other) = (one.min(other), one.max(other));
    let key = params![one.as_uuid().as_bytes(), other.as_uuid().as_bytes(), why, now.as_micros()];
    transaction.run(sql::SUGGEST, key)
}

pub(super) fn get(transaction: &Transaction<'_>, id: &ClientId) -> Result<Option<StoredClient>, StoreError> {
    transaction.first(sql::CLIENT, [*id.as_uuid().as_bytes()], rows::client)
}

/// The client that is there in the place of one.
pub(super) fn living(
    transaction: &Transaction<'_>,
    id: &ClientId,
) -> Result<Option<StoredClient>, StoreError> {
    let mut living = get(transaction, id)?;
    // A ring would be an error of ours.
    for _ in 0..MOST_MERGES {
        let Some(into) = living.as_ref().and_then(|client| client.merged_into) else { break };
        living = get(transaction, &into)?;
    }
    Ok(living)
}

fn present(transaction: &Transaction<'_>, id: &ClientId) -> Result<StoredClient, StoreError> {
    match get(transaction, id)? {
        None => Err(StoreError::not_found("pipeline_clients", format!("there is no client {id}"))),
        Some(client) => match client.merged_into {
            Some(into) => {
                let why = format!("the client {id} was merged into {into}");
                Err(StoreError::conflict("pipeline_clients", why))
            }
            None => Ok(client),
        },
    }
}

/// Changes what is known of a client.
pub(super) fn change(
    transaction: &Transaction<'_>,
    id: &ClientId,
    fields: &ClientFields,
    now: Timestamp,
) -> Result<StoredClient, StoreError> {
    present(transaction, id)?;
    let ClientFields { name, phone, email } = fields;
    let set = params![name, phone, email, now.as_micros(), id.as_uuid().as_bytes()];
    transaction.run(sql::CHANGE_CLIENT, set)?;
    words::add(transaction, id, [name, phone, email].into_iter().flatten().map(String::as_str))?;
    tell_of(transaction, *id, None, now, Event::ClientChanged);
    present(transaction, id)
}

/// Makes one client of two, and adds the event.
pub(super) fn merge(
    transaction: &Transaction<'_>,
    merge: MergeId,
    (master, merged): (ClientId, ClientId),
    by: &str,
    now: Timestamp,
) -> Result<StoredMerge, StoreError> {
    let stored = join(transaction, merge, (master, merged), by, now)?;
    tell_of(transaction, master, Some(merged), now, Event::ClientMerged);
    Ok(stored)
}

/// Makes one client of two: what belonged to the other one belongs to the master from now on.
pub(super) fn join(
    transaction: &Transaction<'_>,
    merge: MergeId,
    (master, merged): (ClientId, ClientId),
    by: &str,
    now: Timestamp,
) -> Result<StoredMerge, StoreError> {
    if master == merged {
        return Err(StoreError::conflict(
            "pipeline_clients",
            "a client is not merged with itself".to_owned(),
        ));
    }
    let own = present(transaction, &master)?;
    let other = present(transaction, &merged)?;
    let (to, from) = (master.as_uuid().as_bytes(), merged.as_uuid().as_bytes());
    let identity = |row: &Row<'_>| {
        let columns = Columns::new(row, "pipeline_identities");
        Ok(ClientIdentity { kind: columns.get(0)?, value: columns.get(1)? })
    };
    let moved = Moved {
        identities: transaction.all(sql::IDENTITIES, params![from], identity)?,
        chats: transaction
            .all(sql::CHATS_OF, params![from], rows::chat)?
            .iter()
            .map(|chat| chat.chat.to_string())
            .collect(),
        appeals: transaction.all(sql::APPEALS_OF, params![from], rows::only_appeal)?,
        filled: ClientFields {
            name: other.name.clone().filter(|_| own.name.is_none()),
            phone: other.phone.clone().filter(|_| own.phone.is_none()),
            email: other.email.clone().filter(|_| own.email.is_none()),
        },
    };
    hand(transaction, &moved, merged, master)?;
    let StoredClient { name, phone, email, .. } = other;
    transaction.run(sql::FILL_CLIENT, params![name, phone, email, now.as_micros(), to])?;
    transaction.run(sql::MERGE_INTO, params![to, now.as_micros(), from])?;
    let json = to_json("pipeline_merges", &moved)?;
    let key = merge.as_uuid().as_bytes();
    transaction.run(sql::ADD_MERGE, params![key, to, from, json, by, now.as_micros()])?;
    dismiss(transaction, master, merged, now)?;
    words::of_client(transaction, &master)?;
    // The master keeps what it is called itself, and is found by what the other one was called too.
    words::add(transaction, &master, [&name, &phone, &email].into_iter().flatten().map(String::as_str))?;
    Ok(StoredMerge { id: merge, master, merged, moved, merged_by: by.to_owned(), at: now, undone_at: None })
}

/// Makes two clients of one that were two before, and adds the event.
pub(super) fn split(
    transaction: &Transaction<'_>,
    merge: &MergeId,
    now: Timestamp,
) -> Result<StoredMerge, StoreError> {
    let stored = part(transaction, merge, now)?;
    for (client, other) in [(&stored.merged, &stored.master), (&stored.master, &stored.merged)] {
        apart(transaction, client, other, now)?;
    }
    tell_of(transaction, stored.master, Some(stored.merged), now, Event::ClientSplit);
    Ok(stored)
}

/// Makes two clients of one that were two before: each has what it had, and what came in its chats since.
pub(super) fn part(
    transaction: &Transaction<'_>,
    merge: &MergeId,
    now: Timestamp,
) -> Result<StoredMerge, StoreError> {
    let key = merge.as_uuid().as_bytes();
    let Some(stored) = transaction.first(sql::MERGE, params![key], rows::merge)? else {
        return Err(StoreError::not_found("pipeline_merges", format!("there is no merge {merge}")));
    };
    present(transaction, &stored.master)?;
    if transaction.execute(sql::UNDO_MERGE, params![now.as_micros(), key])? == 0 {
        return Err(StoreError::conflict("pipeline_merges", format!("the merge {merge} was undone before")));
    }
    transaction.run(sql::UNMERGE, params![now.as_micros(), stored.merged.as_uuid().as_bytes()])?;
    hand(transaction, &stored.moved, stored.master, stored.merged)?;
    let (from, to) = (stored.master.as_uuid().as_bytes(), stored.merged.as_uuid().as_bytes());
    for chat in stored.moved.chats.iter().filter_map(|chat| chat.parse::<ChannelChat>().ok()) {
        let (channel, account, chat) = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
        let since = params![to, from, channel, account, chat, stored.at.as_micros()];
        transaction.run(sql::MOVE_APPEALS_SINCE, since)?;
    }
    let ClientFields { name, phone, email } = &stored.moved.filled;
    transaction.run(sql::EMPTY_CLIENT, params![name, phone, email, now.as_micros(), from])?;
    words::part(transaction, &stored.master, &stored.merged)?;
    Ok(StoredMerge { undone_at: Some(now), ..stored })
}

/// What a client said in an appeal that is the other one's goes on in its own last one, and waits there if it waits.
fn apart(
    transaction: &Transaction<'_>,
    client: &ClientId,
    other: &ClientId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (key, others) = (client.as_uuid().as_bytes(), other.as_uuid().as_bytes());
    let Some(last) = transaction.first(sql::LAST_APART, params![key, others], rows::message)? else {
        return Ok(());
    };
    let shared = last.appeal.map(|id| appeals::get(transaction, &id)).transpose()?.flatten();
    let (Some(shared), Some(own)) = (shared, appeals::last_of(transaction, client)?) else { return Ok(()) };
    let to = params![own.id.as_uuid().as_bytes(), key, others];
    transaction.run(sql::TURNS_APART, to)?;
    transaction.run(sql::MESSAGES_APART, to)?;
    if last.author == Author::Client && shared.waiting_since.is_some() {
        let waiting_since = own.waiting_since.or(Some(last.at));
        let own = appeals::goes_on(transaction, StoredAppeal { waiting_since, ..own }, now)?;
        if shared.state == AppealState::WaitingUs {
            appeals::hand_over(transaction, own, Responder::Human.as_str(), now)?;
        }
    }
    Ok(())
}

/// Hands identities, chats and appeals from one client to another.
fn hand(
    transaction: &Transaction<'_>,
    moved: &Moved,
    from: ClientId,
    to: ClientId,
) -> Result<(), StoreError> {
    let (from, to) = (from.as_uuid().as_bytes(), to.as_uuid().as_bytes());
    for ClientIdentity { kind, value } in &moved.identities {
        transaction.run(sql::MOVE_IDENTITY, params![to, kind, value])?;
    }
    for chat in moved.chats.iter().filter_map(|chat| chat.parse::<ChannelChat>().ok()) {
        let (channel, account, chat) = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
        transaction.run(sql::CLIENT_OF_CHAT, params![to, channel, account, chat])?;
        transaction.run(sql::MOVE_MESSAGES, params![to, channel, account, chat, from])?;
        transaction.run(sql::MOVE_TURNS, params![to, channel, account, chat, from])?;
    }
    for appeal in &moved.appeals {
        transaction.run(sql::MOVE_APPEAL, params![to, appeal.as_uuid().as_bytes()])?;
    }
    Ok(())
}

/// Two clients are not suggested for merging any more.
pub(super) fn dismiss(
    transaction: &Transaction<'_>,
    one: ClientId,
    other: ClientId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (one, other) = (one.min(other), one.max(other));
    transaction
        .run(sql::DISMISS, params![now.as_micros(), one.as_uuid().as_bytes(), other.as_uuid().as_bytes()])
}

fn tell(
    transaction: &Transaction<'_>,
    chat: &ChannelChat,
    client: ClientId,
    other: Option<ClientId>,
    now: Timestamp,
    event: impl FnOnce(ClientEvent) -> Event,
) {
    transaction.tell(NewEvent {
        at: now,
        account: Some(chat.account.clone()),
        chat: Some(super::chat_in_events(chat)),
        event: event(ClientEvent { client_id: client, other }),
    });
}

pub(super) fn tell_of(
    transaction: &Transaction<'_>,
    client: ClientId,
    other: Option<ClientId>,
    now: Timestamp,
    event: impl FnOnce(ClientEvent) -> Event,
) {
    let event = event(ClientEvent { client_id: client, other });
    transaction.tell(NewEvent { at: now, account: None, chat: None, event });
}
