//! The archive of a target: the program, the licences and the README in one folder.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::target::Target;
use super::{PRODUCT, Release, open_to_all, place_program};
use crate::program;

/// Writes the archive and returns its file name.
pub(super) fn write(release: &Release<'_>, target: &Target, program: &Path) -> Result<String> {
    let name = format!("{PRODUCT}-{}-{target}", release.version);
    let file = format!("{name}.tar.gz");
    let stage = release.stage("archive")?;
    let contents = stage.join(&name);
    place_program(&contents.join(PRODUCT), program)?;
    release.add_documents(&contents)?;
    open_to_all(&contents)?;
    let mut tar = Command::new("tar");
    tar.args(["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
    tar.arg(format!("--mtime=@{}", release.epoch));
    tar.arg(format!("--use-compress-program=gzip -n -{}", release.compression));
    tar.arg("--file").arg(release.folder.join(&file)).arg("--directory").arg(&stage).arg(&name);
    program::output(&mut tar)?;
    Ok(file)
}
