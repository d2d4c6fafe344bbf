//! A page that stays white or has changed, a proxy that is dead, slow or refuses, and one through which no chat is found.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{Browser, SEND, attempts, campaign, is, logged_in, made, profile, start, world, written};
use crate::binary;

/// How much time goes by at once while a page is looked at: it answers in less.
const STEP: Duration = Duration::from_millis(500);

/// Waits until the browser is there and its page has an error with this word.
async fn goes_wrong(program: &Program, browser: &Browser, word: &str) {
    program.until("the browser is there", || async { browser.process().is_some() }).await;
    program.as_time_goes_by(STEP, program.until(word, || last_error_has(program, word))).await;
}

async fn last_error_has(program: &Program, word: &str) -> bool {
    let error = profile(program).await["last_error"].clone();
    error.as_str().is_some_and(|error| error.contains(word))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_used_sends_nothing_until_it_can() {
    let (world, browser) = world().await;
    let program = Start::on(&world, binary(), "data").ready().await;
    logged_in(&world, &program, "backup_1").await;
    made(&program, json!({"profiles": ["shop"]}), 2, json!({"delay_seconds": 0})).await;
    world.fault("blank", json!({"provider": "web_k"})).await;
    start(&program).await;
    goes_wrong(&program, &browser, "white").await;
    world.delete("/faults").await;
    world.fault("renamed", json!({"provider": "web_k", "message": "btn-send"})).await;
    goes_wrong(&program, &browser, "chat_send").await;
    assert!(world.effects(SEND).await.is_empty());
    let all = program.get("/v1/campaigns/spring/attempts").await.1;
    assert_eq!(all["items"], json!([]), "no chat is claimed");
    assert_eq!(
        (&campaign(&program).await["run"]["state"], &profile(&program).await["state"]),
        (&json!("running"), &json!("active"))
    );
    world.delete("/faults").await;
    program.advance(Duration::from_mins(1)).await;
    is(&program, "done").await;
    assert_eq!(written(&world).await.len(), 2);
}

/// A SOCKS5 proxy without a password, or one that refuses each password.
async fn proxy(refuses: bool) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let mut task = JoinSet::new();
    task.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = if refuses { refuse(&mut stream).await } else { greet(&mut stream).await };
        }
    });
    (address, task)
}

/// Agrees on no password and says that the place is reached.
async fn greet(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 3]).await?;
    stream.write_all(&[5, 0]).await?;
    let mut wanted = [0; 5];
    stream.read_exact(&mut wanted).await?;
    stream.read_exact(&mut vec![0; usize::from(wanted[4]) + 2]).await?;
    stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 1]).await
}

/// Asks for a password and refuses that of `demo`.
async fn refuse(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.read_exact(&mut [0; 3]).await?;
    stream.write_all(&[5, 2]).await?;
    stream.read_exact(&mut [0; 13]).await?;
    stream.write_all(&[1, 1]).await
}

fn named(proxy: &str) -> Value {
    json!(format!("socks5://{proxy}"))
}

