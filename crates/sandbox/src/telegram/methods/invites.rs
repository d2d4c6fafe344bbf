//! Invite links.

use grammers_tl_types::{enums, functions, types};

use super::channels::{channel_changed, join};
use crate::telegram::chats::{Link, Member};
use crate::telegram::context::Context;
use crate::telegram::membership::announced_id;
use crate::telegram::peer::Peer;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request};
use crate::telegram::state::count;

pub(super) fn export_chat_invite(
    context: &mut Context<'_>,
    request: &functions::messages::ExportChatInvite,
) -> Result<enums::ExportedChatInvite> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    match peer {
        Peer::User(_) => return Err(bad_request("PEER_ID_INVALID")),
        Peer::Group(id) => {
            let group = context.state.groups.get(&id).ok_or(bad_request("PEER_ID_INVALID"))?;
            if !group.members.get(&me).is_some_and(Member::is_admin) {
                return Err(bad_request("CHAT_ADMIN_REQUIRED"));
            }
        }
        Peer::Channel(id) => context.state.may_govern(me, id, |rights| rights.invite_users)?,
    }
    let made = Link { hash: context.state.next_secret("invite"), date: context.at.date() };
    context.state.invites.insert(made.hash.clone(), peer);
    // Without the flag each call makes one more link; with it the admin's primary link is replaced.
    let primary = request.legacy_revoke_permanent;
    if primary {
        let old = context.state.links(peer).and_then(|links| links.insert(me, made.clone()));
        if let Some(old) = old {
            context.state.invites.remove(&old.hash);
        }
    }
    context.record(peer, None, address(&made.hash), None);
    Ok(exported(me, &made, primary))
}

/// A link as its admin sees it.
pub(super) fn exported(admin_id: i64, link: &Link, primary: bool) -> enums::ExportedChatInvite {
    types::ChatInviteExported {
        revoked: false,
        permanent: primary,
        request_needed: false,
        link: address(&link.hash),
        admin_id,
        date: link.date,
        start_date: None,
        expire_date: None,
        usage_limit: None,
        usage: None,
        requested: None,
        subscription_expired: None,
        title: None,
        subscription_pricing: None,
    }
    .into()
}

fn address(hash: &str) -> String {
    format!("https://t.me/+{hash}")
}

fn invited_to(context: &Context<'_>, hash: &str) -> Result<Peer> {
    context.state.invites.get(hash).copied().ok_or(bad_request("INVITE_HASH_INVALID"))
}

pub(super) fn check_chat_invite(
    context: &mut Context<'_>,
    request: &functions::messages::CheckChatInvite,
) -> Result<enums::ChatInvite> {
    let me = context.me()?;
    let peer = invited_to(context, &request.hash)?;
    let state = &*context.state;
    let (title, about, members, megagroup, inside) = match peer {
        Peer::Group(id) => {
            let group = state.groups.get(&id).ok_or(bad_request("INVITE_HASH_EXPIRED"))?;
            let inside = group.members.contains_key(&me);
            (&group.title, &group.about, group.members.len(), false, inside)
        }
        Peer::Channel(id) => {
            let channel = state.channels.get(&id).ok_or(bad_request("INVITE_HASH_EXPIRED"))?;
            let inside = channel.members.contains_key(&me);
            (&channel.title, &channel.about, channel.members.len(), channel.megagroup, inside)
        }
        Peer::User(_) => return Err(bad_request("INVITE_HASH_INVALID")),
    };
    if inside {
        return Ok(types::ChatInviteAlready { chat: state.chat(me, peer) }.into());
    }
    let channel = matches!(peer, Peer::Channel(_));
    Ok(types::ChatInvite {
        channel,
        broadcast: channel && !megagroup,
        public: false,
        megagroup,
        request_needed: false,
        verified: false,
        scam: false,
        fake: false,
        can_refulfill_subscription: false,
        title: title.clone(),
        about: Some(about.clone()).filter(|about| !about.is_empty()),
        photo: types::PhotoEmpty { id: 0 }.into(),
        participants_count: count(members),
        participants: None,
        color: 0,
        subscription_pricing: None,
        subscription_form_id: None,
        bot_verification: None,
    }
    .into())
}

pub(super) fn import_chat_invite(
    context: &mut Context<'_>,
    request: &functions::messages::ImportChatInvite,
) -> Result<enums::messages::ChatInviteJoinResult> {
    let me = context.me()?;
    let peer = invited_to(context, &request.hash)?;
    let updates = match peer {
        Peer::Channel(id) => join(context, me, id, true)?,
        Peer::Group(id) => {
            if !context.state.enter_group(me, id, me, context.at.date()) {
                return Err(bad_request("USER_ALREADY_PARTICIPANT"));
            }
            let action = types::MessageActionChatJoinedByLink { inviter_id: me }.into();
            let line = context.state.announce(me, peer, action, context.at, Some(context.here()));
            context.record(peer, None, me.to_string(), announced_id(line.as_ref()));
            context.updates(me, line.into_iter().collect(), &Cast::of(peer))
        }
        Peer::User(id) => channel_changed(context, me, id, None),
    };
    Ok(types::messages::ChatInviteJoinResultOk { updates }.into())
}
