//! A workshop's day: texts that were sent and one that was not, chats, an account that stood in, work in doubt, requests
//! that came to nothing, a program that hears of it. All of it happened through the API.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Receiver, World};

use crate::stage::Stage;

const SEND: &str = "messages.sendMessage";
const CREATE: &str = "channels.createChannel";

/// What came of it, by ids.
pub(crate) struct Demo {
    pub(crate) sent: String,
    pub(crate) failed: String,
    pub(crate) doubted_message: String,
    pub(crate) doubted_operation: String,
    pub(crate) operation: String,
    pub(crate) chat: String,
    pub(crate) failed_requests: Vec<String>,
    pub(crate) webhook: String,
    pub(crate) flow_run: String,
    pub(crate) client: String,
    /// Hears of the day as long as it is there.
    _receiver: Receiver,
}

const TEXTS: [(&str, &str); 8] = [
    ("@client_1", "Your phone is ready. Come by any time until eight."),
    ("@client_2", "Здравствуйте! Экран заменили, всё проверили. Можно забирать."),
    ("@client_3", "The part arrives tomorrow; we write as soon as it is here."),
    ("@client_4", "Order 4102 is packed and leaves today."),
    ("@client_5", "Добрый день! Ремонт займёт ещё один день, плата требует пайки."),
    ("@client_6", "Thank you for your visit. Was everything all right?"),
    ("@client_7", "Your invoice is attached to the order. The total is 4,900."),
    ("@client_8", "Телефон готов. Мы работаем до 20:00 без перерыва."),
];

impl Stage {
    /// Lets the day happen.
    pub(crate) async fn day(&self) -> Demo {
        let flow_run = self.trip().await;
        self.day_with(flow_run).await
    }

    /// A trip that is booked; its run. The clock of the program is that of Telegram: a flow presses nothing that is old.
    pub(crate) async fn trip(&self) -> String {
        flow(&self.world, &self.program).await
    }

    /// The day, but for the trip.
    pub(crate) async fn day_with(&self, flow_run: String) -> Demo {
        let (world, program) = (&self.world, &self.program);
        let receiver = Receiver::start().await;
        let webhook = webhooks(program, receiver.address()).await;
        let mut sent = String::new();
        for (chat, text) in TEXTS {
            let (status, reply) = program.send(chat, text).await;
            assert_eq!(status, 200, "{reply}");
            sent = id(&reply);
        }
        let failed = refused_text(world, program).await;
        let (operation, chat) = chats(world, program).await;
        let failed_requests = refused_requests(world, program).await;
        assert_eq!(program.send("-1009999999999", "Is anybody there?").await.0, 404);
        let doubted_message = doubted_message(world, program).await;
        let doubted_operation = doubted_operation(world, program).await;
        set_up(program).await;
        campaign(program).await;
        let client = clients(program).await;
        backup(program).await;
        Demo {
            sent,
            failed,
            doubted_message,
            doubted_operation,
            operation,
            chat,
            failed_requests,
            webhook,
            flow_run,
            client,
            _receiver: receiver,
        }
    }
}

fn id(reply: &Value) -> String {
    reply["id"].as_str().unwrap_or_else(|| panic!("no id in {reply}")).to_owned()
}

/// A flow that an admin wrote on its page, and its first run.
async fn flow(world: &World, program: &Program) -> String {
    let text = "[[flows]]\nname = \"trip\"\naccount = \"main\"\nwatch = \"@demo_trips_bot\"\n\
        trigger = { regex = 'New trip .* (?P<from>\\w+)' }\nactive = \"00:00-24:00 Europe/Moscow\"\n\
        limits = { per_hour = 6, cooldown = \"30s\" }\n[[flows.steps]]\npress = { text = \"Book\" }\n";
    let request =
        program.request("PUT", "/v1/flow-definitions/trip").header("content-type", "application/json");
    let response = request.body(json!({ "text": text }).to_string()).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    let state = || async { program.get("/v1/flows/trip").await.1["accounts"][0]["state"].clone() };
    program.until("the flow watches", || async { state().await == "watching" }).await;
    let booked = || async { program.get("/v1/flow-runs?state=done").await.1["items"][0].clone() };
    // An account that does not hear yet presses nothing; while it cools down, nor does one that does.
    program
        .until("a trip is booked", || async {
            world.post("/telegram/trips", &json!({})).await;
            !booked().await.is_null()
        })
        .await;
    id(&booked().await)
}

