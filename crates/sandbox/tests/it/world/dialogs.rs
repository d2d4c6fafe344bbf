//! The list of dialogs, page by page.

use std::collections::BTreeSet;

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
fn pages_bring_every_dialog_once() {
    let world = world_of(5, 4_000);
    let mut total = 0;
    for name in ["main", "backup_1", "fifth"] {
        let client = Client::of(&world, name);
        for limit in [1_000, 37] {
            let all: Vec<_> = pages(&client, limit).into_iter().flat_map(|page| page.0).collect();
            let different: BTreeSet<String> = all.iter().map(|dialog| format!("{:?}", dialog.peer)).collect();
            assert_eq!(all.len(), different.len());
            total = total.max(all.len());
        }
        let all: usize = pages(&client, 100).iter().map(|page| page.0.len()).sum();
        assert!(all >= 30, "{name} has {all}");
    }
    assert!(total > 500, "{total}");
}

#[test]
fn the_chat_written_to_last_comes_first() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.titled("Demo group");
    main.send(&peer, "now", 1);
    let first = pages(&main, 1).into_iter().next().unwrap().0.remove(0);
    assert_eq!(first.peer, types::PeerChat { chat_id: 4_000_001 }.into());
    assert_eq!(first.unread_count, 0);
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

#[test]
fn one_dialog_can_be_looked_up() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.titled("Demo supergroup");
    let id = sent_id(&main.send(&peer, "hello", 1));
    let peers = vec![types::InputDialogPeer { peer }.into()];
    let enums::messages::PeerDialogs::Dialogs(found) =
        main.ask(&functions::messages::GetPeerDialogs { peers });
    let enums::Dialog::Dialog(dialog) = &found.dialogs[0] else { panic!() };
    assert_eq!((found.dialogs.len(), dialog.top_message, dialog.read_inbox_max_id), (1, id, id));
    assert!(dialog.pts.is_some());
}
