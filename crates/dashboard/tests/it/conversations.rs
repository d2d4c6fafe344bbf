//! The conversation of a chat, and what is beside a message.

use std::time::Duration;

use domain::saga::RegistryChange;
use domain::{ReceivedMessage, Role};
use store::{ReceivedChange, TakenUpdates};

use crate::work::CHAT;
use crate::world::World;

impl World {
    /// A customer writes: the id of the message.
    async fn written(&self, number: i32, text: &str) -> String {
        let chat = CHAT.parse().expect("a chat");
        let written = testkit::customer_message(chat, number, text, self.clock.now());
        let message = ReceivedMessage { sender_name: Some("Anna <A>".into()), ..written };
        let (id, account) = (message.id().to_string(), message.account.clone());
        let changes = vec![ReceivedChange::New(Box::new(message))];
        let taken = TakenUpdates { changes, ..TakenUpdates::new(account) };
        self.store.received().take(taken).await.expect("it is kept");
        self.clock.advance(Duration::from_millis(1));
        id
    }
}

#[tokio::test]
async fn a_conversation_shows_both_directions_in_order() {
    let world = World::new().await;
    let created = RegistryChange::Created {
        chat_id: CHAT.parse().expect("a chat"),
        title: "Repair 7041 <screen>".to_owned(),
        about: String::new(),
        account: "main".parse().expect("an account"),
    };
    world.store.chats().change(vec![created], world.clock.now()).await.expect("written");
    let viewer = world.person(Role::Viewer).await;
    let path = format!("/chats/{CHAT}/messages");
    assert!(viewer.get(&path).await.body.contains("Nothing is stored of this chat"));
    let question = world.written(7, "how <b>much</b>?").await;
    let ours = world.failed("It is 20.").await;
    world.clock.advance(Duration::from_secs(1));
    for number in 10..70 {
        world.written(number, &format!("number {number}")).await;
    }
    let page = viewer.get(&path).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("number 69") && !page.body.contains("number 19<"), "{}", page.body);
    let earlier = page.body.split("rel=\"prev\"").next().and_then(|before| before.rsplit("href=\"").next());
    let earlier = earlier.and_then(|rest| rest.split('"').next()).expect("a link").replace("&#38;", "&");
    let page = viewer.get(&earlier).await.body;
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} in {page}"));
    let order =
        ["how &#60;b&#62;much", "Anna &#60;A&#62;", "It is 20.", "number 10", "number 19<", "rel=\"next\""]
            .map(place);
    assert!(order.is_sorted(), "{order:?}: {page}");
    let listed = viewer.get("/messages/received?q=much").await.body;
    let link = format!("href=\"/messages/{question}\"");
    assert!(listed.contains(&link) && !listed.contains("number 69"), "{listed}");
    let found = viewer.get(&format!("{path}?q=MUCH")).await.body;
    assert!(found.contains(&question) && !found.contains("It is 20."), "{found}");

    // Beside a message is what came before it and after it.
    let beside = viewer.get(&format!("/messages/{ours}")).await.body;
    for part in [
        "how &#60;b&#62;much",
        "number 10",
        "number 12",
        &format!("{path}?around={}#{ours}", ours.to_string().replace('_', "%5F")),
    ] {
        assert!(beside.contains(part), "{part} in {beside}");
    }
    assert!(!beside.contains("number 13"), "{beside}");
    // What was received is shown in its conversation.
    let there = viewer.get(&format!("/messages/{question}")).await;
    let leads = there.headers["location"].to_str().expect("text").to_owned();
    assert_eq!(there.status, 303, "{there:?}");
    let around = viewer.get(leads.split('#').next().expect("a path")).await.body;
    assert!(
        around.contains("It is 20.") && around.contains("number 33") && !around.contains("number 36"),
        "{around}"
    );
}
