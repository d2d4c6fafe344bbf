//! Sending, editing, deleting; what a `random_id` is for; the ledger.

use grammers_tl_types::{enums, functions, types};
use proptest::prelude::*;
use sandbox::call::Handling;

use super::*;

#[test]
fn a_repeated_random_id_has_no_effect_and_the_first_answer() {
    let world = world();
    let main = Client::of(&world, "main");
    for title in ["Demo supergroup", "Demo group"] {
        let peer = main.titled(title);
        let first = main.send(&peer, "once", 7);
        main.send(&peer, "between", 8);
        let again = Client::on_line(&world, "main", 1).send(&peer, "once", 7);
        assert_eq!(sent_id(&first), sent_id(&again));
        assert_eq!(
            main.newest(&peer, 2).iter().map(|m| m.message.as_str()).collect::<Vec<_>>(),
            ["between", "once"]
        );
    }
    let peer = main.peer("client_1");
    let first = main.send(&peer, "once", 7);
    assert_eq!(main.send(&peer, "another text, even", 7), first);
    assert_eq!(texts(&world), ["once", "between", "once", "between", "once"]);
    // Another chat, and another account, are another matter.
    main.send(&main.peer("client_2"), "to another", 7);
    let backup = Client::of(&world, "backup_1");
    backup.send(&backup.peer("client_1"), "by another", 7);
    assert_eq!(texts(&world)[5..], ["to another", "by another"]);
}

#[test]
fn a_repeat_after_the_message_is_gone_still_has_no_effect() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.titled("Demo supergroup");
    let id = sent_id(&main.send(&peer, "once", 7));
    let enums::InputPeer::Channel(channel) = &peer else { panic!() };
    let channel =
        types::InputChannel { channel_id: channel.channel_id, access_hash: channel.access_hash }.into();
    main.ask(&functions::channels::DeleteMessages { channel, id: vec![id] });
    assert_eq!(sent_id(&main.send(&peer, "once", 7)), id);
    assert_eq!(texts(&world), ["once", ""]);
}

#[tokio::test(start_paused = true)]
async fn repeat_of_a_delayed_call_gets_random_id_duplicate() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    fault(&world, serde_json::json!({"fault": "delay", "seconds": 5, "times": 1}));
    let Handling::Later(late) = main.handle(&message(&peer, "slow", 7)) else { panic!() };
    assert_eq!(main.refused(&message(&peer, "slow", 7)), (500, "RANDOM_ID_DUPLICATE".into()));
    assert!(texts(&world).is_empty());
    let other = Client::of(&world, "backup_1");
    other.send(&other.peer("client_1"), "another account", 7);
    let Outcome::Answer(bytes) = late.await.into() else { panic!() };
    let first: enums::Updates = whole(&bytes);
    assert_eq!(main.send(&peer, "slow", 7), first);
    assert_eq!(texts(&world), ["another account", "slow"]);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_call_takes_effect_even_if_no_one_waits_for_it() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    fault(&world, serde_json::json!({"fault": "delay", "seconds": 0.5, "times": 1}));
    drop(main.handle(&message(&peer, "slow", 7)));
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(texts(&world), ["slow"]);
}

#[test]
fn invalid_messages_are_refused() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.peer("client_1");
    let long = "я".repeat(4_097);
    for (text, error) in [("", "MESSAGE_EMPTY"), (" \n", "MESSAGE_EMPTY"), (&long, "MESSAGE_TOO_LONG")] {
        assert_eq!(main.refused(&message(&peer, text, 7)), (400, error.into()));
    }
    main.send(&peer, &"😀".repeat(2_048), 8);
    let replied =
        functions::messages::SendMessage { reply_to: Some(reply(999_999)), ..message(&peer, "x", 9) };
    assert_eq!(main.refused(&replied), (400, "REPLY_MESSAGE_ID_INVALID".into()));
    let scheduled = functions::messages::SendMessage { schedule_date: Some(1), ..message(&peer, "x", 9) };
    assert_eq!(main.refused(&scheduled), (400, "SCHEDULE_DATE_INVALID".into()));
    for (offset, length) in [(-1, 2), (0, 0), (0, -1), (3, 1), (0, 4), (i32::MAX, i32::MAX)] {
        let bold = types::MessageEntityBold { offset, length }.into();
        let marked =
            functions::messages::SendMessage { entities: Some(vec![bold]), ..message(&peer, "abc", 9) };
        assert_eq!(main.refused(&marked), (400, "ENTITY_BOUNDS_INVALID".into()), "{offset} {length}");
    }
}

#[test]
fn a_private_chat_is_cleared_for_both() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let (there, back) = (main.peer("demo_backup_1"), backup.peer("demo_main"));
    main.send(&there, "one", 1);
    backup.send(&back, "two", 2);
    let clear = functions::messages::DeleteHistory {
        just_clear: false,
        revoke: true,
        peer: there.clone(),
        max_id: 0,
        min_date: None,
        max_date: None,
    };
    let enums::messages::AffectedHistory::History(cleared) = main.ask(&clear);
    assert_eq!((cleared.pts_count, cleared.offset), (2, 0));
    assert!(main.newest(&there, 10).is_empty() && backup.newest(&back, 10).is_empty());
    assert_eq!(sent_id(&main.send(&there, "one", 1)), sent_id(&main.send(&there, "again", 1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However often and in whatever order ids are repeated: one effect each, and pts moves by the effects alone.
    #[test]
    fn each_random_id_has_one_effect(ids in proptest::collection::vec((1_i64..6, 0_usize..3), 1..40)) {
        let world = world_of(2, 0);
        let main = Client::of(&world, "main");
        let peers = [main.peer("client_1"), main.titled("Demo supergroup"), main.titled("Demo group")];
        let mut first = std::collections::HashMap::new();
        for (random_id, place) in ids {
            let id = sent_id(&main.send(&peers[place], "text", random_id));
            prop_assert_eq!(*first.entry((random_id, place)).or_insert(id), id);
        }
        prop_assert_eq!(world.ledger(0, usize::MAX).len(), first.len());
    }

    /// No bytes make the world panic.
    #[test]
    fn random_bytes_are_refused(id in any::<u32>(), body in proptest::collection::vec(any::<u8>(), 0..64)) {
        let world = world_of(1, 0);
        let main = Client::of(&world, "main");
        for id in [id, 0xfef4_8f62, 0xa0f4_cb4f, 0x4423_e6c5, 0xb106_e66c, 0x29ee_847a] {
            let request = [&id.to_le_bytes()[..], &body].concat();
            let _ = world.call(&main.caller, &|| false, &request);
        }
        let _ = world.call(&main.caller, &|| false, &body[..body.len().min(3)]);
    }
}

#[test]
fn only_the_author_edits_a_message() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let peer = main.titled("Demo supergroup");
    let id = sent_id(&main.send(&peer, "first", 1));
    let edit = |peer: enums::InputPeer| functions::messages::EditMessage {
        no_webpage: false,
        invert_media: false,
        peer,
        id,
        message: Some("second".into()),
        media: None,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        quick_reply_shortcut_id: None,
        rich_message: None,
    };
    let theirs = backup.titled("Demo supergroup");
    assert_eq!(backup.refused(&edit(theirs)), (403, "MESSAGE_AUTHOR_REQUIRED".into()));
    main.ask(&edit(peer.clone()));
    assert_eq!(main.refused(&edit(peer)), (400, "MESSAGE_NOT_MODIFIED".into()));
}