/// Clients who wrote through forms, and for whom a person is to answer.
async fn clients(program: &Program) -> String {
    const WRITTEN: [(&str, &str, &str); 2] = [
        ("form-1", "Anna", "Is a screen for this phone in stock? I would come today."),
        ("form-2", "Борис", "Здравствуйте! Сколько стоит замена аккумулятора?"),
    ];
    for (id, name, text) in WRITTEN {
        let message = json!({
            "channel": "form", "external_chat_id": id, "external_user_id": id, "external_message_id": id, "client_name": name, "text": text,
        });
        let (status, reply) = program.post("/v1/inbound", &message).await;
        assert_eq!(status, 201, "{reply}");
    }
    let waiting = || async {
        let (_, found) = program.get("/v1/conversations?state=waiting_us").await;
        found["items"].as_array().is_some_and(|items| items.len() == WRITTEN.len())
    };
    program.until("a person is to answer", waiting).await;
    let (_, found) = program.get("/v1/clients?text=anna").await;
    id(&found["items"][0])
}

/// A program that takes what is posted to it, and one that is away.
async fn webhooks(program: &Program, address: &str) -> String {
    let away = format!("http://127.0.0.1:{}/events", testkit::free_port());
    let mut made = Vec::new();
    for order in [
        json!({ "url": address, "description": "n8n: answers to customers", "events": ["message.*", "chat.*"], "ordered": true }),
        json!({ "url": away, "description": "Accounting", "events": ["message.sent"], "headers": { "authorization": "Bearer demo" } }),
    ] {
        let (status, reply) = program.post("/v1/webhooks", &order).await;
        assert_eq!(status, 201, "{reply}");
        made.push(id(&reply));
    }
    made.swap_remove(0)
}

pub(crate) async fn refused_text(world: &World, program: &Program) -> String {
    world.fault("rpc_error", json!({ "method": SEND, "code": 400, "message": "MESSAGE_TOO_LONG" })).await;
    let order =
        json!({ "chat": "@client_9", "text": "A reminder of your visit tomorrow at ten.", "wait": 0 });
    let (_, reply) = program.post("/v1/messages", &order).await;
    let failed = id(&reply);
    is(program, &format!("/v1/messages/{failed}"), "failed").await;
    world.delete("/faults").await;
    failed
}

