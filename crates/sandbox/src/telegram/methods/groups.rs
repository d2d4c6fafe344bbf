//! Basic groups: made, joined, left.

use grammers_tl_types::{enums, functions, types};

use super::full::group_participants;
use crate::telegram::chats::{Member, Role};
use crate::telegram::context::Context;
use crate::telegram::membership::announced_id;
use crate::telegram::migration::Migrated;
use crate::telegram::peer::Peer;
use crate::telegram::render::Cast;
use crate::telegram::rights::every_right;
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::State;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 128;
/// The most members of a basic group.
const LARGEST: usize = 200;

const ADMIN_REQUIRED: crate::telegram::rpc::RpcError = bad_request("CHAT_ADMIN_REQUIRED");

/// A title as it is kept. Only an empty one is refused; a long one is cut.
pub(crate) fn normalized_title(title: &str) -> Result<String> {
    let title: String = title.trim().chars().take(LONGEST_TITLE).collect();
    if title.is_empty() { Err(bad_request("CHAT_TITLE_EMPTY")) } else { Ok(title) }
}

/// Those who let themselves be put into a chat, and those who do not. A bot that joins no chats is an error.
pub(super) fn willing(state: &State, me: i64, users: &[i64]) -> Result<(Vec<i64>, Vec<i64>)> {
    let (willing, missing): (Vec<i64>, Vec<i64>) = users.iter().partition(|user| state.lets_in(**user, me));
    if missing.iter().any(|user| state.people.get(user).is_some_and(|person| person.bot)) {
        return Err(bad_request("BOT_GROUPS_BLOCKED"));
    }
    Ok((willing, missing))
}

/// The users an account names, each once.
pub(super) fn input_users(state: &State, me: i64, inputs: &[enums::InputUser]) -> Result<Vec<i64>> {
    let mut users = Vec::new();
    for input in inputs {
        let user = state.input_user(me, input)?;
        if !users.contains(&user) {
            users.push(user);
        }
    }
    Ok(users)
}

/// What an invitation answers.
pub(super) fn invited(updates: enums::Updates, missing: &[i64]) -> enums::messages::InvitedUsers {
    let missing_invitees = missing
        .iter()
        .map(|user_id| {
            let (premium_would_allow_invite, premium_required_for_pm) = (false, false);
            let user_id = *user_id;
            types::MissingInvitee { premium_would_allow_invite, premium_required_for_pm, user_id }.into()
        })
        .collect();
    types::messages::InvitedUsers { updates, missing_invitees }.into()
}

pub(super) fn create_chat(
    context: &mut Context<'_>,
    request: &functions::messages::CreateChat,
) -> Result<enums::messages::InvitedUsers> {
    let me = context.me()?;
    let title = normalized_title(&request.title)?;
    let mut users = input_users(context.state, me, &request.users)?;
    users.retain(|user| *user != me);
    if users.is_empty() {
        return Err(bad_request("USERS_TOO_FEW"));
    }
    if users.len() >= LARGEST {
        return Err(bad_request("USERS_TOO_MUCH"));
    }
    let (users, missing) = willing(context.state, me, &users)?;
    let id = context.state.make_group(me, &title, &users, context.at.date());
    let peer = Peer::Group(id);
    let action = types::MessageActionChatCreate { title: title.clone(), users }.into();
    let update = context.state.announce(me, peer, action, context.at, Some(context.here()));
    context.record(peer, None, title, announced_id(update.as_ref()));
    Ok(invited(group_changed(context, me, id, update), &missing))
}

/// The answer to a change of a group: who is in it now, and the line about it.
fn group_changed(context: &Context<'_>, me: i64, id: i64, line: Option<enums::Update>) -> enums::Updates {
    let mut cast = Cast::of(Peer::Group(id));
    let mut updates = Vec::new();
    if let Some(group) = context.state.groups.get(&id) {
        group.members.keys().for_each(|user| cast.user(*user));
        let participants = group_participants(group);
        updates.push(types::UpdateChatParticipants { participants }.into());
    }
    updates.extend(line);
    context.updates(me, updates, &cast)
}

/// Whether the account is in the group, and whether it governs it.
fn require_member(context: &Context<'_>, me: i64, id: i64) -> Result<bool> {
    let group = context.state.groups.get(&id).ok_or(bad_request("CHAT_ID_INVALID"))?;
    let member = group.members.get(&me).filter(|_| !group.deactivated);
    member.map(Member::is_admin).ok_or(bad_request("CHAT_ID_INVALID"))
}

pub(super) fn add_chat_user(
    context: &mut Context<'_>,
    request: &functions::messages::AddChatUser,
) -> Result<enums::messages::InvitedUsers> {
    let me = context.me()?;
    let id = request.chat_id;
    require_member(context, me, id)?;
    let user = context.state.input_user(me, &request.user_id)?;
    let group = context.state.groups.get(&id).ok_or(bad_request("CHAT_ID_INVALID"))?;
    if group.members.contains_key(&user) {
        return Err(bad_request("USER_ALREADY_PARTICIPANT"));
    }
    if group.members.len() >= LARGEST {
        return Err(bad_request("USERS_TOO_MUCH"));
    }
    let (_, missing) = willing(context.state, me, &[user])?;
    if !missing.is_empty() {
        return Ok(invited(context.updates(me, Vec::new(), &Cast::of(Peer::Group(id))), &missing));
    }
    context.state.enter_group(user, id, me, context.at.date());
    let action = types::MessageActionChatAddUser { users: vec![user] }.into();
    let update = context.state.announce(me, Peer::Group(id), action, context.at, Some(context.here()));
    context.record(Peer::Group(id), None, user.to_string(), announced_id(update.as_ref()));
    Ok(invited(group_changed(context, me, id, update), &[]))
}

