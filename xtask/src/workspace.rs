//! The workspace as `cargo metadata` reports it: packages, their dependencies, and the resolved graph.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::program;

/// The answer of `cargo metadata`, with the fields used here.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    #[serde(rename = "workspace_members")]
    pub(crate) member_ids: Vec<String>,
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    pub(crate) target_directory: PathBuf,
    pub(crate) resolve: Resolve,
}

/// One package of the tree, ours or another's.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

/// One line of a package's dependency tables.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) rename: Option<String>,
    pub(crate) kind: Option<Kind>,
    pub(crate) path: Option<PathBuf>,
}

/// The table that a dependency is in; no kind at all is `[dependencies]`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Dev,
    Build,
}

/// The graph after versions and features are chosen.
#[derive(Debug, Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

/// A package's place in the graph.
#[derive(Debug, Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Edge>,
}

/// A dependency that was really chosen; `name` is what the source calls it.
#[derive(Debug, Deserialize)]
pub(crate) struct Edge {
    pub(crate) name: String,
    pub(crate) pkg: String,
}

impl Workspace {
    /// Asks cargo. On a build server the lock file must already fit the manifests.
    pub(crate) fn load() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no folder above it")?;
        let mut command = program::cargo(root);
        command.args(["metadata", "--format-version", "1"]);
        if env::var_os("CI").is_some() {
            command.arg("--locked");
        }
        let answer = program::output(&mut command)?;
        serde_json::from_slice(&answer).context("cannot read what `cargo metadata` says")
    }

    /// Our own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.member_ids.contains(&package.id))
    }

    /// The package with this id of cargo's.
    pub(crate) fn package(&self, id: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == id)
    }

    /// Where this tool keeps what it installs.
    pub(crate) fn installed(&self) -> PathBuf {
        self.target_directory.join("xtask")
    }
}

impl Package {
    /// The folder the package lives in.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
}

impl Dependency {
    /// The key of its line in the manifest.
    pub(crate) fn key(&self) -> &str {
        self.rename.as_deref().unwrap_or(&self.name)
    }
}

/// A member's `testing` feature, as `--features` takes it, for each member named that has one.
pub(crate) fn testing_features<'a>(members: impl Iterator<Item = &'a Package>) -> Vec<String> {
    members
        .filter(|package| package.features.contains_key("testing"))
        .map(|package| format!("{}/testing", package.name))
        .collect()
}

/// Workspaces made up for tests.
#[cfg(test)]
pub(crate) mod made_up {
    use super::{Dependency, Kind, Package};

    /// A package with this licence and no dependencies.
    pub(crate) fn package(name: &str, license: Option<&str>) -> Package {
        Package {
            id: format!("{name}#1.0.0"),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(ToOwned::to_owned),
            manifest_path: format!("/nowhere/{name}/Cargo.toml").into(),
            dependencies: Vec::new(),
            features: std::collections::BTreeMap::new(),
        }
    }

    pub(crate) fn inside(name: &str, kind: Option<Kind>) -> Dependency {
        Dependency {
            name: name.to_owned(),
            rename: None,
            kind,
            path: Some(format!("/nowhere/{name}").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_cargo_is_read() {
        let answer = r#"{"packages":[{"id":"a#1","name":"a","version":"1.0.0","license":null,"manifest_path":"/x/a/Cargo.toml",
            "dependencies":[{"name":"b-c","rename":"d","kind":"dev","path":null},{"name":"e","rename":null,"kind":null,"path":"/x/e"}],
            "features":{"testing":[]}}],
            "workspace_members":["a#1"],"workspace_root":"/x","target_directory":"/x/target",
            "resolve":{"nodes":[{"id":"a#1","deps":[{"name":"d","pkg":"b-c#1","dep_kinds":[{"kind":"dev","target":null}]}]}]}}"#;
        let workspace: Workspace = serde_json::from_str(answer).unwrap();
        let member = workspace.members().next().unwrap();
        assert_eq!(member.folder(), Path::new("/x/a"));
        assert_eq!(member.dependencies[0].key(), "d");
        assert_eq!(member.dependencies[0].kind, Some(Kind::Dev));
        assert_eq!(member.dependencies[1].kind, None);
        assert_eq!(testing_features(workspace.members()), ["a/testing"]);
    }
}
