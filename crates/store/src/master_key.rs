//! The master key: given, or kept in a file that only its owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ambient::regular_file;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Secret;
use domain::secret::{ExposeSecret, SecretText, Zeroize};

use crate::error::MasterKeyError;
use crate::vault::Vault;

/// Where the key comes from that secrets in the store are sealed with.
#[derive(Clone)]
pub enum MasterKey {
    /// A file of mode 0600, made with a new key when it is not there yet. A relative path begins at the data directory.
    File(PathBuf),
    /// 64 hexadecimal digits, or 32 bytes in base64.
    Given(SecretText),
}

impl MasterKey {
    /// The same key for a store that is elsewhere: its file stays beside this data directory.
    #[must_use]
    pub fn beside(self, data_dir: &Path) -> Self {
        match self {
            Self::File(file) => Self::File(data_dir.join(file)),
            given @ Self::Given(_) => given,
        }
    }

    pub(crate) fn file(&self, data_dir: &Path) -> Option<PathBuf> {
        match self {
            Self::File(file) => Some(data_dir.join(file)),
            Self::Given(_) => None,
        }
    }

    /// The file of the key that is to take the place of this one, while a rotation is under way.
    pub(crate) fn next_file(&self, data_dir: &Path) -> Option<PathBuf> {
        let mut name = self.file(data_dir)?.into_os_string();
        name.push(".next");
        Some(name.into())
    }

    /// What opens the fields: with this key and, while a rotation is under way, with the next one, which seals then.
    pub(crate) fn vault(&self, data_dir: &Path, in_use: bool) -> Result<Vault, MasterKeyError> {
        let vault = Vault::new(&self.load(data_dir, in_use)?);
        if let Some(next) = self.next(data_dir)? {
            // Nothing was sealed with this one yet.
            let _ = vault.replace(&next);
        }
        Ok(vault)
    }

    fn next(&self, data_dir: &Path) -> Result<Option<Secret<[u8; 32]>>, MasterKeyError> {
        let Some(file) = self.next_file(data_dir) else { return Ok(None) };
        match regular_file::open(&file) {
            Ok(mut opened) => read(&mut opened, &file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(MasterKeyError::Unreadable { file, source }),
        }
    }

    /// The next key; makes it unless an earlier attempt did.
    pub(crate) fn make_next(&self, data_dir: &Path) -> Result<Secret<[u8; 32]>, MasterKeyError> {
        match (self.next(data_dir)?, self.next_file(data_dir)) {
            (Some(next), _) => Ok(next),
            (None, Some(file)) => make(&file),
            (None, None) => Err(MasterKeyError::Malformed { file: None }),
        }
    }

    /// Puts the file of the next key in the place of this one, which is gone with that.
    pub(crate) fn adopt_next(&self, data_dir: &Path) -> Result<(), MasterKeyError> {
        let (Some(file), Some(next)) = (self.file(data_dir), self.next_file(data_dir)) else { return Ok(()) };
        let adopted = fs::rename(next, &file).and_then(|()| sync_folder_of(&file));
        adopted.map_err(|source| MasterKeyError::Unreadable { file, source })
    }

    /// Reads the key. A missing file is made only when nothing was sealed yet.
    pub(crate) fn load(&self, data_dir: &Path, in_use: bool) -> Result<Secret<[u8; 32]>, MasterKeyError> {
        let Some(file) = self.file(data_dir) else {
            let Self::Given(text) = self else { return Err(MasterKeyError::Malformed { file: None }) };
            return parse(text.expose_secret()).ok_or(MasterKeyError::Malformed { file: None });
        };
        match regular_file::open(&file) {
            Ok(mut opened) => read(&mut opened, &file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && in_use => {
                Err(MasterKeyError::Missing { file })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&file),
            Err(source) => Err(MasterKeyError::Unreadable { file, source }),
        }
    }
}

fn read(opened: &mut File, file: &Path) -> Result<Secret<[u8; 32]>, MasterKeyError> {
    let unreadable = |source| MasterKeyError::Unreadable { file: file.to_owned(), source };
    let mode = opened.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(MasterKeyError::TooOpen { file: file.to_owned(), mode });
    }
    let mut text = String::new();
    // Large enough for either form with a line end.
    opened.take(128).read_to_string(&mut text).map_err(unreadable)?;
    let key = parse(&text).ok_or_else(|| MasterKeyError::Malformed { file: Some(file.to_owned()) });
    text.zeroize();
    key
}

fn make(file: &Path) -> Result<Secret<[u8; 32]>, MasterKeyError> {
    let mut key = Box::new([0_u8; 32]);
    getrandom::fill(key.as_mut_slice())
        .map_err(|error| MasterKeyError::NoRandomness { what: error.to_string() })?;
    let key = Secret::new(key);
    let mut text = hex::encode(key.expose_secret());
    text.push('\n');
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".new");
    let written = write(Path::new(&unfinished), &text)
        .and_then(|()| fs::rename(&unfinished, file))
        // What is sealed with the key must never outlive its file's place in the directory.
        .and_then(|()| sync_folder_of(file));
    text.zeroize();
    written.map_err(|source| MasterKeyError::Unreadable { file: file.to_owned(), source })?;
    Ok(key)
}

/// Writes a file for its owner alone, in the place of one that a killed program left.
fn write(file: &Path, text: &str) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    made.write_all(text.as_bytes())?;
    made.sync_all()
}

fn sync_folder_of(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

fn parse(text: &str) -> Option<Secret<[u8; 32]>> {
    let text = text.trim();
    let mut key = Box::new([0_u8; 32]);
    if text.len() == 64 {
        hex::decode_to_slice(text, key.as_mut_slice()).ok()?;
    } else {
        let mut bytes = STANDARD.decode(text).ok()?;
        let right = bytes.len() == key.len();
        if right {
            key.copy_from_slice(&bytes);
        }
        bytes.zeroize();
        if !right {
            return None;
        }
    }
    Some(Secret::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_nothing_else() {
        let hexadecimal = "07".repeat(32);
        let base64 = STANDARD.encode([7_u8; 32]);
        for text in [hexadecimal.as_str(), base64.as_str(), &format!("{hexadecimal}\n")] {
            assert_eq!(parse(text).unwrap().expose_secret(), &[7; 32], "{text}");
        }
        for text in ["", "abc", &"07".repeat(31), &"xy".repeat(32), &STANDARD.encode([7_u8; 31])] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_key_file_is_made_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let key = MasterKey::File("master.key".into());
        let first = key.load(dir.path(), false).unwrap();
        assert_ne!(first.expose_secret(), &[0; 32]);
        assert_eq!(key.load(dir.path(), true).unwrap().expose_secret(), first.expose_secret());
        let file = dir.path().join("master.key");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
        let refused = key.load(dir.path(), true).unwrap_err();
        assert!(matches!(refused, MasterKeyError::TooOpen { mode: 0o640, .. }));
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }

    #[test]
    fn a_missing_key_file_is_not_replaced_once_data_is_sealed() {
        let dir = tempfile::tempdir().unwrap();
        let key = MasterKey::File("master.key".into());
        assert!(matches!(key.load(dir.path(), true), Err(MasterKeyError::Missing { .. })));
        assert!(!dir.path().join("master.key").exists());
    }
}
