//! What happened in a tab: complaints of the browser, addresses asked for, bytes that came.

use std::collections::BTreeSet;

use serde_json::Value;

/// The record of a tab since it was last read.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Errors and warnings of the console, violations of the content security policy, exceptions.
    pub(super) complaints: Vec<String>,
    /// Addresses that were asked for.
    pub(super) requested_urls: Vec<String>,
    /// What came over the wire, headers and all.
    pub(super) bytes: u64,
    /// Documents that are loaded with all they need, by their loaders' names.
    pub(super) loaded: BTreeSet<String>,
}

impl Record {
    /// Notes an event.
    pub(super) fn take(&mut self, method: &str, data: &Value) {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match method {
            "Page.lifecycleEvent" if data["name"] == "load" => {
                self.loaded.insert(word(&data["loaderId"]));
            }
            "Network.requestWillBeSent" => self.requested_urls.push(word(&data["request"]["url"])),
            "Network.loadingFinished" => self.bytes += data["encodedDataLength"].as_u64().unwrap_or_default(),
            "Runtime.exceptionThrown" => self.complaints.push(data["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled" if ["error", "warning", "assert"].contains(&&*word(&data["type"])) => {
                self.complaints.push(data["args"].to_string());
            }
            "Log.entryAdded" if ["error", "warning"].contains(&&*word(&data["entry"]["level"])) => {
                let entry = &data["entry"];
                self.complaints.push(format!("{} ({})", word(&entry["text"]), word(&entry["url"])));
            }
            "Audits.issueAdded" if data["issue"]["code"] == "ContentSecurityPolicyIssue" => {
                self.complaints.push(data["issue"]["details"].to_string());
            }
            "Page.javascriptDialogOpening" => self.complaints.push(format!("a dialog: {}", data["message"])),
            _ => {}
        }
    }
}
