//! Conversations with clients over the API: what they write, who they are, and who answers.

mod disclosure;
mod programs;

use std::sync::Arc;
use std::time::Duration;

use channels::Account;
use domain::{InboundChange, InboundEvent, InboundMessage, MessageOrigin};
use serde_json::{Value, json};
use store::{Receipt, ReceiptState, TakenFromChannel};

use crate::legacy_channels::Shop;
use crate::world::{SOON, World};

/// A world with one shop on Avito, whose clients are answered by people.
async fn shop() -> (World, Arc<Shop>) {
    shop_with(config::PipelineSettings::default()).await
}

/// The same, whose clients are answered so.
async fn shop_with(pipeline: config::PipelineSettings) -> (World, Arc<Shop>) {
    let shop: Arc<Shop> = Arc::default();
    let fields = json!({ "name": "shop", "channel": "avito" });
    let fields = serde_json::from_value(fields).expect("an account");
    let account =
        Account::new(fields, "avito".parse().expect("a channel"), Arc::clone(&shop) as _, "made-up".into());
    let world = World::with_pipeline(vec![account], pipeline).await;
    world.pipeline.start().await.expect("a start");
    (world, shop)
}

impl World {
    /// A client writes, and is silent for long enough.
    async fn client_writes(&self, chat: &str, text: &str) {
        let address: domain::ChannelChat = format!("avito:shop/{chat}").parse().expect("a chat");
        let id = format!("{chat}:{text}");
        let message = InboundMessage {
            user: Some(format!("user of {chat}")),
            name: Some("Anna".to_owned()),
            origin: MessageOrigin::Person,
            ..InboundMessage::private(address.chat, &id, text, self.clock.now())
        };
        let events = vec![InboundEvent { key: id, change: InboundChange::Message(Box::new(message)) }];
        let (channel, account) = (address.channel, address.account);
        let taken = TakenFromChannel { channel, account, events, cursor: None, stores_files: false };
        self.store.channels().take(taken).await.expect("a write");
        self.until_so("it waits for silence", async || self.get("/v1/pipeline").await["waiting"] == 1).await;
        self.clock.advance(Duration::from_secs(21));
        self.until_so("it waits no more", async || self.get("/v1/pipeline").await["waiting"] == 0).await;
    }

    async fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path).send().await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply.json()
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let reply = self.call("POST", path).json(body.to_string()).send().await;
        let value = if reply.body.is_empty() { Value::Null } else { reply.json() };
        (reply.status, value)
    }

    async fn until_so(&self, what: &str, is_so: impl AsyncFn() -> bool) {
        let looking = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(SOON, looking).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
    }

    /// The clients that wrote, the first one first.
    async fn client_ids(&self) -> Vec<String> {
        let found = self.get("/v1/clients").await;
        let ids = found["items"].as_array().expect("items").iter();
        ids.rev().map(|client| client["id"].as_str().expect("an id").to_owned()).collect()
    }
}

