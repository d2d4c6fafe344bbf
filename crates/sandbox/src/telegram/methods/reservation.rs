//! Holding on to the `random_id`s of a call while it is delayed: a client that repeats one meanwhile is refused.

use grammers_tl_types::{Identifiable, enums, functions};

use crate::telegram::context::Context;
use crate::telegram::peer::Peer;
use crate::telegram::rpc::{Result, internal, read};
use crate::telegram::state::State;

/// What a delayed call holds on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reservation {
    owner: i64,
    peer: Peer,
    random_ids: Vec<i64>,
}

/// Takes the `random_id`s of a call that is about to be delayed. None when it has none, names no chat, or is a repeat.
pub(crate) fn reserve(context: &mut Context<'_>, id: u32, body: &[u8]) -> Result<Option<Reservation>> {
    const SEND: u32 = functions::messages::SendMessage::CONSTRUCTOR_ID;
    const MEDIA: u32 = functions::messages::SendMedia::CONSTRUCTOR_ID;
    const ALBUM: u32 = functions::messages::SendMultiMedia::CONSTRUCTOR_ID;
    const FORWARD: u32 = functions::messages::ForwardMessages::CONSTRUCTOR_ID;

    let (peer, mut random_ids) = match id {
        SEND => {
            let request = read::<functions::messages::SendMessage>(body)?;
            (request.peer, vec![request.random_id])
        }
        MEDIA => {
            let request = read::<functions::messages::SendMedia>(body)?;
            (request.peer, vec![request.random_id])
        }
        ALBUM => {
            let request = read::<functions::messages::SendMultiMedia>(body)?;
            let items = request.multi_media.into_iter();
            let random_ids = items.map(|enums::InputSingleMedia::Media(item)| item.random_id).collect();
            (request.peer, random_ids)
        }
        FORWARD => {
            let request = read::<functions::messages::ForwardMessages>(body)?;
            (request.to_peer, request.random_id)
        }
        _ => return Ok(None),
    };
    let owner = context.me()?;
    let peer = context.state.input_peer(owner, &peer)?;
    let Some(mailbox) = context.state.mailboxes.get_mut(&owner) else { return Ok(None) };
    let dialog = mailbox.open(peer);
    random_ids.retain(|random_id| !dialog.sent.contains_key(random_id));
    if random_ids.is_empty() {
        return Ok(None);
    }
    if random_ids.iter().any(|random_id| dialog.pending.contains(random_id)) {
        return Err(internal("RANDOM_ID_DUPLICATE"));
    }
    dialog.pending.extend(&random_ids);
    Ok(Some(Reservation { owner, peer, random_ids }))
}

/// Gives reserved `random_id`s back, right before their call takes effect.
pub(crate) fn release(state: &mut State, held: &Reservation) {
    let dialog = state.mailboxes.get_mut(&held.owner).and_then(|mailbox| mailbox.dialog_mut(held.peer));
    if let Some(dialog) = dialog {
        for random_id in &held.random_ids {
            dialog.pending.remove(random_id);
        }
    }
}
