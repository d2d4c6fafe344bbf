//! Files with nothing but flows, in the folder `flows` beside the settings file.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use domain::AccountName;
use toml::Value;

use crate::{
    document::{self, Document},
    error::{Problem, SettingsError},
    flows::FlowSettings,
    load,
    source::SettingSource,
};

/// The folder's name.
const FOLDER: &str = "flows";

/// More files of it are not read.
const MOST: usize = 1000;

/// Reads the text of a file with flows, without looking at any other.
///
/// # Errors
/// All that is wrong, in the order of the text.
pub fn read_flows(text: &str, file: &Path) -> Result<Vec<FlowSettings>, Vec<Problem>> {
    let mut document = document::read(text, file, &BTreeMap::new());
    let stray: Vec<String> = document.values.keys().filter(|key| *key != FOLDER).cloned().collect();
    for key in stray {
        document.refuse(&key, "is no part of a file of flows; move it to the settings file");
    }
    load::require_all(&mut document);
    if !document.problems.is_empty() {
        return Err(load::in_order(document.problems));
    }
    let values = document.values.remove(FOLDER).unwrap_or_else(|| Value::Array(Vec::new()));
    match serde_path_to_error::deserialize::<_, Vec<FlowSettings>>(values) {
        Ok(flows) => {
            judge(&flows, &mut document);
            if document.problems.is_empty() { Ok(flows) } else { Err(load::in_order(document.problems)) }
        }
        Err(error) => {
            let message = format!("cannot be used: {}", error.inner().message());
            document.refuse(&format!("{FOLDER}{}", error.path()), message);
            Err(document.problems)
        }
    }
}

/// The same, and what is doubtful: a flow whose accounts are none of these waits until there is one of its name.
///
/// # Errors
/// All that is wrong, in the order of the text.
pub fn check_flows(
    text: &str,
    file: &Path,
    accounts: &[AccountName],
) -> Result<(Vec<FlowSettings>, Vec<Problem>), Vec<Problem>> {
    let flows = read_flows(text, file)?;
    let mut document = document::read(text, file, &BTreeMap::new());
    for (index, flow) in flows.iter().enumerate() {
        for fault in flow.unknown_accounts(accounts) {
            document.refuse(&format!("{FOLDER}[{index}].{}", fault.key), fault.message);
        }
    }
    Ok((flows, load::in_order(document.problems)))
}

/// Notes what is wrong with flows that a document has.
pub(crate) fn judge(flows: &[FlowSettings], document: &mut Document) {
    for (index, flow) in flows.iter().enumerate() {
        for fault in flow.faults() {
            document.refuse(&format!("{FOLDER}[{index}].{}", fault.key), fault.message);
        }
        if let Some(first) = flows[..index].iter().position(|other| other.name == flow.name) {
            let message =
                format!("is \"{}\", as is that of `{FOLDER}[{first}]`; names must differ", flow.name);
            document.refuse(&format!("{FOLDER}[{index}].name"), message);
        }
    }
}

/// A file of the folder.
#[derive(Debug, Clone)]
pub struct FlowFile {
    pub file: PathBuf,
    /// What it has; nothing where something is wrong.
    pub flows: Vec<FlowSettings>,
    /// All that is wrong, in its order.
    pub problems: Vec<Problem>,
}

/// Reads the files of the folder beside a settings file, in the order of their names, as they are now.
///
/// # Errors
/// The folder cannot be read.
pub fn flow_files(settings_file: &Path) -> Result<Vec<FlowFile>, SettingsError> {
    let text = load::read(settings_file).unwrap_or_default();
    // What is wrong there is for those who read it.
    let settings: toml::Table = text.parse().unwrap_or_default();
    let flows = settings.get(FOLDER).and_then(Value::as_array).into_iter().flatten();
    let names = flows.filter_map(|flow| flow.get("name")?.as_str().map(str::to_owned)).collect();
    read_all(settings_file, names)
}

