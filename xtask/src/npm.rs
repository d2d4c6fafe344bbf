//! Packages of npm: each version in a folder of its own, which all clones of a user share.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::program;
use crate::system_packages::Wanted;
use crate::workspace::Workspace;

/// What brings packages, with the Node.js that runs them.
const NPM: Wanted = Wanted {
    name: "npm",
    packages: &["npm"],
    is_there: || program::is_fine(Command::new("npm").arg("--version")),
};

/// A package, of the version that the tests are held against.
pub(crate) struct Package {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Package {
    fn folder(&self, workspace: &Workspace) -> PathBuf {
        workspace.shared_installed().join(format!("{}-{}", self.name, self.version))
    }

    /// Where it is.
    pub(crate) fn path(&self, workspace: &Workspace) -> PathBuf {
        self.folder(workspace).join("node_modules").join(self.name)
    }

    /// Installs it, unless it is there.
    pub(crate) fn ensure(&self, workspace: &Workspace) -> Result<()> {
        let Self { name, version } = self;
        if self.installed(workspace).as_deref() == Some(version) {
            return Ok(());
        }
        NPM.ensure()?;
        let _lock = workspace.lock_installs()?;
        let folder = self.folder(workspace);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]);
        install.arg("--prefix").arg(folder).arg(format!("{name}@{version}"));
        program::run(&mut install)?;
        match self.installed(workspace) {
            Some(found) if found == *version => Ok(()),
            other => {
                bail!("npm installed {name} {} instead of {version}", other.as_deref().unwrap_or("nowhere"))
            }
        }
    }

    /// The version that is there.
    fn installed(&self, workspace: &Workspace) -> Option<String> {
        let text = fs::read_to_string(self.path(workspace).join("package.json")).ok()?;
        let described: Value = serde_json::from_str(&text).ok()?;
        described["version"].as_str().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::made_up;

    #[test]
    fn a_folder_without_it_has_no_version() {
        let package = Package { name: "no-such-package", version: "1.0.0" };
        assert_eq!(package.installed(&made_up::workspace()), None);
    }
}
