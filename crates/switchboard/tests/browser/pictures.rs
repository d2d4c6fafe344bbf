//! The pictures of the book: each page with a day's work on it, light and dark, on a desk and on a phone. `cargo xtask docs`
//! has them taken; every run of the tests holds the book against them.

use std::os::unix::fs::PermissionsExt;
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

/// Says where to put new pictures.
const FOLDER: &str = "SWITCHBOARD_PICTURES";

/// The most that all pictures together may weigh, in bytes.
const MOST_BYTES: u64 = 6_000_000;

/// How much of a long page is shown, in pixels.
const TALLEST: u64 = 1500;

const LOOKS: [(u32, Theme, &str); 4] = [
    (1280, Theme::Light, "light-1280"),
    (1280, Theme::Dark, "dark-1280"),
    (390, Theme::Light, "light-390"),
    (390, Theme::Dark, "dark-390"),
];

/// The pages by the names of their pictures. A word in braces is an id of the day.
const PAGES: [(&str, &str); 33] = [
    ("sign-in", "/sign-in"),
    ("overview", "/"),
    ("card", "/cards/account%3Amain"),
    ("stop", "/cards/service%3Asend_text/stop"),
    ("flood-clearing", "/flood-clearing"),
    ("diagnostics", "/diagnostics"),
    ("messages", "/messages"),
    ("message", "/messages/{sent}"),
    ("chats", "/chats"),
    ("chat", "/chats/{chat}"),
    ("not-found", "/chats/unresolved"),
    ("accounts", "/accounts"),
    ("account", "/accounts/main"),
    ("add-account", "/accounts/add"),
    ("login", "/accounts/fifth/login"),
    ("import", "/accounts/import"),
    ("doubts", "/doubt"),
    ("doubt", "/doubt/{doubt}"),
    ("operations", "/operations"),
    ("operation", "/operations/{operation}"),
    ("failovers", "/failovers"),
    ("failed", "/failed"),
    ("failed-request", "/failed/{failed}"),
    ("logs", "/logs?account=main"),
    ("log-line", "/logs/{line}"),
    ("me", "/settings/me"),
    ("people", "/settings/people"),
    ("person", "/settings/people/anna"),
    ("keys", "/settings/keys"),
    ("alerts", "/settings/alerts"),
    ("maintenance", "/settings/maintenance"),
    ("backups", "/settings/backups"),
    ("audit", "/settings/audit"),
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn file(page: &str, look: &str) -> String {
    format!("{page}-{look}.webp")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_book_shows_every_page() {
    if let Some(folder) = env::var_os(FOLDER) {
        take(Path::new(&folder)).await;
    }
    let (folder, mut weight) = (docs().join("images"), 0);
    let tour = fs::read_to_string(docs().join("dashboard.md")).expect("the tour");
    for (page, _) in PAGES {
        for (.., look) in LOOKS {
            let picture = fs::read(folder.join(file(page, look))).expect("a picture; run `cargo xtask docs`");
            assert_eq!(&picture[8..12], b"WEBP", "{page} {look}");
            weight += picture.len() as u64;
        }
        assert!(tour.contains(&format!("(images/{page}-")), "the tour does not show {page}");
    }
    assert!(weight < MOST_BYTES, "the pictures weigh {weight} bytes");
}

/// Takes them anew.
async fn take(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    let stage = Stage::start().await;
    let settings = fs::Permissions::from_mode(0o600);
    fs::set_permissions(stage.world.settings_file(), settings).expect("the settings are nobody else's");
    let owner = stage.tab().await;
    // Its clock is right before it is moved.
    take_page(folder, &stage, &owner, ("diagnostics", "/diagnostics")).await;
    morning(&stage).await;
    let demo = stage.day().await;
    stage.pass(120).await;
    let (_, logged) = stage.program.get("/v1/logs?account=main&level=warn&limit=1").await;
    let line = logged["items"][0]["id"].as_str().expect("a line").to_owned();
    let stranger = stage.stranger().await;
    for (page, path) in PAGES.into_iter().filter(|(page, _)| *page != "diagnostics") {
        let tab = if page == "sign-in" { &stranger } else { &owner };
        take_page(folder, &stage, tab, (page, &filled(path, &demo, &line))).await;
    }
}

/// Two hours of traffic, so that the strips and the curves have something to show.
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

async fn take_page(folder: &Path, stage: &Stage, tab: &Tab, (page, path): (&str, &str)) {
    for (width, theme, look) in LOOKS {
        tab.look(width, theme).await;
        tab.open(path).await;
        // What lies in a folder of a test would lie here on a server.
        let place = stage.world.data_dir("").display().to_string();
        let rename = "(from) => { const all = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (all.nextNode()) all.currentNode.data = all.currentNode.data.replaceAll(from, '/var/lib/switchboard/'); }";
        tab.tell(&format!("({rename})({})", json!(place))).await;
        fs::write(folder.join(file(page, look)), picture(tab, width).await).expect("written");
    }
}

/// The whole page as WebP, once its lamp says that it is up to date.
async fn picture(tab: &Tab, width: u32) -> Vec<u8> {
    tab.until(
        "document.querySelector('#live .lamp.ok') !== null || document.querySelector('#board') === null",
    )
    .await;
    let size = tab.call("Page.getLayoutMetrics", json!({})).await["cssContentSize"].clone();
    let height = size["height"].as_u64().unwrap_or_default().min(TALLEST);
    // A window as tall as the picture: what clings to its edges is where it belongs.
    let window = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
    tab.call("Emulation.setDeviceMetricsOverride", window).await;
    let taken = tab.call("Page.captureScreenshot", json!({ "format": "webp", "quality": 80 })).await;
    STANDARD.decode(taken["data"].as_str().expect("a picture")).expect("base64")
}

fn filled(path: &str, demo: &Demo, line: &str) -> String {
    let Demo { sent, chat, doubted_message, operation, failed_requests, .. } = demo;
    [
        ("{sent}", sent.as_str()),
        ("{chat}", chat),
        ("{doubt}", doubted_message),
        ("{operation}", operation),
        ("{failed}", &failed_requests[0]),
        ("{line}", line),
    ]
    .into_iter()
    .fold(path.to_owned(), |path, (word, id)| path.replace(word, id))
}
