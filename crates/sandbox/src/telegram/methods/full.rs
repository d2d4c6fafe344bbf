//! Chats as a list and in full.

use grammers_tl_types::{enums, functions, types};

use super::invites::exported;
use super::users::common_chats;
use crate::telegram::chats::{Group, Member, Role};
use crate::telegram::context::Context;
use crate::telegram::peer::Peer;
use crate::telegram::render::{Cast, notify_settings};
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::{count, page};

pub(super) fn get_chats(
    context: &mut Context<'_>,
    request: &functions::messages::GetChats,
) -> Result<enums::messages::Chats> {
    let me = context.me()?;
    let mut chats = Vec::new();
    for id in &request.id {
        context.state.input_group(me, *id)?;
        chats.push(context.state.chat(me, Peer::Group(*id)));
    }
    Ok(types::messages::Chats { chats }.into())
}

pub(super) fn get_channels(
    context: &mut Context<'_>,
    request: &functions::channels::GetChannels,
) -> Result<enums::messages::Chats> {
    let me = context.me()?;
    let mut chats = Vec::new();
    for input in &request.id {
        let id = context.state.input_channel(me, input)?;
        chats.push(context.state.chat(me, Peer::Channel(id)));
    }
    // One private channel alone is an error; among others it comes as forbidden.
    if let ([input], [enums::Chat::ChannelForbidden(_)]) = (request.id.as_slice(), chats.as_slice()) {
        let id = context.state.input_channel(me, input)?;
        context.state.may_read(me, Peer::Channel(id))?;
    }
    Ok(types::messages::Chats { chats }.into())
}

pub(super) fn get_common_chats(
    context: &mut Context<'_>,
    request: &functions::messages::GetCommonChats,
) -> Result<enums::messages::Chats> {
    let me = context.me()?;
    let user = context.state.input_user(me, &request.user_id)?;
    let common = common_chats(context, me, user);
    let shown = common.iter().take(page(request.limit, 100));
    let chats: Vec<enums::Chat> = shown.map(|peer| context.state.chat(me, *peer)).collect();
    if chats.len() < common.len() {
        return Ok(types::messages::ChatsSlice { count: count(common.len()), chats }.into());
    }
    Ok(types::messages::Chats { chats }.into())
}

pub(super) fn group_participants(group: &Group) -> enums::ChatParticipants {
    let participants = group.members.iter().map(|(user, member)| {
        let (user_id, inviter_id, date, rank) = (*user, member.invited_by, member.date, None);
        match member.role {
            Role::Creator => types::ChatParticipantCreator { user_id, rank }.into(),
            Role::Admin { .. } => types::ChatParticipantAdmin { user_id, inviter_id, date, rank }.into(),
            Role::Member => types::ChatParticipant { user_id, inviter_id, date, rank }.into(),
        }
    });
    let (chat_id, version) = (group.id, group.version);
    types::ChatParticipants { chat_id, participants: participants.collect(), version }.into()
}

pub(super) fn get_full_chat(
    context: &mut Context<'_>,
    request: &functions::messages::GetFullChat,
) -> Result<enums::messages::ChatFull> {
    let me = context.me()?;
    let state = &*context.state;
    let id = state.input_group(me, request.chat_id)?;
    let group = state.groups.get(&id).ok_or(bad_request("CHAT_ID_INVALID"))?;
    let mut cast = Cast::of(Peer::Group(id));
    let participants = if group.members.contains_key(&me) {
        group.members.keys().for_each(|user| cast.user(*user));
        group_participants(group)
    } else {
        types::ChatParticipantsForbidden { chat_id: id, self_participant: None }.into()
    };
    let full_chat = types::ChatFull {
        can_set_username: false,
        has_scheduled: false,
        translations_disabled: false,
        has_welcome_messages: false,
        id,
        about: group.about.clone(),
        participants,
        chat_photo: None,
        notify_settings: notify_settings(),
        exported_invite: group.links.get(&me).map(|link| exported(me, link, true)),
        bot_info: None,
        pinned_msg_id: None,
        folder_id: None,
        call: None,
        ttl_period: None,
        groupcall_default_join_as: None,
        theme_emoticon: None,
        requests_pending: None,
        recent_requesters: None,
        available_reactions: None,
        reactions_limit: None,
    }
    .into();
    let (users, chats) = state.introduce(me, &cast);
    Ok(types::messages::ChatFull { full_chat, chats, users }.into())
}

