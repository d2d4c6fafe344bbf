//! Editing and deleting messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use grammers_tl_types::{enums, functions, types};

use super::sending::{Words, checked};
use crate::telegram::context::Context;
use crate::telegram::message::Body;
use crate::telegram::peer::Peer;
use crate::telegram::render::{Cast, reactions};
use crate::telegram::rpc::{Result, bad_request, forbidden};
use crate::telegram::sessions::SessionKey;
use crate::telegram::state::{Moment, State};
use crate::telegram::update_log::Event;

pub(super) fn edit_message(
    context: &mut Context<'_>,
    request: &functions::messages::EditMessage,
) -> Result<enums::Updates> {
    let me = context.me()?;
    let peer = context.state.input_peer(me, &request.peer)?;
    context.state.may_read(me, peer)?;
    let stored = context.state.stored(me, peer, request.id).ok_or(bad_request("MESSAGE_ID_INVALID"))?;
    if stored.body.service.is_some() {
        return Err(bad_request("MESSAGE_ID_INVALID"));
    }
    if stored.from != me && !context.state.is_broadcast(peer) {
        return Err(forbidden("MESSAGE_AUTHOR_REQUIRED"));
    }
    context.state.may_write(me, peer)?;
    let old = stored.body.clone();
    let (text, words) = match (request.message.as_deref(), old.media) {
        (Some(text), None) => (text, Words::Text),
        (Some(caption), Some(_)) => (caption, Words::Caption),
        (None, Some(_)) if request.media.is_some() => (&*old.text, Words::Caption),
        (None, _) => return Err(bad_request("MESSAGE_EMPTY")),
    };
    let entities = checked(context.state, me, text, request.entities.as_deref(), words)?;
    let media = match (&request.media, old.media) {
        (None, media) => media,
        (Some(media), Some(_)) => Some(context.state.input_media(me, media, context.at, None)?),
        (Some(_), None) => return Err(bad_request("MEDIA_PREV_INVALID")),
    };
    if *old.text == *text && old.entities == entities && old.media == media {
        return Err(bad_request("MESSAGE_NOT_MODIFIED"));
    }
    let body = Body { text: text.into(), entities, media, ..old.clone() };
    let recorded = Arc::clone(&body.text);
    let update = context.state.edit(me, peer, request.id, &body, context.at, Some(context.here()));
    let (update, cast) = update.ok_or(bad_request("MESSAGE_ID_INVALID"))?;
    context.record(peer, None, recorded, Some(request.id));
    Ok(context.updates(me, vec![update], &cast))
}

impl State {
    /// A message of a chat, in the numbering of one account.
    pub(crate) fn stored(&self, me: i64, peer: Peer, id: i32) -> Option<&crate::telegram::message::Stored> {
        match peer {
            Peer::Channel(channel) => self.channels.get(&channel)?.history.get(id),
            Peer::User(_) | Peer::Group(_) => self.mailboxes.get(&me)?.dialog(peer)?.history.get(id),
        }
    }

    /// Changes a message in every copy. Returns the update for the owner of this one.
    pub(crate) fn edit(
        &mut self,
        owner: i64,
        peer: Peer,
        id: i32,
        body: &Body,
        at: Moment,
        except: Option<SessionKey>,
    ) -> Option<(enums::Update, Cast)> {
        let origin = self.stored(owner, peer, id)?.origin;
        self.keyboards.shown(origin, body.markup.as_ref(), at.0);
        if let Peer::Channel(channel) = peer {
            return self.edit_in_channel(owner, channel, id, body, at, except);
        }
        let mut own = None;
        for (reader, there) in self.copies(owner, peer) {
            let Some(id) = self.copy_of(reader, there, origin) else { continue };
            let mailbox = self.mailboxes.get_mut(&reader)?;
            let stored = mailbox.dialog_mut(there)?.history.get_mut(id)?;
            stored.body = body.clone();
            stored.edit_date = Some(at.date());
            let mut cast = Cast::default();
            cast.message(there, stored);
            let event = Event::Edited(id);
            let pts = mailbox.log.record(event.clone());
            let update = self.mailbox_update(reader, &event, pts)?;
            if reader == owner {
                own = Some((update.clone(), Cast::of(there)));
            }
            self.tell(reader, vec![update], &cast, at, except);
        }
        own
    }

    fn edit_in_channel(
        &mut self,
        owner: i64,
        id: i64,
        message: i32,
        body: &Body,
        at: Moment,
        except: Option<SessionKey>,
    ) -> Option<(enums::Update, Cast)> {
        let peer = Peer::Channel(id);
        let channel = self.channels.get_mut(&id)?;
        let stored = channel.history.get_mut(message)?;
        stored.body = body.clone();
        stored.edit_date = Some(at.date());
        let stored = stored.clone();
        channel.changed = at.date();
        let pts = channel.log.record(Event::Edited(message));
        let mut cast = Cast::default();
        cast.message(peer, &stored);
        for reader in self.readers(id) {
            if self.listens(reader, except) {
                let update = self.channel_edit(reader, id, &stored, pts);
                self.tell(reader, vec![update], &cast, at, except);
            }
        }
        Some((self.channel_edit(owner, id, &stored, pts), cast))
    }

