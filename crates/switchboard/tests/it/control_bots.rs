//! Control bots of the settings, a bot and an account: a flow is stopped from Telegram.

use serde_json::json;
use testkit::{Start, World};

use crate::binary;
use crate::shell::cli::cli;

const FLOW: &str = r#"
[[flows]]
name = "trip"
account = "fifth"
watch = "@demo_trips_bot"
trigger = { text = "New trip" }
[[flows.steps]]
press = { text = "Book" }
"#;

/// `@client_1`, whom the bot serves.
const OWNER: i64 = 6_000_000_001;

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_stopped_from_telegram() {
    let world = World::start(binary()).await;
    let api = format!("{}/providers/telegram_bot", world.control());
    let port = testkit::free_port();
    // One is asked by the program, and the other one is posted to it.
    for (name, more) in
        [("owner", String::new()), ("second", format!("webhook = \"http://127.0.0.1:{port}\""))]
    {
        let made =
            world.post("/telegram/bots", &json!({"username": format!("{name}_bot"), "api": true})).await;
        let token = made["token"].as_str().expect("a token");
        world.edit_settings(|text| {
            let bot = format!("name = \"{name}\"\ntoken = \"{token}\"\npeople = [{OWNER}]\napi = \"{api}\"");
            format!("{text}\n[[control_bots]]\n{bot}\n{more}\n")
        });
    }
    world.edit_settings(|text| text + FLOW);
    let program = Start::on(&world, binary(), "data").at(port).ready().await;
    let calls = async |method: &str| {
        let path = format!("/bot…/{method}");
        let calls = world.get("/webhooks/calls").await;
        calls["items"].as_array().expect("calls").iter().filter(|call| call["path"] == path).count()
    };
    for method in ["getUpdates", "setWebhook"] {
        program.until(method, || async { calls(method).await > 0 }).await;
    }
    let is_stopped = || async { program.get("/v1/flows/trip").await.1["accounts"][0]["state"] == "stopped" };
    let noted = async |action: &str, bot: &str| {
        let owner = OWNER.to_string();
        let is_it = |entry: &serde_json::Value| {
            let details = &entry["details"];
            entry["action"] == action && details["control_bot"] == bot && details["telegram_id"] == *owner
        };
        program
            .until("it is in the audit log", || async {
                let audit = program.get("/v1/audit").await.1;
                audit["items"].as_array().is_some_and(|items| items.iter().any(is_it))
            })
            .await;
    };
    let message = json!({"from": "@client_1", "chat": "@owner_bot", "text": "/stop trip"});
    let message = world.post("/telegram/messages", &message).await;
    program.until("the bot asks back", || async { calls("sendMessage").await > 0 }).await;
    let sure = message["message_id"].as_i64().expect("an id") + 1;
    let press = json!({"from": "@client_1", "bot": "@owner_bot", "message_id": sure, "data": "now:trip"});
    assert_eq!(world.post("/telegram/presses", &press).await["answered"], true);
    program.until("the flow is stopped", is_stopped).await;
    noted("stop_flow", "owner").await;

    // Who is not Telegram posts in vain, whether there is such a bot or not.
    let start = json!({"update_id": 1, "message": {
        "message_id": 1, "date": 1, "from": {"id": OWNER, "is_bot": false, "first_name": "Anna"},
        "chat": {"id": OWNER, "type": "private"}, "text": "/start trip",
    }});
    for path in ["/control-bots/second", "/control-bots/owner", "/control-bots/none"] {
        let posted = program.request("POST", path).header("x-telegram-bot-api-secret-token", "guessed");
        let answer = posted.body(start.to_string()).send().await.expect("an answer");
        assert_eq!(answer.status(), 401, "{path}");
    }
    assert!(is_stopped().await);
    let message = json!({"from": "@client_1", "chat": "@second_bot", "text": "/start trip"});
    world.post("/telegram/messages", &message).await;
    program.until("the flow is started", || async { !is_stopped().await }).await;
    noted("start_flow", "second").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_serves_as_control_once_it_is_named() {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("{text}\n{FLOW}"));
    let without = std::fs::read_to_string(world.settings_file()).expect("settings");
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    let bot = format!("name = \"texts\"\naccount = \"fifth\"\npeople = [{OWNER}]");
    world.edit_settings(|text| format!("{text}\n[[control_bots]]\n{bot}\n"));
    assert!(cli(&world, &["reload"]).fine().contains("control_bots[texts]"));
    let writes = async |from: &str, text: &str| {
        let order = json!({ "from": from, "chat": "@demo_fifth", "text": text });
        world.post("/telegram/messages", &order).await;
    };
    let says = async |part: &str| {
        let is_sent = || async { world.sent().await.iter().any(|text| text.contains(part)) };
        program.until(part, is_sent).await;
    };
    // Until the account hears of what comes in.
    program
        .until("it hears", || async {
            writes("@client_1", "/status").await;
            world.sent().await.iter().any(|text| text.contains("trip (@demo_trips_bot)"))
        })
        .await;
    writes("@client_1", "Hello, how are you?").await;
    writes("@client_2", "/stop trip").await;
    writes("@client_1", "/stop trip").await;
    says("Stop trip? A run that is under way ends.\n\nAnswer with a number:\n1 – Yes, stop\n2 – No").await;
    let state = || async { program.get("/v1/flows/trip").await.1["accounts"][0]["state"].clone() };
    assert_ne!(state().await, "stopped");
    writes("@client_1", "1").await;
    says("trip – fifth: stopped").await;
    assert_eq!(state().await, "stopped");
    writes("@client_1", "/статистика").await;
    says("Последние 24 часа").await;
    let audit = program.get("/v1/audit").await.1;
    let noted = |action: &str, person: i64| {
        let items = audit["items"].as_array().expect("entries");
        let person = person.to_string();
        let is_it = |entry: &&serde_json::Value| {
            entry["action"] == action && entry["details"]["telegram_id"] == *person
        };
        items.iter().filter(is_it).count()
    };
    assert_eq!((noted("stop_flow", OWNER), noted("write_to_control_bot", OWNER + 1)), (1, 1), "{audit}");
    // What the account says goes to its people alone.
    let to_strangers = world.effects_in(&(OWNER + 1).to_string()).await;
    assert_eq!(to_strangers, Vec::<String>::new());
    world.edit_settings(|_| without);
    assert!(cli(&world, &["reload"]).fine().contains("control_bots[texts]"));
    let count = world.sent().await.len();
    let received = program.get("/v1/accounts/fifth").await.1["updates"]["received"].clone();
    writes("@client_1", "/log").await;
    program
        .until("it is received", || async {
            program.get("/v1/accounts/fifth").await.1["updates"]["received"] != received
        })
        .await;
    assert_eq!(world.sent().await.len(), count);
}
