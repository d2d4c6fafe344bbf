//! What pages offer: each link leads somewhere, each form goes where the program takes it and carries its token, and each role
//! is offered what it may do and no more.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;

use crate::chromium::Tab;
use crate::stage::{Stage, sign_in};
use crate::sweep;

/// Reads pages: their status, where their links lead on this site, and their forms with all that their buttons do.
const READ: &str = r#"(async (paths) => {
  const pages = [];
  for (const path of paths) {
    const answer = await fetch(path);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const at = (address) => new URL(address, location.origin + path);
    const links = [...page.querySelectorAll("a[href]:not([href^='#'])")].map((one) => at(one.getAttribute("href")))
      .filter((one) => one.origin === location.origin).map((one) => one.pathname + one.search);
    const forms = [...page.querySelectorAll("form, [formaction]")].flatMap((one) => {
      const form = one.form || one;
      const action = one.getAttribute("formaction") || one.getAttribute("action");
      // A form without an action has buttons that say theirs.
      return form.method === "post" && action ? [{ action, has_token: form.querySelector("input[name=csrf]") !== null }] : [];
    });
    pages.push({ path, status: answer.status, links, forms });
  }
  return pages;
})"#;

/// Posts forms with a token and no more than decides which form it is: the status of each answer.
const POST: &str = r#"(async (actions, csrf) => {
  const answers = [];
  for (const action of actions) {
    const answer = await fetch(action, { method: "POST", body: new URLSearchParams({ csrf, role: "viewer", password: "" }), redirect: "manual" });
    answers.push([action, answer.type === "opaqueredirect" ? 303 : answer.status]);
  }
  return answers;
})"#;

#[derive(Deserialize)]
struct Page {
    path: String,
    status: u16,
    links: Vec<String>,
    forms: Vec<Form>,
}

#[derive(Deserialize)]
struct Form {
    action: String,
    has_token: bool,
}

async fn read<T: AsRef<str>>(tab: &Tab, paths: &[T]) -> Vec<Page> {
    let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
    let pages = tab.tell(&format!("{READ}({})", json!(paths))).await;
    serde_json::from_value(pages).expect("pages")
}

async fn posted(tab: &Tab, actions: &BTreeSet<&str>, csrf: &str) -> Vec<(String, u16)> {
    let statuses = tab.tell(&format!("{POST}({}, {})", json!(actions), json!(csrf))).await;
    serde_json::from_value(statuses).expect("statuses")
}

/// An address without what distinguishes one thing of a kind from another.
fn kind(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let word =
        |word: &str| if word.contains(|one: char| one.is_ascii_digit()) { "#" } else { word }.to_owned();
    let path: Vec<String> = path.split('/').map(word).collect();
    let query: Vec<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    format!("{}?{}", path.join("/"), query.join("&"))
}

/// The pages of admins and what they lead to.
const OF_ADMINS: [&str; 4] = ["/settings/people", "/settings/keys", "/settings/alerts", "/settings/audit"];

/// What becomes of accounts by an admin alone.
const ARRANGES: [&str; 8] = [
    "/accounts/add",
    "/accounts/import",
    "/change",
    "/export",
    "/remove",
    "/give",
    "/drop",
    "/actions/import",
];

/// Whether only an admin may go there.
fn is_for_admins(address: &str) -> bool {
    let of_accounts = address.starts_with("/accounts") && ARRANGES.iter().any(|one| address.ends_with(one));
    // The page is everybody's; what is done with a backup is not.
    let of_backups = address.starts_with("/settings/backups/");
    let of_webhooks = address.starts_with("/webhooks/")
        && (address.contains("/actions/")
            || ["/add", "/change", "/remove"].iter().any(|one| address.ends_with(one)));
    let of_channels = address.starts_with("/channels-new")
        || (address.starts_with("/channels/") && address.ends_with("/remove"));
    let of_flows = address.starts_with("/flow-definitions/");
    let of_profiles = address.starts_with("/campaign-pro")
        && ["/remove", "/log-in", "/actions/proxy"].iter().any(|one| address.contains(one));
    of_accounts
        || of_backups
        || of_webhooks
        || of_channels
        || of_flows
        || of_profiles
        || OF_ADMINS.iter().any(|one| address.starts_with(one))
}

/// Whether it changes something that is not the visitor's own.
fn changes(address: &str) -> bool {
    let looks = ["?lang=", "&lang=", "?theme=", "&theme="].iter().any(|one| address.contains(one));
    // Looking once more changes nothing.
    let looks = looks || address == "/diagnostics/actions/examine";
    let own = looks || address == "/sign-out" || address.starts_with("/settings/me");
    let asks =
        ["/stop", "/bind", "/leave", "/login", "/remove", "/revoke", "/retry-failed", "/flood-clearing"];
    !own && (address.contains("/actions/")
        || asks.iter().any(|one| address.ends_with(one))
        || is_for_admins(address))
}

