//! All targets: those of the settings, and those made over the API.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::AlertTargetFields;
use outbound::Allowed;
use store::StoredTarget;

use crate::targets::Target;

/// Targets by name. One of the settings hides one of the same name that was made here.
#[derive(Debug, Default)]
pub(crate) struct TargetList {
    targets: BTreeMap<String, Arc<Target>>,
}

impl TargetList {
    /// Reads all targets. One that cannot be used is left out with a warning.
    pub(crate) fn new(settings: &[AlertTargetFields], stored: Vec<StoredTarget>, allowed: &Allowed) -> Self {
        let mut targets = Self::default();
        for stored in stored {
            let read =
                AlertTargetFields::from_toml(&stored.record).map_err(|error| error.message().to_owned());
            let made = (stored.created_at, stored.created_by);
            let target = read.and_then(|fields| {
                Target::of_store(&fields, allowed, made).map_err(|wrong| {
                    wrong.into_iter().map(|wrong| wrong.message).collect::<Vec<_>>().join("; ")
                })
            });
            match target {
                Ok(target) => targets.add(target),
                Err(error) => {
                    tracing::warn!(target = stored.name, error, "a target of alerts cannot be used");
                }
            }
        }
        for fields in settings {
            match Target::of_settings(fields) {
                Ok(target) => targets.add(target),
                Err(wrong) => {
                    tracing::warn!(
                        target = fields.name,
                        ?wrong,
                        "a target of alerts in the settings cannot be used"
                    );
                }
            }
        }
        targets
    }

    pub(crate) fn add(&mut self, target: Target) {
        self.targets.insert(target.name.clone(), Arc::new(target));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.targets.remove(name);
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Target>> {
        self.targets.get(name).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Target>> {
        self.targets.values().cloned().collect()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.targets.keys().cloned().collect()
    }
}
