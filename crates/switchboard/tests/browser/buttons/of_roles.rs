//! What each role is offered: a viewer nothing to press but what is their own, an operator nothing that only an admin may do.

use std::collections::BTreeMap;

use super::is_sound;
use crate::chromium::Tab;
use crate::stage::{Stage, sign_in};
use crate::sweep;

/// What forms, their buttons and links of a page lead to.
const OFFERED: &str = r#"[...document.querySelectorAll("form, [formaction], a[href]")].flatMap((one) => {
  if (one.matches("a")) return [one.getAttribute("href")];
  if (one.matches("form")) return one.method === "post" ? [one.getAttribute("action") || ""] : [];
  return [one.getAttribute("formaction")];
}).join("\n")"#;

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
    of_accounts || of_backups || OF_ADMINS.iter().any(|one| address.starts_with(one))
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

/// What pages offer to whoever is signed in, each once with the first page that does, and the pages that are refused to them.
async fn offered(tab: &Tab, paths: &[String]) -> (BTreeMap<String, String>, Vec<String>) {
    let (mut offered, mut refused) = (BTreeMap::new(), Vec::new());
    for path in paths {
        tab.open(path).await;
        let page = tab.text(OFFERED).await;
        for one in page.lines().filter(|one| changes(one)) {
            offered.entry(one.to_owned()).or_insert_with(|| path.clone());
        }
        if tab.complaints().iter().any(|one| one.contains("status of 403")) {
            refused.push(path.clone());
        }
    }
    (offered, refused)
}

async fn signed_in(stage: &Stage, name: &str, password: &str) -> Tab {
    let tab = stage.stranger().await;
    tab.open("/sign-in").await;
    sign_in(&tab, name, password).await;
    tab
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_sees_no_button_of_an_admin_and_a_viewer_none() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    stage.pass(30).await;
    let owner = stage.tab().await;
    let paths = sweep::paths(&owner, &demo).await;
    let (by_owner, _) = offered(&owner, &paths).await;
    let admins = by_owner.keys().filter(|one| is_for_admins(one)).count();
    // The look would see them: an admin is offered both kinds.
    assert!(admins > 8 && by_owner.len() > admins + 8, "{by_owner:#?}");

    let operator = signed_in(&stage, "anna", "a password of her own").await;
    let (by_operator, refused) = offered(&operator, &paths).await;
    let too_much: Vec<_> = by_operator.keys().filter(|one| is_for_admins(one)).collect();
    assert!(too_much.is_empty() && by_operator.len() > 8, "{too_much:#?} of {by_operator:#?}");
    for path in &paths {
        assert_eq!(
            refused.contains(path),
            is_for_admins(path),
            "{path} is refused to an operator: {refused:#?}"
        );
    }

    let viewer = signed_in(&stage, "boris", "a password of his own").await;
    let (by_viewer, refused) = offered(&viewer, &paths).await;
    assert_eq!(by_viewer, BTreeMap::new());
    assert!(
        paths.iter().filter(|path| is_for_admins(path)).all(|path| refused.contains(path)),
        "{refused:#?}"
    );
    for tab in [&operator, &viewer] {
        tab.open("/").await;
        assert_eq!(tab.findings().await, Vec::<String>::new());
        is_sound(tab);
    }
}
