//! The queues in Redis: programs of others push, read, and take stages over; whatever is killed, nothing is lost or doubled.

use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::{Program, RedisServer, World, free_port};

use crate::binary;
use crate::channels::{connect, received, restarted, sent, writes};
use crate::pipeline::{answering, answers};
use crate::python::{run, run_json, script};

const SCRIPT: &str = "outside.py";
/// Stages that programs take over.
const STAGES: [&str; 5] = ["batch", "resolve", "appeal", "respond", "send"];

/// A program with every channel, a model that answers, and queues on this server.
pub(crate) async fn started(world: &World, redis: &RedisServer, stages: &str) -> Program {
    let port = free_port();
    world.with_pipeline(&format!("http://127.0.0.1:{port}"), "100ms");
    let url = redis.url();
    world.edit_settings(|text| {
        format!("{text}\n[pipeline.stages]\n{stages}\n[queue]\nredis = \"{url}\"\noffer_again = \"500ms\"\n")
    });
    connect(world, port).await.0
}

pub(crate) async fn push(redis: &RedisServer, list: &str, items: &[Value]) {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    let (url, mut arguments) = (redis.url(), Vec::new());
    arguments.extend(["push", &url, list]);
    arguments.extend(texts.iter().map(String::as_str));
    run(SCRIPT, &arguments).await;
}

pub(crate) fn length(redis: &RedisServer, list: &str) -> i64 {
    redis.ask(&["LLEN", list]).as_i64().expect("a length")
}

/// The reasons of dead letters.
pub(crate) fn reasons(redis: &RedisServer) -> Vec<String> {
    let dead = redis.list("queue:dead").into_iter();
    dead.map(|letter| {
        let letter: Value = serde_json::from_str(&letter).expect("JSON");
        letter["reason"].as_str().expect("a reason").to_owned()
    })
    .collect()
}

