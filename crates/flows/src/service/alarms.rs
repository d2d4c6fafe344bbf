//! What the alert targets are to hear of flows.

use std::collections::BTreeMap;

use domain::AccountName;

use super::Flows;
use ambient::lock::Mutex;

/// Whether all is well with a flow on one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowAlarm {
    pub flow: String,
    pub account: AccountName,
    /// What is wrong: a word, and more of it. Nothing when all is well.
    pub trouble: Option<(String, String)>,
}

/// What is wrong, until a run is done or someone starts the flow.
#[derive(Default)]
pub(super) struct Alarms(Mutex<BTreeMap<(String, AccountName), (String, String)>>);

impl Alarms {
    pub(super) fn raise(&self, flow: &str, account: &AccountName, reason: &str, detail: String) {
        tracing::warn!(flow, %account, reason, detail, "a flow needs a look");
        self.0.lock().insert((flow.to_owned(), account.clone()), (reason.to_owned(), detail));
    }

    pub(super) fn clear(&self, flow: &str, account: &AccountName) {
        self.0.lock().remove(&(flow.to_owned(), account.clone()));
    }

    fn of(&self, flow: &str, account: &AccountName) -> Option<(String, String)> {
        self.0.lock().get(&(flow.to_owned(), account.clone())).cloned()
    }
}

impl Flows {
    /// How all flows are, for the alerts.
    pub fn alarms(&self) -> Vec<FlowAlarm> {
        let of = |instance: &std::sync::Arc<super::Instance>| FlowAlarm {
            flow: instance.flow_name.clone(),
            account: instance.account.clone(),
            trouble: self.0.alarms.of(&instance.flow_name, &instance.account),
        };
        self.0.roster().all.iter().map(of).collect()
    }
}
