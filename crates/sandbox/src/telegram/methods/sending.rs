//! `messages.sendMessage`.

use std::sync::Arc;

use domain::text::MOST_ENTITIES;
use grammers_tl_types::{enums, functions, types};

use crate::telegram::context::Context;
use crate::telegram::mailbox::Sent;
use crate::telegram::message::Body;
use crate::telegram::peer::Peer;
use crate::telegram::posting::Draft;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request, internal};
use crate::telegram::state::State;

/// The longest text, in UTF-16 units.
const LONGEST: usize = 4_096;
const LONGEST_CAPTION: usize = 1_024;

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Words {
    /// A message of its own.
    Text,
    /// It is under a file, and may be empty.
    Caption,
}

pub(super) fn send_message(
    context: &mut Context<'_>,
    request: &functions::messages::SendMessage,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    let dialog = context.state.mailboxes.get(&me).and_then(|mailbox| mailbox.dialog(peer));
    if let Some(dialog) = dialog {
        if let Some(sent) = dialog.sent.get(&request.random_id) {
            return Ok(sent_answer(context, me, peer, request.random_id, *sent));
        }
        if dialog.pending.contains(&request.random_id) {
            return Err(internal("RANDOM_ID_DUPLICATE"));
        }
    }
    let draft = draft(context.state, me, peer, request)?;
    context.state.may_write(me, peer)?;
    let posted = context.state.post(me, peer, &draft, context.at, Some(context.here()));
    let sent = posted.own.ok_or(bad_request("PEER_ID_INVALID"))?;
    if let Some(mailbox) = context.state.mailboxes.get_mut(&me) {
        mailbox.open(peer).sent.insert(request.random_id, sent);
    }
    context.record_sent(peer, request.random_id, &draft.body, sent.id);
    Ok(sent_answer(context, me, peer, request.random_id, sent))
}

/// Reads and checks what is to be said.
fn draft(state: &State, me: i64, peer: Peer, request: &functions::messages::SendMessage) -> Result<Draft> {
    if request.schedule_date.is_some() {
        return Err(bad_request("SCHEDULE_DATE_INVALID"));
    }
    if request.random_id == 0 {
        return Err(bad_request("RANDOM_ID_EMPTY"));
    }
    let (text, entities) = (&request.message, request.entities.as_deref());
    let entities = checked(state, me, text, entities, Words::Text)?;
    let reply_to = answered(state, me, peer, request.reply_to.as_ref())?;
    let body = Body { text: text.as_str().into(), entities, ..Body::default() };
    Ok(Draft { body, reply_to, silent: request.silent })
}

/// The message that is answered, which must be there.
pub(super) fn answered(
    state: &State,
    me: i64,
    peer: Peer,
    reply_to: Option<&enums::InputReplyTo>,
) -> Result<Option<i32>> {
    match reply_to {
        Some(enums::InputReplyTo::Message(reply)) => {
            let known = match peer {
                Peer::Channel(id) => {
                    state.channels.get(&id).is_some_and(|it| it.history.get(reply.reply_to_msg_id).is_some())
                }
                Peer::User(_) | Peer::Group(_) => state
                    .mailboxes
                    .get(&me)
                    .and_then(|mailbox| mailbox.dialog(peer))
                    .is_some_and(|dialog| dialog.history.get(reply.reply_to_msg_id).is_some()),
            };
            if !known {
                return Err(bad_request("REPLY_MESSAGE_ID_INVALID"));
            }
            Ok(Some(reply.reply_to_msg_id))
        }
        Some(_) | None => Ok(None),
    }
}

/// Entities as they are kept, shared by all copies.
type Entities = Option<Arc<[enums::MessageEntity]>>;

/// Checks a text and its entities.
pub(super) fn checked(
    state: &State,
    me: i64,
    text: &str,
    entities: Option<&[enums::MessageEntity]>,
    words: Words,
) -> Result<Entities> {
    let units = text.encode_utf16().count();
    match words {
        Words::Text if text.trim().is_empty() => return Err(bad_request("MESSAGE_EMPTY")),
        Words::Text if units > LONGEST => return Err(bad_request("MESSAGE_TOO_LONG")),
        Words::Caption if units > LONGEST_CAPTION => return Err(bad_request("MEDIA_CAPTION_TOO_LONG")),
        Words::Text | Words::Caption => {}
    }
    let mut kept = Vec::new();
    for entity in entities.unwrap_or_default() {
        let (offset, length) = (i64::from(entity.offset()), i64::from(entity.length()));
        let inside = usize::try_from(offset + length).is_ok_and(|end| end <= units);
        if offset < 0 || length <= 0 || !inside {
            return Err(bad_request("ENTITY_BOUNDS_INVALID"));
        }
        match entity {
            enums::MessageEntity::InputMessageEntityMentionName(mention) => {
                let user_id = state
                    .input_user(me, &mention.user_id)
                    .map_err(|_| bad_request("ENTITY_MENTION_USER_INVALID"))?;
                let (offset, length) = (mention.offset, mention.length);
                kept.push(types::MessageEntityMentionName { offset, length, user_id }.into());
            }
            // Clients of an older layer cannot read it.
            enums::MessageEntity::TonAddress(_) => {}
            other => kept.push(other.clone()),
        }
    }
    kept.truncate(MOST_ENTITIES);
    Ok((!kept.is_empty()).then(|| kept.into()))
}

/// The answer to a message that was sent, now or before.
fn sent_answer(context: &Context<'_>, me: i64, peer: Peer, random_id: i64, sent: Sent) -> enums::Updates {
    if let Peer::User(_) = peer {
        let Sent { id, pts, date } = sent;
        let stored = context.state.stored(me, peer, id);
        let entities = stored.and_then(|stored| stored.body.entities.as_deref()).map(<[_]>::to_vec);
        return types::UpdateShortSentMessage {
            out: true,
            id,
            pts,
            pts_count: 1,
            date,
            media: None,
            entities,
            ttl_period: None,
        }
        .into();
    }
    let mut cast = Cast::of(peer);
    let updates = sent_updates(context.state, me, peer, random_id, sent, &mut cast);
    context.updates(me, updates, &cast)
}

/// The updates for a message that was sent: its `random_id`, then the message, if it is still there.
pub(super) fn sent_updates(
    state: &State,
    me: i64,
    peer: Peer,
    random_id: i64,
    sent: Sent,
    cast: &mut Cast,
) -> Vec<enums::Update> {
    let Sent { id, pts, .. } = sent;
    let pts_count = 1;
    let mut updates = vec![types::UpdateMessageId { id, random_id }.into()];
    if let Some(stored) = state.stored(me, peer, id) {
        cast.message(peer, stored);
        let message = state.message(me, peer, stored);
        updates.push(match peer {
            Peer::Channel(_) => types::UpdateNewChannelMessage { message, pts, pts_count }.into(),
            Peer::User(_) | Peer::Group(_) => types::UpdateNewMessage { message, pts, pts_count }.into(),
        });
    }
    updates
}
