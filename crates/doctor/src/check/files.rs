//! Rights of files: what holds secrets is for its owner alone.

use std::path::PathBuf;

use super::finding;
use super::sessions::quoted;
use crate::finding::{Code, Finding, Fix, Severity};
use crate::report::{Area, Section};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Directory,
    /// Something in it: others may not even read it.
    Data,
    /// A session: one who reads it is the account.
    Session,
    /// The settings with secrets in them: its group may read them.
    Settings,
}

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    pub(crate) owner: u32,
}

/// `owner` owns the data directory.
pub(crate) fn check(files: &[File], owner: Option<u32>) -> Section {
    let mut section = Section::new(Area::Files);
    section.fact("files looked at", files.len().to_string());
    for file in files {
        section.findings.extend(too_open(file));
        let belongs = matches!(file.kind, Kind::Data);
        if let Some(owner) = owner.filter(|owner| belongs && *owner != file.owner) {
            section.findings.push(
                finding(
                    Code::FileOfAnother,
                    Severity::Warning,
                    file.path.display().to_string(),
                    format!("{} belongs to another user than the data directory; the server may not be able to open it.", file.path.display()),
                    Fix::command(format!("chown {owner} {}", quoted(&file.path))),
                )
                .shown_by([format!("owner {} instead of {owner}", file.owner)]),
            );
        }
    }
    section
}

fn too_open(file: &File) -> Option<Finding> {
    let (forbidden, right) = match file.kind {
        Kind::Directory => (0o077, "700"),
        Kind::Data | Kind::Session => (0o077, "600"),
        Kind::Settings => (0o027, "640"),
    };
    let open = file.mode & forbidden;
    if open == 0 {
        return None;
    }
    // In a directory that is closed, what is in it cannot be reached; it is listed all the same, since it gets copied.
    let others = open & 0o007;
    let severity = if file.kind == Kind::Data && others == 0 { Severity::Warning } else { Severity::Error };
    let what = if others > 0 { "everyone on this machine" } else { "its group" };
    Some(
        finding(
            Code::FileOpenToOthers,
            severity,
            file.path.display().to_string(),
            format!("{} is open to {what}.", file.path.display()),
            Fix::command(format!("chmod {right} {}", quoted(&file.path))),
        )
        .shown_by([format!("mode {:04o}", file.mode)]),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_command_mends_it(mode in 0_u32..0o1000, kind in 0_usize..4) {
            let kind = [Kind::Directory, Kind::Data, Kind::Session, Kind::Settings][kind];
            let file = |mode| File { path: "/data/x".into(), kind, mode, owner: 7 };
            if let Some(found) = too_open(&file(mode)) {
                let Fix::Command { command, .. } = found.fix else { panic!("a command") };
                let right = command.split(' ').nth(1).and_then(|text| u32::from_str_radix(text, 8).ok()).expect("a mode");
                prop_assert_eq!(too_open(&file(right)), None);
            } else {
                prop_assert_eq!(mode & 0o007, 0);
            }
        }
    }

    #[test]
    fn a_foreign_owner_in_the_directory_is_reported() {
        let file = |kind, owner| File { path: "/data/x".into(), kind, mode: 0o600, owner };
        let codes =
            |files: &[File]| check(files, Some(7)).findings.iter().map(|one| one.code).collect::<Vec<_>>();
        assert_eq!(codes(&[file(Kind::Data, 7), file(Kind::Session, 0), file(Kind::Settings, 0)]), []);
        assert_eq!(codes(&[file(Kind::Data, 0)]), [Code::FileOfAnother]);
    }
}
