//! The benchmarks: release builds of the product and of the bench, the baseline's Python packages, and the run itself.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::system_packages::Wanted;
use crate::workspace::Workspace;
use crate::{n8n, postgres, program, python};

/// The scenario that takes a build whose clock can be moved.
const DRILL: &str = "drill";

/// The scenario beside servers that push to Redis, and n8n.
const HOOKS: &str = "hooks";

/// The scenario beside workers on Redis.
const CONVERSATIONS: &str = "conversations";

const REDIS: Wanted = Wanted {
    name: "Redis",
    packages: &["redis-server"],
    is_there: || program::is_fine(Command::new("redis-server").arg("--version")),
};

/// What `cargo xtask bench` takes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Short rounds: shows that it works, measures roughly
    #[arg(long)]
    quick: bool,
    /// Write the table to this file too
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the numbers as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure builds of this profile: `dist` as released, `release` as built from source
    #[arg(long, value_name = "NAME", value_parser = ["dist", "release"], default_value = "dist")]
    profile: String,
    /// Run this scenario alone (may be given more than once)
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

/// Builds, installs, measures; says whether the goals were reached.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<bool> {
    let build = ["build", "--profile", &arguments.profile];
    // One build after the other, so that the product is measured with its own features and none of the bench's.
    for package in ["switchboard", "bench"] {
        program::run(program::cargo(&workspace.root).args(build).args(["--package", package]))?;
    }
    let testing = workspace.target_directory.join("testing");
    let is_wanted =
        |scenario| arguments.only.is_empty() || arguments.only.iter().any(|name| name == scenario);
    let is_drilled = is_wanted(DRILL);
    if is_drilled {
        let mut cargo = program::cargo(&workspace.root);
        cargo.args(build).args(["--package", "switchboard", "--features", "testing", "--target-dir"]);
        program::run(cargo.arg(&testing))?;
    }
    let requirements = workspace.root.join("crates/bench/python/requirements.txt");
    let python = python::interpreter(&python::environment(workspace, &requirements)?);
    let programs = workspace.target_directory.join(&arguments.profile);
    let mut command = Command::new(programs.join("bench"));
    command
        .current_dir(&workspace.root)
        .arg("--switchboard")
        .arg(programs.join("switchboard"))
        .args(["--profile", &arguments.profile])
        .arg("--python")
        .arg(python)
        .arg("--baseline")
        .arg(workspace.root.join("crates/bench/python"))
        .arg("--work-dir")
        .arg(workspace.target_directory.join("bench"));
    if is_drilled {
        command.arg("--testing").arg(testing.join(&arguments.profile).join("switchboard"));
    }
    if is_wanted(HOOKS) || is_wanted(CONVERSATIONS) {
        REDIS.ensure()?;
    }
    if is_wanted(HOOKS) {
        let folder = workspace.installed().join("n8n");
        n8n::ensure(&folder)?;
        command.arg("--n8n").arg(folder);
    }
    if arguments.quick {
        command.arg("--quick");
    }
    for (option, file) in [("--out", &arguments.out), ("--json", &arguments.json)] {
        if let Some(file) = file {
            command.arg(option).arg(file);
        }
    }
    let server = postgres::durable()?;
    if let Some(server) = &server {
        command.arg("--postgres").arg(server.address());
    }
    for name in &arguments.only {
        command.args(["--only", name]);
    }
    program::succeeds(&mut command)
}