#[tokio::test]
async fn a_person_answers_a_client_in_one_conversation() {
    let (world, shop) = shop().await;
    world.client_writes("c1", "Is it there?").await;
    world
        .until_so("a person is to answer", async || {
            world.get("/v1/conversations?state=waiting_us&open=true").await["items"][0]["client"]["name"]
                == "Anna"
        })
        .await;
    let client = world.client_ids().await.remove(0);
    let path = format!("/v1/conversations/{client}");
    let (status, sent) = world.post(&format!("{path}/reply"), json!({ "text": "Yes", "chat": "" })).await;
    assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{sent}");
    assert_eq!(shop.texts(), [("c1".to_owned(), "Yes".to_owned())]);
    world
        .until_so("both are there", async || {
            let thread = world.get(&format!("{path}/messages")).await;
            let authors: Vec<&Value> =
                thread["items"].as_array().expect("items").iter().map(|one| &one["author"]).collect();
            authors == [&json!("agent"), &json!("client")] && thread["items"][0]["state"] == "sent"
        })
        .await;
    for (state, shown) in [(ReceiptState::Delivered, "delivered"), (ReceiptState::Read, "read")] {
        let (channel, account) = ("avito".parse().expect("a name"), "shop".parse().expect("a name"));
        let receipt = Receipt { channel, account, provider_id: "c1:1".into(), state, at: world.clock.now() };
        assert!(world.delivery.receipt(receipt).await.expect("a write").is_some(), "{shown}");
        let thread = world.get(&format!("{path}/messages")).await;
        assert_eq!(thread["items"][0]["state"], shown, "{thread}");
    }
    world
        .until_so("ours is the last word", async || {
            world.get(&path).await["appeal"]["state"] == "waiting_client"
        })
        .await;
    let assign = format!("{path}/assign");
    for nobody in ["olga", "no body", "key_00000000000000000000000000"] {
        let (status, problem) = world.post(&assign, json!({ "to": nobody })).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!("to")), "{nobody}: {problem}");
    }
    let olga = json!({ "name": "olga", "role": "agent", "password": "correct horse" });
    assert_eq!(world.post("/v1/users", olga).await.0, 201);
    let (_, appeal) = world.post(&assign, json!({ "to": "Olga" })).await;
    assert_eq!(appeal["assignee"], "olga");
    assert_eq!(
        world.get("/v1/conversations?assignee=olga").await["items"][0]["client"]["id"],
        client.as_str()
    );
    assert_eq!(world.get("/v1/conversations?assignee=none").await["items"], json!([]));
    let (status, note) = world.post(&format!("{path}/notes"), json!({ "text": "Wants it on Friday" })).await;
    assert_eq!((status, &note["text"]), (201, &json!("Wants it on Friday")));
    assert_eq!(world.get(&format!("{path}/notes")).await["items"][0]["text"], "Wants it on Friday");
    let (_, appeal) = world.post(&format!("{path}/close"), json!({})).await;
    assert_eq!(appeal["state"], "closed");
    let id = appeal["id"].as_str().expect("an id").to_owned();
    let change = world
        .call("PATCH", &format!("/v1/appeals/{id}"))
        .json(json!({ "tags": ["repair", " "] }).to_string());
    assert_eq!(change.send().await.json()["tags"], json!(["repair"]));
    assert_eq!(world.get(&format!("/v1/appeals/{id}")).await["state"], "closed");
    let (_, appeal) = world.post(&format!("{path}/reopen"), json!({})).await;
    assert_eq!(appeal["state"], "open");
    let (_, appeal) = world.post(&assign, json!({ "to": "olga" })).await;
    assert_eq!(appeal["assignee"], "olga");
    assert_eq!(world.call("DELETE", "/v1/users/olga").send().await.status, 204);
    assert_eq!(world.get(&path).await["appeal"]["assignee"], Value::Null, "she left an open appeal");
    assert_eq!(world.get(&format!("{path}/turns")).await["items"][0]["stage"], "handed_over");
}