pub(super) fn get_full_channel(
    context: &mut Context<'_>,
    request: &functions::channels::GetFullChannel,
) -> Result<enums::messages::ChatFull> {
    let me = context.me()?;
    let state = &*context.state;
    let id = state.input_channel(me, &request.channel)?;
    state.may_read(me, Peer::Channel(id))?;
    let channel = state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    let dialog = state.mailboxes.get(&me).and_then(|mailbox| mailbox.dialog(Peer::Channel(id)));
    let read_inbox = dialog.map_or(channel.last_id, |dialog| dialog.read_inbox);
    // Where the group it was ends, in the viewer's own numbering.
    let left_behind = channel.migrated_from.and_then(|group| {
        let dialog = state.mailboxes.get(&me)?.dialog(Peer::Group(group))?;
        dialog.history.last().map(|message| message.id)
    });
    let admin = channel.members.get(&me).is_some_and(Member::is_admin);
    let admins = channel.members.values().filter(|member| member.is_admin()).count();
    let muted = channel.members.values().filter(|member| member.muted).count();
    let full_chat = types::ChannelFull {
        can_view_participants: channel.megagroup || admin,
        can_set_username: admin,
        can_set_stickers: false,
        hidden_prehistory: channel.hidden_prehistory,
        can_set_location: false,
        has_scheduled: false,
        can_view_stats: false,
        blocked: false,
        can_delete_channel: admin,
        antispam: false,
        participants_hidden: false,
        translations_disabled: false,
        stories_pinned_available: false,
        view_forum_as_messages: false,
        restricted_sponsored: false,
        can_view_revenue: false,
        paid_media_allowed: false,
        can_view_stars_revenue: false,
        paid_reactions_available: false,
        stargifts_available: false,
        paid_messages_available: false,
        has_welcome_messages: false,
        id,
        about: channel.about.clone(),
        participants_count: Some(count(channel.members.len())),
        admins_count: admin.then_some(count(admins)),
        kicked_count: admin.then_some(count(channel.kicked.len())),
        banned_count: admin.then_some(count(muted)),
        online_count: None,
        read_inbox_max_id: read_inbox,
        read_outbox_max_id: dialog.map_or(0, |dialog| dialog.read_outbox),
        unread_count: count(channel.history.count_after(read_inbox)),
        chat_photo: types::PhotoEmpty { id: 0 }.into(),
        notify_settings: notify_settings(),
        exported_invite: channel.links.get(&me).map(|link| exported(me, link, true)),
        bot_info: Vec::new(),
        migrated_from_chat_id: channel.migrated_from,
        migrated_from_max_id: left_behind,
        pinned_msg_id: None,
        stickerset: None,
        available_min_id: Some(channel.hidden_up_to(me))
            .filter(|hidden| *hidden > 0)
            .map(|hidden| hidden + 1),
        folder_id: None,
        linked_chat_id: None,
        location: None,
        slowmode_seconds: None,
        slowmode_next_send_date: None,
        stats_dc: None,
        pts: channel.log.pts(),
        call: None,
        ttl_period: None,
        pending_suggestions: None,
        groupcall_default_join_as: None,
        theme_emoticon: None,
        requests_pending: None,
        recent_requesters: None,
        default_send_as: None,
        available_reactions: None,
        reactions_limit: None,
        stories: None,
        wallpaper: None,
        boosts_applied: None,
        boosts_unrestrict: None,
        emojiset: None,
        bot_verification: None,
        stargifts_count: None,
        send_paid_messages_stars: None,
        main_tab: None,
        guard_bot_id: None,
    }
    .into();
    let (users, chats) = state.introduce(me, &Cast::of(Peer::Channel(id)));
    Ok(types::messages::ChatFull { full_chat, chats, users }.into())
}
