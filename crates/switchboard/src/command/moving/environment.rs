//! Settings and secrets of a side: gathered into a parcel on the old one, put in place on the new one.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use config::{NOT_SETTINGS, References};
use domain::{ExposeSecret, SecretText};
use moving::{Failed, Parcel, ParcelFile};
use store::MasterKey;

/// The file of variables that the settings refer to, beside the settings file.
pub(super) const VARIABLES: &str = "switchboard.env";

/// The largest file that goes along, in bytes.
const LARGEST: u64 = 1 << 20;

fn failed(path: &Path, error: &io::Error) -> Failed {
    Failed::refused(format!("{}: {error}", path.display()))
}

/// What the old side has: its master key, its settings, what those refer to, and the variables of its server that are settings.
pub(super) fn gather(
    key: MasterKey,
    settings: Option<&PathBuf>,
    variables: &BTreeMap<String, String>,
) -> Result<Parcel, Failed> {
    let master_key = match key {
        MasterKey::Given(text) => text.expose_secret().to_owned(),
        MasterKey::File(file) => {
            fs::read_to_string(&file).map_err(|error| failed(&file, &error))?.trim().to_owned()
        }
    };
    let environment = variables.iter().filter(|(name, _)| !NOT_SETTINGS.contains(&name.as_str()));
    let environment = environment.map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut parcel = Parcel { master_key: Some(master_key), environment, ..Parcel::default() };
    let Some(settings) = settings else { return Ok(parcel) };
    parcel.settings = Some(fs::read_to_string(settings).map_err(|error| failed(settings, &error))?);
    let References { files, variables: named } =
        References::of(settings).map_err(|error| Failed::refused(error.to_string()))?;
    let folder = settings.parent().unwrap_or(Path::new(""));
    for path in files {
        let file = folder.join(&path);
        let mut bytes = Vec::new();
        File::open(&file)
            .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
            .map_err(|error| failed(&file, &error))?;
        parcel.files.push(ParcelFile { path, bytes });
    }
    for name in named {
        if let Ok(value) = std::env::var(&name) {
            parcel.environment.entry(name).or_insert(value);
        }
    }
    Ok(parcel)
}

/// Puts it in place. What is there already and is the same stays; what is there and is another keeps the move from going on.
pub(super) fn settle(data_dir: &Path, settings: &Path, parcel: &Parcel) -> Result<Vec<String>, Failed> {
    let mut placed = Vec::new();
    let mut put = |path: &Path, bytes: &[u8]| -> Result<(), Failed> {
        if written(path, bytes)? {
            placed.push(path.display().to_string());
        }
        Ok(())
    };
    let key =
        super::super::up::master_key(data_dir).map_err(|error| Failed::refused(format!("{error:#}")))?;
    match (key, &parcel.master_key) {
        (MasterKey::Given(ours), Some(theirs)) if ours.expose_secret() != theirs => {
            return Err(Failed::refused(
                "the new side was given another master key; give it that of the old side",
            ));
        }
        (MasterKey::File(file), Some(theirs)) => put(&data_dir.join(file), theirs.as_bytes())?,
        _ => {}
    }
    // The owner may have written other settings for the new machine.
    if settings.exists() {
        return Ok(placed);
    }
    let folder = settings.parent().unwrap_or(Path::new(""));
    for ParcelFile { path, bytes } in &parcel.files {
        put(&folder.join(path), bytes)?;
    }
    if !parcel.environment.is_empty() {
        put(&folder.join(VARIABLES), lines(&parcel.environment).as_bytes())?;
    }
    if let Some(text) = &parcel.settings {
        // The last: what it refers to is there then.
        put(settings, text.as_bytes())?;
    }
    Ok(placed)
}

/// Writes a file that is not there, for its owner alone; false where the same is there.
fn written(path: &Path, bytes: &[u8]) -> Result<bool, Failed> {
    match fs::read(path) {
        Ok(there) if there.trim_ascii() == bytes.trim_ascii() => return Ok(false),
        Ok(_) => {
            let what =
                format!("{} is there and is another than on the old side; move it away", path.display());
            return Err(Failed::refused(what));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(path, &error)),
        Err(_) => {}
    }
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("/"));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let fresh = PathBuf::from(name);
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
        made.write_all(bytes)?;
        made.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(folder)?.sync_all()
    };
    write().map(|()| true).map_err(|error: io::Error| failed(path, &error))
}

/// A value as systemd and this program read it in a file of variables.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Variables as a file of them has them.
pub(super) fn lines(variables: &BTreeMap<String, String>) -> String {
    variables.iter().fold(String::new(), |lines, (name, value)| lines + name + "=" + &quoted(value) + "\n")
}

/// The variables of a side that came with its settings.
pub(super) fn variables(settings: &Path) -> BTreeMap<String, String> {
    read_variables(&settings.with_file_name(VARIABLES))
}

