//! `updates.*`: the state of an account, and what it has missed.

use grammers_tl_types::{enums, functions, types};

use super::dialogs::{Lines, lines};
use crate::telegram::context::Context;
use crate::telegram::message::Stored;
use crate::telegram::peer::Peer;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::{Moment, State, count};
use crate::telegram::update_log::{Event, Since};

/// Events in one answer, when the client names no limit.
const SLICE: usize = 500;
/// The largest slice of a channel's difference.
const CHANNEL_SLICE: usize = 1_000;
/// Seconds until a client should ask a quiet channel again.
const QUIET: i32 = 300;

pub(super) fn state_of(state: &State, me: i64, at: Moment) -> enums::updates::State {
    let pts = state.mailboxes.get(&me).map_or(1, |mailbox| mailbox.log.pts());
    types::updates::State { pts, qts: 0, date: at.date(), seq: 1, unread_count: 0 }.into()
}

pub(super) fn get_state(
    context: &mut Context<'_>,
    _: &functions::updates::GetState,
) -> Result<enums::updates::State> {
    let me = context.me()?;
    Ok(state_of(context.state, me, context.at))
}

pub(super) fn get_difference(
    context: &mut Context<'_>,
    request: &functions::updates::GetDifference,
) -> Result<enums::updates::Difference> {
    let me = context.me()?;
    if request.pts <= 0 {
        return Err(bad_request("PERSISTENT_TIMESTAMP_EMPTY"));
    }
    let state = &*context.state;
    let Some(mailbox) = state.mailboxes.get(&me) else { return Err(bad_request("USER_ID_INVALID")) };
    let too_long = || types::updates::DifferenceTooLong { pts: mailbox.log.pts() }.into();
    if let Some(most) = request.pts_total_limit.and_then(|most| usize::try_from(most).ok())
        && mailbox.log.count_since(request.pts).is_none_or(|missed| missed > most)
    {
        return Ok(too_long());
    }
    let limit = request.pts_limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(SLICE).min(SLICE);
    let (events, more) = match mailbox.log.since(request.pts, limit) {
        Since::Forgotten => return Ok(too_long()),
        Since::Nothing => (Vec::new(), false),
        Since::Events { events, more } => (events, more),
    };
    let mut cast = Cast::default();
    let mut new_messages = Vec::new();
    let mut other_updates = Vec::new();
    // The channels that moved are only named: their difference is their own.
    if !more {
        for dialog in mailbox.shown() {
            if let Peer::Channel(channel_id) = dialog.peer
                && let Some(channel) = state.channels.get(&channel_id)
                && channel.changed >= request.date
            {
                cast.peer(dialog.peer);
                let pts = Some(channel.log.pts());
                other_updates.push(types::UpdateChannelTooLong { channel_id, pts }.into());
            }
        }
    }
    if events.is_empty() && other_updates.is_empty() {
        return Ok(types::updates::DifferenceEmpty { date: context.at.date(), seq: 1 }.into());
    }
    let reached = events.last().map_or(request.pts, |(pts, _)| *pts);
    for (pts, event) in &events {
        match event {
            Event::New(id) => {
                if let Some((peer, stored)) = mailbox.message(*id) {
                    cast.message(peer, stored);
                    new_messages.push(state.message(me, peer, stored));
                }
            }
            other => {
                if let Event::Edited(id) = other
                    && let Some((peer, stored)) = mailbox.message(*id)
                {
                    cast.message(peer, stored);
                }
                other_updates.extend(state.mailbox_update(me, other, *pts));
            }
        }
    }
    let (users, chats) = state.introduce(me, &cast);
    let new_encrypted_messages = Vec::new();
    let now =
        types::updates::State { pts: reached, qts: 0, date: context.at.date(), seq: 1, unread_count: 0 };
    Ok(if more {
        types::updates::DifferenceSlice {
            new_messages,
            new_encrypted_messages,
            other_updates,
            chats,
            users,
            intermediate_state: types::updates::State { date: request.date, ..now }.into(),
        }
        .into()
    } else {
        types::updates::Difference {
            new_messages,
            new_encrypted_messages,
            other_updates,
            chats,
            users,
            state: now.into(),
        }
        .into()
    })
}