/// What pages offer to a person signed in, each once with the first page that does, and the pages that are refused to them.
fn offered(pages: &[Page]) -> (BTreeMap<&str, &str>, Vec<&str>) {
    let (mut offered, mut refused) = (BTreeMap::new(), Vec::new());
    for page in pages {
        let forms = page.forms.iter().map(|form| &form.action);
        for one in page.links.iter().chain(forms).filter(|one| changes(one)) {
            offered.entry(one.as_str()).or_insert(page.path.as_str());
        }
        if page.status == 403 {
            refused.push(page.path.as_str());
        }
    }
    (offered, refused)
}

/// Each kind of link leads to a page.
async fn links_lead_somewhere(owner: &Tab, pages: &[Page]) {
    let mut kinds = BTreeMap::new();
    for page in pages.iter().filter(|page| page.status == 200) {
        kinds.extend(page.links.iter().map(|link| (kind(link), link.as_str())));
    }
    let links: Vec<&str> = kinds.into_values().collect();
    assert!(links.len() > pages.len(), "{links:?}");
    let wrong: Vec<_> = read(owner, &links)
        .await
        .into_iter()
        .filter(|page| page.status != 200)
        .map(|page| (page.status, page.path))
        .collect();
    assert_eq!(wrong, []);
}

/// Each form of the owner's carries its token, and the program knows what it is for: a viewer who sends it is refused by role, as
/// anyone who sends it without a token is refused at once.
async fn forms_are_recognized(owner: &Tab, viewer: &Tab, pages: &[Page]) {
    let forms: Vec<&Form> = pages.iter().flat_map(|page| &page.forms).collect();
    let bare: Vec<_> = forms.iter().filter(|form| !form.has_token).map(|form| &form.action).collect();
    assert_eq!(bare, Vec::<&String>::new());
    let actions: BTreeSet<&str> = forms.iter().map(|form| form.action.as_str()).collect();
    assert!(actions.len() > 40, "{actions:?}");
    let taken: Vec<_> =
        posted(owner, &actions, "").await.into_iter().filter(|(_, status)| *status != 403).collect();
    assert_eq!(taken, []);
    viewer.open("/").await;
    let csrf = viewer.text("document.querySelector('input[name=csrf]').value").await;
    let of_others = actions.into_iter().filter(|action| changes(action)).collect();
    let statuses = posted(viewer, &of_others, &csrf).await;
    let unknown: Vec<_> =
        statuses.into_iter().filter(|(_, status)| ![303, 403, 422].contains(status)).collect();
    assert_eq!(unknown, []);
}

async fn signed_in(stage: &Stage, name: &str, password: &str) -> Tab {
    let tab = stage.stranger().await;
    tab.open("/sign-in").await;
    sign_in(&tab, name, password).await;
    tab
}

#[tokio::test(flavor = "multi_thread")]
async fn links_and_forms_work_and_fit_each_role() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    stage.pass(30).await;
    let owner = stage.tab().await;
    let paths = sweep::paths(&owner, &demo).await;
    let pages = read(&owner, &paths).await;
    let (by_owner, _) = offered(&pages);
    let admins = by_owner.keys().filter(|one| is_for_admins(one)).count();
    // The look would see them: an admin is offered both kinds.
    assert!(admins > 8 && by_owner.len() > admins + 8, "{by_owner:#?}");

    let operator = signed_in(&stage, "anna", "a password of her own").await;
    let seen = read(&operator, &paths).await;
    let (by_operator, refused) = offered(&seen);
    let too_much: Vec<_> = by_operator.keys().filter(|one| is_for_admins(one)).collect();
    assert!(too_much.is_empty() && by_operator.len() > 8, "{too_much:#?} of {by_operator:#?}");
    for path in &paths {
        let is_refused = refused.contains(&path.as_str());
        assert_eq!(is_refused, is_for_admins(path), "{path} is refused to an operator: {refused:#?}");
    }

    let viewer = signed_in(&stage, "boris", "a password of his own").await;
    let seen = read(&viewer, &paths).await;
    let (by_viewer, refused) = offered(&seen);
    assert_eq!(by_viewer, BTreeMap::new());
    let for_admins = |path: &&String| is_for_admins(path);
    assert!(paths.iter().filter(for_admins).all(|path| refused.contains(&path.as_str())), "{refused:#?}");

    links_lead_somewhere(&owner, &pages).await;
    forms_are_recognized(&owner, &viewer, &pages).await;
}
