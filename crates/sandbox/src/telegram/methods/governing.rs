//! What admins do: titles, rights, bans, usernames.

use grammers_tl_types::{enums, functions, types};

use super::channels::channel_changed;
use super::contacts::is_username;
use super::groups::{normalized_title, willing};
use crate::telegram::chats::Role;
use crate::telegram::context::Context;
use crate::telegram::membership::announced_id;
use crate::telegram::peer::Peer;
use crate::telegram::rights::no_right;
use crate::telegram::rpc::{Result, bad_request, forbidden};

/// The longest description of a chat, in characters.
const LONGEST_ABOUT: usize = 255;
/// The longest title of an admin, in characters.
const LONGEST_RANK: usize = 16;

const NOT_MODIFIED: crate::telegram::rpc::RpcError = bad_request("CHAT_NOT_MODIFIED");
const CHANNEL_INVALID: crate::telegram::rpc::RpcError = bad_request("CHANNEL_INVALID");

pub(super) fn may_be_about(about: &str) -> Result<()> {
    let fits = about.chars().count() <= LONGEST_ABOUT;
    fits.then_some(()).ok_or(bad_request("CHAT_ABOUT_TOO_LONG"))
}

/// The title an admin is given, if any.
fn checked_rank(rank: Option<&str>) -> Result<Option<String>> {
    let Some(rank) = rank.filter(|rank| !rank.is_empty()) else { return Ok(None) };
    let is_emoji =
        |one: char| matches!(one, '\u{2600}'..='\u{27bf}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}');
    if rank.chars().any(is_emoji) {
        return Err(bad_request("ADMIN_RANK_EMOJI_NOT_ALLOWED"));
    }
    if rank.chars().count() > LONGEST_RANK {
        return Err(bad_request("ADMIN_RANK_INVALID"));
    }
    Ok(Some(rank.to_owned()))
}

pub(super) fn edit_title(
    context: &mut Context<'_>,
    request: &functions::channels::EditTitle,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_govern(me, id, |rights| rights.change_info)?;
    let title = normalized_title(&request.title)?;
    let channel = context.state.channels.get_mut(&id).ok_or(CHANNEL_INVALID)?;
    if channel.title == title {
        return Err(NOT_MODIFIED);
    }
    title.clone_into(&mut channel.title);
    let action = types::MessageActionChatEditTitle { title: title.clone() }.into();
    let line = context.state.announce(me, Peer::Channel(id), action, context.at, Some(context.here()));
    context.record(Peer::Channel(id), None, title, announced_id(line.as_ref()));
    Ok(channel_changed(context, me, id, line))
}

pub(super) fn edit_admin(
    context: &mut Context<'_>,
    request: &functions::channels::EditAdmin,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_govern(me, id, |rights| rights.add_admins)?;
    let user = context.state.input_user(me, &request.user_id)?;
    let enums::ChatAdminRights::Rights(rights) = &request.admin_rights;
    let rank = checked_rank(request.rank.as_deref())?;
    let channel = context.state.channels.get(&id).ok_or(CHANNEL_INVALID)?;
    let before = channel.members.get(&user).map(|member| member.role.clone());
    match before {
        Some(Role::Creator) => return Err(bad_request("USER_CREATOR")),
        Some(_) => {}
        None => {
            let (_, missing) = willing(context.state, me, &[user])?;
            if !missing.is_empty() {
                return Err(forbidden("USER_PRIVACY_RESTRICTED"));
            }
            context.state.enter_channel(user, id, me, at.date());
        }
    }
    // Taking every right away makes a plain member.
    let stripped = *rights == no_right();
    let role = if stripped {
        Role::Member
    } else {
        Role::Admin { rights: Box::new(rights.clone()), promoted_by: me, rank }
    };
    // A repeat is answered like the first call, and has no effect.
    if before.as_ref() != Some(&role) {
        let channel = context.state.channels.get_mut(&id).ok_or(CHANNEL_INVALID)?;
        if let Some(member) = channel.members.get_mut(&user) {
            member.role = role;
        }
        context.state.notify_of_membership(user, id, at, here);
        context.record(Peer::Channel(id), None, user.to_string(), None);
    }
    Ok(channel_changed(context, me, id, None))
}

