//! What becomes of chats: made twice, made and lost, turned into supergroups, closed.

use grammers_tl_types::{enums, functions, types};
use sandbox::call::Handling;
use sandbox::telegram::{ChatKind, NewChat, NewUsername, OutsideError};
use serde_json::json;

use super::chats::{create, export, full, input_channel, participants, peer, supergroup};
use super::*;

/// The titles of the chats that were made.
fn made(world: &Telegram) -> Vec<String> {
    let rows = world.ledger(0, usize::MAX);
    let made = rows.iter().filter(|row| row.method == "channels.createChannel");
    made.map(|row| row.text.to_string()).collect()
}

#[test]
fn creating_twice_makes_two() {
    let world = world();
    let main = Client::of(&world, "main");
    assert_ne!(supergroup(&main, "Twin"), supergroup(&main, "Twin"));
    assert_eq!(made(&world), ["Twin", "Twin"]);
    let rows = world.ledger(0, 2);
    assert_ne!(rows[0].chat_id, rows[1].chat_id);
}

#[test]
fn a_lost_answer_leaves_a_chat_that_the_difference_and_the_dialogs_show() {
    for (name, heard, effect) in [
        ("drop_answer", Heard::Silence, true),
        ("disconnect", Heard::Cut, true),
        ("disconnect_before", Heard::Cut, false),
        ("deaf", Heard::Silence, false),
    ] {
        let world = world();
        let main = Client::of(&world, "main");
        let before = main.state();
        fault(&world, json!({"fault": name, "method": "channels.createChannel", "times": 1}));
        assert_eq!(main.hear(&create("Lost")), heard, "{name}");
        assert_eq!(made(&world).len(), usize::from(effect), "{name}");
        let found = |chats: &[enums::Chat]| {
            chats
                .iter()
                .any(|chat| matches!(chat, enums::Chat::Channel(it) if it.title == "Lost" && it.creator))
        };
        assert_eq!(found(&main.chats()), effect, "{name}");
        let difference = main.ask(&functions::updates::GetDifference {
            pts: before.pts,
            pts_limit: None,
            pts_total_limit: None,
            date: before.date,
            qts: 0,
            qts_limit: None,
        });
        if effect {
            let enums::updates::Difference::Difference(missed) = difference else { panic!("{name}") };
            assert!(found(&missed.chats), "{name}");
        }
        // A repeat knows nothing of it.
        main.ask(&create("Lost"));
        assert_eq!(made(&world).len(), usize::from(effect) + 1, "{name}");
    }
}

