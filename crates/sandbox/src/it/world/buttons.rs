//! Inline keyboards: they come with a message, are pressed, and change with an edit.

use sandbox::telegram::{Edit, NewMessage};

use super::*;

fn ask_main(world: &Telegram, buttons: &serde_json::Value) -> i32 {
    let order = serde_json::json!({
        "from": "@demo_bot_1", "chat": "@demo_main", "text": "Well?", "buttons": buttons,
    });
    let order: NewMessage = serde_json::from_value(order).unwrap();
    world.write(&order).unwrap().message_id
}

fn press(peer: &enums::InputPeer, msg_id: i32, data: &str) -> functions::messages::GetBotCallbackAnswer {
    functions::messages::GetBotCallbackAnswer {
        game: false,
        peer: peer.clone(),
        msg_id,
        data: Some(data.as_bytes().to_vec()),
        password: None,
    }
}

#[test]
fn a_press_is_an_effect_if_the_button_is_there() {
    let world = world();
    let main = Client::of(&world, "main");
    let bot = main.peer("demo_bot_1");
    let id = ask_main(&world, &serde_json::json!([[{"text": "Yes", "data": "yes"}]]));
    main.ask(&press(&bot, id, "yes"));
    let rows = world.ledger(0, 10);
    assert_eq!((rows.len(), &*rows[0].method, &*rows[0].text), (1, "messages.getBotCallbackAnswer", "yes"));
    assert_eq!((rows[0].chat_id.as_str(), rows[0].message_id), ("5500000001", Some(id)));
    assert_eq!(main.refused(&press(&bot, id, "no")), (400, "DATA_INVALID".into()));
    assert_eq!(main.refused(&press(&bot, id + 1, "yes")), (400, "MESSAGE_ID_INVALID".into()));
    let refused: Vec<_> = world.ledger(1, 10).into_iter().filter_map(|row| row.press?.refused).collect();
    assert_eq!(refused, ["DATA_INVALID", "MESSAGE_ID_INVALID"]);
}

#[test]
fn an_edit_keeps_the_keyboard_changes_it_or_takes_it_away() {
    let world = world();
    let main = Client::of(&world, "main");
    let bot = main.peer("demo_bot_1");
    let id = ask_main(&world, &serde_json::json!([[{"text": "Yes", "data": "yes"}]]));
    for (edit, answers) in [
        (serde_json::json!({"text": "same"}), ["yes"].as_slice()),
        (serde_json::json!({"text": "other", "buttons": [[{"text": "No", "data": "no"}]]}), &["no"]),
        (serde_json::json!({"text": "none", "buttons": []}), &[]),
    ] {
        let edit: Edit = serde_json::from_value(edit).unwrap();
        world.edit("5500000001", id, &edit).unwrap();
        for data in ["yes", "no"] {
            let answered = matches!(main.hear(&press(&bot, id, data)), Outcome::Answer(_));
            assert_eq!(answered, answers.contains(&data), "{} {data}", edit.text);
        }
    }
}

/// Two mailboxes have a message with this id from the same client: the newest is meant.
#[test]
fn an_edit_without_an_account_finds_the_newest_message() {
    let world = world();
    let say = |chat: &str| {
        let order = serde_json::json!({"from": "@client_1", "chat": chat, "text": "first"});
        let order: NewMessage = serde_json::from_value(order).unwrap();
        world.write(&order).unwrap().message_id
    };
    let (mut mine, mut theirs, mut newest) = (say("main"), say("backup_1"), "backup_1");
    while mine < theirs {
        (mine, newest) = (say("main"), "main");
    }
    while theirs < mine {
        (theirs, newest) = (say("backup_1"), "backup_1");
    }
    let edit: Edit = serde_json::from_value(serde_json::json!({"text": "second"})).unwrap();
    world.edit("6000000001", mine, &edit).unwrap();
    for name in ["main", "backup_1"] {
        let client = Client::of(&world, name);
        let shown = client.newest(&client.peer("client_1"), 1)[0].message.clone();
        assert_eq!(shown, if name == newest { "second" } else { "first" }, "{name}");
    }
}
