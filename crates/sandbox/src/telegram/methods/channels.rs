//! Supergroups and channels: made, joined, left, closed.

use grammers_tl_types::{enums, functions, types};

use super::governing::may_be_about;
use super::groups::{input_users, invited, normalized_title, willing};
use crate::telegram::chats::Role;
use crate::telegram::context::Context;
use crate::telegram::membership::announced_id;
use crate::telegram::peer::Peer;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request, not_acceptable};

/// The most users that one call invites.
const MOST_INVITED: usize = 200;

pub(super) fn create_channel(
    context: &mut Context<'_>,
    request: &functions::channels::CreateChannel,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let title = normalized_title(&request.title)?;
    may_be_about(&request.about)?;
    let id = context.state.make_channel(me, &title, !request.broadcast, context.at.date());
    if let Some(channel) = context.state.channels.get_mut(&id) {
        request.about.clone_into(&mut channel.about);
    }
    context.state.notify_of_membership(me, id, context.at, Some(context.here()));
    let action = types::MessageActionChannelCreate { title: title.clone() }.into();
    let line = context.state.announce(me, Peer::Channel(id), action, context.at, Some(context.here()));
    context.record(Peer::Channel(id), None, title, announced_id(line.as_ref()));
    Ok(channel_changed(context, me, id, line))
}

/// The answer to a change of a channel.
pub(super) fn channel_changed(
    context: &Context<'_>,
    me: i64,
    channel_id: i64,
    line: Option<enums::Update>,
) -> enums::Updates {
    let mut cast = Cast::of(Peer::Channel(channel_id));
    cast.user(me);
    let mut updates = vec![types::UpdateChannel { channel_id }.into()];
    updates.extend(line);
    context.updates(me, updates, &cast)
}

pub(super) fn invite_to_channel(
    context: &mut Context<'_>,
    request: &functions::channels::InviteToChannel,
) -> Result<enums::messages::InvitedUsers> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let id = context.state.input_channel(me, &request.channel)?;
    let peer = Peer::Channel(id);
    context.state.may_read(me, peer)?;
    if request.users.len() > MOST_INVITED {
        return Err(bad_request("USERS_TOO_MUCH"));
    }
    let mut users = input_users(context.state, me, &request.users)?;
    let channel = context.state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    let member = channel.members.get(&me).ok_or(bad_request("USER_NOT_PARTICIPANT"))?;
    if !channel.megagroup && !member.may(|rights| rights.invite_users) {
        return Err(bad_request("CHAT_ADMIN_REQUIRED"));
    }
    if !member.is_admin() && users.iter().any(|user| channel.kicked.contains_key(user)) {
        return Err(bad_request("USER_KICKED"));
    }
    users.retain(|user| !channel.members.contains_key(user));
    if users.is_empty() {
        return Err(bad_request("USER_ALREADY_PARTICIPANT"));
    }
    let megagroup = channel.megagroup;
    let is_bot = |user: &i64| context.state.people.get(user).is_some_and(|person| person.bot);
    if !megagroup && users.iter().any(is_bot) {
        return Err(bad_request("USER_BOT"));
    }
    let (users, missing) = willing(context.state, me, &users)?;
    if users.is_empty() {
        return Ok(invited(context.updates(me, Vec::new(), &Cast::of(peer)), &missing));
    }
    for user in &users {
        context.state.enter_channel(*user, id, me, at.date());
        context.state.notify_of_membership(*user, id, at, here);
    }
    let mut line = None;
    if megagroup {
        let action = types::MessageActionChatAddUser { users: users.clone() }.into();
        line = context.state.announce(me, peer, action, at, here);
    }
    let names: Vec<String> = users.iter().map(i64::to_string).collect();
    context.record(peer, None, names.join(","), announced_id(line.as_ref()));
    Ok(invited(channel_changed(context, me, id, line), &missing))
}

/// Puts the caller into a channel that it found by name or by invitation.
pub(super) fn join(context: &mut Context<'_>, me: i64, id: i64, by_link: bool) -> Result<enums::Updates> {
    let (at, here) = (context.at, Some(context.here()));
    let channel = context.state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    if channel.kicked.contains_key(&me) {
        return Err(not_acceptable("CHANNEL_PRIVATE"));
    }
    let (megagroup, inviter) = (channel.megagroup, channel.members.keys().next().copied().unwrap_or(me));
    if !context.state.enter_channel(me, id, me, at.date()) {
        return Err(bad_request("USER_ALREADY_PARTICIPANT"));
    }
    context.state.notify_of_membership(me, id, at, here);
    let mut line = None;
    if megagroup {
        let action = if by_link {
            types::MessageActionChatJoinedByLink { inviter_id: inviter }.into()
        } else {
            types::MessageActionChatAddUser { users: vec![me] }.into()
        };
        line = context.state.announce(me, Peer::Channel(id), action, at, here);
    }
    context.record(Peer::Channel(id), None, me.to_string(), announced_id(line.as_ref()));
    Ok(channel_changed(context, me, id, line))
}

pub(super) fn join_channel(
    context: &mut Context<'_>,
    request: &functions::channels::JoinChannel,
) -> Result<enums::messages::ChatInviteJoinResult> {
    let me = context.me()?;
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_read(me, Peer::Channel(id))?;
    let updates = join(context, me, id, false)?;
    Ok(types::messages::ChatInviteJoinResultOk { updates }.into())
}

pub(super) fn leave_channel(
    context: &mut Context<'_>,
    request: &functions::channels::LeaveChannel,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_read(me, Peer::Channel(id))?;
    let channel = context.state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    let megagroup = channel.megagroup;
    if !channel.members.contains_key(&me) {
        return Err(bad_request("USER_NOT_PARTICIPANT"));
    }
    if megagroup {
        let action = types::MessageActionChatDeleteUser { user_id: me }.into();
        context.state.announce(me, Peer::Channel(id), action, at, here);
    }
    context.state.leave_channel(me, id);
    context.state.notify_of_membership(me, id, at, here);
    context.record(Peer::Channel(id), None, me.to_string(), None);
    Ok(channel_changed(context, me, id, None))
}

pub(super) fn delete_channel(
    context: &mut Context<'_>,
    request: &functions::channels::DeleteChannel,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_read(me, Peer::Channel(id))?;
    let channel = context.state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    if channel.members.get(&me).is_none_or(|member| member.role != Role::Creator) {
        return Err(bad_request("CHAT_ADMIN_REQUIRED"));
    }
    let title = channel.title.clone();
    context.state.close_channel(id, at, here);
    context.record(Peer::Channel(id), None, title, None);
    Ok(channel_changed(context, me, id, None))
}
