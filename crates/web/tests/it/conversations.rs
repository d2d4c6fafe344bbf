//! Received messages and conversations: `GET /v1/messages?direction=in`, `GET /v1/chats/{chat_id}/messages`, one by its id.

use std::time::Duration;

use domain::{ChannelChat, InboundChange, InboundEvent, InboundMessage};
use serde_json::{Value, json};
use store::{ReceivedChange, TakenFromChannel, TakenUpdates};

use crate::world::World;

const GROUP: &str = "-1001234567890";

impl World {
    /// A customer writes: the id of the message.
    async fn written(&self, number: i32, text: &str) -> String {
        let chat = GROUP.parse().expect("a chat");
        let message = testkit::customer_message(chat, number, text, self.clock.now());
        let (id, account) = (message.id().to_string(), message.account.clone());
        let changes = vec![ReceivedChange::New(Box::new(message))];
        let taken = TakenUpdates { changes, ..TakenUpdates::new(account) };
        self.store.received().take(taken).await.expect("it is kept");
        self.clock.advance(Duration::from_millis(1));
        id
    }

    /// A customer writes on a channel: the id of the message.
    async fn written_on_avito(&self, id: &str, text: &str) -> String {
        let ChannelChat { channel, account, chat } = "avito:shop/u2i-1".parse().expect("a chat");
        let message = InboundMessage {
            name: Some("Anna".to_owned()),
            ..InboundMessage::private(chat, id, text, self.clock.now())
        };
        let events =
            vec![InboundEvent { key: id.to_owned(), change: InboundChange::Message(Box::new(message)) }];
        let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
        self.store.channels().take(taken).await.expect("it is kept");
        self.clock.advance(Duration::from_millis(1));
        self.ids("/v1/messages?direction=in&channel=avito&limit=1").await.0.remove(0)
    }

    async fn sent(&self, text: &str) -> String {
        let reply = self.message(&json!({ "chat": GROUP, "text": text }).to_string()).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
        self.clock.advance(Duration::from_millis(1));
        reply.json()["id"].as_str().expect("an id").to_owned()
    }

    /// The ids on a page, and what leads on.
    async fn ids(&self, path: &str) -> (Vec<String>, Value) {
        let reply = self.call("GET", path).send().await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        let page = reply.json();
        let ids = page["items"].as_array().expect("items").iter();
        let ids = ids.map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
        (ids, page["next_cursor"].clone())
    }
}

