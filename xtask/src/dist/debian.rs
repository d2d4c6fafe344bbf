//! The package for Debian and Ubuntu: the program, its units for systemd, and a first settings file.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::target::Target;
use super::{PRODUCT, Release, open_to_all, place, place_program};
use crate::program;
use crate::system_packages::Wanted;

/// Debian's own tool makes the package.
pub(super) const TOOL: Wanted = Wanted {
    name: "dpkg-deb",
    packages: &["dpkg"],
    is_there: || program::is_fine(Command::new("dpkg-deb").arg("--version")),
};

/// The settings file of the service, which belongs to the administrator once it is there.
const SETTINGS: &str = "/etc/switchboard/switchboard.toml";

/// What runs when the package comes and goes.
const SCRIPTS: [&str; 3] = ["postinst", "prerm", "postrm"];

/// A unit of systemd: its file name and its text.
pub(super) type Unit = (String, String);

/// Returns the units as the first of the programs that runs on this machine prints them.
pub(super) fn units<'a>(programs: impl Iterator<Item = &'a Path>) -> Result<Vec<Unit>> {
    for program in programs {
        let mut command = Command::new(program);
        command.args(["service", "install", "--print", "--program", "/usr/bin/switchboard"]);
        command.args(["--config", SETTINGS, "--data-dir", "/var/lib/switchboard"]);
        if let Ok(printed) = program::output(&mut command) {
            return read_units(&String::from_utf8(printed)?);
        }
    }
    bail!(
        "none of the programs runs on this machine, and one must print the units; build this machine's target too"
    )
}

/// Reads what `service install --print` prints: before each unit is a line with its path.
fn read_units(printed: &str) -> Result<Vec<Unit>> {
    let units: Option<Vec<_>> = printed
        .split("# --- ")
        .skip(1)
        .map(|unit| {
            let (path, text) = unit.split_once(" ---\n")?;
            Some((path.rsplit('/').next()?.to_owned(), text.trim_end().to_owned() + "\n"))
        })
        .collect();
    units.filter(|units| !units.is_empty()).context("`switchboard service install --print` printed no units")
}

/// Writes the package and returns its file name.
pub(super) fn write(
    release: &Release<'_>,
    target: &Target,
    program: &Path,
    units: &[Unit],
) -> Result<String> {
    let architecture = target.architecture().context("a target without an architecture")?;
    let version = debian_version(release.version);
    let file = format!("{PRODUCT}_{version}_{architecture}.deb");
    let stage = release.stage("debian")?;
    place_program(&stage.join("usr/bin").join(PRODUCT), program)?;
    for (name, text) in units {
        place(&stage.join("usr/lib/systemd/system").join(name), text.as_bytes(), false)?;
    }
    let documents = stage.join("usr/share/doc").join(PRODUCT);
    release.add_documents(&documents)?;
    place(&documents.join("copyright"), COPYRIGHT.as_bytes(), false)?;
    let sources = release.workspace.root.join("deploy/debian");
    let source = |name: &str| fs::read(sources.join(name)).with_context(|| format!("deploy/debian/{name}"));
    place(&stage.join(SETTINGS.trim_start_matches('/')), &source("switchboard.toml")?, false)?;
    let control = control(&version, architecture, fs::metadata(program)?.len());
    place(&stage.join("DEBIAN/control"), control.as_bytes(), false)?;
    place(&stage.join("DEBIAN/conffiles"), format!("{SETTINGS}\n").as_bytes(), false)?;
    for script in SCRIPTS {
        place(&stage.join("DEBIAN").join(script), &source(script)?, true)?;
    }
    open_to_all(&stage)?;
    let mut tool = Command::new("dpkg-deb");
    // Every version of dpkg reads gzip.
    tool.env("SOURCE_DATE_EPOCH", &release.epoch).args(["--root-owner-group", "-Zgzip"]);
    tool.arg(format!("-z{}", release.compression)).arg("--build");
    program::output(tool.arg(&stage).arg(release.folder.join(&file)))?;
    Ok(file)
}

const COPYRIGHT: &str = "Switchboard is licensed under either of the Apache License 2.0 or the MIT License, at your choice.
The texts are in this folder: LICENSE-APACHE, LICENSE-MIT, and THIRD-PARTY.txt for the libraries in the program.
";

fn control(version: &str, architecture: &str, bytes: u64) -> String {
    let kilobytes = bytes.div_ceil(1024);
    format!(
        "Package: {PRODUCT}\nVersion: {version}\nArchitecture: {architecture}\nSection: net\nPriority: optional\n\
         Maintainer: Switchboard <packages@switchboard.example.com>\nInstalled-Size: {kilobytes}\n\
         Recommends: ca-certificates\n\
         Description: customer messaging of a small business in one program\n \
         Carries messages of Telegram accounts, bots and other channels, with an inbox, campaigns, flows and an HTTP API.\n"
    )
}

/// A pre-release sorts before its release.
fn debian_version(version: &str) -> String {
    version.replacen('-', "~", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_units_become_files() {
        let printed = "# --- /etc/systemd/system/a.service ---\n# Written\n[Unit]\n\n# --- /etc/systemd/system/a-alert@.service ---\n[Unit]\n\n";
        let units = read_units(printed).unwrap();
        let wanted = [("a.service", "# Written\n[Unit]\n"), ("a-alert@.service", "[Unit]\n")];
        assert_eq!(units, wanted.map(|(name, text)| (name.to_owned(), text.to_owned())));
        assert!(read_units("").is_err());
    }

    #[test]
    fn a_prerelease_comes_before_its_release() {
        assert_eq!(debian_version("1.0.0-rc.1"), "1.0.0~rc.1");
        assert_eq!(debian_version("1.0.0"), "1.0.0");
    }

    #[test]
    fn a_release_needs_a_program_that_runs_here() {
        let error = units([Path::new("/nowhere/switchboard")].into_iter()).unwrap_err();
        assert!(error.to_string().contains("print the units"), "{error}");
    }
}
