//! Chats: made, joined, governed, left.

use grammers_tl_types::{enums, functions, types};

use super::*;

pub(crate) fn create(title: &str) -> functions::channels::CreateChannel {
    functions::channels::CreateChannel {
        broadcast: false,
        megagroup: true,
        for_import: false,
        forum: false,
        title: title.into(),
        about: "about it".into(),
        geo_point: None,
        address: None,
        ttl_period: None,
    }
}

/// Makes a supergroup and names it.
pub(crate) fn supergroup(client: &Client, title: &str) -> enums::InputChannel {
    let enums::Updates::Updates(updates) = client.ask(&create(title)) else { panic!() };
    input_channel(&updates.chats[0])
}

/// Names a channel that was shown.
pub(crate) fn input_channel(chat: &enums::Chat) -> enums::InputChannel {
    let enums::Chat::Channel(channel) = chat else { panic!("{chat:?}") };
    types::InputChannel { channel_id: channel.id, access_hash: channel.access_hash.unwrap() }.into()
}

pub(crate) fn peer(channel: &enums::InputChannel) -> enums::InputPeer {
    let enums::InputChannel::Channel(channel) = channel else { panic!() };
    types::InputPeerChannel { channel_id: channel.channel_id, access_hash: channel.access_hash }.into()
}

pub(crate) fn participants(
    client: &Client,
    channel: &enums::InputChannel,
    filter: enums::ChannelParticipantsFilter,
) -> types::channels::ChannelParticipants {
    let channel = channel.clone();
    match client.ask(&functions::channels::GetParticipants {
        channel,
        filter,
        offset: 0,
        limit: 200,
        hash: 0,
    }) {
        enums::channels::ChannelParticipants::Participants(found) => found,
        enums::channels::ChannelParticipants::NotModified => panic!("not modified"),
    }
}

#[test]
fn admins_are_made_and_members_thrown_out() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let channel = supergroup(&main, "Repair 2");
    let users = vec![main.user("client_1"), main.user("demo_backup_1")];
    main.ask(&functions::channels::InviteToChannel { channel: channel.clone(), users });
    let theirs = backup.titled("Repair 2");
    let enums::InputPeer::Channel(named) = &theirs else { panic!() };
    let seen: enums::InputChannel =
        types::InputChannel { channel_id: named.channel_id, access_hash: named.access_hash }.into();
    let rename = |channel: &enums::InputChannel, title: &str| functions::channels::EditTitle {
        channel: channel.clone(),
        title: title.into(),
    };
    assert_eq!(backup.refused(&rename(&seen, "Mine")), (400, "CHAT_ADMIN_REQUIRED".into()));
    let kicked: enums::ChannelParticipantsFilter =
        types::ChannelParticipantsKicked { q: String::new() }.into();
    let secret = functions::channels::GetParticipants {
        channel: seen.clone(),
        filter: kicked.clone(),
        offset: 0,
        limit: 1,
        hash: 0,
    };
    assert_eq!(backup.refused(&secret), (400, "CHAT_ADMIN_REQUIRED".into()));
    let enums::channels::ChannelParticipant::Participant(own) =
        main.ask(&functions::channels::GetParticipant {
            channel: channel.clone(),
            participant: enums::InputPeer::PeerSelf,
        });
    let enums::ChannelParticipant::Creator(creator) = own.participant else { panic!() };
    main.ask(&functions::channels::EditAdmin {
        channel: channel.clone(),
        user_id: main.user("demo_backup_1"),
        admin_rights: creator.admin_rights,
        rank: Some("helper".into()),
    });
    backup.ask(&rename(&seen, "Repair 2b"));
    assert_eq!(main.refused(&rename(&channel, "Repair 2b")), (400, "CHAT_NOT_MODIFIED".into()));
    let admins = participants(&main, &channel, enums::ChannelParticipantsFilter::ChannelParticipantsAdmins);
    assert_eq!(admins.count, 2);

    let mut pushes = backup.listen();
    let banned_rights = types::ChatBannedRights {
        view_messages: true,
        send_messages: false,
        send_media: false,
        send_stickers: false,
        send_gifs: false,
        send_games: false,
        send_inline: false,
        embed_links: false,
        send_polls: false,
        change_info: false,
        invite_users: false,
        pin_messages: false,
        manage_topics: false,
        send_photos: false,
        send_videos: false,
        send_roundvideos: false,
        send_audios: false,
        send_voices: false,
        send_docs: false,
        send_plain: false,
        edit_rank: false,
        send_reactions: false,
        manage_linked_peers: false,
        until_date: 0,
    };
    main.ask(&functions::channels::EditBanned {
        channel: channel.clone(),
        participant: main.peer("demo_backup_1"),
        banned_rights: banned_rights.clone().into(),
    });
    assert!(matches!(pushes.next().chats[0], enums::Chat::ChannelForbidden(_)));
    assert_eq!(backup.refused(&message(&theirs, "x", 1)), (400, "USER_BANNED_IN_CHANNEL".into()));
    assert_eq!(participants(&main, &channel, kicked).count, 1);
    let before = world.ledger(0, 100).len();
    main.ask(&functions::channels::EditBanned {
        channel: channel.clone(),
        participant: main.peer("demo_backup_1"),
        banned_rights: banned_rights.clone().into(),
    });
    assert_eq!(world.ledger(0, 100).len(), before, "a repeat has no effect");
    let client = functions::channels::EditBanned {
        channel: channel.clone(),
        participant: main.peer("client_1"),
        banned_rights: types::ChatBannedRights { view_messages: false, send_messages: true, ..banned_rights }
            .into(),
    };
    main.ask(&client);
    let muted = types::ChannelParticipantsBanned { q: "client".into() }.into();
    assert_eq!(participants(&main, &channel, muted).count, 1);
    let full = full(&main, &channel);
    assert_eq!(
        (full.about.as_str(), full.participants_count, full.kicked_count),
        ("about it", Some(2), Some(1))
    );
    main.ask(&functions::channels::TogglePreHistoryHidden { channel: channel.clone(), enabled: false });
    main.ask(&functions::channels::DeleteChannel { channel: channel.clone() });
    assert_eq!(main.refused(&message(&peer(&channel), "x", 9)), (406, "CHANNEL_PRIVATE".into()));
}

