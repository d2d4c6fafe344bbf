//! The pictures of the book: each page with a day's work on it, light and dark, on a desktop and a phone. `cargo xtask docs`
//! has them taken; every run of the tests holds the book against them.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use crate::buttons::of_importing::{files, looked_through};
use crate::chromium::{Tab, Theme};
use crate::demo::Demo;
use crate::stage::Stage;

/// Says where to put new pictures.
const FOLDER: &str = "SWITCHBOARD_PICTURES";

/// The most that all pictures together may weigh, in bytes.
const MOST_BYTES: u64 = 7_000_000;

/// Beside the pictures: of what templates, words, styles and scripts they were taken.
const MADE_FROM: &str = "MADE_FROM";

/// What a page looks like is written in these folders of the dashboard.
const LOOKED_LIKE: [&str; 3] = ["assets", "src/words", "templates"];

/// How much of a long page is shown, in pixels.
const TALLEST: u64 = 1500;

const LOOKS: [(u32, Theme, &str); 4] = [
    (1280, Theme::Light, "light-1280"),
    (1280, Theme::Dark, "dark-1280"),
    (390, Theme::Light, "light-390"),
    (390, Theme::Dark, "dark-390"),
];

/// The pages whose picture is not named after their path. A word in braces is an id of the day.
const PAGES: [(&str, &str); 33] = [
    ("overview", "/"),
    ("card", "/cards/service%3Asend_text"),
    ("stop", "/cards/service%3Asend_text/stop"),
    ("message", "/messages/{sent}"),
    ("retry-failed", "/messages/retry-failed"),
    ("chat", "/chats/{chat}"),
    ("conversation", "/chats/{chat}/messages"),
    ("bind", "/chats/-1002000000001/bind"),
    ("not-found", "/chats/unresolved"),
    ("account", "/accounts/main"),
    ("change-account", "/accounts/fifth/change"),
    ("add-account", "/accounts/add"),
    ("login", "/accounts/fifth/login"),
    ("import", "/accounts/import"),
    ("import-look", "{look}"),
    ("doubts", "/doubt"),
    ("doubt", "/doubt/{doubt}"),
    ("operation", "/operations/{operation}"),
    ("failed-request", "/failed/{failed}"),
    ("failed-question", "/failed/question?do=retry&id={failed}"),
    ("logs", "/logs?account=main"),
    ("log-line", "/logs/{line}"),
    ("me", "/settings/me"),
    ("second-factor", "/settings/me/second-factor"),
    ("people", "/settings/people"),
    ("person", "/settings/people/anna"),
    ("keys", "/settings/keys"),
    ("alerts", "/settings/alerts"),
    ("maintenance", "/settings/maintenance"),
    ("backups", "/settings/backups"),
    ("audit", "/settings/audit"),
    ("webhook", "/webhooks/{webhook}"),
    ("add-webhook", "/webhooks/add"),
];

/// A question about one thing looks as the others do.
const QUESTION: &str = "a question as the one before a stop";

