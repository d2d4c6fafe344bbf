//! Unit files of the service manager: what they start, as whom, and whether it is started again. Only read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{file_name, read_text};

/// The largest unit file read, and the most of them in a folder.
const LARGEST: u64 = 256 * 1024;
const MOST: usize = 5_000;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unit {
    /// Its name, such as `old-gateway.service`.
    pub name: String,
    pub file: PathBuf,
    /// The words of the command it starts.
    pub command: Vec<String>,
    /// The user it runs as; nothing when it does not say.
    pub user: Option<String>,
    /// Whether it gets a user of its own while it runs.
    pub dynamic_user: bool,
    /// When it is started again: `no` unless it says otherwise.
    pub restart: String,
    pub folder: Option<PathBuf>,
    /// Whether it is started at boot.
    pub enabled: bool,
}

/// The service units of these folders; of several with one name, the first counts, as it does for the service manager.
pub fn units(folders: &[PathBuf]) -> Vec<Unit> {
    let mut found: BTreeMap<String, Unit> = BTreeMap::new();
    for folder in folders {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(MOST) {
            let path = entry.path();
            let name = file_name(&path);
            if path.extension().is_none_or(|extension| extension != "service") || found.contains_key(&name) {
                continue;
            }
            if let Some(unit) = read(&path, folders) {
                found.insert(name, unit);
            }
        }
    }
    found.into_values().collect()
}

fn read(path: &Path, folders: &[PathBuf]) -> Option<Unit> {
    let name = file_name(path);
    let mut text = read_text(path, LARGEST).ok()?;
    for folder in folders {
        let mut more: Vec<_> = fs::read_dir(folder.join(format!("{name}.d")))
            .into_iter()
            .flatten()
            .flatten()
            .map(|one| one.path())
            .collect();
        more.sort();
        for file in more.iter().filter(|file| file.extension().is_some_and(|end| end == "conf")) {
            text.push('\n');
            text.push_str(&read_text(file, LARGEST).unwrap_or_default());
        }
    }
    let enabled = folders.iter().any(|folder| is_wanted(folder, &name));
    Some(Unit { file: path.to_owned(), enabled, ..parse(&name, &text) })
}

/// Whether another unit pulls this one in: it is linked in a folder `….wants` or `….requires`.
fn is_wanted(folder: &Path, name: &str) -> bool {
    let wants = |entry: &fs::DirEntry| {
        let folder = PathBuf::from(entry.file_name());
        folder.extension().is_some_and(|extension| extension == "wants" || extension == "requires")
    };
    let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.any(|entry| wants(&entry) && fs::symlink_metadata(entry.path().join(name)).is_ok())
}

/// Reads the section `[Service]`. A later line counts more; an empty one takes back what was said.
fn parse(name: &str, text: &str) -> Unit {
    let mut unit = Unit { name: name.to_owned(), restart: "no".to_owned(), ..Unit::default() };
    let mut service = false;
    let joined = text.replace("\\\n", " ");
    for line in joined.lines().map(str::trim) {
        if line.starts_with('[') {
            service = line == "[Service]";
            continue;
        }
        if !service || line.starts_with(['#', ';']) {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        let given = Some(value.to_owned()).filter(|value| !value.is_empty());
        match key.trim() {
            "ExecStart" if value.is_empty() => unit.command.clear(),
            // Of several commands of a oneshot the first is the one that names it.
            "ExecStart" if unit.command.is_empty() => unit.command = words(value),
            "User" => unit.user = given,
            "DynamicUser" => unit.dynamic_user = matches!(value, "yes" | "true" | "1" | "on"),
            "Restart" => unit.restart = given.unwrap_or_else(|| "no".to_owned()),
            "WorkingDirectory" => {
                unit.folder = given.map(|folder| PathBuf::from(folder.trim_start_matches('-')));
            }
            _ => {}
        }
    }
    unit
}

/// The words of a command, quotes taken off. What precedes the program's name changes how it is run.
fn words(command: &str) -> Vec<String> {
    let command = command.trim_start_matches(['@', '-', ':', '+', '!']);
    let (mut words, mut word, mut quote, mut begun) = (Vec::new(), String::new(), None, false);
    for letter in command.chars() {
        match (quote, letter) {
            (Some(end), letter) if letter == end => quote = None,
            (None, '"' | '\'') => (quote, begun) = (Some(letter), true),
            (None, letter) if letter.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, letter) => {
                word.push(letter);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "[Unit]\nDescription=Old\nRestart=always\n\n[Service]\n# User=root\nUser=demo\n\
        ExecStart=-/usr/bin/python3 \\\n  \"/srv/old/create chat.py\" --port 5021\nWorkingDirectory=-/srv/old\n\
        [Install]\nWantedBy=multi-user.target\n";

    #[test]
    fn only_the_service_section_counts() {
        let unit = parse("old.service", UNIT);
        assert_eq!(unit.command, ["/usr/bin/python3", "/srv/old/create chat.py", "--port", "5021"]);
        assert_eq!((unit.user.as_deref(), unit.restart.as_str()), (Some("demo"), "no"));
        assert_eq!(unit.folder, Some(PathBuf::from("/srv/old")));
        assert!(!parse("x.service", "\u{0}[Service\nExecStart").enabled);
    }

    #[test]
    fn drop_ins_and_links_are_heeded() {
        let folder = tempfile::tempdir().expect("a folder");
        let (etc, lib) = (folder.path().join("etc"), folder.path().join("lib"));
        for made in [etc.join("old.service.d"), etc.join("multi-user.target.wants"), lib.clone()] {
            fs::create_dir_all(made).expect("made");
        }
        fs::write(lib.join("old.service"), UNIT).expect("written");
        fs::write(etc.join("old.service.d/restart.conf"), "[Service]\nRestart=on-failure\nUser=\n")
            .expect("written");
        std::os::unix::fs::symlink("/nowhere", etc.join("multi-user.target.wants/old.service"))
            .expect("linked");
        let [unit] = units(&[etc, lib]).try_into().expect("one unit");
        assert_eq!((unit.restart.as_str(), unit.user, unit.enabled), ("on-failure", None, true));
    }
}
