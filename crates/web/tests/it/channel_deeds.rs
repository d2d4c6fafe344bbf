//! What is done to messages of channels, by `/v1` and by the old ports: in their own chats alone, not where the do-not-contact list or
//! a pause stops it.

use std::sync::Arc;

use channels::{Account, Deed};
use domain::outcome::SentIds;
use domain::{ChannelChat, InboundChange, InboundEvent, InboundMessage, Outcome};
use serde_json::{Value, json};
use store::TakenFromChannel;

use crate::client::{Call, Reply};
use crate::key_limits::key;
use crate::legacy_channels::Shop;
use crate::world::World;

const CHANNELS: [&str; 2] = ["vk", "max"];

/// An account of VK and one of MAX, each with its old port.
struct Town {
    world: World,
    vk: Arc<Shop>,
    max: Arc<Shop>,
}

impl Town {
    async fn new() -> Self {
        let (vk, max) = (Arc::new(Shop::default()), Arc::new(Shop::default()));
        let account = |(channel, shop): (&str, &Arc<Shop>)| {
            let fields = json!({ "name": format!("{channel}_1"), "channel": channel });
            let fields = serde_json::from_value(fields).expect("an account");
            Account::new(fields, channel.parse().expect("a channel"), Arc::clone(shop) as _, "made-up".into())
        };
        let accounts = CHANNELS.into_iter().zip([&vk, &max]).map(account).collect();
        let world = World::with_channels(accounts, |options| {
            let port = |channel| serde_json::from_value(json!({ "port": 0, "channel": channel }));
            options.legacy.ports = Vec::new();
            options.legacy.channel_ports = CHANNELS.map(|channel| port(channel).expect("a port")).into();
        });
        Self { world: world.await, vk, max }
    }