/// What answers to GET and has no picture, each for a reason.
const NOT_SHOWN: [(&str, &str); 69] = [
    (
        "/accounts/import/under-way",
        "is there for as long as an import runs, and tells of it as the look before does",
    ),
    ("/accounts/sessions/{id}/drop", QUESTION),
    ("/accounts/sessions/{id}/give", QUESTION),
    ("/accounts/{name}/export", "a command to be copied, as below the list of backups"),
    ("/accounts/{name}/remove", QUESTION),
    ("/assets/{name}", "no page: what pages are made of"),
    ("/campaign-pictures/{file}", "no page: a file"),
    ("/campaign-profiles", "a list and a form, as the keys of the API"),
    ("/campaign-profiles/{name}", "facts, as those of a webhook"),
    ("/campaign-profiles/{name}/log-in", "a code to be scanned, as that of an account"),
    ("/campaign-profiles/{name}/remove", QUESTION),
    ("/campaign-proxies", "a list and a form, as the keys of the API"),
    ("/campaign-proxies/remove", QUESTION),
    ("/campaigns", "a list, as that of webhooks"),
    ("/campaigns/{name}", "a list and facts, as those of a webhook"),
    ("/campaigns/{name}/attempts", "no page: a file"),
    ("/campaigns/{name}/change", "the form of a new one, filled in"),
    ("/campaigns/{name}/chats", "a list and a form, as the keys of the API"),
    ("/campaigns/{name}/forecast", "facts and a form"),
    ("/campaigns/{name}/messages", "a list and a form, as the keys of the API"),
    ("/campaigns/{name}/remove", QUESTION),
    ("/campaigns/{name}/stop", QUESTION),
    ("/cards/{id}/strip", "no page: a part of one"),
    ("/channels", "a list, as that of webhooks"),
    ("/channels-new", "a choice and a form, as that of an account"),
    ("/channels/{name}", "facts and a list, as those of a webhook"),
    ("/channels/{name}/setup", "a list of steps and a form"),
    ("/channels/{name}/login", "a code to be scanned, as that of an account"),
    ("/channels/{name}/remove", QUESTION),
    ("/chats/do-not-contact", "a list and a form, as the keys of the API"),
    ("/chats/do-not-contact/export", "no page: a file"),
    ("/chats/{id}/leave", QUESTION),
    ("/doubt/question", QUESTION),
    ("/flow-definitions/add", "a form with one field"),
    ("/flow-definitions/{name}/change", "the form of a new one, filled in"),
    ("/flow-definitions/{name}/remove", QUESTION),
    ("/flow-runs/{id}", "a timeline, as that of a message"),
    ("/flows", "a list, as that of webhooks"),
    ("/flows/{name}", "a list and facts, as those of a webhook"),
    ("/flows/{name}/stop", QUESTION),
    ("/flows/{name}/try", "a form and a list"),
    ("/inbox", "a list, as that of chats"),
    ("/inbox-figures", "charts and a table, as those of a flow"),
    ("/inbox-files/{client_id}/{message}/{number}", "no page: a file"),
    ("/inbox-new", "a form, as that of a webhook"),
    ("/inbox-news", "no page: what a browser tells of"),
    ("/inbox-templates", "a list and a form, as the keys of the API"),
    ("/inbox/{client_id}", "a thread and facts, as those of a chat"),
    ("/inbox/{client_id}/dismiss", QUESTION),
    ("/inbox/{client_id}/erase", QUESTION),
    ("/inbox/{client_id}/export", "no page: a file"),
    ("/inbox/{client_id}/merge", QUESTION),
    ("/live/accounts", "no page: a stream"),
    ("/live/logs", "no page: a stream"),
    ("/live/overview", "no page: a stream"),
    ("/live/work", "no page: a stream"),
    ("/logs/download", "no page: a file"),
    ("/messages/received", "a list as that of what was sent"),
    ("/new-campaign", "a form"),
    ("/pipeline", "a list, as that of webhooks"),
    ("/settings", "leads to one's own page"),
    ("/settings/alerts/{name}/remove", QUESTION),
    ("/settings/backups/{name}/content", "no page: a file"),
    ("/settings/keys/{id}/change", QUESTION),
    ("/settings/keys/{id}/revoke", QUESTION),
    ("/settings/maintenance/{id}/remove", QUESTION),
    ("/settings/people/{name}/remove", QUESTION),
    ("/webhooks/{id}/change", "the form of a new one, filled in"),
    ("/webhooks/{id}/remove", QUESTION),
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

fn dashboard() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard")
}

/// All files below a folder, in order.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut all: Vec<_> =
        entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect();
    all.sort();
    all
}

/// What the pictures look like: a hash of all that is written for it, by the order of paths.
fn looks_of_today() -> String {
    let dashboard = dashboard();
    let mut all: Vec<(String, PathBuf)> = LOOKED_LIKE
        .into_iter()
        .flat_map(|folder| files_below(&dashboard.join(folder)))
        .map(|file| (file.strip_prefix(&dashboard).expect("below it").display().to_string(), file))
        .collect();
    all.sort();
    let mut hash = Sha256::new();
    for (name, file) in all {
        let content = fs::read(&file).expect("a file");
        for part in [name.as_bytes(), &content] {
            hash.update(u64::try_from(part.len()).expect("small").to_le_bytes());
            hash.update(part);
        }
    }
    let digits =
        |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]));
    hash.finalize().iter().flat_map(digits).collect()
}

/// What the dashboard answers to GET, as its sources say.
fn routes() -> BTreeSet<String> {
    let sources = files_below(&dashboard().join("src"));
    let mut found = BTreeSet::new();
    for source in sources.iter().filter(|file| file.extension().is_some_and(|one| one == "rs")) {
        let text = fs::read_to_string(source).expect("a source");
        for route in text.split(".route(").skip(1) {
            // A constant in place of a path is no page of its own.
            let Some(route) = route.trim_start().strip_prefix('"') else { continue };
            let (path, answer) = route.split_once("\",").expect("a path and what answers");
            if answer.trim_start().starts_with("get(") {
                found.insert(path.to_owned());
            }
        }
    }
    found
}

/// The route that a path goes: that which has most of its words.
fn route_of<'a>(path: &str, routes: &'a BTreeSet<String>) -> Option<&'a String> {
    let path = path.split('?').next().unwrap_or_default();
    let same = |route: &str| {
        let (wanted, given): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
        let fits = wanted.len() == given.len()
            && wanted.iter().zip(&given).all(|(wanted, given)| wanted == given || wanted.starts_with('{'));
        fits.then(|| wanted.iter().filter(|word| !word.starts_with('{')).count())
    };
    routes.iter().filter_map(|route| Some((same(route)?, route))).max().map(|(_, route)| route)
}

/// Where the page of a look at files to be imported is, by what its route says of it.
const LOOK: &str = "/accounts/import/{id}";

