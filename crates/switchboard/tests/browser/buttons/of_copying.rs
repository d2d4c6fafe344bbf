//! Buttons that copy: what is on the clipboard is what is wanted, whole and nothing else, and the button says that it did.

use serde_json::{Value, json};

use super::is_sound;
use crate::chromium::Tab;
use crate::door::second_factor;
use crate::stage::{PASSWORD, Stage};

/// Presses the button that copies what has this id; what was copied.
async fn copied(tab: &Tab, id: &str) -> String {
    let button = format!("button[data-copy={id}]");
    let text = tab.copied(&button).await;
    let says = format!(
        "document.querySelector({button:?}).textContent.trim() === document.querySelector({button:?}).dataset.copied"
    );
    tab.until(&says).await;
    text
}

async fn api(stage: &Stage, path: &str) -> Value {
    let (status, reply) = stage.program.get(path).await;
    assert_eq!(status, 200, "{reply}");
    reply
}

#[tokio::test(flavor = "multi_thread")]
async fn each_copy_button_copies_its_value() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    let tab = stage.tab().await;
    stage.owner.allow_clipboard(tab.site()).await;

    tab.open(&format!("/messages/{}", demo.sent)).await;
    assert_eq!(copied(&tab, "its-id").await, demo.sent);

    tab.open(&format!("/chats/{}", demo.chat)).await;
    let chat = api(&stage, &format!("/v1/chats/{}", demo.chat)).await;
    let link = copied(&tab, "invite").await;
    assert!(link.starts_with("https://t.me/"), "{link}");
    assert_eq!(chat["invite_link"], link);

    // In the row of the registry too.
    tab.open("/chats").await;
    assert_eq!(copied(&tab, &format!("invite{}", demo.chat)).await, link);

    let request = &demo.failed_requests[0];
    tab.open(&format!("/failed/{request}")).await;
    let payload: Value = serde_json::from_str(&copied(&tab, "payload").await).expect("JSON");
    assert_eq!(payload, api(&stage, &format!("/v1/failed-requests/{request}")).await["payload"]);
    assert!(payload["title"].is_string(), "{payload}");

    tab.open("/settings/backups").await;
    let backup = api(&stage, "/v1/backups").await["items"][0]["name"].as_str().expect("a name").to_owned();
    let file = stage.world.data_dir("data").join("backups").join(backup);
    assert_eq!(copied(&tab, "restore").await, format!("switchboard restore {}", file.display()));

    tab.open("/accounts/import").await;
    let command = copied(&tab, "import-command").await;
    assert!(
        command.starts_with("switchboard account import ") && command.ends_with(" --dry-run"),
        "{command}"
    );

    what_mends(&stage, &tab).await;
    secrets(&stage, &tab).await;
    is_sound(&tab);
}

/// The doctor's findings, each with what mends it: an account that was signed out among them.
async fn what_mends(stage: &Stage, tab: &Tab) {
    stage.program.account_is("fifth", "needs_login").await;
    let report = api(stage, "/v1/doctor").await;
    let findings = report["sections"].as_array().expect("sections").iter();
    let mends: Vec<Value> = findings
        .flat_map(|section| section["findings"].as_array().expect("findings").clone())
        .filter_map(|finding| ["command", "key"].iter().find_map(|one| finding["fix"].get(one).cloned()))
        .collect();
    assert!(mends.contains(&json!("switchboard account login fifth")), "{mends:?}");
    tab.open("/diagnostics").await;
    let buttons = tab
        .text("[...document.querySelectorAll('button[data-copy^=fix-]')].map((one) => one.dataset.copy).join(' ')")
        .await;
    let mut shown = Vec::new();
    for id in buttons.split(' ') {
        shown.push(json!(copied(tab, id).await));
    }
    let sorted = |mut all: Vec<Value>| {
        all.sort_by_key(Value::to_string);
        all
    };
    assert_eq!(sorted(shown), sorted(mends));
}

/// What is shown once: a key, which then works, and the codes for a lost telephone.
async fn secrets(stage: &Stage, tab: &Tab) {
    tab.open("/settings/keys").await;
    tab.fill("#name", "workshop").await;
    tab.press("form[action$=create] button.primary").await;
    tab.until("document.querySelector('#key') !== null").await;
    assert_eq!(stage.program.status_with(&copied(tab, "key").await, "/v1/services").await, 200);

    second_factor(stage, tab).await;
    tab.open("/settings/me").await;
    tab.press_words("summary", "recovery").await;
    tab.fill("#renew-present", PASSWORD).await;
    tab.press("form[action$=renew-recovery-codes] button").await;
    tab.until("document.querySelector('#codes li') !== null").await;
    let shown = tab
        .text("[...document.querySelectorAll('#codes li')].map((one) => one.textContent.trim()).join('\\n')")
        .await;
    let copied = copied(tab, "codes").await;
    assert_eq!(
        copied.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>(),
        shown.lines().collect::<Vec<_>>()
    );
    assert!(shown.lines().count() >= 8, "{shown}");
}
