//! Packages of npm below the target folder, each in a folder of its own and of one version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::program;
use crate::system_packages::Wanted;

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
    /// Where it is in a folder.
    pub(crate) fn path(&self, folder: &Path) -> PathBuf {
        folder.join("node_modules").join(self.name)
    }

    /// Installs it into a folder, unless it is there.
    pub(crate) fn ensure(&self, folder: &Path) -> Result<()> {
        let Self { name, version } = self;
        if self.installed(folder).as_deref() == Some(version) {
            return Ok(());
        }
        NPM.ensure()?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]);
        install.arg("--prefix").arg(folder).arg(format!("{name}@{version}"));
        program::run(&mut install)?;
        match self.installed(folder) {
            Some(found) if found == *version => Ok(()),
            other => {
                bail!("npm installed {name} {} instead of {version}", other.as_deref().unwrap_or("nowhere"))
            }
        }
    }

    /// The version that is in a folder.
    fn installed(&self, folder: &Path) -> Option<String> {
        let text = fs::read_to_string(self.path(folder).join("package.json")).ok()?;
        let described: Value = serde_json::from_str(&text).ok()?;
        described["version"].as_str().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_it_has_no_version() {
        assert_eq!(Package { name: "axe-core", version: "1.0.0" }.installed(Path::new("/nowhere")), None);
    }
}
