//! Pushes and differences: what an account hears, and what it can ask for later.

use grammers_tl_types::{enums, functions, types};
use sandbox::call::World;
use sandbox::telegram::NewMessage;

use super::*;

fn write(world: &Telegram, from: &str, chat: &str, text: &str) -> i32 {
    let json = serde_json::json!({"from": from, "chat": chat, "text": text});
    let order: NewMessage = serde_json::from_value(json).unwrap();
    world.write(&order).unwrap().message_id
}

fn difference(client: &Client, pts: i32, limit: Option<i32>) -> enums::updates::Difference {
    let date = client.state().date;
    client.ask(&functions::updates::GetDifference {
        pts,
        pts_limit: limit,
        pts_total_limit: None,
        date: date + 1,
        qts: 0,
        qts_limit: None,
    })
}

fn text_of(message: &enums::Message) -> &str {
    match message {
        enums::Message::Message(message) => &message.message,
        other => panic!("{other:?}"),
    }
}

fn new_texts(messages: &[enums::Message]) -> Vec<&str> {
    messages.iter().map(text_of).collect()
}

#[test]
fn a_message_is_pushed_to_every_session_but_the_one_that_sent_it() {
    let world = world();
    let (here, there) = (Client::on_line(&world, "main", 0), Client::on_line(&world, "main", 1));
    let other = Client::of(&world, "backup_1");
    let (mut here_pushes, mut there_pushes, mut other_pushes) =
        (here.listen(), there.listen(), other.listen());
    let peer = here.titled("Demo supergroup");
    here.send(&peer, "hello all", 1);
    here_pushes.nothing();
    for (pushes, out) in [(&mut there_pushes, true), (&mut other_pushes, false)] {
        let updates = pushes.next();
        let [enums::Update::NewChannelMessage(new)] = updates.updates.as_slice() else { panic!() };
        let enums::Message::Message(message) = &new.message else { panic!() };
        assert_eq!((message.message.as_str(), message.out), ("hello all", out));
        assert!(matches!(&updates.chats[..], [enums::Chat::Channel(_)]));
        assert!(matches!(&updates.users[..], [enums::User::User(_)]));
    }
    // A session that has gone is told nothing more.
    world.disconnected(other.caller.connection);
    here.send(&peer, "again", 2);
    other_pushes.nothing();
}

#[test]
fn the_same_session_on_a_new_connection_is_told_once() {
    let world = world();
    let main = Client::of(&world, "main");
    let mut old = main.listen();
    let newer = main.on(2);
    let mut new = newer.listen();
    world.disconnected(main.caller.connection);
    write(&world, "@client_1", "main", "hello");
    old.nothing();
    new.next();
    new.nothing();
}

#[test]
fn a_session_that_does_not_keep_up_is_told_so() {
    let world = world();
    let main = Client::of(&world, "main");
    let mut pushes = main.listen();
    for number in 0..103 {
        write(&world, "@client_1", "main", &number.to_string());
    }
    for _ in 0..100 {
        pushes.next();
    }
    pushes.nothing();
    write(&world, "@client_1", "main", "after");
    assert_eq!(pushes.any(), enums::Updates::TooLong);
    pushes.next();
}

#[test]
fn the_difference_brings_what_was_missed_in_order_and_then_nothing() {
    let world = world();
    let main = Client::of(&world, "main");
    let pts = main.state().pts;
    assert!(matches!(difference(&main, pts, None), enums::updates::Difference::Empty(_)));
    for text in ["one", "two", "three"] {
        write(&world, "@client_1", "main", text);
    }
    let enums::updates::Difference::Difference(found) = difference(&main, pts, None) else { panic!() };
    assert_eq!(new_texts(&found.new_messages), ["one", "two", "three"]);
    let enums::updates::State::State(state) = found.state;
    assert_eq!(state.pts, pts + 3);
    let enums::updates::Difference::Slice(part) = difference(&main, pts, Some(2)) else { panic!() };
    assert_eq!(new_texts(&part.new_messages), ["one", "two"]);
    let enums::updates::State::State(middle) = part.intermediate_state;
    assert_eq!(middle.pts, pts + 2);
    assert!(matches!(difference(&main, state.pts, None), enums::updates::Difference::Empty(_)));
}

#[test]
fn a_difference_too_long_ago_or_from_another_world_is_too_long() {
    let world = world();
    let main = Client::of(&world, "main");
    let now = main.state().pts;
    for pts in [1, now + 1, i32::MAX] {
        let enums::updates::Difference::TooLong(answer) = difference(&main, pts, None) else { panic!() };
        assert_eq!(answer.pts, now);
    }
    write(&world, "@client_1", "main", "one");
    write(&world, "@client_1", "main", "two");
    let limited = functions::updates::GetDifference {
        pts: now,
        pts_limit: None,
        pts_total_limit: Some(1),
        date: i32::MAX,
        qts: 0,
        qts_limit: None,
    };
    assert!(matches!(main.ask(&limited), enums::updates::Difference::TooLong(_)));
    let empty = functions::updates::GetDifference { pts: 0, ..limited };
    assert_eq!(main.refused(&empty), (400, "PERSISTENT_TIMESTAMP_EMPTY".into()));
}

