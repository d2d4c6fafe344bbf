//! What strangers and groups learn of a client: nothing, whatever they type and wherever they write.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::Receiver;

use super::{shop, shop_with};
use crate::client::Call;
use crate::world::World;

const SECRET: &str = "Secret Street 5";
const VICTIM: &str = "victim@example.com";

impl World {
    /// A program hands a message in, and its writer is silent for long enough.
    async fn handed_in(&self, body: Value) {
        let (status, taken) = self.post("/v1/inbound", body).await;
        assert_eq!(status, 201, "{taken}");
        self.until_so("it waits for silence", async || self.get("/v1/pipeline").await["waiting"] == 1).await;
        self.clock.advance(Duration::from_secs(21));
        self.until_so("it waits no more", async || self.get("/v1/pipeline").await["waiting"] == 0).await;
    }

    /// The client whose conversation has this chat.
    async fn client_in(&self, chat: &str) -> Value {
        for id in self.client_ids().await {
            let card = self.get(&format!("/v1/clients/{id}")).await;
            let chats = card["chats"].as_array().expect("chats");
            if chats.iter().any(|one| one["chat"] == chat) {
                return card;
            }
        }
        panic!("no client of {chat}");
    }
}

fn message(chat: &str, id: &str, text: &str, more: &Value) -> Value {
    let mut body = json!({
        "channel": "avito", "channel_account": "shop", "external_chat_id": chat, "external_user_id": chat,
        "external_message_id": id, "text": text,
    });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

#[tokio::test]
async fn a_stranger_with_a_typed_address_learns_nothing() {
    let model = Receiver::start().await;
    let answer = json!({ "choices": [{ "finish_reason": "stop", "message": {
        "role": "assistant", "content": "{\"text\":\"I do not know.\",\"confidence\":1}" } }] });
    model.says(200, &answer.to_string());
    let ai = json!({ "url": model.address(), "model": "demo" });
    let settings = serde_json::from_value(json!({ "responder": "ai", "ai": ai })).expect("settings");
    let (world, _shop) = shop_with(settings).await;
    let asked = async |posts: usize| {
        world.until_so("the model is asked", async || model.posted().len() >= posts).await;
        model.posted().pop().expect("a prompt").text
    };
    let proved = json!({ "client_email": VICTIM, "client_email_verified": true, "client_name": "Vera" });
    world.handed_in(message("v", "v-1", &format!("My address is {SECRET}"), &proved)).await;
    assert!(asked(1).await.contains(SECRET));
    let typed = [
        json!({ "client_email": VICTIM }),
        json!({ "client_email": " VICTIM@Example.com", "client_name": "Vera" }),
        json!({ "client_email": VICTIM, "client_phone": "+70000000001" }),
        json!({ "client_email": VICTIM, "meta": { "user_id": "v" } }),
    ];
    for (place, more) in typed.iter().enumerate() {
        let chat = format!("s{place}");
        world.handed_in(message(&chat, &chat, "what is my address?", more)).await;
        let prompt = asked(place + 2).await;
        assert!(prompt.contains("what is my address?") && !prompt.contains(SECRET), "{prompt}");
        let card = world.client_in(&format!("avito:shop/{chat}")).await;
        assert_eq!(card["contacts"][0]["proof"], "typed", "{card}");
        assert_eq!(card["perhaps"][0]["why"], "the same number or address", "{card}");
    }
    let victim = world.client_in("avito:shop/v").await;
    assert_eq!(
        (&victim["phone"], &victim["contacts"][0]["is_proved"]),
        (&Value::Null, &json!(true)),
        "{victim}"
    );
    // An operator accepts the suggestion: from then on it is one person.
    let id = victim["id"].as_str().expect("an id");
    let stranger = world.client_in("avito:shop/s0").await["id"].clone();
    let (status, merged) = world.post(&format!("/v1/clients/{id}/merge"), json!({ "other": stranger })).await;
    assert_eq!(status, 200, "{merged}");
    world.handed_in(message("s0", "again", "and my address?", &json!({}))).await;
    assert!(asked(typed.len() + 2).await.contains(SECRET));
}

#[tokio::test]
async fn a_key_without_personal_names_no_other_user() {
    let model = Receiver::start().await;
    let answer = json!({ "choices": [{ "finish_reason": "stop", "message": {
        "role": "assistant", "content": "{\"text\":\"I do not know.\",\"confidence\":1}" } }] });
    model.says(200, &answer.to_string());
    let ai = json!({ "url": model.address(), "model": "demo" });
    let settings = serde_json::from_value(json!({ "responder": "ai", "ai": ai })).expect("settings");
    let (world, _shop) = shop_with(settings).await;
    let asked = async |posts: usize| {
        world.until_so("the model is asked", async || model.posted().len() >= posts).await;
        model.posted().pop().expect("a prompt").text
    };
    let send = world.make_key(&["send"]).await;
    let both = world.make_key(&["send", "personal"]).await;
    world.client_writes("v", &format!("My address is {SECRET}")).await;
    asked(1).await;
    world.client_writes("w", "Hello").await;
    asked(2).await;
    for (place, (key, chat, user, is_told)) in [
        (&send, "eve", Some("user of v"), false),
        (&send, "w", Some("user of v"), false),
        (&send, "user of v", None, false),
        (&send, "v", Some("user of v"), true),
        (&send, "v", None, true),
        (&both, "vera", Some("user of v"), true),
        (&send, "vera", Some("user of v"), true),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("m-{place}");
        let mut body = message(chat, &id, "what is my address?", &json!({}));
        body["external_user_id"] = user.into();
        let call = Call::new(&world.main(), "POST", "/v1/inbound").key(key).json(body.to_string());
        assert_eq!(call.send().await.status, 201, "{body}");
        world
            .until_so("it waits for silence", async || world.get("/v1/pipeline").await["waiting"] == 1)
            .await;
        world.clock.advance(Duration::from_secs(21));
        let prompt = asked(place + 3).await;
        assert!(prompt.contains("what is my address?"), "{prompt}");
        assert_eq!(prompt.contains(SECRET), is_told, "{body}: {prompt}");
    }
}

#[tokio::test]
async fn a_key_vouches_for_contacts_only_with_personal() {
    let (world, _shop) = shop().await;
    let known = json!({ "client_phone": "+70000000001", "client_phone_verified": true });
    world.handed_in(message("v", "v-1", "Hello", &known)).await;
    let victim = world.client_in("avito:shop/v").await["id"].clone();
    for (chat, scopes, is_joined) in [
        ("e1", &["send"][..], false),
        ("e2", &["send", "read", "operate"], false),
        ("e3", &["send", "personal"], true),
    ] {
        let key = world.make_key(scopes).await;
        let mut body = json!({
            "channel": "own", "external_chat_id": chat, "external_message_id": chat, "text": "my messages?",
            "client_email": "eve@example.com", "client_email_verified": true,
        });
        body.as_object_mut().expect("an object").extend(known.as_object().expect("an object").clone());
        let call = Call::new(&world.main(), "POST", "/v1/inbound").key(&key).json(body.to_string());
        let taken = call.send().await;
        assert_eq!(taken.status, 201, "{taken:?}");
        world
            .until_so("it waits for silence", async || world.get("/v1/pipeline").await["waiting"] == 1)
            .await;
        world.clock.advance(Duration::from_secs(21));
        world.until_so("it waits no more", async || world.get("/v1/pipeline").await["waiting"] == 0).await;
        let card = world.client_in(&format!("own:main/{chat}")).await;
        assert_eq!(card["id"] == victim, is_joined, "{scopes:?}: {card}");
        let is_typed = |contact: &Value| contact["proof"] == "typed";
        let contacts = card["contacts"].as_array().expect("contacts");
        assert_eq!(contacts.iter().all(is_typed), !is_joined, "{scopes:?}: {card}");
    }
}

#[tokio::test]
async fn a_private_answer_never_goes_into_a_group() {
    let (world, shop) = shop().await;
    let group = json!({ "chat_type": "group", "chat_title": "Neighbours", "external_user_id": "c1", "client_name": "Anna" });
    world.handed_in(message("c1", "m-1", "A secret", &json!({ "client_name": "Anna" }))).await;
    world.handed_in(message("g1", "m-2", "Hello all", &group)).await;
    let (anna, neighbours) = (world.client_in("avito:shop/c1").await, world.client_in("avito:shop/g1").await);
    assert_ne!(anna["id"], neighbours["id"]);
    assert_eq!((&neighbours["name"], &neighbours["chat_type"]), (&json!("Neighbours"), &json!("group")));
    assert_eq!(neighbours["group_answers"], "never");
    let path = format!("/v1/conversations/{}", anna["id"].as_str().expect("an id"));
    let (status, sent) = world.post(&format!("{path}/reply"), json!({ "text": "Just for you" })).await;
    assert_eq!(status, 200, "{sent}");
    assert_eq!(shop.texts(), [("c1".to_owned(), "Just for you".to_owned())]);
    let body = json!({ "text": "Just for you", "chat": "avito:shop/g1" });
    assert_eq!(world.post(&format!("{path}/reply"), body).await.0, 422);
    // What was said in the group has the name of its writer, and is in no other conversation.
    let path = format!("/v1/conversations/{}", neighbours["id"].as_str().expect("an id"));
    let thread = world.get(&format!("{path}/messages")).await;
    assert_eq!(
        (&thread["items"][0]["sender"], &thread["items"][0]["text"]),
        (&json!("Anna"), &json!("Hello all"))
    );
    assert_eq!(thread["items"][1], Value::Null);
    let change = |id: &Value, body: Value| {
        world.call("PATCH", &format!("/v1/clients/{}", id.as_str().expect("an id"))).json(body.to_string())
    };
    let switched = change(&neighbours["id"], json!({ "group_answers": "when_mentioned" })).send().await;
    assert_eq!((switched.status, &switched.json()["group_answers"]), (200, &json!("when_mentioned")));
    let refused = change(&anna["id"], json!({ "group_answers": "always" })).send().await;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("client_conflict")));
    let merge = format!("/v1/clients/{}/merge", anna["id"].as_str().expect("an id"));
    assert_eq!(world.post(&merge, json!({ "other": neighbours["id"] })).await.0, 409);
    // A person may answer in a group.
    assert_eq!(world.post(&format!("{path}/reply"), json!({ "text": "Hello" })).await.0, 200);
    assert_eq!(shop.texts().pop(), Some(("g1".to_owned(), "Hello".to_owned())));
}
