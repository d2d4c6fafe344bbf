//! What differs between the settings that a program runs with and those it read again, and what they come to. Pure.

use serde::Deserialize;
use toml::{Table, Value};

use crate::{
    keys::{Applies, Inner, Row, Section as _},
    settings::Settings,
};

/// A key with another value, or an item of a list that came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its full path; an item of a list by its name, as in `telegram.accounts[main].priority`.
    pub key: String,
    /// When it takes effect.
    pub applies: Applies,
}

/// What reading the settings again comes to.
#[derive(Debug, Clone)]
pub struct Changes {
    /// What differs, in the order of the reference.
    pub changed: Vec<Change>,
    /// How many keys are set to what they were.
    pub unchanged: usize,
    /// The settings that hold now: of what applies live the new value, of all else the old one.
    pub settings: Settings,
}

impl Settings {
    /// Compares the settings that hold with those that were read.
    ///
    /// # Errors
    /// What holds cannot be written down or read again, which no settings that were loaded show.
    pub fn changes_to(&self, new: &Self) -> Result<Changes, String> {
        let written = |settings: &Self| settings.to_table_with_secrets().map_err(|error| error.to_string());
        let (mut holding, new_values) = (written(self)?, written(new)?);
        let mut compared = Compared::default();
        compared.section(Self::ROWS, Applies::AtStart, &mut holding, &new_values, "");
        let mut settings =
            Self::deserialize(Value::Table(holding)).map_err(|error| error.message().to_owned())?;
        for webhook in &mut settings.doctor.webhooks {
            // Where a secret was taken from is written nowhere.
            if let Some(read) = new.doctor.webhooks.iter().find(|read| read.name == webhook.name) {
                webhook.expect_origin = read.expect_origin.clone();
                webhook.token_origin = read.token_origin.clone();
            }
        }
        Ok(Changes { changed: compared.changed, unchanged: compared.unchanged, settings })
    }
}

#[derive(Default)]
struct Compared {
    changed: Vec<Change>,
    unchanged: usize,
}

impl Compared {
    fn note(&mut self, key: String, applies: Applies) {
        self.changed.push(Change { key, applies });
    }

    /// Compares a section and brings what applies live into `holding`. `path` is where it is, with its dot.
    fn section(
        &mut self,
        rows: &'static [Row],
        section: Applies,
        holding: &mut Table,
        new: &Table,
        path: &str,
    ) {
        for row in rows {
            match row {
                Row::Key(key) => {
                    let name = last(key.path);
                    let (before, after) = (holding.get(name), new.get(name));
                    if before == after {
                        self.unchanged += usize::from(after.is_some());
                        continue;
                    }
                    let applies = key.applies.within(section);
                    self.note(format!("{path}{name}"), applies);
                    if applies == Applies::Live {
                        put(holding, name, after.cloned());
                    }
                }
                // It holds what is written nowhere.
                Row::Section(inner) if inner.rows.is_empty() => {}
                Row::Section(inner) if inner.is_list => self.list(inner, section, holding, new, path),
                Row::Section(inner) => {
                    let (name, applies) = (last(inner.path), inner.applies.within(section));
                    let at = format!("{path}{name}.");
                    let mut before = table(holding.get(name));
                    self.section(inner.rows, applies, &mut before, &table(new.get(name)), &at);
                    // One that is left out and one that is empty are the same.
                    put(holding, name, Some(before).filter(|now| !now.is_empty()).map(Value::Table));
                }
            }
        }
    }

