//! Putting messages and other changes into the world, and notifying those who are connected.

use grammers_tl_types::{Serializable, enums, types};

use super::mailbox::Sent;
use super::message::{Body, Stored};
use super::peer::Peer;
use super::render::{Cast, short_form};
use super::sessions::SessionKey;
use super::state::{Moment, State};
use super::update_log::Event;
use crate::call::Push;

/// A message that is about to be posted. Who may post what has been decided.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) body: Body,
    /// In the numbering of the sender, or of the channel.
    pub(crate) reply_to: Option<i32>,
    pub(crate) silent: bool,
}

impl Draft {
    pub(crate) fn text(text: &str) -> Self {
        Self { body: Body { text: text.into(), ..Body::default() }, ..Self::default() }
    }

    pub(crate) fn service(action: enums::MessageAction) -> Self {
        Self { body: Body { service: Some(action.into()), ..Body::default() }, ..Self::default() }
    }
}

/// What posting led to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Posted {
    pub(crate) origin: u64,
    /// The sender's own copy, or the channel's message; none for a sender without a mailbox.
    pub(crate) own: Option<Sent>,
}

/// One message on its way.
struct Posting<'a> {
    origin: u64,
    from: i64,
    draft: &'a Draft,
    at: Moment,
    except: Option<SessionKey>,
}

impl Posting<'_> {
    fn stored(&self, id: i32, reply_to: Option<i32>) -> Stored {
        Stored {
            id,
            origin: self.origin,
            date: self.at.date(),
            edit_date: None,
            from: self.from,
            reply_to,
            silent: self.draft.silent,
            body: self.draft.body.clone(),
        }
    }
}

impl State {
    /// Posts a message: a copy for each mailbox, or one for all in a channel.
    pub(crate) fn post(
        &mut self,
        from: i64,
        peer: Peer,
        draft: &Draft,
        at: Moment,
        except: Option<SessionKey>,
    ) -> Posted {
        let origin = self.next_origin();
        let posting = Posting { origin, from, draft, at, except };
        let own = match peer {
            Peer::Channel(channel) => self.post_in_channel(&posting, channel),
            Peer::User(to) if to == from => self.copy(&posting, from, peer),
            Peer::User(to) => {
                let own = self.copy(&posting, from, peer);
                self.copy(&posting, to, Peer::User(from));
                own
            }
            Peer::Group(group) => {
                let readers = self.groups.get(&group).map(|group| group.members.keys().copied());
                let readers: Vec<i64> = readers.into_iter().flatten().filter(|user| *user != from).collect();
                let own = self.copy(&posting, from, peer);
                for reader in readers {
                    self.copy(&posting, reader, peer);
                }
                own
            }
        };
        self.keyboards.shown(origin, draft.body.markup.as_ref(), at.0);
        if let Peer::User(to) = peer {
            self.hear_text(from, to, &draft.body.text, origin, at);
        }
        Posted { origin, own }
    }

    /// One mailbox's copy of a message.
    fn copy(&mut self, posting: &Posting<'_>, owner: i64, peer: Peer) -> Option<Sent> {
        if !self.mailboxes.contains_key(&owner) {
            return None;
        }
        let answered = posting.draft.reply_to;
        let reply_to = answered.and_then(|id| self.same_message(posting.from, id, owner, peer));
        let message = posting.stored(0, reply_to);
        let mailbox = self.mailboxes.get_mut(&owner)?;
        // Who is in the list of dialogs needs no introduction.
        let is_known = mailbox.dialog(peer).is_some_and(|dialog| !dialog.hidden);
        let (id, pts) = mailbox.deliver(peer, message);
        if self.listens(owner, posting.except)
            && let Some((_, stored)) = self.mailboxes.get(&owner).and_then(|mailbox| mailbox.message(id))
        {
            if let Some(short) = short_form(owner, peer, stored, pts).filter(|_| is_known) {
                let push = Push::plain(enums::Updates::from(short).to_bytes());
                self.sessions.push(self.authorizations.keys_of(owner), posting.except, &push);
                return Some(Sent { id, pts, date: posting.at.date() });
            }
            let mut cast = Cast::default();
            cast.message(peer, stored);
            let message = self.message(owner, peer, stored);
            let update = types::UpdateNewMessage { message, pts, pts_count: 1 }.into();
            self.tell(owner, vec![update], &cast, posting.at, posting.except);
        }
        Some(Sent { id, pts, date: posting.at.date() })
    }

