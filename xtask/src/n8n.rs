//! `cargo xtask n8n`: the workflows of `deploy/n8n`, run in the n8n that npm has against the program with its demo world.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::redis::REDIS;
use crate::workspace::Workspace;
use crate::{program, test_build};

/// The last version that runs on Node 20.
const VERSION: &str = "1.123.81";

/// The version of `xlsx` that it names is not on npm.
const PACKAGE: &str =
    r#"{ "private": true, "dependencies": { "n8n": "VERSION" }, "overrides": { "xlsx": "0.18.5" } }"#;

/// Installs n8n, builds the program, and runs each workflow; says whether each had its effects once.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let folder = workspace.installed().join("n8n");
    ensure(&folder)?;
    REDIS.ensure()?;
    // It stops where it is asked to, so that it can be killed there. Built as the tests build it, so that nothing is built twice.
    let mut build = program::cargo(&workspace.root);
    build.args(["build", test_build::ALL_TARGETS]);
    test_build::choose(workspace, None, &mut build)?;
    program::run(&mut build)?;
    let work = folder.join("work");
    if work.exists() {
        fs::remove_dir_all(&work).with_context(|| format!("cannot remove {}", work.display()))?;
    }
    fs::create_dir(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let mut node = Command::new("node");
    node.arg(workspace.root.join("xtask/src/n8n.mjs"))
        .arg(workspace.target_directory.join("debug/switchboard"))
        .args([
            &folder,
            &workspace.root.join("deploy/n8n"),
            &work,
            &workspace.root.join("docs/quick-start.md"),
        ]);
    program::succeeds(&mut node)
}

/// The scripts of packages are not run but that of SQLite, which is built here.
pub(crate) fn ensure(folder: &Path) -> Result<()> {
    let package = PACKAGE.replace("VERSION", VERSION);
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == package) {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let write =
        |file: &Path| fs::write(file, &package).with_context(|| format!("cannot write {}", file.display()));
    write(&folder.join("package.json"))?;
    let mut install = Command::new("npm");
    install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]);
    program::run(install.current_dir(folder))?;
    let mut build = Command::new("npx");
    build.args(["--yes", "node-gyp", "rebuild"]);
    program::run(build.current_dir(folder.join("node_modules/sqlite3")))?;
    write(&stamp)
}