    /// Compares a list: its items by their names where they have any, else as a whole.
    fn list(
        &mut self,
        inner: &'static Inner,
        section: Applies,
        holding: &mut Table,
        new: &Table,
        path: &str,
    ) {
        let (name, applies) = (last(inner.path), inner.applies.within(section));
        let (before, after) = (items(holding.get(name)), items(new.get(name)));
        let Some(identity) = identity(inner.rows) else {
            if before == after {
                self.unchanged += after.len();
            } else {
                self.note(format!("{path}{name}"), applies);
                if applies == Applies::Live {
                    put(holding, name, new.get(name).cloned());
                }
            }
            return;
        };
        let (before, after) = (named(before, identity), named(after, identity));
        let (mut kept, mut made) = (Vec::new(), Vec::new());
        for (item, value) in &before {
            let at = format!("{path}{name}[{item}]");
            let mut value = value.clone();
            let matching = after.iter().find(|(other, _)| other == item);
            if let Some((_, read)) = matching {
                self.section(inner.rows, applies, &mut value, read, &format!("{at}."));
                kept.push((item, value));
            } else {
                self.note(at, applies);
                if applies == Applies::AtStart {
                    kept.push((item, value));
                }
            }
        }
        for (item, value) in &after {
            if before.iter().all(|(other, _)| other != item) {
                self.note(format!("{path}{name}[{item}]"), applies);
                made.push((item, value.clone()));
            }
        }
        if applies == Applies::Live {
            kept.append(&mut made);
            // In the order of the file.
            kept.sort_by_key(|(item, _)| after.iter().position(|(other, _)| other == *item));
        }
        let kept: Vec<_> = kept.into_iter().map(|(_, value)| Value::Table(value)).collect();
        put(holding, name, Some(kept).filter(|kept| !kept.is_empty()).map(Value::Array));
    }
}

/// The last name of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

fn put(table: &mut Table, name: &str, value: Option<Value>) {
    match value {
        Some(value) => table.insert(name.to_owned(), value),
        None => table.remove(name),
    };
}

fn table(value: Option<&Value>) -> Table {
    value.and_then(Value::as_table).cloned().unwrap_or_default()
}

fn items(value: Option<&Value>) -> Vec<Table> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_table().cloned()).collect()
}

