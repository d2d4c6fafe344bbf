//! Whom one may put into a chat, and who refuses.

use grammers_tl_types::{enums, functions, types};
use sandbox::telegram::{Invites, NewUsername, OutsideError, Privacy};

use super::chats::{create, input_channel, participants, supergroup};
use super::*;

fn set(world: &Telegram, name: &str, invites: Invites) {
    assert_eq!(world.set_privacy(name, Privacy { invites }).unwrap().invites, invites);
}

fn invite(
    channel: &enums::InputChannel,
    users: Vec<enums::InputUser>,
) -> functions::channels::InviteToChannel {
    functions::channels::InviteToChannel { channel: channel.clone(), users }
}

fn missing(answer: &enums::messages::InvitedUsers) -> Vec<i64> {
    let enums::messages::InvitedUsers::Users(invited) = answer;
    invited.missing_invitees.iter().map(|enums::MissingInvitee::Invitee(invitee)| invitee.user_id).collect()
}

fn client_id(number: i64) -> i64 {
    6_000_000_000 + number
}

#[test]
fn whoever_refuses_is_missing_and_the_others_are_added() {
    let world = world();
    let main = Client::of(&world, "main");
    let channel = supergroup(&main, "Repair 1");
    set(&world, "@client_7", Invites::Nobody);
    let everybody = vec![main.user("client_6"), main.user("client_7"), main.user("client_6")];
    assert_eq!(missing(&main.ask(&invite(&channel, everybody))), [client_id(7)]);
    let filter = enums::ChannelParticipantsFilter::ChannelParticipantsRecent;
    assert_eq!(participants(&main, &channel, filter.clone()).count, 2);
    let alone = invite(&channel, vec![main.user("client_7")]);
    let before = world.ledger(0, 100).len();
    assert_eq!(missing(&main.ask(&alone)), [client_id(7)]);
    // With one who is there already it is the same.
    let with_member = invite(&channel, vec![main.user("client_6"), main.user("client_7")]);
    assert_eq!(missing(&main.ask(&with_member)), [client_id(7)]);
    assert_eq!(world.ledger(0, 100).len(), before, "nothing happened");
    set(&world, "@client_7", Invites::Everybody);
    assert!(missing(&main.ask(&alone)).is_empty());
    assert_eq!(participants(&main, &channel, filter).count, 3);
    let rows = world.ledger(0, 100);
    let last = rows.last().unwrap();
    assert_eq!((last.method, &*last.text), ("channels.inviteToChannel", "6000000007"));
    let nobody = world.set_privacy("@nobody", Privacy { invites: Invites::Nobody });
    assert!(matches!(nobody, Err(OutsideError::NotFound(_))));
}

#[test]
fn contacts_are_those_it_has_written_with() {
    let world = world();
    let main = Client::of(&world, "main");
    let channel = supergroup(&main, "Repair 1");
    for name in ["@client_1", "@guest_1", "@demo_observer"] {
        set(&world, name, Invites::Contacts);
    }
    let users = ["client_1", "guest_1", "demo_observer"].map(|name| main.user(name));
    assert_eq!(missing(&main.ask(&invite(&channel, users.into()))), [6_200_000_001, 6_100_000_001]);
    main.send(&main.peer("guest_1"), "hello", 1);
    assert!(missing(&main.ask(&invite(&channel, vec![main.user("guest_1")]))).is_empty());
    let block =
        sandbox::telegram::NewBlock { from: "@client_2".into(), account: "main".into(), remove: false };
    world.block(&block).unwrap();
    assert_eq!(missing(&main.ask(&invite(&channel, vec![main.user("client_2")]))), [client_id(2)]);
}

#[test]
fn basic_groups_ask_too() {
    let world = world();
    let main = Client::of(&world, "main");
    set(&world, "@client_7", Invites::Nobody);
    let users = vec![main.user("client_7"), main.user("client_8")];
    let create = functions::messages::CreateChat { users, title: "Small".into(), ttl_period: None };
    let made = main.ask(&create);
    assert_eq!(missing(&made), [client_id(7)]);
    let enums::messages::InvitedUsers::Users(made) = made;
    let enums::Updates::Updates(updates) = made.updates else { panic!() };
    let enums::Chat::Chat(chat) = &updates.chats[0] else { panic!() };
    assert_eq!(chat.participants_count, 2);
    let add =
        functions::messages::AddChatUser { chat_id: chat.id, user_id: main.user("client_7"), fwd_limit: 0 };
    assert_eq!(missing(&main.ask(&add)), [client_id(7)]);
    // Where everybody refuses there is a group all the same, of one.
    let alone = functions::messages::CreateChat { users: vec![main.user("client_7")], ..create.clone() };
    assert_eq!(missing(&main.ask(&alone)), [client_id(7)]);
    let titles: Vec<_> = world.ledger(0, 100).iter().map(|row| (row.method, row.text.to_string())).collect();
    let made = ("messages.createChat", "Small".to_owned());
    assert_eq!(titles, [made.clone(), made]);
    let many = (1..=200).map(|number| main.user(&format!("guest_{number}"))).collect();
    let large = functions::messages::CreateChat { users: many, ..create };
    assert_eq!(main.refused(&large), (400, "USERS_TOO_MUCH".into()));
}

