//! Campaigns through a real Chromium on the pretend Web K: sent once, stopped when Telegram says so, killed in the middle.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::{PDF, Program, Start, World};

use crate::binary;
use crate::shell::cli::{cli, running};

const SEND: &str = "messages.sendMessage";
const SEND_MEDIA: &str = "messages.sendMedia";

/// The browser of the profile `shop`; it is ended with the test.
struct Browser(PathBuf);

impl Browser {
    /// The process of the browser, if there is one.
    fn process(&self) -> Option<String> {
        let target = std::fs::read_link(self.0.join("chromium/SingletonLock")).ok()?;
        let process = target.to_string_lossy().rsplit_once('-')?.1.to_owned();
        Path::new("/proc").join(&process).exists().then_some(process)
    }

    /// The process of the driver.
    fn driver(&self) -> Option<String> {
        let note = std::fs::read_to_string(self.0.join("driver.process")).ok()?;
        note.split(' ').next().map(str::to_owned)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(process) = self.process() {
            end(&process);
        }
    }
}

/// Kills a process of the test's own.
fn end(process: &str) {
    let _ = Command::new("kill").args(["-9", process]).status();
}

/// What settings say of the browser.
fn programs() -> String {
    let named = |variable: &str, usual: &str| env::var(variable).unwrap_or_else(|_| usual.to_owned());
    let chromium = named("SWITCHBOARD_TEST_CHROMIUM", "chromium");
    let driver = named("SWITCHBOARD_TEST_CHROMEDRIVER", "chromedriver");
    let arguments = r#"["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]"#;
    format!(
        "[campaigns.browser]\nchromium = \"{chromium}\"\ndriver = \"{driver}\"\narguments = {arguments}\n"
    )
}

/// A world whose settings name the browser; the pretend page is named already.
async fn world() -> (World, Browser) {
    let world = World::start(binary()).await;
    world.edit_settings(|text| text.replacen("[campaigns.browser]\n", &programs(), 1));
    let browser = Browser(world.data_dir("data").join("browsers/shop"));
    (world, browser)
}

/// Sets the profile up; its owner logs in with the phone of an account.
async fn logged_in(world: &World, program: &Program, account: &str) {
    let made = program.request("PUT", "/v1/campaign-profiles/shop").json(&json!({"kind": "chromium"}));
    assert_eq!(made.send().await.expect("an answer").status(), 200);
    log_in(program, "code").await;
    world.post("/web-k/log-ins", &json!({"account": account})).await;
    log_in(program, "done").await;
}

/// Asks what the window shows until it is this.
async fn log_in(program: &Program, wanted: &str) {
    let what = format!("the window says {wanted}");
    let ask = || async {
        let (status, seen) = program.post("/v1/campaign-profiles/shop/log-in", &json!({})).await;
        assert_eq!(status, 200, "{seen}");
        assert_eq!(seen["picture"].is_string(), seen["state"] == "code", "{seen}");
        seen["state"] == wanted
    };
    program.until(&what, ask).await;
}

async fn profile(program: &Program) -> Value {
    program.get("/v1/campaign-profiles/shop").await.1
}

async fn campaign(program: &Program) -> Value {
    program.get("/v1/campaigns/spring").await.1
}

async fn is(program: &Program, state: &str) {
    let what = format!("the campaign is {state}");
    program.until(&what, || async { campaign(program).await["run"]["state"] == state }).await;
}