    /// Takes messages out of a channel; returns the pts after that and how many there were.
    fn delete_in_channel(
        &mut self,
        id: i64,
        messages: &[i32],
        at: Moment,
        except: Option<SessionKey>,
    ) -> Option<(i32, i32)> {
        let channel = self.channels.get_mut(&id)?;
        for message in messages {
            channel.history.remove(*message);
        }
        channel.changed = at.date();
        let event = Event::Deleted(messages.to_vec());
        let pts_count = event.weight();
        let pts = channel.log.record(event);
        for reader in self.readers(id) {
            let (channel_id, messages) = (id, messages.to_vec());
            let update = types::UpdateDeleteChannelMessages { channel_id, messages, pts, pts_count }.into();
            self.tell(reader, vec![update], &Cast::of(Peer::Channel(id)), at, except);
        }
        Some((pts, pts_count))
    }

    /// Takes a message out of every copy. False when there is none.
    pub(crate) fn delete_everywhere(&mut self, owner: i64, peer: Peer, id: i32, at: Moment) -> bool {
        let Some(origin) = self.stored(owner, peer, id).map(|stored| stored.origin) else { return false };
        if let Peer::Channel(channel) = peer {
            return self.delete_in_channel(channel, &[id], at, None).is_some();
        }
        for (reader, there) in self.copies(owner, peer) {
            if let Some(copy) = self.copy_of(reader, there, origin) {
                self.drop_copies(reader, &[copy], at, None);
            }
        }
        true
    }

    /// Gives every copy of a message these reactions. No counter moves with it. False when there is no such message.
    pub(crate) fn react(
        &mut self,
        owner: i64,
        peer: Peer,
        id: i32,
        given: &Arc<[(String, i32)]>,
        at: Moment,
    ) -> bool {
        let Some(origin) = self.stored(owner, peer, id).map(|stored| stored.origin) else { return false };
        let copies: Vec<(i64, Peer, i32)> = if let Peer::Channel(channel) = peer {
            let readers = self.readers(channel);
            readers.into_iter().map(|reader| (reader, peer, id)).collect()
        } else {
            let copies = self.copies(owner, peer);
            let copy = |(reader, there)| Some((reader, there, self.copy_of(reader, there, origin)?));
            copies.into_iter().filter_map(copy).collect()
        };
        for (reader, there, id) in copies {
            let stored = match there {
                Peer::Channel(channel) => {
                    self.channels.get_mut(&channel).and_then(|channel| channel.history.get_mut(id))
                }
                Peer::User(_) | Peer::Group(_) => self
                    .mailboxes
                    .get_mut(&reader)
                    .and_then(|mailbox| mailbox.dialog_mut(there))
                    .and_then(|dialog| dialog.history.get_mut(id)),
            };
            if let Some(stored) = stored {
                stored.body.reactions = Some(Arc::clone(given));
            }
            let update = types::UpdateMessageReactions {
                peer: there.to_tl(),
                msg_id: id,
                top_msg_id: None,
                saved_peer_id: None,
                reactions: reactions(given),
            };
            self.tell(reader, vec![update.into()], &Cast::of(there), at, None);
        }
        true
    }

    /// The mailboxes that have copies of a chat's messages, and what the chat is called there.
    fn copies(&self, owner: i64, peer: Peer) -> Vec<(i64, Peer)> {
        let all = match peer {
            Peer::User(other) if other == owner => vec![(owner, peer)],
            Peer::User(other) => vec![(owner, peer), (other, Peer::User(owner))],
            Peer::Group(group) => {
                let members = self.groups.get(&group).map(|group| group.members.keys());
                let mut all: Vec<_> = members.into_iter().flatten().map(|user| (*user, peer)).collect();
                if !all.contains(&(owner, peer)) {
                    all.push((owner, peer));
                }
                all
            }
            Peer::Channel(_) => Vec::new(),
        };
        all.into_iter().filter(|(user, _)| self.mailboxes.contains_key(user)).collect()
    }

    /// The ids of a chat's messages in one mailbox, up to one of them; 0 means all.
    fn ids_in(&self, owner: i64, peer: Peer, max_id: i32) -> Vec<i32> {
        let dialog = self.mailboxes.get(&owner).and_then(|mailbox| mailbox.dialog(peer));
        let messages = dialog.into_iter().flat_map(|dialog| dialog.history.newest_first());
        messages.map(|message| message.id).filter(|id| max_id <= 0 || *id <= max_id).collect()
    }

    /// Takes messages out of one mailbox; returns the pts after that and how many there were.
    fn drop_copies(&mut self, owner: i64, ids: &[i32], at: Moment, except: Option<SessionKey>) -> (i32, i32) {
        let Some(mailbox) = self.mailboxes.get_mut(&owner) else { return (1, 0) };
        let mut gone = Vec::new();
        for id in ids {
            if let Some(peer) = mailbox.peer_of(*id)
                && mailbox.dialog_mut(peer).is_some_and(|dialog| dialog.history.remove(*id).is_some())
            {
                gone.push(*id);
            }
        }
        if gone.is_empty() {
            return (mailbox.log.pts(), 0);
        }
        let event = Event::Deleted(gone.clone());
        let pts_count = event.weight();
        let pts = self.note(owner, event, &Cast::default(), at, except, |pts| {
            types::UpdateDeleteMessages { messages: gone, pts, pts_count }.into()
        });
        (pts.unwrap_or(1), pts_count)
    }
}

