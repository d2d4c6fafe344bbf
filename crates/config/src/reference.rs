//! The reference of all settings, made from the table of keys.

use crate::{environment, key_table::KEYS, keys::Presence};

/// All settings as a Markdown table: key, environment variable, what it takes, default, meaning.
pub fn settings_reference() -> String {
    let mut lines = vec![
        "| key | environment | takes | default | meaning |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for key in KEYS.iter() {
        let variable = environment::variable(key).map(|name| format!("`{name}`")).unwrap_or_default();
        let default = match key.presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional => "none".to_owned(),
            Presence::Default(text) => format!("`{}`", text()),
        };
        let (path, takes, meaning) = (key.path, key.kind.described(), key.meaning());
        lines.push(format!("| `{path}` | {variable} | {takes} | {default} | {meaning} |"));
    }
    lines.push(String::new());
    lines.join("\n")
}