#[tokio::test]
async fn clients_are_merged_and_split_by_people() {
    let (world, _) = shop().await;
    world.client_writes("c1", "one").await;
    world.client_writes("c2", "two").await;
    world.until_so("both are known", async || world.client_ids().await.len() == 2).await;
    let ids = world.client_ids().await;
    let path = format!("/v1/clients/{}", ids[0]);
    let (status, problem) = world.post(&format!("{path}/merge"), json!({ "other": ids[0] })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("client_conflict")));
    let (status, merge) = world.post(&format!("{path}/merge"), json!({ "other": ids[1] })).await;
    assert_eq!((status, &merge["merged"]), (200, &json!(ids[1])), "{merge}");
    let card = world.get(&format!("/v1/clients/{}", ids[1])).await;
    assert_eq!((&card["id"], card["chats"].as_array().expect("chats").len()), (&json!(ids[0]), 2));
    let (status, _) = world.post(&format!("{path}/split"), json!({ "merge": merge["id"] })).await;
    assert_eq!(status, 200);
    let (status, problem) = world.post(&format!("{path}/split"), json!({ "merge": merge["id"] })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("client_conflict")));
    assert_eq!(world.get(&path).await["chats"].as_array().expect("chats").len(), 1);
    // A split is undone by a merge.
    world.clock.advance(Duration::from_secs(1));
    let (status, _) = world.post(&format!("{path}/merge"), json!({ "other": ids[1] })).await;
    assert_eq!(status, 200);
    let card = world.get(&path).await;
    assert_eq!(card["chats"].as_array().expect("chats").len(), 2);
    let history: Vec<bool> =
        card["merges"].as_array().expect("merges").iter().map(|one| one["undone_at"].is_null()).collect();
    assert_eq!(history, [true, false], "{card}");
    // Each had an appeal: an answer is one to both, and what is closed is the conversation.
    let conversation = format!("/v1/conversations/{}", ids[0]);
    let (status, sent) = world.post(&format!("{conversation}/reply"), json!({ "text": "Yes" })).await;
    assert_eq!(status, 200, "{sent}");
    let of_appeals = async || {
        let card = world.get(&path).await;
        let appeals = card["appeals"].as_array().expect("appeals").iter();
        appeals.map(|appeal| appeal["state"].as_str().expect("a state").to_owned()).collect::<Vec<_>>()
    };
    world.until_so("no one waits", async || of_appeals().await == ["waiting_client"; 2]).await;
    let (status, _) = world.post(&format!("{conversation}/close"), json!({})).await;
    assert_eq!((status, of_appeals().await), (200, vec!["closed".to_owned(); 2]));
    let change =
        world.call("PATCH", &path).json(json!({ "phone": "8 000 000-00-01" }).to_string()).send().await;
    assert_eq!(change.json()["phone"], "+70000000001", "{}", change.body);
}

#[tokio::test]
async fn contacts_in_a_text_are_suggested_until_they_are_saved() {
    let (world, _) = shop().await;
    world.client_writes("c1", "call 8 000 000-00-07 or write to Anna@Example.com").await;
    world.until_so("it is known", async || world.client_ids().await.len() == 1).await;
    let path = format!("/v1/clients/{}", world.client_ids().await[0]);
    let card = world.get(&path).await;
    assert_eq!((&card["phone"], &card["email"]), (&Value::Null, &Value::Null));
    let phone = json!("+70000000007");
    assert_eq!(
        (&card["written_phones"], &card["written_emails"]),
        (&json!([phone]), &json!(["anna@example.com"]))
    );
    let change = world.call("PATCH", &path).json(json!({ "phone": phone }).to_string()).send().await;
    assert_eq!(change.status, 200, "{}", change.body);
    let card = world.get(&path).await;
    assert_eq!(
        (&card["written_phones"], &card["written_emails"][0]),
        (&json!([]), &json!("anna@example.com"))
    );
}

