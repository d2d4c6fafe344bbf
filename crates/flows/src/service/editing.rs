//! Flows that are written while the program runs: kept in the store, in use beside those of the settings.

use std::path::Path;

use config::{FlowSettings, Problem, SettingSource};
use domain::Timestamp;
use store::{DefinitionSaved, FlowDefinition, StoreError};

use super::{Flows, FlowsError, Inner};

/// A flow as it was written, and all that keeps it from being in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDefinition {
    pub definition: FlowDefinition,
    pub problems: Vec<Problem>,
}

/// Why a flow is not saved.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// All that is wrong with its text, in its order.
    #[error("the definition is wrong in {} places", .0.len())]
    Wrong(Vec<Problem>),
    #[error("a flow of the settings is named {0}; change it there, or give this one another name")]
    InSettings(String),
    #[error("the flow {0} is another one than was read: read it again")]
    Changed(String),
    #[error("there are as many flows as may be kept; remove one")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Flows(#[from] FlowsError),
}

impl Flows {
    /// The flows that were written here, by name.
    pub async fn kept(&self) -> Result<Vec<StoredDefinition>, StoreError> {
        let inner = &self.0;
        let definitions = inner.parts.store.flow_definitions().all().await?;
        let kept = |definition: FlowDefinition| {
            let problems = inner.problems(&definition);
            StoredDefinition { definition, problems }
        };
        Ok(definitions.into_iter().map(kept).collect())
    }

    /// Keeps a flow and takes it in use, in the place of the one that was changed at `replaces`; of none, where that is nothing.
    pub async fn save(
        &self,
        name: &str,
        text: String,
        replaces: Option<Timestamp>,
        by: String,
    ) -> Result<FlowDefinition, EditError> {
        let inner = &self.0;
        let _turn = inner.reloading.lock().await;
        if inner.is_of_settings(name) {
            return Err(EditError::InSettings(name.to_owned()));
        }
        read(name, &text).map_err(EditError::Wrong)?;
        let changed_at = inner.parts.clock.now();
        let mut definition = FlowDefinition { name: name.to_owned(), text, changed_at, changed_by: by };
        match inner.parts.store.flow_definitions().save(definition.clone(), replaces).await? {
            DefinitionSaved::Saved(at) => definition.changed_at = at,
            DefinitionSaved::Changed => return Err(EditError::Changed(name.to_owned())),
            DefinitionSaved::TooMany => return Err(EditError::TooMany),
        }
        self.arrange().await?;
        Ok(definition)
    }

    /// Removes a flow that was written here, and ends its runs; whether there was one.
    pub async fn remove(&self, name: &str) -> Result<bool, EditError> {
        let inner = &self.0;
        let _turn = inner.reloading.lock().await;
        let is_removed = inner.parts.store.flow_definitions().remove(name.to_owned()).await?;
        self.arrange().await?;
        Ok(is_removed)
    }
}

impl Inner {
    /// The flows of the settings, then those that were written here and can be used.
    pub(super) async fn in_use(&self) -> Result<Vec<FlowSettings>, StoreError> {
        let definitions = self.parts.store.flow_definitions().all().await?;
        let mut flows = self.of_settings.lock().clone();
        for definition in definitions.into_iter().filter(|one| !self.is_of_settings(&one.name)) {
            match read(&definition.name, &definition.text) {
                Ok(flow) => flows.push(flow),
                Err(problems) => {
                    let wrong = problems.first().map(|problem| problem.message.as_str());
                    tracing::warn!(
                        flow = definition.name,
                        wrong,
                        "a flow is not in use: its definition is wrong"
                    );
                }
            }
        }
        Ok(flows)
    }

    fn is_of_settings(&self, name: &str) -> bool {
        self.of_settings.lock().iter().any(|flow| flow.name == name)
    }

    fn problems(&self, definition: &FlowDefinition) -> Vec<Problem> {
        if self.is_of_settings(&definition.name) {
            let message = "is that of a flow of the settings, which is in use; remove one of the two";
            return vec![problem("flows[0].name", message.to_owned())];
        }
        read(&definition.name, &definition.text).err().unwrap_or_default()
    }
}

/// Reads a text that has one flow, of this name.
fn read(name: &str, text: &str) -> Result<FlowSettings, Vec<Problem>> {
    let mut flows = config::read_flows(text, Path::new("/flows.toml"))?;
    match (flows.pop(), flows.len()) {
        (Some(flow), 0) if flow.name == name => Ok(flow),
        (Some(flow), 0) => {
            let message = format!("is \"{}\" and has to be \"{name}\": a flow keeps its name", flow.name);
            Err(vec![problem("flows[0].name", message)])
        }
        (None, _) => {
            Err(vec![problem("flows", "is missing: write a flow that begins with [[flows]]".to_owned())])
        }
        (Some(_), more) => {
            let message = format!("has {} flows; save each by itself", more + 1);
            Err(vec![problem("flows", message)])
        }
    }
}

fn problem(key: &str, message: String) -> Problem {
    Problem { place: SettingSource::Defaults, key: key.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIP: &str = "[[flows]]\nname = \"trip\"\naccount = \"main\"\nwatch = \"@x_bot\"\ntrigger = { text = \"a\" }\n\
        steps = [{ send = \"b\" }]\n";

    #[test]
    fn a_definition_has_one_flow_of_its_name() {
        let wrong = |name: &str, text: &str| read(name, text).expect_err("wrong").remove(0).message;
        assert_eq!(read("trip", TRIP).map(|flow| flow.name), Ok("trip".to_owned()));
        assert!(wrong("ride", TRIP).contains("keeps its name"));
        assert!(wrong("trip", "").contains("is missing"));
        let two = format!("{TRIP}{}", TRIP.replace("trip", "ride"));
        assert!(wrong("trip", &two).contains("has 2 flows"));
        assert!(wrong("trip", &TRIP.replace("steps", "steqs")).contains("not a known key"));
    }
}