    /// Sends a text to a chat of MAX, which calls it so.
    async fn sent(&self, chat: &str, id: &str) {
        self.max.then(Outcome::Sent(SentIds::one(Some(id))));
        let body = json!({ "channel": "max", "chat": chat, "text": "Hello", "wait": 30 }).to_string();
        let reply = self.world.message(&body).send().await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    fn at(&self, method: &str, chat: &str, rest: &str) -> Call {
        Call::new(&self.world.main(), method, &format!("/v1/chats/max:max_1%2F{chat}/{rest}"))
    }

    async fn edit(&self, key: &str, chat: &str, id: &str) -> Reply {
        let call = self.at("PATCH", chat, &format!("messages/{id}")).key(key);
        call.json(json!({ "text": "new words" }).to_string()).send().await
    }

    async fn put(&self, channel: &str, path: &str, body: Value) -> u16 {
        let number = CHANNELS.iter().position(|known| *known == channel).expect("a channel");
        let call = Call::new(&self.world.old_at(number), "PUT", path);
        call.json(body.to_string()).send().await.status
    }

    async fn list(&self, contact: &str) {
        let body = json!({ "contact": contact }).to_string();
        let added = self.world.call("POST", "/v1/do-not-contact").json(body).send().await;
        assert_eq!(added.status, 200, "{added:?}");
    }

    async fn unlist(&self, contact: &str) {
        let path = format!("/v1/do-not-contact/{}", contact.replace('/', "%2F"));
        assert_eq!(self.world.call("DELETE", &path).send().await.status, 204);
    }
}

fn edited(chat: &str, id: &str) -> (String, Deed) {
    (chat.to_owned(), Deed::Edit { external_id: id.to_owned(), text: "new words".to_owned() })
}

#[tokio::test]
async fn a_message_is_changed_in_its_own_chat_alone() {
    let town = Town::new().await;
    town.sent("5001", "mid.1").await;
    town.sent("5002", "mid.2").await;
    let limited = key(&town.world, json!({ "chats": ["max:max_1/5002"] })).await;
    for id in ["mid.1", "mid.unknown"] {
        town.edit(&limited, "5002", id).await.problem(403, "key_limited");
        let delete = town.at("DELETE", "5002", &format!("messages/{id}")).key(&limited);
        delete.send().await.problem(403, "key_limited");
    }
    town.edit(&town.world.key, "5002", "mid.1").await.problem(404, "message_not_found");
    assert!(town.max.deeds().is_empty());
    assert_eq!(town.edit(&limited, "5002", "mid.2").await.status, 200);
    assert_eq!(town.edit(&town.world.key, "5001", "mid.1").await.status, 200);
    assert_eq!(town.edit(&town.world.key, "5001", "mid.unknown").await.status, 200);
    assert_eq!(
        town.max.deeds(),
        [edited("5002", "mid.2"), edited("5001", "mid.1"), edited("5001", "mid.unknown")]
    );
}

#[tokio::test]
async fn an_unknown_message_is_not_edited_while_anyone_is_listed() {
    let town = Town::new().await;
    town.sent("5001", "mid.1").await;
    town.list("max:max_1/5009").await;
    town.edit(&town.world.key, "5001", "mid.unknown").await.problem(403, "do_not_contact");
    assert_eq!(town.edit(&town.world.key, "5001", "mid.1").await.status, 200);
    let delete = town.at("DELETE", "5001", "messages/mid.unknown").key(&town.world.key);
    assert_eq!(delete.send().await.status, 200, "it gives no one anything to read");
    assert_eq!(town.max.deeds().len(), 2);
}

#[tokio::test]
async fn an_old_port_edits_nothing_for_a_listed_contact() {
    let town = Town::new().await;
    town.sent("5001", "mid.1").await;
    let words = json!({ "peer_id": 2001, "message": "new words" });
    let of_other = json!({ "peer_id": 2002, "message": "new words" });
    town.list("vk:vk_1/2001").await;
    assert_eq!(town.put("vk", "/api/messages/17", words.clone()).await, 403);
    assert_eq!(town.put("vk", "/api/messages/2001:17", of_other.clone()).await, 403);
    assert_eq!(town.put("vk", "/api/messages/17", of_other).await, 200);
    town.unlist("vk:vk_1/2001").await;
    town.list("max:max_1/5001").await;
    let text = json!({ "text": "new words" });
    for path in ["/api/message/mid.1", "/api/message/mid.1?chat_id=7", "/api/message/mid.unknown"] {
        assert_eq!(town.put("max", path, text.clone()).await, 403, "{path}");
    }
    town.unlist("max:max_1/5001").await;
    assert_eq!(town.put("vk", "/api/messages/17", words).await, 200);
    assert_eq!(town.put("max", "/api/message/mid.1", text).await, 200);
    assert_eq!(town.vk.deeds(), [edited("2002", "2002:17"), edited("2001", "2001:17")]);
    assert_eq!(town.max.deeds(), [edited("5001", "mid.1")]);
}

#[tokio::test]
async fn an_old_port_does_nothing_through_a_paused_account() {
    let town = Town::new().await;
    let words = json!({ "peer_id": 2001, "message": "new words" });
    for (verb, status) in [("pause", 409), ("resume", 200)] {
        let switched = town.world.call("POST", &format!("/v1/channels/vk_1/{verb}")).send().await;
        assert_eq!(switched.status, 200, "{switched:?}");
        assert_eq!(town.put("vk", "/api/messages/17", words.clone()).await, status, "{verb}");
    }
    assert_eq!(town.vk.deeds(), [edited("2001", "2001:17")]);
}

#[tokio::test]
async fn a_bare_number_that_is_a_chat_of_a_channel_is_refused_with_its_notation() {
    let town = Town::new().await;
    let ChannelChat { channel, account, chat } = "vk:vk_1/2000060".parse().expect("a chat");
    let message = InboundMessage::private(chat, "1", "Hello", town.world.clock.now());
    let events = vec![InboundEvent { key: "1".into(), change: InboundChange::Message(Box::new(message)) }];
    let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
    town.world.store.channels().take(taken).await.expect("it is kept");
    let list = "/v1/do-not-contact";
    let add = async |body: Value| town.world.call("POST", list).json(body.to_string()).send().await;
    let refused = add(json!({ "contact": "2000060" })).await.problem(422, "invalid_request");
    assert!(refused.to_string().contains("write vk:vk_1/2000060"), "{refused}");
    let import = town.world.call("POST", &format!("{list}/import")).header("Content-Type", "text/csv");
    let report = import.body("2000060\n2000061\n").send().await.json();
    assert_eq!((&report["added"], &report["wrong"][0]["line"]), (&json!(1), &json!(1)), "{report}");
    for body in [
        json!({ "contact": "2000060", "kind": "chat_id" }),
        json!({ "contact": "vk:vk_1/2000060" }),
        json!({ "contact": "max:5001" }),
    ] {
        assert_eq!(add(body.clone()).await.json()["added"], 1, "{body}");
    }
    for (channel, chat) in [("vk", "2000060"), ("max", "5001")] {
        let body = json!({ "channel": channel, "chat": chat, "text": "Hello" }).to_string();
        town.world.message(&body).send().await.problem(403, "do_not_contact");
    }
}
