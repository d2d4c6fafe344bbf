//! Who may name whom, and write where; which keys may call at all.

use grammers_tl_types::{Serializable, enums, functions, types};
use sandbox::telegram::{MemberOrder, NewBlock};

use super::*;

fn member(world: &Telegram, chat: &str, json: serde_json::Value) {
    let order: MemberOrder = serde_json::from_value(json).unwrap();
    world.move_member(chat, &order).unwrap();
}

#[test]
fn access_hashes_are_checked_per_account() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let enums::InputPeer::User(user) = main.peer("client_1") else { panic!() };
    let enums::InputPeer::Channel(channel) = main.peer("demo_channel") else { panic!() };
    for client in [&main, &backup] {
        let (user_hash, channel_hash) = if client.caller.key == main.caller.key {
            (user.access_hash + 1, 0)
        } else {
            (user.access_hash, channel.access_hash)
        };
        let (user_id, channel_id) = (user.user_id, channel.channel_id);
        let peer = types::InputPeerUser { user_id, access_hash: user_hash }.into();
        assert_eq!(client.refused(&message(&peer, "x", 1)), (400, "PEER_ID_INVALID".into()));
        let id = types::InputUser { user_id, access_hash: user_hash }.into();
        let get = functions::users::GetUsers { id: vec![id] };
        assert_eq!(client.refused(&get), (400, "USER_ID_INVALID".into()));
        let peer = types::InputPeerChannel { channel_id, access_hash: channel_hash }.into();
        assert_eq!(client.refused(&message(&peer, "x", 1)), (400, "CHANNEL_INVALID".into()));
        let channel = types::InputChannel { channel_id, access_hash: channel_hash }.into();
        let full = functions::channels::GetFullChannel { channel };
        assert_eq!(client.refused(&full), (400, "CHANNEL_INVALID".into()));
    }
    for peer in [
        enums::InputPeer::Empty,
        types::InputPeerChat { chat_id: 1 }.into(),
        types::InputPeerUser { user_id: 1, access_hash: 1 }.into(),
    ] {
        assert_eq!(main.refused(&message(&peer, "x", 1)), (400, "PEER_ID_INVALID".into()));
    }
    assert_eq!(
        main.refused(&functions::messages::GetFullChat { chat_id: 1 }),
        (400, "CHAT_ID_INVALID".into())
    );
}

#[test]
fn only_members_with_the_right_can_write() {
    let world = world();
    let backup = Client::of(&world, "backup_1");
    let channel = backup.peer("demo_channel");
    assert_eq!(backup.refused(&message(&channel, "x", 1)), (403, "CHAT_WRITE_FORBIDDEN".into()));
    let main = Client::of(&world, "main");
    main.send(&main.peer("demo_channel"), "news", 1);
    let supergroup = backup.titled("Demo supergroup");
    member(&world, "-1002000000001", serde_json::json!({"account": "backup_1", "remove": "mute"}));
    assert_eq!(backup.refused(&message(&supergroup, "x", 1)), (400, "USER_BANNED_IN_CHANNEL".into()));
    member(&world, "-1002000000001", serde_json::json!({"account": "backup_1"}));
    backup.send(&supergroup, "again", 1);
    member(&world, "-1002000000001", serde_json::json!({"account": "backup_1", "remove": true}));
    assert_eq!(backup.refused(&message(&supergroup, "x", 2)), (406, "CHANNEL_PRIVATE".into()));
    // A repeat of what was sent before is still that.
    backup.send(&supergroup, "again", 1);
    member(&world, "-1002000000001", serde_json::json!({"account": "@demo_backup_1", "remove": "ban"}));
    assert_eq!(backup.refused(&message(&supergroup, "x", 2)), (400, "USER_BANNED_IN_CHANNEL".into()));
    let group = backup.titled("Demo group");
    member(&world, "-4000001", serde_json::json!({"account": "backup_1", "remove": true}));
    assert_eq!(backup.refused(&message(&group, "x", 2)), (403, "CHAT_WRITE_FORBIDDEN".into()));
}

#[test]
fn blocking_works_in_both_directions() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    let block = |remove| NewBlock { from: "@client_1".into(), account: "main".into(), remove };
    world.block(&block(false)).unwrap();
    assert_eq!(main.refused(&message(&peer, "x", 1)), (400, "USER_IS_BLOCKED".into()));
    world.block(&block(true)).unwrap();
    main.ask(&functions::contacts::Block { my_stories_from: false, id: peer.clone() });
    assert_eq!(main.refused(&message(&peer, "x", 1)), (400, "YOU_BLOCKED_USER".into()));
    main.ask(&functions::contacts::Unblock { my_stories_from: false, id: peer.clone() });
    main.send(&peer, "x", 1);
}

#[test]
fn a_key_without_an_account_may_only_call_help() {
    let world = world();
    let without_account = Client::with(&world, AuthKeyId(42), 2);
    without_account.ask(&functions::help::GetConfig {});
    for answer in [
        without_account.refused(&functions::updates::GetState {}),
        without_account.refused(&functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] }),
        without_account.refused(&functions::auth::LogOut {}),
    ] {
        assert_eq!(answer, (401, "AUTH_KEY_UNREGISTERED".into()));
    }
}

#[test]
fn a_key_used_on_two_connections_at_once_dies() {
    let world = world();
    let old = Client::of(&world, "main");
    let new = old.on(2);
    old.state();
    new.state();
    let dead = (406, "AUTH_KEY_DUPLICATED".to_owned());
    assert_eq!(old.refused(&functions::updates::GetState {}), dead);
    assert_eq!(new.refused(&functions::updates::GetState {}), dead);
    assert_eq!(old.on(3).refused(&functions::help::GetConfig {}), dead);
    // The account's other keys are alive.
    Client::on_line(&world, "main", 0).state();
}

#[test]
fn older_closed_connection_does_not_duplicate_the_key() {
    let world = world();
    let old = Client::of(&world, "main");
    let new = old.on(2);
    old.state();
    new.state();
    let ask = |hung_up: bool| {
        let request = functions::updates::GetState {}.to_bytes();
        match world.call(&old.caller, &|| hung_up, &request) {
            Handling::Now(reply) => Outcome::from(reply),
            Handling::Later(_) => panic!(),
        }
    };
    assert!(matches!(ask(true), Outcome::Answer(_)));
    new.state();
    // One that stays on both is two programs.
    assert_eq!(ask(false), Outcome::Error(406, "AUTH_KEY_DUPLICATED".to_owned()));
}

#[test]
fn an_unknown_method_is_an_error_and_is_listed() {
    let world = world();
    let main = Client::of(&world, "main");
    let request = functions::messages::GetStickers { emoticon: String::new(), hash: 0 };
    let (code, message) = main.refused(&request);
    assert_eq!(code, 400);
    assert!(message.starts_with("INPUT_METHOD_INVALID_"), "{message}");
    let Outcome::Error(400, _) = (match world.call(&main.caller, &|| false, &[1, 2, 3, 4]) {
        sandbox::call::Handling::Now(reply) => Outcome::from(reply),
        sandbox::call::Handling::Later(_) => panic!(),
    }) else {
        panic!()
    };
    let names: Vec<&str> = world.unknown().iter().map(|unknown| unknown.name).collect();
    assert!(names.contains(&"messages.getStickers"), "{names:?}");
    assert_eq!(names.len(), 2);
}
