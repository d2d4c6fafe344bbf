//! The files that a side uses. When the old side retires, it keeps those that the new side uses too.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use config::References;
use moving::{Journal, Step};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use systemd::Systemd;

use super::auditing;
use super::environment::VARIABLES;

/// A file that both sides recognize, whatever path each of them has to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UsedFile {
    file: PathBuf,
    /// The start of the kernel that numbered the device.
    boot: String,
    device: u64,
    inode: u64,
    bytes: u64,
    changed_s: i64,
    changed_ns: i64,
}

impl UsedFile {
    /// None where there is no such file. A link is the file that it leads to.
    pub(super) fn of(file: &Path) -> Option<Self> {
        let metadata = fs::metadata(file).ok()?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Some(Self {
            file: file.to_owned(),
            boot: boot.trim().to_owned(),
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            changed_s: metadata.mtime(),
            changed_ns: metadata.mtime_nsec(),
        })
    }

    /// Whether both are one file: by device and inode under one kernel. Two machines that share a file system agree on the
    /// inode, the size and the time of the last change.
    fn is(&self, other: &Self) -> bool {
        let on_one_kernel = self.boot == other.boot && self.device == other.device;
        let looks_the_same =
            (self.bytes, self.changed_s, self.changed_ns) == (other.bytes, other.changed_s, other.changed_ns);
        self.inode == other.inode && (on_one_kernel || looks_the_same)
    }
}

/// The files that a side needs to run: its settings, what they name, its master key and what its service is given.
pub(super) async fn used(data_dir: &Path, settings: &Path, unit: Option<&str>) -> Vec<UsedFile> {
    let mut files =
        vec![data_dir.join("master.key"), settings.to_owned(), settings.with_file_name(VARIABLES)];
    let folder = settings.parent().unwrap_or(Path::new(""));
    if let Ok(References { files: named, .. }) = References::of(settings) {
        files.extend(named.iter().map(|file| folder.join(file)));
    }
    if let Some(unit) = unit
        && let Ok(given) = Systemd::of_machine().given(unit).await
    {
        files.extend(given.credentials.into_iter().map(|(_, file)| file).chain(given.environment));
    }
    files.iter().filter_map(|file| UsedFile::of(file)).collect()
}

/// What the new side of a move uses: as it reported during the move, as it says now in `monitored` where it is asked, and as it
/// is now, where this side sees its files.
pub(super) async fn of_new_side(journal: &Journal, monitored: &Value, unit: Option<&str>) -> Vec<UsedFile> {
    let reported = [journal.facts(Step::Monitor), monitored].map(|facts| facts["uses"].clone());
    let reported = reported.into_iter().filter_map(|uses| serde_json::from_value(uses).ok());
    let mut files: Vec<UsedFile> = reported.flat_map(|uses: Vec<UsedFile>| uses).collect();
    let new = journal.facts(Step::AuditNew);
    let path = |value: &Value| value.as_str().map(PathBuf::from);
    if let (true, Some(data_dir)) = (new["file_systems"] == auditing::file_systems(), path(&new["data_dir"]))
    {
        let settings = path(&new["settings_file"]).unwrap_or_else(|| data_dir.join("switchboard.toml"));
        files.extend(used(&data_dir, &settings, unit).await);
    }
    files
}

/// Whether a file is one of these.
pub(super) fn is_among(file: &Path, used: &[UsedFile]) -> bool {
    UsedFile::of(file).is_some_and(|file| used.iter().any(|other| file.is(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_recognized_by_whatever_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("new")).expect("made");
        fs::write(path("hash"), "0123").expect("written");
        let text = "[[telegram.accounts]]\nname = \"main\"\napi_hash = { file = \"../hash\" }\n";
        fs::write(path("new/switchboard.toml"), text).expect("written");
        fs::write(path("other"), "0123").expect("written");
        std::os::unix::fs::symlink(path("hash"), path("link")).expect("linked");
        fs::hard_link(path("new/switchboard.toml"), path("hard")).expect("linked");
        let used = used(&path("new"), &path("new/switchboard.toml"), None).await;
        assert_eq!(used.len(), 2, "{used:?}");
        for (name, is_used) in [
            ("hash", true),
            ("new/../hash", true),
            ("link", true),
            ("hard", true),
            ("other", false),
            ("none", false),
        ] {
            assert_eq!(is_among(&path(name), &used), is_used, "{name}");
        }
        // Another machine numbers devices in its own way.
        let elsewhere = |file: &UsedFile| UsedFile { boot: "other".into(), device: 0, ..file.clone() };
        let shared: Vec<_> = used.iter().map(elsewhere).collect();
        assert!(is_among(&path("hash"), &shared) && !is_among(&path("other"), &shared));
        let copied: Vec<_> =
            shared.iter().map(|file| UsedFile { changed_ns: file.changed_ns + 1, ..file.clone() }).collect();
        assert!(!is_among(&path("hash"), &copied));
    }
}