/// Two chats; for the second one another account has to stand in.
async fn chats(world: &World, program: &Program) -> (String, String) {
    let order = json!({ "title": "Repair 7041, screen", "members": ["@client_1", "@demo_bot_1", "@nobody_at_all"], "observer": true });
    let (status, made) = program.post("/v1/chats", &order).await;
    assert_eq!(status, 201, "{made}");
    let chat = made["chat_id"].as_str().expect("an id").to_owned();
    world.fault("flood_wait", json!({ "account": "main", "method": CREATE, "seconds": 5400 })).await;
    let order = json!({ "title": "Repair 7042, battery", "members": ["@client_2"], "observer": true });
    let (status, made) = program.post("/v1/chats", &order).await;
    assert_eq!((status, &made["account"]), (201, &json!("backup_1")), "{made}");
    let message = json!({ "from": "@client_1", "chat": chat, "text": "Здравствуйте! Когда будет готово?" });
    world.post("/telegram/messages", &message).await;
    let path = format!("/v1/chats/{chat}/messages");
    let is_kept = || async {
        let (_, conversation) = program.get(&path).await;
        conversation["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(|item| item["text"] == message["text"]))
    };
    program.until("the question is kept", is_kept).await;
    for text in ["The screen is ordered.", "Экран приехал, начинаем."] {
        assert_eq!(program.send(&chat, text).await.0, 200);
    }
    let (_, operations) = program.get("/v1/operations?kind=create_chat").await;
    (id(&operations["items"][0]), chat)
}

/// Requests to an old port that came to nothing and are kept.
async fn refused_requests(world: &World, program: &Program) -> Vec<String> {
    world
        .fault(
            "rpc_error",
            json!({ "account": "backup_2", "method": CREATE, "code": 400, "message": "CHANNELS_TOO_MUCH" }),
        )
        .await;
    for title in ["Repair 7043, camera", "Repair 7044, speaker", "Repair 7045, water"] {
        let order = json!({ "title": title, "usernames": ["client_3"] });
        let port = world.legacy_port(5029);
        let call = program.legacy(port, "/create_chat", &order);
        let (status, reply) = program.as_time_goes_by(Duration::from_millis(500), call).await;
        assert_eq!(status, 500, "{reply}");
    }
    let (_, kept) = program.get("/v1/failed-requests").await;
    kept["items"].as_array().expect("items").iter().map(id).collect()
}

/// A text whose answer was lost, and whose account was banned before anybody could look.
pub(crate) async fn doubted_message(world: &World, program: &Program) -> String {
    world.fault("drop_answer", json!({ "account": "backup_3", "method": SEND, "times": 1 })).await;
    let before = world.effects(SEND).await.len();
    let order = json!({ "chat": "@client_10", "text": "Your deposit has arrived, thank you.", "account": "backup_3", "wait": 0 });
    let (_, reply) = program.post("/v1/messages", &order).await;
    let doubted = id(&reply);
    program.until("the text is there", || async { world.effects(SEND).await.len() > before }).await;
    world.fault("banned", json!({ "account": "backup_3" })).await;
    let path = format!("/v1/messages/{doubted}");
    program.as_time_goes_by(Duration::from_secs(5), is(program, &path, "in_doubt")).await;
    doubted
}

/// The same of a chat that was being made.
pub(crate) async fn doubted_operation(world: &World, program: &Program) -> String {
    world.fault("drop_answer", json!({ "account": "fifth", "method": CREATE, "times": 1 })).await;
    let before = world.effects(CREATE).await.len();
    let order = json!({ "title": "Repair 7046, back glass", "members": ["@client_4"], "account": "fifth", "wait": 0 });
    let (_, reply) = program.post("/v1/chats", &order).await;
    let doubted = id(&reply);
    program.until("the chat is there", || async { world.effects(CREATE).await.len() > before }).await;
    world.fault("session_revoked", json!({ "account": "fifth" })).await;
    let path = format!("/v1/operations/{doubted}");
    program.as_time_goes_by(Duration::from_secs(5), is(program, &path, "in_doubt")).await;
    doubted
}

/// People, keys, an alert target and a maintenance window.
async fn set_up(program: &Program) {
    for (path, order) in [
        ("/v1/users", json!({ "name": "anna", "role": "operator", "password": "a password of her own" })),
        ("/v1/users", json!({ "name": "boris", "role": "viewer", "password": "a password of his own" })),
        ("/v1/keys", json!({ "name": "n8n", "scopes": ["send", "read"] })),
        ("/v1/keys", json!({ "name": "price robot", "scopes": ["send"] })),
        ("/v1/alert-targets", json!({ "name": "owner", "kind": "telegram", "chat": "@client_64" })),
        (
            "/v1/maintenance",
            json!({ "note": "the shop is closed", "days": ["sun"], "start": "01:00", "minutes": 90, "utc_offset": "+03:00" }),
        ),
    ] {
        let (status, reply) = program.post(path, &order).await;
        assert!((200..300).contains(&status), "{path}: {status} {reply}");
    }
}

/// A campaign that wrote to three chats of six and waits for a decision.
async fn campaign(program: &Program) {
    let chats: Vec<_> = (21..=25).map(|number| format!("@client_{number},Anna {number}")).collect();
    let chats = chats.join("\n");
    for (path, order) in [
        ("/v1/campaigns", json!({ "name": "spring", "settings": { "delay_seconds": 0, "cycles": 2 } })),
        ("/v1/campaigns/spring/senders", json!({ "accounts": ["main", "backup_1"] })),
        (
            "/v1/campaigns/spring/tasks",
            json!({ "file": format!("chat,name\n@nobody_is_called_so,x\n{chats}") }),
        ),
        (
            "/v1/campaigns/spring/messages",
            json!({ "file": "Hello {name}, new batteries are in.\n---\nДобрый день!" }),
        ),
        ("/v1/campaigns/spring/start", json!({ "canary": 3 })),
        ("/v1/campaign-proxies", json!({ "file": "127.0.0.1:1080" })),
    ] {
        let (status, reply) = program.post(path, &order).await;
        assert!((200..300).contains(&status), "{path}: {status} {reply}");
    }
    let shop = program.request("PUT", "/v1/campaign-profiles/shop").json(&json!({ "kind": "chromium" }));
    assert_eq!(shop.send().await.expect("an answer").status(), 200);
    let is_paused = || async { program.get("/v1/campaigns/spring").await.1["run"]["state"] == "paused" };
    program.until("the trial is over", is_paused).await;
}

/// A backup, after the one that the program may be making by itself.
async fn backup(program: &Program) {
    program
        .until("a backup is begun", || async { program.post("/v1/backups", &json!({})).await.0 == 202 })
        .await;
    let proven = || async { program.get("/v1/backups").await.1["items"][0]["state"] == "proven" };
    program.until("it is proven", proven).await;
}

/// Waits until what is at a path of the API is in a state.
async fn is(program: &Program, path: &str, state: &str) {
    let what = format!("{path} is {state}");
    program.until(&what, || async { program.get(path).await.1["state"] == state }).await;
}
