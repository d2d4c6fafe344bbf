//! Forwarding: a `random_id` for each message, and where it comes from.

use sandbox::call::Handling;

use super::*;

pub(super) fn forward(
    from: &enums::InputPeer,
    to: &enums::InputPeer,
    messages: &[(i32, i64)],
) -> functions::messages::ForwardMessages {
    functions::messages::ForwardMessages {
        silent: false,
        background: false,
        with_my_score: false,
        drop_author: false,
        drop_media_captions: false,
        noforwards: false,
        allow_paid_floodskip: false,
        from_ephemeral: false,
        from_peer: from.clone(),
        id: messages.iter().map(|(id, _)| *id).collect(),
        random_id: messages.iter().map(|(_, random_id)| *random_id).collect(),
        to_peer: to.clone(),
        top_msg_id: None,
        reply_to: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        video_timestamp: None,
        allow_paid_stars: None,
        suggested_post: None,
    }
}

fn ids(updates: &enums::Updates) -> Vec<(i32, i64)> {
    let enums::Updates::Updates(updates) = updates else { panic!("{updates:?}") };
    let assigned_ids = |update: &enums::Update| match update {
        enums::Update::MessageId(assigned) => Some((assigned.id, assigned.random_id)),
        _ => None,
    };
    updates.updates.iter().filter_map(assigned_ids).collect()
}

#[test]
fn each_message_is_forwarded_once() {
    let world = world();
    let main = Client::of(&world, "main");
    let (there, group) = (main.peer("client_1"), main.titled("Demo supergroup"));
    let (first, second) = (sent_id(&main.send(&there, "a", 1)), sent_id(&main.send(&there, "b", 2)));
    let once = main.ask(&forward(&there, &group, &[(first, 11), (second, 12)]));
    assert_eq!(ids(&once).iter().map(|(_, random_id)| *random_id).collect::<Vec<_>>(), [11, 12]);
    // A repeat, with one more message: only that one is new.
    let again = main.ask(&forward(&there, &group, &[(first, 11), (second, 12), (first, 13)]));
    assert_eq!(ids(&again)[..2], ids(&once));
    assert_eq!(texts(&world), ["a", "b", "a", "b", "a"]);
    let row = &world.ledger(2, 1)[0];
    assert_eq!((&*row.method, row.random_id), ("messages.forwardMessages", Some(11)));
    // What was sent by hand with the same random_id counts too.
    assert_eq!(sent_id(&main.send(&group, "other", 11)), ids(&once)[0].0);
    assert_eq!(world.ledger(0, 10).len(), 5);
}

#[test]
fn a_forward_names_its_first_author() {
    let world = world();
    let main = Client::of(&world, "main");
    let (there, group) = (main.peer("client_1"), main.titled("Demo supergroup"));
    let channel = main.peer("demo_channel");
    let post = sent_id(&main.send(&channel, "news", 1));
    let own_id = sent_id(&main.send(&there, "mine", 2));
    main.ask(&forward(&channel, &there, &[(post, 3)]));
    let passed_on = main.newest(&there, 1)[0].id;
    main.ask(&forward(&there, &group, &[(passed_on, 4), (own_id, 5)]));
    let author = |message: &types::Message| {
        let enums::MessageFwdHeader::Header(header) = message.fwd_from.clone().unwrap();
        (header.from_id.unwrap(), header.channel_post)
    };
    let backup = Client::of(&world, "backup_1");
    let seen = backup.newest(&backup.titled("Demo supergroup"), 2);
    let me = enums::Peer::User(types::PeerUser { user_id: main.id("main") });
    assert_eq!(author(&seen[0]), (me, None));
    let channel = enums::Peer::Channel(types::PeerChannel { channel_id: 2_000_000_002 });
    assert_eq!(author(&seen[1]), (channel, Some(post)));
}

#[test]
fn an_invalid_forward_is_refused_as_a_whole() {
    let world = world();
    let main = Client::of(&world, "main");
    let there = main.peer("client_1");
    let id = sent_id(&main.send(&there, "a", 1));
    for (messages, error) in [
        ([(id, 2), (999_999, 3)].as_slice(), "MESSAGE_ID_INVALID"),
        (&[(id, 0)], "RANDOM_ID_INVALID"),
        (&[], "MESSAGE_IDS_EMPTY"),
    ] {
        assert_eq!(main.refused(&forward(&there, &there, messages)), (400, error.into()));
    }
    let backup = Client::of(&world, "backup_1");
    let (from, news) = (backup.peer("client_1"), backup.peer("demo_channel"));
    let id = sent_id(&backup.send(&from, "b", 1));
    assert_eq!(backup.refused(&forward(&from, &news, &[(id, 2)])), (403, "CHAT_WRITE_FORBIDDEN".into()));
    assert_eq!(texts(&world), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_forward_holds_its_random_ids() {
    let world = world();
    let main = Client::of(&world, "main");
    let there = main.peer("client_1");
    let id = sent_id(&main.send(&there, "a", 1));
    fault(&world, serde_json::json!({"fault": "delay", "seconds": 5, "times": 1}));
    let Handling::Later(late) = main.handle(&forward(&there, &there, &[(id, 7), (id, 8)])) else { panic!() };
    for request in [forward(&there, &there, &[(id, 8)]), forward(&there, &there, &[(id, 9), (id, 7)])] {
        assert_eq!(main.refused(&request), (500, "RANDOM_ID_DUPLICATE".into()));
    }
    assert!(matches!(late.await.into(), Outcome::Answer(_)));
    assert_eq!(texts(&world), ["a", "a", "a"]);
}
