//! Bots that do as the control port orders: they answer presses in each of their ways, and the ledger shows the keyboard hit.

use std::time::Duration;

use sandbox::telegram::{Edit, Entry, NewBot, NewMessage, NewTrip, Play, PressNote, Rules};
use serde_json::{Value, json};

use super::*;

const BOT: &str = "@demo_bot_1";

fn press(peer: &enums::InputPeer, msg_id: i32, data: &str) -> functions::messages::GetBotCallbackAnswer {
    let data = Some(data.as_bytes().to_vec());
    functions::messages::GetBotCallbackAnswer {
        game: false,
        peer: peer.clone(),
        msg_id,
        data,
        password: None,
    }
}

#[expect(clippy::needless_pass_by_value, reason = "what `json!` makes is written at the call")]
fn instruct(world: &Telegram, rules: Value) {
    world.instruct(BOT, &serde_json::from_value::<Rules>(json!({ "rules": rules })).unwrap()).unwrap();
}

fn play(world: &Telegram, then: &Value) -> i32 {
    let order: Play = serde_json::from_value(json!({"chat": "main", "then": then})).unwrap();
    world.play(BOT, &order).unwrap().message_id.unwrap()
}

fn presses(world: &Telegram) -> Vec<PressNote> {
    let rows: Vec<Entry> = world.ledger(0, 100);
    rows.into_iter().filter_map(|row| row.press.map(|note| *note)).collect()
}

#[test]
fn the_ledger_distinguishes_stale_and_fresh_presses() {
    let world = world();
    let main = Client::of(&world, "main");
    let bot = main.peer("demo_bot_1");
    let id =
        play(&world, &json!([{"send": {"text": "Well?", "buttons": [[{"text": "Yes", "data": "yes"}]]}}]));
    main.ask(&press(&bot, id, "yes"));
    let edit = json!({"text": "Well?", "buttons": [[{"text": "No", "data": "no"}]]});
    world.edit("5500000001", id, &serde_json::from_value::<Edit>(edit).unwrap()).unwrap();
    assert_eq!(main.refused(&press(&bot, id, "yes")), (400, "DATA_INVALID".into()));
    main.ask(&press(&bot, id, "no"));
    world.delete("5500000001", id, Some("main")).unwrap();
    assert_eq!(main.refused(&press(&bot, id, "no")), (400, "MESSAGE_ID_INVALID".into()));
    let recorded: Vec<_> =
        presses(&world).into_iter().map(|it| (it.version, it.newest, it.stale, it.button)).collect();
    let (yes, no) = (Some("Yes".to_owned()), Some("No".to_owned()));
    let wanted = [
        (Some(1), Some(1), false, yes.clone()),
        (Some(1), Some(2), true, yes),
        (Some(2), Some(2), false, no),
        (None, None, true, None),
    ];
    assert_eq!(recorded, wanted);
}

#[tokio::test(start_paused = true)]
async fn a_bot_answers_with_each_kind_of_answer() {
    let world = world();
    let main = Client::of(&world, "main");
    let bot = main.peer("demo_bot_1");
    let kinds = ["now", "late", "twice", "never", "message_id_invalid", "data_invalid", "flood_wait"];
    let rules: Vec<Value> = kinds
        .iter()
        .map(|kind| json!({"data": kind, "answer": {"kind": kind, "after_ms": 1_500, "seconds": 7, "text": "Done", "alert": true}}))
        .collect();
    instruct(&world, rules.into());
    let buttons: Vec<Value> = kinds.iter().map(|kind| json!([{"text": kind, "data": kind}])).collect();
    let id = play(&world, &json!([{"send": {"text": "Well?", "buttons": buttons}}]));
    let answer = main.ask(&press(&bot, id, "now"));
    let enums::messages::BotCallbackAnswer::Answer(answer) = answer;
    assert_eq!((answer.alert, answer.message.as_deref()), (true, Some("Done")));
    assert!(matches!(main.hear(&press(&bot, id, "twice")), Outcome::Twice(_)));
    for (data, error) in [("message_id_invalid", "MESSAGE_ID_INVALID"), ("data_invalid", "DATA_INVALID")] {
        assert_eq!(main.refused(&press(&bot, id, data)), (400, error.into()));
    }
    assert_eq!(main.refused(&press(&bot, id, "flood_wait")), (420, "FLOOD_WAIT_7".into()));
    for (data, after) in [("late", Duration::from_millis(1_500)), ("never", Duration::from_secs(7))] {
        let begun = tokio::time::Instant::now();
        let Handling::Later(reply) = main.handle(&press(&bot, id, data)) else { panic!("{data}: at once") };
        let outcome = Outcome::from(reply.await);
        assert_eq!(begun.elapsed().as_millis(), after.as_millis(), "{data}");
        let refused = outcome == Outcome::Error(400, "BOT_RESPONSE_TIMEOUT".to_owned());
        assert_eq!(refused, data == "never", "{outcome:?}");
    }
    assert_eq!(presses(&world).len(), kinds.len());
}

