//! The clipboard, as far as a person lets a site have it.

use serde_json::json;

use super::{Person, Tab};

impl Person {
    /// The pages of a site may write to the clipboard and read it.
    pub(crate) async fn allow_clipboard(&self, site: &str) {
        let both = ["clipboardReadWrite", "clipboardSanitizedWrite"];
        let order = json!({ "origin": site, "browserContextId": self.context, "permissions": both });
        self.pipe.call(None, "Browser.grantPermissions", order).await;
    }
}

impl Tab {
    /// Presses a button that copies, and returns what is on the clipboard once the button says that it did.
    pub(crate) async fn copied(&self, button: &str) -> String {
        // Only the window in front has the clipboard.
        self.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })).await;
        self.tell("navigator.clipboard.writeText('nothing yet')").await;
        self.press(button).await;
        self.until("navigator.clipboard.readText().then((text) => text !== 'nothing yet')").await;
        self.text("navigator.clipboard.readText()").await
    }
}