/// Makes a campaign of these senders for so many clients.
async fn made(program: &Program, senders: Value, clients: usize, settings: Value) {
    let body = json!({"name": "spring", "settings": settings});
    assert_eq!(program.post("/v1/campaigns", &body).await.0, 201);
    let chats: Vec<_> = (1..=clients).map(|number| format!("@client_{number}")).collect();
    for (path, body) in [
        ("senders", senders),
        ("messages", json!({"file": "Good day 👋\nto you"})),
        ("tasks", json!({"file": chats.join("\n")})),
    ] {
        let (status, answer) = program.post(&format!("/v1/campaigns/spring/{path}"), &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }
}

async fn start(program: &Program) {
    let (status, answer) = program.post("/v1/campaigns/spring/start", &json!({})).await;
    assert_eq!(status, 200, "{answer}");
}

/// How often each chat was written to.
async fn written(world: &World) -> BTreeMap<String, usize> {
    let mut written = BTreeMap::new();
    for row in world.effects(SEND).await {
        *written.entry(row["chat_id"].as_str().expect("a chat").to_owned()).or_insert(0) += 1;
    }
    written
}

/// The chats and reasons of the attempts that are in a state.
async fn attempts(program: &Program, state: &str) -> Vec<(String, String)> {
    let page = program.get(&format!("/v1/campaigns/spring/attempts?limit=500&state={state}")).await.1;
    let field = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows = page["items"].as_array().expect("items").iter();
    let mut rows: Vec<_> = rows.map(|row| (field(row, "chat"), field(row, "reason"))).collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_through_a_browser_writes_to_each_chat_once() {
    let (world, _browser) = world().await;
    let program = Start::on(&world, binary(), "data").ready().await;
    logged_in(&world, &program, "backup_1").await;
    made(&program, json!({"profiles": ["shop"]}), 5, json!({"delay_seconds": 0})).await;
    program.post("/v1/do-not-contact", &json!({"contact": "@client_4"})).await;
    // This one is on the list by an id that only the page tells.
    program.post("/v1/do-not-contact", &json!({"contact": "6000000005"})).await;
    let stop = json!({"from": "@client_2", "chat": "@demo_backup_1", "text": "Stop!"});
    world.post("/telegram/messages", &stop).await;
    start(&program).await;
    is(&program, "done").await;
    let pair = |chat: &str, reason: &str| (chat.to_owned(), reason.to_owned());
    assert_eq!(attempts(&program, "sent").await, [pair("@client_1", ""), pair("@client_3", "")]);
    assert_eq!(
        attempts(&program, "skipped").await,
        [
            pair("@client_2", "opt_out"),
            pair("@client_4", "do_not_contact"),
            pair("@client_5", "do_not_contact")
        ]
    );
    let once = [("6000000001".to_owned(), 1), ("6000000003".to_owned(), 1)];
    assert_eq!(written(&world).await, BTreeMap::from(once));
    assert_eq!(world.sent().await[0], "Good day 👋\nto you");
    let listed = program.get("/v1/do-not-contact").await.1;
    assert_eq!(listed["items"][0]["source"], "opt_out", "{listed}");
    let shown = profile(&program).await;
    assert_eq!((&shown["state"], &shown["last_error"]), (&json!("active"), &json!(null)), "{shown}");
    assert!(shown["user_id"].is_number(), "{shown}");
    let list = cli(&world, &["campaign", "profiles", "list"]).fine();
    assert!(list.contains("shop") && list.contains("chromium"), "{list}");
    assert!(cli(&world, &["campaign", "list-profiles", "spring"]).fine().contains("profile:shop"));

    // The next run has a file for the same chats. One of them wrote since, and that is read before the first message.
    let stop = json!({"from": "@client_3", "chat": "@demo_backup_1", "text": "Стоп"});
    world.post("/telegram/messages", &stop).await;
    let thanks = json!({"from": "@client_3", "chat": "@demo_backup_1", "text": "Thank you"});
    world.post("/telegram/messages", &thanks).await;
    std::fs::write(world.data_dir("data").join("media/price.pdf"), PDF).expect("writes");
    let messages = json!({"file": r#"[{"text": "Our prices", "media": "price.pdf"}]"#});
    let (status, answer) = program.post("/v1/campaigns/spring/messages?sync=true", &messages).await;
    assert_eq!(status, 200, "{answer}");
    start(&program).await;
    program.until("the file is sent", || async { attempts(&program, "sent").await.len() == 1 }).await;
    is(&program, "done").await;
    let listed = program.get("/v1/do-not-contact").await.1;
    let sent = program.get("/v1/campaigns/spring/attempts?state=sent").await.1;
    let of = |answer: &Value, field: &str, value: &str, time: &str| -> Timestamp {
        let row = answer["items"].as_array().expect("items").iter().find(|row| row[field] == value);
        row.and_then(|row| row[time].as_str()).expect("a time").parse().expect("a time")
    };
    let claimed = of(&sent, "chat", "@client_1", "claimed_at");
    assert!(of(&listed, "contact", "6000000003", "added_at") < claimed, "{listed} {sent}");
    let rows = world.effects(SEND_MEDIA).await;
    let sent: Vec<_> = rows.iter().map(|row| (&row["text"], &row["media"]["file_name"])).collect();
    assert_eq!(sent, [(&json!("Our prices"), &json!("price.pdf"))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_programs_browsers_and_drivers_send_nothing_twice() {
    const CLIENTS: usize = 9;
    let (world, browser) = world().await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    logged_in(&world, &program, "backup_1").await;
    made(&program, json!({"profiles": ["shop"]}), CLIENTS, json!({"delay_seconds": 0})).await;
    start(&program).await;
    for kill in 1..=6 {
        let what = format!("{kill} are sent");
        program.until(&what, || async { world.effects(SEND).await.len() >= kill }).await;
        match kill % 3 {
            0 => {
                program.kill();
                program = Start::on(&world, binary(), "data").ready().await;
            }
            1 => end(&browser.process().expect("a browser")),
            _ => end(&browser.driver().expect("a driver")),
        }
    }
    is(&program, "done").await;
    let (sent, unknown) = (attempts(&program, "sent").await, attempts(&program, "unknown").await);
    assert_eq!(sent.len() + unknown.len(), CLIENTS, "{sent:?} {unknown:?}");
    let written = written(&world).await;
    assert!(written.values().all(|times| *times == 1), "{written:?}");
    assert!((sent.len()..=CLIENTS).contains(&written.len()), "{written:?} {sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_stops_when_its_page_says_so_and_sends_nothing() {
    let (world, _browser) = world().await;
    let program = Start::on(&world, binary(), "data").ready().await;
    logged_in(&world, &program, "backup_1").await;
    made(&program, json!({"profiles": ["shop"]}), 2, json!({"delay_seconds": 0})).await;
    // The page has changed: the self-test says what is missing.
    world.fault("renamed", json!({"provider": "web_k", "message": "btn-send"})).await;
    let (status, checked) = program.post("/v1/campaign-profiles/shop/check", &json!({})).await;
    let error = checked["last_error"].as_str().unwrap_or_default();
    assert!(status == 200 && error.contains("chat_send") && checked["picture"].is_string(), "{checked}");
    let picture = format!("/v1/campaign-pictures/{}", checked["picture"].as_str().expect("a file"));
    let shown = program.request("GET", &picture).send().await.expect("an answer");
    let png = shown.bytes().await.expect("a picture");
    assert!(png.starts_with(b"\x89PNG"), "{png:?}");
    let shown = program.request("GET", &picture.replace(".png", ".html")).send().await.expect("an answer");
    assert_eq!(shown.headers()["content-type"], "text/plain; charset=utf-8");
    assert!(shown.text().await.expect("a page").contains("id=\"page-chats\""));
    world.delete("/faults").await;
    // The account is frozen: the profile stops, and the chat waits for another one.
    world.fault("frozen", json!({"provider": "web_k"})).await;
    start(&program).await;
    is(&program, "paused").await;
    assert_eq!(campaign(&program).await["run"]["reason"], "no_sender");
    let stopped = profile(&program).await;
    assert_eq!((&stopped["state"], &stopped["reason"]), (&json!("blocked"), &json!("frozen")), "{stopped}");
    assert_eq!(attempts(&program, "failed").await.len(), 1);
    assert!(world.effects(SEND).await.is_empty());
    world.delete("/faults").await;
    // A person has seen to it.
    let (status, shown) = program.post("/v1/campaign-profiles/shop/unblock", &json!({})).await;
    assert_eq!((status, &shown["state"]), (200, &json!("active")), "{shown}");
    program.post("/v1/campaigns/spring/resume", &json!({})).await;
    is(&program, "done").await;
    assert_eq!(world.effects(SEND).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_and_its_browser_share_one_hour() {
    let (world, _browser) = world().await;
    let program = running(&world, &["fifth"]).await;
    logged_in(&world, &program, "fifth").await;
    let senders = json!({"profiles": ["shop"], "accounts": ["fifth"]});
    let settings = json!({"delay_seconds": 0, "max_messages_per_hour": 3});
    // The profile is known to be the account's from its login on.
    made(&program, senders, 6, settings).await;
    start(&program).await;
    program.until("three are sent", || async { attempts(&program, "sent").await.len() == 3 }).await;
    program.advance(std::time::Duration::from_mins(50)).await;
    assert_eq!(world.effects(SEND).await.len(), 3);
    program.post("/v1/campaigns/spring/stop", &json!({})).await;
    is(&program, "stopped").await;
    assert_eq!(written(&world).await.values().sum::<usize>(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_campaign_ends_through_accounts_and_its_profile() {
    let folder = tempfile::tempdir().expect("a folder");
    let (settings, data_dir) = (folder.path().join("switchboard.toml"), folder.path().join("data"));
    std::fs::write(&settings, programs()).expect("writes");
    let _browser = Browser(data_dir.join("browsers/shop"));
    let (arguments, environment) = (vec!["--sandbox".to_owned()], Vec::new());
    let listen = "127.0.0.1:0".to_owned();
    let program =
        Start { binary: binary(), settings, data_dir, arguments, environment, listen }.ready().await;
    let senders = || async {
        let campaign = campaign(&program).await;
        let senders = campaign["senders"].as_array().expect("senders").iter();
        senders.filter_map(|sender| sender["account"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let all = ["backup_1", "backup_2", "profile:shop"];
    program.until("its profile is logged in", || async { senders().await == all }).await;
    start(&program).await;
    is(&program, "done").await;
    let page = program.get("/v1/campaigns/spring/attempts?limit=500&state=sent").await.1;
    let rows = page["items"].as_array().expect("items");
    let of = |field: &str| rows.iter().filter_map(|row| row[field].as_str()).collect::<BTreeSet<_>>();
    assert_eq!((rows.len(), of("chat").len()), (30, 30), "{page}");
    assert_eq!(of("account"), BTreeSet::from(all));
}
