//! `messages.sendMedia`, `messages.uploadMedia`, `messages.sendMultiMedia`.

use std::collections::HashSet;

use grammers_tl_types::{enums, functions};

use super::sending::{Words, answered, checked, sent_updates};
use crate::telegram::context::Context;
use crate::telegram::files::make_an_album;
use crate::telegram::mailbox::Sent;
use crate::telegram::message::Body;
use crate::telegram::peer::Peer;
use crate::telegram::posting::Draft;
use crate::telegram::render::Cast;
use crate::telegram::rpc::{Result, bad_request, internal};

/// The most messages of one album.
const LARGEST_ALBUM: usize = 10;

pub(super) fn send_media(
    context: &mut Context<'_>,
    request: &functions::messages::SendMedia,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    let mut cast = Cast::of(peer);
    let sent = if let Some(sent) = sent_before(context, me, peer, request.random_id)? {
        sent
    } else {
        if request.schedule_date.is_some() {
            return Err(bad_request("SCHEDULE_DATE_INVALID"));
        }
        if request.random_id == 0 {
            return Err(bad_request("RANDOM_ID_EMPTY"));
        }
        let (text, entities) = (&request.message, request.entities.as_deref());
        let entities = checked(context.state, me, text, entities, Words::Caption)?;
        let reply_to = answered(context.state, me, peer, request.reply_to.as_ref())?;
        context.state.may_write(me, peer)?;
        let media = Some(context.state.input_media(me, &request.media, context.at, None)?);
        let body = Body { text: text.as_str().into(), entities, media, ..Body::default() };
        let draft = Draft { body, reply_to, silent: request.silent };
        post(context, me, peer, request.random_id, &draft)?
    };
    let updates = sent_updates(context.state, me, peer, request.random_id, sent, &mut cast);
    Ok(context.updates(me, updates, &cast))
}

/// Makes a file of what was uploaded, without sending it.
pub(super) fn upload_media(
    context: &mut Context<'_>,
    request: &functions::messages::UploadMedia,
) -> Result<enums::MessageMedia> {
    let me = context.me()?;
    context.state.input_peer(me, &request.peer)?;
    let media = context.state.input_media(me, &request.media, context.at, None)?;
    context.state.media(me, media).ok_or(bad_request("MEDIA_INVALID"))
}

pub(super) fn send_multi_media(
    context: &mut Context<'_>,
    request: &functions::messages::SendMultiMedia,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    let items: Vec<_> = request.multi_media.iter().map(|enums::InputSingleMedia::Media(item)| item).collect();
    if items.is_empty() {
        return Err(bad_request("MEDIA_EMPTY"));
    }
    if items.len() > LARGEST_ALBUM {
        return Err(bad_request("MULTI_MEDIA_TOO_LONG"));
    }
    if request.schedule_date.is_some() {
        return Err(bad_request("SCHEDULE_DATE_INVALID"));
    }
    if items.iter().any(|item| item.random_id == 0) {
        return Err(bad_request("RANDOM_ID_EMPTY"));
    }
    let different: HashSet<i64> = items.iter().map(|item| item.random_id).collect();
    if different.len() < items.len() {
        return Err(bad_request("RANDOM_ID_INVALID"));
    }
    // All of it is checked before any of it is sent.
    let mut group = None;
    let mut drafts = Vec::with_capacity(items.len());
    for (place, item) in items.iter().enumerate() {
        if let Some(sent) = sent_before(context, me, peer, item.random_id)? {
            group = group.or(context.state.stored(me, peer, sent.id).and_then(|stored| stored.body.group));
            drafts.push((item.random_id, Err(sent)));
            continue;
        }
        if !matches!(item.media, enums::InputMedia::Photo(_) | enums::InputMedia::Document(_)) {
            // What is only uploaded has to become a file first.
            return Err(bad_request("MEDIA_INVALID"));
        }
        let entities = item.entities.as_deref();
        let entities = checked(context.state, me, &item.message, entities, Words::Caption)?;
        let media = context.state.input_media(me, &item.media, context.at, Some(place))?;
        let text = item.message.as_str().into();
        let body = Body { text, entities, media: Some(media), ..Body::default() };
        drafts.push((item.random_id, Ok(body)));
    }
    let new = drafts.iter().filter_map(|(_, draft)| draft.as_ref().ok()?.media);
    let kinds: Vec<_> = new.filter_map(|media| Some(context.state.files.get(media.file)?.kind)).collect();
    if items.len() > 1 && !kinds.is_empty() && !make_an_album(&kinds) {
        return Err(bad_request("MEDIA_GROUPED_INVALID"));
    }
    let reply_to = answered(context.state, me, peer, request.reply_to.as_ref())?;
    if !kinds.is_empty() {
        context.state.may_write(me, peer)?;
    }
    let group = (items.len() > 1).then(|| group.unwrap_or_else(|| context.state.next_album()));
    let mut cast = Cast::of(peer);
    let mut updates = Vec::new();
    for (random_id, draft) in drafts {
        let sent = match draft {
            Err(sent) => sent,
            Ok(body) => {
                let draft = Draft { body: Body { group, ..body }, reply_to, silent: request.silent };
                post(context, me, peer, random_id, &draft)?
            }
        };
        updates.extend(sent_updates(context.state, me, peer, random_id, sent, &mut cast));
    }
    Ok(context.updates(me, updates, &cast))
}

/// What this `random_id` led to before, if it did.
fn sent_before(context: &Context<'_>, me: i64, peer: Peer, random_id: i64) -> Result<Option<Sent>> {
    let dialog = context.state.mailboxes.get(&me).and_then(|mailbox| mailbox.dialog(peer));
    let Some(dialog) = dialog else { return Ok(None) };
    match dialog.sent.get(&random_id) {
        Some(sent) => Ok(Some(*sent)),
        None if dialog.pending.contains(&random_id) => Err(internal("RANDOM_ID_DUPLICATE")),
        None => Ok(None),
    }
}

/// Posts what has been checked.
fn post(context: &mut Context<'_>, me: i64, peer: Peer, random_id: i64, draft: &Draft) -> Result<Sent> {
    let posted = context.state.post(me, peer, draft, context.at, Some(context.here()));
    let sent = posted.own.ok_or(bad_request("PEER_ID_INVALID"))?;
    if let Some(mailbox) = context.state.mailboxes.get_mut(&me) {
        mailbox.open(peer).sent.insert(random_id, sent);
    }
    context.record_sent(peer, random_id, &draft.body, sent.id);
    Ok(sent)
}