fn channel_difference(
    client: &Client,
    peer: &enums::InputPeer,
    pts: i32,
    limit: i32,
) -> enums::updates::ChannelDifference {
    let enums::InputPeer::Channel(channel) = peer else { panic!() };
    let (channel_id, access_hash) = (channel.channel_id, channel.access_hash);
    client.ask(&functions::updates::GetChannelDifference {
        force: false,
        channel: types::InputChannel { channel_id, access_hash }.into(),
        filter: enums::ChannelMessagesFilter::Empty,
        pts,
        limit,
    })
}

#[test]
fn a_channel_has_a_difference_of_its_own() {
    let world = world();
    let main = Client::of(&world, "main");
    let peer = main.titled("Demo supergroup");
    let enums::Updates::Updates(updates) = main.send(&peer, "start", 1) else { panic!() };
    let enums::Update::NewChannelMessage(new) = &updates.updates[1] else { panic!() };
    let pts = new.pts;
    let backup = Client::of(&world, "backup_1");
    let peer = backup.titled("Demo supergroup");
    let enums::updates::ChannelDifference::Empty(empty) = channel_difference(&backup, &peer, pts, 100) else {
        panic!()
    };
    assert!(empty.r#final);
    for text in ["one", "two", "three"] {
        write(&world, "@client_1", "-1002000000001", text);
    }
    let enums::updates::ChannelDifference::Difference(part) = channel_difference(&backup, &peer, pts, 2)
    else {
        panic!()
    };
    assert_eq!((new_texts(&part.new_messages), part.pts, part.r#final), (vec!["one", "two"], pts + 2, false));
    let enums::updates::ChannelDifference::Difference(rest) = channel_difference(&backup, &peer, part.pts, 2)
    else {
        panic!()
    };
    assert_eq!((new_texts(&rest.new_messages), rest.r#final), (vec!["three"], true));
    let enums::updates::ChannelDifference::TooLong(long) = channel_difference(&backup, &peer, pts + 99, 10)
    else {
        panic!()
    };
    let enums::Dialog::Dialog(dialog) = long.dialog else { panic!() };
    assert_eq!(dialog.pts, Some(pts + 3));
    // The account's own difference only says which channels moved.
    let state = backup.state();
    let asked = functions::updates::GetDifference {
        pts: state.pts,
        pts_limit: None,
        pts_total_limit: None,
        date: state.date - 10,
        qts: 0,
        qts_limit: None,
    };
    let enums::updates::Difference::Difference(found) = backup.ask(&asked) else { panic!() };
    assert!(found.new_messages.is_empty());
    assert!(found.other_updates.iter().any(|update| matches!(
        update,
        enums::Update::ChannelTooLong(long) if long.channel_id == 2_000_000_001 && long.pts == Some(pts + 3)
    )));
}

#[test]
fn reading_moves_the_marks_and_tells_the_other_side() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let (there, back) = (main.peer("demo_backup_1"), backup.peer("demo_main"));
    let id = sent_id(&backup.send(&back, "hello", 1));
    let mut pushes = backup.listen();
    let enums::messages::AffectedMessages::Messages(affected) =
        main.ask(&functions::messages::ReadHistory { peer: there.clone(), max_id: 0 });
    assert_eq!(affected.pts_count, 1);
    let [enums::Update::ReadHistoryOutbox(read)] = &pushes.next().updates[..] else { panic!() };
    assert_eq!((read.max_id, &read.peer), (id, &types::PeerUser { user_id: main.id("main") }.into()));
    let peers = vec![types::InputDialogPeer { peer: there }.into()];
    let enums::messages::PeerDialogs::Dialogs(found) =
        main.ask(&functions::messages::GetPeerDialogs { peers });
    let enums::Dialog::Dialog(dialog) = &found.dialogs[0] else { panic!() };
    assert_eq!(dialog.unread_count, 0);
    assert!(texts(&world) == ["hello"], "reading leaves no trace in the ledger");
}

#[test]
fn typing_is_told() {
    let world = world();
    let (main, backup) = (Client::of(&world, "main"), Client::of(&world, "backup_1"));
    let mut pushes = backup.listen();
    for peer in [main.peer("demo_backup_1"), main.titled("Demo group"), main.titled("Demo supergroup")] {
        let action = enums::SendMessageAction::SendMessageTypingAction;
        assert!(main.ask(&functions::messages::SetTyping { peer, top_msg_id: None, action }));
        pushes.next();
    }
    assert!(texts(&world).is_empty());
}