pub(crate) fn export(peer: &enums::InputPeer, primary: bool) -> functions::messages::ExportChatInvite {
    functions::messages::ExportChatInvite {
        legacy_revoke_permanent: primary,
        request_needed: false,
        peer: peer.clone(),
        expire_date: None,
        usage_limit: None,
        title: None,
        subscription_pricing: None,
    }
}

fn link(client: &Client, request: &functions::messages::ExportChatInvite) -> types::ChatInviteExported {
    let enums::ExportedChatInvite::ChatInviteExported(link) = client.ask(request) else { panic!() };
    link
}

pub(crate) fn full(client: &Client, channel: &enums::InputChannel) -> types::ChannelFull {
    let request = functions::channels::GetFullChannel { channel: channel.clone() };
    let enums::messages::ChatFull::Full(full) = client.ask(&request);
    let enums::ChatFull::ChannelFull(full) = full.full_chat else { panic!() };
    full
}

#[test]
fn an_invite_link_lets_in() {
    let world = world();
    let (main, fifth) = (Client::of(&world, "main"), Client::of(&world, "fifth"));
    let channel = supergroup(&main, "Repair 3");
    let group = main.titled("Demo group");
    for (peer, title) in [(peer(&channel), "Repair 3"), (group, "Demo group")] {
        let link = link(&main, &export(&peer, false));
        let hash = link.link.rsplit_once('+').unwrap().1.to_owned();
        let check = functions::messages::CheckChatInvite { hash: hash.clone() };
        let enums::ChatInvite::Invite(invite) = fifth.ask(&check) else { panic!() };
        assert_eq!(invite.title, title);
        let join = functions::messages::ImportChatInvite { hash };
        fifth.ask(&join);
        assert!(matches!(fifth.ask(&check), enums::ChatInvite::Already(_)));
        assert_eq!(fifth.refused(&join), (400, "USER_ALREADY_PARTICIPANT".into()));
        fifth.send(&fifth.titled(title), "I was let in", 1);
    }
    let wrong = functions::messages::ImportChatInvite { hash: "x".into() };
    assert_eq!(fifth.refused(&wrong), (400, "INVITE_HASH_INVALID".into()));
}

#[test]
fn a_public_channel_can_be_read_and_joined() {
    let world = world();
    let main = Client::of(&world, "main");
    let channel = supergroup(&main, "Open house");
    let username = "open_house".to_owned();
    let check = functions::channels::CheckUsername { channel: channel.clone(), username: username.clone() };
    assert!(main.ask(&check));
    main.ask(&functions::channels::UpdateUsername { channel, username });
    assert!(!main.ask(&check));
    let fifth = Client::of(&world, "fifth");
    let peer = fifth.peer("open_house");
    assert!(fifth.newest(&peer, 10).is_empty());
    assert_eq!(fifth.refused(&message(&peer, "x", 1)), (403, "CHAT_WRITE_FORBIDDEN".into()));
    let enums::InputPeer::Channel(named) = &peer else { panic!() };
    let (channel_id, access_hash) = (named.channel_id, named.access_hash);
    fifth.ask(&functions::channels::JoinChannel {
        channel: types::InputChannel { channel_id, access_hash }.into(),
    });
    fifth.send(&peer, "hello", 1);
}
