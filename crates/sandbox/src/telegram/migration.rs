//! A basic group becomes a supergroup: its members go over; its messages stay behind, under the ids they had.

use grammers_tl_types::{enums, types};

use super::chats::{Channel, Role};
use super::orders::{ChatName, OutsideError};
use super::peer::Peer;
use super::sessions::SessionKey;
use super::state::{Moment, State};
use super::world::{Telegram, now};

/// What became of a group.
#[derive(Debug)]
pub(crate) struct Migrated {
    /// The supergroup.
    pub(crate) channel: i64,
    /// The last line of the group and the first of the supergroup, as the user that did it sees them.
    pub(crate) lines: Vec<enums::Update>,
}

impl State {
    /// Makes a supergroup of a basic group; none when it is closed or became one before.
    pub(crate) fn migrate(
        &mut self,
        by: i64,
        id: i64,
        at: Moment,
        except: Option<SessionKey>,
    ) -> Option<Migrated> {
        let channel_id = self.next_channel();
        let group = self.groups.get_mut(&id).filter(|group| !group.deactivated)?;
        let mut channel = Channel::new(channel_id, group.title.clone(), true, at.date());
        channel.about.clone_from(&group.about);
        channel.members.clone_from(&group.members);
        channel.migrated_from = Some(id);
        group.deactivated = true;
        group.migrated_to = Some(channel_id);
        group.version += 1;
        let title = group.title.clone();
        group.links.clear();
        let everybody: Vec<i64> = group.members.keys().copied().collect();
        self.void_links(Peer::Group(id));
        self.channels.insert(channel_id, channel);
        for user in everybody {
            self.show(user, Peer::Channel(channel_id), true);
            self.notify_of_membership(user, channel_id, at, except);
        }
        let action = types::MessageActionChatMigrateTo { channel_id }.into();
        let last = self.announce(by, Peer::Group(id), action, at, except);
        let action = types::MessageActionChannelMigrateFrom { title, chat_id: id }.into();
        let first = self.announce(by, Peer::Channel(channel_id), action, at, except);
        Some(Migrated { channel: channel_id, lines: last.into_iter().chain(first).collect() })
    }
}

impl State {
    /// Lets the creator of a basic group make it a supergroup.
    pub(crate) fn migrate_chat(&mut self, chat_id: &str) -> Result<ChatName, OutsideError> {
        let unfit = || OutsideError::Invalid(format!("{chat_id} is no basic group that is alive"));
        let Peer::Group(id) = self.named(chat_id)? else { return Err(unfit()) };
        let members = self.groups.get(&id).map(|group| group.members.iter());
        let creator = members.into_iter().flatten().find(|(_, member)| member.role == Role::Creator);
        let by = creator.map(|(user, _)| *user).ok_or_else(unfit)?;
        let migrated = self.migrate(by, id, now(), None).ok_or_else(unfit)?;
        Ok(ChatName { chat_id: Peer::Channel(migrated.channel).to_string() })
    }
}

impl Telegram {
    /// Lets the creator of a basic group make it a supergroup.
    pub fn migrate(&self, chat_id: &str) -> Result<ChatName, OutsideError> {
        self.lock().migrate_chat(chat_id)
    }
}