pub(super) fn delete_chat_user(
    context: &mut Context<'_>,
    request: &functions::messages::DeleteChatUser,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let id = request.chat_id;
    let user = context.state.input_user(me, &request.user_id)?;
    let known = context.state.input_group(me, id)?;
    let group = context.state.groups.get(&known).ok_or(bad_request("CHAT_ID_INVALID"))?;
    if group.migrated_to.is_some() {
        return Err(bad_request("PEER_ID_INVALID"));
    }
    if !group.members.contains_key(&user) {
        return Err(bad_request("USER_NOT_PARTICIPANT"));
    }
    if user != me && !require_member(context, me, id)? {
        return Err(ADMIN_REQUIRED);
    }
    // The line is for those who are still there and for the one who goes.
    let action = types::MessageActionChatDeleteUser { user_id: user }.into();
    let update = context.state.announce(me, Peer::Group(id), action, context.at, Some(context.here()));
    context.state.leave_group(user, id);
    context.record(Peer::Group(id), None, user.to_string(), announced_id(update.as_ref()));
    Ok(group_changed(context, me, id, update))
}

pub(super) fn edit_chat_title(
    context: &mut Context<'_>,
    request: &functions::messages::EditChatTitle,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let id = request.chat_id;
    require_member(context, me, id)?;
    let title = normalized_title(&request.title)?;
    let group = context.state.groups.get_mut(&id).ok_or(bad_request("CHAT_ID_INVALID"))?;
    if group.title == title {
        return Err(bad_request("CHAT_NOT_MODIFIED"));
    }
    group.title.clone_from(&title);
    let action = types::MessageActionChatEditTitle { title: title.clone() }.into();
    let update = context.state.announce(me, Peer::Group(id), action, context.at, Some(context.here()));
    context.record(Peer::Group(id), None, title, announced_id(update.as_ref()));
    Ok(group_changed(context, me, id, update))
}

pub(super) fn edit_chat_admin(
    context: &mut Context<'_>,
    request: &functions::messages::EditChatAdmin,
) -> Result<bool> {
    let me = context.me()?;
    let id = request.chat_id;
    require_member(context, me, id)?;
    let user = context.state.input_user(me, &request.user_id)?;
    let group = context.state.groups.get_mut(&id).ok_or(bad_request("CHAT_ID_INVALID"))?;
    if group.members.get(&me).is_none_or(|member| member.role != Role::Creator) {
        return Err(ADMIN_REQUIRED);
    }
    let member = group.members.get_mut(&user).ok_or(bad_request("USER_NOT_PARTICIPANT"))?;
    if user == me {
        return Err(bad_request("USER_CREATOR"));
    }
    member.role = if request.is_admin {
        Role::Admin { rights: Box::new(every_right()), promoted_by: me, rank: None }
    } else {
        Role::Member
    };
    group.version += 1;
    context.record(Peer::Group(id), None, user.to_string(), None);
    Ok(true)
}

pub(super) fn delete_chat(
    context: &mut Context<'_>,
    request: &functions::messages::DeleteChat,
) -> Result<bool> {
    let me = context.me()?;
    if !require_member(context, me, request.chat_id)? {
        return Err(ADMIN_REQUIRED);
    }
    let title = context.state.groups.get(&request.chat_id).map(|group| group.title.clone());
    context.state.close_group(request.chat_id, context.at, Some(context.here()));
    context.record(Peer::Group(request.chat_id), None, title.unwrap_or_default(), None);
    Ok(true)
}

pub(super) fn migrate_chat(
    context: &mut Context<'_>,
    request: &functions::messages::MigrateChat,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let id = request.chat_id;
    require_member(context, me, id)?;
    let group = context.state.groups.get(&id).ok_or(bad_request("CHAT_ID_INVALID"))?;
    if group.members.get(&me).is_none_or(|member| member.role != Role::Creator) {
        return Err(ADMIN_REQUIRED);
    }
    let title = group.title.clone();
    let migrated = context.state.migrate(me, id, context.at, Some(context.here()));
    let Migrated { channel: channel_id, lines } = migrated.ok_or(bad_request("CHAT_ID_INVALID"))?;
    context.record(Peer::Channel(channel_id), None, title, announced_id(lines.last()));
    let mut cast = Cast::of(Peer::Group(id));
    cast.peer(Peer::Channel(channel_id));
    cast.user(me);
    let mut updates = vec![types::UpdateChannel { channel_id }.into()];
    updates.extend(lines);
    Ok(context.updates(me, updates, &cast))
}
