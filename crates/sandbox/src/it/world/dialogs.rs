//! The list of dialogs, page by page.

use grammers_tl_types::{enums, functions, types};

use super::*;

pub(super) type Page = (Vec<types::Dialog>, Vec<enums::Chat>);

/// All pages, asked for as clients do: from the last dialog of the page before.
pub(super) fn pages(client: &Client, limit: i32) -> Vec<Page> {
    let mut request = functions::messages::GetDialogs {
        exclude_pinned: false,
        folder_id: None,
        offset_date: 0,
        offset_id: 0,
        offset_peer: enums::InputPeer::Empty,
        limit,
        hash: 0,
    };
    let mut pages = Vec::new();
    loop {
        let (dialogs, messages, chats, users, more) = match client.ask(&request) {
            enums::messages::Dialogs::Dialogs(it) => (it.dialogs, it.messages, it.chats, it.users, false),
            enums::messages::Dialogs::Slice(it) => (it.dialogs, it.messages, it.chats, it.users, true),
            enums::messages::Dialogs::NotModified(_) => panic!("not modified"),
        };
        let dialogs: Vec<types::Dialog> = dialogs
            .into_iter()
            .map(|dialog| match dialog {
                enums::Dialog::Dialog(dialog) => dialog,
                other => panic!("{other:?}"),
            })
            .collect();
        let Some(last) = dialogs.last() else { return pages };
        let top = messages.iter().find(|message| match message {
            enums::Message::Message(message) => {
                message.id == last.top_message && message.peer_id == last.peer
            }
            enums::Message::Service(message) => {
                message.id == last.top_message && message.peer_id == last.peer
            }
            enums::Message::Empty(_) => false,
        });
        request.offset_id = last.top_message;
        request.offset_date = match top.expect("each dialog brings its message") {
            enums::Message::Message(message) => message.date,
            enums::Message::Service(message) => message.date,
            enums::Message::Empty(_) => panic!("empty"),
        };
        request.offset_peer = named(&last.peer, &users, &chats);
        let short = dialogs.len() < usize::try_from(limit).unwrap();
        pages.push((dialogs, chats));
        if !more || short {
            return pages;
        }
    }
}

/// Names a peer with the hash that came along.
fn named(peer: &enums::Peer, users: &[enums::User], chats: &[enums::Chat]) -> enums::InputPeer {
    match peer {
        enums::Peer::User(peer) => users
            .iter()
            .find_map(|user| match user {
                enums::User::User(user) if user.id == peer.user_id => user.access_hash,
                _ => None,
            })
            .map(|access_hash| types::InputPeerUser { user_id: peer.user_id, access_hash }.into()),
        enums::Peer::Chat(peer) => Some(types::InputPeerChat { chat_id: peer.chat_id }.into()),
        enums::Peer::Channel(peer) => chats
            .iter()
            .find_map(|chat| match chat {
                enums::Chat::Channel(channel) if channel.id == peer.channel_id => channel.access_hash,
                _ => None,
            })
            .map(|access_hash| types::InputPeerChannel { channel_id: peer.channel_id, access_hash }.into()),
    }
    .expect("each dialog brings its peer")
}

#[test]
fn folders_are_empty_and_offsets_are_checked() {
    let world = world();
    let main = Client::of(&world, "main");
    let request = functions::messages::GetDialogs {
        exclude_pinned: true,
        folder_id: Some(1),
        offset_date: 0,
        offset_id: 0,
        offset_peer: enums::InputPeer::Empty,
        limit: 100,
        hash: 0,
    };
    let enums::messages::Dialogs::Dialogs(archive) = main.ask(&request) else { panic!() };
    assert!(archive.dialogs.is_empty());
    let offset_peer = types::InputPeerUser { user_id: 6_000_000_001, access_hash: 1 }.into();
    let wrong = functions::messages::GetDialogs { folder_id: None, offset_peer, ..request };
    assert_eq!(main.refused(&wrong), (400, "OFFSET_PEER_ID_INVALID".into()));
    let enums::messages::PeerDialogs::Dialogs(pinned) =
        main.ask(&functions::messages::GetPinnedDialogs { folder_id: 0 });
    assert!(pinned.dialogs.is_empty());
}
