//! Backups: one is made, tried and downloaded; the page keeps up by itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

use super::{done, is_sound, noted};
use crate::chromium::Tab;
use crate::stage::Stage;

const HERE: &str = "/settings/backups";
const TRY: &str = "button[id^=try-]";
const DOWNLOAD: &str = "a[id^=get-]";

/// One row, proven, and nothing that is still made or tried.
const SETTLED: &str = "document.querySelectorAll('main tbody tr').length === 1
  && document.querySelector('tr[data-state=proven]') !== null && document.querySelector('[data-refresh]') === null";

/// Where downloads of a tab go from now on.
async fn downloads(tab: &Tab) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let target = tab.call("Target.getTargetInfo", json!({})).await;
    let context = &target["targetInfo"]["browserContextId"];
    let there = json!({ "behavior": "allow", "browserContextId": context, "downloadPath": folder.path() });
    tab.call("Browser.setDownloadBehavior", there).await;
    folder
}

/// The only backup of the server.
fn only(stage: &Stage) -> PathBuf {
    let entries = std::fs::read_dir(stage.world.data_dir("data").join("backups")).expect("a folder");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let backups: Vec<_> =
        paths.filter(|path| path.to_str().is_some_and(|path| path.ends_with(".tar.gz"))).collect();
    let [path] = backups.as_slice() else { panic!("{backups:?}") };
    path.clone()
}

/// Waits until the same file lies in the folder.
async fn came(folder: &Path, original: &Path) {
    let (whole, file) = (std::fs::read(original).expect("a backup"), original.file_name().expect("a name"));
    let (file, deadline) = (folder.join(file), Instant::now() + Duration::from_mins(1));
    while !std::fs::read(&file).is_ok_and(|bytes| bytes == whole) {
        let there = std::fs::read_dir(folder).expect("a folder").collect::<Vec<_>>();
        assert!(Instant::now() < deadline, "no file came: {there:?}");
        sleep(Duration::from_millis(25)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_is_made_tried_and_downloaded() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    let folder = downloads(&tab).await;
    tab.open(HERE).await;
    assert_eq!(tab.text("document.querySelector('h1').textContent").await, "There is no backup yet.");
    done(&tab, "#make").await;
    tab.until(SETTLED).await;
    assert_eq!(
        tab.text("document.querySelector('h1').textContent").await,
        "The newest backup can be restored."
    );
    assert_eq!(tab.findings().await, Vec::<String>::new());
    let proven = "document.querySelector('tr[data-state=proven] td time').getAttribute('datetime')";
    let before = tab.text(proven).await;
    done(&tab, TRY).await;
    tab.until(&format!("{SETTLED} && {proven} !== {before:?}")).await;
    tab.press(DOWNLOAD).await;
    let original = only(&stage);
    came(folder.path(), &original).await;
    assert_eq!(tab.text("location.pathname").await, HERE);

    // What is to be typed on the server names this file, and can be copied.
    let command = tab.text("document.querySelector('#restore').textContent").await;
    assert_eq!(command, format!("switchboard restore {}", original.display()));
    // Removed meanwhile by somebody else.
    std::fs::remove_file(&original).expect("removed");
    let (note, refused) = noted(&tab, TRY).await;
    assert!(refused && note.contains("no backup of this name"), "{note}");
    is_sound(&tab);
}
