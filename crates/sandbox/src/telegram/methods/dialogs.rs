//! The list of dialogs, in pages.

use std::cmp::Reverse;

use grammers_tl_types::{enums, functions, types};

use super::updates::state_of;
use super::users::peer_settings;
use crate::telegram::context::Context;
use crate::telegram::mailbox::Dialog;
use crate::telegram::peer::Peer;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::{State, count, page};

/// The most dialogs in one answer.
const PAGE: usize = 100;

/// Where a dialog is in the list: by date, then message, then chat.
type Position = (i32, i32, Peer);

pub(super) fn get_dialogs(
    context: &mut Context<'_>,
    request: &functions::messages::GetDialogs,
) -> Result<enums::messages::Dialogs> {
    let me = context.me()?;
    let state = &*context.state;
    if request.folder_id.is_some_and(|folder| folder != 0) {
        return Ok(dialogs_answer(state, me, &[], None));
    }
    let offset_peer = match &request.offset_peer {
        enums::InputPeer::Empty => None,
        peer => Some(state.input_peer(me, peer).map_err(|_| bad_request("OFFSET_PEER_ID_INVALID"))?),
    };
    let Some(mailbox) = state.mailboxes.get(&me) else {
        return Ok(dialogs_answer(state, me, &[], None));
    };
    let mut listed: Vec<(Position, &Dialog)> = mailbox
        .shown()
        .filter_map(|dialog| {
            let top = state.top(dialog)?;
            Some(((top.date, top.id, dialog.peer), dialog))
        })
        .collect();
    listed.sort_unstable_by_key(|(place, _)| Reverse(*place));
    let begins = listed.partition_point(|((date, id, peer), _)| match offset_peer {
        _ if request.offset_date == 0 && request.offset_id == 0 => false,
        _ if request.offset_id == 0 => *date >= request.offset_date,
        _ if request.offset_date == 0 => *id >= request.offset_id,
        Some(offset) => (*date, *id, *peer) >= (request.offset_date, request.offset_id, offset),
        None => (*date, *id) >= (request.offset_date, request.offset_id),
    });
    let rest = &listed[begins..];
    let shown: Vec<&Dialog> =
        rest.iter().take(page(request.limit, PAGE)).map(|(_, dialog)| *dialog).collect();
    let whole = begins == 0 && shown.len() == listed.len();
    Ok(dialogs_answer(state, me, &shown, (!whole).then_some(listed.len())))
}

/// `messages.dialogs`, or a slice of so many.
fn dialogs_answer(state: &State, me: i64, shown: &[&Dialog], of: Option<usize>) -> enums::messages::Dialogs {
    let Lines { dialogs, messages, users, chats } = lines(state, me, shown);
    match of {
        Some(total) => {
            types::messages::DialogsSlice { count: count(total), dialogs, messages, chats, users }.into()
        }
        None => types::messages::Dialogs { dialogs, messages, chats, users }.into(),
    }
}

/// Dialogs and all they mention.
pub(super) struct Lines {
    pub(super) dialogs: Vec<enums::Dialog>,
    pub(super) messages: Vec<enums::Message>,
    pub(super) users: Vec<enums::User>,
    pub(super) chats: Vec<enums::Chat>,
}

pub(super) fn lines(state: &State, me: i64, shown: &[&Dialog]) -> Lines {
    let mut cast = Cast::default();
    let mut messages = Vec::new();
    for dialog in shown {
        cast.peer(dialog.peer);
        if let Some(top) = state.top(dialog) {
            cast.message(dialog.peer, top);
            messages.push(state.message(me, dialog.peer, top));
        }
    }
    let dialogs = shown.iter().map(|dialog| state.dialog(me, dialog)).collect();
    let (users, chats) = state.introduce(me, &cast);
    Lines { dialogs, messages, users, chats }
}

pub(super) fn get_peer_dialogs(
    context: &mut Context<'_>,
    request: &functions::messages::GetPeerDialogs,
) -> Result<enums::messages::PeerDialogs> {
    let me = context.me()?;
    let mut peers = Vec::new();
    for input in request.peers.iter().take(PAGE) {
        if let enums::InputDialogPeer::Peer(input) = input {
            let peer = context.state.input_peer(me, &input.peer)?;
            context.state.may_read(me, peer)?;
            peers.push(peer);
        }
    }
    // A chat that was never opened has a dialog too: an empty one.
    if let Some(mailbox) = context.state.mailboxes.get_mut(&me) {
        for peer in &peers {
            mailbox.open(*peer);
        }
    }
    let state = &*context.state;
    let mailbox = state.mailboxes.get(&me);
    let shown: Vec<&Dialog> =
        peers.iter().filter_map(|peer| mailbox.and_then(|mailbox| mailbox.dialog(*peer))).collect();
    let Lines { dialogs, messages, users, chats } = lines(state, me, &shown);
    let state = state_of(state, me, context.at);
    Ok(types::messages::PeerDialogs { dialogs, messages, chats, users, state }.into())
}

/// Nothing is pinned.
pub(super) fn get_pinned_dialogs(
    context: &mut Context<'_>,
    _: &functions::messages::GetPinnedDialogs,
) -> Result<enums::messages::PeerDialogs> {
    let me = context.me()?;
    let state = state_of(context.state, me, context.at);
    let (dialogs, messages, chats, users) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Ok(types::messages::PeerDialogs { dialogs, messages, chats, users, state }.into())
}

pub(super) fn get_dialog_filters(
    _: &mut Context<'_>,
    _: &functions::messages::GetDialogFilters,
) -> enums::messages::DialogFilters {
    types::messages::DialogFilters { tags_enabled: false, filters: Vec::new() }.into()
}

pub(super) fn get_dialog_unread_marks(
    _: &mut Context<'_>,
    _: &functions::messages::GetDialogUnreadMarks,
) -> Vec<enums::DialogPeer> {
    Vec::new()
}

pub(super) fn get_peer_settings(
    context: &mut Context<'_>,
    request: &functions::messages::GetPeerSettings,
) -> Result<enums::messages::PeerSettings> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    let (users, chats) = context.state.introduce(me, &Cast::of(peer));
    Ok(types::messages::PeerSettings { settings: peer_settings(), chats, users }.into())
}