/// Adds the flows of the folder beside a settings file, but for those of files that are wrong; what is wrong with these.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn add(
    settings_file: &Path,
    flows: &mut Vec<FlowSettings>,
) -> Result<Vec<Problem>, SettingsError> {
    let names = flows.iter().map(|flow| flow.name.clone()).collect();
    let mut problems = Vec::new();
    for read in read_all(settings_file, names)? {
        flows.extend(read.flows);
        problems.extend(read.problems);
    }
    Ok(problems)
}

/// The files, none of which has a flow of a name that is taken.
fn read_all(settings_file: &Path, mut names: Vec<String>) -> Result<Vec<FlowFile>, SettingsError> {
    let folder = settings_file.parent().unwrap_or(Path::new(".")).join(FOLDER);
    let mut files = match listed(&folder) {
        Ok(files) => files,
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(Vec::new());
        }
        Err(source) => return Err(SettingsError::Unreadable { path: folder, source }),
    };
    files.sort();
    let mut all = Vec::new();
    for file in files.into_iter().take(MOST) {
        let (flows, problems) = match read_one(&file, &names) {
            Ok(flows) => (flows, Vec::new()),
            Err(problems) => (Vec::new(), problems),
        };
        names.extend(flows.iter().map(|flow| flow.name.clone()));
        all.push(FlowFile { file, flows, problems });
    }
    Ok(all)
}

fn read_one(file: &Path, taken: &[String]) -> Result<Vec<FlowSettings>, Vec<Problem>> {
    let problem = |text: &str, key: &str, message: String| {
        vec![Problem { place: SettingSource::in_file(file, text, 0), key: key.to_owned(), message }]
    };
    let text = load::read(file).map_err(|error| problem("", "", error.to_string()))?;
    let flows = read_flows(&text, file)?;
    match flows.iter().find(|flow| taken.contains(&flow.name)) {
        Some(flow) => {
            let name = &flow.name;
            let message = format!("has a flow \"{name}\", which another file has too; names must differ");
            Err(problem(&text, FOLDER, message))
        }
        None => Ok(flows),
    }
}

