//! Who owns a chat: it is handed over by an owner who proves the two-step password.

use grammers_tl_types::{enums, functions};

use super::channels::channel_changed;
use crate::telegram::chats::Role;
use crate::telegram::context::Context;
use crate::telegram::peer::Peer;
use crate::telegram::rights::every_right;
use crate::telegram::rpc::{Result, bad_request};

pub(super) fn edit_chat_creator(
    context: &mut Context<'_>,
    request: &functions::messages::EditChatCreator,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let Peer::Channel(id) = context.state.input_peer(me, &request.peer)? else {
        return Err(bad_request("PEER_ID_INVALID"));
    };
    let heir = context.state.input_user(me, &request.user_id)?;
    let channel = context.state.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    if channel.members.get(&me).is_none_or(|member| member.role != Role::Creator) {
        return Err(bad_request("CHAT_ADMIN_REQUIRED"));
    }
    let password = context.state.password_of(me).ok_or(bad_request("PASSWORD_MISSING"))?;
    let enums::InputCheckPasswordSrp::Srp(answer) = &request.password else {
        return Err(bad_request("PASSWORD_HASH_INVALID"));
    };
    let key = context.caller.key;
    let challenge =
        context.state.signing.take_challenge(key, answer.srp_id).ok_or(bad_request("SRP_ID_INVALID"))?;
    password.check(&challenge, &answer.a, &answer.m1)?;
    if heir == me {
        return Err(bad_request("USER_ID_INVALID"));
    }
    let channel = context.state.channels.get_mut(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    let member = channel.members.get_mut(&heir).ok_or(bad_request("USER_NOT_PARTICIPANT"))?;
    member.role = Role::Creator;
    if let Some(before) = channel.members.get_mut(&me) {
        before.role = Role::Admin { rights: Box::new(every_right()), promoted_by: heir, rank: None };
    }
    for user in [heir, me] {
        context.state.notify_of_membership(user, id, at, here);
    }
    context.record(Peer::Channel(id), None, heir.to_string(), None);
    Ok(channel_changed(context, me, id, None))
}
