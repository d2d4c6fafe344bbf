//! What becomes of chats: made twice, made and lost, turned into supergroups, closed.

use grammers_tl_types::{enums, functions, types};
use sandbox::call::Handling;
use serde_json::json;

use super::chats::{create, peer, supergroup};
use super::*;

/// The titles of the chats that were made.
fn made(world: &Telegram) -> Vec<String> {
    let rows = world.ledger(0, usize::MAX);
    let made = rows.iter().filter(|row| row.method == "channels.createChannel");
    made.map(|row| row.text.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_delayed_creation_happens_late_even_when_no_one_waits() {
    let world = world();
    let main = Client::of(&world, "main");
    fault(&world, json!({"fault": "delay", "seconds": 5, "method": "channels.createChannel", "times": 1}));
    let Handling::Later(late) = main.handle(&create("Slow")) else { panic!() };
    assert!(made(&world).is_empty());
    drop(late);
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(made(&world), ["Slow"]);
}

#[test]
fn titles_are_cut_and_descriptions_are_not() {
    let world = world();
    let main = Client::of(&world, "main");
    assert_eq!(main.refused(&create("")), (400, "CHAT_TITLE_EMPTY".into()));
    let about = functions::channels::CreateChannel { about: "я".repeat(256), ..create("Fine") };
    assert_eq!(main.refused(&about), (400, "CHAT_ABOUT_TOO_LONG".into()));
    let channel = supergroup(&main, &"я".repeat(300));
    assert_eq!(made(&world), ["я".repeat(128)]);
    let about = functions::messages::EditChatAbout { peer: peer(&channel), about: "x".repeat(256) };
    assert_eq!(main.refused(&about), (400, "CHAT_ABOUT_TOO_LONG".into()));
    let title = functions::channels::EditTitle { channel, title: "x".repeat(300) };
    main.ask(&title);
    assert_eq!(world.ledger(0, 10)[1].text.len(), 128);
}

#[test]
fn leaving_twice_or_a_deleted_chat_is_refused() {
    let world = world();
    let (main, fifth) = (Client::of(&world, "main"), Client::of(&world, "fifth"));
    let enums::InputPeer::Channel(public) = fifth.peer("demo_channel") else { panic!() };
    let (channel_id, access_hash) = (public.channel_id, public.access_hash);
    let channel: enums::InputChannel = types::InputChannel { channel_id, access_hash }.into();
    let leave = functions::channels::LeaveChannel { channel };
    fifth.ask(&leave);
    assert_eq!(fifth.refused(&leave), (400, "USER_NOT_PARTICIPANT".into()));
    let own = supergroup(&main, "Gone");
    main.ask(&functions::channels::DeleteChannel { channel: own.clone() });
    let gone = functions::channels::LeaveChannel { channel: own };
    assert_eq!(main.refused(&gone), (406, "CHANNEL_PRIVATE".into()));
    let never = functions::channels::LeaveChannel {
        channel: types::InputChannel { channel_id: 1, access_hash: 1 }.into(),
    };
    assert_eq!(main.refused(&never), (400, "CHANNEL_INVALID".into()));
    let group = Client::of(&world, "backup_1");
    let enums::InputPeer::Chat(named) = group.titled("Demo group") else { panic!() };
    let mut pushes = group.listen();
    main.ask(&functions::messages::DeleteChat { chat_id: named.chat_id });
    assert!(matches!(pushes.next().chats[0], enums::Chat::Forbidden(_)));
    let leave = functions::messages::DeleteChatUser {
        revoke_history: false,
        chat_id: named.chat_id,
        user_id: enums::InputUser::UserSelf,
    };
    assert_eq!(group.refused(&leave), (400, "USER_NOT_PARTICIPANT".into()));
}

#[test]
fn a_repeated_invite_or_toggle_is_refused() {
    let world = world();
    let main = Client::of(&world, "main");
    let channel = supergroup(&main, "Steps");
    let users = vec![main.user("client_1")];
    let invite = functions::channels::InviteToChannel { channel: channel.clone(), users };
    let toggle = functions::channels::TogglePreHistoryHidden { channel, enabled: false };
    main.ask(&invite);
    main.ask(&toggle);
    assert_eq!(main.refused(&invite), (400, "USER_ALREADY_PARTICIPANT".into()));
    assert_eq!(main.refused(&toggle), (400, "CHAT_NOT_MODIFIED".into()));
}

#[test]
fn a_group_migrates_once_and_then_refuses_messages() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let group = main.titled("Demo group");
    let enums::InputPeer::Chat(named) = &group else { panic!() };
    let migrate = functions::messages::MigrateChat { chat_id: named.chat_id };
    assert_eq!(backup.refused(&migrate), (400, "CHAT_ADMIN_REQUIRED".into()));
    main.ask(&migrate);
    assert_eq!(main.refused(&migrate), (400, "CHAT_ID_INVALID".into()));
    assert_eq!(main.refused(&message(&group, "x", 1)), (400, "PEER_ID_INVALID".into()));
}
