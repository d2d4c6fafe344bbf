//! Basic groups: made, joined, left.

use grammers_tl_types::{enums, functions, types};

use super::full::group_participants;
use crate::telegram::chats::{Member, Role};
use crate::telegram::context::Context;
use crate::telegram::membership::announced_id;
use crate::telegram::peer::Peer;
use crate::telegram::render::{Cast, every_right};
use crate::telegram::rpc::{Result, bad_request};

pub(super) const TITLE_EMPTY: crate::telegram::rpc::RpcError = bad_request("CHAT_TITLE_EMPTY");
const ADMIN_REQUIRED: crate::telegram::rpc::RpcError = bad_request("CHAT_ADMIN_REQUIRED");

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
    let title = request.title.trim();
    if title.is_empty() {
        return Err(TITLE_EMPTY);
    }
    let mut users = Vec::new();
    for input in &request.users {
        users.push(context.state.input_user(me, input)?);
    }
    users.retain(|user| *user != me);
    users.dedup();
    if users.is_empty() {
        return Err(bad_request("USERS_TOO_FEW"));
    }
    let id = context.state.make_group(me, title, &users, context.at.date());
    let peer = Peer::Group(id);
    let action = types::MessageActionChatCreate { title: title.to_owned(), users }.into();
    let update = context.state.announce(me, peer, action, context.at, Some(context.here()));
    context.record(peer, None, title, announced_id(update.as_ref()));
    Ok(invited(group_changed(context, me, id, update), &[]))
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
fn standing(context: &Context<'_>, me: i64, id: i64) -> Result<bool> {
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
    standing(context, me, id)?;
    let user = context.state.input_user(me, &request.user_id)?;
    if !context.state.enter_group(user, id, me, context.at.date()) {
        return Err(bad_request("USER_ALREADY_PARTICIPANT"));
    }
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
    if !group.members.contains_key(&user) {
        return Err(bad_request("USER_NOT_PARTICIPANT"));
    }
    if user != me && !standing(context, me, id)? {
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
    standing(context, me, id)?;
    let title = request.title.trim();
    if title.is_empty() {
        return Err(TITLE_EMPTY);
    }
    let group = context.state.groups.get_mut(&id).ok_or(bad_request("CHAT_ID_INVALID"))?;
    if group.title == title {
        return Err(bad_request("CHAT_NOT_MODIFIED"));
    }
    title.clone_into(&mut group.title);
    let action = types::MessageActionChatEditTitle { title: title.to_owned() }.into();
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
    standing(context, me, id)?;
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
    if !standing(context, me, request.chat_id)? {
        return Err(ADMIN_REQUIRED);
    }
    if let Some(group) = context.state.groups.get_mut(&request.chat_id) {
        group.deactivated = true;
    }
    context.record(Peer::Group(request.chat_id), None, "", None);
    Ok(true)
}
