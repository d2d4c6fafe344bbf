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
fn a_supergroup_is_made_filled_and_left() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    assert_eq!(main.refused(&create(" ")), (400, "CHAT_TITLE_EMPTY".into()));
    let channel = supergroup(&main, "Repair 1");
    let mut pushes = backup.listen();
    let users = vec![main.user("client_1"), main.user("demo_backup_1"), main.user("demo_bot_1")];
    let invite = functions::channels::InviteToChannel { channel: channel.clone(), users };
    let enums::messages::InvitedUsers::Users(invited) = main.ask(&invite);
    assert!(invited.missing_invitees.is_empty());
    assert!(matches!(pushes.next().updates[0], enums::Update::Channel(_)));
    pushes.next();
    assert_eq!(main.refused(&invite), (400, "USER_ALREADY_PARTICIPANT".into()));
    let everybody =
        participants(&main, &channel, enums::ChannelParticipantsFilter::ChannelParticipantsRecent);
    assert_eq!((everybody.count, everybody.users.len()), (4, 4));
    let bots = participants(&main, &channel, enums::ChannelParticipantsFilter::ChannelParticipantsBots);
    assert_eq!(bots.count, 1);
    let q = "client_1".into();
    let searched = types::ChannelParticipantsSearch { q }.into();
    assert_eq!(participants(&main, &channel, searched).count, 1);

    let theirs = backup.titled("Repair 1");
    backup.send(&theirs, "I am here", 1);
    let enums::InputPeer::Channel(named) = &theirs else { panic!() };
    let (channel_id, access_hash) = (named.channel_id, named.access_hash);
    let leave =
        functions::channels::LeaveChannel { channel: types::InputChannel { channel_id, access_hash }.into() };
    backup.ask(&leave);
    assert_eq!(backup.refused(&leave), (406, "CHANNEL_PRIVATE".into()));
    assert!(!backup.chats().iter().any(|chat| chat.id() == channel_id));
    // Only admins learn who was thrown out.
    let q = String::new();
    let secret = functions::channels::GetParticipants {
        channel: types::InputChannel { channel_id: 2_000_000_001, access_hash: hash_of(&backup) }.into(),
        filter: types::ChannelParticipantsKicked { q }.into(),
        offset: 0,
        limit: 1,
        hash: 0,
    };
    assert_eq!(backup.refused(&secret), (400, "CHAT_ADMIN_REQUIRED".into()));
    let methods: Vec<_> = world.ledger(0, 10).iter().map(|row| row.method).collect();
    assert_eq!(
        methods,
        [
            "channels.createChannel",
            "channels.inviteToChannel",
            "messages.sendMessage",
            "channels.leaveChannel"
        ]
    );
    let rows = world.ledger(0, 1);
    assert_eq!((&*rows[0].text, rows[0].message_id, &rows[0].random_id), ("Repair 1", Some(1), &None));
}

/// The access hash of the supergroup everybody knows.
fn hash_of(client: &Client) -> i64 {
    let enums::InputPeer::Channel(named) = client.titled("Demo supergroup") else { panic!() };
    named.access_hash
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
    let q = String::new();
    let kicked = types::ChannelParticipantsKicked { q }.into();
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

/// Only an admin's primary link is found again; each further one is a link more.
#[test]
fn the_full_chat_shows_the_primary_link_of_its_admin() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let channel = supergroup(&main, "Repair 4");
    let users = vec![main.user("demo_backup_1")];
    main.ask(&functions::channels::InviteToChannel { channel: channel.clone(), users });
    assert_eq!(full(&main, &channel).exported_invite, None);
    let additional = export(&peer(&channel), false);
    let (first, second) = (link(&main, &additional), link(&main, &additional));
    assert!(first.link != second.link && !first.permanent);
    assert_eq!(full(&main, &channel).exported_invite, None);
    let old = link(&main, &export(&peer(&channel), true));
    assert_eq!(full(&main, &channel).exported_invite, Some(old.clone().into()));
    let new = link(&main, &export(&peer(&channel), true));
    assert_eq!(full(&main, &channel).exported_invite, Some(new.clone().into()));
    let check = |link: &types::ChatInviteExported| functions::messages::CheckChatInvite {
        hash: link.link.rsplit_once('+').unwrap().1.to_owned(),
    };
    assert_eq!(backup.refused(&check(&old)), (400, "INVITE_HASH_INVALID".into()));
    assert!(matches!(backup.ask(&check(&new)), enums::ChatInvite::Already(_)));
    let enums::InputPeer::Channel(named) = backup.titled("Repair 4") else { panic!() };
    let (channel_id, access_hash) = (named.channel_id, named.access_hash);
    let theirs = types::InputChannel { channel_id, access_hash }.into();
    assert_eq!(full(&backup, &theirs).exported_invite, None);
    assert_eq!(backup.refused(&export(&peer(&theirs), true)), (400, "CHAT_ADMIN_REQUIRED".into()));
    let rows = world.ledger(0, 100);
    assert_eq!(rows.iter().filter(|row| row.method == "messages.exportChatInvite").count(), 4);
}

