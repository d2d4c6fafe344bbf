//! Who is told of alerts: a webhook and a mailbox that hear of it when their test is pressed; nobody while a maintenance window lasts.

use serde_json::{Value, json};
use testkit::{Receiver, World};

use super::{answered, done, is_sound, noted};
use crate::binary;
use crate::chromium::Tab;
use crate::mail_server::MailServer;
use crate::stage::{Stage, beginning};

/// Lets webhooks go to this machine, where the tests listen.
fn reaches_here(settings: &str) -> String {
    format!("{settings}\n[events]\nallow_private = [\"127.0.0.0/8\"]\n")
}

/// Opens the form of a kind of target; what it is called and what to do with the rest is the caller's.
async fn form(tab: &Tab, kind: &str, name: &str) {
    tab.open("/settings/alerts").await;
    if tab.tell(&format!("document.querySelector('#{kind}-name').checkVisibility()")).await == false {
        tab.press(&format!("details:has(#{kind}-name) > summary")).await;
    }
    tab.fill(&format!("#{kind}-name"), name).await;
}

/// What the row of a target says.
async fn row(tab: &Tab, name: &str) -> String {
    let rows = "[...document.querySelectorAll('main tbody tr')]";
    tab.text(&format!("{rows}.find((one) => one.textContent.includes('{name}'))?.innerText")).await
}

async fn hook(tab: &Tab, name: &str, address: &str) -> (String, bool) {
    form(tab, "webhook", name).await;
    tab.fill("#url", address).await;
    noted(tab, "form:has(#url) button").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_and_a_mailbox_hear_of_a_test() {
    let world = World::start(binary()).await;
    world.edit_settings(|text| reaches_here(&text));
    let server = MailServer::start(&world.data_dir("mail"));
    let mailbox = server.address().await;
    let mut start = beginning(&world);
    let trusted = server.authority().to_str().expect("UTF-8").to_owned();
    start.environment.push(("SSL_CERT_FILE".to_owned(), trusted));
    let program = start.ready().await;
    let stage = Stage::of(world, program).await;
    let receiver = Receiver::start().await;
    let tab = stage.tab().await;

    // Addresses that nobody allowed are not posted to.
    let (note, refused) = hook(&tab, "inside", "http://10.0.0.1/hook").await;
    assert!(refused && note.contains("10.0.0.1"), "{note}");
    let (note, refused) = hook(&tab, "pager", receiver.address()).await;
    assert!(!refused && note.contains("pager"), "{note}");
    // The path of a webhook is often a secret.
    assert!(!row(&tab, "pager").await.contains("/hook"));
    let test = "form[action$='pager/actions/test'] button";
    done(&tab, test).await;
    assert_eq!(receiver.bodies().len(), 1);
    assert_eq!(receiver.bodies()[0]["type"], "alerts.test", "{:?}", receiver.bodies());
    receiver.answer(500);
    let (note, refused) = noted(&tab, test).await;
    assert!(refused || note.contains("not"), "a receiver that answers 500 was not told: {note}");
    receiver.answer(200);

    form(&tab, "email", "post").await;
    tab.fill("#smtp", &mailbox).await;
    tab.fill("#from", "alerts@example.com").await;
    tab.fill("#to", "owner@example.com, night@example.com").await;
    done(&tab, "form:has(#smtp) button").await;
    let shown = row(&tab, "post").await;
    assert!(!shown.contains("word"), "{shown}");
    done(&tab, "form[action$='post/actions/test'] button").await;
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0]["to"], json!(["owner@example.com", "night@example.com"]));
    assert_eq!(mails[0]["encrypted"], true);
    assert_eq!(tab.findings().await, Vec::<String>::new());

    for name in ["pager", "post"] {
        answered(&tab, &format!("a[href$='{name}/remove']"), "dialog button.danger").await;
    }
    tab.until("document.querySelector('.empty') !== null").await;
    assert_eq!(stage.program.get("/v1/alert-targets").await.1["items"], json!([]));
    is_sound(&tab);
}

/// Whether somebody was told that an account is in trouble.
fn is_told(receiver: &Receiver) -> bool {
    let of_it = |alert: &Value| alert["card"] == "account:main";
    receiver
        .bodies()
        .iter()
        .any(|body| body["data"]["raised"].as_array().is_some_and(|all| all.iter().any(of_it)))
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_maintenance_window_lasts_nobody_is_told() {
    let stage = Stage::with(|text| reaches_here(&text)).await;
    let receiver = Receiver::start().await;
    let tab = stage.tab().await;
    hook(&tab, "pager", receiver.address()).await;
    tab.open("/settings/maintenance").await;
    tab.fill("#once-note", "the shop moves").await;
    // As the field for a time of day keeps it; the browser's zone is UTC.
    tab.tell(
        "{ const at = (hours) => new Date(Date.now() + hours * 3600000).toISOString().slice(0, 16);
           document.querySelector('#from').value = at(-1); document.querySelector('#until').value = at(6); }",
    )
    .await;
    // Of the cards that there are, by their names.
    tab.choose_option("#once-scope", "account:main").await;
    done(&tab, "form[action$=once] button").await;
    tab.until("document.querySelector('main tbody .pill.wait') !== null").await;
    assert_eq!(stage.program.get("/v1/maintenance").await.1["items"][0]["scope"], "account:main");
    tab.until("document.querySelector('main tbody').textContent.includes('account main')").await;
    stage.world.fault("session_revoked", json!({ "account": "main" })).await;
    stage.pass(120).await;
    let raised = || async { stage.program.get("/v1/alerts").await.1.to_string().contains("account:main") };
    stage.program.until("the alert is raised", raised).await;
    assert!(!is_told(&receiver), "{:?}", receiver.bodies());

    tab.open("/settings/maintenance").await;
    answered(&tab, "tbody a[href$=remove]", "dialog button.danger").await;
    tab.until("document.querySelector('main tbody') === null").await;
    assert_eq!(stage.program.get("/v1/maintenance").await.1["items"], json!([]));
    let told = stage.program.until("the receiver is told", || async { is_told(&receiver) });
    stage.program.as_time_goes_by(std::time::Duration::from_secs(5), told).await;
    is_sound(&tab);
}