fn listed(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = std::path::absolute(entry?.path())?;
        // An editor's own files are none of ours.
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.extension().is_some_and(|extension| extension == "toml") && !is_hidden {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    const TRIP: &str = r#"
[[flows]]
name = "trip"
account = "main"
watch = "@demo_trips_bot"
trigger = { regex = "New trip .* (?P<from>\\w+)" }
active = "06:00-23:30 Europe/Moscow"
limits = { per_hour = 6, cooldown = "30s", stop_after = 3 }
[[flows.steps]]
press = { text = "Book" }
within = "5s"
[[flows.steps]]
press = { contains = "{from}" }
[[flows.steps]]
press = { regex = "Confirm|Yes" }
expect = { text = "booked", within = "20s" }
on_fail = "restart"
"#;

    fn wrong(text: &str) -> Vec<String> {
        let problems = read_flows(text, Path::new("/etc/flows/trip.toml")).expect_err("wrong");
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_flow_of_the_book_is_read() {
        let flows = read_flows(TRIP, Path::new("/etc/flows/trip.toml")).expect("flows");
        let flow = &flows[0];
        assert_eq!((flow.steps.len(), flow.limits.stop_after.map(u32::from)), (3, Some(3)));
        assert_eq!(flow.steps[2].on_fail, crate::OnFail::Restart);
        assert!(flow.active_hours().is_some());
        let written = flow.to_toml().expect("TOML");
        assert_eq!(read_flows(&written, Path::new("/flows.toml")).as_ref(), Ok(&flows), "{written}");
    }

    #[test]
    fn invalid_flows_are_refused_with_their_line_and_advice() {
        let messages = wrong(&TRIP.replace("contains", "contians"));
        assert!(
            messages[0].starts_with(
                "/etc/flows/trip.toml:13:11: `flows[0].steps[1].press.contians` is not a known key"
            ),
            "{messages:?}"
        );
        let messages = wrong(&TRIP.replace("(?P<from>\\\\w+)", "(?P<from>\\\\w+"));
        assert!(
            messages[0].starts_with("/etc/flows/trip.toml:6:") && messages[0].contains("regular expression"),
            "{messages:?}"
        );
        let messages = wrong(&TRIP.replace("Confirm|Yes", "(\\\\w{1000}){1000}"));
        assert!(messages[0].contains(":15:") && messages[0].contains("of a moderate size"), "{messages:?}");
        let messages = wrong(&TRIP.replace("{from}", "{to}"));
        assert!(messages[0].contains(":13:") && messages[0].contains("(?P<to>…)"), "{messages:?}");
        let messages = wrong(&TRIP.replace("press = { text = \"Book\" }\n", ""));
        assert!(messages[0].contains(":9:") && messages[0].contains("does nothing"), "{messages:?}");
        let messages = wrong(&TRIP.replace("Europe/Moscow", "Europe/Moskow"));
        assert!(messages[0].contains(":7:"), "{messages:?}");
        assert!(
            messages[0].contains("names the time zone \"Europe/Moskow\", which there is not"),
            "{messages:?}"
        );
        let messages = wrong(&TRIP.replace("06:00-23:30", "06:00-06:00"));
        assert!(messages[0].contains("begins and ends at the same time"), "{messages:?}");
        for from in ["somebody!", "avito:shop/1"] {
            let messages = wrong(&TRIP.replace("trigger =", &format!("from = [\"{from}\"]\ntrigger =")));
            assert!(messages[0].contains(":6:") && messages[0].contains("flows[0].from"), "{messages:?}");
        }
        let messages = wrong(&format!("listen = \"127.0.0.1:1\"\n{TRIP}"));
        assert!(
            messages[0].contains(":1:") && messages[0].contains("move it to the settings file"),
            "{messages:?}"
        );
    }

    #[test]
    fn accounts_that_are_not_there_are_named_with_their_line() {
        let accounts: Vec<AccountName> = ["main", "fifth"].map(|name| name.parse().expect("a name")).into();
        let doubts = |text: &str| {
            let (_, doubts) = check_flows(text, Path::new("/trip.toml"), &accounts).expect("flows");
            doubts.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(doubts(TRIP), Vec::<String>::new());
        let found = doubts(&TRIP.replace("\"main\"", "\"mian\""));
        assert!(
            found.len() == 1
                && found[0].contains(":4:")
                && found[0].contains("`flows[0].account` is \"mian\", and there is no account of this name")
                && found[0].contains("did you mean main?"),
            "{found:?}"
        );
        let several = TRIP.replace("account = \"main\"", "accounts = [\"main\", \"x\", \"fifth\", \"y\"]");
        let found = doubts(&several);
        assert!(
            found.len() == 2 && found[1].contains("is \"y\"") && found[1].contains("main, fifth"),
            "{found:?}"
        );
    }

    #[test]
    fn files_of_the_folder_join_the_settings() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("switchboard.toml");
        std::fs::write(&file, TRIP).expect("written");
        std::fs::create_dir(folder.path().join(FOLDER)).expect("made");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(FOLDER).join(name), text).expect("written");
        };
        write("more.toml", &TRIP.replace("\"trip\"", "\"ride\""));
        write("notes.txt", "no flow");
        let settings = Settings::load(Some(&file), []).expect("settings");
        let names: Vec<_> = settings.flows.iter().map(|flow| flow.name.as_str()).collect();
        assert_eq!(names, ["trip", "ride"]);
        write("again.toml", TRIP);
        let message = Settings::load(Some(&file), []).expect_err("twice").to_string();
        assert!(message.contains("again.toml:1:1") && message.contains("another file has too"), "{message}");
        let (settings, wrong) = Settings::load_at_start(Some(&file), []).expect("settings");
        assert_eq!((settings.flows.len(), wrong.len()), (2, 1), "the others are in use");
        let files = flow_files(&file).expect("files");
        let found: Vec<_> = files.iter().map(|file| (file.flows.len(), file.problems.clone())).collect();
        assert_eq!(found, [(0, wrong), (1, Vec::new())]);
    }
}
