//! Coming and going: who is put into a chat, who leaves it, who is thrown out.

use std::collections::BTreeMap;

use grammers_tl_types::{enums, types};

use super::chats::{Channel, Group, Kicked, Link, Member};
use super::peer::Peer;
use super::posting::Draft;
use super::render::Cast;
use super::sessions::SessionKey;
use super::state::{Moment, State};

impl State {
    /// Makes a channel with its creator in it. No one is notified.
    pub(crate) fn make_channel(&mut self, creator: i64, title: &str, megagroup: bool, date: i32) -> i64 {
        let id = self.next_channel();
        let mut channel = Channel::new(id, title.to_owned(), megagroup, date);
        channel.members.insert(creator, Member::creator(creator, date));
        self.channels.insert(id, channel);
        self.show(creator, Peer::Channel(id), true);
        id
    }

    /// Makes a basic group. No one is notified.
    pub(crate) fn make_group(&mut self, creator: i64, title: &str, members: &[i64], date: i32) -> i64 {
        let id = self.next_group();
        let mut group = Group {
            id,
            title: title.to_owned(),
            about: String::new(),
            version: 1,
            members: members.iter().map(|user| (*user, Member::plain(creator, date))).collect(),
            links: BTreeMap::new(),
            deactivated: false,
            migrated_to: None,
        };
        group.members.insert(creator, Member::creator(creator, date));
        let everybody: Vec<i64> = group.members.keys().copied().collect();
        self.groups.insert(id, group);
        for user in everybody {
            self.show(user, Peer::Group(id), true);
        }
        id
    }

    /// Puts a chat into the list of dialogs of an account, or takes it out.
    pub(crate) fn show(&mut self, user: i64, peer: Peer, shown: bool) {
        let newest = match peer {
            Peer::Channel(id) => self.channels.get(&id).map_or(0, |channel| channel.last_id),
            Peer::User(_) | Peer::Group(_) => 0,
        };
        if let Some(mailbox) = self.mailboxes.get_mut(&user) {
            let dialog = mailbox.open(peer);
            if shown && dialog.hidden {
                dialog.read_inbox = dialog.read_inbox.max(newest);
            }
            dialog.hidden = !shown;
        }
    }

    /// Puts a user into a channel; false when it is there already. No one is notified.
    pub(crate) fn enter_channel(&mut self, user: i64, channel: i64, by: i64, date: i32) -> bool {
        let Some(known) = self.channels.get_mut(&channel) else { return false };
        if known.members.contains_key(&user) {
            return false;
        }
        let came_after = known.last_id;
        known.members.insert(user, Member { came_after, ..Member::plain(by, date) });
        known.kicked.remove(&user);
        self.show(user, Peer::Channel(channel), true);
        true
    }

    /// Takes a user out of a channel; false when it was not there. No one is notified.
    pub(crate) fn leave_channel(&mut self, user: i64, channel: i64) -> bool {
        let member = self.channels.get_mut(&channel).and_then(|channel| channel.members.remove(&user));
        if member.is_some() {
            self.show(user, Peer::Channel(channel), false);
        }
        member.is_some()
    }

    /// Throws a user out of a channel for good.
    pub(crate) fn ban(&mut self, user: i64, channel: i64, by: i64, date: i32) {
        self.leave_channel(user, channel);
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.kicked.insert(user, Kicked { by, date });
        }
    }

    /// Puts a user into a basic group; false when it is there already. No one is notified.
    pub(crate) fn enter_group(&mut self, user: i64, group: i64, by: i64, date: i32) -> bool {
        let Some(known) = self.groups.get_mut(&group) else { return false };
        if known.members.contains_key(&user) {
            return false;
        }
        known.members.insert(user, Member::plain(by, date));
        known.version += 1;
        self.show(user, Peer::Group(group), true);
        true
    }

    /// Takes a user out of a basic group; its messages stay with it. No one is notified.
    pub(crate) fn leave_group(&mut self, user: i64, group: i64) -> bool {
        let Some(known) = self.groups.get_mut(&group) else { return false };
        let left = known.members.remove(&user).is_some();
        known.version += i32::from(left);
        left
    }

    /// Closes a channel for everybody.
    pub(crate) fn close_channel(&mut self, id: i64, at: Moment, except: Option<SessionKey>) {
        let readers = self.readers(id);
        let Some(channel) = self.channels.get_mut(&id) else { return };
        let username = channel.username.take();
        channel.links.clear();
        let everybody: Vec<i64> = channel.members.keys().copied().collect();
        for user in everybody {
            self.leave_channel(user, id);
        }
        if let Some(username) = username {
            self.forget_username(&username);
        }
        self.void_links(Peer::Channel(id));
        for reader in readers {
            self.notify_of_membership(reader, id, at, except);
        }
    }

    /// Closes a basic group for everybody.
    pub(crate) fn close_group(&mut self, id: i64, at: Moment, except: Option<SessionKey>) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        group.deactivated = true;
        group.version += 1;
        let everybody = std::mem::take(&mut group.members);
        group.links.clear();
        self.void_links(Peer::Group(id));
        for user in everybody.into_keys() {
            let update = types::UpdateChat { chat_id: id }.into();
            self.tell(user, vec![update], &Cast::of(Peer::Group(id)), at, except);
        }
    }

    /// The primary links of a chat's admins.
    pub(crate) fn links(&mut self, peer: Peer) -> Option<&mut BTreeMap<i64, Link>> {
        match peer {
            Peer::User(_) => None,
            Peer::Group(id) => self.groups.get_mut(&id).map(|group| &mut group.links),
            Peer::Channel(id) => self.channels.get_mut(&id).map(|channel| &mut channel.links),
        }
    }

    /// Lets no link of a chat lead into it any more.
    pub(crate) fn void_links(&mut self, peer: Peer) {
        self.invites.retain(|_, to| *to != peer);
    }

    /// Notifies an account that its standing in a channel has changed.
    pub(crate) fn notify_of_membership(
        &mut self,
        user: i64,
        channel_id: i64,
        at: Moment,
        except: Option<SessionKey>,
    ) {
        let update = types::UpdateChannel { channel_id }.into();
        self.tell(user, vec![update], &Cast::of(Peer::Channel(channel_id)), at, except);
    }

    /// Puts a line like "joined the group" into a chat. Returns the update of the user that did it.
    pub(crate) fn announce(
        &mut self,
        from: i64,
        peer: Peer,
        action: enums::MessageAction,
        at: Moment,
        except: Option<SessionKey>,
    ) -> Option<enums::Update> {
        let sent = self.post(from, peer, &Draft::service(action), at, except).own?;
        let stored = self.stored(from, peer, sent.id)?;
        let message = self.message(from, peer, stored);
        let (pts, pts_count) = (sent.pts, 1);
        Some(match peer {
            Peer::Channel(_) => types::UpdateNewChannelMessage { message, pts, pts_count }.into(),
            Peer::User(_) | Peer::Group(_) => types::UpdateNewMessage { message, pts, pts_count }.into(),
        })
    }
}

/// The id of the message in an update that brings a new one.
pub(crate) fn announced_id(update: Option<&enums::Update>) -> Option<i32> {
    match update {
        Some(enums::Update::NewMessage(new)) => Some(new.message.id()),
        Some(enums::Update::NewChannelMessage(new)) => Some(new.message.id()),
        Some(_) | None => None,
    }
}
