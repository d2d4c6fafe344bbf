//! Unused dependencies: each line of a dependency table is named in the sources it is for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::Table;

use crate::source;
use crate::workspace::{Dependency, Kind, Package, Workspace};

/// Dependencies that no source names, as (crate, dependency, why it must stay).
const ALLOWED_UNUSED: [(&str, &str, &str); 0] = [];

/// Looks at the tables of each of our crates, then at the workspace's own.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for package in workspace.members() {
        findings.extend(of_package(workspace, package)?);
    }
    let manifest = workspace.root.join("Cargo.toml");
    let text =
        fs::read_to_string(&manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    let offered = toml::from_str(&text).with_context(|| format!("cannot read {}", manifest.display()))?;
    let used = workspace.members().flat_map(|package| &package.dependencies).map(Dependency::key).collect();
    findings.extend(unclaimed(&offered, &used));
    Ok(findings)
}

fn of_package(workspace: &Workspace, package: &Package) -> Result<Vec<String>> {
    let folder = package.folder();
    let shipped = named_below(&folder.join("src"))?;
    let build = named_in(&folder.join("build.rs"))?;
    let mut tested = shipped.clone();
    for tests in ["tests", "benches", "examples"] {
        tested.extend(named_below(&folder.join(tests))?);
    }
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let named = match dependency.kind {
            None => &shipped,
            Some(Kind::Dev) => &tested,
            Some(Kind::Build) => &build,
        };
        let name = name_in_source(workspace, package, dependency);
        if !named.contains(&name) && !kept(&package.name, dependency.key()) {
            findings.push(format!(
                "{} depends on {} and never names `{name}`",
                package.name,
                dependency.key()
            ));
        }
    }
    Ok(findings)
}

fn kept(package: &str, dependency: &str) -> bool {
    ALLOWED_UNUSED.iter().any(|(owner, name, _)| *owner == package && *name == dependency)
}

/// What the source calls a dependency: the library's name, which need not be the package's.
fn name_in_source(workspace: &Workspace, package: &Package, dependency: &Dependency) -> String {
    let edges =
        workspace.resolve.nodes.iter().filter(|node| node.id == package.id).flat_map(|node| &node.deps);
    let chosen = edges
        .filter(|edge| workspace.package(&edge.pkg).is_some_and(|package| package.name == dependency.name))
        .find(|edge| dependency.rename.as_ref().is_none_or(|rename| rename.replace('-', "_") == edge.name));
    chosen.map_or_else(|| dependency.key().replace('-', "_"), |edge| edge.name.clone())
}

fn named_below(folder: &Path) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for file in source::files(folder)? {
        if file.extension().is_some_and(|extension| extension == "rs") {
            names.extend(named_in(&file)?);
        }
    }
    Ok(names)
}

fn named_in(file: &Path) -> Result<BTreeSet<String>> {
    if !file.is_file() {
        return Ok(BTreeSet::new());
    }
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(source::roots_of_paths(&text))
}

/// The lines of `[workspace.dependencies]` that no crate asks for. Our own crates may wait there for their first user.
fn unclaimed(manifest: &Table, used: &BTreeSet<&str>) -> Vec<String> {
    let offered = manifest
        .get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(|dependencies| dependencies.as_table());
    offered
        .into_iter()
        .flatten()
        .filter(|(name, value)| value.get("path").is_none() && !used.contains(name.as_str()))
        .map(|(name, _)| format!("[workspace.dependencies] offers {name} and no crate asks for it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_that_no_one_takes_is_found() {
        let manifest: Table = toml::from_str(
            "[workspace.dependencies]\nhex = \"0.4\"\nrsa = { version = \"0.9\" }\nstore = { path = \"crates/store\" }",
        )
        .unwrap();
        let found = unclaimed(&manifest, &BTreeSet::from(["hex"]));
        assert_eq!(found, ["[workspace.dependencies] offers rsa and no crate asks for it"]);
        assert!(unclaimed(&Table::new(), &BTreeSet::new()).is_empty());
    }
}