/// Gives the profile this proxy, or none.
async fn put(program: &Program, proxy: Option<Value>) {
    let body = json!({"kind": "chromium", "proxy": proxy});
    let put = program.request("PUT", "/v1/campaign-profiles/shop").json(&body).send().await;
    assert_eq!(put.expect("an answer").status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_dead_slow_or_refusing_proxy_nothing_is_sent() {
    let (world, _browser) = world().await;
    // Chromium leaves proxies out for its own machine, unless a switch says otherwise.
    let switch = "[\"--proxy-bypass-list=<-loopback>\", \"--headless=new\"";
    world.edit_settings(|text| text.replacen("[\"--headless=new\"", switch, 1));
    let program = Start::on(&world, binary(), "data").ready().await;
    logged_in(&world, &program, "backup_1").await;
    let (refusing, _task) = proxy(true).await;
    // The machine takes its connections, and no answer comes.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let slow = silent.local_addr().expect("an address").to_string();
    let file = format!("127.0.0.1:1\n{refusing}:demo:secret\n{slow}:demo:secret");
    let (_, added) = program.post("/v1/campaign-proxies", &json!({"file": file})).await;
    assert_eq!(added["added"], 3, "{added}");
    put(&program, Some(named(&format!("demo@{refusing}")))).await;
    made(&program, json!({"profiles": ["shop"]}), 2, json!({"delay_seconds": 0})).await;
    start(&program).await;
    let socks_failed = || last_error_has(&program, "ERR_SOCKS_CONNECTION_FAILED");
    program.until("the proxy refuses", socks_failed).await;
    put(&program, Some(named("127.0.0.1:1"))).await;
    // The browser of the proxy before may fail once more.
    for _ in 0..2 {
        let since = profile(&program).await["last_error_at"].clone();
        let fails = || async { profile(&program).await["last_error_at"] != since };
        program.as_time_goes_by(STEP, program.until("the proxy is dead", fails)).await;
    }
    assert!(socks_failed().await);
    put(&program, Some(named(&format!("demo@{slow}")))).await;
    let accepted = tokio::time::timeout(Duration::from_mins(1), silent.accept());
    let accepted = program.as_time_goes_by(STEP, accepted).await;
    let held = accepted.expect("the slow proxy is asked").expect("a connection");
    program.as_time_goes_by(STEP, program.until("the proxy is slow", socks_failed)).await;
    // Should the browser be there again already, it is refused at once.
    drop((silent, held));
    assert!(world.effects(SEND).await.is_empty());
    let all = program.get("/v1/campaigns/spring/attempts").await.1;
    assert_eq!(all["items"], json!([]), "no chat is claimed");
    assert_eq!(
        (&campaign(&program).await["run"]["state"], &profile(&program).await["state"]),
        (&json!("running"), &json!("active"))
    );
    // It was the proxy: without one it goes on.
    put(&program, None).await;
    program.advance(Duration::from_secs(20)).await;
    is(&program, "done").await;
    let written = written(&world).await;
    assert!(written.len() == 2 && written.values().all(|times| *times == 1), "{written:?}");
}

/// Adds chats to the campaign.
async fn more(program: &Program, chats: impl Iterator<Item = String>) {
    let file = chats.collect::<Vec<_>>().join("\n");
    let (status, answer) = program.post("/v1/campaigns/spring/tasks", &json!({"file": file})).await;
    assert_eq!(status, 200, "{answer}");
}

fn no_one(numbers: std::ops::Range<u32>) -> impl Iterator<Item = String> {
    numbers.map(|number| format!("@nobody_at_all_{number}"))
}

/// How each proxy is, by its name.
async fn health(program: &Program) -> Vec<(Value, Value)> {
    let proxies = program.get("/v1/campaign-proxies").await.1;
    let items = proxies["items"].as_array().expect("items").iter();
    items.map(|proxy| (proxy["name"].clone(), proxy["health"].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sick_proxy_is_replaced_or_stops_its_profile() {
    let (world, _browser) = world().await;
    let program = Start::on(&world, binary(), "data").ready().await;
    logged_in(&world, &program, "backup_1").await;
    let (live, _task) = proxy(false).await;
    let file = format!("127.0.0.1:1\n127.0.0.1:2\n{live}");
    let (_, added) = program.post("/v1/campaign-proxies", &json!({"file": file})).await;
    assert_eq!(added["added"], 3, "{added}");
    // The pretend page is on loopback, which Chromium reaches without its proxy.
    put(&program, Some(named("127.0.0.1:1"))).await;
    made(&program, json!({"profiles": ["shop"]}), 1, json!({"delay_seconds": 0})).await;
    // The account of the same person sends for another campaign.
    assert_eq!(program.post("/v1/campaigns", &json!({"name": "summer", "settings": {}})).await.0, 201);
    program.post("/v1/campaigns/summer/senders", &json!({"accounts": ["backup_1"]})).await;
    more(&program, no_one(0..9).chain(["@client_2".to_owned()])).await;
    start(&program).await;
    program.until("one is sent", || async { attempts(&program, "sent").await.len() == 1 }).await;
    let is_replaced = || async { profile(&program).await["proxy"] == named(&live) };
    program.as_time_goes_by(STEP, program.until("the proxy is another", is_replaced)).await;
    is(&program, "done").await;
    assert_eq!(attempts(&program, "failed").await.len(), 9);
    assert_eq!(written(&world).await.len(), 2);
    assert_eq!(profile(&program).await["state"], "active");
    let (sick, healthy) = (json!("sick"), json!("healthy"));
    let expected = |of_live: &Value| {
        [
            (named("127.0.0.1:1"), sick.clone()),
            (named("127.0.0.1:2"), sick.clone()),
            (named(&live), of_live.clone()),
        ]
    };
    assert_eq!(health(&program).await, expected(&healthy));

    // None is left that could take its place.
    more(&program, no_one(9..20).chain(["@client_3".to_owned()])).await;
    program.post("/v1/campaigns/spring/start", &json!({})).await;
    program.as_time_goes_by(STEP, is(&program, "paused")).await;
    let shown = profile(&program).await;
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("blocked"), &json!("proxy_sick")), "{shown}");
    assert_eq!(campaign(&program).await["run"]["reason"], "no_sender");
    assert_eq!(health(&program).await, expected(&sick));
    assert!(!written(&world).await.contains_key("6000000003"));
    // The proxy is the profile's alone.
    let summer = program.get("/v1/campaigns/summer").await.1;
    assert_eq!(summer["senders"][0]["state"], "active", "{summer}");

    // Its owner hears of it, and that it may go on.
    let alert = async |state: &str| {
        program.advance(Duration::from_secs(10)).await;
        let alerts = program.get(&format!("/v1/alerts?state={state}&card=campaign_profile:shop")).await.1;
        alerts["items"][0]["reason"].clone()
    };
    let reason = "profile_proxy_sick";
    program.until("there is an alert", || async { alert("open").await == reason }).await;
    program.post("/v1/campaign-profiles/shop/unblock", &json!({})).await;
    program.until("the alert is over", || async { alert("past").await == reason }).await;
}