/// Those of a file of variables; none where there is no such file. A value may be quoted, and have several lines then.
pub(super) fn read_variables(file: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut variables = BTreeMap::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        rest = after;
        let Some((name, value)) = line.split_once('=').filter(|_| !line.trim_start().starts_with(['#', ';']))
        else {
            continue;
        };
        let value = match whole(value, after) {
            Some((value, left)) => {
                rest = left;
                value
            }
            None => value.trim().to_owned(),
        };
        variables.insert(name.trim().to_owned(), value);
    }
    variables
}

/// A quoted value, which may go on in the lines `after`, and what follows it. None where it is not quoted to its end.
fn whole<'a>(value: &str, after: &'a str) -> Option<(String, &'a str)> {
    let quote = value.trim_start().chars().next().filter(|first| matches!(first, '"' | '\''))?;
    let (mut text, mut left) = (value.trim_start().get(1..)?.to_owned(), after);
    loop {
        if let Some(end) = closing(&text, quote) {
            let (inner, behind) = text.split_at(end);
            let inner = match quote {
                '"' => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
                _ => inner.to_owned(),
            };
            return (behind.trim_end().len() == 1).then_some((inner, left));
        }
        if left.is_empty() {
            return None;
        }
        let (line, rest) = left.split_once('\n').unwrap_or((left, ""));
        text.extend(["\n", line]);
        left = rest;
    }
}

/// Where the quote is that ends a text: in double quotes one behind a backslash does not.
fn closing(text: &str, quote: char) -> Option<usize> {
    let is_escaped = |before: &str| (before.len() - before.trim_end_matches('\\').len()) % 2 == 1;
    let mut quotes = text.match_indices(quote).map(|(at, _)| at);
    quotes.find(|at| quote == '\'' || !is_escaped(&text[..*at]))
}

/// The key that the new side makes for a move: the public part, and the secret one, which is kept until the parcel was opened.
pub(super) fn recipient(data_dir: &Path) -> Result<String, Failed> {
    let recipient = moving::recipient();
    let file = identity(data_dir);
    match fs::remove_file(&file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&file, &error)),
        _ => {}
    }
    written(&file, recipient.secret.expose_secret().as_bytes())?;
    Ok(recipient.public)
}

/// Opens the parcel; its key is removed when what was in it is in place. One that came in a bundle is for the bundle's key.
pub(super) fn open(data_dir: &Path, sealed: &[u8], key: Option<&str>) -> Result<Parcel, Failed> {
    let file = match key {
        Some(_) => data_dir.join(moving::FOLDER).join(moving::BUNDLE_KEY),
        None => identity(data_dir),
    };
    let secret = fs::read_to_string(&file).map_err(|error| failed(&file, &error))?;
    moving::open_parcel(sealed, &SecretText::from(secret)).map_err(|error| Failed::refused(error.to_string()))
}

pub(super) fn forget_recipient(data_dir: &Path) {
    // What cannot be removed is replaced by the next one.
    let _ = fs::remove_file(identity(data_dir));
}

fn identity(data_dir: &Path) -> PathBuf {
    data_dir.join(moving::FOLDER).join("identity")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gathered_environment_is_installed_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (folder.path().join("old"), folder.path().join("new"));
        fs::create_dir_all(old.join("secrets")).expect("made");
        fs::write(old.join("master.key"), "ab".repeat(32)).expect("written");
        fs::write(old.join("secrets/hash"), "0123").expect("written");
        let settings = old.join("switchboard.toml");
        let text = "[[telegram.accounts]]\nname = \"main\"\napi_hash = { file = \"secrets/hash\" }\n";
        fs::write(&settings, text).expect("written");
        let variables = BTreeMap::from([("SWITCHBOARD_CONFIG".to_owned(), "/etc/a".to_owned())]);
        let key = MasterKey::File(old.join("master.key"));
        let mut parcel = gather(key, Some(&settings), &variables).expect("gathered");
        assert!(parcel.environment.is_empty(), "where the old side has its files is nothing for the new one");
        parcel.environment.insert("HASH".into(), "a \"b\" \\c".into());
        parcel.environment.insert("KEY".into(), "-----BEGIN\nHASH=other\n\\\"\nEND-----\n".into());
        let to = new.join("switchboard.toml");
        assert_eq!(settle(&new, &to, &parcel).expect("placed").len(), 4);
        assert_eq!(settle(&new, &to, &parcel).expect("there").len(), 0);
        assert_eq!(fs::read_to_string(&to).expect("there"), text);
        assert_eq!(fs::read_to_string(new.join("secrets/hash")).expect("there"), "0123");
        assert_eq!(super::variables(&to), parcel.environment);
        let file = folder.path().join("by-hand.env");
        fs::write(&file, "A=\"x\" # y\nB='z\n'\n#C=1\nD=\"open\nE=e\n").expect("written");
        let read = read_variables(&file);
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("A", "\"x\" # y"), ("B", "z\n"), ("D", "\"open"), ("E", "e")]);
        parcel.master_key = Some("cd".repeat(32));
        assert!(settle(&new, &to, &parcel).expect_err("another key").what.contains("master.key"));
    }
}
