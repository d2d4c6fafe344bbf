//! Files of the data directory and those that hold secrets, with their rights; and the room on the disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::check::disk::Room;
use crate::check::files::{File, Kind};
use machine::read_text;

/// The largest settings file that is looked into for secrets.
const LARGEST_SETTINGS: u64 = 4 * 1024 * 1024;

/// The most files of the data directory that are looked at.
const MOST: usize = 1_000;

/// All files whose rights matter, and who owns the data directory.
pub(crate) fn rights(
    data_dir: &Path,
    settings: Option<&Path>,
    sessions: &[PathBuf],
) -> (Vec<File>, Option<u32>) {
    let mut found = Vec::new();
    let directory = look(data_dir, Kind::Directory);
    let owner = directory.as_ref().map(|directory| directory.owner);
    found.extend(directory);
    let mut inside: Vec<_> =
        fs::read_dir(data_dir).into_iter().flatten().flatten().take(MOST).map(|entry| entry.path()).collect();
    inside.sort();
    let is_settings = |path: &Path| Some(path) == settings;
    // An empty file has nothing to hide; a socket is as long, and has.
    let is_empty = |file: &fs::Metadata| file.is_file() && file.len() == 0;
    let counts = |file: fs::Metadata| !file.is_dir() && !file.is_symlink() && !is_empty(&file);
    let is_file = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(counts);
    found.extend(
        inside
            .into_iter()
            .filter(|path| is_file(path) && !is_settings(path))
            .filter_map(|path| look(&path, Kind::Data)),
    );
    for session in sessions {
        if !found.iter().any(|file| file.path == *session) {
            found.extend(look(session, Kind::Session));
        }
    }
    if let Some(settings) = settings.filter(|settings| holds_secrets(settings)) {
        found.extend(look(settings, Kind::Settings));
    }
    (found, owner)
}

fn look(path: &Path, kind: Kind) -> Option<File> {
    let metadata = fs::metadata(path).ok()?;
    Some(File { path: path.to_owned(), kind, mode: metadata.mode() & 0o7777, owner: metadata.uid() })
}

/// Whether a settings file has secrets in itself, instead of saying where they are.
fn holds_secrets(settings: &Path) -> bool {
    let Ok(text) = read_text(settings, LARGEST_SETTINGS) else { return false };
    let Ok(table) = text.parse::<toml::Table>() else { return false };
    holds_a_secret(&toml::Value::Table(table))
}

fn holds_a_secret(value: &toml::Value) -> bool {
    match value {
        toml::Value::Table(table) => table.iter().any(|(key, value)| match value {
            toml::Value::String(text) => {
                matches!(
                    key.as_str(),
                    "api_hash" | "string" | "secret" | "client_secret" | "password" | "token" | "expect"
                ) || (matches!(key.as_str(), "url" | "proxy") && text.contains('@'))
            }
            other => holds_a_secret(other),
        }),
        toml::Value::Array(items) => items.iter().any(holds_a_secret),
        _ => false,
    }
}

/// The room on the disk of a folder, or of the nearest one above it that is there.
pub(crate) fn room(folder: &Path) -> Result<Room, String> {
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(folder);
    let stat = rustix::fs::statvfs(there).map_err(|error| error.to_string())?;
    Ok(Room {
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
        total: stat.f_blocks.saturating_mul(stat.f_frsize),
        files: Some(stat.f_favail).filter(|_| stat.f_files > 0),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_settings_file_counts_when_it_has_secrets_itself() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("switchboard.toml");
        for (text, expected) in [
            ("[[telegram.accounts]]\napi_hash = \"0123\"", true),
            ("[[telegram.accounts]]\napi_hash = { env = \"X\" }", false),
            ("[[doctor.webhooks]]\nexpect = \"https://example.com/hook\"", true),
            ("[[doctor.webhooks]]\nclient_secret = \"0123\"", true),
            ("[[doctor.webhooks]]\nexpect = { env = \"X\" }", false),
            ("[store]\nurl = \"sqlite:x.db\"", false),
            ("[store]\nurl = \"postgres://demo:word@example.com/x\"", true),
            ("broken = [", false),
        ] {
            fs::write(&file, text).expect("written");
            assert_eq!(holds_secrets(&file), expected, "{text}");
        }
    }

    #[test]
    fn files_in_the_data_directory_are_checked_and_links_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("switchboard.db");
        fs::write(&file, "x").expect("written");
        fs::write(folder.path().join("empty"), "").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).expect("linked");
        fs::create_dir(folder.path().join("media")).expect("made");
        let (found, owner) = rights(folder.path(), None, std::slice::from_ref(&file));
        assert_eq!(
            found.iter().map(|one| (one.kind, one.mode)).collect::<Vec<_>>()[1..],
            [(Kind::Data, 0o644)]
        );
        assert_eq!(owner, found.first().map(|one| one.owner));
        assert!(room(&folder.path().join("not/there")).expect("a disk").total > 0);
    }
}
