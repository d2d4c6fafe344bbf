//! What the tests of the pages and the pictures of the book need: Chromium and its driver from the system's packages, axe-core from npm.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::program;
use crate::system_packages::Wanted;
use crate::workspace::Workspace;

/// Where the tests find the browser.
const CHROMIUM_AT: &str = "SWITCHBOARD_TEST_CHROMIUM";
/// Where they find the browser's driver.
const DRIVER_AT: &str = "SWITCHBOARD_TEST_CHROMEDRIVER";
/// Where they find the accessibility checker.
const AXE_AT: &str = "SWITCHBOARD_TEST_AXE";

/// Under which names systems have it.
const CHROMIUM_NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The driver of Chromium, which must be of the same version.
const CHROMEDRIVER: &str = "chromedriver";

/// Which browser the tests of profiles drive, and its programs, where it is Firefox.
const BROWSER: &str = "SWITCHBOARD_TEST_BROWSER";
const FIREFOX_AT: &str = "SWITCHBOARD_TEST_FIREFOX";
const GECKODRIVER_AT: &str = "SWITCHBOARD_TEST_GECKODRIVER";
const FIREFOX_NAMES: [&str; 2] = ["firefox", "firefox-esr"];

/// Its driver, which Debian does not have: built from its crate.
const GECKODRIVER: &str = "0.37.1";

/// The version that the pages are held against. A newer one may find more; then it is a change of its own.
const AXE: &str = "4.14.1";

/// With fonts that have every letter of ours, so that a picture is the same everywhere.
const CHROMIUM: Wanted = Wanted {
    name: "Chromium",
    packages: &["chromium", "fonts-dejavu-core", "fonts-liberation"],
    is_there: || chromium().is_some(),
};

const DRIVER: Wanted = Wanted {
    name: "chromedriver",
    packages: &["chromium-driver"],
    is_there: || program::is_fine(Command::new(CHROMEDRIVER).arg("--version")),
};

const FIREFOX: Wanted =
    Wanted { name: "Firefox", packages: &["firefox-esr"], is_there: || first_of(&FIREFOX_NAMES).is_some() };

const NPM: Wanted = Wanted {
    name: "npm",
    packages: &["npm"],
    is_there: || program::is_fine(Command::new("npm").arg("--version")),
};

/// Tells a command's tests where the browser, its driver and the checker are; what is set already stays. What is missing is
/// installed if it may be.
pub(crate) fn give(workspace: &Workspace, command: &mut Command, install: bool) -> Result<()> {
    if env::var_os(CHROMIUM_AT).is_none() {
        if install {
            CHROMIUM.ensure()?;
        }
        command.envs(chromium().map(|name| (CHROMIUM_AT, name)));
    }
    if env::var_os(DRIVER_AT).is_none() {
        if install {
            DRIVER.ensure()?;
        }
        command.env(DRIVER_AT, CHROMEDRIVER);
    }
    if env::var_os(AXE_AT).is_none() {
        let folder = workspace.installed().join("axe");
        if install {
            ensure_axe(&folder)?;
        }
        let file = axe_file(&folder);
        command.envs(file.exists().then_some((AXE_AT, file)));
    }
    Ok(())
}

/// Lets a command's tests of profiles drive Firefox. What is missing is installed if it may be.
pub(crate) fn give_firefox(workspace: &Workspace, command: &mut Command, install: bool) -> Result<()> {
    let folder = workspace.installed().join("geckodriver");
    let driver = folder.join("bin").join("geckodriver");
    if install {
        FIREFOX.ensure()?;
        if !program::is_fine(Command::new(&driver).arg("--version")) {
            let mut build = program::cargo(&workspace.root);
            build.args(["install", "geckodriver", "--version", GECKODRIVER, "--locked", "--debug", "--root"]);
            program::run(build.arg(&folder))?;
        }
    }
    command.env(BROWSER, "firefox").envs(first_of(&FIREFOX_NAMES).map(|name| (FIREFOX_AT, name)));
    command.env(GECKODRIVER_AT, driver);
    Ok(())
}

fn chromium() -> Option<&'static str> {
    first_of(&CHROMIUM_NAMES)
}

fn first_of(names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|name| program::is_fine(Command::new(name).arg("--version")))
}

fn package(folder: &Path) -> PathBuf {
    folder.join("node_modules").join("axe-core")
}

fn axe_file(folder: &Path) -> PathBuf {
    package(folder).join("axe.min.js")
}

/// Installs the version we want, unless it is there.
fn ensure_axe(folder: &Path) -> Result<()> {
    if installed(folder).as_deref() == Some(AXE) {
        return Ok(());
    }
    NPM.ensure()?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]);
    install.arg("--prefix").arg(folder).arg(format!("axe-core@{AXE}"));
    program::run(&mut install)?;
    match installed(folder) {
        Some(version) if version == AXE => Ok(()),
        other => bail!("npm installed axe-core {} instead of {AXE}", other.as_deref().unwrap_or("nowhere")),
    }
}

/// The version that lies in the folder.
fn installed(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(package(folder).join("package.json")).ok()?;
    let described: Value = serde_json::from_str(&text).ok()?;
    axe_file(folder).exists().then(|| described["version"].as_str().map(str::to_owned))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_it_has_no_version() {
        assert_eq!(installed(Path::new("/nowhere")), None);
    }
}