#[test]
fn two_hundred_are_invited_at_once_and_listed_in_pages() {
    let world = world();
    let main = Client::of(&world, "main");
    let channel = supergroup(&main, "Large");
    let guests: Vec<_> = (1..=200).map(|number| main.user(&format!("guest_{number}"))).collect();
    set(&world, "@guest_100", Invites::Nobody);
    let one_more: Vec<_> = guests.iter().cloned().chain([main.user("client_1")]).collect();
    assert_eq!(main.refused(&invite(&channel, one_more)), (400, "USERS_TOO_MUCH".into()));
    assert_eq!(missing(&main.ask(&invite(&channel, guests))), [6_200_000_100]);
    let page = |offset| {
        let request = functions::channels::GetParticipants {
            channel: channel.clone(),
            filter: types::ChannelParticipantsSearch { q: "guest".into() }.into(),
            offset,
            limit: 150,
            hash: 0,
        };
        let enums::channels::ChannelParticipants::Participants(found) = main.ask(&request) else { panic!() };
        (found.count, found.participants.len())
    };
    assert_eq!((page(0), page(150), page(300)), ((199, 150), (199, 49), (199, 0)));
}

#[test]
fn bots_have_rules_of_their_own() {
    let world = world();
    let main = Client::of(&world, "main");
    let enums::Updates::Updates(made) =
        main.ask(&functions::channels::CreateChannel { broadcast: true, megagroup: false, ..create("News") })
    else {
        panic!()
    };
    let news = input_channel(&made.chats[0]);
    let bot = main.user("demo_bot_1");
    assert_eq!(main.refused(&invite(&news, vec![bot.clone()])), (400, "USER_BOT".into()));
    let channel = supergroup(&main, "Repair 1");
    set(&world, "@demo_bot_1", Invites::Nobody);
    let bot_and_client = invite(&channel, vec![bot.clone(), main.user("client_1")]);
    assert_eq!(main.refused(&bot_and_client), (400, "BOT_GROUPS_BLOCKED".into()));
    set(&world, "@demo_bot_1", Invites::Everybody);
    main.ask(&bot_and_client);
    let promote = |rank: &str| functions::channels::EditAdmin {
        channel: channel.clone(),
        user_id: bot.clone(),
        admin_rights: every_right(),
        rank: Some(rank.into()),
    };
    assert_eq!(main.refused(&promote(&"x".repeat(17))), (400, "ADMIN_RANK_INVALID".into()));
    assert_eq!(main.refused(&promote("Bot 🤖")), (400, "ADMIN_RANK_EMOJI_NOT_ALLOWED".into()));
    main.ask(&promote("Admin Bot"));
    let before = world.ledger(0, 100).len();
    main.ask(&promote("Admin Bot"));
    assert_eq!(world.ledger(0, 100).len(), before, "a repeat has no effect");
    main.ask(&promote("Bot"));
    main.ask(&promote("Admin Bot"));
    assert_eq!(world.ledger(0, 100).len(), before + 2);
    let bots = participants(&main, &channel, enums::ChannelParticipantsFilter::ChannelParticipantsBots);
    let enums::ChannelParticipant::Admin(admin) = &bots.participants[0] else { panic!() };
    assert_eq!(admin.rank.as_deref(), Some("Admin Bot"));
    set(&world, "@client_7", Invites::Nobody);
    let refused = functions::channels::EditAdmin { user_id: main.user("client_7"), ..promote("helper") };
    assert_eq!(main.refused(&refused), (403, "USER_PRIVACY_RESTRICTED".into()));
}

fn every_right() -> enums::ChatAdminRights {
    types::ChatAdminRights {
        change_info: true,
        post_messages: true,
        edit_messages: true,
        delete_messages: true,
        ban_users: true,
        invite_users: true,
        pin_messages: true,
        add_admins: true,
        anonymous: false,
        manage_call: true,
        other: true,
        manage_topics: true,
        post_stories: true,
        edit_stories: true,
        delete_stories: true,
        manage_direct_messages: false,
        manage_ranks: false,
        manage_linked_peers: false,
        manage_welcome_messages: false,
    }
    .into()
}

#[test]
fn a_username_changes_hands() {
    let world = world();
    let main = Client::of(&world, "main");
    let rename = |user: &str, username: Option<&str>| {
        world.rename(user, &NewUsername { username: username.map(str::to_owned) })
    };
    assert!(matches!(rename("@client_8", Some("client_7")), Err(OutsideError::Taken(_))));
    assert!(matches!(rename("@client_8", Some("demo_channel")), Err(OutsideError::Taken(_))));
    assert!(matches!(rename("@client_8", Some("no")), Err(OutsideError::Invalid(_))));
    assert!(matches!(rename("main", Some("other_main")), Err(OutsideError::Invalid(_))));
    assert!(matches!(rename("@demo_channel", None), Err(OutsideError::Invalid(_))));
    let mut pushes = main.listen();
    assert_eq!(rename("@client_7", None).unwrap().username, None);
    let enums::Update::UserName(told) = pushes.next().updates.remove(0) else { panic!() };
    assert_eq!((told.user_id, told.usernames.len()), (client_id(7), 0));
    let resolve = functions::contacts::ResolveUsername { username: "client_7".into(), referer: None };
    assert_eq!(main.refused(&resolve), (400, "USERNAME_NOT_OCCUPIED".into()));
    assert_eq!(rename("@client_8", Some("Client_7")).unwrap().user_id, client_id(8));
    let enums::contacts::ResolvedPeer::Peer(found) = main.ask(&resolve);
    assert_eq!(found.peer, types::PeerUser { user_id: client_id(8) }.into());
    // Its own name in another spelling is no theft; the old name is free.
    rename("6000000008", Some("client_7")).unwrap();
    rename("6000000007", Some("client_8")).unwrap();
    let enums::contacts::ResolvedPeer::Peer(found) = main.resolve("client_8");
    assert_eq!(found.peer, types::PeerUser { user_id: client_id(7) }.into());
}
