//! Every page with a day's work on it: nothing that the browser or axe-core finds wrong, in both languages, light and dark,
//! on a desktop and on a phone; light in weight; nothing asked from elsewhere; and readable without scripts.

use std::collections::BTreeSet;

use crate::chromium::{Tab, Theme};
use crate::demo::Demo;
use crate::stage::{NAME, PASSWORD, Stage, sign_in};

/// The most that a page may weigh with all it needs, in bytes over the wire.
const MOST_BYTES: u64 = 150_000;

/// The window and the theme that a page is looked at with in a language. In the other language both are the other ones, and
/// which page has which differs, so that the pages together are seen in all eight.
fn look(path: &str, language: &str) -> (u32, Theme) {
    let turn = path.bytes().map(usize::from).sum::<usize>();
    let other = usize::from(language != "en");
    ([1280, 390][(turn + other) % 2], [Theme::Light, Theme::Dark][(turn / 2 + other) % 2])
}

/// Windows that nothing is wider than.
const WIDTHS: [u32; 4] = [320, 390, 1280, 1920];

/// What makes a page wider than a window, so that it would have to be moved sideways to be read. A telephone's browser shows
/// a page that is too wide from further away, and says that its window is as wide.
fn too_wide(width: u32) -> String {
    format!(
        "document.documentElement.scrollWidth <= {width} ? '' : [...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > {width})
  .map((one) => one.outerHTML.slice(0, 120)).join(' | ') || 'the page'"
    )
}

/// Every kind of page there is; what the rail leads to comes from the rail itself.
pub(crate) async fn paths(tab: &Tab, demo: &Demo) -> Vec<String> {
    tab.open("/").await;
    let rail = tab
        .text("[...document.querySelectorAll('.rail li a')].map((one) => one.getAttribute('href')).join(' ')")
        .await;
    let mut paths: BTreeSet<String> = rail.split(' ').map(str::to_owned).collect();
    tab.open("/logs").await;
    let line = tab.text("document.querySelector('.log a.at').getAttribute('href')").await;
    let Demo {
        sent,
        failed,
        doubted_message,
        doubted_operation,
        operation,
        chat,
        failed_requests,
        webhook,
        flow_run,
        client,
        ..
    } = demo;
    let request = &failed_requests[0];
    tab.open("/settings/keys").await;
    let key = tab.text("document.querySelector('a[href$=revoke]').getAttribute('href')").await;
    paths.extend([
        line,
        key.replace("/revoke", "/change"),
        key,
        format!("/messages/{sent}"),
        format!("/messages/{failed}"),
        format!("/messages/{doubted_message}"),
        format!("/doubt/{doubted_message}"),
        format!("/doubt/{doubted_operation}"),
        format!("/operations/{operation}"),
        format!("/operations/{doubted_operation}"),
        format!("/chats/{chat}"),
        format!("/chats/{chat}/messages"),
        format!("/chats/{chat}/bind"),
        format!("/chats/{chat}/leave"),
        format!("/failed/{request}"),
        format!("/failed/question?do=drop&id={request}"),
        format!("/flow-runs/{flow_run}"),
        format!("/inbox/{client}"),
        format!("/inbox/{client}/erase"),
        format!("/webhooks/{webhook}"),
        format!("/webhooks/{webhook}?state=dead"),
        format!("/webhooks/{webhook}/change"),
        format!("/webhooks/{webhook}/remove"),
    ]);
    paths.extend(FIXED.map(str::to_owned));
    paths.into_iter().collect()
}

/// A page that there is not.
const NOWHERE: &str = "/messages/msg_1";

