//! Targets: what a build for each needs on this machine, and the build.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

use super::PRODUCT;
use crate::program;
use crate::workspace::Workspace;

/// The targets of a release. Their programs are static: they run on every Linux and in an empty container.
pub(super) const RELEASED: [&str; 2] = ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"];

/// The profile of released files, in the workspace's manifest.
const PROFILE: &str = "dist";

/// A Linux target, by its triple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target(String);

impl FromStr for Target {
    type Err = String;

    fn from_str(triple: &str) -> Result<Self, String> {
        let target = Self(triple.to_owned());
        if target.architecture().is_some() && triple.contains("-linux-") {
            Ok(target)
        } else {
            Err("write a Linux target on x86_64 or aarch64".to_owned())
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The target of this machine.
pub(super) fn host() -> Result<String> {
    let said = String::from_utf8(program::output(Command::new("rustc").arg("-vV"))?)?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc names no host")?.to_owned())
}

impl Target {
    /// The name of its architecture in Debian.
    pub(super) fn architecture(&self) -> Option<&'static str> {
        match self.0.split('-').next() {
            Some("x86_64") => Some("amd64"),
            Some("aarch64") => Some("arm64"),
            _ => None,
        }
    }

    /// The commands that a person has to run before this target can be built.
    pub(super) fn missing(&self, host: &str) -> Result<Vec<String>> {
        let mut steps = Vec::new();
        let mut rustc = Command::new("rustc");
        let folder = program::output(rustc.args(["--print", "target-libdir", "--target", &self.0]))?;
        if !Path::new(String::from_utf8(folder)?.trim()).is_dir() {
            steps.push(format!("rustup target add {self}"));
        }
        if self.0 != host && !program::is_fine(Command::new("cargo-zigbuild").arg("--version")) {
            steps.push("pip install cargo-zigbuild ziglang".to_owned());
        }
        Ok(steps)
    }

    /// Builds the program and returns where it is.
    pub(super) fn build(&self, workspace: &Workspace, host: &str) -> Result<PathBuf> {
        let mut cargo = program::cargo(&workspace.root);
        cargo.arg(if self.0 == host { "build" } else { "zigbuild" });
        cargo.args(["--locked", "--profile", PROFILE, "--package", PRODUCT, "--target", &self.0]);
        // Targets with musl are static anyway.
        cargo.env("RUSTFLAGS", "-C target-feature=+crt-static");
        program::run(&mut cargo)?;
        let program = workspace.target_directory.join(&self.0).join(PROFILE).join(PRODUCT);
        if program.is_file() { Ok(program) } else { bail!("cargo did not write {}", program.display()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_cannot_be_built_names_the_command_that_adds_it() {
        let target: Target = "aarch64-unknown-linux-musl".parse().unwrap();
        let steps = target.missing(&host().unwrap()).unwrap();
        let known = ["rustup target add aarch64-unknown-linux-musl", "pip install cargo-zigbuild ziglang"];
        assert!(steps.iter().all(|step| known.contains(&step.as_str())), "{steps:?}");
        let here: Target = host().unwrap().parse().unwrap();
        assert_eq!(here.missing(&host().unwrap()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn targets_without_a_package_of_debian_are_refused() {
        assert_eq!("x86_64-unknown-linux-musl".parse::<Target>().unwrap().architecture(), Some("amd64"));
        for triple in ["riscv64gc-unknown-linux-gnu", "aarch64-apple-darwin", ""] {
            assert!(triple.parse::<Target>().is_err(), "{triple}");
        }
    }
}
