//! The workspace as `cargo metadata` reports it: its packages and what they depend on.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
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

    /// Where this tool keeps what it installs for this clone.
    pub(crate) fn installed(&self) -> PathBuf {
        self.target_directory.join("xtask")
    }

    /// Where this tool keeps what it installs for all clones of a user. Each version has a folder of its own there.
    pub(crate) fn shared_installed(&self) -> PathBuf {
        let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".cache"));
        let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
        cache.map_or_else(|| self.installed(), |cache| cache.join("switchboard-xtask"))
    }

    /// Keeps other clones from installing at the same time, until it is dropped.
    pub(crate) fn lock_installs(&self) -> Result<File> {
        let folder = self.shared_installed();
        let cannot = || format!("cannot write into {}", folder.display());
        fs::create_dir_all(&folder).with_context(cannot)?;
        let lock = File::create(folder.join("lock")).with_context(cannot)?;
        lock.lock().with_context(cannot)?;
        Ok(lock)
    }
}

impl Package {
    /// The folder the package lives in.
    pub(crate) fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
}

/// Workspaces made up for tests.
#[cfg(test)]
pub(crate) mod made_up {
    use super::{Dependency, Kind, Package, Workspace};

    /// A workspace without packages.
    pub(crate) fn workspace() -> Workspace {
        Workspace {
            packages: Vec::new(),
            member_ids: Vec::new(),
            root: "/nowhere".into(),
            target_directory: "/nowhere/target".into(),
        }
    }

    /// A package without dependencies.
    pub(crate) fn package(name: &str) -> Package {
        Package {
            id: format!("{name}#1.0.0"),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: None,
            manifest_path: format!("/nowhere/{name}/Cargo.toml").into(),
            dependencies: Vec::new(),
            features: std::collections::BTreeMap::new(),
        }
    }

    pub(crate) fn inside(name: &str, kind: Option<Kind>) -> Dependency {
        Dependency { name: name.to_owned(), kind, path: Some(format!("/nowhere/{name}").into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_cargo_is_read() {
        let answer = r#"{"packages":[{"id":"a#1","name":"a","version":"1.0.0","license":null,"manifest_path":"/x/a/Cargo.toml",
            "dependencies":[{"name":"b-c","kind":"dev","path":null},{"name":"e","kind":null,"path":"/x/e"}],
            "features":{"testing":[]}}],
            "workspace_members":["a#1"],"workspace_root":"/x","target_directory":"/x/target"}"#;
        let workspace: Workspace = serde_json::from_str(answer).unwrap();
        let member = workspace.members().next().unwrap();
        assert_eq!(member.folder(), Path::new("/x/a"));
        assert_eq!(member.dependencies[0].kind, Some(Kind::Dev));
        assert_eq!(member.dependencies[1].kind, None);
        assert!(member.features.contains_key("testing"));
    }
}
