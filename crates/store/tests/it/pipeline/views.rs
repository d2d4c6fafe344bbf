//! The views that other programs query, past the store.

use domain::Responder;

use super::{ANNA, SILENCE, Written, started, written};
use crate::support::World;

pub(super) async fn other_programs_query_clients_appeals_and_messages(world: World) {
    let rules = started(&world, Responder::Human).await;
    world.says(Written { phone: Some("+70000000001"), ..written(ANNA, "m-1") }).await;
    world.work(&rules).await;
    world.clock.advance(SILENCE);
    world.work(&rules).await;
    let client = world.client_of(ANNA).await.as_uuid().simple().to_string();
    let one = |sql: &str| world.texts(sql);
    assert_eq!(one("SELECT id FROM clients WHERE phone = '+70000000001'"), [client.as_str()]);
    assert_eq!(one("SELECT avito_id FROM clients"), ["user of u2i-1"]);
    assert_eq!(
        one("SELECT name FROM clients WHERE telegram_id IS NULL AND vk_id IS NULL AND whatsapp_id IS NULL"),
        ["Anna"]
    );
    assert_eq!(
        one("SELECT status FROM appeals WHERE channel = 'avito' AND external_chat_id = 'u2i-1'"),
        ["waiting_us"]
    );
    assert_eq!(one("SELECT client_id FROM appeals"), [client.as_str()]);
    assert_eq!(
        one("SELECT message_type FROM messages_history WHERE message_text = 'text of m-1'"),
        ["client"]
    );
    assert_eq!(
        one("SELECT client_id FROM messages_history WHERE external_chat_id = 'u2i-1'"),
        [client.as_str()]
    );
    // It goes on in another chat, and is shown with its first one.
    let phone = Some("+70000000001");
    world.taken_in(&rules, Written { phone, ..written("whatsapp:phone/70000000001@c.us", "w-1") }).await;
    assert_eq!(one("SELECT channel FROM appeals"), ["avito"]);
    assert_eq!(one("SELECT external_chat_id FROM appeals"), ["u2i-1"]);
    assert_eq!(one("SELECT channel FROM messages_history ORDER BY channel"), ["avito", "whatsapp"]);
}
