//! What happened in a tab: complaints of the browser, addresses asked for, bytes that came.

use std::collections::BTreeSet;

use serde_json::Value;

/// The record of a tab since it was last read.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Errors and warnings of the console, violations of the content security policy, exceptions.
    pub(super) complaints: Vec<String>,
    /// Addresses that were asked for.
    pub(super) asked: Vec<String>,
    /// What came over the wire, headers and all.
    pub(super) bytes: u64,
    /// Documents that are loaded with all they need, by their loaders' names.
    pub(super) loaded: BTreeSet<String>,
}

impl Record {
    /// Notes an event.
    pub(super) fn take(&mut self, method: &str, said: &Value) {
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match method {
            "Page.lifecycleEvent" if said["name"] == "load" => {
                self.loaded.insert(word(&said["loaderId"]));
            }
            "Network.requestWillBeSent" => self.asked.push(word(&said["request"]["url"])),
            "Network.loadingFinished" => self.bytes += said["encodedDataLength"].as_u64().unwrap_or_default(),
            "Runtime.exceptionThrown" => self.complaints.push(said["exceptionDetails"].to_string()),
            "Runtime.consoleAPICalled" if ["error", "warning", "assert"].contains(&&*word(&said["type"])) => {
                self.complaints.push(said["args"].to_string());
            }
            "Log.entryAdded" if ["error", "warning"].contains(&&*word(&said["entry"]["level"])) => {
                let entry = &said["entry"];
                self.complaints.push(format!("{} ({})", word(&entry["text"]), word(&entry["url"])));
            }
            "Audits.issueAdded" if said["issue"]["code"] == "ContentSecurityPolicyIssue" => {
                self.complaints.push(said["issue"]["details"].to_string());
            }
            "Page.javascriptDialogOpening" => self.complaints.push(format!("a dialog: {}", said["message"])),
            _ => {}
        }
    }
}
