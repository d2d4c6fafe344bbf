//! Loading: file, environment, checks, settings.

use std::{collections::BTreeMap, io::Read, path::Path};

use toml::{Table, Value};

use crate::{
    crosscheck,
    document::{self, Document},
    environment,
    error::{Problem, SettingsError},
    flow_files,
    key_table::KEYS,
    keys::{Key, Presence},
    settings::Settings,
    source::SettingSource,
};

/// The greatest settings file that is read.
const LARGEST: u64 = 4 * 1024 * 1024;

impl Settings {
    /// Reads settings from a file, if there is one, and from environment variables, which count more.
    ///
    /// Paths of files are relative to the settings file. Secrets are looked up at once.
    pub fn load(
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let (settings, problems) = Self::load_at_start(path, env)?;
        if problems.is_empty() { Ok(settings) } else { Err(SettingsError::Wrong { problems }) }
    }

    /// The same, but for the flows of files of the folder `flows` that are wrong, and what is wrong with them: a start is for messages
    /// too, and these do not wait for a flow to be put right.
    pub fn load_at_start(
        path: Option<&Path>,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<Problem>), SettingsError> {
        let environment: BTreeMap<String, String> = env.into_iter().collect();
        match path {
            None => Ok((finish(Document::default(), &environment)?, Vec::new())),
            Some(path) => {
                let mut settings = finish(document(path, &environment)?, &environment)?;
                let wrong = flow_files::add(path, &mut settings.flows)?;
                Ok((settings, wrong))
            }
        }
    }

    /// Reads settings from a file and environment variables to try them on a demo world, whose own settings say which
    /// accounts and channels there are and where their providers are. The ports, the observer, the flows and the pipeline are the world's
    /// unless the file names others.
    /// Files of flows that are wrong are left out, as at any start.
    pub fn load_for_world(
        path: &Path,
        world: &Path,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<Problem>), SettingsError> {
        let environment: BTreeMap<String, String> = env.into_iter().collect();
        let mut of_world = document(world, &environment)?;
        let mut document = document(path, &environment)?;
        // What is wrong with accounts that are not used is no matter: their sessions may be elsewhere.
        let is_used = |key: &str| {
            !ALWAYS_OF_WORLD.iter().any(|(section, name)| {
                key.strip_prefix(section)
                    .is_some_and(|rest| rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(name)))
            })
        };
        document
            .problems
            .retain(|problem| is_used(&problem.key) && !problem.key.starts_with(CHANNELS_OF_WORLD));
        document.problems.append(&mut of_world.problems);
        // Those of channels are of accounts that only the world has.
        let legacy = document.values.get("legacy").and_then(Value::as_table);
        if legacy.is_some_and(|legacy| legacy.contains_key("ports"))
            && let Some(legacy) = of_world.values.get_mut("legacy").and_then(Value::as_table_mut)
        {
            legacy.remove("channel_ports");
        }
        for (section, name) in ALWAYS_OF_WORLD.into_iter().chain(USUALLY_OF_WORLD) {
            let value = of_world.values.get_mut(section).and_then(Value::as_table_mut);
            let value = value.and_then(|section| section.remove(name));
            let section = document.values.entry(section).or_insert_with(|| Value::Table(Table::new()));
            let Some(section) = section.as_table_mut() else { continue };
            if USUALLY_OF_WORLD.iter().any(|(_, usual)| *usual == name) && section.contains_key(name) {
                continue;
            }
            section.remove(name);
            section.extend(value.map(|value| (name.to_owned(), value)));
        }
        document.values.remove(CHANNELS_OF_WORLD);
        for name in [CHANNELS_OF_WORLD, FLOWS_OF_WORLD, PIPELINE_OF_WORLD] {
            if let Some(value) = of_world.values.remove(name) {
                document.values.entry(name).or_insert(value);
            }
        }
        let mut settings = finish(document, &environment)?;
        let wrong = flow_files::add(path, &mut settings.flows)?;
        Ok((settings, wrong))
    }
}

/// What a demo world has and nothing else can replace: its accounts, and the way to them.
const ALWAYS_OF_WORLD: [(&str, &str); 5] = [
    ("telegram", "accounts"),
    ("telegram", "data_centres"),
    ("telegram", "server_keys"),
    ("telegram", "allow_private_proxies"),
    ("legacy", "channel_ports"),
];

