//! Units of the service manager, and whose each is.

use std::path::{Path, PathBuf};

use crate::check::units::{ClassifiedUnit, Whose, is_ours};
use legacy_survey::{Script, script_of};
use machine::{Root, Unit, units as read};

/// Where unit files are; the first place counts most.
const FOLDERS: [&str; 4] =
    ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];

/// All service units of the machine and those of further folders.
pub(crate) fn all(root: &Root, more: &[PathBuf]) -> Vec<Unit> {
    let folders: Vec<PathBuf> =
        FOLDERS.iter().map(|folder| root.at(folder)).chain(more.iter().cloned()).collect();
    read(&folders)
}

/// Whose each unit is. An old script's starts Python with a source that is one of the old scripts; `folder` is that of an
/// old installation: whatever starts something in it is an old script's.
pub(crate) fn classified(units: Vec<Unit>, folder: Option<&Path>) -> Vec<ClassifiedUnit> {
    units
        .into_iter()
        .map(|unit| {
            let whose = if is_ours(&unit) {
                Whose::Ours
            } else {
                old(&unit, folder).map_or(Whose::Foreign, Whose::Old)
            };
            ClassifiedUnit { unit, whose }
        })
        .collect()
}

fn old(unit: &Unit, folder: Option<&Path>) -> Option<Script> {
    let file = script_of(unit)?;
    let read = Script::read(&file).unwrap_or_default();
    let inside = folder.is_some_and(|folder| file.starts_with(folder));
    // Of the scripts elsewhere only those that serve what the old ones did: a bot of someone else speaks to Telegram too.
    (inside || !read.services.is_empty()).then_some(read)
}
