//! Python environments below the target folder: made once for a list of requirements, and used again until the list changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::program;
use crate::system_packages::Wanted;

/// The file in an environment that says what was installed into it.
const STAMP: &str = "requirements.installed";

/// The interpreter of the environment in a folder.
pub(crate) fn interpreter(folder: &Path) -> PathBuf {
    folder.join("bin").join("python")
}

/// Makes sure that the folder holds an environment with these requirements, and returns its interpreter.
pub(crate) fn environment(folder: &Path, requirements: &Path) -> Result<PathBuf> {
    let list = fs::read_to_string(requirements)
        .with_context(|| format!("cannot read the requirements {}", requirements.display()))?;
    PYTHON.ensure()?;
    let wanted = stamp(&version()?, &list);
    let python = interpreter(folder);
    let installed = fs::read_to_string(folder.join(STAMP)).unwrap_or_default();
    if installed == wanted && program::is_fine(Command::new(&python).arg("--version")) {
        return Ok(python);
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    program::run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
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
    Ok(python)
}

fn stamp(version: &str, requirements: &str) -> String {
    format!("{version}\n{requirements}")
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

    #[test]
    fn another_list_or_another_python_is_another_stamp() {
        let one = stamp("Python 3.11.7", "requests==1");
        assert_ne!(one, stamp("Python 3.11.7", "requests==2"));
        assert_ne!(one, stamp("Python 3.13.0", "requests==1"));
    }

    #[test]
    fn missing_requirements_are_named() {
        let error = environment(Path::new("/nowhere"), Path::new("/nowhere/list.txt")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/list.txt"), "{error}");
    }
}
