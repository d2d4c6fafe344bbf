//! Advisories: cargo-deny compares the crates of `Cargo.lock` with Rust's advisory database, which git fetches.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs, io};

use anyhow::{Context, Result, ensure};

use crate::workspace::Workspace;
use crate::{program, tools};

/// The git repository that cargo-deny fetches.
const REPOSITORY: &str = "https://github.com/RustSec/advisory-db";
/// The variable that names a mirror of it: an address or a folder that `git clone` takes.
const MIRROR: &str = "SWITCHBOARD_ADVISORY_DB";
/// The section of `deny.toml` that gets the folder of the copy.
const SECTION: &str = "[advisories]\n";

/// Checks the dependencies against the newest advisories. Fails if the database cannot be fetched.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let database = Database::of(workspace)?;
    let hint = format!("run this where git reaches {REPOSITORY}, or name a mirror in {MIRROR}");
    program::run(&mut database.fetching()?).context(hint)?;
    database.accepts_the_tree()
}

/// Returns the finding of `cargo xtask check`, if there is one. Without network it uses an earlier copy of the database.
/// Without a copy it finds nothing and says that it did not check.
pub(crate) fn finding(workspace: &Workspace) -> Result<Option<String>> {
    let database = Database::of(workspace)?;
    if !program::is_fine(&mut database.fetching()?) {
        if database.date()?.is_none() {
            eprintln!(
                "advisories: NOT CHECKED: git cannot fetch {REPOSITORY}, and there is no earlier copy; \
                 run `cargo xtask advisories` where it can"
            );
            return Ok(None);
        }
        eprintln!("advisories: git cannot fetch {REPOSITORY}; the check uses an earlier copy");
    }
    let finding = "cargo-deny refuses a crate for its advisory, or a copy that is 90 days old (shown above)";
    Ok((!database.accepts_the_tree()?).then(|| finding.to_owned()))
}

/// The copy of the advisory database, in a folder of its own.
struct Database<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    mirror: Option<OsString>,
    /// Whether cargo-deny may be installed.
    may_install: bool,
}

impl<'a> Database<'a> {
    /// Returns the copy that the checks use, with the rules of `deny.toml`.
    fn of(workspace: &'a Workspace) -> Result<Self> {
        let rules = workspace.root.join("deny.toml");
        let rules = fs::read_to_string(&rules).with_context(|| format!("cannot read {}", rules.display()))?;
        let folder = workspace.installed().join("advisories");
        let database = Self { workspace, folder, mirror: env::var_os(MIRROR), may_install: true };
        database.configure(&rules)?;
        Ok(database)
    }

    /// Writes the configuration of cargo-deny: the rules and the folder of the copy.
    fn configure(&self, rules: &str) -> Result<()> {
        ensure!(rules.contains(SECTION), "deny.toml has no section [advisories]");
        // A path is written in JSON as TOML writes it.
        let path = serde_json::to_string(&self.folder)?;
        let rules = rules.replacen(SECTION, &format!("{SECTION}db-path = {path}\n"), 1);
        fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(self.configuration(), rules))
            .with_context(|| format!("cannot write into {}", self.folder.display()))
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("deny.toml")
    }

    /// Returns cargo-deny with its configuration. Its git takes the mirror in place of the repository.
    fn deny(&self) -> Result<Command> {
        let mut deny = tools::command(self.workspace, "deny", self.may_install)?;
        deny.arg("--config").arg(self.configuration());
        if let Some(mirror) = &self.mirror {
            let mut key = OsString::from("url.");
            key.push(mirror);
            key.push(".insteadOf");
            deny.env("GIT_CONFIG_COUNT", "1");
            deny.env("GIT_CONFIG_KEY_0", key).env("GIT_CONFIG_VALUE_0", REPOSITORY);
        }
        Ok(deny)
    }

    /// Returns the command that fetches the newest advisories.
    fn fetching(&self) -> Result<Command> {
        let mut deny = self.deny()?;
        deny.args(["fetch", "db"]);
        Ok(deny)
    }

    /// Prints the date of the copy and returns whether cargo-deny accepts all crates.
    fn accepts_the_tree(&self) -> Result<bool> {
        let date = self.date()?.context("cargo-deny left no copy of the advisory database")?;
        eprintln!("advisories: the newest change of the database is of {date}");
        let mut deny = self.deny()?;
        deny.args(["--offline", "check", "--deny", "warnings", "advisories"]);
        program::succeeds(deny.stdout(Stdio::from(io::stderr())))
    }

    /// Returns the day of the newest change in the copy and how long ago it was, or nothing without a copy.
    fn date(&self) -> Result<Option<String>> {
        let entries =
            fs::read_dir(&self.folder).with_context(|| format!("cannot read {}", self.folder.display()))?;
        for entry in entries {
            let copy = entry?.path();
            if copy.join(".git").is_dir() {
                let mut log = Command::new("git");
                log.arg("-C").arg(&copy).args(["log", "-1", "--format=%cs, %cr"]).env_remove("GIT_DIR");
                let date = String::from_utf8_lossy(&program::output(&mut log)?).trim().to_owned();
                return Ok(Some(date));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The advisory is made up, and so is its database; the crates are those of this workspace.
    #[test]
    fn a_known_advisory_against_a_crate_of_the_tree_fails_the_check() {
        let workspace = Workspace::load().unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let mirror = scratch.path().join("mirror");
        let git = |arguments: &[&str]| {
            let mut git = Command::new("git");
            git.arg("-C").arg(&mirror).args([
                "-c",
                "user.name=Author",
                "-c",
                "user.email=author@example.com",
            ]);
            git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_COMMITTER_DATE", "2020-02-02T12:00:00Z");
            program::run(git.args(arguments).env_remove("GIT_DIR")).unwrap();
        };
        let advisories = mirror.join("crates/anyhow");
        fs::create_dir_all(&advisories).unwrap();
        git(&["init", "--quiet", "--initial-branch=main"]);
        let database = Database {
            workspace: &workspace,
            folder: scratch.path().join("advisories"),
            mirror: Some(mirror.clone().into_os_string()),
            may_install: false,
        };
        database.configure("[graph]\nall-features = true\n[advisories]\nyanked = \"allow\"\n").unwrap();
        assert_eq!(database.date().unwrap(), None);

        for (patched, accepted) in [("", false), ("\">= 1.0.0\"", true)] {
            let advisory = format!(
                "```toml\n[advisory]\nid = \"RUSTSEC-2020-0000\"\npackage = \"anyhow\"\ndate = \"2020-02-02\"\n\n\
                 [versions]\npatched = [{patched}]\n```\n\n# It is made up\n\nA test needs it.\n"
            );
            fs::write(advisories.join("RUSTSEC-2020-0000.md"), advisory).unwrap();
            git(&["add", "--all"]);
            git(&["commit", "--quiet", "--message", "An advisory"]);
            program::run(&mut database.fetching().unwrap()).unwrap();
            assert!(database.date().unwrap().unwrap().starts_with("2020-02-02, "));
            assert_eq!(database.accepts_the_tree().unwrap(), accepted, "patched: [{patched}]");
        }
    }
}
