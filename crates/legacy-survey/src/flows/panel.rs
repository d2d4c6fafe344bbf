//! The database of an old control panel: its settings become variables, as those of a file, and its people those who are
//! allowed. Pure.

use std::path::PathBuf;

use session_files::TableText;

use super::env_file::EnvFile;
use super::meaning::{self, Words};

const PEOPLE: &[&str] = &[
    "user",
    "users",
    "admin",
    "admins",
    "people",
    "person",
    "operator",
    "operators",
    "owner",
    "owners",
    "allowed",
    "whitelist",
    "access",
    "member",
    "members",
    "staff",
];
const SETTINGS: &[&str] =
    &["setting", "settings", "config", "configuration", "option", "options", "params", "preferences", "kv"];
const KEYS: [&str; 6] = ["key", "name", "option", "param", "variable", "setting"];
const VALUES: [&str; 4] = ["value", "val", "data", "content"];
const IDS: [&str; 8] =
    ["telegram_id", "tg_id", "telegram_user_id", "tg_user_id", "user_id", "chat_id", "uid", "id"];
/// Columns that bar a person where they say yes, and those that do where they say no.
const BARRING: [&str; 7] =
    ["blocked", "is_blocked", "banned", "is_banned", "deleted", "is_deleted", "disabled"];
const ADMITTING: [&str; 8] =
    ["active", "is_active", "enabled", "is_enabled", "allowed", "is_allowed", "is_admin", "admin"];
/// Those who may control something, by the word in a column of roles.
const ROLES: [&str; 10] = [
    "admin",
    "administrator",
    "superadmin",
    "root",
    "owner",
    "operator",
    "manager",
    "editor",
    "moderator",
    "staff",
];

/// What the database of a panel says, and what is left of it.
pub struct Panel {
    /// Settings and people, as the variables of a file.
    pub file: EnvFile,
    /// Table by table, how many people are allowed, and how many are not.
    pub people: Vec<(String, usize, usize)>,
}

/// Reads a panel's small tables.
pub fn panel(path: PathBuf, tables: &[TableText]) -> Panel {
    let mut panel = Panel { file: EnvFile::of_panel(path), people: Vec::new() };
    for table in tables {
        let words = Words::of(&table.name);
        if words.has(SETTINGS) {
            panel.take_settings(table);
        } else if words.has(PEOPLE) {
            panel.take_people(table);
        }
    }
    panel
}

fn column(table: &TableText, names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| table.columns.iter().position(|column| column == name))
}

fn cell(row: &[Option<String>], place: usize) -> Option<&str> {
    row.get(place)?.as_deref().map(str::trim)
}

fn is_yes(text: &str) -> bool {
    !matches!(text.to_lowercase().as_str(), "" | "0" | "no" | "false" | "f" | "n" | "off" | "none" | "null")
}

impl Panel {
    fn take_settings(&mut self, table: &TableText) {
        match (column(table, &KEYS), column(table, &VALUES), table.rows.as_slice()) {
            (Some(key), Some(value), rows) => {
                for row in rows {
                    if let Some(name) = cell(row, key).filter(|name| !name.is_empty()) {
                        self.file.add(name, cell(row, value).unwrap_or_default().to_owned());
                    }
                }
            }
            // One row whose columns are the settings.
            (_, _, [row]) => {
                for (place, name) in table.columns.iter().enumerate().filter(|(_, name)| *name != "id") {
                    self.file.add(name, cell(row, place).unwrap_or_default().to_owned());
                }
            }
            _ => {}
        }
    }