pub(super) fn edit_banned(
    context: &mut Context<'_>,
    request: &functions::channels::EditBanned,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_govern(me, id, |rights| rights.ban_users)?;
    let Peer::User(user) = context.state.input_peer(me, &request.participant)? else {
        return Err(bad_request("PARTICIPANT_ID_INVALID"));
    };
    let enums::ChatBannedRights::Rights(rights) = &request.banned_rights;
    let channel = context.state.channels.get_mut(&id).ok_or(CHANNEL_INVALID)?;
    let megagroup = channel.megagroup;
    if channel.members.get(&user).is_some_and(|member| member.role == Role::Creator) {
        return Err(bad_request("USER_ADMIN_INVALID"));
    }
    let mut line = None;
    let changed;
    if rights.view_messages {
        let was_member = channel.members.contains_key(&user);
        changed = was_member || !channel.kicked.contains_key(&user);
        context.state.ban(user, id, me, at.date());
        if was_member && megagroup {
            let action = types::MessageActionChatDeleteUser { user_id: user }.into();
            line = context.state.announce(me, Peer::Channel(id), action, at, here);
        }
    } else {
        let muted = rights.send_messages || rights.send_plain;
        let forgiven = channel.kicked.remove(&user).is_some();
        let member = channel.members.get_mut(&user).filter(|member| member.muted != muted);
        changed = forgiven || member.is_some();
        if let Some(member) = member {
            member.muted = muted;
        }
    }
    // A repeat is answered like the first call, and has no effect.
    if changed {
        context.state.notify_of_membership(user, id, at, here);
        context.record(Peer::Channel(id), None, user.to_string(), announced_id(line.as_ref()));
    }
    Ok(channel_changed(context, me, id, line))
}

pub(super) fn toggle_pre_history_hidden(
    context: &mut Context<'_>,
    request: &functions::channels::TogglePreHistoryHidden,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_govern(me, id, |rights| rights.change_info)?;
    let channel = context.state.channels.get_mut(&id).ok_or(CHANNEL_INVALID)?;
    if channel.hidden_prehistory == request.enabled {
        return Err(NOT_MODIFIED);
    }
    channel.hidden_prehistory = request.enabled;
    context.record(Peer::Channel(id), None, request.enabled.to_string(), None);
    Ok(channel_changed(context, me, id, None))
}

pub(super) fn check_username(
    context: &mut Context<'_>,
    request: &functions::channels::CheckUsername,
) -> Result<bool> {
    let me = context.me()?;
    context.state.input_channel(me, &request.channel)?;
    if !is_username(&request.username) {
        return Err(bad_request("USERNAME_INVALID"));
    }
    Ok(context.state.by_username(&request.username).is_none())
}

pub(super) fn update_username(
    context: &mut Context<'_>,
    request: &functions::channels::UpdateUsername,
) -> Result<bool> {
    let me = context.me()?;
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_govern(me, id, |rights| rights.change_info)?;
    let wanted = request.username.as_str();
    if !wanted.is_empty() && !is_username(wanted) {
        return Err(bad_request("USERNAME_INVALID"));
    }
    match context.state.by_username(wanted) {
        Some(Peer::Channel(known)) if known == id => return Err(bad_request("USERNAME_NOT_MODIFIED")),
        Some(_) => return Err(bad_request("USERNAME_OCCUPIED")),
        None => {}
    }
    let old = context.state.channels.get_mut(&id).and_then(|channel| channel.username.take());
    if let Some(old) = old {
        context.state.forget_username(&old);
    }
    if !wanted.is_empty() {
        context.state.name_channel(id, wanted);
    }
    context.record(Peer::Channel(id), None, wanted, None);
    Ok(true)
}

pub(super) fn edit_chat_about(
    context: &mut Context<'_>,
    request: &functions::messages::EditChatAbout,
) -> Result<bool> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    may_be_about(&request.about)?;
    let about = match peer {
        Peer::User(_) => return Err(bad_request("PEER_ID_INVALID")),
        Peer::Group(id) => {
            context.state.may_write(me, peer)?;
            context.state.groups.get_mut(&id).map(|group| &mut group.about)
        }
        Peer::Channel(id) => {
            context.state.may_govern(me, id, |rights| rights.change_info)?;
            context.state.channels.get_mut(&id).map(|channel| &mut channel.about)
        }
    };
    let about = about.ok_or(bad_request("PEER_ID_INVALID"))?;
    if *about == request.about {
        return Err(bad_request("CHAT_ABOUT_NOT_MODIFIED"));
    }
    request.about.clone_into(about);
    context.record(peer, None, request.about.as_str(), None);
    Ok(true)
}
