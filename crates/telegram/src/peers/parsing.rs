//! What Telegram's answers say about users and chats, in our words. Pure.

use domain::{AccessHash, ChatId, UserId, Username};
use grammers_tl_types::{enums, types};
use store::{PeerKind, SelfUser, StoredPeer};

/// What a chat in an answer says about the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PeerUpdate {
    /// The account can reach it; `dialog` says whether it is in it.
    Peer(StoredPeer),
    /// The account is not in it any more.
    Gone(ChatId),
    /// The basic group became a supergroup, which the account can reach and is in.
    Migrated(ChatId, StoredPeer),
}

pub(crate) fn chat_id(peer: &enums::Peer) -> Option<ChatId> {
    match peer {
        enums::Peer::User(user) => ChatId::user(user.user_id),
        enums::Peer::Chat(chat) => ChatId::group(chat.chat_id),
        enums::Peer::Channel(channel) => ChatId::channel(channel.channel_id),
    }
}

/// Whose private dialog it is.
pub(crate) fn user_id(peer: &enums::Peer) -> Option<UserId> {
    chat_id(peer)?.user_id()
}

pub(crate) fn own(user: &enums::User) -> Option<SelfUser> {
    match user {
        enums::User::User(user) if user.is_self => Some(SelfUser {
            user_id: UserId::new(user.id)?,
            username: main_username(user.username.as_deref(), user.usernames.as_deref()).map(str::to_owned),
            display_name: display_name(user),
        }),
        _ => None,
    }
}

/// A user that can be written to. One that is known only in part cannot.
pub(crate) fn user(user: &enums::User) -> Option<StoredPeer> {
    let enums::User::User(user) = user else { return None };
    if user.min || (user.access_hash.is_none() && !user.is_self) {
        return None;
    }
    let kind = match user {
        _ if user.is_self => PeerKind::OwnUser,
        _ if user.bot => PeerKind::Bot,
        _ => PeerKind::User,
    };
    Some(StoredPeer {
        chat_id: ChatId::user(user.id)?,
        access_hash: user.access_hash.map_or(AccessHash::NONE, AccessHash),
        username: username(user.username.as_deref(), user.usernames.as_deref()),
        title: display_name(user),
        kind,
        dialog: user.is_self,
        // The own number is a secret of the account, and is kept as one.
        phone: user.phone.clone().filter(|phone| !phone.is_empty() && !user.is_self),
        contact: user.contact && !user.is_self,
    })
}

/// A group, supergroup or channel, and whether the account is in it.
pub(crate) fn chat(chat: &enums::Chat) -> Option<PeerUpdate> {
    match chat {
        enums::Chat::Chat(group) => {
            let chat_id = ChatId::group(group.id)?;
            if let Some(enums::InputChannel::Channel(today)) = &group.migrated_to
                && let Some(today_id) = ChatId::channel(today.channel_id)
            {
                let today = StoredPeer {
                    chat_id: today_id,
                    access_hash: AccessHash(today.access_hash),
                    username: None,
                    title: group.title.clone(),
                    kind: PeerKind::Supergroup,
                    dialog: !group.left,
                    phone: None,
                    contact: false,
                };
                return Some(PeerUpdate::Migrated(chat_id, today));
            }
            if group.left || group.deactivated || group.migrated_to.is_some() {
                return Some(PeerUpdate::Gone(chat_id));
            }
            Some(PeerUpdate::Peer(StoredPeer {
                chat_id,
                access_hash: AccessHash::NONE,
                username: None,
                title: group.title.clone(),
                kind: PeerKind::Group,
                dialog: true,
                phone: None,
                contact: false,
            }))
        }
        enums::Chat::Channel(channel) if !channel.min => {
            let chat_id = ChatId::channel(channel.id)?;
            let Some(access_hash) = channel.access_hash.map(AccessHash) else {
                return channel.left.then_some(PeerUpdate::Gone(chat_id));
            };
            Some(PeerUpdate::Peer(StoredPeer {
                chat_id,
                access_hash,
                username: username(channel.username.as_deref(), channel.usernames.as_deref()),
                title: channel.title.clone(),
                kind: if channel.broadcast { PeerKind::Channel } else { PeerKind::Supergroup },
                dialog: !channel.left,
                phone: None,
                contact: false,
            }))
        }
        enums::Chat::Forbidden(group) => ChatId::group(group.id).map(PeerUpdate::Gone),
        enums::Chat::ChannelForbidden(channel) => ChatId::channel(channel.id).map(PeerUpdate::Gone),
        _ => None,
    }
}

pub(crate) fn display_name(user: &types::User) -> String {
    full_name([user.first_name.as_deref().unwrap_or_default(), user.last_name.as_deref().unwrap_or_default()])
}

/// First and last name, as people see them.
pub(crate) fn full_name(names: [&str; 2]) -> String {
    let mut shown = String::new();
    for name in names.into_iter().filter(|name| !name.is_empty()) {
        if !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(name);
    }
    shown
}

pub(crate) fn username(old: Option<&str>, names: Option<&[enums::Username]>) -> Option<Username> {
    main_username(old, names)?.parse().ok()
}

/// The name in the old field, or the first active one of the newer list.
fn main_username<'a>(old: Option<&'a str>, names: Option<&'a [enums::Username]>) -> Option<&'a str> {
    old.filter(|name| !name.is_empty()).or_else(|| {
        names?
            .iter()
            .find_map(|enums::Username::Username(name)| name.active.then_some(name.username.as_str()))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use grammers_tl_types::Deserializable;

    use super::*;

    /// A user with all flags off: the smallest that can be written down, read back.
    pub(crate) fn some_user(id: i64) -> types::User {
        let mut bytes = vec![0; 8];
        bytes.extend_from_slice(&id.to_le_bytes());
        types::User::from_bytes(&bytes).expect("a user")
    }

    #[test]
    fn partial_users_are_not_stored() {
        let mut ann = types::User { access_hash: Some(5), first_name: Some("Ann".into()), ..some_user(7) };
        let kept = user(&ann.clone().into()).expect("kept");
        assert_eq!((kept.chat_id.get(), kept.access_hash, kept.title.as_str()), (7, AccessHash(5), "Ann"));
        assert_eq!((kept.kind, kept.dialog, kept.contact), (PeerKind::User, false, false));
        let saved = types::User { contact: true, ..ann.clone() };
        assert!(user(&saved.into()).is_some_and(|kept| kept.contact));
        ann.min = true;
        assert_eq!(user(&ann.clone().into()), None);
        ann.min = false;
        ann.access_hash = None;
        assert_eq!(user(&ann.into()), None);
    }

    #[test]
    fn the_newer_list_of_names_counts_when_the_old_field_is_empty() {
        let name = |username: &str, active| {
            types::Username {
                editable: false,
                active,
                deletable: false,
                expired: false,
                username: username.into(),
            }
            .into()
        };
        let ann = types::User {
            access_hash: Some(5),
            usernames: Some(vec![name("demo_old", false), name("Demo_Ann", true)]),
            last_name: Some("Lee".into()),
            ..some_user(7)
        };
        let kept = user(&ann.into()).expect("kept");
        assert_eq!(kept.username, "demo_ann".parse().ok());
        assert_eq!(kept.title, "Lee");
    }

    #[test]
    fn a_chat_the_account_was_removed_from_is_gone() {
        let gone = types::ChatForbidden { id: 9, title: "Old".into() };
        assert_eq!(chat(&gone.into()), ChatId::group(9).map(PeerUpdate::Gone));
    }
}
