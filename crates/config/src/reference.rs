//! The reference of all settings, made from the table of keys.

use crate::{
    environment,
    keys::{Applies, Presence, Section as _},
    settings::Settings,
};

/// All settings as a Markdown table: key, environment variable, what it takes, default, when a change applies, meaning.
pub fn settings_reference() -> String {
    let mut lines = vec![
        "| key | environment | takes | default | a change needs | meaning |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for (key, applies) in Settings::ROWS.iter().flat_map(|row| row.applying(Applies::AtStart)) {
        let variable = environment::variable(key).map(|name| format!("`{name}`")).unwrap_or_default();
        let default = match key.presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional => "none".to_owned(),
            Presence::Default(text) => format!("`{}`", text()),
        };
        let (path, takes, meaning) = (key.path, key.kind.described(), key.meaning());
        let needs = match applies {
            Applies::Live => "reload",
            Applies::AtStart => "restart",
        };
        lines.push(format!("| `{path}` | {variable} | {takes} | {default} | {needs} | {meaning} |"));
    }
    lines.push(String::new());
    lines.join("\n")
}
