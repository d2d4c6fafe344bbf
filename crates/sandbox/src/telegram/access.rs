//! Who may name whom, see what, and write where.

use grammers_tl_types::enums;

use super::peer::Peer;
use super::rpc::{Result, bad_request, forbidden, not_acceptable};
use super::state::State;

impl State {
    /// The user an account names.
    pub(crate) fn input_user(&self, viewer: i64, input: &enums::InputUser) -> Result<i64> {
        const INVALID: super::rpc::RpcError = bad_request("USER_ID_INVALID");
        match input {
            enums::InputUser::Empty => Err(INVALID),
            enums::InputUser::UserSelf => Ok(viewer),
            enums::InputUser::User(user) => {
                let peer = Peer::User(user.user_id);
                let known = self.people.contains_key(&user.user_id)
                    && self.seed.access_hash(viewer, peer) == user.access_hash;
                known.then_some(user.user_id).ok_or(INVALID)
            }
            enums::InputUser::FromMessage(named) => {
                let is_author = self.is_written_by(viewer, &named.peer, named.msg_id, named.user_id);
                is_author.then_some(named.user_id).ok_or(INVALID)
            }
        }
    }

    /// The channel an account names; whether it may see it is another question.
    pub(crate) fn input_channel(&self, viewer: i64, input: &enums::InputChannel) -> Result<i64> {
        const INVALID: super::rpc::RpcError = bad_request("CHANNEL_INVALID");
        match input {
            enums::InputChannel::Channel(channel) => {
                let peer = Peer::Channel(channel.channel_id);
                let known = self.channels.contains_key(&channel.channel_id)
                    && self.seed.access_hash(viewer, peer) == channel.access_hash;
                known.then_some(channel.channel_id).ok_or(INVALID)
            }
            enums::InputChannel::Empty | enums::InputChannel::FromMessage(_) => Err(INVALID),
        }
    }

    /// The chat an account names.
    pub(crate) fn input_peer(&self, viewer: i64, input: &enums::InputPeer) -> Result<Peer> {
        const INVALID: super::rpc::RpcError = bad_request("PEER_ID_INVALID");
        match input {
            enums::InputPeer::PeerSelf => Ok(Peer::User(viewer)),
            enums::InputPeer::User(user) => {
                let peer = Peer::User(user.user_id);
                let known = self.people.contains_key(&user.user_id)
                    && self.seed.access_hash(viewer, peer) == user.access_hash;
                known.then_some(peer).ok_or(INVALID)
            }
            enums::InputPeer::UserFromMessage(named) => {
                let is_author = self.is_written_by(viewer, &named.peer, named.msg_id, named.user_id);
                is_author.then_some(Peer::User(named.user_id)).ok_or(INVALID)
            }
            enums::InputPeer::Chat(chat) => {
                self.input_group(viewer, chat.chat_id).map(Peer::Group).map_err(|_| INVALID)
            }
            enums::InputPeer::Channel(channel) => {
                let peer = Peer::Channel(channel.channel_id);
                let known = self.channels.contains_key(&channel.channel_id)
                    && self.seed.access_hash(viewer, peer) == channel.access_hash;
                known.then_some(peer).ok_or(bad_request("CHANNEL_INVALID"))
            }
            enums::InputPeer::Empty | enums::InputPeer::ChannelFromMessage(_) => Err(INVALID),
        }
    }

    /// A basic group has no access hash: being in it, or having been, is what counts.
    pub(crate) fn input_group(&self, viewer: i64, id: i64) -> Result<i64> {
        let member = self.groups.get(&id).is_some_and(|group| group.members.contains_key(&viewer));
        let was = || self.mailboxes.get(&viewer).is_some_and(|own| own.dialog(Peer::Group(id)).is_some());
        (member || was()).then_some(id).ok_or(bad_request("CHAT_ID_INVALID"))
    }

    /// Whether a message that the viewer sees is by this user: what a "min" user is named with.
    fn is_written_by(&self, viewer: i64, input: &enums::InputPeer, id: i32, user: i64) -> bool {
        let Ok(peer) = self.input_peer(viewer, input) else { return false };
        let message = match peer {
            Peer::Channel(channel) => self
                .channels
                .get(&channel)
                .filter(|channel| channel.readable_by(viewer))
                .and_then(|channel| channel.message_visible_to(viewer, id)),
            Peer::User(_) | Peer::Group(_) => self
                .mailboxes
                .get(&viewer)
                .and_then(|mailbox| mailbox.dialog(peer))
                .and_then(|dialog| dialog.history.get(id)),
        };
        message.is_some_and(|message| message.from == user)
    }

    /// Whether the viewer may read a chat.
    pub(crate) fn may_read(&self, viewer: i64, peer: Peer) -> Result<()> {
        match peer {
            Peer::Channel(id) => {
                let readable = self.channels.get(&id).is_some_and(|channel| channel.readable_by(viewer));
                readable.then_some(()).ok_or(not_acceptable("CHANNEL_PRIVATE"))
            }
            Peer::User(_) | Peer::Group(_) => Ok(()),
        }
    }

    /// Whether an account, client or bot may write to a chat.
    pub(crate) fn may_write(&self, user: i64, peer: Peer) -> Result<()> {
        match peer {
            Peer::User(to) => {
                let blocked =
                    |by: i64, whom: i64| self.people.get(&by).is_some_and(|one| one.blocked.contains(&whom));
                if blocked(user, to) {
                    return Err(bad_request("YOU_BLOCKED_USER"));
                }
                if blocked(to, user) {
                    return Err(bad_request("USER_IS_BLOCKED"));
                }
                Ok(())
            }
            Peer::Group(id) => {
                let group = self.groups.get(&id).ok_or(bad_request("PEER_ID_INVALID"))?;
                if group.migrated_to.is_some() {
                    return Err(bad_request("PEER_ID_INVALID"));
                }
                if group.deactivated || !group.members.contains_key(&user) {
                    return Err(forbidden("CHAT_WRITE_FORBIDDEN"));
                }
                Ok(())
            }
            Peer::Channel(id) => {
                let channel = self.channels.get(&id).ok_or(bad_request("CHANNEL_INVALID"))?;
                if channel.kicked.contains_key(&user) {
                    return Err(bad_request("USER_BANNED_IN_CHANNEL"));
                }
                match channel.members.get(&user) {
                    None if channel.username.is_none() => Err(not_acceptable("CHANNEL_PRIVATE")),
                    Some(member) if member.muted => Err(bad_request("USER_BANNED_IN_CHANNEL")),
                    Some(member) if channel.megagroup || member.may(|rights| rights.post_messages) => Ok(()),
                    None | Some(_) => Err(forbidden("CHAT_WRITE_FORBIDDEN")),
                }
            }
        }
    }

    /// Whether a user has an admin right in a channel.
    pub(crate) fn may_govern(
        &self,
        user: i64,
        channel: i64,
        right: fn(&grammers_tl_types::types::ChatAdminRights) -> bool,
    ) -> Result<()> {
        self.may_read(user, Peer::Channel(channel))?;
        let member = self.channels.get(&channel).and_then(|channel| channel.members.get(&user));
        match member {
            Some(member) if member.may(right) => Ok(()),
            Some(_) => Err(bad_request("CHAT_ADMIN_REQUIRED")),
            None => Err(bad_request("USER_NOT_PARTICIPANT")),
        }
    }
}
