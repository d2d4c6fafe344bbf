//! Settings from the environment: `SWITCHBOARD_` and the key in capitals, `__` between its levels.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::{
    document::Document,
    error::Problem,
    key_table::{KEYS, closest},
    keys::Key,
    source::SettingSource,
    value_kind::ValueKind,
};

/// The variables of this name that are no settings: the program reads them by itself.
pub const NOT_SETTINGS: [&str; 6] = [
    "SWITCHBOARD_DATA_DIR",
    "SWITCHBOARD_API_KEY",
    "SWITCHBOARD_BOOTSTRAP_KEY",
    "SWITCHBOARD_ADMIN_PASSWORD",
    "SWITCHBOARD_CONFIG",
    "SWITCHBOARD_MASTER_KEY",
];

const PREFIX: &str = "SWITCHBOARD_";

/// Variables that only tests set.
const TEST_PREFIX: &str = "SWITCHBOARD_TEST_";

/// The variable of a key; none for keys in lists and for lists.
pub(crate) fn variable(key: &Key) -> Option<String> {
    (!key.kind.is_list() && !key.path.contains('[')).then(|| name(key.path))
}

fn name(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").to_ascii_uppercase())
}

/// Puts what the environment says over what the file says.
pub(crate) fn overlay(document: &mut Document, environment: &BTreeMap<String, String>) {
    for (variable_name, text) in environment.range(PREFIX.to_owned()..) {
        if !variable_name.starts_with(PREFIX) {
            break;
        }
        if NOT_SETTINGS.contains(&variable_name.as_str())
            || variable_name.starts_with(TEST_PREFIX)
            || document.secret_variables.contains(variable_name)
        {
            continue;
        }
        let place = SettingSource::Environment(variable_name.clone());
        let Some(key) = KEYS.iter().find(|key| variable(key).as_ref() == Some(variable_name)) else {
            document.problems.push(Problem { place, key: String::new(), message: unknown(variable_name) });
            continue;
        };
        let value = value(key.kind, text);
        for (at, _) in key.path.match_indices('.') {
            document.begin(key.path.get(..at).unwrap_or_default(), &place);
        }
        document.set_place(key.path, place);
        if key.kind.accepts(&value) {
            put(&mut document.values, key.path, value);
        } else {
            document.refuse(key.path, key.kind.refusal(&value, &key.example()));
        }
    }
}

/// What a variable's text is, for a key of this kind.
fn value(kind: ValueKind, text: &str) -> Value {
    match kind {
        ValueKind::Bool => text.parse().map(Value::Boolean).ok(),
        ValueKind::Integer { .. } => text.parse().map(Value::Integer).ok(),
        _ => None,
    }
    .unwrap_or_else(|| Value::String(text.to_owned()))
}

fn put(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner =
                table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new())).as_table_mut();
            // A section that is something else has been refused already.
            if let Some(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

fn unknown(variable_name: &str) -> String {
    if let Some(key) = KEYS.iter().find(|key| in_a_list(key, variable_name)) {
        return format!("`{}` is or is in a list; lists are set in the settings file", key.path);
    }
    let known: Vec<String> =
        KEYS.iter().filter_map(|key| variable(key)).chain(NOT_SETTINGS.map(str::to_owned)).collect();
    if let Some(near) = nearest(variable_name, &known) {
        return format!("is not a known setting; did you mean {near}?");
    }
    let far = |name: &&String| strsim::damerau_levenshtein(name, variable_name);
    let least = known.iter().min_by_key(far).map_or("", String::as_str);
    format!("is not a known setting; the nearest is {least}, and `switchboard settings` shows all")
}

fn in_a_list(key: &Key, variable_name: &str) -> bool {
    let list =
        if key.kind.is_list() { Some(key.path) } else { key.path.split_once('[').map(|(list, _)| list) };
    list.is_some_and(|list| {
        variable_name == name(list) || variable_name.starts_with(&format!("{}__", name(list)))
    })
}

fn nearest<'a>(variable_name: &str, known: &'a [String]) -> Option<&'a str> {
    let bare = |text: &'a str| text.strip_prefix(PREFIX).unwrap_or(text);
    let given = variable_name.strip_prefix(PREFIX).unwrap_or(variable_name);
    closest(given, known.iter().map(|name| (bare(name), name.as_str()))).or_else(|| {
        // One underscore in the place of two, or a section left out.
        let last = |text: &'a str| text.rsplit("__").next().unwrap_or(text);
        closest(given, known.iter().map(|name| (last(bare(name)), name.as_str())))
    })
}
