//! Read marks and typing: what leaves no trace in the ledger.

use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::peer::Peer;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::count;
use crate::telegram::update_log::Event;

pub(super) fn read_history(
    context: &mut Context<'_>,
    request: &functions::messages::ReadHistory,
) -> Result<enums::messages::AffectedMessages> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    if let Peer::Channel(_) = peer {
        return Err(bad_request("PEER_ID_INVALID"));
    }
    let (at, here) = (context.at, Some(context.here()));
    let mailbox = context.state.mailboxes.get_mut(&me).ok_or(bad_request("PEER_ID_INVALID"))?;
    let before = mailbox.log.pts();
    let dialog = mailbox.open(peer);
    let newest = dialog.history.last().map_or(0, |message| message.id);
    let max_id = if request.max_id <= 0 { newest } else { request.max_id.min(newest) };
    if max_id <= dialog.read_inbox {
        return Ok(types::messages::AffectedMessages { pts: before, pts_count: 0 }.into());
    }
    // The newest message of the others that is now read, in every author's own numbering.
    let read: Vec<(i64, u64)> = dialog
        .history
        .newest_first()
        .skip_while(|message| message.id > max_id)
        .take_while(|message| message.id > dialog.read_inbox)
        .filter(|message| message.from != me)
        .map(|message| (message.from, message.origin))
        .collect();
    dialog.read_inbox = max_id;
    let still_unread_count = count(dialog.unread(me));
    let pts = context.state.note(me, Event::ReadInbox { peer, max_id }, &Cast::of(peer), at, here, |pts| {
        types::UpdateReadHistoryInbox {
            folder_id: None,
            peer: peer.to_tl(),
            top_msg_id: None,
            max_id,
            still_unread_count,
            pts,
            pts_count: 1,
        }
        .into()
    });
    let mut notified = std::collections::BTreeSet::new();
    for (author, origin) in read {
        let there = if let Peer::User(_) = peer { Peer::User(me) } else { peer };
        if !notified.insert(author) {
            continue;
        }
        let Some(id) = context.state.copy_of(author, there, origin) else { continue };
        context.state.note_read(author, there, id, at, here);
    }
    Ok(types::messages::AffectedMessages { pts: pts.unwrap_or(before), pts_count: 1 }.into())
}

pub(super) fn read_channel_history(
    context: &mut Context<'_>,
    request: &functions::channels::ReadHistory,
) -> Result<bool> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let id = context.state.input_channel(me, &request.channel)?;
    let peer = Peer::Channel(id);
    context.state.may_read(me, peer)?;
    let channel = context.state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    let (newest, pts) = (channel.last_id, channel.log.pts());
    let max_id = if request.max_id <= 0 { newest } else { request.max_id.min(newest) };
    let still_unread_count = count(channel.history.count_after(max_id));
    let Some(mailbox) = context.state.mailboxes.get_mut(&me) else { return Ok(false) };
    let dialog = mailbox.open(peer);
    if max_id <= dialog.read_inbox {
        return Ok(true);
    }
    dialog.read_inbox = max_id;
    let update =
        types::UpdateReadChannelInbox { folder_id: None, channel_id: id, max_id, still_unread_count, pts };
    context.state.tell(me, vec![update.into()], &Cast::of(peer), at, here);
    Ok(true)
}

/// No mention has to be read.
pub(super) fn read_mentions(
    context: &mut Context<'_>,
    request: &functions::messages::ReadMentions,
) -> Result<enums::messages::AffectedHistory> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    context.state.may_read(me, peer)?;
    let pts = context.state.mailboxes.get(&me).map_or(1, |mailbox| mailbox.log.pts());
    Ok(types::messages::AffectedHistory { pts, pts_count: 0, offset: 0 }.into())
}

pub(super) fn read_message_contents(
    context: &mut Context<'_>,
    _: &functions::messages::ReadMessageContents,
) -> Result<enums::messages::AffectedMessages> {
    let me = context.me()?;
    let pts = context.state.mailboxes.get(&me).map_or(1, |mailbox| mailbox.log.pts());
    Ok(types::messages::AffectedMessages { pts, pts_count: 0 }.into())
}

pub(super) fn read_channel_message_contents(
    context: &mut Context<'_>,
    request: &functions::channels::ReadMessageContents,
) -> Result<bool> {
    let me = context.me()?;
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_read(me, Peer::Channel(id))?;
    Ok(true)
}

pub(super) fn received_messages(
    _: &mut Context<'_>,
    _: &functions::messages::ReceivedMessages,
) -> Vec<enums::ReceivedNotifyMessage> {
    Vec::new()
}

pub(super) fn set_typing(
    context: &mut Context<'_>,
    request: &functions::messages::SetTyping,
) -> Result<bool> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let peer = context.state.input_peer(me, &request.peer)?;
    context.state.may_read(me, peer)?;
    context.state.may_write(me, peer)?;
    context.state.note_typing(me, peer, &request.action);
    let action = request.action.clone();
    let from_id = Peer::User(me).to_tl();
    let cast = Cast::of(Peer::User(me));
    match peer {
        Peer::User(user) => {
            let update = types::UpdateUserTyping { user_id: me, top_msg_id: None, action };
            context.state.tell(user, vec![update.into()], &cast, at, here);
        }
        Peer::Group(chat_id) => {
            let members = context.state.groups.get(&chat_id).map(|group| group.members.keys().copied());
            let members: Vec<i64> = members.into_iter().flatten().filter(|user| *user != me).collect();
            let update: enums::Update = types::UpdateChatUserTyping { chat_id, from_id, action }.into();
            for member in members {
                context.state.tell(member, vec![update.clone()], &cast, at, here);
            }
        }
        Peer::Channel(channel_id) => {
            let update: enums::Update =
                types::UpdateChannelUserTyping { channel_id, top_msg_id: None, from_id, action }.into();
            for member in context.state.readers(channel_id) {
                if member != me {
                    context.state.tell(member, vec![update.clone()], &cast, at, here);
                }
            }
        }
    }
    Ok(true)
}

pub(super) fn get_onlines(
    context: &mut Context<'_>,
    request: &functions::messages::GetOnlines,
) -> Result<enums::ChatOnlines> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    context.state.may_read(me, peer)?;
    Ok(types::ChatOnlines { onlines: 1 }.into())
}
