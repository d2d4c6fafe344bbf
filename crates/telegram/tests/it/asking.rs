//! What is said of a chat that nobody finds: only whoever could look says that it is not there.

use std::time::Duration;

use delivery::Why;
use sandbox::telegram::MemberOrder;

use crate::world::{World, able, candidates};

#[tokio::test(flavor = "multi_thread")]
async fn a_public_chat_that_lets_nobody_in_is_looked_up_once_by_each() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let chats = world.telegram().chats();
    let channel = chats.iter().find(|chat| chat.username.as_deref() == Some("demo_channel")).expect("one");
    for account in ["backup_1", "backup_2"] {
        let order = serde_json::json!({"account": account, "remove": "ban"});
        let order: MemberOrder = serde_json::from_value(order).expect("an order");
        world.telegram().move_member(&channel.chat_id, &order).expect("banned");
    }
    let pool = world.ready().await;
    // Once by its name, then by its id, which it has under that name.
    for chat in ["@demo_channel", &channel.chat_id] {
        world.telegram().clear_calls();
        let found = candidates(&pool, chat, None).await;
        assert_eq!((able(&found).len(), found.refused.len()), (0, 2), "{found:?}");
        assert!(found.refused.iter().all(|(_, why)| *why == Why::NotFound), "{found:?}");
        for account in ["backup_1", "backup_2"] {
            let calls = world.calls(account, "contacts.resolveUsername");
            assert!(calls <= 1, "{account} asked {calls} times for {chat}");
        }
    }
    pool.stop(Duration::from_secs(5)).await;
    world.assert_all_known();
}
