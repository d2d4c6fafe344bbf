//! Campaigns through a real Chromium on the pretend Web K: sent once, stopped when Telegram says so, killed in the middle.

mod kills;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use domain::Timestamp;
use serde_json::{Value, json};
use testkit::{PDF, Program, Start, World};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::task::JoinSet;

use crate::binary;
use crate::people::stage::signed_in;
use crate::readme::PORTS;
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

/// A machine without a screen, on which tests may be root.
const ARGUMENTS: [&str; 5] =
    ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions"];

/// The least time between two messages of campaigns to one person, as the settings of these tests say it.
const GAP: Duration = Duration::from_mins(5);
const GAP_SETTING: &str = "\n[limits]\nadvertising_gap = \"5m\"\n";

/// The driver's program.
fn driver_program() -> String {
    env::var("SWITCHBOARD_TEST_CHROMEDRIVER").unwrap_or_else(|_| "chromedriver".to_owned())
}

/// What settings say of the browser.
fn programs() -> String {
    let chromium = env::var("SWITCHBOARD_TEST_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let driver = driver_program();
    format!(
        "[campaigns.browser]\nchromium = \"{chromium}\"\ndriver = \"{driver}\"\narguments = {ARGUMENTS:?}\n"
    )
}

/// A driver that someone else runs, and its address.
async fn driver_elsewhere() -> (Child, String) {
    let mut command = tokio::process::Command::new(driver_program());
    command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut driver = command.spawn().expect("a driver");
    let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
    loop {
        let line = lines.next_line().await.expect("reads").expect("a line with its port");
        if let Some((_, port)) = line.rsplit_once("successfully on port ") {
            // Its browsers write there as well.
            driver.stdout = Some(lines.into_inner().into_inner());
            return (driver, format!("http://127.0.0.1:{}", port.trim_end_matches('.')));
        }
    }
}

/// A world whose settings name the browser; the pretend page is named already.
async fn world() -> (World, Browser) {
    let world = World::start(binary()).await;
    world.edit_settings(|text| text.replacen("[campaigns.browser]\n", &programs(), 1) + GAP_SETTING);
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
    // This one is on the list by an id that only the page shows.
    program.post("/v1/do-not-contact", &json!({"contact": "6000000005"})).await;
    // And this one by a name that only the page shows.
    program.post("/v1/do-not-contact", &json!({"contact": "@guest_12"})).await;
    program.post("/v1/campaigns/spring/tasks", &json!({"file": "6200000012"})).await;
    let stop = json!({"from": "@client_2", "chat": "@demo_backup_1", "text": "Stop!"});
    world.post("/telegram/messages", &stop).await;
    start(&program).await;
    is(&program, "done").await;
    let pair = |chat: &str, reason: &str| (chat.to_owned(), reason.to_owned());
    assert_eq!(attempts(&program, "sent").await, [pair("@client_1", ""), pair("@client_3", "")]);
    assert_eq!(
        attempts(&program, "skipped").await,
        [
            pair("6200000012", "do_not_contact"),
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
    program.advance(GAP).await;
    start(&program).await;
    program.until("the file is sent", || async { attempts(&program, "sent").await.len() == 1 }).await;
    is(&program, "done").await;
    let listed = program.get("/v1/do-not-contact").await.1;
    let sent = program.get("/v1/campaigns/spring/attempts?state=sent").await.1;
    let of = |answer: &Value, field: &str, value: &str, time: &str| -> Timestamp {
        let row = answer["items"].as_array().expect("items").iter().find(|row| row[field] == value);
        row.and_then(|row| row[time].as_str()).expect("a time").parse().expect("a time")
    };
    // The browser reads the same message again later, and the entry stays as it is.
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
    made(&program, json!({"profiles": ["shop"]}), 6, json!({"delay_seconds": 0})).await;
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
    // The account is frozen in the middle: the profile stops, and the chat waits for another one.
    start(&program).await;
    program.until("one is sent", || async { !world.effects(SEND).await.is_empty() }).await;
    world.fault("frozen", json!({"provider": "web_k"})).await;
    is(&program, "paused").await;
    assert_eq!(campaign(&program).await["run"]["reason"], "no_sender");
    let stopped = profile(&program).await;
    assert_eq!((&stopped["state"], &stopped["reason"]), (&json!("blocked"), &json!("frozen")), "{stopped}");
    assert_eq!(attempts(&program, "failed").await.len(), 1);
    assert!(world.effects(SEND).await.len() < 6);
    let page = program.get("/v1/campaigns/spring/attempts?state=failed").await.1;
    let picture = page["items"][0]["picture"].as_str().unwrap_or_else(|| panic!("a picture: {page}"));
    let shown = program.request("GET", &format!("/v1/campaign-pictures/{picture}")).send().await;
    let png = shown.expect("an answer").bytes().await.expect("a picture");
    assert!(png.starts_with(b"\x89PNG"), "{png:?}");
    world.delete("/faults").await;
    // A person has seen to it.
    let (status, shown) = program.post("/v1/campaign-profiles/shop/unblock", &json!({})).await;
    assert_eq!((status, &shown["state"]), (200, &json!("active")), "{shown}");
    program.post("/v1/campaigns/spring/resume", &json!({})).await;
    is(&program, "done").await;
    let written = written(&world).await;
    assert!(written.len() == 6 && written.values().all(|times| *times == 1), "{written:?}");
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
    program.advance(Duration::from_mins(50)).await;
    assert_eq!(world.effects(SEND).await.len(), 3);
    program.post("/v1/campaigns/spring/stop", &json!({})).await;
    is(&program, "stopped").await;
    assert_eq!(written(&world).await.values().sum::<usize>(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_and_its_browser_share_one_stop() {
    let (world, _browser) = world().await;
    let mut program = running(&world, &["fifth"]).await;
    logged_in(&world, &program, "fifth").await;
    made(&program, json!({"profiles": ["shop"]}), 5, json!({"delay_seconds": 0})).await;
    // The account sends for another campaign.
    assert_eq!(program.post("/v1/campaigns", &json!({"name": "summer", "settings": {}})).await.0, 201);
    program.post("/v1/campaigns/summer/senders", &json!({"accounts": ["fifth"]})).await;
    // Killed right behind the write that stops the profile, both have stopped.
    world.fault("frozen", json!({"provider": "web_k"})).await;
    let point = "store.end_campaign_attempt.after";
    program.arm(point, 0).await;
    start(&program).await;
    program.until(point, || program.stopped_at(point)).await;
    program.kill();
    program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    let stopped_with_it = async |reason: &str| {
        is(&program, "paused").await;
        let summer = program.get("/v1/campaigns/summer").await.1;
        let sender = &summer["senders"][0];
        assert_eq!((&sender["state"], &sender["reason"]), (&json!("blocked"), &json!(reason)), "{summer}");
        world.delete("/faults").await;
        program.post("/v1/campaign-profiles/shop/unblock", &json!({})).await;
        program.post("/v1/campaigns/summer/unblock", &json!({})).await;
    };
    stopped_with_it("frozen").await;
    // Two refusals in a row are a restriction too.
    world.fault("error", json!({"provider": "web_k"})).await;
    program.post("/v1/campaigns/spring/resume", &json!({})).await;
    stopped_with_it("refused").await;
    assert!(world.effects(SEND).await.is_empty());
    // So is a notice behind a message.
    world.fault("notice", json!({"provider": "web_k"})).await;
    program.post("/v1/campaigns/spring/resume", &json!({})).await;
    stopped_with_it("notice").await;
    let sent = world.effects(SEND).await.len();

    // What stops the account in its campaign stops the profile, before that opens its browser.
    for (path, file) in [("messages", "Hello"), ("tasks", "@client_6")] {
        program.post(&format!("/v1/campaigns/summer/{path}"), &json!({"file": file})).await;
    }
    world.fault("banned", json!({"account": "fifth"})).await;
    program.post("/v1/campaigns/summer/start", &json!({})).await;
    program.until("both are stopped", || async { profile(&program).await["reason"] == "banned" }).await;
    program.account_is("fifth", "banned").await;
    world.delete("/faults").await;
    program.post("/v1/campaigns/spring/resume", &json!({})).await;
    is(&program, "paused").await;
    let stopped = profile(&program).await;
    assert_eq!((&stopped["state"], &stopped["reason"]), (&json!("blocked"), &json!("banned")), "{stopped}");
    assert_eq!(world.effects(SEND).await.len(), sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_shows_its_code_live_and_writes_it_to_a_file() {
    let (world, _browser) = world().await;
    let program = Start::on(&world, binary(), "data").ready().await;
    let typed = |words: &[&str]| cli(&world, &[&["campaign", "profiles"], words].concat()).fine();
    assert!(typed(&["add", "shop"]).contains("active"));
    let cookie = signed_in(&world, &program, "admin").await;
    let page = || async {
        let request = reqwest::Client::builder()
            .build()
            .expect("a client")
            .get(format!("{}/campaign-profiles/shop/log-in", program.address()));
        let page = request.header("cookie", &cookie).header("accept", "text/html").send().await;
        page.expect("an answer").text().await.expect("a page")
    };
    let shows = |page: &str| page.contains("src=\"data:image/png;base64,") && page.contains("data-refresh=");
    program.until("the page shows the code", || async { shows(&page().await) }).await;
    let picture = world.data_dir("code.png");
    let output = typed(&["log-in", "shop", "--out", picture.to_str().expect("UTF-8")]);
    assert!(output.contains("scan it with the phone"), "{output}");
    assert!(std::fs::read(&picture).expect("a picture").starts_with(b"\x89PNG"));
    let again = page().await;
    assert!(shows(&again), "{again}");
    world.post("/web-k/log-ins", &json!({"account": "backup_1"})).await;
    program.until("the page says that it is done", || async { page().await.contains("Logged in") }).await;
    assert!(profile(&program).await["user_id"].is_number());
    let checked = typed(&["check", "shop"]);
    assert!(checked.contains("active"), "{checked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_may_be_at_a_driver_of_someone_else() {
    let world = World::start(binary()).await;
    let (mut driver, address) = driver_elsewhere().await;
    let browser = Browser(world.data_dir("elsewhere"));
    let program = Start::on(&world, binary(), "data").ready().await;
    let directory = format!("--user-data-dir={}", browser.0.join("chromium").display());
    let arguments = [&ARGUMENTS[..], &["--window-size=1440,900", &directory]].concat();
    let mut options = json!({"args": arguments});
    // A driver takes no name without a folder, and finds the browser of such a name by itself.
    if let Some(chromium) = env::var("SWITCHBOARD_TEST_CHROMIUM").ok().filter(|at| at.contains('/')) {
        options["binary"] = json!(chromium);
    }
    let capabilities = json!({"goog:chromeOptions": options}).to_string();
    let typed = |words: &[&str]| cli(&world, &[&["campaign", "profiles"], words].concat()).fine();
    typed(&["add", "shop", "--driver", &address, "--capabilities", &capabilities]);
    log_in(&program, "code").await;
    assert!(browser.process().is_some(), "it is the browser of that driver");
    world.post("/web-k/log-ins", &json!({"account": "backup_1"})).await;
    log_in(&program, "done").await;
    // The directory there keeps the login.
    assert!(typed(&["check", "shop"]).contains("active"));
    let shown = profile(&program).await;
    assert_eq!((&shown["kind"], &shown["last_error"]), (&json!("endpoint"), &json!(null)), "{shown}");
    assert!(shown["user_id"].is_number(), "{shown}");
    driver.kill().await.expect("ends");
    let (status, refused) = program.post("/v1/campaign-profiles/shop/check", &json!({})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("campaign_not_ready")), "{refused}");
}

/// A Firefox that greets and does nothing more, and its port.
async fn greeting_firefox() -> (u16, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut task = JoinSet::new();
    task.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(br#"50:{"applicationType":"gecko","marionetteProtocol":3}"#).await;
        }
    });
    (port, task)
}

/// The local API of a Donut that has the profile `one` and whose plan does not start browsers for programs.
async fn donut_without_a_plan() -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = |headers: HeaderMap| async move {
        let is_its_own = headers.get("authorization").is_some_and(|token| token == "Bearer token");
        if is_its_own { StatusCode::PAYMENT_REQUIRED } else { StatusCode::UNAUTHORIZED }
    };
    let router = Router::new().route("/v1/profiles/one", get(answer));
    let mut task = JoinSet::new();
    task.spawn(async move { axum::serve(listener, router).await.expect("serves") });
    (address, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn firefox_and_donut_are_opened_as_their_own_kinds() {
    let world = World::start(binary()).await;
    let section = "[campaigns.browser]\n";
    let gecko = format!("{section}firefox_driver = \"/nowhere/gecko\"\n");
    world.edit_settings(|text| text.replacen(section, &gecko, 1));
    let program = Start::on(&world, binary(), "data").ready().await;
    let add = |words: &[&str]| cli(&world, &[&["campaign", "profiles", "add"], words].concat()).fine();
    let refused = async |name: &str| {
        let path = format!("/v1/campaign-profiles/{name}/check");
        let (status, refused) = program.post(&path, &json!({})).await;
        assert_eq!((status, &refused["code"]), (409, &json!("campaign_not_ready")), "{refused}");
        refused["detail"].as_str().expect("words").to_owned()
    };

    // Its browser is there: what is missing is the driver.
    let (port, _firefox) = greeting_firefox().await;
    let folder = world.data_dir("data").join("browsers/fox/firefox");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("MarionetteActivePort"), port.to_string()).expect("writes");
    add(&["fox", "--firefox"]);
    let why = refused("fox").await;
    assert!(why.contains("/nowhere/gecko cannot be started"), "{why}");

    let (api, _donut) = donut_without_a_plan().await;
    let file = world.data_dir("token");
    let token = file.to_str().expect("UTF-8");
    for (written, expected) in [("token\n", "plans with automation"), ("other\n", "refuses the token")] {
        std::fs::write(&file, written).expect("writes");
        add(&["nut", "--donut", "one", "--token-file", token, "--donut-api", &api]);
        let why = refused("nut").await;
        assert!(why.contains(expected), "{written}: {why}");
    }
}

/// The quick start in a folder, whose profile is a browser as these settings say.
async fn demo(folder: &Path, settings_text: &str) -> Program {
    let (settings, data_dir) = (folder.join("switchboard.toml"), folder.join("data"));
    std::fs::write(&settings, settings_text).expect("writes");
    let (arguments, environment) = (vec!["--sandbox".to_owned()], Vec::new());
    let listen = "127.0.0.1:0".to_owned();
    Start { binary: binary(), settings, data_dir, arguments, environment, listen, here: None }.ready().await
}

/// The senders of the campaign.
async fn senders(program: &Program) -> Vec<String> {
    let campaign = campaign(program).await;
    let senders = campaign["senders"].as_array().expect("senders").iter();
    senders.filter_map(|sender| sender["account"].as_str().map(str::to_owned)).collect()
}

/// Who has sent for the campaign: thirty messages, to a chat each.
async fn thirty_are_sent(program: &Program) -> BTreeSet<String> {
    let page = program.get("/v1/campaigns/spring/attempts?limit=500&state=sent").await.1;
    let rows = page["items"].as_array().expect("items");
    let of = |field: &str| -> BTreeSet<String> {
        rows.iter().filter_map(|row| row[field].as_str().map(str::to_owned)).collect()
    };
    assert_eq!((rows.len(), of("chat").len()), (30, 30), "{page}");
    of("account")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_campaign_ends_through_accounts_and_its_profile() {
    let _ports = PORTS.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let _browser = Browser(folder.path().join("data/browsers/shop"));
    let program = demo(folder.path(), &programs()).await;
    let all = ["backup_1", "backup_2", "profile:shop"];
    program.until("its profile is logged in", || async { senders(&program).await == all }).await;
    start(&program).await;
    is(&program, "done").await;
    assert_eq!(thirty_are_sent(&program).await, all.map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_campaign_ends_where_no_browser_is_installed() {
    let _ports = PORTS.lock().await;
    let folder = tempfile::tempdir().expect("a folder");
    let program = demo(folder.path(), "[campaigns.browser]\nchromium = \"/nowhere/chromium\"\n").await;
    let says_what_to_install = || async {
        let error = profile(&program).await["last_error"].clone();
        error.as_str().is_some_and(|error| error.contains("apt-get install chromium"))
    };
    program.until("its profile says what to install", says_what_to_install).await;
    let accounts = ["backup_1", "backup_2"];
    assert_eq!(senders(&program).await, accounts);
    start(&program).await;
    program.as_time_goes_by(Duration::from_millis(500), is(&program, "done")).await;
    assert_eq!(thirty_are_sent(&program).await, accounts.map(str::to_owned).into());
}