/// The same as a section of its own: nothing is registered at a real provider for a demo.
const CHANNELS_OF_WORLD: &str = "channels";

/// What a demo world has unless a file says otherwise.
const USUALLY_OF_WORLD: [(&str, &str); 3] =
    [("telegram", "observer"), ("campaigns", "allow_private"), ("legacy", "ports")];

/// The same as sections of their own.
const FLOWS_OF_WORLD: &str = "flows";
const PIPELINE_OF_WORLD: &str = "pipeline";

/// What is in a settings file.
fn document(path: &Path, environment: &BTreeMap<String, String>) -> Result<Document, SettingsError> {
    let unreadable = |source| SettingsError::Unreadable { path: path.to_owned(), source };
    let path = std::path::absolute(path).map_err(unreadable)?;
    let text = read(&path)?;
    Ok(document::read(&text, &path, environment))
}

/// The text of a settings file.
pub(crate) fn read(path: &Path) -> Result<String, SettingsError> {
    let unreadable = |source| SettingsError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let file = ambient::regular_file::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST {
        return Err(SettingsError::TooLarge { path: path.to_owned(), limit: LARGEST });
    }
    Ok(text)
}

/// Makes settings of what was read.
fn finish(mut document: Document, environment: &BTreeMap<String, String>) -> Result<Settings, SettingsError> {
    environment::overlay(&mut document, environment);
    require_all(&mut document);
    crosscheck::sources(&mut document);
    if !document.problems.is_empty() {
        return Err(wrong(document));
    }
    let values = std::mem::take(&mut document.values);
    match serde_path_to_error::deserialize::<_, Settings>(Value::Table(values)) {
        Ok(mut settings) => {
            crosscheck::settings(&settings, &mut document);
            if !document.problems.is_empty() {
                return Err(wrong(document));
            }
            for account in &mut settings.telegram.accounts {
                account.share_purposes();
            }
            for (index, webhook) in settings.doctor.webhooks.iter_mut().enumerate() {
                let origin = |field: &str| document.origin(&format!("doctor.webhooks[{index}].{field}"));
                (webhook.expect_origin, webhook.token_origin) = (origin("expect"), origin("token"));
            }
            Ok(settings)
        }
        Err(error) => {
            document
                .refuse(&error.path().to_string(), format!("cannot be used: {}", error.inner().message()));
            Err(wrong(document))
        }
    }
}

/// Refuses each section that was begun without a key that it needs.
pub(crate) fn require_all(document: &mut Document) {
    for key in KEYS.iter().filter(|key| matches!(key.presence, Presence::Required)) {
        let values = std::mem::take(&mut document.values);
        require(document, key, &values, key.path, "");
        document.values = values;
    }
}

fn wrong(document: Document) -> SettingsError {
    SettingsError::Wrong { problems: in_order(document.problems) }
}

pub(crate) fn in_order(mut problems: Vec<Problem>) -> Vec<Problem> {
    // As a person goes through the file; what is not in it comes last.
    problems.sort_by_key(|problem| match problem.place {
        SettingSource::File { line, column, .. } => (line, column),
        SettingSource::Environment(_) | SettingSource::Defaults => (usize::MAX, 0),
    });
    problems
}

/// Refuses each section that has been begun without a key that it needs. `left` is the rest of the key's path
/// inside the section, `path` where the section is.
fn require(document: &mut Document, key: &Key, section: &Table, left: &str, path: &str) {
    let Some((name, rest)) = left.split_once('.') else {
        if !section.contains_key(left) {
            let message = format!("is missing: {} Such as {left} = {}", key.meaning(), key.example());
            document.refuse(&format!("{path}{left}"), message);
        }
        return;
    };
    match name.strip_suffix("[]") {
        None => {
            if let Some(Value::Table(inner)) = section.get(name) {
                require(document, key, inner, rest, &format!("{path}{name}."));
            }
        }
        Some(name) => {
            let items = section.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            for (index, item) in items.iter().enumerate() {
                if let Value::Table(inner) = item {
                    require(document, key, inner, rest, &format!("{path}{name}[{index}]."));
                }
            }
        }
    }
}