impl State {
    /// A change in a mailbox as the update that reports it.
    pub(crate) fn mailbox_update(&self, owner: i64, event: &Event, pts: i32) -> Option<enums::Update> {
        let pts_count = event.weight();
        let mailbox = self.mailboxes.get(&owner)?;
        Some(match event {
            Event::New(id) => {
                let (peer, stored) = mailbox.message(*id)?;
                let message = self.message(owner, peer, stored);
                types::UpdateNewMessage { message, pts, pts_count }.into()
            }
            Event::Edited(id) => {
                let (peer, stored) = mailbox.message(*id)?;
                let message = self.message(owner, peer, stored);
                types::UpdateEditMessage { message, pts, pts_count }.into()
            }
            Event::Deleted(messages) => {
                types::UpdateDeleteMessages { messages: messages.clone(), pts, pts_count }.into()
            }
            Event::ReadInbox { peer, max_id } => {
                let unread = mailbox.dialog(*peer).map_or(0, |dialog| dialog.unread(owner));
                types::UpdateReadHistoryInbox {
                    folder_id: None,
                    peer: peer.to_tl(),
                    top_msg_id: None,
                    max_id: *max_id,
                    still_unread_count: count(unread),
                    pts,
                    pts_count,
                }
                .into()
            }
            Event::ReadOutbox { peer, max_id } => {
                types::UpdateReadHistoryOutbox { peer: peer.to_tl(), max_id: *max_id, pts, pts_count }.into()
            }
        })
    }
}

pub(super) fn get_channel_difference(
    context: &mut Context<'_>,
    request: &functions::updates::GetChannelDifference,
) -> Result<enums::updates::ChannelDifference> {
    let me = context.me()?;
    let id = context.state.input_channel(me, &request.channel)?;
    let peer = Peer::Channel(id);
    context.state.may_read(me, peer)?;
    if request.pts <= 0 {
        return Err(bad_request("PERSISTENT_TIMESTAMP_EMPTY"));
    }
    let limit = usize::try_from(request.limit).unwrap_or(0).clamp(1, CHANNEL_SLICE);
    if let Some(mailbox) = context.state.mailboxes.get_mut(&me) {
        mailbox.open(peer);
    }
    let state = &*context.state;
    let Some(channel) = state.channels.get(&id) else { return Err(bad_request("CHANNEL_INVALID")) };
    let timeout = Some(QUIET);
    let (events, more) = match channel.log.since(request.pts, limit) {
        Since::Nothing => {
            return Ok(
                types::updates::ChannelDifferenceEmpty { r#final: true, pts: request.pts, timeout }.into()
            );
        }
        Since::Forgotten => {
            let dialog = state.mailboxes.get(&me).and_then(|mailbox| mailbox.dialog(peer));
            let shown: Vec<_> = dialog.into_iter().collect();
            let Lines { dialogs, messages, users, chats } = lines(state, me, &shown);
            let dialog = dialogs.into_iter().next().ok_or(bad_request("CHANNEL_INVALID"))?;
            let r#final = true;
            return Ok(types::updates::ChannelDifferenceTooLong {
                r#final,
                timeout,
                dialog,
                messages,
                chats,
                users,
            }
            .into());
        }
        Since::Events { events, more } => (events, more),
    };
    let mut cast = Cast::of(peer);
    let mut new_messages = Vec::new();
    let mut other_updates = Vec::new();
    let mut reached = request.pts;
    for (pts, event) in &events {
        reached = *pts;
        let named = |id: &i32| channel.message_visible_to(me, *id);
        match event {
            Event::New(id) => {
                if let Some(stored) = named(id) {
                    cast.message(peer, stored);
                    new_messages.push(state.message(me, peer, stored));
                }
            }
            Event::Edited(message) => {
                if let Some(stored) = named(message) {
                    cast.message(peer, stored);
                    other_updates.push(state.channel_edit(me, id, stored, *pts));
                }
            }
            Event::Deleted(messages) => {
                let (messages, pts_count) = (messages.clone(), event.weight());
                other_updates.push(
                    types::UpdateDeleteChannelMessages { channel_id: id, messages, pts: *pts, pts_count }
                        .into(),
                );
            }
            Event::ReadInbox { .. } | Event::ReadOutbox { .. } => {}
        }
    }
    let (users, chats) = state.introduce(me, &cast);
    let r#final = !more;
    Ok(types::updates::ChannelDifference {
        r#final,
        pts: reached,
        timeout,
        new_messages,
        other_updates,
        chats,
        users,
    }
    .into())
}

impl State {
    /// `updateEditChannelMessage`.
    pub(crate) fn channel_edit(&self, viewer: i64, channel: i64, stored: &Stored, pts: i32) -> enums::Update {
        let message = self.message(viewer, Peer::Channel(channel), stored);
        types::UpdateEditChannelMessage { message, pts, pts_count: 1 }.into()
    }
}
