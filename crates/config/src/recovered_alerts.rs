//! The alert targets of settings that are wrong: whom a program notifies that such settings keep from starting.

use std::{collections::BTreeMap, path::Path};

use ipnet::IpNet;
use serde::Deserialize;
use toml::{Table, Value};

use crate::{alerts::AlertTargetFields, document, environment, error::SettingsError, load};

/// What could be read of `[alerts]` and `[events]`, whatever is wrong elsewhere.
#[derive(Debug, Clone, Default)]
pub struct RecoveredAlerts {
    /// The alert targets that are right by themselves.
    pub targets: Vec<AlertTargetFields>,
    /// Private networks that webhooks may point to.
    pub allow_private: Vec<IpNet>,
}

impl RecoveredAlerts {
    /// Reads a settings file and the environment for them. A target or a network that is wrong itself is left out, as all are
    /// in a file that is not TOML.
    ///
    /// # Errors
    /// The file cannot be read at all.
    pub fn read(path: &Path, env: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        let environment: BTreeMap<String, String> = env.into_iter().collect();
        let unreadable = |source| SettingsError::Unreadable { path: path.to_owned(), source };
        let path = std::path::absolute(path).map_err(unreadable)?;
        let mut document = document::read(&load::read(&path)?, &path, &environment);
        environment::overlay(&mut document, &environment);
        let targets: Vec<AlertTargetFields> = items(&document.values, "alerts", "targets");
        Ok(Self {
            targets: targets.into_iter().filter(|target| target.check().is_ok()).collect(),
            allow_private: items(&document.values, "events", "allow_private"),
        })
    }
}

/// The items of a list that are what they should be.
fn items<T: for<'de> Deserialize<'de>>(values: &Table, section: &str, list: &str) -> Vec<T> {
    let listed = values.get(section).and_then(|section| section.get(list)).and_then(Value::as_array);
    listed.into_iter().flatten().filter_map(|item| item.clone().try_into().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recovered(text: &str) -> RecoveredAlerts {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("switchboard.toml");
        std::fs::write(&file, text).expect("written");
        RecoveredAlerts::read(&file, [("HOOK".to_owned(), "https://example.com/hook".to_owned())])
            .expect("read")
    }

    #[test]
    fn valid_targets_are_read_beside_invalid_ones() {
        let found = recovered(
            r#"
            lisen = 1
            [events]
            allow_private = ["10.0.0.0/8", "nowhere"]
            [[alerts.targets]]
            name = "hook"
            kind = "webhook"
            url = { env = "HOOK" }
            [[alerts.targets]]
            name = "owner"
            kind = "pigeon"
            "#,
        );
        let names: Vec<_> = found.targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!((names, found.allow_private.len()), (vec!["hook"], 1));
    }

    #[test]
    fn a_file_that_is_not_toml_has_no_targets() {
        let found = recovered("[[[\n[[alerts.targets]]\nname = \"hook\"");
        assert!(found.targets.is_empty() && found.allow_private.is_empty());
        assert!(RecoveredAlerts::read(Path::new("/nowhere/switchboard.toml"), []).is_err());
    }
}
