//! A bundle: all of a move in one file that a person carries, encrypted to the side that it is for.
//!
//! Inside the encryption: a line that says what it is, the length of the head and the head as JSON, then the files one behind the other. The
//! encryption proves that nothing is missing or changed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::{ExposeSecret, SecretText};
use serde::{Deserialize, Serialize};
use store::Side;

use crate::audit::Audit;
use crate::files::{self, FileEntry, incoming};
use crate::journal::Journal;

const MARK: &[u8] = b"switchboard-bundle/1\n";

/// The longest head, in bytes.
const LONGEST: u32 = 32 << 20;

/// A ticket: what a side gives to the one that is to send it a bundle. Who has it can make bundles that this side takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ticket {
    pub side: Side,
    /// The key that bundles for it are encrypted to.
    pub recipient: String,
    /// The largest number of a fence that it knows.
    pub number: i64,
    pub audit: Audit,
}

/// What precedes the files of a bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) journal: Journal,
    /// The parcel with the secrets, sealed for the same side; none on the way back.
    pub(crate) sealed: Option<String>,
    /// The key that a bundle back is encrypted to.
    pub(crate) back_to: String,
    pub(crate) files: Vec<FileEntry>,
}

/// A bundle cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error("{}: {source}", file.display())]
    File {
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    #[error("what the ticket says to encrypt to is no key of age: {0}")]
    NoRecipient(String),
    #[error("{} cannot be opened: {why}; is it the bundle that was made with the newest ticket of this side?", file.display())]
    NotOpened { file: PathBuf, why: String },
    #[error("{} is not whole, or is no bundle of a move; copy it again", .0.display())]
    NotWhole(PathBuf),
}

/// Writes a bundle; it is there whole, or not at all. Without `data_dir` it has no files. Blocks.
pub(crate) fn write(
    file: &Path,
    head: &Head,
    data_dir: Option<&Path>,
    recipient: &str,
) -> Result<u64, BundleError> {
    let failed = |source| BundleError::File { file: file.to_owned(), source };
    let recipient: age::x25519::Recipient =
        recipient.parse().map_err(|error: &str| BundleError::NoRecipient(error.to_owned()))?;
    let to_one: [&dyn age::Recipient; 1] = [&recipient];
    let encryptor = age::Encryptor::with_recipients(to_one.into_iter())
        .map_err(|error| BundleError::NoRecipient(error.to_string()))?;
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let write = || {
        match fs::remove_file(&part) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        let mut to = encryptor.wrap_output(BufWriter::new(made))?;
        let text = serde_json::to_vec(head)?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        to.write_all(MARK)?;
        to.write_all(&length.to_be_bytes())?;
        to.write_all(&text)?;
        let mut bytes = 0;
        if let Some(data_dir) = data_dir {
            for entry in &head.files {
                let from = File::open(data_dir.join(&entry.name))?;
                if io::copy(&mut from.take(entry.bytes), &mut to)? != entry.bytes {
                    return Err(io::Error::other(format!("{} changes while it is read", entry.name)));
                }
                bytes += entry.bytes;
            }
        }
        let made = to.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        made.sync_all()?;
        fs::rename(&part, file)?;
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(bytes)
    };
    write().inspect_err(|_: &io::Error| drop(fs::remove_file(&part))).map_err(failed)
}