#[tokio::test]
async fn invalid_fields_are_named() {
    let (world, shop) = shop().await;
    world.client_writes("c1", "one").await;
    world.until_so("it is known", async || world.client_ids().await.len() == 1).await;
    let client = world.client_ids().await.remove(0);
    let reply = format!("/v1/conversations/{client}/reply");
    for (path, body, status, code, field) in [
        (reply.as_str(), json!({}), 422, "invalid_request", "text"),
        (&reply, json!({ "text": "x".repeat(20_001) }), 422, "invalid_request", "text"),
        (&reply, json!({ "text": "x", "wait": 1000 }), 422, "invalid_request", "wait"),
        (&reply, json!({ "text": "x", "chat": "avito:shop/c9" }), 422, "invalid_request", "chat"),
        ("/v1/conversations/client_0/reply", json!({ "text": "x" }), 404, "client_not_found", ""),
        ("/v1/pipeline/turns/turn_0/answer", json!({ "text": "x" }), 404, "turn_not_found", ""),
    ] {
        let (got, problem) = world.post(path, body).await;
        assert_eq!((got, &problem["code"]), (status, &json!(code)), "{path}: {problem}");
        if !field.is_empty() {
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
    }
    let listed = json!({ "contact": "avito:shop/c1" });
    assert_eq!(world.post("/v1/do-not-contact", listed).await.0, 200);
    let (status, problem) = world.post(&reply, json!({ "text": "x" })).await;
    assert_eq!((status, &problem["code"]), (403, &json!("do_not_contact")));
    assert_eq!(shop.texts(), []);
}

#[tokio::test]
async fn a_message_that_is_handed_in_is_taken_once() {
    let (world, _) = shop().await;
    let body = json!({ "channel": "own", "external_chat_id": 42, "text": "Hello", "meta": { "external_message_id": "m-1" } });
    let (status, taken) = world.post("/v1/inbound", body.clone()).await;
    assert_eq!(
        (status, &taken["chat"], &taken["repeated"]),
        (201, &json!("own:main/42"), &json!(false)),
        "{taken}"
    );
    assert_eq!(world.post("/v1/inbound", body.clone()).await.0, 200);
    // The same id with another chat or text is another message, which its program has to see.
    for (field, value) in [("text", json!("Another")), ("external_chat_id", json!(43))] {
        let mut other = body.clone();
        other[field] = value;
        let (status, problem) = world.post("/v1/inbound", other).await;
        assert_eq!((status, &problem["code"]), (409, &json!("idempotency_conflict")), "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(field)), "{problem}");
    }
    for (field, value) in
        [("text", "[object Object]"), ("external_message_id", "undefined"), ("external_chat_id", "null")]
    {
        let mut missing = body.clone();
        missing[field] = value.into();
        let (status, problem) = world.post("/v1/inbound", missing).await;
        assert_eq!((status, &problem["errors"][0]["field"]), (422, &json!(field)), "{problem}");
    }
    world.until_so("it waits for silence", async || world.get("/v1/pipeline").await["waiting"] == 1).await;
    let at = json!({ "channel": "own", "external_chat_id": 44, "external_message_id": "m-2", "timestamp": "2099-01-01T00:00:00Z" });
    let (status, taken) = world.post("/v1/inbound", at).await;
    assert_eq!((status, &taken["time_replaced"]), (201, &json!(true)), "{taken}");
    let (status, problem) = world.post("/v1/inbound", json!({ "channel": "own" })).await;
    assert_eq!((status, &problem["errors"][1]["field"]), (422, &json!("external_message_id")), "{problem}");
}

#[tokio::test]
async fn a_channel_with_accounts_here_takes_messages_for_those_alone() {
    let (world, _) = shop().await;
    for (number, (channel, account, status)) in [
        ("avito", Some("shop"), 201),
        ("avito", None, 201),
        ("avito", Some("other"), 422),
        ("own", Some("shop"), 422),
        ("own", Some("kiosk"), 201),
        ("whatsapp", Some("phone"), 201),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "channel": channel, "channel_account": account, "external_chat_id": 42, "text": "Hello",
            "external_message_id": number });
        let (got, answer) = world.post("/v1/inbound", body).await;
        assert_eq!(got, status, "{channel} {account:?}: {answer}");
        if status == 422 {
            assert_eq!(answer["errors"][0]["field"], "channel_account", "{answer}");
        }
    }
}

#[tokio::test]
async fn a_handed_in_file_of_an_inner_network_is_not_read() {
    let (world, _) = shop().await;
    let inside = testkit::Receiver::start().await;
    for (number, url) in [
        inside.address().to_owned(),
        "http://169.254.169.254/latest/meta-data/iam/".to_owned(),
        "http://[::ffff:7f00:1]/".to_owned(),
        "http://2130706433/".to_owned(),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "channel": "avito", "channel_account": "shop", "external_chat_id": "777", "text": "hi",
            "external_message_id": format!("s{number}"), "media": { "documents": [{ "url": url, "file_id": "1" }] } });
        let (status, taken) = world.post("/v1/inbound", body).await;
        assert_eq!(status, 201, "{taken}");
        let path = format!("/v1/messages/{}/media/0", taken["id"].as_str().expect("an id"));
        let read = world.call("GET", &path).send().await;
        assert_eq!((read.status, &read.json()["code"]), (410, &json!("media_gone")), "{url}: {}", read.body);
        assert!(read.body.contains("is not allowed") || read.body.contains("allow_private"), "{}", read.body);
    }
    assert!(inside.bodies().is_empty());
}

