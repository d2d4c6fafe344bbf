//! Python environments: one for each list of requirements, made once and used by all clones of a user.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::program;
use crate::system_packages::Wanted;
use crate::workspace::Workspace;

/// The file in an environment that says what was installed into it.
const STAMP: &str = "requirements.installed";

/// The interpreter of the environment in a folder.
pub(crate) fn interpreter(folder: &Path) -> PathBuf {
    folder.join("bin").join("python")
}

/// The folder of the environment with these requirements, whether or not it is there.
pub(crate) fn folder(workspace: &Workspace, requirements: &Path) -> Result<PathBuf> {
    Ok(folder_of(workspace, &stamp(requirements)?))
}

fn folder_of(workspace: &Workspace, stamp: &str) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    stamp.hash(&mut hasher);
    workspace.shared_installed().join(format!("python-{:016x}", hasher.finish()))
}

/// Makes sure that there is an environment with these requirements, and returns its folder.
pub(crate) fn environment(workspace: &Workspace, requirements: &Path) -> Result<PathBuf> {
    PYTHON.ensure()?;
    let wanted = stamp(requirements)?;
    let folder = folder_of(workspace, &wanted);
    let _lock = workspace.lock_installs()?;
    let python = interpreter(&folder);
    let installed = fs::read_to_string(folder.join(STAMP)).unwrap_or_default();
    if installed == wanted && program::is_fine(Command::new(&python).arg("--version")) {
        return Ok(folder);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    program::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    program::run(
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
                "--prefer-binary",
                // Most of the modules are never imported.
                "--no-compile",
            ])
            .arg("--requirement")
            .arg(requirements),
    )?;
    fs::write(folder.join(STAMP), wanted)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    Ok(folder)
}

/// What an environment depends on: the version of Python and the list of requirements.
fn stamp(requirements: &Path) -> Result<String> {
    let list = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read the requirements {}", requirements.display()))?;
    Ok(format!("{}\n{list}", version()?))
}

fn version() -> Result<String> {
    let answer = program::output(Command::new("python3").arg("--version"))?;
    Ok(String::from_utf8_lossy(&answer).trim().to_owned())
}

/// Python 3 with `venv`.
const PYTHON: Wanted = Wanted {
    name: "Python 3 with the module `venv`",
    packages: &["python3", "python3-venv"],
    is_there: || program::is_fine(Command::new("python3").args(["-c", "import venv, ensurepip"])),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up;

    #[test]
    fn another_list_or_another_python_has_another_folder() {
        let workspace = made_up::workspace();
        let folder = |stamp| folder_of(&workspace, stamp);
        assert_ne!(folder("Python 3.11.7\nrequests==1"), folder("Python 3.11.7\nrequests==2"));
        assert_ne!(folder("Python 3.11.7\nrequests==1"), folder("Python 3.13.0\nrequests==1"));
    }

    #[test]
    fn missing_requirements_are_named() {
        let error = folder(&made_up::workspace(), Path::new("/nowhere/list.txt")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/list.txt"), "{error}");
    }
}
