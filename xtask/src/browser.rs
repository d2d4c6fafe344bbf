//! What the tests of the pages and the pictures of the book need: Chromium and its driver from the system's packages, axe-core from npm.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use anyhow::Result;

use crate::npm::Package;
use crate::program;
use crate::system_packages::Wanted;
use crate::workspace::Workspace;

/// Where the tests find the browser.
const CHROMIUM_AT: &str = "SWITCHBOARD_TEST_CHROMIUM";
/// Where the tests of the pages find it without its windows.
const SHELL_AT: &str = "SWITCHBOARD_TEST_CHROMIUM_SHELL";
/// Where they find the browser's driver.
const DRIVER_AT: &str = "SWITCHBOARD_TEST_CHROMEDRIVER";
/// Where they find the accessibility checker.
const AXE_AT: &str = "SWITCHBOARD_TEST_AXE";

/// Under which names systems have it.
const CHROMIUM_NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The same engine without windows, which takes half the time.
const SHELL: &str = "chromium-headless-shell";

/// The driver of Chromium, which must be of the same version.
const CHROMEDRIVER: &str = "chromedriver";

/// Which browser the tests of profiles drive, and its programs, where it is Firefox.
const BROWSER: &str = "SWITCHBOARD_TEST_BROWSER";
const FIREFOX_AT: &str = "SWITCHBOARD_TEST_FIREFOX";
const GECKODRIVER_AT: &str = "SWITCHBOARD_TEST_GECKODRIVER";
const FIREFOX_NAMES: [&str; 2] = ["firefox", "firefox-esr"];

/// Its driver, which Debian does not have: built from its crate.
const GECKODRIVER: &str = "0.37.1";

/// What the pages are held against. A newer one may find more; then it is a change of its own.
const AXE: Package = Package { name: "axe-core", version: "4.14.1" };

/// With fonts that have every letter of ours, so that a picture is the same everywhere.
const CHROMIUM: Wanted = Wanted {
    name: "Chromium",
    packages: &["chromium", "fonts-dejavu-core", "fonts-liberation"],
    is_there: || chromium().is_some(),
};

const HEADLESS: Wanted = Wanted {
    name: "Chromium without windows",
    packages: &[SHELL],
    is_there: || first_of(&[SHELL]).is_some(),
};

const DRIVER: Wanted = Wanted {
    name: "chromedriver",
    packages: &["chromium-driver"],
    is_there: || program::is_fine(Command::new(CHROMEDRIVER).arg("--version")),
};

const FIREFOX: Wanted =
    Wanted { name: "Firefox", packages: &["firefox-esr"], is_there: || first_of(&FIREFOX_NAMES).is_some() };

/// Gives a command's tests the places of the browser, its driver and the checker; what is set already stays. What is missing is
/// installed if it may be.
pub(crate) fn give(workspace: &Workspace, command: &mut Command, install: bool) -> Result<()> {
    if env::var_os(CHROMIUM_AT).is_none() {
        if install {
            CHROMIUM.ensure()?;
        }
        command.envs(chromium().map(|name| (CHROMIUM_AT, name)));
    }
    if env::var_os(SHELL_AT).is_none() {
        // Debian has the package; elsewhere Chromium itself shows the pages.
        if install && let Err(error) = HEADLESS.ensure() {
            eprintln!("{error}; the pages are shown by Chromium itself");
        }
        let shell = first_of(&[SHELL]).map(OsString::from).or_else(|| env::var_os(CHROMIUM_AT));
        command.envs(shell.or_else(|| chromium().map(OsString::from)).map(|name| (SHELL_AT, name)));
    }
    if env::var_os(DRIVER_AT).is_none() {
        if install {
            DRIVER.ensure()?;
        }
        command.env(DRIVER_AT, CHROMEDRIVER);
    }
    if env::var_os(AXE_AT).is_none() {
        if install {
            AXE.ensure(workspace)?;
        }
        let file = AXE.path(workspace).join("axe.min.js");
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
