//! What a settings file refers to: files and environment variables, which someone who moves it has to take along.

use std::path::Path;

use toml::{Table, Value};

use crate::{error::SettingsError, load};

/// What a settings file refers to, each once, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    /// Files, as they are written: absolute, or relative to the settings file.
    pub files: Vec<String>,
    /// Names of environment variables.
    pub variables: Vec<String>,
}

impl References {
    /// Those of a settings file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(path: &Path) -> Result<Self, SettingsError> {
        Ok(Self::in_text(&load::read(path)?))
    }

    fn in_text(text: &str) -> Self {
        let mut found = Self::default();
        // What is no TOML is refused by the loader.
        if let Ok(table) = text.parse::<Table>() {
            if let Some(tls) = table.get("tls").and_then(Value::as_table) {
                let named = ["certificate", "key"].into_iter().filter_map(|name| tls.get(name)?.as_str());
                found.files.extend(named.map(str::to_owned));
            }
            found.look(&Value::Table(table));
        }
        for list in [&mut found.files, &mut found.variables] {
            list.sort();
            list.dedup();
        }
        found
    }

    fn look(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            Value::Table(table) => {
                for (name, value) in table {
                    match (name.as_str(), value) {
                        ("file", Value::String(file)) => self.files.push(file.clone()),
                        ("env", Value::String(variable)) => self.variables.push(variable.clone()),
                        (_, value) => self.look(value),
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_variables_are_found_wherever_they_stand() {
        let found = References::in_text(
            "[tls]\ncertificate = \"/etc/a.pem\"\nkey = \"b.pem\"\n[[telegram.accounts]]\napi_hash = { env = \"HASH\" }\n\
             sessions = [{ file = \"sessions/main.session\", for = [\"send_text\"] }, { string = \"x\" }]\n\
             [[telegram.accounts]]\napi_hash = { env = \"HASH\" }\n",
        );
        assert_eq!(found.files, ["/etc/a.pem", "b.pem", "sessions/main.session"]);
        assert_eq!(found.variables, ["HASH"]);
        assert_eq!(References::in_text("no = = toml"), References::default());
    }
}