#[tokio::test]
async fn numbers_and_names_that_are_handed_in_only_suggest() {
    let (world, _) = shop().await;
    let given = [
        json!({ "channel": "whatsapp", "external_chat_id": "70000000001@c.us", "client_phone": "70000000001" }),
        json!({ "channel": "own", "external_chat_id": 42, "client_phone": "8 (000) 000-00-01", "client_name": "Anna Petrova" }),
        json!({ "channel": "own", "external_chat_id": 43, "client_name": "Anna Petrova", "client_phone": "" }),
        json!({ "channel": "own", "external_chat_id": 44, "client_phone": "+70000000001", "client_phone_verified": "true" }),
    ];
    for (number, mut body) in given.into_iter().enumerate() {
        body["text"] = "Hello".into();
        body["external_message_id"] = number.into();
        body["meta"] = json!({ "ad_channel": "yandex", "ad_id": 7 });
        let (status, taken) = world.post("/v1/inbound", body).await;
        assert_eq!(status, 201, "{taken}");
        world
            .until_so("it waits for silence", async || world.get("/v1/pipeline").await["waiting"] == 1)
            .await;
        world.clock.advance(Duration::from_secs(30));
        let is_known = async || world.get("/v1/pipeline").await["waiting"] == 0;
        world.until_so("its batch is complete", is_known).await;
    }
    let appeals =
        async || world.get("/v1/appeals?limit=50").await["items"].as_array().cloned().unwrap_or_default();
    let is_known = async || appeals().await.iter().any(|appeal| appeal["unread"] == 2);
    world.until_so("the last is in the appeal of the first", is_known).await;
    let ids = world.client_ids().await;
    assert_eq!(ids.len(), 3, "the verified number leads to the client of the first");
    let card = world.get(&format!("/v1/clients/{}", ids[1])).await;
    assert_eq!(card["phone"], "+70000000001", "{card}");
    let why: Vec<&str> = card["perhaps"]
        .as_array()
        .expect("suggestions")
        .iter()
        .filter_map(|one| one["why"].as_str())
        .collect();
    assert_eq!(why.len(), 2, "{card}");
    assert!(why.contains(&"the same name") && why.contains(&"the same number or address"), "{card}");
    let ad = json!({ "channel": "yandex", "id": "7" });
    assert!(appeals().await.iter().all(|appeal| appeal["ad"] == ad));
}