/// Reads a bundle: its head first, which says whether it is wanted; then its files into the folder that files come over into. Blocks.
pub(crate) fn read<E: From<BundleError>>(
    file: &Path,
    with: &SecretText,
    data_dir: &Path,
    wanted: impl FnOnce(&Head) -> Result<(), E>,
) -> Result<Head, E> {
    let not_whole = || E::from(BundleError::NotWhole(file.to_owned()));
    let not_opened = |why: String| E::from(BundleError::NotOpened { file: file.to_owned(), why });
    let failed = |source| E::from(BundleError::File { file: file.to_owned(), source });
    let identity: age::x25519::Identity =
        with.expose_secret().parse().map_err(|error: &str| not_opened(error.to_owned()))?;
    let opened = File::open(file).map_err(failed)?;
    let decryptor =
        age::Decryptor::new(BufReader::new(opened)).map_err(|error| not_opened(error.to_string()))?;
    let with_one: [&dyn age::Identity; 1] = [&identity];
    let mut from = decryptor.decrypt(with_one.into_iter()).map_err(|error| not_opened(error.to_string()))?;
    let mut mark = [0; MARK.len()];
    let mut length = [0; 4];
    from.read_exact(&mut mark).and_then(|()| from.read_exact(&mut length)).map_err(|_| not_whole())?;
    let length = u32::from_be_bytes(length);
    if mark != *MARK || length > LONGEST {
        return Err(not_whole());
    }
    let mut text = vec![0; length as usize];
    from.read_exact(&mut text).map_err(|_| not_whole())?;
    let head: Head = serde_json::from_slice(&text).map_err(|_| not_whole())?;
    if head.files.iter().any(|entry| !files::belongs(&entry.name)) {
        return Err(not_whole());
    }
    wanted(&head)?;
    let folder = incoming(data_dir);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    for entry in &head.files {
        let to = folder.join(&entry.name);
        match placed(&mut (&mut from).take(entry.bytes), &to) {
            Ok(copied) if copied == entry.bytes => {}
            Ok(_) => return Err(not_whole()),
            // What is cut off or changed shows when it is decrypted.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                return Err(not_whole());
            }
            Err(source) => return Err(BundleError::File { file: to, source }.into()),
        }
    }
    // Only at its end is it proved that nothing was cut off.
    if from.read(&mut [0; 1]).map_err(|_| not_whole())? > 0 {
        return Err(not_whole());
    }
    Ok(head)
}

/// Writes a file that came in a bundle; how many bytes it has.
fn placed(from: &mut impl Read, to: &Path) -> io::Result<u64> {
    if let Some(folder) = to.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
    let copied = io::copy(from, &mut made)?;
    made.sync_all()?;
    Ok(copied)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parcel::recipient;

    fn head(files: Vec<FileEntry>) -> Head {
        let side = |id: &str| Side { id: id.into(), name: id.into() };
        let journal = Journal::new("01".into(), side("old"), side("new"), 1);
        Head { journal, sealed: None, back_to: String::new(), files }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_packed_bundle_is_unpacked_or_refused(length in 0_usize..200_000, cut in any::<prop::sample::Index>(), flipped in any::<prop::sample::Index>()) {
            let folder = tempfile::tempdir().unwrap();
            let (old, new, file) = (folder.path().join("old"), folder.path().join("new"), folder.path().join("a.age"));
            fs::create_dir_all(old.join("outgoing")).unwrap();
            let bytes: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            fs::write(old.join("switchboard.db"), &bytes).unwrap();
            fs::write(old.join("outgoing/1"), b"file").unwrap();
            let key = recipient();
            write(&file, &head(files::list(&old, None).unwrap()), Some(&old), &key.public).unwrap();
            let unpack = |file: &Path| read::<BundleError>(file, &key.secret, &new, |_| Ok(()));
            prop_assert_eq!(unpack(&file).unwrap().files.len(), 2);
            prop_assert_eq!(fs::read(incoming(&new).join("switchboard.db")).unwrap(), bytes);
            let whole = fs::read(&file).unwrap();
            let damaged = folder.path().join("b.age");
            fs::write(&damaged, &whole[..cut.index(whole.len())]).unwrap();
            prop_assert!(unpack(&damaged).is_err());
            let mut changed = whole.clone();
            changed[flipped.index(whole.len())] ^= 1;
            fs::write(&damaged, &changed).unwrap();
            prop_assert!(unpack(&damaged).is_err());
            prop_assert!(read::<BundleError>(&file, &recipient().secret, &new, |_| Ok(())).is_err());
        }
    }

    #[test]
    fn an_unwanted_bundle_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (file, key) = (folder.path().join("a.age"), recipient());
        write(&file, &head(Vec::new()), None, &key.public).unwrap();
        let refused = read(&file, &key.secret, folder.path(), |_| Err(BundleError::NotWhole("x".into())));
        assert!(refused.is_err() && !incoming(folder.path()).exists());
    }
}