#[test]
fn a_basic_group_is_made_and_left() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let users = vec![main.user("client_1"), main.user("demo_backup_1")];
    let create = functions::messages::CreateChat { users, title: "Small".into(), ttl_period: None };
    let enums::messages::InvitedUsers::Users(made) = main.ask(&create);
    let enums::Updates::Updates(updates) = made.updates else { panic!() };
    let chat_id = updates.chats[0].id();
    let nobody = functions::messages::CreateChat { users: vec![], ..create };
    assert_eq!(main.refused(&nobody), (400, "USERS_TOO_FEW".into()));
    backup.send(&backup.titled("Small"), "hello", 1);
    let enums::messages::ChatFull::Full(full) = main.ask(&functions::messages::GetFullChat { chat_id });
    let enums::ChatFull::Full(full) = full.full_chat else { panic!() };
    let enums::ChatParticipants::Participants(inside) = full.participants else { panic!() };
    assert_eq!(inside.participants.len(), 3);
    let add = functions::messages::AddChatUser { chat_id, user_id: main.user("client_2"), fwd_limit: 0 };
    main.ask(&add);
    assert_eq!(main.refused(&add), (400, "USER_ALREADY_PARTICIPANT".into()));
    main.ask(&functions::messages::EditChatTitle { chat_id, title: "Smaller".into() });
    let user_id = main.user("demo_backup_1");
    main.ask(&functions::messages::EditChatAdmin { chat_id, user_id, is_admin: true });
    let leave = functions::messages::DeleteChatUser {
        revoke_history: false,
        chat_id,
        user_id: enums::InputUser::UserSelf,
    };
    backup.ask(&leave);
    assert_eq!(backup.refused(&leave), (400, "USER_NOT_PARTICIPANT".into()));
    let peer = types::InputPeerChat { chat_id }.into();
    assert_eq!(backup.refused(&message(&peer, "x", 2)), (403, "CHAT_WRITE_FORBIDDEN".into()));
    main.ask(&functions::messages::DeleteChat { chat_id });
    assert_eq!(main.refused(&message(&peer, "x", 2)), (403, "CHAT_WRITE_FORBIDDEN".into()));
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

#[test]
fn newcomers_see_the_past_once_it_is_opened() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let channel = supergroup(&main, "Past");
    let early = sent_id(&main.send(&peer(&channel), "early", 1));
    let users = vec![main.user("demo_backup_1")];
    main.ask(&functions::channels::InviteToChannel { channel: channel.clone(), users });
    let late = sent_id(&main.send(&peer(&channel), "late", 2));
    let theirs = backup.titled("Past");
    let enums::InputPeer::Channel(named) = &theirs else { panic!() };
    let (channel_id, access_hash) = (named.channel_id, named.access_hash);
    let by_id = functions::channels::GetMessages {
        channel: types::InputChannel { channel_id, access_hash }.into(),
        id: vec![types::InputMessageId { id: early }.into()],
    };
    let seen = || backup.newest(&theirs, 10).iter().map(|message| message.id).collect::<Vec<_>>();
    assert_eq!(seen(), [late]);
    assert!(messages_of(backup.ask(&by_id)).is_empty());
    assert_eq!(main.newest(&peer(&channel), 10).len(), 2);
    main.ask(&functions::channels::TogglePreHistoryHidden { channel, enabled: false });
    assert_eq!(seen(), [late, early]);
    assert_eq!(messages_of(backup.ask(&by_id)).len(), 1);
}
