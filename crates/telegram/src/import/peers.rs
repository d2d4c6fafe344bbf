//! Peers of a session file, as the account knows them from then on. Pure.

use domain::{AccessHash, ChatKind, UserId, Username};
use session_files::{Peer, PeerKind as FileKind};
use store::{PeerKind, StoredPeer};

/// The longest title that is kept, in bytes.
const LONGEST_TITLE: usize = 256;

/// What a file says of a peer, in our words; `None` for one that cannot be addressed.
///
/// A file does not say which chats the account is in: its program kept whatever it met. That it is in the groups,
/// supergroups and channels among them is believed until Telegram refuses something there: known chats are then written
/// to at once, and a refusal lets the next account try. Of people nothing is believed: to write to them, their access hash
/// is enough.
pub(super) fn stored(peer: &Peer, own: Option<UserId>) -> Option<StoredPeer> {
    let chat_id = peer.id;
    let kind = match (chat_id.kind(), peer.kind) {
        (ChatKind::User, _) if own.is_some() && own == chat_id.user_id() => PeerKind::OwnUser,
        (ChatKind::User, FileKind::Bot) => PeerKind::Bot,
        (ChatKind::User, _) => PeerKind::User,
        (ChatKind::Group, _) => PeerKind::Group,
        (ChatKind::Channel, FileKind::Channel) => PeerKind::Channel,
        // Where the file makes no difference it is taken for what can be written to.
        (ChatKind::Channel, _) => PeerKind::Supergroup,
    };
    let access_hash = match (chat_id.kind(), peer.access_hash) {
        (ChatKind::Group, _) => AccessHash::NONE,
        (_, Some(hash)) => hash,
        (_, None) => return None,
    };
    let title = peer.name.as_deref().or(peer.username.as_deref()).unwrap_or_default();
    Some(StoredPeer {
        chat_id,
        access_hash,
        username: peer.username.as_deref().and_then(|name| name.parse::<Username>().ok()),
        title: title[..title.floor_char_boundary(LONGEST_TITLE)].to_owned(),
        kind,
        dialog: chat_id.kind() != ChatKind::User,
        phone: None,
        contact: false,
    })
}

/// A peer as a session file has it, for taking it elsewhere.
pub(super) fn in_file(peer: &StoredPeer) -> Peer {
    let kind = match peer.kind {
        PeerKind::User | PeerKind::OwnUser => FileKind::User,
        PeerKind::Bot => FileKind::Bot,
        PeerKind::Group => FileKind::Group,
        PeerKind::Supergroup => FileKind::Supergroup,
        PeerKind::Channel => FileKind::Channel,
    };
    Peer {
        id: peer.chat_id,
        access_hash: (kind != FileKind::Group).then_some(peer.access_hash),
        kind,
        username: peer.username.as_ref().map(|name| name.as_str().to_owned()),
        name: Some(peer.title.clone()).filter(|title| !title.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use domain::ChatId;

    use super::*;

    fn peer(id: ChatId, access_hash: Option<i64>, kind: FileKind) -> Peer {
        let access_hash = access_hash.map(AccessHash);
        Peer { id, access_hash, kind, username: Some("demo_ann".into()), name: None }
    }

    #[test]
    fn groups_are_believed_to_be_joined_and_people_are_not() {
        let (user, group, channel) =
            (ChatId::user(7).expect("id"), ChatId::group(8).expect("id"), ChatId::channel(9).expect("id"));
        let ann = stored(&peer(user, Some(5), FileKind::User), None).expect("a peer");
        assert_eq!(
            (ann.kind, ann.dialog, ann.access_hash, ann.title.as_str()),
            (PeerKind::User, false, AccessHash(5), "demo_ann")
        );
        let demo = stored(&peer(group, None, FileKind::Group), None).expect("a peer");
        assert_eq!((demo.kind, demo.dialog, demo.access_hash), (PeerKind::Group, true, AccessHash::NONE));
        let any = stored(&peer(channel, Some(6), FileKind::SupergroupOrChannel), None).expect("a peer");
        assert_eq!((any.kind, any.dialog, any.access_hash), (PeerKind::Supergroup, true, AccessHash(6)));
        assert_eq!(stored(&peer(channel, None, FileKind::Channel), None), None);
        let own = stored(&peer(user, Some(5), FileKind::User), UserId::new(7)).expect("a peer");
        assert_eq!(own.kind, PeerKind::OwnUser);
    }

    #[test]
    fn exported_peers_are_imported_unchanged() {
        for (id, hash, kind) in [
            (ChatId::user(7), Some(5), FileKind::Bot),
            (ChatId::group(8), None, FileKind::Group),
            (ChatId::channel(9), Some(6), FileKind::Channel),
        ] {
            let before = stored(&peer(id.expect("id"), hash, kind), None).expect("a peer");
            assert_eq!(stored(&in_file(&before), None), Some(before));
        }
    }
}