/// How often a client's text was taken in.
pub(crate) async fn received_count(program: &Program, channel: &str, text: &str) -> usize {
    received(program, channel).await.iter().filter(|one| one["text"] == text).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn pushed_messages_come_in_and_go_out_once() {
    const MESSAGES: usize = 60;
    let world = World::start(binary()).await;
    let redis = RedisServer::start();
    let mut program = started(&world, &redis, "").await;
    // Ids in the two places, numbers and texts, a repeated one, one that was answered elsewhere, two that are none.
    let incoming: Vec<Value> = (0..MESSAGES)
        .map(|number| {
            json!({
                "channel": "vk", "external_chat_id": 3000 + number % 7, "external_user_id": "3000", "skip": false,
                "text": format!("pushed {number}."), "timestamp": 1_760_000_400, "client_email": "", "tenant_id": "t",
                "media": { "has_voice": false, "videos": [] }, "meta": { "external_message_id": number },
            })
        })
        .collect();
    push(&redis, "queue:incoming", &incoming[..MESSAGES / 2]).await;
    program = restarted(&world, program).await;
    push(&redis, "queue:incoming", &incoming).await;
    let wrong = [json!({ "channel": "vk" }), json!(4), json!({ "channel": "vk", "skip": true })];
    push(&redis, "queue:incoming", &wrong).await;
    let last = format!("pushed {}.", MESSAGES - 1);
    program.until("the last is heard", || async { received_count(&program, "vk", &last).await > 0 }).await;
    for number in 0..MESSAGES {
        assert_eq!(received_count(&program, "vk", &format!("pushed {number}.")).await, 1, "{number}");
    }
    // In the order in which they were pushed, over the kill.
    let in_order =
        |word: &str| -> Vec<String> { (0..MESSAGES).map(|number| format!("{word} {number}.")).collect() };
    let all = received(&program, "vk").await;
    let came = all.iter().rev().filter_map(|one| one["text"].as_str());
    assert_eq!(came.filter(|text| text.starts_with("pushed ")).collect::<Vec<_>>(), in_order("pushed"));
    program.until("two are dead letters", || async { reasons(&redis).len() == 2 }).await;
    assert!(reasons(&redis)[0].contains("external_chat_id is missing"), "{:?}", reasons(&redis));
    let seen = || async { redis.ask(&["GET", "last_seen:vk:3001"]) != Value::Null };
    program.until("it is said when the client wrote", seen).await;

    let chat = writes(&world, "vk", "club", "Is it still there?").await;
    program
        .until("it is heard", || async { received_count(&program, "vk", "Is it still there?").await > 0 })
        .await;
    let outgoing: Vec<Value> = (0..MESSAGES)
        .map(|number| {
            let text = format!("sent {number}.");
            if number % 2 == 0 {
                json!({ "channel": "vk", "external_chat_id": chat, "message_text": text, "appeal_id": 4, "tenant_id": "t" })
            } else {
                json!({ "channel": "vk", "out_message": { "external_chat_id": chat, "message_text": text, "action_source": "ai" } })
            }
        })
        .collect();
    push(&redis, "queue:outgoing", &outgoing[..MESSAGES / 2]).await;
    program = restarted(&world, program).await;
    push(&redis, "queue:outgoing", &outgoing[MESSAGES / 2..]).await;
    let nowhere = [
        json!({ "channel": "pigeon", "external_chat_id": "1", "message_text": "lost" }),
        json!({ "channel": "vk", "external_chat_id": "1" }),
    ];
    push(&redis, "queue:outgoing", &nowhere).await;
    let all = || async {
        let sent = sent(&world, "vk").await;
        (0..MESSAGES).all(|number| sent.contains_key(&format!("sent {number}.")))
    };
    program.until("all are sent", all).await;
    let of_vk = sent(&world, "vk").await;
    for number in 0..MESSAGES {
        assert_eq!(of_vk.get(&format!("sent {number}.")), Some(&1), "{number}: {of_vk:?}");
    }
    let ledger = world.ledger().await;
    let left = ledger.iter().filter(|row| row["provider"] == "vk").filter_map(|row| row["text"].as_str());
    assert_eq!(left.filter(|text| text.starts_with("sent ")).collect::<Vec<_>>(), in_order("sent"));
    program.until("four are dead letters", || async { reasons(&redis).len() == 4 }).await;
    assert_eq!(
        reasons(&redis)[2..],
        [
            "channel pigeon has no account here".to_owned(),
            "message_text is missing; say what is to be sent".to_owned()
        ]
    );
    // Several accounts could send this one, until its chat has written to one of them.
    let later =
        json!({ "channel": "sms", "external_chat_id": "+70000000001", "message_text": "once it is known" });
    push(&redis, "queue:outgoing", &[later]).await;
    program.until("it is a dead letter", || async { reasons(&redis).len() == 5 }).await;
    assert_eq!(writes(&world, "sms", "texts_twilio", "Here I am").await, "+70000000001");
    program
        .until("the chat is known", || async { received_count(&program, "sms", "Here I am").await > 0 })
        .await;
    let (_, letters) = program.get("/v1/pipeline/dead-letters").await;
    let ids = json!({ "ids": [letters["items"][0]["id"]] });
    let (_, again) = program.post("/v1/pipeline/dead-letters/retry", &ids).await;
    assert_eq!(again, json!({ "again": 1, "left": 0 }), "{letters}");
    program = restarted(&world, program).await;
    let is_sent = || async { sent(&world, "sms").await.contains_key("once it is known") };
    program.until("it is sent", is_sent).await;
    assert_eq!((sent(&world, "sms").await["once it is known"], reasons(&redis).len()), (1, 4));
    for list in ["queue:incoming", "queue:outgoing", "queue:incoming:processing", "queue:outgoing:processing"]
    {
        assert_eq!(length(&redis, list), 0, "{list}");
    }
}

/// A repeat is the same message; the same id or key with another text is a dead letter, with a reason and an alert.
#[tokio::test]
async fn an_id_or_a_key_with_another_text_becomes_a_dead_letter() {
    let world = World::start(binary()).await;
    let redis = RedisServer::start();
    let program = started(&world, &redis, "").await;
    let chat = writes(&world, "vk", "club", "Is it still there?").await;
    program
        .until("it is heard", || async { received_count(&program, "vk", "Is it still there?").await > 0 })
        .await;
    let incoming = |text: &str| json!({ "channel": "shop", "external_chat_id": "1", "external_message_id": "m-1", "text": text });
    let outgoing = |text: &str| json!({ "channel": "vk", "external_chat_id": chat, "message_text": text, "idempotency_key": "7-ready" });
    push(&redis, "queue:incoming", &[incoming("first"), incoming("first"), incoming("other")]).await;
    push(&redis, "queue:outgoing", &[outgoing("first"), outgoing("first"), outgoing("other")]).await;
    let missing = json!({ "channel": "vk", "external_chat_id": chat, "message_text": "x", "idempotency_key": "undefined-ready" });
    push(&redis, "queue:outgoing", &[missing]).await;
    program.until("three are dead letters", || async { reasons(&redis).len() == 3 }).await;
    for beginning in
        ["external_message_id belongs", "idempotency_key belongs", "idempotency_key has what programs write"]
    {
        assert!(reasons(&redis).iter().any(|reason| reason.starts_with(beginning)), "{:?}", reasons(&redis));
    }
    let is_sent = || async { sent(&world, "vk").await.contains_key("first") };
    program.until("it is sent", is_sent).await;
    assert!(!sent(&world, "vk").await.contains_key("other"));
    let state = program.get("/v1/pipeline").await.1["queue"]["last_dead_letter"].clone();
    assert!(state["reason"].is_string(), "{state}");
}

/// Customers write, the program that does a stage is killed with an item in its hands, and so is ours: each is answered once.
async fn answers_once(redis: Option<&RedisServer>, stage: Option<&str>) {
    const CUSTOMERS: usize = 4;
    let world = World::start(binary()).await;
    let stages = stage.map(|stage| format!("{stage} = \"external\"")).unwrap_or_default();
    let mut program = match redis {
        None => answering(&world, "100ms").await.0,
        Some(redis) => started(&world, redis, &stages).await,
    };
    let texts: Vec<String> = (0..CUSTOMERS).map(|one| format!("question {one}.")).collect();
    for (customer, text) in texts.iter().enumerate() {
        let from = (2_000_100 + customer).to_string();
        let deed = json!({"channel": "vk", "account": "club", "from": from, "name": "Anna", "text": text});
        world.post("/customers/messages", &deed).await;
    }
    let _outside = match (redis, stage) {
        (None, _) | (_, None) => None,
        (Some(redis), Some(stage)) => {
            let url = redis.url();
            let killed = script(SCRIPT, &["stage", &url, stage, "take"]).status().await.expect("runs");
            assert!(!killed.success());
            Some(script(SCRIPT, &["stage", &url, stage, "do"]).spawn().expect("starts"))
        }
    };
    if let Some(redis) = redis {
        // As a death between the list of a chat and its offer leaves it.
        redis.ask(&["RPUSH", "queue:batch:vk:gone", "{}"]);
    }
    program = restarted(&world, program).await;
    let counted = async |text: &str| match redis {
        Some(redis) if stage == Some("send") => {
            let sent = redis.ask(&["HVALS", "test:sent"]);
            let sent = sent.as_array().into_iter().flatten().filter_map(Value::as_str);
            sent.filter(|sent| sent.contains(text)).count()
        }
        _ => answers(&world, "vk", text).await,
    };
    for text in &texts {
        program.until(&format!("{text} is answered"), || async { counted(text).await > 0 }).await;
    }
    let is_empty = || async {
        let shown = program.get("/v1/pipeline").await.1;
        (&shown["waiting"], &shown["stages"]) == (&json!(0), &json!([]))
    };
    program.until("nothing is left", is_empty).await;
    for text in &texts {
        assert_eq!(counted(text).await, 1, "{text}: {:?}", sent(&world, "vk").await);
    }
    let history = program.get("/v1/conversations?limit=200").await.1;
    for one in history["items"].as_array().expect("conversations") {
        let path =
            format!("/v1/conversations/{}/messages?limit=200", one["client"]["id"].as_str().expect("an id"));
        let ours = || async {
            let page = program.get(&path).await.1;
            page["items"].as_array().into_iter().flatten().filter(|one| one["author"] != "client").count()
        };
        // What left is read from its event, a moment later.
        program.until("the answer is in the conversation", || async { ours().await > 0 }).await;
        assert_eq!(ours().await, 1, "{path}");
    }
    let Some(redis) = redis else { return };
    assert_eq!(reasons_or_none(redis), Vec::<String>::new());
    let tidy = || async {
        let keys = redis.ask(&["KEYS", "*"]);
        let left: Vec<&str> = keys.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        left.iter().all(|key| key.starts_with("last_seen:") || *key == "test:sent")
    };
    program.until("Redis has nothing more", tidy).await;
}

fn reasons_or_none(redis: &RedisServer) -> Vec<String> {
    if length(redis, "queue:dead") == 0 { Vec::new() } else { reasons(redis) }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_stage_is_taken_over() {
    answers_once(Some(&RedisServer::start()), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_stage_is_taken_over_by_a_program_that_dies() {
    for stage in STAGES {
        eprintln!("stage {stage}");
        answers_once(Some(&RedisServer::start()), Some(stage)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_each_customer_is_answered_once() {
    answers_once(None, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_channel_is_answered_over_redis_beside_a_model() {
    let world = World::start(binary()).await;
    let redis = RedisServer::start();
    let program =
        started(&world, &redis, "[[pipeline.rules]]\nchannel = \"vk\"\nresponder = \"redis\"").await;
    let url = redis.url();
    let _outside = script(SCRIPT, &["stage", &url, "respond", "do"]).spawn().expect("starts");
    let answers_by = async |channel: &str, account: &str, text: &str, by: &str| {
        writes(&world, channel, account, text).await;
        let is_answered = || async { answers(&world, channel, text).await > 0 };
        program.until(&format!("{channel} is answered"), is_answered).await;
        let mut sent = sent(&world, channel).await;
        sent.retain(|answer, _| answer.contains(text));
        assert!(
            sent.values().sum::<usize>() == 1 && sent.keys().all(|answer| answer.starts_with(by)),
            "{sent:?}"
        );
    };
    answers_by("vk", "club", "Is it there?", "Elsewhere: ").await;
    answers_by("max", "assistant", "Is it there?", "You wrote: ").await;
    let found = program.get("/v1/conversations?channel=max").await.1;
    let client = found["items"][0]["client"]["id"].as_str().expect("an id");
    let (status, appeal) =
        program.post(&format!("/v1/conversations/{client}/hand-over"), &json!({"to": "redis"})).await;
    assert_eq!((status, &appeal["responder"]), (200, &json!("redis")), "{appeal}");
    answers_by("max", "assistant", "And in green?", "Elsewhere: ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_scripts_read_true_numbers_and_lock_chats() {
    const CHAT: &str = "vk:2000100";
    let world = World::start(binary()).await;
    let redis = RedisServer::start();
    let program = started(&world, &redis, "batch = \"external\"\nrespond = \"external\"").await;
    let texts = ["question 0.", "question 1.", "question 2.", "one more thing."];
    for (from, text) in ["2000100", "2000101", "2000102", "2000100"].into_iter().zip(texts) {
        let deed = json!({"channel": "vk", "account": "club", "from": from, "name": "Anna", "text": text});
        world.post("/customers/messages", &deed).await;
    }
    let lengths = || {
        ["queue:debounce:pending", "queue:batch:vk:2000100", "queue:stage:respond"]
            .map(|list| length(&redis, list))
    };
    program.until("all wait", || async { lengths() == [3, 2, 0] }).await;
    let mut lists = redis.ask(&["KEYS", "queue:batch:*"]).as_array().cloned().expect("keys");
    lists.sort_by_key(ToString::to_string);
    assert_eq!(lists, ["queue:batch:vk:2000100", "queue:batch:vk:2000101", "queue:batch:vk:2000102"]);
    let tasks = redis.list("queue:debounce:pending");
    let mut tasks = tasks.iter().map(|task| serde_json::from_str::<Value>(task).expect("JSON"));
    let task = tasks.find(|task| task["batch_key"] == CHAT).expect("a task");
    for (field, wanted) in [
        ("queue_key", json!(format!("queue:batch:{CHAT}"))),
        ("lock_key", json!(format!("lock:batch:{CHAT}"))),
        ("last_seen_key", json!(format!("last_seen:{CHAT}"))),
        ("debounce_seconds", json!(0)),
        ("max_wait_seconds", json!(300)),
    ] {
        assert_eq!(task[field], wanted, "{field}: {task}");
    }
    let time = |text: &Value| text.as_str().and_then(|text| text.parse::<Timestamp>().ok()).expect("a time");
    let seen = redis.ask(&["GET", &format!("last_seen:{CHAT}")]);
    assert!(time(&seen) >= time(&task["start_time"]), "{seen}: {task}");
    let url = redis.url();
    let _debouncer = script(SCRIPT, &["stage", &url, "batch", "do"]).spawn().expect("starts");
    program.until("all are offered", || async { lengths() == [0, 0, 3] }).await;

    // A chat that is being answered is locked, for 300 seconds at most.
    let key = format!("lock:batch:{CHAT}");
    program.until("it is locked", || async { redis.ask(&["EXISTS", &key]) == 1 }).await;
    let lock = async || run_json(SCRIPT, &["lock", &url, CHAT]).await;
    let refused = lock().await;
    let left = refused["left"].as_i64().unwrap_or_default();
    assert!(refused["taken"] == false && (1..=300).contains(&left), "{refused}");
    program.advance(Duration::from_secs(301)).await;
    redis.ask(&["DEL", &key]);
    assert_eq!(lock().await, json!({"taken": true, "left": 300}));
    let _responder = script(SCRIPT, &["stage", &url, "respond", "do"]).spawn().expect("starts");
    for text in texts {
        program
            .until(&format!("{text} is answered"), || async { answers(&world, "vk", text).await > 0 })
            .await;
        assert_eq!(answers(&world, "vk", text).await, 1, "{text}");
    }
    program.until("ours are gone", || async { redis.ask(&["EXISTS", "queue:locks"]) == 0 }).await;
    assert_eq!(redis.ask(&["GET", &key]), "outside", "the lock of another program stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_survive_failures_of_redis() {
    let world = World::start(binary()).await;
    let mut redis = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let program = started(&world, &redis, "respond = \"external\"").await;
    let queue = async || program.get("/v1/pipeline").await.1["queue"].clone();
    // Emptied, with an item in the hands of a program.
    writes(&world, "vk", "club", "before it is empty").await;
    let offered = || async { length(&redis, "queue:stage:respond") == 1 };
    program.until("it is offered", offered).await;
    redis.ask(&["FLUSHALL"]);
    let offered = || async { length(&redis, "queue:stage:respond") == 1 };
    program.until("it is offered again", offered).await;
    let url = redis.url();
    let outside = script(SCRIPT, &["stage", &url, "respond", "do"]).spawn().expect("starts");
    let is_answered = || async { answers(&world, "vk", "before it is empty").await > 0 };
    program.until("it is answered", is_answered).await;
    drop(outside);
    // Full: what is there is taken, and what is to be offered waits.
    push(
        &redis,
        "queue:incoming",
        &[json!({
            "channel": "vk", "external_chat_id": "77", "external_message_id": "77", "text": "into a full one"
        })],
    )
    .await;
    redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    program
        .until("it is heard", || async { received_count(&program, "vk", "into a full one").await == 1 })
        .await;
    writes(&world, "vk", "club", "while it is full").await;
    program.until("it is said that there is no room", || async { queue().await["broken"].is_string() }).await;
    redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    let offered = || async { length(&redis, "queue:stage:respond") >= 1 };
    program.until("it is offered once there is room", offered).await;
    program.until("it is well again", || async { queue().await["broken"].is_null() }).await;
    // Slow: nothing else waits for it.
    redis.ask(&["CLIENT", "PAUSE", "600000"]);
    writes(&world, "vk", "club", "while it is slow").await;
    let is_listed = || async {
        let listed = program.get("/v1/conversations?channel=vk").await.1;
        let mut listed = listed["items"].as_array().into_iter().flatten();
        listed.any(|one| one["last_message"]["text"] == "while it is slow")
    };
    program.until("it is listed", is_listed).await;
    assert_eq!(program.get("/v1/pipeline").await.0, 200);
    // Restarted, with what programs pushed.
    redis.kill();
    program
        .until("it is said that it does not answer", || async { queue().await["broken"].is_string() })
        .await;
    writes(&world, "vk", "club", "while it is away").await;
    redis.start_again();
    let _outside = script(SCRIPT, &["stage", &url, "respond", "do"]).spawn().expect("starts");
    let is_answered = || async { answers(&world, "vk", "while it is away").await > 0 };
    program.until("it is answered afterwards", is_answered).await;
    for text in ["before it is empty", "while it is full", "while it is slow", "while it is away"] {
        assert_eq!(answers(&world, "vk", text).await, 1, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_consumer_is_named() {
    let world = World::start(binary()).await;
    let redis = RedisServer::start();
    let program = started(&world, &redis, "").await;
    let listens = || async {
        let subscribers = redis.ask(&["PUBSUB", "NUMSUB", "__keyspace@0__:queue:incoming"]);
        subscribers[1].as_i64() == Some(1)
    };
    program.until("it listens", listens).await;
    // A consumer that waits in Redis is served before any that looks.
    let waiting = std::net::TcpStream::connect(("127.0.0.1", redis.port())).expect("connects");
    std::io::Write::write_all(&mut &waiting, b"CLIENT SETNAME old-n8n\r\nBLPOP queue:incoming 0\r\n")
        .expect("writes");
    let waits = || async {
        redis.ask(&["CLIENT", "LIST"]).as_str().is_some_and(|clients| clients.contains("cmd=blpop"))
    };
    program.until("the other one waits", waits).await;
    redis.ask(&["RPUSH", "queue:incoming", "{}"]);
    let named = || async {
        let other = program.get("/v1/pipeline").await.1["queue"]["other_consumer"].clone();
        other["list"] == "queue:incoming" && other["who"].as_str().is_some_and(|who| who.contains("old-n8n"))
    };
    program.until("it is named", named).await;
}
