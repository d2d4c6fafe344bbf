//! `contacts.*`: finding people and chats.

use std::collections::BTreeSet;

use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::mailbox::Mailbox;
use crate::telegram::peer::Peer;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::{count, page};

pub(super) fn resolve_username(
    context: &mut Context<'_>,
    request: &functions::contacts::ResolveUsername,
) -> Result<enums::contacts::ResolvedPeer> {
    let me = context.me()?;
    if !is_username(&request.username) {
        return Err(bad_request("USERNAME_INVALID"));
    }
    let found = context.state.by_username(&request.username);
    Ok(resolved(context, me, found.ok_or(bad_request("USERNAME_NOT_OCCUPIED"))?))
}

pub(super) fn resolve_phone(
    context: &mut Context<'_>,
    request: &functions::contacts::ResolvePhone,
) -> Result<enums::contacts::ResolvedPeer> {
    let me = context.me()?;
    let found = context.state.by_phone(&request.phone).ok_or(bad_request("PHONE_NOT_OCCUPIED"))?;
    Ok(resolved(context, me, Peer::User(found)))
}

fn resolved(context: &Context<'_>, me: i64, peer: Peer) -> enums::contacts::ResolvedPeer {
    let (users, chats) = context.state.introduce(me, &Cast::of(peer));
    types::contacts::ResolvedPeer { peer: peer.to_tl(), chats, users }.into()
}

