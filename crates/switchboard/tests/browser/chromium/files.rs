//! Files: chosen in a field, dropped on a page, and those that a page hands out.

use std::fs;
use std::path::Path;

use serde_json::json;
use tokio::time::{Instant, sleep};

use super::tab::{MOMENT, Tab};
use super::{PATIENCE, Person};

/// What the name of a file ends with that has not come as a whole.
const ON_ITS_WAY: &str = ".crdownload";

/// A folder in which somebody's downloads come to lie.
pub(crate) struct Downloads {
    folder: tempfile::TempDir,
}

impl Person {
    /// Whatever they download comes to lie in a folder of its own from now on.
    pub(crate) async fn downloads(&self) -> Downloads {
        let folder = tempfile::tempdir().expect("a folder");
        let order =
            json!({ "behavior": "allow", "browserContextId": self.context, "downloadPath": folder.path() });
        self.pipe.call(None, "Browser.setDownloadBehavior", order).await;
        Downloads { folder }
    }
}

impl Downloads {
    /// The first file that came as a whole: its name and its text.
    pub(crate) async fn first(&self) -> (String, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.whole() {
                return found;
            }
            assert!(Instant::now() < deadline, "nothing was downloaded");
            sleep(MOMENT).await;
        }
    }

    fn whole(&self) -> Option<(String, String)> {
        let files = fs::read_dir(self.folder.path()).expect("a folder").map(|file| file.expect("a file"));
        let file = files
            .filter(|file| file.metadata().is_ok_and(|facts| facts.len() > 0))
            .find(|file| !file.file_name().to_string_lossy().ends_with(ON_ITS_WAY))?;
        let text = fs::read_to_string(file.path()).expect("text");
        Some((file.file_name().to_string_lossy().into_owned(), text))
    }
}

impl Tab {
    /// Chooses files in a field, as the window of the browser does that a press on it opens.
    pub(crate) async fn choose(&self, field: &str, files: &[&Path]) {
        let found = format!("document.querySelector({})", json!(field));
        let found = self.call("Runtime.evaluate", json!({ "expression": found })).await;
        let field = &found["result"]["objectId"];
        assert!(field.is_string(), "there is no such field: {found}");
        self.call("DOM.setFileInputFiles", json!({ "objectId": field, "files": files })).await;
    }

    /// Drags files in from another window and lets them fall on the first visible element with this selector.
    pub(crate) async fn drop_files(&self, onto: &str, files: &[&Path]) {
        let place = self.place_of(onto, "").await;
        let carried = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let order = json!({ "type": kind, "x": place["x"], "y": place["y"], "data": carried });
            self.call("Input.dispatchDragEvent", order).await;
        }
    }
}