/// The key by which items of a list are distinguished: a name or a number that is always there.
fn identity(rows: &'static [Row]) -> Option<&'static str> {
    rows.iter().find_map(|row| match row {
        Row::Key(key) => Some(last(key.path)).filter(|name| ["name", "port", "id"].contains(name)),
        Row::Section(_) => None,
    })
}

/// Each item with what it is called; of several that are called the same, such as ports of any number, each but the first
/// has its place added.
fn named(items: Vec<Table>, identity: &str) -> Vec<(String, Table)> {
    let mut named: Vec<(String, Table)> = Vec::new();
    for item in items {
        let called = match item.get(identity) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let prefix = format!("{called}#");
        let same = named.iter().filter(|(other, _)| *other == called || other.starts_with(&prefix)).count();
        let called = if same == 0 { called } else { format!("{prefix}{}", same + 1) };
        named.push((called, item));
    }
    named
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(text: &str) -> Settings {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("switchboard.toml");
        std::fs::write(&file, text).expect("written");
        Settings::load(Some(&file), []).expect("settings")
    }

    fn changed(before: &str, after: &str) -> Vec<(String, Applies)> {
        let changes = settings(before).changes_to(&settings(after)).expect("compared");
        changes.changed.into_iter().map(|change| (change.key, change.applies)).collect()
    }

    #[test]
    fn each_key_that_differs_is_named_with_when_it_applies() {
        use Applies::{AtStart, Live};
        let found = changed(
            "listen = \"127.0.0.1:5099\"\n[limits]\nbody = \"1MiB\"\n[log]\nlevel = \"info\"",
            "listen = \"127.0.0.1:5100\"\n[limits]\nbody = \"2MiB\"\nconnections = 100\n[log]\nlevel = \"debug\"",
        );
        let named: Vec<_> = found.iter().map(|(key, applies)| (key.as_str(), *applies)).collect();
        assert_eq!(
            named,
            [
                ("listen", AtStart),
                ("limits.body", Live),
                ("limits.connections", AtStart),
                ("log.level", Live)
            ]
        );
        assert!(
            changed("[limits]\nbody = \"1MiB\"", "").is_empty(),
            "a default that is written is the default"
        );
    }

    const ACCOUNT: &str =
        "[[telegram.accounts]]\nname = \"main\"\napi_id = 1000001\napi_hash = \"made-up\"\n";

    #[test]
    fn items_of_a_list_are_matched_by_their_names() {
        let before = format!("{ACCOUNT}[[legacy.ports]]\nport = 5021\nservice = \"send_text\"");
        let after = format!(
            "[[legacy.ports]]\nport = 5022\nservice = \"send_text\"\n[[legacy.ports]]\nport = 5021\nservice = \"send_media\"\n\
             {}",
            ACCOUNT.replace("made-up", "another")
        );
        let named: Vec<_> = changed(&before, &after).into_iter().map(|(key, _)| key).collect();
        assert_eq!(
            named,
            ["telegram.accounts[main].api_hash", "legacy.ports[5021].service", "legacy.ports[5022]"]
        );
    }

    #[test]
    fn a_secret_counts_and_is_kept() {
        let of = |secret: &str| {
            format!(
                "[legacy.invite_callback]\nurl = \"https://example.com\"\ngroup_id = \"demo\"\nsecret = \"{secret}\""
            )
        };
        let (before, after) = (of("a-secret-of-sixteen"), of("another-of-sixteen"));
        let changes = settings(&before).changes_to(&settings(&after)).expect("compared");
        assert_eq!(changes.changed.len(), 1);
        assert!(changes.settings.changes_to(&settings(&after)).expect("compared").changed.is_empty());
    }

    #[test]
    fn changes_that_need_a_restart_are_named_until_it_happens() {
        let (before, after) =
            (settings(""), settings("[telegram]\nprobe_every = \"1m\"\n[log]\nlevel = \"warn\""));
        let first = before.changes_to(&after).expect("compared");
        assert_eq!((first.changed.len(), first.settings.log.level), (2, crate::LogLevel::Warn));
        let second = first.settings.changes_to(&after).expect("compared");
        assert_eq!(
            second.changed,
            [Change { key: "telegram.probe_every".to_owned(), applies: Applies::AtStart }]
        );
        assert_eq!(second.settings.telegram.probe_every, before.telegram.probe_every);
    }

    proptest! {
        /// Whatever is changed: of what holds afterwards nothing differs from the new settings but what needs a restart.
        #[test]
        fn all_that_applies_live_holds_afterwards(
            body in 1_u64..64, connections in 16_usize..1000, level in 0..5_usize, ports in prop::collection::btree_set(5000_u16..5010, 0..4),
            services in any::<u8>(), probe in 1_u64..600
        ) {
            let of = |turn: u64| {
                let mut text = format!(
                    "[limits]\nbody = \"{}KiB\"\nconnections = {}\n[log]\nlevel = \"{}\"\n[telegram]\nprobe_every = \"{}s\"\n",
                    1 + body * turn, 16 + connections * usize::try_from(turn).unwrap(),
                    ["error", "warn", "info", "debug", "trace"][(level * usize::try_from(turn).unwrap()) % 5],
                    1 + (probe * turn) % 600,
                );
                for (index, port) in ports.iter().enumerate() {
                    if turn == 0 || !port.is_multiple_of(2) {
                        let service = ["send_text", "send_media"][usize::from((services >> index) & 1) * usize::from(turn == 1)];
                        text = format!("{text}[[legacy.ports]]\nport = {port}\nservice = \"{service}\"\n");
                    }
                }
                settings(&text)
            };
            let (before, after) = (of(0), of(1));
            let changes = before.changes_to(&after).unwrap();
            let left = changes.settings.changes_to(&after).unwrap();
            let (needing, live): (Vec<_>, Vec<_>) =
                changes.changed.into_iter().partition(|change| change.applies == Applies::AtStart);
            prop_assert_eq!(left.changed, needing);
            prop_assert!(live.iter().all(|change| !change.key.contains("connections")));
            prop_assert_eq!(after.changes_to(&after).unwrap().changed, []);
        }
    }
}