#[tokio::test]
async fn an_inbox_counts_snoozes_and_finds() {
    let (world, shop) = shop().await;
    world.client_writes("c1", "Is the kettle there?").await;
    let waiting = "/v1/conversations?open=true&snoozed=false&sort=waiting";
    let listed = async |query: &str| {
        let page = world.get(query).await;
        page["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|one| one["client"]["id"].clone())
            .collect::<Vec<_>>()
    };
    world.until_so("it waits for a person", async || !listed(waiting).await.is_empty()).await;
    let client = world.client_ids().await.remove(0);
    let path = format!("/v1/conversations/{client}");
    assert_eq!(world.get(&path).await["appeal"]["unread"], 1);
    assert_eq!(listed("/v1/conversations?search=KETT%20anna").await, [json!(client)]);
    assert_eq!(listed("/v1/conversations?search=teapot").await, <[Value; 0]>::default());
    assert_eq!(world.post(&format!("{path}/read"), json!({})).await.0, 204);
    assert_eq!(listed("/v1/conversations?unread=true").await, <[Value; 0]>::default());

    let until = world.clock.now().plus(Duration::from_hours(2)).to_string();
    let (_, appeal) = world.post(&format!("{path}/snooze"), json!({ "until": until })).await;
    assert_eq!(appeal["snoozed_until"], until.as_str(), "{appeal}");
    assert!(listed(waiting).await.is_empty());
    assert_eq!(
        world.post(&format!("{path}/snooze"), json!({ "until": "2001-01-01T00:00:00Z" })).await.0,
        422
    );
    world.post(&format!("{path}/snooze"), json!({ "until": "" })).await;
    assert_eq!(listed(waiting).await.len(), 1);

    // Who writes at the same time is named, and what was answered meanwhile is not answered twice.
    let (_, others) = world.post(&format!("{path}/writing"), json!({ "writing": "true" })).await;
    assert_eq!(others, json!({ "writing": [] }));
    let seen = world.get(&path).await["last_message"]["id"].clone();
    let reply = format!("{path}/reply");
    let upload = world.call("POST", "/v1/uploads?filename=a.txt").body("words").send().await.json();
    let sent = json!({ "text": "", "media": [{ "upload": upload["id"] }], "seen": seen });
    assert_eq!(world.post(&reply, sent).await.0, 200);
    world
        .until_so("it is in the thread", async || {
            world.get(&path).await["last_message"]["media"][0]["name"] == "a.txt"
        })
        .await;
    let last = world.get(&path).await["last_message"]["id"].as_str().expect("an id").to_owned();
    let file = world.call("GET", &format!("{path}/messages/{last}/media/0")).send().await;
    assert_eq!((file.status, file.body.as_str()), (200, "words"));
    assert_eq!(world.call("GET", &format!("{path}/messages/nothing/media/0")).send().await.status, 404);
    assert_eq!(world.post(&format!("{path}/messages/{last}/retry"), json!({})).await.0, 409);
    let (status, problem) = world.post(&reply, json!({ "text": "Yes!", "seen": seen })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("already_answering")), "{problem}");
    drop(shop);

    let figures = world.get("/v1/inbox/figures?days=2").await;
    assert_eq!(
        (&figures["total"]["opened"], &figures["total"]["answered"]),
        (&json!({ "avito": 1 }), &json!(1))
    );
    assert_eq!(figures["days"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn templates_are_filled_and_a_client_is_taken_out_and_erased() {
    let (world, _) = shop().await;
    world.client_writes("c1", "Is it there?").await;
    world.until_so("it is known", async || !world.client_ids().await.is_empty()).await;
    let client = world.client_ids().await.remove(0);
    let template = world.call("PUT", "/v1/reply-templates/greeting");
    let saved = template.json(json!({ "text": "Hello, {{client.name}}!" }).to_string()).send().await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    let wrong =
        world.call("PUT", "/v1/reply-templates/greeting").json(json!({ "text": "{{price}}" }).to_string());
    assert!(wrong.send().await.body.contains("client.name"));
    let filled = world.get(&format!("/v1/conversations/{client}/templates")).await;
    assert_eq!(filled["items"][0]["text"], "Hello, Anna!");
    assert_eq!(world.call("DELETE", "/v1/reply-templates/greeting").send().await.status, 204);
    assert_eq!(world.call("DELETE", "/v1/reply-templates/greeting").send().await.status, 404);

    let all = world.get(&format!("/v1/clients/{client}/export")).await;
    assert_eq!(
        (&all["messages"][0]["text"], &all["identities"][0]["kind"]),
        (&json!("Is it there?"), &json!("avito"))
    );
    assert_eq!(world.call("DELETE", &format!("/v1/clients/{client}")).send().await.status, 204);
    assert_eq!(world.call("GET", &format!("/v1/clients/{client}")).send().await.status, 404);
    assert_eq!(world.client_ids().await, <[String; 0]>::default());
}

#[tokio::test]
async fn a_person_writes_to_someone_first() {
    let (world, _shop) = shop().await;
    let first = |to: &str| json!({ "channel": "avito", "to": to, "name": "", "text": "Your order is here." });
    let (status, begun) = world.post("/v1/conversations", first("anna@example.com")).await;
    assert_eq!(status, 201, "{begun}");
    let path = format!("/v1/conversations/{}", begun["client_id"].as_str().expect("an id"));
    world.until_so("it is said", async || world.get(&path).await["last_message"]["author"] == "agent").await;
    let shown = world.get(&path).await;
    let known = (&shown["appeal"]["id"], &shown["client"]["email"]);
    assert_eq!(known, (&begun["appeal_id"], &json!("anna@example.com")), "{shown}");
    assert_eq!(shown["appeal"]["state"], "waiting_client", "{shown}");
    let (_, again) = world.post("/v1/conversations", first("anna@example.com")).await;
    assert_eq!((&again["client_id"], &again["appeal_id"]), (&begun["client_id"], &begun["appeal_id"]));
    let listed = world.get("/v1/inbox/channels").await;
    let is_shop = |one: &Value| one["account"] == "shop";
    assert!(listed["items"].as_array().is_some_and(|all| all.iter().any(is_shop)), "{listed}");
    let to = "a@example.com";
    for (body, field) in [
        (first("+70000000001"), "channel"),
        (first(""), "to"),
        (json!({ "channel": "avito", "to": to }), "text"),
        (json!({ "to": to, "text": "x", "channel_account": "shop" }), "channel"),
        (json!({ "channel": "avito", "channel_account": "other", "to": to, "text": "x" }), "channel_account"),
    ] {
        let (status, refused) = world.post("/v1/conversations", body).await;
        assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!(field)), "{refused}");
    }
    world.post("/v1/do-not-contact", json!({ "contact": "avito:shop/boris@example.com" })).await;
    let (status, refused) = world.post("/v1/conversations", first("boris@example.com")).await;
    assert_eq!((status, &refused["code"]), (403, &json!("do_not_contact")), "{refused}");
    assert_eq!(world.client_ids().await.len(), 1);
}

#[tokio::test]
async fn a_replayed_message_is_answered_once() {
    let (world, _shop) = shop().await;
    world.client_writes("u2i-1", "Is it still there?").await;
    let message = world.get("/v1/messages?direction=in&channel=avito").await["items"][0]["id"].clone();
    let path = format!("/v1/pipeline/messages/{}/replay", message.as_str().expect("an id"));
    // A person is to answer: put through again it is the same person's.
    let (status, replayed) = world.post(&path, json!({})).await;
    assert_eq!((status, &replayed["on_its_way"]), (200, &json!(false)), "{replayed}");
    world.until_so("it waits no more", async || world.get("/v1/pipeline").await["waiting"] == 0).await;
    let client = world.client_ids().await.remove(0);
    let messages = format!("/v1/conversations/{client}/messages");
    let count = async || world.get(&messages).await["items"].as_array().map(Vec::len);
    assert_eq!(count().await, Some(1));
    let reply = format!("/v1/conversations/{client}/reply");
    assert_eq!(world.post(&reply, json!({ "text": "Yes." })).await.0, 200);
    world.until_so("it is said", async || count().await == Some(2)).await;
    let (status, refused) = world.post(&path, json!({})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("turn_over")), "{refused}");
    let (status, refused) = world.post("/v1/pipeline/messages/rcv_1/replay", json!({})).await;
    assert_eq!((status, &refused["code"]), (404, &json!("message_not_found")), "{refused}");
    // Without Redis and failures there is nothing to retry.
    for list in ["failed-turns", "dead-letters"] {
        assert_eq!(world.get(&format!("/v1/pipeline/{list}")).await["items"], json!([]));
        let (status, came) = world.post(&format!("/v1/pipeline/{list}/retry"), json!({ "ids": [""] })).await;
        assert_eq!((status, &came["again"]), (200, &json!(0)), "{came}");
    }
}
