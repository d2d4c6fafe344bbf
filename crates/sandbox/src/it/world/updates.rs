//! Pushes and differences: what an account hears, and what it can ask for later.

use grammers_tl_types::{enums, functions};
use sandbox::call::World;
use sandbox::telegram::NewMessage;

use super::*;

fn write(world: &Telegram, from: &str, chat: &str, text: &str) -> i32 {
    let json = serde_json::json!({"from": from, "chat": chat, "text": text});
    let order: NewMessage = serde_json::from_value(json).unwrap();
    world.write(&order).unwrap().message_id
}

#[test]
fn a_session_on_a_new_connection_gets_updates_once() {
    let world = world();
    let main = Client::of(&world, "main");
    let mut old = main.listen();
    let newer = main.on(2);
    let mut new = newer.listen();
    world.disconnected(main.caller.connection);
    write(&world, "@client_1", "main", "hello");
    old.nothing();
    new.any();
    new.nothing();
}

#[test]
fn a_text_from_a_known_user_comes_in_short_form() {
    let world = world();
    let main = Client::of(&world, "main");
    let mut pushes = main.listen();
    write(&world, "@guest_1", "main", "hello");
    assert_eq!(pushes.next().users.len(), 1, "who is new is introduced");
    let id = write(&world, "@guest_1", "main", "again");
    let enums::Updates::UpdateShortMessage(short) = pushes.any() else { panic!("it is long") };
    assert_eq!((short.id, short.out, short.message.as_str()), (id, false, "again"));
    assert_eq!((short.pts, short.pts_count), (main.state().pts, 1));
    // The short form has no room for buttons.
    let json = serde_json::json!({"from": "@guest_1", "chat": "main", "text": "press", "buttons": [[{"text": "Yes", "data": "yes"}]]});
    world.write(&serde_json::from_value::<NewMessage>(json).unwrap()).unwrap();
    assert_eq!(pushes.next().updates.len(), 1);
}

#[test]
fn a_session_that_lags_gets_updates_too_long() {
    let world = world();
    let mut pushes = Client::of(&world, "main").listen();
    for number in 0..101 {
        write(&world, "@client_1", "main", &number.to_string());
    }
    for _ in 0..100 {
        assert_ne!(pushes.any(), enums::Updates::TooLong);
    }
    write(&world, "@client_1", "main", "after");
    assert_eq!(pushes.any(), enums::Updates::TooLong);
    assert_ne!(pushes.any(), enums::Updates::TooLong);
}

#[test]
fn a_difference_from_an_unknown_point_is_too_long() {
    let world = world();
    let main = Client::of(&world, "main");
    let now = main.state().pts;
    let since = |pts| functions::updates::GetDifference {
        pts,
        pts_limit: None,
        pts_total_limit: None,
        date: i32::MAX,
        qts: 0,
        qts_limit: None,
    };
    for pts in [1, now + 1] {
        let enums::updates::Difference::TooLong(answer) = main.ask(&since(pts)) else { panic!("{pts}") };
        assert_eq!(answer.pts, now);
    }
    assert_eq!(main.refused(&since(0)), (400, "PERSISTENT_TIMESTAMP_EMPTY".into()));
}
