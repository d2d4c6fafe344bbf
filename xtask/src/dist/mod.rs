//! `cargo xtask dist`: makes the released files, laid out as the server that publishes them needs them.

mod archive;
mod debian;
mod notices;
mod target;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::program;
use crate::workspace::Workspace;
use target::Target;

/// The address that stands for the server of the released files in the documents, too.
const BASE_URL: &str = "https://switchboard.example.com/releases";

/// The package that is released.
const PRODUCT: &str = "switchboard";

/// The documents that come with the program.
const DOCUMENTS: [&str; 4] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "README.ru.md"];

/// The licences of the crates that are linked into the program.
const NOTICES: &str = "THIRD-PARTY.txt";

/// What `cargo xtask dist` takes.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Build for this target (may be given more than once)
    #[arg(long = "target", value_name = "TRIPLE", default_values = target::RELEASED)]
    targets: Vec<Target>,
    /// Package this program instead of building one; --target names what it was built for
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Leave out targets that cannot be built on this machine instead of failing
    #[arg(long)]
    skip_missing: bool,
    /// The address from which install.sh downloads
    #[arg(long, value_name = "URL", default_value = BASE_URL)]
    base_url: String,
    /// How hard archives and packages are compressed, from 1 to 9
    #[arg(long, value_name = "LEVEL", default_value_t = 9, value_parser = clap::value_parser!(u8).range(1..=9))]
    compression: u8,
    /// Write to this folder [default: target/releases]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// One version, with what its files share.
struct Release<'a> {
    workspace: &'a Workspace,
    version: &'a str,
    /// The time of every file in archives, in seconds: the same source gives the same archives.
    epoch: String,
    notices: String,
    /// The level of gzip.
    compression: u8,
    /// Where the files go.
    folder: PathBuf,
    /// Where the contents of each file are put together.
    staging: PathBuf,
}

/// Builds the programs and writes the files. Returns false when a target could not be built and was not to be skipped.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<bool> {
    let out = arguments.out.clone().unwrap_or_else(|| workspace.target_directory.join("releases"));
    let product = workspace.members().find(|package| package.name == PRODUCT);
    let version = product.context("the workspace has no product")?.version.as_str();
    let script = fs::read_to_string(workspace.root.join("deploy/install.sh"))?;
    let script = installer(&script, version, &arguments.base_url)?;
    debian::TOOL.ensure()?;
    let Some(programs) = programs(workspace, arguments)? else { return Ok(false) };
    let units = debian::units(programs.iter().map(|(_, program)| program.as_path()))?;
    let release = Release {
        workspace,
        version,
        epoch: epoch(workspace),
        notices: notices::text(workspace)?,
        compression: arguments.compression,
        folder: out.join(format!("v{version}")),
        staging: out.join("staging"),
    };
    empty(&release.folder)?;
    let mut files = Vec::new();
    for (target, program) in &programs {
        files.push(archive::write(&release, target, program)?);
        files.push(debian::write(&release, target, program, &units)?);
    }
    fs::remove_dir_all(&release.staging).context("cannot remove what was put together")?;
    let mut sums = Command::new("sha256sum");
    let sums = program::output(sums.current_dir(&release.folder).args(&files))?;
    place(&release.folder.join("SHA256SUMS"), &sums, false)?;
    place(&out.join("install.sh"), script.as_bytes(), true)?;
    println!("{}", out.join("install.sh").display());
    for file in files.iter().map(String::as_str).chain(["SHA256SUMS"]) {
        println!("{}", release.folder.join(file).display());
    }
    Ok(true)
}

