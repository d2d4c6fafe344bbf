//! Clients: changed, merged and split by people.

use domain::event::ClientEvent;
use domain::{
    AppealId, AppealState, Author, ChannelChat, ChatType, ClientId, ClientIdentity, ContactProof, Event,
    GroupAnswers, MergeId, Responder, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::rows::{StoredAppeal, StoredClient, StoredMerge};
use super::turns::ClientFields;
use super::{appeals, identities, rows, statements as sql, words};
use crate::StoreError;
use crate::column::to_json;
use crate::database::params;
use crate::events::NewEvent;
use crate::write::Transaction;

/// The most merges in a row that are followed.
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
    let known = present(transaction, id)?;
    let ClientFields { name, phone, email } = fields;
    if known.chat_type != ChatType::Private && (phone.is_some() || email.is_some()) {
        let why = "a group has no number and no address".to_owned();
        return Err(StoreError::conflict("pipeline_clients", why));
    }
    let contacts = [(ClientIdentity::PHONE, phone), (ClientIdentity::EMAIL, email)];
    for (kind, value) in contacts {
        if let Some(identity) = value.as_deref().and_then(|value| ClientIdentity::new(kind, value)) {
            identities::keep(transaction, id, &identity, ContactProof::Operator, now)?;
        }
    }
    let set = params![name, phone, email, now.as_micros(), id.as_uuid().as_bytes()];
    transaction.run(sql::CHANGE_CLIENT, set)?;
    words::add(transaction, id, [name, phone, email].into_iter().flatten().map(String::as_str))?;
    tell_of(transaction, *id, None, now, Event::ClientChanged);
    present(transaction, id)
}

/// Says when programs answer in a group.
pub(super) fn set_group_answers(
    transaction: &Transaction<'_>,
    id: &ClientId,
    answers: GroupAnswers,
    now: Timestamp,
) -> Result<StoredClient, StoreError> {
    present(transaction, id)?;
    let set = params![answers.as_str(), now.as_micros(), id.as_uuid().as_bytes()];
    if transaction.execute(sql::SET_GROUP_ANSWERS, set)? == 0 {
        let why = format!("the client {id} is a person and no group");
        return Err(StoreError::conflict("pipeline_clients", why));
    }
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
    if [&own, &other].iter().any(|client| client.chat_type != ChatType::Private) {
        let why = "the conversation of a group is not merged: a group is no person".to_owned();
        return Err(StoreError::conflict("pipeline_clients", why));
    }
    // What both have stays with each of them, unless the other one alone has proved it.
    let own_identities = transaction.all(sql::IDENTITIES, params![to], rows::identity)?;
    let mut known = transaction.all(sql::IDENTITIES, params![from], rows::identity)?;
    known.retain(|other| {
        let own = own_identities.iter().find(|own| own.identity == other.identity);
        own.is_none_or(|own| other.proof.is_proved() && !own.proof.is_proved())
    });
    let moved = Moved {
        identities: known.into_iter().map(|stored| stored.identity).collect(),
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
        transaction.run(sql::DROP_UNPROVED, params![kind, value, to, from])?;
        transaction.run(sql::MOVE_IDENTITY, params![to, kind, value, from])?;
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

pub(super) fn tell(
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
