//! What is in the folder of an old installation: scripts, session files, unit files. Only read.

use std::fs;
use std::path::{Path, PathBuf};

use domain::UserId;
use session_files::Limit;

use super::Script;

/// How deep folders are looked into, how many entries, and what holds the code of others.
const DEEPEST: usize = 6;
const MOST: usize = 20_000;
const OF_OTHERS: [&str; 8] =
    ["venv", ".venv", "env", "node_modules", ".git", "__pycache__", "site-packages", "dist-packages"];

#[derive(Debug, Default)]
pub struct Contents {
    /// Python scripts, by their paths.
    pub scripts: Vec<(PathBuf, Script)>,
    /// Session files, by their paths.
    pub sessions: Vec<SessionFile>,
    /// Folders that hold unit files.
    pub unit_folders: Vec<PathBuf>,
    /// What was not looked at.
    pub unseen: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFile {
    pub file: PathBuf,
    /// The fingerprint of its key, or why it is no session.
    pub key: Result<String, String>,
    /// Whose the file says it is, and the application that signed in.
    pub user_id: Option<UserId>,
    pub api_id: Option<i32>,
}

/// Looks through a folder. One that cannot be read is listed in `unseen`.
pub fn contents(folder: &Path) -> Contents {
    let mut contents = Contents::default();
    let mut left = MOST;
    walk(folder, 0, &mut left, &mut contents);
    if left == 0 {
        contents
            .unseen
            .push(format!("{} holds more than {MOST} files; the rest was not looked at", folder.display()));
    }
    match session_files::scan(folder) {
        Ok(scan) => {
            contents.unseen.extend(
                scan.limits.iter().filter(|limit| matches!(limit, Limit::Sessions | Limit::Files)).map(
                    |_| {
                        "there are too many files to look at all for sessions; name single folders".to_owned()
                    },
                ),
            );
            contents.sessions = scan.entries.into_iter().map(session).collect();
        }
        Err(error) => contents.unseen.push(format!("{} cannot be read: {error}", folder.display())),
    }
    contents.scripts.sort_by(|one, other| one.0.cmp(&other.0));
    contents.unit_folders.sort();
    contents.unit_folders.dedup();
    contents
}

fn session(entry: session_files::Entry) -> SessionFile {
    let found = entry.outcome.as_ref().ok();
    SessionFile {
        user_id: found.and_then(|found| found.session.user_id),
        api_id: found.and_then(|found| found.session.api_id),
        key: entry
            .outcome
            .map(|found| found.session.key.fingerprint().to_string())
            .map_err(|why| why.to_string()),
        file: entry.path,
    }
}

fn walk(folder: &Path, depth: usize, left: &mut usize, contents: &mut Contents) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            // The folder itself is reported by the search for sessions.
            if depth > 0 {
                contents.unseen.push(format!("{} cannot be read: {error}", folder.display()));
            }
            return;
        }
    };
    for entry in entries.flatten() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            if depth < DEEPEST && !OF_OTHERS.contains(&name.as_str()) {
                walk(&path, depth + 1, left, contents);
            }
        } else if kind.is_file() && path.extension().is_some_and(|extension| extension == "service") {
            contents.unit_folders.push(folder.to_owned());
        } else if kind.is_file()
            && path.extension().is_some_and(|extension| extension == "py")
            && let Some(script) = Script::read(&path)
        {
            contents.scripts.push((path, script));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_units_are_found_and_the_code_of_others_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        for made in ["a/b", "venv/lib", "systemd"] {
            fs::create_dir_all(folder.path().join(made)).expect("made");
        }
        for (path, text) in [
            ("a/b/send.py", "app.run(port=5022)"),
            ("venv/lib/x.py", "app.run(port=1)"),
            ("systemd/old.service", "[Service]"),
            ("broken.session", "no session"),
        ] {
            fs::write(folder.path().join(path), text).expect("written");
        }
        let found = contents(folder.path());
        assert_eq!(
            found.scripts.iter().map(|(_, script)| script.ports.clone()).collect::<Vec<_>>(),
            [vec![5022]]
        );
        assert_eq!(found.unit_folders, [folder.path().join("systemd")]);
        assert!(found.sessions.len() == 1 && found.sessions[0].key.is_err());
        assert_eq!(contents(&folder.path().join("nowhere")).unseen.len(), 1);
    }
}