const FIXED: [&str; 65] = [
    "/inbox-new",
    "/inbox-figures",
    "/inbox-programs",
    "/inbox-templates",
    "/inbox?view=closed",
    "/",
    "/accounts/add",
    "/accounts/import",
    "/accounts/main",
    "/accounts/backup_3",
    "/accounts/fifth",
    "/accounts/fifth/login",
    "/accounts/main/change",
    "/accounts/main/export",
    "/accounts/main/remove",
    NOWHERE,
    "/?kind=trouble",
    "/?group=kind&q=main",
    "/?q=nothing-is-called-so",
    "/cards/line%3Amain%3Asend%5Ftext",
    "/cards/service%3Asend_text",
    "/cards/store",
    "/cards/service%3Asend_text/stop",
    "/flood-clearing",
    "/messages?state=failed&range=7d",
    "/messages?state=undelivered&range=today",
    "/messages?chat=x",
    "/messages/received",
    "/messages/retry-failed",
    "/chats/unresolved",
    "/chats/do-not-contact",
    "/channels-new",
    "/channels-new?channel=sms",
    "/campaign-profiles",
    "/campaign-profiles/shop",
    "/campaign-profiles/shop/remove",
    "/campaign-proxies",
    "/campaign-proxies/remove?name=socks5%3A%2F%2F127%2E0%2E0%2E1%3A1080",
    "/campaigns/spring",
    "/campaigns/spring?part=failed",
    "/campaigns/spring/change",
    "/campaigns/spring/chats",
    "/campaigns/spring/forecast",
    "/campaigns/spring/messages",
    "/campaigns/spring/remove",
    "/campaigns/spring/stop",
    "/new-campaign",
    "/failovers",
    "/flow-definitions/add",
    "/flow-definitions/trip/change",
    "/flow-definitions/trip/remove",
    "/flows/trip",
    "/flows/trip/stop",
    "/flows/trip/try",
    "/failed?state=all",
    "/logs?level=error&range=1d",
    "/settings/people",
    "/settings/people/anna",
    "/settings/people/anna/remove",
    "/settings/keys",
    "/settings/alerts",
    "/settings/maintenance",
    "/settings/backups",
    "/settings/audit",
    "/webhooks/add",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    stage.pass(30).await;
    let (english, russian) = (stage.tab().await, stage.stranger().await);
    russian.open("/sign-in").await;
    sign_in(&russian, NAME, PASSWORD).await;
    let paths = paths(&english, &demo).await;
    // Each in a process of its own, side by side.
    let (mut wrong, more) =
        tokio::join!(examine_all(&english, &paths, "en"), examine_all(&russian, &paths, "ru"));
    wrong.extend(more);
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}

async fn examine_all(tab: &Tab, paths: &[String], language: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in paths {
        wrong.extend(examine(tab, path, language).await);
    }
    wrong
}

/// What is wrong with a page in one language.
pub(crate) async fn examine(tab: &Tab, path: &str, language: &str) -> Vec<String> {
    tab.cookie("language", language).await;
    let _ = (tab.requested_urls(), tab.weight(), tab.complaints());
    tab.call("Network.setCacheDisabled", serde_json::json!({ "cacheDisabled": true })).await;
    tab.open(path).await;
    let mut wrong = Vec::new();
    let weight = tab.weight();
    if !(1_000..MOST_BYTES).contains(&weight) {
        wrong.push(format!("{path} weighs {weight} bytes"));
    }
    let elsewhere = |url: &String| !url.starts_with(tab.site()) && !url.starts_with("data:");
    wrong.extend(tab.requested_urls().into_iter().filter(elsewhere).map(|url| format!("{path} asks {url}")));
    wrong.extend(look_at(tab, path, language).await);
    wrong.extend(complaints(tab, path).map(|one| format!("{path}: the browser says {one}")));
    wrong
}

/// What is wrong with the page as it stands.
pub(crate) async fn look_at(tab: &Tab, path: &str, language: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    if tab.text("document.documentElement.lang").await != language {
        wrong.push(format!("{path} is not in {language}"));
    }
    if tab.tell("[...document.querySelectorAll('.pager')].some((one) => !one.innerText.trim())").await == true
    {
        wrong.push(format!("{path} ({language}) has an empty bar below its list"));
    }
    let (width, theme) = look(path, language);
    tab.look(width, theme).await;
    let place = format!("{path} ({language}, {width}, {theme:?})");
    wrong.extend(tab.findings().await.into_iter().map(|one| format!("{place}: {one}")));
    for width in WIDTHS {
        tab.look(width, Theme::Light).await;
        let wide = tab.text(&too_wide(width)).await;
        if !wide.is_empty() {
            wrong.push(format!("{path} ({language}) is wider than {width}: {wide}"));
        }
    }
    wrong
}

/// What the browser complained of. It notes the status of a page that there is not, which is right.
pub(crate) fn complaints(tab: &Tab, path: &str) -> impl Iterator<Item = String> {
    let is_nowhere = path == NOWHERE;
    tab.complaints().into_iter().filter(move |one| !is_nowhere || !one.contains("status of 404"))
}

/// The same look at a page that was spoilt on purpose: all of it is seen.
#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_a_spoilt_page_is_found() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/diagnostics").await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
    let _ = tab.requested_urls();
    tab.tell(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x.png\"><p style=\"color: red\">x</p>'
            + '<div class=\"faint\" id=\"pale\">pale</div><table><tr><td>' + 'wide'.repeat(900) + '</td></tr></table>');
         document.styleSheets[0].insertRule('#pale { color: #eee; }'); document.styleSheets[0].insertRule('td { overflow-wrap: normal; }');
         console.error('said aloud')",
    )
    .await;
    let findings = tab.findings().await.join("\n");
    assert!(findings.contains("image-alt") && findings.contains("color-contrast"), "{findings}");
    for width in WIDTHS {
        tab.look(width, Theme::Light).await;
        assert_ne!(tab.text(&too_wide(width)).await, "", "{width}");
    }
    let complaints = tab.complaints().join("\n");
    assert!(
        complaints.contains("said aloud") && complaints.contains("Content Security Policy"),
        "{complaints}"
    );
}
