//! The settings file: each of its values checked, brought into one form, and its place remembered.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

use crate::{
    error::Problem,
    key_table::{Entry, entry, names_in, nearest},
    keys::Key,
    secret,
    secret::SecretOrigin,
    source::SettingSource,
    value_kind::{ValueKind, kind},
};

/// What was read so far: from the file, then from the environment.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// The values: secrets resolved, paths of files absolute.
    pub(crate) values: Table,
    /// All that is wrong.
    pub(crate) problems: Vec<Problem>,
    /// The environment variables that secrets refer to.
    pub(crate) secret_variables: BTreeSet<String>,
    /// Where secrets were taken from that are not in the file.
    origins: BTreeMap<String, SecretOrigin>,
    places: BTreeMap<String, SettingSource>,
}

impl Document {
    /// The place of a key or, if it has none, of what it is in.
    pub(crate) fn place(&self, path: &str) -> SettingSource {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return place.clone();
            }
            match path.rfind(['.', '[']) {
                Some(at) => path = path.get(..at).unwrap_or_default(),
                None => return self.places.get("").cloned().unwrap_or(SettingSource::Defaults),
            }
        }
    }

    /// Remembers where a value comes from.
    pub(crate) fn set_place(&mut self, path: &str, place: SettingSource) {
        self.places.insert(path.to_owned(), place);
    }

    /// Remembers where a section begins, unless it has begun before.
    pub(crate) fn begin(&mut self, section: &str, place: &SettingSource) {
        self.places.entry(section.to_owned()).or_insert_with(|| place.clone());
    }

    /// Where the secret of a key was taken from.
    pub(crate) fn origin(&self, path: &str) -> SecretOrigin {
        self.origins.get(path).cloned().unwrap_or_default()
    }

    /// Notes something wrong with a key whose place is known.
    pub(crate) fn refuse(&mut self, path: &str, message: impl Into<String>) {
        let place = self.place(path);
        self.problems.push(Problem { place, key: path.to_owned(), message: message.into() });
    }
}

/// Reads a settings file at an absolute path.
pub(crate) fn read(text: &str, file: &Path, environment: &BTreeMap<String, String>) -> Document {
    let mut document = Document::default();
    document.set_place("", SettingSource::in_file(file, text, 0));
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let at = error.span().map_or(text.len(), |span| span.start);
        document.problems.push(Problem {
            place: SettingSource::in_file(file, text, at),
            key: String::new(),
            message: format!("this is not TOML: {}", error.message()),
        });
    }
    if !document.problems.is_empty() {
        return document;
    }
    match text.parse::<Table>() {
        Ok(values) => document.values = values,
        Err(error) => document.refuse("", format!("cannot be read: {}", error.message())),
    }
    let mut values = std::mem::take(&mut document.values);
    let folder = file.parent().unwrap_or(Path::new("/"));
    let mut walk = Walk { document: &mut document, text, file, folder, environment };
    walk.section(root.get_ref(), &mut values, "", "");
    document.values = values;
    document
}

struct Walk<'a> {
    document: &'a mut Document,
    text: &'a str,
    file: &'a Path,
    folder: &'a Path,
    environment: &'a BTreeMap<String, String>,
}

impl Walk<'_> {
    /// Goes through a section. `path` says where it is, `general` the same without the numbers of list items.
    fn section(&mut self, spans: &DeTable<'_>, values: &mut Table, path: &str, general: &str) {
        // In the order of the file, so that its first mistake is reported first.
        let mut entries: Vec<_> = spans.iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        for (name, span) in entries {
            let key = joined(path, name.get_ref());
            let general_key = joined(general, name.get_ref());
            self.document.set_place(&key, SettingSource::in_file(self.file, self.text, name.span().start));
            let Some(value) = values.get_mut(name.get_ref().as_ref()) else { continue };
            match (entry(&general_key), span.get_ref()) {
                (Some(Entry::Key(known)), _) => self.key(known, span, value, &key),
                (Some(Entry::Section), DeValue::Table(spans)) => {
                    if let Some(values) = value.as_table_mut() {
                        self.section(spans, values, &key, &general_key);
                    }
                }
                (Some(Entry::List), DeValue::Array(spans)) => {
                    let items = value.as_array_mut().map(Vec::as_mut_slice).unwrap_or_default();
                    for (index, (span, item)) in spans.iter().zip(items).enumerate() {
                        let item_key = format!("{key}[{index}]");
                        self.document.set_place(
                            &item_key,
                            SettingSource::in_file(self.file, self.text, span.span().start),
                        );
                        match (span.get_ref(), item) {
                            (DeValue::Table(spans), Value::Table(values)) => {
                                self.section(spans, values, &item_key, &format!("{general_key}[]"));
                            }
                            (_, other) => self.document.refuse(
                                &item_key,
                                format!("must be a section of keys in braces; found {}", kind(other)),
                            ),
                        }
                    }
                }
                (Some(Entry::Section), _) => self.document.refuse(
                    &key,
                    format!("must be a section, written [{general_key}]; found {}", kind(value)),
                ),
                (Some(Entry::List), _) => self.document.refuse(
                    &key,
                    format!("must be a list of sections, written [[{general_key}]]; found {}", kind(value)),
                ),
                (None, _) => self.document.refuse(&key, unknown(general, name.get_ref())),
            }
        }
    }

    fn key(&mut self, known: &Key, span: &Spanned<DeValue<'_>>, value: &mut Value, path: &str) {
        self.document.set_place(path, SettingSource::in_file(self.file, self.text, span.span().start));
        if known.kind.is_list() {
            self.list(known, span, value, path);
            return;
        }
        if known.kind.is_secret() {
            if let Some(name) = secret::variable(value) {
                self.document.secret_variables.insert(name.to_owned());
            }
            if let Some(origin) = secret::origin(value, self.folder) {
                self.document.origins.insert(path.to_owned(), origin);
            }
            match secret::resolve(value, self.folder, self.environment) {
                Ok(text) => *value = Value::String(text),
                Err(error) => return self.document.refuse(path, error.to_string()),
            }
        }
        if !known.kind.accepts(value) {
            let message = known.kind.refusal(value, &known.example());
            return self.document.refuse(path, message);
        }
        if let (ValueKind::File, Value::String(file)) = (known.kind, &mut *value) {
            // A text joined to a text: the path stays one that can be written down again.
            let absolute: PathBuf = self.folder.join(&*file);
            if let Some(absolute) = absolute.to_str() {
                absolute.clone_into(file);
            }
        }
    }

    fn list(&mut self, known: &Key, span: &Spanned<DeValue<'_>>, value: &Value, path: &str) {
        let (DeValue::Array(spans), Value::Array(items)) = (span.get_ref(), value) else {
            let message = format!("must be a list such as {}; found {}", known.example(), kind(value));
            return self.document.refuse(path, message);
        };
        for (index, (span, item)) in spans.iter().zip(items).enumerate() {
            if !known.kind.accepts(item) {
                let item_path = format!("{path}[{index}]");
                self.document
                    .set_place(&item_path, SettingSource::in_file(self.file, self.text, span.span().start));
                self.document.refuse(&item_path, known.kind.refusal(item, ""));
            }
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn unknown(section: &str, name: &str) -> String {
    match nearest(section, name) {
        Some(key) => format!("is not a known key; did you mean `{key}`?"),
        None => format!("is not a known key; known here are {}", names_in(section).join(", ")),
    }
}
