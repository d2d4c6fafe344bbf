//! Pushes and differences: what an account hears, and what it can ask for later.

use sandbox::call::World;
use sandbox::telegram::NewMessage;

use super::*;

fn write(world: &Telegram, from: &str, chat: &str, text: &str) -> i32 {
    let json = serde_json::json!({"from": from, "chat": chat, "text": text});
    let order: NewMessage = serde_json::from_value(json).unwrap();
    world.write(&order).unwrap().message_id
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