#[test]
fn the_demo_bot_offers_a_trip_and_books_it() {
    let world = world();
    let main = Client::of(&world, "main");
    let trip = world.offer_trip(&serde_json::from_value::<NewTrip>(json!({})).unwrap()).unwrap();
    let (bot, id) = (main.peer("demo_trips_bot"), trip.message.message_id.unwrap());
    let shown = || main.newest(&bot, 1)[0].clone();
    assert_eq!(shown().message, "New trip 1: tomorrow at 07:40 from Tver");
    for (data, text) in [
        ("book:1", "Where do you get on?"),
        ("place:1:tver", "You get on in Tver. Is that right?"),
        ("confirm:1:tver", "Your trip is booked."),
    ] {
        main.ask(&press(&bot, id, data));
        assert_eq!(shown().message, text);
    }
    assert!(shown().reply_markup.is_none());
    let wrong: NewTrip = serde_json::from_value(json!({"from": "Nowhere"})).unwrap();
    assert!(world.offer_trip(&wrong).is_err());
}

#[test]
fn buttons_of_every_kind_are_shown() {
    let world = world();
    let main = Client::of(&world, "main");
    let bot = main.peer("demo_bot_1");
    let kinds = ["web_app", "switch_inline", "buy", "game", "copy", "disabled"];
    let mut buttons: Vec<Value> = kinds.iter().map(|kind| json!({"text": kind, "kind": kind})).collect();
    buttons.push(json!({"text": "Bytes", "data_base64": "/wD+"}));
    buttons.push(json!({"text": "Password", "data": "p", "password": true}));
    let id = play(&world, &json!([{"send": {"text": "Well?", "buttons": [buttons]}}]));
    let Some(enums::ReplyMarkup::ReplyInlineMarkup(markup)) = main.newest(&bot, 1)[0].reply_markup.clone()
    else {
        panic!("a keyboard")
    };
    let enums::KeyboardInlineButtonRow::Row(row) = &markup.rows[0];
    assert_eq!(row.buttons.len(), 8);
    assert_eq!(main.refused(&press(&bot, id, "p")), (400, "PASSWORD_HASH_INVALID".into()));
    let order = json!({"from": BOT, "chat": "main", "text": "Well?", "keyboard": [["Yes"], [{"text": "Phone", "kind": "contact"}]]});
    world.write(&serde_json::from_value::<NewMessage>(order).unwrap()).unwrap();
    let markup = main.newest(&bot, 1)[0].reply_markup.clone();
    assert!(
        matches!(markup, Some(enums::ReplyMarkup::ReplyKeyboardMarkup(markup)) if markup.rows.len() == 2)
    );
}

#[test]
fn invalid_bots_and_rules_are_refused() {
    let world = world();
    for rules in [
        json!([{"data": "a", "prefix": "b"}]),
        json!([{"then": [{"delete": true, "edit": {"text": "x"}}]}]),
        json!([{"then": [{"storm": {"per_second": 16, "seconds": 1}}]}]),
        json!([{"then": [{"send": {"text": " "}}]}]),
        json!([{"then": [{"send": {"text": "x", "buttons": [[{"text": "y", "kind": "z"}]]}}]}]),
    ] {
        let order: Rules = serde_json::from_value(json!({ "rules": rules })).unwrap();
        assert!(world.instruct(BOT, &order).is_err(), "{rules}");
    }
    assert!(world.instruct("main", &Rules { rules: Vec::new() }).is_err());
    let made =
        |username: &str| world.make_bot(&NewBot { username: username.to_owned(), name: None, api: false });
    assert!(made("other_bot").is_ok());
    for username in ["other_bot", "nobody", "a b bot"] {
        assert!(made(username).is_err(), "{username}");
    }
}