pub(super) fn delete_messages(
    context: &mut Context<'_>,
    request: &functions::messages::DeleteMessages,
) -> Result<enums::messages::AffectedMessages> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let mailbox = context.state.mailboxes.get(&me).ok_or(bad_request("USER_ID_INVALID"))?;
    let found: Vec<(Peer, i32, u64, i64)> = request
        .id
        .iter()
        .filter_map(|id| mailbox.message(*id).map(|(peer, stored)| (peer, *id, stored.origin, stored.from)))
        .collect();
    if request.revoke {
        let mut elsewhere: BTreeMap<i64, Vec<i32>> = BTreeMap::new();
        for (peer, _, origin, from) in &found {
            // In a group only one's own messages go for everybody; a creator's word goes for all.
            let everywhere = match peer {
                Peer::Group(id) => {
                    *from == me
                        || context.state.groups.get(id).is_some_and(|group| {
                            group.members.get(&me).is_some_and(|member| member.may(|r| r.delete_messages))
                        })
                }
                Peer::User(_) | Peer::Channel(_) => true,
            };
            if !everywhere {
                return Err(forbidden("MESSAGE_DELETE_FORBIDDEN"));
            }
            for (reader, there) in context.state.copies(me, *peer) {
                if reader != me
                    && let Some(copy) = context.state.copy_of(reader, there, *origin)
                {
                    elsewhere.entry(reader).or_default().push(copy);
                }
            }
        }
        for (reader, ids) in elsewhere {
            context.state.drop_copies(reader, &ids, at, here);
        }
    }
    let ids: Vec<i32> = found.iter().map(|(_, id, _, _)| *id).collect();
    let (pts, pts_count) = context.state.drop_copies(me, &ids, at, here);
    for (peer, id, _, _) in found {
        context.record(peer, None, "", Some(id));
    }
    Ok(types::messages::AffectedMessages { pts, pts_count }.into())
}

/// Clears a private chat or a basic group, for oneself or for both sides.
pub(super) fn delete_history(
    context: &mut Context<'_>,
    request: &functions::messages::DeleteHistory,
) -> Result<enums::messages::AffectedHistory> {
    let me = context.me()?;
    let (at, here) = (context.at, context.here());
    let peer = context.state.input_peer(me, &request.peer)?;
    if let Peer::Channel(_) = peer {
        return Err(bad_request("PEER_ID_INVALID"));
    }
    let other = match peer {
        Peer::User(other) if request.revoke && other != me => Some((other, Peer::User(me))),
        Peer::User(_) | Peer::Group(_) | Peer::Channel(_) => None,
    };
    if let Some((other, there)) = other {
        let ids = context.state.ids_in(other, there, 0);
        context.state.drop_copies(other, &ids, at, Some(here));
    }
    let ids = context.state.ids_in(me, peer, request.max_id);
    let (pts, pts_count) = context.state.drop_copies(me, &ids, at, Some(here));
    let dialog = context.state.mailboxes.get_mut(&me).and_then(|mailbox| mailbox.dialog_mut(peer));
    if let Some(dialog) = dialog
        && !request.just_clear
    {
        dialog.hidden = true;
    }
    context.record(peer, None, "", None);
    Ok(types::messages::AffectedHistory { pts, pts_count, offset: 0 }.into())
}

pub(super) fn delete_channel_messages(
    context: &mut Context<'_>,
    request: &functions::channels::DeleteMessages,
) -> Result<enums::messages::AffectedMessages> {
    let me = context.me()?;
    let (at, here) = (context.at, Some(context.here()));
    let id = context.state.input_channel(me, &request.channel)?;
    context.state.may_read(me, Peer::Channel(id))?;
    let channel = context.state.channels.get_mut(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
    let may_all = channel.members.get(&me).is_some_and(|member| member.may(|rights| rights.delete_messages));
    let mut messages: Vec<i32> =
        request.id.iter().filter(|id| channel.history.get(**id).is_some()).copied().collect();
    messages.sort_unstable();
    messages.dedup();
    let own = |id: &i32| channel.history.get(*id).is_some_and(|stored| stored.from == me);
    if !may_all && !messages.iter().all(own) {
        return Err(forbidden("MESSAGE_DELETE_FORBIDDEN"));
    }
    if messages.is_empty() {
        let pts = channel.log.pts();
        return Ok(types::messages::AffectedMessages { pts, pts_count: 0 }.into());
    }
    let Some((pts, pts_count)) = context.state.delete_in_channel(id, &messages, at, here) else {
        return Err(bad_request("CHANNEL_INVALID"));
    };
    for message in messages {
        context.record(Peer::Channel(id), None, "", Some(message));
    }
    Ok(types::messages::AffectedMessages { pts, pts_count }.into())
}
