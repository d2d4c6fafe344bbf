//! Everything at once, by chance: callers that ask until they get an answer, answers that are lost or cannot be read, connections
//! that are cut, floods, accounts started over by hand, and SIGKILL in between. In the end the ledger has what was accepted, each
//! once, in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ambient::Chance;
use serde_json::{Value, json};
use testkit::{Program, Start, World};
use tokio::sync::RwLock;
use tokio::task::JoinSet;

use crate::binary;

/// How many texts each caller has; each has a chat of its own.
const TEXTS: usize = 40;

/// How often the program ends.
const ENDS: usize = 8;

/// What happens to a call, and with what. All of it ends by itself, so that every message leaves in the end.
const FAULTS: [(&str, &str); 11] = [
    ("disconnect", "{}"),
    ("disconnect_before", "{}"),
    ("drop_answer", "{}"),
    ("delay", r#"{"seconds":0.3}"#),
    ("flood_wait", r#"{"seconds":3}"#),
    ("rpc_error", r#"{"code":-503,"message":"Timeout"}"#),
    ("rpc_error", r#"{"code":500,"message":"RPC_CALL_FAIL"}"#),
    ("rpc_error", r#"{"code":400,"message":"MSG_WAIT_FAILED"}"#),
    ("deaf", "{}"),
    ("unreadable", "{}"),
    ("unreadable", r#"{"effect":true}"#),
];

const ACCOUNTS: [&str; 3] = ["main", "backup_1", "backup_2"];

/// One of so many, by chance.
fn one_of(chance: &Chance, many: usize) -> usize {
    usize::try_from(chance.random_id().unsigned_abs() % many as u64).expect("small")
}

struct Storm {
    world: World,
    program: RwLock<Program>,
    accepted: AtomicUsize,
}

impl Storm {
    /// Sends texts into a chat, one after the other, each under a key until there is an answer; returns their ids.
    async fn call(&self, chat: String, chance: Chance) -> Vec<(String, String)> {
        let mut accepted = Vec::new();
        for number in 0..TEXTS {
            let text = format!("{chat}/{number}");
            let wait = [0, 1, 5][one_of(&chance, 3)];
            let id = loop {
                let request = self.program.read().await.request("POST", "/v1/messages");
                let request =
                    request.header("content-type", "application/json").header("idempotency-key", &text);
                let body = json!({ "chat": chat, "text": text, "wait": wait });
                let reply = async { request.body(body.to_string()).send().await?.json::<Value>().await };
                // Without an answer the program is gone, or on its way.
                if let Ok(reply) = reply.await {
                    if let Some(id) = reply["id"].as_str() {
                        break id.to_owned();
                    }
                    assert_eq!(reply["status"], 503, "{reply}");
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            };
            self.accepted.fetch_add(1, Ordering::Relaxed);
            accepted.push((text, id));
        }
        accepted
    }

    /// Time goes by until so many messages were accepted, under faults that chance picks.
    async fn blow(&self, chance: &Chance, accepted: usize) {
        for _ in 0..3 {
            let (name, with) = FAULTS[one_of(chance, FAULTS.len())];
            let mut more: Value = serde_json::from_str(with).expect("JSON");
            more["times"] = json!(1 + one_of(chance, 6));
            more["probability"] = json!([0.3, 0.6, 1.0][one_of(chance, 3)]);
            // What a session asks of itself goes wrong as well, now and then.
            if one_of(chance, 4) > 0 {
                more["method"] = json!("messages.sendMessage");
            }
            if one_of(chance, 2) == 0 {
                more["account"] = json!(ACCOUNTS[one_of(chance, ACCOUNTS.len())]);
            }
            self.world.fault(name, more).await;
        }
        let program = self.program.read().await;
        let is_accepted = program
            .until("enough is accepted", || async { self.accepted.load(Ordering::Relaxed) >= accepted });
        program.as_time_goes_by(Duration::from_millis(100), is_accepted).await;
        let account = ACCOUNTS[one_of(chance, ACCOUNTS.len())];
        let (status, reply) =
            program.post(&format!("/v1/accounts/{account}/actions/restart"), &json!({})).await;
        assert_eq!(status, 200, "{reply}");
    }

    /// The program ends, on request or by a kill, and is started again.
    async fn end(&self, chance: &Chance) {
        let mut program = self.program.write().await;
        if one_of(chance, 4) == 0 {
            assert_eq!(program.terminate().await, Some(0), "{}", program.output());
        } else {
            program.kill();
        }
        *program = Start::on(&self.world, binary(), "data").listening().await;
    }

    /// Waits until all of it is over; returns what did not end as sent.
    async fn settle(&self, accepted: &[(String, String)]) -> Vec<Value> {
        self.world.delete("/faults").await;
        let program = self.program.read().await;
        let mut others = Vec::new();
        for (_, id) in accepted {
            let over = async {
                loop {
                    let message = program.get(&format!("/v1/messages/{id}")).await.1;
                    if ["sent", "failed", "cancelled", "in_doubt"]
                        .map(Value::from)
                        .contains(&message["state"])
                    {
                        return message;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            };
            let message = program.as_time_goes_by(Duration::from_millis(500), over).await;
            if message["state"] != "sent" {
                others.push(message);
            }
        }
        others
    }
}

async fn weathered(seed: u64) {
    let world = World::start(binary()).await;
    let group = json!({ "title": "Shared", "creator": "main", "members": ["backup_1", "backup_2"] });
    let shared = world.make_chat("/telegram/chats", &group).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    for account in ACCOUNTS {
        program.account_is(account, "ready").await;
        program.has_read_dialogs(account).await;
    }
    let storm = Storm { world, program: RwLock::new(program), accepted: AtomicUsize::new(0) };
    let (storm, chance) = (Arc::new(storm), Chance::from_seed(seed));
    let chats = ["@client_1".to_owned(), "@client_2".to_owned(), "@client_3".to_owned(), shared];
    let all = chats.len() * TEXTS;
    let mut callers = JoinSet::new();
    for (seed, chat) in (seed + 1..).zip(&chats) {
        let (storm, chat) = (Arc::clone(&storm), chat.clone());
        callers.spawn(async move { storm.call(chat, Chance::from_seed(seed)).await });
    }
    for end in 1..=ENDS {
        storm.blow(&chance, all * end / (ENDS + 1)).await;
        storm.end(&chance).await;
    }
    let mut accepted = Vec::new();
    {
        let program = storm.program.read().await;
        while let Some(done) = program.as_time_goes_by(Duration::from_millis(100), callers.join_next()).await
        {
            accepted.extend(done.expect("a caller"));
        }
    }
    let others = storm.settle(&accepted).await;
    assert!(others.is_empty(), "seed {seed}: {others:#?}");
    let mut wanted = BTreeMap::<&str, Vec<String>>::new();
    let mut found = BTreeMap::<&str, Vec<String>>::new();
    let sent = storm.world.sent().await;
    for chat in &chats {
        let of_chat = |text: &&String| text.split('/').next() == Some(chat.as_str());
        wanted.insert(chat, (0..TEXTS).map(|number| format!("{chat}/{number}")).collect());
        found.insert(chat, sent.iter().filter(of_chat).cloned().collect());
    }
    assert_eq!(found, wanted, "seed {seed}");
    assert_eq!((sent.len(), accepted.len()), (all, all), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_storm_delivers_each_message_once_in_order() {
    weathered(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_storm_delivers_each_message_once_in_order() {
    weathered(2).await;
}