/// All pages by the names of their pictures.
fn pages() -> Vec<(String, String)> {
    let routes = routes();
    assert!(routes.len() > 40, "they are not found in the sources: {routes:?}");
    let mut pages: Vec<_> = PAGES.map(|(page, path)| (page.to_owned(), path.to_owned())).into();
    let named: BTreeSet<&String> = PAGES
        .iter()
        .map(|(page, path)| {
            let path = path.replace("{look}", LOOK);
            route_of(&path, &routes).unwrap_or_else(|| panic!("{page}: no page is at {path}"))
        })
        .collect();
    for (route, _) in NOT_SHOWN {
        assert!(routes.contains(route), "there is no such page any more: {route}");
        assert!(!named.iter().any(|named| *named == route), "it has a picture: {route}");
    }
    for route in &routes {
        if named.contains(route) || NOT_SHOWN.iter().any(|(excepted, _)| excepted == route) {
            continue;
        }
        assert!(!route.contains('{'), "give {route} a row in PAGES, or a reason in NOT_SHOWN");
        pages.push((route.trim_start_matches('/').replace('/', "-"), route.clone()));
    }
    pages
}

#[test]
fn a_path_goes_the_route_with_most_of_its_words() {
    let routes = ["/chats", "/chats/{id}", "/chats/unresolved", "/chats/{id}/bind"].map(str::to_owned).into();
    let of = |path: &str| route_of(path, &routes).map(String::as_str);
    assert_eq!(of("/chats/unresolved?x=1"), Some("/chats/unresolved"));
    assert_eq!(of("/chats/{chat}"), Some("/chats/{id}"));
    assert_eq!(of("/chats/-1/bind"), Some("/chats/{id}/bind"));
    assert_eq!(of("/chats/-1/leave"), None);
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
    for (page, _) in pages() {
        for (.., look) in LOOKS {
            let picture =
                fs::read(folder.join(file(&page, look))).expect("a picture; run `cargo xtask docs`");
            assert_eq!(&picture[8..12], b"WEBP", "{page} {look}");
            weight += picture.len() as u64;
        }
        assert!(tour.contains(&format!("(images/{page}-")), "the tour does not show {page}");
    }
    assert!(weight < MOST_BYTES, "the pictures weigh {weight} bytes");
    let made_from = fs::read_to_string(folder.join(MADE_FROM)).unwrap_or_default();
    assert_eq!(made_from.trim(), looks_of_today(), "the pages look otherwise by now: run `cargo xtask docs`");
}

/// Takes them again.
async fn take(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    let stage = with_one_of_its_own().await;
    let settings = fs::Permissions::from_mode(0o600);
    fs::set_permissions(stage.world.settings_file(), settings).expect("the settings belong to no one else");
    let owner = stage.tab().await;
    // Its clock is right before it is moved.
    take_page(folder, &stage, &owner, ("diagnostics", "/diagnostics")).await;
    let trip = stage.trip().await;
    morning(&stage).await;
    let demo = stage.day_with(trip).await;
    stage.pass(120).await;
    let (_, logged) = stage.program.get("/v1/logs?account=main&level=warn&limit=1").await;
    let line = logged["items"][0]["id"].as_str().expect("a line").to_owned();
    let stranger = stage.stranger().await;
    let look = looked_at(&stage, &owner).await;
    for (page, path) in pages().into_iter().filter(|(page, _)| page != "diagnostics") {
        let tab = if page == "sign-in" { &stranger } else { &owner };
        take_page(folder, &stage, tab, (&page, &filled(&path, &demo, &line, &look))).await;
    }
    fs::write(folder.join(MADE_FROM), looks_of_today() + "\n").expect("written");
}

/// One account was added while the program ran and has limits: what the settings file names is changed there alone.
async fn with_one_of_its_own() -> Stage {
    const ADDED: &str = "fifth";
    let stage = Stage::without(ADDED).await;
    stage.add(ADDED).await;
    stage.sign_in_to(ADDED).await;
    let limits = json!({ "priority": 5, "messages_per_hour": 30, "messages_per_day": 300 });
    let (status, reply) = stage.program.patch(&format!("/v1/accounts/{ADDED}"), &limits).await;
    assert_eq!(status, 200, "{reply}");
    stage
}

/// Offers a second factor, and gives files to be looked through; where the page about them is.
async fn looked_at(stage: &Stage, owner: &Tab) -> String {
    owner.open("/settings/me").await;
    owner.press("form[action$=offer-second-factor] button").await;
    owner.is_at("/settings/me/second-factor").await;
    let [session, other] = files(stage).await;
    owner.open("/accounts/import").await;
    owner.choose("#file", &[&session, &other]).await;
    looked_through(owner).await
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
        // What is in a folder of a test would be here on a server.
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

fn filled(path: &str, demo: &Demo, line: &str, look: &str) -> String {
    let Demo { sent, chat, doubted_message, operation, failed_requests, webhook, .. } = demo;
    [
        ("{sent}", sent.as_str()),
        ("{chat}", chat),
        ("{doubt}", doubted_message),
        ("{operation}", operation),
        ("{failed}", &failed_requests[0]),
        ("{line}", line),
        ("{look}", look),
        ("{webhook}", webhook),
    ]
    .into_iter()
    .fold(path.to_owned(), |path, (word, id)| path.replace(word, id))
}
