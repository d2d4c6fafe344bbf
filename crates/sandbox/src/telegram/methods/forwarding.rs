//! `messages.forwardMessages`: each message has a `random_id` of its own.

use std::collections::HashMap;
use std::sync::Arc;

use grammers_tl_types::{enums, functions};

use super::sending::sent_updates;
use crate::telegram::context::Context;
use crate::telegram::message::{Body, Forward, Stored};
use crate::telegram::peer::Peer;
use crate::telegram::posting::Draft;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request, internal};
use crate::telegram::state::State;

/// The most messages of one call.
const MOST: usize = 100;

pub(super) fn forward_messages(
    context: &mut Context<'_>,
    request: &functions::messages::ForwardMessages,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let from = context.state.input_peer(me, &request.from_peer)?;
    let to = context.state.input_peer(me, &request.to_peer)?;
    if request.id.is_empty() || request.id.len() > MOST {
        return Err(bad_request("MESSAGE_IDS_EMPTY"));
    }
    if request.random_id.len() != request.id.len() || request.random_id.contains(&0) {
        return Err(bad_request("RANDOM_ID_INVALID"));
    }
    if request.schedule_date.is_some() {
        return Err(bad_request("SCHEDULE_DATE_INVALID"));
    }
    context.state.may_read(me, from)?;
    let drafts = drafts(context.state, me, from, to, request)?;
    if drafts.iter().any(|(_, draft)| draft.is_some()) {
        context.state.may_write(me, to)?;
    }
    let mut cast = Cast::of(to);
    let mut updates = Vec::new();
    // An album that is forwarded is another album.
    let mut albums = HashMap::new();
    for (random_id, draft) in drafts {
        let known = |context: &Context<'_>| {
            let dialog = context.state.mailboxes.get(&me).and_then(|mailbox| mailbox.dialog(to));
            dialog.and_then(|dialog| dialog.sent.get(&random_id)).copied()
        };
        let sent = match (known(context), draft) {
            (Some(sent), _) => sent,
            (None, None) => return Err(bad_request("RANDOM_ID_INVALID")),
            (None, Some(mut draft)) => {
                if let Some(album) = draft.body.group {
                    let again = albums.entry(album).or_insert_with(|| context.state.next_album());
                    draft.body.group = Some(*again);
                }
                let posted = context.state.post(me, to, &draft, context.at, Some(context.here()));
                let sent = posted.own.ok_or(bad_request("PEER_ID_INVALID"))?;
                if let Some(mailbox) = context.state.mailboxes.get_mut(&me) {
                    mailbox.open(to).sent.insert(random_id, sent);
                }
                context.record_sent(to, random_id, &draft.body, sent.id);
                sent
            }
        };
        updates.extend(sent_updates(context.state, me, to, random_id, sent, &mut cast));
    }
    Ok(context.updates(me, updates, &cast))
}

/// What is to be posted under each `random_id`; none for one that was sent before. All of it is checked before any is posted.
fn drafts(
    state: &State,
    me: i64,
    from: Peer,
    to: Peer,
    request: &functions::messages::ForwardMessages,
) -> Result<Vec<(i64, Option<Draft>)>> {
    let dialog = state.mailboxes.get(&me).and_then(|mailbox| mailbox.dialog(to));
    let mut drafts = Vec::with_capacity(request.id.len());
    for (id, random_id) in request.id.iter().zip(&request.random_id) {
        if dialog.is_some_and(|dialog| dialog.sent.contains_key(random_id)) {
            drafts.push((*random_id, None));
            continue;
        }
        if dialog.is_some_and(|dialog| dialog.pending.contains(random_id)) {
            return Err(internal("RANDOM_ID_DUPLICATE"));
        }
        let stored = state.stored(me, from, *id).filter(|stored| stored.body.service.is_none());
        let stored = stored.ok_or(bad_request("MESSAGE_ID_INVALID"))?;
        let forward = (!request.drop_author).then(|| origin(state, from, stored));
        let body = Body { markup: None, forward, reactions: None, ..stored.body.clone() };
        drafts.push((*random_id, Some(Draft { body, reply_to: None, silent: request.silent })));
    }
    Ok(drafts)
}

/// Where a message comes from: what is forwarded again keeps its first author.
fn origin(state: &State, peer: Peer, stored: &Stored) -> Arc<Forward> {
    if let Some(first) = &stored.body.forward {
        return Arc::clone(first);
    }
    let post = state.is_broadcast(peer).then_some(stored.id);
    let from = if post.is_some() { peer } else { Peer::User(stored.from) };
    Arc::new(Forward { from, date: stored.date, post })
}
