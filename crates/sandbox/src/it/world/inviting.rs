//! Whom one may put into a chat, and who refuses.

use grammers_tl_types::{enums, functions, types};
use sandbox::telegram::{Invites, OutsideError, Privacy};

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
fn users_who_refuse_invites_are_reported_missing() {
    let world = world();
    let main = Client::of(&world, "main");
    let channel = supergroup(&main, "Repair 1");
    set(&world, "@client_7", Invites::NoOne);
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
    assert_eq!((&*last.method, &*last.text), ("channels.inviteToChannel", "6000000007"));
    let unknown = world.set_privacy("@nobody", Privacy { invites: Invites::NoOne });
    assert!(matches!(unknown, Err(OutsideError::NotFound(_))));
}

#[test]
fn basic_groups_respect_privacy_too() {
    let world = world();
    let main = Client::of(&world, "main");
    set(&world, "@client_7", Invites::NoOne);
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
    let titles: Vec<_> =
        world.ledger(0, 100).iter().map(|row| (row.method.to_string(), row.text.to_string())).collect();
    let made = ("messages.createChat".to_owned(), "Small".to_owned());
    assert_eq!(titles, [made.clone(), made]);
    let many = (1..=200).map(|number| main.user(&format!("guest_{number}"))).collect();
    let large = functions::messages::CreateChat { users: many, ..create };
    assert_eq!(main.refused(&large), (400, "USERS_TOO_MUCH".into()));
}

#[test]
fn bots_follow_separate_invite_rules() {
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
    set(&world, "@demo_bot_1", Invites::NoOne);
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
    set(&world, "@client_7", Invites::NoOne);
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