#[tokio::test]
async fn a_conversation_has_both_directions() {
    let world = World::new().await;
    let ids = [world.sent("hello").await, world.written(7, "how much?").await, world.sent("It is 20.").await];
    let newest_first: Vec<_> = ids.iter().rev().cloned().collect();
    let path = format!("/v1/chats/{GROUP}/messages");
    assert_eq!(world.ids(&path).await, (newest_first.clone(), Value::Null));
    let page = world.call("GET", &path).send().await.json();
    let [last, received, _] = &page["items"].as_array().expect("items")[..] else { panic!("{page}") };
    assert_eq!((&last["direction"], &last["state"]), (&json!("out"), &json!("sent")));
    for (field, value) in [
        ("direction", json!("in")),
        ("message_id", json!(7)),
        ("chat_id", json!(GROUP)),
        ("account", json!("main")),
        ("origin", json!("person")),
        ("from", json!("5000000001")),
        ("from_name", json!("Anna")),
        ("text", json!("how much?")),
    ] {
        assert_eq!(received[field], value, "{received}");
    }
    let (first, cursor) = world.ids(&format!("{path}?limit=2")).await;
    assert_eq!(first, newest_first[..2]);
    let cursor = cursor.as_str().expect("a cursor");
    let rest = world.ids(&format!("{path}?limit=2&cursor={cursor}")).await;
    assert_eq!(rest, (newest_first[2..].to_vec(), Value::Null));
    for (query, expected) in [
        (format!("before={}", ids[1]), vec![&ids[0]]),
        (format!("before={}", ids[2]), vec![&ids[1], &ids[0]]),
        (format!("after={}", ids[0]), vec![&ids[1], &ids[2]]),
        ("q=MUCH".to_owned(), vec![&ids[1]]),
        ("q=20".to_owned(), vec![&ids[2]]),
    ] {
        let (found, _) = world.ids(&format!("{path}?{query}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn received_messages_are_listed_apart() {
    let world = World::new().await;
    let sent = world.sent("the price is 20").await;
    let ids = [world.written(7, "what is the PRICE?").await, world.written(8, "thanks").await];
    assert_eq!(world.ids("/v1/messages").await.0, std::slice::from_ref(&sent));
    assert_eq!(world.ids("/v1/messages?direction=out").await.0, [sent]);
    for (query, expected) in [
        ("", vec![&ids[1], &ids[0]]),
        ("&limit=1", vec![&ids[1]]),
        ("&text=price", vec![&ids[0]]),
        ("&q=price", vec![&ids[0]]),
        ("&q=anna", vec![&ids[1], &ids[0]]),
        ("&account=backup_1", vec![]),
        ("&chat_id=-1001234567890", vec![&ids[1], &ids[0]]),
        ("&chat=-1001234567891", vec![]),
        ("&since=1h", vec![&ids[1], &ids[0]]),
        ("&until=1h", vec![]),
    ] {
        let (found, _) = world.ids(&format!("/v1/messages?direction=in{query}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn received_messages_of_all_channels_are_one_list() {
    let world = World::new().await;
    let ids = [
        world.written(7, "what is the price?").await,
        world.written_on_avito("m-1", "Is it in green?").await,
        world.written(8, "thanks").await,
        world.written_on_avito("m-2", "The price, please").await,
    ];
    for (query, expected) in [
        ("", vec![&ids[3], &ids[2], &ids[1], &ids[0]]),
        ("&limit=3", vec![&ids[3], &ids[2], &ids[1]]),
        ("&channel=telegram_account", vec![&ids[2], &ids[0]]),
        ("&channel=avito", vec![&ids[3], &ids[1]]),
        ("&account=shop", vec![&ids[3], &ids[1]]),
        ("&chat=avito:shop/u2i-1", vec![&ids[3], &ids[1]]),
        ("&chat_id=-1001234567890", vec![&ids[2], &ids[0]]),
        ("&text=price", vec![&ids[3], &ids[0]]),
        ("&text=anna", vec![]),
        ("&q=anna", vec![&ids[3], &ids[2], &ids[1], &ids[0]]),
        ("&until=1h", vec![]),
    ] {
        let (found, _) = world.ids(&format!("/v1/messages?direction=in{query}")).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let (_, cursor) = world.ids("/v1/messages?direction=in&limit=3").await;
    let path = format!("/v1/messages?direction=in&limit=3&cursor={}", cursor.as_str().expect("a cursor"));
    assert_eq!(world.ids(&path).await, (ids[..1].to_vec(), Value::Null));
}

#[tokio::test]
async fn a_received_message_is_shown_by_its_id() {
    let world = World::new().await;
    let id = world.written(7, "hello").await;
    let shown = world.call("GET", &format!("/v1/messages/{id}")).send().await;
    assert_eq!((shown.status, &shown.json()["text"]), (200, &json!("hello")), "{shown:?}");
    let sent = world.sent("hi").await;
    let shown = world.call("GET", &format!("/v1/messages/{sent}")).send().await.json();
    assert_eq!((&shown["direction"], &shown["state"]), (&json!("out"), &json!("sent")));
    // What is not stored is a 404 that says where it is.
    let other = world.call("GET", "/v1/messages/rcv_1zzzzy5q1rkpjw00000pg").send().await;
    assert!(other.problem(404, "message_not_found")["detail"].as_str().expect("words").contains("/history"));
    // Nothing of ours is done to it.
    world.call("POST", &format!("/v1/messages/{id}/cancel")).send().await.problem(404, "message_not_found");
}

#[tokio::test]
async fn wrong_questions_about_conversations_are_refused() {
    let world = World::new().await;
    let path = format!("/v1/chats/{GROUP}/messages");
    let sent = world.sent("hi").await;
    for (path, field) in [
        (format!("{path}?before=45"), "before"),
        (format!("{path}?before={sent}&after={sent}"), "after"),
        (format!("{path}?cursor=x"), "cursor"),
        (format!("{path}?limit=0"), "limit"),
        (format!("{path}?state=sent"), "state"),
        ("/v1/messages?direction=sideways".to_owned(), "direction"),
        ("/v1/messages?direction=in&state=sent".to_owned(), "state"),
        ("/v1/messages?direction=in&cursor=x".to_owned(), "cursor"),
    ] {
        let problem = world.call("GET", &path).send().await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
    }
    let strange = format!("{path}?after=msg_00000000000000000000000000");
    world.call("GET", &strange).send().await.problem(404, "message_not_found");
    for chat in ["@nobody_knows", "me"] {
        let path = format!("/v1/chats/{chat}/messages");
        world.call("GET", &path).send().await.problem(404, "chat_not_found");
    }
    assert_eq!(world.ids("/v1/chats/-1009999999999/messages").await.0, Vec::<String>::new());
}
