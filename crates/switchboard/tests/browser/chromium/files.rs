//! Files: chosen in a field, dropped on a page.

use std::path::Path;

use serde_json::json;

use super::tab::Tab;

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