    fn take_people(&mut self, table: &TableText) {
        let Some(place) = column(table, &IDS) else { return };
        let is_admitted = |row: &[Option<String>]| {
            let of = |name: &&str| column(table, &[name]).map(|place| cell(row, place).unwrap_or_default());
            let is_barred = BARRING.iter().filter_map(of).any(is_yes);
            let is_active = ADMITTING.iter().filter_map(of).all(is_yes);
            let role = column(table, &["role", "roles", "level", "rank"]);
            let has_role = role.is_none_or(|place| {
                cell(row, place).is_some_and(|role| ROLES.contains(&role.to_lowercase().as_str()))
            });
            !is_barred && is_active && has_role
        };
        let id = |row: &[Option<String>]| {
            // A list of ids is more than one person's id.
            let ids = meaning::ids(cell(row, place)?)?;
            (ids.len() == 1).then(|| ids.first().copied()).flatten()
        };
        let (mut people, mut left_out) = (Vec::new(), 0);
        for row in &table.rows {
            match id(row).filter(|_| is_admitted(row)) {
                Some(id) => people.push(id.to_string()),
                None => left_out += 1,
            }
        }
        self.people.push((table.name.clone(), people.len(), left_out));
        if !people.is_empty() {
            self.file.add(&format!("allowed{}", self.people.len()), people.join(","));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{survey, text};
    use super::*;

    fn table(name: &str, columns: &[&str], rows: &[&[&str]]) -> TableText {
        let value = |text: &&str| Some((*text).to_owned()).filter(|text| !text.is_empty());
        TableText {
            name: name.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            rows: rows.iter().map(|row| row.iter().map(value).collect()).collect(),
        }
    }

    #[test]
    fn the_people_and_settings_of_a_panel_are_taken_over() {
        let token = format!("5099000001:{}", "AAb_-".repeat(7));
        let people = table(
            "bot_users",
            &["id", "telegram_id", "role", "is_active"],
            &[
                &["1", "5000000001", "admin", "1"],
                &["2", "5000000002", "Operator", "1"],
                &["3", "5000000003", "viewer", "1"],
                &["4", "5000000004", "admin", "0"],
            ],
        );
        let settings = table(
            "bot_settings",
            &["key", "value"],
            &[&["trigger_regex", "New trip .*"], &["button_1", "Book"], &["poll_interval", "5"]],
        );
        let bookings = table("bookings", &["id", "said"], &[&["1", "one"]]);
        let read = panel("/old/panel.db".into(), &[people, settings, bookings]);
        assert_eq!(read.people, [("bot_users".to_owned(), 2, 2)]);
        let files = vec![
            EnvFile::read("/old/.env".into(), "PHONE=+70000000001\nTARGET_BOT=@demo_trips_bot\n"),
            EnvFile::read("/old/control.env".into(), &format!("TG={token}")),
            read.file,
        ];
        let found = survey(&files);
        assert_eq!(found.controls[0].allowed, [5_000_000_001, 5_000_000_002]);
        let [flow] = found.flows.as_slice() else { panic!("{found:?}") };
        assert_eq!(flow.trigger.regex.as_deref(), Some("New trip .*"));
        assert_eq!(flow.presses.len(), 1);
        let unknown: Vec<_> = found.unknown.iter().map(|named| named.variable.as_str()).collect();
        assert_eq!(unknown, ["poll_interval"], "what is not taken over is listed");
        let written =
            text(&found, &[], &|named| super::super::SecretLocation::Variable(named.variable.clone()));
        assert!(written.settings.contains("people = [5000000001, 5000000002]"), "{}", written.settings);
    }

    #[test]
    fn each_form_of_a_panel_is_read() {
        for (columns, rows, wanted) in [
            (vec!["user_id"], vec![vec!["5000000001"], vec!["5000000002"]], Some("5000000001,5000000002")),
            (
                vec!["tg_id", "banned"],
                vec![vec!["5000000001", "0"], vec!["5000000002", "true"]],
                Some("5000000001"),
            ),
            (
                vec!["id", "is_admin"],
                vec![vec!["5000000001", ""], vec!["5000000002", "1"]],
                Some("5000000002"),
            ),
            (vec!["id", "name"], vec![vec!["1", "anna"]], None),
            (vec!["name"], vec![vec!["anna"]], None),
        ] {
            let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
            let read = panel("/p.db".into(), &[table("admins", &columns, &rows)]);
            let people = read.file.variables.first().map(|variable| variable.value().to_owned());
            assert_eq!(people.as_deref(), wanted, "{columns:?}");
        }
        let one_row = table("config", &["id", "keywords", "target_bot"], &[&["1", "trip,ride", "@demo_bot"]]);
        let read = panel("/p.db".into(), &[one_row]);
        let names: Vec<_> = read.file.variables.iter().map(|variable| variable.name.as_str()).collect();
        assert_eq!(names, ["keywords", "target_bot"]);
    }
}