/// The program of each target; none when a target cannot be built here.
fn programs(workspace: &Workspace, arguments: &Arguments) -> Result<Option<Vec<(Target, PathBuf)>>> {
    if let Some(program) = &arguments.program {
        let [target] = arguments.targets.as_slice() else {
            bail!("--program takes one --target: what the program was built for");
        };
        return Ok(Some(vec![(target.clone(), program.clone())]));
    }
    let host = target::host()?;
    let (mut possible, mut missing) = (Vec::new(), Vec::new());
    for target in &arguments.targets {
        let steps = target.missing(&host)?;
        if steps.is_empty() {
            possible.push(target);
        } else {
            missing.push(format!("{target} cannot be built here; first run: {}", steps.join("; ")));
        }
    }
    for line in &missing {
        eprintln!("{line}");
    }
    if possible.is_empty() || !(missing.is_empty() || arguments.skip_missing) {
        eprintln!("no file was written; --skip-missing leaves out targets that cannot be built here");
        return Ok(None);
    }
    let built = possible.into_iter().map(|target| Ok((target.clone(), target.build(workspace, &host)?)));
    built.collect::<Result<_>>().map(Some)
}

/// The script for this version and address.
fn installer(script: &str, version: &str, base_url: &str) -> Result<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~:/%+".contains(letter);
    let is_web = base_url.starts_with("https://") || base_url.starts_with("http://");
    if !is_web || !base_url.chars().all(is_plain) {
        bail!("--base-url is wrong: write an address such as {BASE_URL}");
    }
    let mut script = script.to_owned();
    for (name, value) in [("version", version), ("base_url", base_url.trim_end_matches('/'))] {
        let (empty, filled) = (format!("\n{name}=''\n"), format!("\n{name}='{value}'\n"));
        if script.matches(&empty).count() != 1 {
            bail!("deploy/install.sh has no line `{name}=''`");
        }
        script = script.replace(&empty, &filled);
    }
    Ok(script)
}

/// The time of the last commit, unless the environment names another.
fn epoch(workspace: &Workspace) -> String {
    let mut git = Command::new("git");
    git.current_dir(&workspace.root).args(["log", "-1", "--format=%ct"]);
    let committed = || program::output(&mut git).ok().and_then(|time| String::from_utf8(time).ok());
    let time = env::var("SOURCE_DATE_EPOCH").ok().or_else(committed).unwrap_or_default();
    if time.trim().parse::<u64>().is_ok() { time.trim().to_owned() } else { "0".to_owned() }
}

impl Release<'_> {
    /// An empty folder in which the contents of a file are put together.
    fn stage(&self, name: &str) -> Result<PathBuf> {
        let folder = self.staging.join(name);
        empty(&folder)?;
        Ok(folder)
    }

    /// Copies the documents into a folder.
    fn add_documents(&self, folder: &Path) -> Result<()> {
        for document in DOCUMENTS {
            let text = fs::read(self.workspace.root.join(document));
            place(&folder.join(document), &text.with_context(|| document.to_owned())?, false)?;
        }
        place(&folder.join(NOTICES), self.notices.as_bytes(), false)
    }
}

/// Makes a folder with nothing in it.
fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Writes a file, and the folders above it.
fn place(file: &Path, contents: &[u8], is_executable: bool) -> Result<()> {
    let written = || {
        fs::create_dir_all(file.parent().unwrap_or(file))?;
        fs::write(file, contents)?;
        let mode = if is_executable { 0o755 } else { 0o644 };
        fs::set_permissions(file, fs::Permissions::from_mode(mode))
    };
    written().with_context(|| format!("cannot write {}", file.display()))
}

/// Copies a program.
fn place_program(file: &Path, program: &Path) -> Result<()> {
    let contents = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    place(file, &contents, true)
}

/// Lets everyone read what is below a folder, whatever the umask was.
fn open_to_all(folder: &Path) -> Result<()> {
    program::output(Command::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(folder)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installer_gets_its_version_and_address_or_is_refused() {
        let template = "#!/bin/sh\n\nversion=''\nbase_url=''\n";
        let filled = installer(template, "0.1.0", "https://example.com/files/").unwrap();
        assert_eq!(filled, "#!/bin/sh\n\nversion='0.1.0'\nbase_url='https://example.com/files'\n");
        for address in ["ftp://example.com", "https://example.com/'; id", "example.com"] {
            assert!(installer(template, "0.1.0", address).is_err(), "{address}");
        }
        assert!(installer("#!/bin/sh\nversion=''\n", "0.1.0", BASE_URL).is_err());
    }
}
