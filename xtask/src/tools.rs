//! cargo's subcommands that the checks and the tests run: prebuilt, at the versions of `tools.txt`.

use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{program, python};

/// Returns the command `cargo NAME`, to be run in the workspace's root.
///
/// Installs the pinned versions if it may. Where that fails, it takes the program that the machine has.
pub(crate) fn command(workspace: &Workspace, name: &str, install: bool) -> Result<Command> {
    let requirements = workspace.root.join("xtask/tools.txt");
    let folder = python::folder(workspace, &requirements)?;
    if install && let Err(error) = python::environment(workspace, &requirements) {
        eprintln!("warning: cannot install cargo-{name}: {error:#}");
    }
    let program = format!("cargo-{name}");
    // Not by PATH: the folder has a Python too, which tests must not find there.
    let candidates = [folder.join("bin").join(&program).into_os_string(), program.clone().into()];
    let works = |candidate: &_| program::is_fine(Command::new(candidate).args([name, "--version"]));
    let found = candidates.into_iter().find(works);
    let found = found.with_context(|| {
        format!("{program} is neither installed nor installable here: `cargo install --locked {program}`")
    })?;
    let mut command = Command::new(found);
    program::forget(&mut command);
    command.arg(name).current_dir(&workspace.root);
    Ok(command)
}