#[test]
fn each_later_step_may_lose_its_answer_too() {
    let world = world();
    let main = Client::of(&world, "main");
    let channel = supergroup(&main, "Steps");
    let users = vec![main.user("client_1")];
    let toggle = functions::channels::TogglePreHistoryHidden { channel: channel.clone(), enabled: false };
    let leave = functions::channels::LeaveChannel { channel: channel.clone() };
    let link = export(&peer(&channel), true);
    let invite = functions::channels::InviteToChannel { channel: channel.clone(), users };
    fault(&world, json!({"fault": "drop_answer", "times": 3}));
    assert_eq!(main.hear(&invite), Heard::Silence);
    assert_eq!(main.hear(&toggle), Heard::Silence);
    assert_eq!(main.hear(&link), Heard::Silence);
    // What was done once is told so, or is found.
    assert_eq!(main.refused(&invite), (400, "USER_ALREADY_PARTICIPANT".into()));
    assert_eq!(main.refused(&toggle), (400, "CHAT_NOT_MODIFIED".into()));
    assert!(full(&main, &channel).exported_invite.is_some());
    fault(&world, json!({"fault": "disconnect", "times": 1}));
    assert_eq!(main.hear(&leave), Heard::Cut);
    assert_eq!(main.refused(&leave), (406, "CHANNEL_PRIVATE".into()));
    let methods: Vec<_> = world.ledger(0, 10).iter().map(|row| row.method).collect();
    assert_eq!(
        methods,
        [
            "channels.createChannel",
            "channels.inviteToChannel",
            "channels.togglePreHistoryHidden",
            "messages.exportChatInvite",
            "channels.leaveChannel"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_delayed_creation_happens_late_even_when_nobody_waits() {
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
fn leaving_twice_and_leaving_what_is_gone() {
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
fn a_group_becomes_a_supergroup_and_its_messages_stay_behind() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let group = main.titled("Demo group");
    let enums::InputPeer::Chat(named) = &group else { panic!() };
    let chat_id = named.chat_id;
    let old = sent_id(&main.send(&group, "before", 1));
    let migrate = functions::messages::MigrateChat { chat_id };
    assert_eq!(backup.refused(&migrate), (400, "CHAT_ADMIN_REQUIRED".into()));
    let mut pushes = backup.listen();
    let enums::Updates::Updates(updates) = main.ask(&migrate) else { panic!() };
    let new = updates.chats.iter().find(|chat| matches!(chat, enums::Chat::Channel(_))).unwrap();
    let channel = input_channel(new);
    let told = updates.chats.iter().find_map(|chat| match chat {
        enums::Chat::Chat(chat) => Some((chat.deactivated, chat.migrated_to.clone())),
        _ => None,
    });
    assert_eq!(told, Some((true, Some(channel.clone()))));
    let kinds: Vec<_> = updates
        .updates
        .iter()
        .map(|update| match update {
            enums::Update::Channel(_) => "channel",
            enums::Update::NewMessage(_) => "last",
            enums::Update::NewChannelMessage(_) => "first",
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(kinds, ["channel", "last", "first"]);
    assert!(matches!(pushes.next().updates[0], enums::Update::Channel(_)));
    assert!(matches!(pushes.next().updates[0], enums::Update::NewMessage(_)));
    assert!(matches!(pushes.next().updates[0], enums::Update::NewChannelMessage(_)));

    // The old chat can be read and no longer written to; the new one begins with message 1.
    assert_eq!(main.newest(&group, 10)[0].id, old);
    assert_eq!(main.refused(&message(&group, "x", 2)), (400, "PEER_ID_INVALID".into()));
    assert_eq!(sent_id(&main.send(&peer(&channel), "after", 3)), 2);
    let listed = backup.chats();
    let seen =
        listed.iter().find(|chat| matches!(chat, enums::Chat::Channel(it) if it.title == "Demo group"));
    backup.send(&peer(&input_channel(seen.unwrap())), "me too", 1);
    let filter = enums::ChannelParticipantsFilter::ChannelParticipantsRecent;
    assert_eq!(participants(&main, &channel, filter).count, 6);
    let full = functions::channels::GetFullChannel { channel };
    let enums::messages::ChatFull::Full(full) = main.ask(&full);
    let enums::ChatFull::ChannelFull(full) = full.full_chat else { panic!() };
    assert_eq!((full.migrated_from_chat_id, full.migrated_from_max_id), (Some(chat_id), Some(old + 1)));
    assert_eq!(main.refused(&migrate), (400, "CHAT_ID_INVALID".into()));
    let leave = functions::messages::DeleteChatUser {
        revoke_history: false,
        chat_id,
        user_id: enums::InputUser::UserSelf,
    };
    assert_eq!(backup.refused(&leave), (400, "PEER_ID_INVALID".into()));
    let rows = world.ledger(0, 10);
    assert_eq!(
        (rows[1].method, &*rows[1].text, rows[1].message_id),
        ("messages.migrateChat", "Demo group", Some(1))
    );
    assert!(rows[1].chat_id.starts_with("-100"));
}

#[test]
fn chats_are_made_turned_and_closed_from_outside() {
    let world = world();
    let main = Client::of(&world, "main");
    let order = |kind, title: &str| NewChat {
        kind,
        title: title.to_owned(),
        creator: "@client_1".into(),
        members: vec!["main".into(), "@client_2".into()],
    };
    let mut pushes = main.listen();
    for (kind, title) in
        [(ChatKind::Group, "Theirs 1"), (ChatKind::Supergroup, "Theirs 2"), (ChatKind::Channel, "Theirs 3")]
    {
        let made = world.make_chat(&order(kind, title)).unwrap();
        pushes.next();
        main.titled(title);
        if kind == ChatKind::Group {
            let new = world.migrate(&made.chat_id).unwrap();
            assert!(matches!(world.migrate(&made.chat_id), Err(OutsideError::Invalid(_))));
            let listed = world.chats();
            let view = listed.iter().find(|chat| chat.chat_id == made.chat_id).unwrap();
            assert_eq!(view.migrated_to.as_ref(), Some(&new.chat_id));
        } else {
            assert!(matches!(world.migrate(&made.chat_id), Err(OutsideError::Invalid(_))));
        }
        if kind == ChatKind::Supergroup {
            let chat = main.titled(title);
            world.close_chat(&made.chat_id).unwrap();
            assert_eq!(main.refused(&message(&chat, "x", 1)), (406, "CHANNEL_PRIVATE".into()));
        }
        while pushes.another() {}
    }
    assert!(world.make_chat(&order(ChatKind::Group, " ")).is_err());
    assert!(world.close_chat("@client_1").is_err());
    assert!(world.ledger(0, 10).is_empty());
}

#[test]
fn what_is_done_quietly_is_pushed_to_nobody_and_found_by_whoever_asks() {
    let world = world();
    let main = Client::of(&world, "main");
    let mut pushes = main.listen();
    let order = NewChat {
        kind: ChatKind::Supergroup,
        title: "Unheard of".to_owned(),
        creator: "@client_1".into(),
        members: vec!["main".into()],
    };
    let made = world.quietly().make_chat(&order).unwrap();
    let name = NewUsername { username: None };
    world.quietly().rename("@client_7", &name).unwrap();
    assert!(!pushes.another());
    let chat = main.titled("Unheard of");
    world.quietly().close_chat(&made.chat_id).unwrap();
    assert!(!pushes.another());
    assert_eq!(main.refused(&message(&chat, "x", 1)), (406, "CHANNEL_PRIVATE".into()));
    world.make_chat(&order).unwrap();
    pushes.next();
}