    /// The id that a message of one mailbox has in another.
    fn same_message(&self, owner: i64, id: i32, other: i64, peer: Peer) -> Option<i32> {
        if owner == other {
            return Some(id);
        }
        let (_, message) = self.mailboxes.get(&owner)?.message(id)?;
        self.copy_of(other, peer, message.origin)
    }

    /// The id of a mailbox's copy of a message.
    pub(crate) fn copy_of(&self, owner: i64, peer: Peer, origin: u64) -> Option<i32> {
        let dialog = self.mailboxes.get(&owner)?.dialog(peer)?;
        dialog.history.by_origin(origin).map(|message| message.id)
    }

    fn post_in_channel(&mut self, posting: &Posting<'_>, id: i64) -> Option<Sent> {
        let Posting { from, at, except, .. } = *posting;
        let date = at.date();
        let peer = Peer::Channel(id);
        let channel = self.channels.get_mut(&id)?;
        channel.last_id += 1;
        let stored = posting.stored(channel.last_id, posting.draft.reply_to);
        channel.history.push(stored.clone());
        channel.changed = date;
        let pts = channel.log.record(Event::New(stored.id));
        let mut cast = Cast::default();
        cast.message(peer, &stored);
        for reader in self.readers(id) {
            if let Some(mailbox) = self.mailboxes.get_mut(&reader) {
                let dialog = mailbox.open(peer);
                dialog.hidden = false;
                if reader == from && dialog.read_inbox == stored.id - 1 {
                    dialog.read_inbox = stored.id;
                }
            }
            if self.listens(reader, except) {
                let message = self.message(reader, peer, &stored);
                let update = types::UpdateNewChannelMessage { message, pts, pts_count: 1 }.into();
                self.tell(reader, vec![update], &cast, at, except);
            }
        }
        Some(Sent { id: stored.id, pts, date })
    }

    /// The members of a channel that have a mailbox.
    pub(crate) fn readers(&self, channel: i64) -> Vec<i64> {
        let members = self.channels.get(&channel).map(|channel| channel.members.keys());
        members.into_iter().flatten().filter(|user| self.mailboxes.contains_key(user)).copied().collect()
    }

    /// Whether any session of a user is there to be notified.
    pub(crate) fn listens(&self, user: i64, except: Option<SessionKey>) -> bool {
        let keys = self.authorizations.keys_of(user);
        !self.hushed
            && self.sessions.anyone(keys, except)
            && !self.faults.deafens(self.account_of(user).map(|account| &*account.name))
    }

    /// Pushes updates to the sessions of a user.
    pub(crate) fn tell(
        &mut self,
        user: i64,
        updates: Vec<enums::Update>,
        cast: &Cast,
        at: Moment,
        except: Option<SessionKey>,
    ) {
        if self.listens(user, except) {
            let has_keyboard = updates.iter().any(has_keyboard);
            let updates = self.updates(user, updates, cast, at).to_bytes();
            let push = Push { updates, has_keyboard };
            self.sessions.push(self.authorizations.keys_of(user), except, &push);
        }
    }

    /// `updates`, with those who are mentioned. Each update has its own pts, so the sequence is not counted.
    pub(crate) fn updates(
        &self,
        viewer: i64,
        updates: Vec<enums::Update>,
        cast: &Cast,
        at: Moment,
    ) -> enums::Updates {
        let (users, chats) = self.introduce(viewer, cast);
        types::Updates { updates, users, chats, date: at.date(), seq: 0 }.into()
    }

    /// Writes a change into a mailbox's log and pushes the update made of the pts after it, which is returned.
    pub(crate) fn note(
        &mut self,
        owner: i64,
        event: Event,
        cast: &Cast,
        at: Moment,
        except: Option<SessionKey>,
        update: impl FnOnce(i32) -> enums::Update,
    ) -> Option<i32> {
        let pts = self.mailboxes.get_mut(&owner)?.log.record(event);
        if self.listens(owner, except) {
            self.tell(owner, vec![update(pts)], cast, at, except);
        }
        Some(pts)
    }
}

/// Whether a message of an update has a keyboard.
fn has_keyboard(update: &enums::Update) -> bool {
    use enums::Update;
    let message = match update {
        Update::NewMessage(new) => &new.message,
        Update::NewChannelMessage(new) => &new.message,
        Update::EditMessage(edit) => &edit.message,
        Update::EditChannelMessage(edit) => &edit.message,
        _ => return false,
    };
    matches!(message, enums::Message::Message(message) if message.reply_markup.is_some())
}
