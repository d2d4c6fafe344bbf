//! The pictures of the book. `cargo xtask docs` has them taken; no other run of the tests does.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tokio::time::sleep;

use crate::chromium::{Tab, Theme};
use crate::demo::Demo;
use crate::stage::Stage;

/// The variable that names the folder for the pictures.
const FOLDER: &str = "SWITCHBOARD_PICTURES";

/// Widths of a window, in pixels.
const DESKTOP: u32 = 1280;
const PHONE: u32 = 390;

/// The most that is shown of a long page, in pixels.
const MAX_HEIGHT: u64 = 1260;

/// The name of each picture, the address of its page, and how the page is shown.
fn pictures(demo: &Demo) -> [(&'static str, String, u32, Theme); 12] {
    let Demo { sent, client, doubted_message, webhook, .. } = demo;
    [
        ("overview", "/".to_owned(), DESKTOP, Theme::Light),
        ("overview-dark", "/".to_owned(), DESKTOP, Theme::Dark),
        ("overview-phone", "/".to_owned(), PHONE, Theme::Light),
        ("messages", "/messages".to_owned(), DESKTOP, Theme::Light),
        ("message", format!("/messages/{sent}"), DESKTOP, Theme::Light),
        ("doubt", format!("/doubt/{doubted_message}"), DESKTOP, Theme::Light),
        ("conversation", format!("/inbox/{client}"), DESKTOP, Theme::Light),
        ("accounts", "/accounts".to_owned(), DESKTOP, Theme::Light),
        ("webhook", format!("/webhooks/{webhook}"), DESKTOP, Theme::Light),
        ("campaign", "/campaigns/spring".to_owned(), DESKTOP, Theme::Light),
        ("logs", "/logs?account=main".to_owned(), DESKTOP, Theme::Light),
        ("alerts", "/settings/alerts".to_owned(), DESKTOP, Theme::Light),
    ]
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes pictures, for `cargo xtask docs`"]
async fn the_pictures_of_the_book_are_taken() {
    let folder = env::var_os(FOLDER).unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").into());
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder).expect("a folder");
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    // A flow ignores old messages, so its run comes before the clock is moved.
    let flow_run = stage.trip().await;
    morning(&stage).await;
    let demo = stage.day_with(flow_run).await;
    stage.pass(120).await;
    for (name, path, width, theme) in pictures(&demo) {
        tab.look(width, theme).await;
        tab.open(&path).await;
        fs::write(file(&folder, name), picture(&tab, width).await).expect("written");
    }
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).with_extension("webp")
}

/// Two hours of traffic fill the strips and the curves.
async fn morning(stage: &Stage) {
    for beat in 0_u32..345 {
        if beat % 5 == 1 {
            let chat = format!("@client_{}", 13 + beat % 40);
            let order = json!({ "chat": chat, "text": "Good morning! Your order is on its way.", "wait": 5 });
            assert_eq!(stage.program.post("/v1/messages", &order).await.0, 200);
        }
        stage.program.advance(Duration::from_secs(20)).await;
        sleep(Duration::from_millis(50)).await;
    }
}

/// The whole page as WebP, once its lamp says that it is up to date.
async fn picture(tab: &Tab, width: u32) -> Vec<u8> {
    tab.until(
        "document.querySelector('#live .lamp.ok') !== null || document.querySelector('#board') === null",
    )
    .await;
    let size = tab.call("Page.getLayoutMetrics", json!({})).await["cssContentSize"].clone();
    let height = size["height"].as_u64().unwrap_or_default().min(MAX_HEIGHT);
    // The window is as tall as the picture, so that what clings to its edges is where it belongs.
    let window = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
    tab.call("Emulation.setDeviceMetricsOverride", window).await;
    let taken = tab.call("Page.captureScreenshot", json!({ "format": "webp", "quality": 80 })).await;
    STANDARD.decode(taken["data"].as_str().expect("a picture")).expect("base64")
}