/// Four to 32 letters, digits and underscores; a letter first, no underscore last.
pub(crate) fn is_username(name: &str) -> bool {
    (4..=32).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !name.ends_with('_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn contacts_of(context: &Context<'_>, me: i64) -> BTreeSet<i64> {
    context.state.people.get(&me).map(|person| person.contacts.clone()).unwrap_or_default()
}

/// The hash of an answer with these contacts: of their count, then of each id in order.
fn hash_of(known: &BTreeSet<i64>) -> i64 {
    let mut hash = u64::try_from(known.len()).unwrap_or(u64::MAX);
    for id in known {
        hash ^= hash >> 21;
        hash ^= hash << 35;
        hash ^= hash >> 4;
        hash = hash.wrapping_add(id.cast_unsigned());
    }
    hash.cast_signed()
}

pub(super) fn get_contacts(
    context: &mut Context<'_>,
    request: &functions::contacts::GetContacts,
) -> Result<enums::contacts::Contacts> {
    let me = context.me()?;
    let known = contacts_of(context, me);
    if request.hash != 0 && request.hash == hash_of(&known) {
        return Ok(enums::contacts::Contacts::NotModified);
    }
    let contacts = known.iter().map(|user_id| types::Contact { user_id: *user_id, mutual: false }.into());
    Ok(types::contacts::Contacts {
        contacts: contacts.collect(),
        saved_count: count(known.len()),
        users: known.iter().map(|user| context.state.user(me, *user)).collect(),
    }
    .into())
}

pub(super) fn get_statuses(
    context: &mut Context<'_>,
    _: &functions::contacts::GetStatuses,
) -> Result<Vec<enums::ContactStatus>> {
    let me = context.me()?;
    let status = || types::UserStatusRecently { by_me: false }.into();
    let known = contacts_of(context, me).into_iter();
    Ok(known.map(|user_id| types::ContactStatus { user_id, status: status() }.into()).collect())
}

pub(super) fn import_contacts(
    context: &mut Context<'_>,
    request: &functions::contacts::ImportContacts,
) -> Result<enums::contacts::ImportedContacts> {
    let (me, at, here) = (context.me()?, context.at, Some(context.here()));
    let mut imported = Vec::new();
    let mut users = Vec::new();
    for contact in &request.contacts {
        let enums::InputContact::InputPhoneContact(contact) = contact;
        if let Some(user_id) = context.state.by_phone(&contact.phone) {
            context.state.set_contact(me, user_id, true, at, here);
            imported.push(types::ImportedContact { user_id, client_id: contact.client_id }.into());
            users.push(context.state.user(me, user_id));
        }
    }
    let (popular_invites, retry_contacts) = (Vec::new(), Vec::new());
    Ok(types::contacts::ImportedContacts { imported, popular_invites, retry_contacts, users }.into())
}

/// Names that accounts give their contacts are not kept.
pub(super) fn add_contact(
    context: &mut Context<'_>,
    request: &functions::contacts::AddContact,
) -> Result<enums::Updates> {
    let (me, at, here) = (context.me()?, context.at, Some(context.here()));
    let user = context.state.input_user(me, &request.id)?;
    context.state.set_contact(me, user, true, at, here);
    Ok(context.updates(me, Vec::new(), &Cast::of(Peer::User(user))))
}

pub(super) fn delete_contacts(
    context: &mut Context<'_>,
    request: &functions::contacts::DeleteContacts,
) -> Result<enums::Updates> {
    let (me, at, here) = (context.me()?, context.at, Some(context.here()));
    let mut cast = Cast::default();
    for input in &request.id {
        let user = context.state.input_user(me, input)?;
        context.state.set_contact(me, user, false, at, here);
        cast.user(user);
    }
    Ok(context.updates(me, Vec::new(), &cast))
}

pub(super) fn search(
    context: &mut Context<'_>,
    request: &functions::contacts::Search,
) -> Result<enums::contacts::Found> {
    let me = context.me()?;
    let wanted = request.q.trim().trim_start_matches('@').to_lowercase();
    if wanted.is_empty() {
        return Err(bad_request("SEARCH_QUERY_EMPTY"));
    }
    let limit = page(request.limit, 100);
    let state = &context.state;
    let fits = |text: &str| text.to_lowercase().contains(&wanted);
    let dialogs = state.mailboxes.get(&me).into_iter().flat_map(Mailbox::shown);
    let mine: BTreeSet<Peer> = dialogs
        .map(|dialog| dialog.peer)
        .filter(|peer| match peer {
            Peer::User(id) => state.people.get(id).is_some_and(|person| {
                fits(&person.first_name) || person.username.as_deref().is_some_and(fits)
            }),
            Peer::Group(id) => state.groups.get(id).is_some_and(|group| fits(&group.title)),
            Peer::Channel(id) => state.channels.get(id).is_some_and(|channel| fits(&channel.title)),
        })
        .take(limit)
        .collect();
    let exact = state.by_username(&wanted).filter(|peer| !mine.contains(peer));
    let mut cast = Cast::default();
    mine.iter().chain(&exact).for_each(|peer| cast.peer(*peer));
    let (users, chats) = state.introduce(me, &cast);
    let my_results = mine.into_iter().map(Peer::to_tl).collect();
    let results = exact.into_iter().map(Peer::to_tl).collect();
    Ok(types::contacts::Found { my_results, results, chats, users }.into())
}

pub(super) fn get_top_peers(
    _: &mut Context<'_>,
    _: &functions::contacts::GetTopPeers,
) -> enums::contacts::TopPeers {
    enums::contacts::TopPeers::Disabled
}

pub(super) fn block(context: &mut Context<'_>, request: &functions::contacts::Block) -> Result<bool> {
    set_blocked(context, &request.id, true)
}

pub(super) fn unblock(context: &mut Context<'_>, request: &functions::contacts::Unblock) -> Result<bool> {
    set_blocked(context, &request.id, false)
}

fn set_blocked(context: &mut Context<'_>, id: &enums::InputPeer, blocked: bool) -> Result<bool> {
    let me = context.me()?;
    let Peer::User(user) = context.state.input_peer(me, id)? else {
        return Err(bad_request("PEER_ID_INVALID"));
    };
    let changed = context.state.people.get_mut(&me).is_some_and(|person| {
        if blocked { person.blocked.insert(user) } else { person.blocked.remove(&user) }
    });
    if changed {
        context.record(Peer::User(user), None, "", None);
    }
    Ok(true)
}

pub(super) fn get_blocked(
    context: &mut Context<'_>,
    _: &functions::contacts::GetBlocked,
) -> Result<enums::contacts::Blocked> {
    let me = context.me()?;
    let date = context.at.date();
    let blocked: BTreeSet<i64> =
        context.state.people.get(&me).into_iter().flat_map(|person| person.blocked.iter().copied()).collect();
    let mut cast = Cast::default();
    for user in &blocked {
        cast.user(*user);
    }
    let (users, chats) = context.state.introduce(me, &cast);
    let blocked =
        blocked.into_iter().map(|user| types::PeerBlocked { peer_id: Peer::User(user).to_tl(), date }.into());
    Ok(types::contacts::Blocked { blocked: blocked.collect(), chats, users }.into())
}
